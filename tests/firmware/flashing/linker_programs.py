"""Small programs, each with something that a linker may get wrong: name -> source."""

PROGRAMS = {
    "global_k": """
k = [5]
s0 = [7]
def f(a):
    return a + k[0] + s0[0]
def g(a):
    return a - k[0]
def run():
    k.append(1); s0.append(2)
    return f(1), g(2)
""",
    "global_p0": """
p0 = [5]
def f(x, *r):
    return x + p0[0]
def run():
    return f(1), f(3)
""",
    "local_p0": """
def f(x, *r):
    p0 = x + 3
    return x + p0
def run():
    return f(1), f(3)
""",
    "names": """
class Bag:
    def __init__(self): self.x = 1
def cases0(a): return a
def cases1(a): return a + 1
def f(sentences): 
    yield sentences + "a long sentence of words"
    yield Bag().x
def run():
    sentences = [cases0(2), cases1(3)]
    return list(f("x")), sentences
""",
    "unbound": """
class Base:
    def setup(self, a): self.a = a
class Sub(Base):
    def other(self):
        Base.setup(self, 4)
        return self.a
class Two:
    def tock(self, n): return n + 1
def run():
    t = Two()
    return Sub().other(), Two.tock(t, 4)
""",
    "kwexpr_order": """
log = []
def note(x):
    log.append(x)
    return x
def f(a, b):
    return a - b
def run():
    r = f(b=note(1), a=note(2))
    return r, log
""",
    "class_star": """
class C:
    def __init__(self, a, b=7): 
        self.a = a
        self.b = b
class D:
    def __init__(self, a, b=7): 
        self.c = a
        self.d = b
class E:
    def __init__(self, items=[]):
        self.items = items
def run():
    args = (1,)
    c = C(*args)
    kw = {"a": 3}
    d = D(**kw)
    e = E(); e.items.append(1)
    return c.a, c.b, d.c, d.d, E().items
""",
    "kwdict": """
def f(a, b): return a - b
def run():
    kw = {"b": 1, "a": 5}
    return f(**kw)
""",
    "thread": """
from _thread import start_new_thread
import time
got = []
class Deep:
    def __init__(self): self.q = 3
def step(a): 
    got.append(Deep().q + a)
def work(n): step(n)
def run():
    start_new_thread(work, (4,))
    for _ in range(200):
        if got: break
        time.sleep(0.01)
    return got
""",
    "for_else": """
def f(rows, want):
    for row in rows:
        if row == want:
            break
    else:
        return "none"
    return row
def g(n):
    try:
        if n == 0: raise ValueError("no")
        return n
    except ValueError as e:
        return str(e)
    finally:
        log.append(n)
log = []
def fib(n): return n if n < 2 else fib(n-1) + fib(n-2)
def run():
    return f([1,2],2), f([1],3), g(0), g(1), log, fib(9)
""",
    "partlocal": """
import asyncio
def h(n):
    del n
    n = 4
    return n
def run():
    x = 3
    def inner(y=x):
        nonlocal x
        x += y
        return x
    return inner(), inner(2), h(2), (lambda a, b=2: a*b)(3)
""",
    "comprehensions": """
log = []
def note(x):
    log.append(x)
    return x
def rows(n):
    x = 7
    if note(n) > 5 and [note(y) for y in range(2)]:
        return [x for x in range(n) if x % 2]
    elif sum([note(y) for y in range(n)]) > 3:
        return {x: [y for y in range(x)] for x in range(n)}, x
    both = [[x + y for y in range(x)] for x in range(n) if x]
    for x in [y * 2 for y in range(3)]:
        log.append(x)
    while [y for y in range(n) if y > len(log)]:
        log.append(0)
    return both, {x % 2 for x in range(n)}, max(note(4), [note(5) for _ in range(1)][0]), x
def run():
    return rows(1), rows(2), rows(4), rows(8), log
""",
    "inheritance": """
class Base:
    kind = 1
    def __init__(self, n): self.n = n
    def size(self): return self.n
    def both(self, *rest, **named): return self.size(), rest, named
class Heir(Base):
    kind = 2
    def size(self): return super().size() * 10
    def twice(self): return self.size() * 2
def run():
    return [(p.size(), p.kind, p.both(1, a=2)) for p in (Base(1), Heir(2))], Heir(3).twice()
""",
    "table": """
class Unit:
    def __init__(self): self.got = []
    def obey(self, key, *rest): return TABLE[key](self, *rest) if key in TABLE else None
def _one(unit, a): unit.got.append(a); return 1
def _two(unit, a): unit.got.append(a * 2); return 2
TABLE = {"one": _one, "two": _two}
def run():
    unit = Unit()
    return unit.obey("one", 4), unit.obey("two", 5), unit.obey("three"), unit.got
""",
    "bags": """
class Track:
    width = 4
    name = "none"
    def __init__(self, n):
        self.n = n
        if n > 2:
            return
        self.name = "small"
    def text(self): return "%s %d %d" % (self.name, self.n, self.width)
def run():
    return Track(1).text(), Track(3).text()
""",
    "exceptions": """
class LineError(Exception): pass
def fails(n):
    if n: raise LineError("a sentence that is cut out of the pool %d" % n)
    raise KeyError("x")
def run():
    out = []
    for n in range(2):
        try: fails(n)
        except (LineError, KeyError) as error: out.append((type(error).__name__, str(error)))
    return out, "a sentence that is cut out of the pool %d", f"a sentence {len(out)} of them"
""",
    "async": """
import asyncio
class Task:
    def __init__(self): self.n = 0
    async def step(self):
        self.n += 1
        await asyncio.sleep(0)
        return self.n
    def each(self):
        yield self.n
        yield from [1, 2]
async def main():
    task = Task()
    return [await task.step() for _ in range(3)], list(task.each())
def run(): return asyncio.run(main())
""",
    "defaults": """
SIZES = [1, 2]
def grown(n, sizes=SIZES):
    sizes.append(n)
    return len(sizes)
def plain(n): return n * 2
def other(n): return n * 3
SIZES = [7]
def run():
    return grown(1), grown(2), SIZES, plain(3), other(3)
""",
    "sentences": """
def first(n): return "the first sentence of %d" % n
def second(n): return "and the second one of %d" % n
def run():
    return first(1), second(2), "and a third, which is long"
""",
    "set from outside": """
class Ant:
    def __init__(self): self.legs = 6
class Bee:
    def __init__(self): self.wings = 4
def dress(any_of, n): any_of.coat = n
def run():
    both = [Ant(), Bee()]
    for at, one in enumerate(both): dress(one, at)
    return both[0].legs, both[1].wings, [one.coat for one in both]
""",
    "super in a whole function": """
class Base:
    def __init__(self): self.n = 1
    def grow(self, by): self.n += by
class Heir(Base):
    def grow(self, by):
        super().grow(by * 10)
class Tree:
    def grow(self): return 5
def run():
    heir, base = Heir(), Base()
    heir.grow(2)
    base.grow(3)
    return heir.n, base.n, Tree().grow()
""",
    "and in front": """
log = []
def note(x):
    log.append(x)
    return x
def go(n):
    return max((note(n) and note(1)), sum([note(y) for y in range(3)]))
def run(): return go(0), go(1), log
""",
    "namedtuples": """
from collections import namedtuple
Row = namedtuple("Row", "gpio pull active")
def run():
    rows = [Row(1, "up", "low"), Row(2, pull="down", active="high")]
    return [(r.gpio, r[1], r.active) for r in rows], [tuple(r) for r in rows]
""",
    "choices": """
WORDS = ("up", "down")
asked = []
def word(w):
    asked.append(w)
    return w
def f(x, row):
    found = x in ("a", 1, "a longer word than ten"), x not in ("a", "b")
    return found, row[0] in ("a", 2), x in ()
def g(x):
    found = word(x) in ("a", "b"), x in WORDS, (x,) in (("a",), ("b",))
    return found, x in (None, 1.5), x in ("a",)
def run():
    return [f(x, (x, 0)) for x in ("a", "b", 1, 2, True)], [g(x) for x in ("up", "a", 1)], asked
""",
    "shared": """
TEXT = "a table\\nof two\\nrows"
PAIR = ("one", (2, 3))
HALF = 0.5
BIG = 1 << 40
BYTES = b"-" * 2 + b"/"
DASH = b"--"
WISH = "good night"
def f(n):
    return TEXT[n:], PAIR[1], n * HALF, BIG + n, DASH
def g():
    return TEXT.index("of"), PAIR, HALF, BIG, DASH + BYTES, WISH + "!", "good night", WISH
def run():
    return f(1), g(), "no %d" % 4, "/", "a-b".split("-"), "x\\r\\n", PAIR + PAIR
""",
    "parameters": """
def outer(a, b):
    def inner(c, a):
        return [c, a, b] + (lambda d: [d, b, c])(a)
    return inner(a, 5), a
def handler(a, n):
    try:
        raise ValueError(a + n)
    except ValueError as n:
        a = n.args[0]
    return a
class K:
    made = 0
    @classmethod
    def make(cls, made):
        cls.made += made
        return cls()
    def take(self, first, *rest, last=4):
        return first, rest, last, self.made
def run():
    return outer(1, 2), handler(3, 4), K.make(6).take(1, 2, last=3), K().take(7)
""",
    "titles": """
from collections import namedtuple
Row = namedtuple("Row", "gpio pull")
Other = namedtuple("Row", "pull gpio")
class Odd(Row):
    pass
def run():
    made = Odd(1, 2)
    return Row(1, 2) == Other(1, 2), made.gpio, Other(3, 4).gpio, isinstance(made, Row), "Row"
""",
}

# What a thread runs, and wide and deep functions beside it.
THREAD = """
from _thread import start_new_thread
def wide(a):
    b, c = 11, 12
    d = b
    e = c
    f = d
    g = e
    return g
def deep(a):
    return (a, (a, (a, (a, (a, (a, a))))))
def run_it(n):
    wide(n)
def big(n):
    a = [n, n, n, n, n, n, n, n, n, n, n, n]
    return a
def small(n):
    return n
def run():
    start_new_thread(run_it, (4,))
    return deep(2), big(3), small(4), small(deep(3))
"""

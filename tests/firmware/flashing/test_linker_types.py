"""Methods keep their common name wherever the text does not tell whose it is (types.py).

Two classes have a method `tick`. Each program lets an object of the second get where only those of
the first seem to be, by a way of its own: renamed for the first alone, `tick` would be missing.
"""

from __future__ import annotations

import pytest

from tests.firmware.flashing.test_linker_kept import kept

TWO = """
class A:
    def tick(self): return "A"
class B:
    def tick(self): return "B"
"""
# A way for objects, or for the list that holds them -> a program.
WAYS = {
    "tuple_field": """
from collections import namedtuple
Row = namedtuple("Row", "name check")
class A:
    def check(self, n): return n
def ok(n): return n * 2
def run():
    out = []
    for part in [A(), Row("a", ok)]:
        out.append(part.check(3))
    return out
""",
    "extend_gen": """
def gen():
    yield B()
def run():
    parts = [A()]
    parts.extend(gen())
    return [p.tick() for p in parts], B().tick()
""",
    "alias_or": """
def run():
    a = [A()]
    x = a or []
    x.append(B())
    return [p.tick() for p in a], B().tick()
""",
    "alias_two": """
class H:
    def __init__(self):
        self.parts = parts = [A()]
        parts.append(B())
def run():
    return [p.tick() for p in H().parts], B().tick()
""",
    "alias_await": """
import asyncio

kept = [A()]
async def f():
    return kept
async def main():
    x = await f()
    x.append(B())
def run():
    asyncio.run(main())
    return [p.tick() for p in kept], B().tick()
""",
    "tuple_alias": """
from collections import namedtuple
Row = namedtuple("Row", "name items")
def run():
    a = [A()]
    r = Row("x", a)
    r.items.append(B())
    return [p.tick() for p in a], B().tick()
""",
    "tuple_kw": """
from collections import namedtuple
Row = namedtuple("Row", "name part")
def run():
    a = Row("a", A())
    b = Row(name="b", part=B())
    return [r.part.tick() for r in (a, b)], B().tick()
""",
    "star_first": """
def f(x, y): return x.tick(), y.tick()
def run():
    a = [B()]
    return f(*a, A()), B().tick()
""",
    "walrus": """
def run():
    x = A()
    first = x.tick()
    if (x := B()):
        pass
    return x.tick(), first, B().tick()
""",
    "op": """
class V:
    def __init__(self, x): self.x = x
    def __add__(self, o): return V(self.x + o.x)
    def __neg__(self): return V(-self.x)
    def norm(self): return self.x
class W:
    def norm(self): return 9
def run():
    v = V(1) + V(2)
    w = -v
    return v.norm(), w.norm(), W().norm(), V(1).norm()
""",
    "setattr": """
class H: pass
def run():
    h = H()
    h.part = A()
    one = h.part.tick()
    setattr(h, "part", B())
    return one, h.part.tick(), B().tick()
""",
    "setattr_dyn": """
class H: pass
def run():
    h = H()
    h.part = A()
    one = h.part.tick()
    for name in ("part", "other"):
        setattr(h, name, B())
    return one, h.part.tick(), B().tick()
""",
    "iobase": """
import io
class Raw(io.RawIOBase):
    def __init__(self): self.n = 0
    def readable(self): return True
    def readinto(self, b):
        if self.n: return 0
        self.n = 1
        b[0] = 65
        return 1
def run():
    return Raw().read()
""",
    "async_with": """
import asyncio

class M:
    async def __aenter__(self): return B()
    async def __aexit__(self, *a): pass
class It:
    def __init__(self): self.n = 0
    def __aiter__(self): return self
    async def __anext__(self):
        self.n += 1
        if self.n > 2: raise StopAsyncIteration
        return B()
async def main():
    out = []
    x = A(); out.append(x.tick())
    async with M() as x:
        out.append(x.tick())
    y = A(); out.append(y.tick())
    async for y in It():
        out.append(y.tick())
    return out, B().tick()
def run():
    return asyncio.run(main())
""",
    "class_alias": """
class C:
    def tick(self): return "C"
KINDS = {"a": A, "b": B}
def run():
    k = C
    return [KINDS[x]().tick() for x in "ab"], k().tick(), (A if len(KINDS) == 2 else B)().tick()
""",
    "dict_values": """
class H:
    def __init__(self):
        self.d = {}
        self.d.update(a=A(), b=B())
        self.e = dict(a=A())
        self.e["z"] = B()
    def go(self):
        return [p.tick() for p in self.d.values()] + [p.tick() for _, p in sorted(self.e.items())]
def run():
    return H().go(), A().tick(), B().tick()
""",
    "ret_alias": """
class H:
    def __init__(self): self.q = [A()]
    def all(self): return self.q
def put(where, what): where.append(what)
def run():
    h = H()
    h.all().append(B())
    l = h.all()
    put(l, B())
    return [p.tick() for p in h.q], A().tick(), B().tick()
""",
    "hasattr": """
class N: pass
def run():
    out = []
    for p in (A(), N()):
        if hasattr(p, "tick"): out.append(p.tick())
    t = getattr(B(), "tick")
    return out, t(), B().tick()
""",
    "cls_method": """
class A:
    @classmethod
    def make(cls, n): 
        a = cls(); a.n = n
        return a
    @staticmethod
    def twice(n): return n * 2
    @property
    def seen(self): return self.n + 1
    def val(self): return self.n
class B:
    def val(self): return 3
def run():
    return A.make(3).val(), A.twice(4), A.make(4).seen, B().val()
""",
    "ternary_put": """
def run():
    x = []
    y = [A()]
    z = x if len(y) > 3 else y
    z.append(B())
    return [p.tick() for p in y], B().tick()
""",
    "lambda_put": """
def run():
    y = [A()]
    f = lambda p: y.append(p)
    f(B())
    g = y.append
    g(B())
    return [p.tick() for p in y], B().tick()
""",
    "map_put": """
def run():
    y = [A()]
    list(map(y.append, [B()]))
    return [p.tick() for p in y], B().tick()
""",
    "subscr_alias": """
def run():
    y = [A()]
    box = [y]
    box[0].append(B())
    return [p.tick() for p in y], B().tick()
""",
    "tuple_unpack_alias": """
def two(y): return y, 3
def run():
    y = [A()]
    x, n = two(y)
    x.append(B())
    return [p.tick() for p in y], B().tick()
""",
    "for_alias": """
def run():
    y = [A()]
    for x in (y, []):
        x.append(B())
    return [p.tick() for p in y], B().tick()
""",
    "dict_alias": """
def run():
    y = [A()]
    d = {"y": y}
    d["y"].append(B())
    d.get("y").append(B())
    return [p.tick() for p in y], B().tick()
""",
    "attr_alias_foreign": """
class H: pass
def dive(h): h.y.append(B())
def run():
    y = [A()]
    h = H()
    h.y = y
    dive(h)
    return [p.tick() for p in y], B().tick()
""",
    "getattr_alias": """
class H: pass
def run():
    h = H()
    h.y = [A()]
    getattr(h, "y").append(B())
    return [p.tick() for p in h.y], B().tick()
""",
    "heapq": """
import heapq
def run():
    y = [(2, A())]
    heapq.heappush(y, (1, B()))
    z = [A()]
    import bisect
    return [p.tick() for _, p in y], B().tick()
""",
    "foreign_put": """
import operator
def run():
    z = [A()]
    operator.setitem(z, 0, B())
    return [p.tick() for p in z], B().tick()
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_called_by_anothers_name(way: str) -> None:
    kept(TWO + WAYS[way])


def test_where_it_is_told_each_has_its_own() -> None:
    """Else all of the above would be true of a linker that renames nothing."""
    text = kept(TWO + "def run():\n    a, b = A(), B()\n    return [a.tick()], b.tick()\n")
    assert "class" not in text.split("pass", 1)[1]  # no methods left: both are functions

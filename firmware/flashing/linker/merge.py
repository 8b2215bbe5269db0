"""Many functions of a linked program become cases of a few.

A function costs 16 bytes of heap and its place in a dictionary 8 more, on 32 bits, wherever its
bytecode lies; a branch inside another function costs nothing. So a function or method that is only
ever called, by a name that nothing else in the program has, becomes

    def cases(k, s0=None, s1=None):          # k: which
        if k < 2:
            if k < 1: …the first one's body…
            else:     …the second one's…
        else: …

and `self._keep(1)` becomes `cases(7, self, 1)`. Functions are put together by the size of their
frames, because every case takes the largest: MicroPython keeps a frame of up to 11 words on the
stack and asks the heap for a larger one.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from flashing.linker import bags
from flashing.linker.case import Case, Plain, is_plain
from flashing.linker.frames import Frame, frame
from flashing.linker.join import ENTRY, START, Part, reachable
from flashing.linker.scopes import Definitions, Imports, is_of_object, own
from flashing.linker.short import KNOWN, fields, keywords, strings
from flashing.linker.tables import Table, find

ON_STACK = 11  # words of a frame: py/vm.h, VM_MAX_STATE_ON_STACK
SIZES = (ON_STACK, 15, 20, 30, 90)  # of frames that are put together
MOST_NODES = 4000  # of one function's tree: MicroPython's jumps reach 16 KB


@dataclass
class _Group:
    name: str
    cases: list[Case] = field(default_factory=list)
    nodes: int = 0

    def add(self, case: Case) -> None:
        case.into, case.number = self.name, len(self.cases)
        self.cases.append(case)
        self.nodes += _nodes(case)


def _nodes(case: Case) -> int:
    return sum(1 for _ in ast.walk(case.function))


def merge(parts: list[Part], names: set[str]) -> None:
    """Change the program in place; `names` gains the new functions and loses the old ones."""
    main = next(part for part in parts if part.name == ENTRY)
    tree = reachable(parts)
    tables = find(tree)
    cases = {case.key: case for case in _candidates(main, tree, tables)}
    _only_fitting(tree, cases)
    threads = _in_threads(tree, cases)
    for key in threads:
        if frame(cases[key].function).words + 1 > SIZES[0]:
            del cases[key]
    tables = _whole(tables, cases)
    begin = {case.key: case for case in bags.emptied(main, tree, cases, tables)}
    _only_fitting(tree, begin)
    cases |= begin
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _key(node.func) in cases:
            _fill(node, cases[_key(node.func)])
    while True:
        groups = _grouped(cases, tables, threads)
        kept = {case.key for group in groups for case in group.cases}
        whole = [case for case in cases.values() if case.makes and _stays(case, kept)]
        if not whole:
            break
        for case in whole:
            del cases[case.key]
    cases = {key: case for key, case in cases.items() if key in kept}
    for table in tables:
        numbers = [cases[_key(value)].number for value in table.values]
        table.replace(numbers, cases[_key(table.values[0])].into)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _key(node.func) in cases:
            _redirect(node, cases[_key(node.func)])
    gone = {id(case.function) for case in cases.values()}
    gone |= {id(case.owner) for case in cases.values() if case.makes}
    main.body = [statement for statement in main.body if id(statement) not in gone]
    for statement in main.body:
        if isinstance(statement, ast.ClassDef):
            members = [member for member in statement.body if id(member) not in gone]
            statement.body = members or [ast.Pass()]
    main.body[_after_imports(main) : _after_imports(main)] = [_function(group) for group in groups]
    main.body.insert(_after_imports(main), bags.the_class())
    names -= {case.key for case in cases.values() if not case.key.startswith(".")}
    names |= {bags.BAG, *(group.name for group in groups)}


def _in_threads(tree: ast.Module, cases: dict[str, Case]) -> set[str]:
    """Cases that a thread of its own runs: it may not ask the heap for anything."""
    functions = {("." + n.name): n for n in ast.walk(tree) if isinstance(n, Plain)}
    functions |= {n.name: n for n in tree.body if isinstance(n, Plain)}
    todo = [
        _key(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _key(node.func) in ("start_new_thread", ".start_new_thread")
    ]
    found: set[str] = set()
    while todo:
        key = todo.pop()
        if key in functions and key not in found:
            found.add(key)
            inner = ast.walk(functions[key])
            todo += [_key(node.func) for node in inner if isinstance(node, ast.Call)]
    return found & cases.keys()


def _whole(tables: list[Table], cases: dict[str, Case]) -> list[Table]:
    """The tables of which every function is a case; functions of the others are none."""
    while True:
        seen: Counter[str] = Counter(k for t in tables for k in {_key(v) for v in t.values})
        bad = [
            table
            for table in tables
            if any(
                _key(value) not in cases
                or seen[_key(value)] > 1
                or cases[_key(value)].function.args.defaults
                for value in table.values
            )
        ]
        if not bad:
            return tables
        for table in bad:
            for value in table.values:
                cases.pop(_key(value), None)
        tables = [table for table in tables if table not in bad]


def _after_imports(part: Part) -> int:
    return next(at for at, node in enumerate(part.body) if not isinstance(node, Imports))


# --- which functions -----------------------------------------------------------------------------
def _candidates(main: Part, tree: ast.Module, tables: list[Table]) -> Iterator[Case]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    called |= {id(value) for table in tables for value in table.values}
    taken = (
        keywords(tree) | strings(tree) | KNOWN | fields(tree)
    )  # by somebody else, or asked for in other ways
    defined = Counter(_defined_keys(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in called:
            defined[_key(node)] += 2  # used as a value, or set
        elif isinstance(node, ast.Attribute) and not is_of_object(node, tree):
            listed = any(node is value for table in tables for value in table.values)
            defined[_key(node)] += 0 if listed else 2  # `Base.start(self)`
    for owner, function in _functions(main):
        key = ("." if owner else "") + function.name
        free = function.name not in taken and not function.name.startswith("__")
        only = defined[key] == 1 and function.name != START
        if only and (free or owner is None) and is_plain(function):
            yield Case(key, function, owner)


def _functions(main: Part) -> Iterator[tuple[ast.ClassDef | None, Plain]]:
    for statement in main.body:
        if isinstance(statement, Plain):
            yield None, statement
        elif isinstance(statement, ast.ClassDef):
            yield from ((statement, m) for m in statement.body if isinstance(m, Plain))


def _defined_keys(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for member in own(node.body):
                if isinstance(member, Definitions):
                    yield "." + member.name
                elif isinstance(member, ast.Name) and isinstance(member.ctx, ast.Store):
                    yield "." + member.id
    yield from (node.name for node in tree.body if isinstance(node, Definitions))


def _key(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return "." + node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _grouped(cases: dict[str, Case], tables: list[Table], threads: set[str]) -> list[_Group]:
    for case in cases.values():
        case.into = ""
    groups: list[_Group] = []
    for table in tables:
        groups.append(_Group(f"cases {len(groups)}"))
        for key in dict.fromkeys(_key(value) for value in table.values):
            groups[-1].add(cases[key])
    left = [case for case in cases.values() if not case.into]
    return groups + _by_size(left, len(groups), threads & cases.keys())


def _stays(case: Case, kept: set[str]) -> bool:
    """Whether its class has a method after all: one that found no other to be a case with."""
    assert case.owner is not None
    members = [m.name for m in case.owner.body if isinstance(m, Plain) and m.name != "__init__"]
    return any("." + name not in kept for name in members)


def _only_fitting(tree: ast.Module, cases: dict[str, Case]) -> None:
    """Drop the cases that some call cannot be given its arguments by their places."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _key(node.func) in cases and not _fits(node, cases):
            del cases[_key(node.func)]


def _fits(call: ast.Call, cases: dict[str, Case]) -> bool:
    """Whether the call's arguments can be given by their places."""
    case = cases[_key(call.func)]
    defaults = case.function.args.defaults
    if any(isinstance(a, ast.Starred) for a in call.args):
        return not defaults and not call.keywords
    if any(k.arg not in case.parameters for k in call.keywords):
        return False
    places = [case.parameters.index(k.arg or "") for k in call.keywords]
    inside = [n for k in call.keywords for n in ast.walk(k.value)]
    if places != sorted(places) and any(isinstance(n, ast.Call | ast.Await) for n in inside):
        return False  # they would run in another order
    return all(isinstance(d, ast.Constant) for d in defaults)


# --- together --------------------------------------------------------------------------------
def _by_size(cases: list[Case], first: int, threads: set[str]) -> list[_Group]:
    """Groups whose frames, of all their cases together, keep within one of SIZES.

    What threads run comes first, and where it does not fit on the stack together it is no case.
    """
    frames = {case.key: frame(case.function) for case in cases}
    groups: list[_Group] = []
    left = sorted(
        cases,
        key=lambda c: (c.key not in threads, frames[c.key].variables, frames[c.key].stack),
    )
    for limit in SIZES:
        group, taken = _Group(""), Frame(0, 0, 0)
        for case in list(left):
            both = taken.joined(frames[case.key])
            if both.words + 1 > limit:  # one more for which case it is
                continue
            left.remove(case)
            if not group.name or group.nodes + _nodes(case) > MOST_NODES:
                group = _Group(f"cases {first + len(groups)}")
                groups.append(group)
            taken = both
            group.add(case)
        left = [case for case in left if case.key not in threads]
    return [group for group in groups if len(group.cases) > 1]


def _fill(call: ast.Call, case: Case) -> None:
    """Give the call all its arguments by their places: what lies on its stack is known then."""
    if any(isinstance(a, ast.Starred) for a in call.args):
        return
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    before = case.makes or isinstance(call.func, ast.Attribute)  # the object itself
    for at in range(len(call.args) + before, len(case.parameters)):
        value = named.get(case.parameters[at]) or case.default(at)
        assert value is not None, f"{case.key} is called without {case.parameters[at]}"
        call.args.append(value)
    call.keywords = []


def _redirect(call: ast.Call, case: Case) -> None:
    given: list[ast.expr] = [*call.args]
    if isinstance(call.func, ast.Attribute):
        given.insert(0, call.func.value)
    if case.makes:
        given.insert(0, ast.Call(ast.Name(bags.BAG, ast.Load()), [], []))
    call.func = ast.Name(case.into, ast.Load())
    call.args = [ast.Constant(case.number), *given]


def _function(group: _Group) -> ast.FunctionDef:
    most = max(len(case.parameters) for case in group.cases)
    arguments = [ast.arg("k"), *(ast.arg(f"s{at}") for at in range(most))]
    given = ast.arguments([], arguments, None, [], [], None, [ast.Constant(None)] * most)
    bodies = [_body(case) for case in group.cases]
    return ast.FunctionDef(group.name, given, _tree(bodies, 0), [], None, None)


def _tree(bodies: list[list[ast.stmt]], first: int) -> list[ast.stmt]:
    if len(bodies) == 1:
        return bodies[0]
    half = len(bodies) // 2
    below = ast.Compare(ast.Name("k", ast.Load()), [ast.Lt()], [ast.Constant(first + half)])
    return [ast.If(below, _tree(bodies[:half], first), _tree(bodies[half:], first + half))]


def _body(case: Case) -> list[ast.stmt]:
    """Its statements, with the parameters and variables that all cases share."""
    new = {name: f"s{at}" for at, name in enumerate(case.parameters)}
    bound = [n for s in case.function.body for n in ast.walk(s)]
    for node in bound:
        name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None
        name = node.name if isinstance(node, ast.ExceptHandler) else name
        if name and name not in new:
            new[name] = f"s{len(new)}"  # a parameter of other cases may serve as a variable here
    for node in bound:
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            node.name = new[node.name]
    return case.function.body

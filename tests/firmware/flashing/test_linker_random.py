"""Random programs out of what the linker has to understand: linked, each does what it did."""

from __future__ import annotations

import re
from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.firmware.flashing.test_linker_kept import ENTRY, linked, outcome

METHODS = ("tick", "poll", "note", "total")
# What a program is made of: `<word>` stands for one of that row, `<N>` for a number up to N.
GRAMMAR = {
    "method": METHODS,
    "made": ("<class>()", "<class>(<9>)", "<class>(start=<9>)"),
    "thing": (
        *("<made>", "made(<5>)", "passed(<made>)", "several(<3>)[0]", "several(<3>).pop()"),
        *("{1: <made>}.get(<2>, <made>)", "(<made> if len(LOG) % 2 else <made>)", "BOX[<2>]"),
    ),
    "value": (
        *("<9>", "len(LOG)", "STEP", "n", "sum([k + <3> for k in range(<4>)])", "<thing>.count"),
        *("<thing>.<method>(<3>)", "<thing>.<method>(again=<3>, n=1)", "(len(LOG), spend())[0]"),
        *("sum([q.<method>() for q in several(<3>)])", "getattr(<thing>, '<method>')(<3>)"),
    ),
    "statement": (
        "n += <value>",
        "LOG.append(<value>)",
        "BOX[<2>] = <thing>",
        "p.count += <value>",
        "p.first = <thing>",
        "if p.first is not None:\n    n += p.first.<method>()",
        "p.parts.append(<thing>)",
        "here = p.parts\nhere.append(<thing>)\nn += len(p.parts)",
        "here = p.parts or BOX\nhere.append(<thing>)",
        "p.parts.extend(several(<2>))",
        "for q in p.parts:\n    n += q.<method>(1)",
        "if n % 2:\n    n += <value>\nelse:\n    n -= <value>",
        "try:\n    n += <value>\nexcept ValueError:\n    n += 1\nfinally:\n    spend()",
        "keep = p.<method>\nn += keep(1)",
        "first, q = <value>, <thing>\nn += first + q.<method>()",
        "q = <thing>\nq = p\np = <thing>\nn += q.<method>(n=<3>)",
    ),
    "returned": ("n", "<value> + n"),
}
CLASS = """\
class {name}{base}:
    step = <9>
    def __init__(self, start=STEP):
        self.count = start + self.step
        self.parts = []
        self.first = None
"""
KINDS = """\
STEP = 3
LOG = []
left = [100]
def spend():
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("enough")
{classes}
def made(n):
    if n == 1:
        return <made>
    return <made>
def passed(p):
    BOX.append(p)
    return BOX[<2>]
def several(n):
    found = [<made>]
    for k in range(n):
        found.append(made(k))
    return found
BOX = [<made>, <made>, <made>]
"""
MAIN = """\
from kinds import {classes}, BOX, LOG, STEP, made, passed, several, spend
def go(n):
{body}
def run():
    total = [go(1), go(2)]
    return total, LOG, [p.count for p in BOX], len(BOX)
"""


class Writer:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._classes = ("Ant", "Bee", "Cat")[: random.randint(1, 3)]

    def filled(self, text: str) -> str:
        """`text` with something drawn for each of its marks."""
        return re.sub(r"<(\w+)>", lambda found: self._drawn(found[1]), text)

    def _drawn(self, word: str) -> str:
        if word.isdigit():
            return str(self._random.randint(0, int(word)))
        if word == "class":
            return self._random.choice(self._classes)
        return self.filled(self._random.choice(GRAMMAR[word]))

    def _body(self, indent: str, whose: str) -> str:
        lines = ["spend()", f"p = {whose}"]
        for _ in range(self._random.randint(0, 3)):
            lines += self._drawn("statement").splitlines()
        lines.append("return " + self._drawn("returned"))
        return "\n".join(indent + line for line in lines)

    def _class(self, at: int, name: str) -> str:
        heir = at > 0 and self._random.random() < 0.3
        text = CLASS.format(name=name, base="(Ant)" if heir else "")
        for method in METHODS:
            if not heir or self._random.random() < 0.5:
                text += f"    def {method}(self, n=0, again=<3>):\n"
                text += self._body(" " * 8, "self") + "\n"
        return self.filled(text)

    def program(self) -> dict[str, str]:
        classes = "".join(self._class(at, name) for at, name in enumerate(self._classes))
        main = MAIN.format(classes=", ".join(self._classes), body=self._body("    ", "<thing>"))
        return {ENTRY: self.filled(main), "kinds": self.filled(KINDS.format(classes=classes))}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1 << 32))
@example(5361)  # a method that found no other to be a case with, of a class without others
@example(472)
def test_random_programs_do_what_they_did(seed: int) -> None:
    texts = Writer(Random(seed)).program()
    expected = outcome(texts)
    new = linked(texts)
    assert outcome(new) == expected, texts["kinds"] + texts[ENTRY] + "\n# linked\n" + new[ENTRY]


def test_most_of_them_run_to_their_end() -> None:
    """Else they would agree only on how they fail."""
    ended = [outcome(Writer(Random(seed)).program()) for seed in range(100)]
    assert sum(isinstance(result, tuple) for result in ended) > 30
    assert not {"SyntaxError", "NameError", "ImportError"} & {str(result) for result in ended}

"""What an .mpy says of its functions: the size of their bytecode and of the frame they run in.

The format is MicroPython's docs/reference/mpyfiles.rst, a function's prelude py/bc.h.
"""

from __future__ import annotations

from dataclasses import dataclass

_TRY = 3  # words of an exception handler in a frame: on 32 bits, py/bc.h mp_exc_stack_t
_HEADER = 4  # bytes: M, version, features, bits of a small whole number
_WITHOUT_TEXT = range(5)  # kinds of objects: the function table, None, False, True, ...
_TEXT, _BYTES, _TUPLE = 5, 6, 10


@dataclass(frozen=True)
class Code:
    """One function; `inside`: the functions that are made in it, each with its own."""

    name: str
    size: int
    state: int
    handlers: int
    inside: list[Code]

    @property
    def frame(self) -> int:
        """Words that a call takes, beside the frame's own header."""
        return self.state + _TRY * self.handlers

    def all(self) -> list[Code]:
        return [self, *(code for inner in self.inside for code in inner.all())]


class _Reader:
    def __init__(self, data: bytes) -> None:
        assert data[:1] == b"M", "no .mpy"
        self._data, self._at = data, _HEADER
        names, objects = self._number(), self._number()
        self.names = [self._name() for _ in range(names)]
        for _ in range(objects):
            self._skip_object()

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        value = 0
        while True:
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def _name(self) -> str:
        size = self._number()
        if size & 1:
            return f"static {size >> 1}"  # one that every build has, by its number
        start = self._at
        self._at += (size >> 1) + 1
        return self._data[start : self._at - 1].decode()

    def _skip_object(self) -> None:
        kind = self._byte()
        if kind in _WITHOUT_TEXT:
            return
        size = self._number()
        if kind == _TUPLE:
            for _ in range(size):
                self._skip_object()
        else:
            self._at += size + (kind in (_TEXT, _BYTES))

    def code(self) -> Code:
        kind = self._number()
        size, start = kind >> 3, self._at
        state, handlers = self._prelude()
        while self._byte() & 0x80:  # the prelude's sizes, which nobody needs here
            pass
        name = self.names[self._number()]
        self._at = start + size
        inside = [self.code() for _ in range(self._number())] if kind & 4 else []
        return Code(name, size, state, handlers, inside)

    def _prelude(self) -> tuple[int, int]:
        """MP_BC_PRELUDE_SIG_DECODE: state and handlers, their bits spread over the bytes."""
        byte = self._byte()
        state, handlers, at = byte >> 3 & 0xF, byte >> 2 & 1, 0
        while byte & 0x80:
            byte = self._byte()
            state |= (byte & 0x30) << 2 * at
            handlers |= (byte & 2) << at
            at += 1
        return state + 1, handlers


def read(data: bytes) -> Code:
    """The module's own code, with all that is inside."""
    return _Reader(data).code()


def names(data: bytes) -> list[str]:
    """All names that it needs: those that no build has yet are made in RAM, 9 bytes each."""
    return _Reader(data).names

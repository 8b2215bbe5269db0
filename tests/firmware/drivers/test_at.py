"""The AT dialogue against recorded answers, on CPython (asyncio has no sleep_ms there: given)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from drivers import at


class Wire:
    """A UART that answers each write with the next recorded bytes, in pieces of `size`."""

    def __init__(self, *answers: bytes, size: int = 64) -> None:
        self._answers = list(answers)
        self._pieces: list[bytes] = []
        self._size = size
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.written.append(data)
        answer = self._answers.pop(0) if self._answers else b""
        self._pieces += [answer[i : i + self._size] for i in range(0, len(answer), self._size)]
        return len(data)

    def read(self) -> bytes | None:
        return self._pieces.pop(0) if self._pieces else None


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture(autouse=True)
def time_passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()

    async def sleep_ms(ms: int) -> None:
        clock.ms += ms

    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
    yield clock


@pytest.mark.parametrize("size", [1, 3, 64])
@pytest.mark.parametrize(
    "answer",
    [
        b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n",
        b"AT+CEREG?\r\r\n+CEREG: 0,1\r\nOK\r\n",  # echo
        b'\r\n+CMTI: "SM",1\r\n+CEREG: 0,1\r\n*PSUTTZ: 1\r\nOK\r\n',  # in between
        b"\xf8\x00\xe0\r\n+CEREG: 0,1\r\nOK\r\n",  # garbage first
    ],
)
async def test_answers(answer: bytes, size: int, time_passes: Clock) -> None:
    wire = Wire(answer, size=size)
    assert await at.At(wire, time_passes).ask("AT+CEREG?", "+CEREG:") == ["0,1"]
    assert wire.written == [b"AT+CEREG?\r"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"\r\nNO CARRIER\r\n", "NO CARRIER"),
        (b"\r\n+CME ERROR: 100\r\n", "100"),
        (b"\r\nRDY\r\n", "restarted"),
        (b"", "no answer"),
        (b"\r\nhalf a line", "no answer"),
        (b"\x7e\xff" * 4000, "no answer"),  # a modem in data mode
    ],
)
async def test_refusals(answer: bytes, why: str, time_passes: Clock) -> None:
    with pytest.raises(at.ModemError, match=why):
        await at.At(Wire(answer), time_passes).ask("ATD*99#")


async def test_text_waits_for_the_prompt(time_passes: Clock) -> None:
    wire = Wire(b"\r\n> ", b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
    await at.At(wire, time_passes).ask_text('AT+CMGS="+86"', b"SOS")
    assert wire.written == [b'AT+CMGS="+86"\r', b"SOS\x1a"]


async def test_an_old_answer_is_not_this_ones(time_passes: Clock) -> None:
    wire = Wire(b"", b"\r\nERROR\r\n")
    wire.write(b"late")
    wire._pieces.append(b"\r\nOK\r\n")
    with pytest.raises(at.ModemError, match="ERROR"):
        await at.At(wire, time_passes).ask("AT")

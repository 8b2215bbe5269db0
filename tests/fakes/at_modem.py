"""An A7670 on the other end of the UART: answers as its manual says, and misbehaves on demand.

    modem = AtModem(faults={"AT+CEREG?": [Fault.SILENT, Fault.URC_INSIDE]})
    modem.write(b"AT\\r", now_ms); modem.read(now_ms) -> bytes

Time is given, never taken. The dialogues are those of the A76XX manual's examples; each fault is
taken from the list of its command once, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

BOOT_MS = 8000
OFF_AFTER_MS = 1500  # AT+CPOF until STATUS falls
ACTIVE_MS = 10_000  # T3324 as the network grants it: from hanging up to the power saving mode
BOOT_URCS = b"\r\n*ATREADY: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS DONE\r\n\r\n+CGEV: EPS PDN ACT 1\r\n"


class Fault(Enum):
    """What goes wrong with one answer."""

    SILENT = auto()  # nothing comes
    ERROR = auto()
    CME = auto()
    ECHO = auto()  # the command comes back first, ATE0 or not
    URC_INSIDE = auto()  # a call rings between answer and OK
    URC_SPLIT = auto()  # the same, and the answer comes in single bytes
    NOISE = auto()  # bytes of a UART at the wrong moment before the answer
    RESET = auto()  # the modem restarts instead of answering
    HANGS = auto()  # from now on nothing at all, until its reset pin is pulled
    NO_CARRIER = auto()
    LATE = auto()  # the answer comes after the one who asked gave up
    NOT_YET = auto()  # +CEREG: searching
    LONG_LINE = auto()  # a line of 4 kB first


class AtModem:
    def __init__(
        self,
        faults: dict[str, list[Fault]] | None = None,
        boot_ms: int = BOOT_MS,
        grants_psm: bool = True,
    ) -> None:
        self.faults = faults or {}
        self.texts: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.on = False
        self.data_mode = False
        self.hung = False
        self.answer_ms = 30
        self._boot_ms = boot_ms
        self._due: list[tuple[int, bytes]] = []
        self._line = b""
        self._number = ""
        self._prompt = False
        self._echo = True
        self._off_at = 0
        self._grants_psm = grants_psm
        self._psm = False
        self._dozes_at: int | None = None

    # --- pins ---------------------------------------------------------------------------------
    def power_key(self, now_ms: int, held_ms: int = 500) -> None:
        """Held 50 ms it switches on; 2.5 s, off (A7670 hardware design)."""
        if not self.on and held_ms >= 50:
            self._start(now_ms)
        elif self.on and held_ms >= 2500:
            self._off(now_ms)

    def powered(self, now_ms: int) -> bool:
        """The STATUS pin."""
        if self._dozes_at is not None and now_ms >= self._dozes_at:
            self.on, self._dozes_at = False, None
        return self.on or now_ms < self._off_at

    def _off(self, now_ms: int) -> None:
        self.on = False
        self._off_at = now_ms + OFF_AFTER_MS

    def reset(self, now_ms: int) -> None:
        if self.on:
            self._start(now_ms)

    def _start(self, now_ms: int) -> None:
        self.on, self.hung, self.data_mode, self._prompt = True, False, False, False
        self._line, self._echo, self._dozes_at = b"", True, None
        self._due = [(now_ms + self._boot_ms, b"\x00\xff" + BOOT_URCS)]

    # --- UART ---------------------------------------------------------------------------------
    def read(self, now_ms: int) -> bytes:
        ready = b"".join(data for at, data in self._due if at <= now_ms)
        self._due = [(at, data) for at, data in self._due if at > now_ms]
        return ready

    def write(self, data: bytes, now_ms: int) -> None:
        if not self.on or self.hung or (self._due and self._booting(now_ms)):
            return
        if data == b"+++":
            if self.data_mode:
                self.data_mode = False
                self._say(now_ms, b"\r\nOK\r\n")
            return
        if self.data_mode:
            return
        for byte in data:
            if self._prompt and byte == 0x1A:
                self._text_ends(now_ms)
            elif byte == 0x0D and not self._prompt:
                command, self._line = self._line.decode(), b""
                self._command(command, now_ms)
            else:
                self._line += bytes([byte])

    def _booting(self, now_ms: int) -> bool:
        return any(BOOT_URCS in data and at > now_ms for at, data in self._due)

    def _say(self, now_ms: int, data: bytes, after_ms: int | None = None) -> None:
        self._due.append((now_ms + (self.answer_ms if after_ms is None else after_ms), data))

    def _command(self, command: str, now_ms: int) -> None:
        self.commands.append(command)
        key = command.split("=")[0]
        fault = self.faults[key].pop(0) if self.faults.get(key) else None
        if self._echo or fault is Fault.ECHO:
            self._say(now_ms, command.encode() + b"\r", 5)
        if fault is not None and self._fail(fault, command, now_ms):
            return
        self._say(now_ms, self._answer(command))
        if command == "AT+CPOF":
            self._off(now_ms)
        elif command.startswith("AT+CPSMS="):
            self._psm = self._grants_psm and command[9] == "1"
        elif command == "ATH":
            self._dozes_at = now_ms + ACTIVE_MS if self._psm else None
        elif command.startswith("ATD"):
            self._dozes_at = None

    def _fail(self, fault: Fault, command: str, now_ms: int) -> bool:
        """True when there is no proper answer besides."""
        answer = self._answer(command) if fault.name.startswith("URC") else b""
        whole: dict[Fault, Callable[[], None]] = {
            Fault.SILENT: lambda: None,
            Fault.ERROR: lambda: self._say(now_ms, b"\r\nERROR\r\n"),
            Fault.CME: lambda: self._say(now_ms, b"\r\n+CME ERROR: 14\r\n"),
            Fault.RESET: lambda: self._start(now_ms),
            Fault.HANGS: lambda: setattr(self, "hung", True),
            Fault.NO_CARRIER: lambda: self._say(now_ms, b"\r\nNO CARRIER\r\n"),
            Fault.LATE: lambda: self._say(now_ms, self._answer(command), 40_000),
            Fault.NOT_YET: lambda: self._say(now_ms, b"\r\n+CEREG: 0,2\r\n\r\nOK\r\n"),
            Fault.URC_INSIDE: lambda: self._say(now_ms, _rung(answer)),
            Fault.URC_SPLIT: lambda: self._split(now_ms, _rung(answer)),
        }
        if fault is Fault.NOISE:
            self._say(now_ms, b"\xf8\x00\x80~\xff", 10)
        elif fault is Fault.LONG_LINE:
            self._say(now_ms, b"x" * 4096 + b"\r\n", 10)
        if fault not in whole:
            return False
        whole[fault]()
        return True

    def _split(self, now_ms: int, answer: bytes) -> None:
        for i, byte in enumerate(answer):
            self._say(now_ms, bytes([byte]), 10 + 3 * i)

    def _answer(self, command: str) -> bytes:
        if command == "ATE0":
            self._echo = False
        if command == "AT+CPIN?":
            return b"\r\n+CPIN: READY\r\n\r\nOK\r\n"
        if command == "AT+CEREG?":
            return b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"
        if command == "ATD*99#":
            self.data_mode = True
            return b"\r\nCONNECT 115200\r\n"
        if command.startswith("AT+CMGS="):
            self._number, self._prompt = command.split('"')[1], True
            return b"\r\n> "
        if command == "AT+CSQ":
            return b"\r\n+CSQ: 18,99\r\n\r\nOK\r\n"
        known = command in ("AT", "ATE0", "ATH", "AT+CPOF", "AT+CMGF=1", "AT+CSCLK=1")
        known = known or command.startswith(("AT+CGDCONT=", "AT+CPSMS="))
        return b"\r\nOK\r\n" if known else b"\r\nERROR\r\n"

    def _text_ends(self, now_ms: int) -> None:
        text, self._line, self._prompt = self._line.decode(), b"", False
        fault = self.faults["text"].pop(0) if self.faults.get("text") else None
        if fault is not None and self._fail(fault, "text", now_ms):
            return
        self.texts.append((self._number, text))
        self._say(now_ms, b"\r\n+CMGS: 7\r\n\r\nOK\r\n", 2500)


def _rung(answer: bytes) -> bytes:
    """The answer with unasked-for results before its last line."""
    at = answer.rstrip().rfind(b"\r\n")
    at = 0 if at < 0 else at
    return answer[:at] + b'\r\nRING\r\n\r\n+CMTI: "SM",3\r\n\r\n+CEREG: 5\r\n' + answer[at:]

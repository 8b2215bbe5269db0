"""A SIMCom A76xx as the unit meets it: power key, status line, AT dialogue, PPP, SMS; its moods.

    with Modem(unit, {"echo"}) as modem: …  modem.sms -> [(number, text)]

The dialogues are those of the A7670's AT manual. A mood happens once (or for the first so many
commands) and then the modem behaves, as a real one does after a reset.
"""

from __future__ import annotations

import threading
import time

from tests.fakes.unit_process import Uart, UnitProcess

# mood: what it does
MOODS = {
    "echo": "echoes every command, ATE0 or not",
    "silent": "does not answer the first six commands",
    "urc": "says things nobody asked for in the middle of an answer",
    "garbage": "begins every answer with bytes of a wrong baud rate",
    "split": "answers byte by byte, with pauses",
    "slow": "takes two seconds for every answer",
    "sim_late": "has no SIM at first",
    "searching": "is not registered for the first three questions",
    "cme_error": "refuses the first definition of the context",
    "no_carrier": "refuses the first call",
    "reset_in_dial": "restarts in the middle of the first call",
    "lost": "drops the first connection after a second",
}


class Modem:
    def __init__(self, unit: UnitProcess, moods: set[str] | None = None) -> None:
        self._unit = unit
        self._moods = set(moods or ())
        self._uart = Uart(unit.folder / "uart2", 10 / 115200)
        self._asked: dict[str, int] = {}
        self._number = ""
        self.sms: list[tuple[str, str]] = []
        self.on = False
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=run) for run in (self._power, self._talk)]

    def __enter__(self) -> Modem:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._uart.close()

    # --- pins --------------------------------------------------------------------------------
    def _power(self) -> None:
        """PWRKEY: a pulse of half a second switches on, one of two and a half off."""
        key = self._unit.gpio("modem_pwrkey")
        done = 0
        pressed = 0
        while not self._closing.wait(0.05):
            rows = self._unit.outputs()
            for ms, gpio, level in rows[done:]:
                if gpio == key and level:
                    pressed = ms
                elif gpio == key:
                    self._switch(not self.on if ms - pressed < 2000 else False)
            done = len(rows)

    def _switch(self, on: bool) -> None:
        self.on = on
        self._unit.pin("modem_status", 0 if on else 1)
        if on:
            self._say("RDY", "+CPIN: READY", "SMS DONE")

    def cell(self, on: bool) -> None:
        """Whether PPP has an address."""
        (self._unit.folder / "lte").write_text("1\n" if on else "0\n")

    # --- dialogue ----------------------------------------------------------------------------
    def _talk(self) -> None:
        read = 0
        command = b""
        while not self._closing.wait(0.01):
            data = bytes(self._uart.heard[read:])
            read += len(data)
            if not self.on:
                continue
            for byte in data:
                if byte in b"\r\x1a":
                    self._hear(command.decode("ascii", "replace").strip())
                    command = b""
                else:
                    command = (command + bytes([byte]))[-300:]
                    if command.endswith(b"+++"):
                        command = b""

    def _hear(self, command: str) -> None:
        if self._number:
            self.sms.append((self._number, command))
            self._number = ""
            self._say("+CMGS: 7", "OK")
            return
        if not command:
            return
        self._asked["all"] = self._asked.get("all", 0) + 1
        if "silent" in self._moods and self._asked["all"] <= 6:
            return
        if "slow" in self._moods:
            time.sleep(2)
        if "echo" in self._moods:
            self._uart.write(command.encode() + b"\r\r\n")
        for start, answer in ANSWERS:
            if command.startswith(start):
                answer(self, command)
                return
        self._say("ERROR")

    def _once(self, mood: str, times: int = 1) -> bool:
        """Whether the mood is on now; it is for its first `times`."""
        if mood not in self._moods:
            return False
        self._asked[mood] = self._asked.get(mood, 0) + 1
        return self._asked[mood] <= times

    def _say(self, *lines: str) -> None:
        if "urc" in self._moods:
            lines = ('+CMTI: "SM",3', *lines[:-1], "*ATREADY: 1", *lines[-1:])
        for line in lines:
            if "garbage" in self._moods:
                self._uart.write(b"\xf8\x00\xe0\x80\r\n")
            data = b"\r\n" + line.encode() + b"\r\n"
            for at in range(0, len(data), 1 if "split" in self._moods else len(data)):
                self._uart.write(data[at:] if "split" not in self._moods else data[at : at + 1])
                if "split" in self._moods:
                    time.sleep(0.01)

    def _ok(self, command: str) -> None:
        self._say("OK")

    def _sim(self, command: str) -> None:
        if self._once("sim_late"):
            self._say("+CME ERROR: SIM not inserted")
        else:
            self._say("+CPIN: READY", "OK")

    def _registered(self, command: str) -> None:
        self._say("+CEREG: 0,2" if self._once("searching", 3) else "+CEREG: 0,1", "OK")

    def _context(self, command: str) -> None:
        self._say("+CME ERROR: 100" if self._once("cme_error") else "OK")

    def _dial(self, command: str) -> None:
        if self._once("no_carrier"):
            self._say("NO CARRIER")
        elif self._once("reset_in_dial"):
            self._say("RDY")
        else:
            self._say("CONNECT 115200")
            self.cell(True)
            if self._once("lost"):
                threading.Timer(1, self.cell, (False,)).start()

    def _hang_up(self, command: str) -> None:
        self.cell(False)
        self._say("OK")

    def _message(self, command: str) -> None:
        self._number = command.split('"')[1]
        self._uart.write(b"\r\n> ")

    def _off(self, command: str) -> None:
        self._say("OK")
        self._switch(False)


ANSWERS = (
    ("ATD", Modem._dial),
    ("ATH", Modem._hang_up),
    ("AT+CPIN?", Modem._sim),
    ("AT+CEREG?", Modem._registered),
    ("AT+CGDCONT", Modem._context),
    ("AT+CMGF", Modem._ok),
    ("AT+CMGS", Modem._message),
    ("AT+CPOF", Modem._off),
    ("AT+CSCLK", Modem._ok),
    ("AT+CPSMS", Modem._ok),
    ("AT+CSQ", lambda modem, _: modem._say("+CSQ: 18,99", "OK")),
    ("ATE0", Modem._ok),
    ("AT", Modem._ok),
)

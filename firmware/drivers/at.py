"""AT dialogue with a modem (3GPP TS 27.007): one command at a time, over a line that talks back.

A modem echoes, sends unsolicited result codes in the middle of an answer, falls silent and resets.
So a command names the prefix of the lines it wants; everything else that comes is noise, except the
final result. Nothing here blocks: the UART is looked at every 20 ms.
"""

import asyncio

_POLL_MS = 20
_LONGEST = 512  # bytes without a line end: noise, or a modem in data mode
_FINAL_BAD = ("ERROR", "+CME ERROR", "+CMS ERROR", "NO CARRIER", "NO DIALTONE", "BUSY", "NO ANSWER")
_RESTARTED = ("RDY", "+CPIN: NOT READY", "POWER DOWN", "NORMAL POWER DOWN")


class ModemError(Exception):
    """The modem refused, fell silent or restarted; the text says what was asked."""


class At:
    """`uart`: any(), read(), write() of a machine.UART."""

    def __init__(self, uart, clock, beat=None):
        """beat(): called while it waits."""
        self._uart = uart
        self._beat = beat
        self._clock = clock
        self._buffer = b""

    async def ask(self, command: str, prefix: str = "", timeout_ms: int = 5000) -> list:
        """Send, and return the lines that begin with `prefix` (none when it is empty) before OK.

        With a prefix, an OK without such a line is a late one of an earlier command: passed over.
        """
        self._forget()
        self._uart.write(command.encode() + b"\r")
        found = []
        while True:
            line = await self._line(command, timeout_ms)
            if line.startswith("CONNECT") or (line == "OK" and (found or not prefix)):
                return found
            if line.startswith(_FINAL_BAD):
                raise ModemError("%s: %s" % (command, line))
            if prefix and line.startswith(prefix):
                found.append(line[len(prefix) :].strip())
            elif line in _RESTARTED and not prefix:
                raise ModemError("%s: the modem restarted" % command)

    async def ask_text(self, command: str, text: bytes, timeout_ms: int = 60_000) -> None:
        """A command that prompts for text (SMS): answered with the text and Ctrl-Z."""
        self._forget()
        self._uart.write(command.encode() + b"\r")
        while True:
            line = await self._line(command, 5000)
            if line == ">":
                break
            if line.startswith(_FINAL_BAD):
                raise ModemError("%s: %s" % (command, line))
        self._uart.write(text + b"\x1a")
        while True:
            line = await self._line(command, timeout_ms)
            if line == "OK":
                return
            if line.startswith(_FINAL_BAD):
                raise ModemError("%s: %s" % (command, line))

    def _forget(self):
        self._uart.read()
        self._buffer = b""

    async def _line(self, command, timeout_ms):
        """The next line without its end, or ">" for the prompt."""
        deadline = self._clock.now_ms() + timeout_ms
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                line = self._buffer[:end].strip()
                self._buffer = self._buffer[end + 1 :]
                text = _ascii(line)
                if text and text != command:  # not an empty line, not the echo
                    return text
                continue
            if self._buffer.strip() == b">":
                self._buffer = b""
                return ">"
            if self._clock.now_ms() > deadline:
                raise ModemError("%s: no answer in %d ms" % (command, timeout_ms))
            if self._beat is not None:
                self._beat()
            data = self._uart.read()
            if data:
                self._buffer = (self._buffer + data)[-_LONGEST:]
            else:
                await asyncio.sleep_ms(_POLL_MS)


def _ascii(line):
    """Text of the printable bytes: a restarting modem begins with garbage."""
    text = ""
    for byte in line:
        if 32 <= byte < 127:
            text += chr(byte)
    return text

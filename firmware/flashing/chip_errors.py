"""What esptool, pyserial and the system say when a port or a board misbehaves, in a sentence.

A table, first match wins: esptool says "busy or doesn't exist" of both, and the errno behind it.
`slower` tells whether the same board may do better at a lower baud rate. The texts are those of
esptool 5.6, pyserial 3.5, Linux and Windows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flashing.errors import FlashError


@dataclass(frozen=True)
class Complaint:
    pattern: str
    slower: bool
    sentence: str


COMPLAINTS = [
    Complaint(
        r"Permission denied|Errno 13",
        False,
        "you may not use this port: run `sudo usermod -aG dialout $USER` once and log in again",
    ),
    Complaint(
        r"Errno 2\b|No such file|FileNotFoundError|cannot find the file",
        False,
        "there is no such port: plug the board in, or look at `./flash.sh doctor`",
    ),
    Complaint(
        r"exclusively lock|Errno 11\b|Errno 16\b|[Bb]usy|"
        r"could not open port.*PermissionError",  # Windows in any language
        False,
        "another program has the port open: close it (serial monitor, second flash.sh) and retry",
    ),
    Complaint(
        r"MD5 of file does not match",
        False,
        "the flash did not keep what was written: flash once more, and if it happens again put the "
        "board aside",
    ),
    Complaint(
        r"Errno 5\b|Input/output error|Errno 6\b|device disconnected|returned no data|"
        r"device reports readiness|ClearCommError|PermissionError\(13",
        False,
        "the board went away: push the plug home or change the cable, then flash again",
    ),
    Complaint(
        r"Failed to connect.*No serial data",
        False,
        "the board does not answer: check that it has power and that the cable carries data",
    ),
    Complaint(
        r"Wrong boot mode|Failed to connect",
        False,
        "the board runs its program instead of the boot loader: hold BOOT, tap RESET, release BOOT "
        "and flash again",
    ),
    Complaint(
        r"",
        True,
        "the line to the board is bad: use a shorter cable or another USB port and flash again",
    ),
]


class ChipError(FlashError):
    """A board or port that failed; `slower` says that a lower baud rate may help."""

    def __init__(self, port: str, sentence: str, slower: bool) -> None:
        super().__init__(f"{port}: {sentence}")
        self.slower = slower


def explain(port: str, text: str) -> ChipError:
    """Return the error for what esptool or pyserial said."""
    found = next(c for c in COMPLAINTS if re.search(c.pattern, text, re.DOTALL))
    return ChipError(port, found.sentence, found.slower)


def crashed(port: str, what: str) -> ChipError:
    """Return the error for a worker that failed by a fault of ours."""
    return ChipError(
        port,
        f"the flashing program itself failed ({what}): flash again, and report it if it stays",
        False,
    )


def stalled(port: str, seconds: float) -> ChipError:
    """Return the error for a board from which nothing came for `seconds`."""
    return ChipError(
        port,
        f"the board stopped answering for {seconds:.0f} s: unplug it, plug it in and flash again",
        True,
    )

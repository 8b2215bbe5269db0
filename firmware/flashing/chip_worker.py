"""The one process that talks to esptool: one board, one serial line, commands on stdin.

A process of its own, because esptool keeps a global log, blocks, and must be endable when a board
stalls. Secrets reach it through the pipe, so they are in no argument list and no temporary file.

stdin:  a JSON line {"port", "baud"}; then any of {"do": "read", "offset", "size"},
        {"do": "write", "regions": [[address, length], …]} followed by the regions' bytes,
        {"do": "reset"}, which ends the session.
stdout: JSON lines: {"facts": …}, {"progress": 0..1}, {"bytes": n} followed by n bytes,
        {"done": "write" | "reset"}, {"error": esptool's text} or {"crash": a fault of ours}, after
        which the process ends. esptool writes to stderr what it should log; that is not shown.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO, cast

from esptool import cmds
from esptool.loader import ESPLoader
from esptool.logger import TemplateLogger, log
from esptool.util import FatalError, ImageSource, flash_size_bytes
from serial import SerialException


class Replies(TemplateLogger):
    """Our replies, and esptool's log: only its progress is passed on."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._sizes: list[int] = []  # bytes of each region of this write
        self._region = 0
        self._last = 0
        self._ended = False  # whether the last bar was full

    def send(self, reply: dict[str, Any], blob: bytes = b"") -> None:
        self._out.write(json.dumps(reply).encode() + b"\n" + blob)
        self._out.flush()

    def expect(self, sizes: list[int]) -> None:
        self._sizes, self._region, self._last, self._ended = sizes, 0, 0, False

    def progress_bar(
        self,
        cur_iter: int,
        total_iters: int,
        prefix: str = "",
        suffix: str = "",
        bar_length: int = 30,
    ) -> None:
        """Count over all regions: esptool counts compressed bytes, from 0 in each region."""
        if (self._ended or cur_iter < self._last) and self._region + 1 < len(self._sizes):
            self._region += 1
        self._last, self._ended = cur_iter, cur_iter >= total_iters
        if self._sizes:
            before, here = sum(self._sizes[: self._region]), self._sizes[self._region]
            part = cur_iter / max(1, total_iters)
            self.send({"progress": min(1.0, (before + here * part) / sum(self._sizes))})

    def print(self, *args: object, **kwargs: object) -> None: ...
    def note(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...
    def stage(self, finish: bool = False) -> None: ...
    def set_verbosity(self, verbosity: str) -> None: ...


def connect(port: str, baud: int) -> ESPLoader:
    """Return the flasher stub running on the board, its flash attached, the line at `baud`."""
    esp = cmds.run_stub(cmds.detect_chip(port))
    if baud != ESPLoader.ESP_ROM_BAUD:
        esp.change_baud(baud)
    cmds.attach_flash(esp)
    return esp


def facts(esp: Any) -> dict[str, Any]:
    """Return what the board says of itself; `flash_size` in bytes."""
    return {
        "chip": esp.CHIP_NAME,
        "description": esp.get_chip_description(),
        "mac": ":".join(f"{part:02x}" for part in esp.read_mac()),
        "crystal_mhz": esp.get_crystal_freq(),
        "features": list(esp.get_chip_features()),
        "flash_size": flash_size_bytes(cmds.detect_flash_size(esp) or "0KB"),
    }


def serve(commands: BinaryIO, replies: Replies) -> None:
    start = json.loads(commands.readline())
    esp = connect(start["port"], start["baud"])
    replies.send({"facts": facts(esp)})
    while line := commands.readline():
        command = json.loads(line)
        if command["do"] == "read":
            content = cmds.read_flash(esp, command["offset"], command["size"], no_progress=True)
            replies.send({"bytes": len(content or b"")}, content or b"")
        elif command["do"] == "write":
            regions: list[tuple[int, ImageSource]] = [
                (address, commands.read(size)) for address, size in command["regions"]
            ]
            replies.expect([size for _, size in command["regions"]])
            # esptool compares the MD5 of every region as the flash holds it, and raises
            cmds.write_flash(esp, regions)
            replies.send({"done": "write"})
        elif command["do"] == "reset":
            cmds.reset_chip(esp, "hard-reset")
            replies.send({"done": "reset"})
            return


def main() -> None:
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # whatever else prints must not mix with the replies
    replies = Replies(out)
    cast(Any, log).set_logger(replies)  # a proxy, typed as its base class
    try:
        serve(sys.stdin.buffer, replies)
    except (FatalError, SerialException, OSError) as error:
        replies.send({"error": str(error)})
    except Exception as error:  # a fault of ours: stderr is closed, so it is told here
        replies.send({"crash": repr(error)})


if __name__ == "__main__":
    main()

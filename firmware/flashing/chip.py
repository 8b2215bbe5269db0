"""A board in its boot loader: read its facts, read and write its flash, reset it.

The work is done by `chip_worker` in a process of its own; here is the other end of its pipe, with
a limit on every wait: a board that stalls ends in a sentence, not in a technician who waits.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flashing.chip_errors import crashed, explain, stalled
from flashing.errors import FlashError

BAUDS = (921600, 460800, 115200)  # tried in this order: long cables and cheap bridges drop bytes
PATIENCE = 60.0  # seconds without a word: a piece takes 44 at the data sheets' worst
PIECE = 2**20  # bytes; blank flash packs so well that one block of the line is megabytes of erase
READ_BAUD_FLOOR = 10_000  # bytes/s that the slowest usable line delivers


@dataclass(frozen=True)
class Facts:
    """What the boot loader says: MAC as aa:bb:cc:dd:ee:ff, flash size in bytes."""

    chip: str
    description: str
    mac: str
    crystal_mhz: int
    features: list[str]
    flash_size: int


class Chip:
    """One session; use as a context manager. Raises ChipError (one sentence) from every call."""

    def __init__(self, port: str, baud: int, patience: float = PATIENCE) -> None:
        self.port, self._patience = port, patience
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "flashing.chip_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._replies: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
        # A thread, not select: Windows has no select for pipes.
        threading.Thread(target=self._pump, daemon=True).start()
        self._send({"port": port, "baud": baud})
        try:
            self.facts = Facts(**self._await("facts")[0]["facts"])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Chip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes of flash, checked by MD5 against the chip's own."""
        self._send({"do": "read", "offset": offset, "size": size})
        return self._await("bytes", self._patience + size / READ_BAUD_FLOOR)[1]

    def write(self, regions: list[tuple[int, bytes]], progress: Callable[[float], None]) -> None:
        """Write the regions and compare each by MD5 as the flash holds it; `progress` is 0 to 1."""
        parts = [part for at, content in regions for part in pieces(at, content)]
        self._send({"do": "write", "regions": [[at, len(content)] for at, content in parts]})
        for _, content in parts:
            self._feed(content)
        while True:
            reply, _ = self._next(self._patience)
            if "progress" in reply:
                progress(reply["progress"])
            elif reply.get("done") == "write":
                return

    def reset(self) -> None:
        """Start the program on the flash; the session is over."""
        self._send({"do": "reset"})
        self._await("done")

    def close(self) -> None:
        """End the worker and release the port."""
        assert self._worker.stdin is not None and self._worker.stdout is not None
        with suppress(BrokenPipeError):  # it has ended by itself
            self._worker.stdin.close()
        try:
            self._worker.wait(2)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _send(self, command: dict[str, Any]) -> None:
        self._feed(json.dumps(command).encode() + b"\n")

    def _feed(self, content: bytes) -> None:
        assert self._worker.stdin is not None
        # A worker that has ended said why: that is in the replies, and is raised from there.
        with suppress(BrokenPipeError):
            self._worker.stdin.write(content)
            self._worker.stdin.flush()

    def _pump(self) -> None:
        pipe = self._worker.stdout
        assert pipe is not None
        with pipe:
            while line := pipe.readline():
                reply = json.loads(line)
                self._replies.put((reply, pipe.read(reply.get("bytes", 0))))
        self._replies.put(({"crash": "its worker was ended"}, b""))

    def _await(self, key: str, patience: float | None = None) -> tuple[dict[str, Any], bytes]:
        while True:
            reply, blob = self._next(self._patience if patience is None else patience)
            if key in reply:
                return reply, blob

    def _next(self, patience: float) -> tuple[dict[str, Any], bytes]:
        try:
            reply, blob = self._replies.get(timeout=patience)
        except queue.Empty:
            self._worker.kill()
            raise stalled(self.port, patience) from None
        if "crash" in reply:
            raise crashed(self.port, reply["crash"])
        if "error" in reply:
            raise explain(self.port, reply["error"])
        return reply, blob


def pieces(at: int, content: bytes) -> list[tuple[int, bytes]]:
    """Cut a region so that each piece is heard of within PATIENCE, at whole erase blocks."""
    ends = [*range(at - at % PIECE + PIECE, at + len(content), PIECE), at + len(content)]
    starts = [at, *ends[:-1]]
    return [
        (start, content[start - at : end - at]) for start, end in zip(starts, ends, strict=True)
    ]


def refuse_wrong_chip(facts: Facts, port: str) -> None:
    """Raise unless the board is a plain ESP32: an S3 or C3 cannot run this image."""
    if facts.chip != "ESP32":
        raise FlashError(
            f"{port}: this board has an {facts.chip}, the unit needs an ESP32: take another board"
        )

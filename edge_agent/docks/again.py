"""Whether a file on a docked camera is still the recording that we know by its name.

The name is path, size, time and a fingerprint of both ends. A camera that writes a file over in
place keeps all of them, so what lies between is compared too, each time the camera is docked:

    sampled  32 blocks of 4 KiB at places that nobody can foresee, with our copy. A tenth of a file
             rewritten is missed once in 29 dockings, a half once in 4,000,000,000; one block that
             was changed on purpose is most likely missed, and so is anything in a file that was
             evicted here
    whole    SHA-256 of every byte that we have a record of, with that record. Misses nothing, and
             takes as long as reading the whole camera
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
from pathlib import Path

from edge_agent.docks.chunks import MARKS, PIECE, check
from edge_agent.docks.source import Found, Opened, Source

log = logging.getLogger(__name__)

SAMPLES = 32
SAMPLE = 4096  # bytes


def sampled(source: Source, found: Found, ours: Path, marks: MARKS) -> str | None:
    """A sentence when `found` is not what `ours` holds up to the last mark; OSError from the
    camera. What differs because our disk spoilt it is our disk's trouble: it is logged."""
    upto = marks[-1][0] if marks else 0
    try:
        fd = os.open(ours, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # nothing to compare with, and nothing that could be mixed up with it
    opened = source.open(found.path)
    try:
        buffer = memoryview(bytearray(SAMPLE))
        for at in _places(upto):
            opened.seek(at)
            block = buffer[: min(SAMPLE, upto - at)]
            theirs = bytes(block[: _fill(opened, block)])
            if theirs != _ours(fd, len(block), at):
                if check(ours, marks).end > at:
                    return f"bytes {at} to {at + len(block)} are others than were copied before"
                log.warning("%s is not what was copied, at byte %d: not compared", ours, at)
    finally:
        opened.close()
        os.close(fd)
    return None


def _places(upto: int) -> list[int]:
    blocks = -(-upto // SAMPLE)
    chosen = random.SystemRandom().sample(range(blocks), min(blocks, SAMPLES))
    return [SAMPLE * block for block in sorted(chosen)]


def _ours(fd: int, size: int, at: int) -> bytes | None:
    try:
        return os.pread(fd, size, at)
    except OSError:  # `check` meets it again, and says what is proven
        return None


def whole(source: Source, found: Found, marks: MARKS) -> str | None:
    """A sentence when the bytes up to the last mark are others; OSError from the camera."""
    if not marks:
        return None
    end, prefix = marks[-1]
    running, at = hashlib.sha256(), 0
    opened = source.open(found.path)
    try:
        buffer = memoryview(bytearray(PIECE))
        while at < end and (got := opened.readinto(buffer[: min(PIECE, end - at)])):
            running.update(buffer[:got])
            at += got
    finally:
        opened.close()
    if running.digest() == prefix:
        return None
    return f"the first {end} bytes are others than were copied before"


def _fill(opened: Opened, block: memoryview) -> int:
    """Bytes read into `block`: fewer only at the end of the file."""
    at = 0
    while at < len(block) and (got := opened.readinto(block[at:])):
        at += got
    return at

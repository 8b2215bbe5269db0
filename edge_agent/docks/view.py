"""What the page shows of a bay. Always the same keys, so that nothing of the last camera stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_agent.docks import room
from edge_agent.docks.config import Bay
from edge_agent.docks.progress import Progress
from edge_agent.docks.states import FAULTS, NEEDS_CAMERA, SAYS, Light, State, light

S = State
# Of several file systems in one bay the first of these is the bay's state: what a person must see
# to, then what has still the longest way to go.
URGENT = (
    *(S.UNLOCK_REFUSED, S.UNKNOWN_CAMERA, S.READ_ERROR, S.NO_SPACE, S.MISMATCH, S.YANKED),
    *(S.DETECTED, S.UNLOCKING, S.MOUNTED_RO, S.INVENTORIED, S.COPYING, S.SEALED, S.RELEASED),
)
BRIGHT = (Light.PROBLEM, Light.WORKING, Light.DONE)


def bay_view(bay: Bay, here: Sequence[Progress], stall_s: float) -> dict[str, Any]:
    """The row of one bay; `here`: one Progress per file system in it, none when it is empty.

    bay, number, state, says (the state in Chinese), light (empty working done problem), camera
    and member (who carries it) as texts or None, files, bytes, bytes_done, sealed, problems and
    skipped (counts of files), file, file_bytes, file_done, offset_s (camera's clock minus ours),
    why (one sentence or None).
    """
    volumes = [_volume(progress, stall_s) for progress in here]
    state = min((progress.state for progress in here), key=URGENT.index, default=S.EMPTY)
    now = next((progress for progress in here if progress.state is S.COPYING), None)
    offsets = [progress.offset_s for progress in here if progress.offset_s is not None]
    return {
        "bay": bay.slug,
        "number": bay.number,
        "state": state,
        "says": SAYS[state],
        "light": min((v["light"] for v in volumes), key=BRIGHT.index, default=Light.EMPTY),
        "camera": _joined(progress.camera for progress in here),
        "member": _joined(name for progress in here for name in progress.members),
        **{key: sum(volume[key] for volume in volumes) for key in COUNTS},
        "file": now and now.file,
        "file_bytes": now.file_bytes if now else 0,
        "file_done": now.file_done if now else 0,
        "offset_s": offsets[0] if offsets else None,
        "why": "; ".join(dict.fromkeys(v["why"] for v in volumes if v["why"])) or None,
    }


def no_room(bay: Bay) -> dict[str, Any]:
    """The row of a bay that nothing can be taken from: the disk is too full to open the ledger."""
    return {
        **bay_view(bay, (), 0),
        "state": S.NO_SPACE,
        "says": SAYS[S.NO_SPACE],
        "light": Light.PROBLEM,
        "why": room.SAYS,
    }


COUNTS = ("files", "bytes", "bytes_done", "sealed", "problems", "skipped")


def _volume(progress: Progress, stall_s: float) -> dict[str, Any]:
    states = list(progress.states.values())
    pending = sum(state in NEEDS_CAMERA for state in states)
    problems = sum(state in FAULTS for state in states) + progress.unreadable
    why = progress.why
    if progress.stalled_s() > stall_s:
        problems += 1
        seconds = f"{progress.stalled_s():.0f}"
        why = (
            f"{seconds} 秒没有回应，请拔出重插"
            f" / no answer for {seconds} s: take it out and put it in again"
        )
    return {
        "light": light(progress.state, pending, problems),
        "files": progress.files,
        "bytes": progress.bytes,
        "bytes_done": min(progress.bytes_done + progress.file_done, progress.bytes),
        "sealed": sum(state not in (*NEEDS_CAMERA, S.READBACK_OK) for state in states),
        "problems": problems,
        "skipped": progress.skipped,
        "why": why,
    }


def _joined(texts: Any) -> str | None:
    return ", ".join(dict.fromkeys(text for text in texts if text)) or None

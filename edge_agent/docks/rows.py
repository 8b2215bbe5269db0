"""A docking and a recording, as rows of ledger.sql."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.docks.states import State


@dataclass(frozen=True, slots=True)
class Docking:
    """A camera put into a bay once."""

    id: int
    bay: str
    camera: str
    started_ms: int
    ended_ms: int | None
    offset_s: int | None
    bag: str
    bagged: int

    @property
    def hex(self) -> str:
        """As in messages."""
        return f"{self.id:016x}"


@dataclass(frozen=True, slots=True)
class Recording:
    """One file of one camera, wherever it got to. Columns of ledger.sql."""

    id: str
    camera: str
    path: bytes
    size: int
    mtime_ns: int
    fingerprint: str
    state: State
    docking: int
    copied: int = 0
    sha256: str | None = None
    sm3: str | None = None
    file: str | None = None
    member: str | None = None
    taken: str | None = None
    marked: bool = False
    held: bool = False
    upload_url: str | None = None
    checked_ms: int | None = None
    sealed_ms: int | None = None

    @property
    def all_here(self) -> bool:
        """Copied to its last byte: what is left to do needs no camera."""
        return self.state is State.COPYING and 0 < self.size == self.copied


def recording_of(row: tuple[object, ...]) -> Recording:
    values = list(row)
    values[6] = State(str(values[6]))
    values[14], values[15] = bool(values[14]), bool(values[15])
    return Recording(*values)  # type: ignore[arg-type]


def readable(path: bytes) -> str:
    """A name for people: UTF-8, else GBK's superset, else escapes. Never for opening a file."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return path.decode(encoding)
        except UnicodeDecodeError:
            continue
    return path.decode("ascii", "backslashreplace")

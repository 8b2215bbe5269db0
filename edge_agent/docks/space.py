"""Room on the disk: forecast before a copy, and made by evicting what the law no longer needs.

Evictable is a recording that is RELEASED (so the county holds the same bytes), not marked, not
held, and older than `keep_days`. Nothing else, ever: a full disk stops copying, it never costs
a recording that nobody else has.

Its age is counted from the later of two times: of its sealing, by our clock, which may have stood
in 1970 that evening, and of the county's signed confirmation. While our clock is not set, nothing
has an age.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Recording
from edge_agent.docks.states import State, Step
from edge_agent.docks.store import Store, sync_folder

DAY_MS = 86_400_000
MB = 1_000_000


class Space:
    """Watermarks in bytes: below `low` free, evict until `high` is free.

    Eight bays share the disk, so each says what it still means to write (`reserve`), and that is
    not free to the others.
    """

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        keep_days: int,
        low: int,
        high: int,
        clock_is_set: Callable[[], bool] = lambda: True,
    ) -> None:
        self._clock_is_set = clock_is_set
        self._ledger = ledger
        self._store = store
        self._keep_ms = keep_days * DAY_MS
        self._low, self._high = low, high
        self._reserved: dict[str, int] = {}
        self._lock = threading.Lock()

    def evictable(self) -> list[Recording]:
        """Oldest first."""
        if not self._clock_is_set():
            return []
        before = self._ledger.now_ms() - self._keep_ms
        rows = self._ledger.recordings(
            "state = ? AND NOT marked AND NOT held AND sealed_ms < ? AND NOT EXISTS (SELECT 1 FROM"
            " journal j WHERE j.recording = recording.id AND j.kind = ?"
            " AND coalesce(1000 * json_extract(j.detail, '$.iat'), j.at_ms) >= ?)",
            State.RELEASED,
            before,
            State.COUNTY_CONFIRMED,
            before,
        )
        return sorted(rows, key=lambda row: row.sealed_ms or 0)

    def reserve(self, who: str, needed: int) -> bool:
        """Whether `needed` bytes fit above the low mark; they are `who`'s then, until `free`."""
        with self._lock:
            if not self._fits(who, needed, self._low):
                for row in self.evictable():
                    if self._fits(who, needed, self._high):
                        break
                    self.evict(row)
            fits = self._fits(who, needed, self._low)
            if fits:
                self._reserved[who] = needed
            return fits

    def shrink(self, who: str, needed: int) -> None:
        """So much of it is still to be written."""
        if who in self._reserved:
            self._reserved[who] = needed

    def free(self, who: str) -> None:
        with self._lock:
            self._reserved.pop(who, None)

    def _fits(self, who: str, needed: int, mark: int) -> bool:
        others = sum(size for name, size in self._reserved.items() if name != who)
        return self._store.free_bytes() - others - needed >= mark

    def evict(self, row: Recording) -> None:
        """The custody event first: after a cut the file may be left over, never unaccounted for."""
        assert row.file is not None
        self._ledger.advance(row.id, Step.EVICT, {"file": row.file})
        self.remove(row)

    def remove(self, row: Recording) -> None:
        """The file of an EVICTED recording, if it is still there."""
        path = self._store.bags / (row.file or "")
        if row.file and path.exists():
            path.unlink()
            sync_folder(path.parent)

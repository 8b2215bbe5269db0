"""The checkpoint's own state: birth and will at the county, and what waits here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from edge_agent.outbox import Outbox
from edge_agent.reporter import Reporter


class Presence:
    """`state(online, session)` -> topic and payload of cp_state, as the uplink wants it.

    about: fixed fields (name, lat, lon) in the contract's inner form. A will has no time of its
    own: it is written now and published when nobody is left to know when.
    """

    def __init__(
        self,
        reporter: Reporter,
        outbox: Outbox,
        version: str,
        about: dict[str, Any],
        *,
        quarantined: Callable[[], int] = lambda: 0,
        clock: Callable[[], tuple[float | None, str]] = lambda: (time.time(), "ntp"),
    ) -> None:
        self._reporter, self._outbox = reporter, outbox
        self._fixed = {**about, "version": version}
        self._quarantined, self._clock = quarantined, clock

    def state(self, online: bool, session: int) -> tuple[str, bytes]:
        """Birth (online) or will. seq 0: it is retained, and newer by its session counter."""
        fields: dict[str, Any] = {**self._fixed, "online": online, "session": session}
        if online:
            now, source = self._clock()
            backlog = self._outbox.backlog()
            fields |= {"backlog": backlog.rows, "backlog_bytes": backlog.bytes, "clock": source}
            fields["quarantined"] = self._quarantined()
            if now is not None:
                fields["tst"] = int(now)
                oldest = backlog.oldest_at
                fields["oldest_s"] = 0 if oldest is None else max(0, int(now - oldest))
        return self._reporter.will("cp_state", fields)

"""The thread that commits. While a commit runs, the next batch grows, so that the group adapts by
itself: alone a record waits for one fsync, under load hundreds share one. Deletes wait for the next
insert's transaction (or LINGER_S): a lost delete is only a repeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, NamedTuple

from edge_agent.outbox_record import Batch, Held, Work
from edge_agent.outbox_recovery import Recovery

LINGER_S = 0.05  # deletes alone wait so long for company
DELETES = 256  # and no longer than so many


class Settled(NamedTuple):
    """A batch is durable (`fault` None), or the disk refused it, in one sentence.

    aside: files set aside since the start.
    """

    batch: Batch
    fault: str | None
    aside: int


class Writer:
    """`start` on the event loop; then `add` and `read` from there.

    settled(Settled) and paged(lane, wanted, rows) are called on the loop; pinned() is asked in the
    thread for what must not be thinned.
    """

    def __init__(
        self,
        recovery: Recovery,
        settled: Callable[[Settled], None],
        paged: Callable[[int, int, list[Held]], None],
        pinned: Callable[[], tuple[int, ...]],
    ) -> None:
        self._recovery = recovery
        self._settled, self._paged, self._pinned = settled, paged, pinned
        self._batch = Batch()
        self._page: tuple[int, int, int] | None = None
        self._wake = threading.Condition()
        self._stop = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Commit what is pending, then close the file."""
        with self._wake:
            self._stop = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            await asyncio.sleep(0)  # the last settlements are already on the loop

    def add(
        self,
        inserts: Iterable[Held] = (),
        deletes: Iterable[Held] = (),
        works: Iterable[tuple[Work, Future[Any]]] = (),
    ) -> None:
        """Put something into the next transaction."""
        with self._wake:
            batch = self._batch
            waited = len(batch.deletes)
            batch.inserts += inserts
            batch.deletes += deletes
            batch.works += works
            if not waited or self._urgent():  # between the two it lingers, and is awake already
                self._wake.notify()

    def read(self, lane: int, after: int, limit: int) -> None:
        """Have the next rows of a lane read; `paged` is called with them."""
        with self._wake:
            self._page = lane, after, limit
            self._wake.notify()

    def _run(self) -> None:
        stop = False
        while not stop:
            with self._wake:
                self._wake.wait_for(lambda: self._batch.deletes or self._urgent())
                self._wake.wait_for(self._urgent, LINGER_S)
                batch, self._batch = self._batch, Batch()
                page, self._page = self._page, None
                stop = self._stop
            if batch.inserts or batch.deletes or batch.works:
                batch.pinned = self._pinned()
                fault = self._recovery.apply(batch)
                self._post(self._settled, Settled(batch, fault, len(self._recovery.aside)))
            if page is not None:
                lane, after, limit = page
                self._post(self._paged, lane, limit, self._recovery.page(lane, after, limit))
        self._recovery.store.close()

    def _urgent(self) -> bool:
        batch = self._batch
        return bool(
            batch.inserts
            or batch.works
            or len(batch.deletes) >= DELETES
            or self._page
            or self._stop
        )

    def _post(self, call: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody is waiting
            self._loop.call_soon_threadsafe(call, *args)

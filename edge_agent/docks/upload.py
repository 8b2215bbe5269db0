"""Sealed recordings to the county's tus server (tus.io 1.0.0), by tuspy, politely.

Video must not delay an alarm: nothing is sent while the uplink has anything to say or outside the
allowed hours, and a request is only as large as half a second carries (it cannot be called back).
Taken by the server proves nothing, so UPLOADED releases nothing. What the server lost is found by
asking again after `recheck_s`, and sent again.

tuspy has no time-outs: it works in a thread of its own that is left behind when it stops moving.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edge_agent.docks.config import Upload
from edge_agent.docks.ledger import Ledger
from edge_agent.docks.rows import Recording, readable
from edge_agent.docks.states import NotInTable, State, Step
from edge_agent.docks.store import Store

if TYPE_CHECKING:
    from tusclient.uploader.uploader import Uploader

log = logging.getLogger(__name__)

CHINA = timezone(timedelta(hours=8))
NOT_THERE = (200, 403, 404, 410)  # 200: what answers is no upload, for it names no offset
SMALLEST = 4 * 1024  # bytes
REQUEST_S = 0.5
POLITE_S = 0.2  # between looks whether the uplink is quiet again
STUCK_S = 120.0
RETRY_S = (5.0, 300.0)  # first and longest wait after a failure
SEND_AGAIN = 3  # times for one recording that the county lost; then a person must look


class Abandoned(Exception):
    """This upload was given up; its thread must not write any more."""


def allowed(hours: str | None, now: datetime) -> bool:
    """hours: "22:00-06:00" local time, over midnight too; None: always."""
    if hours is None:
        return True
    start, _, end = hours.partition("-")
    clock = now.strftime("%H:%M")
    return start <= clock < end if start <= end else clock >= start or clock < end


def next_size(size: int, took_s: float, largest: int) -> int:
    """Bytes of the next request, from how long the last took: halve or double towards REQUEST_S."""
    if took_s > 2 * REQUEST_S:
        size //= 2
    elif took_s < REQUEST_S / 2:
        size *= 2
    return max(SMALLEST, min(size, largest))


def same_server(url: str | None, ours: str) -> bool:
    """Recordings go to the server of agent.toml and to no other, whoever says so; and what was
    begun on a server before this one is begun again."""
    return url is not None and urlsplit(url)[:2] == urlsplit(ours)[:2]


class Uploads:
    """`run()` for ever. `busy()` is true while the uplink has records to send; it is asked on the
    event loop only. `fault(name, sentence or None)` is told how it goes."""

    def __init__(
        self,
        config: Upload,
        ledger: Ledger,
        store: Store,
        checkpoint: str,
        busy: Callable[[], bool] = lambda: False,
        fault: Callable[[str, str | None], None] = lambda name, why: None,
        clock: Callable[[], datetime] = lambda: datetime.now(CHINA),
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._store = store
        self._checkpoint = checkpoint
        self._busy = busy
        self._clock = clock
        self._moved_at = time.monotonic()
        self._fault = fault
        self._lost_for_good: str | None = None
        self._hold = True

    async def run(self) -> None:
        wait = RETRY_S[0]
        while True:
            row = await asyncio.to_thread(self._next)
            self._fault("upload again", self._lost_for_good)
            if row is None:
                await asyncio.sleep(1.0)
            elif await self._supervised(row):
                wait = RETRY_S[0]
            else:
                await asyncio.sleep(wait)
                wait = min(2 * wait, RETRY_S[1])

    def _next(self) -> Recording | None:
        """Marked before unmarked, oldest first; then what should have been confirmed long ago."""
        if not allowed(self._config.hours, self._clock()):
            return None
        rows = self._ledger.recordings("state = ?", State.ANNOUNCED)
        rows.sort(key=lambda row: (not row.marked, row.sealed_ms or 0))
        losses = {row.id: self._ledger.count(row.id, State.ANNOUNCED) - 1 for row in rows}
        fresh = [row for row in rows if losses[row.id] <= SEND_AGAIN]
        lost = len(rows) - len(fresh)
        self._lost_for_good = (
            f"县局多次丢失 {lost} 段录像，请联系县局 / the county lost {lost} recordings"
            " again and again: call the county"
            if lost
            else None
        )
        if fresh:
            return fresh[0]
        before = self._ledger.now_ms() - 1000 * self._config.recheck_s
        old = self._ledger.recordings(
            "state = ? AND upload_url IS NOT NULL AND checked_ms < ?", State.UPLOADED, before
        )
        return old[0] if old else None

    async def _supervised(self, row: Recording) -> bool:
        """One attempt in a thread; False when it failed or stands still."""
        given_up = threading.Event()
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._moved_at = time.monotonic()
        threading.Thread(
            target=self._attempt, args=(row, given_up, done), name="upload", daemon=True
        ).start()
        try:
            while not done.done():
                self._hold = self._busy()
                await asyncio.wait([done], timeout=POLITE_S)
                if time.monotonic() - self._moved_at > STUCK_S:
                    done.set_result(f"没有回应 / no answer for {STUCK_S:.0f} s")
            why = done.result()
            self._fault("upload", f"上传 / upload to {self._config.url}: {why}" if why else None)
            return why is None
        finally:
            given_up.set()

    def _attempt(
        self, row: Recording, given_up: threading.Event, done: asyncio.Future[str | None]
    ) -> None:
        from requests import RequestException
        from tusclient.exceptions import TusCommunicationError

        why: str | None = "given up"
        try:
            if row.state is State.UPLOADED:
                self._recheck(row)
            else:
                self._send(row, given_up)
            why = None
        except (TusCommunicationError, RequestException, OSError, ValueError, TypeError) as error:
            # the last two: somebody answers who is no tus server, as a hotel's login page
            status = getattr(error, "status_code", None)
            why = f"{type(error).__name__} {status or error}"
            log.warning("upload of %s: %s", row.file, why)
            if status in NOT_THERE and row.upload_url:
                self._ledger.set(row.id, upload_url=None)  # begin again
        except Abandoned:
            pass
        finally:
            if not given_up.is_set():
                done.get_loop().call_soon_threadsafe(_settle, done, why)

    def _send(self, row: Recording, given_up: threading.Event) -> None:
        uploader = self._uploader(row)
        if not uploader.url:
            url = uploader.create_url()
            if not same_server(url, self._config.url):
                raise OSError(f"the server sends us to another one: {url}")
            uploader.set_url(url)
            self._ledger.set(row.id, upload_url=uploader.url)
        size = SMALLEST
        while uploader.offset < row.size:
            self._polite(given_up)
            uploader.chunk_size = size
            began, before = time.monotonic(), uploader.offset
            uploader.upload_chunk()
            if uploader.offset <= before:
                raise OSError(f"the server took nothing at byte {before}")
            self._moved_at = time.monotonic()
            took = self._moved_at - began
            self._pace(
                (uploader.offset - before) * 8 / (self._config.kbit_s * 1000) - took, given_up
            )
            size = next_size(size, took, self._config.chunk_kb * 1024)
        if given_up.is_set():
            raise Abandoned
        with suppress(NotInTable):  # confirmed meanwhile: the county had it from elsewhere
            self._ledger.advance(
                row.id, Step.UPLOAD, {"url": uploader.url or ""}, checked_ms=self._ledger.now_ms()
            )

    def _recheck(self, row: Recording) -> None:
        """UPLOADED and not confirmed: does the server still have all of it?"""
        from tusclient.exceptions import TusCommunicationError

        self._ledger.set(row.id, checked_ms=self._ledger.now_ms())
        try:
            whole = self._uploader(row).offset == row.size
            why = "the server holds only a part of it"
        except TusCommunicationError as error:
            if error.status_code not in NOT_THERE:
                raise
            whole, why = False, "the server does not have it any more"
        if not whole:
            self._ledger.advance(row.id, Step.LOST, {"why": why}, upload_url=None)

    def _uploader(self, row: Recording) -> Uploader:
        """Asks the server for its offset where an upload was begun."""
        from edge_agent.docks.tus import uploader  # tuspy brings 20 MB: only where it is used

        assert row.file is not None
        docking = self._ledger.docking(row.docking)
        return uploader(
            self._config,
            self._store.bags / row.file,
            row.upload_url if same_server(row.upload_url, self._config.url) else None,
            {
                "filename": Path(readable(row.path)).name,
                "file": row.file,
                "sha256": row.sha256 or "",
                "checkpoint": self._checkpoint,
                "docking": docking.hex,
                "camera": row.camera,
            },
        )

    def _polite(self, given_up: threading.Event) -> None:
        while self._hold or not allowed(self._config.hours, self._clock()):
            self._moved_at = time.monotonic()
            if given_up.wait(POLITE_S):
                raise Abandoned

    def _pace(self, wait_s: float, given_up: threading.Event) -> None:
        if given_up.wait(max(0.0, wait_s)):
            raise Abandoned


def _settle(done: asyncio.Future[str | None], why: str | None) -> None:
    if not done.done():
        done.set_result(why)

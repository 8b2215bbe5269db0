"""What the endpoint remembers of its units over a power cut (OASIS MQTT 5.0, 4.1).

In memory for reading; every change is in the outbox's database before it counts, unless the disk
refuses: then units still connect (an SOS must get through) and their sessions live in memory only.
A message of the county is then handed to the units that are here (the answer to an SOS must get
through, too), but not taken from the county's broker: it will offer it again. One
that waits for a unit is a row of `down`; its packet id follows from the row, so that a resend after
a restart carries the one it had.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge_agent.outbox import Outbox
from edge_agent.outbox_record import Work

log = logging.getLogger(__name__)

NEVER = 0xFFFFFFFF  # session expiry: no end
DUTY_S = 86400  # retained duty is kept so long for units that come


class Down(NamedTuple):
    """A QoS 1 message for one unit. `expires`: Unix s or None."""

    id: int
    topic: str
    payload: bytes
    retain: bool
    expires: float | None

    @property
    def packet_id(self) -> int:
        return self.id % 65535 + 1


class Will(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


@dataclass(slots=True)
class Session:
    """One unit's. `ended`: s of the monotonic clock at the connection's end, None while connected:
    the wall clock of a checkpoint may be set years on while a command waits here."""

    client: str
    expiry: int
    ended: float | None = None
    filters: dict[str, int] = field(default_factory=dict[str, int])  # filter -> options
    queue: dict[int, Down] = field(default_factory=dict[int, Down])  # by packet id, in order
    tried: set[int] = field(default_factory=set[int])  # packet ids that were sent before


class Sessions:
    """All units' sessions, retained messages and wills."""

    def __init__(self, outbox: Outbox, most_queued: int) -> None:
        self._outbox = outbox
        self._most = most_queued
        self._next = 1
        self.by_client: dict[str, Session] = {}
        self.retained: dict[str, bytes] = {}
        self.wills: dict[str, Will] = {}

    async def load(self, now: float, ticks: float) -> bool:
        """Read everything back; connections did not survive, and every session counts from now.

        now: Unix s; ticks: s of the monotonic clock. False: the disk does not let them be read.
        """

        def read(db: sqlite3.Connection) -> tuple[list[tuple[object, ...]], ...]:
            db.execute("UPDATE session SET ended = ? WHERE ended IS NULL", (now,))
            db.execute("DELETE FROM retained WHERE at < ?", (now - DUTY_S,))
            return tuple(
                db.execute(f"SELECT {columns}").fetchall()
                for columns in (
                    "client, expiry FROM session",
                    "client, filter, options FROM subscription",
                    "client, id, topic, payload, retain, expires FROM down ORDER BY id",
                    "topic, payload FROM retained",
                    "client, topic, payload, retain FROM will",
                )
            )

        try:
            sessions, filters, downs, retained, wills = await self._outbox.do(read)
        except OSError as error:
            log.error("units' sessions cannot be read, they begin anew: %s", error)
            return False
        self.by_client = {row[0]: Session(*row, ended=ticks) for row in sessions}
        for client, pattern, options in filters:
            self.by_client[client].filters[pattern] = options
        for client, number, topic, payload, retain, expires in downs:
            down = Down(number, topic, payload, bool(retain), expires)
            session = self.by_client[client]
            session.queue[down.packet_id] = down
            session.tried.add(down.packet_id)
            self._next = max(self._next, number + 1)
        self.retained = dict(retained)
        self.wills = {row[0]: Will(row[1], row[2], bool(row[3])) for row in wills}
        return True

    async def begin(self, client: str, clean: bool, expiry: int, will: Will | None) -> bool:
        """A unit connected; True when its session is resumed."""
        old = self.by_client.get(client)
        resumed = old is not None and not clean
        if not resumed:
            self.by_client[client] = Session(client, expiry)
        session = self.by_client[client]
        session.expiry, session.ended = expiry, None
        self.wills.pop(client, None)
        if will is not None:
            self.wills[client] = will

        def write(db: sqlite3.Connection) -> None:
            if not resumed:
                _forget(db, client)
            db.execute("INSERT OR REPLACE INTO session VALUES (?,?,NULL)", (client, expiry))
            db.execute("DELETE FROM will WHERE client = ?", (client,))
            if will is not None:
                db.execute("INSERT INTO will VALUES (?,?,?,?)", (client, *will))

        await self._write(write)
        return resumed

    async def end(self, client: str, expiry: int, now: float, ticks: float) -> None:
        """Its connection ended; the session goes with it when its expiry is 0."""
        session = self.by_client[client]
        session.expiry, session.ended = expiry, ticks
        if expiry == 0:
            await self.drop(client)
        else:
            await self._write(
                lambda db: db.execute(
                    "UPDATE session SET expiry = ?, ended = ? WHERE client = ?",
                    (expiry, now, client),
                )
            )

    async def drop(self, client: str) -> None:
        """Forget a session; its will stays until it is published or withdrawn."""
        self.by_client.pop(client, None)
        await self._write(lambda db: _forget(db, client))

    def expired(self, ticks: float) -> list[str]:
        """Sessions whose time is over."""
        return [
            session.client
            for session in self.by_client.values()
            if session.ended is not None
            and session.expiry != NEVER
            and session.ended + session.expiry <= ticks
        ]

    async def withdraw_will(self, client: str) -> Will | None:
        """Take a will out: it is published now, or the unit said goodbye."""
        will = self.wills.pop(client, None)
        if will is not None:
            await self._write(lambda db: db.execute("DELETE FROM will WHERE client = ?", (client,)))
        return will

    async def subscribe(self, client: str, filters: dict[str, int]) -> None:
        """Add or change subscriptions."""
        self.by_client[client].filters.update(filters)
        rows = [(client, pattern, options) for pattern, options in filters.items()]
        await self._write(
            lambda db: db.executemany("INSERT OR REPLACE INTO subscription VALUES (?,?,?)", rows)
        )

    async def unsubscribe(self, client: str, filters: list[str]) -> list[bool]:
        """Remove subscriptions; says of each whether it was there."""
        held = self.by_client[client].filters
        there = [held.pop(pattern, None) is not None for pattern in filters]
        rows = [(client, pattern) for pattern in filters]
        await self._write(
            lambda db: db.executemany(
                "DELETE FROM subscription WHERE client = ? AND filter = ?", rows
            )
        )
        return there

    def queue(
        self, clients: list[str], topic: str, payload: bytes, retain: bool, expires: float | None
    ) -> tuple[dict[str, Down], asyncio.Future[Any]]:
        """Keep a message for each of these units; the oldest of a full queue is dropped.

        Returns each unit's, and what ends when they are durable, or with OSError.
        """
        downs: dict[str, Down] = {}
        over: list[int] = []
        for client in clients:
            session = self.by_client[client]
            down = Down(self._next, topic, payload, retain, expires)
            self._next += 1
            downs[client] = down
            session.queue[down.packet_id] = down
            while len(session.queue) > self._most:
                oldest = next(iter(session.queue.values()))
                over.append(self._take_out(session, oldest))

        def write(db: sqlite3.Connection) -> None:
            db.executemany(
                "INSERT INTO down VALUES (?,?,?,?,?,?)",
                [(d.id, client, *d[1:]) for client, d in downs.items()],
            )
            db.executemany("DELETE FROM down WHERE id = ?", [(number,) for number in over])

        return downs, self._outbox.do(write)

    def delivered(self, client: str, packet_id: int) -> None:
        """The unit's PUBACK came, or the message is out of date."""
        session = self.by_client.get(client)
        down = session.queue.get(packet_id) if session else None
        if session is not None and down is not None:
            number = self._take_out(session, down)
            written = self._outbox.do(
                lambda db: db.execute("DELETE FROM down WHERE id = ?", (number,))
            )
            written.add_done_callback(_noted)  # lost, it is delivered once more

    async def _write(self, work: Work) -> None:
        try:
            await self._outbox.do(work)
        except OSError as error:
            log.warning("units' sessions are in memory only: %s", error)

    def _take_out(self, session: Session, down: Down) -> int:
        del session.queue[down.packet_id]
        session.tried.discard(down.packet_id)
        return down.id

    async def retain(self, topic: str, payload: bytes, now: float) -> None:
        """Keep the newest of a retained topic; an empty payload clears it."""
        if payload:
            self.retained[topic] = payload
            sql, values = "INSERT OR REPLACE INTO retained VALUES (?,?,?)", (topic, payload, now)
        else:
            self.retained.pop(topic, None)
            sql, values = "DELETE FROM retained WHERE topic = ?", (topic,)
        await self._write(lambda db: db.execute(sql, values))


def _noted(written: asyncio.Future[Any]) -> None:
    if not written.cancelled() and written.exception() is not None:
        log.warning("units' sessions: %s", written.exception())


def _forget(db: sqlite3.Connection, client: str) -> None:
    for table in ("session", "subscription", "down"):
        db.execute(f"DELETE FROM {table} WHERE client = ?", (client,))

"""Stamp, encode and commit this checkpoint's own messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from edge_agent.event import Event, Klass, Stamp
from edge_agent.moments import times
from patrol_contract import messages, topics
from patrol_contract.catalogue import MESSAGES

Refused = tuple[int, int, int, float, float]  # first and last number, how many, since, until


def _set(_times: Iterable[int]) -> Stamp | None:
    """The clock of a machine whose clock is right."""
    return None


class Reporter:
    """The one numbering of what this checkpoint sends: boot is drawn here, seq counts from 1.

    `accept` is the outbox's: it returns once the event is durable, and may raise. `stamp` is the
    clock's: what is recorded while that is not set says so, and is moved as it leaves (restamp.py).
    """

    def __init__(
        self,
        county: str,
        checkpoint: str,
        accept: Callable[[Event], Awaitable[object]],
        clock: Callable[[], float] = time.time,
        stamp: Callable[[Iterable[int]], Stamp | None] = _set,
    ) -> None:
        self.county = county
        self.checkpoint = checkpoint
        self.boot = secrets.token_hex(8)
        self.seq = 0
        self._accept = accept
        self._clock, self._stamp = clock, stamp
        self._refused: dict[tuple[Klass, str], Refused] = {}

    async def report(
        self, name: str, who: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> Event:
        """Commit message `name` (a row of the contract); returns it once it is durable.

        who     what the topic names besides C and K: {"S": "barrier"}
        fields  inner form, without v, boot and seq; times as the machine's own clock says them
        Raises ContractError, before a number is used, for fields that break the contract; OSError
        when the disk refuses the record: its number is gone, and declared in a gap (refused).
        """
        event = self._event(name, who, fields)
        try:
            await self._accept(event)
        except OSError:
            self._note_refused(event)
            raise
        return event

    def refused(self) -> dict[tuple[Klass, str], Refused]:
        """Numbers that the disk refused since the last call, by class and kernel boot ("": times
        are Unix s, else s in that boot); the caller declares them."""
        refused, self._refused = self._refused, {}
        return refused

    @property
    def has_refused(self) -> bool:
        return bool(self._refused)

    def _note_refused(self, event: Event) -> None:
        """In few numbers: a sensor on a disk that refuses tries for days."""
        clock, at = ("", event.at) if event.stamp is None else event.stamp[:2]
        low, _, count, since, _ = self._refused.get(
            (event.klass, clock), (event.seq, event.seq, 0, at, at)
        )
        self._refused[event.klass, clock] = (low, event.seq, count + 1, since, at)

    def _event(self, name: str, who: Mapping[str, str], fields: Mapping[str, Any]) -> Event:
        row = MESSAGES[name]
        seq = self.seq + 1
        whole = {**fields, "v": 1, "boot": self.boot, "seq": seq}
        stamp = self._stamp(times(name, fields))
        if stamp is not None:
            whole["unset_clock"] = True
        payload = messages.encode(name, whole)
        topic = topics.topic(name, C=self.county, K=self.checkpoint, **who)
        self.seq = seq
        return Event(
            topic=topic,
            payload=payload,
            klass=Klass(topics.klass_of(name, whole)),
            sender=self.checkpoint,
            boot=self.boot,
            seq=seq,
            qos=row.qos,
            retain=row.retain,
            at=self._clock(),
            stamp=stamp,
        )

    def will(self, name: str, fields: Mapping[str, Any]) -> tuple[str, bytes]:
        """(topic, payload) of a will: seq 0, because it may never be sent."""
        whole = {**fields, "v": 1, "boot": self.boot, "seq": 0}
        topic = topics.topic(name, C=self.county, K=self.checkpoint)
        return topic, messages.encode(name, whole)

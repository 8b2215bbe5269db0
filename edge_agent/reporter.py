"""Stamp, encode and commit this checkpoint's own messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from edge_agent.event import Event, Klass
from patrol_contract import messages, topics


class Reporter:
    """The one numbering of what this checkpoint sends: boot is drawn here, seq counts from 1.

    `accept` is the outbox's: it returns once the event is durable, and may raise.
    """

    def __init__(
        self,
        county: str,
        checkpoint: str,
        accept: Callable[[Event], Awaitable[object]],
        clock: Callable[[], float] = time.time,
        clock_is_set: Callable[[], bool] = lambda: True,
    ) -> None:
        self.county = county
        self.checkpoint = checkpoint
        self.boot = secrets.token_hex(8)
        self.seq = 0
        self._accept = accept
        self._clock = clock
        self._clock_is_set = clock_is_set

    async def report(
        self, name: str, who: Mapping[str, str], fields: Mapping[str, Any], /
    ) -> Event:
        """Commit message `name` (a row of the contract); returns it once it is durable.

        who     what the topic names besides C and K: {"S": "barrier"}
        fields  inner form, without v, boot and seq
        Raises ContractError, before a number is used, for fields that break the contract.
        """
        event = self._stamp(name, who, fields)
        await self._accept(event)
        return event

    def _stamp(self, name: str, who: Mapping[str, str], fields: Mapping[str, Any]) -> Event:
        row = messages.MESSAGES[name]
        seq = self.seq + 1
        whole = {**fields, "v": 1, "boot": self.boot, "seq": seq}
        if name == "cp_sensor" and not self._clock_is_set():
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
        )

    def will(self, name: str, fields: Mapping[str, Any]) -> tuple[str, bytes]:
        """(topic, payload) of a will: seq 0, because it may never be sent."""
        whole = {**fields, "v": 1, "boot": self.boot, "seq": 0}
        topic = topics.topic(name, C=self.county, K=self.checkpoint)
        return topic, messages.encode(name, whole)

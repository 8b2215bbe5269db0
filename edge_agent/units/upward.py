"""What units publish, on its way into the outbox.

A payload that breaks the contract is quarantined and acknowledged, else the unit would send it for
ever: it is durable, counted and shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from edge_agent.event import Event, Klass, Stamp
from edge_agent.outbox import Outbox
from edge_agent.units.connection import BUSY, NOT_AUTHORISED
from edge_agent.units.rights import UnitRights, parsed
from patrol_contract import ContractError, messages, topics

log = logging.getLogger(__name__)

QUARANTINE_ROWS = 1000


class Upward:
    """`published` for a PUBLISH, `take` for what the endpoint itself says for a unit (a will)."""

    def __init__(
        self,
        outbox: Outbox,
        rights: UnitRights,
        counts: Counter[str],
        on_quarantine: Callable[[str, str, str], None],
        clock: Callable[[], float],
        stamp: Callable[[], Stamp | None],
    ) -> None:
        self._outbox, self._rights, self._counts = outbox, rights, counts
        self._on_quarantine, self._clock, self._stamp = on_quarantine, clock, stamp

    def published(self, client: str, packet: Any) -> asyncio.Future[int]:
        """A unit's PUBLISH; the future is the PUBACK's reason."""
        if not self._rights.may_publish(client, packet.topic):
            self._counts["forbidden"] += 1
            log.warning("unit %s may not publish to %s", client, packet.topic)
            refused: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            refused.set_result(NOT_AUTHORISED)
            return refused
        return self.take(client, packet.topic, packet.payload, packet.retain)

    def take(self, client: str, topic: str, payload: bytes, retain: bool) -> asyncio.Future[int]:
        """A message of the unit, on a topic that is its own."""
        reason: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        found = parsed(topic)
        name = found[0] if found else ""
        try:
            fields = messages.decode(name, payload)
        except ContractError as error:
            kept = self._quarantine(client, topic, payload, str(error))
        else:
            self._counts["published"] += 1
            sos = name == "unit_sos"
            kept = self._outbox.submit(
                Event(
                    topic=topic,
                    payload=payload,
                    klass=Klass(topics.klass_of(name, fields)),
                    sender=client,
                    boot=fields["boot"],
                    seq=fields["seq"],
                    retain=retain,
                    sos=fields["id"] if sos else None,
                    state=fields["state"] if sos else None,
                    at=self._clock(),
                    stamp=self._stamp(),
                )
            )
        kept.add_done_callback(lambda done: _settle(reason, done))
        return reason

    def _quarantine(self, client: str, topic: str, payload: bytes, why: str) -> asyncio.Future[Any]:
        self._counts["quarantined"] += 1
        log.warning("unit %s: %s quarantined: %s", client, topic, why)
        self._on_quarantine(client, topic, why)
        row = (self._clock(), client, topic, payload, why)

        def write(db: Any) -> None:
            db.execute(
                "INSERT INTO quarantine (at,client,topic,payload,why) VALUES (?,?,?,?,?)", row
            )
            db.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?",
                (QUARANTINE_ROWS,),
            )

        return self._outbox.do(write)


def _settle(reason: asyncio.Future[int], kept: asyncio.Future[Any]) -> None:
    """Accepted: 0. The disk refused: 0x97, and the unit keeps it."""
    if not reason.done():
        failed = kept.cancelled() or kept.exception() is not None
        reason.set_result(BUSY if failed else 0)

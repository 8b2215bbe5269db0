"""ONCE=1: the evening in under a minute, and what must hold at its end.

Every number is taken from the outside: what an ordinary MQTT client received, what the units' pins
did, what the siren's output holds, what the staff's page shows. Losses and repeats are counted by
the reference consumer from (sender, boot, seq) against the senders' own ledgers.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from typing import Any

from patrol_contract import consumer
from tests.evening.county import Seen
from tests.evening.world import CHECKPOINT, VISITOR, WALKER, World
from tests.fakes.unit_process import UnitProcess

HOLD_MS = 1500  # DESIGN: the hold ends, and the SOS is raised, so long after the finger went down
OUTAGE_S = 10.0
SETTLE_S = 15.0  # after the last act: everything sent must have arrived
BIRTHS = ("unit_state", "cp_state")


def of(name: str, **wanted: Any) -> Callable[[Seen], bool]:
    """A condition on an arrival: its message name, and fields or topic parts."""

    def holds(seen: Seen) -> bool:
        both = {**seen.fields, **seen.who}
        return seen.name == name and all(both.get(k) == v for k, v in wanted.items())

    return holds


class Script:
    """Plays it; `result` is the JSON object of the last line."""

    def __init__(self, world: World, out: Callable[[str], None]) -> None:
        self.world, self._say = world, out
        self.result: dict[str, Any] = {"ok": False}

    async def play(self) -> dict[str, Any]:
        """Everything in order; a step that does not come about ends it and is named in `failed`."""
        try:
            await self._walk()
            digests = await self._checkpoint()
            sos = await self._outage()
            await self._help(sos)
            await self._account(digests)
        except TimeoutError as error:
            self.result["failed"] = str(error)
        return self.result

    async def _walk(self) -> None:
        """Both on duty, their positions at the county; the second's by way of the checkpoint."""
        self._say("— 两名队员出发 two people set out")
        county = self.world.county
        county.duty("all", "war")
        for unit in (WALKER, VISITOR):
            await county.first(f"{unit}'s position", of("unit_location", U=unit), 25)

    async def _checkpoint(self) -> dict[str, str]:
        """The barrier opens, the radar sees a car, a camera is docked and sealed."""
        self._say("— 道闸打开，测速，执法记录仪入座 barrier, radar, camera")
        began = time.time()
        parts = self.world.parts
        parts.barrier(True)
        parts.radar.say("V=052 km/h")
        digests = await asyncio.to_thread(parts.dock)
        county = self.world.county
        await county.first("the open barrier", of("cp_sensor", S="barrier", value=1000), 10, began)
        await county.first(
            "the radar's reading", of("cp_sensor", S="radar", value=52000), 10, began
        )
        for name, digest in digests.items():
            sealed = of("cp_dock", event="SEALED", sha256=digest)
            await county.first(f"the seal of {name}", sealed, 15, began)
        return digests

    async def _outage(self) -> dict[str, Any]:
        """The county link is cut, the SOS is held, siren and page show it, the link returns."""
        world, unit = self.world, self.world.units[VISITOR]
        self._say("— 县平台链路中断，此时二号按住求助键 the link is cut; SOS is held")
        world.link.cut()
        cut_at = time.time()
        world.parts.barrier(False)  # goes out into a link that is gone, and must come later
        world.parts.radar.say("V=047 km/h")
        finger_ms = await asyncio.to_thread(unit.hold)
        ended_ms = finger_ms + HOLD_MS
        await world.until("the latch", lambda: bool(unit.latched(ended_ms)), 5)
        await asyncio.to_thread(unit.wait_felt, 2, 10, ended_ms)
        held_ms = answered_ms(unit, ended_ms)
        siren_at = await world.until("the siren", world.siren_on, 10)
        row = await self._on_page(5)
        await asyncio.sleep(max(0.0, cut_at + OUTAGE_S - time.time()))
        world.link.restore()
        restored = world.link.restored_at
        self._say("— 链路恢复 the link is back")
        arrived = await world.county.first(
            "the SOS after the outage", of("unit_sos", U=VISITOR, id=row["id"]), 15, restored
        )
        before = [
            s
            for s in world.county.seen
            if restored <= s.at <= arrived.at
            and s.name not in BIRTHS
            and s.who.get("K", s.who.get("U")) != WALKER
            and s.fields.get("id") != row["id"]
        ]
        self.result["sos"] = {
            "raised": 1,
            "received": int(arrived.fields["id"] == row["id"]),
            "acknowledged": 0,
            "siren": siren_at > cut_at,
            "first_after_outage": not before,
            "hold_end_to_latch_ms": unit.latched(ended_ms)[0] - ended_ms,
            "restore_to_county_ms": round((arrived.at - restored) * 1000),
            "hold_end_to_held_ms": held_ms - ended_ms,
        }
        self.result["outage_s"] = round(restored - cut_at, 1)
        return row

    async def _on_page(self, within_s: float) -> dict[str, Any]:
        """The SOS as the staff's page shows it."""
        deadline = time.monotonic() + within_s
        while True:
            view = await self.world.state()
            for row in view["sos"].values() if view else ():
                if row["unit"] == VISITOR:
                    return row
            if time.monotonic() > deadline:
                raise TimeoutError("the SOS: not on the staff's page")
            await asyncio.sleep(0.1)

    async def _help(self, sos: dict[str, Any]) -> None:
        """The county answers, signed; the unit feels that help is coming, and the SOS is closed."""
        world, unit = self.world, self.world.units[VISITOR]
        self._say("— 县平台签名应答 the county answers, signed")
        since_ms = round(time.monotonic() * 1000)
        world.county.command(VISITOR, "sos_ack", sos=sos["id"])
        world.county.command(VISITOR, "help", sos=sos["id"])
        await asyncio.to_thread(unit.wait_felt, 3, 10, since_ms)
        acked = of("unit_ack", U=VISITOR, cmd="sos_ack")
        await world.county.first("the unit's word on sos_ack", acked, 10)
        self.result["sos"]["acknowledged"] = 1
        world.county.command(VISITOR, "sos_close", sos=sos["id"])
        closed = of("unit_ack", U=VISITOR, cmd="sos_close")
        await world.county.first("the unit's word on sos_close", closed, 10)
        await world.until("silence of the siren", lambda: not world.siren_on(), 5)

    async def _account(self, digests: dict[str, str]) -> None:
        """Wait until all that was sent has arrived or the time is over, then count."""
        county = self.world.county
        assigned = await self.world.assigned()
        with contextlib.suppress(TimeoutError):  # then what is missing is counted as lost
            await county.until("everything", lambda: not county.consumer.lost(assigned), SETTLE_S)
        lost = county.consumer.lost(assigned)
        new = [s for s in county.seen if s.verdict == consumer.NEW]
        sealed = {s.fields["sha256"] for s in new if s.fields.get("event") == "SEALED"}
        published = sum(
            name == "unit_location"
            for unit in self.world.units.values()
            for _, _, name in unit.ledger()
        )
        keys = [(s.fields["boot"], s.fields["seq"], s.name) for s in new if s.fields["seq"]]
        self.result |= {
            "positions": {
                "published": published,
                "received": sum(s.name == "unit_location" for s in new),
            },
            "sensor_events": sum(s.name == "cp_sensor" and s.who["K"] == CHECKPOINT for s in new),
            "recordings": {
                "offered": len(digests),
                "sealed": len(sealed),
                "sha256_match": sealed == set(digests.values()),
            },
            "lost": sum(high - low + 1 for holes in lost.values() for low, high in holes),
            "duplicates_on_wire": county.consumer.counts[consumer.REPEAT],
            "duplicates_after_dedup": len(keys) - len(set(keys)),
        }
        self.result["ok"] = held(self.result)


def answered_ms(unit: UnitProcess, since_ms: int) -> int:
    """When the two long pulses of "someone has it" began, ms of CLOCK_MONOTONIC."""
    pulses = [(began, lasted) for began, lasted in unit.haptics(since_ms) if lasted >= 350]
    # the first long pulse says "raised"; the pair after it "someone has it"
    return next(a for (a, _), (b, _) in itertools.pairwise(pulses) if b - a < 1000)


def held(result: dict[str, Any]) -> bool:
    """Whether all of it is as it must be."""
    sos, positions = result["sos"], result["positions"]
    return (
        positions["received"] >= 2
        and positions["received"] >= positions["published"]
        and sos["received"] == sos["raised"] == sos["acknowledged"] == 1
        and sos["siren"]
        and sos["first_after_outage"]
        and result["sensor_events"] >= 4
        and result["recordings"]["sealed"] == result["recordings"]["offered"] == 3
        and result["recordings"]["sha256_match"]
        and result["lost"] == 0
        and result["duplicates_after_dedup"] == 0
    )

"""Units that walk around the checkpoint, each on an MQTT connection of its own to the agent."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from patrol_contract import messages, topics
from patrol_contract import mqtt_packets as mqtt
from tests.bench.heart_rig import COUNTY, UnitLoad
from tests.soak.agent import HERE

STRIDE = 0.02  # radians between two positions: 10 m to 200 m by how far out a unit walks


class Walker(UnitLoad):
    """Position n is a function of n alone: what is resent is what was sent."""

    def __init__(self, number: int, per_s: float) -> None:
        super().__init__(f"u-{number:04d}", per_s)
        self._number, self._period, self._began = number, 1 / per_s, time.time()
        self._sos: dict[int, str] = {}  # seq -> the SOS that is sent with it
        self.raised_at: dict[str, float] = {}

    def _greet(self, writer: asyncio.StreamWriter) -> None:
        """A unit listens to its commands: so the agent does, at the county, before any SOS."""
        topic = topics.topic("unit_cmd", C=COUNTY, U=self.unit)
        writer.write(mqtt.encode_subscribe(mqtt.V5, 65535, [(topic, 1)]))

    def _publish(self, writer: asyncio.StreamWriter, seq: int) -> None:
        packet_id = seq % 65535 + 1
        self._waiting[packet_id] = seq
        name, fields = self._record(seq)
        payload = messages.encode(name, {**fields, "v": 1, "boot": self.boot, "seq": seq})
        topic = topics.topic(name, C=COUNTY, U=self.unit)
        writer.write(mqtt.encode_publish(mqtt.V5, topic, payload, 1, packet_id))

    def _record(self, seq: int) -> tuple[str, dict[str, Any]]:
        reach = 4000 + 500 * self._number
        turn = self._number * 2.39996 + seq * STRIDE
        lat = HERE[0] + round(reach * math.cos(turn))
        lon = HERE[1] + round(reach * math.sin(turn))
        tst = int(self._began + seq * self._period)
        if seq in self._sos:
            fix = {"lat": lat, "lon": lon, "acc": 6, "age_s": 2}
            sos = self._sos[seq]
            self.raised_at.setdefault(sos, time.time())
            return "unit_sos", {
                "id": sos, "revision": 1, "state": "raised", "kind": "button",
                "discreet": False, "tst": tst, "batt": 71, "fix": fix,
            }  # fmt: skip
        return "unit_location", {
            "_type": "location", "lat": lat, "lon": lon, "acc": 5, "batt": 64, "tst": tst,
        }  # fmt: skip

    def raise_sos(self, sos: str) -> None:
        """The next record is this SOS."""
        self._sos[self._seq + 1] = sos


async def walk(walkers: list[Walker], port: int) -> None:
    """All of them, until the endpoint is gone; they do not all begin in the same instant."""

    async def one(number: int, walker: Walker) -> None:
        await asyncio.sleep(number / len(walkers) / walker.per_s)
        await walker.run(port)

    await asyncio.gather(*(one(n, walker) for n, walker in enumerate(walkers)))

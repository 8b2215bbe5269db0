from __future__ import annotations

import pytest

from edge_agent.event import Event, Klass
from edge_agent.reporter import Reporter
from patrol_contract import ContractError, messages

READING = {"kind": "barrier", "value": 1000, "quality": "good", "read": 1795280400}


async def test_numbers_count_up_and_the_topic_is_ours() -> None:
    kept: list[Event] = []

    async def accept(event: Event) -> None:
        kept.append(event)

    reporter = Reporter("c371500", "k-07", accept)
    for _ in range(2):
        await reporter.report("cp_sensor", {"S": "barrier"}, READING)
    assert [e.seq for e in kept] == [1, 2]
    assert kept[0].topic == "patrol/v1/c371500/cp/k-07/sensor/barrier"
    assert kept[0].klass is Klass.TELEMETRY
    assert messages.decode("cp_sensor", kept[1].payload)["boot"] == reporter.boot


async def test_a_message_against_the_contract_uses_up_no_number() -> None:
    async def accept(_event: Event) -> None: ...

    reporter = Reporter("c371500", "k-07", accept)
    with pytest.raises(ContractError):
        await reporter.report("cp_sensor", {"S": "barrier"}, {"kind": "barrier"})
    event = await reporter.report("cp_sensor", {"S": "barrier"}, READING)
    assert event.seq == 1

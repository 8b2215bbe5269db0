"""The county double: back at its broker, it hears what is said from then on."""

from __future__ import annotations

from pathlib import Path

import paho.mqtt.publish

from patrol_contract import messages, topics
from patrol_contract.examples import EXAMPLES
from tests.fakes.county import ID, County


def test_a_killed_broker_is_back_when_the_county_listens(tmp_path: Path) -> None:
    payload = messages.encode("unit_mark", EXAMPLES["unit_mark"][1])
    with County(tmp_path, tls=False) as county:
        county.broker.stop(kill=True)
        county.broker_back()
        paho.mqtt.publish.single(
            topics.topic("unit_mark", C=ID, U="u-0123"), payload, 1, port=county.broker.port
        )
        county.wait(lambda c: c.of("unit_mark"), 5)

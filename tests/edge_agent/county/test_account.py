from __future__ import annotations

import pytest

from edge_agent.county import account
from patrol_contract.catalogue import MESSAGES
from patrol_contract.examples import EXAMPLES

WHO = {"C": "c371500", "U": "u-0123", "G": "z-03", "K": "k-07", "S": "barrier", "B": "2"}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_its_words(name: str) -> None:
    words = account.said(name, WHO, EXAMPLES[name][1])
    if name != "points_waypoint":
        assert words and words != name


def test_a_line_gives_time_sender_delay_and_words() -> None:
    fields = {**EXAMPLES["unit_sos"][1], "tst": 1795280411}
    text = account.line("unit_sos", {"C": "c", "U": "u-0123"}, fields, 1795280412.4)
    assert text.startswith("01:00:12 u-0123      +1.4s  ★ 求助更新")
    assert "31.24803,121.58738 ±6m" in text


def test_degrees_west_and_south() -> None:
    assert account.degrees(-5000001) == "-0.50000"


def test_a_reading_says_value_unit_alarm_and_quality() -> None:
    fields = {"kind": "x", "value": -12500, "unit": "V", "quality": "stale", "alarm": "low"}
    assert account.reading(fields) == "-12.5 V ‼ 报警 alarm low [stale]"

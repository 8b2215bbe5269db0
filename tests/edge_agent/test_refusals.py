from __future__ import annotations

from edge_agent.event import Event, Klass
from edge_agent.refusals import Refusals
from edge_agent.uplink_flight import Answer


def test_a_refused_topic_is_shown_until_it_is_taken() -> None:
    said: list[str | None] = []
    refusals = Refusals(lambda name, why: said.append(why))

    def answer(topic: str, reason: int) -> None:
        event = Event(topic, b"", Klass.EVENT, "u-1", "0" * 16, 1)
        refusals.answer(Answer(event, reason))

    answer("a", 0)
    assert said == [], "all is well: nothing to say"
    answer("a", 0x87)
    answer("a", 0x87)
    answer("b", 0x97)
    assert len(said) == 2
    assert "a (0x87)" in (said[0] or "") and "+1" in (said[1] or "")
    answer("a", 0)
    assert "b (0x97)" in (said[2] or "")
    answer("b", 0)
    assert said[3] is None

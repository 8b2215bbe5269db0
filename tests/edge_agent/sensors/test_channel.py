"""When a sensor is reported: rung 1, time is a number."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sensors.channel import Channel
from edge_agent.sensors.reading import Reading
from edge_agent.sensors.section import PolledSection, SensorSection


def channel(**keys: Any) -> Channel:
    return Channel(PolledSection.model_validate({"id": "s", "every_s": 1, **keys}))


def line_channel(**keys: Any) -> Channel:
    return Channel(SensorSection.model_validate({"id": "s", **keys}))


def test_first_reading_then_only_what_leaves_the_deadband() -> None:
    c = channel(deadband=0.5)
    assert c.take(Reading(10_000, at=1), 0).value == 10_000
    assert c.take(Reading(10_500, at=2), 1) is None
    assert c.take(Reading(10_501, at=3), 2).value == 10_501


def test_a_slow_drift_adds_up() -> None:
    c = channel(deadband=0.5)
    told = [c.take(Reading(10_000 + 100 * i, at=i), i) for i in range(20)]
    assert [i for i, report in enumerate(told) if report] == [0, 6, 12, 18]


def test_heartbeat_carries_the_time_of_the_reading() -> None:
    c = channel(heartbeat_s=60, stale_after_s=1000)
    c.take(Reading(1, at=100.5), 0)
    assert c.due(0) == 60
    assert c.tick(59) is None
    assert c.tick(60).read == 100.5


def test_silence_turns_stale_once_and_keeps_the_old_time() -> None:
    c = channel(stale_after_s=3, heartbeat_s=60)
    c.take(Reading(7, at=100), 0)
    assert c.due(0) == 3
    stale = c.tick(3)
    assert (stale.quality, stale.value, stale.read) == ("stale", 7, 100)
    assert c.tick(4) is None
    assert c.take(Reading(7, at=105), 5).quality == "good"


def test_a_fault_keeps_the_last_value_and_says_why() -> None:
    c = channel()
    c.take(Reading(7, at=100), 0)
    bad = c.take(Reading(problem="silent"), 1)
    assert (bad.quality, bad.value, bad.read, bad.why) == ("fault", 7, 100, "silent")
    assert c.take(Reading(problem="silent"), 2) is None


def test_never_read_has_no_time() -> None:
    c = channel()
    assert c.tick(0) is None
    bad = c.take(Reading(problem="silent"), 0)
    assert (bad.quality, bad.value, bad.read) == ("fault", None, None)


def test_back_without_a_word_is_stale_until_it_speaks() -> None:
    c = line_channel()
    c.take(Reading(text="粤B12345", event=True, at=1), 0)
    c.take(Reading(problem="unplugged"), 1)
    assert c.take(Reading(), 2).quality == "stale"
    assert c.take(Reading(text="粤B12346", event=True, at=3), 3).quality == "good"


def test_every_event_is_told_and_none_is_repeated() -> None:
    c = line_channel(heartbeat_s=5)
    assert c.take(Reading(text="粤B12345", event=True), 0)
    assert c.take(Reading(text="粤B12345", event=True), 1)
    assert c.due(1) is None
    assert c.tick(100) is None


def test_chatter_is_bounded_counted_and_ends_with_the_truth() -> None:
    c = channel(burst=3, min_gap_s=1, stale_after_s=1000)
    told = [c.take(Reading(1000 * (i % 2), at=i), i * 0.001) for i in range(100)]
    assert sum(report is not None for report in told) == 3
    due = c.due(0.1)
    last = c.tick(due)
    assert (last.value, last.folded) == (1000, 97)
    assert 0.9 < due < 1.1


def test_alarm_hysteresis_and_delay() -> None:
    c = channel(alarm={"high": 60, "hysteresis": 5, "delay_s": 2}, deadband=1000, heartbeat_s=999)
    c.take(Reading(50_000), 0)
    assert c.take(Reading(61_000), 1) is None
    assert c.due(1) == 3
    assert c.tick(3).alarm == "high"
    assert c.take(Reading(56_000), 4) is None
    assert c.take(Reading(54_999), 5).alarm is None


def test_a_spike_shorter_than_the_delay_is_no_alarm() -> None:
    c = channel(alarm={"high": 60, "delay_s": 2}, deadband=1000, stale_after_s=99)
    c.take(Reading(50_000), 0)
    c.take(Reading(61_000), 1)
    c.take(Reading(50_000), 2)
    assert c.tick(3.5) is None


def test_smoke_whose_detector_burns_is_still_smoke() -> None:
    c = channel(alarm={"on": True, "fault": True})
    c.take(Reading(0), 0)
    assert c.take(Reading(1000), 1).alarm == "on"
    assert c.take(Reading(problem="silent"), 2).alarm == "on"


def test_the_sensor_itself_can_be_the_alarm() -> None:
    c = channel(alarm={"fault": True, "delay_s": 5})
    c.take(Reading(0), 0)
    assert c.take(Reading(problem="silent"), 1).alarm is None
    assert c.tick(6).alarm == "fault"
    assert c.take(Reading(0), 7).alarm is None


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.sampled_from([0, 1000, 5000, None, "broken"])), max_size=60
    ),
    st.integers(1, 5),
)
def test_never_more_than_the_bucket_and_never_a_wrong_time(
    steps: list[tuple[float, Any]], burst: int
) -> None:
    c = channel(burst=burst, min_gap_s=1, heartbeat_s=10)
    now, sent, good = 0.0, [], {}
    for wait, what in steps:
        now += wait
        if what is None:
            report = c.tick(now)
        elif what == "broken":
            report = c.take(Reading(problem="x"), now)
        else:
            good[now] = what
            report = c.take(Reading(what, at=now), now)
        if report:
            sent.append(now)
            if report.read is not None:
                assert good[report.read] == report.value
                assert report.read == max(good)
    for i, first in enumerate(sent):
        within = [t for t in sent[i:] if t < first + 5]
        assert len(within) <= burst + 5

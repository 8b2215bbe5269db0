"""The alarm's table, row by row, and what hypothesis makes of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.alarm import (
    ALONE,
    ANSWER_S,
    ANSWERED,
    MOST_OF_ONE,
    OVERDUE,
    WAITING,
    Alarm,
    Silence,
)

A, B = "a" * 16, "b" * 16


def raised(sos: str = A, discreet: bool = False, revision: int = 1, state: str = "raised"):
    return ("sos", "u-0001", sos, revision, state, discreet, 1000.0)


def siren(effects: list[tuple[Any, ...]]) -> list[bool]:
    return [effect[1] for effect in effects if effect[0] == "siren"]


def test_sounds_at_once_while_the_county_cannot_be_reached() -> None:
    alarm = Alarm()
    assert siren(alarm.step(1000.0, raised())) == [True]
    assert alarm.phase(alarm.open[A], 1000.0) == ALONE
    assert siren(alarm.step(1001.0, ("county", True))) == [False], "the county is told instead"


def test_sounds_after_a_minute_without_an_answer() -> None:
    alarm = Alarm()
    alarm.step(999.0, ("county", True))
    assert siren(alarm.step(1000.0, raised())) == []
    assert siren(alarm.step(1000.0 + ANSWER_S - 1, ("tick",))) == []
    effects = alarm.step(1000.0 + ANSWER_S, ("tick",))
    assert siren(effects) == [True]
    (row,) = [effect[2] for effect in effects if effect[0] == "show"]
    assert row["phase"] == OVERDUE and row["phone"]


def test_the_countys_answer_ends_the_siren_and_only_its_close_the_alarm() -> None:
    alarm = Alarm()
    alarm.step(1000.0, raised())
    assert siren(alarm.step(1001.0, ("answered", A))) == [False]
    assert alarm.phase(alarm.open[A], 1001.0) == ANSWERED
    alarm.step(1002.0, raised(revision=2, state="cancelled"))
    assert A in alarm.open
    assert ("drop", A) in alarm.step(1003.0, ("closed", A))


def test_refused_by_the_countys_broker_sounds_until_it_is_heard() -> None:
    alarm = Alarm()
    alarm.step(999.0, ("county", True))
    alarm.step(1000.0, raised())
    assert siren(alarm.step(1001.0, ("unheard", A))) == [True]
    assert siren(alarm.step(1002.0, ("heard", A))) == [False]


def test_a_mute_is_by_name_and_for_what_is_open_now() -> None:
    alarm = Alarm()
    alarm.step(1000.0, raised(A))
    effects = alarm.step(1001.0, ("mute", "李"))
    assert ("muted", "李", [A]) in effects and siren(effects) == [False]
    assert siren(alarm.step(1002.0, raised(B))) == [True]


def test_a_test_is_shown_and_does_not_sound() -> None:
    alarm = Alarm()
    effects = alarm.step(1000.0, raised(state="test"))
    assert siren(effects) == [] and any(effect[0] == "show" for effect in effects)


def test_a_restart_in_the_middle_sounds_again() -> None:
    alarm = Alarm()
    effects = alarm.step(1000.0, raised())
    kept = [effect[1] for effect in effects if effect[0] == "keep"][-1]
    again = Alarm(kept).step(1003.0, ("tick",))
    assert siren(again) == [True] and any(effect[0] == "show" for effect in again)


def test_after_a_reboot_nobody_knows_for_how_long() -> None:
    alarm = Alarm(boot="a")
    effects = alarm.step(1000.0, raised())
    kept = [effect[1] for effect in effects if effect[0] == "keep"][-1]
    for boot, phase in (("a", WAITING), ("b", OVERDUE)):
        again = Alarm(kept, boot=boot)
        again.step(1003.0, ("county", True))
        assert again.phase(again.open[A], 1003.0) == phase


def test_a_mad_unit_does_not_fill_the_page_and_hides_no_other() -> None:
    alarm = Alarm()
    alarm.step(1000.0, ("sos", "u-0002", B, 1, "raised", False, 1000.0))
    for n in range(3 * MOST_OF_ONE):
        alarm.step(1000.0, raised(f"{n:016x}"))
    assert B in alarm.open and len(alarm.open) == MOST_OF_ONE + 1
    assert f"{3 * MOST_OF_ONE - 1:016x}" in alarm.open


EVENTS = st.one_of(
    st.builds(
        raised,
        st.sampled_from([A, B]),
        st.just(True),
        st.integers(1, 9),
        st.sampled_from(["raised", "updated", "cancelled"]),
    ),
    st.tuples(st.just("county"), st.booleans()),
    st.tuples(st.sampled_from(["heard", "unheard", "answered", "closed"]), st.sampled_from([A, B])),
    st.tuples(st.just("seen"), st.sampled_from([A, B]), st.just("李"), st.booleans()),
    st.just(("tick",)),
    st.just(("mute", "李")),
)


@given(st.lists(st.tuples(st.floats(0, 300), EVENTS), max_size=40))
def test_a_discreet_sos_never_sounds_whatever_happens(steps: list[Any]) -> None:
    alarm, now = Alarm(), 1000.0
    for wait, event in steps:
        now += wait
        assert True not in siren(alarm.step(now, event))
        if alarm._kept is not None:  # nor after a restart
            assert siren(Alarm(alarm._kept).step(now, ("tick",))) == []


@given(st.lists(EVENTS, max_size=30))
def test_discreet_once_is_discreet_for_good(events: list[Any]) -> None:
    alarm = Alarm()
    alarm.step(1000.0, raised(A, discreet=True))
    for event in events:
        if event[0] != "closed":
            alarm.step(1000.0, event)
    alarm.step(1000.0, raised(A, discreet=False, revision=99))
    assert alarm.open[A].discreet


def test_every_phase_is_reached() -> None:
    """The phases are a function of five facts: each row of the table is met by some of them."""
    seen: set[str] = set()
    for reached in (False, True):
        for unheard in (False, True):
            for answered in (False, True):
                for age in (0.0, ANSWER_S):
                    alarm = Alarm()
                    alarm.step(1000.0, ("county", reached))
                    alarm.step(1000.0, raised())
                    sos = alarm.open[A]
                    sos.unheard, sos.answered = unheard, answered
                    seen.add(alarm.phase(sos, 1000.0 + age))
    assert seen == {ALONE, WAITING, OVERDUE, ANSWERED}


def test_silence_of_units_on_duty_only() -> None:
    silence = Silence(600)
    silence.heard("u-1", 0.0, True)
    silence.heard("u-2", 0.0, None)  # nothing says that it is on duty
    silence.heard("u-3", 0.0, True)
    silence.heard("u-3", 1.0, False)
    assert silence.changes(599.0) == []
    assert silence.changes(601.0) == [("u-1", 0.0)]
    assert silence.changes(700.0) == []
    silence.heard("u-1", 701.0, None)
    assert silence.changes(702.0) == [("u-1", None)]

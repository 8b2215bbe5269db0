"""Shifts, with and without a charger line."""

from unit_rig import NOW, Rig  # beside this file


def start(rig, cause="power_on"):
    rig.do("boot", cause, NOW)
    return rig


def test_without_a_charger_line_a_hold_at_the_start_begins_the_shift():
    rig = start(Rig(has=()))
    assert not rig.core.duty.on
    rig.run(1500)
    rig.do("hold", 0)
    assert rig.core.duty.on and not rig.core.sos.is_open() and "on_duty" in rig.felt()


def test_and_the_next_hold_is_an_sos():
    rig = start(Rig(has=()))
    rig.run(1500)
    rig.do("hold", 0)
    rig.run(1500)
    rig.do("hold", 1500)
    assert rig.core.sos.is_open()


def test_after_a_crash_a_hold_at_the_start_is_an_sos_and_the_shift_goes_on():
    rig = start(Rig(has=()))
    rig.run(1500)
    rig.do("hold", 0)
    after = start(Rig(rig.kept, "00000000000000ab", has=()), "watchdog")
    assert after.core.duty.on
    after.run(1500)
    after.do("hold", 0)
    assert after.core.sos.is_open()


def test_switched_off_and_on_the_shift_is_over():
    rig = start(Rig(has=()))
    rig.run(1500)
    rig.do("hold", 0)
    assert not start(Rig(rig.kept, "00000000000000ab", has=())).core.duty.on


def test_with_a_charger_line_a_hold_at_the_start_is_an_sos():
    rig = start(Rig())
    rig.do("charger", False)
    rig.run(1500)
    rig.do("hold", 0)
    assert rig.core.sos.is_open()


def test_kept_values_that_are_not_ours_stop_nothing():
    rig = Rig({"assign": b"x", "levels": b"\xff\xfe", "replay": b"one two", "plan": b"{}"})
    start(rig)
    rig.do("hold", 5000)
    assert rig.core.sos.is_open() and rig.core.duty.level() == "normal"

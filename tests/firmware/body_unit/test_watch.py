from unit_rig import Rig  # beside this file

from body_unit import watch

SILENT = watch.SILENT_S * 1000


def test_unmoving_on_duty_warns_first_and_then_raises():
    rig = Rig().start()
    rig.run(SILENT - 1000)
    assert rig.felt() == []
    rig.run(2000)
    assert rig.felt() == ["pre_alarm"] and rig.said("unit_sos") == []
    rig.run(60_000)
    (said,) = rig.said("unit_sos")[:1]
    assert said["kind"] == "silent" and said["state"] == "raised"


def test_a_press_says_all_is_well_and_is_no_mark():
    rig = Rig().start()
    rig.run(SILENT + 30_000)
    rig.do("press", 1)
    rig.run(60_000)
    assert rig.said("unit_sos") == [] and rig.said("unit_mark") == []
    rig.run(SILENT)
    assert rig.felt().count("pre_alarm") > 4


def test_three_presses_in_fear_say_it_too():
    rig = Rig().start()
    rig.run(SILENT + 30_000)
    rig.do("press", 3)
    rig.run(watch.CHECKIN_S * 1000 - 1000)
    assert rig.felt()[-1] == "taken" and rig.said("unit_sos") == []


def test_moving_on_takes_the_warning_back():
    rig = Rig().start()
    rig.fix()
    rig.run(SILENT + 5000)
    rig.fix(60)
    rig.run(60_000)
    assert rig.said("unit_sos") == []


def test_walking_never_warns():
    rig = Rig().start()
    for n in range(400):
        rig.fix(n * 12)
        rig.run(10_000)
    assert rig.felt() == []


def test_off_duty_and_discreet_it_is_not_watched():
    rig = Rig().start(on_duty=False)
    rig.run(2 * SILENT)
    assert rig.felt() == [] and rig.said("unit_sos") == []
    rig = Rig().start()
    rig.command("discreet", on=True)
    rig.run(2 * SILENT)
    assert rig.said("unit_sos") == []


def test_an_open_sos_is_not_disturbed_by_it():
    rig = Rig().start()
    rig.do("hold", 0)
    rig.command("sos_ack", sos=rig.core.sos.id)
    rig.run(SILENT + 60_000)
    assert rig.felt() == ["raised", "help_is_coming"]
    assert [s for s in rig.said("unit_sos") if s["kind"] != "button"] == []


def test_after_the_close_it_begins_anew():
    rig = Rig().start()
    rig.do("hold", 0)
    rig.command("sos_ack", sos=rig.core.sos.id)
    rig.run(SILENT + 60_000)
    rig.forget()
    rig.command("sos_close", sos=rig.core.sos.id, now_s=rig.core.unit.unix_s())
    rig.run(60_000)
    assert rig.felt() == [] and not rig.core.sos.is_open()


def test_a_fall_warns_and_raises():
    rig = Rig(has=("charger", "accelerometer")).start()
    rig.do("fall")
    assert rig.felt() == ["pre_alarm"]
    rig.run(61_000)
    assert rig.said("unit_sos")[0]["kind"] == "fall"


def test_three_presses_start_the_check_in_and_a_press_renews_it():
    rig = Rig().start()
    rig.do("press", 3)
    assert rig.felt() == ["checkin_on"]
    half = watch.CHECKIN_S * 500
    for _ in range(4):
        rig.run(half)
        rig.fix()
        rig.core.position.motion.moved()
        rig.do("press", 1)
    assert "pre_alarm" not in rig.felt()
    rig.run(2 * half + 61_000)
    assert rig.said("unit_sos")[0]["kind"] == "checkin"


def test_three_presses_again_end_it():
    rig = Rig().start()
    rig.do("press", 3)
    rig.do("press", 3)
    assert rig.felt() == ["checkin_on", "checkin_off"]
    rig.run(watch.CHECKIN_S * 1000 + 61_000)
    assert rig.said("unit_sos") == []


def test_the_plan_may_ask_for_check_ins():
    rig = Rig().start()
    rig.command("plan", points=[], checkin_s=300)
    rig.run(301_000)
    assert rig.felt() == ["pre_alarm"]
    rig.run(60_000)
    assert rig.said("unit_sos")[0]["kind"] == "checkin"


def test_a_receiver_that_is_off_proves_no_silence():
    rig = Rig().start()
    rig.do("battery", 3300)
    rig.run(2 * SILENT)
    assert rig.said("unit_sos") == []

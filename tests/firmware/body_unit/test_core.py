"""Reports, marks, cover, battery, health and safe mode through the whole core."""

from unit_rig import LAT, LON, NOW, Fix, Rig  # beside this file

from body_unit import health


def test_a_position_is_reported_on_duty_only():
    rig = Rig().start(on_duty=False)
    rig.fix()
    assert rig.said("unit_location") == []
    rig.do("charger", False)
    rig.fix()
    (said,) = rig.said("unit_location")
    assert said["lat"] == LAT and said["lon"] == LON and said["tst"] == NOW
    assert said["vel"] == 4 and said["cog"] == 90 and said["acc"] == 5 and said["tid"] == "23"
    rig.run(5000)
    rig.fix(3)
    rig.forget()
    rig.do("charger", True)
    assert len(rig.said("unit_location")) == 1  # where the shift ended
    rig.fix(500)
    assert len(rig.said("unit_location")) == 1


def test_the_shift_is_felt_and_its_state_told():
    rig = Rig().start(on_duty=False)
    assert rig.do("charger", False)[:2] == [("haptic", "on_duty"), ("birth",)]
    assert rig.core.state(True, 3, "wifi")["on_duty"] is True
    assert ("gps", "full") in rig.all
    rig.forget()
    rig.do("charger", True)
    assert rig.felt() == ["off_duty"] and ("gps", "off") in rig.all


def test_state_is_a_birth_and_a_will_of_the_contract():
    from patrol_contract import messages

    rig = Rig().start()
    for online, seq in ((True, 1), (False, 0)):
        fields = {"v": 1, "boot": rig.boot, "seq": seq}
        fields.update(rig.core.state(online, 7, "wifi"))
        assert messages.decode("unit_state", messages.encode("unit_state", fields)) == fields
    assert fields["session"] == 7 and fields["link"] == "wifi" and fields["clock"] == "stored"


def test_a_fix_without_a_time_waits_for_one():
    rig = Rig()
    rig.do("boot", "power_on", None)
    rig.do("charger", False)
    rig.do("fix", Fix(LAT, LON, 5, 0, None, None, 0, 1))
    assert rig.said("unit_location") == []


def test_the_first_fix_with_a_time_is_reported_though_one_without_came_before():
    rig = Rig()
    rig.start(unix_s=None)
    rig.do("fix", Fix(LAT, LON, 5, 130, 6, None, rig.now, 1))
    rig.now += 1000
    rig.do("fix", Fix(LAT + 100, LON, 5, 130, 6, NOW, rig.now, 1))
    assert [f["lat"] for f in rig.said("unit_location", rig.all)] == [LAT + 100]


def test_an_accuracy_of_zero_is_never_sent():
    rig = Rig().start()
    rig.fix(acc_m=0)
    assert rig.said("unit_location")[0]["acc"] == 1


def test_gps_time_sets_the_clock_and_small_differences_do_not():
    rig = Rig()
    rig.do("boot", "power_on", None)
    assert ("clock", NOW) in rig.do("time", NOW, "gps")
    rig.run(10_000)
    assert rig.named("clock", rig.do("time", NOW + 11, "gps")) == []
    assert ("clock", NOW + 60) in rig.do("time", NOW + 60, "gps")
    assert rig.core.state(True, 1, "wifi")["clock"] == "gps"


def test_a_short_press_is_a_mark():
    rig = Rig().start()
    rig.fix()
    rig.do("press", 1)
    (mark,) = rig.said("unit_mark")
    assert mark["fix"]["age_s"] == 0 and mark["tst"] == NOW
    assert rig.felt() == ["taken"]


def test_no_cover_is_felt_once_each_way_and_seldom():
    rig = Rig().start(links=("wifi", "lte"))
    rig.do("link", "wifi", False)
    assert rig.felt() == []
    rig.do("link", "lte", False)
    rig.do("link", "lte", True)
    rig.do("link", "lte", False)
    rig.do("link", "lte", True)
    assert rig.felt() == ["link_lost", "link_back"]
    rig.run(300_000)
    rig.do("link", "lte", False)
    assert rig.felt()[2:] == ["link_lost"]


def test_an_impossible_position_is_marked_and_not_taken_for_ours():
    rig = Rig().start()
    rig.fix()
    rig.run(1000)
    rig.forget()
    rig.fix(5000)
    assert [s.get("mark") for s in rig.said("unit_location")] == ["jump"]
    rig.do("hold", rig.now)
    assert rig.said("unit_sos")[0]["fix"]["lon"] == LON


def test_a_receiver_that_hangs_lets_the_position_grow_old():
    rig = Rig().start()
    for _ in range(90):
        rig.fix(speed_cms=300)
        rig.run(1000)
    assert [s["mark"] for s in rig.said("unit_location") if "mark" in s] == ["frozen"]
    rig.do("hold", rig.now)
    assert rig.said("unit_sos")[0]["fix"]["age_s"] > 20


def test_still_saves_the_receiver_and_moving_wakes_it():
    rig = Rig().start()
    rig.fix()
    rig.run(121_000)
    rig.fix(3)
    assert rig.gps == "still"
    rig.do("motion", True)
    assert rig.gps == "full"
    rig.run(200_000)
    rig.fix(3)
    assert rig.gps == "full"
    rig.do("motion", False)
    rig.run(121_000)
    rig.fix(3)
    assert rig.gps == "still"
    rig.fix(60)
    assert rig.gps == "full"


def test_below_the_reserve_nothing_is_tracked_and_an_sos_still_is():
    rig = Rig().start()
    rig.do("battery", 3300)
    assert rig.gps == "off" and "battery_low" in rig.felt()
    rig.forget()
    rig.fix(1000)
    assert rig.said("unit_location") == []
    rig.do("hold", rig.now)
    assert ("gps", "full") in rig.all and rig.said("unit_sos")[0]["batt"] == 11


def test_health_comes_with_the_shells_figures_and_at_each_battery_step():
    rig = Rig().start()
    rig.do("vitals", {"queue": 3, "heap_free": 40000, "stall_ms": 48, "rssi": -70, "error": "x"})
    rig.run(900_000)
    said = rig.said("unit_health")[-1]
    assert said["queue"] == 3 and said["mv"] == 3900 and said["reset"] == "power_on"
    assert said["link"] == "wifi" and said["resets"] == 1
    rig.forget()
    rig.do("battery", 3500)
    rig.do("battery", 3500)
    assert len(rig.said("unit_health")) == 1


def crash_loop(boots, alive_ms=5000, cause="watchdog"):
    kept = {}
    for n in range(boots):
        rig = Rig(kept, "%016x" % (n + 1))
        rig.do("boot", cause, NOW)
        rig.run(alive_ms)
    return rig


def test_three_boots_in_ten_minutes_are_safe_mode():
    assert not crash_loop(2).core.health.safe
    assert crash_loop(3).core.health.safe
    assert not crash_loop(5, 601_000).core.health.safe


def test_safe_mode_still_sends_sos_and_takes_its_answer_and_nothing_else():
    rig = crash_loop(3)
    rig.do("charger", False)
    rig.do("session", "wifi", True)
    rig.forget()
    rig.fix()
    rig.do("press", 1)
    assert rig.said("unit_location") == [] and rig.said("unit_mark") == []
    assert rig.core.state(True, 1, "wifi")["safe_mode"] is True
    rig.command("rollcall", within_s=60)
    assert rig.acks() == [("rollcall", "refused", "safe mode")]
    rig.do("hold", rig.now)
    rig.do("puback", rig.named("publish")[-1][1])
    rig.command("sos_ack", sos=rig.core.sos.id)
    assert rig.felt()[-3:] == ["raised", "someone_has_it", "help_is_coming"]
    assert rig.said("unit_sos")[0]["fix"]["lat"] == LAT


def test_safe_mode_tries_the_whole_again_but_not_during_an_sos():
    rig = crash_loop(3)
    rig.do("hold", rig.now)
    rig.run(health.SAFE_STAY_MS + 60_000)
    assert rig.named("reboot") == []
    rig.command("sos_close", sos=rig.core.sos.id, now_s=rig.core.unit.unix_s())
    rig.run(60_000)
    assert len(rig.named("reboot")) >= 1


def test_an_ordered_reboot_comes_last_and_does_not_count():
    kept = {}
    for n in range(4):
        rig = Rig(kept, "%016x" % (n + 1))
        rig.county.seq = 10 * n
        rig.do("boot", "software", NOW)
        rig.forget()
        rig.command("reboot")
        assert rig.acks() == [("reboot", "accepted", "")]
        names = [e[0] for e in rig.all]
        assert names.index("publish") < names.index("reboot")
        assert not rig.core.health.safe


def test_the_wake_is_never_later_than_what_is_due():
    rig = Rig().start()
    rig.do("hold", rig.now)
    out = rig.run(60_000)
    times = [e[1] for e in rig.named("wake", out)]
    assert times and len(rig.said("unit_sos")) == 13

"""The SOS through the whole core: raise, pace, answers, cancel, test, discreet, reboot."""

from unit_rig import NOW, Rig  # beside this file

from body_unit import sos, sos_latch


def raised(**how):
    rig = Rig().start(**how)
    rig.run(5000)
    rig.forget()
    rig.do("hold", rig.now - 1500)
    return rig


def names(out):
    return [effect[0] for effect in out]


def test_latched_before_it_is_said_and_felt():
    rig = raised()
    order = names(rig.all)
    assert order.index("latch") < order.index("publish") < order.index("haptic")
    (said,) = rig.said("unit_sos")
    assert said["state"] == "raised" and said["revision"] == 1 and said["kind"] == "button"
    assert rig.named("links") == [("links", "one", True)]
    assert rig.felt() == ["raised"]
    assert ("gps", "full") in rig.all or rig.gps == "full"


def test_revisions_every_5_s_until_the_answer_then_every_30_s():
    rig = raised()
    rig.forget()
    rig.run(20_000)
    assert [s["revision"] for s in rig.said("unit_sos")] == [2, 3, 4, 5]
    rig.command("sos_ack", sos=rig.core.sos.id)
    rig.forget()
    rig.run(90_000)
    assert len(rig.said("unit_sos")) == 3


def test_only_the_newest_update_is_kept_unsent_and_never_the_raise():
    rig = raised()
    rig.run(20_000)
    said = [e for e in rig.named("publish") if e[3] == "unit_sos"]
    dropped = [e[1] for e in rig.named("drop")]
    assert said[0][1] not in dropped and said[-1][1] not in dropped
    assert dropped == [e[1] for e in said[1:-1]]


def test_an_acknowledged_update_is_not_dropped():
    rig = raised()
    rig.run(5000)
    rig.do("puback", rig.named("publish")[-1][1])
    rig.run(5000)
    assert rig.named("drop") == []


def test_three_signals_each_felt_once():
    rig = raised()
    token = rig.named("publish")[0][1]
    rig.do("puback", token)
    rig.do("puback", token)
    rig.run(5000)
    rig.do("puback", rig.named("publish")[-1][1])
    rig.seen(going=False)
    rig.seen(going=True)
    rig.command("sos_ack", sos=rig.core.sos.id)
    rig.command("help", sos=rig.core.sos.id)
    assert rig.felt() == ["raised", "someone_has_it", "help_is_coming"]


def test_seen_is_unsigned_and_stops_nothing():
    rig = raised()
    rig.seen(going=True)
    rig.forget()
    rig.run(10_000)
    assert rig.core.sos.state == sos.OPEN and len(rig.said("unit_sos")) == 2


def test_seen_of_another_sos_is_not_felt():
    rig = raised()
    rig.seen(going=True, sos="00000000000000ff")
    assert rig.felt() == ["raised"]


def test_a_second_hold_is_reported_and_does_not_end_it():
    rig = raised()
    rig.run(8000)
    rig.forget()
    rig.do("hold", rig.now - 1500)
    (said,) = rig.said("unit_sos")
    assert said["state"] == "cancelled" and rig.named("latch")
    rig.forget()
    rig.run(20_000)
    assert [s["state"] for s in rig.said("unit_sos")] == ["cancelled"] * 4
    assert rig.core.sos.is_open()


def test_a_hold_after_the_cancel_raises_the_same_again():
    rig = raised()
    first = rig.core.sos.id
    rig.run(8000)
    rig.do("hold", rig.now - 1500)
    rig.command("sos_ack", sos=first)
    rig.run(8000)
    rig.forget()
    rig.do("hold", rig.now - 1500)
    (said,) = rig.said("unit_sos")
    assert said["state"] == "raised" and said["id"] == first and said["revision"] > 2
    assert rig.felt() == ["raised"] and rig.core.sos.state == sos.OPEN


def test_only_a_signed_close_of_this_sos_ends_it():
    rig = raised()
    rig.command("sos_close", sos="00000000000000ff")
    assert rig.core.sos.is_open()
    rig.command("sos_close", sos=rig.core.sos.id)
    assert not rig.core.sos.is_open() and rig.kept["latch"] == b""
    rig.forget()
    rig.run(60_000)
    assert rig.said("unit_sos") == []


def test_a_new_sos_after_a_close_has_a_new_id():
    rig = raised()
    first = rig.core.sos.id
    rig.command("sos_close", sos=first)
    rig.do("hold", rig.now - 1500)
    assert rig.core.sos.id != first and rig.said("unit_sos")[-1]["revision"] == 1


def test_on_the_cradle_the_gesture_is_a_test_that_goes_there_and_back():
    rig = raised(on_duty=False)
    (said,) = rig.said("unit_sos")
    assert said["state"] == "test" and not rig.core.sos.is_open()
    rig.do("puback", rig.named("publish")[0][1])
    rig.command("sos_ack", sos=said["id"])
    assert rig.felt() == ["raised", "someone_has_it", "help_is_coming"]
    assert rig.core.sos.state == sos.CLOSED and rig.kept["latch"] == b""


def test_a_hold_during_a_test_is_meant_on_the_cradle_too():
    rig = raised(on_duty=False)
    test_id = rig.core.sos.id
    rig.do("hold", rig.now - 1500)
    assert rig.core.sos.is_open() and rig.core.sos.id != test_id
    assert rig.said("unit_sos")[-1]["state"] == "raised"


def test_a_test_that_nobody_answers_ends():
    rig = raised(on_duty=False)
    rig.run(sos.TEST_MS + 5000)
    assert rig.core.sos.state == sos.CLOSED


def test_a_test_without_a_network_says_so_tries_both_links_and_writes_no_sms():
    rig = raised(on_duty=False, links=())
    rig.run(60_000)
    assert rig.felt() == ["raised", "no_network"]
    assert ("links", "all", True) in rig.all and rig.named("sms") == []


def test_the_test_command_does_nothing_to_an_open_sos():
    rig = raised()
    before = rig.core.sos.id
    rig.command("sos_test")
    assert rig.acks()[-1] == ("sos_test", "refused", "SOS open")
    assert rig.core.sos.id == before and rig.core.sos.state == sos.OPEN


def test_no_network_is_felt_within_3_s_and_it_goes_on():
    rig = raised(links=())
    rig.run(3000)
    assert rig.felt() == ["raised", "no_network"]
    rig.forget()
    rig.run(10_000)
    assert len(rig.said("unit_sos")) == 2


def test_with_a_link_no_network_is_not_felt():
    rig = raised()
    rig.run(10_000)
    assert rig.felt() == ["raised"]


def test_20_s_without_the_county_raise_the_other_link_and_only_without_a_broker_an_sms():
    rig = raised()
    rig.do("puback", rig.named("publish")[0][1])
    rig.run(19_900)
    assert ("links", "all", True) not in rig.all
    rig.run(200)
    assert ("links", "all", True) in rig.all and rig.named("sms") == []
    rig.do("session", "wifi", False)
    rig.run(1)
    assert len(rig.named("sms")) == 1


def test_raised_again_it_keeps_both_links_until_it_is_closed():
    rig = raised()
    rig.run(21_000)
    rig.do("hold", rig.now - 1500)
    rig.forget()
    rig.do("hold", rig.now - 1500)
    assert rig.named("links") == [("links", "all", True)]
    rig.command("sos_close", sos=rig.core.sos.id)
    assert rig.named("links")[-1] == ("links", "one", False)


def test_an_answered_sos_does_not_reach_further():
    rig = raised()
    rig.command("sos_ack", sos=rig.core.sos.id)
    rig.run(60_000)
    assert ("links", "all", True) not in rig.all


def test_an_sms_with_the_position_until_the_modem_took_one():
    rig = Rig().start(links=())
    rig.fix()
    rig.do("hold", rig.now)
    rig.run(20_100)
    (sms,) = rig.named("sms")
    assert sms[1].startswith("SOS u-0123 %s 31.2480350,121.5873800 +-5m" % rig.core.sos.id)
    assert len(sms[1]) <= 160 and "batt 7" in sms[1]
    rig.do("sms_sent", False)
    rig.run(11_000)
    assert len(rig.named("sms")) == 2
    rig.run(60_000)
    assert len(rig.named("sms")) == 2
    rig.do("sms_sent", True)
    rig.run(500_000)
    assert len(rig.named("sms")) == 2
    rig.run(120_000)
    assert len(rig.named("sms")) == 3


def test_an_old_position_in_an_sms_says_so():
    rig = Rig().start(links=())
    rig.fix()
    rig.run(60_000)
    rig.do("hold", rig.now)
    rig.run(20_100)
    assert " OLD %d" % NOW in rig.named("sms")[0][1]


def test_the_first_fix_of_an_sos_is_told_at_once():
    rig = raised()
    assert "fix" not in rig.said("unit_sos")[0]
    rig.run(1000)
    rig.forget()
    rig.fix()
    rig.run(1000)
    rig.fix()
    (said,) = rig.said("unit_sos")
    assert said["fix"]["lat"] == 312480350 and said["fix"]["age_s"] == 0
    assert sos_latch.unpack(rig.kept["latch"]).place[:2] == (312480350, 1215873800)


def test_without_a_clock_it_carries_its_uptime():
    rig = Rig()
    rig.do("boot", "power_on", None)
    rig.run(7000)
    rig.do("hold", rig.now - 1500)
    (said,) = rig.said("unit_sos")
    assert said["uptime_ms"] == 7000 and "tst" not in said


def test_without_a_clock_the_open_sos_is_answered_and_closed():
    rig = Rig()
    rig.do("boot", "power_on", None)
    rig.run(7000)
    rig.do("hold", rig.now - 1500)
    rig.command("sos_ack", sos=rig.core.sos.id)
    assert rig.core.sos.state == sos.ANSWERED
    rig.command("sos_close", sos=rig.core.sos.id)
    assert not rig.core.sos.is_open()


def test_a_session_that_comes_up_hears_it_at_once():
    rig = raised(links=())
    rig.run(1000)
    rig.forget()
    rig.do("session", "lte", True)
    assert len(rig.said("unit_sos")) == 1


def test_a_broker_where_nobody_listens_raises_the_other_link():
    rig = raised()
    rig.do("refused", rig.named("publish")[0][1], "no matching subscribers")
    assert ("links", "all", True) in rig.all and rig.felt() == ["raised"]


def test_it_survives_a_reboot_and_a_number_is_never_used_twice():
    rig = raised()
    rig.run(17_000)
    used = rig.said("unit_sos")[-1]["revision"]
    after = rig.reboot("watchdog")
    said = after.said("unit_sos")[0]
    assert said["id"] == rig.core.sos.id and said["revision"] > used
    assert said["state"] == "updated" and said["note"] == "resumed"
    assert after.felt() == ["raised"] and after.core.sos.is_open()
    assert said["since_s"] == 0 or said["since_s"] >= 0


def test_it_survives_many_revisions_and_then_a_reboot():
    rig = raised()
    rig.run(5000 * 200)
    after = rig.reboot()
    assert after.said("unit_sos")[0]["revision"] > rig.said("unit_sos")[-1]["revision"]
    assert len(rig.named("latch")) <= 6


def test_after_a_dead_battery_it_says_so_and_its_position_is_old():
    rig = Rig().start()
    rig.fix()
    rig.do("hold", rig.now)
    after = rig.reboot("power_on", unix_s=None)
    said = after.said("unit_sos")[0]
    assert said["note"] == "battery" and said["fix"]["lat"] == 312480350
    assert said["fix"]["age_s"] > 10**9 and said["fix"]["tst"] == NOW
    after.do("time", NOW + 7200, "gps")
    after.run(5000)
    assert 7200 <= after.said("unit_sos")[-1]["fix"]["age_s"] <= 7206


def test_answered_and_cancelled_survive_too():
    rig = raised()
    rig.command("sos_ack", sos=rig.core.sos.id)
    assert rig.reboot().core.sos.state == sos.ANSWERED
    rig.do("hold", rig.now)
    after = rig.reboot()
    assert after.core.sos.state == sos.CANCELLED_ANSWERED
    assert after.said("unit_sos")[0]["state"] == "cancelled"


def test_a_torn_latch_is_an_sos_that_was_being_raised():
    rig = raised()
    whole = rig.kept["latch"]
    for torn in (whole[:-1], b"\xff" * 38, whole[:4] + b"\x07" + whole[5:]):
        rig.kept["latch"] = torn
        after = rig.reboot("brownout")
        assert after.core.sos.is_open() and after.said("unit_sos")[0]["state"] == "raised"


def test_a_test_does_not_come_back_after_a_reboot():
    rig = raised(on_duty=False)
    after = rig.reboot("power_on")
    assert after.core.sos.state == sos.CLOSED and after.kept["latch"] == b""


def test_a_finger_down_while_the_unit_starts_raises_and_never_cancels():
    rig = Rig()
    rig.do("boot", "power_on", NOW)
    rig.run(1500)
    rig.do("hold", 0)
    assert rig.core.sos.is_open()
    after = rig.reboot()
    after.run(1500)
    after.do("hold", 0)
    assert after.core.sos.state == sos.OPEN


def test_a_stuck_button_is_a_fault_still_sends_and_never_cancels():
    rig = raised()
    rig.run(58_500)
    rig.forget()
    rig.do("button_fault", "stuck")
    assert rig.said("unit_sos")[0]["note"] == "stuck"
    assert rig.said("unit_health")[0]["fault"] == "button stuck"
    rig.do("hold", rig.now - 1500)
    assert rig.core.sos.state == sos.OPEN
    rig.do("button_fault", "")
    rig.do("hold", rig.now - 1500)
    assert rig.core.sos.state == sos.CANCELLED


def test_discreet_is_neither_felt_nor_seen_nor_after_a_reboot():
    rig = Rig().start()
    rig.command("discreet", on=True)
    rig.forget()
    rig.do("hold", rig.now)
    rig.do("puback", rig.named("publish")[0][1])
    rig.seen()
    rig.run(25_000)
    assert rig.said("unit_sos")[0]["discreet"] is True
    assert rig.felt() == [] and rig.named("light") == []
    after = rig.reboot()
    after.run(5000)
    assert after.felt() == [] and after.named("light") == []
    assert after.said("unit_sos")[0]["discreet"] is True


def test_an_open_sos_becomes_discreet_and_stays_so_until_it_is_closed():
    rig = raised()
    rig.command("discreet", on=True)
    rig.command("discreet", on=False)
    assert rig.said("unit_sos")[-1]["discreet"] is True
    rig.forget()
    rig.seen()
    assert rig.felt() == []
    rig.command("sos_close", sos=rig.core.sos.id)
    assert ("discreet", False) in rig.all
    rig.do("press", 1)
    assert rig.felt() == ["taken"]


def test_nothing_reboots_or_updates_during_one():
    rig = raised()
    rig.command("reboot")
    rig.command("update", url="https://x/y", sha256="0" * 64, version="2")
    rig.command("wifi", networks=[{"ssid": "x"}])
    assert [a[1:] for a in rig.acks()] == [("refused", "SOS open")] * 3
    assert not (rig.named("reboot") or rig.named("update") or rig.named("wifi"))


def test_every_state_and_event_of_the_table_is_known():
    for state in range(6):
        for what in sos.HAPPENINGS.split():
            found = sos.row(state, what)
            if found is None:
                continue
            after, action = found
            assert after in range(6) and action in ("raise", "again", "cancel", "answer", "end")
            if state > sos.TEST and after == sos.CLOSED:
                assert what == "close"

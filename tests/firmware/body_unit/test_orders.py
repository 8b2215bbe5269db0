"""Every kind of command: unsigned, replayed, expired, misaddressed, overtaken, without a clock."""

from toy_county import County  # beside this file
from unit_rig import LAT, LON, NOW, Rig

from body_unit import orders
from patrol_contract import messages

OWN = {
    "assist": {"sos": "00000000000000ff", "lat": LAT, "lon": LON},
    "dispatch": {"lat": LAT, "lon": LON, "rad": 30},
    "recall": {},
    "rollcall": {"within_s": 60},
    "locate": {},
    "assign": {"member": "王建国", "role": "squad", "groups": ["z-03"]},
    "plan": {"points": []},
    "discreet": {"on": False},
    "wifi": {"networks": [{"ssid": "kd-07", "psk": "longenough", "broker": "k-07"}]},
    "reboot": {},
    "sos_test": {},
    "update": {"url": "https://county/unit", "sha256": "0" * 64, "version": "0.2.0"},
    "sos_ack": {"sos": "00000000000000ff"},
    "sos_close": {"sos": "00000000000000ff"},
    "help": {"sos": "00000000000000ff"},
}
GOOD = {"sos_ack": "refused", "sos_close": "refused", "help": "refused"}  # no such SOS is open


def test_every_command_of_the_contract_is_tried_here():
    from patrol_contract.catalogue import commands

    assert sorted(OWN) == sorted(commands("unit"))


def last(rig):
    acks = rig.acks()
    return acks[-1] if acks else None


def test_signed_it_is_taken():
    for cmd, own in OWN.items():
        rig = Rig().start()
        rig.command(cmd, **own)
        state, why = last(rig)[1:]
        if cmd in GOOD:
            assert (state, why) == ("refused", "no such SOS open"), cmd
        else:
            assert state in ("received", "accepted", "answered"), (cmd, state, why)


def test_unsigned_or_changed_it_is_refused():
    for cmd, own in OWN.items():
        rig = Rig().start()
        name, payload = rig.county.command("u-0123", cmd, NOW, **own)
        fields = messages.decode(name, payload)
        fields["exp"] += 1
        rig.deliver(name, messages.encode(name, fields))
        assert last(rig)[1:] == ("refused", "signature"), cmd


def test_replayed_it_is_refused_and_after_a_reboot_too():
    for cmd, own in OWN.items():
        rig = Rig().start()
        name, payload = rig.county.command("u-0123", cmd, NOW, **own)
        rig.deliver(name, payload)
        rig.deliver(name, payload)
        assert last(rig)[1:] == ("refused", "replay"), cmd
        after = rig.reboot()
        after.deliver(name, payload)
        assert last(after)[1:] == ("refused", "replay"), cmd


def test_expired_it_is_refused():
    for cmd, own in OWN.items():
        rig = Rig().start()
        rig.command(cmd, now_s=NOW - 1000, **own)
        assert last(rig)[1:] == ("refused", "expired"), cmd


def test_for_another_it_is_refused():
    for cmd, own in OWN.items():
        rig = Rig().start()
        name, payload = rig.county.command("u-0999", cmd, NOW, **own)
        rig.deliver(name, payload)
        assert last(rig)[1:] == ("refused", "target"), cmd


def test_overtaken_on_the_other_route_it_still_counts_once():
    for cmd, own in OWN.items():
        rig = Rig().start()
        late = rig.county.command("u-0123", cmd, NOW, **own)
        rig.command("locate")
        rig.forget()
        rig.deliver(*late)
        assert last(rig)[2] != "replay", cmd
        rig.deliver(*late)
        assert last(rig)[1:] == ("refused", "replay"), cmd


def test_without_a_clock_it_is_refused():
    for cmd, own in OWN.items():
        rig = Rig()
        rig.do("boot", "power_on", None)
        rig.command(cmd, **own)
        assert last(rig)[1:] == ("refused", "clock"), cmd


def test_a_group_is_answered_by_its_members_only():
    rig = Rig().start()
    rig.command("rollcall", to="g/z-03", within_s=60)
    assert last(rig)[1:] == ("refused", "target")
    rig.command("assign", **OWN["assign"])
    assert ("groups", ("all", "z-03")) in rig.all
    rig.command("rollcall", to="g/z-03", within_s=60)
    assert last(rig) == ("rollcall", "received", "")
    after = rig.reboot()
    assert ("groups", ("all", "z-03")) in after.all
    state = after.core.state(True, 1, "wifi")
    assert state["member"] == "王建国" and state["role"] == "squad"


def test_a_flood_costs_two_verifications_a_second_and_sos_words_go_first():
    rig = Rig().start()
    rig.do("hold", rig.now)
    sos = rig.core.sos.id
    rig.forget()
    for _ in range(5):
        _, payload = rig.county.command("u-0123", "locate", NOW)
        rig.do("message", "patrol/v1/c371500/u-0123/cmd", payload)
    _, payload = rig.county.command("u-0123", "sos_ack", NOW, sos=sos)
    rig.do("message", "patrol/v1/c371500/u-0123/cmd", payload)
    assert len(rig.acks()) == 1
    rig.run(1000)
    assert [a[0] for a in rig.acks()] == ["locate", "sos_ack", "locate"]


def test_malformed_is_logged_and_costs_nothing_else():
    rig = Rig().start()
    for payload in (b"", b"{", b"[]", b"\xff\xfe", b'{"cmd":"locate"}'):
        rig.do("message", "patrol/v1/c371500/u-0123/cmd", payload)
    assert rig.core.orders.malformed == 5 and rig.acks() == []


class NoMemory:
    """Stands in for the contract's messages: as on a board whose heap is full."""

    @staticmethod
    def decode(name, payload):
        raise MemoryError


def test_no_memory_for_a_command_costs_that_command_only():
    rig = Rig().start()

    def no_memory(fields, payload):
        raise MemoryError

    rig.core.obey = no_memory
    rig.command("locate")
    assert last(rig) == ("locate", "refused", "no memory for it")
    real = orders.messages
    orders.messages = NoMemory
    try:
        rig.do("message", "patrol/v1/c371500/u-0123/cmd", b"{}")
    finally:
        orders.messages = real
    rig.do("hold", rig.now)
    assert rig.core.sos.is_open()


def test_topics_of_others_are_not_heard():
    rig = Rig().start()
    for topic in ("owntracks/c371500/u-0001", "patrol/v1/c371500/u-0123/sos", "x"):
        rig.do("message", topic, b"{}")
    assert rig.core.orders.malformed == 0


def test_duty_is_ordered_by_since_and_kept():
    rig = Rig().start()
    county = County()
    war = county.duty("all", "war", NOW - 100)
    rig.deliver(*county.duty("all", "raised", NOW - 50), to="g/all")
    assert rig.core.duty.level() == "raised"
    rig.deliver(*war, to="g/all")
    assert rig.core.duty.level() == "raised"
    rig.deliver(*county.duty("all", "war", NOW - 10, until=NOW + 60), to="g/all")
    assert rig.core.duty.level() == "war"
    assert rig.reboot().core.duty.level() == "war"
    rig.run(61_000)
    assert rig.core.duty.level() == "normal"


def test_duty_of_another_zone_does_not_count_and_the_highest_of_ours_does():
    rig = Rig().start()
    rig.command("assign", member="x", role="volunteer", groups=["z-03", "q-1"])
    county = County()
    rig.deliver(*county.duty("z-03", "raised", NOW), to="g/z-03")
    rig.deliver(*county.duty("q-1", "normal", NOW), to="g/q-1")
    rig.deliver(*county.duty("z-09", "war", NOW), to="g/z-09")
    assert rig.core.duty.level() == "raised"


def test_a_duty_message_on_a_foreign_topic_is_refused():
    rig = Rig().start()
    rig.command("assign", member="x", role="volunteer", groups=["z-03"])
    rig.deliver(*County().duty("z-03", "war", NOW), to="g/all")
    assert rig.acks()[-1][1:] == ("refused", "target")
    assert rig.core.duty.level() == "normal"


def test_locate_answers_with_a_position_and_off_duty_not():
    rig = Rig().start()
    rig.fix()
    rig.forget()
    rig.command("locate")
    assert rig.said("unit_location")[0]["t"] == "r" and last(rig)[1] == "answered"
    rig.do("charger", True)
    rig.command("locate")
    assert last(rig)[1:] == ("refused", "off duty")


def test_an_update_that_the_shell_cannot_do_is_refused():
    rig = Rig(has=("charger",)).start()
    rig.command("update", **OWN["update"])
    assert last(rig)[1] == "refused" and rig.named("update") == []


def test_wifi_gives_the_shell_the_list():
    rig = Rig().start()
    rig.command("wifi", **OWN["wifi"])
    assert rig.named("wifi") == [("wifi", (("kd-07", "longenough", "k-07"),))]


def wifi(rig, *rows):
    rig.forget()
    rig.command("wifi", networks=[dict(row) for row in rows])
    return last(rig)[1:]


def test_a_network_that_leads_to_a_broker_unknown_here_is_refused():
    rig = Rig().start()
    assert wifi(rig, {"ssid": "a", "broker": "k-99"}) == ("refused", "no broker k-99 here")
    assert rig.named("wifi") == []


def test_a_network_that_names_no_broker_leads_to_the_usual_one():
    rig = Rig().start()
    assert wifi(rig, {"ssid": "a"}) == ("accepted", "")
    assert rig.named("wifi") == [("wifi", (("a", "", "county"),))]


def test_the_last_way_in_is_not_taken_away():
    assert wifi(Rig(has=("charger",)).start()) == ("refused", "the last way in")
    assert wifi(Rig(has=("charger", "lte")).start()) == ("accepted", "")


def test_nothing_reboots_or_changes_the_networks_during_an_sos():
    rig = Rig().start()
    rig.do("hold", rig.now)
    for cmd in ("reboot", "wifi", "update", "sos_test"):
        rig.command(cmd, **OWN[cmd])
        assert last(rig)[1:] == ("refused", "SOS open"), cmd
    assert rig.named("reboot") == rig.named("wifi") == rig.named("update") == []

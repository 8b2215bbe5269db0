from unit_rig import LAT, LON, Rig  # beside this file

HERE = {"lat": LAT, "lon": LON}
FAR = {"lat": LAT + 90_000, "lon": LON}  # 1 km north


def test_a_roll_call_is_answered_by_a_press_with_the_fix():
    rig = Rig().start()
    rig.fix()
    rig.command("rollcall", within_s=60)
    assert rig.felt() == ["asked"]
    rig.run(10_000)
    rig.do("press", 1)
    assert rig.acks() == [("rollcall", "received", ""), ("rollcall", "answered", "")]
    assert rig.said("unit_ack")[-1]["fix"]["lat"] == LAT and rig.said("unit_mark") == []
    assert rig.felt() == ["asked", "taken"]


def test_not_answered_is_not_the_same_as_not_delivered():
    rig = Rig().start()
    rig.command("rollcall", within_s=60)
    rig.run(61_000)
    rig.do("press", 1)
    assert rig.acks() == [("rollcall", "received", "")]
    assert len(rig.said("unit_mark")) == 1
    assert rig.felt() == ["asked", "asked", "asked", "taken"]


def test_a_dispatch_is_accepted_and_on_scene_when_there_and_standing():
    rig = Rig().start()
    rig.command("dispatch", rad=30, **FAR)
    rig.do("press", 1)
    rig.fix(0, 1000, speed_cms=150)
    rig.run(10_000)
    rig.fix(0, 1005, speed_cms=150)
    assert [a[1] for a in rig.acks()] == ["received", "accepted"]
    for _ in range(10):
        rig.fix(0, 1003, speed_cms=10)
        rig.run(1000)
    assert [a[1] for a in rig.acks()] == ["received", "accepted", "onscene"]


def test_standing_outside_the_radius_is_not_on_scene():
    rig = Rig().start()
    rig.command("dispatch", rad=30, **FAR)
    rig.do("press", 1)
    for _ in range(20):
        rig.fix(0, 950, speed_cms=10)
        rig.run(1000)
    assert rig.acks()[-1][1] == "accepted"


def test_a_dispatch_that_was_not_accepted_is_never_on_scene():
    rig = Rig().start()
    rig.command("dispatch", rad=30, **HERE)
    for _ in range(20):
        rig.fix(speed_cms=10)
        rig.run(1000)
    assert [a[1] for a in rig.acks()] == ["received"]


def test_recall_closes_what_was_going_and_asks_for_a_press():
    rig = Rig().start()
    rig.command("dispatch", rad=30, **FAR)
    rig.do("press", 1)
    rig.command("recall")
    assert ("dispatch", "closed", "") in rig.acks()
    rig.do("press", 1)
    assert rig.acks()[-1] == ("recall", "accepted", "")


def test_a_press_answers_what_was_felt_last():
    rig = Rig().start()
    rig.command("rollcall", within_s=60)
    rig.command("assist", sos="00000000000000ff", **FAR)
    assert rig.felt() == ["asked", "assist"]
    rig.do("press", 1)
    assert rig.acks()[-1] == ("assist", "accepted", "")
    rig.do("press", 1)
    assert rig.acks()[-1] == ("rollcall", "answered", "")


def test_a_discreet_sos_is_not_given_away_by_a_motor_beside_it():
    near, far, lost = Rig().start(), Rig().start(), Rig().start()
    near.fix()
    far.fix(0, -500)
    for rig in (near, far, lost):
        rig.command("assist", sos="00000000000000ff", discreet=True, **HERE)
        assert rig.acks()[-1][1] == "received"
        rig.run(60_000)
    assert near.felt() == [] and lost.felt() == [] and far.felt()[0] == "assist"


def test_the_own_sos_does_not_call_its_own_unit():
    rig = Rig().start()
    rig.do("hold", rig.now)
    rig.forget()
    rig.command("assist", to="g/all", sos=rig.core.sos.id, **HERE)
    assert rig.felt() == [] and rig.acks() == [("assist", "received", "own SOS")]


def test_the_oldest_makes_room():
    rig = Rig().start()
    for _ in range(6):
        rig.command("rollcall", within_s=600)
    for _ in range(5):
        rig.do("press", 1)
    assert [a[1] for a in rig.acks()].count("answered") == 4 and len(rig.said("unit_mark")) == 1

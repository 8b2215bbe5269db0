"""Points, lines and areas of a plan, walked through the whole core."""

from unit_rig import LAT, LON, NOW, Rig  # beside this file

NORTH_1KM = 89_830


def point(name, north_m=0, **more):
    row = {
        "id": name,
        "desc": "点" + name,
        "lat": LAT + north_m * 8983 // 100,
        "lon": LON,
        "rad": 30,
    }
    row.update(more)
    return row


def planned(*points, **more):
    rig = Rig().start()
    rig.command("plan", points=list(points), **more)
    rig.forget()
    return rig


def walk(rig, from_m, to_m, step_m=2, acc_m=5):
    """Along the meridian at 2 m/s, a fix a second."""
    for m in range(from_m, to_m, step_m if to_m > from_m else -step_m):
        rig.run(1000)
        rig.fix(0, m, speed_cms=200, acc_m=acc_m)


def turns(rig):
    return [(t["event"], t["rid"]) for t in rig.said("unit_transition")]


def missing(rig):
    return [a["why"] for a in rig.said("unit_ack") if a["state"] == "closed" and "why" in a]


def test_a_point_walked_through_is_entered_and_left():
    rig = planned(point("a", 100))
    walk(rig, 0, 250)
    assert turns(rig) == [("enter", "a"), ("leave", "a")]
    enter, leave = rig.said("unit_transition")
    assert enter["desc"] == "点a" and enter["tst"] < leave["tst"] and enter["wtst"] == NOW
    assert rig.core.rounds._places[0].done == 1


def test_noise_at_the_edge_turns_nothing_twice():
    rig = planned(point("a", 100))
    walk(rig, 0, 84)
    for n in range(120):
        rig.run(1000)
        rig.fix((n * 7) % 11 - 5, 66 + (n * 5) % 9, speed_cms=20)
    assert turns(rig) == [("enter", "a")]


def test_a_single_wild_fix_is_no_visit():
    rig = planned(point("a", 1000))
    walk(rig, 0, 20)
    rig.run(1000)
    rig.fix(0, 1000)
    walk(rig, 22, 60)
    assert (
        turns(rig) == [] and [m.get("mark") for m in rig.said("unit_location")].count("jump") == 1
    )


def test_three_fixes_inside_are_still_noise():
    rig = planned(point("a", 100))
    for n in range(60):
        rig.run(1000)
        rig.fix(0, 75 if n % 10 in (5, 6, 7) else 62, speed_cms=20)
    assert turns(rig) == []


def test_a_coarse_fix_says_nothing():
    rig = planned(point("a", 100))
    walk(rig, 0, 250, acc_m=80)
    assert turns(rig) == []


def test_a_stay_too_short_is_entered_but_not_counted():
    rig = planned(point("a", 100, stay_s=120))
    walk(rig, 0, 250)
    assert turns(rig) == [("enter", "a"), ("leave", "a")]
    assert rig.core.rounds._places[0].done == 0
    walk(rig, 250, 100)
    for _ in range(130):
        rig.run(1000)
        rig.fix(0, 100, speed_cms=10)
    assert rig.core.rounds._places[0].done == 1


def test_the_end_of_the_window_says_what_is_missing():
    rig = planned(
        point("a", 100, until=NOW + 900, rounds=2),
        point("b", 600, until=NOW + 900),
        point("c", 9000),
    )
    walk(rig, 0, 250)
    rig.run(900_000)
    assert missing(rig) == ["a: 1 of 2 rounds", "b: 0 of 1 rounds"]
    rig.run(900_000)
    assert len(missing(rig)) == 2


def test_a_plan_walked_whole_is_closed_without_a_reason():
    rig = planned(point("a", 100, until=NOW + 600))
    walk(rig, 0, 250)
    rig.run(600_000)
    closed = [a for a in rig.said("unit_ack") if a["state"] == "closed"]
    assert len(closed) == 1 and "why" not in closed[0] and closed[0]["cmd"] == "plan"


def test_outside_its_window_a_visit_does_not_count():
    rig = planned(point("a", 100, **{"from": NOW + 600, "until": NOW + 900}))
    walk(rig, 0, 250)
    assert len(turns(rig)) == 2
    rig.run(900_000)
    assert missing(rig) == ["a: 0 of 1 rounds"]


def test_two_rounds_need_two_visits():
    rig = planned(point("a", 100, rounds=2, until=NOW + 900))
    walk(rig, 0, 250)
    walk(rig, 250, 0)
    rig.run(900_000)
    assert missing(rig) == [] and len(turns(rig)) == 4


def test_a_line_walked_back_is_not_a_second_round():
    rig = planned(point("a", 100), point("b", 300), point("c", 500), ordered=True)
    walk(rig, 0, 600)
    walk(rig, 600, 0)
    assert [p.done for p in rig.core.rounds._places] == [2, 1, 1]
    assert len(turns(rig)) == 12


def test_a_line_walked_twice_is_two_rounds():
    rig = planned(point("a", 100), point("b", 300), ordered=True)
    for _ in range(2):
        walk(rig, 0, 400)
        walk(rig, 400, 0, 30)
    done = [p.done for p in rig.core.rounds._places]
    assert done[0] >= 2 and done[1] == 2


def test_an_area_is_entered_and_left():
    corners = [(0, 100), (0, 300), (300, 300), (300, 100)]
    area = [
        {"lat": LAT + n * 8983 // 100, "lon": LON + (e - 100) * 10508 // 100} for e, n in corners
    ]
    rig = planned(area=area)
    walk(rig, 0, 420)
    assert turns(rig) == [("enter", "area"), ("leave", "area")]
    enter, leave = rig.said("unit_transition")
    assert abs(enter["lat"] - (LAT + 106 * 8983 // 100)) < 900
    assert leave["desc"] == "片区"


def test_every_enter_has_its_leave_when_the_shift_ends():
    rig = planned(point("a", 100))
    walk(rig, 0, 100)
    rig.do("charger", True)
    assert turns(rig) == [("enter", "a"), ("leave", "a")]


def test_every_enter_has_its_leave_when_a_new_plan_comes():
    rig = planned(point("a", 100))
    walk(rig, 0, 100)
    rig.command("plan", points=[point("b", 900)], now_s=rig.core.unit.unix_s())
    assert turns(rig) == [("enter", "a"), ("leave", "a")]


def test_every_enter_has_its_leave_over_a_reboot_and_counts_once():
    rig = planned(point("a", 100), point("b", 400))
    walk(rig, 0, 100)
    later = rig.core.unit.unix_s()
    after = rig.reboot(unix_s=later)
    after.do("charger", False)
    walk(after, 100, 300)
    assert turns(after) == [("leave", "a")]
    assert [p.done for p in after.core.rounds._places] == [1, 0]


def test_a_point_without_a_window_belongs_to_the_shift():
    rig = planned(point("a", 100), point("b", 900))
    walk(rig, 0, 250)
    rig.do("charger", True)
    assert missing(rig) == ["b: 0 of 1 rounds"]
    rig.do("charger", False)
    rig.do("charger", True)
    assert len(missing(rig)) == 3


def test_below_the_reserve_whoever_is_inside_leaves():
    rig = planned(point("a", 100))
    walk(rig, 0, 100)
    rig.do("battery", 3200)
    assert turns(rig) == [("enter", "a"), ("leave", "a")]

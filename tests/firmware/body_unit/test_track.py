from unit_rig import LAT, LON, NOW, Fix  # beside this file

from body_unit import geo, policy, power
from body_unit.doubt import JUMPS_BELIEVED, Doubt
from body_unit.policy import Rule
from body_unit.track import Track

RULE = Rule(200, 12, 300)


def fix(second, east_m, north_m, speed_cms=120, acc_m=4):
    lat7 = LAT + north_m * 8983 // 100
    lon7 = LON + east_m * 10508 // 100
    return Fix(lat7, lon7, acc_m, speed_cms, None, NOW + second, second * 1000, 1)


def run(fixes, rule=RULE):
    track = Track()
    return [due for due in [track.feed(rule, f) for f in fixes] if due]


def test_a_straight_walk_reports_by_distance_only():
    found = run([fix(s, s, 0) for s in range(0, 600)])
    assert [why for _, why in found] == ["first", "distance", "distance"]


def test_a_corner_is_reported_at_the_corner():
    way = [fix(s, s, 0) for s in range(100)] + [fix(100 + s, 100, s) for s in range(80)]
    found = run(way)
    assert [why for _, why in found] == ["first", "bend"]
    corner = found[1][0]
    away_dm = geo.distance_dm(corner.lat7, corner.lon7, fix(0, 100, 0).lat7, fix(0, 100, 0).lon7)
    assert away_dm < 400


def test_a_stop_on_a_straight_is_a_bend_in_time():
    way = [fix(s, min(s, 60), 0) for s in range(120)] + [fix(120 + s, 60 + s, 0) for s in range(60)]
    assert "bend" in [why for _, why in run(way)]


def test_standing_reports_by_time():
    found = run([fix(s, 0, 0, speed_cms=0) for s in range(700)])
    assert [why for _, why in found] == ["first", "time", "time"]


def test_a_straight_longer_than_the_window_keeps_its_memory_flat():
    found = run([fix(s, s, 0) for s in range(0, 3000)], Rule(10_000, 12, 10_000))
    assert [why for _, why in found] == ["first"]


def test_an_impossible_speed_is_marked_once_and_not_believed():
    doubt = Doubt()
    assert doubt.of(fix(0, 0, 0)) == ""
    assert doubt.of(fix(1, 900, 0)) == "jump" and doubt.is_news()
    assert doubt.of(fix(2, 905, 0)) == "jump" and not doubt.is_news()
    assert doubt.of(fix(3, 3, 0)) == ""


def test_a_new_place_that_stays_is_believed_in_the_end():
    doubt = Doubt()
    doubt.of(fix(0, 0, 0))
    found = [doubt.of(fix(second, 900, 0)) for second in range(1, JUMPS_BELIEVED + 2)]
    assert found == ["jump"] * (JUMPS_BELIEVED - 1) + ["", ""]


def test_after_a_tunnel_it_is_no_jump():
    doubt = Doubt()
    doubt.of(fix(0, 0, 0))
    assert doubt.of(fix(120, 2000, 0)) == ""


def test_a_receiver_that_hangs_is_marked_until_it_moves():
    doubt = Doubt()
    found = [doubt.of(fix(s, 0, 0, speed_cms=300)) for s in range(130)]
    assert found == [""] * 60 + ["frozen"] * 70
    assert doubt.of(fix(131, 5, 0, speed_cms=300)) == ""


def test_standing_is_not_hanging():
    doubt = Doubt()
    assert {doubt.of(fix(s, 0, 0, speed_cms=10)) for s in range(200)} == {""}


def test_distances_are_right_within_half_a_per_cent():
    # From WGS-84's radii of curvature: 0.01 degree each way at 31.2 N; 0.01 degree over 180 E.
    assert abs(geo.distance_dm(LAT, LON, LAT + 100_000, LON + 100_000) - 14_617) < 73
    assert abs(geo.distance_dm(0, 1_799_950_000, 0, -1_799_950_000) - 11_132) < 56
    assert geo.distance_dm(LAT, LON, LAT, LON) == 0


def test_a_step_of_one_metre_is_seen_everywhere():
    for lat7 in (0, 364_561_200, -540_000_000, 899_000_000):
        east, north = geo.offset_dm(lat7, LON, lat7 + 90, LON)
        assert (east, north) == (0, 10)


def test_segments_and_sides():
    a, b = (0, 0), (100, 0)
    assert geo.to_segment_dm(a, b, 50, 30) == 30
    assert geo.to_segment_dm(a, b, -30, 40) == 50
    assert geo.to_segment_dm(a, b, 130, 40) == 50
    assert geo.to_segment_dm(a, a, 3, 4) == 5
    assert geo.crosses((10, -10), (10, 10), 0, 0) and not geo.crosses((10, -10), (10, 10), 20, 0)


def test_a_higher_level_never_reports_less():
    for role in policy.ROLES:
        rows = [policy.rule(level, role, "normal") for level in policy.LEVELS]
        for i in range(2):
            low, high = rows[i], rows[i + 1]
            assert high.distance_m < low.distance_m and high.time_s < low.time_s
            assert high.bend_m <= low.bend_m


def test_an_unknown_role_is_tracked_as_finely_as_a_volunteer():
    finest = policy.rule("raised", "volunteer", "normal")
    assert policy.rule("raised", "民兵", "normal") == finest


def test_low_battery_halves_the_reports_and_the_reserve_ends_them():
    full, low = (policy.rule("normal", "squad", step) for step in ("normal", "low"))
    assert low == tuple(2 * n for n in full)
    assert policy.rule("war", "squad", "reserve") is None
    assert policy.rule("war", "squad", "empty") is None


def test_the_table_is_printed_whole():
    lines = list(policy.lines())
    assert len(lines) == 1 + len(policy.LEVELS) * len(policy.ROLES) and "war" in lines[-1]


def test_the_battery_curve_falls_and_is_whole():
    last = 101
    for mv in range(4300, 2500, -10):
        left = power.percent(mv)
        assert 0 <= left <= 100 and left <= last
        last = left
    assert power.percent(4200) == 100 and power.percent(2600) == 0 and power.percent(3660) == 48
    assert len(power.CURVE_MV) == len(power.CURVE_PERCENT)
    for curve in (power.CURVE_MV, power.CURVE_PERCENT):
        for i in range(len(curve) - 1):
            assert curve[i] > curve[i + 1]


def test_battery_steps_go_down_at_once_and_up_with_something_to_spare():
    assert power.step(29) == "low" and power.step(14) == "reserve" and power.step(2) == "empty"
    assert power.step(31, "low") == "low" and power.step(35, "low") == "normal"
    assert power.step(16, "reserve") == "reserve" and power.step(100, "empty") == "normal"

"""The receiver as the core sees it: fixes, no fix, time. Requirements 2 to 7."""

import gc

import nmea
from nmea import gga, rmc, sentence

from body_unit.gps import EXPIRES_MS, Gps

BUILD = 1793000000  # October 2026
T1 = 1795280401  # 2026-11-21 17:00:01


def fixes(events):
    return [e[1] for e in events if e[0] == "fix"]


def names(events):
    return [e[0] for e in events]


def fixed(now_ms=0):
    """A receiver with two good seconds behind it: has a fix and trusts the date."""
    gps = Gps(BUILD)
    for time in ("165959.00", "170000.00"):
        gps.feed(rmc(time) + gga(time), now_ms)
    return gps


def test_one_fix_of_the_two_sentences_in_either_order():
    for data in (rmc() + gga(), gga() + rmc()):
        gps = fixed()
        (fix,) = fixes(gps.feed(data, 1000))
        assert fix.lat7 == 312479817 and fix.lon7 == 1215874033
        assert (fix.acc_m, fix.speed_cms, fix.course_deg) == (5, 129, 87)
        assert (fix.unix_s, fix.at_ms, fix.quality) == (T1, 1000, 1)
        assert gps.satellites == 9


def test_every_talker_is_the_same():
    for talker in ("GN", "GP", "BD", "GB", "GL", "GA", "GQ", "QZ", "GI"):
        assert fixes(fixed().feed(rmc(talker=talker) + gga(talker=talker), 0)), talker
    assert not fixes(fixed().feed(rmc(talker="XX") + gga(talker="XX"), 0))


def test_rmc_of_11_12_and_13_fields_and_dgps_age_with_decimals():
    for data in (rmc(mode=None), rmc(), rmc(more=",V"), rmc(mode="D")):
        assert fixes(fixed().feed(data + gga(), 0)), data
    (fix,) = fixes(fixed().feed(rmc() + gga(quality="2", age="6.6"), 0))
    assert fix.quality == 2


def test_gsv_and_gsa_of_nmea_4_10_and_before():
    gps = Gps(BUILD)
    for body in (
        "GPGSA,A,3,23,09,16,07,26,03,27,22,,,,,1.71,1.01,1.38",
        "GNGSA,A,3,01,06,14,15,17,19,20,22,24,30,,,1.3,0.8,1.1,1",
    ):
        gps.feed(sentence(body), 0)
        assert gps.fix_quality_3d == 3, body
    assert gps.hdop < 0.9
    gps.feed(sentence("GPGSV,1,1,02,05,307,,03,21,174,29,04"), 0)
    for body, count in (
        ("BDGSV,1,1,04,13,41,062,19,27,40,172,25,28,57,104,32,38,21,045,31,0", 4),
        ("GPGSV,1,1,01,05,30,112,27", 1),
    ):
        gps.feed(sentence(body), 0)
        assert gps.satellites_in_view == count, body


def test_four_quarters_of_the_earth():
    for north, south in (("N", 1), ("S", -1)):
        for east, west in (("E", 1), ("W", -1)):
            place = ("0012.34567", north, "00000.00001", east)
            (fix,) = fixes(fixed().feed(rmc(place=place) + gga(place=place), 0))
            assert (fix.lat7, fix.lon7) == (south * 2057612, west * 2)


def test_places_that_cannot_be_are_refused_and_keep_the_fix():
    for place in (
        ("3160.00000", "N", "12135.24420", "E"),
        ("9100.00000", "N", "12135.24420", "E"),
        ("3114.87890", "Q", "12135.24420", "E"),
        ("3114.87890", "N", "18135.24420", "E"),
        ("3114.87890", "N", "2135.24420", "E"),
        ("0000.00000", "N", "00000.00000", "E"),
    ):
        gps = fixed()
        assert not gps.feed(rmc(place=place) + gga(place=place), 0), place
        assert gps.refused == 2


def test_invalid_at_once():
    empty = ("", "", "", "")
    for data in (
        rmc(status="V"),
        rmc(mode="N"),
        rmc(mode="E"),
        rmc(mode="S"),
        rmc(place=empty),
        gga(quality="0"),
        gga(quality="6"),
        gga(quality=""),
        gga(place=empty),
        sentence("GNRMC,,V,,,,,,,,,,N"),
        sentence("GNRMC,170001.00,V,,,,,,,211126,,,N"),
    ):
        gps = fixed()
        assert names(gps.feed(data, 0)) == ["no_fix"], data
        assert not gps.feed(data, 0)  # said once
        assert fixes(gps.feed(rmc("170002.00") + gga("170002.00"), 0))


def test_one_bad_half_spoils_its_second():
    for data in (
        rmc(status="V") + gga(),
        gga() + rmc(status="V"),
        rmc() + gga(quality="0"),
        gga(quality="0") + rmc(),
    ):
        assert names(fixed().feed(data, 0)) == ["no_fix"]


def test_two_halves_that_disagree_are_no_fix():
    elsewhere = ("3114.97890", "N", "12135.24420", "E")
    assert not fixed().feed(rmc() + gga(place=elsewhere), 0)
    assert not fixed().feed(rmc("170001.00") + gga("170002.00"), 0)


def test_a_fix_expires_by_age():
    gps = fixed(1000)
    assert not gps.feed(b"", 1000 + EXPIRES_MS)
    assert gps.feed(b"", 1001 + EXPIRES_MS) == [("no_fix",)]
    assert not gps.feed(b"", 99000)


def test_only_one_kind_of_sentence():
    for one in (rmc, gga):
        gps = Gps(BUILD)
        seen = []
        for second in range(5):
            seen += fixes(gps.feed(one("17000%d.00" % second), second * 1000))
        assert len(seen) == 4  # each when the next second begins
        assert len(fixes(gps.feed(b"", 4600))) == 1  # the last when nothing follows
        assert [f.at_ms for f in seen] == [0, 1000, 2000, 3000]


def test_where_both_are_usual_one_alone_is_not_believed():
    gps = fixed()
    assert not gps.feed(rmc("170001.00"), 1000)
    assert not gps.feed(rmc("170002.00"), 2000)
    assert fixes(gps.feed(gga("170002.00"), 2100))


def test_date_only_from_rmc_and_zda_and_only_when_two_agree():
    gps = Gps(BUILD)
    assert fixes(gps.feed(rmc() + gga(), 0))[0].unix_s is None
    assert fixes(gps.feed(rmc("170002.00") + gga("170002.00"), 0))[0].unix_s == T1 + 1
    wrong = rmc("170003.00", date="221126")
    assert fixes(gps.feed(wrong + gga("170003.00"), 0))[0].unix_s is None
    gps = Gps(BUILD)
    for second in range(12):
        time = "1700%02d.00" % second
        gps.feed(gga(time), second * 1000)
        gps.feed(sentence("GNZDA,%s,21,11,2026,00,00" % time), second * 1000 + 100)
    assert (
        fixes(list(gps.feed(gga("170012.00"), 12000)) + list(gps.feed(b"", 13000)))[-1].unix_s
        == T1 + 11
    )


def test_zda_without_a_fix_is_only_the_receivers_quartz():
    gps = Gps(BUILD)
    for time in ("170000.00", "170001.00"):
        gps.feed(sentence("GNZDA,%s,21,11,2026,00,00" % time), 0)
    assert fixes(gps.feed(rmc("165900.00") + gga("165900.00"), 0))[0].unix_s is None


def test_midnight_with_gga_first():
    gps = Gps(BUILD)
    got = []
    for time, date in (
        ("235958.00", "211126"),
        ("235959.00", "211126"),
        ("000000.00", "221126"),
        ("000001.00", "221126"),
    ):
        got += fixes(gps.feed(gga(time) + rmc(time, date), 0))
    midnight = 1795305600
    assert [f.unix_s for f in got] == [None, midnight - 1, midnight, midnight + 1]


def test_midnight_with_gga_alone_between_two_rmc():
    gps = Gps(BUILD)
    for time in ("235958.00", "235959.00"):
        gps.feed(gga(time) + rmc(time), 0)
    events = list(gps.feed(gga("000000.00"), 20000)) + list(gps.feed(b"", 21000))
    assert [f.unix_s for f in fixes(events)] == [1795305600]


def test_second_60():
    gps = Gps(BUILD)
    got = []
    for time, date in (
        ("235959.00", "311226"),
        ("235960.00", "311226"),
        ("000000.00", "010127"),
        ("000001.00", "010127"),
    ):
        got += fixes(gps.feed(rmc(time, date) + gga(time), 0))
    new_year = 1798761600
    assert [f.unix_s for f in got] == [None, new_year, new_year, new_year + 1]


def test_22_august_1999_and_other_rollovers_are_no_date():
    for date in ("220899", "060407", "210806", "010149"):
        gps = Gps(BUILD)
        for time in ("170001.00", "170002.00", "170003.00"):
            events = gps.feed(rmc(time, date) + gga(time), 0)
            assert names(events) == ["fix"], date  # the place is good, no time is told
            assert fixes(events)[0].unix_s is None, date


def test_a_broken_date_costs_the_sentence():
    assert not fixed().feed(rmc(date="2208-1") + gga(), 0)
    assert fixes(fixed().feed(rmc(date="") + gga(), 0))


def test_the_clock_is_told_once_a_minute():
    gps = Gps(BUILD)
    told = []
    for second in range(59):
        time = "1700%02d.00" % second
        told += [e for e in gps.feed(rmc(time) + gga(time), second * 1000) if e[0] == "time"]
    assert told == [("time", T1, "gps")]
    events = gps.feed(rmc("170101.00") + gga("170101.00"), 61000)
    assert events[-1] == ("time", T1 + 60, "gps")


def test_numbers_that_only_python_would_take():
    for speed in ("nan", "1e9", "inf", "-5", "1_0", "9" * 60):
        body = "GNRMC,170001.00,A,%s,%s,%s,211126,,,A" % (",".join(nmea.PLACE), speed, speed)
        for fix in fixes(fixed().feed(sentence(body) + gga(), 0)):
            assert fix.speed_cms in (0, 102889) and fix.course_deg in (0, None), speed
    (fix,) = fixes(fixed().feed(rmc() + gga(hdop="99.99"), 0))
    assert fix.acc_m == 500
    (fix,) = fixes(fixed().feed(rmc() + gga(hdop=""), 0))
    assert fix.acc_m == 50


def test_fields_missing_or_too_many_never_raise():
    gps = fixed()
    for kind in ("RMC", "GGA", "ZDA", "GSA", "GSV"):
        for count in range(25):
            for filler in ("", "A", "1", "999999999999", "N", "-1", "1.5"):
                gps.feed(sentence("GN" + kind + ("," + filler) * count), 0)
    assert fixes(gps.feed(rmc("180001.00") + gga("180001.00"), 0))


def test_any_split_gives_the_same():
    stream = b"".join(
        [
            gga("17000%d.00" % s) + b"\xb5\x62\x00" + rmc("17000%d.00" % s) + b"$GNGS"
            for s in range(3)
        ]
    )
    whole = Gps(BUILD).feed(stream, 0)
    assert len(fixes(whole)) == 3
    for size in (1, 2, 3, 7, 48, 100):
        gps = Gps(BUILD)
        got = []
        for i in range(0, len(stream), size):
            got += gps.feed(stream[i : i + size], 0)
        assert got == whole, size


def test_heap_stays_flat():
    if not hasattr(gc, "mem_alloc"):
        return  # CPython counts otherwise; the two MicroPythons run this
    gps = fixed()
    gsv = sentence("BDGSV,2,1,08,13,41,062,19,27,40,172,25,28,57,104,32,38,21,045,31,0")
    used = []
    for minute in range(30):
        for second in range(60):
            time = "18%02d%02d.00" % (minute, second)
            gps.feed(rmc(time) + gsv + gga(time), (minute * 60 + second) * 1000)
        gc.collect()
        used.append(gc.mem_alloc())
    assert max(used[10:]) - min(used[10:]) < 600, used

"""Integer positions, times and dates from text (requirements 4 and 6)."""

from body_unit import gps_fields as f


def test_position_to_the_last_unit():
    for text, want in (
        ("4404.14063", 440690105),
        ("3114.8789", 312479817),
        ("4829.0005", 484833417),
        ("0000.0001", 17),
        ("0000.00000", 0),
        ("0059.99999999", 10000000),
        ("8959.9999999", 900000000),
        ("9000.000", 900000000),
        ("4134.49795459", 415749659),
        ("4134.", 415666667),
        ("4134", 415666667),
    ):
        assert f.latitude(text, "N") == want, text
        assert f.latitude(text, "S") == -want
        assert f.longitude("0" + text, "E") == want
        assert f.longitude("0" + text, "W") == -want
    assert f.longitude("17959.99999", "W") == -1799999998


def test_near_the_equator_and_greenwich_the_sign_stays():
    assert f.latitude("0012.00000", "S") == -2000000
    assert f.longitude("00012.00000", "W") == -2000000


def test_what_is_no_position():
    for text in (
        "",
        "4404",
        "440",
        "44O4.1",
        "4460.0000",
        "4499.9",
        "9000.0001",
        "9100.0",
        "-404.1",
    ):
        if text != "4404":
            assert f.latitude(text, "N") is None, text
    for text in ("44041.4", "4404,1", "4404.1.2", "4404.1a", "4404.-1", "4404.1234567x", " 404.1"):
        assert f.latitude(text, "N") is None, text
    for text in ("4404.14", "18000.1", "18100.0", "1218.85478", "012118.85"):
        assert f.longitude(text, "E") is None, text
    for hemisphere in ("", "n", "E", "NS", "?"):
        assert f.latitude("4404.1", hemisphere) is None
    assert f.longitude("12118.8", "N") is None


def test_time_of_day():
    assert f.time_of_day_ms("000000") == 0
    assert f.time_of_day_ms("235959.999") == 86399999
    assert f.time_of_day_ms("053229.438") == 19949438
    assert f.time_of_day_ms("071551.5") == 26151500
    assert f.time_of_day_ms("071551.") == 26151000
    assert f.time_of_day_ms("071551.12345") == 26151123
    for text in (
        "",
        "12345",
        "240000",
        "126000",
        "123460",
        "12345x",
        "123456x7",
        "123456.x",
        "1e3456",
    ):
        assert f.time_of_day_ms(text) is None, text


def test_second_60_is_the_next_midnight():
    assert f.time_of_day_ms("235960.00") == 86400000
    assert f.time_of_day_ms("225960") is None


def test_dates():
    assert f.date_days(1, 1, 1970) == 0
    assert f.date_days(29, 2, 2024) == 19782
    assert f.date_days(1, 3, 2000) == 11017
    assert f.date_days(21, 11, 2026) == 1795280400 // 86400
    assert f.date_days(28, 2, 2100) == 47540
    for day, month, year in (
        (29, 2, 2023),
        (29, 2, 2100),
        (31, 4, 2026),
        (0, 1, 2026),
        (-1, 1, 2026),
        (1, 13, 2026),
        (1, 0, 2026),
        (99, 99, 2099),
        (22, 8, 1969),
    ):
        assert f.date_days(day, month, year) is None, (day, month, year)


def test_every_day_of_seventy_years_follows_the_one_before():
    days = 0
    for year in range(1970, 2041):
        for month in range(1, 13):
            for day in range(1, 32):
                found = f.date_days(day, month, year)
                if found is not None:
                    assert found == days, (day, month, year)
                    days += 1
    assert days == 25933  # 2041-01-01


def test_plain():
    assert [f.plain(t) for t in ("1", "0.91", "12.", ".5")] == ["1", "0.91", "12.", ".5"]
    for text in ("", ".", "-1", "1e9", "nan", "inf", "1_0", "1.2.3", " 1", "+1", "0" * 11):
        assert f.plain(text) == "", text

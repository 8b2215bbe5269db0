"""Positions and times from the text of an NMEA field, in integers only.

A float of 32 bits holds 7 digits; a position wants 10 and a Unix time wants 10. So the digits are
taken apart as text and never pass through a float: what comes out is exact to the last unit.
"""

DAY_S = 86400
ROLLOVER_YEARS = 19  # a receiver that lost a week rollover (1024 weeks) is 19.6 years behind


def position(text, hemisphere, positive, negative, highest):
    """`(d)ddmm.mmmm` and its hemisphere as 1e-7 degree, or None if it is not such a position.

    `highest` degree is 90 or 180, which also says how many digits the degrees have.
    """
    if hemisphere != positive and hemisphere != negative:
        return None
    digits = 4 if highest == 90 else 5
    whole = text[:digits]
    if len(whole) != digits or not whole.isdigit():
        return None
    minutes = int(whole[-2:]) * 10000000
    if len(text) > digits:
        if text[digits] != ".":
            return None
        part = text[digits + 1 : digits + 8]  # 1e-7 minute is 0.2 mm: enough
        if part:
            if not part.isdigit() or not text[digits + 1 :].isdigit():
                return None
            minutes += int(part) * 10 ** (7 - len(part))
    degrees7 = int(whole[:-2]) * 10000000 + (minutes + 30) // 60
    if minutes >= 600000000 or degrees7 > highest * 10000000:
        return None
    return -degrees7 if hemisphere == negative else degrees7


def latitude(text, hemisphere):
    return position(text, hemisphere, "N", "S", 90)


def longitude(text, hemisphere):
    return position(text, hemisphere, "E", "W", 180)


def time_of_day_ms(text):
    """`hhmmss.sss` as milliseconds of the day, or None. 23:59:60 is a leap second, and accepted."""
    whole = text[:6]
    if len(whole) != 6 or not whole.isdigit():
        return None
    ms = 0
    if len(text) > 6:
        part = text[7:10]
        if text[6] != "." or (text[7:] and not text[7:].isdigit()):
            return None
        if part:
            ms = int(part) * 10 ** (3 - len(part))
    hour, minute, second = int(whole[:2]), int(whole[2:4]), int(whole[4:])
    if hour > 23 or minute > 59 or second > 59:
        if (hour, minute, second) != (23, 59, 60):
            return None
    return ((hour * 60 + minute) * 60 + second) * 1000 + ms


def date_days(day, month, year):
    """Days since 1970-01-01 of three texts (a year of two digits is 20xx), or None if no date."""
    for text in (day, month, year):
        if not text.isdigit():
            return None
    if len(year) == 2:
        year = "20" + year
    if len(day) != 2 or len(month) != 2 or len(year) != 4:
        return None
    day, month, year = int(day), int(month), int(year)
    if not 1 <= month <= 12 or year < 1970:
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    if not 1 <= day <= longest:
        return None
    # Count in years that begin in March, so that the leap day is a year's last.
    if month < 3:
        month += 12
        year -= 1
    return (
        365 * year
        + year // 4
        - year // 100
        + year // 400
        + (153 * (month - 3) + 2) // 5
        + (day - 1 - 719468)
    )


def believable(unix_s, build_s):
    """Whether a receiver's date can be true: not before the build, not a rollover after it."""
    return build_s <= unix_s < build_s + ROLLOVER_YEARS * 365 * DAY_S


def plain(text):
    """`text` if it is digits with at most one point, else "" (unknown).

    Python's float() also takes "nan", "1e9" and "1_0"; a receiver never means those.
    """
    return text if text.replace(".", "", 1).isdigit() else ""

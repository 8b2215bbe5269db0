"""Positions and times from the text of an NMEA field, in integers only.

A float of 32 bits holds 7 digits; a position wants 10 and a Unix time wants 10. So the digits are
taken one by one and never pass through a float: what comes out is exact to the last unit. Nothing
is sliced either, because a slice is garbage, twice a second for ten hours.
"""

DAY_S = 86400
# A receiver that lost a week rollover (1024 weeks, 19.6 years) is that far behind or ahead.
BELIEVED_S = 19 * 365 * DAY_S
PLAIN_LONGEST = 10


def digits(text, start, end):
    """The number that text[start:end] says in digits only; -1 if it is not that, or is empty."""
    if start >= end or end > len(text):
        return -1
    value = 0
    while start < end:
        digit = ord(text[start]) - 0x30
        if not 0 <= digit <= 9:
            return -1
        value = value * 10 + digit
        start += 1
    return value


def fraction(text, at, places):
    """What follows a whole number at `at`: nothing, or a point and digits.

    -> the first `places` decimals as an integer; -1 if something else stands there.
    """
    length = len(text)
    if at == length:
        return 0
    if text[at] != "." or (at + 1 < length and digits(text, at + 1, length) < 0):
        return -1
    end = min(length, at + 1 + places)
    if end == at + 1:
        return 0
    return digits(text, at + 1, end) * 10 ** (at + 1 + places - end)


def position(text, hemisphere, positive, negative, highest):
    """`(d)ddmm.mmmm` and its hemisphere as 1e-7 degree, or None if it is not such a position.

    `highest` degree is 90 or 180, which also says how many digits the degrees have.
    """
    if hemisphere != positive and hemisphere != negative:
        return None
    point = 4 if highest == 90 else 5
    degrees = digits(text, 0, point - 2)
    minutes = digits(text, point - 2, point)
    part = fraction(text, point, 7) if minutes >= 0 else -1  # 1e-7 minute is 0.2 mm: enough
    if degrees < 0 or part < 0 or minutes > 59:
        return None
    part += minutes * 10000000
    if degrees > highest or (degrees == highest and part):
        return None
    degrees7 = degrees * 10000000 + (part + 30) // 60
    return -degrees7 if hemisphere == negative else degrees7


def latitude(text, hemisphere):
    return position(text, hemisphere, "N", "S", 90)


def longitude(text, hemisphere):
    return position(text, hemisphere, "E", "W", 180)


def time_of_day_ms(text):
    """`hhmmss.sss` as milliseconds of the day, or None. 23:59:60 is a leap second, and accepted."""
    clock = digits(text, 0, 6)
    ms = fraction(text, 6, 3) if clock >= 0 else -1
    if ms < 0:
        return None
    hour, minute, second = clock // 10000, clock // 100 % 100, clock % 100
    if hour > 23 or minute > 59 or (second > 59 and clock != 235960):
        return None
    return ((hour * 60 + minute) * 60 + second) * 1000 + ms


def date_days(day, month, year):
    """Days since 1970-01-01, or None if there is no such date."""
    if not 1 <= month <= 12 or year < 1970:
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 30 + (month + month // 8) % 2 if month != 2 else 29 if leap else 28
    if not 1 <= day <= longest:
        return None
    # Count in years that begin in March, so that the leap day is a year's last.
    if month < 3:
        month += 12
        year -= 1
    leaps = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * (month - 3) + 2) // 5 + day - 719469


def plain(text):
    """`text` if it is digits with at most one point, else "" (unknown).

    Python's float() also takes "nan", "1e9" and "1_0", and of forty zeros the single-precision one
    makes a NaN; a receiver never means those.
    """
    if len(text) > PLAIN_LONGEST:
        return ""
    point = text.find(".")
    if point < 0:
        return text if digits(text, 0, len(text)) >= 0 else ""
    whole = point == 0 or digits(text, 0, point) >= 0
    return text if whole and len(text) > 1 and fraction(text, point, 1) >= 0 else ""

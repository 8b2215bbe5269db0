"""Bytes of a GNSS receiver in, fixes out.

    gps = Gps(build_s)
    for event in gps.feed(data, now_ms):  # any bytes, also none: a fix expires by age
        ("fix", Fix(...)) | ("no_fix",) | ("time", unix_s, "gps")

One fix an epoch: RMC and GGA of the same time of day, in either order, which must name the same
place. That is the only guard that a serial line has: an XOR checksum lets one damaged sentence in
256 through, and a wrong position must never be shown as current. A receiver that sends only one of
the two is believed without the other.

A subclass of `adafruit_gps.GPS` for its parsing of GSA and GSV. RMC and GGA, which come every
second, are read here: the library puts places and times through floats, guesses dates, and leaves
2 KB of garbage a second; of its own reader nothing is left.
"""

from collections import namedtuple

import adafruit_gps

from body_unit import gps_fields
from body_unit.gps_framer import Framer

# lat7, lon7   1e-7 degree, WGS-84
# acc_m        m, >= 1: from HDOP
# speed_cms    cm/s; 0 when the receiver does not say
# course_deg   0..359 or None
# unix_s       UTC of the fix, or None while the date is not believed yet
# at_ms        the caller's clock when its first sentence came
# quality      GGA's: 1 autonomous, 2 differential, 3 PPS, 4 RTK, 5 float RTK
Fix = namedtuple("Fix", "lat7 lon7 acc_m speed_cms course_deg unix_s at_ms quality")

EXPIRES_MS = 5000  # without a new one, a fix is over
PARTNER_MS = 10000  # RMC (or GGA) heard so recently is waited for
ALONE_MS = 500  # and if there is no partner: how long for one that just begins
TIME_EVERY_MS = 60000  # how often the clock is told
NEVER_MS = -TIME_EVERY_MS
APART7 = 9  # RMC and GGA may differ by rounding only: half a 1e-4 minute, 0.1 m
TALKERS = "GN,GP,BD,GB,GL,GA,GQ,QZ,GI"  # BD and GB: both BeiDou; no name has a comma in it
UERE_M = 5  # user range error of a civil receiver under open sky; times HDOP gives acc
HDOP_UNKNOWN = 10
GOOD_MODES = ("A", "D", "F", "P", "R", "")  # not E (dead reckoning), M, S or N
GOOD_QUALITIES = "012345"  # 0 is no fix; 6 dead reckoning, 7 typed in, 8 simulated


class _Time:
    """What adafruit_gps wants of CircuitPython's time; when it saw a satellite is not kept."""

    struct_time = tuple
    monotonic = int  # always 0


adafruit_gps.time = _Time


class Gps(adafruit_gps.GPS):
    """`build_s`: Unix time of the build, before which no date is believed."""

    # The library's own reader: nothing here calls it, so nothing of it need be on a unit.
    update = readline = read = write = None  # pyright: ignore[reportAssignmentType]
    in_waiting = has_fix = datetime = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, build_s):
        # Not the library's own __init__: of the 34 values that it keeps these are asked for here or
        # by its parsing of GSV.
        self.fix_quality = 0
        self.satellites = self.satellites_in_view = None
        self.horizontal_dilution = None
        self.sats = self._sats = None
        self.first_s = build_s
        self.framer = Framer()
        self.refused = 0  # sentences with a right checksum and an impossible field
        self.day_ms = None  # time of day of the last fix
        self._take = self._sentence
        self._events = []
        self._now_ms = 0
        self._has_fix = None  # None: nothing said yet
        self._fixed_ms = 0
        self._told_ms = NEVER_MS  # when the clock was told last
        self._days = None  # date of the last RMC or ZDA
        self._unix_s = 0  # of the last sentence that named a date: two in a row must agree
        self._dated_ms = -1  # its time of day
        self._trusted = False
        self._rmc_ms = self._gga_ms = NEVER_MS  # when each was last heard with a position
        self._begin(None)

    # --- bytes in, events out ----------------------------------------------------------------
    def feed(self, data, now_ms):
        self._now_ms = now_ms
        self.framer.feed(data, self._take)
        if now_ms - self._at_ms > ALONE_MS:
            self._end_epoch()
        if self._has_fix and now_ms - self._fixed_ms > EXPIRES_MS:
            self._lose()
        if not self._events:
            return ()
        events, self._events = self._events, []
        return events

    def _sentence(self, text):
        fields = text.split(",")
        name = fields.pop(0)
        talker, kind = name[:2], name[2:]
        if kind not in _PARSERS or talker not in TALKERS:
            return
        try:
            _PARSERS[kind](self, talker, fields)
        except (ValueError, TypeError, IndexError):  # fewer fields, or others, than it should have
            self.refused += 1

    # --- epochs --------------------------------------------------------------------------------
    def _begin(self, day_ms):
        self._epoch_ms = day_ms
        self._at_ms = self._now_ms
        self._rmc_place = ()  # type: tuple  # (lat7, lon7), or nothing yet
        self._gga_place = ()  # type: tuple
        self._closed = False  # this epoch has given its fix, or cannot
        self._speed_cms = 0
        self._course_deg = None

    def _enter(self, day_ms):
        """A sentence of this time of day has come: another one than before ends the epoch."""
        if day_ms != self._epoch_ms:
            self._end_epoch()
            self._begin(day_ms)

    def _end_epoch(self):
        """Without its partner a position counts only if there has been none for long."""
        if self._closed or bool(self._rmc_place) == bool(self._gga_place):
            return
        partner_ms = self._rmc_ms if self._gga_place else self._gga_ms
        if self._now_ms - partner_ms > PARTNER_MS:
            self._fix()

    def _invalid(self):
        self._closed = True
        self._lose()

    def _lose(self):
        if self._has_fix is not False:
            self._has_fix = False
            self._events.append(("no_fix",))

    def _place(self, lat, north, lon, east):
        """(lat7, lon7), or () if a receiver cannot be there."""
        lat7 = gps_fields.latitude(lat, north)
        lon7 = gps_fields.longitude(lon, east)
        if lat7 is None or lon7 is None or lat7 == lon7 == 0:
            self.refused += 1
            return ()
        return lat7, lon7

    def _meet(self):
        """A place was taken: with its partner's it makes a fix."""
        if self._closed or not self._rmc_place or not self._gga_place:
            return
        (a, b), (c, d) = self._rmc_place, self._gga_place
        if abs(a - c) > APART7 or abs(b - d) > APART7:
            self._closed = True
            self.refused += 1
        else:
            self._fix()

    def _fix(self):
        acc_m, quality = UERE_M * HDOP_UNKNOWN, 1
        lat7, lon7 = self._gga_place or self._rmc_place
        if self._gga_place:
            quality = self.fix_quality
            if self.horizontal_dilution is not None:
                acc_m = max(1, int(UERE_M * min(self.horizontal_dilution, 100) + 0.5))
        unix_s = self._unix()
        self._closed = True
        self._has_fix = True
        self._fixed_ms = self._at_ms
        self.day_ms = self._epoch_ms
        speed, course = self._speed_cms, self._course_deg
        fix = Fix(lat7, lon7, acc_m, speed, course, unix_s, self._at_ms, quality)
        self._events.append(("fix", fix))
        if unix_s is not None and self._now_ms - self._told_ms >= TIME_EVERY_MS:
            self._told_ms = self._now_ms
            self._events.append(("time", unix_s, "gps"))

    # --- dates -----------------------------------------------------------------------------------
    def _date(self, days, day_ms):
        """A sentence names a date. It counts once a second one agrees with it."""
        unix_s = days * gps_fields.DAY_S + day_ms // 1000
        if not 0 <= unix_s - self.first_s < gps_fields.BELIEVED_S:
            self.refused += 1
            self._trusted = False
            self._days = None
            return
        self._trusted = 0 <= unix_s - self._unix_s <= 10
        self._unix_s = unix_s
        self._dated_ms = day_ms
        self._days = days

    def _unix(self):
        """Unix time of this epoch. Without RMC the date may be that of before midnight."""
        if not self._trusted or self._days is None:
            return None
        if self._dated_ms == self._epoch_ms:
            return self._unix_s
        unix_s = self._days * gps_fields.DAY_S + self._epoch_ms // 1000
        if unix_s < self._unix_s - gps_fields.DAY_S // 2:
            unix_s += gps_fields.DAY_S
        return unix_s

    # --- sentences ---------------------------------------------------------------------------
    def _rmc(self, _, data):
        """time, A/V, lat, N/S, lon, E/W, knots, course, ddmmyy, variation, E/W, mode, status"""
        day_ms = gps_fields.time_of_day_ms(data[0])
        self._enter(day_ms)
        mode = data[11] if len(data) > 11 else "A"  # there was none before NMEA 2.3
        if day_ms is None or data[1] != "A" or mode not in GOOD_MODES or not data[2] + data[4]:
            self._invalid()
            return
        place = self._place(data[2], data[3], data[4], data[5])
        if not place or not self._rmc_date(data[8], day_ms):
            return
        knots = _number(data[6])
        course = _number(data[7])
        if knots is not None:
            self._speed_cms = int(min(knots, 2000) * 51.44444 + 0.5)
        self._course_deg = None if course is None else int(min(course, 360) + 0.5) % 360
        self._rmc_ms = self._now_ms
        self._rmc_place = place
        self._meet()

    def _rmc_date(self, text, day_ms):
        """`ddmmyy` or nothing; False for anything else, which no sound receiver says."""
        if not text:
            return True
        date = gps_fields.digits(text, 0, 6) if len(text) == 6 else -1
        days = gps_fields.date_days(date // 10000, date // 100 % 100, 2000 + date % 100)
        if date < 0 or days is None:
            self.refused += 1
            return False
        self._date(days, day_ms)
        return True

    def _gga(self, _, data):
        """time, lat, N/S, lon, E/W, quality, satellites, HDOP, altitude, M, geoid, M, age, base"""
        day_ms = gps_fields.time_of_day_ms(data[0])
        self._enter(day_ms)
        quality = GOOD_QUALITIES.find(data[5]) if len(data[5]) == 1 else 0
        self.fix_quality = max(0, quality)
        if day_ms is None or quality < 1 or not data[1] + data[3]:
            self._invalid()
            return
        self.satellites = _whole(data[6])
        self.horizontal_dilution = _number(data[7])
        place = self._place(data[1], data[2], data[3], data[4])
        if place:
            self._gga_ms = self._now_ms
            self._gga_place = place
            self._meet()

    def _zda(self, _, data):
        """time, day, month, year of four digits, zone hours, zone minutes"""
        day_ms = gps_fields.time_of_day_ms(data[0])
        days = gps_fields.date_days(_whole(data[1]), _whole(data[2]), _whole(data[3]))
        if day_ms is None or days is None:
            self.refused += 1
        elif self._has_fix:  # without a fix it is the receiver's own quartz, or its factory date
            self._date(days, day_ms)

    def _gsa(self, talker, data):
        self._parse_gsa(talker.encode(), data)

    def _gsv(self, talker, data):
        if len(data) % 4 == 0:
            data.pop()  # NMEA 4.10 adds a signal id
        if data[1] == "1":
            self._sats = []  # the last message of the round before may have been lost
        self._parse_gsv(talker.encode(), data)
        self.sats = None  # where each of them stands is nobody's question, and takes 3 KB


def _whole(text):
    return gps_fields.digits(text, 0, len(text))


def _number(text):
    """A float, or None for anything but digits and a point: speed, course and DOP need no more."""
    return adafruit_gps._parse_float(gps_fields.plain(text))


_PARSERS = {"RMC": Gps._rmc, "GGA": Gps._gga, "ZDA": Gps._zda, "GSA": Gps._gsa, "GSV": Gps._gsv}

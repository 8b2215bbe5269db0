"""Bytes of a GNSS receiver in, fixes out.

    gps = Gps(build_s)
    for event in gps.feed(data, now_ms):  # any bytes, also none: a fix expires by age
        ("fix", Fix(...)) | ("no_fix",) | ("time", unix_s, "gps")

One fix an epoch: RMC and GGA of the same time of day, in either order, which must name the same
place. That is the only guard that a serial line has: an XOR checksum lets one damaged sentence in
256 through, and a wrong position must never be shown as current. A receiver that sends only one of
the two is believed without the other.

`adafruit_gps` parses the fields that are neither place nor time (speed, course, quality, DOP,
satellites). Its own reading, its positions (floats) and its dates are never used: hence neutral
coordinates go in, and an empty `_update_timestamp_utc`.
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
NEVER_MS = -PARTNER_MS - 1
TIME_EVERY_MS = 60000  # how often the clock is told
APART7 = 200  # RMC and GGA may differ by rounding only: 2e-5 degree is 2 m
TALKERS = ("GN", "GP", "BD", "GB", "GL", "GA", "GQ", "QZ", "GI")  # BD and GB: both BeiDou
UERE_M = 5  # user range error of a civil receiver under open sky; times HDOP gives acc
HDOP_UNKNOWN = 10
_GOOD_MODES = ("A", "D", "F", "P", "R", "")  # not E (dead reckoning), M, S, N; "": an 11-field RMC


class _Time:
    """What adafruit_gps wants of CircuitPython's time."""

    struct_time = tuple
    now_s = 0

    @classmethod
    def monotonic(cls):
        return cls.now_s


adafruit_gps.time = _Time


class Gps(adafruit_gps.GPS):
    """`build_s`: Unix time of the build, before which no date is believed."""

    def __init__(self, build_s):
        super().__init__(None)
        self.build_s = build_s
        self.framer = Framer()
        self.refused = 0  # sentences with a right checksum and an impossible field
        self.day_ms = None  # time of day of the last fix
        self._events = []
        self._now_ms = 0
        self._has_fix = None  # None: nothing said yet
        self._fixed_ms = 0
        self._time_ms = None  # when the clock was told last
        self._days = None  # date of the last RMC or ZDA
        self._unix_s = 0  # of the last sentence that named a date: two in a row must agree
        self._trusted = False
        self._heard = {"RMC": NEVER_MS, "GGA": NEVER_MS}  # when each was last heard with a position
        self._parsers = {
            "RMC": self._rmc,
            "GGA": self._gga,
            "ZDA": self._zda,
            "GSA": self._gsa,
            "GSV": self._gsv,
        }
        self._begin(None)

    # --- bytes in, events out ----------------------------------------------------------------
    def feed(self, data, now_ms):
        self._now_ms = now_ms
        _Time.now_s = now_ms // 1000
        self.framer.feed(data, self._sentence)
        if now_ms - self._at_ms > ALONE_MS:
            self._end_epoch()
        if self._has_fix and now_ms - self._fixed_ms > EXPIRES_MS:
            self._lose()
        events, self._events = self._events, []
        return events

    def _sentence(self, text):
        if text[2:5] not in self._parsers or text[5:6] != "," or text[:2] not in TALKERS:
            return
        fields = text.split(",")
        kind = fields.pop(0)
        try:
            self._parsers[kind[2:]](kind[:2], fields)
        except (ValueError, TypeError, IndexError):  # adafruit_gps, on fields it did not expect
            self.refused += 1

    # --- epochs --------------------------------------------------------------------------------
    def _begin(self, day_ms):
        self._epoch_ms = day_ms
        self._at_ms = self._now_ms
        self._places = {}  # "RMC" or "GGA" -> (lat7, lon7)
        self._closed = False  # this epoch has given its fix, or cannot
        self._moving = (0, None)

    def _enter(self, day_ms):
        """A sentence of this time of day has come: another one than before ends the epoch."""
        if day_ms != self._epoch_ms:
            self._end_epoch()
            self._begin(day_ms)

    def _end_epoch(self):
        """Without its partner a position counts only if there has been none for long."""
        if not self._closed and len(self._places) == 1:
            missing = "RMC" if "GGA" in self._places else "GGA"
            if self._now_ms - self._heard[missing] > PARTNER_MS:
                self._closed = True
                self._fix()

    def _invalid(self):
        self._closed = True
        self._lose()

    def _lose(self):
        if self._has_fix is not False:
            self._has_fix = False
            self._events.append(("no_fix",))

    def _place(self, kind, lat, north, lon, east):
        """Take the position of one sentence; with its partner's it makes a fix."""
        lat7 = gps_fields.latitude(lat, north)
        lon7 = gps_fields.longitude(lon, east)
        if lat7 is None or lon7 is None or lat7 == lon7 == 0:
            self.refused += 1
            return
        self._heard[kind] = self._now_ms
        self._places[kind] = (lat7, lon7)
        if len(self._places) == 2 and not self._closed:
            self._closed = True
            (a, b), (c, d) = self._places["RMC"], self._places["GGA"]
            if abs(a - c) > APART7 or abs(b - d) > APART7:
                self.refused += 1
            else:
                self._fix()

    def _fix(self):
        with_gga = "GGA" in self._places
        lat7, lon7 = self._places["GGA" if with_gga else "RMC"]
        hdop = self.horizontal_dilution if with_gga else None
        acc_m = max(1, int(UERE_M * (HDOP_UNKNOWN if hdop is None else min(hdop, 100)) + 0.5))
        unix_s = self._unix()
        speed_cms, course = self._moving
        quality = self.fix_quality if with_gga else 1
        fix = Fix(lat7, lon7, acc_m, speed_cms, course, unix_s, self._at_ms, quality)
        self._has_fix = True
        self._fixed_ms = self._at_ms
        self.day_ms = self._epoch_ms
        self._events.append(("fix", fix))
        told = self._time_ms
        if unix_s is not None and (told is None or self._now_ms - told >= TIME_EVERY_MS):
            self._time_ms = self._now_ms
            self._events.append(("time", unix_s, "gps"))

    # --- dates -----------------------------------------------------------------------------------
    def _date(self, days, day_ms):
        """A sentence names a date. It counts once a second one agrees with it."""
        unix_s = days * gps_fields.DAY_S + day_ms // 1000
        if not gps_fields.believable(unix_s, self.build_s):
            self.refused += 1
            self._trusted = False
            self._days = None
            return
        self._trusted = 0 <= unix_s - self._unix_s <= 10
        self._unix_s = unix_s
        self._days = days

    def _unix(self):
        """Unix time of this epoch. Without RMC the date may be that of before midnight."""
        if not self._trusted or self._days is None:
            return None
        unix_s = self._days * gps_fields.DAY_S + self._epoch_ms // 1000
        if unix_s < self._unix_s - gps_fields.DAY_S // 2:
            unix_s += gps_fields.DAY_S
        return unix_s

    def _update_timestamp_utc(self, time_utc, date=None):
        """adafruit_gps guesses dates (yesterday's, when GGA comes first at midnight)."""

    # --- sentences ---------------------------------------------------------------------------
    def _rmc(self, talker, data):
        """time, A/V, lat, N/S, lon, E/W, knots, course, ddmmyy, variation, E/W, mode, status"""
        if len(data) == 11:
            data.append("")  # before NMEA 2.3 there was no mode
        day_ms = gps_fields.time_of_day_ms(data[0])
        self._enter(day_ms)
        if day_ms is None or data[1] != "A" or data[11] not in _GOOD_MODES or not data[2] + data[4]:
            self._invalid()
            return
        lat, north, lon, east = data[2:6]
        data[2:6] = ("000", "N", "000", "E")
        data[6], data[7] = gps_fields.plain(data[6]), gps_fields.plain(data[7])
        if not self._parse_rmc(data):
            self.refused += 1
            return
        date = data[8]
        if date:
            days = gps_fields.date_days(date[:2], date[2:4], date[4:])
            if days is None:
                self.refused += 1
                return
            self._date(days, day_ms)
        knots, course = self.speed_knots, self.track_angle_deg
        self._moving = (
            0 if knots is None else int(min(knots, 2000) * 51.44444 + 0.5),
            None if course is None else int(min(course, 360) + 0.5) % 360,
        )
        self._place("RMC", lat, north, lon, east)

    def _gga(self, talker, data):
        """time, lat, N/S, lon, E/W, quality, satellites, HDOP, altitude, M, geoid, M, age, base"""
        day_ms = gps_fields.time_of_day_ms(data[0])
        self._enter(day_ms)
        if day_ms is None or data[5] not in ("1", "2", "3", "4", "5") or not data[1] + data[3]:
            self.fix_quality = 0
            self._invalid()
            return
        lat, north, lon, east = data[1:5]
        data[1:5] = ("000", "N", "000", "E")
        data[7] = gps_fields.plain(data[7])
        data[8] = data[10] = data[12] = ""  # altitude unused; an age with decimals is no int
        if self._parse_gga(data):
            self._place("GGA", lat, north, lon, east)
        else:
            self.refused += 1

    def _zda(self, talker, data):
        """time, day, month, year of four digits, zone hours, zone minutes"""
        day_ms = gps_fields.time_of_day_ms(data[0])
        days = gps_fields.date_days(data[1], data[2], data[3])
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

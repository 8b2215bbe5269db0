"""A point or an area, and whether the unit is inside, with hysteresis against GPS noise.

Noise between houses is 5 to 15 m and comes in runs, so one fix decides nothing:

    enter    inside the radius (or the polygon) for ENTER_MS, over two fixes at least
    leave    outside by more than the fix's own accuracy and MARGIN_M, for LEAVE_MS likewise

A fix whose accuracy is worse than the place is large says nothing either way.
"""

from body_unit import geo

ENTER_MS = 3000
LEAVE_MS = 6000
MARGIN_M = 12
COARSEST_M = 40  # a worse fix says nothing about a point smaller than itself
AREA_ID = "area"
AREA_DESC = "片区"


class Place:
    is_point = False
    id = AREA_ID
    desc = AREA_DESC
    stay_s = 0
    rounds = 0
    from_s = until_s = 0

    def __init__(self, lat7, lon7, rad_m):
        self._lat7, self._lon7, self._rad_m = lat7, lon7, rad_m
        self.done = 0
        self.since_s = 0  # Unix time of the enter whose leave has not come; 0: outside
        self.counted = True
        self.closed = False
        self._turning_ms = None  # the fixes have said the other thing since then

    def in_window(self, now_s):
        return now_s >= self.from_s and (not self.until_s or now_s < self.until_s)

    def where(self):
        """(lat7, lon7, radius in m): where it is when the unit does not know where itself is."""
        return self._lat7, self._lon7, self._rad_m

    def outside(self):
        self._turning_ms = None

    def feed(self, fix):
        """1: entered with this fix; -1: left; 0: neither."""
        beyond_dm = self._beyond_dm(fix)
        if beyond_dm is None:
            return 0
        edge_dm = 10 * (MARGIN_M + fix.acc_m) if self.since_s else 0
        if (beyond_dm > edge_dm) != bool(self.since_s):
            self._turning_ms = None
            return 0
        if self._turning_ms is None:
            self._turning_ms = fix.at_ms
            return 0
        if fix.at_ms - self._turning_ms < (LEAVE_MS if self.since_s else ENTER_MS):
            return 0
        self._turning_ms = None
        return -1 if self.since_s else 1

    def _beyond_dm(self, fix):
        """How far outside the fix is, dm; <= 0 inside; None when the fix is too coarse."""
        raise NotImplementedError


class Point(Place):
    is_point = True
    rounds = 1

    def __init__(self, row):
        """A row of the plan's points, in the contract's inner form."""
        Place.__init__(self, row["lat"], row["lon"], row["rad"])
        self.id, self.desc = row["id"], row["desc"]
        # What most points lack stays the class's: ten names are 80 bytes a point, 14 are 144.
        if row.get("stay_s"):
            self.stay_s = row["stay_s"]
        if row.get("rounds"):
            self.rounds = row["rounds"]
        if row.get("until"):
            self.until_s = row["until"]
        if row.get("from"):
            self.from_s = row["from"]

    def _beyond_dm(self, fix):
        if fix.acc_m > max(COARSEST_M, self._rad_m):
            return None
        # Cheap and without a float: most points are far away. 1 m is at least 89e-7 degree.
        far7 = (self._rad_m + 200) * 90
        if not -far7 < fix.lat7 - self._lat7 < far7:
            return 2000
        away_dm = geo.distance_dm(self._lat7, self._lon7, fix.lat7, fix.lon7)
        return away_dm - 10 * self._rad_m


class Area(Place):
    def __init__(self, corners):
        """A polygon: the plan's corners in order; the last one joins the first."""
        Place.__init__(self, corners[0]["lat"], corners[0]["lon"], COARSEST_M)
        self._corners = []
        for row in corners:
            corner = geo.offset_dm(self._lat7, self._lon7, row["lat"], row["lon"])
            self._corners.append(corner)

    def _beyond_dm(self, fix):
        if fix.acc_m > COARSEST_M:
            return None
        east, north = geo.offset_dm(self._lat7, self._lon7, fix.lat7, fix.lon7)
        inside = False
        nearest = None
        before = self._corners[-1]
        for corner in self._corners:
            if geo.crosses(before, corner, east, north):
                inside = not inside
            away = geo.to_segment_dm(before, corner, east, north)
            if nearest is None or away < nearest:
                nearest = away
            before = corner
        return 0 if inside or nearest is None else nearest

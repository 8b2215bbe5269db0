"""Distances on the ground from integer positions (1e-7 degree), in decimetres.

A flat local grid: within the 50 km of a county the error is below 0.5 per cent, far under what GPS
leaves open. Differences are taken as integers first, so the float that scales them (single
precision on the ESP32) costs nothing that counts.
"""

from math import cos, radians, sqrt

_DM_PER_1E7 = 0.1113195  # decimetres in 1e-7 degree of latitude (WGS-84 equator, 111.3195 km)
_TURN = 3_600_000_000  # 360 degrees


def offset_dm(lat7, lon7, to_lat7, to_lon7):
    """(east, north) from the first position to the second, dm."""
    east = to_lon7 - lon7
    if east > _TURN // 2:
        east -= _TURN
    elif east < -_TURN // 2:
        east += _TURN
    scale = cos(radians(lat7 // 10_000 / 1000))
    return int(east * _DM_PER_1E7 * scale), int((to_lat7 - lat7) * _DM_PER_1E7)


def distance_dm(lat7, lon7, to_lat7, to_lon7):
    east, north = offset_dm(lat7, lon7, to_lat7, to_lon7)
    return int(sqrt(east * east + north * north))


def crosses(a, b, east, north):
    """Whether a ray to the east from the point crosses the side from `a` to `b` (dm)."""
    if (a[1] > north) == (b[1] > north):
        return False
    return east < a[0] + (b[0] - a[0]) * (north - a[1]) // (b[1] - a[1])


def to_segment_dm(a, b, east, north):
    """Distance of the point to the side from `a` to `b`, dm."""
    along_east, along_north = b[0] - a[0], b[1] - a[1]
    to_east, to_north = east - a[0], north - a[1]
    length = along_east * along_east + along_north * along_north
    part = to_east * along_east + to_north * along_north
    if part <= 0 or not length:
        away_east, away_north = to_east, to_north
    elif part >= length:
        away_east, away_north = east - b[0], north - b[1]
    else:
        away_east = to_east - along_east * part // length
        away_north = to_north - along_north * part // length
    return int(sqrt(away_east * away_east + away_north * away_north))

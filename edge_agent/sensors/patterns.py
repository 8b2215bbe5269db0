"""Lines that devices print, as named patterns. A new device is a new row.

The group `value` (and `unit`) or the group `text` of the regular expression is the reading; a line
that does not match is no reading. The rows were written from the sources named, never tried on the
device itself here (rung 6): `probe serial` shows what yours prints.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_CHAR = "[A-HJ-NP-Z0-9]"  # I and O are not used: they read as 1 and 0
_NEV = "[A-HJK]"  # new energy: D A B C E all electric, F G H J K other
# GA 36-2018: province, office, then 5 characters (last one may be 学 警 挂 港 澳 试 超 领), or 6 of
# which the first or the last is a new-energy letter. WJ: armed police.
PLATE = (
    rf"(?:WJ[{_PROVINCE}]?{_CHAR}{{5}}|[{_PROVINCE}][A-HJ-NP-Z][·•.\- ]?"
    rf"(?:{_NEV}{_CHAR}[0-9]{{4}}|[0-9]{{5}}{_NEV}|{_CHAR}{{4}}[A-HJ-NP-Z0-9学警挂港澳试超领]))"
    r"(?![A-Z0-9])"
)


class Pattern(NamedTuple):
    """One device's line."""

    says: str
    source: str
    regex: re.Pattern[str]
    measures: str
    unit: str = ""
    event: bool = False  # every line stands for itself


PATTERNS: dict[str, Pattern] = {
    "plate": Pattern(
        "车牌识别 / plate reader that prints lines",
        "plates: GA 36-2018; line format differs by maker, the plate is found anywhere in it",
        re.compile(rf"(?P<text>{PLATE})"),
        "plate",
        event=True,
    ),
    "radar": Pattern(
        "测速雷达 / speed radar",
        "common ASCII output of K-band traffic radars: V=052, +052, 052 km/h",
        re.compile(r"^[^\w+-]*(?:V=?)?(?P<value>[+-]?\d{1,3}(?:\.\d)?)\s*(?:km/h)?\W*$", re.I),
        "speed",
        "km/h",
    ),
    "weighbridge": Pattern(
        "地磅 / weighbridge indicator, stable weights only",
        "A&D standard format: ST,GS,+0012340kg (US = unstable, not taken)",
        re.compile(r"^ST,(?:GS|NT),(?P<value>[+-]\s*\d+(?:\.\d+)?)\s*(?P<unit>kg|t)\W*$"),
        "weight",
        "kg",
    ),
    "rfid": Pattern(
        "RFID 读卡器 / RFID reader",
        "EM4100 and UHF EPC readers in ASCII mode: 8 to 24 hex digits",
        re.compile(r"^\W*(?P<text>[0-9A-Fa-f]{8,24})\W*$"),
        "tag",
        event=True,
    ),
}

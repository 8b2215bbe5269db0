"""What a camera's file name tells, per make. A name nobody knows is ingested all the same.

Chinese recorders write device, police number, date, time and a mark into the name; volunteers
have no police number. Plain DCIM cameras write a counter only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from edge_agent.docks.config import Family

BUILT_IN: tuple[Family, ...] = (
    # DCAM_CAM001_000001_20260804_100000_IMP.mp4: device, police number, local time, marked
    Family(
        name="dcam",
        pattern=r"DCAM_(?P<device>[A-Za-z0-9]+)(_(?P<member>[A-Za-z0-9-]+?))??"
        r"_(?P<date>\d{8})_(?P<time>\d{6})(?P<marked>_IMP)?(_\d+)?",
    ),
    # VID_20260804_100000.mp4 and the like
    Family(name="dated", pattern=r"[A-Z]{2,5}[_-](?P<date>\d{8})[_-](?P<time>\d{6})\w*"),
    # DCF: four characters and a counter
    Family(name="dcim", pattern=r"[A-Z0-9_]{4}\d{4}"),
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """`taken` is the camera's local time as written (ISO 8601, no zone), never corrected."""

    family: str | None = None
    device: str | None = None
    member: str | None = None
    taken: str | None = None
    marked: bool = False


def parse(name: str, families: Iterable[Family] = ()) -> Parsed:
    """`name` is a file's last path part; configured families come before the built-in ones."""
    stem = name.rsplit(".", 1)[0]
    for family in (*families, *BUILT_IN):
        found = re.fullmatch(family.pattern, stem) if family.pattern else None
        if found:
            got = found.groupdict()
            return Parsed(
                family.name,
                got.get("device"),
                got.get("member"),
                _taken(got.get("date"), got.get("time")),
                bool(got.get("marked")),
            )
    return Parsed()


def _taken(date: str | None, time: str | None) -> str | None:
    if not date or not time:
        return None
    try:
        return datetime.strptime(date + time, "%Y%m%d%H%M%S").isoformat()
    except ValueError:  # 20260231: the camera's clock was never set
        return None

"""A full evening on the board: for pictures, the accessibility check and untranslated texts."""

from __future__ import annotations

import math
import time

from tests.edge_agent.desk.rig import HERE, LEAD, PIN, STAFF, Rig

NAMES = ("张大山", "刘桂兰", "陈志强", "u-0004")
VIEWS = ("overview", "map", "bays", "units", "devices", "checks", "shift", "log", "people")
METRE_N, METRE_E = 90, 112  # in 1e-7 degree, here


async def play(rig: Rig) -> None:
    """Members, bays in each state, sensors, checks, a shift, an order."""
    now = int(time.time())
    for n, name in enumerate(NAMES):
        unit = f"u-{n + 1:04d}"
        rig.board.put(
            "unit", unit, {"member": name if n < 3 else None, "on_duty": True, "here": True}
        )
        for step in range(14):
            lat = HERE[0] + (n - 2) * 22_000 + step * (900 + 300 * n)
            lon = HERE[1] + (1 - n) * 26_000 + step * (1300 - 500 * n)
            age = (14 - step) * 40 + (700 if n == 2 else 0)
            await rig.walk(unit, lat, lon, now - age)
    rig.board.put("unit", "u-0004", {"online": False, "batt": 14, "silent_since": now - 900.0})
    for row in (
        {"state": "COPYING", "light": "working", "camera": "CAM001", "member": "张大山",
         "files": 12, "sealed": 5, "bytes": 9_000_000_000,
         "bytes_done": 4_100_000_000, "problems": 0},
        {"state": "SEALED", "light": "done", "camera": "CAM014", "member": "刘桂兰",
         "files": 7, "sealed": 7, "bytes": 3_000_000_000,
         "bytes_done": 3_000_000_000, "problems": 0},
        {"state": "YANKED", "light": "problem", "camera": "CAM022", "member": "陈志强",
         "files": 9, "sealed": 2, "bytes": 5_000_000_000,
         "bytes_done": 1_000_000_000, "problems": 1},
        {"state": "EMPTY", "light": "empty"},
    ):  # fmt: skip
        number = len(rig.board.view()["bay"]) + 1
        rig.board.put("bay", f"bay-{number}", {"bay": f"bay-{number}", "number": number, **row})
    reading = {"quality": "good", "read": now - 3, "alarm": None, "why": None, "text": None}
    rig.board.put("sensor", "smoke", {**reading, "kind": "smoke", "value": 0})
    rig.board.put("sensor", "supply", {**reading, "kind": "supply_voltage", "value": 10_840,
                                       "unit": "V", "alarm": "low"})  # fmt: skip
    await rig.say("unit_transition", "u-0001", {
        "_type": "transition", "event": "enter", "desc": "水塘", "lat": HERE[0], "lon": HERE[1],
        "acc": 5, "tst": now - 300, "wtst": now - 9000, "t": "c",
    })  # fmt: skip
    await rig.room.accounts.verify(STAFF, PIN)
    for who in (LEAD, STAFF):
        await rig.room.shift.sign_on(who)
    for n, (what, outcome, plate) in enumerate((
        ("person", "pass", ""), ("person", "register", ""), ("vehicle", "pass", "鲁P12345"),
        ("vehicle", "register", "鲁PD12345"), ("vehicle", "transfer", "无牌"),
    )):  # fmt: skip
        await rig.room.checks.record(f"{n:016x}", what, outcome, plate, "spring", STAFF)
    rig.board.put("uplink", "county", {"backlog": 1284, "drain_s": 240, "oldest_at": now - 7300.0,
                                       "sos_heard_at": now - 5000.0})  # fmt: skip


async def crowd(rig: Rig, units: int, within_m: float, east_m: float = 180) -> None:
    """`units` members, spread over a circle that far east of the checkpoint."""
    for n in range(units):
        turn, far = n * 2.39996, within_m * math.sqrt((n + 0.5) / units)
        rig.board.put("unit", f"u-{n:04d}", {
            "member": f"王{'建国德福秀英桂兰'[n % 8]}{n}", "online": True, "acc": 5,
            "lat": HERE[0] + round(METRE_N * far * math.cos(turn)),
            "lon": HERE[1] + round(METRE_E * (east_m + far * math.sin(turn))),
            "tst": int(time.time()) - (n % 5 == 4) * 700,
        })  # fmt: skip

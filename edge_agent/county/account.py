"""One readable line for each message, as the county's operator sees it. Chinese first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

SOS_STATES = {
    "raised": "求助 SOS",
    "updated": "求助更新 SOS update",
    "cancelled": "本人取消 cancelled by wearer",
    "test": "求助测试 SOS test",
}
LEVELS = {"normal": "常态", "raised": "加强", "war": "战时"}
LATE_S = 30  # from here on the delay is worth the operator's eye


def place(fields: Mapping[str, Any]) -> str:
    """'31.24803,121.58738 ±6m' of anything with lat and lon in 1e-7 degree; '' without."""
    at = fields.get("fix", fields)
    if not at or "lat" not in at:
        return "位置不明 no position"
    accuracy = f" ±{at['acc']}m" if "acc" in at else ""
    old = f" {at['age_s']}s 前 ago" if at.get("age_s", 0) > 10 else ""
    return f"{degrees(at['lat'])},{degrees(at['lon'])}{accuracy}{old}"


def degrees(scaled: int) -> str:
    """1e-7 degree to text with five places (1 m), without a float."""
    whole, part = divmod(abs(scaled), 10**7)
    return f"{'-' if scaled < 0 else ''}{whole}.{part // 100:05d}"


def said(name: str, who: Mapping[str, str], fields: Mapping[str, Any]) -> str:
    """What happened, in words; every message of the contract has its words."""
    match name:
        case "unit_location":
            return f"位置 {place(fields)} {fields.get('vel', 0)} km/h"
        case "unit_transition":
            word = "到达 entered" if fields["event"] == "enter" else "离开 left"
            return f"{word} {fields['desc']}"
        case "unit_sos":
            quiet = " 静默 discreet" if fields["discreet"] else ""
            state = SOS_STATES[fields["state"]]
            return f"★ {state} {fields['id']} #{fields['revision']}{quiet} {place(fields)}"
        case "unit_state" | "cp_state":
            link = f" {fields['link']}" if "link" in fields else ""
            return ("在线 online" if fields["online"] else "离线 offline") + link
        case "unit_mark":
            return f"标记 mark {place(fields)}"
        case "unit_ack" | "cp_ack":
            why = f" ({fields['why']})" if "why" in fields else ""
            return f"命令 {fields.get('cmd', fields['id'])} → {fields['state']}{why}"
        case "unit_health":
            return f"状况 health {fields.get('batt', '?')}% queue {fields.get('queue', 0)}"
        case "unit_gap" | "cp_gap":
            lost = f"{fields['count']} ({fields['from']}-{fields['to']})"
            return f"缺失 gap {lost}: {fields['why']}"
        case "unit_seen":
            return f"卡点已看到 seen at {fields['cp']}" + (" 出发 going" if fields["going"] else "")
        case "cp_sensor":
            return f"{who['S']} {reading(fields)}"
        case "cp_dock":
            return f"采集位 bay {who['B']} {fields['event']} {fields.get('file', '')}".rstrip()
        case "cp_check":
            plate = f" {fields['plate']}" if "plate" in fields else ""
            return f"登记 {fields['what']}{plate} {fields['outcome']}"
        case "cp_shift":
            names = "、".join(row["who"] for row in fields["on"])
            return f"在岗 on shift: {names or '无人 nobody'}"
        case "group_duty":
            return f"勤务 duty {who['G']}: {LEVELS[fields['level']]} {fields['level']}"
        case "unit_cmd" | "group_cmd" | "cp_cmd":
            return f"下发 {fields['cmd']} → {fields['to']}"
        case _:
            return name


def reading(fields: Mapping[str, Any]) -> str:
    """A sensor's value with its unit, alarm and quality."""
    if "value" in fields:
        whole, part = divmod(abs(fields["value"]), 1000)
        sign = "-" if fields["value"] < 0 else ""
        text = f"{sign}{whole}" + (f".{part:03d}".rstrip("0") if part else "")
        text += f" {fields['unit']}" if "unit" in fields else ""
    else:
        text = fields.get("text", "—")
    if "alarm" in fields:
        text += f" ‼ 报警 alarm {fields['alarm']}"
    return text if fields["quality"] == "good" else f"{text} [{fields['quality']}]"


def line(name: str, who: Mapping[str, str], fields: Mapping[str, Any], now: float) -> str:
    """'20:14:07 u-0123   +0.4s  ★ 求助 …': time, sender, delay since it was made, words."""
    sender = who.get("U") or who.get("K") or who.get("G") or "county"
    clock = time.strftime("%H:%M:%S", time.gmtime(now + 8 * 3600))  # UTC+8, as shown everywhere
    made = fields.get("tst") or fields.get("read")
    delay = f"+{max(0.0, now - made):.1f}s" if made else ""
    return f"{clock} {sender:8} {delay:>8}  {said(name, who, fields)}"

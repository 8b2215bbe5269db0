"""`commands`: every kind of command in every way that must be refused, through the whole core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unit_rig import LAT, LON, NOW, Rig

from patrol_contract import messages
from patrol_contract.catalogue import commands

UNIT_COMMANDS = commands("unit")

OTHER_SOS = "00000000000000ff"
OWN: dict[str, dict[str, Any]] = {
    "assist": {"sos": OTHER_SOS, "lat": LAT, "lon": LON},
    "dispatch": {"lat": LAT, "lon": LON, "rad": 30},
    "rollcall": {"within_s": 60},
    "assign": {"member": "王建国", "role": "squad", "groups": ["z-03"]},
    "plan": {"points": []},
    "discreet": {"on": True},
    "wifi": {"networks": [{"ssid": "kd-07", "psk": "longenough", "broker": "k-07"}]},
    "update": {"url": "https://county/unit", "sha256": "0" * 64, "version": "0.2.0"},
    "sos_ack": {"sos": OTHER_SOS},
    "sos_close": {"sos": OTHER_SOS},
    "help": {"sos": OTHER_SOS},
}


def unsigned(rig: Rig, cmd: str) -> str:
    """One field changed after signing."""
    name, payload = rig.county.command("u-0123", cmd, NOW, **OWN.get(cmd, {}))
    fields = messages.decode(name, payload)
    fields["exp"] += 1
    return _why(rig, (name, messages.encode(name, fields)))


def replayed(rig: Rig, cmd: str) -> str:
    order = _order(rig, cmd)
    _why(rig, order)
    return _why(rig, order)


def replayed_after_reboot(rig: Rig, cmd: str) -> str:
    order = _order(rig, cmd)
    _why(rig, order)
    return _why(rig.reboot(), order)


def overtaken(rig: Rig, cmd: str) -> str:
    """Late on the slower route it still counts, but only once."""
    order = _order(rig, cmd)
    rig.command("locate")
    first = _why(rig, order)
    return _why(rig, order) if first != "replay" else "late one was refused"


def expired(rig: Rig, cmd: str) -> str:
    return _why(rig, rig.county.command("u-0123", cmd, NOW - 1000, **OWN.get(cmd, {})))


def misaddressed(rig: Rig, cmd: str) -> str:
    return _why(rig, rig.county.command("u-0999", cmd, NOW, **OWN.get(cmd, {})))


def without_a_clock(rig: Rig, cmd: str) -> str:
    blind = Rig()
    blind.do("boot", "power_on", None)
    return _why(blind, _order(blind, cmd))


MUST_SAY: dict[Callable[[Rig, str], str], str] = {
    unsigned: "signature",
    replayed: "replay",
    replayed_after_reboot: "replay",
    overtaken: "replay",
    expired: "expired",
    misaddressed: "target",
    without_a_clock: "clock",
}


def measure() -> dict[str, Any]:
    """{kinds, ways, tried, refused_as_should, wrong: [what was not]}."""
    wrong: list[str] = []
    for cmd in UNIT_COMMANDS:
        for way, reason in MUST_SAY.items():
            said = way(Rig().start(), cmd)
            if said != reason:
                wrong.append(f"{cmd} {way.__name__}: {said}")
    tried = len(UNIT_COMMANDS) * len(MUST_SAY)
    return {
        "kinds": len(UNIT_COMMANDS),
        "ways": len(MUST_SAY),
        "tried": tried,
        "refused_as_should": tried - len(wrong),
        "wrong": wrong,
    }


def _order(rig: Rig, cmd: str) -> tuple[str, bytes]:
    return rig.county.command("u-0123", cmd, NOW, **OWN.get(cmd, {}))


def _why(rig: Rig, order: tuple[str, bytes]) -> str:
    """The reason of the refusal that this delivery brought, or what happened instead."""
    rig.forget()
    rig.deliver(*order)
    acks = rig.said("unit_ack")
    if not acks:
        return "no answer"
    return acks[-1].get("why", "") if acks[-1]["state"] == "refused" else acks[-1]["state"]

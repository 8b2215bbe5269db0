"""The county's common part of every unit, from one TOML file on the CA's machine.

    county = "c371500"
    fleet = 1535                      # units in the county: reconnects spread over it
    sms_to = "+8613800000000"         # or ""
    command_keys = "command-keys.json"  # as patrolctl keygen wrote it
    [lte]                             # leave out where no unit has a modem
    apn = "cmnet"
    broker = "county"
    [brokers.county]
    host = "mqtt.county.example"
    port = 8883
    name = "mqtt.county.example"      # what its certificate says; left out: as host
    then = ""                         # the broker to try when this one fails
    [[wifi]]                          # most wanted first
    ssid = "checkpoint-07"
    psk = "…"
    broker = "k-07"

The result is `unit.json` (firmware/drivers/config.py) without what is the unit's own.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from flashing.errors import FlashError

KEYS = {"wifi": {"ssid", "psk", "broker"}, "brokers": {"host", "port", "name", "then"}}
MODULUS_DIGITS = 768  # hex digits of an RSA-3072 modulus


def load(path: Path) -> dict[str, Any]:
    """Return the checked site; FlashError names every fault of the file at once."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FlashError(
            f"site: {path} cannot be read ({error.strerror}): name the county's file with --site"
        ) from error
    except UnicodeDecodeError as error:
        raise FlashError(f"site: {path} is not UTF-8: save it again as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise FlashError(f"site: {path}: {error}: correct that line") from error
    site: dict[str, Any] = {
        "county": found.get("county"),
        "fleet": found.get("fleet"),
        "sms_to": found.get("sms_to", ""),
        "keys": _command_keys(path.parent / str(found.get("command_keys", ""))),
        "brokers": found.get("brokers", {}),
        "wifi": found.get("wifi", []),
        "lte": found.get("lte"),
    }
    known = {*site, "command_keys"} - {"keys"}
    faults = [f"{key} is no key of a site" for key in found if key not in known]
    faults += _faults(site)
    if faults:
        raise FlashError(f"site: {path}: " + "; ".join(faults) + ": correct the file")
    for broker in site["brokers"].values():
        broker.setdefault("name", broker["host"])
        broker.setdefault("then", "")
        broker["tls"] = True
    return site


def _faults(site: dict[str, Any]) -> list[str]:
    """Return what is wrong, one clause each."""
    faults: list[str] = []
    if not isinstance(site["county"], str) or not site["county"]:
        faults.append('county is missing (county = "c371500")')
    if not isinstance(site["fleet"], int) or site["fleet"] < 1:
        faults.append("fleet is no number of units (fleet = 1535)")
    if not site["brokers"]:
        faults.append("no [brokers.NAME] is described")
    for name, broker in site["brokers"].items():
        if not isinstance(broker.get("host"), str) or not isinstance(broker.get("port"), int):
            faults.append(f"[brokers.{name}] needs host and port")
        if broker.get("then") and broker["then"] not in site["brokers"]:
            faults.append(f"[brokers.{name}] then = {broker['then']!r} is not described")
    for table, rows in (("wifi", site["wifi"]), ("brokers", site["brokers"].values())):
        strange = sorted({key for row in rows for key in row} - KEYS[table])
        faults += [f"{key} is no key of {table}" for key in strange]
    lines = [*site["wifi"], *([site["lte"]] if site["lte"] else [])]
    for line in lines:
        needed = ("apn",) if "apn" in line else ("ssid", "psk")
        faults += [f"a [[wifi]] or [lte] lacks {key}" for key in needed if not line.get(key)]
        if line.get("broker") not in site["brokers"]:
            faults.append(f"broker = {line.get('broker')!r} is named but not described")
    if not lines:
        faults.append("neither [[wifi]] nor [lte] is described: no unit could call")
    return faults


def _command_keys(path: Path) -> dict[str, str]:
    try:
        keys = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FlashError(
            f"site: command_keys: {path} cannot be read: name the command-keys.json that "
            "patrolctl keygen wrote"
        ) from error
    for kid, modulus in keys.items():
        if len(modulus) != MODULUS_DIGITS:
            raise FlashError(f"site: command_keys: key {kid} is not RSA-3072: make it again")
    return keys

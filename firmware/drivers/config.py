"""The unit's identity and where it may call: files that flash.sh writes beside the program.

    unit.json   one JSON object, UTF-8:
        unit      "u-0123": id, certificate CN, MQTT user and client id
        county    "c371500"
        tid       "23": two characters for OwnTracks maps
        board     name of the board (hardware/boards/)
        fleet     how many units the county has: the wider reconnects are spread
        sms_to    number for an SOS by SMS, or ""
        keys      {key id: the county's RSA-3072 modulus, 768 hex digits}
        brokers   {name: {"host", "port", "tls": true, "name": what its certificate says,
                          "then": name of the broker to try when this one fails, or ""}}
        wifi      [{"ssid", "psk", "broker"}], the most wanted first
        lte       {"apn", "broker"}, or null
    pins.csv    the board's pin map (hardware/boards/<board>/pins.csv)
    ca.der      the county's device CA: who a broker must be certified by
    cert.der    this unit's certificate, key.der its key (SEC 1 / RFC 5915)

`wifi` as the county changed it later is kept and wins (networks). Nothing of this is ever logged.
"""

import json

FILE = "unit.json"
TLS_FILES = ("ca.der", "cert.der", "key.der")


class ConfigError(Exception):
    """One sentence: which file, what is wrong, what to do."""


def load(path: str = FILE) -> dict:
    """The checked content of unit.json, `keys` as bytes. ConfigError says what is wrong."""
    try:
        with open(path, "rb") as f:
            found = json.load(f)
    except OSError:
        raise ConfigError("%s is missing: flash this unit again" % path)
    except ValueError:
        raise ConfigError("%s is not JSON: flash this unit again" % path)
    for kind, keys in (
        (str, "unit county tid board sms_to"),
        (int, "fleet"),
        (dict, "keys brokers"),
        (list, "wifi"),
    ):
        for key in keys.split():
            if not isinstance(found.get(key), kind):
                raise ConfigError(
                    "%s: %s is missing or of the wrong kind: flash it again" % (path, key)
                )
    for kid, modulus in found["keys"].items():
        found["keys"][kid] = bytes.fromhex(modulus)
    named = []
    for row in found["wifi"]:
        named.append(row["broker"])
    for row in found["brokers"].values():
        named.append(row.get("then"))
    if found.get("lte"):
        named.append(found["lte"]["broker"])
    for broker in named:
        if broker and broker not in found["brokers"]:
            raise ConfigError("%s: broker %s is named but not described" % (path, broker))
    return found


def networks(settings: dict, kept: bytes) -> list:
    """[(ssid, password, broker)]: as kept (kept_networks), or as flashed where nothing good is."""
    found = []
    try:
        for ssid, psk, broker in json.loads(kept):
            found.append((ssid, psk, broker))
    except ValueError:  # nothing kept, or not whole
        found = []
        for row in settings["wifi"]:
            found.append((row["ssid"], row["psk"], row["broker"]))
    known = []
    for row in found:
        if row[2] in settings["brokers"]:
            known.append(row)
    return known


def kept_networks(found) -> bytes:
    """What `networks` reads again."""
    return json.dumps(found).encode()


def brokers(settings: dict) -> tuple:
    """The brokers' names, the usual one first: LTE's, or that of the most wanted Wi-Fi."""
    usual = settings.get("lte") or (settings["wifi"] or [{"broker": ""}])[0]
    names = sorted(settings["brokers"])
    if usual["broker"] in names:
        names.remove(usual["broker"])
        names.insert(0, usual["broker"])
    return tuple(names)


def der(name: str) -> bytes:
    """The content of one of TLS_FILES."""
    with open(name, "rb") as f:
        return f.read()

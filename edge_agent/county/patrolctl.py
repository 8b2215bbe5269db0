"""patrolctl: what a county operator types. Signs commands; watches what comes in.

    patrolctl keygen county-keys --kid county-1
    patrolctl -c county.toml watch
    patrolctl -c county.toml ack u-0123 9b1d6ae2f00c4417
    patrolctl -c hand-in.toml hand-in unsent.jsonl

county.toml: broker = "mqtts://host:8883", county = "c371500", keys = "county-keys",
             ca/cert/key = files (TLS, client certificate).
Exit codes: 0 done, 1 not delivered or not answered, 2 asked wrongly.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge_agent.county import account, hand_in
from edge_agent.county.broker import DELIVER_S, Asked, CountyConfig, client, connect, load
from edge_agent.county.signer import Signer, keygen
from patrol_contract import ContractError, topics
from patrol_contract.consumer import MALFORMED, NEW, Consumer


def for_ever() -> None:
    """Until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def watch(
    config: CountyConfig, out: Callable[[str], None], wait: Callable[[], None] = for_ever
) -> int:
    """Print every message as a line while `wait` waits; then what was counted."""
    consumer = Consumer()

    def on_message(_c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        verdict, name, who, fields = consumer.feed(message.topic, message.payload, message.retain)
        if verdict == MALFORMED:
            out(f"!! {message.topic}: 不合约定 malformed, {len(message.payload)} bytes")
        elif verdict == NEW and name and who is not None and fields:
            out(account.line(name, who, fields, time.time()))

    to = client(config, f"patrolctl-watch-{int(time.time())}")
    to.on_message = on_message
    connect(config, to)
    to.subscribe([(f"owntracks/{config.county}/#", 1), (f"patrol/v1/{config.county}/#", 1)])
    try:
        wait()
        out(str(consumer.counts))
    finally:
        to.disconnect()
        to.loop_stop()
    return 0


def send(
    config: CountyConfig,
    name: str,
    to: str,
    payload: bytes,
    wait_s: float,
    out: Callable[[str], None],
) -> int:
    """Publish a signed payload; with wait_s, wait for the target's first word about it.

    Three different ends, told apart: the broker never took it, nobody received it, nobody answered.
    """
    who = {"C": config.county, {"g": "G", "cp": "K"}.get(to.split("/")[0], "U"): to.split("/")[-1]}
    mine = Consumer().feed(topics.topic(name, **who), payload)[3]
    assert mine is not None
    heard: list[str] = []
    word = threading.Event()

    def on_message(_c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        found = topics.parse(message.topic)
        fields = Consumer().feed(message.topic, message.payload)[3]
        if found and fields and fields.get("id") == mine["id"]:
            out(account.line(found[0], found[1], fields, time.time()))
            heard.append(fields["state"])
            if fields["state"] != "received":
                word.set()

    link = client(config, f"patrolctl-{mine['id']}")
    link.on_message = on_message
    connect(config, link)
    try:
        if wait_s:
            base = f"patrol/v1/{config.county}"
            link.subscribe([(f"{base}/+/ack", 1), (f"{base}/cp/+/ack", 1)])
        sent = link.publish(topics.topic(name, **who), payload, 1, name == "group_duty")
        sent.wait_for_publish(DELIVER_S)
        if not sent.is_published():
            out("未送达平台 the broker did not take it: nothing was sent, try again")
            return 1
        out(f"已下发 {mine.get('cmd', 'duty')} → {to}  id {mine['id']}")
        if wait_s and not word.wait(wait_s):
            out("已送达，未应答 received, not answered" if heard else "未送达 not delivered")
            return 1
    finally:
        link.disconnect()
        link.loop_stop()
    return 0


def degrees(text: str) -> int:
    """'31.2480350' to 1e-7 degree, without a float."""
    whole, _, part = text.lstrip("-").partition(".")
    scaled = int(whole) * 10**7 + int((part + "0000000")[:7])
    return -scaled if text.startswith("-") else scaled


# what the operator types -> (help, positional arguments of the command's row)
COMMANDS: dict[str, tuple[str, dict[str, Callable[[str], Any]]]] = {
    "ack": ("the county has the SOS", {"sos": str}),
    "help": ("help is on its way", {"sos": str}),
    "close": ("end an SOS: only the county does", {"sos": str}),
    "dispatch": ("send to a place", {"lat": degrees, "lon": degrees, "rad": int, "desc": str}),
    "recall": ("call off", {}),
    "rollcall": ("answer by a press", {"within_s": int}),
    "locate": ("ask for the position now", {}),
    "siren": ("a checkpoint's siren", {"on": lambda text: text == "on"}),
}
ROW_OF: dict[str, str] = {"ack": "sos_ack", "close": "sos_close"}


def arguments() -> argparse.ArgumentParser:
    """The command line; COMMANDS is its table."""
    ask = argparse.ArgumentParser(
        "patrolctl", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("-c", "--config", type=Path, default=Path("county.toml"))
    kinds = ask.add_subparsers(dest="kind", required=True)
    make = kinds.add_parser("keygen", help="make the county's command key")
    make.add_argument("folder", type=Path)
    make.add_argument("--kid", default="county-1")
    kinds.add_parser("watch", help="print everything that comes in")
    late = kinds.add_parser("hand-in", help="补交 records that flash.sh read out of a dead unit")
    late.add_argument("files", type=Path, nargs="+", metavar="unsent.jsonl")
    late.add_argument("--undated", action="store_true", help="also those that lack a time")
    duty = kinds.add_parser(
        "duty", help="set the duty level 常态 / 加强 / 战时 of a group or `all`"
    )
    duty.add_argument("group")
    duty.add_argument("level", choices=list(account.LEVELS))
    duty.add_argument("--hours", type=float, help="how long; without it until the next")
    for kind, (says, own) in COMMANDS.items():
        sub = kinds.add_parser(kind, help=says)
        sub.add_argument("to", help="u-0123, g/z-03 or cp/k-07")
        for name, convert in own.items():
            sub.add_argument(name, type=convert)
        sub.add_argument("--wait", type=float, default=0, help="seconds to wait for an answer")
    return ask


def run(want: argparse.Namespace, out: Callable[[str], None]) -> int:
    """Do what was asked; out() gets each line."""
    if want.kind == "keygen":
        try:
            public = keygen(want.folder, want.kid)
        except FileExistsError as error:
            raise Asked(
                f"{error.filename}: a key is there, devices trust it: not replaced"
            ) from None
        out(f"{public}: goes on every unit and checkpoint; county.key stays here")
        return 0
    config = load(want.config)
    if want.kind == "watch":
        return watch(config, out)
    if want.kind == "hand-in":
        return hand_in.give(config, want.files, want.undated, out)
    try:
        signer = Signer.load(config.keys)
    except FileNotFoundError as error:
        raise Asked(f"{error.filename}: no county key here: patrolctl keygen") from None
    try:
        if want.kind == "duty":
            until = int(time.time() + want.hours * 3600) if want.hours else None
            name, payload = signer.duty(want.group, want.level, until)
            return send(config, name, f"g/{want.group}", payload, 0, out)
        own = {key: getattr(want, key) for key in COMMANDS[want.kind][1]}
        name, payload = signer.command(want.to, ROW_OF.get(want.kind) or want.kind, **own)
        return send(config, name, want.to, payload, want.wait, out)
    except ContractError as error:
        raise Asked(str(error)) from None


def main() -> int:
    """Entry point `patrolctl`."""
    try:
        return run(arguments().parse_args(), print)
    except Asked as error:
        print(f"patrolctl: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

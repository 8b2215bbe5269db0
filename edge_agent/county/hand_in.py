"""What was read out of a dead unit, published as the unit would have: `patrolctl hand-in`.

flash.sh read-out writes unsent.jsonl: a record a line, SOS first, topic and payload as the unit
made them. They go out unchanged, so (sender, boot, seq) makes handing them in twice harmless. The
broker must be asked in MQTT 5: in 3.1.1 it acknowledges what its access list refuses.

county.toml names the certificate that is used: `hand-in` (deploy/county/acl) may write any unit's
records and hear nothing.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTProtocolVersion

from edge_agent.county.broker import Asked, CountyConfig, client, connect
from patrol_contract import ContractError, messages, topics
from patrol_contract.catalogue import MESSAGES

DELIVER_S = 30.0  # for one record: 64 kbit/s and a bad night
REFUSED = 0x80  # MQTT 5 reason codes from here on are failures
TIMELESS = ("unit_gap",)  # says what is missing, not when
UNDATED = (
    "{} 条没有自己的时间，暂不上交 do not say when they were, and the county would take them for"
    " new: held back; add --undated to hand them in all the same"
)


class Record(NamedTuple):
    """One line: where it goes and what it says."""

    topic: str
    payload: bytes
    dated: bool  # it says when it was; the county dates what does not by when it comes in


@dataclass(frozen=True)
class Read:
    """The records of a file in their order, and a sentence for each line that is none."""

    records: list[Record]
    faults: list[str]


def read(path: Path, county: str) -> Read:
    """Read a file of `flash.sh read-out`; OSError when it cannot be read."""
    records: list[Record] = []
    faults: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            records.append(_record(json.loads(line), county))
        except (ValueError, KeyError, TypeError, ContractError) as error:
            faults.append(
                f"{path}:{number}: 不是本县单元的记录 no record of this county's: {error}"
            )
    return Read(records, faults)


def _record(row: Mapping[str, Any], county: str) -> Record:
    topic, payload = str(row["topic"]), str(row["payload"]).encode()
    found = topics.parse(topic)
    if found is None or MESSAGES[found[0]].sender != "unit" or found[1]["C"] != county:
        raise ContractError(topic)
    fields = messages.decode(found[0], payload)
    if (fields["boot"], fields["seq"]) != (row["boot"], row["seq"]):
        raise ContractError(f"boot and seq are not the payload's ({row['boot']}, {row['seq']})")
    dated = "tst" in fields or "tst" in fields.get("fix", {}) or found[0] in TIMELESS
    return Record(topic, payload, dated)


def publish(link: paho.Client, records: list[Record], out: Callable[[str], None]) -> int:
    """Publish over a connected MQTT 5 client, one after the other; return how many arrived.

    Stops at the first that the broker refuses or leaves unanswered, and says which. Nothing is
    retained: an old birth must not stand for a unit that lives.
    """
    answers: dict[int, int] = {}
    link.on_publish = lambda _c, _u, mid, reason, _p: answers.__setitem__(mid, reason.value)
    for done, record in enumerate(records):
        sent = link.publish(record.topic, record.payload, 1)
        with contextlib.suppress(RuntimeError):  # the line was lost: no answer, as told below
            sent.wait_for_publish(DELIVER_S)
        reason = answers.get(sent.mid)
        if reason is None:
            out(f"已交 {done} 条，线路断了 {done} handed in, then no answer: do it again")
            return done
        if reason >= REFUSED:
            out(
                f"平台拒收 the broker refuses {record.topic} (0x{reason:02x}): use the certificate"
                " `hand-in` and the access list of deploy/county"
            )
            return done
    return len(records)


def give(config: CountyConfig, files: list[Path], undated: bool, out: Callable[[str], None]) -> int:
    """Hand in what was read out of dead units; 0 when all of every file has arrived."""
    records: list[Record] = []
    faults: list[str] = []
    for path in files:
        try:
            found = read(path, config.county)
        except (OSError, UnicodeDecodeError) as error:
            raise Asked(f"{path}: cannot be read: {error}: name read-out's unsent.jsonl") from None
        records += [record for record in found.records if record.dated or undated]
        faults += found.faults
        held = len([r for r in found.records if not r.dated]) if not undated else 0
        if held:
            faults.append(f"{path}: {UNDATED.format(held)}")
    for fault in faults:
        out(fault)
    link = client(config, f"patrolctl-hand-in-{int(time.time())}", MQTTProtocolVersion.MQTTv5)
    connect(config, link)
    try:
        arrived = publish(link, records, out)
    finally:
        link.disconnect()
        link.loop_stop()
    out(f"已上交 {arrived} / {len(records)} 条 records handed in")
    return 0 if arrived == len(records) and not faults else 1

"""`checkpoint-agent status`, `outbox` and `doctor`: what a technician asks at the checkpoint.

All read the outbox's file beside the running agent and change nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import socket
import sqlite3
import ssl
import sys
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent import config
from edge_agent.clock import kernel_synchronised
from edge_agent.outbox_file import APPLICATION_ID, SCHEMA
from edge_agent.outbox_record import LANE_SHIFT

LANES = ("求助 SOS", "保管 custody", "事件 events", "遥测 telemetry")
FREE_MB = 200  # less on the data disk is said
OLD_S = 3600  # a record that waits longer is said
CERTIFICATE_DAYS = 30
TIMEOUT_S = 5.0
AT_ONCE = 500  # records read at a time


def add_commands(kinds: Any) -> None:
    """Add the subcommands to checkpoint-agent's."""
    for name, says, act in (
        ("status", "状态 what waits for the county, by class", status),
        ("doctor", "诊断 what is wrong here, in sentences", doctor),
    ):
        one = kinds.add_parser(name, help=says)
        one.add_argument(
            "-c", "--config", type=Path, default=Path("/etc/checkpoint-agent/agent.toml")
        )
        one.set_defaults(func=act)
    box = kinds.add_parser("outbox", help="待发记录 list or export records; nothing is ever purged")
    box.add_argument("what", choices=("list", "export", "quarantine"))
    box.add_argument("-c", "--config", type=Path, default=Path("/etc/checkpoint-agent/agent.toml"))
    box.add_argument("--limit", type=int, default=50, help="of list and quarantine, newest first")
    box.set_defaults(func=outbox)


def status(want: argparse.Namespace) -> int:
    """What waits. Exit code 1 when there is no outbox."""
    with _opened(want) as db:
        if db is None:
            return 1
        for lane, rows, size in db.execute("SELECT lane, rows, bytes FROM tally ORDER BY lane"):
            print(f"{LANES[lane]:<20} {rows:>9,}  {size / 1e6:>8.1f} MB")
        print(f"{'最早 oldest':<20} {_ago(_oldest(db))}")
        (quarantined,) = db.execute("SELECT count(*) FROM quarantine").fetchone()
        print(f"{'隔离 quarantined':<20} {quarantined:>9,}")
        print(f"{'单元 units':<20} {_units(db)}")
    return 0


def outbox(want: argparse.Namespace) -> int:
    """list: the newest records; export: all of them, as JSON lines; quarantine: what was odd."""
    with _opened(want) as db:
        if db is None:
            return 1
        if want.what == "export":
            for row in records(db):
                print(json.dumps(_exported(*row), ensure_ascii=False))
        elif want.what == "list":
            rows = db.execute(
                "SELECT id, at, topic, length(payload), sender, seq FROM record"
                " ORDER BY at DESC LIMIT ?",
                (want.limit,),
            ).fetchall()
            for number, at, topic, size, sender, seq in rows:
                lane = LANES[number >> LANE_SHIFT]
                print(f"{_clock(at)}  {lane:<14} {sender:<12} {seq:>8}  {size:>5} B  {topic}")
        else:
            rows = db.execute(
                "SELECT at, client, topic, why, payload FROM quarantine ORDER BY id DESC LIMIT ?",
                (want.limit,),
            ).fetchall()
            for at, client, topic, why, payload in rows:
                print(f"{_clock(at)}  {client:<12} {topic}: {why}\n    {payload[:120]!r}")
    return 0


def doctor(want: argparse.Namespace) -> int:
    """Every fault found, one sentence each: what, where, remedy. Exit code 1 when there is one."""
    try:
        settings = config.load(want.config)
    except config.ConfigError as error:
        print(error)
        return 1
    found = [
        *_disk_faults(settings.checkpoint.data_dir),
        *_outbox_faults(settings.checkpoint.data_dir / "outbox.db"),
        *_clock_faults(settings.clock.rtc),
    ]
    if not settings.uplink:
        found.append("没有 [[uplink]]：数据不会离开卡点 / no [[uplink]]: nothing leaves this place")
    for way in settings.uplink:
        found += _uplink_faults(way)
        found += _certificate_faults(way.cert)
    found += _certificate_faults(settings.units.cert if settings.units else None)
    for sentence in found:
        print(f"- {sentence}")
    if not found:
        print("一切正常 nothing is wrong")
    return 1 if found else 0


# -- what doctor looks at --------------------------------------------------------------------------


def _disk_faults(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{folder}：没有这个目录 / no such folder: create it for the agent's user"
        return
    free = shutil.disk_usage(folder).free / 1e6
    if free < FREE_MB:
        yield (
            f"{folder}：只剩 {free:.0f} MB，清理或换大卡 / {free:.0f} MB free: clear it or put in a"
            " larger card"
        )
    for aside in sorted(folder.glob("outbox.db.aside-*")):
        if not aside.name.endswith(("-wal", "-shm")):
            yield (
                f"{aside}：损坏后移开的数据库，请送县里 / a damaged database set aside: hand it to"
                " the county, then remove it"
            )


def _outbox_faults(path: Path) -> Iterator[str]:
    if not path.exists():
        yield f"{path}：程序还没有运行过 / not there: the agent has not run yet"
        return
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            (owner,) = db.execute("PRAGMA application_id").fetchone()
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            if (owner, schema) != (APPLICATION_ID, SCHEMA):
                yield f"{path}：不是本程序的数据库 / not this agent's: it will be set aside"
                return
            (sound,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                yield f"{path}：已损坏，重启程序会移开它 / damaged ({sound}): restart the agent"
                return
            oldest = _oldest(db)
            if oldest is not None and time.time() - oldest > OLD_S:
                yield f"最早的记录已等待 {_ago(oldest)} / the oldest record waits {_ago(oldest)}"
    except sqlite3.Error as error:
        yield f"{path}：读不了 / cannot be read ({error})"


def _clock_faults(rtc: bool) -> Iterator[str]:
    if not rtc and not kernel_synchronised():
        yield (
            "系统时间没有同步：装 chrony，或写 [clock] rtc = true / the clock is not synchronised:"
            " install chrony, or write [clock] rtc = true if it has a battery"
        )


def _uplink_faults(way: Any) -> Iterator[str]:
    try:
        with socket.create_connection((way.host, way.port), TIMEOUT_S) as plain:
            if way.tls:
                context = ssl.create_default_context(cafile=way.ca)
                if way.cert is not None:
                    context.load_cert_chain(way.cert, way.key)
                context.wrap_socket(plain, server_hostname=way.host).close()
    except ssl.SSLCertVerificationError as error:
        yield f"{way.url}：证书不可信 / its certificate is not trusted: {error.verify_message}"
    except OSError as error:
        yield f"{way.url}：连不上，查网线、路由、端口 / not reached ({error}): cable, router, port"


def _certificate_faults(cert: Path | None) -> Iterator[str]:
    if cert is None:
        return
    from cryptography import x509

    ends = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    days = (ends - datetime.now(UTC)).days
    if days < CERTIFICATE_DAYS:
        yield f"{cert}：证书还有 {days} 天到期 / expires in {days} days: have a new one issued"


# -- reading ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(
    want: argparse.Namespace,
) -> Generator[sqlite3.Connection | None, None, None]:
    """The outbox, read only; None, said in a sentence, when there is none."""
    try:
        path = config.load(want.config).checkpoint.data_dir / "outbox.db"
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        yield None
        return
    except sqlite3.Error as error:
        print(f"outbox.db：打不开 / cannot be opened: {error}", file=sys.stderr)
        yield None
        return
    with contextlib.closing(db):
        yield db


def records(db: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """All of them in order, some at a time: who pages through them must not hold a transaction, or
    the agent's log could not be shortened meanwhile."""
    last = -1
    while rows := db.execute(
        "SELECT id, topic, payload, sender, boot, seq, at FROM record WHERE id > ?"
        " ORDER BY id LIMIT ?",
        (last, AT_ONCE),
    ).fetchall():
        last = rows[-1][0]
        yield from (row[1:] for row in rows)


def _oldest(db: sqlite3.Connection) -> float | None:
    """When the oldest record came in; the first of each lane is its oldest."""
    firsts = [
        db.execute(
            "SELECT at FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
            (lane << LANE_SHIFT, lane + 1 << LANE_SHIFT),
        ).fetchone()
        for lane in range(len(LANES))
    ]
    return min((row[0] for row in firsts if row is not None), default=None)


def _units(db: sqlite3.Connection) -> str:
    here = [row[0] for row in db.execute("SELECT client FROM session WHERE ended IS NULL")]
    return ", ".join(here) or "-"


def _exported(
    topic: str, payload: bytes, sender: str, boot: str, seq: int, at: float
) -> dict[str, Any]:
    text = payload.decode("utf-8", "backslashreplace")
    return {"at": at, "topic": topic, "sender": sender, "boot": boot, "seq": seq, "payload": text}


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%m-%d %H:%M:%S")


def _ago(at: float | None) -> str:
    if at is None:
        return "-"
    minutes = int(time.time() - at) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"

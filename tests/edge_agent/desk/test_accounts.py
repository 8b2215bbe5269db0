"""PINs, lockout, sessions, the first start; the operator log."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.board import Board
from edge_agent.desk import accounts as module
from edge_agent.desk.accounts import LOCKOUT_S, TRIES, Accounts, digest
from edge_agent.desk.journal import KEEP_S, Journal, happening
from edge_agent.desk.rights import Refused
from edge_agent.desk.store import Store
from tests.edge_agent.desk.rig import PIN


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "desk.db")
    yield made
    made.close()


def make(store: Store, folder: Path, clock: Clock) -> Accounts:
    return Accounts(store, folder, idle_s=600, clock=clock)


async def refusal(awaitable) -> str:
    with pytest.raises(Refused) as caught:
        await awaitable
    return caught.value.key


async def test_first_start_wants_the_code_once(store: Store, tmp_path: Path, clock: Clock) -> None:
    made = make(store, tmp_path, clock)
    code_file = tmp_path / "desk-first-code"
    code = code_file.read_text().strip()
    assert code_file.stat().st_mode & 0o077 == 0
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    assert await refusal(made.set_up(wrong, "王", PIN)) == "err_code"
    assert await refusal(made.set_up(code, "王", "111111")) == "err_weak_pin"
    await made.set_up(code, "王", PIN)
    assert made.names == {"王": "lead"} and not code_file.exists()
    assert await refusal(made.set_up(code, "李", PIN)) == "err_code"
    assert make(store, tmp_path, clock).first_code is None


async def test_no_pin_and_no_cookie_is_in_the_file(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    made = make(store, tmp_path, clock)
    await made.create("王", "lead", PIN)
    token = await made.login("王", PIN)
    held = b"".join((tmp_path / name).read_bytes() for name in ("desk.db", "desk.db-wal"))
    assert b"$argon2id$" in held and digest(token).encode() in held
    assert PIN.encode() not in held and token.encode() not in held


async def test_lockout_counts_holds_and_ends(store: Store, tmp_path: Path, clock: Clock) -> None:
    made = make(store, tmp_path, clock)
    await made.create("王", "lead", PIN)
    for _ in range(TRIES):
        assert await refusal(made.login("王", "000001")) == "err_pin"
    assert await refusal(made.login("王", PIN)) == "err_locked_out"
    again = make(store, tmp_path, clock)  # a restart does not end it
    assert await refusal(again.login("王", PIN)) == "err_locked_out"
    clock.now += LOCKOUT_S + 1
    assert await refusal(made.login("王", "000001")) == "err_pin"
    assert await refusal(made.login("王", PIN)) == "err_locked_out"  # the next costs twice as much
    clock.now += 2 * LOCKOUT_S + 1
    assert await made.login("王", PIN)
    assert await refusal(made.login("没有", PIN)) == "err_pin"


async def test_a_session_locks_by_itself_and_outlives_a_restart(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    made = make(store, tmp_path, clock)
    await made.create("王", "lead", PIN)
    token = await made.login("王", PIN)
    clock.now += 599
    await made.touch(token)
    clock.now += 599
    session = make(store, tmp_path, clock).session(token)
    assert session and not session.locked
    clock.now += 2
    session = made.session(token)
    assert session and session.locked
    await made.touch(token)  # touching does not unlock
    assert made.session(token).locked  # type: ignore[union-attr]
    assert made.session("x" * 43) is None and made.session(None) is None
    await made.create("王", "lead", "864201")  # a new PIN ends old sessions
    assert made.session(token) is None


async def test_one_lead_remains(store: Store, tmp_path: Path, clock: Clock) -> None:
    made = make(store, tmp_path, clock)
    await made.create("王", "lead", PIN)
    await made.create("李", "staff", PIN)
    assert await refusal(made.remove("王")) == "err_last_lead"
    assert await refusal(made.create("王", "staff", PIN)) == "err_last_lead"
    await made.create("李", "lead", PIN)
    await made.remove("王")
    assert made.names == {"李": "lead"}


@pytest.mark.parametrize("pin", ["12345", "222222", "123456", "987654", ""])
def test_weak_pins(pin: str) -> None:
    with pytest.raises(Refused):
        module.check_pin(pin)


async def test_log_is_kept_half_a_year_and_exported(store: Store, clock: Clock) -> None:
    journal = Journal(store, clock=clock)
    await journal.note("王", "login")
    clock.now += KEEP_S - 10
    await journal.note("=cmd()", "output", id="siren", on=True)
    await store.do(journal._drop_old)  # pyright: ignore[reportPrivateUsage]
    assert [row["what"] for row in await journal.rows(0)] == ["output", "login"]
    clock.now += 20
    await store.do(journal._drop_old)  # pyright: ignore[reportPrivateUsage]
    assert [row["what"] for row in await journal.rows(0)] == ["output"]
    rows = list(csv.reader(io.StringIO((await journal.csv()).removeprefix("\ufeff"))))
    assert rows[1][2:4] == ["'=cmd()", "output"]  # no formula in a spreadsheet


async def test_log_goes_to_syslog_too(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "log"))
        syslog.settimeout(5)
        journal = Journal(store, tmp_path / "log")
        await journal.note("王", "mute")
        said = syslog.recv(4096).decode()
        journal.close()
    assert "who=王" in said and "what=mute" in said


def test_what_happens_by_itself_is_told() -> None:
    assert happening("sos", None, {"unit": "u-1"}) == "sos_raised"
    assert happening("sos", {"answered": False}, {"answered": True}) == "sos_answered"
    assert happening("sos", {"answered": True}, None) == "sos_closed"
    assert happening("uplink", {"up": True}, {"up": False}) == "uplink_down"
    assert happening("uplink", {"up": True, "backlog": 1}, {"up": True, "backlog": 2}) is None
    assert happening("sensor", {"alarm": None}, {"alarm": "low"}) == "sensor_alarm"
    assert happening("fault", {"why": "x"}, None) == "fault_over"
    assert happening("unit", {}, {"silent_since": 5.0}) == "unit_silent"
    assert set(Board().view()) >= {"sos", "uplink", "sensor", "fault", "unit", "order"}


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    path.write_bytes(b"not a database, " * 300)
    store = Store(path)
    assert store.now(lambda db: db.execute("SELECT count(*) FROM account").fetchone()[0]) == 0
    store.close()
    assert len(list(tmp_path.glob("desk.db.damaged-*"))) == 1

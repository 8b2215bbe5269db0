"""`checkpoint-agent docks` and `custody`, as an operator types them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from edge_agent import cli
from edge_agent.docks import custody
from tests.edge_agent.docks.rig import Rig

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    """A store with one camera's recordings, sealed and announced; agent.toml beside it."""
    rig = Rig(tmp_path)
    camera = rig.camera("CAM001")
    async with rig.running() as docks:
        camera.dock(rig.bay(1))
        await rig.all_sealed(docks, camera)
    (tmp_path / "agent.toml").write_text(
        '[checkpoint]\nid = "k-07"\ncounty = "c371500"\n[docks]\nstore = "store"\n'
        '[[docks.bay]]\nnumber = 1\ndirectory = "bay-1"\n'
    )
    return rig


@pytest.fixture
def ask(rig: Rig, capsys: pytest.CaptureFixture[str]) -> Ask:
    """ask("custody", "verify") -> exit code, standard output, standard error."""

    def ask(*words: str, config: Path = rig.folder / "agent.toml") -> tuple[int, str, str]:
        at = 2 if words[0] == "custody" else 1
        asked = cli.arguments().parse_args([*words[:at], "--config", str(config), *words[at:]])
        code = asked.func(asked)
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_docks_shows_camera_member_and_every_file(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = ask("docks")
    assert code == 0
    for shown in ("CAM001", "000001", "IMAG0001.JPG", "ANNOUNCED"):
        assert shown in out


def test_a_whole_journal_is_intact(ask: Ask) -> None:
    code, out, _ = ask("custody", "verify", "--files")
    assert code == 0
    assert out.startswith("完整 / intact: ")


def test_a_sealed_file_that_rots_on_our_disk_is_named(rig: Rig, ask: Ask) -> None:
    path = next(path for path in (rig.config.store / "bags").rglob("IMAG0001.JPG"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    code, out, _ = ask("custody", "verify", "--files")
    assert code == 1 and "IMAG0001.JPG: bytes 0 to 70000" in out


def test_a_pinned_head_and_a_foreign_key_are_believed(rig: Rig, ask: Ask, tmp_path: Path) -> None:
    told = rig.reporter.sent[-1]
    assert ask("custody", "verify", "--pinned", f"{told['entry']}:{told['chain']}")[0] == 0
    code, out, _ = ask("custody", "verify", "--pinned", f"{told['entry']}:{'0' * 64}")
    assert code == 1 and f"row {told['entry']} is not the one the county was told of" in out
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "other.pem").write_text(custody.public_pem(custody.own_key(other)))
    code, out, _ = ask("custody", "verify", "--public-key", str(tmp_path / "other.pem"))
    assert code == 1 and "row 1 was not signed by this checkpoint" in out


def test_an_edited_row_is_named(rig: Rig, ask: Ask) -> None:
    with closing(sqlite3.connect(rig.config.store / "ledger.db")) as db:
        db.execute("DROP TRIGGER journal_keeps")
        db.execute("UPDATE journal SET bay = 'bay-2' WHERE n = 5")
        db.commit()
    code, out, _ = ask("custody", "verify")
    assert code == 1 and "row 5 was edited" in out


def test_the_export_can_be_checked_without_us(rig: Rig, ask: Ask, tmp_path: Path) -> None:
    """By nothing but its own README: json, hashlib and a stock signature library."""
    code, _, _ = ask("custody", "export", str(tmp_path / "out.zip"))
    assert code == 0
    with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
        assert "intact" in zipped.read("README.txt").decode()
        assert zipped.read("journal.csv").startswith(b"\xef\xbb\xbfn,time")
        key = load_pem_public_key(zipped.read("key-1.pem"))
        before = "0" * 64
        lines = zipped.read("journal.jsonl").decode().splitlines()
        for line in lines:
            row = json.loads(line)
            fields = ("n", "at_ms", "kind", "bay", "docking", "recording", "detail", "prev")
            text = json.dumps([row[field] for field in fields], ensure_ascii=False)
            assert row["prev"] == before
            assert row["hash"] == hashlib.sha256(text.encode()).hexdigest()
            key.verify(bytes.fromhex(row["sig"]), bytes.fromhex(row["hash"]))  # type: ignore[union-attr, call-arg]
            before = row["hash"]
        assert len(lines) > 20
        recordings = zipped.read("recordings.csv").decode()
    assert all(each["sha256"] in recordings for each in rig.reporter.events("SEALED"))


def test_holding_from_the_command_line(rig: Rig, ask: Ask) -> None:
    sealed = rig.reporter.events("SEALED")[0]["file"]
    with closing(sqlite3.connect(rig.config.store / "ledger.db")) as db:
        (number,) = db.execute("SELECT id FROM recording WHERE file = ?", (sealed,)).fetchone()
    assert ask("docks", "hold", number, "--who", "王敏", "--why", "证据")[0] == 0
    code, out, _ = ask("docks")
    assert code == 0 and "bay-1" in out and "ANNOUNCED" in out
    code, _, err = ask("docks", "hold", number, "--who", " ", "--why", "x")
    assert code == 2 and "name and a reason" in err
    assert ask("docks", "hold", "no-such", "--who", "a", "--why", "b")[0] == 2
    assert ask("custody", "verify")[0] == 0


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[checkpoint]\nid = "k-07"\ncounty = "c371500"\n', "no [docks]"),
        (
            '[checkpoint]\nid = "k-07"\ncounty = "c371500"\n[docks]\nstore = "elsewhere"\n',
            "no recordings yet",
        ),
    ],
)
def test_one_sentence_and_exit_code_2(ask: Ask, tmp_path: Path, toml: str, says: str) -> None:
    other = tmp_path / "other.toml"
    other.write_text(toml)
    code, _, err = ask("custody", "verify", config=other)
    assert code == 2 and says in err and err.count("\n") == 1

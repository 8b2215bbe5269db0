"""What of Windows can be shown without one: see tests/fakes/windows.py for what cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flashing import chip_errors, files, ports
from flashing.ledger import Ledger

ROOT = Path(__file__).resolve().parents[3]


def windows(home: Path, code_page: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run flash.sh's program with a redirected console of `code_page`.

    Windows' file names are Unicode and its text files are not: what opens one without naming the
    encoding is told by the interpreter's own warning, which is an error there.
    """
    environment = {
        **{"HOME": os.fspath(home)},
        **{"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}"},
        **{"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": code_page},
    }
    command = [sys.executable, "-X", "utf8=0", "-X", "warn_default_encoding"]
    command += ["-m", "tests.fakes.windows", "--home", os.fspath(home), *arguments]
    return subprocess.run(command, capture_output=True, env=environment, cwd=home, timeout=60)


def test_nothing_is_used_that_windows_lacks() -> None:
    """The type checker knows what each platform's modules have."""
    command = [sys.executable, "-m", "pyright", "-p", "pyrightconfig.agent.json"]
    done = subprocess.run(
        [*command, "--pythonplatform", "Windows", "firmware/flashing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("code_page", ["gbk", "cp1252"])
def test_the_desk_commands_run(tmp_path: Path, code_page: str) -> None:
    home = tmp_path / "技术员"
    Ledger(home).add("pass", unit="u-0101", mac="24:0a:c4:00:00:01", serial="a1", board="lte")
    (home / "phrase").write_bytes("口令 twelve signs\r\n".encode())
    (home / "units.csv").write_bytes("\ufeffunit,board\r\nu-0102,lte\r\n".encode())
    (home / "command-keys.json").write_text('{"k1": "%s"}' % ("ab" * 384))
    site = '# 县\ncounty = "c371500"\nfleet = 9\ncommand_keys = "command-keys.json"\n'
    site += '[brokers.county]\nhost = "c.example"\nport = 8883\n'
    site += '[[wifi]]\nssid = "卡点"\npsk = "secret"\nbroker = "county"\n'
    (home / "county.toml").write_bytes(site.encode())

    def run(*arguments: str) -> str:
        done = windows(home, code_page, *arguments)
        assert done.returncode == 0, done.stderr.decode(code_page)
        return done.stdout.decode(code_page)

    phrase = ("--passphrase-file", "phrase")
    run("ca", "init", "--county", "c371500", *phrase)
    told = run(
        *("ca", "issue-batch", "--units", "units.csv", "--site", "county.toml"),
        *("一批.identities", *phrase),
    )
    assert "shown once" in told
    run("ca", "issue", "k-07", "--kind", "checkpoint", "--name", "192.168.4.1", *phrase)
    assert "u-0101" in run("ledger", "list")
    assert "is revoked" in run("revoke", "--unit", "u-0101", "--why", "丢失")
    run("ca", "crl", *phrase)
    run("ledger", "export", "台账.csv")
    assert "丢失" in (home / "台账.csv").read_text(encoding="utf-8-sig")
    Ledger(home).add("pass", unit="u-0102", mac="24:0a:c4:00:00:02", serial="b1", board="lte")
    run("label", "--county", "c371500", "标签.pdf")
    assert (home / "标签.pdf").read_bytes().startswith(b"%PDF")
    other = home / "另一台"
    Ledger(other).add("pass", unit="u-0103", mac="24:0a:c4:00:00:03", serial="c1", board="lte")
    assert "1 new rows" in run("ledger", "merge", os.fspath(other / "ledger.jsonl"))
    done = windows(home, code_page, "doctor", "--port", "COM7")
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"COM7: there is no such port" in done.stdout


def test_a_name_is_taken_once_its_reader_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tries = tmp_path / "ledger.jsonl", 0
    replace = Path.replace

    def scanned(fresh: Path, target: Path) -> Path:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise PermissionError(13, "Access is denied")
        return replace(fresh, target)

    monkeypatch.setattr(Path, "replace", scanned)
    with pytest.raises(PermissionError):  # POSIX means it
        files.write_private(path, b"one")
    monkeypatch.setattr(files.os, "name", "nt")
    monkeypatch.setattr(files, "sync_folder", lambda folder: None)
    files._take_the_name(tmp_path / "ledger.jsonl.new", path)
    monkeypatch.undo()
    assert (path.read_bytes(), tries) == (b"one", 4)


def test_a_lock_is_waited_for_longer_than_windows_does() -> None:
    tries = 0

    def lock() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise OSError(files.errno.EDEADLK, "Resource deadlock avoided")

    files._until_locked(lock)
    assert tries == 3

    def broken() -> None:
        raise OSError(files.errno.EBADF, "")

    with pytest.raises(OSError, match="9"):
        files._until_locked(broken)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "could not open port 'COM5': PermissionError(13, '拒绝访问。', None, 5)",
            "another program",
        ),
        (
            "could not open port 'COM5': FileNotFoundError(2, '系统找不到指定的文件。', None, 2)",
            "no such port",
        ),
        (
            "ClearCommError failed (PermissionError(13, '设备不识别此命令。', None, 22))",
            "went away",
        ),
        ("WriteFile failed (PermissionError(13, 'Access is denied.', None, 5))", "went away"),
    ],
)
def test_what_windows_says_of_a_port(text: str, says: str) -> None:
    assert says in str(chip_errors.explain("COM5", text))


def test_com_ports_have_their_place_on_the_hub() -> None:
    """pyserial's Windows half makes of LOCATION_PATHS what Linux calls the place, and a suffix."""

    class Entry:
        def __init__(self, device: str, location: str) -> None:
            self.device, self.location, self.vid, self.pid = device, location, 0x1A86, 0x7523

    entries = [Entry("COM12", "1-3.10:x.0"), Entry("COM5", "1-3.2"), Entry("COM9", "")]
    named = [(port.device, port.place) for port in ports.found(lambda: entries)]
    assert named == [("COM9", ""), ("COM5", "1-3.2"), ("COM12", "1-3.10")]

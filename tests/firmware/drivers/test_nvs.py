"""What is kept over reboots: short values in the NVS, long ones in files, power cut in between."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import pytest

NVS = Path(__file__).resolve().parents[3] / "firmware/drivers/nvs.py"


class Nvs:
    """esp32.NVS over a dict that outlives it; blobs as large as a page."""

    def __init__(self, store: dict[str, Any]) -> None:
        self._store = store

    def set_blob(self, key: str, value: bytes) -> None:
        assert 0 < len(value) <= 1984
        self._store[key] = bytes(value)

    def get_blob(self, key: str, buffer: bytearray) -> int:
        if key not in self._store:
            raise OSError(-0x1102)
        value = self._store[key]
        buffer[: len(value)] = value
        return len(value)

    def set_i32(self, key: str, value: int) -> None:
        self._store[key] = value

    def get_i32(self, key: str) -> int:
        if key not in self._store:
            raise OSError(-0x1102)
        return int(self._store[key])

    def erase_key(self, key: str) -> None:
        if key not in self._store:
            raise OSError(-0x1102)
        del self._store[key]

    def commit(self) -> None:
        pass


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """boot() -> Kept, as after each reboot."""
    store: dict[str, Any] = {}
    esp32: Any = types.ModuleType("esp32")
    esp32.NVS = lambda _: Nvs(store)
    monkeypatch.setitem(sys.modules, "esp32", esp32)
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("nvs", NVS)
    assert spec and spec.loader
    nvs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(nvs)
    return nvs.Kept


LONG, OTHER = b"p" * 8192, b"q" * 5000


def test_short_long_and_gone_over_reboots(boot: Any, tmp_path: Path) -> None:
    for before in (b"", b"short", LONG):
        for after in (b"", b"word", LONG, OTHER):
            boot().set("plan", before)
            boot().set("plan", after)
            assert boot().values.get("plan", b"") == after, (len(before), len(after))
            assert (tmp_path / "kept-plan").exists() == (len(after) > 1900)
    boot().set("plan", b"")
    assert "plan" not in boot().values and list(tmp_path.iterdir()) == []


def test_a_cut_while_a_long_one_is_written_leaves_the_old_one(boot: Any, tmp_path: Path) -> None:
    boot().set("plan", OTHER)
    (tmp_path / "kept-new").write_bytes(LONG[:4096])  # as far as it came
    assert boot().values["plan"] == OTHER
    boot().set("plan", LONG)
    assert boot().values["plan"] == LONG


def test_without_room_a_value_holds_until_the_power_goes(
    boot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = boot()
    assert kept.set("word", b"old")
    kept.set_number("session", 7)

    def full(*_: object) -> None:
        raise OSError(-0x1105)  # ESP_ERR_NVS_NOT_ENOUGH_SPACE

    with monkeypatch.context() as patched:
        patched.setattr(Nvs, "set_blob", full)
        patched.setattr(Nvs, "set_i32", full)
        assert not kept.set("word", b"new")
        assert [kept.count("session"), kept.count("session"), kept.number("session")] == [8, 9, 9]
        patched.setattr("os.rename", full)
        assert not kept.set("plan", LONG)
    assert kept.values == {"word": b"new", "plan": LONG}
    assert boot().values == {"word": b"old"}
    assert boot().number("session") == 7
    assert kept.set("word", b"newer")
    assert kept.count("session") == 10
    assert boot().values["word"] == b"newer"
    assert boot().number("session") == 10

"""The Pi itself, from a copy of the kernel's files. Whether they mean on a Pi what the driver's
source says they mean is rung 6."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from edge_agent.sensors import host
from edge_agent.sensors.host import HostSection
from tests.edge_agent.sensors.rig import running

FILES = {
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
    "sys/class/thermal/thermal_zone0/temp": "61322\n",
    "sys/fs/ext4/mmcblk0p2/errors_count": "3\n",
    "sys/block/mmcblk0/device/life_time": "0x02 0x04\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def section(what: str, root: Path) -> HostSection:
    keys = {"id": "h", "kind": "host", "what": what, "root": root, "path": root}
    return HostSection.model_validate(keys)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("under_voltage", 1000),
        ("temperature", 61_322),
        ("disk_errors", 3000),
        ("disk_worn", 40_000),
    ],
)
async def test_from_the_kernels_files(root: Path, what: str, value: int) -> None:
    assert await host.SOURCES[what].read(section(what, root)) == value


@pytest.mark.parametrize("what", ["under_voltage", "temperature", "disk_errors", "disk_worn"])
async def test_a_machine_without_them(tmp_path: Path, what: str) -> None:
    assert await host.SOURCES[what].read(section(what, tmp_path)) is None
    assert host.SOURCES[what].absent


async def test_disk_free_is_a_percentage(root: Path) -> None:
    free = await host.disk_free(section("disk_free", root))
    assert free is not None and 0 <= free <= 100_000
    assert await host.disk_free(section("disk_free", root / "nowhere")) is None


async def test_clock_is_0_or_1(root: Path) -> None:
    assert await host.clock(section("clock", root)) in (0, 1000)


async def test_modem_signal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mmcli = root / "mmcli"
    mmcli.write_text(
        '#!/bin/sh\necho \'{"modem":{"generic":{"signal-quality":{"value":"67"}}}}\'\n'
    )
    mmcli.chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}:/usr/bin:/bin")
    assert await host.modem_signal(section("modem_signal", root)) == 67_000
    mmcli.write_text("#!/bin/sh\necho no modem\n")
    assert await host.modem_signal(section("modem_signal", root)) is None
    mmcli.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(host, "MODEM_S", 0.1)
    assert await host.modem_signal(section("modem_signal", root)) is None


async def test_as_a_sensor_with_an_alarm(root: Path) -> None:
    toml = (
        f'[[sensor]]\nid = "volt"\nkind = "host"\nwhat = "under_voltage"\nroot = "{root}"\n'
        "every_s = 0.05\nmin_gap_s = 0\n[sensor.alarm]\non = true\n"
    )
    async with running(root, toml) as kept:
        told = await kept.until("volt", lambda f: f.get("alarm") == "on")
        assert (told["kind"], told["value"]) == ("under_voltage", 1000)
        (root / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").write_text("0\n")
        await kept.until("volt", lambda f: f.get("value") == 0 and "alarm" not in f)
        (root / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").unlink()
        assert "hwmon" in (await kept.until("volt", lambda f: f["quality"] == "fault"))["why"]


def test_every_kind_of_what_has_its_row() -> None:
    assert set(host.SOURCES) == set(get_args(host.What))

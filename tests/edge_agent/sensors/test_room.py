"""One broken sensor never stops the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent import supervise
from edge_agent.buses import Buses
from edge_agent.sensors import kinds, room, serial_line
from edge_agent.sensors.channel import Report
from edge_agent.sensors.reading import Emit, Reading
from tests.edge_agent.sensors.rig import running
from tests.edge_agent.sensors.scenarios import good, lines, says
from tests.fakes.serial_peer import SerialPeer

HOST = '[[sensor]]\nid = "disk"\nkind = "host"\nwhat = "disk_free"\nevery_s = 0.05\n'


async def test_a_kind_that_raises_is_restarted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0

    async def broken_once(section: object, _buses: Buses, emit: Emit) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ZeroDivisionError("a bug in a kind")
        await serial_line.run(section, _buses, emit)  # type: ignore[arg-type]

    kind = kinds.KINDS["serial_line"]
    monkeypatch.setitem(kinds.KINDS, "serial_line", kind._replace(run=broken_once))
    monkeypatch.setattr(supervise, "FIRST_S", 0.05)
    with SerialPeer(tmp_path / "tty") as peer:
        async with running(tmp_path, lines(peer.link) + HOST) as kept:
            bad = await kept.until("radar", lambda f: f["quality"] == "fault")
            assert "a bug in a kind" in bad["why"]
            await kept.until("disk", good)
            await says(kept, peer, 52)


async def test_nothing_configured_is_no_fault(tmp_path: Path) -> None:
    async with running(tmp_path, ""):
        pass  # the rig raises if a room ended by itself


@pytest.mark.parametrize(
    ("report", "fields"),
    [
        (Report("good", 1, read=1795280400.9), {"quality": "good", "value": 1, "read": 1795280400}),
        (Report("good", 1, read=12.0), {"quality": "stale", "value": 1}),  # it is 1970 here
        (Report("fault", why="x", folded=3), {"quality": "fault", "why": "3 more changes; x"}),
    ],
)
def test_fields(report: Report, fields: dict[str, object]) -> None:
    section = serial_line.SerialLineSection.model_validate(
        {"id": "s", "kind": "serial_line", "bus": "b", "pattern": "radar"}
    )
    told = room.fields_of(section, report)
    assert (told.pop("kind"), told.pop("unit")) == ("speed", "km/h")
    if "why" in told:
        told["why"] = told["why"].split("/ ", 1)[1]
    assert told == fields
    assert Reading().empty

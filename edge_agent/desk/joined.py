"""The desk joined to the agent: what each press does, and what the page may know of agent.toml."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edge_agent.alarm_room import AlarmRoom
from edge_agent.board import Board
from edge_agent.desk.rights import Refused
from edge_agent.desk.room import About, DeskRoom, Hands
from edge_agent.desk.server import Desk
from edge_agent.orders import Orders
from edge_agent.outputs.announce import AnnounceSection
from edge_agent.outputs.room import OutputFault, Outputs
from edge_agent.reporter import Reporter
from edge_agent.units.endpoint import UnitsEndpoint

if TYPE_CHECKING:
    from edge_agent.config import Config


def join(
    config: Config,
    board: Board,
    reporter: Reporter,
    *,
    alarm: AlarmRoom,
    outputs: Outputs,
    orders: Orders,
    units: UnitsEndpoint | None,
) -> Desk:
    """The staff's page of this agent; nothing listens yet. ValueError: its file of places."""

    async def seen(sos: str, going: bool, who: str) -> None:
        """看到了 or 我们出发: felt by the unit, told to the county, on the page."""
        unit = board.get("sos", sos).get("unit")
        if unit is None:
            raise Refused("err_sos_closed")
        fields: dict[str, Any] = {"sos": sos, "cp": reporter.checkpoint, "going": going}
        if who:
            fields["who"] = who
        event = await reporter.report("unit_seen", {"U": unit}, {**fields, "tst": int(time.time())})
        alarm.seen(sos, who, going)
        if units:
            await units.deliver(event.topic, event.payload)

    async def switch(output: str, on: bool, who: str) -> None:
        try:
            await outputs.set(output, on, who)
        except OutputFault as error:
            raise Refused("err_output", 502) from error

    async def announce(file: str, times: int, who: str) -> None:
        try:
            await outputs.announce(file, times, who)
        except OutputFault as error:
            raise Refused("err_output", 502) from error

    hands = Hands(seen, alarm.mute, switch, announce, orders.answer, reporter.report, reporter.boot)
    room = DeskRoom(config.desk, board, about(config), hands, config.checkpoint.data_dir)
    orders.lifted = room.lifted
    return Desk(room)


def about(config: Config) -> About:
    """What the page may know of the configuration."""
    place = config.checkpoint
    return About(
        id=place.id,
        name=place.name or place.id,
        lat=place.lat,
        lon=place.lon,
        phones=[phone.model_dump() for phone in config.alarm.phones],
        outputs=[_output(section) for section in config.output],
        sensors={section.id: _sensor(section) for section in config.sensor},
        answer_s=config.alarm.answer_s,
    )


def _output(section: Any) -> dict[str, Any]:
    files = (
        sorted(path.name for path in section.folder.glob("*.wav"))
        if isinstance(section, AnnounceSection)
        else []
    )
    return {
        "id": section.id,
        "name": section.name or section.id,
        "kind": section.kind,
        "files": files,
    }


def _sensor(section: Any) -> dict[str, Any]:
    limits = section.alarm.model_dump(include={"low", "high", "on"}) if section.alarm else {}
    known = {key: value for key, value in limits.items() if value is not None}
    return {"name": section.name or section.id, "unit": section.unit, "limits": known}

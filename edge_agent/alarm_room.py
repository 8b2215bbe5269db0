"""Carries the alarm out: siren, page, what is kept over a restart. The logic is alarm.py's."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import Field

from edge_agent.alarm import Alarm, AlarmEvent, Effect, Silence
from edge_agent.board import Board
from edge_agent.clock import since_boot
from edge_agent.event import Event
from edge_agent.outbox import Outbox
from edge_agent.section import Section
from edge_agent.uplink_flight import Answer
from patrol_contract import ContractError, messages, topics

log = logging.getLogger(__name__)

KEPT = "alarm"


class Phone(Section):
    """Whom staff call when the county does not answer."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    number: Annotated[str, Field(pattern=r"^[0-9+ -]{3,20}$")]


class AlarmConfig(Section):
    """`[alarm]` in agent.toml. `siren` names the [[output]] that sounds; without it, page only."""

    siren: str | None = None
    answer_s: Annotated[int, Field(ge=5, le=600)] = 60
    silent_min: Annotated[int, Field(ge=1, le=240)] = 10
    phones: tuple[Phone, ...] = ()


class AlarmRoom:
    """`run()` for ever; the rest of the agent calls the methods below as things happen.

    set_siren(on) switches the output and may raise: the siren is tried again each second until it
    does what it should. muted(who, ids) is told for the operator log; follow(units) whose county
    commands must be heard here, wherever the unit went: the answer to its SOS ends the alarm.
    clock() is Unix s, for people; what is waited for is measured by ticks(), s since `boot`.
    """

    def __init__(
        self,
        config: AlarmConfig,
        outbox: Outbox,
        board: Board,
        *,
        set_siren: Callable[[bool], Awaitable[object]],
        muted: Callable[[str, list[str]], None] = lambda who, ids: None,
        follow: Callable[[set[str]], None] = lambda units: None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = since_boot,
        boot: str = "",
    ) -> None:
        self._config, self._outbox, self._board = config, outbox, board
        self._set_siren, self._muted, self._follow = set_siren, muted, follow
        self._clock, self._ticks, self._boot = clock, ticks, boot
        self._followed: set[str] = set()
        self._alarm = Alarm(answer_s=config.answer_s)
        self._silence = Silence(config.silent_min * 60)
        self._queue: asyncio.Queue[AlarmEvent] = asyncio.Queue()
        self._siren_is: bool | None = None  # what the output was last set to; None: unknown

    # -- what happens --------------------------------------------------------------------------

    def received(self, event: Event) -> None:
        """For outbox.on_sos: an SOS came in. At once, committed or not."""
        found = topics.parse(event.topic)
        if found is None or found[0] != "unit_sos":
            return
        try:
            fields = messages.decode("unit_sos", event.payload)
        except ContractError as error:
            log.error("an SOS that cannot be read: %s", error)
            return
        self._queue.put_nowait(
            ("sos", event.sender, fields["id"], fields["revision"], fields["state"],
             fields["discreet"], event.at)
        )  # fmt: skip

    def observe(self, event: Event) -> None:
        """For outbox.watch: every accepted record says that its sender lives."""
        found = topics.parse(event.topic)
        if found is None or "U" not in found[1]:
            return
        on_duty: bool | None = None
        if found[0] == "unit_state":
            fields = messages.decode("unit_state", event.payload)
            if not fields["online"]:
                return  # a will: the opposite of being heard
            on_duty = fields["on_duty"]
        self._silence.heard(event.sender, self._ticks(), on_duty)

    def county(self, reached: bool) -> None:
        """For uplink.on_change."""
        self._queue.put_nowait(("county", reached))

    def answer(self, answer: Answer) -> None:
        """For uplink.on_answer."""
        if answer.event.sos is not None:
            self._queue.put_nowait(("heard" if answer.heard else "unheard", answer.event.sos))

    def ordered(self, name: str, fields: dict[str, Any]) -> None:
        """For commands.on_order: a signed command of the county to a unit."""
        if fields.get("cmd") in ("sos_ack", "help"):
            self._queue.put_nowait(("answered", fields["sos"]))
        elif fields.get("cmd") == "sos_close":
            self._queue.put_nowait(("closed", fields["sos"]))

    def seen(self, sos_id: str, who: str, going: bool) -> None:
        """Staff pressed 看到了 or 我们出发 on the page."""
        self._queue.put_nowait(("seen", sos_id, who, going))

    def mute(self, who: str) -> None:
        """Staff pressed 静音."""
        self._queue.put_nowait(("mute", who))

    def open_ids(self) -> set[str]:
        """Open SOSs: the county's answer to them is obeyed even without a clock."""
        return set(self._alarm.open)

    # -- what is done --------------------------------------------------------------------------

    async def run(self) -> None:
        """Restore what was open, then follow events and the clock."""
        kept = await self._kept()
        self._alarm = Alarm(kept, self._config.answer_s, self._boot)
        self._siren_is = None
        while True:
            try:
                async with asyncio.timeout(1.0):
                    event = await self._queue.get()
            except TimeoutError:
                event = ("tick",)
            effects = self._alarm.step(self._ticks(), event)
            units = {sos.unit for sos in self._alarm.open.values()}
            if units != self._followed:  # before the commit below: a county may answer at once
                self._followed = units
                self._follow(units)
            for effect in effects:
                await self._do(effect)
            await self._drive_siren()
            for unit, heard in self._silence.changes(self._ticks()):
                since = None if heard is None else self._clock() - (self._ticks() - heard)
                self._board.put("unit", unit, {"silent_since": since})

    async def _kept(self) -> bytes | None:
        try:
            return await self._outbox.kept(KEPT)
        except OSError as error:
            log.error("open SOSs of before cannot be read: %s", error)
            return None

    async def _do(self, effect: Effect) -> None:
        kind, *rest = effect
        if kind == "show":
            self._board.put("sos", *rest)
        elif kind == "drop":
            self._board.drop("sos", *rest)
        elif kind == "muted":
            log.warning("siren muted by %s", rest[0])
            self._muted(*rest)
        elif kind == "keep":
            try:
                await self._outbox.keep(KEPT, rest[0])
            except OSError as error:  # the alarm goes on; only a restart would forget it
                log.error("open SOSs are not kept: %s", error)

    async def _drive_siren(self) -> None:
        if self._alarm.siren == self._siren_is:
            return
        try:
            await self._set_siren(self._alarm.siren)
        except Exception as error:  # whatever the output is made of: say so, try again
            log.exception("siren")
            self._board.fault("siren", f"{type(error).__name__}: {error}")
        else:
            self._siren_is = self._alarm.siren
            self._board.fault("siren", None)

"""What this checkpoint does when the county orders it: one handler per command.

siren, barrier       switch an output
announce             speak a recorded file, where the checkpoint has a loudspeaker
dock_confirm         the county has a recording
rollcall, assist, seal_off (封控)
                     shown on the page until staff answer there; shown again after a restart
config               a new agent.toml: checked whole, then put in place of the old one
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from edge_agent import config
from edge_agent.board import Board
from edge_agent.commands import Commands, Fields, Handler, Outcome

Switch = Callable[[str, bool, str], Awaitable[object]]  # output id, on, who asked
Confirm = Callable[[Mapping[str, Any]], Awaitable[str]]
Announce = Callable[[str, int, str], Awaitable[object]]  # file, times, who asked


class Orders:
    """Sets the handlers of `commands`; `answer` is the page's.

    restart() is called once a new configuration is in place.
    """

    def __init__(
        self,
        commands: Commands,
        board: Board,
        *,
        switch: Switch,
        confirm: Confirm | None = None,
        announce: Announce | None = None,
        toml: Path | None = None,
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        self.lifted: Callable[[], None] = lambda: None  # the page's: 封控 is over
        self._commands, self._board, self._switch = commands, board, switch
        self._toml, self._restart = toml, restart
        put = commands.handlers
        put["siren"] = Handler(self._switching("siren", "on"))
        put["barrier"] = Handler(self._switching("barrier", "open"))
        for shown in ("rollcall", "assist"):
            put[shown] = Handler(self._show, lasting=True)
        put["seal_off"] = Handler(self._seal_off, lasting=True)
        if toml is not None:
            put["config"] = Handler(self._config)
        if confirm is not None:
            put["dock_confirm"] = Handler(_confirming(confirm))
        if announce is not None:
            put["announce"] = Handler(_announcing(announce))

    async def answer(self, order: str, who: str, why: str | None = None) -> None:
        """Staff answered an order on the page. LookupError when it is not open any more."""
        self._board.drop("order", order)
        await self._commands.answer(order, who, why)

    def _switching(self, output: str, field: str) -> Callable[[Fields], Awaitable[Outcome]]:
        async def act(fields: Fields) -> Outcome:
            await self._switch(output, fields[field], _asker(fields))
            return Outcome("done")

        return act

    async def _show(self, fields: Fields) -> None:
        """The page shows it with its clock: `at` is when it was issued, within_s how long."""
        about = ("cmd", "iat", "within_s", "why", "place", "lat", "lon", "desc", "sos", "discreet")
        row = {key: fields[key] for key in about if key in fields}
        self._board.put("order", fields["id"], {**row, "at": time.time()})

    async def _seal_off(self, fields: Fields) -> Outcome | None:
        if fields.get("on", True):
            return await self._show(fields)
        self.lifted()
        for order, row in list(self._board.view()["order"].items()):
            if row.get("cmd") == "seal_off":
                await self.answer(order, fields["kid"], "lifted by the county")
        return Outcome("done")

    async def _config(self, fields: Fields) -> Outcome:
        assert self._toml is not None
        text = fields["toml"].encode()
        if hashlib.sha256(text).hexdigest() != fields["sha256"]:
            return Outcome("refused", "its sha256 does not fit: send it again")
        try:
            await asyncio.to_thread(replace_config, self._toml, text)
        except config.ConfigError as error:
            return Outcome("refused", str(error)[:200])
        asyncio.get_running_loop().call_later(1.0, self._restart)  # let the answer be committed
        return Outcome("done")


def replace_config(toml: Path, text: bytes) -> None:
    """Put `text` in place of agent.toml when all of it is good. ConfigError: nothing changed.

    The old file stays beside it as agent.toml.before, and comes back if the agent cannot start with
    the new one (`take_back`). Paths in it count from the same folder.
    """
    fresh = toml.with_name(toml.name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        config.load(fresh)
        before = toml.with_name(toml.name + ".before")
        before.unlink(missing_ok=True)
        os.link(toml, before)
        trial(toml).touch()
        fresh.replace(toml)
    finally:
        fresh.unlink(missing_ok=True)


def trial(toml: Path) -> Path:
    """There while the county has not been reached with a configuration that it sent."""
    return toml.with_name(toml.name + ".trial")


def passed(toml: Path) -> None:
    """The trial is over."""
    with contextlib.suppress(OSError):  # a disk that refuses: it is on trial for longer
        trial(toml).unlink(missing_ok=True)


def take_back(toml: Path) -> bool:
    """The agent cannot start: put the old configuration back if the new one is on trial."""
    before = toml.with_name(toml.name + ".before")
    if not trial(toml).exists() or not before.exists():
        return False
    before.replace(toml)
    trial(toml).unlink()
    return True


def _asker(fields: Fields) -> str:
    return f"{fields['kid']} {fields['id']}"


def _confirming(confirm: Confirm) -> Callable[[Fields], Awaitable[Outcome]]:
    async def act(fields: Fields) -> Outcome:
        return Outcome("done", await confirm(fields))

    return act


def _announcing(announce: Announce) -> Callable[[Fields], Awaitable[Outcome]]:
    async def act(fields: Fields) -> Outcome:
        await announce(fields["file"], fields.get("times", 1), _asker(fields))
        return Outcome("done")

    return act

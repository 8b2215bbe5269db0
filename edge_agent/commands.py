"""What the county sends: orders to this checkpoint are verified, done once and answered; what is
for the units here is handed to their endpoint unchanged (they verify it themselves).

An order's life, kept in the outbox's database before each step that others can see:

    verified -> "received" -> done by its handler -> "done" / "answered" / "refused" and why

Its number (per-target replay window) is kept before anything is done: an order is done at most
once, also over a restart. One that the restart interrupted is shown again when it is staff's to
answer (roll call, seal off, assist), and refused when it would move something (siren, barrier).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from edge_agent.outbox import Outbox
from edge_agent.section import ExistingFile, Section
from edge_agent.units.quota import Bucket
from patrol_contract import ContractError, messages, signing, topics

log = logging.getLogger(__name__)

KEPT = "commands"
REMEMBERED = 64  # orders whose outcome is told again when they come again
VERIFICATIONS_PER_S = 2.0  # at most: a flood of forgeries must not cost the checkpoint its day
# what the alarm and the page here must know, if it is genuine
ABOUT_SOS = ("sos_ack", "help", "sos_close", "assist")
FOR_UNITS = ("unit_cmd", "group_cmd", "group_duty", "unit_seen")
INTERRUPTED = "the checkpoint restarted before it was done; send it again"
UNKNOWN = "this checkpoint has nothing that could do it"

Fields = Mapping[str, Any]


class CommandsConfig(Section):
    """`[commands]` in agent.toml. `keys`: the county's command-keys.json, from patrolctl keygen."""

    keys: ExistingFile


class Outcome(NamedTuple):
    """What became of an order. state: done, refused, or answered (by staff)."""

    state: str
    why: str | None = None
    who: str | None = None


class Handler(NamedTuple):
    """What carries out one command.

    act(fields) -> Outcome, or None when staff will answer later through Commands.answer. An
    exception is a refusal with its text. lasting: show it again after a restart.
    """

    act: Callable[[Fields], Awaitable[Outcome | None]]
    lasting: bool = False


class Report(Protocol):
    """The reporter's `report`."""

    async def __call__(self, name: str, who: Mapping[str, str], fields: Fields, /) -> object: ...


class Deliver(Protocol):
    """The units' endpoint's `deliver`."""

    async def __call__(
        self, topic: str, payload: bytes, *, retain: bool = False, expires: float | None = None
    ) -> object: ...


def load_keys(path: Path) -> dict[str, bytes]:
    """{kid: modulus} of a command-keys.json. ValueError with one sentence when it is not one."""
    try:
        keys = {kid: bytes.fromhex(text) for kid, text in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: no command-keys.json of patrolctl keygen ({error})") from None
    if not keys or any(len(modulus) != signing.KEY_BYTES for modulus in keys.values()):
        raise ValueError(f"{path}: wants RSA-3072 moduli of 384 bytes; run patrolctl keygen")
    return keys


class Commands:
    """`await load()` once the outbox is open and the handlers are set; then `receive` is the
    uplink's on_command.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        county: str,
        checkpoint: str,
        outbox: Outbox,
        report: Report,
        deliver: Deliver,
        *,
        listen: Callable[[set[str]], None] = lambda filters: None,
        open_sos: Callable[[], set[str]] = set,
        clock: Callable[[], float | None] = time.time,
        heard: Callable[[int], object] = lambda iat: None,
    ) -> None:
        self.handlers: dict[str, Handler] = {}  # command -> what does it
        self.counts = {"done": 0, "refused": 0, "repeated": 0, "malformed": 0, "forwarded": 0}
        self._keys, self._county, self._checkpoint = keys, county, checkpoint
        self._target = f"cp/{checkpoint}"
        self._outbox, self._report, self._deliver = outbox, report, deliver
        self._listen, self._open_sos, self._clock = listen, open_sos, clock
        self._heard = heard  # when a message was signed that is genuine and not retained
        self._windows: dict[str, signing.ReplayWindow] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._open: dict[str, dict[str, Any]] = {}
        self._loaded = False
        self._duty: dict[str, int] = {}  # topic -> since of the newest
        self._orders: list[Callable[[str, dict[str, Any]], object]] = []
        self._waypoints: list[Callable[[Fields], Awaitable[None]]] = []
        self._wanted: dict[str, set[str]] = {"self": self._own_filters()}
        self._bucket = Bucket(VERIFICATIONS_PER_S, 10, time.monotonic())

    # -- what other rooms use ------------------------------------------------------------------

    def on_order(self, callback: Callable[[str, dict[str, Any]], object]) -> None:
        """Call back with (message name, fields) of duty and of ABOUT_SOS commands, verified."""
        self._orders.append(callback)

    def on_waypoint(self, callback: Callable[[Fields], Awaitable[None]]) -> None:
        """Await with each of the county's patrol points (unsigned: for the eye), which are then
        subscribed. OSError: not durable, the county's broker will offer it again."""
        self._waypoints.append(callback)
        self.want("points", {topics.topic("points_waypoint", C=self._county)})

    def want(self, room: str, filters: set[str]) -> None:
        """What `room` must hear from the county; all rooms' wants together are subscribed."""
        self._wanted[room] = set(filters)
        self._listen(self.filters())

    def filters(self) -> set[str]:
        """Everything to subscribe at the county now."""
        return set().union(*self._wanted.values())

    def follow(self, units: set[str]) -> set[str]:
        """The county's topics to these units."""
        return {topics.topic("unit_cmd", C=self._county, U=unit) for unit in units}

    def open_orders(self) -> dict[str, dict[str, Any]]:
        """Orders that staff have not answered yet, by id."""
        return dict(self._open)

    async def answer(self, order: str, who: str, why: str | None = None) -> None:
        """Staff answered an open order. LookupError when it is not open."""
        fields = self._open.pop(order)
        await self._finish(fields, Outcome("answered", why, who))

    # -- life ----------------------------------------------------------------------------------

    def _own_filters(self) -> set[str]:
        return {
            topics.topic("cp_cmd", C=self._county, K=self._checkpoint),
            f"patrol/v1/{self._county}/g/+/duty",
        }

    async def load(self) -> None:
        """Take up what a restart interrupted. On a disk that cannot be read no order is done until
        it can: nobody would know which were done before."""
        try:
            kept = await self._outbox.kept(KEPT)
        except OSError as error:
            log.error("orders wait for the disk: %s", error)
            return
        self._loaded = True
        if kept is not None:
            state = json.loads(kept)
            self._windows = {to: signing.ReplayWindow(*w) for to, w in state["windows"].items()}
            self._outcomes = {order: Outcome(*row) for order, row in state["outcomes"].items()}
            self._open = state["open"]
        for fields in list(self._open.values()):
            handler = self.handlers.get(fields["cmd"])
            if handler is not None and handler.lasting:
                await self._act(handler, fields)
            else:
                del self._open[fields["id"]]
                await self._finish(fields, Outcome("refused", INTERRUPTED))

    async def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """One message of the county. OSError: the disk did not take it, it is not acknowledged."""
        found = topics.parse(topic)
        name = found[0] if found else ""
        try:
            fields = messages.decode(name, payload) if found else {}
        except ContractError as error:
            self.counts["malformed"] += 1
            log.warning("%s: %s", topic, error)
            return
        if name == "cp_cmd":
            await self._order(payload, fields)
        elif name in FOR_UNITS:
            await self._forward(topic, name, payload, fields, retained)
        elif name == "points_waypoint":
            for callback in self._waypoints:
                await callback(fields)
        else:
            self.counts["malformed"] += 1
            log.warning("%s: nothing for a checkpoint", topic)

    async def _forward(
        self, topic: str, name: str, payload: bytes, fields: dict[str, Any], retained: bool
    ) -> None:
        if name == "group_duty":
            if await self._refusal(payload, fields, {}) or fields["since"] < self._duty.get(
                topic, 0
            ):
                return  # what units would refuse is not kept for those that come
            self._duty[topic] = fields["since"]
        self.counts["forwarded"] += 1
        retain = name == "group_duty"
        fault: OSError | None = None
        try:
            await self._deliver(topic, payload, retain=retain, expires=fields.get("exp"))
        except OSError as error:  # the alarm here must know all the same
            fault = error
        ours = name == "group_duty" or fields.get("cmd") in ABOUT_SOS
        if ours and not await self._refusal(payload, fields, {}):
            if not retained:
                self._heard(fields["iat"])
            for callback in self._orders:
                callback(name, fields)
        if fault is not None:
            raise fault

    # -- orders to this checkpoint -------------------------------------------------------------

    async def _order(self, payload: bytes, fields: dict[str, Any]) -> None:
        if not self._loaded:
            await self.load()
        if not self._loaded:
            raise OSError("orders wait for the disk")
        order = fields["id"]
        known = self._outcomes.get(order)
        if known is not None or order in self._open:
            self.counts["repeated"] += 1
            if known is not None and not await self._refusal(payload, fields, {}):
                await self._ack(fields, known)
            return
        windows = {to: signing.ReplayWindow(*w.state()) for to, w in self._windows.items()}
        reason = await self._refusal(payload, fields, windows)
        if reason is not None:
            self.counts["refused"] += 1
            await self._ack(fields, Outcome("refused", signing.REFUSALS[reason]))
            return
        self._heard(fields["iat"])
        before, self._windows = self._windows, windows
        self._open[order] = fields
        try:
            await self._keep()
        except OSError:  # not durable, so not begun: the county's broker will offer it again
            self._windows = before
            del self._open[order]
            raise
        await self._ack(fields, Outcome("received"))
        handler = self.handlers.get(fields["cmd"])
        if handler is None:
            del self._open[order]
            await self._finish(fields, Outcome("refused", UNKNOWN))
        else:
            await self._act(handler, fields)

    async def _refusal(
        self, payload: bytes, fields: Fields, windows: dict[str, signing.ReplayWindow]
    ) -> str | None:
        """signing.refusal, at the pace we allow. With no windows: whether it is genuine."""
        wait = self._bucket.take(time.monotonic())
        if wait:
            await asyncio.sleep(wait)
        now = self._clock()
        mine = {self._target} if fields["to"].startswith("cp/") else {fields["to"]}
        return signing.refusal(payload, fields, self._keys, mine, windows, now, self._open_sos())

    async def _act(self, handler: Handler, fields: dict[str, Any]) -> None:
        try:
            outcome = await handler.act(fields)
        except Exception as error:  # another room's fault: the county is told, the agent goes on
            log.exception("order %s", fields["cmd"])
            outcome = Outcome("refused", f"{type(error).__name__}: {error}"[:200])
        if outcome is not None:
            self._open.pop(fields["id"], None)
            await self._finish(fields, outcome)

    async def _finish(self, fields: Fields, outcome: Outcome) -> None:
        self.counts["refused" if outcome.state == "refused" else "done"] += 1
        self._outcomes[fields["id"]] = outcome
        while len(self._outcomes) > REMEMBERED:
            del self._outcomes[next(iter(self._outcomes))]
        await self._keep()
        await self._ack(fields, outcome)

    async def _ack(self, fields: Fields, outcome: Outcome) -> None:
        """Tell the county; it leaves with the outbox."""
        says = {"why": outcome.why, "who": outcome.who, "tst": int(time.time())}
        row = {"id": fields["id"], "cmd": fields["cmd"], "state": outcome.state}
        row |= {key: value for key, value in says.items() if value is not None}
        await self._report("cp_ack", {}, row)

    async def _keep(self) -> None:
        state = {
            "windows": {to: window.state() for to, window in self._windows.items()},
            "outcomes": self._outcomes,
            "open": self._open,
        }
        await self._outbox.keep(KEPT, json.dumps(state).encode())

"""What staff can press: one row of ACTIONS each, with its right and the shape of its request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edge_agent.desk.accounts import Session
from edge_agent.desk.rights import Refused, Role

if TYPE_CHECKING:
    from edge_agent.desk.room import DeskRoom

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Pin = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Hex16 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Plate = Annotated[
    str,
    StringConstraints(  # GA 36, as plate.js has it: 7 characters, 8 for new energy, 学 警 挂; none
        pattern=r"^(|无牌|[\u4e00-\u9fff][A-HJ-NP-Z]([A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[学警挂]))$"
    ),
]


class Asked(BaseModel):
    """A key nobody knows is a mistake of the page."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Asked):
    pass


class Code(Asked):
    code: str = Field(max_length=20)
    name: Name
    pin: Pin


class Login(Asked):
    name: Name
    pin: Pin


class Seen(Asked):
    sos: Hex16
    going: bool
    who: str = Field("", max_length=40)


class Mute(Asked):
    who: str = Field("", max_length=40)


class Switch(Asked):
    id: str = Field(max_length=32)
    on: bool


class Play(Asked):
    file: str = Field(min_length=1, max_length=60)
    times: int = Field(1, ge=1, le=10)


class Order(Asked):
    id: Hex16
    why: str | None = Field(None, max_length=100)


class Off(Asked):
    name: Name


class SignOff(Login):
    """lead: the PIN is the lead's, who signs off somebody that left without."""

    lead: bool = False


class Note(Asked):
    note: str = Field("", max_length=1000)


class Check(Asked):
    id: Hex16
    what: Literal["person", "vehicle"]
    outcome: Literal["pass", "register", "correct", "transfer"]
    plate: Plate = ""
    operation: str = Field("", max_length=32)


class CheckId(Asked):
    id: Hex16


class Account(Asked):
    name: Name
    role: Role
    pin: Pin


class NewPin(Asked):
    old: Pin
    new: Pin


@dataclass(frozen=True, slots=True)
class Caller:
    """Who pressed: a session, or nobody at the machine's own screen."""

    session: Session | None
    token: str | None

    @property
    def name(self) -> str:
        return self.session.name if self.session else ""


Done = dict[str, Any]
Act = Callable[["DeskRoom", Caller, Any], Awaitable[Done | None]]


class Action(NamedTuple):
    """right None: anyone who may see the page. locked: also while the page is locked."""

    asked: type[Asked]
    act: Act
    right: str | None
    locked: bool = False


async def set_up(room: DeskRoom, _by: Caller, asked: Code) -> Done:
    await room.accounts.set_up(asked.code, asked.name, asked.pin)
    await room.journal.note(asked.name, "first_account")
    return {"token": await room.accounts.login(asked.name, asked.pin)}


async def login(room: DeskRoom, by: Caller, asked: Login) -> Done:
    try:
        token = await room.accounts.login(asked.name, asked.pin)
    except Refused as refusal:
        await room.journal.note("", "login_refused", name=asked.name, why=refusal.key)
        raise
    if by.token:
        await room.accounts.logout(by.token)
    await room.journal.note(asked.name, "login")
    return {"token": token}


async def logout(room: DeskRoom, by: Caller, _asked: Nothing) -> Done:
    assert by.token
    await room.accounts.logout(by.token)
    await room.journal.note(by.name, "logout")
    return {"token": ""}


async def lock(room: DeskRoom, by: Caller, _asked: Nothing) -> None:
    assert by.token
    await room.accounts.lock(by.token)


async def touch(room: DeskRoom, by: Caller, _asked: Nothing) -> None:
    assert by.token
    await room.accounts.touch(by.token)


def person(room: DeskRoom, by: Caller, who: str) -> str:
    """Whose name a press at an SOS carries: the session's, or the one tapped on a locked page."""
    if by.session and not by.session.locked and by.session.may("sos"):
        return by.session.name
    if who and who not in room.accounts.names:
        raise Refused("err_no_account", 403)
    return who


async def seen(room: DeskRoom, by: Caller, asked: Seen) -> None:
    who = person(room, by, asked.who)
    await room.hands.seen(asked.sos, asked.going, who)
    await room.journal.note(who, "going" if asked.going else "seen", sos=asked.sos)


async def mute(room: DeskRoom, by: Caller, asked: Mute) -> None:
    who = person(room, by, asked.who)
    if not who:
        raise Refused("err_name", 400)
    await room.journal.note(who, "mute", open=sorted(room.board.view()["sos"]))
    room.hands.mute(who)


async def output(room: DeskRoom, by: Caller, asked: Switch) -> None:
    await room.hands.switch(asked.id, asked.on, by.name)
    await room.journal.note(by.name, "output", id=asked.id, on=asked.on)


async def announce(room: DeskRoom, by: Caller, asked: Play) -> None:
    await room.hands.announce(asked.file, asked.times, by.name)
    await room.journal.note(by.name, "announce", file=asked.file)


async def answer(room: DeskRoom, by: Caller, asked: Order) -> None:
    row = room.board.get("order", asked.id)
    try:
        await room.hands.answer(asked.id, by.name, asked.why)
    except LookupError:
        raise Refused("err_no_order", 404) from None
    if row.get("cmd") == "rollcall":
        await room.shift.tell(asked.id)
    elif row.get("cmd") == "seal_off":  # stays on the page until the county lifts it
        room.kept.put("seal", asked.id, {**row, "who": by.name, "done_at": time.time()})
    await room.journal.note(by.name, "answered", cmd=row.get("cmd"))


async def sign_on(room: DeskRoom, _by: Caller, asked: Login) -> None:
    await room.accounts.verify(asked.name, asked.pin)
    await room.shift.sign_on(asked.name)
    await room.checks.show()  # a shift may have begun: its totals are new
    await room.journal.note(asked.name, "sign_on")


async def sign_off(room: DeskRoom, by: Caller, asked: SignOff) -> None:
    assert by.session
    if asked.lead and not by.session.may("people"):
        raise Refused("err_role", 403)
    who = by.name if asked.lead else asked.name
    await room.accounts.verify(who, asked.pin)
    await room.shift.sign_off(asked.name)
    await room.journal.note(who, "sign_off", name=asked.name)


async def hand_over(room: DeskRoom, by: Caller, asked: Note) -> Done:
    over = room.shift.id
    await room.shift.hand_over(by.name, asked.note)
    await room.checks.show()
    await room.journal.note(by.name, "hand_over", shift=over)
    return {"shift": over}


async def check(room: DeskRoom, by: Caller, asked: Check) -> None:
    await room.checks.record(
        asked.id, asked.what, asked.outcome, asked.plate, asked.operation, by.name
    )


async def undo(room: DeskRoom, by: Caller, asked: CheckId) -> None:
    await room.checks.undo(asked.id)
    await room.journal.note(by.name, "check_undone", id=asked.id)


async def account(room: DeskRoom, by: Caller, asked: Account) -> None:
    await room.accounts.create(asked.name, asked.role, asked.pin)
    await room.journal.note(by.name, "account", name=asked.name, role=asked.role)


async def account_off(room: DeskRoom, by: Caller, asked: Off) -> None:
    await room.accounts.remove(asked.name)
    await room.journal.note(by.name, "account_off", name=asked.name)


async def own_pin(room: DeskRoom, by: Caller, asked: NewPin) -> Done:
    assert by.session
    await room.accounts.verify(by.name, asked.old)
    await room.accounts.create(by.name, by.session.role, asked.new)
    await room.journal.note(by.name, "own_pin")
    return {"token": await room.accounts.login(by.name, asked.new)}


ACTIONS: dict[str, Action] = {
    "setup": Action(Code, set_up, None, locked=True),
    "login": Action(Login, login, None, locked=True),
    "logout": Action(Nothing, logout, "self", locked=True),
    "lock": Action(Nothing, lock, "self", locked=True),
    "touch": Action(Nothing, touch, "self", locked=True),
    "pin": Action(NewPin, own_pin, "self"),
    "seen": Action(Seen, seen, "sos", locked=True),
    "mute": Action(Mute, mute, "sos", locked=True),
    "output": Action(Switch, output, "output"),
    "announce": Action(Play, announce, "output"),
    "answer": Action(Order, answer, "order"),
    "sign_on": Action(Login, sign_on, "shift"),
    "sign_off": Action(SignOff, sign_off, "shift"),
    "hand_over": Action(Note, hand_over, "shift"),
    "check": Action(Check, check, "check"),
    "undo": Action(CheckId, undo, "check"),
    "account": Action(Account, account, "people"),
    "account_off": Action(Off, account_off, "people"),
}
GUESTS = frozenset({"setup", "login", "seen", "mute"})  # at the machine's own screen, nobody in

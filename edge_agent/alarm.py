"""When the siren sounds for an SOS, and what the page says of it. Pure: events and time in, effects
out; alarm_room.py carries them out.

An open SOS is in one of these phases, worked out anew from what is known (nothing is left to
sequence, so that a restart in the middle loses nothing):

| phase    | when                                                   | siren | page               |
| ---      | ---                                                    | ---   | ---                |
| alone    | the county cannot be reached, or its broker refuses it | yes   | whom to phone      |
| waiting  | the county can be reached, younger than `answer_s`     | no    | county is told     |
| overdue  | the same, `answer_s` gone without the county's answer  | yes   | whom to phone      |
| answered | a signed sos_ack or help came                          | no    | help is coming     |

A discreet SOS and a test never sound (law 7): page only. Staff's mute (静音) stops the siren for
the SOSs open at that moment, by name; the next one sounds again. Only the county closes.

`now` is s since the machine booted, never the wall clock: that may be set by years in the middle of
an SOS, and the siren must neither wait for that nor be early. After a reboot nobody knows how long
an SOS has been open, so it is overdue.

in   ("sos", unit, id, revision, state, discreet, at)   at: Unix s at which it came here
     ("county", reached) ("unheard", id) ("heard", id)  the uplink's: PUBACK or not
     ("answered", id) ("closed", id)                    signed by the county
     ("seen", id, who, going) ("mute", who) ("tick",)   the page's; once a second
out  ("siren", on) ("show", id, row) ("drop", id) ("muted", who, ids) ("keep", bytes)
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

ANSWER_S = 60.0
MOST_OF_ONE = 16  # SOSs open of one unit: a mad one must not fill the page
ALONE, WAITING, OVERDUE, ANSWERED = "alone", "waiting", "overdue", "answered"
_SOUNDS = (ALONE, OVERDUE)

AlarmEvent = tuple[Any, ...]
Effect = tuple[Any, ...]


@dataclass(slots=True)
class Sos:
    """One open SOS, as it is kept over a restart."""

    id: str
    unit: str
    since: float  # Unix s, for people
    began: float | None  # s since the machine's boot; None: before that
    revision: int
    state: str
    discreet: bool
    heard: bool = False  # the county's broker has it
    unheard: bool = False  # it refused it, or nobody listens there
    answered: bool = False
    muted_by: str | None = None
    seen_by: str | None = None
    going: bool = False


class Alarm:
    """`step(now, event)` -> effects. kept: what the last ("keep", …) held; boot: the kernel's."""

    def __init__(
        self, kept: bytes | None = None, answer_s: float = ANSWER_S, boot: str = ""
    ) -> None:
        self.open: dict[str, Sos] = {}
        self.siren = False
        self._answer_s = answer_s
        self._reached = False
        self._shown: dict[str, dict[str, Any]] = {}
        self._boot = boot
        self._kept = kept or self._state()
        if kept is not None:
            state = json.loads(kept)
            for row in state["open"]:
                sos = Sos(**row)
                sos.began = sos.began if state["boot"] == boot else None
                self.open[sos.id] = sos

    def step(self, now: float, event: AlarmEvent) -> list[Effect]:
        """Take one event in; effects are only what changed."""
        kind, *rest = event
        effects: list[Effect] = []
        if kind == "sos":
            self._sos(now, *rest)
        elif kind == "county":
            self._reached = rest[0]
        elif kind == "mute":
            effects += self._mute(rest[0])
        elif kind == "closed":
            self.open.pop(rest[0], None)
        elif kind in ("heard", "unheard", "answered") and rest[0] in self.open:
            sos = self.open[rest[0]]
            setattr(sos, kind, True)
            if kind == "heard":
                sos.unheard = False
        elif kind == "seen" and rest[0] in self.open:
            sos = self.open[rest[0]]
            sos.seen_by, sos.going = rest[1], sos.going or rest[2]
        return effects + self._changes(now)

    def phase(self, sos: Sos, now: float) -> str:
        """The table above."""
        if sos.answered:
            return ANSWERED
        if not self._reached or sos.unheard:
            return ALONE
        late = sos.began is None or now - sos.began >= self._answer_s
        return OVERDUE if late else WAITING

    def _sos(
        self,
        now: float,
        unit: str,
        sos_id: str,
        revision: int,
        state: str,
        discreet: bool,
        at: float,
    ) -> None:
        sos = self.open.get(sos_id)
        if sos is None:
            self.open[sos_id] = Sos(sos_id, unit, at, now, revision, state, discreet)
            of_one = [other.id for other in self.open.values() if other.unit == unit]
            for oldest in of_one[:-MOST_OF_ONE]:
                del self.open[oldest]
        elif revision > sos.revision:
            # once discreet, always: a later revision must not make it sound
            sos.revision, sos.state, sos.discreet = revision, state, sos.discreet or discreet

    def _mute(self, who: str) -> list[Effect]:
        muted = [sos for sos in self.open.values() if sos.muted_by is None]
        for sos in muted:
            sos.muted_by = who
        return [("muted", who, [sos.id for sos in muted])]

    def _sounds(self, sos: Sos, now: float) -> bool:
        silent = sos.discreet or sos.state == "test" or sos.muted_by is not None
        return not silent and self.phase(sos, now) in _SOUNDS

    def _changes(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        siren = any(self._sounds(sos, now) for sos in self.open.values())
        if siren != self.siren:
            self.siren = siren
            effects.append(("siren", siren))
        rows = {sos.id: self._row(sos, now) for sos in self.open.values()}
        for sos_id, row in rows.items():
            if self._shown.get(sos_id) != row:
                effects.append(("show", sos_id, row))
        effects += [("drop", sos_id) for sos_id in self._shown if sos_id not in rows]
        self._shown = rows
        kept = self._state()
        if kept != self._kept:
            self._kept = kept
            effects.append(("keep", kept))
        return effects

    def _state(self) -> bytes:
        rows = [asdict(sos) for sos in self.open.values()]
        return json.dumps({"boot": self._boot, "open": rows}).encode()

    def _row(self, sos: Sos, now: float) -> dict[str, Any]:
        """What the page shows; `phone`: tell staff whom to call."""
        phase = self.phase(sos, now)
        phone = phase in _SOUNDS and sos.state != "test"
        row = {**asdict(sos), "phase": phase, "phone": phone, "sounds": self._sounds(sos, now)}
        del row["began"]
        return row


class Silence:
    """Units on duty that have not been heard for `after_s`: shown, never assumed well. Pure.

    `now` as the alarm's.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._heard: dict[str, float] = {}
        self._silent: set[str] = set()

    def heard(self, unit: str, now: float, on_duty: bool | None) -> None:
        """A record of the unit came; on_duty where the record says so (its state), else None."""
        if on_duty is False:
            self._heard.pop(unit, None)
        elif on_duty or unit in self._heard:
            self._heard[unit] = now

    def changes(self, now: float) -> list[tuple[str, float | None]]:
        """(unit, silent since) as units fall silent, (unit, None) as they are heard again."""
        silent = {unit for unit, at in self._heard.items() if now - at >= self._after_s}
        fell = [(unit, self._heard[unit]) for unit in sorted(silent - self._silent)]
        back: list[tuple[str, float | None]] = [(u, None) for u in sorted(self._silent - silent)]
        self._silent = silent
        return [*fell, *back]

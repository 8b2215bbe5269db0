"""Any sequence of events, with reboots between any two effects: the SOS law holds.

A second, much simpler account of the SOS (which id is open) runs beside the core. Rig itself checks
that every publish passes the contract and that nothing is felt or seen while discreet.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from unit_rig import NOW, Rig  # beside this file

from body_unit import sos, sos_latch

CAUSES = ("power_on", "brownout", "watchdog", "software", "panic")
FORBIDDEN = ("reboot", "update", "wifi")


class AnyEvening(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.boots = 0
        self.rig = Rig()
        self.open = ""  # the account: id of the SOS that is open
        self.revision: dict[str, int] = {}
        self.kept_tokens: set[int] = set()  # raises and first cancels of this boot
        self.test_open = ""
        self.act("boot", "power_on", NOW)

    # --- the account -------------------------------------------------------------------------
    def act(self, *event: object) -> None:
        was_open = self.rig.core.sos.is_open()
        self.account(self.rig.do(*event), was_open)

    def account(self, effects: list, was_open: bool) -> None:
        latched = ""
        for effect in effects:
            name = effect[0]
            if name == "latch":
                latch = sos_latch.unpack(effect[1])
                latched = latch.id if latch else ""
            elif name == "publish" and effect[3] == "unit_sos":
                said = effect[4]
                assert said["revision"] > self.revision.get(said["id"], 0), "a number twice"
                if said["id"] not in self.revision:
                    assert latched == said["id"], "said before it was latched"
                self.revision[said["id"]] = said["revision"]
                if said["state"] == "raised":
                    self.kept_tokens.add(effect[1])
                    self.open = said["id"]
            elif name == "drop":
                assert effect[1] not in self.kept_tokens, "a raise was dropped"
            elif name in FORBIDDEN:
                assert not (was_open and self.rig.core.sos.is_open()), effect

    @invariant()
    def what_is_open_is_open(self) -> None:
        core = self.rig.core.sos
        assert core.is_open() == bool(self.open)
        if self.open:
            assert core.id == self.open
            latch = sos_latch.unpack(self.rig.kept["latch"])
            assert latch is not None and latch.id == self.open and latch.state == core.state
            assert latch.ceiling >= self.revision[self.open]
            assert self.rig.wake is not None and self.rig.wake <= self.rig.now + 30_000

    # --- what may happen ---------------------------------------------------------------------
    @rule(age=st.integers(0, 5000))
    def hold(self, age: int) -> None:
        self.act("hold", max(0, self.rig.now - age))

    @rule(count=st.sampled_from((1, 3)))
    def press(self, count: int) -> None:
        self.act("press", count)

    @rule(why=st.sampled_from(("stuck", "")))
    def fault(self, why: str) -> None:
        self.act("button_fault", why)

    @rule(east=st.integers(-3000, 3000), north=st.integers(-3000, 3000))
    def fix(self, east: int, north: int) -> None:
        was_open = self.rig.core.sos.is_open()
        self.account(self.rig.fix(east, north), was_open)

    @rule(
        event=st.sampled_from(
            (
                ("no_fix",),
                ("fall",),
                ("charger", True),
                ("charger", False),
                ("battery", 4000),
                ("battery", 3300),
                ("battery", 2900),
                ("link", "wifi", True),
                ("link", "wifi", False),
                ("session", "k-07", True),
                ("session", "k-07", False),
                ("session", "county", True),
                ("motion", True),
                ("sms_sent", True),
                ("sms_sent", False),
                ("time", NOW + 86400, "gps"),
                ("vitals", {"queue": 1}),
                ("tick",),
            )
        )
    )
    def outside(self, event: tuple) -> None:
        self.act(*event)

    @rule(back=st.integers(0, 6), fine=st.booleans())
    def answered_by_a_broker(self, back: int, fine: bool) -> None:
        token = max(1, self.rig.core.unit._tokens - back)
        self.act(*(("puback", token) if fine else ("refused", token, "no matching subscribers")))

    @rule(ms=st.integers(1, 200_000))
    def time_passes(self, ms: int) -> None:
        was_open = self.rig.core.sos.is_open()
        self.account(self.rig.run(ms), was_open)

    @rule(
        cmd=st.sampled_from(("sos_ack", "help", "assist", "sos_test", "locate", "recall")),
        own=st.booleans(),
    )
    def command(self, cmd: str, own: bool) -> None:
        fields: dict = {}
        if cmd in ("sos_ack", "help", "assist"):
            fields["sos"] = self.rig.core.sos.id if own else ""
            fields["sos"] = fields["sos"] or "00000000000000ff"
        if cmd == "assist":
            fields.update(lat=312480350, lon=1215873800)
        self.send(cmd, **fields)

    @rule(cmd=st.sampled_from(("reboot", "update", "wifi")))
    def harmful(self, cmd: str) -> None:
        own = {
            "reboot": {},
            "update": {"url": "https://x/y", "sha256": "0" * 64, "version": "2"},
            "wifi": {"networks": [{"ssid": "x"}]},
        }
        self.send(cmd, **own[cmd])

    @rule(on=st.booleans())
    def discreet(self, on: bool) -> None:
        self.send("discreet", on=on)

    @rule(going=st.booleans())
    @precondition(lambda self: self.rig.core.sos.id)
    def seen(self, going: bool) -> None:
        self.account(self.rig.seen(going), True)

    @rule()
    def forged_close(self) -> None:
        name, payload = self.rig.county.command(
            "u-0123", "sos_close", NOW, sos=self.rig.core.sos.id or "00000000000000ff"
        )
        was_open = self.rig.core.sos.is_open()
        self.account(self.rig.deliver(name, payload.replace(b'"iat":17', b'"iat":16')), was_open)

    @rule()
    @precondition(lambda self: self.open)
    def close(self) -> None:
        closing = self.open
        self.open = ""  # before, because time passes inside: a watch may raise the next one
        self.send("sos_close", sos=closing)

    @rule(cause=st.sampled_from(CAUSES), clock=st.booleans())
    def reboot(self, cause: str, clock: bool) -> None:
        self._reboot(cause, NOW + self.rig.now // 1000 if clock else None)

    @rule(cut=st.integers(0, 12), cause=st.sampled_from(CAUSES), age=st.integers(0, 5000))
    def power_goes_in_the_middle_of_a_hold(self, cut: int, cause: str, age: int) -> None:
        """Only the first `cut` effects of a hold are carried out, then the power is gone."""
        rig = self.rig
        effects = rig.core.step(rig.now, ("hold", max(0, rig.now - age)))[:cut]
        was_open = bool(self.open)
        rig._take(effects)
        self.account(effects, was_open)
        latch = sos_latch.unpack(rig.kept.get("latch", b""))
        if latch is not None and latch.state > sos.TEST:
            self.open = latch.id  # latched is raised, said or not
            self.revision.setdefault(latch.id, 0)
        self._reboot(cause, None)

    def _reboot(self, cause: str, unix_s: int | None) -> None:
        self.boots += 1
        self.kept_tokens = set()
        old = self.rig
        self.rig = Rig(old.kept, f"{self.boots * 0x1000:016x}", county=old.county)
        self.act("boot", cause, unix_s)

    def send(self, cmd: str, **own: object) -> None:
        now_s = self.rig.core.unit.unix_s() or NOW
        was_open = self.rig.core.sos.is_open()
        self.account(self.rig.command(cmd, now_s=now_s, **own), was_open)


AnyEvening.TestCase.settings = settings(
    max_examples=int(os.environ.get("EVENINGS", "60")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyEvening = AnyEvening.TestCase

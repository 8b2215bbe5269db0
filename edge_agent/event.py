"""The one thing that moves up: sensor | dock | unit -> Event -> outbox -> uplink."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Klass(IntEnum):
    """What goes first, and what may be dropped last. Lower goes first."""

    SOS = 0  # an SOS and custody events: never dropped
    EVENT = 1
    TELEMETRY = 2  # thinned, then dropped, oldest first


class Stamp(NamedTuple):
    """When a record was made, where the machine's clock was not set (clock.py)."""

    boot: str  # the kernel's boot id
    up: float  # s since that boot
    wall: float  # what the clock said, Unix s


@dataclass(frozen=True, slots=True)
class Event:
    """One record on its way to the county. `(sender, boot, seq)` is its idempotency key.

    topic and payload travel unchanged from whoever made them to the county's broker.
    """

    topic: str
    payload: bytes
    klass: Klass
    sender: str  # certificate CN: a unit's id or this checkpoint's
    boot: str  # 16 hex characters drawn at the sender's boot
    seq: int  # from 1 in that boot
    qos: int = 1
    retain: bool = False
    sos: str | None = None  # the SOS id, where the message is about one
    state: str | None = None  # its raised / updated / cancelled / test
    at: float = 0.0  # Unix seconds at which this agent took it in
    stamp: Stamp | None = None  # None: the clock was right

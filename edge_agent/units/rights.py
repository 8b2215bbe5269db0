"""Who may say and hear what at the units' endpoint. Pure.

A unit publishes the contract's unit topics with its own id and county, nothing else. It may
subscribe to whatever lies below its own id, and to commands and duty of any group: those are
signed and say themselves whom they are for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from paho.mqtt.client import topic_matches_sub

from patrol_contract import topics
from patrol_contract.catalogue import MESSAGES

_FROM_UNITS = frozenset(name for name, row in MESSAGES.items() if row.sender == "unit")


LONGEST_TOPIC = 200  # characters; the contract's are shorter, and what is remembered is small


def parsed(topic: str) -> tuple[str, dict[str, str]] | None:
    """topics.parse, remembered: a unit says the same few topics all night."""
    return _parsed(topic) if len(topic) <= LONGEST_TOPIC else None


@lru_cache(maxsize=4096)
def _parsed(topic: str) -> tuple[str, dict[str, str]] | None:
    return topics.parse(topic)


class Rights(Protocol):
    """What the endpoint asks."""

    def is_unit(self, name: str) -> bool: ...
    def may_publish(self, unit: str, topic: str) -> bool: ...
    def may_subscribe(self, unit: str, pattern: str) -> bool: ...


class UnitRights:
    """The rights of a county's units."""

    def __init__(self, county: str) -> None:
        self.county = county

    def is_unit(self, name: str) -> bool:
        """Whether a certificate's name may be a unit's."""
        return topics.is_id(name) and name not in topics.RESERVED

    def may_publish(self, unit: str, topic: str) -> bool:
        found = parsed(topic)
        if found is None or found[0] not in _FROM_UNITS:
            return False
        return found[1] == {"C": self.county, "U": unit}

    def may_subscribe(self, unit: str, pattern: str) -> bool:
        if len(pattern) > LONGEST_TOPIC:
            return False
        levels = pattern.split("/")
        if levels[:3] != ["patrol", "v1", self.county] or len(levels) < 4:
            return False
        if levels[3] == unit:
            return True
        return levels[3] == "g" and len(levels) == 6 and levels[5] in ("cmd", "duty", "+")

    def from_county(self, unit: str, pattern: str) -> set[str]:
        """What the checkpoint must hear from the county to serve this subscription."""
        if pattern.split("/")[3] == "g":
            return {pattern}
        own = topics.topic("unit_cmd", C=self.county, U=unit)
        return {own} if topic_matches_sub(pattern, own) else set()

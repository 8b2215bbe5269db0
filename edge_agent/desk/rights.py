"""Who may press what. A right that a role does not have is refused by the server, whatever the
page shows."""

from __future__ import annotations

from typing import Literal

Role = Literal["staff", "lead", "technician", "auditor"]

# staff 值守, lead 带班, technician 维护, auditor 审计 (reads the operator log, nothing else)
RIGHTS: dict[str, frozenset[Role]] = {
    "page": frozenset({"staff", "lead", "technician"}),
    "sos": frozenset({"staff", "lead", "technician"}),  # 看到了, 我们出发, 静音
    "order": frozenset({"staff", "lead"}),
    "check": frozenset({"staff", "lead"}),
    "shift": frozenset({"staff", "lead"}),
    "output": frozenset({"staff", "lead", "technician"}),
    "people": frozenset({"lead"}),
    "log": frozenset({"lead", "auditor"}),
    "self": frozenset({"staff", "lead", "technician", "auditor"}),  # own session, own PIN
}

# What stands on a locked page and on a kiosk where nobody has logged in: an SOS is never hidden,
# a roll call neither, how the county is reached, and where the patrol points are (an SOS's clock
# goes by them); no member's track, no plate, no name.
PUBLIC_SECTIONS = frozenset(
    {"sos", "fix", "scene", "order", "seal", "uplink", "fault", "count", "shift", "place"}
)


class Refused(Exception):
    """Not done. `key` names the sentence in words.json, `status` is HTTP's."""

    def __init__(self, key: str, status: int = 409) -> None:
        super().__init__(key)
        self.key, self.status = key, status

"""Everything that lies on one unit's flash: the app, the board's pins, and who the unit is."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flashing import layout
from flashing.errors import FlashError
from flashing.identities import Batch, UnitIdentity
from flashing.kit import Kit


def assemble(kit: Kit, batch: Batch, unit: str, who: UnitIdentity, board: str) -> dict[str, bytes]:
    """Return path as the unit sees it -> content. Formats: firmware/drivers/config.py."""
    if board not in kit.boards:
        raise FlashError(
            f"kit: {board!r} is no board: use --board with one of {', '.join(sorted(kit.boards))}"
        )
    own: dict[str, Any] = {"unit": unit, "tid": unit[-2:], "board": board}
    return {
        **layout.on_unit(kit.image, kit.app),
        "/pins.csv": kit.boards[board],
        "/unit.json": json.dumps({**batch.site, **own}, ensure_ascii=False).encode(),
        "/ca.der": batch.ca_der,
        "/cert.der": who.cert_der,
        "/key.der": who.key_der,
    }


def digests(files: dict[str, bytes]) -> dict[str, str]:
    """Return path -> SHA-256 in hex, as the self test asks the unit for."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}

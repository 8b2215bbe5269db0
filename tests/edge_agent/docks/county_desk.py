"""A county that confirms what it got, by the way a confirmation really takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from edge_agent.commands import Commands, Handler, Outcome
from edge_agent.county.signer import Signer
from edge_agent.docks.docks import Docks
from edge_agent.outbox import Outbox
from patrol_contract import topics

TOPIC = topics.topic("cp_cmd", C="c371500", K="k-07")
_KEY = rsa.generate_private_key(65537, 3072)


class CountyDesk:
    """Signed by the county, checked by commands.py."""

    def __init__(self, docks: Docks, folder: Path) -> None:
        self.acks: list[dict[str, Any]] = []
        self.signer = Signer(_KEY, "county-1", folder / "numbers.json")
        self.outbox = Outbox(folder / "outbox.db")
        self.commands = Commands(
            {"county-1": self.signer.modulus},
            "c371500",
            "k-07",
            self.outbox,
            self._report,
            self._nowhere,
        )

        async def confirm(fields: Any) -> Outcome:
            await docks.confirm(fields)
            return Outcome("done")

        self.commands.handlers["dock_confirm"] = Handler(confirm)

    async def _report(self, name: str, who: Any, fields: Any, /) -> None:
        self.acks.append(dict(fields))

    async def _nowhere(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing here is for a unit")

    async def __aenter__(self) -> CountyDesk:
        await self.outbox.open()
        await self.commands.load()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.outbox.close()

    def sign(self, file: str, sha256: str) -> bytes:
        return self.signer.command("cp/k-07", "dock_confirm", file=file, sha256=sha256)[1]

    async def send(self, payload: bytes) -> str:
        """The state that was answered last."""
        await self.commands.receive(TOPIC, payload, False)
        return self.acks[-1]["state"]

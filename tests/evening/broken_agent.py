"""The control: an agent whose outbox deletes a record when it is handed to the socket.

It is what other gateways do. The script must fail on it, or it proves nothing.
"""

from __future__ import annotations

import sys
from typing import Any

from edge_agent import app, cli
from edge_agent.outbox import Outbox
from edge_agent.outbox_store import Held


class DeletesEarly(Outbox):
    def next(self, *args: Any, **kwargs: Any) -> Held | None:
        held = super().next(*args, **kwargs)
        if held is not None:
            super().done(held)
        return held

    def done(self, held: Held) -> None:
        """It is gone already."""

    def give_back(self, rows: list[Held]) -> None:
        """Nothing to give back: they are gone."""


if __name__ == "__main__":
    app.Outbox = DeletesEarly  # type: ignore[misc]
    sys.exit(cli.main())

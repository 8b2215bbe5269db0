"""The control: an agent whose outbox deletes a record when it is handed to the socket.

It is what other gateways do. The script must fail on it, or it proves nothing.
"""

from __future__ import annotations

import sys

from edge_agent import app, cli
from tests.bench.heart_process import DeletesEarly

if __name__ == "__main__":
    app.Outbox = DeletesEarly  # type: ignore[misc]
    sys.exit(cli.main())

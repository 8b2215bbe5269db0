"""What the technician is told: one sentence with what, where and the remedy."""

from __future__ import annotations


class FlashError(Exception):
    """Ends this unit's run with exit code 1; its text is the whole message."""

"""What the technician is told: one sentence with what, where and the remedy."""

from __future__ import annotations


class FlashError(Exception):
    """Ends this unit's run with exit code 1; its text is the whole message."""


def of_the_system(error: OSError) -> FlashError:
    """Return the sentence for a file or disk of this laptop that fails where nobody expects it."""
    where = error.filename or "this laptop"
    return FlashError(
        f"{where}: {error.strerror or error}: make room on the disk, put the stick back or name a "
        "folder that you may write, and do it again"
    )

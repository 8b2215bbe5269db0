"""Passphrases: typed without echo or read from a file; never in arguments or the environment."""

from __future__ import annotations

import getpass
import secrets
from pathlib import Path

from flashing.errors import FlashError

# 32 signs without 0/O, 1/I/L: read over a telephone. 20 of them are 100 bits.
SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ+"
GROUPS, GROUP = 4, 5


def fresh() -> str:
    """Return a new passphrase, such as 7KQ2M-…, to be told apart from the file it opens."""
    groups = ("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)


def ask_passphrase(file: Path | None, what: str) -> bytes:
    """Return the passphrase of `what`."""
    if file is None:
        return getpass.getpass(f"passphrase of {what}: ").strip().encode()
    try:
        return file.read_text(encoding="utf-8-sig").strip().encode()
    except OSError as error:
        raise FlashError(
            f"passphrase: {file} cannot be read ({error.strerror}): name the right file"
        ) from error
    except UnicodeDecodeError as error:
        raise FlashError(f"passphrase: {file} is not UTF-8: save it again as UTF-8") from error

"""What the modules of commands need of the command line's parser."""

from __future__ import annotations

import argparse
from typing import Protocol


class Commands(Protocol):
    """The part of argparse's sub-parsers that adds a command."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """Return the parser of a new command."""
        ...

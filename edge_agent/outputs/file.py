"""kind = "file": the state in a file, "on" or "off". For the demo, for tests, and for a program of
the county's own that watches the file."""

from __future__ import annotations

from typing import Literal

from edge_agent.buses import Buses
from edge_agent.outputs.section import OutputSection
from edge_agent.section import FilePath


class FileSection(OutputSection):
    """[[output]] kind = "file"."""

    kind: Literal["file"]
    path: FilePath


class FileDrive:
    """Replaces the file in one step: who reads it never sees half a word."""

    momentary = False

    def __init__(self, section: FileSection, _buses: Buses) -> None:
        self._path = section.path

    def set(self, on: bool) -> None:
        """Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(self._path.name + ".new")
        new.write_text("on\n" if on else "off\n")
        new.replace(self._path)

    def close(self) -> None:
        """Nothing is held."""

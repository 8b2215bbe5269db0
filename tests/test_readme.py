"""The READMEs say what was measured, and name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.render_figures import ROOT, readmes, render


@pytest.mark.parametrize("path", readmes(), ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_figures_are_those_of_the_last_full_runs_and_links_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    assert render(text) == text, "stale: make docs"
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [target for target in targets if not (path.parent / target).exists()] == []

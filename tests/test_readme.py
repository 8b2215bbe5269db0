"""The README says what was measured, and names files that are there."""

from __future__ import annotations

import re

from tests.tools.render_figures import ROOT, render

README = (ROOT / "README.md").read_text()


def test_the_figures_are_those_of_the_last_full_runs() -> None:
    assert render(README) == README, "stale: make docs"


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(targets) > 10
    assert [t for t in targets if not (ROOT / t).exists()] == []

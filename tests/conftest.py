"""Every test file: what is skipped is listed with its reason, and CI allows none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("skipped, and why")
        for report in skipped:
            where = report.nodeid or report.fspath
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{where}: {why}")
        if os.environ.get("CI"):
            terminalreporter.line("CI allows no skip: install what is named above")


@pytest.fixture(autouse=True)
def _same_folder() -> Iterator[None]:
    """Tests that also run on MicroPython change the folder and have no fixture to go back."""
    here = Path.cwd()
    yield
    os.chdir(here)

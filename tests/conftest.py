"""Every test file: what is skipped is listed with its reason, and CI allows none."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.tools.debian import PACKAGES

# mosquitto and mount helpers lie where only root's PATH looks.
os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
# A gate that was started in the background ignores Ctrl-C, and so would every program under test.
signal.signal(signal.SIGINT, signal.default_int_handler)
COMMANDS = {command: package for package, (command, _) in PACKAGES.items()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that misses a program of Debian's is skipped, and says which package brings it."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        package = COMMANDS.get(Path(os.fsdecode(error.filename)).name)
        if package is not None:
            report.outcome = "skipped"
            where = (str(item.path), item.location[1] or 0)
            report.longrepr = (*where, f"Skipped: not installed: apt-get install {package}")
    return report


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

"""What every test may use: the real bills where they lie beside the project, and the long form of a test.

A test that needs what this machine has not is skipped and says so; where a variable of `REQUIRED` is set, that is a
failure of the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from places import REAL_BILLS

SOAK = "NECTAR_TESTS_SOAK"
#: Markers, what their tests need, and the variable that says the machine has it.
REQUIRED = {
    "real_bills": ("the real bills", "NECTAR_TESTS_REQUIRE_REAL_BILLS"),
    "browser": ("a browser", "NECTAR_TESTS_REQUIRE_BROWSER"),
}

_skipped: dict[str, list[str]] = {marker: [] for marker in REQUIRED}


@pytest.fixture(scope="session")
def real_bills() -> Path:
    """Return the file of real bills, or skip the test and say why."""
    if not REAL_BILLS.is_file():
        pytest.skip("the real bills do not lie beside the project (../shared/data/fnsb/bills.csv)")
    return REAL_BILLS


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away every setting of the package: its variables, and a developer's .env in the folder."""
    for name in [name for name in os.environ if name.startswith("NECTAR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def times() -> Callable[[int, int], int]:
    """Return how often a soak test repeats: a sample in the suite, the long count under `make soak`."""
    return lambda sample, long: long if os.environ.get(SOAK) else sample


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        used = getattr(item, "fixturenames", ())
        if "real_bills" in used:
            item.add_marker("real_bills")
        if "times" in used:
            item.add_marker("soak")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for marker, skipped in _skipped.items():
        if report.skipped and marker in report.keywords:
            skipped.append(report.nodeid)


def _required_and_skipped() -> dict[str, int]:
    return {marker: len(_skipped[marker]) for marker in REQUIRED if os.environ.get(REQUIRED[marker][1])}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if any(_required_and_skipped().values()) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for marker, count in _required_and_skipped().items():
        what, variable = REQUIRED[marker]
        if count:
            terminalreporter.write_line(
                f"FAILED: {count} tests on {what} were skipped, yet {variable} is set.", red=True
            )

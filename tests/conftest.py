"""What every test may use: the real bills where they lie beside the project, and the long form of a test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from places import REAL_BILLS

REQUIRED = "NECTAR_TESTS_REQUIRE_REAL_BILLS"
SOAK = "NECTAR_TESTS_SOAK"

_skipped_on_real_bills: list[str] = []


@pytest.fixture(scope="session")
def real_bills() -> Path:
    """Return the file of real bills, or skip the test and say why."""
    if not REAL_BILLS.is_file():
        pytest.skip("the real bills do not lie beside the project (../shared/data/fnsb/bills.csv)")
    return REAL_BILLS


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
    if report.skipped and "real_bills" in report.keywords:
        _skipped_on_real_bills.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get(REQUIRED) and _skipped_on_real_bills and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get(REQUIRED) and _skipped_on_real_bills:
        terminalreporter.write_line(
            f"FAILED: {len(_skipped_on_real_bills)} tests on real bills were skipped, yet {REQUIRED} is set.",
            red=True,
        )

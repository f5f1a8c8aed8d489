"""Progress is for people: silent where outputs are compared."""

from __future__ import annotations

import io
import sys

import pytest

from nectar_notebooks.api import Page
from nectar_notebooks.cache import progress

PAGE = Page(1, [{"id": "1"}] * 100, b"", 1000, 10)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def seconds(monkeypatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress, "stopwatch", lambda: now[0])
    return now


def test_the_line_says_rows_pages_rate_and_what_remains_and_goes_away(monkeypatch, seconds) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    line = progress.Progress("usage", watched=True)
    for second in (0.5, 2.0):
        seconds[0] = second
        line.page(PAGE)
    shown = sys.stderr.getvalue()
    assert shown == "\rusage: 200 of 1,000 rows, 2 of 10 pages, 100 rows/s, 8 s left"
    line.done()
    assert sys.stderr.getvalue().removeprefix(shown).strip("\r ") == ""


@pytest.mark.parametrize("variable", ["CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST"])
def test_nobody_watches_in_ci_or_under_a_test_runner(monkeypatch, variable) -> None:
    for name in ("CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress.somebody_watches()
    monkeypatch.setenv(variable, "1")
    assert not progress.somebody_watches()


def test_nobody_watches_a_pipe(monkeypatch) -> None:
    for name in ("CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not progress.somebody_watches()

"""Progress of a walk or a wait: one line on standard error, removed at its end.

Shown only on a terminal or in a notebook, only for walks that take longer than a second, and never in CI or under a
test runner, whose outputs are compared.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from nectar_notebooks.clock import stopwatch
from nectar_notebooks.printing import print_status

if TYPE_CHECKING:
    from nectar_notebooks.api import Page

__all__ = ["Progress", "somebody_watches"]

_MOMENT: Final = 1.0
_BETWEEN: Final = 0.2
_SILENT: Final = ("CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST")


def somebody_watches() -> bool:
    """Return whether a person would see the line: a terminal or a notebook, not CI or a test runner."""
    if any(os.environ.get(name) for name in _SILENT):
        return False
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class Progress:
    """The line of one walk, or of one wait.

    Parameters
    ----------
    what : str
        The subject of the line, such as ``"usage"``.
    watched : bool, optional
        Whether to show anything. Default: see :func:`somebody_watches`.
    """

    def __init__(self, what: str, *, watched: bool | None = None) -> None:
        self._what = what
        self._watched = somebody_watches() if watched is None else watched
        self._started = stopwatch()
        self._shown = 0.0
        self._pages = 0
        self._rows = 0

    def page(self, page: Page) -> None:
        """Count a page, and show the line if it is due."""
        self._pages += 1
        self._rows += len(page.rows)
        rate = self._rows / max(stopwatch() - self._started, 1e-9)
        left = max(page.total - self._rows, 0) / rate if rate else 0.0
        self.say(
            f"{self._rows:,} of {page.total:,} rows, {self._pages:,} of {page.total_pages:,} pages,"
            f" {rate:,.0f} rows/s, {left:,.0f} s left"
        )

    def say(self, how_far: str) -> None:
        """Show the line if it is due."""
        spent = stopwatch() - self._started
        if self._watched and spent >= _MOMENT and spent - self._shown >= _BETWEEN:
            self._shown = spent
            print_status(f"{self._what}: {how_far}")

    def done(self) -> None:
        """Remove the line."""
        if self._shown:
            print_status("")

"""The small office, and dashboards on it that are taken down after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from dashboards.small_office import SmallOffice

from nectar_notebooks import BillExplorer, ConnectionDashboard, CoverageDashboard


@pytest.fixture
def office() -> SmallOffice:
    return SmallOffice()


@pytest.fixture
def opened() -> Iterator[Callable[..., BillExplorer | ConnectionDashboard | CoverageDashboard]]:
    """Open dashboards; all are closed at the end."""
    made: list[BillExplorer | ConnectionDashboard | CoverageDashboard] = []

    def opening(kind: type, *given: object, **named: object) -> BillExplorer | ConnectionDashboard | CoverageDashboard:
        made.append(kind(*given, **named))
        return made[-1]

    yield opening
    for one in made:
        one.close()

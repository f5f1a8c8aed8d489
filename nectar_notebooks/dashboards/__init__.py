"""Dashboards for notebooks and Voilà: controls on pure functions from frames to frames and HTML.

ipywidgets is loaded on first use of a dashboard.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks.dashboards.bill_explorer import BillExplorer
    from nectar_notebooks.dashboards.connection_dashboard import ConnectionDashboard
    from nectar_notebooks.dashboards.coverage_dashboard import CoverageDashboard

__all__ = ["BillExplorer", "ConnectionDashboard", "CoverageDashboard"]

_HOMES = {
    "BillExplorer": "bill_explorer",
    "ConnectionDashboard": "connection_dashboard",
    "CoverageDashboard": "coverage_dashboard",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

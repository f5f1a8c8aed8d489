"""Nectar's utility-bill API in DataFrames you can trust, with an embedded sandbox in the box.

The public names are here and are loaded on first use: importing the package itself is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks import errors, exports, invitations, plots, webhooks
    from nectar_notebooks.cache import CacheWarning
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.clock import FrozenClock
    from nectar_notebooks.connecting import connect
    from nectar_notebooks.dashboards import BillExplorer, ConnectionDashboard, CoverageDashboard
    from nectar_notebooks.doctor import diagnose
    from nectar_notebooks.errors import NectarError
    from nectar_notebooks.invitations import ConnectFrame
    from nectar_notebooks.methodology import adjust, attribute, calendarize, daily, explain, monthly
    from nectar_notebooks.methodology.compare import compare
    from nectar_notebooks.methodology.indicators import energy, load_factor, unit_costs
    from nectar_notebooks.methodology.intensity import intensity
    from nectar_notebooks.methodology.quality.anomalies.find import anomalies
    from nectar_notebooks.methodology.quality.completeness import completeness, holes
    from nectar_notebooks.methodology.quality.fill import fill
    from nectar_notebooks.methodology.quality.issues import issues
    from nectar_notebooks.methodology.quality.readiness import readiness
    from nectar_notebooks.sandbox import Sandbox
    from nectar_notebooks.schema import statuses
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = [
    "BillExplorer",
    "CacheWarning",
    "ConnectFrame",
    "ConnectionDashboard",
    "CoverageDashboard",
    "FrozenClock",
    "Nectar",
    "NectarError",
    "Portfolio",
    "Sandbox",
    "adjust",
    "anomalies",
    "attribute",
    "calendarize",
    "compare",
    "completeness",
    "connect",
    "daily",
    "diagnose",
    "energy",
    "errors",
    "explain",
    "exports",
    "fill",
    "holes",
    "intensity",
    "invitations",
    "issues",
    "load_factor",
    "monthly",
    "plots",
    "readiness",
    "statuses",
    "unit_costs",
    "webhooks",
]

#: Public modules, and where they are defined.
_MODULES = {
    "errors": "errors",
    "exports": "exports",
    "invitations": "invitations",
    "plots": "plots",
    "statuses": "schema.statuses",
    "webhooks": "webhooks",
}

#: Public names, and the modules that define them.
_HOMES = {
    "BillExplorer": "dashboards",
    "CacheWarning": "cache",
    "ConnectFrame": "invitations",
    "ConnectionDashboard": "dashboards",
    "CoverageDashboard": "dashboards",
    "FrozenClock": "clock",
    "Nectar": "client",
    "NectarError": "errors",
    "Portfolio": "schema.portfolio",
    "Sandbox": "sandbox",
    "adjust": "methodology",
    "anomalies": "methodology.quality.anomalies.find",
    "attribute": "methodology",
    "calendarize": "methodology",
    "compare": "methodology.compare",
    "completeness": "methodology.quality.completeness",
    "connect": "connecting",
    "daily": "methodology",
    "diagnose": "doctor",
    "energy": "methodology.indicators",
    "explain": "methodology",
    "fill": "methodology.quality.fill",
    "holes": "methodology.quality.completeness",
    "intensity": "methodology.intensity",
    "issues": "methodology.quality.issues",
    "load_factor": "methodology.indicators",
    "monthly": "methodology",
    "readiness": "methodology.quality.readiness",
    "unit_costs": "methodology.indicators",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("nectar-notebooks")
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

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
    from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
    from nectar_notebooks.methodology.intensity import intensity
    from nectar_notebooks.methodology.options import Options
    from nectar_notebooks.methodology.quality.anomalies.find import anomalies
    from nectar_notebooks.methodology.quality.completeness import completeness, holes
    from nectar_notebooks.methodology.quality.fill import fill_gaps
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
    "Options",
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
    "errors",
    "explain",
    "exports",
    "fill_gaps",
    "holes",
    "intensity",
    "invitations",
    "issues",
    "load_factor",
    "monthly",
    "plots",
    "readiness",
    "statuses",
    "total_energy",
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

#: Names of an earlier release, and what each is called now.
_RENAMED = {"energy": "total_energy", "fill": "fill_gaps"}

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
    "Options": "methodology.options",
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
    "explain": "methodology",
    "fill_gaps": "methodology.quality.fill",
    "holes": "methodology.quality.completeness",
    "intensity": "methodology.intensity",
    "issues": "methodology.quality.issues",
    "load_factor": "methodology.indicators",
    "monthly": "methodology",
    "readiness": "methodology.quality.readiness",
    "total_energy": "methodology.indicators",
    "unit_costs": "methodology.indicators",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("nectar-notebooks")
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name in _RENAMED:
        raise AttributeError(f"nn.{name} is called nn.{_RENAMED[name]} since 0.2.")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

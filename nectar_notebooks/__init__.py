"""Nectar's utility-bill API in DataFrames you can trust, with an embedded sandbox in the box.

Everything public stands here, and is loaded on first use: importing the package costs next to nothing beyond
pandas and requests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks import errors, plots
    from nectar_notebooks.cache import CacheWarning
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.clock import FrozenClock
    from nectar_notebooks.connecting import connect
    from nectar_notebooks.errors import NectarError
    from nectar_notebooks.sandbox import Sandbox
    from nectar_notebooks.schema import statuses
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = [
    "CacheWarning",
    "FrozenClock",
    "Nectar",
    "NectarError",
    "Portfolio",
    "Sandbox",
    "connect",
    "errors",
    "plots",
    "statuses",
]

#: Where each public name lives; a module's own name stands for the module.
_HOMES = {
    "CacheWarning": "cache",
    "FrozenClock": "clock",
    "Nectar": "client",
    "NectarError": "errors",
    "Portfolio": "schema.portfolio",
    "Sandbox": "sandbox",
    "connect": "connecting",
    "errors": "errors",
    "plots": "plots",
    "statuses": "schema.statuses",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{home}")
    value = module if home.rpartition(".")[2] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

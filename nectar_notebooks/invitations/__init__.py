"""Letting somebody else in: how an invitation stands, where its page may be shown, and the page in a notebook.

`standings` reads a row of ``nectar.invitations()``, `places` says which addresses may stand in a frame, `link` keeps an
invitation usable, and `frame` shows it. Making invitations is the client's work. ipywidgets is loaded on first use of
the frame.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks.invitations.frame import ConnectFrame
    from nectar_notebooks.invitations.link import Link
    from nectar_notebooks.invitations.places import page_address
    from nectar_notebooks.invitations.standings import standing

__all__ = ["ConnectFrame", "Link", "page_address", "standing"]

_HOMES = {"ConnectFrame": "frame", "Link": "link", "page_address": "places", "standing": "standings"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

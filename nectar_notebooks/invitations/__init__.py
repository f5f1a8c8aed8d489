"""Invitations for other people: their state, where their page may be shown, and the page in a notebook.

`link` reads a row of ``nectar.invitations()`` and keeps an invitation usable, `places` says which addresses may be
embedded, and `frame` shows the page. The client creates invitations. ipywidgets is imported on first use of the frame.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nectar_notebooks.invitations.frame import ConnectFrame
    from nectar_notebooks.invitations.link import Link, standing
    from nectar_notebooks.invitations.places import page_address

__all__ = ["ConnectFrame", "Link", "page_address", "standing"]

_HOMES = {"ConnectFrame": "frame", "Link": "link", "page_address": "places", "standing": "link"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

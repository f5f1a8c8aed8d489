"""How something shows itself three ways, and goes: live controls, a static page without a kernel, one line of text."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

__all__ = ["take_down", "three_ways"]


def three_ways(live: widgets.Widget, page: str, line: str) -> dict[str, Any]:
    """Return the bundle that a notebook chooses from; nbval compares the line, GitHub shows the page."""
    bundle = live._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    return {**bundle, "text/html": page, "text/plain": line}


def take_down(live: widgets.Widget) -> None:
    """Take controls off the page and out of memory, with all that they are made of."""
    waiting = [live]
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "children", ())
        for part in (getattr(one, "style", None), one.layout, one):
            if isinstance(part, widgets.Widget):
                part.close()

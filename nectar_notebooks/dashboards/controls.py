"""Controls as the dashboards use them: every one has a label, can be reached by keyboard, and keeps its size.

Only ipywidgets' own controls and HTML; what they do is decided by who makes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nectar_notebooks.dashboards.html import Markup

__all__ = [
    "ANY",
    "apart",
    "box",
    "button",
    "choice",
    "column",
    "html",
    "offer",
    "row",
    "show",
    "suggestions",
    "switch",
    "tick",
    "whole_number",
    "words",
]

#: What stands in a choice that leaves its question open.
ANY = "any"

_LABEL = {"description_width": "72px"}


def html(value: str = "", **layout: str) -> widgets.HTML:
    """Return a place for markup."""
    return widgets.HTML(value, layout=widgets.Layout(margin="0", **layout))


def show(place: widgets.HTML, markup: Markup | str) -> None:
    """Put markup into its place, if it is another than stands there."""
    if place.value != markup:
        place.value = str(markup)


def button(
    label: str, run: Callable[[], object], *, hint: str = "", width: str = "auto", style: str = ""
) -> widgets.Button:
    """Return a button that runs something when it is pressed."""
    made = widgets.Button(
        description=label, tooltip=hint or label, button_style=style, layout=widgets.Layout(width=width)
    )
    made.on_click(lambda _: run())
    return made


def choice(
    label: str, options: Sequence[Any], value: object, changed: Callable[[], object], width: str = "240px"
) -> widgets.Dropdown:
    """Return a list of which one is chosen."""
    made = widgets.Dropdown(
        options=list(options), value=value, description=label, style=_LABEL, layout=widgets.Layout(width=width)
    )
    made.observe(lambda _: changed(), "value")
    return made


def switch(options: Sequence[tuple[str, Any]], hint: str, changed: Callable[[], object]) -> widgets.ToggleButtons:
    """Return buttons beside each other of which one is pressed; `hint` says what each shows."""
    made = widgets.ToggleButtons(
        options=list(options), tooltips=[f"{hint}: {label}" for label, _ in options],
        style={"button_width": "auto"}, layout=widgets.Layout(width="auto"),
    )  # fmt: skip
    made.observe(lambda _: changed(), "value")
    return made


def suggestions(
    label: str, options: Sequence[str], changed: Callable[[], object], width: str = "240px"
) -> widgets.Combobox:
    """Return a text that is completed from a long list; empty leaves the question open."""
    made = widgets.Combobox(
        options=list(options),
        description=label,
        placeholder=ANY,
        ensure_option=True,
        continuous_update=False,
        style=_LABEL,
        layout=widgets.Layout(width=width),
    )
    made.observe(lambda _: changed(), "value")
    return made


def words(label: str, hint: str, changed: Callable[[], object] | None = None, width: str = "240px") -> widgets.Text:
    """Return a line of text."""
    made = widgets.Text(description=label, placeholder=hint, style=_LABEL, layout=widgets.Layout(width=width))
    if changed is not None:
        made.observe(lambda _: changed(), "value")
    return made


def whole_number(
    label: str, value: int, most: int, changed: Callable[[], object] | None = None, width: str = "200px"
) -> widgets.BoundedIntText:
    """Return a whole number from 0."""
    made = widgets.BoundedIntText(
        value=value, min=0, max=most, description=label, style={"description_width": "initial"},
        layout=widgets.Layout(width=width),
    )  # fmt: skip
    if changed is not None:
        made.observe(lambda _: changed(), "value")
    return made


def tick(label: str, changed: Callable[[], object]) -> widgets.Checkbox:
    """Return a box to tick."""
    made = widgets.Checkbox(
        description=label, indent=False, layout=widgets.Layout(width="auto", margin="0 12px 0 12px")
    )
    made.observe(lambda _: changed(), "value")
    return made


def row(*children: widgets.Widget, **layout: str) -> widgets.HBox:
    """Return controls beside each other, on a second line where the first is full."""
    return widgets.HBox(children, layout=widgets.Layout(**{"flex_flow": "row wrap", "align_items": "center", **layout}))


def column(*children: widgets.Widget, **layout: str) -> widgets.VBox:
    """Return controls below each other."""
    return widgets.VBox(children, layout=widgets.Layout(**layout))


def box(*children: widgets.Widget, **layout: str) -> widgets.VBox:
    """Return controls below each other in a frame."""
    frame = {"border": "1px solid rgba(127,127,127,.35)", "padding": "4px 12px 10px 12px", "margin": "8px 0 0 0"}
    return widgets.VBox(children, layout=widgets.Layout(**{**frame, **layout}))


def apart(labels: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return labels made different from each other, as a choice needs them."""
    seen: dict[str, int] = {}
    told = []
    for label, value in labels:
        seen[label] = seen.get(label, 0) + 1
        told.append((label if seen[label] == 1 else f"{label} ({seen[label]})", value))
    return told


def offer(control: widgets.Dropdown, options: list[tuple[str, Any]]) -> None:
    """Offer other options; what was chosen stays where it still is among them."""
    was = control.value
    if tuple(control.options) != tuple(options):
        control.options = options
        control.value = was if was in {value for _, value in options} else (options[0][1] if options else None)

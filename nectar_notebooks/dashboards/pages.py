"""A table of which the rows can be pressed: a button and a line of HTML each, made once and filled again and again.

Filling sends only what changed, and nothing is made or left behind, however often the page turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as widgets

from nectar_notebooks.dashboards.controls import button, column, html, row, show
from nectar_notebooks.dashboards.html import Markup, element, join
from nectar_notebooks.plots.style import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Line", "Pages"]

_BUTTON = "250px"
_FITS = 32
_MARKED = ("#0b5cab", "#ffffff")


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the key it is chosen by, its name, and its cells."""

    key: str
    name: str
    cells: tuple[Markup, ...]


class Pages:
    """Rows of a table, a page at a time.

    Parameters
    ----------
    columns : sequence of (str, str)
        Heads and widths (in CSS) of the cells after the name.
    name : str
        Head of the names.
    size : int
        Rows of a page.
    lines : callable
        Given first and last position, returns the lines to show.
    chosen : callable
        Called with the key of a row that was pressed.
    """

    def __init__(
        self,
        columns: Sequence[tuple[str, str]],
        name: str,
        size: int,
        lines: Callable[[int, int], list[Line]],
        chosen: Callable[[str], object],
    ) -> None:
        self.size = size
        self.page = 0
        self._total = 0
        self._template = " ".join(width for _, width in columns)
        self._lines, self._chosen = lines, chosen
        self._marked: str | None = None
        self._keys: list[str] = []
        self._buttons: list[widgets.Button] = []
        self._cells: list[widgets.HTML] = []
        self._rows: list[widgets.HBox] = []
        for place in range(size):
            press = button("", partial(self._press, place), width=_BUTTON)
            press.layout.flex = "0 0 auto"  # long cells take two lines, and leave the button its width
            cells = html(flex="1 1 auto")
            self._buttons.append(press)
            self._cells.append(cells)
            self._rows.append(
                widgets.HBox(
                    [press, cells], layout=widgets.Layout(display="none", align_items="center", min_height="30px")
                )
            )
        heads = join(element("span", head, style="font-weight:600") for head, _ in columns)
        head = html(str(self._grid(heads)), flex="1 1 auto")
        self._back = button("Back", lambda: self.turn(self.page - 1), hint="The page before", width="80px")
        self._on = button("Next", lambda: self.turn(self.page + 1), hint="The next page", width="80px")
        self._where = html()
        self.pager = row(self._back, self._on, self._where)
        corner = html(
            str(element("span", name, style="font-weight:600;font-size:13px;padding-left:4px")), width=_BUTTON
        )
        self.widget = column(
            widgets.HBox([corner, head], layout=widgets.Layout(align_items="center")),
            *self._rows,
            overflow="auto hidden",
            width="100%",
        )

    def _grid(self, cells: Markup) -> Markup:
        return element(
            "div",
            cells,
            style=f"display:grid;grid-template-columns:{self._template};column-gap:12px;font-size:13px;"
            "line-height:20px;align-items:center;padding-left:8px",
        )

    def _press(self, place: int) -> None:
        if place < len(self._keys):  # a press may arrive after the page has become shorter
            self._chosen(self._keys[place])

    def turn(self, page: int) -> None:
        """Show another page, the nearest there is."""
        self.page = page
        self.fill(self._total, self._marked)

    def fill(self, total: int, marked: str | None) -> None:
        """Show the rows of the page anew, of `total`, with one of them marked."""
        self._total, self._marked = total, marked
        last = max(0, (total - 1) // self.size)
        self.page = min(max(self.page, 0), last)
        first = self.page * self.size
        lines = self._lines(first, min(first + self.size, total))
        self._keys = [line.key for line in lines]
        for place, (press, cells, whole) in enumerate(zip(self._buttons, self._cells, self._rows, strict=True)):
            if place >= len(lines):
                whole.layout.display = "none"
                continue
            line = lines[place]
            with press.hold_sync():
                press.description = shortened(line.name, _FITS)
                press.tooltip = line.name
            # Colours of their own: white on what the themes call "info" cannot be read by everybody.
            with press.style.hold_sync():
                press.style.button_color, press.style.text_color = _MARKED if line.key == marked else (None, None)
            show(cells, self._grid(join(element("span", cell) for cell in line.cells)))
            whole.layout.display = "flex"
        self._back.disabled, self._on.disabled = self.page == 0, self.page == last
        said = f"Page {self.page + 1:,} of {last + 1:,}" if total else "Nothing fits"
        show(
            self._where,
            element("span", f"{said}, {total:,} in all", role="status", style="font-size:13px;padding-left:8px"),
        )

"""`CoverageDashboard`: sites or accounts by month; a hole says which bill is missing, since when and why.

Controls around the pure functions of `coverage_view`; nothing is computed here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets
import pandas as pd

from nectar_notebooks.dashboards import coverage_view as view
from nectar_notebooks.dashboards.controls import box, button, choice, column, html, row, show, tick, words
from nectar_notebooks.dashboards.coverage import MISSING, SHOWN
from nectar_notebooks.dashboards.html import Markup, count, element, join
from nectar_notebooks.dashboards.shell import Shell
from nectar_notebooks.dashboards.svg import legend, months_axis, strip_cells
from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.exports import save
from nectar_notebooks.methodology.quality.completeness import check_expected
from nectar_notebooks.plots.style import shortened
from nectar_notebooks.schema.dates import first_day
from nectar_notebooks.schema.naming import ACCOUNT, SITE, find

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.coverage_view import By, Grid, Hole
    from nectar_notebooks.dashboards.reading import Reader
    from nectar_notebooks.schema.naming import Given

__all__ = ["CoverageDashboard"]

_LABEL: Final = "256px"
_CELL: Final = 26
_BYS: Final = {"sites": "site", "accounts": "account"}


class CoverageDashboard(Shell):
    """Which months of which site or account have bills, and what is behind a hole.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        An id, an external id, a name, or a row of ``nectar.companies()``; without it all companies.
    by : {"site", "account"}
        What the rows are.
    page_size : int, default 15
        Rows of a page.
    expected : str or mapping, optional
        How often a bill is expected, as :func:`nectar_notebooks.completeness` takes it: "monthly", "quarterly",
        "yearly", "seasonal", or one for each commodity or utility by name; what is not named is monthly, delivered fuel
        seasonal.

    Attributes
    ----------
    frame : DataFrame
        The grid: ``<by>_id``, ``name``, ``month``, ``state`` (complete, partly_billed, missing, not_required, future),
        one row for each cell, the rows with the most holes first.
    by : str
        Set ``"site"`` or ``"account"``.
    selected : tuple of (str, str) or None
        Id (or name) of the row and month, such as ``("Branch 325, Raleigh Harrison Avenue", "2025-11")``.
    hole : DataFrame
        The bills missing in the selected hole, one row for each hole of a meter, with its days, the bills expected in
        it, the connection and the cause.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> dashboard = nn.CoverageDashboard(nn.connect("local"), "Bluestem Logistics")
    >>> dashboard.selected = ("Branch 325, Raleigh Harrison Avenue", "2025-11")
    >>> dashboard.hole[["status", "bills_expected"]].values.tolist()
    [['PASSWORD_INCORRECT', 1]]
    """

    name = "Months with bills"

    def __init__(
        self,
        nectar: Reader,
        company: Given | None = None,
        *,
        by: By = "site",
        page_size: int = 15,
        expected: str | Mapping[str, str] | None = None,
    ) -> None:
        check_expected(expected)
        self._expected = expected
        super().__init__(nectar, company)
        closer = self._look_closer()
        if closer is None:
            raise DataError(self.message)
        self._shown_closer: Closer = closer
        self._by: By = _by(by)
        self._page, self._size = 0, page_size
        self._selected: tuple[str, pd.Timestamp] | None = None
        self._by_choice = choice("Rows", list(_BYS.items()), self._by, self._by_changed, "200px")
        self._find = words("Find", "part of a name", self._narrowed)
        self._only = tick("Only with bills missing", self._narrowed)
        self._back = button("Back", lambda: self._turn(self._page - 1), hint="The page before", width="80px")
        self._next = button("Next", lambda: self._turn(self._page + 1), hint="The next page", width="80px")
        self._where = html()
        months = len(closer.coverage.months)
        self._axis = html(grid_area=f"1 / 2 / 2 / {months + 2}")
        self._labels = [html(grid_area=f"{place + 2} / 1 / {place + 3} / 2") for place in range(page_size)]
        self._strips = [html(grid_area=f"{place + 2} / 2 / {place + 3} / {months + 2}") for place in range(page_size)]
        self._holes: list[widgets.Button] = []
        self._meant: list[Hole | None] = []
        self._grid_box = widgets.GridBox(
            layout=widgets.Layout(
                grid_template_columns=f"{_LABEL} repeat({months}, {_CELL}px)",
                grid_auto_rows="26px",
                overflow="auto hidden",
                align_items="center",
                padding="0 0 8px 0",
            )
        )
        self._detail_html = html()
        self._detail = box(self._detail_html)
        self._widget = column(
            self._top,
            self._notice,
            row(self._by_choice, self._find, self._only),
            html(str(legend())),
            self._grid_box,
            row(self._back, self._next, self._where),
            self._detail,
            padding="4px 0",
        )
        self._draw()

    @property
    def widget(self) -> widgets.Widget:
        """The live controls."""
        return self._widget

    @property
    def frame(self) -> pd.DataFrame:
        """The grid, one row for each cell."""
        self._news.hand_over()
        return view.grid_frame(self._drawn)

    @property
    def by(self) -> str:
        """What the rows are."""
        return self._by

    @by.setter
    def by(self, name: By) -> None:
        self._by_choice.value = _by(name)

    @property
    def selected(self) -> tuple[str, str] | None:
        """Id of the row and month of the hole shown."""
        self._news.hand_over()
        return None if self._selected is None else (self._selected[0], f"{self._selected[1]:%Y-%m}")

    @selected.setter
    def selected(self, given: tuple[str, str | pd.Timestamp] | None) -> None:
        self._news.hand_over()
        self._selected = None if given is None else self._cell(*given)
        self._draw_detail()

    @property
    def hole(self) -> pd.DataFrame:
        """The bills missing in the selected hole; empty where nothing is missing or selected."""
        self._news.hand_over()
        return self._behind(self._hole() or view.Hole("", "", pd.Timestamp.max, pd.Timestamp.min, 0, MISSING))

    def export(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the grid to a file, as CSV, Excel or Parquet by the ending of its name; return the path.

        A file that is there is left as it is, with an error, unless `overwrite` is set.
        """
        return save(self.frame, path, "coverage", overwrite=overwrite)

    def _headline(self) -> str:
        return view.summary(self._drawn)

    def _body(self) -> Markup:
        rows = range(self._page * self._size, min((self._page + 1) * self._size, len(self._drawn.ids)))
        caption = (
            f"{_plural(self._by)} {rows.start + 1:,} to {rows.stop:,} of {len(self._drawn.ids):,}, most holes first"
        )
        parts = [view.static_grid(self._drawn, rows, caption)]
        hole = self._hole()
        if hole is not None:
            parts.append(view.hole_detail(hole, self._by, self._behind(hole)))
        return join(parts)

    def _renewed(self, *, asked: bool) -> None:
        # A refresh reads closer as well; after a verb the months stay as they are.
        self._shown_closer = self._closer or self._shown_closer
        self._draw()

    def _draw(self) -> None:
        self._whole = view.grid(self._shown_closer.coverage, self._by, self._look)
        self._narrow()

    def _narrow(self) -> None:
        drawn, wanted = self._whole, self._find.value.strip().casefold()
        lacking = [bool(row.any()) for row in drawn.lacking]
        keep = [
            place
            for place, label in enumerate(drawn.labels)
            if wanted in label.casefold() and (lacking[place] or not self._only.value)
        ]
        kept = drawn.only(keep, drawn.holes)
        # What is found by name counts alone; else all holes do, those of meters without a row too.
        self._drawn: Grid = drawn.only(keep, view.holes_of(kept)) if wanted else kept
        show(self._head, self._heading())
        self._fill()
        self._draw_detail()

    def _fill(self) -> None:
        total = len(self._drawn.ids)
        last = max(0, (total - 1) // self._size)
        self._page = min(max(self._page, 0), last)
        first = self._page * self._size
        rows = range(first, min(first + self._size, total))
        show(self._axis, months_axis(self._drawn.months, _CELL))
        used = 0
        for place, (label, strip) in enumerate(zip(self._labels, self._strips, strict=True)):
            number = first + place
            # A row without a name takes no room.
            label.layout.display = strip.layout.display = "none" if number >= total else "block"
            if number >= total:
                continue
            name = self._drawn.labels[number]
            show(label, element("span", shortened(name, 34), title=name, style="font-size:13px;white-space:nowrap"))
            show(strip, strip_cells(self._drawn.codes[number], self._drawn.months, name, _CELL))
            for hole in view.gaps(self._drawn, number):
                self._put(used, hole, place + 2)
                used += 1
        for spare in range(used, len(self._holes)):
            self._meant[spare] = None
            self._holes[spare].layout.display = "none"
        children = (self._axis, *self._labels, *self._strips, *self._holes)
        if self._grid_box.children != children:
            self._grid_box.children = children
        self._grid_box.layout.grid_template_rows = f"34px repeat({len(rows)}, 26px)"
        self._back.disabled, self._next.disabled = self._page == 0, self._page == last
        said = f"Page {self._page + 1:,} of {last + 1:,}, {count(total, self._by)}" if total else "Nothing to show"
        show(self._where, element("span", said, role="status", style="font-size:13px;padding-left:8px"))

    def _put(self, place: int, hole: Hole, line: int) -> None:
        """Lay a button over the months of a hole; buttons are made once and used again."""
        if place == len(self._holes):
            made = button("", partial(self._press, place))
            made.layout.margin, made.layout.padding = "0 1px", "0"
            made.layout.width, made.layout.height, made.layout.min_width = "auto", "22px", "0"
            made.style.font_weight = "bold"
            self._holes.append(made)
            self._meant.append(None)
        press, start = self._holes[place], self._drawn.months.tolist().index(hole.month) + 2
        missing = hole.code == MISSING
        span = f"{hole.month:%b %Y}" if hole.months == 1 else f"{hole.month:%b %Y} to {hole.last:%b %Y}"
        with press.hold_sync():
            press.description = "×" if missing else "!"
            press.tooltip = f"{hole.label}, {span}: {'bills missing' if missing else SHOWN[hole.code]}"
            press.style.button_color = "#c8371f" if missing else "#e2a400"
            press.style.text_color = "#ffffff" if missing else "#3d2b00"
        press.layout.grid_area = f"{line} / {start} / {line + 1} / {start + hole.months}"
        press.layout.display = "block"
        self._meant[place] = hole

    def _press(self, place: int) -> None:
        hole = self._meant[place]
        if hole is not None:  # a press may arrive after the page was turned
            self._selected = (hole.id, hole.month)
            self._draw_detail()

    def _draw_detail(self) -> None:
        hole = self._hole()
        self._detail.layout.display = "none" if self._selected is None else "flex"
        if hole is not None:
            show(self._detail_html, view.hole_detail(hole, self._by, self._behind(hole)))
        elif self._selected is not None:
            name = self._whole.labels[self._whole.ids.index(self._selected[0])]
            show(self._detail_html, element("p", f"{name}: nothing is missing in {self._selected[1]:%b %Y}."))

    def _hole(self) -> Hole | None:
        return None if self._selected is None else view.hole_at(self._whole, *self._selected)

    def _behind(self, hole: Hole) -> pd.DataFrame:
        return view.hole_frame(hole, self._by, self._shown_closer, self._look)

    def _cell(self, given: Given, month: str | pd.Timestamp) -> tuple[str, pd.Timestamp]:
        kind, known = (SITE, self._look.sites) if self._by == "site" else (ACCOUNT, self._look.accounts)
        rows = pd.DataFrame({kind.key: self._whole.ids, "label": self._whole.labels}, dtype=object)
        beside = known.set_index(kind.key)[[one for one in kind.called if one in known]]
        id_ = find(given, replace(kind, called=(*kind.called, "label")), rows.join(beside, on=kind.key), where="here")
        first = first_day(month, "month").replace(day=1)
        if first not in self._whole.months:
            first_known, last_known = self._whole.months[0], self._whole.months[-1]
            raise InvalidRequestError(
                f"{month} is not shown: the months are {first_known:%Y-%m} to {last_known:%Y-%m}."
            )
        return id_, first

    def _by_changed(self) -> None:
        self._by, self._page, self._selected = _by(self._by_choice.value), 0, None
        self._draw()

    def _narrowed(self) -> None:
        self._page = 0
        self._narrow()

    def _turn(self, page: int) -> None:
        self._page = page
        self._fill()


def _by(name: str) -> By:
    if name not in _BYS.values():
        raise InvalidRequestError(f"by={name!r} is not known: say 'site' or 'account'.")
    return "site" if name == "site" else "account"


def _plural(by: str) -> str:
    return "Sites" if by == "site" else "Accounts"

"""`ConnectionDashboard`: which logins broke, since when, what that costs in bills, and one press to ask for repair.

Controls around the pure functions of `connections_view` and `connection_detail`; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import ipywidgets as widgets
import pandas as pd

from nectar_notebooks.dashboards.connection_controls import SavePanel
from nectar_notebooks.dashboards.connection_filters import FilterPanel
from nectar_notebooks.dashboards.connection_panel import DetailPanel, Subject
from nectar_notebooks.dashboards.connection_rows import ConnectionRows
from nectar_notebooks.dashboards.connections_view import (
    family_changes,
    headline,
    name_of,
    of_bills,
    page_table,
    tiles,
)
from nectar_notebooks.dashboards.controls import button, choice, column, html, row, show
from nectar_notebooks.dashboards.filters import OF_BILLS, SORTS, Filters, in_order
from nectar_notebooks.dashboards.html import Markup, chip, day, element, join, text
from nectar_notebooks.dashboards.pages import Line, Pages
from nectar_notebooks.dashboards.shell import Shell
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.exports import save
from nectar_notebooks.schema.naming import ACCOUNT, find

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from nectar_notebooks.dashboards.actions import Invitation
    from nectar_notebooks.dashboards.reading import Reader
    from nectar_notebooks.schema.naming import Given

__all__ = ["ConnectionDashboard"]

_FIRST: Final = "what needs somebody"


class ConnectionDashboard(Shell):
    """Connections of one company or of all: state, what to do next, and doing it.

    The first look reads no bills, so that it is there at once: last service and missing bills say "not read yet". Bills
    are read when something is asked that needs them (a login in detail, a site, an order by missing bills), or by
    :meth:`read_bills`.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        An id, an external id, a name, or a row of ``nectar.companies()``; without it all companies.
    page_size : int, default 12
        Rows of a page.

    Attributes
    ----------
    frame : DataFrame
        The rows that the filters let through, in the order shown, with
        :data:`~nectar_notebooks.dashboards.connections_view.COLUMNS`.
    filters : Filters
        What is asked of a row; set a mapping, such as ``{"family": "customer"}``.
    selected : str or None
        Id of the connection shown in detail; set an id, a row, or a provider that one row has.
    order : str
        One of :data:`~nectar_notebooks.dashboards.filters.SORTS`.
    message : str
        What the dashboard has to say, such as why a refresh did not work.

    Raises
    ------
    NectarError
        At the start, as the client raises it; later what was shown stays and the reason is said.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> dashboard = nn.ConnectionDashboard(nn.connect("local"), "Bluestem Logistics")
    >>> dashboard.filters = {"needs_customer": True}
    >>> dashboard.frame["status"].tolist()
    ['PASSWORD_INCORRECT', 'MFA_TOKEN_EXPIRED', 'NEW_PASSWORD_NEEDED']
    """

    name = "Connections"

    def __init__(self, nectar: Reader, company: Given | None = None, *, page_size: int = 12) -> None:
        super().__init__(nectar, company)
        self._filters = Filters()
        self._order, self._reverse = _FIRST, False
        self._selected: str | None = None
        self._many = len(self._look.companies) > 1
        self._tiles = html()
        self._hint = html(str(element("p", "Press a provider to see its login in detail.", style="font-size:13px")))
        self._panel = FilterPanel(self._look, self._filters_changed)
        self._order_choice = choice("Order by", list(SORTS), _FIRST, self._order_changed)
        self._reversed = widgets.Checkbox(description="reversed", indent=False, layout=widgets.Layout(width="100px"))
        self._reversed.observe(lambda _: self._order_changed(), "value")
        columns = [("Status", "minmax(196px,1.4fr)"), ("Since", "92px"), ("Last service", "92px")]
        columns += [("Missing bills", "88px"), ("Accounts", "64px"), ("Owner", "minmax(120px,1fr)")]
        if self._many:
            columns.insert(0, ("Company", "minmax(120px,1fr)"))
        self._pages = Pages(columns, "Provider", page_size, self._lines, self._choose)
        self._detail = DetailPanel(nectar, self._reread)
        self._saving = SavePanel(lambda: self._shown)
        self._reading = button("Count missing bills", self.read_bills, hint="Read all bills once", width="170px")
        self._widget = column(
            self._top,
            self._notice,
            self._tiles,
            self._panel.widget,
            self._pages.widget,
            row(self._pages.pager, self._order_choice, self._reversed, self._reading, self._saving.widget),
            self._hint,
            self._detail.widget,
            padding="4px 0",
        )
        self._rows = ConnectionRows(self._look, None, self._order, reverse=self._reverse)
        changes = family_changes(self._look)
        # What the changes are told from: the look before this one, as far as it is known.
        self._before = {name: now - (changes or {}).get(name, 0) for name, now in self._rows.families.items()}
        self._count(changes)
        self._draw()
        self._draw_detail()

    @property
    def widget(self) -> widgets.Widget:
        """The live controls."""
        return self._widget

    # State, readable and settable.

    @property
    def frame(self) -> pd.DataFrame:
        """The rows that the filters let through, in the order shown."""
        self._news.hand_over()
        return self._shown.copy()

    @property
    def filters(self) -> Filters:
        """What is asked of a row."""
        return self._filters

    @filters.setter
    def filters(self, given: Filters | Mapping[str, Any] | None) -> None:
        self._news.hand_over()
        wanted = self._rows.known(Filters.of(given))
        self._filters = wanted
        self._panel.show(wanted)
        self._pages.page = 0
        self._draw()

    @property
    def selected(self) -> str | None:
        """Id of the connection shown in detail."""
        self._news.hand_over()
        return self._selected

    @selected.setter
    def selected(self, given: Given | None) -> None:
        self._news.hand_over()
        self._selected = None if given is None else self._rows.meant(given)
        self._chosen()

    @property
    def order(self) -> str:
        """The order of the rows."""
        return self._order

    @order.setter
    def order(self, name: str) -> None:
        in_order(self._rows.frame.head(0), name)
        self._order_choice.value = name

    # Actions, as the buttons do them.

    def read_bills(self) -> bool:
        """Read all bills once, for the last service and the missing bills of each row; say whether that worked."""
        self._news.hand_over()
        self._closer_failed = False
        self._take_bills()
        self._draw()
        return self._rows.closer is not None

    def invite(
        self,
        emails: str | list[str] = "",
        *,
        expires_in: int | None = 7 * 86_400,
        max_uses: int | None = 1,
        send: bool = False,
    ) -> Invitation:
        """Invite somebody to repair the selected connection; the same form twice is one invitation.

        Parameters
        ----------
        emails : str or list of str
            Who may open it; empty: whoever has the link.
        expires_in : int, optional
            Seconds; None is for ever.
        max_uses : int, optional
            None is without a limit.
        send : bool
            Send it to `emails`.

        Raises
        ------
        InvalidRequestError
            Nothing is selected, or the form cannot be understood.
        """
        if self._selected is None:
            raise InvalidRequestError("No connection is selected: set dashboard.selected first.")
        return self._detail.ask.make(emails, expires_in=expires_in, max_uses=max_uses, send=send)

    def track(self, account: Given, *, on: bool = True) -> None:
        """Start or stop (``on=False``) the collection of an account: its id, its number, or a row of accounts."""
        self._detail.tracking.change(find(account, ACCOUNT, self._look.accounts, where="here"), on=on)

    def export(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the rows shown to a file, as CSV, Excel or Parquet by the ending of its name; return the path.

        A file that is there is left as it is, with an error, unless `overwrite` is set.
        """
        return save(self._shown, path, "connections", overwrite=overwrite)

    # What the shell asks for.

    def _headline(self) -> str:
        line = headline(self._rows.frame, self._rows.closer)
        return line if len(self._shown) == len(self._rows.frame) else f"{line}; {len(self._shown):,} shown"

    def _renewed(self, *, asked: bool) -> None:
        if asked:
            self._before = self._rows.families
        self._many = len(self._look.companies) > 1
        self._panel.offer(self._look)
        self._rows = ConnectionRows(self._look, self._closer, self._order, reverse=self._reverse)
        self._count({name: now - self._before[name] for name, now in self._rows.families.items()})
        if self._rows.row(self._selected) is None:
            self._selected = None
        else:
            self._take_bills()
        self._draw()
        self._draw_detail()

    def _count(self, changes: Mapping[str, int] | None) -> None:
        self._counted = tiles(self._rows.families, changes)
        show(self._tiles, self._counted)

    def _draw(self) -> None:
        if self._filters.need_bills or self._order in OF_BILLS:
            self._take_bills()
        self._shown = self._rows.chosen(self._filters)
        self._reading.layout.display = "none" if self._rows.closer is not None else "inline-flex"
        show(self._head, self._heading())
        self._saving.clear()
        self._pages.fill(len(self._shown), self._selected)

    def _draw_detail(self) -> None:
        connection = self._rows.row(self._selected)
        self._hint.layout.display = "none" if connection is not None or self._rows.frame.empty else "block"
        self._detail.show(None if connection is None else self._subject(connection))

    def _take_bills(self) -> None:
        """Read bills where they are not read yet, and fill what comes from them into the rows."""
        closer = self._look_closer()
        if closer is not self._rows.closer:
            self._rows = ConnectionRows(self._look, closer, self._order, reverse=self._reverse)

    def _subject(self, connection: pd.Series) -> Subject:
        key = str(connection["connection_id"])
        return Subject(
            connection, self._rows.accounts(key), self._rows.history(key), self._rows.closer, self._look.today
        )

    def _body(self) -> Markup:
        first = self._pages.page * self._pages.size
        rows = self._shown.iloc[first : first + self._pages.size]
        shown = f"{first + 1:,} to {first + len(rows):,}" if len(rows) else "none"
        asked = ", ".join(f"{name} {value}" for name, value in self._filters.active.items())
        caption = f"Connections {shown} of {len(self._shown):,}, by {self._order}" + (
            f"; filters: {asked}" if asked else ""
        )
        parts = [
            self._counted,
            page_table(rows, with_company=self._many, read=self._rows.closer is not None, caption=caption),
        ]
        connection = self._rows.row(self._selected)
        if connection is not None:
            line = element("hr", style="border:0;border-top:1px solid rgba(127,127,127,.35)")
            parts += [line, *self._subject(connection).parts()]
        return join(parts)

    # How the pieces meet.

    def _lines(self, first: int, last: int) -> list[Line]:
        lines = []
        for _, line in self._shown.iloc[first:last].iterrows():
            cells = [
                chip(line["status"], line["family"]),
                text(day(line["status_since"])),
                *(text(said) for said in of_bills(line, read=self._rows.closer is not None)),
                text(f"{line['accounts_tracked']:,} of {line['accounts']:,}"),
                text(line["owner_email"], 36),
            ]
            if self._many:
                cells.insert(0, text(line["company"], 28))
            lines.append(Line(line["connection_id"], name_of(line), tuple(cells)))
        return lines

    def _choose(self, connection_id: str) -> None:
        self._selected = connection_id
        self._say("")
        self._chosen()

    def _chosen(self) -> None:
        """Show the selected connection, which needs its bills."""
        if self._selected is not None and self._rows.closer is None:
            self._take_bills()
            self._draw()
        self._show_page_of(self._selected)
        self._pages.fill(len(self._shown), self._selected)
        self._draw_detail()

    def _show_page_of(self, connection_id: str | None) -> None:
        places = self._shown.index[self._shown["connection_id"] == connection_id]
        if len(places):
            self._pages.page = int(places[0]) // self._pages.size

    def _filters_changed(self, filters: Filters) -> None:
        self._filters = filters
        self._pages.page = 0
        self._draw()

    def _order_changed(self) -> None:
        self._order, self._reverse = self._order_choice.value, self._reversed.value
        self._rows.sort(self._order, reverse=self._reverse)
        self._pages.page = 0
        self._draw()

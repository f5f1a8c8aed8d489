"""`BillExplorer`: from a company down to one bill, who pays it and why, its months, and what another way would move.

Controls around the pure functions of `bill_list`, `ledger`, `bill_view` and `bill_band`; nothing is computed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from nectar_notebooks.dashboards import bill_view as view
from nectar_notebooks.dashboards.bill_choosing import NAMES, meant, offered, widened
from nectar_notebooks.dashboards.bill_panel import SIDES, BillPanel, Subject
from nectar_notebooks.dashboards.bill_pickers import BillPickers
from nectar_notebooks.dashboards.bill_reading import BillLook, BillReader, bill_look
from nectar_notebooks.dashboards.bill_words import CONVENTIONS, OCCUPANCIES
from nectar_notebooks.dashboards.controls import column, html, row, show
from nectar_notebooks.dashboards.html import Markup, count, element, join, missing, table
from nectar_notebooks.dashboards.ledger import Ledger, Ways
from nectar_notebooks.dashboards.pages import Line, Pages
from nectar_notebooks.dashboards.shell import Shell
from nectar_notebooks.errors import InvalidRequestError, NectarError
from nectar_notebooks.exports import save
from nectar_notebooks.schema.naming import BILL, COMPANY, find

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import ipywidgets as widgets

    from nectar_notebooks.client.refreshing import Change
    from nectar_notebooks.methodology.adjust import Occupancy
    from nectar_notebooks.methodology.time.calendar import Convention
    from nectar_notebooks.schema.naming import Given

__all__ = ["BillExplorer"]


class BillExplorer(Shell):
    """One bill at a time: line items, who pays each and why, the months it falls into, and what moves.

    Parameters
    ----------
    nectar : Nectar
    company : optional
        An id, an external id, a name, or a row of ``nectar.companies()``; without it any can be chosen, and the first
        is shown.
    page_size : int, default 8
        Bills of a page.

    Attributes
    ----------
    bills : DataFrame
        The bills that site, account, meter and words let through, the newest first.
    bill : str or None
        Id of the bill shown; set an id or a row.
    company, site, account, meter : str or None
        Ids; set an id, an external id, a name or number, a row, or None for all. ``"no account"`` finds the bills of
        which no account is known, such as uploaded ones.
    convention : str
        ``"inclusive"``, ``"exclusive"`` or ``"midday"``, as for :func:`nectar_notebooks.calendarize`.
    occupancy : str
        ``"disabled"``, ``"all"`` or ``"connection"``, as for :func:`nectar_notebooks.adjust`.
    side : str
        ``"who pays"``, ``"line items"``, ``"meters"``, ``"months"`` or ``"what moves"``.
    frame : DataFrame
        The side shown, as :meth:`export` saves it.
    line_items, usage : DataFrame
        What the bill says.
    attribution : DataFrame
        Who pays, as ``nn.explain(portfolio, bill=...)`` says it.
    months : DataFrame
        The pieces of the bill, as ``nn.explain(portfolio, month=...)`` says it for each `month`.
    moved, moved_at_site : DataFrame
        What the convention and the use of occupancy move against the usual way: `before`, `after`, `difference` of
        usage, cost and finance by meter and month; of this bill, and of all bills of the site (or company) as
        ``nn.monthly`` sums them.
    message : str
        What the explorer has to say, such as why a refresh did not work.

    Raises
    ------
    NectarError
        At the start, as the client raises it; later what was shown stays and the reason is said.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> explorer = nn.BillExplorer(nn.connect("local"), "Bluestem Logistics")
    >>> explorer.site = "Milwaukee Headquarters"
    >>> explorer.bill = explorer.bills.iloc[0]
    >>> sorted(explorer.attribution["method"].unique())
    ['equal', 'usage']
    """

    name = "Bills"

    def __init__(self, nectar: BillReader, company: Given | None = None, *, page_size: int = 8) -> None:
        self._reader: BillReader = nectar
        self._company: str | None = None
        super().__init__(nectar, company)
        self._ways = Ways()
        self._bill: str | None = None
        self._pick = BillPickers(self._narrowed, self._counted, self._company_chosen)
        self._pages = Pages(view.COLUMNS, "Utility", page_size, self._lines, self._choose)
        self._none = html()
        self._panel = BillPanel()
        self._widget = column(
            self._top,
            self._notice,
            self._pick.widget,
            self._pages.widget,
            row(self._pages.pager, self._none),
            self._panel.widget,
            padding="4px 0",
        )
        self._renewed(asked=True)

    @property
    def widget(self) -> widgets.Widget:
        """The live controls."""
        return self._widget

    # State, readable and settable.

    @property
    def bills(self) -> pd.DataFrame:
        """The bills that are not narrowed away, the newest first."""
        self._news.hand_over()
        return self._shown.copy()

    @property
    def bill(self) -> str | None:
        """Id of the bill shown."""
        return self._bill

    @bill.setter
    def bill(self, given: Given) -> None:
        wanted = find(given, BILL, self._books.bills.frame, where="here")
        if not self._shown["bill_id"].eq(wanted).any():
            self._pick.put(dict.fromkeys(NAMES), "")
            self._narrowed()
        self._choose(wanted)

    @property
    def company(self) -> str | None:
        """Id of the company shown."""
        return self._bill_look.company_id

    @company.setter
    def company(self, given: Given) -> None:
        key = find(given, COMPANY, self._look.companies, where="here")
        if key != self.company:
            self._turn_to(key)

    @property
    def site(self) -> str | None:
        """Id of the site whose bills are shown."""
        return self._pick.asked["site"]

    @site.setter
    def site(self, given: Given | None) -> None:
        self._ask("site", given)

    @property
    def account(self) -> str | None:
        """Id of the account whose bills are shown."""
        return self._pick.asked["account"]

    @account.setter
    def account(self, given: Given | None) -> None:
        self._ask("account", given)

    @property
    def meter(self) -> str | None:
        """Id of the meter whose bills are shown."""
        return self._pick.asked["meter"]

    @meter.setter
    def meter(self, given: Given | None) -> None:
        self._ask("meter", given)

    @property
    def convention(self) -> Convention:
        """Which days of a bill count."""
        return self._ways.convention

    @convention.setter
    def convention(self, name: Convention) -> None:
        self._pick.convention.value = _known("convention", name, CONVENTIONS)

    @property
    def occupancy(self) -> Occupancy:
        """Where usage is multiplied by the occupied share."""
        return self._ways.occupancy

    @occupancy.setter
    def occupancy(self, name: Occupancy) -> None:
        self._pick.occupancy.value = _known("occupancy", name, OCCUPANCIES)

    @property
    def side(self) -> str:
        """The side of the bill that is shown."""
        return str(self._panel.side.value)

    @side.setter
    def side(self, name: str) -> None:
        self._panel.side.value = _known("side", name, SIDES)

    @property
    def frame(self) -> pd.DataFrame:
        """The side shown, as a frame."""
        return self._chosen().frame(self.side)

    @property
    def line_items(self) -> pd.DataFrame:
        """The line items of the bill."""
        return self._chosen().alone.line_items

    @property
    def usage(self) -> pd.DataFrame:
        """The usage records of the bill."""
        return self._chosen().alone.usage

    @property
    def attribution(self) -> pd.DataFrame:
        """Who pays each line item of the bill, by which method and why."""
        return self._chosen().attribution

    @property
    def months(self) -> pd.DataFrame:
        """The pieces of the bill, month by month."""
        return self._chosen().months

    @property
    def moved(self) -> pd.DataFrame:
        """What the way of counting moves of the bill."""
        return self._chosen().moved

    @property
    def moved_at_site(self) -> pd.DataFrame:
        """What the way of counting moves of all bills of the site shown, or of the company."""
        return self._books.moved_at(self.site, self._ways)

    def export(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the side shown to a file, as CSV, Excel or Parquet by the ending of its name; return the path.

        A file that is there is left as it is, with an error, unless `overwrite` is set.
        """
        return save(self.frame, path, "bill", overwrite=overwrite)

    # What the shell asks for.

    def _read(self) -> BillLook:
        return bill_look(self._reader, self._given, self._company)

    def _shown_companies(self) -> list[str]:
        return [] if self.company is None else [self.company]

    def _company_name(self) -> str:
        names = self._look.companies.set_index("company_id")["name"]
        name = names.get(self.company)
        return "no company" if self.company is None else "One company" if missing(name) else str(name)

    def _headline(self) -> str:
        total = len(self._books.bills.frame)
        said = count(total, "bill")
        left_out = int((~self._books.bills.frame["counts"].fillna(True).astype(bool)).sum())
        if left_out:
            said += f", {left_out:,} in no total"
        return said if len(self._shown) == total else f"{said}; {len(self._shown):,} shown"

    def _renewed(self, *, asked: bool) -> None:
        del asked  # what was chosen stays chosen either way
        self._pick.offer_companies(self._look.companies, self.company)
        self._narrowed()

    def _draw(self) -> None:
        show(self._head, self._heading())
        self._pages.fill(len(self._shown), self._bill)
        show(self._none, "" if len(self._shown) else element("span", self._empty(), style="font-size:13px"))
        self._panel.show(self._subject())

    def _body(self) -> Markup:
        first = self._pages.page * self._pages.size
        rows = self._shown.iloc[first : first + self._pages.size]
        lines = [[row["utility"], *view.cells(row)] for _, row in rows.iterrows()]
        shown = f"{first + 1:,} to {first + len(rows):,}" if len(rows) else "none"
        parts = [
            table(
                ["Utility", *(name for name, _ in view.COLUMNS)],
                lines,
                caption=f"Bills {shown} of {len(self._shown):,}, the newest first",
                empty=self._empty(),
                numbers=frozenset({"Current charges"}),
            )
        ]
        subject = self._subject()
        if subject is not None:
            parts += [element("hr", style="border:0;border-top:1px solid rgba(127,127,127,.35)"), subject.whole()]
        return join(parts)

    def _take_up_news(self, changes: list[Change]) -> None:
        if any(one.company_id == self.company for one in changes):
            try:
                look = self._read()
            except NectarError as error:
                self._failed("Something changed, and could not be read", error)
                return
            self._look = look
            self._renewed(asked=False)

    # How the pieces meet.

    @property
    def _bill_look(self) -> BillLook:
        assert isinstance(self._look, BillLook)  # noqa: S101  # it is what _read returns
        return self._look

    @property
    def _books(self) -> Ledger:
        return self._bill_look.ledger

    def _empty(self) -> str:
        if self.company is None:
            return "The key sees no company, so there is no bill."
        if not len(self._books.bills.frame):
            return "This company has no bill yet."
        return "No bill fits: leave a picker empty, or look for other words."

    def _subject(self) -> Subject | None:
        rows = self._books.bills.frame
        rows = rows[rows["bill_id"].eq(self._bill)] if self._bill is not None else rows.head(0)
        return Subject(self._books, rows.iloc[0], self._ways, self.site) if len(rows) else None

    def _chosen(self) -> Subject:
        subject = self._subject()
        if subject is None:
            raise InvalidRequestError("No bill is shown.", advice=self._empty())
        return subject

    def _lines(self, first: int, last: int) -> list[Line]:
        return [
            Line(row["bill_id"], "Unknown utility" if missing(row["utility"]) else row["utility"], view.cells(row))
            for _, row in self._shown.iloc[first:last].iterrows()
        ]

    def _choose(self, bill_id: str) -> None:
        self._bill = bill_id
        places = self._shown.index[self._shown["bill_id"].eq(bill_id)]
        if len(places):
            self._pages.page = int(places[0]) // self._pages.size
        self._draw()

    def _narrowed(self) -> None:
        """Take up what the pickers ask for: each narrows what the next offers."""
        self._offer()
        self._shown = self._books.bills.narrowed(self._pick.asked, self._pick.words.value)
        if self._bill not in set(self._shown["bill_id"]):
            self._bill = str(self._shown["bill_id"].iloc[0]) if len(self._shown) else None
            self._pages.page = 0
        self._draw()

    def _offer(self) -> None:
        asked: dict[str, str | None] = {}
        for name in NAMES:
            self._pick.offer(name, offered(self._books, name, asked))
            asked[name] = self._pick.asked[name]

    def _ask(self, name: str, given: Given | None) -> None:
        key = meant(self._books, name, given)
        self._pick.put(widened(self._books, self._pick.asked, name, key))
        self._offer()
        self._pick.put({name: key})
        self._narrowed()

    def _turn_to(self, company_id: str) -> None:
        before, self._company = self._company, company_id
        try:
            look = self._read()
        except NectarError as error:
            self._company = before
            self._failed("The other company could not be read", error)
            self._pick.offer_companies(self._look.companies, self.company)
            return
        self._look, self._bill = look, None
        self._say("")
        self._pick.put(dict.fromkeys(NAMES), "")
        self._renewed(asked=True)

    def _company_chosen(self) -> None:
        wanted = self._pick.company.value
        if wanted is not None and wanted != self.company:
            self._turn_to(wanted)

    def _counted(self) -> None:
        before = self._ways
        wanted = Ways(self._pick.convention.value, self._pick.occupancy.value)
        if wanted == before:
            return
        try:
            self._books.prepared(wanted.occupancy)
        except NectarError as error:
            self._say(f"That cannot be computed: {error}", "customer")
            self._pick.convention.value, self._pick.occupancy.value = before.convention, before.occupancy
            return
        self._ways = wanted
        self._say("")
        self._draw()


def _known(what: str, name: str, among: Any) -> str:
    if name not in among:
        raise InvalidRequestError(f"{what}={name!r} is not known: there are {', '.join(among)}.")
    return name

"""The chosen bill: what it says, and one of its sides at a time.

Which bill is chosen is the explorer's; how it looks stands in `bill_view` and `bill_band`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards import bill_months as months
from nectar_notebooks.dashboards import bill_view as view
from nectar_notebooks.dashboards.bill_band import band
from nectar_notebooks.dashboards.connection_controls import SavePanel
from nectar_notebooks.dashboards.controls import box, html, row, show, switch
from nectar_notebooks.dashboards.html import Markup, join, title
from nectar_notebooks.dashboards.ledger import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from nectar_notebooks.dashboards.ledger import Ledger, Ways
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["SIDES", "BillPanel", "Subject"]

#: The sides of a bill.
SIDES: Final = ("who pays", "line items", "meters", "months", "what moves")


class Subject:
    """One bill, explained in one way of counting.

    Parameters
    ----------
    ledger : Ledger
    bill : Series
        Its row in the ledger's list.
    ways : Ways
    site_id : str or None
        The site that the explorer shows, if it shows one.
    """

    def __init__(self, ledger: Ledger, bill: pd.Series, ways: Ways, site_id: str | None) -> None:
        self.ledger, self.bill, self.ways, self.site_id = ledger, bill, ways, site_id
        self.bill_id = str(bill["bill_id"])
        self.alone: Portfolio = ledger.alone(self.bill_id)

    @cached_property
    def attribution(self) -> pd.DataFrame:
        """Who pays."""
        return self.ledger.attribution(self.alone, self.bill_id, self.ways)

    @property
    def months(self) -> pd.DataFrame:
        """Its pieces in each month."""
        return self.ledger.months(self.bill_id, self.ways)

    @property
    def moved(self) -> pd.DataFrame:
        """What the way of counting moves of it."""
        return self.ledger.moved(self.bill_id, self.ways)

    def frame(self, side: str) -> pd.DataFrame:
        """Return one side as a frame, with words in front of its ids."""
        frames: dict[str, Callable[[], pd.DataFrame]] = {
            "who pays": lambda: self.attribution,
            "line items": lambda: self.alone.line_items,
            "meters": lambda: self.alone.usage,
            "months": lambda: self.months,
            "what moves": lambda: self.moved,
        }
        return self.alone.named(frames[side]())

    def facts(self) -> Markup:
        """Return what is known of the bill."""
        later = self.alone.bills["superseded_by"].iloc[0]
        return join([view.heading(self.bill), view.facts(self.bill, self.attribution, later)])

    def part(self, side: str) -> Markup:
        """Return one side as a table, the months with a picture above."""
        frame = self.frame(side)
        if side == "who pays":
            return view.who_pays_table(frame)
        if side == "line items":
            return view.line_item_table(frame)
        if side == "meters":
            return view.meter_table(frame, self.ledger.adjusted(self.bill_id, self.ways))
        if side == "months":
            return join([band(frame, self.ways.convention, "This bill"), months.months_table(frame, self.ways)])
        parts = [months.moved_table(frame, self.ways, "This bill")]
        if self.ways != USUAL:
            at_site = self.ledger.moved_at(self.site_id, self.ways)
            parts.append(months.moved_sums(at_site, self.months["month"], self._whose()))
        return join(parts)

    def _whose(self) -> str:
        if self.site_id is None:
            return "All bills of the company"
        names = self.ledger.portfolio.sites.set_index("site_id")["name"]
        return f"All bills at {names.get(self.site_id, self.site_id)}"

    def whole(self) -> Markup:
        """Return all sides below each other, for a page without controls."""
        sides = [one for one in SIDES if one != "what moves" or self.ways != USUAL]
        parts = [join([title(one.capitalize(), 4), self.part(one)]) for one in sides]
        return join([self.facts(), *parts])


class BillPanel:
    """One bill and a switch between its sides; hidden where no bill is chosen."""

    def __init__(self) -> None:
        self._facts, self._part = html(), html(overflow="auto hidden")
        self.side = switch([(one.capitalize(), one) for one in SIDES], "Show of this bill", self._turn)
        self._subject: Subject | None = None
        self.saving = SavePanel(self._rows, "bill")
        self.widget = box(self._facts, row(self.side, self.saving.widget), self._part)

    def show(self, subject: Subject | None) -> None:
        """Show a bill, or nothing."""
        self._subject = subject
        self.widget.layout.display = "none" if subject is None else "flex"
        if subject is not None:
            show(self._facts, subject.facts())
        self._turn()

    def _turn(self) -> None:
        self.saving.clear()
        if self._subject is not None:
            show(self._part, self._subject.part(self.side.value))

    def _rows(self) -> pd.DataFrame:
        if self._subject is None:
            raise AssertionError("there is no bill to save")
        return self._subject.frame(self.side.value)

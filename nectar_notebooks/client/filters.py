"""Questions answered from the stored tables: which usage, which bills, and what stands on those bills.

A usage row is chosen by its own site, commodity, service period and times; a bill if one of its usage rows is
chosen, or by its own dates where it has no usage or the question is about the bill. Everything else of a bill
follows its bill. Nothing is fetched here, and no row is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import pandas as pd

from nectar_notebooks.cache import NarrowQuestion, Span, within
from nectar_notebooks.client.dates import Window
from nectar_notebooks.client.shown import shown
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.values import COMMODITIES, GUIDE_ONLY_COMMODITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BY", "By", "Question", "checked_by", "checked_commodity"]

By = Literal["service_period", "bill_date", "created", "updated"]
BY: Final = get_args(By)

#: Tables that follow a table which names its bill.
_GRANDCHILDREN: Final = {
    "line_item_accounts": ("line_items", "line_item_id"),
    "demand_usage": ("demand", "demand_id"),
}


def checked_by(by: str) -> str:
    """Return `by` if it is one of the four, else raise."""
    if not isinstance(by, str) or by not in BY:
        raise InvalidRequestError(f"by={shown(by)} is not known: say one of {', '.join(BY)}.")
    return by


def checked_commodity(commodity: str | None) -> str | None:
    """Return the commodity in capitals, or raise for one that the API does not know."""
    if commodity is None:
        return None
    name = commodity.strip().upper() if isinstance(commodity, str) else ""
    if name not in COMMODITIES + GUIDE_ONLY_COMMODITIES:
        raise InvalidRequestError(f"commodity={shown(commodity)} is not known: say one of {', '.join(COMMODITIES)}.")
    return name


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of a company's tables.

    Parameters
    ----------
    window : Window
        Days, both ends counted.
    by : str
        What the days are compared with.
    commodity, site_id, connection_id : str, optional
    """

    window: Window
    by: str = "service_period"
    commodity: str | None = None
    site_id: str | None = None
    connection_id: str | None = None

    @property
    def everything(self) -> bool:
        """Say whether nothing is left out."""
        return self.window.open and not (self.commodity or self.site_id or self.connection_id)

    def tables(self, wanted: str) -> set[str]:
        """Return the tables that answering needs, beside none more than that."""
        if self.everything:
            return {wanted}
        needed = {wanted, "bills", "usage", "bill_accounts"}
        return needed | ({_GRANDCHILDREN[wanted][0]} if wanted in _GRANDCHILDREN else set())

    def narrow(self, wanted: str) -> NarrowQuestion | None:
        """Return how the API can be asked for this alone, or None where only the whole holds it.

        Which bills a connection's own list names is not what `bill_accounts` says of them (an upload may name an
        account behind it), and a commodity alone leaves most bills in.
        """
        if self.window.open and self.site_id is None:
            return None
        of_usage = wanted in ("usage", "time_of_use")
        start, end = (None if day is None else day.date() for day in (self.window.start, self.window.end))
        needs = Span(self.by, start, end, self.site_id, bills=not of_usage)
        asks = needs.asked()
        whole = Window(None, None) if asks.open else self.window
        in_asked = Question(whole, asks.by, None, asks.site_id)
        return NarrowQuestion(needs, asks, in_asked.chosen_usage)

    def chosen_usage(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are chosen."""
        return self._things(frames) & self._days(frames)

    def answer(self, wanted: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return the rows of table `wanted` that the question chooses."""
        frame = frames[wanted]
        if self.everything:
            return frame
        usage = frames["usage"][self.chosen_usage(frames)]
        if wanted == "usage":
            return usage.reset_index(drop=True)
        if wanted == "time_of_use":
            return frame[within(frame["usage_id"], usage["usage_id"])].reset_index(drop=True)
        bills = self._bills(frames)
        if wanted in _GRANDCHILDREN:
            parent, key = _GRANDCHILDREN[wanted]
            parents = frames[parent].loc[within(frames[parent]["bill_id"], bills), key]
            return frame[within(frame[key], parents)].reset_index(drop=True)
        return frame[within(frame["bill_id"], bills)].reset_index(drop=True)

    def _things(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are of the commodity, site and connection."""
        usage = frames["usage"]
        chosen = pd.Series(True, index=usage.index)
        if self.commodity is not None:
            chosen &= (usage["commodity"] == self.commodity).astype(bool)
        if self.site_id is not None:
            chosen &= (usage["site_id"] == self.site_id).astype(bool)
        if self.connection_id is not None:
            chosen &= within(usage["bill_id"], self._of_connection(frames))
        return chosen

    def _days(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are of the days."""
        usage, bills = frames["usage"], frames["bills"]
        if self.window.open:
            return pd.Series(True, index=usage.index)
        if self.by == "service_period":
            return self.window.overlaps(usage["start_date"], usage["end_date"])
        if self.by == "bill_date":
            return within(usage["bill_id"], bills.loc[self.window.contains(bills["bill_date"]), "bill_id"])
        return self.window.contains(usage[self.by])

    def _bills(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Return the ids of the bills that are chosen."""
        bills, usage = frames["bills"], frames["usage"]
        chosen = pd.Series(True, index=bills.index)
        things = self._things(frames)
        if self.connection_id is not None:
            chosen &= within(bills["bill_id"], self._of_connection(frames))
        if self.commodity is not None or self.site_id is not None:
            chosen &= within(bills["bill_id"], usage.loc[things, "bill_id"])
        if self.window.open:
            pass
        elif self.by == "service_period":
            # A bill without usage has only its own period.
            without = ~within(bills["bill_id"], usage["bill_id"])
            own = self.window.overlaps(bills["start_date"].fillna(bills["bill_date"]), bills["bill_date"])
            of_usage = within(bills["bill_id"], usage.loc[things & self._days(frames), "bill_id"])
            chosen &= of_usage | (own & without)
        else:
            chosen &= self.window.contains(bills[self.by])
        return bills.loc[chosen, "bill_id"]

    def _of_connection(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        relation = frames["bill_accounts"]
        return relation.loc[(relation["connection_id"] == self.connection_id).astype(bool), "bill_id"]

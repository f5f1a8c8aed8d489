"""Questions answered from the stored tables: which usage, which bills, and what stands on those bills.

A usage row is chosen by its own site, commodity, service period and times; a bill if one of its usage rows is
chosen, or by its own dates where it has no usage or the question is about the bill. Everything else of a bill
follows its bill. Sites, connections and accounts are chosen by their meters. Nothing is fetched here, and no row is
changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.cache import NarrowQuestion, Span, within
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OBJECTS", "Question", "refuse"]

#: Tables that follow a table which names its bill.
_GRANDCHILDREN: Final = {
    "line_item_accounts": ("line_items", "line_item_id"),
    "demand_usage": ("demand", "demand_id"),
}
#: Tables of objects, which have no days: the filter that is the object's own, and the tables that the others need.
OBJECTS: Final = {
    "sites": ("site_ids", {"sites", "meters", "accounts"}),
    "connections": ("connection_id", {"connections", "meters", "accounts"}),
    "accounts": ("connection_id", {"meters", "accounts"}),
    "meters": ("site_ids", {"meters", "accounts"}),
    "identifiers": ("", {"identifiers", "meters", "accounts"}),
}
_KEYS: Final = {"sites": "site_id", "connections": "connection_id", "accounts": "account_id"}
_DAYS: Final = ("start", "end", "by")


def refuse(noun: str, given: Mapping[str, object]) -> None:
    """Refuse filters that mean nothing for a noun; a word that is no filter is a ``TypeError``, as anywhere."""
    for name in given:
        if name not in _DAYS:
            raise TypeError(f"{noun}() got an unexpected keyword argument {name!r}")
        one = noun.removesuffix("s")
        raise InvalidRequestError(
            f"{noun} cannot be filtered by {name}: {'an' if one[0] in 'ai' else 'a'} {one} has no service period.",
            advice="Filter by site, connection or commodity; nectar.usage(start=...) names the meters that had usage.",
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of a company's tables: rows that some `filters` choose."""

    filters: Filters

    def tables(self, wanted: str) -> set[str]:
        """Return the tables needed to answer, and no others."""
        if self.filters.everything:
            return {wanted}
        if wanted in OBJECTS:
            return set(OBJECTS[wanted][1])
        needed = {wanted, "bills", "usage", "bill_accounts"}
        return needed | ({_GRANDCHILDREN[wanted][0]} if wanted in _GRANDCHILDREN else set())

    def narrow(self, wanted: str) -> NarrowQuestion | None:
        """Return how the API can be asked for this alone, or None where only the whole holds it.

        Which bills a connection's own list names is not what `bill_accounts` says of them (an upload may name an
        account behind it), and a commodity alone leaves most bills in. The API knows one site at a time.
        """
        filters = self.filters
        site_id = filters.site_ids[0] if len(filters.site_ids) == 1 else None
        if wanted in OBJECTS or (filters.any_day and site_id is None):
            return None
        of_usage = wanted in ("usage", "time_of_use")
        needs = Span(filters.by, filters.start, filters.end, site_id, bills=not of_usage)
        asks = needs.asked()
        in_asked = Filters(site_ids=() if asks.site_id is None else (asks.site_id,))
        if not asks.open:
            in_asked = replace(in_asked, start=filters.start, end=filters.end, by=filters.by)
        return NarrowQuestion(needs, asks, Question(in_asked).chosen_usage)

    def chosen_usage(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are chosen."""
        return self._things(frames) & self._days(frames)

    def answer(self, wanted: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return the rows of table `wanted` that the question chooses."""
        frame = frames[wanted]
        if self.filters.everything:
            return frame
        if wanted in OBJECTS:
            return self._objects(wanted, frames)
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

    def _objects(self, wanted: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Return the sites, connections, accounts, meters or identifiers that the filters choose, by their meters."""
        filters, frame, meters, accounts = self.filters, frames[wanted], frames["meters"], frames["accounts"]
        behind = accounts["connection_id"].eq(filters.connection_id) if filters.connection_id else None
        chosen = pd.Series(True, index=meters.index)
        if filters.site_ids:
            chosen &= within(meters["site_id"], filters.site_ids)
        if filters.commodities:
            chosen &= within(meters["commodity"], filters.commodities)
        if behind is not None:
            chosen &= within(meters["account_id"], accounts.loc[behind.astype(bool), "account_id"])
        meters = meters[chosen]
        if wanted in ("meters", "identifiers"):
            return frame[within(frame["meter_id"], meters["meter_id"])].reset_index(drop=True)
        keep = pd.Series(True, index=frame.index)
        own = OBJECTS[wanted][0]
        if filters.site_ids and own == "site_ids":
            keep &= within(frame["site_id"], filters.site_ids)
        if filters.connection_id and own == "connection_id":
            keep &= within(frame["connection_id"], [filters.connection_id])
        rest = replace(filters, site_ids=()) if own == "site_ids" else replace(filters, connection_id=None)
        if not rest.everything:  # something that only meters tell
            of_meters = (
                meters[_KEYS[wanted]]
                if wanted != "connections"
                else accounts.loc[within(accounts["account_id"], meters["account_id"]), "connection_id"]
            )
            keep &= within(frame[_KEYS[wanted]], of_meters)
        return frame[keep].reset_index(drop=True)

    def _things(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are of the commodity, site and connection."""
        usage = frames["usage"]
        chosen = pd.Series(True, index=usage.index)
        if self.filters.commodities:
            chosen &= within(usage["commodity"], self.filters.commodities)
        if self.filters.site_ids:
            chosen &= within(usage["site_id"], self.filters.site_ids)
        if self.filters.connection_id is not None:
            chosen &= within(usage["bill_id"], self._of_connection(frames))
        return chosen

    def _days(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Say which usage rows are of the days."""
        usage, bills = frames["usage"], frames["bills"]
        if self.filters.any_day:
            return pd.Series(True, index=usage.index)
        if self.filters.by == "service_period":
            return self.filters.overlaps(usage["start_date"], usage["end_date"])
        if self.filters.by == "bill_date":
            return within(usage["bill_id"], bills.loc[self.filters.contains(bills["bill_date"]), "bill_id"])
        return self.filters.contains(usage[self.filters.by])

    def _bills(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        """Return the ids of the bills that are chosen."""
        bills, usage = frames["bills"], frames["usage"]
        chosen = pd.Series(True, index=bills.index)
        things = self._things(frames)
        if self.filters.connection_id is not None:
            chosen &= within(bills["bill_id"], self._of_connection(frames))
        if self.filters.commodities or self.filters.site_ids:
            chosen &= within(bills["bill_id"], usage.loc[things, "bill_id"])
        if self.filters.any_day:
            pass
        elif self.filters.by == "service_period":
            # A bill without usage has only its own period.
            without = ~within(bills["bill_id"], usage["bill_id"])
            own = self.filters.overlaps(bills["start_date"].fillna(bills["bill_date"]), bills["bill_date"])
            of_usage = within(bills["bill_id"], usage.loc[things & self._days(frames), "bill_id"])
            chosen &= of_usage | (own & without)
        else:
            chosen &= self.filters.contains(bills[self.filters.by])
        return bills.loc[chosen, "bill_id"]

    def _of_connection(self, frames: Mapping[str, pd.DataFrame]) -> pd.Series:
        relation = frames["bill_accounts"]
        return relation.loc[(relation["connection_id"] == self.filters.connection_id).astype(bool), "bill_id"]

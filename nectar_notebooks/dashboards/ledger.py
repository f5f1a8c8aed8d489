"""A portfolio's bills, explained: computed once for each way of counting, looked up bill by bill.

Nothing is decided here: what counts, who pays and which month is the methodology's. A :class:`Ledger` keeps what it
answered for a whole portfolio, so that turning to another bill is a look-up. No widget, no HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.bill_list import NO_ACCOUNT, BillList, bill_list
from nectar_notebooks.methodology.explain import bill_charges, month_pieces
from nectar_notebooks.methodology.monthly import Prepared, monthly, prepare
from nectar_notebooks.methodology.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nectar_notebooks.methodology.adjust import Occupancy
    from nectar_notebooks.methodology.time.calendar import Convention
    from nectar_notebooks.schema.portfolio import Portfolio

    Places = Mapping[str, NDArray[np.intp]]

__all__ = ["MOVED", "NO_ACCOUNT", "USUAL", "Ledger", "Ways", "moved"]

#: Columns of what moves.
MOVED: Final = (
    "quantity", "meter_id", "site_id", "commodity", "subtype", "unit", "month", "before", "after", "difference",
)  # fmt: skip
_SAME: Final = ["quantity", "meter_id", "site_id", "commodity", "subtype", "unit", "month"]


@dataclass(frozen=True, slots=True)
class Ways:
    """In which way days and occupancy count; the defaults are those of the methodology."""

    convention: Convention = "inclusive"
    occupancy: Occupancy = "disabled"


#: What the computations do unless they are told otherwise.
USUAL: Final = Ways()


class Ledger:
    """The bills of one portfolio.

    Parameters
    ----------
    portfolio : Portfolio

    Attributes
    ----------
    bills : BillList
        One row for each bill, the newest first, and which of them belong to a site, an account or a meter.

    Raises
    ------
    DataError
        As :func:`nectar_notebooks.monthly`.
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self._prepared: dict[Occupancy, Prepared] = {}
        self._charges_at: dict[Occupancy, Places] = {}
        self._pieces: dict[Ways, tuple[pd.DataFrame, Places]] = {}
        self._monthly: dict[Ways, pd.DataFrame] = {}
        self._at = {name: _places(getattr(portfolio, name)) for name in ("bills", "usage", "line_items", "demand")}
        usual = self.prepared("disabled")
        self._usage_at = _places(usual.usage)  # the records are the same whatever they count as
        self.bills: BillList = bill_list(portfolio, usual)

    def prepared(self, occupancy: Occupancy) -> Prepared:
        """Return adjusted usage and attributed charges of the whole portfolio."""
        if occupancy not in self._prepared:
            made = prepare(self.portfolio, Options(occupancy=occupancy), weights=True)
            self._prepared[occupancy], self._charges_at[occupancy] = made, _places(made.charges)
        return self._prepared[occupancy]

    def monthly(self, ways: Ways) -> pd.DataFrame:
        """Return :func:`nectar_notebooks.monthly` of the whole portfolio."""
        if ways not in self._monthly:
            self._monthly[ways] = monthly(self.portfolio, ways.convention, occupancy=ways.occupancy)
        return self._monthly[ways]

    def alone(self, bill_id: str) -> Portfolio:
        """Return the portfolio with the rows of one bill alone in the tables that an explanation reads."""
        taken = {
            name: getattr(self.portfolio, name).take(places.get(bill_id, [])).reset_index(drop=True)
            for name, places in self._at.items()
        }
        return replace(self.portfolio, **taken)

    def attribution(self, alone: Portfolio, bill_id: str, ways: Ways) -> pd.DataFrame:
        """Return who pays each line item, as :func:`nectar_notebooks.explain` does for a bill."""
        whole = self.prepared(ways.occupancy)
        charges = whole.charges.take(self._charges_at[ways.occupancy].get(bill_id, []))
        bills = whole.bills.take(self._at["bills"].get(bill_id, []))
        return bill_charges(alone, replace(whole, charges=charges, bills=bills), bill_id)

    def adjusted(self, bill_id: str, ways: Ways) -> pd.DataFrame:
        """Return the usage records of a bill as they count."""
        usage = self.prepared(ways.occupancy).usage
        return usage.take(self._usage_at.get(bill_id, []))

    def months(self, bill_id: str, ways: Ways) -> pd.DataFrame:
        """Return the pieces of a bill, as :func:`nectar_notebooks.explain` does for a month, with `month` in front."""
        if ways not in self._pieces:
            pieces = month_pieces(self.portfolio, self.prepared(ways.occupancy), ways.convention)
            self._pieces[ways] = pieces, _places(pieces)
        pieces, places = self._pieces[ways]
        return pieces.take(places.get(bill_id, [])).reset_index(drop=True)

    def moved(self, bill_id: str, ways: Ways) -> pd.DataFrame:
        """Return what a bill's months are in the usual way, what they are in this, and the difference."""
        before, after = (_sums(self.months(bill_id, one), "value") for one in (USUAL, ways))
        return moved(before, after)

    def moved_at(self, site_id: str | None, ways: Ways) -> pd.DataFrame:
        """Return the same of :func:`nectar_notebooks.monthly`, for the meters of one site, or of all."""
        before, after = (_of_months(self.monthly(one), site_id) for one in (USUAL, ways))
        return moved(before, after)


def moved(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Return two sums beside each other, with :data:`MOVED` as columns; only rows that differ.

    A month that one of them does not reach gets nothing of the bill there, which is 0; a missing sum stays missing.
    """
    keys = before.index.union(after.index)
    reached = {"before": before, "after": after}
    frame = pd.DataFrame({name: one.reindex(keys).where(keys.isin(one.index), 0.0) for name, one in reached.items()})
    frame["difference"] = frame["after"] - frame["before"]
    changed = (frame["difference"].abs() > 1e-9) | (frame["before"].isna() != frame["after"].isna())
    return frame[changed].reset_index()[list(MOVED)]


def _sums(pieces: pd.DataFrame, value: str) -> pd.Series:
    # Money is summed in its least decimals by the methodology; here few pieces meet, and are rounded far below a cent.
    return pieces.groupby(_SAME, dropna=False)[value].sum(min_count=1).round(9)


def _of_months(months: pd.DataFrame, site_id: str | None) -> pd.Series:
    if site_id is not None:
        months = months[months["site_id"].eq(site_id).to_numpy(dtype=bool)]
    parts = [
        months[["meter_id", "site_id", "commodity", "subtype", "month"]].assign(
            quantity=quantity, unit=months[unit], value=months[quantity]
        )
        for quantity, unit in (("usage", "unit"), ("cost", "currency"), ("finance", "currency"))
    ]
    whole = pd.concat(parts, ignore_index=True)
    return _sums(whole[whole["value"].notna()], "value")


def _places(frame: pd.DataFrame) -> Places:
    """Return at which positions the rows of each bill stand."""
    return {str(key): np.asarray(found) for key, found in frame.groupby("bill_id").indices.items()}

"""What the findings of anomalies are worth: what a unit cost before a month, and how far the month is billed.

The series are laid out in `series`; here a few of them are looked at, those in which something was found.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.quality.anomalies.series import Coarse, Series
    from nectar_notebooks.methodology.time.spans import Whole

__all__ = ["Prices"]

#: Months before a month that its price is taken from.
_WINDOW: Final = 24


class Prices:
    """What a unit of each series cost in the two years before a month, and how far a month is billed."""

    def __init__(self, given: Series, coarse: Coarse) -> None:
        self.given, self.coarse = given, coarse

    @cached_property
    def _money(self) -> npt.NDArray[np.object_]:
        """Return the currency each series is paid in, missing where it is paid in two."""
        currency, names = pd.factorize(self.given.names["currency"])
        size = len(self.coarse.names)
        told = np.flatnonzero((currency >= 0) & (self.given.paid != 0).any(axis=1))
        low, high = np.full(size, len(names)), np.full(size, -1)
        np.minimum.at(low, self.coarse.code[told], currency[told])
        np.maximum.at(high, self.coarse.code[told], currency[told])
        return np.append(np.asarray(names, dtype=object), np.nan)[np.where(low == high, low, -1)]

    def at(self, row: Whole, column: Whole) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_]]:
        """Return the price of a unit in the two years before a month, else in it, and its currency.

        Missing without a positive cost and usage, and where a series is paid in two currencies.
        """
        window = column[:, None] - np.arange(1, _WINDOW + 1)
        inside, window = window >= 0, np.maximum(window, 0)
        used, place = np.unique(row, return_inverse=True)
        paid = [self.coarse.of(used, matrix) for matrix in (self.given.paid, self.given.priced)]
        cost, usage = (np.where(inside, matrix[place[:, None], window], 0.0).sum(axis=1) for matrix in paid)
        poor = ~((cost > 0) & (usage > 0))
        cost, usage = (
            np.where(poor, matrix[place, column], sum_) for matrix, sum_ in zip(paid, (cost, usage), strict=True)
        )
        money = self._money[row]
        known = (cost > 0) & (usage > 0) & ~pd.isna(money)
        price = np.divide(cost, usage, out=np.full(len(row), np.nan), where=known)
        return price, np.where(known, money, np.nan)

    def partly(self, row: Whole, column: Whole) -> pd.arrays.BooleanArray:
        """Say which months are billed in part; missing where the days are not known."""
        lacking = self.coarse.at(row, column, self.given.lacking)
        return pd.arrays.BooleanArray(lacking > 0, lacking == 0)

    def places(self, ids: pd.DataFrame) -> Whole:
        """Return which series has these names (-1: none)."""
        keys = list(self.coarse.names.columns)
        known = pd.MultiIndex.from_frame(self.coarse.names[keys].fillna(""))
        return known.get_indexer(pd.MultiIndex.from_frame(ids[keys].fillna(""))).astype(np.int64)

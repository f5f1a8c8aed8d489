"""Comparison with last year: why the cost changed, told as price, volume and days, exact to the last decimal.

Works on months; nothing is scaled or filled. A month that has no counterpart is not called a change of price
or volume: it is `new` or `gone`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Never, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.frames import TEXT, choose, days, factorize, numbers, report, require
from nectar_notebooks.methodology.intensity import in_one_unit_of
from nectar_notebooks.methodology.keys import group_keys, numbered
from nectar_notebooks.methodology.money import minor_places, places_needed, to_units
from nectar_notebooks.methodology.monthly import as_months
from nectar_notebooks.methodology.options import By, Options, columns_of
from nectar_notebooks.methodology.time.spans import MISSING_DAY, covered_together, day_of_month, month_of
from nectar_notebooks.methodology.time.window import last_whole_month, month_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Whole
    from nectar_notebooks.schema.dates import Day
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["compare"]

Against: TypeAlias = Literal["last_year", "last_month"]
_SERIES: Final = ("meter_id", "site_id", "account_id", "commodity", "subtype", "unit", "currency", "kind")
_OF_DAYS: Final = ("month", "days_covered", "first_day", "last_day")
_BACK: Final = {"last_year": 12, "last_month": 1}
_PARTS: Final = ("price", "volume", "days", "new", "gone", "other")


def compare(
    monthly: pd.DataFrame | Portfolio,
    against: Against = "last_year",
    *,
    by: By | Sequence[By] = ("site", "commodity", "meter"),
    start: Day | None = None,
    end: Day | None = None,
    options: Options | None = None,
    **renamed: Never,
) -> pd.DataFrame:
    """Split the change in cost into price, volume and days.

    Parameters
    ----------
    monthly : DataFrame or Portfolio
        A portfolio, or usage and cost by month as `monthly` returns it: ``meter_id, unit, currency, month, usage,
        cost``;
        used where they stand: ``site_id, commodity, subtype, days_covered, kind``. One row for each meter,
        subtype, unit, currency, kind and month.
    against : {"last_year", "last_month"}
        What each month is compared with: the same month a year before, or the month before.
    by : str or sequence of str
        What the result has a row for, beside the currency: any of ``"meter"``, ``"site"``, ``"account"`` (of a
        portfolio), ``"commodity"``, ``"subtype"``, ``"unit"``, ``"month"``. Without ``"meter"`` the meters
        of a site, commodity and subtype are taken together, so
        that a meter that follows another is a change of price and volume, not one gone and one new; without
        ``"unit"`` usage is brought to the unit that most of these months have, where it converts. Whatever it is,
        costs and changes sum to the same totals.
    start, end : day, month, quarter or year, optional
        The months compared. Default: the twelve (for last_month: the one) that end with the last month that
        is whole for at least half of the rows, because bills of newer months are still to come.

    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        The columns of `by`, ``currency``, ``cost`` and ``cost_before``, ``change``, and its parts: ``price``,
        ``volume``, ``days``, ``new`` (months without a counterpart before), ``gone`` (months with a cost
        before and none now, negative), ``other`` (a usage is missing or zero, so that there is no price).
        The parts sum to ``change`` exactly, in the finest decimal of the costs; ``change`` is ``cost`` −
        ``cost_before``, of which one that is missing has no part in it. Last, ``months``: in how many
        months, each counted once whatever the number of meters, a cost was split.

    Raises
    ------
    DataError
        A missing column, or two rows of one meter, subtype, unit, currency and month.
    InvalidRequestError
        An argument that is not known.

    Notes
    -----
    Cost is days × usage a day × price. Each part is the difference of one factor times the mean of the others
    between the two years: price = Δp·(U₀+U₁)/2, volume = Δq·p̄·d̄, days = Δd·p̄·q̄. Days are the days covered, by
    any of the meters that are taken together. Usage is net: import less export.

    Examples
    --------
    >>> monthly = pd.DataFrame({"meter_id": "M", "unit": "kWh", "currency": "USD", "days_covered": 31,
    ...                         "month": ["2023-01-01", "2024-01-01"],
    ...                         "usage": [1000.0, 1200.0], "cost": [100.0, 144.0]})
    >>> compare(monthly, by=["meter_id"])[["change", "price", "volume", "days"]]
       change  price  volume  days
    0    44.0   22.0    22.0   0.0
    """
    for name in renamed:
        new = " It is called against=." if name == "with_" else ""
        raise TypeError(f"compare() got an unexpected keyword argument {name!r}.{new}")
    choose("against", against, tuple(_BACK))
    columns = columns_of(by, {*_SERIES, "account_id", "month"})
    monthly = as_months(monthly, options, account="account_id" in columns)
    require(monthly, ("meter_id", "unit", "currency", "month", "usage", "cost"), "monthly")
    require(monthly, [name for name in columns if name != "month"], "monthly")
    when = days(monthly, "month", "monthly").astype(np.int64)
    cost = numbers(monthly, "cost", "monthly")
    rows = np.flatnonzero((when != MISSING_DAY) & ~np.isnan(cost))
    undated = int(((when == MISSING_DAY) & ~np.isnan(cost)).sum())
    needed = [name for name in (*_SERIES, "usage", "cost", *_OF_DAYS) if name in monthly.columns]
    taken, month = monthly[needed], month_of(when[rows])
    taken = taken if len(rows) == len(taken) else taken.iloc[rows]
    of_row, names = group_keys(taken, [name for name in _SERIES if name in taken.columns])
    _check_once(taken, of_row, month)
    series = [name for name in names.columns if name != "meter_id" or "meter_id" in columns]
    if "unit" not in columns:  # a meter that follows another may read in therms where the other read in CCF
        alike = [name for name in series if name != "unit"]
        taken = taken.assign(usage=numbers(taken, "usage", "monthly"))
        one = in_one_unit_of(taken, of_row, names, alike, ("usage",))
        if one is not taken:
            taken = one
            of_row, names = group_keys(taken, list(names.columns))
    if len(series) < len(names.columns):
        wider, names = group_keys(names, series)
        of_row = wider[of_row]
    pairs = _Pairs(taken, month, _BACK[against], start, end, (of_row, names))
    keys = pairs.keys([*dict.fromkeys([*columns, "currency"])])
    group, table = group_keys(keys, list(keys.columns))
    if "month" in table:
        table["month"] = pd.to_datetime(table["month"]).astype("datetime64[us]")
    for name, values in pairs.parts().items():
        table[name] = _sum(values, group, len(table)) / pairs.scale
    out = {"month is missing": undated} if undated else {}
    if np.isnan(cost).any():
        out["cost is missing"] = int(np.isnan(cost).sum())
    months = pd.DataFrame({"group": group, "month": pairs.month})[pairs.split].drop_duplicates()["group"]
    table["months"] = np.bincount(months, minlength=len(table))
    for name, known in (("cost", pairs.now >= 0), ("cost_before", pairs.before >= 0)):
        table.loc[_sum(known.astype(np.int64), group, len(table)) == 0, name] = np.nan
    return report(table, "compare", out, against=against)


def _sum(values: Whole, group: Whole, size: int) -> Whole:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, group, values)
    return total


def _known_sum(values: npt.NDArray[np.float64], cell: Whole, size: int) -> npt.NDArray[np.float64]:
    known = ~np.isnan(values)
    rows = np.bincount(cell[known], minlength=size)
    return np.where(rows > 0, np.bincount(cell[known], values[known], size), np.nan)


class _Pairs:
    """Months of one period beside their counterparts, one pair for each series and month of either."""

    def __init__(
        self,
        monthly: pd.DataFrame,
        month: Whole,
        back: int,
        start: Day | None,
        end: Day | None,
        series: tuple[Whole, pd.DataFrame],
    ) -> None:
        last = month_number(end, "end") if end is not None else last_whole_month(monthly, month)
        first = month_number(start, "start") if start is not None else last - back + 1
        low = min(first - back, int(month.min())) if len(month) else first - back
        width = max(last, int(month.max(initial=last))) - low + back + 2
        of_row, self.names = series
        cells, cell = numbered(of_row * width + month - low, len(self.names) * width)
        of_cell, month_of_row, month = cells // width, month, cells % width + low
        rows = np.flatnonzero((month >= first) & (month <= last))
        past = np.flatnonzero((month >= first - back) & (month <= last - back))
        now_key, past_key = of_cell[rows] * width + month[rows] - low, of_cell[past] * width + month[past] + back - low
        union, _ = numbered(np.concatenate([now_key, past_key]), len(self.names) * width)
        self.now, self.before = np.full(len(union), -1), np.full(len(union), -1)
        self.now[np.searchsorted(union, now_key)] = rows
        self.before[np.searchsorted(union, past_key)] = past
        self.series, self.month = union // width, union % width + low
        cost = numbers(monthly, "cost", "monthly")
        currency, currencies = factorize(monthly, "currency")
        least = np.append(minor_places(currencies), minor_places([None]))[currency]
        places = int(places_needed(cost, least).max()) if len(cost) else 0
        self.scale = 10.0**places
        self.units = np.append(_sum(to_units(cost, places), cell, len(cells)), 0)
        usage = np.append(_known_sum(numbers(monthly, "usage", "monthly"), cell, len(cells)), np.nan)
        length = (day_of_month(month_of_row + 1) - day_of_month(month_of_row)).astype(np.float64)
        covered = numbers(monthly, "days_covered", "monthly")
        told = monthly.assign(days_covered=np.where(np.isnan(covered), length, covered))
        covered = np.append(covered_together(cell, month_of_row, told, len(cells)), np.nan)
        self.usage = usage[self.now], usage[self.before]
        self.days = covered[self.now], covered[self.before]
        positive = [np.nan_to_num(values) > 0 for values in self.days]
        one_way = self.usage[0] * self.usage[1] > 0  # more is exported than drawn in both, or in neither
        self.split = (self.now >= 0) & (self.before >= 0) & one_way & np.logical_and.reduce(positive)

    def keys(self, by: list[str]) -> pd.DataFrame:
        """Return the columns of `by` for every pair."""
        keys = {}
        for name in by:
            if name == "month":
                stamps = self.month.astype("datetime64[M]").astype("datetime64[D]").astype(str)
                keys[name] = pd.Series(stamps, dtype=TEXT)
            else:
                keys[name] = self.names[name].iloc[self.series].reset_index(drop=True)
        return pd.DataFrame(keys, columns=by)

    def parts(self) -> dict[str, Whole]:
        """Return costs, change and its parts for every pair, in whole units of the finest decimal."""
        cost, past = self.units[self.now], self.units[self.before]
        change = cost - past
        parts = {name: np.zeros(len(change), dtype=np.int64) for name in _PARTS}
        split = self.split
        exact = self._effects()
        whole = np.floor(exact).astype(np.int64)
        left = change[split] - whole.sum(axis=1)
        # The units left over go to the parts that lost most by rounding down: at most two for three parts,
        # but for the noise of floats, which the first of them takes.
        order = np.argsort(-(exact - whole), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        whole += rank < np.clip(left, 0, 3)[:, None]
        whole[np.arange(len(whole)), order[:, 0]] += left - np.clip(left, 0, 3)
        for place, name in enumerate(_PARTS[:3]):
            parts[name][split] = whole[:, place]
        parts["new"] = np.where(self.before < 0, change, 0)
        parts["gone"] = np.where(self.now < 0, change, 0)
        rest = ~split & (self.before >= 0) & (self.now >= 0)
        parts["other"] = np.where(rest, change, 0)
        return {"cost": cost, "cost_before": past, "change": change, **parts}

    def _effects(self) -> npt.NDArray[np.float64]:
        """Return price, volume and days of the pairs that split, in units, as floats."""
        rows = self.split
        cost, past = (self.units[places][rows].astype(np.float64) for places in (self.now, self.before))
        usage, was = self.usage[0][rows], self.usage[1][rows]
        days_now, days_was = self.days[0][rows], self.days[1][rows]
        price, price_was = cost / usage, past / was
        rate, rate_was = usage / days_now, was / days_was
        mean = (price + price_was) / 2
        return np.column_stack(
            [
                (price - price_was) * (usage + was) / 2,
                mean * (rate - rate_was) * (days_now + days_was) / 2,
                mean * (days_now - days_was) * (rate + rate_was) / 2,
            ]
        )


def _check_once(monthly: pd.DataFrame, series: Whole, month: Whole) -> None:
    low = int(month.min()) if len(month) else 0
    width = int(month.max(initial=low)) - low + 1
    if len(numbered(series * width + month - low, (int(series.max(initial=0)) + 1) * width)[0]) < len(series):
        doubled = pd.DataFrame({"series": series, "month": month}).duplicated().to_numpy()
        row = monthly.iloc[int(np.flatnonzero(doubled)[0])]
        raise DataError(
            f"monthly has two rows for meter {row['meter_id']} and month {row['month']}.",
            advice="Give one row for each meter, subtype, unit, currency and month, as monthly does.",
        )

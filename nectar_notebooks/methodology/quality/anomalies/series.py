"""Anomalies along time: months, or reads as billed, laid out as series, and what stands out of them.

A frame is read once into a matrix of its finest series (meter, kind, unit, currency) by months; coarser series
are sums of its rows. Which months stand out is for `seasons`, what they are worth for `prices`; here the
findings are put in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.frames import counted, days, flags, numbers, text
from nectar_notebooks.methodology.keys import expand, group_keys
from nectar_notebooks.methodology.quality.anomalies.prices import Prices
from nectar_notebooks.methodology.quality.anomalies.seasons import find_falls, find_spikes
from nectar_notebooks.methodology.quality.anomalies.table import plain, table
from nectar_notebooks.methodology.time.spans import MISSING_DAY, day_of_month, month_of, service_days, show_days
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Truth, Whole

    Matrix = npt.NDArray[np.float64]

__all__ = ["METER", "SITE", "TYPE", "Series", "falls", "reads", "series", "spikes"]

#: What tells series apart: usage by meter type or by meter, cost by site.
TYPE: Final = ("site_id", "commodity", "subtype", "unit")
METER: Final = ("meter_id", *TYPE)
SITE: Final = ("site_id", "currency")
_FINEST: Final = (*METER, "currency")

_LONGEST: Final = 1200
_MONTH: Final = 30.436875  # days of an average month


@dataclass(frozen=True, eq=False)
class Series:
    """Series (rows) by months (columns from `first`): what was billed, the same brought to an average month."""

    names: pd.DataFrame
    first: int
    usage: Matrix
    usage_rate: Matrix  # NaN where there is none
    cost: Matrix
    cost_rate: Matrix
    priced: Matrix  # usage of the rows that have a cost too, and that cost
    paid: Matrix
    covered: Matrix
    lacking: Matrix  # days short of a whole month; 0 where days are not known
    mixed: Truth  # net of generation or export: no read of a meter
    left_out: int
    _known: dict[tuple[str, ...], Coarse]

    def over(self, keys: tuple[str, ...]) -> Coarse:
        """Return the coarser series of which these keys are the names."""
        if keys not in self._known:
            code, names = group_keys(self.names, keys)
            self._known[keys] = Coarse(code, names, *_runs(code), bool((code == np.arange(len(code))).all()))
        return self._known[keys]


@dataclass(frozen=True, eq=False)
class Coarse:
    """Coarser series: which each row belongs to (`code`), and their names."""

    code: Whole
    names: pd.DataFrame
    order: Whole
    starts: Whole
    same: bool  # as the rows they are made of

    def add(self, matrix: Matrix) -> Matrix:
        """Sum the rows of each series."""
        if self.same:
            return matrix
        return np.asarray(np.add.reduceat(matrix[self.order], self.starts, axis=0))

    def of(self, series_: Whole, matrix: Matrix) -> Matrix:
        """Sum the rows of some series alone, one row for each."""
        if self.same:
            return matrix[series_]
        size = np.diff(self.starts, append=len(self.order))[series_]
        _, place = expand(self.starts[series_], size)
        return np.asarray(np.add.reduceat(matrix[self.order[place]], np.cumsum(size) - size, axis=0))

    def at(self, row: Whole, column: Whole, matrix: Matrix) -> npt.NDArray[np.float64]:
        """Sum the rows of each series at some cells alone."""
        used, place = np.unique(row, return_inverse=True)
        return np.asarray(self.of(used, matrix)[place, column])

    def some(self, flags_: Truth) -> Truth:
        """Say where any row of each series is true."""
        if self.same:
            return flags_
        return np.asarray(np.logical_or.reduceat(flags_[self.order], self.starts, axis=0))

    def rates(self, matrix: Matrix, members: Whole | None = None) -> Matrix:
        """Sum the rates of each series; NaN where none has one (no member, where these are known)."""
        if self.same:
            return matrix
        seen = ~np.isnan(matrix)
        some = self.some(seen) if members is None else members > 0
        return np.where(some, self.add(np.where(seen, matrix, 0.0)), np.nan)


def series(frame: pd.DataFrame, least_share: float) -> Series:
    """Read months into series; months of which less than `least_share` is billed are left out and counted."""
    usage, cost = numbers(frame, "usage", "monthly"), numbers(frame, "cost", "monthly")
    when = days(frame, "month", "monthly").astype(np.int64)
    group, names = group_keys(frame, _FINEST)
    told = ~(np.isnan(usage) & np.isnan(cost)) & (when != MISSING_DAY)
    told &= names["site_id"].notna().to_numpy()[group]
    month = month_of(np.where(told, when, 0))
    covered = numbers(frame, "days_covered", "monthly")
    length = (day_of_month(month + 1) - day_of_month(month)).astype(np.float64)
    periodic = covered > 0
    periodic &= ~names["commodity"].isin(HAULED).to_numpy(dtype=bool)[group]
    thin = told & periodic & (covered < least_share * length)
    told &= ~thin
    if not told.any():
        nothing = np.zeros((0, 0))
        none = (nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing)
        return Series(names.iloc[:0], 0, *none, nothing > 0, int(thin.sum()), {})
    rows = slice(None) if told.all() else np.flatnonzero(told)
    group, month = group[rows], month[rows]
    first = int(month.min())
    width = int(month.max()) - first + 1
    if width > _LONGEST:
        raise InvalidRequestError(f"monthly reaches over {width:,} months.", advice="Check its month column.")
    cell = group * width + month - first
    usage, cost, covered, length, periodic = usage[rows], cost[rows], covered[rows], length[rows], periodic[rows]
    factor = np.where(periodic, _MONTH / np.where(periodic, covered, 1.0), 1.0)

    def summed(weights: npt.NDArray[np.float64] | Truth) -> Matrix:
        sums = np.bincount(cell, weights, len(names) * width).reshape(len(names), width)
        return np.asarray(sums, dtype=np.float64)

    def rate(values: npt.NDArray[np.float64]) -> tuple[Matrix, Matrix]:
        known = ~np.isnan(values)
        amount = np.where(known, values, 0.0)
        return summed(amount), np.where(summed(known) > 0, summed(amount * factor), np.nan)

    both = ~np.isnan(usage) & ~np.isnan(cost)
    net = [numbers(frame, name, "monthly")[rows] > 0 for name in ("generated", "exported") if name in frame]
    mixed = summed(np.logical_or.reduce([usage < 0, *net])) > 0
    return Series(
        names, first, *rate(usage), *rate(cost),
        summed(np.where(both, usage, 0.0)), summed(np.where(both, cost, 0.0)),
        summed(np.where(periodic, covered, 0.0)), summed(np.where(periodic, WHOLE * length - covered, 0.0)),
        mixed, int(thin.sum()), {},
    )  # fmt: skip


def reads(usage: pd.DataFrame) -> pd.DataFrame:
    """Return usage records as months: each whole, in the month in which its middle lies.

    Left out are records that do not count, without dates or usage, and what is no read of consumption: what is
    subtracted, generated or exported.
    """
    start, end = service_days(usage, "usage")
    kept = counted(usage, "usage") & (start != MISSING_DAY) & (end >= start)
    kept &= ~np.isnan(numbers(usage, "usage", "usage")) & ~flags(usage, "exclusion", "usage", missing=False)
    kept &= ~text(usage, "net_metering").str.contains("EXPORT|GENERAT", case=False).eq(True).to_numpy(dtype=bool)
    start, end = start[kept], end[kept]
    table_ = {name: text(usage, name)[kept].reset_index(drop=True) for name in (*METER, "bill_id")}
    table_["site_id"] = table_["site_id"].fillna("")
    middle = day_of_month(month_of((start + end) // 2))
    values = numbers(usage, "usage", "usage")[kept]
    return pd.DataFrame(
        {**table_, "month": show_days(middle), "usage": values, "days_covered": (end - start + 1).astype(np.float64)}
    )


def _runs(code: Whole) -> tuple[Whole, Whole]:
    """Return the order that puts equal codes beside each other, and where each begins in it."""
    order = np.argsort(code, kind="stable")
    return order, np.flatnonzero(np.diff(code[order], prepend=-1))


def _members(given: Series, rates: Matrix, keys: tuple[str, ...]) -> Whole:
    """Return how many meters each month of each series is the sum of."""
    inner, outer = given.over(("meter_id", *keys)), given.over(keys)
    seen = inner.some(~np.isnan(rates))
    code = np.zeros(len(inner.names), dtype=np.int64)
    code[inner.code] = outer.code
    order, starts = _runs(code)
    if len(starts) == len(order):
        return seen[order].astype(np.int64)
    return np.asarray(np.add.reduceat(seen[order].astype(np.int64), starts, axis=0))


@dataclass(frozen=True, eq=False)
class _Found:
    """Where findings lie, and what they are measured by."""

    row: Whole
    column: Whole
    value: npt.NDArray[np.float64]
    change: npt.NDArray[np.float64]
    months: Whole

    @property
    def baseline(self) -> npt.NDArray[np.float64]:
        return self.value / (1 + self.change)


def spikes(
    given: Series, value: str, keys: tuple[str, ...], rise: float, *, least: int, regime_months: int
) -> list[pd.DataFrame]:
    """Find spikes and changes of regime of usage or cost, summed over what has the same keys."""
    if not len(given.names):
        return []
    coarse = given.over(keys)
    names = coarse.names
    fine, rate = (given.usage, given.usage_rate) if value == "usage" else (given.cost, given.cost_rate)
    members = _members(given, rate, keys)
    whole = coarse.rates(rate, members)
    result = find_spikes(whole, members, given.first, rise=rise, least=least, regime_months=regime_months)
    prices = Prices(given, coarse)
    parts = []
    for word, at in (("spike", result.spike), ("regime", result.regime)):
        row, column = np.nonzero(at)
        if not len(row):
            continue
        change = whole[row, column] / result.baseline[row, column] - 1
        found = _Found(row, column, coarse.at(row, column, fine), change, result.months[row, column])
        ids = names.iloc[row].reset_index(drop=True)
        stake = found.value - found.baseline
        facts: dict[str, object] = {name: ids[name] for name in keys}
        if value == "usage":
            price, money = prices.at(row, column)
            facts |= {"units_at_stake": stake, "money_at_stake": stake * price, "currency": money}
        else:
            facts |= {"money_at_stake": np.where(ids["currency"].isna(), np.nan, stake)}
        unit = ids["unit" if value == "usage" else "currency"].fillna("").tolist()
        stamps = show_days(day_of_month(given.first + column))
        tail = f"; {regime_months} months or more at such a level" if word == "regime" else ""
        told = [
            f"{plain(amount)} {of}".rstrip() + f" in {when}, {ratio:.0%}".replace("%", " %")
            + f" above the mean of {number} earlier months of the season ({plain(mean)}){tail}"
            for amount, of, when, ratio, number, mean in zip(
                found.value.tolist(), unit, stamps.astype("datetime64[M]").astype(str).tolist(), change.tolist(),
                found.months.tolist(), found.baseline.tolist(), strict=True,
            )
        ]  # fmt: skip
        parts.append(_laid_out(f"{value}_{word}", told, found, stamps, prices.partly(row, column), facts))
    return parts


def falls(
    given: Series, of: Series, *, fall: float, rise: float, least: int, regime_months: int, bills: pd.DataFrame | None
) -> list[pd.DataFrame]:
    """Find zero and collapsed reads of meters in `given`, and the catch-up after them; priced by the months `of`.

    Nothing is low where it is net of generation or export, is hauled, or where another meter of the kind begins
    on the site within a month of it. `bills` are the reads that name their bill.
    """
    if not len(given.names):
        return []
    coarse = given.over(METER)
    names = coarse.names
    judged = ~coarse.some(given.mixed) & ~names["commodity"].isin(HAULED).to_numpy(dtype=bool)[:, None]
    rate = np.where(judged, coarse.rates(given.usage_rate), np.nan)
    result = find_falls(rate, given.first, fall=fall, rise=rise, least=least, regime_months=regime_months)
    if not (result.low.any() or result.regime.any() or result.catch_up.any()):
        return []
    totals, covered = coarse.add(given.usage), coarse.add(given.covered)
    zero = result.low & (totals == 0)
    handed = _handed_over(names, rate)
    prices = Prices(of, of.over(METER)) if len(of.names) else None
    parts = []
    for kind, at in (
        ("zero_read", zero & ~handed),
        ("collapsed_read", result.low & ~zero & ~handed),
        ("catch_up", result.catch_up),
        ("usage_regime", result.regime & ~handed),
    ):
        row, column = np.nonzero(at)
        if not len(row):
            continue
        change = rate[row, column] / result.baseline[row, column] - 1
        length = covered[row, column]
        baseline = result.baseline[row, column] * np.where(length > 0, length, _MONTH) / _MONTH
        found = _Found(row, column, totals[row, column], change, result.months[row, column])
        parts.append(_fall(kind, found, baseline, names, given.first, prices, regime_months, bills))
    return parts


def _handed_over(names: pd.DataFrame, rate: Matrix) -> Truth:
    """Say of which months another meter of the kind begins on the site within a month: it takes over."""
    kind, kinds = group_keys(names, TYPE)
    begins = np.zeros((len(kinds), rate.shape[1] + 2), dtype=bool)
    seen = ~np.isnan(rate)
    some = np.flatnonzero(seen.any(axis=1))
    first = seen[some].argmax(axis=1)
    later = first > 0
    begins[kind[some[later]], first[later] + 1] = True
    near: Truth = begins[:, :-2] | begins[:, 1:-1] | begins[:, 2:]
    return near[kind]


def _fall(
    kind: str,
    found: _Found,
    baseline: npt.NDArray[np.float64],
    names: pd.DataFrame,
    first: int,
    prices: Prices | None,
    regime_months: int,
    bills: pd.DataFrame | None,
) -> pd.DataFrame:
    ids = names.iloc[found.row].reset_index(drop=True)
    stamps = show_days(day_of_month(first + found.column))
    facts: dict[str, object] = {name: ids[name].where(ids[name] != "") for name in METER}
    stake = np.abs(found.value - baseline)
    facts |= {"units_at_stake": stake}
    if prices is not None:
        row = prices.places(ids)
        column = first + found.column - prices.given.first
        inside = (row >= 0) & (column >= 0) & (column < prices.given.usage.shape[1])
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        price, money = prices.at(row, column)
        partly = prices.partly(row, column)
        partly[~inside] = pd.NA
        facts |= {"money_at_stake": np.where(inside, stake * price, np.nan), "partly_billed": partly}
        facts["currency"] = np.where(inside, money, np.nan)
    if bills is not None:
        facts["bill_id"] = _bill_of(bills, ids, stamps)
    tail = f"; {regime_months} reads or more at such a level" if kind == "usage_regime" else ""
    before = ", the catch-up after low reads" if kind == "catch_up" else ""
    told = []
    for amount, unit, when, ratio, number, mean in zip(
        found.value.tolist(), ids["unit"].fillna("").tolist(), stamps.astype("datetime64[M]").astype(str).tolist(),
        found.change.tolist(), found.months.tolist(), baseline.tolist(), strict=True,
    ):  # fmt: skip
        side = f", {abs(ratio):.0%}".replace("%", " %") + (" above" if ratio > 0 else " below")
        says = f"the mean of {number} earlier months of the season"
        says = f"; {says} is {plain(mean)}" if amount == 0 else f"{side} {says} ({plain(mean)})"
        told.append(f"{plain(amount)} {unit}".rstrip() + f" in {when}{before}{says}{tail}")
    return table(
        kind, told, month=stamps, value=found.value, baseline=baseline, change=found.change, months=found.months,
        **facts,
    )  # fmt: skip


def _bill_of(bills: pd.DataFrame, ids: pd.DataFrame, stamps: npt.NDArray[np.datetime64]) -> npt.NDArray[np.object_]:
    """Return the bill of each low read, where it is one."""
    wanted = ids[list(METER)].assign(month=stamps, place=np.arange(len(ids)))
    near = bills[bills["meter_id"].isin(ids["meter_id"])]
    met = wanted.merge(near[[*METER, "month", "bill_id"]].drop_duplicates(), on=[*METER, "month"], how="inner")
    single = met.drop_duplicates("place", keep=False).set_index("place")["bill_id"]
    return np.asarray(single.reindex(range(len(ids))).to_numpy(dtype=object))


def _laid_out(
    kind: str,
    told: list[str],
    found: _Found,
    stamps: npt.NDArray[np.datetime64],
    partly: pd.arrays.BooleanArray,
    facts: dict[str, object],
) -> pd.DataFrame:
    return table(
        kind, told, month=stamps, value=found.value, baseline=found.baseline, change=found.change,
        months=found.months, partly_billed=partly, **facts,
    )  # fmt: skip

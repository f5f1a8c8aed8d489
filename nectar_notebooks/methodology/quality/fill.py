"""Filling: what a month would have been, where bills are missing, said beside what is known.

The one place where something is added to what was billed, and only when asked for. Which months are missing is said
by `completeness`. Raw columns stay as they are; what was added stands in columns of its own, and every row says whether
it was filled, or why not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.frames import TEXT, days, factorize, numbers, report, require, text
from nectar_notebooks.methodology.keys import group_keys, places_in
from nectar_notebooks.methodology.money import minor_places
from nectar_notebooks.methodology.monthly import as_months
from nectar_notebooks.methodology.quality.completeness import completeness as told_missing
from nectar_notebooks.methodology.time.spans import MISSING_DAY, day_of_month, month_of, show_days
from nectar_notebooks.methodology.time.window import month_number
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.options import Options
    from nectar_notebooks.methodology.time.spans import Whole
    from nectar_notebooks.schema.dates import Day

__all__ = ["fill_gaps"]

_KEYS: Final = ("meter_id", "site_id", "commodity", "subtype", "unit", "currency", "kind")
_LARGEST: Final = 50_000_000
#: More months than any calendar of four-digit years holds, so that one number holds a meter and a month.
_MONTHS: Final = 1 << 18


def fill_gaps(
    monthly: pd.DataFrame | Portfolio,
    *,
    completeness: pd.DataFrame | None = None,
    end: Day | None = None,
    least_share: float = 0.5,
    options: Options | None = None,
) -> pd.DataFrame:
    """Fill missing days of a month with last year's daily average of the same month.

    Parameters
    ----------
    monthly : DataFrame or Portfolio
        A portfolio, whose own `completeness` says what is missing, or usage by month as `monthly` or `calendarize`
        return it: ``meter_id, unit, month, usage, days_covered``; used where they stand: ``site_id, commodity,
        subtype, currency, cost, days_in_month``. One row for each meter, subtype, unit, currency and month.
    completeness : DataFrame, optional
        `completeness` of the same portfolio, by meter: the days it calls missing (``days_missing``, those that lie in
        `holes`) are filled, and nothing else is: not days whose bill may still come. Without it a month between a
        meter's first and last row is filled where less than 97 % of its days are covered.
    end : day or month, optional
        Last month to fill. Default: each meter's last month with a row, or the last one in which `completeness` has
        missing days.
    least_share : float, default 0.5
        Least share of the days of last year's month that must be covered: from fewer nothing is scaled.

    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        The rows of `monthly`, and a row (``usage`` missing, ``days_covered`` 0) for each month missing
        between a meter's first and its last, with: ``filled`` (whether anything was added), ``filled_days``,
        ``filled_usage``, ``filled_cost`` (what was added, missing where nothing was), ``usage_with_filling``,
        ``cost_with_filling``, ``fill_reason`` (why days that lack were not filled). Sorted by meter and month.

    Raises
    ------
    DataError
        A missing column, or two rows of one meter, subtype, unit, currency and month.
    InvalidRequestError
        A share that is none.

    Notes
    -----
    Missing days × (usage ÷ days covered of the same month last year), as IBM Envizi fills. Nothing is added where last
    year's month has no data, or on too few of its days, or for hauled commodities (waste, delivered fuel), whose empty
    months are empty. Filled months are never the source of another year's filling. Costs are rounded to the
    currency's minor unit.

    Examples
    --------
    >>> monthly = pd.DataFrame({"meter_id": "M", "unit": "kWh", "month": ["2023-02-01", "2024-01-01", "2024-02-01"],
    ...                         "usage": [280.0, 310.0, 90.0], "days_covered": [28, 31, 9]})
    >>> fill_gaps(monthly).tail(1)[["usage", "filled", "filled_days", "filled_usage", "usage_with_filling"]]
        usage  filled  filled_days  filled_usage  usage_with_filling
    12   90.0    True         20.0         200.0               290.0
    """
    if not 0 <= least_share <= 1:
        raise InvalidRequestError(f"least_share={least_share!r} is no share: give a number from 0 to 1.")
    if isinstance(monthly, Portfolio) and completeness is None:
        completeness = told_missing(monthly)
    monthly = as_months(monthly, options)
    require(monthly, ("meter_id", "unit", "month", "usage", "days_covered"), "monthly")
    when = days(monthly, "month", "monthly").astype(np.int64)
    known = np.flatnonzero(when != MISSING_DAY)
    group, names = group_keys(monthly.iloc[known], [name for name in _KEYS if name in monthly.columns])
    month = month_of(when[known])
    _one_row_each(monthly.iloc[known], group, month)
    until = None if end is None else month_number(end, "end")
    told = None if completeness is None else _Told(completeness, text(names, "meter_id"))
    group_of, months, row = _grid(group, month, len(names), until, told)
    # Charges that no meter pays have no days to fill: their months stay as they are.
    metered = text(names, "kind").fillna("attributed").eq("attributed").to_numpy(dtype=bool)
    taken = (row < len(known)) | metered[group_of]
    group_of, months, row = group_of[taken], months[taken], row[taken]
    source = np.append(known, -1)[row]
    table = monthly.iloc[np.maximum(source, 0)].reset_index(drop=True) if len(source) else monthly.iloc[:0]
    added = source < 0
    keys = [name for name in names.columns if name in monthly.columns]
    for name in table.columns:
        if name in keys:
            key = names[name].iloc[group_of].reset_index(drop=True)
            table[name] = key.where(added, text(table, name)) if added.any() else table[name]
        elif name == "month":
            table[name] = show_days(day_of_month(months))
        elif added.any():
            table[name] = table[name].where(~added)
    length = (day_of_month(months + 1) - day_of_month(months)).astype(np.float64)
    covered = np.where(added, 0.0, np.nan_to_num(numbers(table, "days_covered", "monthly")))
    table["days_covered"], table["days_in_month"] = covered, length
    lacking = np.maximum(length - covered, 0.0)
    if told is None:
        lacking[covered >= WHOLE * length] = 0.0
    else:
        lacking = np.minimum(lacking, told.lacking(group_of, months))
    if until is not None:
        lacking[months > until] = 0.0
    lacking[text(table, "commodity").isin(HAULED).to_numpy(dtype=bool)] = 0.0
    return _filled(table, group_of, months, covered, lacking, length, least_share, int((when == MISSING_DAY).sum()))


class _Told:
    """What a table of completeness says of groups of months: how many days lack, and until when."""

    def __init__(self, completeness: pd.DataFrame, meters: pd.Series) -> None:
        needed = ("meter_id", "month", "days_missing")
        require(completeness, needed, "completeness", instead='Give nn.completeness(portfolio, by="meter").')
        keys = meters.drop_duplicates().dropna().reset_index(drop=True)
        self.meter = places_in(meters, keys, distinct=True)
        place = places_in(text(completeness, "meter_id"), keys, distinct=True)
        missing = np.nan_to_num(numbers(completeness, "days_missing", "completeness"))
        rows = np.flatnonzero((place >= 0) & (missing > 0))
        month = month_of(days(completeness, "month", "completeness").astype(np.int64)[rows])
        key = place[rows] * _MONTHS + month
        order = np.argsort(key, kind="stable")
        self._key, self._lacking = key[order], missing[rows][order]
        self._last = np.full(len(keys) + 1, np.iinfo(np.int64).min)
        np.maximum.at(self._last, place[rows], month)

    def lacking(self, group: Whole, month: Whole) -> npt.NDArray[np.float64]:
        """Return how many days of each month are missing."""
        meter = self.meter[group]
        key = meter * _MONTHS + month
        place = np.searchsorted(self._key, key)
        found = np.append(self._key, -1)[np.minimum(place, len(self._key))] == key
        days_of = np.append(self._lacking, 0.0)[np.minimum(place, len(self._key))]
        return np.where(found & (meter >= 0), days_of, 0.0)

    def last(self, last: Whole) -> Whole:
        """Return the last month to look at of each group: of a meter's newest groups the last with missing days."""
        newest = np.full(len(self._last), np.iinfo(np.int64).min)
        np.maximum.at(newest, self.meter, last)
        return np.where(
            (self.meter >= 0) & (last == newest[self.meter]), np.maximum(last, self._last[self.meter]), last
        )


def _filled(
    table: pd.DataFrame,
    group: Whole,
    months: Whole,
    covered: npt.NDArray[np.float64],
    lacking: npt.NDArray[np.float64],
    length: npt.NDArray[np.float64],
    least_share: float,
    undated: int,
) -> pd.DataFrame:
    before = _last_year(group, months)
    had, of = np.append(covered, 0.0)[before], np.append(length, 1.0)[before]
    thin = (had > 0) & (had < least_share * of)
    added: dict[str, npt.NDArray[np.float64]] = {}
    for name in ("usage", "cost"):
        if name == "usage" or name in table.columns:
            past = np.append(numbers(table, name, "monthly"), np.nan)[before]
            mean = np.divide(past, had, out=np.full(len(past), np.nan), where=(had > 0) & ~thin)
            added[name] = np.where(lacking > 0, mean * lacking, np.nan)
    if "cost" in added:
        # Where a month has a cost and covers no day, its bill came without usage: the cost is whole.
        whole = (covered == 0) & ~np.isnan(numbers(table, "cost", "monthly"))
        added["cost"][whole] = np.nan
        currency, names = factorize(table, "currency")
        places = np.append(minor_places(names), minor_places([None]))[currency]
        added["cost"] = np.round(added["cost"] * 10.0**places) / 10.0**places
    table["filled"] = np.logical_or.reduce([~np.isnan(values) for values in added.values()])
    table["filled_days"] = np.where(table["filled"], lacking, 0.0)
    for name, values in added.items():
        table[f"filled_{name}"] = values
    for name, values in added.items():
        raw = numbers(table, name, "monthly")
        both = np.nan_to_num(raw) + np.nan_to_num(values)
        table[f"{name}_with_filling"] = np.where(np.isnan(raw) & np.isnan(values), np.nan, both)
    table["fill_reason"] = _reasons((lacking > 0) & ~table["filled"].to_numpy(), thin, had, of)
    out = {"month is missing": undated} if undated else {}
    return report(table, "fill_gaps", out, filled=int(table["filled"].sum()))


def _reasons(
    left: npt.NDArray[np.bool_],
    thin: npt.NDArray[np.bool_],
    had: npt.NDArray[np.float64],
    of: npt.NDArray[np.float64],
) -> pd.Series:
    """Say of each month that was left as it is why, though days lack."""
    words = ["the same month last year has no data"]
    place = np.where(left, 0, -1)
    few = np.flatnonzero(left & thin)
    pairs, codes = np.unique(np.column_stack([had[few], of[few]]), axis=0, return_inverse=True)
    words += [f"the same month last year has {a:g} of {b:g} days: too few to scale" for a, b in pairs.tolist()]
    place[few] = codes.ravel() + 1
    return pd.Series(pd.array(words, dtype=TEXT).take(place, allow_fill=True))


def _one_row_each(monthly: pd.DataFrame, group: Whole, month: Whole) -> None:
    doubled = pd.DataFrame({"group": group, "month": month}).duplicated().to_numpy()
    if doubled.any():
        row = monthly.iloc[int(np.flatnonzero(doubled)[0])]
        raise DataError(
            f"monthly has two rows for meter {row['meter_id']} and month {row['month']}.",
            advice="Give one row for each meter, subtype, unit, currency and month, as calendarize does.",
        )


def _grid(group: Whole, month: Whole, size: int, end: int | None, told: _Told | None) -> tuple[Whole, Whole, Whole]:
    """Return group, month and row (or the number of rows, for none) of every month of every group."""
    first = np.full(size, np.iinfo(np.int64).max)
    last = np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, group, month)
    np.maximum.at(last, group, month)
    if end is not None:
        last = np.maximum(last, end)
    elif told is not None:
        last = told.last(last)
    spans = last - first + 1
    if spans.sum() > _LARGEST:
        raise InvalidRequestError(
            f"Filling would make {spans.sum():,} months.", advice="Check the first and last month of monthly."
        )
    begins = np.cumsum(spans) - spans
    row = np.full(int(spans.sum()), len(group), dtype=np.int64)
    row[begins[group] + month - first[group]] = np.arange(len(group))
    group_of = np.repeat(np.arange(size), spans)
    return group_of, first[group_of] + np.arange(len(row)) - begins[group_of], row


def _last_year(group: Whole, months: Whole) -> Whole:
    """Return the place of the same month a year before; -1 where its group has none."""
    place = np.arange(len(group)) - 12
    fits = (place >= 0) & (group[np.maximum(place, 0)] == group) & (months[np.maximum(place, 0)] == months - 12)
    return np.where(fits, place, -1)

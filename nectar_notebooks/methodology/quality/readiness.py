"""Readiness: what CalTRACK 2 and ENERGY STAR Portfolio Manager would reject in these records, and why.

Each rule looks at records as billed; nothing is changed. What a consumer changes itself (CalTRACK merges an
estimated read into the next actual one, ENERGY STAR gives a shared day to the later bill) is no rejection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.counting import count_periods
from nectar_notebooks.methodology.frames import (
    PORTFOLIO,
    TEXT,
    counted,
    factorize,
    flags,
    has_word,
    left_out,
    numbers,
    report,
    require,
    text,
)
from nectar_notebooks.methodology.keys import coded, places_in
from nectar_notebooks.methodology.quality.completeness import holes
from nectar_notebooks.methodology.quality.issues.evidence import day_text
from nectar_notebooks.methodology.quality.issues.in_time import beside
from nectar_notebooks.methodology.time.calendar import fitting, known_convention, last_day, series_of
from nectar_notebooks.methodology.time.spans import (
    MISSING_DAY,
    cover,
    day_of_month,
    month_of,
    neighbours,
    service_days,
    show_days,
    without_repeats,
)
from nectar_notebooks.methodology.time.window import today_number
from nectar_notebooks.schema.periods import Span
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from nectar_notebooks.methodology.time.calendar import Convention
    from nectar_notebooks.methodology.time.spans import Neighbours, Truth, Whole

__all__ = ["CALTRACK", "ENERGY_STAR", "readiness"]

CALTRACK: Final = "CalTRACK 2"
ENERGY_STAR: Final = "ENERGY STAR"

_SHORTEST, _MONTHLY, _BIMONTHLY = 25, 35, 70
_BASELINE: Final = 365
_LEAST: Final = 329  # 90 % of 365, rounded up
#: Columns that several of the rules group by.
_KEYS: Final = ("meter_id", "site_id", "account_id", "commodity", "subtype", "utility", "net_metering")
#: What CalTRACK is about; a record that names no commodity is taken for one of them.
_CALTRACK_OF: Final = ("ELECTRICITY", "GAS")


def readiness(
    usage: pd.DataFrame | Portfolio,
    *,
    consumers: Sequence[str] = (CALTRACK, ENERGY_STAR),
    convention: Convention | None = None,
    today: str | date | None = None,
) -> pd.DataFrame:
    """List what a consumer of the data would reject, per meter and period.

    Parameters
    ----------
    usage : DataFrame or Portfolio
        A portfolio, whose usage is taken, or usage records: ``usage_id, meter_id, start_date, end_date,
        usage``; used where they stand: ``site_id, commodity, subtype, net_metering, estimated, exclusion,
        counts``.
    consumers : sequence of {"CalTRACK 2", "ENERGY STAR"}
        Whose rules are asked. CalTRACK is asked of electricity and gas alone.
    convention : {"inclusive", "exclusive", "midday"}, optional
        How the records count their days, by which CalTRACK's lengths are taken. Default: "exclusive" where most
        neighbouring periods share their boundary day, as `issues` finds too, else "inclusive"; said in
        ``attrs["nectar"]``. ENERGY STAR counts both days of a period in any case.
    today : day, optional
        Up to when bills should be there; periods before 1990, or beyond the end of the year after it, do not count.
        Default: the day on which a portfolio was answered, else the system's day.

    Returns
    -------
    DataFrame
        One row a rejection: ``consumer, rule, site_id, meter_id, commodity, usage_id`` (missing for a rule on
        the whole meter), ``start_date, end_date`` (of the period rejected) and ``why``. A meter without a row
        is ready. Rules:

        CalTRACK 2: ``too_short`` (under 25 days), ``too_long`` (over 35 days, over 70 where a meter is billed
        every two months), ``missing_usage``, ``zero_electricity`` (counts as missing), ``estimated`` (no
        actual read follows, or merged with it the period is over 70 days), ``baseline`` (usable periods of
        the last 365 days cover less than 329).

        ENERGY STAR: ``missing_usage``, ``gap`` (a row of `holes` that lies between two entries), ``overlap`` (more
        than one shared day), ``year`` (no 12 full calendar months in a row). Delivered fuel and waste belong to their
        month: neither gaps nor a full year are asked of them.

    Examples
    --------
    >>> usage = pd.DataFrame({"usage_id": ["a"], "meter_id": ["M"], "usage": [310.0],
    ...                       "start_date": ["2024-01-01"], "end_date": ["2024-02-15"]})
    >>> readiness(usage, consumers=["CalTRACK 2"])["why"].tolist()
    ['usable periods cover 0 of the 365 days to 2024-02-15; at least 329', '46 days; at most 35']
    """
    rules = {CALTRACK: _caltrack, ENERGY_STAR: _energy_star}
    unknown = [name for name in consumers if name not in rules]
    if unknown:
        raise InvalidRequestError(f"{unknown[0]!r} is no consumer known here.", advice=f"Use {' or '.join(rules)}.")
    given = usage
    if isinstance(usage, Portfolio):
        usage = usage.usage
    require(
        usage,
        ("usage_id", "meter_id", "start_date", "end_date", "usage"),
        "The frame given to readiness",
        instead=PORTFOLIO,
    )
    usage = coded(usage, _KEYS)
    given = replace(given, usage=usage) if isinstance(given, Portfolio) else usage
    now = np.datetime64(today_number(today, given), "D").item()
    usage = count_periods(usage, Span.of(today=now))
    kept = counted(usage, "usage")
    missing = holes(given, today=today) if ENERGY_STAR in consumers else None
    records = _Records(usage, kept, missing, convention)
    every = ((name, found) for name in rules if name in consumers for found in rules[name](records))
    parts = [_table(records, name, *found) for name, found in every if len(found[1])]
    nothing = np.empty(0, dtype=np.int64)
    parts = parts or [_table(records, "", "", nothing, nothing, nothing, [], True)]
    result = pd.concat(parts, ignore_index=True)
    result = result.sort_values(["consumer", "meter_id", "start_date", "usage_id", "rule"], kind="stable")
    out = left_out(usage, kept, "does not count")
    return report(result.reset_index(drop=True), "readiness", out, convention=records.convention)


class _Records:
    """Usage records laid along time, series by series."""

    def __init__(
        self, usage: pd.DataFrame, kept: Truth, missing: pd.DataFrame | None, convention: Convention | None
    ) -> None:
        self.usage = usage
        self.holes = missing
        self.start, self.end = service_days(usage, "usage")
        self.series = np.where(kept, series_of(usage), -1)
        self.known = (self.series >= 0) & (self.start != MISSING_DAY) & (self.end >= self.start)
        self.values = numbers(usage, "usage", "usage")
        self.row: Neighbours = neighbours(
            np.where(self.known, self.series, -1), self.start, self.end, usage, "usage_id"
        )
        self.hauled, asked, self.electric = (
            has_word(usage, "commodity", words) for words in (HAULED, _CALTRACK_OF, ("ELECTRICITY",))
        )
        self.caltrack = asked | (factorize(usage, "commodity")[0] < 0)
        if convention is None:
            earlier, later = self.row.pairs()
            convention = fitting((self.start, self.end), earlier, later, self.hauled[later])
        self.convention = known_convention(convention)
        self.last = last_day(self.start, self.end, self.convention)
        self.size = int(self.series.max()) + 1 if len(usage) else 0


_Found = tuple[str, "Whole", "Whole", "Whole", "list[str]", bool]


def _table(
    records: _Records, consumer: str, rule: str, rows: Whole, start: Whole, end: Whole, why: list[str], whole: bool
) -> pd.DataFrame:
    """Write one rule's rejections down; `whole` ones are about the meter, not about the record."""
    taken = records.usage.iloc[rows]
    table = {
        "consumer": pd.Series([consumer] * len(rows), dtype=TEXT),
        "rule": pd.Series([rule] * len(rows), dtype=TEXT),
        **{name: text(taken, name).reset_index(drop=True) for name in ("site_id", "meter_id", "commodity", "usage_id")},
        "start_date": show_days(start),
        "end_date": show_days(end),
        "why": pd.Series(why, dtype=TEXT),
    }
    if whole:
        table["usage_id"] = pd.Series([None] * len(rows), dtype=TEXT)
    return pd.DataFrame(table)


def _each(records: _Records, rule: str, rows: Whole, why: Callable[[int], str]) -> _Found:
    return rule, rows, records.start[rows], records.end[rows], [why(row) for row in rows.tolist()], False


def _caltrack(records: _Records) -> Iterator[_Found]:
    periodic = records.known & records.caltrack
    missing = periodic & np.isnan(records.values)
    zero = periodic & records.electric & (records.values == 0)
    yield _each(records, "missing_usage", np.flatnonzero(missing), lambda row: "no usage")
    yield _each(records, "zero_electricity", np.flatnonzero(zero), lambda row: "0 of electricity counts as missing")
    begin, merged, lost = _merge_estimated(records, periodic)
    length = records.last - begin + 1
    limit = _limits(records, periodic, length)
    rejected = np.flatnonzero(lost)
    yield _each(records, "estimated", rejected, lambda row: "estimated, and no actual read follows")
    actual = periodic & ~flags(records.usage, "estimated", "usage", missing=False)
    too_long = actual & (length > np.where(merged, _BIMONTHLY, limit))
    rows = np.flatnonzero(too_long & merged)
    yield _each(
        records, "estimated", rows, lambda row: f"{length[row]} days with the estimated reads before it; at most 70"
    )
    rows = np.flatnonzero(too_long & ~merged)
    yield _each(records, "too_long", rows, lambda row: f"{length[row]} days; at most {limit[row]}")
    short = actual & (length < _SHORTEST)
    yield _each(records, "too_short", np.flatnonzero(short), lambda row: f"{length[row]} days; at least {_SHORTEST}")
    usable = actual & ~too_long & ~short & ~missing & ~zero
    yield from _baseline(records, periodic, usable, begin)


def _merge_estimated(records: _Records, periodic: Truth) -> tuple[Whole, Truth, Truth]:
    """Merge estimated reads into the next actual one.

    Returns where each record begins with the estimated ones before it, whether it has any, and which
    estimated records no actual one follows.
    """
    estimated = flags(records.usage, "estimated", "usage", missing=False)
    order = records.row.order[periodic[records.row.order]]
    begin, merged = records.start.copy(), np.zeros(len(records.start), dtype=bool)
    lost = np.zeros(len(records.start), dtype=bool)
    if not estimated[order].any():
        return begin, merged, lost
    codes, guess = records.series[order], estimated[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (codes[1:] != codes[:-1]) | ~guess[:-1]
    run = np.cumsum(fresh) - 1
    heads = np.flatnonzero(fresh)
    begin[order] = np.where(guess, records.start[order], records.start[order][heads][run])
    merged[order] = ~guess & ~fresh
    ends_actual = np.bincount(run, ~guess, len(heads)) > 0
    lost[order] = guess & ~ends_actual[run]
    return begin, merged, lost


def _limits(records: _Records, periodic: Truth, length: Whole) -> Whole:
    """Return the most days a period may have: 70 where a meter is billed every two months, else 35."""
    table = pd.DataFrame({"series": records.series[periodic], "days": (records.last - records.start + 1)[periodic]})
    usual = table.groupby("series")["days"].median().reindex(range(records.size)).to_numpy(dtype=np.float64)
    several = table.groupby("series")["days"].size().reindex(range(records.size), fill_value=0).to_numpy()
    every_two = np.append((usual > _MONTHLY) & (usual <= _BIMONTHLY) & (several > 1), False)
    return np.where(every_two[records.series], _BIMONTHLY, _MONTHLY).astype(np.int64)


def _baseline(records: _Records, periodic: Truth, usable: Truth, begin: Whole) -> Iterator[_Found]:
    """Ask each meter's last 365 days for 90 % of usable periods."""
    if not periodic.any():
        return
    last = np.full(records.size, MISSING_DAY)
    np.maximum.at(last, records.series[periodic], records.last[periodic])
    first_row = np.full(records.size, -1)
    order = records.row.order[periodic[records.row.order]][::-1]
    first_row[records.series[order]] = order
    series = np.flatnonzero(last != MISSING_DAY)
    window = last[np.maximum(records.series, 0)] - _BASELINE + 1
    rows = np.flatnonzero(usable)
    start = np.maximum(begin[rows], window[rows])
    covered = np.zeros(records.size, dtype=np.int64)
    inside = start <= records.last[rows]
    codes, first, until = without_repeats(records.series[rows][inside], start[inside], records.last[rows][inside])
    np.add.at(covered, codes, until - first + 1)
    thin = series[covered[series] < _LEAST]
    why = [
        f"usable periods cover {covered[code]} of the {_BASELINE} days to {day_text(last[code])}; at least {_LEAST}"
        for code in thin
    ]
    yield "baseline", first_row[thin], last[thin] - _BASELINE + 1, last[thin], why, True


def _energy_star(records: _Records) -> Iterator[_Found]:
    missing = np.flatnonzero(records.known & np.isnan(records.values))
    yield _each(records, "missing_usage", missing, lambda row: "no usage")
    earlier, later = records.row.pairs()
    periodic = ~records.hauled[later]
    earlier, later = earlier[periodic], later[periodic]
    shared = np.minimum(records.end[earlier], records.end[later]) - records.start[later] + 1
    yield _gaps(records)
    equal = (records.start[earlier] == records.start[later]) & (records.end[earlier] == records.end[later])
    double = (shared > 1) | ((shared == 1) & equal)
    names = text(records.usage, "usage_id").to_numpy(dtype=object)
    why = [
        f"{days} days are in record {names[row]} too"
        for days, row in zip(shared[double].tolist(), earlier[double].tolist(), strict=True)
    ]
    rows = later[double]
    yield "overlap", rows, records.start[rows], np.minimum(records.end[earlier][double], records.end[rows]), why, False
    yield from _full_year(records)


def _gaps(records: _Records) -> _Found:
    """Return the holes that lie between two records of their meter, each at the record that follows it."""
    nothing = np.empty(0, dtype=np.int64)
    if records.holes is None or not len(records.holes):
        return "gap", nothing, nothing, nothing, [], False
    found = records.holes[~records.holes["commodity"].isin(HAULED)]
    first, last = (found[name].to_numpy().astype("datetime64[D]").astype("int64") for name in ("first_day", "last_day"))
    meter, names = factorize(records.usage, "meter_id")
    of_hole = places_in(found["meter_id"], names, distinct=True)
    wanted = np.append(np.isin(np.arange(len(names)), of_hole), False)
    rows = np.flatnonzero(records.known & wanted[meter])
    after = beside(rows, meter[rows], records.start[rows], records.usage, of_hole, last, following=True)
    before = beside(rows, meter[rows], records.end[rows], records.usage, of_hole, first, following=False)
    kept = (after >= 0) & (before >= 0)
    why = [f"{b - a + 1} days without an entry" for a, b in zip(first[kept].tolist(), last[kept].tolist(), strict=True)]
    return "gap", after[kept], first[kept], last[kept], why, False


def _full_year(records: _Records) -> Iterator[_Found]:
    """Ask each meter for twelve full calendar months in a row."""
    told = records.known & ~records.hauled & ~np.isnan(records.values)
    rows = records.row.order[told[records.row.order]]
    if not len(rows):
        return
    start, end = records.start[rows], records.end[rows]
    used, code = np.unique(records.series[rows], return_inverse=True)
    first = int(month_of(start).min())
    width = int(month_of(end).max()) - first + 1
    months = np.arange(first, first + width)
    length = day_of_month(months + 1) - day_of_month(months)
    full = cover(code.astype(np.int64), start, end, (len(used), width), first).days == length
    run, best = np.zeros(len(used), dtype=np.int64), np.zeros(len(used), dtype=np.int64)
    for month in range(width):
        run = np.where(full[:, month], run + 1, 0)
        best = np.maximum(best, run)
    low, high = np.full(len(used), np.iinfo(np.int64).max), np.full(len(used), MISSING_DAY)
    np.minimum.at(low, code, start)
    np.maximum.at(high, code, end)
    place = np.full(len(used), -1)
    place[code[::-1]] = rows[::-1]
    short = np.flatnonzero(best < 12)
    why = [f"{best[code]} full calendar months in a row; a year is 12" for code in short]
    yield "year", place[short], low[short], high[short], why, True

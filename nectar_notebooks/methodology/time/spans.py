"""Service periods as whole numbers: days, months, neighbours in time and days covered, at array speed.

A day is the number of days since 1970-01-01, a month the number of months since then, an entity a number from
0. Both the first and the last day of a period count. The module decides nothing: completeness, issues and
readiness do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import days, numbers, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Whole: TypeAlias = npt.NDArray[np.int64]
    Truth: TypeAlias = npt.NDArray[np.bool_]

__all__ = [
    "MISSING_DAY",
    "Coverage",
    "Neighbours",
    "cover",
    "covered_together",
    "day_of_month",
    "days_in_months",
    "in_order",
    "month_of",
    "neighbours",
    "records_in_months",
    "service_days",
    "show_days",
    "without_repeats",
]

#: A day that is not known.
MISSING_DAY: Final = int(np.iinfo(np.int64).min)

#: More days than any calendar of four-digit years holds, so that one number holds an entity and a day.
_SPAN: Final = 1 << 23
_SHIFT: Final = 1 << 22
#: From so many numbers on a table of what the calendar says of them is shorter.
_MANY: Final = 1 << 12


def service_days(frame: pd.DataFrame, what: str) -> tuple[Whole, Whole]:
    """Return first and last day of every row; a missing end is the start, a missing start stays missing."""
    start = days(frame, "start_date", what).astype("int64")
    end = days(frame, "end_date", what).astype("int64")
    return start, np.where(end == MISSING_DAY, start, end)


def month_of(day: Whole) -> Whole:
    """Return the month each day lies in."""
    return _looked_up(day, lambda days_: days_.astype("datetime64[D]").astype("datetime64[M]").astype("int64"))


def day_of_month(month: Whole) -> Whole:
    """Return the first day of each month."""
    return _looked_up(month, lambda months: months.astype("datetime64[M]").astype("datetime64[D]").astype("int64"))


def _looked_up(values: Whole, call: Callable[[Whole], Whole]) -> Whole:
    """Return what a call makes of each number, asked once for each of a range that has fewer numbers than there are."""
    if len(values) < _MANY:
        return call(values)
    low, high = int(values.min()), int(values.max())
    if high - low >= len(values):
        return call(values)
    return call(np.arange(low, high + 1))[values - low]


def show_days(day: Whole) -> npt.NDArray[np.datetime64]:
    """Return days as the house stores dates (``datetime64[us]``, NaT for a missing one)."""
    return day.astype("datetime64[D]").astype("datetime64[us]")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Rows in the order of entity, start, end and a tie-breaking id, each with the one before it.

    `order` are row numbers; `before` is, for each place of the order, the place of the earlier row of the
    same entity that reaches furthest (-1 for an entity's first row).
    """

    order: Whole
    before: Whole

    def pairs(self) -> tuple[Whole, Whole]:
        """Return row numbers (earlier, later) of all neighbours."""
        later = np.flatnonzero(self.before >= 0)
        return self.order[self.before[later]], self.order[later]


def neighbours(entity: Whole, start: Whole, end: Whole, ties: pd.DataFrame, by: str) -> Neighbours:
    """Return `Neighbours` of rows with known days; equal periods follow the text in ``ties[by]``.

    Rows whose entity is negative or whose start is missing are left out.
    """
    rows = np.flatnonzero((entity >= 0) & (start != MISSING_DAY))
    length = end[rows] - start[rows]
    first = entity[rows] * _SPAN + start[rows] + _SHIFT
    order = in_order(first, lambda places: length[places])
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (first[order][1:] == first[order][:-1]) & (length[order][1:] == length[order][:-1])
    if same.any():
        order = _break_ties(order, same, text(ties, by).to_numpy(dtype=object)[rows])
    ordered = rows[order]
    codes = entity[ordered]
    reach = np.maximum.accumulate(codes * _SPAN + end[ordered] + _SHIFT)
    place = np.arange(len(ordered))
    fresh = np.ones(len(ordered), dtype=bool)
    fresh[1:] = reach[1:] > reach[:-1]
    holder = np.maximum.accumulate(np.where(fresh, place, 0))
    before = np.full(len(ordered), -1, dtype="int64")
    before[1:] = np.where(codes[1:] == codes[:-1], holder[:-1], -1)
    return Neighbours(ordered, before)


def in_order(key: Whole, ties: Callable[[Whole], npt.NDArray[np.generic]]) -> Whole:
    """Return the order of numbers; `ties` is asked by what equal ones are told apart, given their places."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(equal):
        tied = np.union1d(equal, equal + 1)
        places = order[tied]
        order[tied] = places[np.lexsort((ties(places), key[places]))]
    return order


def _break_ties(order: Whole, same: Truth, names: npt.NDArray[np.object_]) -> Whole:
    """Sort runs of equal periods by name, so that the order of the frame's rows does not matter."""
    run = np.cumsum(~same)
    tied = same.copy()
    tied[:-1] |= same[1:]
    places = np.flatnonzero(tied)
    keys = [str(name) for name in names[order[places]]]
    inner = sorted(range(len(places)), key=lambda place: (run[places[place]], keys[place]))
    result = order.copy()
    result[places] = order[places[inner]]
    return result


def without_repeats(entity: Whole, start: Whole, end: Whole) -> tuple[Whole, Whole, Whole]:
    """Return disjoint pieces (entity, start, end) that cover the same days: a day counts once an entity."""
    rows = np.flatnonzero((entity >= 0) & (start != MISSING_DAY) & (end >= start))
    order = rows[np.argsort(entity[rows] * _SPAN + start[rows] + _SHIFT, kind="stable")]
    codes, first, last = entity[order], start[order], end[order]
    reach = np.maximum.accumulate(codes * _SPAN + last + _SHIFT)
    earlier = np.where(codes[1:] == codes[:-1], reach[:-1] - codes[1:] * _SPAN - _SHIFT, MISSING_DAY)
    first = np.concatenate([first[:1], np.maximum(first[1:], earlier + 1)])
    kept = first <= last
    return codes[kept], first[kept], last[kept]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Days covered and records per entity (row) and month (column) of a window."""

    days: Whole
    records: Whole


def cover(entity: Whole, start: Whole, end: Whole, shape: tuple[int, int], first_month: int) -> Coverage:
    """Count the distinct days and the records that each entity has in each month of a window.

    `shape` is (entities, months); what lies outside of the window is cut off.
    """
    covered = days_in_months(*without_repeats(entity, start, end), shape, first_month)
    return Coverage(covered, records_in_months(entity, start, end, shape, first_month))


def days_in_months(entity: Whole, start: Whole, end: Whole, shape: tuple[int, int], first_month: int) -> Whole:
    """Count the days of each entity and month that disjoint pieces cover, as `without_repeats` makes them."""
    months = shape[1]
    window = day_of_month(np.arange(first_month, first_month + months + 1, dtype="int64"))
    code, first, last = _cut(entity, start, end, window)
    covered = _touched(code, first, last, shape, first_month) * np.diff(window)
    flat = covered.reshape(-1)
    head, tail = month_of(first) - first_month, month_of(last) - first_month
    # A piece counts all days of the months it touches so far: take away what lies before and after it.
    np.subtract.at(flat, code * months + head, first - window[head])
    np.subtract.at(flat, code * months + tail, window[tail + 1] - 1 - last)
    return covered


def records_in_months(entity: Whole, start: Whole, end: Whole, shape: tuple[int, int], first_month: int) -> Whole:
    """Count the records of each entity that touch each month."""
    window = day_of_month(np.arange(first_month, first_month + shape[1] + 1, dtype="int64"))
    rows = (entity >= 0) & (start != MISSING_DAY) & (end >= start)
    return _touched(*_cut(entity[rows], start[rows], end[rows], window), shape, first_month)


def covered_together(cell: Whole, month: Whole, monthly: pd.DataFrame, size: int) -> npt.NDArray[np.float64]:
    """Return the days that rows of `monthly` cover together, for each of `size` cells (an entity and month).

    Exact where a row covers its days from ``first_day`` to ``last_day`` without a hole; of rows with holes, or
    without these columns, the one that covers most says how many days there are at least.
    """
    covered = np.nan_to_num(numbers(monthly, "days_covered", "monthly"))
    most = np.zeros(size)
    np.maximum.at(most, cell, covered)
    several = (np.bincount(cell, minlength=size) > 1)[cell]
    if not several.any():
        return most
    if not several.all():
        cell, month, monthly, covered = cell[several], month[several], monthly[several], covered[several]
    length = np.zeros(size)
    length[cell] = day_of_month(month + 1) - day_of_month(month)
    first, last = (days(monthly, name, "monthly").astype(np.int64) for name in ("first_day", "last_day"))
    known = (first != MISSING_DAY) & (last != MISSING_DAY) & (covered > 0)
    unbroken = known & (np.where(known, last - first, 0) + 1 - covered <= 1)  # half a day at each end under midday
    entity, begin, end = without_repeats(np.where(unbroken, cell, -1), first, last)
    together = np.bincount(entity, end - begin + 1, size) if len(entity) else np.zeros(size)
    return np.maximum(most, np.minimum(together, np.minimum(np.bincount(cell, covered, size), length)))


def _cut(entity: Whole, start: Whole, end: Whole, window: Whole) -> tuple[Whole, Whole, Whole]:
    first, last = np.maximum(start, window[0]), np.minimum(end, window[-1] - 1)
    kept = first <= last
    return entity[kept], first[kept], last[kept]


def _touched(entity: Whole, start: Whole, end: Whole, shape: tuple[int, int], first_month: int) -> Whole:
    """Count, for every month, the periods that touch it, without making a row a month."""
    width = shape[1] + 1
    steps = np.bincount(entity * width + month_of(start) - first_month, minlength=shape[0] * width)
    steps -= np.bincount(entity * width + month_of(end) - first_month + 1, minlength=shape[0] * width)
    return np.asarray(np.cumsum(steps.reshape(shape[0], width), axis=1)[:, :-1], dtype=np.int64)

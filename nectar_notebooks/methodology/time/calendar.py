"""Service periods on the calendar: which days a period counts, how it falls into months, what it shares.

A period is kept in half days since 1970 (noon is the odd half), so that every convention is the same arithmetic on
integers and a clock change cannot move a kWh. `convention_of` is the one place that finds how records themselves count
days: whether a period ends on the day on which the next begins. `issues` tells it, `load_factor` and `readiness`
count by it. Records follow each other within one series: one meter, subtype, direction of net metering and exclusion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import choose, counted, factorize, flags, has_word
from nectar_notebooks.methodology.keys import expand
from nectar_notebooks.methodology.time.spans import MISSING_DAY, neighbours, service_days
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Truth, Whole


__all__ = [
    "CONVENTIONS",
    "SHARED_DAY",
    "Bins",
    "Convention",
    "Overlap",
    "Pieces",
    "SharedDay",
    "boundary_days",
    "convention_of",
    "fitting",
    "give_to_later",
    "half_days",
    "known_convention",
    "last_day",
    "overlap",
    "series_of",
]

Convention: TypeAlias = Literal["inclusive", "exclusive", "midday"]
SharedDay: TypeAlias = Literal["keep", "later"]
CONVENTIONS: Final = ("inclusive", "exclusive", "midday")
SHARED_DAY: Final = ("keep", "later")


def half_days(
    start: npt.NDArray[np.int64], end: npt.NDArray[np.int64], convention: Convention
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where periods begin and stop (not counted), in half days; an equal end is one whole day.

    `start` and `end` are days since 1970, the end not before the start.
    """
    one_day = start == end
    if convention == "inclusive":
        return 2 * start, 2 * end + 2
    noon = 1 if convention == "midday" else 0
    return np.where(one_day, 2 * start, 2 * start + noon), np.where(one_day, 2 * end + 2, 2 * end + noon)


def give_to_later(
    group: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return `stop`, a day earlier where a later period of the group begins on the last day."""
    last = stop - 2
    low, width = _window(begin, stop)
    begins = np.unique(group * width + (begin - low))
    wanted = group * width + (last - low)
    place = np.minimum(np.searchsorted(begins, wanted), len(begins) - 1)
    shared = (begins[place] == wanted) & (last > begin)
    return np.where(shared, last, stop)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Periods cut at the borders of bins: one piece per period and bin, a period's pieces side by side."""

    row: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]
    weight: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]


class Bins:
    """The months, or the days, that a set of periods touches, numbered from 0.

    Attributes
    ----------
    days : array of int64
        First day of each bin since 1970, and the day after the last bin.
    """

    def __init__(self, begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64], unit: Literal["M", "D"]) -> None:
        first = int(begin.min()) >> 1 if len(begin) else 0
        last = int(stop.max() - 1) >> 1 if len(stop) else 0
        low, high = (np.datetime64(day, "D").astype(f"datetime64[{unit}]") for day in (first, last))
        borders = np.arange(low, high + 2).astype("datetime64[D]")
        self.days: npt.NDArray[np.int64] = borders.astype(np.int64)
        self._bin_of_day = np.repeat(np.arange(len(self.days) - 1), np.diff(self.days))

    def __len__(self) -> int:
        return len(self.days) - 1

    def of_day(self, day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the bin of each day."""
        bins: npt.NDArray[np.int64] = self._bin_of_day[day - self.days[0]]
        return bins

    def cut(self, begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> Pieces:
        """Cut periods (half days) into pieces; a weight is a number of half days."""
        first, last = self.of_day(begin >> 1), self.of_day((stop - 1) >> 1)
        sizes = last - first + 1
        after = np.cumsum(sizes)
        place = after - sizes
        row, bins, weight = (np.empty(int(sizes.sum()), dtype=np.int64) for _ in range(3))
        row[place], bins[place] = np.arange(len(sizes)), first
        weight[place] = np.minimum(stop, 2 * self.days[first + 1]) - begin
        # most periods end in the bin after their first: what lies between is left to the few long ones
        two = np.flatnonzero(sizes > 1)
        ends = after[two] - 1
        row[ends], bins[ends] = two, last[two]
        weight[ends] = stop[two] - 2 * self.days[last[two]]
        if len(two) + len(sizes) < len(row):
            long = np.flatnonzero(sizes > 2)
            owner, inner = expand(place[long] + 1, sizes[long] - 2)
            row[inner] = long[owner]
            bins[inner] = inner - place[long][owner] + first[long][owner]
            weight[inner] = 2 * np.diff(self.days)[bins[inner]]
        return Pieces(row, bins, weight, sizes)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Stretches (half days) counted again, or counted at least twice, each with its group."""

    group: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]


def overlap(
    group: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]
) -> tuple[Overlap, Overlap]:
    """Return what periods of one group count again, and the distinct stretches counted more than once.

    The first are as long as all periods together less the days they cover; the second do not meet.
    """
    low, width = _window(begin, stop)
    key = group * width + (begin - low)
    if len(key) and (key[1:] < key[:-1]).any():
        order = np.argsort(key)
        group, begin, stop, key = group[order], begin[order], stop[order], key[order]
    reached = _reached(key + (stop - begin))
    again = np.flatnonzero(reached > key)
    begin_again = begin[again]
    stop_again = begin_again + np.minimum(stop[again] - begin_again, reached[again] - key[again])
    once = Overlap(group[again], begin_again, stop_again)
    twice_key = key[again]
    begin_twice = begin_again + np.maximum(_reached(twice_key + (stop_again - begin_again)) - twice_key, 0)
    longer = begin_twice < stop_again
    return once, Overlap(once.group[longer], begin_twice[longer], stop_again[longer])


def _window(begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the first half day and a width that keeps the groups' stretches apart on one axis."""
    if not len(begin):
        return 0, 1
    low = int(begin.min())
    return low, int(stop.max()) - low + 1


def _reached(ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how far the periods before each one reach, on the common axis."""
    reached = np.empty_like(ends)
    if len(ends):
        reached[0] = -1  # before everything on the axis
        np.maximum.accumulate(ends[:-1], out=reached[1:])
    return reached


def convention_of(usage: pd.DataFrame, asked: Convention | None = None) -> Convention:
    """Return the convention asked for, else the one that fits usage records.

    "exclusive" where more than half of the neighbouring periods share their boundary day, else "inclusive", also
    where the frame has no periods to tell it by.
    """
    if asked is not None:
        return known_convention(asked)
    if not {"meter_id", "start_date", "end_date"} <= set(usage.columns):
        return "inclusive"
    start, end = period = service_days(usage, "usage")
    known = counted(usage, "usage") & (start != MISSING_DAY) & (end >= start)
    series = np.where(known, series_of(usage), -1)
    ties = usage if "usage_id" in usage else usage.assign(usage_id=np.nan)
    earlier, later = neighbours(series, start, end, ties, "usage_id").pairs()
    hauled = has_word(usage, "commodity", HAULED)[later]
    return fitting(period, earlier, later, hauled)


def known_convention(asked: Convention) -> Convention:
    """Return a convention that is one, else raise `InvalidRequestError`."""
    choose("convention", asked, CONVENTIONS)
    return asked


def fitting(period: tuple[Whole, Whole], earlier: Whole, later: Whole, hauled: Truth) -> Convention:
    """Return the convention that fits neighbouring records, given as for `boundary_days`."""
    return "exclusive" if boundary_days(period, earlier, later, hauled)[1] else "inclusive"


def boundary_days(period: tuple[Whole, Whole], earlier: Whole, later: Whole, hauled: Truth) -> tuple[Truth, bool]:
    """Say which neighbouring records share their boundary day alone, and whether most do, so that it is the rule.

    `period` are first and last day of every record, `earlier` and `later` row numbers of neighbours, of which
    those that are `hauled` say nothing.
    """
    start, end = period
    equal = (start[earlier] == start[later]) & (end[earlier] == end[later])
    boundary: Truth = (end[earlier] == start[later]) & ~equal & ~hauled
    return boundary, int(boundary.sum()) * 2 > int((~hauled).sum())


def last_day(start: Whole, end: Whole, convention: Convention) -> Whole:
    """Return the day up to which a period has whole days by a convention, so that last - start + 1 is its length.

    A period of half days at both ends is as long as one that leaves out its last day; a day is never left out
    of a record of one day.
    """
    return end if convention == "inclusive" else np.where(end > start, end - 1, end)


def series_of(usage: pd.DataFrame) -> Whole:
    """Return the number of each record's series: one meter, subtype, direction and exclusion (-1: no meter)."""
    meter, _ = factorize(usage, "meter_id")
    total = meter.copy()
    for name in ("commodity", "subtype", "net_metering"):
        codes, values = factorize(usage, name)
        total = total * (len(values) + 1) + codes + 1
    total = total * 2 + flags(usage, "exclusion", "usage", missing=False)
    return np.where(meter < 0, -1, pd.factorize(total)[0]).astype(np.int64)

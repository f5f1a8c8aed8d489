"""Service periods on the calendar: which days a period counts, how it falls into months, what it shares.

A period is kept in half days since 1970 (noon is the odd half), so that every convention is the same
arithmetic on integers and a clock change cannot move a kWh. No usage, no cost and no name of a column
stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from nectar_notebooks.methodology.keys import expand

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "CONVENTIONS",
    "SHARED_DAY",
    "Bins",
    "Convention",
    "Overlap",
    "Pieces",
    "SharedDay",
    "give_to_later",
    "half_days",
    "overlap",
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

"""Spikes, falls and changes of regime in monthly series, against the same season's earlier months.

Arithmetic on a matrix of series (rows) by months (columns) alone; what a series is, and how a finding reads,
is for `anomalies`. `find_spikes` is Nectar's rule, upward only; `find_falls` is ours. What stands out is not
part of the baseline while it lasts; once it has lasted for `regime_months` it is a change of regime, listed
once at its first month, and the baseline starts anew there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Matrix: TypeAlias = npt.NDArray[np.float64]
    Truth: TypeAlias = npt.NDArray[np.bool_]
    Whole: TypeAlias = npt.NDArray[np.int64]

__all__ = ["HEATING", "Falls", "Spikes", "find_falls", "find_spikes"]

#: Months (1..12) of the heating season; the others are the cooling season.
HEATING: Final = (10, 11, 12, 1, 2, 3)
_WINDOW: Final = 24
#: A baseline is steady when its lowest month is at least half of its mean, and the last read three quarters of it.
_STEADY, _LAST = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class Spikes:
    """What stands out: `spike` and `regime` (at its first month) per series and month, with the baseline."""

    spike: Truth
    regime: Truth
    baseline: Matrix
    months: Whole


def find_spikes(
    values: Matrix, members: Whole, first_month: int, *, rise: float, least: int, regime_months: int
) -> Spikes:
    """Compare every month with the mean of its season's earlier months of at most two years.

    Parameters
    ----------
    values : matrix
        Series by consecutive months, NaN where there is nothing.
    members : matrix of int64
        How many meters each value is the sum of: months with fewer are no baseline for it, so that one more
        meter is no spike.
    first_month : int
        Months since 1970-01 of the first column.
    rise : float
        A month is a spike when it is more than this share above its baseline.
    least : int
        Months a baseline needs.
    regime_months : int
        Consecutive spikes that make a change of regime.
    """
    series, width = values.shape
    spike, regime = np.zeros(values.shape, dtype=bool), np.zeros(values.shape, dtype=bool)
    baseline, months = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=np.int64)
    heating = np.isin((first_month + np.arange(width)) % 12 + 1, HEATING)
    since, run = np.zeros(series, dtype=np.int64), np.zeros(series, dtype=np.int64)
    for month in range(width):
        low = max(0, month - _WINDOW)
        past = np.arange(low, month)[heating[low:month] == heating[month]]
        before = values[:, past]
        usable = (past >= since[:, None]) & (past < (month - run)[:, None]) & ~np.isnan(before)
        usable &= members[:, past] >= members[:, month, None]
        count = usable.sum(axis=1)
        total = np.where(usable, before, 0.0).sum(axis=1)
        mean = np.divide(total, count, out=np.full(series, np.nan), where=count > 0)
        here = (count >= least) & (mean > 0) & (values[:, month] > mean * (1 + rise))
        spike[:, month], baseline[:, month], months[:, month] = here, mean, count
        run = np.where(here, run + 1, 0)
        lasting = np.flatnonzero(run == regime_months)
        if len(lasting):
            start = month - regime_months + 1
            spike[lasting, start : month + 1] = False
            regime[lasting, start] = True
            since[lasting], run[lasting] = start, 0
    return Spikes(spike, regime, baseline, months)


@dataclass(frozen=True, slots=True)
class Falls:
    """What falls, per series and month: low reads, changes of regime, catch-ups, and what they are measured by."""

    low: Truth
    regime: Truth
    catch_up: Truth
    baseline: Matrix
    months: Whole


def find_falls(values: Matrix, first_month: int, *, fall: float, rise: float, least: int, regime_months: int) -> Falls:
    """Find reads that collapse below what their series has known, and the catch-up after them.

    A month is low when it is more than `fall` below the mean of its season's earlier months of at most two
    years, and as far below the same month (one month either way) of other years: a low that the series has
    known before, or that comes back next year, is its habit. Where no other year is known it must be as far
    below each month of the baseline, and these be steady, so that the end of a first heating season is no
    fall. `regime_months` low reads in a row are a change of regime, told once at the first. The first read
    after low ones that is more than `rise` above its baseline, and above its month in other years, is their
    catch-up. Months without a value neither break nor lengthen a run.

    `values` are not negative, NaN where there is nothing or nothing to judge; the others as in `find_spikes`.
    """
    low, regime, catch_up = (np.zeros(values.shape, dtype=bool) for _ in range(3))
    baseline, months = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=np.int64)
    share = 1 - fall
    rows = _falling(values, first_month, share, least)
    if not len(rows):
        return Falls(low, regime, catch_up, baseline, months)
    found = _Walk(values[rows], first_month, share, rise, least, regime_months)
    low[rows], regime[rows], catch_up[rows] = found.low, found.regime, found.catch_up
    baseline[rows], months[rows] = found.baseline, found.count
    return Falls(low, regime, catch_up, baseline, months)


def _falling(values: Matrix, first_month: int, share: float, least: int) -> Whole:
    """Return the series that may have a fall: the first of a series meets what is asked here, of known values alone."""
    size, width = values.shape
    before, after = np.full(values.shape, np.inf), np.full(values.shape, np.inf)
    for shift in (11, 12, 13, 23, 24, 25):
        if shift < width:
            before[:, shift:] = np.fmin(before[:, shift:], values[:, :-shift])
            after[:, :-shift] = np.fmin(after[:, :-shift], values[:, shift:])
    lone = np.isinf(before)
    fallen = np.where(lone, False, values < share * before) | (lone & ~np.isinf(after) & (values < share * after))
    found = fallen.any(axis=1)
    recent = {season: [np.full(size, -np.inf) for _ in range(max(least, 1))] for season in (True, False)}
    for month in range(width):
        last = recent[(first_month + month) % 12 + 1 in HEATING]
        now = values[:, month]
        found |= lone[:, month] & (now < share * np.minimum.reduce(last))
        seen = ~np.isnan(now)
        for place in range(len(last) - 1):
            last[place] = np.where(seen, last[place + 1], last[place])
        last[-1] = np.where(seen, now, last[-1])
    return np.flatnonzero(found)


class _Walk:
    """One walk along the months of series that have a low month."""

    def __init__(
        self, values: Matrix, first_month: int, share: float, rise: float, least: int, regime_months: int
    ) -> None:
        self.values, self.share = values, share
        size, width = values.shape
        self.low, self.regime, self.catch_up = (np.zeros(values.shape, dtype=bool) for _ in range(3))
        self.baseline, self.count = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=np.int64)
        heating = np.isin((first_month + np.arange(width)) % 12 + 1, HEATING)
        since, run, head = (np.zeros(size, dtype=np.int64) for _ in range(3))
        level, usual, last = np.full(size, np.nan), np.zeros(size, dtype=np.int64), np.full(size, np.nan)
        down, changed = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        for month in range(width):
            now = values[:, month]
            here = ~np.isnan(now)
            count, mean, lowest = self._past(month, heating, since)
            known = (count >= least) & (mean > 0)
            falls = here & known & (now < share * mean)
            place = np.flatnonzero(falls)
            falls[place] = self._unknown_before(place, month, mean[place], lowest[place], last[place])
            # while reads stay low a season without a baseline of its own is measured by the one they fell from
            falls |= here & ~known & (run > 0) & (now < share * level)
            mean, count = np.where(known, mean, level), np.where(known, count, usual)
            mean = np.where(down & changed, level, mean)
            self.baseline[:, month], self.count[:, month] = mean, count
            back = here & ~falls & down & ~(now < share * level)
            self.catch_up[:, month] = back & (now > (1 + rise) * np.fmax(mean, self._same_month(month)))
            since[back & changed] = month
            down[back], changed[back] = False, False
            starts = falls & (run == 0)
            head[starts] = month
            fresh = starts & ~down
            level[fresh], usual[fresh], down[fresh] = mean[fresh], count[fresh], True
            run = np.where(falls, run + 1, np.where(here, 0, run))
            self.low[:, month] = falls
            lasting = np.flatnonzero(run == regime_months)
            if len(lasting):
                columns = np.arange(width)
                spell = (columns >= head[lasting, None]) & (columns <= month)
                self.low[lasting] &= ~spell
                self.regime[lasting, head[lasting]] = True
                since[lasting], run[lasting], changed[lasting] = head[lasting], 0, True
            last = np.where(here & ~falls & ~self.catch_up[:, month], now, last)

    def _past(self, month: int, heating: Truth, since: Whole) -> tuple[Whole, Matrix, Matrix]:
        """Return number, mean and lowest of the season's earlier months that are usual."""
        first = max(0, month - _WINDOW)
        past = np.arange(first, month)[heating[first:month] == heating[month]]
        values = self.values[:, past]
        usable = ~np.isnan(values) & (past >= since[:, None]) & ~self.low[:, past] & ~self.catch_up[:, past]
        count = usable.sum(axis=1)
        total = np.where(usable, values, 0.0).sum(axis=1)
        mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return count, mean, np.where(usable, values, np.inf).min(axis=1, initial=np.inf)

    def _unknown_before(self, rows: Whole, month: int, mean: Matrix, lowest: Matrix, last: Matrix) -> Truth:
        """Say of which rows a low month is no habit: other years do not know it, or the series is steady."""
        values, width = self.values, self.values.shape[1]
        other = np.full(len(rows), np.inf)
        for years in (-2, -1, 1, 2):
            near = month + 12 * years + np.arange(-1, 2)
            near = near[(near >= 0) & (near < width)]
            if not len(near):
                continue
            odd = self.low[np.ix_(rows, near)] | self.catch_up[np.ix_(rows, near)]
            least = np.where(odd, np.nan, values[np.ix_(rows, near)])
            least = np.where(np.isnan(least), np.inf, least).min(axis=1)
            if years > 0:  # a fall that lasts is no habit: the series must have come back in between
                between = values[np.ix_(rows, np.arange(month + 1, min(month + 11, width)))]
                top = np.where(np.isnan(between), -np.inf, between).max(axis=1, initial=-np.inf)
                least = np.where(top >= self.share * mean, least, np.inf)
            other = np.minimum(other, least)
        now = values[rows, month]
        steady = (lowest >= _STEADY * mean) & (last >= _LAST * mean) & (now < self.share * lowest)
        found: Truth = np.where(np.isinf(other), steady, now < self.share * other)
        return found

    def _same_month(self, month: int) -> Matrix:
        """Return the highest value of the month in other years; NaN where none is known."""
        others = [place for place in range(month % 12, self.values.shape[1], 12) if place != month]
        return np.asarray(np.fmax.reduce(self.values[:, others], axis=1, initial=np.nan))

"""Spikes and changes of regime in monthly series, against the same season's earlier months.

Arithmetic on a matrix of series (rows) by months (columns) alone; what a series is, and how a finding reads,
is for `anomalies`. Upward only. A spike is not part of the baseline while it lasts; once it has lasted for
`regime_months` it is a change of regime, listed once at its first month, and the baseline starts anew there.
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

__all__ = ["HEATING", "Spikes", "find_spikes"]

#: Months (1..12) of the heating season; the others are the cooling season.
HEATING: Final = (10, 11, 12, 1, 2, 3)
_WINDOW: Final = 24


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
        past = np.arange(low, month)
        usable = (heating[low:month] == heating[month]) & (past >= since[:, None])
        usable &= members[:, low:month] >= members[:, month, None]
        usable &= (past < (month - run)[:, None]) & ~np.isnan(values[:, low:month])
        count = usable.sum(axis=1)
        total = np.where(usable, values[:, low:month], 0.0).sum(axis=1)
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

"""The engine under `calendarize`, `daily` and `explain`: records cut into pieces, and summed into cells.

A cell is one series (meter, site, commodity, subtype, unit, currency) in one bin (a month or a day). The
public meaning of the columns stands in `calendarize`; how records are read, in `records`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.keys import map_columns
from nectar_notebooks.methodology.time.calendar import Bins, Overlap, overlap
from nectar_notebooks.methodology.time.records import KEYS, Records

if TYPE_CHECKING:
    import numpy.typing as npt
    from pandas.api.extensions import ExtensionArray

__all__ = ["Cells", "pieces"]


def pieces(records: Records) -> pd.DataFrame:
    """Return each record's piece in each month, as `calendarize` sums them.

    `row` (place in the frame that was read), `month`, `days` (of it), `of_days` (of the whole period),
    `usage` and `cost` (of the piece).
    """
    bins = Bins(records.begin, records.stop, "M")
    cut = bins.cut(records.begin, records.stop)
    whole = (records.stop - records.begin)[cut.row]
    cost = money.from_units(
        money.apportion(records.units, cut.weight, cut.sizes) if len(cut.row) else cut.row, records.places[cut.row]
    )
    return pd.DataFrame(
        {
            "row": records.row[cut.row],
            "month": _dates(bins.days[cut.bin]),
            "days": cut.weight / 2,
            "of_days": whole / 2,
            "usage": records.usage[cut.row] * cut.weight / whole,
            "cost": np.where(np.isnan(records.cost)[cut.row], np.nan, cost),
        }
    )


class Cells:
    """Records cut at the borders of months or days, and their sums by series and bin, in sorted order."""

    def __init__(self, records: Records, unit: Literal["M", "D"]) -> None:
        self._records = records
        self._bins = Bins(records.begin, records.stop, unit)
        self._pieces = self._bins.cut(records.begin, records.stop)
        self._wide = len(self._bins)
        key = self._key(records.group[self._pieces.row], self._pieces.bin)
        size = len(records.keys) * self._wide
        self._place: npt.NDArray[np.int64] | None = None
        if size <= 4 * len(key) + 1_000_000:
            self._ids = np.flatnonzero(np.bincount(key, minlength=size))
            self._place = np.zeros(size, dtype=np.int64)
            self._place[self._ids] = np.arange(len(self._ids))
            self._cell = self._place[key]
        else:  # few records far apart: a dense grid would be mostly holes
            self._ids, self._cell = np.unique(key, return_inverse=True)

    def _key(self, group: npt.NDArray[np.int64], bins: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return group * self._wide + bins

    def _find(self, key: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.searchsorted(self._ids, key) if self._place is None else self._place[key]

    def _sum(
        self,
        cell: npt.NDArray[np.int64],
        values: npt.NDArray[np.int64] | npt.NDArray[np.float64] | None = None,
    ) -> npt.NDArray[np.float64]:
        return np.bincount(cell, weights=values, minlength=len(self._ids)).astype(np.float64)

    def keys(self, *, categorical: bool = False) -> dict[str, ExtensionArray]:
        """Return each cell's text keys."""
        group = self._ids // self._wide
        if not categorical:
            keys = self._records.keys
            taken = map_columns(lambda name: keys[name].array.take(group), KEYS, len(group))
            return dict(zip(KEYS, taken, strict=True))
        columns: dict[str, ExtensionArray] = {}
        for name in KEYS:
            values = self._records.keys[name].astype("category").array
            columns[name] = pd.Categorical.from_codes(values.codes[group], dtype=values.dtype)
        return columns

    def bin_start(self) -> npt.NDArray[np.datetime64]:
        """Return the first day of each cell's bin."""
        return _dates(self._bins.days[self._ids % self._wide])

    def bin_length(self) -> npt.NDArray[np.int64]:
        """Return the days in each cell's bin."""
        return np.diff(self._bins.days)[self._ids % self._wide]

    def usage(self) -> npt.NDArray[np.float64]:
        """Return each cell's usage, missing where no record of it is known."""
        return self._spread(self._records.usage)

    def beside(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return each cell's generated and exported energy, where the records say which way it flows."""
        flows = self._records.flows
        if flows is None:
            return {}
        return {"generated": self._spread(flows.generated), "exported": self._spread(flows.exported)}

    def _spread(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        records, row = self._records, self._pieces.row
        if np.isnan(values).all():
            return np.full(len(self._ids), np.nan)
        parts = values[row] * self._pieces.weight / (records.stop - records.begin)[row]
        missing = np.isnan(parts)
        if not missing.any():
            return self._sum(self._cell, parts)
        known = ~missing
        return np.where(self._sum(self._cell[known]) > 0, self._sum(self._cell[known], parts[known]), np.nan)

    def cost(self) -> npt.NDArray[np.float64]:
        """Return each cell's cost, exact; missing where no record of it is known."""
        records, row = self._records, self._pieces.row
        known = ~np.isnan(records.cost)
        if not known.any():
            return np.full(len(self._ids), np.nan)
        parts = money.apportion(records.units, self._pieces.weight, self._pieces.sizes)
        if (records.places < money.FINEST).any():
            parts *= (10 ** (money.FINEST - records.places))[row]
        total = np.zeros(len(self._ids), dtype=np.int64)
        np.add.at(total, self._cell, parts)
        out = money.from_units(total, money.FINEST)
        return out if known.all() else np.where(self._sum(self._cell[known[row]]) > 0, out, np.nan)

    def cover(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return each cell's distinct days covered, and distinct days covered more than once."""
        group, begin, stop = self._covering()
        if len(group) == len(self._records.group):
            covered = self._half_days
        else:
            cut = self._bins.cut(begin, stop)
            covered = self._sum(self._find(self._key(group[cut.row], cut.bin)), cut.weight)
        again, twice = overlap(group, begin, stop)
        stretches = [again, twice]
        lane = self._records.lane
        if lane is not self._records.group:  # what flows both ways on one day is no day counted twice
            twice = overlap(lane[self._records.known], begin, stop)[1]
            twice = Overlap(twice.group // 3, twice.begin, twice.stop)
            stretches = [again, twice, overlap(twice.group, twice.begin, twice.stop)[0]]  # both ways doubled: once
        sums = []
        for stretch in stretches:
            cut = self._bins.cut(stretch.begin, stretch.stop)
            sums.append(self._sum(self._find(self._key(stretch.group[cut.row], cut.bin)), cut.weight))
        spread = ~self._records.spot[self._ids // self._wide]
        return (covered - sums[0]) / 2, (sums[1] - sum(sums[2:])) * spread / 2

    def span(self) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
        """Return each cell's first and last day covered."""
        group, begin, stop = self._covering()
        if len(group) == len(self._records.group):
            cut, cell = self._pieces, self._cell
        else:
            cut = self._bins.cut(begin, stop)
            cell = self._find(self._key(group[cut.row], cut.bin))
        first = np.full(len(self._ids), np.iinfo(np.int64).max)
        last = np.full(len(self._ids), np.iinfo(np.int64).min)
        np.minimum.at(first, cell, np.maximum(begin[cut.row] >> 1, self._bins.days[cut.bin]))
        np.maximum.at(last, cell, np.minimum((stop[cut.row] - 1) >> 1, self._bins.days[cut.bin + 1] - 1))
        empty = first > last
        return _dates(first, empty), _dates(last, empty)

    def _covering(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return group and period of what covers days: known records, an attributed bill's period once."""
        records = self._records
        chosen = records.known
        if records.attributed:
            bill = np.arange(len(chosen)) if records.bill is None else records.bill
            rows = pd.DataFrame({0: records.group, 1: bill, 2: records.begin, 3: records.stop})[chosen]
            chosen = np.flatnonzero(chosen)[~rows.duplicated().to_numpy()]
        elif chosen.all():
            return records.group, records.begin, records.stop
        return records.group[chosen], records.begin[chosen], records.stop[chosen]

    def estimated_share(self) -> npt.NDArray[np.float64]:
        """Return the share of each cell's days that is estimated, missing where no record says."""
        said = self._half_days_of(self._records.estimated_known)
        estimated = self._half_days_of(self._records.estimated)
        return np.divide(estimated, said, out=np.full_like(said, np.nan), where=said > 0)

    @cached_property
    def _half_days(self) -> npt.NDArray[np.float64]:
        """The half days of all records in each cell."""
        return self._sum(self._cell, self._pieces.weight)

    def _half_days_of(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        if chosen.all():
            return self._half_days
        if not chosen.any():
            return np.zeros(len(self._ids))
        piece = np.flatnonzero(chosen[self._pieces.row])
        return self._sum(self._cell[piece], self._pieces.weight[piece])

    def bills(self) -> npt.NDArray[np.int64]:
        """Return each cell's number of distinct bills."""
        records, row = self._records, self._pieces.row
        if records.bill is None:
            return np.bincount(self._cell, minlength=len(self._ids))
        several = pd.Series(records.group * (int(records.bill.max(initial=0)) + 1) + records.bill).duplicated(
            keep=False
        )
        again = several.to_numpy()[row]
        pairs = pd.DataFrame({"cell": self._cell[again], "bill": records.bill[row[again]]}).drop_duplicates()
        cells = np.concatenate([self._cell[~again], pairs["cell"].to_numpy()])
        return np.bincount(cells, minlength=len(self._ids))


def _dates(day: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.datetime64]:
    """Return days since 1970 as the dates of a frame."""
    dates = (day if missing is None else np.where(missing, 0, day)).astype("datetime64[D]").astype("datetime64[us]")
    if missing is not None and missing.any():
        dates[missing] = np.datetime64("NaT")
    return dates

"""The meters on each bill: where they stand, what they used, in integers that can be compared and summed.

`Roster` is made once from usage records and meters and answers which meters a line item may charge. Usage is
turned into one unit per bill and commodity and into integers, so that shares do not depend on the order of
rows. Which rule applies to which line item stands in `charges`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import units
from nectar_notebooks.methodology.counting import counted_but_for_period
from nectar_notebooks.methodology.frames import TEXT, days, left_out, numbers, text
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.net_metering import directions
from nectar_notebooks.methodology.time.spans import MISSING_DAY

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.schema.periods import Span

    Ints = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["MIXED", "Meters", "Records", "Roster", "read_meters", "read_records"]

#: No date, as the number of a day.
#: Significant digits kept of a usage that is no short decimal, such as a converted one.
_DIGITS: Final = 12
#: The scale of a meter whose own records on a bill cannot be compared.
MIXED: Final = -2


@dataclass(frozen=True, slots=True)
class Meters:
    """Every meter that can be charged, sorted by id, with codes for its account and commodity (-1: unknown)."""

    about: pd.DataFrame  # meter_id, site_id, commodity, subtype, account_id, net_metering
    account: Ints
    commodity: Ints
    subtype: Ints
    accounts: pd.Series
    commodities: list[str]
    subtypes: list[str]


@dataclass(frozen=True, slots=True)
class Records:
    """Usage records with a meter and a bill, sorted by bill and meter; `weight` in one unit per pool."""

    row: Ints  # place in the usage frame given
    bill: Ints
    meter: Ints
    unit: Ints
    weight: Ints
    known: Flags
    scale: Ints  # the unit of weight
    places: Ints  # the decimals of it that weight counts
    imports: Flags
    start: Ints
    end: Ints


def read_meters(usage: pd.DataFrame, meters: pd.DataFrame, named: pd.Series) -> Meters:
    """Return the meters of the table, of the usage records and those that line items name (`named`)."""
    names = ("meter_id", "site_id", "commodity", "subtype", "account_id", "net_metering")
    # of several answers the first in the alphabet: never the first in the order of rows
    # an index may be called as a column is
    known = pd.DataFrame({name: text(meters, name) for name in names}).reset_index(drop=True)
    known = known[known["meter_id"].notna()]
    if known["meter_id"].duplicated().any():
        known = known.sort_values(list(names), kind="stable").drop_duplicates("meter_id")
    asked = [name for name in names[1:-1] if name in usage.columns]
    whole = np.append(known[asked].notna().all(axis=1).to_numpy(dtype=bool), False)
    used = text(usage, "meter_id")
    silent = ~whole[places_in(used, known["meter_id"])] & used.notna().to_numpy()  # the table does not say all of it
    if not silent.any() and named.dropna().isin(known["meter_id"]).all():
        return _coded(known.sort_values("meter_id", ignore_index=True))
    seen = pd.DataFrame({name: text(usage, name)[silent] for name in names if name != "net_metering"})
    seen = seen.reset_index(drop=True)
    seen["net_metering"] = pd.Series(np.nan, seen.index, dtype=TEXT)
    seen = seen[~seen.duplicated()].sort_values(list(names), kind="stable").drop_duplicates("meter_id")
    named = named.dropna().drop_duplicates()
    ids = pd.Index(pd.concat([known["meter_id"], seen["meter_id"], named], ignore_index=True).unique()).sort_values()
    known, seen = known.set_index("meter_id").reindex(ids), seen.set_index("meter_id").reindex(ids)
    return _coded(known.fillna(seen).rename_axis("meter_id").reset_index())


def _coded(about: pd.DataFrame) -> Meters:
    """Return meters, sorted by id, with their codes."""
    account, accounts = pd.factorize(about["account_id"], sort=True)
    commodity, commodities = pd.factorize(about["commodity"], sort=True)
    subtype, subtypes = pd.factorize(about["subtype"], sort=True)
    return Meters(
        about,
        account.astype(np.int64),
        commodity.astype(np.int64),
        subtype.astype(np.int64),
        pd.Series(accounts, dtype=TEXT),
        [str(name) for name in commodities],
        [str(name) for name in subtypes],
    )


def read_records(
    usage: pd.DataFrame, bill: Ints, meters: Meters, span: Span
) -> tuple[Records, pd.Series, dict[str, int]]:
    """Return the usage records that can be charged for, their units' names, and how many were left out.

    `bill` is each row's bill (-1 for none that matters here). A record whose period cannot be is no usage of a month,
    and shows all the same that its meter is on the bill.
    """
    kept = counted_but_for_period(usage, "usage")
    out = left_out(usage, kept, "does not count")
    meter = places_in(text(usage, "meter_id"), meters.about["meter_id"])
    value = numbers(usage, "usage", "usage")
    flow = text(usage, "net_metering").fillna(meters.about["net_metering"].reindex(meter).set_axis(usage.index))
    first, last = days(usage, "start_date", "usage"), days(usage, "end_date", "usage")
    last = np.where(np.isnat(last), first, last)
    possible = span.holds(first, last)  # else the bill's period stands in
    start, end = (np.where(possible, day.astype(np.int64), MISSING_DAY) for day in (first, last))
    row = np.flatnonzero(kept & (meter >= 0) & (bill >= 0))
    row = row[np.argsort(bill[row] * (len(meters.about) + 1) + meter[row], kind="stable")]
    unit, names = pd.factorize(text(usage, "unit"), sort=True)
    unit = unit[row].astype(np.int64)
    weight, scale, places = _weights(unit, names, value[row], bill[row], meter[row], meters)
    return Records(
        row, bill[row], meter[row], unit, weight, ~np.isnan(value[row]), scale, places,
        ~directions(flow.to_frame("net_metering"))[0][row], start[row], end[row],
    ), pd.Series(names, dtype=TEXT), out  # fmt: skip


def _weights(
    unit: Ints, names: pd.Index[str], value: npt.NDArray[np.float64], bill: Ints, meter: Ints, meters: Meters
) -> tuple[Ints, Ints, Ints]:
    """Return usage as integers, of which unit and of how many decimals of it.

    Records of one bill, commodity and unit can be compared.
    """
    value, scale = np.nan_to_num(value), unit.copy()
    commodity = meters.commodity[meter]
    pool = bill * (len(meters.commodities) + 1) + commodity + 1
    _, pool = np.unique(pool, return_inverse=True)
    number = int(pool.max(initial=-1)) + 1
    one = np.zeros(number, dtype=np.int64)
    one[pool] = unit
    several = np.zeros(number, dtype=bool)
    several[pool[unit != one[pool]]] = True
    for group in np.flatnonzero(several).tolist():  # rare: one bill, one commodity, several units
        rows = np.flatnonzero(pool == group)
        kind = None if commodity[rows[0]] < 0 else meters.commodities[commodity[rows[0]]]
        _to_one_unit(value, scale, rows, names, kind)
    places = _places(value, pool, number)
    return np.rint(value * 10.0**places).astype(np.int64), scale, places


def _to_one_unit(
    value: npt.NDArray[np.float64], scale: Ints, rows: Ints, names: pd.Index[str], commodity: str | None
) -> None:
    """Turn each row's usage into the first unit of the rows that it converts to, in place."""
    present = np.unique(scale[rows])
    for own in present[present >= 0].tolist():
        chosen = rows[scale[rows] == own]
        for wanted in present[(present >= 0) & (present < own)].tolist():
            if units.why_not(str(names[own]), str(names[wanted]), commodity) is None:
                value[chosen] *= units.factor(str(names[own]), str(names[wanted]), commodity)
                scale[chosen] = wanted
                break


def _places(value: npt.NDArray[np.float64], pool: Ints, number: int) -> Ints:
    """Return the finest decimal of each value's pool, or the one of `_DIGITS` significant digits."""
    largest = np.zeros(number)
    np.maximum.at(largest, pool, np.abs(value))
    most = _DIGITS - 1 - np.floor(np.log10(np.where(largest > 0, largest, 1.0))).astype(np.int64)
    places = np.zeros(len(value), dtype=np.int64)
    rows = np.arange(len(value))
    while len(rows):
        scaled = value[rows] * 10.0 ** places[rows]
        off = np.abs(scaled - np.rint(scaled)) > 1e-9 * np.abs(scaled)
        rows = rows[off & (places[rows] < most[pool[rows]])]
        places[rows] += 1
    finest = np.zeros(number, dtype=np.int64)
    np.maximum.at(finest, pool, places)
    return finest[pool]


class Roster:
    """One row per bill and meter with usage on it, sorted; made from records."""

    def __init__(self, records: Records, meters: Meters, unit_kinds: Ints, bills: int) -> None:
        self._wide = len(meters.about) + 1
        key = records.bill * self._wide + records.meter
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.empty(0, np.int64)
        imports = records.imports
        self.bill, self.meter = records.bill[first], records.meter[first]
        self._key = key[first]
        self.imports = _any(imports, first)
        own = np.repeat(np.arange(len(first)), _lengths(first, len(key)))
        counts = np.where(self.imports[own], imports, True)
        self.weight = np.abs(_add(np.where(counts, records.weight, 0), first))
        self.known = ~_any(counts & ~records.known, first)
        scale = np.where(counts, records.scale, MIXED)
        self.scale = np.maximum.reduceat(scale, first) if len(first) else first
        self.scale = np.where(_any(counts & (scale != self.scale[own]), first), MIXED, self.scale)
        self.places = records.places[first]
        self.unit = np.minimum.reduceat(records.unit, first) if len(first) else first
        self.kind = np.append(unit_kinds, -1)[self.unit]
        self.start = np.minimum.reduceat(_late(records.start), first) if len(first) else first
        self.start = np.where(self.start == np.iinfo(np.int64).max, MISSING_DAY, self.start)
        self.end = np.maximum.reduceat(records.end, first) if len(first) else first
        self.count = np.bincount(self.bill, minlength=bills)
        self.first = np.cumsum(self.count) - self.count

    def find(self, bill: Ints, meter: Ints) -> Ints:
        """Return the row of each bill and meter (-1 where the meter is not on the bill)."""
        wanted = bill * self._wide + meter
        if not len(self._key):
            return np.full(len(wanted), -1)
        place = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        return np.where(self._key[place] == wanted, place, -1)


def _lengths(first: Ints, total: int) -> Ints:
    return np.diff(np.append(first, total))


def _any(values: Flags, first: Ints) -> Flags:
    return np.logical_or.reduceat(values, first) if len(first) else np.zeros(0, dtype=bool)


def _add(values: Ints, first: Ints) -> Ints:
    return np.add.reduceat(values, first) if len(first) else np.zeros(0, dtype=np.int64)


def _late(start: Ints) -> Ints:
    return np.where(start == MISSING_DAY, np.iinfo(np.int64).max, start)

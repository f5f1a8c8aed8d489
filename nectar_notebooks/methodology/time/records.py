"""Usage records, or attributed charges, as the arrays that are spread over the calendar.

Here a frame is checked and read once: what counts, which series a row belongs to, which half days it covers,
what it costs in integers. Nothing is spread here: see `spreading`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.counting import count_periods, span_of
from nectar_notebooks.methodology.frames import counted, days, flags, left_out, numbers, require, text
from nectar_notebooks.methodology.keys import both, group_keys
from nectar_notebooks.methodology.net_metering import Flows, NetMetering, consumed
from nectar_notebooks.methodology.time.calendar import Convention, SharedDay, give_to_later, half_days

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from nectar_notebooks.schema.periods import Plausible

__all__ = ["KEYS", "Records", "read"]

KEYS: Final = ("meter_id", "site_id", "commodity", "subtype", "unit", "currency")
_READ: Final = (
    *KEYS,
    "start_date",
    "end_date",
    "usage",
    "cost",
    "amount",
    "estimated",
    "bill_id",
    "usage_id",
)
_READ_TOO: Final = ("line_item_id", "counts", "counts_reason", "net_metering", "adjusted_usage", "adjustment")


@dataclass(frozen=True, slots=True)
class Records:
    """Records that count, as arrays of one length; `begin` and `stop` are half days, `units` are money's."""

    keys: pd.DataFrame
    row: npt.NDArray[np.int64]  # place in the frame given
    group: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    usage: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64]
    units: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    estimated: npt.NDArray[np.bool_]
    estimated_known: npt.NDArray[np.bool_]
    bill: npt.NDArray[np.int64] | None  # None: each record is a bill of its own
    spot: npt.NDArray[np.bool_]  # per group
    attributed: bool
    flows: Flows | None  # None: nothing is said of export or generation

    def take(self, chosen: npt.NDArray[np.bool_]) -> Records:
        """Return the chosen records."""
        rows = {
            field.name: getattr(self, field.name)[chosen]
            for field in fields(self)
            if field.name not in ("keys", "spot", "attributed", "bill", "flows")
        }
        flows = None
        if self.flows is not None:
            flows = Flows(*(getattr(self.flows, field.name)[chosen] for field in fields(Flows)))
        return replace(self, bill=None if self.bill is None else self.bill[chosen], flows=flows, **rows)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Return which records have a quantity: an amount where rows are attributed, else a usage or generation."""
        known: npt.NDArray[np.bool_] = ~np.isnan(self.cost if self.attributed else self.usage)
        return known if self.flows is None else known | ~np.isnan(self.flows.generated)

    @property
    def lane(self) -> npt.NDArray[np.int64]:
        """Return each record's group, import and export of one meter apart: together they count no day twice."""
        if self.flows is None:
            return self.group
        return lanes(self.group, self.flows)


def lanes(group: npt.NDArray[np.int64], flows: Flows) -> npt.NDArray[np.int64]:
    """Return groups with import, export and generation apart."""
    return group * 3 + np.where(~np.isnan(flows.exported), 1, np.where(~np.isnan(flows.generated), 2, 0))


def read(
    usage: pd.DataFrame,
    convention: Convention,
    shared_day: SharedDay,
    spot: Collection[str],
    what: str,
    net_metering: NetMetering = "net",
    plausible: Plausible | None = None,
) -> tuple[Records, Records | None, dict[str, int]]:
    """Return the dated records that count, those without a start date (or None), and what was left out."""
    attributed = isinstance(usage, pd.DataFrame) and "usage" not in usage and "amount" in usage
    quantity = ("amount", "currency") if attributed else ("usage", "unit")
    require(usage, ("meter_id", "start_date", "end_date", *quantity), f"The frame given to {what}")
    frame = usage[[name for name in (*_READ, *_READ_TOO) if name in usage.columns]]
    frame = count_periods(frame, span_of(plausible), what)
    kept = counted(frame, what)
    out = left_out(frame, kept, "does not count")
    frame = frame if kept.all() else frame[kept]

    start, end, undated = _days(frame, what)
    (group, keys), bill = both(lambda: group_keys(frame, KEYS), lambda: _bills(frame), len(frame))
    is_spot = keys["commodity"].isin(list(spot)).to_numpy(dtype=bool)
    if is_spot.any():
        end = np.where(is_spot[group], start, end)
    begin, stop = half_days(start, end, convention)
    value, flows = np.full(len(frame), np.nan) if attributed else numbers(frame, "usage", what), None
    if "net_metering" in frame.columns and not attributed:
        flows = consumed(frame, value, net_metering)
        value = flows.usage
    if shared_day == "later" and convention == "inclusive":
        stop = give_to_later(group if flows is None else lanes(group, flows), begin, stop)

    cost = numbers(frame, "amount" if attributed else "cost", what)
    places = least = money.minor_places(keys["currency"])[group]
    if not np.isnan(cost).all():
        places = money.places_needed(cost, least)
    if bill is not None and (places > least).any():
        currency, names = pd.factorize(keys["currency"])
        pocket = bill * (len(names) + 1) + currency[group] + 1  # one bill, one currency
        places = money.finest(places, pocket, int(pocket.max()) + 1)[pocket]
    estimated = flags(frame, "estimated", what, missing=False)
    records = Records(
        keys, np.flatnonzero(kept), group, begin, stop,
        value, cost, money.to_units(cost, places), places, estimated,
        estimated | ~flags(frame, "estimated", what, missing=True),
        bill, is_spot, attributed, flows,
    )  # fmt: skip
    return (records.take(~undated), records.take(undated), out) if undated.any() else (records, None, out)


def _days(frame: pd.DataFrame, what: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return first and last days since 1970 (the first where the last is missing), and which have none."""
    start, end = days(frame, "start_date", what), days(frame, "end_date", what)
    undated = np.isnat(start)
    end = np.where(np.isnat(end), start, end)
    if undated.any():
        start, end = (np.where(undated, np.datetime64(0, "D"), day) for day in (start, end))
    return start.astype(np.int64), end.astype(np.int64), undated


def _bills(frame: pd.DataFrame) -> npt.NDArray[np.int64] | None:
    """Return each record's bill as a number, or None where each record is a bill of its own."""
    if "bill_id" not in frame.columns:
        return None
    codes, distinct = pd.factorize(text(frame, "bill_id"))
    missing = codes < 0
    if missing.any():
        codes[missing] = len(distinct) + np.arange(missing.sum())
    return None if len(distinct) + missing.sum() == len(frame) else codes.astype(np.int64)

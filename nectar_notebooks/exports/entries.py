"""Usage with its cost, entry by entry: as billed, or by whole calendar months.

An entry is one number for one meter and one period, the form in which `portfolio_manager` takes bills. The methodology
decides the costs and who pays them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.frames import TEXT, counted, days, flags, numbers, text
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.monthly import sum_by_month
from nectar_notebooks.methodology.net_metering import directions
from nectar_notebooks.methodology.options import Options
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from nectar_notebooks.methodology.monthly import Prepared

__all__ = ["ENTRY", "from_months", "from_records"]

#: The columns of an entry; `why` says why it cannot be exported.
ENTRY: Final = (
    "id", "meter_id", "site_id", "commodity", "subtype", "start_date", "end_date", "usage", "unit", "cost",
    "currency", "estimated", "why",
)  # fmt: skip
_PAID: Final = ("bill_id", "meter_id", "currency")
_EXPORTED: Final = "exported energy is not consumption"
_GENERATED: Final = "energy generated on site is not consumption"


def from_records(ready: Prepared) -> pd.DataFrame:
    """Return one entry per usage record that counts, with the charges its meter pays on that bill.

    If a meter has several records on a bill, its charges are allocated by days, exact to the cent; records of exported
    or generated energy get no share if the meter also drew energy. Charges without a record become entries that cannot
    be exported; nor can exported energy, or generation reported by a grid meter.
    """
    usage = ready.usage[counted(ready.usage, "usage")].reset_index(drop=True)
    words = ("bill_id", "meter_id", "site_id", "commodity", "subtype", "unit")
    records = pd.DataFrame({"id": text(usage, "usage_id"), **{name: text(usage, name) for name in words}})
    start, end = (days(usage, name, "usage").astype("datetime64[us]") for name in ("start_date", "end_date"))
    records["start_date"], records["end_date"] = start, np.where(np.isnat(end), start, end)
    records["usage"] = numbers(usage, "usage", "usage")
    records["estimated"] = flags(usage, "estimated", "usage", missing=False)
    exported, generated = directions(usage)
    why = _nothing(records).mask(exported, _EXPORTED).mask(generated, _GENERATED)
    outward = why.notna()
    why = why.mask(why.isna() & records["start_date"].isna(), "the record has no dates")
    records["why"] = why.mask(why.isna() & records["meter_id"].isna(), "the record has no meter")
    drawn = records.loc[~outward, ["bill_id", "meter_id"]]
    beside = outward & pd.MultiIndex.from_frame(records[["bill_id", "meter_id"]]).isin(pd.MultiIndex.from_frame(drawn))
    meters = records.reset_index(names="place")[~beside].merge(
        _paid(ready.charges), on=["bill_id", "meter_id"], how="right"
    )
    alone = meters["place"].isna()
    meters["days"] = (meters["end_date"] - meters["start_date"]).dt.days + 1
    charges = meters[alone].reset_index(drop=True)
    charges = charges.assign(
        id=charges["bill_id"] + ":" + charges["meter_id"],
        cost=money.from_units(charges["units"].to_numpy(dtype="int64"), money.FINEST),
        **{name: charges[f"paid_{name}"] for name in ("site_id", "commodity", "subtype", "start_date", "end_date")},
        why=pd.Series("charges without a usage record", charges.index, dtype=TEXT),
    )
    return _entries([records.join(_shared_out(meters[~alone])), charges])


def _paid(charges: pd.DataFrame) -> pd.DataFrame:
    """Return what each meter pays on each bill, in units of ten to the minus `money.FINEST`."""
    rows = charges[charges["kind"].eq("attributed") & charges["meter_id"].notna() & charges["amount"].notna()]
    group, keys = group_keys(rows, _PAID)
    total = np.zeros(len(keys), dtype=np.int64)
    np.add.at(total, group, money.to_units(rows["amount"].to_numpy(dtype="float64"), money.FINEST))
    about = rows.groupby(group)
    keys["units"] = total
    for name in ("site_id", "commodity", "subtype"):
        keys[f"paid_{name}"] = about[name].first().astype(TEXT)
    keys["paid_start_date"], keys["paid_end_date"] = about["start_date"].min(), about["end_date"].max()
    return keys


def _shared_out(meters: pd.DataFrame) -> pd.DataFrame:
    """Allocate each meter's charges on a bill to its records by days; the index is the record's position."""
    order = meters.sort_values([*_PAID, "start_date", "id"], kind="stable")
    sizes = np.asarray(order.groupby(list(_PAID), sort=False, dropna=False).size(), dtype=np.int64)
    heads = np.cumsum(sizes) - sizes
    units = order["units"].to_numpy(dtype=np.int64)[heads]
    least = money.minor_places(order["currency"].iloc[heads])
    places = money.places_needed(money.from_units(units, money.FINEST), least)
    totals = money.to_units(money.from_units(units, money.FINEST), places)
    weights = order["days"].fillna(1).clip(lower=1).to_numpy(dtype=np.int64)
    cost = money.from_units(money.apportion(totals, weights, sizes), np.repeat(places, sizes))
    place = order["place"].to_numpy(dtype=np.int64)
    shared = pd.DataFrame({"cost": cost, "currency": order["currency"].to_numpy()}, index=place)
    return shared.astype({"currency": TEXT})


def _number_words(numbers: pd.Series) -> pd.Series:
    return numbers.map("{:g}".format, na_action="ignore").astype(TEXT)


def _nothing(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(None, frame.index, dtype=TEXT)


def from_months(ready: Prepared) -> pd.DataFrame:
    """Return one entry per meter and whole calendar month; deliveries stay on their day."""
    delivered = from_records(ready)
    delivered = delivered[delivered["commodity"].isin(HAULED)]
    months = sum_by_month(ready, Options(shared_day="later"))
    months = months[months["kind"].eq("attributed") & ~months["commodity"].isin(HAULED)].reset_index(drop=True)
    first, length = months["month"], months["days_in_month"]
    covered = _number_words(months["days_covered"]) + " of " + _number_words(length)
    doubled = "bills overlap on " + _number_words(months["days_overlapped"]) + " days"
    exported, generated = directions(ready.usage)
    drawn = text(ready.usage, "meter_id")[counted(ready.usage, "usage") & ~exported & ~generated]
    only_out = months["exported"].notna() & ~months["meter_id"].isin(drawn)
    months["usage"] = months["usage"].mask(months["exported"].notna(), months["usage"] + months["exported"])
    made = months["generated"].notna() & months["usage"].isna()
    why = _nothing(months).mask(months["days_overlapped"] > 0, doubled)
    why = why.mask(months["days_covered"] < length, "bills cover " + covered + " days")
    why = why.mask(months["usage"].isna(), "charges without usage").mask(first.isna(), "no dates")
    why = why.mask(months["meter_id"].isna(), "no meter").mask(made, _GENERATED).mask(only_out, _EXPORTED)
    entries = months.assign(
        id=months["meter_id"] + ":" + first.dt.strftime("%Y-%m").astype(TEXT),
        start_date=first,
        end_date=(first + pd.to_timedelta(length - 1, unit="D")).astype(first.dtype),
        estimated=months["estimated_share"] > 0,
        why=why,
    )
    return _entries([entries, delivered])


def _entries(parts: list[pd.DataFrame]) -> pd.DataFrame:
    parts = [part[list(ENTRY)] for part in parts]
    entries = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    words = ("id", "meter_id", "site_id", "commodity", "subtype", "unit", "currency", "why")
    return entries.astype(dict.fromkeys(words, TEXT))

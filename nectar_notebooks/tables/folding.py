"""What older versions spread over usage rows, brought into the shape of v2.2.

In v2.0 and v2.1 a time-of-use meter has a row per period of the day; they become one usage row with the sum, and
its parts stand in `time_of_use`. Demand readings among the usage rows become rows of `demand`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.schema.tables import TEXT as TEXT_DTYPE
from nectar_notebooks.tables.casting import Columns, empty_frame
from nectar_notebooks.tables.reading import TEXT, json_text

__all__ = ["OLDER_FIELDS", "demand_among_usage", "fold_older", "shaped"]

#: What only older versions write, beside the usage columns.
OLDER_FIELDS: Final = ("time_of_use", "demand_type", "description")

#: Units of power: an electricity row in one of them is a demand reading.
_POWER: Final = ("W", "KW", "MW", "GW", "KVA", "MVA", "KVAR", "MVAR")
#: What time-of-use rows of one record have in common.
_RECORD: Final = ["bill_id", "meter_id", "commodity", "subtype", "net_metering", "unit", "start_date", "end_date"]
#: Said of the whole record where one of its parts says it.
_ANY: Final = ["estimated", "implied", "exclusion"]
#: True of the whole record only where all parts agree.
_ALIKE: Final = [
    "generated", "grid_import", "grid_export", "current_reading", "previous_reading", "multiplier", "multiplier_2",
    "fraction_renewable", "tariff", "billed_demand",
]  # fmt: skip


def demand_among_usage(columns: Columns) -> pa.Array:
    """Say of each usage row whether it is a demand reading.

    It is one where its electricity type says DEMAND, or where electricity comes in a unit of power (an assumption:
    the documentation does not say what tells them apart).
    """
    power = pc.and_kleene(
        pc.is_in(pc.utf8_upper(columns["unit"]), pa.array(_POWER, TEXT)), pc.equal(columns["commodity"], "ELECTRICITY")
    )
    said = pc.match_substring(columns["electricityType"], "DEMAND", ignore_case=True)
    return pc.or_(pc.fill_null(power, False), pc.fill_null(said, False)).combine_chunks()


def fold_older(
    usage: pd.DataFrame, older: pd.DataFrame, breakdown: pd.DataFrame, demand_rows: npt.NDArray[np.bool_]
) -> dict[str, pd.DataFrame]:
    """Return the frames ``usage``, ``time_of_use``, ``demand``, ``demand_usage`` in the shape of v2.2.

    A demand reading belongs to the usage records of its meter on its bill.

    Parameters
    ----------
    usage : DataFrame
        The columns of table usage, demand readings and parts among them.
    older : DataFrame
        Beside it, row by row: ``OLDER_FIELDS``.
    breakdown : DataFrame
        The columns of table time_of_use: the newer spelling's parts.
    demand_rows : array of bool
        Beside it, row by row: whether it is a demand reading.
    """
    is_part = older["time_of_use"].notna() & ~usage["usage_id"].isin(breakdown["usage_id"])
    part_rows = is_part.to_numpy(dtype=bool) & ~demand_rows
    if not demand_rows.any() and not part_rows.any():
        names = ("demand", "demand_usage")
        return {"usage": usage, "time_of_use": breakdown, **{name: empty_frame(TABLES[name]) for name in names}}
    rest = usage[~demand_rows & ~part_rows].reset_index(drop=True)
    rest, parts = _fold_parts(rest, usage[part_rows], older[part_rows])
    demand, demand_usage = _fold_demand(usage[demand_rows], older[demand_rows], rest)
    return {
        "usage": rest,
        "time_of_use": pd.concat([breakdown, parts], ignore_index=True) if len(breakdown) else parts,
        "demand": demand,
        "demand_usage": demand_usage,
    }


def shaped(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with the columns and dtypes of the table of that name."""
    wanted = empty_frame(TABLES[name])
    return frame.reindex(columns=wanted.columns).astype(wanted.dtypes.to_dict()).reset_index(drop=True)


def _fold_parts(rest: pd.DataFrame, parts: pd.DataFrame, older: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if parts.empty:
        return rest, empty_frame(TABLES["time_of_use"])
    parts = parts.reset_index(drop=True)
    record = parts.groupby(_RECORD, dropna=False, sort=False).ngroup()
    totals = _totals(parts["usage"], record)
    folded = _one_row_each(parts, record).assign(usage=totals)
    # A row without a period of the day that has just the sum is the record itself, not a further usage.
    same = folded.reset_index(names="record").merge(
        rest[[*_RECORD, "usage_id", "usage"]], on=_RECORD, how="inner", suffixes=("", "_whole")
    )
    same = same[np.isclose(same["usage"], same["usage_whole"], rtol=1e-9, atol=0.0)].drop_duplicates("record")
    whole = same.set_index("record")["usage_id_whole"]
    usage_ids = whole.reindex(folded.index).fillna(folded["usage_id"])
    rows = folded[~folded.index.isin(whole.index)]
    time_of_use = pd.DataFrame(
        {
            "usage_id": usage_ids.take(record.to_numpy()).to_numpy(),
            "position": record.groupby(record).cumcount().to_numpy(),
            "period": older["time_of_use"].to_numpy(),
            "usage": parts["usage"].to_numpy(),
            "unit": parts["unit"].to_numpy(),
            "description": older["description"].to_numpy(),
            "start_date": parts["start_date"].to_numpy(),
            "end_date": parts["end_date"].to_numpy(),
        }
    )
    return shaped("usage", pd.concat([rest, rows], ignore_index=True)), shaped("time_of_use", time_of_use)


def _one_row_each(parts: pd.DataFrame, record: pd.Series[int]) -> pd.DataFrame:
    """Return one row per record: its first part's, with what holds for the parts together."""
    groups = parts.groupby(record.to_numpy(), sort=True)
    first = parts.assign(record=record).drop_duplicates("record").set_index("record").sort_index()
    for name in _ANY:
        first[name] = groups[name].max().astype("boolean")
    for name in _ALIKE:
        first[name] = first[name].where(groups[name].nunique(dropna=False) == 1)
    return first.assign(updated=groups["updated"].max(), extra=_extra_of_records(parts["extra"], record))


def _extra_of_records(extra: pd.Series[str], record: pd.Series[int]) -> pd.Series[str]:
    """Return the unknown fields of each record: what its parts agree on once, else a list of what each part says."""
    by_record = extra.groupby(record.to_numpy(), sort=True)
    folded = by_record.first()
    for number in folded.index[by_record.nunique(dropna=False) > 1]:
        fields = [json.loads(text) if isinstance(text, str) else {} for text in by_record.get_group(number)]
        told: dict[str, object] = {}
        for name in sorted(set().union(*fields)):
            values = [part.get(name) for part in fields]
            told[name] = values[0] if all(value == values[0] for value in values) else values
        folded[number] = json_text(told)
    return folded


def _totals(usage: pd.Series[float], record: pd.Series[int]) -> list[float]:
    """Sum as decimals, as the API would have; a part without usage leaves the sum missing."""
    sums: dict[int, Decimal] = {}
    for number, value in zip(record.tolist(), usage.tolist(), strict=True):
        sums[number] = sums.get(number, Decimal(0)) + Decimal(repr(value))
    return [float(sums[number]) for number in sorted(sums)]


def _fold_demand(rows: pd.DataFrame, older: pd.DataFrame, usage: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    if rows.empty:
        return empty_frame(TABLES["demand"]), empty_frame(TABLES["demand_usage"])
    rows = rows.reset_index(drop=True)
    older = older.reset_index(drop=True)
    bills = rows["bill_id"].fillna(rows["usage_id"])
    places = rows.groupby(bills).cumcount().astype(str).astype(TEXT_DTYPE)
    demand = pd.DataFrame(
        {
            "demand_id": bills + ":d" + places,
            "bill_id": rows["bill_id"],
            "start_date": rows["start_date"],
            "end_date": rows["end_date"],
            "demand": rows["usage"],
            "unit": rows["unit"],
            "demand_type": older["demand_type"],
            "description": older["description"],
            "estimated": rows["estimated"],
            "extra": rows["extra"],
        }
    )
    keys = pd.DataFrame({"demand_id": demand["demand_id"], "bill_id": rows["bill_id"], "meter_id": rows["meter_id"]})
    relation = keys.dropna().merge(usage[["usage_id", "bill_id", "meter_id"]], on=["bill_id", "meter_id"])
    return shaped("demand", demand), shaped("demand_usage", relation)

"""Bills with their line items and demand; usage with its time of use: which field goes where.

Version 2.2 gives one usage record per meter and period with a breakdown, and demand on the bill. Older versions give a
row per time-of-use period, and demand among the usage; both are read in any version and brought together by `folding`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import TABLES, Column, Table
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.folding import OLDER_FIELDS, demand_among_usage, fold_older
from nectar_notebooks.tables.meters import (
    SUBTYPE_COLUMNS,
    finish_identifiers,
    meters_of_usage,
    read_identifiers,
    subtype,
)
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, entries, places_within, raw_table

__all__ = ["finish_documents", "finish_usage", "read_documents", "read_usage"]

_BILLS: Final = Reading(TABLES["bills"], elsewhere=frozenset({"usageData", "lineItems", "demandMeters"}))
_LINE_ITEMS: Final = Reading(TABLES["line_items"], SUBTYPE_COLUMNS, frozenset({"accountIds"}))
_DEMAND: Final = Reading(TABLES["demand"], elsewhere=frozenset({"usageDataIds"}))
_LINE_ITEM_ACCOUNTS: Final = Reading(TABLES["line_item_accounts"])
_DEMAND_USAGE: Final = Reading(TABLES["demand_usage"])
_USAGE: Final = Reading(
    TABLES["usage"],
    (
        *SUBTYPE_COLUMNS,
        Column("time_of_use", "text", "The older spelling: the period this row is for.", ("timeOfUse",)),
        Column("account_of_meter", "text", "The account, where the meter comes as an object.", ("meter.account",)),
        Column("demand_type", "text", "Of a demand row.", ("demandType",)),
        Column("description", "text", "Of a row for a time-of-use period, or of a demand row.", ("description",)),
    ),
    frozenset({"identifiers", "timeOfUseBreakdown"}),
)
#: Fields of older versions, row by row beside the usage frame.
_OLDER: Final = Table("older", (), "", tuple(column for column in _USAGE.helpers if column.name in OLDER_FIELDS))
_TIME_OF_USE: Final = Reading(TABLES["time_of_use"])


def read_documents(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of documents."""
    bills = raw_table(_BILLS, rows)
    bill_ids = bills.column("id").cast(TEXT).combine_chunks()
    currencies = bills.column("chargesUnits").cast(TEXT).combine_chunks()
    pieces = {"bills": bills}

    items, parents = children(_BILLS, rows, "lineItems")
    item_ids = _ids_within(bill_ids, parents, ":")
    pieces["line_items"] = raw_table(
        _LINE_ITEMS,
        items,
        {"line_item_id": item_ids, "bill_id": bill_ids.take(parents), "currency": currencies.take(parents)},
    )
    pieces["line_item_accounts"] = _relation(_LINE_ITEMS, items, "accountIds", item_ids, _LINE_ITEM_ACCOUNTS)

    readings, parents = children(_BILLS, rows, "demandMeters")
    demand_ids = _ids_within(bill_ids, parents, ":d")
    pieces["demand"] = raw_table(_DEMAND, readings, {"demand_id": demand_ids, "bill_id": bill_ids.take(parents)})
    pieces["demand_usage"] = _relation(_DEMAND, readings, "usageDataIds", demand_ids, _DEMAND_USAGE)

    usage, parents = children(_BILLS, rows, "usageData")
    return pieces | read_usage(usage, bill_ids.take(parents))


def finish_documents(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames of ``RESOURCES["documents"]``."""
    bills = typed_columns(_BILLS, pieces.get("bills", []))
    if company_id is not None:
        bills["company_id"] = pc.fill_null(bills["company_id"], company_id)
    frames = {"bills": frame_of(TABLES["bills"], bills)}
    for reading in (_LINE_ITEMS, _LINE_ITEM_ACCOUNTS, _DEMAND, _DEMAND_USAGE):
        name = reading.table.name
        columns = typed_columns(reading, pieces.get(name, []))
        if reading is _LINE_ITEMS:
            columns["subtype"] = subtype(columns)
        frames[name] = frame_of(reading.table, columns)
    for name in ("line_item_accounts", "demand_usage"):
        frames[name] = frames[name].drop_duplicates(ignore_index=True)
    usage = finish_usage(pieces)
    for name in ("demand", "demand_usage"):  # of older versions
        older = usage.pop(name)
        if len(older):
            frames[name] = pd.concat([frames[name], older], ignore_index=True) if len(frames[name]) else older
    return frames | usage


def read_usage(rows: Sequence[JsonRow], bill_ids: pa.Array | None = None) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of usage.

    `bill_ids` are the bills of the rows, if they are part of documents.
    """
    usage = raw_table(_USAGE, rows, {} if bill_ids is None else {"within": bill_ids})
    ids = _text(usage, "id")
    parts, parents = children(_USAGE, rows, "timeOfUseBreakdown")
    meter_ids = pc.coalesce(_text(usage, "meter.id"), _text(usage, "meter"))
    return {
        "usage": usage,
        "time_of_use": raw_table(
            _TIME_OF_USE, parts, {"usage_id": ids.take(parents), "position": places_within(parents)}
        ),
        "identifiers": read_identifiers(_USAGE, rows, meter_ids),
    }


def finish_usage(pieces: Mapping[str, list[pa.Table]]) -> dict[str, pd.DataFrame]:
    """Return the frames ``usage``, ``time_of_use``, ``demand``, ``demand_usage``, ``meters``, ``identifiers``."""
    columns = typed_columns(_USAGE, pieces.get("usage", []))
    if "within" in columns:
        columns["bill_id"] = pc.coalesce(columns["bill_id"], columns["within"])
    columns["end_date"] = pc.coalesce(columns["end_date"], columns["start_date"])
    columns["subtype"] = subtype(columns)
    identifiers = finish_identifiers(pieces.get("identifiers", []))
    is_demand = demand_among_usage(columns)
    meters = meters_of_usage(columns, pc.invert(is_demand), identifiers)
    frames = fold_older(
        frame_of(TABLES["usage"], columns),
        frame_of(_OLDER, columns),
        frame_of(TABLES["time_of_use"], typed_columns(_TIME_OF_USE, pieces.get("time_of_use", []))),
        is_demand.to_numpy(zero_copy_only=False),
    )
    return {**frames, "meters": meters, "identifiers": identifiers}


def _ids_within(bill_ids: pa.Array, parents: pa.Array, mark: str) -> pa.Array:
    """Return ``<bill><mark><place>`` for the objects on each bill."""
    places = places_within(parents).cast(TEXT)
    return pc.binary_join_element_wise(bill_ids.take(parents), places, pa.scalar(mark, TEXT))


def _relation(of: Reading, rows: Sequence[JsonRow], field: str, keys: pa.Array, into: Reading) -> pa.Table:
    """Return the raw relation between objects and the ids they list."""
    found, parents = entries(of, rows, field)
    left, right = into.table.names
    return pa.table({f"={left}": keys.take(parents), f"={right}": found})


def _text(raw: pa.Table, name: str) -> pa.Array:
    return raw.column(name).cast(TEXT).combine_chunks()

"""Documents to bills, with their line items, demand readings and the usage that stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.meters import SUBTYPE_COLUMNS, subtype
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, entries, raw_table
from nectar_notebooks.tables.usage import finish_usage, places_within, read_usage

__all__ = ["finish_documents", "read_documents"]

_BILLS: Final = Reading(TABLES["bills"], elsewhere=frozenset({"usageData", "lineItems", "demandMeters"}))
_LINE_ITEMS: Final = Reading(TABLES["line_items"], SUBTYPE_COLUMNS, frozenset({"accountIds"}))
_DEMAND: Final = Reading(TABLES["demand"], elsewhere=frozenset({"usageDataIds"}))
_LINE_ITEM_ACCOUNTS: Final = Reading(TABLES["line_item_accounts"])
_DEMAND_USAGE: Final = Reading(TABLES["demand_usage"])


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
    for name in ("demand", "demand_usage"):  # an older version's demand stands among its usage
        older = usage.pop(name)
        if len(older):
            frames[name] = pd.concat([frames[name], older], ignore_index=True) if len(frames[name]) else older
    return frames | usage


def _ids_within(bill_ids: pa.Array, parents: pa.Array, mark: str) -> pa.Array:
    """Return ``<bill><mark><place>`` for the things on each bill."""
    places = places_within(parents).cast(TEXT)
    return pc.binary_join_element_wise(bill_ids.take(parents), places, pa.scalar(mark, TEXT))


def _relation(of: Reading, rows: Sequence[JsonRow], field: str, keys: pa.Array, into: Reading) -> pa.Table:
    """Return the raw relation between things and the ids they list."""
    found, parents = entries(of, rows, field)
    left, right = into.table.names
    return pa.table({f"={left}": keys.take(parents), f"={right}": found})

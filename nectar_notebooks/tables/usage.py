"""Usage rows to usage, time of use, demand, and what they tell of their meters.

Version 2.2 gives one record per meter and period with a breakdown, and demand on the bill. Older versions give a row
per time-of-use period and demand among the usage; both spellings are read in any version, and folded by
`folding`.
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
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, raw_table

__all__ = ["USAGE", "finish_usage", "places_within", "read_usage"]

USAGE: Final = Reading(
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
#: What only older versions write, row by row beside the usage frame.
_OLDER: Final = Table("older", (), "", tuple(column for column in USAGE.helpers if column.name in OLDER_FIELDS))
_TIME_OF_USE: Final = Reading(TABLES["time_of_use"])


def read_usage(rows: Sequence[JsonRow], bill_ids: pa.Array | None = None) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of usage.

    `bill_ids` are the bills that the rows stand in, where they come within documents.
    """
    usage = raw_table(USAGE, rows, {} if bill_ids is None else {"within": bill_ids})
    ids = _text(usage, "id")
    parts, parents = children(USAGE, rows, "timeOfUseBreakdown")
    meter_ids = pc.coalesce(_text(usage, "meter.id"), _text(usage, "meter"))
    return {
        "usage": usage,
        "time_of_use": raw_table(
            _TIME_OF_USE, parts, {"usage_id": ids.take(parents), "position": places_within(parents)}
        ),
        "identifiers": read_identifiers(USAGE, rows, meter_ids),
    }


def finish_usage(pieces: Mapping[str, list[pa.Table]]) -> dict[str, pd.DataFrame]:
    """Return the frames ``usage``, ``time_of_use``, ``demand``, ``demand_usage``, ``meters``, ``identifiers``."""
    columns = typed_columns(USAGE, pieces.get("usage", []))
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


def places_within(parents: pa.Array) -> pa.Array:
    """Return the place, from 0, of each child within its parent; children of one parent stand together."""
    numbers = pd.Series(parents.to_numpy())
    return pa.array(numbers.groupby(numbers).cumcount().to_numpy(), pa.int64())


def _text(raw: pa.Table, name: str) -> pa.Array:
    return raw.column(name).cast(TEXT).combine_chunks()

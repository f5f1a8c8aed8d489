"""Meters and their identifiers: from lists of meters, and what can be known of a meter from its usage.

No list of meters is documented, so that usage rows and accounts are the first source; several sources are put
together by :func:`combine_meters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import TABLES, Column
from nectar_notebooks.schema.values import IDENTIFIER_TYPES, SUBTYPE_FIELDS
from nectar_notebooks.tables.casting import Columns, empty_frame, frame_of, typed_columns
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, raw_table

__all__ = [
    "SUBTYPE_COLUMNS",
    "combine_meters",
    "finish_identifiers",
    "finish_meters",
    "meters_of_usage",
    "read_identifiers",
    "read_meters",
    "subtype",
]

#: The fields a subtype is made of, as helper columns.
SUBTYPE_COLUMNS: Final = tuple(Column(name, "text", "", (name,)) for names in SUBTYPE_FIELDS.values() for name in names)

#: A part of a subtype that is a UUID, a number, or another long run of hexadecimal digits.
_AN_ID: Final = r"(?i)(^| / )([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+|[0-9a-f]{16,})( / |$)"

_BETWEEN: Final = pa.scalar(" / ", TEXT)

_METERS: Final = Reading(TABLES["meters"], SUBTYPE_COLUMNS, frozenset({"identifiers"}))
_IDENTIFIERS: Final = Reading(TABLES["identifiers"])


def read_meters(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of meters."""
    meters = raw_table(_METERS, rows)
    return {"meters": meters, "identifiers": read_identifiers(_METERS, rows, meters.column("id").combine_chunks())}


def read_identifiers(reading: Reading, rows: Sequence[JsonRow], meter_ids: pa.Array) -> pa.Table:
    """Return the raw identifiers in `rows`, of which `meter_ids` are the meters."""
    found, parents = children(reading, rows, "identifiers")
    return raw_table(_IDENTIFIERS, found, {"meter_id": meter_ids.take(parents)})


def finish_meters(pieces: Mapping[str, list[pa.Table]]) -> dict[str, pd.DataFrame]:
    """Return the frames ``meters`` and ``identifiers``."""
    columns = typed_columns(_METERS, pieces.get("meters", []))
    columns["subtype"] = _without_ids(subtype(columns), columns["commodity"])
    identifiers = finish_identifiers(pieces.get("identifiers", []))
    meters = frame_of(TABLES["meters"], columns)
    return {"meters": _with_primary(meters, identifiers), "identifiers": identifiers}


def finish_identifiers(pieces: list[pa.Table]) -> pd.DataFrame:
    """Return the frame ``identifiers``: each meter, type and value once."""
    if not pieces:
        return empty_frame(TABLES["identifiers"])
    columns = typed_columns(_IDENTIFIERS, pieces)
    columns["normalized"] = _normalized(columns["value"])
    frame = frame_of(TABLES["identifiers"], columns)
    usable = frame[frame["meter_id"].notna() & frame["value"].notna()]
    return usable.drop_duplicates(["meter_id", "type", "value"], ignore_index=True)


def meters_of_usage(columns: Columns, speaks: pa.Array, identifiers: pd.DataFrame) -> pd.DataFrame:
    """Return what usage rows tell of their meters: of the rows that may speak, the last one of each meter does.

    A meter that moved took its past usage with it, so that every row names today's site.
    """
    meter_ids = columns["meter_id"]
    positions = pa.table({"meter": meter_ids, "row": pa.array(range(len(meter_ids)), pa.int64())})
    last = positions.filter(pc.and_(pc.is_valid(meter_ids), speaks)).group_by("meter").aggregate([("row", "max")])
    chosen = last["row_max"].take(pc.sort_indices(last["row_max"]))
    names = {
        "meter_id": "meter_id",
        "site_id": "site_id",
        "account_id": "account_of_meter",
        "commodity": "commodity",
        "subtype": "subtype",
        "address": "meter_address",
        "tracked": "meter_tracked",
        "net_metering": "net_metering",
    }
    known = {house: columns[source].take(chosen) for house, source in names.items()}
    return _with_primary(frame_of(TABLES["meters"], known), identifiers)


def combine_meters(
    parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]], account_meters: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put together what several sources know of the meters.

    Parameters
    ----------
    parts : iterable of (meters, identifiers)
        The most trusted first: what one lacks is taken from the next.
    account_meters : DataFrame
        ``account_id`` and ``meter_id``: fills the account where no source names it. A meter that only an account
        names is a row of its own.

    Returns
    -------
    (meters, identifiers) : tuple of DataFrame
        As `schema.tables` says, each meter once, in order of appearance.
    """
    sources = list(parts)
    named = empty_frame(TABLES["meters"]).reindex(range(len(account_meters)))
    named = named.astype(empty_frame(TABLES["meters"]).dtypes.to_dict())
    for name in ("account_id", "meter_id"):
        named[name] = account_meters[name].reset_index(drop=True)
    dtypes = empty_frame(TABLES["meters"]).dtypes.to_dict()
    listed = [meters.astype(dtypes) for meters, _ in sources]
    meters = pd.concat([rows for rows in (*listed, named) if len(rows)] or [named], ignore_index=True)
    first = meters.groupby("meter_id", sort=False, dropna=True).first().reset_index()
    combined = first.reindex(columns=list(TABLES["meters"].names)).astype(dtypes)
    identifiers = pd.concat(
        [empty_frame(TABLES["identifiers"]), *(identifiers for _, identifiers in sources)], ignore_index=True
    ).drop_duplicates(["meter_id", "type", "value"], ignore_index=True)
    return _with_primary(combined, identifiers), identifiers


def subtype(columns: Columns) -> pa.ChunkedArray:
    """Return the kind within each row's commodity, made of the commodity's own fields."""
    commodity = columns["commodity"]
    result = pa.chunked_array([pa.nulls(len(commodity), TEXT)])
    for name, fields in SUBTYPE_FIELDS.items():
        mine = pc.equal(commodity, name)
        if not pc.any(mine).as_py():
            continue
        value = columns[fields[0]]
        for field in fields[1:]:
            further = columns[field]
            both = pc.binary_join_element_wise(value, further, _BETWEEN)  # missing where either is
            value = pc.coalesce(both, value, further)
        result = pc.if_else(pc.fill_null(mine, False), value, result)
    return result


def _without_ids(subtypes: pa.ChunkedArray, commodity: pa.ChunkedArray) -> pa.ChunkedArray:
    """Leave out kinds of waste that are ids: a meter's object names them so, its usage rows in words."""
    told_by_id = pc.and_(pc.equal(commodity, "WASTE"), pc.match_substring_regex(subtypes, _AN_ID))
    return pc.if_else(pc.fill_null(told_by_id, False), pa.scalar(None, TEXT), subtypes)


def _normalized(values: pa.ChunkedArray) -> pa.ChunkedArray:
    bare = pc.replace_substring_regex(values, r"[-\s_,/]", "")
    return pc.utf8_upper(pc.replace_substring_regex(bare, r"^0+", ""))


def _with_primary(meters: pd.DataFrame, identifiers: pd.DataFrame) -> pd.DataFrame:
    """Fill `primary_identifier`: by the documented order of types, then by place."""
    if meters.empty or identifiers.empty:
        return meters
    ranks = {name: rank for rank, name in enumerate(IDENTIFIER_TYPES)}
    rank = identifiers["type"].map(ranks).astype("float64").fillna(len(ranks)).to_numpy()
    ordered = identifiers.iloc[np.argsort(rank, kind="stable")].drop_duplicates("meter_id")
    values = meters["meter_id"].map(ordered.set_index("meter_id")["value"])
    return meters.assign(primary_identifier=values.astype(meters["primary_identifier"].dtype))

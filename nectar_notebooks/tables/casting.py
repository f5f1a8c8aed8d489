"""Raw columns to typed ones, and typed ones to a frame, as `schema.tables` says.

An empty text is missing. Decimals come as text or numbers, timestamps with ``Z`` or without a zone and with up
to nine digits of a second. A value that cannot be what its column is named for is a contract breach that names
table, field and row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.errors import ContractError
from nectar_notebooks.schema.tables import TEXT as TEXT_DTYPE
from nectar_notebooks.schema.tables import Column, Table
from nectar_notebooks.tables.reading import EXTRA, GIVEN, TEXT, Reading

__all__ = ["ARROW_TYPES", "Columns", "empty_frame", "frame_of", "typed_columns"]

#: Typed columns by house name.
Columns = dict[str, pa.ChunkedArray]

ARROW_TYPES: Final[dict[str, pa.DataType]] = {
    "text": TEXT,
    "number": pa.float64(),
    "integer": pa.int64(),
    "date": pa.timestamp("us"),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "flag": pa.bool_(),
}

_TRUE: Final = pa.array(["true", "1", "yes"], TEXT)
_FALSE: Final = pa.array(["false", "0", "no"], TEXT)


_PANDAS_TYPES: Final = {TEXT: TEXT_DTYPE, pa.bool_(): pd.BooleanDtype(), pa.int64(): pd.Int64Dtype()}


def typed_columns(reading: Reading, pieces: list[pa.Table]) -> Columns:
    """Return the typed columns of a reading's raw tables: every one with a source, given ones, and `extra`.

    The raw tables are used up: `pieces` is empty afterwards, so that half a million rows are not held twice.

    Raises
    ------
    ContractError
        A value does not fit its column.
    """
    names = pieces[0].column_names if pieces else []
    raw = {name: _joined([piece.column(name) for piece in pieces]) for name in names}
    pieces.clear()
    last_use = {path: column.name for column in reading.columns for path in column.source if path != "id"}
    typed: Columns = {}
    for column in reading.columns:
        if raw:
            cast = [_cast(reading, column, path, raw) for path in column.source]
            typed[column.name] = cast[0] if len(cast) == 1 else pc.coalesce(*cast)
            if column.source == ("id",) and typed[column.name].null_count:
                raise ContractError(f"A row of {reading.table.name} has no id.")
            for path in column.source:
                if last_use.get(path) == column.name:
                    del raw[path]
        else:
            typed[column.name] = pa.chunked_array([], ARROW_TYPES[column.kind])
    for name, values in raw.items():
        if name.startswith(GIVEN) and name != EXTRA:
            typed[name.removeprefix(GIVEN)] = values
    typed["extra"] = raw.get(EXTRA, pa.chunked_array([], TEXT))
    return typed


def frame_of(table: Table, columns: Mapping[str, pa.ChunkedArray]) -> pd.DataFrame:
    """Return a frame of the table's columns in order; one that is not given is missing throughout."""
    rows = max((len(column) for column in columns.values()), default=0)
    data = {}
    for column in table.columns:
        kind = ARROW_TYPES[column.kind]
        values = columns.get(column.name)
        data[column.name] = _series(pa.chunked_array([pa.nulls(rows, kind)]) if values is None else values, kind)
    return pd.DataFrame(data, index=pd.RangeIndex(rows), copy=False)


def empty_frame(table: Table) -> pd.DataFrame:
    """Return the table without rows."""
    return frame_of(table, {})


def _series(values: pa.ChunkedArray, kind: pa.DataType) -> pd.Series | pd.DatetimeIndex | np.ndarray:
    values = values if values.type == kind else values.cast(kind)
    if kind == pa.float64():
        numbers: np.ndarray[tuple[int], np.dtype[np.float64]] = values.to_numpy()
        return numbers
    if pa.types.is_timestamp(kind):
        stamps = pd.DatetimeIndex(values.cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]", copy=False))
        return stamps if kind.tz is None else stamps.tz_localize("UTC")
    series: pd.Series = values.to_pandas(types_mapper=_PANDAS_TYPES.get)
    return series


def _joined(chunks: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    kinds = {chunk.type for chunk in chunks}
    if len(kinds) > 1:  # one page says nothing where another does, or wrote decimals as text and another as numbers
        telling = kinds - {pa.null()}
        kind = telling.pop() if len(telling) == 1 else TEXT
        chunks = [chunk.cast(kind) for chunk in chunks]
    return pa.chunked_array([part for chunk in chunks for part in chunk.chunks], chunks[0].type)


def _cast(reading: Reading, column: Column, path: str, raw: Mapping[str, pa.ChunkedArray]) -> pa.ChunkedArray:
    values = raw[path]
    kind = ARROW_TYPES[column.kind]
    if values.null_count == len(values):
        return pa.chunked_array([pa.nulls(len(values), kind)])
    if column.kind == "text":
        values = values if values.type == TEXT else values.cast(TEXT)
        return _without_empty(values)
    if values.type == kind:
        return values
    values = _without_empty(values.cast(TEXT))
    caster = _CASTERS[column.kind]
    for prepare in (_as_it_is, pc.utf8_trim_whitespace):
        try:
            return caster(prepare(values))
        except pa.ArrowInvalid:
            continue
    raise _misfit(reading, column, path, values, raw, caster)


def _as_it_is(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values


def _without_empty(values: pa.ChunkedArray) -> pa.ChunkedArray:
    empty = pc.equal(values, "")
    if not pc.any(empty).as_py():
        return values
    return pc.if_else(empty, pa.scalar(None, TEXT), values)


def _number(values: pa.ChunkedArray) -> pa.ChunkedArray:
    numbers = values.cast(pa.float64())
    if pc.any(pc.is_inf(numbers)).as_py():
        raise pa.ArrowInvalid("not finite")
    return numbers


def _date(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pc.max(pc.binary_length(values)).as_py() > 10:  # a moment where a day is documented: its own civil day
        values = pc.utf8_slice_codeunits(values, 0, 10)
    return values.cast(pa.timestamp("us"))


def _timestamp(values: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = ARROW_TYPES["timestamp"]
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:  # more than six digits, or no zone
        cut = pc.replace_substring_regex(values, r"(\.\d{6})\d+", r"\1")
        zoned = pc.match_substring_regex(cut, r"(Z|[+-]\d\d:?\d\d)$")
        missing = pa.scalar(None, TEXT)
        bare = pc.if_else(zoned, missing, cut).cast(pa.timestamp("us")).cast(kind)  # taken as UTC
        return pc.coalesce(pc.if_else(zoned, cut, missing).cast(kind), bare)


def _flag(values: pa.ChunkedArray) -> pa.ChunkedArray:
    lower = pc.utf8_lower(values)
    true = pc.is_in(lower, _TRUE)
    if not pc.all(pc.or_(pc.or_(true, pc.is_in(lower, _FALSE)), pc.is_null(values))).as_py():
        raise pa.ArrowInvalid("no flag")
    return pc.if_else(pc.is_null(values), pa.scalar(None, pa.bool_()), true)


_CASTERS: Final[dict[str, Callable[[pa.ChunkedArray], pa.ChunkedArray]]] = {
    "number": _number,
    "integer": lambda values: values.cast(pa.int64()),
    "date": _date,
    "timestamp": _timestamp,
    "flag": _flag,
}

_WANTED: Final = {
    "number": "a finite number",
    "integer": "a whole number",
    "date": "a day (YYYY-MM-DD)",
    "timestamp": "a timestamp (ISO 8601)",
    "flag": "true or false",
}


def _misfit(
    reading: Reading,
    column: Column,
    path: str,
    values: pa.ChunkedArray,
    raw: Mapping[str, pa.ChunkedArray],
    caster: Callable[[pa.ChunkedArray], pa.ChunkedArray],
) -> ContractError:
    keys = raw.get(f"{GIVEN}{reading.table.key[0]}", raw.get("id"))
    position = next(place for place, value in enumerate(values) if not _fits(value.as_py(), caster))
    where = reading.where(None if keys is None else keys[position].as_py())
    shown = repr(values[position].as_py())
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return ContractError(f"{where}: {path} is {shown} instead of {_WANTED[column.kind]}.")


def _fits(value: str | None, caster: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> bool:
    if value is None:
        return True
    try:
        caster(pa.chunked_array([pa.array([value.strip()], TEXT)]))
    except pa.ArrowInvalid:
        return False
    return True

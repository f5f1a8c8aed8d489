"""JSON rows to raw Arrow columns, one per source field, without a Python object per cell where it can be avoided.

Rows that look alike are taken over by Arrow in one go. Where the types within a field differ, which the API's
documentation leaves open (an id or an object, a decimal as text or number), the rows are read one by one. What
a raw column means is left to `casting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from nectar_notebooks.errors import ContractError
from nectar_notebooks.schema.tables import Column, Table

__all__ = [
    "EXTRA", "GIVEN", "TEXT", "JsonRow", "Reading", "children", "entries", "json_text", "places_within",
    "raw_table",
]  # fmt: skip

JsonRow: TypeAlias = dict[str, Any]  # an object as the API sent it

TEXT: Final = pa.large_string()
#: Prefix of raw columns that do not come from a field of the row itself.
GIVEN: Final = "="
#: The raw column of unknown fields.
EXTRA: Final = "=extra"

#: So many rows tell which types to try; others that do not fit are noticed, and read one by one.
_SAMPLE: Final = 8
#: Types of which even the empty value says something: 0 and false.
_SAYS_SOMETHING: Final = frozenset({int, float, bool})
#: Credentials that an answer may carry and no table, cache or picture should.
_NEVER_KEPT: Final = frozenset({"connectionMagicLinkSecret", "companyMagicLinkSecret", "password", "securityQuestions"})


@dataclass(frozen=True)
class Reading:
    """How the rows of one table are read.

    Attributes
    ----------
    table : Table
        Where the columns and their sources stand.
    helpers : tuple of Column
        Further fields that derived columns are made from.
    elsewhere : frozenset of str
        Fields of the row that other tables read.
    as_text : frozenset of str
        Columns whose field is read as text whatever their kind, to be derived by the resource.
    lists : frozenset of str
        Fields that are lists of texts, joined by ``" / "``.
    """

    table: Table
    helpers: tuple[Column, ...] = ()
    elsewhere: frozenset[str] = frozenset()
    as_text: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return every column that has a source."""
        return tuple(
            replace(column, kind="text") if column.name in self.as_text else column
            for column in (*self.table.columns, *self.helpers)
            if column.source
        )

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Return the kind of each source path."""
        return {path: column.kind for column in self.columns for path in column.source}

    @cached_property
    def known(self) -> frozenset[str]:
        """Return the top-level fields that do not go to `extra`."""
        heads = {path.partition(".")[0] for path in self.kinds}
        return frozenset(heads) | self.elsewhere | _NEVER_KEPT

    def where(self, row_id: object) -> str:
        """Say which row of which table, for an error."""
        return f"{self.table.name} row {row_id}" if isinstance(row_id, (str, int)) else f"A row of {self.table.name}"


def raw_table(reading: Reading, rows: Sequence[JsonRow], given: Mapping[str, pa.Array] | None = None) -> pa.Table:
    """Return the raw columns of `rows`: one per source path, `given` ones under ``=name``, and ``=extra``.

    Raises
    ------
    ContractError
        A row is no object, or a field holds an object or a list where the API documents a value.
    """
    if not set(map(type, rows)) <= {dict}:
        wrong = next(row for row in rows if type(row) is not dict)
        raise ContractError(f"A row of {reading.table.name} is {_kind(wrong)} instead of an object.")
    unknown = sorted(set().union(*rows) - reading.known) if "extra" in reading.table.names else []
    columns = _all_at_once(reading, rows, unknown)
    if columns is None:
        columns = _one_by_one(reading, rows, (given or {}).get(reading.table.key[0]))
    else:  # most unknown fields are texts that say nothing: Arrow has seen it already
        unknown = [name for name in unknown if name not in columns or columns[name].null_count < len(rows)]
        columns = {path: columns[path] for path in reading.kinds}
    columns = {path: _compact(values) for path, values in columns.items()}
    columns |= {f"{GIVEN}{name}": array for name, array in (given or {}).items()}
    if "extra" in reading.table.names:
        columns[EXTRA] = _extra(rows, unknown)
    return pa.table(columns)


def _compact(values: pa.Array) -> pa.Array:
    """Return a column that says nothing without the room that texts would take: half of a page's fields are null."""
    return pa.nulls(len(values)) if values.null_count == len(values) else values


# --- all at once


@dataclass(slots=True)
class _Plan:
    """The struct type that some rows suggest: `leaves` maps a source path to its place in it."""

    fields: list[pa.Field] = field(default_factory=list)
    leaves: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


def _all_at_once(reading: Reading, rows: Sequence[JsonRow], unknown: Sequence[str]) -> dict[str, pa.Array] | None:
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    plan = _plan(reading, sample)
    if plan is None or any(bool in set(map(type, (row.get(name) for row in rows))) for name in plan.numbers):
        return None  # Arrow would take true for 1.0
    for name in unknown:
        if _first_seen(sample, name) is None:
            plan.leaves[name] = (len(plan.fields), None)
            plan.fields.append(pa.field(name, TEXT))
    try:
        struct = pa.array(rows, type=pa.struct(plan.fields))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    columns: dict[str, pa.Array] = {}
    inner: dict[int, list[pa.Array]] = {}
    for path, (place, child) in plan.leaves.items():
        if child is None:
            columns[path] = struct.field(place)
        else:
            if place not in inner:
                inner[place] = struct.field(place).flatten()  # missing where the object is missing
            columns[path] = inner[place][child]
    for path in plan.absent:
        columns[path] = pa.nulls(len(rows), TEXT)
    return columns


def _plan(reading: Reading, sample: Sequence[JsonRow]) -> _Plan | None:
    plan = _Plan()
    heads: dict[str, list[str]] = {}
    for path in reading.kinds:
        heads.setdefault(path.partition(".")[0], []).append(path)
    for head, paths in heads.items():
        seen = _first_seen(sample, head)
        nested = [path for path in paths if "." in path]
        if isinstance(seen, dict) or (seen is None and nested == paths):
            names = [path.partition(".")[2] for path in nested]
            if not names or any("." in name for name in names):
                return None
            plan.leaves.update({path: (len(plan.fields), place) for place, path in enumerate(nested)})
            plan.absent += [path for path in paths if path not in nested]
            plan.fields.append(pa.field(head, pa.struct([(name, TEXT) for name in names])))
        elif head not in paths:
            return None
        else:
            number = isinstance(seen, (int, float)) and not isinstance(seen, bool) and reading.kinds[head] == "number"
            if number:
                plan.numbers.append(head)
            kind = pa.float64() if number else pa.bool_() if isinstance(seen, bool) else TEXT
            plan.leaves[head] = (len(plan.fields), None)
            plan.absent += nested
            plan.fields.append(pa.field(head, kind))
    return plan


def _first_seen(rows: Sequence[JsonRow], name: str) -> object:
    """Return the first value of a field that is not null."""
    for row in rows:
        value = row.get(name)
        if value is not None:
            return value
    return None


# --- one by one


def _one_by_one(reading: Reading, rows: Sequence[JsonRow], keys: pa.Array | None) -> dict[str, pa.Array]:
    paths = reading.kinds
    either = {path.partition(".")[0] for path in paths if "." in path} & set(paths)  # an id or an object with one
    columns = {}
    for path in paths:
        head, _, name = path.partition(".")
        cells: list[str | None] = []
        for position, row in enumerate(rows):
            try:
                cells.append(_cell(row.get(head), name, either=head in either, lists=path in reading.lists))
            except _WrongShapeError as wrong:
                row_id = row.get("id") if keys is None else keys[position].as_py()
                raise _breach(reading, row_id, path if wrong.inner else head, wrong.value, wrong.wanted) from None
        columns[path] = pa.array(cells, TEXT)
    return columns


class _WrongShapeError(Exception):
    def __init__(self, value: object, wanted: str, *, inner: bool) -> None:
        super().__init__(wanted)
        self.value = value
        self.wanted = wanted
        self.inner = inner


def _cell(value: object, name: str, *, either: bool, lists: bool) -> str | None:
    if name:
        if isinstance(value, dict):
            value = value.get(name)
            if isinstance(value, dict) and "id" in value:
                value = value["id"]
        elif value in (None, "", []) or either:
            return None
        else:
            raise _WrongShapeError(value, "an object", inner=False)
    elif isinstance(value, dict) and either:
        return None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if lists and isinstance(value, list) and not any(isinstance(part, (dict, list)) for part in value):
        return " / ".join(str(part) for part in value if part is not None)
    raise _WrongShapeError(value, "a value", inner=True)


# --- unknown fields


def _extra(rows: Sequence[JsonRow], unknown: Sequence[str]) -> pa.Array:
    """Return the fields that no table reads as JSON text; empty ones say nothing and are left out."""
    found: dict[int, dict[str, object]] = {}
    for name in unknown:
        values = [row.get(name) for row in rows]
        if not any(values) and _SAYS_SOMETHING.isdisjoint(map(type, values)):
            continue
        for position, value in enumerate(values):
            if value or type(value) in _SAYS_SOMETHING:
                found.setdefault(position, {})[name] = value
    if not found:
        return pa.nulls(len(rows), TEXT)
    texts: list[str | None] = [None] * len(rows)
    for position, fields in found.items():
        texts[position] = json_text(fields)
    return pa.array(texts, TEXT)


def json_text(value: object) -> str:
    """Return a value as JSON text, however deep it is nested and however long its integers are."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # too deep for it, or an integer beyond 64 bits: so piece by piece
        written: list[bytes] = []
        waiting: list[object] = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, bytes):  # no value of JSON is one
                written.append(item)
            elif isinstance(item, (dict, list)):
                waiting.extend(reversed(_parts(item)))
            else:
                written.append(str(item).encode() if type(item) is int else orjson.dumps(item))
        return b"".join(written).decode()


def _parts(value: dict[str, object] | list[object]) -> list[object]:
    """Return what is written for an object or a list: marks as bytes, and the values within."""
    if isinstance(value, list):
        return [b"[", *[part for inner in value for part in (inner, b",")][:-1], b"]"]
    return [b"{", *[part for name, inner in value.items() for part in (name, b":", inner, b",")][:-1], b"}"]


# --- lists within rows


def children(reading: Reading, rows: Sequence[JsonRow], name: str) -> tuple[list[JsonRow], pa.Array]:
    """Return the objects in the list `name` of every row, and the position of the row each stands in."""
    found, parents = _listed(reading, rows, name)
    if not set(map(type, found)) <= {dict}:
        place = next(place for place, child in enumerate(found) if type(child) is not dict)
        raise _breach(reading, rows[parents[place].as_py()].get("id"), f"{name}[]", found[place], "an object")
    return found, parents


def entries(reading: Reading, rows: Sequence[JsonRow], name: str) -> tuple[pa.Array, pa.Array]:
    """Return the ids in the list `name` of every row, each as text or as an object with an id."""
    found, parents = _listed(reading, rows, name)
    ids: list[str] = []
    for place, entry in enumerate(found):
        entry_id = entry.get("id") if isinstance(entry, dict) else entry
        if not isinstance(entry_id, (str, int)):
            raise _breach(reading, rows[parents[place].as_py()].get("id"), f"{name}[]", entry, "an id")
        ids.append(str(entry_id))
    return pa.array(ids, TEXT), parents


def _listed(reading: Reading, rows: Sequence[JsonRow], name: str) -> tuple[list[Any], pa.Array]:
    lists = [row.get(name) or () for row in rows]
    if not set(map(type, lists)) <= {list, tuple}:
        wrong = next(row for row in rows if row.get(name) and not isinstance(row[name], list))
        raise _breach(reading, wrong.get("id"), name, wrong[name], "a list")
    parents = np.repeat(np.arange(len(lists)), np.fromiter(map(len, lists), np.int64, len(lists)))
    return list(chain.from_iterable(lists)), pa.array(parents, pa.int64())


def places_within(parents: pa.Array) -> pa.Array:
    """Return the position, from 0, of each child within its parent; children of a parent are consecutive."""
    numbers = pd.Series(parents.to_numpy())
    return pa.array(numbers.groupby(numbers).cumcount().to_numpy(), pa.int64())


def _breach(reading: Reading, row_id: object, name: str, value: object, wanted: str) -> ContractError:
    return ContractError(f"{reading.where(row_id)}: {name} is {_kind(value)} instead of {wanted}.")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a flag", type(None): "null"}
    return names.get(type(value), "a number")

"""Smart-meter readings (beta): one row an interval, with the number of its meter that a person would quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa

from nectar_notebooks.schema.tables import OTHER_TABLES
from nectar_notebooks.schema.values import IDENTIFIER_TYPES
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import GIVEN, TEXT, JsonRow, Reading, children, raw_table

__all__ = ["finish_intervals", "read_intervals"]

_INTERVALS: Final = Reading(OTHER_TABLES["intervals"], elsewhere=frozenset({"identifiers"}))
_RANKS: Final = {name: rank for rank, name in enumerate(IDENTIFIER_TYPES)}


def read_intervals(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw table of a piece of a list of intervals."""
    raw = raw_table(_INTERVALS, rows)
    found, parents = children(_INTERVALS, rows, "identifiers")
    best: dict[int, tuple[int, str]] = {}
    for place, identifier in zip(parents.to_pylist(), found, strict=True):
        value = identifier.get("value")
        if value is not None:
            ranked = (_RANKS.get(str(identifier.get("name")), len(_RANKS)), str(value))
            if place not in best or ranked[0] < best[place][0]:  # of two equals the first
                best[place] = ranked
    primary = pa.array([best[place][1] if place in best else None for place in range(len(rows))], TEXT)
    return {"intervals": raw.append_column(f"{GIVEN}primary_identifier", primary)}


def finish_intervals(pieces: Mapping[str, list[pa.Table]]) -> dict[str, pd.DataFrame]:
    """Return the frame ``intervals``; whose connection it is, is filled by whoever asked."""
    columns = typed_columns(_INTERVALS, pieces.get("intervals", []))
    return {"intervals": frame_of(_INTERVALS.table, columns)}

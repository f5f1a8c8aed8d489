"""How a value that was given stands in an error message: whole where it is short, by what it is where it is not.

A frame or a row printed whole hides the sentence around it, and shows rows that nobody asked to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES

__all__ = ["is_text", "shown"]

_LONGEST: Final = 80
_TABLES: Final = {frozenset(table.names): name for name, table in (TABLES | OTHER_TABLES).items()}


def is_text(value: object) -> bool:
    """Say whether a value is a text that can be kept and sent: no lone surrogate in it."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """Return how `value` is called in an error message.

    Examples
    --------
    >>> shown("Mill"), shown(7)
    ("'Mill'", '7')
    >>> shown(pd.DataFrame({"a": range(900)}))
    'a frame of 900 rows'
    """
    if isinstance(value, pd.DataFrame):
        name = _table(value.columns)
        return f"a frame of {len(value)} {name or 'rows'}" if len(value) != 1 else _row(name)
    if isinstance(value, pd.Series):
        return _row(name) if (name := _table(value.index)) else f"a Series of {len(value)} values"
    if hasattr(value, "_asdict"):
        return _row(_table(getattr(value, "_fields", ())))
    if isinstance(value, Mapping):
        return _row(name) if (name := _table(value)) else "a mapping"
    text = repr(value)
    if isinstance(value, str):
        return text if len(text) <= _LONGEST else f"{value[:_LONGEST]!r}..."
    return text if len(text) <= _LONGEST and "\n" not in text else f"a {type(value).__name__}"


def _row(table: str) -> str:
    return f"a row of {table}" if table else "a row"


def _table(names: Iterable[object]) -> str:
    """Return the table whose columns these are; ``Index`` is what ``itertuples`` puts before them."""
    return _TABLES.get(frozenset(str(name) for name in names if name != "Index"), "")

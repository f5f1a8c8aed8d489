"""Spreadsheet cells: which text would act as a formula, and how a column's values are stored.

The only place that knows what a spreadsheet evaluates. `files` decides where the cells are written.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_TEXT", "Value", "acts_as_formula", "flat", "harmless", "plain_days", "values"]

#: What a cell may hold; timestamps are in UTC.
Value: TypeAlias = str | bool | int | float | date | datetime | None

#: The longest text an Excel cell can hold.
MOST_TEXT: Final = 32_767

#: A spreadsheet evaluates cells that begin like this. Some programs strip tabs and line ends first, and some treat the
#: full-width signs of East Asian keyboards like the ASCII ones.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Characters that a workbook's XML cannot hold.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Excel's calendar is off by one before this day: it has a February 29, 1900.
_FIRST_DAY: Final = date(1900, 3, 1)


def acts_as_formula(text: str) -> bool:
    """Return True when a spreadsheet may evaluate `text` if it is typed in or read from CSV.

    Examples
    --------
    >>> acts_as_formula("=1+1"), acts_as_formula("  @SUM(A1)"), acts_as_formula("a=b")
    (True, True, False)
    """
    return text.lstrip(" ").startswith(_FORMULA)


def harmless(text: str) -> str:
    """Return `text` safe for CSV: with an apostrophe in front if it would act as a formula.

    Examples
    --------
    >>> harmless("-1"), harmless("1-2")
    ("'-1", '1-2')
    """
    return f"'{text}" if acts_as_formula(text) else text


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with named index levels as columns, and all column names as strings.

    Raises
    ------
    DataError
        Two columns have the same name: a reader would lose one of them.
    """
    named = [name for name in frame.index.names if name is not None]
    unnamed = [level for level, name in enumerate(frame.index.names) if name is None]
    table = frame.reset_index(level=unnamed, drop=True) if unnamed and named else frame
    table = table.reset_index(allow_duplicates=True) if named else table.reset_index(drop=True)
    names = pd.Index([str(name) for name in table.columns.to_flat_index()])
    if names.has_duplicates:
        raise DataError(
            f"The frame has two columns called {names[names.duplicated()][0]!r}.", advice="Rename one of them."
        )
    return table.set_axis(names, axis=1)


def plain_days(column: pd.Series) -> bool:
    """Return True when a column holds civil dates: no times of day, no time zone."""
    if not pd.api.types.is_datetime64_dtype(column.dtype):
        return False
    return bool((column.dropna() == column.dropna().dt.normalize()).all())


def values(column: pd.Series) -> Sequence[Value]:
    """Return a column's values as Excel stores them: numbers as numbers, dates as dates, missing as None.

    Raises
    ------
    DataError
        An infinite number, or a text too long for a cell.
    """
    dtype = column.dtype
    known = column.notna().to_numpy()
    if pd.api.types.is_bool_dtype(dtype):
        return [bool(value) if there else None for value, there in zip(column, known, strict=True)]
    if pd.api.types.is_numeric_dtype(dtype):
        whole = pd.api.types.is_integer_dtype(dtype)
        if not whole and np.isinf(column.to_numpy(dtype="float64", na_value=np.nan)).any():
            raise DataError(
                f"The column {column.name} has an infinite number, which no Excel cell can hold.",
                advice="Set it to missing, or save the frame as CSV or Parquet.",
            )
        kind = int if whole else float
        return [kind(value) if there else None for value, there in zip(column, known, strict=True)]
    if isinstance(dtype, pd.DatetimeTZDtype):
        return [_day_or_text(value.to_pydatetime().astimezone(UTC)) if there else None
                for value, there in zip(column.dt.floor("ms"), known, strict=True)]  # fmt: skip
    if pd.api.types.is_datetime64_dtype(dtype):
        days = plain_days(column)
        return [_day_or_text(value.date() if days else value.to_pydatetime()) if there else None
                for value, there in zip(column.dt.floor("ms"), known, strict=True)]  # fmt: skip
    return [_value(value, str(column.name)) if there else None for value, there in zip(column, known, strict=True)]


def _value(value: object, column: str) -> Value:
    if isinstance(value, (bool, int, float, datetime, date)):
        return value
    if isinstance(value, (Real, Decimal)):
        return float(value)
    text = _ILLEGAL.sub("", str(value))
    if len(text) > MOST_TEXT:
        raise DataError(
            f"The column {column} has a text of {len(text):,} characters; an Excel cell holds {MOST_TEXT:,}.",
            advice="Leave the column out, or save the frame as CSV or Parquet.",
        )
    return text


def _day_or_text(value: date | datetime) -> Value:
    """Return the value, or its text if it is too early for Excel's calendar."""
    day = value.date() if isinstance(value, datetime) else value
    return value if day >= _FIRST_DAY else value.isoformat()

"""Cells of a spreadsheet: which text would act as a formula, and what a column's values are there.

The one place that knows what a spreadsheet calculates. Which file they go to is decided in `files`.
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

#: What a cell may hold; a moment in time carries UTC.
Value: TypeAlias = str | bool | int | float | date | datetime | None

#: The longest text of an Excel cell.
MOST_TEXT: Final = 32_767

#: How a cell begins that a spreadsheet calculates; tab and line ends are stripped by some before they look, and some
#: read the wide signs of East Asian keyboards as the narrow ones.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Marks that the XML of a workbook cannot hold.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Before this day two calendars of Excel disagree.
_FIRST_DAY: Final = date(1900, 3, 1)


def acts_as_formula(text: str) -> bool:
    """Say whether a spreadsheet may calculate `text` where it is typed or read from CSV.

    Examples
    --------
    >>> acts_as_formula("=1+1"), acts_as_formula("  @SUM(A1)"), acts_as_formula("a=b")
    (True, True, False)
    """
    return text.lstrip(" ").startswith(_FORMULA)


def harmless(text: str) -> str:
    """Return `text` as CSV may hold it: with an apostrophe before what would act as a formula.

    Examples
    --------
    >>> harmless("-1"), harmless("1-2")
    ("'-1", '1-2')
    """
    return f"'{text}" if acts_as_formula(text) else text


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` with a named index among its columns, and every column called by a text.

    Raises
    ------
    DataError
        Two columns of one name: a reader would lose one of them.
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
    """Say whether a column holds civil dates: days without a time or a zone."""
    if not pd.api.types.is_datetime64_dtype(column.dtype):
        return False
    return bool((column.dropna() == column.dropna().dt.normalize()).all())


def values(column: pd.Series) -> Sequence[Value]:
    """Return a column's values as an Excel cell takes them: numbers as numbers, dates as dates, missing as None.

    Raises
    ------
    DataError
        An infinite number, or a text longer than a cell holds.
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
    """Return one value of a column that may hold anything."""
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
    """Return a day as it is, or as text where Excel's calendar does not reach."""
    day = value.date() if isinstance(value, datetime) else value
    return value if day >= _FIRST_DAY else value.isoformat()

"""What every computation asks of a frame before it computes, and how it reports what it left out.

Frames come from the client, or from a CSV read by hand: text may be ``object``, dates may be text, optional
columns may be absent. These functions hand out plain arrays and typed columns, never change the frame they
read, and raise :class:`~nectar_notebooks.errors.DataError` that names the column, the rows and what to check.
No rule of the methodology stands here.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from numbers import Number
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import numpy.typing as npt


__all__ = [
    "PORTFOLIO",
    "TEXT",
    "choose",
    "counted",
    "days",
    "distinct",
    "factorize",
    "flags",
    "has_word",
    "left_out",
    "named_rows",
    "numbers",
    "report",
    "require",
    "stack",
    "text",
]

Scalar: TypeAlias = "str | int | float | bool | None"

_MISSING = pd.array([np.nan], dtype=TEXT)

_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0", ""})
_SHOWN = 5
#: From here on a float64 no longer tells neighbouring integers apart.
_EXACT = 2.0**53
_DAY = len("2024-01-31")
_ZONE = re.compile(r"(?<=:\d\d)(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$")


#: What to give to a computation that takes a portfolio or its usage.
PORTFOLIO = "Give it a portfolio, as nectar.portfolio(company) returns it, or the usage in it."


def require(frame: pd.DataFrame, columns: Iterable[str], what: str, *, instead: str | None = None) -> None:
    """Raise `DataError` when `frame` lacks one of `columns`.

    `what` names the frame for the reader, `instead` says what should have been given.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{what} must be a DataFrame, not {type(frame).__name__}.", advice=instead)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(
            f"{what} lacks {'the column' if len(missing) == 1 else 'the columns'} {', '.join(missing)}.",
            advice=f"{instead or 'Rename your columns to these names.'} This frame has: "
            f"{', '.join(map(str, frame.columns))}.",
        )
    doubled = frame.columns[frame.columns.duplicated()].tolist()
    if doubled:
        raise DataError(f"{what} has two columns named {doubled[0]}.", advice="Rename one of them.")


def distinct(frame: pd.DataFrame, key: str, what: str) -> None:
    """Raise `DataError` where an id of the column `key` stands on several rows; missing ids are none."""
    ids = text(frame, key)
    if ids.is_unique:
        return
    doubled = ids.duplicated(keep=False).to_numpy() & ids.notna().to_numpy()
    if doubled.any():
        names = ids[doubled].drop_duplicates()
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        stand = "stands" if len(names) == 1 else "stand"
        raise DataError(
            f"{what}: {key} {', '.join(names.head(_SHOWN))}{more} {stand} on several rows.",
            advice="Keep one row for each.",
        )


def choose(name: str, value: str, allowed: Sequence[str]) -> str:
    """Return `value` if `allowed`, else raise `InvalidRequestError` that lists what is."""
    if value not in allowed:
        raise InvalidRequestError(f"{name}={value!r} is not known.", advice=f"Use {' or '.join(allowed)}.")
    return value


def numbers(frame: pd.DataFrame, name: str, what: str) -> npt.NDArray[np.float64]:
    """Return a column as float64 (NaN for missing); all NaN where the frame has no such column.

    Raises
    ------
    DataError
        A text that is no number, or an infinite value; the rows are named.
    """
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        told = column.astype(object)
        if pd.api.types.infer_dtype(told, skipna=True) in ("boolean", "mixed", "mixed-integer"):
            told = told.map(lambda value: "" if isinstance(value, (bool, np.bool_)) else value)  # no quantity
        known = pd.to_numeric(told, errors="coerce")
        values = np.asarray(known.to_numpy(dtype=np.float64, na_value=np.nan))
        bad = np.isnan(values) & column.notna().to_numpy()
        if bad.any():
            raise DataError(
                f"{what}: {name} is no number in {named_rows(frame, bad)}.",
                advice="Numbers are written 1234.5, without thousands separators or units.",
            )
    infinite = np.isinf(values)
    if infinite.any():
        raise DataError(f"{what}: {name} is infinite in {named_rows(frame, infinite)}.")
    return values


def _far_day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _without_zone(value: object) -> object:
    """Return text, or a moment, without its time zone: one column may have several, as on both sides of a change."""
    if isinstance(value, str):
        return _ZONE.sub("", value) if len(value) > _DAY else value
    return value.replace(tzinfo=None) if isinstance(value, datetime) and not pd.isna(value) else value


def _refuse_numbers(frame: pd.DataFrame, column: pd.Series, name: str, what: str) -> None:
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "date", "datetime", "empty"):
        return
    bad = np.array([isinstance(value, (Number, np.bool_)) for value in column], dtype=bool) & column.notna().to_numpy()
    if bad.any():
        raise DataError(
            f"{what}: {name} is a number, not a date, in {named_rows(frame, bad)}.",
            advice="20240131 could be a day, or seconds since 1970: convert it first, as with"
            ' pandas.to_datetime(column.astype(str), format="%Y%m%d").',
        )


def days(frame: pd.DataFrame, name: str, what: str) -> npt.NDArray[np.datetime64]:
    """Return a column as civil days (``datetime64[D]``, NaT for missing or for an absent column).

    A time of day is cut off; a time zone is dropped, not converted: a bill's days are civil days.

    Raises
    ------
    DataError
        A text that is no ISO date, or a number, which may count anything; the rows are named.
    """
    if name not in frame.columns:
        return np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[D]")
    column = frame[name]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    if not (isinstance(column.dtype, np.dtype) and column.dtype.kind == "M"):
        column = column.astype(object)
        _refuse_numbers(frame, column, name, what)
        column = column.map(_without_zone)
        parsed = pd.to_datetime(column, format="ISO8601", errors="coerce")
        bad = (parsed.isna() & column.notna()).to_numpy()
        if bad.any():
            # pandas 2 reads nanoseconds only and ends in 2262: what it cannot read may be a day all the same.
            far = [_far_day(value) for value in column[bad]]
            if all(day is not None for day in far):
                found = parsed.to_numpy().astype("datetime64[D]")
                found[bad] = np.array(far, dtype="datetime64[D]")
                return found
        if bad.any():
            raise DataError(
                f"{what}: {name} is no date in {named_rows(frame, bad)}.",
                advice="Dates are written 2024-01-31; convert others with pandas.to_datetime first.",
            )
        column = parsed.dt.tz_localize(None) if isinstance(parsed.dtype, pd.DatetimeTZDtype) else parsed
    return column.to_numpy().astype("datetime64[D]")


def text(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as text; all missing where the frame has no such column. Whole numbers stay whole."""
    if name not in frame.columns:
        return pd.Series(_MISSING.take(np.zeros(len(frame), dtype=np.int64)), index=frame.index, name=name)
    column = frame[name]
    if column.dtype == TEXT:
        return column
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        whole = column.dropna()
        if (whole.abs() >= _EXACT).any():
            raise DataError(
                f"{name} holds numbers of more digits than a float keeps, so that different ones may look the same.",
                advice="Read the column as text, as with pandas.read_csv(path, dtype=str).",
            )
        if (whole == whole.round()).all():
            column = column.astype("Int64")
    return column.astype(TEXT)


def factorize(frame: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """Return each row's place in the column's sorted distinct values (-1 for missing), and these as text."""
    if name not in frame.columns:
        return np.full(len(frame), -1), pd.Series(dtype=TEXT)
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, values = _words_used(column)
        if values.is_monotonic_increasing:
            return codes, values
    else:
        codes, distinct = pd.factorize(text(frame, name))
        values = pd.Series(distinct, dtype=TEXT)
    order = values.argsort().to_numpy()
    rank = np.empty(len(order) + 1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return rank[codes], values.iloc[order].reset_index(drop=True)


def has_word(frame: pd.DataFrame, name: str, words: Collection[str]) -> npt.NDArray[np.bool_]:
    """Say which rows have one of these words in a column of few distinct ones; a missing one is none of them."""
    codes, values = factorize(frame, name)
    return np.append(values.isin(list(words)).to_numpy(dtype=bool), False)[codes]


def _words_used(column: pd.Series) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """Return each row's place among the categories, as text, that rows have (-1 for missing)."""
    rows = column.cat.codes.to_numpy().astype(np.int64)
    words = column.cat.categories
    used = np.bincount(rows + 1, minlength=len(words) + 1)[1:] > 0
    if words.dtype == TEXT and used.all():
        return rows, pd.Series(words.array, dtype=TEXT)
    place, distinct = pd.factorize(words[used].astype(TEXT))
    of_category = np.full(len(words) + 1, -1)
    of_category[:-1][used] = place
    return of_category[rows], pd.Series(distinct, dtype=TEXT)


def flags(frame: pd.DataFrame, name: str, what: str, *, missing: bool) -> npt.NDArray[np.bool_]:
    """Return a column as booleans, with `missing` where it says nothing or is absent.

    Raises
    ------
    DataError
        A text that is neither yes nor no; the rows are named.
    """
    if name not in frame.columns:
        return np.full(len(frame), missing)
    column = frame[name]
    if column.dtype == "boolean":
        return np.asarray(column.to_numpy(dtype=bool, na_value=missing))
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "b":
        return column.to_numpy(dtype=bool)
    words = column.astype(TEXT).str.strip().str.lower()
    unknown = words.isna().to_numpy()
    yes = words.isin(_TRUE).to_numpy(dtype=bool)
    bad = ~(yes | unknown | words.isin(_FALSE).to_numpy(dtype=bool))
    if bad.any():
        raise DataError(
            f"{what}: {name} is neither true nor false in {named_rows(frame, bad)}.",
            advice="Flags are True, False or missing.",
        )
    return np.where(unknown, missing, yes)


def named_rows(frame: pd.DataFrame, chosen: npt.NDArray[np.bool_]) -> str:
    """Return words that name the chosen rows: by the frame's id columns, else by their position."""
    places = np.flatnonzero(chosen)
    ids = [name for name in ("usage_id", "line_item_id", "demand_id", "bill_id", "meter_id") if name in frame]
    shown = []
    for place in places[:_SHOWN]:
        values = [f"{name} {frame[name].iloc[place]}" for name in ids if pd.notna(frame[name].iloc[place])]
        shown.append(", ".join(values[:2]) if values else f"row {place} (counted from 0)")
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return "; ".join(shown) + more


def counted(frame: pd.DataFrame, what: str) -> npt.NDArray[np.bool_]:
    """Return which rows sums take: all but those whose `counts` is known to be false."""
    return flags(frame, "counts", what, missing=True)


def left_out(frame: pd.DataFrame, kept: npt.NDArray[np.bool_], default: str) -> dict[str, int]:
    """Return how many rows are not `kept`, by their `counts_reason` (or `default` where it is silent)."""
    if kept.all():
        return {}
    reasons = text(frame, "counts_reason")[~kept].fillna(default).value_counts().sort_index()
    return {str(reason): int(number) for reason, number in reasons.items()}


def report(frame: pd.DataFrame, what: str, out: Mapping[str, int], **facts: Scalar) -> pd.DataFrame:
    """Write into ``frame.attrs["nectar"]`` what was computed and what was left out; return the frame.

    The entry holds JSON scalars only: ``computed``, the `facts`, ``left_out`` (rows) and one
    ``left_out: <reason>`` for each reason.
    """
    frame.attrs = {
        "nectar": {
            "computed": what,
            **facts,
            "left_out": sum(out.values()),
            **{f"left_out: {reason}": number for reason, number in sorted(out.items())},
        }
    }
    return frame


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts, which have the columns of the first.

    Column by column, and without parts that have no row: pandas 2 warns of columns that are wholly missing or empty.
    """
    columns = parts[0].columns
    parts = [part for part in parts if len(part)] or parts[:1]
    return pd.DataFrame({name: pd.concat([part[name] for part in parts], ignore_index=True) for name in columns})

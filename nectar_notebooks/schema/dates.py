"""What a person writes as a date: a day, or a month, quarter or year meaning all of it. Nothing is guessed.

Civil days without a zone. Questions about days are `schema.filters`; months of a computation, `time.window`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.naming import shown

__all__ = ["Day", "day_or_month", "days_of", "days_within_reach", "first_day"]

#: A day, or a whole month, quarter or year: text, date, timestamp, period, or what the array of a column of days holds.
Day: TypeAlias = str | date | datetime | np.datetime64 | pd.Timestamp | pd.Period

#: The years that a computation may be asked about: beyond them a date is a slip, and its months are too many.
_FIRST_YEAR, _LAST_YEAR = 1800, 2200
_YEAR: Final = re.compile(r"\d{4}")
_QUARTER: Final = re.compile(r"\d{4}-?[Qq][1-4]")
_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def day_or_month(given: Day, name: str) -> pd.Period:
    """Return the days that an argument called `name` means.

    Raises
    ------
    InvalidRequestError
        Text that is none of ``2024-01-31``, ``2024-01``, ``2024-Q1`` and ``2024``, a number, or anything else.
    """
    if isinstance(given, pd.Period) and 1 <= given.year <= 9999:
        return given
    if isinstance(given, np.datetime64):
        given = str(given.astype("datetime64[D]"))
    if isinstance(given, date) and not pd.isna(given):  # a datetime and a Timestamp are dates too
        return pd.Period(f"{given.year:04}-{given.month:02}-{given.day:02}", freq="D")
    if isinstance(given, str):
        text = given.strip()
        for pattern, freq in ((_MONTH, "M"), (_DAY, "D"), (_QUARTER, "Q"), (_YEAR, "Y")):
            if pattern.fullmatch(text):
                try:
                    return pd.Period(text, freq=freq)
                except ValueError:
                    break
    raise InvalidRequestError(
        f"{name}={shown(given)} is no date: write a day as '2024-01-31', or a whole month, quarter or year as"
        " '2024-01', '2024-Q1' or '2024'."
    )


def days_of(given: Day, name: str) -> tuple[np.datetime64, np.datetime64]:
    """Return first and last day of what an argument means.

    Examples
    --------
    >>> [str(day) for day in days_of("2024-02", "month")]
    ['2024-02-01', '2024-02-29']
    """
    period = day_or_month(given, name)
    first, last = (np.datetime64(period.asfreq("D", how=how).ordinal, "D") for how in ("start", "end"))
    return first, last


def first_day(given: Day, name: str) -> pd.Timestamp:
    """Return a day, or the first of a month; a period that is longer, or of a year without bills, is refused.

    Examples
    --------
    >>> first_day("2024-02", "month")
    Timestamp('2024-02-01 00:00:00')
    """
    first, last = days_within_reach(given, name)
    if (first.year, first.month) != (last.year, last.month):
        raise InvalidRequestError(f"{name}={given!r} is longer than a month.", advice="Write one month, as 2024-01.")
    return first


def days_within_reach(given: Day, name: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return first and last day of what an argument means; a year without bills is refused."""
    first, last = map(pd.Timestamp, days_of(given, name))
    if not (first.year >= _FIRST_YEAR and last.year <= _LAST_YEAR):
        raise InvalidRequestError(f"{name}={given!r} is of no year that bills are of: {_FIRST_YEAR} to {_LAST_YEAR}.")
    return first, last

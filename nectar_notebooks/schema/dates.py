"""What a person writes as a date: a day, or a month meaning all of it. Nothing is guessed.

Civil days without a zone. Windows of days are `client.dates`; months of a computation, `methodology.window`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError

__all__ = ["Day", "day_or_month", "days_of", "first_day"]

#: A day or a month, as text, date, timestamp, period, or what the array of a column of days holds.
Day: TypeAlias = str | date | datetime | np.datetime64 | pd.Timestamp | pd.Period

_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def day_or_month(given: Day, name: str) -> pd.Period:
    """Return the days that an argument called `name` means.

    Raises
    ------
    InvalidRequestError
        Text that is neither ``2024-01-31`` nor ``2024-01``, a number, or anything else that is no date.
    """
    if isinstance(given, pd.Period):
        return given
    if isinstance(given, np.datetime64):
        given = pd.Timestamp(given)
    if isinstance(given, date) and not pd.isna(given):  # a datetime and a Timestamp are dates too
        return pd.Period(given.strftime("%Y-%m-%d"), freq="D")
    if isinstance(given, str):
        text = given.strip()
        for pattern, freq in ((_MONTH, "M"), (_DAY, "D")):
            if pattern.fullmatch(text):
                try:
                    return pd.Period(text, freq=freq)
                except ValueError:
                    break
    raise InvalidRequestError(
        f"{name}={given!r} is no date: write a day as '2024-01-31' or a whole month as '2024-01'."
    )


def days_of(period: pd.Period) -> tuple[np.datetime64, np.datetime64]:
    """Return the first and the last day of a period: of any year, where its timestamps end with nanoseconds.

    Examples
    --------
    >>> days_of(pd.Period("9999-02", freq="M"))
    (np.datetime64('9999-02-01'), np.datetime64('9999-02-28'))
    """
    first, last = period.asfreq("D", how="start"), period.asfreq("D", how="end")
    return np.datetime64(first.ordinal, "D"), np.datetime64(last.ordinal, "D")


def first_day(given: Day, name: str) -> pd.Timestamp:
    """Return a day, or the first of a month; a period that is longer is refused.

    Examples
    --------
    >>> first_day("2024-02", "month")
    Timestamp('2024-02-01 00:00:00')
    """
    first, last = map(pd.Timestamp, days_of(day_or_month(given, name)))
    if (first.year, first.month) != (last.year, last.month):
        raise InvalidRequestError(f"{name}={given!r} is longer than a month.", advice="Write one month, as 2024-01.")
    return first

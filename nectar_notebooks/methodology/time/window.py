"""Which day is today, and which month a figure of twelve months ends with, when nobody says: the last that is whole.

The newest months are always covered in part, because bills come after their period; a year that ended with
them would compare and divide what is not there yet.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from nectar_notebooks.clock import SystemClock
from nectar_notebooks.methodology.frames import numbers, text
from nectar_notebooks.methodology.time.spans import day_of_month
from nectar_notebooks.schema.dates import days_within_reach, first_day
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    import pandas as pd

    from nectar_notebooks.methodology.time.spans import Whole
    from nectar_notebooks.schema.dates import Day

#: Months whose bills may still be to come: every second month billed, a month to bill it.
_NEWEST = 3

__all__ = ["day_number", "last_whole_month", "month_number", "today_number"]


def month_number(value: Day, name: str) -> int:
    """Return the month an argument names as months since 1970-01: of a quarter or year the first, as `end` the last."""
    first, last = days_within_reach(value, name)
    stamp = last if name == "end" else first
    return (stamp.year - 1970) * 12 + stamp.month - 1


def day_number(value: Day, name: str) -> int:
    """Return the day an argument names as days since 1970: the first, as `end` the last; `today` is no year."""
    first, last = (first_day(value, name),) * 2 if name == "today" else days_within_reach(value, name)
    return int((last if name == "end" else first).to_datetime64().astype("datetime64[D]").astype("int64"))


def today_number(today: Day | None, given: object) -> int:
    """Return today as days since 1970: the argument, else the day a portfolio was answered on, else the system's.

    `given` is what a computation was given: where it is a portfolio that says when it was answered, that is today.
    """
    if today is None:
        as_of = getattr(given, "as_of", None)
        today = as_of.date() if isinstance(as_of, datetime) else SystemClock().today()
    return day_number(today, "today")


def last_whole_month(monthly: pd.DataFrame, month: Whole) -> int:
    """Return the last month in which at least half of the rows cover all of its days.

    Parameters
    ----------
    monthly : DataFrame
        ``days_covered``, ``commodity`` where they stand. Hauled commodities and rows that cover no day (charges
        alone) say nothing.
    month : array of int64
        The month of each row. Without ``days_covered``, or where none of the last three months is whole, the
        last one is returned.
    """
    if not len(month):
        return 0
    covered = numbers(monthly, "days_covered", "monthly")
    says = (covered > 0) & ~text(monthly, "commodity").isin(HAULED).to_numpy(dtype=bool)
    low = int(month.min())
    rows = np.bincount(month[says] - low, minlength=1)
    whole = says & (covered >= day_of_month(month + 1) - day_of_month(month))
    complete = np.bincount(month[whole] - low, minlength=len(rows))
    good = np.flatnonzero((rows > 0) & (2 * complete >= rows))
    last = int(month.max())
    return low + int(good[-1]) if len(good) and low + int(good[-1]) > last - _NEWEST else last

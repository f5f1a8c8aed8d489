"""How the records themselves count days: whether a period ends on the day on which the next begins.

The one place where this is found; `issues` tells it, `load_factor` and `readiness` count by it. Records follow each
other within one series: one meter, subtype, direction of net metering and exclusion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.checks import choose, counted, factorize, flags, has_word
from nectar_notebooks.methodology.periods import CONVENTIONS
from nectar_notebooks.methodology.spans import HAULED, MISSING_DAY, neighbours, service_days

if TYPE_CHECKING:
    from nectar_notebooks.methodology.periods import Convention
    from nectar_notebooks.methodology.spans import Truth, Whole

__all__ = ["boundary_days", "convention_of", "fitting", "known_convention", "last_day", "series_of"]


def convention_of(usage: pd.DataFrame, asked: Convention | None = None) -> Convention:
    """Return the convention asked for, else the one that fits usage records.

    "exclusive" where more than half of the neighbouring periods share their boundary day, else "inclusive", also
    where the frame has no periods to tell it by.
    """
    if asked is not None:
        return known_convention(asked)
    if not {"meter_id", "start_date", "end_date"} <= set(usage.columns):
        return "inclusive"
    start, end = period = service_days(usage, "usage")
    known = counted(usage, "usage") & (start != MISSING_DAY) & (end >= start)
    series = np.where(known, series_of(usage), -1)
    ties = usage if "usage_id" in usage else usage.assign(usage_id=np.nan)
    earlier, later = neighbours(series, start, end, ties, "usage_id").pairs()
    hauled = has_word(usage, "commodity", HAULED)[later]
    return fitting(period, earlier, later, hauled)


def known_convention(asked: Convention) -> Convention:
    """Return a convention that is one, else raise `InvalidRequestError`."""
    choose("convention", asked, CONVENTIONS)
    return asked


def fitting(period: tuple[Whole, Whole], earlier: Whole, later: Whole, hauled: Truth) -> Convention:
    """Return the convention that fits neighbouring records, given as for `boundary_days`."""
    return "exclusive" if boundary_days(period, earlier, later, hauled)[1] else "inclusive"


def boundary_days(period: tuple[Whole, Whole], earlier: Whole, later: Whole, hauled: Truth) -> tuple[Truth, bool]:
    """Say which neighbouring records share their boundary day alone, and whether most do, so that it is the rule.

    `period` are first and last day of every record, `earlier` and `later` row numbers of neighbours, of which
    those that are `hauled` say nothing.
    """
    start, end = period
    equal = (start[earlier] == start[later]) & (end[earlier] == end[later])
    boundary: Truth = (end[earlier] == start[later]) & ~equal & ~hauled
    return boundary, int(boundary.sum()) * 2 > int((~hauled).sum())


def last_day(start: Whole, end: Whole, convention: Convention) -> Whole:
    """Return the day up to which a period has whole days by a convention, so that last - start + 1 is its length.

    A period of half days at both ends is as long as one that leaves out its last day; a day is never left out
    of a record of one day.
    """
    return end if convention == "inclusive" else np.where(end > start, end - 1, end)


def series_of(usage: pd.DataFrame) -> Whole:
    """Return the number of each record's series: one meter, subtype, direction and exclusion (-1: no meter)."""
    meter, _ = factorize(usage, "meter_id")
    total = meter.copy()
    for name in ("commodity", "subtype", "net_metering"):
        codes, values = factorize(usage, name)
        total = total * (len(values) + 1) + codes + 1
    total = total * 2 + flags(usage, "exclusion", "usage", missing=False)
    return np.where(meter < 0, -1, pd.factorize(total)[0]).astype(np.int64)

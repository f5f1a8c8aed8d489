"""What a person writes as a date: a day, or a month meaning all of it.

Civil days without a zone; timestamps are compared in UTC elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError

__all__ = ["Day", "Window"]

#: A day or a month, as text, date, timestamp or period.
Day: TypeAlias = str | date | datetime | pd.Timestamp | pd.Period

_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _period(given: Day, name: str) -> pd.Period:
    if isinstance(given, pd.Period):
        return given
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


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `start` to `end`, both counted; None is open.

    Examples
    --------
    >>> Window.of("2024-01", "2024-02").end
    Timestamp('2024-02-29 00:00:00')
    """

    start: pd.Timestamp | None
    end: pd.Timestamp | None

    @classmethod
    def of(cls, start: Day | None, end: Day | None) -> Window:
        """Read `start` and `end`; what cannot be read, or ends before it starts, is an error."""
        first = None if start is None else _period(start, "start").start_time.normalize()
        last = None if end is None else _period(end, "end").end_time.normalize()
        if first is not None and last is not None and last < first:
            raise InvalidRequestError(f"end={end!r} lies before start={start!r}: exchange them.")
        return cls(first, last)

    @property
    def open(self) -> bool:
        """Say whether any day is inside."""
        return self.start is None and self.end is None

    def overlaps(self, first: pd.Series, last: pd.Series) -> pd.Series:
        """Say which periods share a day with the window; a missing end is the start."""
        last = last.fillna(first)
        inside = first.notna()
        if self.start is not None:
            inside &= last >= self.start
        if self.end is not None:
            inside &= first <= self.end
        return inside

    def contains(self, moments: pd.Series) -> pd.Series:
        """Say which days, or moments in UTC, lie inside; `end` means all of its day."""
        zone = getattr(moments.dtype, "tz", None)
        inside = moments.notna()
        if self.start is not None:
            inside &= moments >= self.start.tz_localize(zone)
        if self.end is not None:
            inside &= moments < (self.end + pd.Timedelta(days=1)).tz_localize(zone)
        return inside

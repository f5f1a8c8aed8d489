"""Windows of days: from a day or month to another, both counted. How one is written stands in `schema.dates`."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import Day, days_of

__all__ = ["Day", "Window"]


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
        first = None if start is None else pd.Timestamp(days_of(start, "start")[0])
        last = None if end is None else pd.Timestamp(days_of(end, "end")[1])
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

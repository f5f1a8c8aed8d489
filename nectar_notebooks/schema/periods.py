"""Service periods that cannot be: the one home of the rule and of its words.

A period that ends before it starts, or that lies outside the days bills can be of, counts for nothing: one record
that ends in 9999 would make 96,054 months. `tables` marks what was fetched by it, `methodology` what it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from nectar_notebooks.clock import SystemClock
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import Day, days_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Days: TypeAlias = npt.NDArray[np.datetime64]

__all__ = ["BACKWARD", "FIRST_DAY", "WHOLE", "Plausible", "Span", "of_period"]

#: First and last day, or month, that a service period may have; None for the default of either.
Plausible: TypeAlias = tuple[Day | None, Day | None]

#: No earlier day is a bill's: dates that were lost become 1900, 1970 or 1980 in one system or another, and bills that
#: old are in none.
FIRST_DAY: Final = date(1990, 1, 1)

#: The share of its expected days from which a month is complete: billed by the calendar, a day or so may be lacking.
WHOLE: Final = 0.97

#: Why a record does not count.
BACKWARD: Final = "period ends before it starts"
_OUTSIDE: Final = "period outside "


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a service period may have, the first and the last counted."""

    first: np.datetime64
    last: np.datetime64

    @classmethod
    def of(cls, plausible: Plausible | None = None, today: date | None = None) -> Span:
        """Return the span that an argument `plausible` means.

        By default from `FIRST_DAY` to the end of the year after `today` (by default the system's day): a bill that is
        paid ahead ends at most a year after it was written.

        Raises
        ------
        InvalidRequestError
            Not two days or months, or the first lies after the last.

        Examples
        --------
        >>> Span.of(today=date(2026, 1, 16)).outside
        'period outside 1990-01-01 to 2027-12-31'
        """
        day = SystemClock().today() if today is None else today
        if plausible is not None and (isinstance(plausible, str) or len(plausible) != 2):
            raise InvalidRequestError(
                f"plausible={plausible!r} is no pair of days.", advice="Give the first and the last day, or None."
            )
        first, last = plausible or (None, None)
        low = np.datetime64(FIRST_DAY) if first is None else days_of(first, "plausible")[0]
        high = np.datetime64(date(day.year + 1, 12, 31)) if last is None else days_of(last, "plausible")[1]
        span = cls(low, high)
        if span.first > span.last:
            raise InvalidRequestError(f"plausible: {span.first} lies after {span.last}.")
        return span

    @property
    def outside(self) -> str:
        """Return why a record with a day outside does not count."""
        return f"{_OUTSIDE}{self.first} to {self.last}"

    def holds(self, start: Days, end: Days) -> npt.NDArray[np.bool_]:
        """Say which periods can be; a missing day says nothing against one."""
        return ~(self.misses(start, end) | (end < start))

    def misses(self, start: Days, end: Days) -> npt.NDArray[np.bool_]:
        """Say which periods have a day outside."""
        return (start < self.first) | (start > self.last) | (end < self.first) | (end > self.last)


def of_period(reason: object) -> bool:
    """Say whether a reason for which a row does not count is its period.

    Examples
    --------
    >>> of_period(BACKWARD), of_period("superseded")
    (True, False)
    """
    return isinstance(reason, str) and (reason == BACKWARD or reason.startswith(_OUTSIDE))

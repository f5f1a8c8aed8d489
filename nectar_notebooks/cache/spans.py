"""What a narrow question is about: a site, days, or both; how the API is asked for it, and what else that answers.

Nothing here asks anybody. Which rows a question chooses is the client's business; a span only says from which lists
they can be had, and whether rows that are kept hold them all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

__all__ = ["Span"]

_DATE_TYPES: Final = {
    "service_period": "USAGE_PERIOD",
    "bill_date": "BILL_DATE",
    "created": "CREATED_DATE",
    "updated": "UPDATED_DATE",
}
#: Days of these are UTC days, and whether the last one's own rows are returned is not settled: one more is asked for.
_CUT_AT_MIDNIGHT: Final = ("created", "updated")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a company's bills and usage.

    Parameters
    ----------
    by : str
        What the days are compared with: ``service_period``, ``bill_date``, ``created`` or ``updated``.
    start, end : date, optional
        Days, both counted; without them all.
    site_id : str, optional
        Only what has usage there.
    bills : bool
        Whether bills without usage are in it too; else only the bills that its usage names.

    Examples
    --------
    >>> year = Span("bill_date", date(2025, 1, 1), date(2025, 12, 31))
    >>> year.covers(Span("bill_date", date(2025, 3, 1), date(2025, 3, 31), "s1"))
    True
    """

    by: str
    start: date | None = None
    end: date | None = None
    site_id: str | None = None
    bills: bool = True

    @property
    def open(self) -> bool:
        """Say whether any day is in it."""
        return self.start is None and self.end is None

    def covers(self, other: Span) -> bool:
        """Say whether every row of `other` is in this span."""
        return (
            self.site_id in (None, other.site_id)
            and (self.bills or not other.bills)
            and (self.open or (self.by == other.by and self._holds(other)))
        )

    def _holds(self, other: Span) -> bool:
        from_then = self.start is None or (other.start is not None and self.start <= other.start)
        until_then = self.end is None or (other.end is not None and other.end <= self.end)
        return from_then and until_then

    def asked(self) -> Span:
        """Return what is asked for instead, so that the lists answer all of it, as can be seen from the rows."""
        if self.site_id is not None and self.by in _CUT_AT_MIDNIGHT:
            # Which bills are a site's is known from its usage alone, whenever that was made or changed.
            return Span("service_period", site_id=self.site_id)
        return Span(
            "service_period" if self.open else self.by,
            self.start,
            self.end,
            self.site_id,
            self.bills or self.site_id is not None or self.by != "service_period",
        )

    def question(self) -> dict[str, str]:
        """Return the API's filters that choose its usage, and the bills of that usage."""
        if self.open:
            return {}
        asked = {"dateType": _DATE_TYPES[self.by]}
        if self.start is not None:
            asked["startDate"] = self.start.isoformat()
        if self.end is not None:
            last = self.end + timedelta(days=1) if self.by in _CUT_AT_MIDNIGHT else self.end
            asked["endDate"] = last.isoformat()
        return asked

    def text(self) -> str:
        """Return the span as a text that :meth:`read` reads, the same for equal spans."""
        days = [None if day is None else day.isoformat() for day in (self.start, self.end)]
        return "question " + json.dumps([self.by, *days, self.site_id, self.bills])

    @classmethod
    def read(cls, text: str) -> Span:
        """Return the span of a text.

        Examples
        --------
        >>> Span.read(Span("bill_date", site_id="s1").text()).site_id
        's1'
        """
        by, start, end, site_id, bills = json.loads(text.removeprefix("question "))
        first, last = (None if day is None else date.fromisoformat(day) for day in (start, end))
        return cls(by, first, last, site_id, bills)

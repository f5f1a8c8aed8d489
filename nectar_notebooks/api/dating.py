"""When the API gave its answers, by its own `Date` header.

Days are counted to this time, not to that of the machine that asks: the two may be far apart, as on a served embedded
sandbox. Where the header is missing or cannot be meant, the client's clock stands in, and that is noted.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

__all__ = ["AnswerTime", "Dating", "oldest", "read_date"]

#: A year outside of these is a server whose clock was never set, or no date at all.
_YEARS: Final = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """When an answer was given (aware, UTC), and whether the API said so itself; else it is the client's clock."""

    at: datetime
    by_api: bool


def oldest(*answers: AnswerTime | None) -> AnswerTime | None:
    """Return the oldest of those that are known; the API said it only where it said all of them."""
    known = [answer for answer in answers if answer is not None]
    if not known:
        return None
    return AnswerTime(min(answer.at for answer in known), all(answer.by_api for answer in known))


class Dating:
    """The oldest answer that came while it listened (see :meth:`Session.dating`); None before the first."""

    def __init__(self) -> None:
        self.oldest: AnswerTime | None = None

    def note(self, answer: AnswerTime) -> None:
        """Take one more answer in."""
        self.oldest = oldest(self.oldest, answer)


def read_date(header: str | None, now: datetime) -> AnswerTime:
    """Return the time that a Date header names, or `now` where it names none that can be meant.

    Examples
    --------
    >>> read_date("Fri, 16 Jan 2026 09:00:00 GMT", datetime(2026, 11, 24, tzinfo=UTC)).at.date()
    datetime.date(2026, 1, 16)
    >>> read_date("Thu, 01 Jan 1970 00:00:00 GMT", datetime(2026, 11, 24, tzinfo=UTC))
    AnswerTime(at=datetime.datetime(2026, 11, 24, 0, 0, tzinfo=datetime.timezone.utc), by_api=False)
    """
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return AnswerTime(now, by_api=False)
    return AnswerTime(moment, by_api=True) if moment.year in _YEARS else AnswerTime(now, by_api=False)

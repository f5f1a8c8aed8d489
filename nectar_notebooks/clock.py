"""The only source of the current time, the current day and pauses.

Everything that needs the time takes a :class:`Clock`: freshness of a snapshot, age of a bill, expiry of a key,
tolerance of a signature, back-off between retries. The system's clock is in UTC; an embedded sandbox has its own frozen
clock, so that tutorials give the same output every day. Durations of real work (a progress rate, a request's deadline)
are measured with :func:`stopwatch`, which is independent of any clock.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FrozenClock", "SystemClock", "stopwatch"]


class Clock(Protocol):
    """What the package needs from a clock."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""

    def today(self) -> date:
        """Return the current date in UTC."""

    def sleep(self, seconds: float) -> None:
        """Pause for `seconds`."""


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the current date in UTC."""
        return self.now().date()

    def sleep(self, seconds: float) -> None:
        """Pause the calling thread."""
        time.sleep(seconds)

    def __repr__(self) -> str:
        return "SystemClock()"


class FrozenClock:
    """A clock that moves only when told to.

    Pauses return at once and are recorded in `pauses`, so that a test can see how long a retry would have waited. They
    do not advance the time; only :meth:`advance` does.

    Examples
    --------
    >>> clock = FrozenClock("2026-01-15T09:00:00Z")
    >>> clock.advance(days=7)
    >>> clock.today()
    datetime.date(2026, 1, 22)
    """

    def __init__(self, start: datetime | str) -> None:
        moment = datetime.fromisoformat(start) if isinstance(start, str) else start
        self._now = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        self._start = self._now
        self.pauses: list[float] = []

    def now(self) -> datetime:
        """Return the time the clock shows."""
        return self._now

    def today(self) -> date:
        """Return the date the clock shows."""
        return self._now.date()

    def sleep(self, seconds: float) -> None:
        """Record the pause and return at once."""
        self.pauses.append(seconds)

    def advance(self, days: float = 0, seconds: float = 0) -> None:
        """Move the clock forward; a negative step raises ``ValueError``."""
        step = timedelta(days=days, seconds=seconds)
        if step < timedelta(0):
            raise ValueError("A frozen clock only moves forward.")
        self._now += step

    def restart(self) -> None:
        """Go back to the start time and forget the pauses, as when an embedded sandbox is reset."""
        self._now = self._start
        self.pauses.clear()

    def __repr__(self) -> str:
        return f"FrozenClock({self._now.isoformat()!r})"


def stopwatch() -> float:
    """Return the seconds of a monotonic counter, for measuring durations and deadlines."""
    return time.perf_counter()

"""The one source of now, today and pauses.

Whatever needs the time takes a :class:`Clock`: freshness of a snapshot, age of a bill, expiry of a key,
tolerance of a signature, back-off between retries. The system's clock runs in UTC; an embedded sandbox
brings its own frozen clock, so that a tutorial says the same tomorrow. Durations of real work (a progress
rate, the deadline of a request on the wire) are read from :func:`stopwatch`, which runs on whatever a clock says.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "FrozenClock", "SystemClock", "stopwatch"]


class Clock(Protocol):
    """What the package asks about time."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""

    def today(self) -> date:
        """Return the current civil day in UTC."""

    def sleep(self, seconds: float) -> None:
        """Pause for `seconds`."""


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the machine's day in UTC."""
        return self.now().date()

    def sleep(self, seconds: float) -> None:
        """Pause the calling thread."""
        time.sleep(seconds)

    def __repr__(self) -> str:
        return "SystemClock()"


class FrozenClock:
    """A clock that moves only when asked.

    Pauses return at once and are kept in `pauses`, so that a test can see what a retry would have waited;
    they do not move the time, because on a frozen clock only :meth:`advance` does.

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
        """Return the moment at which the clock stands."""
        return self._now

    def today(self) -> date:
        """Return the day at which the clock stands."""
        return self._now.date()

    def sleep(self, seconds: float) -> None:
        """Note the pause and return at once."""
        self.pauses.append(seconds)

    def advance(self, days: float = 0, seconds: float = 0) -> None:
        """Move the clock forward; a negative step is a mistake and raises ``ValueError``."""
        step = timedelta(days=days, seconds=seconds)
        if step < timedelta(0):
            raise ValueError("A frozen clock moves forward only.")
        self._now += step

    def restart(self) -> None:
        """Go back to the moment it was made with and forget the pauses: for whoever starts a world anew."""
        self._now = self._start
        self.pauses.clear()

    def __repr__(self) -> str:
        return f"FrozenClock({self._now.isoformat()!r})"


def stopwatch() -> float:
    """Return seconds of a monotonic counter, for durations that are shown, and for how long the wire may take."""
    return time.perf_counter()

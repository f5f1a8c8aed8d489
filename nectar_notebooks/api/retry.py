"""When a request is sent: again after which failures and how long, and at most ten at once for each key.

A :class:`RetryPolicy` looks at a failed attempt and returns a :class:`Decision`; the session waits and sends. The
:class:`Gate` of a key limits its requests in flight in the whole process, and pauses all of them.
"""

from __future__ import annotations

import email.utils
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

from nectar_notebooks.clock import Clock

__all__ = ["MAX_IN_FLIGHT", "Decision", "Gate", "RetryPolicy", "gate_for", "parse_retry_after"]

#: Nectar allows ten requests at once.
MAX_IN_FLIGHT: Final = 10

#: A year: whoever asks for more means never.
_LONGEST_ASKED: Final = 31_536_000.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a failed attempt.

    Attributes
    ----------
    wait : float or None
        Seconds until the next attempt; None gives up.
    everyone : bool
        Whether every worker of the key pauses, not only this one.
    reason : str
        Why it gives up, in words for the error; else empty.
    """

    wait: float | None
    everyone: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with jitter; Retry-After is honoured up to a limit.

    Attributes
    ----------
    attempts : int
        How often one request is sent at most.
    first_wait, longest_backoff : float
        Seconds of the first back-off and its ceiling; each is twice the one before, less up to half by
        jitter.
    longest_wait : float
        Seconds of a Retry-After that are still waited for; a longer one is an error that names it.

    Examples
    --------
    >>> RetryPolicy().decide(1, idempotent=True, status=503, retry_after=None, jitter=0.0)
    Decision(wait=0.5, everyone=False, reason='')
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_backoff: float = 20.0
    longest_wait: float = 60.0

    def decide(
        self, attempt: int, *, idempotent: bool, status: int | None, retry_after: float | None, jitter: float
    ) -> Decision:
        """Decide about attempt number `attempt` (from 1) that failed with `status`, or with no answer (None).

        A 429 was refused before anything was done, so any request may be sent again; a 5xx or a broken
        connection leaves open what was done, so only idempotent ones are. `jitter` is a number from 0 to 1.
        """
        refused = status == 429
        if not refused and status is not None and status < 500:
            return Decision(None)
        if not refused and not idempotent:
            return Decision(None, reason="It was not sent again, because it may have been carried out.")
        if attempt >= self.attempts:
            return Decision(None, reason=f"It was sent {attempt} times.")
        if retry_after is not None and retry_after > self.longest_wait:
            return Decision(None, reason=f"The API asks to wait {retry_after:.0f} seconds.")
        ceiling = min(self.longest_backoff, self.first_wait * 2 ** (attempt - 1))
        backoff = ceiling * (1 - jitter / 2)
        if retry_after is None:
            return Decision(backoff, everyone=refused)
        return Decision(retry_after, everyone=True)  # whoever names a time means all who ask


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, which names seconds or a date; else None.

    What is longer than a year is a year.

    Examples
    --------
    >>> parse_retry_after("Thu, 15 Jan 2026 09:00:30 GMT", datetime(2026, 1, 15, 9, tzinfo=UTC))
    30.0
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST_ASKED)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None  # a header nobody can read, or a date beyond the calendar, is as good as none
    return min(max(seconds, 0.0), _LONGEST_ASKED)


class Gate:
    """Lets ten requests of a key through at once, and none while the key pauses.

    All sessions, threads and widgets of a process that use a key share its one gate.
    """

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MAX_IN_FLIGHT)
        self._lock = threading.Lock()
        self._paused: tuple[Clock, datetime] | None = None

    @contextmanager
    def passing(self, clock: Clock) -> Iterator[None]:
        """Wait for a free slot and the end of a pause, then hold the slot."""
        self._slots.acquire()
        try:
            while (pause := self._paused) is not None:
                self._slots.release()  # hold no slot while pausing
                try:
                    self._sit_out(pause, clock)
                finally:
                    self._slots.acquire()
            yield
        finally:
            self._slots.release()

    def pause(self, seconds: float, clock: Clock) -> None:
        """Hold back every request of the key for `seconds`; a longer pause that has begun stays."""
        until = clock.now() + timedelta(seconds=seconds)
        with self._lock:
            if self._paused is None or self._paused[0] is not clock or self._paused[1] < until:
                self._paused = (clock, until)

    def _sit_out(self, pause: tuple[Clock, datetime], clock: Clock) -> None:
        measured_by, until = pause
        seconds = (until - measured_by.now()).total_seconds()
        if seconds > 0:
            clock.sleep(seconds)
        with self._lock:  # the first to wake ends it, also on a frozen clock
            if self._paused == pause:
                self._paused = None


_gates: WeakValueDictionary[tuple[str, str], Gate] = WeakValueDictionary()
_gates_lock = threading.Lock()


def gate_for(origin: str, fingerprint: str) -> Gate:
    """Return the gate of a key at an origin (scheme, host, port) in this process."""
    with _gates_lock:
        gate = _gates.get((origin, fingerprint))
        if gate is None:
            gate = _gates[origin, fingerprint] = Gate()
        return gate

"""At most ten requests in flight per key in the whole process, and one pause for all of a key's workers.

However many sessions, threads or widgets ask with a key, they share its one :class:`Gate`. How long a pause
lasts is decided by `retry`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

from nectar_notebooks.clock import Clock

__all__ = ["MAX_IN_FLIGHT", "Gate", "gate_for"]

#: What Nectar asks for: at most ten requests at once.
MAX_IN_FLIGHT: Final = 10


class Gate:
    """Lets ten requests of one key through at once, none while the key pauses."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MAX_IN_FLIGHT)
        self._lock = threading.Lock()
        self._paused: tuple[Clock, datetime] | None = None

    @contextmanager
    def passing(self, clock: Clock) -> Iterator[None]:
        """Wait for a free slot and for the end of a pause, and hold the slot meanwhile."""
        self._slots.acquire()
        try:
            while (pause := self._paused) is not None:
                self._slots.release()  # a sleeper holds no slot
                try:
                    self._sit_out(pause, clock)
                finally:
                    self._slots.acquire()
            yield
        finally:
            self._slots.release()

    def pause(self, seconds: float, clock: Clock) -> None:
        """Hold back every request of the key for `seconds`; a longer pause that runs already stays."""
        until = clock.now() + timedelta(seconds=seconds)
        with self._lock:
            if self._paused is None or self._paused[0] is not clock or self._paused[1] < until:
                self._paused = (clock, until)

    def _sit_out(self, pause: tuple[Clock, datetime], clock: Clock) -> None:
        measured_by, until = pause
        seconds = (until - measured_by.now()).total_seconds()
        if seconds > 0:
            clock.sleep(seconds)
        with self._lock:  # whoever wakes first ends it, also on a clock that does not move while it sleeps
            if self._paused == pause:
                self._paused = None


_gates: WeakValueDictionary[tuple[str, str], Gate] = WeakValueDictionary()
_gates_lock = threading.Lock()


def gate_for(origin: str, fingerprint: str) -> Gate:
    """Return the one gate of a key at an origin (scheme, host, port) in this process."""
    with _gates_lock:
        gate = _gates.get((origin, fingerprint))
        if gate is None:
            gate = _gates[origin, fingerprint] = Gate()
        return gate

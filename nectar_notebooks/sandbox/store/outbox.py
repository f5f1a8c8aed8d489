"""The outbox: events of changes that are stored with them, and the newest of those that happened.

An event is a row of the transaction that makes its change, so that a change that is rolled back announces nothing.
:meth:`Events.drain` empties the outbox once the change is stored; `webhooks` makes deliveries of what it returns. What
an event says is decided where it is announced.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nectar_notebooks.sandbox.journal import KEPT
from nectar_notebooks.sandbox.model import stored

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.store.state import State

__all__ = ["Events"]


class Events:
    """The events of one sandbox, oldest first, as a sequence of bodies; the newest are kept."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._dropped = 0

    def add(self, body: dict[str, Any], at: str) -> None:
        """Put an event into the outbox of the running transaction."""
        self._state.db.execute("INSERT INTO outbox (at, body) VALUES (?, ?)", (at, stored(body)))

    def drain(self) -> list[tuple[str, dict[str, Any]]]:
        """Empty the outbox of what is stored; return each event with the moment at which it happened."""
        with self._state.reading():
            happened = self._pending()
            if happened:
                self._state.db.execute("DELETE FROM outbox")
                before = len(self._kept) + len(happened)
                self._kept.extend(body for _, body in happened)
                self._dropped += before - len(self._kept)
            return happened

    def keep(self, newest: int) -> None:
        """Keep so many of the newest from now on."""
        with self._state.reading():
            self._kept = deque(self._kept, maxlen=newest)

    def rows(self) -> list[dict[str, Any]]:
        """Return a copy of every event that is kept, oldest first."""
        with self._state.reading():
            return [*(dict(body) for body in self._kept), *(body for _, body in self._pending())]

    def clear(self) -> None:
        """Forget every event."""
        with self._state.reading():
            self._kept.clear()
            self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many events are no longer kept: the oldest."""
        return self._dropped

    def _pending(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (at, json.loads(body)) for at, body in self._state.db.execute("SELECT at, body FROM outbox ORDER BY seq")
        ]

    def __len__(self) -> int:
        with self._state.reading() as db:
            (pending,) = db.execute("SELECT count(*) FROM outbox").fetchone()
            return len(self._kept) + int(pending)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return f"Events({len(self)})"

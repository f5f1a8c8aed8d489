"""What the API would tell webhooks: events in the order in which they happened, as flat bodies with an `eventType`.

What a change told is taken back when the change is not stored. The newest are kept, as in the journal. `hooks` makes
deliveries of them.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from nectar_notebooks.sandbox.journal import KEPT
from nectar_notebooks.sandbox.pages import document_text
from nectar_notebooks.sandbox.records import connection_record
from nectar_notebooks.sandbox.switches import Switches

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.state import State

__all__ = ["Events"]


class Events:
    """The events of one sandbox; a sequence of bodies. Of those whose change is stored the newest are kept.

    Examples
    --------
    >>> len(Events())
    0
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._stored: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._new: list[dict[str, Any]] = []
        self._dropped = 0

    def connection_created(self, state: State, seq: int) -> None:
        """Tell that a connection was made."""
        self._add("connection.created.v2", _connection(state, seq))

    def connection_changed(self, state: State, seq: int, old: dict[str, Any]) -> None:
        """Tell that a connection changed; `old` is its stored record before. A timestamp alone is no change."""
        body, record = _connection(state, seq), state.record("connections", seq)
        changed = sorted(
            name
            for name in record.keys() | old.keys()
            if record.get(name) != old.get(name)
            and name not in {"updated", "statusLastUpdateTime", "statusFirstSeenTime", "password", "planned"}
        )
        if changed:
            before = {name: old.get(name) for name in changed}
            self._add("connection.updated.v2", body | {"protectedChanges": changed, "old": before})
        if "status" in changed:
            self._add("connection.validated.v2", body)

    def bill_created(self, state: State, seq: int) -> None:
        """Tell that a bill arrived."""
        self._add("document.created.v2", _bill(state, seq))

    def bill_updated(self, state: State, seq: int, old: dict[str, Any]) -> None:
        """Tell that a bill or its usage changed; `old` is what changed, as it was."""
        self._add("document.updated.v2", _bill(state, seq) | {"old": old})

    def bill_deleted(self, state: State, seq: int) -> None:
        """Tell that a bill is deleted, while it is still there."""
        self._add("document.deleted.v2", _bill(state, seq))

    def bills_after(self, state: State, last: int) -> None:
        """Tell of every bill that was stored after row `last`."""
        for (seq,) in state.db.execute("SELECT seq FROM documents WHERE seq > ? ORDER BY seq", (last,)).fetchall():
            self.bill_created(state, seq)

    def stored(self) -> list[dict[str, Any]]:
        """Say that the change is stored; return the events it told."""
        with self._lock:
            told, self._new = self._new, []
            before = len(self._stored) + len(told)
            self._stored.extend(told)
            self._dropped += before - len(self._stored)
            return told

    def taken_back(self) -> None:
        """Say that the change is not stored: what it told did not happen."""
        with self._lock:
            self._new.clear()

    def keep(self, newest: int) -> None:
        """Keep so many of the newest from now on."""
        with self._lock:
            self._stored = deque(self._stored, maxlen=newest)

    def rows(self) -> list[dict[str, Any]]:
        """Return a copy of every event that is kept, oldest first."""
        with self._lock:
            return [dict(body) for body in (*self._stored, *self._new)]

    def clear(self) -> None:
        """Forget every event."""
        with self._lock:
            self._stored.clear()
            self._new.clear()
            self._dropped = 0

    @property
    def dropped(self) -> int:
        """Return how many events are no longer kept: the oldest."""
        return self._dropped

    def _add(self, kind: str, body: dict[str, Any]) -> None:
        with self._lock:
            self._new.append({"eventType": kind, **body})

    def __len__(self) -> int:
        return len(self._stored) + len(self._new)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return f"Events({len(self)})"


def _connection(state: State, seq: int) -> dict[str, Any]:
    return connection_record(state, seq, state.record("connections", seq))


def _bill(state: State, seq: int) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(document_text(state.db, seq, Switches()))
    return body

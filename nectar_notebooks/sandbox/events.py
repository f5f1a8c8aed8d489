"""What the API would tell webhooks: events in the order in which they happened, as flat bodies with an `eventType`.

The embedded sandbox sends nothing anywhere: whoever wants deliveries takes the events from here and signs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from nectar_notebooks.sandbox.pages import document_text
from nectar_notebooks.sandbox.records import connection_record
from nectar_notebooks.sandbox.switches import Switches

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.state import State

__all__ = ["Events"]


class Events:
    """The events of one sandbox; a sequence of bodies.

    Examples
    --------
    >>> len(Events())
    0
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._bodies: list[dict[str, Any]] = []

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

    def rows(self) -> list[dict[str, Any]]:
        """Return a copy of every event."""
        with self._lock:
            return [dict(body) for body in self._bodies]

    def clear(self) -> None:
        """Forget every event."""
        with self._lock:
            self._bodies.clear()

    def _add(self, kind: str, body: dict[str, Any]) -> None:
        with self._lock:
            self._bodies.append({"eventType": kind, **body})

    def __len__(self) -> int:
        return len(self._bodies)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return f"Events({len(self)})"


def _connection(state: State, seq: int) -> dict[str, Any]:
    return connection_record(state, seq, state.record("connections", seq))


def _bill(state: State, seq: int) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(document_text(state.db, seq, Switches()))
    return body

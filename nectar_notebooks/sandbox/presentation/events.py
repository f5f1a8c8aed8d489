"""What the API tells webhooks of a change: the body of each event, put into the outbox with the change."""

from __future__ import annotations

import json
from typing import Any

from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.presentation.records import connection_record
from nectar_notebooks.sandbox.store.queries import document_text
from nectar_notebooks.sandbox.store.state import State
from nectar_notebooks.sandbox.switches import Switches

__all__ = ["bill_created", "bill_deleted", "bill_updated", "bills_after", "connection_changed", "connection_created"]


def connection_created(context: Context, seq: int) -> None:
    """Tell that a connection was made."""
    _announce(context, "connection.created.v2", _connection(context.state, seq))


def connection_changed(context: Context, seq: int, old: dict[str, Any]) -> None:
    """Tell that a connection changed; `old` is its stored record before. A timestamp alone is no change."""
    body, record = _connection(context.state, seq), context.state.record("connections", seq)
    changed = sorted(
        name
        for name in record.keys() | old.keys()
        if record.get(name) != old.get(name)
        and name not in {"updated", "statusLastUpdateTime", "statusFirstSeenTime", "password", "planned"}
    )
    if changed:
        before = {name: old.get(name) for name in changed}
        _announce(context, "connection.updated.v2", body | {"protectedChanges": changed, "old": before})
    if "status" in changed:
        _announce(context, "connection.validated.v2", body)


def bill_created(context: Context, seq: int, at: str | None = None) -> None:
    """Tell that a bill arrived, now or at a moment that has passed."""
    _announce(context, "document.created.v2", _bill(context.state, seq), at)


def bill_updated(context: Context, seq: int, old: dict[str, Any]) -> None:
    """Tell that a bill or its usage changed; `old` is what changed, as it was."""
    _announce(context, "document.updated.v2", _bill(context.state, seq) | {"old": old})


def bill_deleted(context: Context, seq: int) -> None:
    """Tell that a bill is deleted, while it is still there."""
    _announce(context, "document.deleted.v2", _bill(context.state, seq))


def bills_after(context: Context, last: int) -> None:
    """Tell of every bill that was stored after row `last`."""
    for (seq,) in context.state.db.execute("SELECT seq FROM documents WHERE seq > ? ORDER BY seq", (last,)).fetchall():
        bill_created(context, seq)


def _announce(context: Context, kind: str, body: dict[str, Any], at: str | None = None) -> None:
    context.events.add({"eventType": kind, **body}, at or context.now)


def _connection(state: State, seq: int) -> dict[str, Any]:
    return connection_record(state, seq, state.record("connections", seq))


def _bill(state: State, seq: int) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(document_text(state.db, seq, Switches()))
    return body

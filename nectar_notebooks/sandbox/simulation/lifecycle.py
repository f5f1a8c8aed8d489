"""What happens while time passes: weekly checks, first checks, announced failures, bills that arrive.

Called by :meth:`Sandbox.advance` after the clock has moved. Keys and invitations expire by themselves: whoever looks at
them asks the clock. A connection that does not work collects nothing; once it works again, what it missed arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.sandbox.connections.credentials import Verdict, is_mock
from nectar_notebooks.sandbox.connections.logins import collect, set_status, store_login
from nectar_notebooks.sandbox.model import World, moment
from nectar_notebooks.sandbox.presentation import events

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.context import Context

__all__ = ["live"]

_WEEK: Final = timedelta(days=7)


def live(context: Context, arrivals: Iterable[World]) -> None:
    """Check the connections that are due, then let bills arrive behind those that work."""
    state = context.state
    now = context.clock.now()
    rows = [seq for (seq,) in state.db.execute("SELECT seq FROM connections ORDER BY seq").fetchall()]
    for seq in rows:
        old = state.record("connections", seq)
        record = _checked(dict(old), now)
        if record != old:
            store_login(state, seq, record)
            events.connection_changed(context, seq, old)
    for seq in rows:
        record = state.record("connections", seq)
        if record["status"] == "CONNECTED" and is_mock(record["url"] or ""):
            collect(context, seq)
    _arrive(context, arrivals)


def _checked(record: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return a connection's record after the checks that were due by now."""
    planned = record.get("planned")
    if planned is not None and planned["at"] <= moment(now):
        del record["planned"]
        set_status(record, Verdict(planned["status"], planned["detail"]), planned["at"])
        record["updated"] = planned["at"]
    elif record["status"] == "PENDING" and now > _time(record["created"]):
        set_status(record, Verdict("CONNECTED"), moment(now))
        record["updated"] = moment(now)
    elif record["status"] == "CONNECTED":
        last = _time(record.get("statusLastUpdateTime") or record["created"])
        weeks = (now - last) // _WEEK
        if weeks > 0:
            record["statusLastUpdateTime"] = moment(last + weeks * _WEEK)
    return record


def _arrive(context: Context, arrivals: Iterable[World]) -> None:
    """Store the bills that have arrived by now and are not there yet."""
    state = context.state
    working = {id_ for (id_,) in state.db.execute("SELECT id FROM connections WHERE status = 'CONNECTED'")}
    new = []
    for part in arrivals:
        documents = [
            bill
            for bill in part.documents
            if bill.get("connection") in working and not state.knows("documents", bill["id"])
        ]
        if documents:
            ids = {bill["id"] for bill in documents}
            new.append(World(documents=documents, usage=[row for row in part.usage if row["document"] in ids]))
    if new:
        (last,) = state.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
        state.add_bills(new)
        _tell(context, last)


def _tell(context: Context, after: int) -> None:
    events.bills_after(context, after)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)

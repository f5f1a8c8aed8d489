"""Rows that change between two pages of one walk: one more, one less, or one of each.

What drifts stands on the first page, so that a walk that is past it meets shifted pages, as it would on the real API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.faults import Drift
from nectar_notebooks.sandbox.model import World
from nectar_notebooks.sandbox.store import bills

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.store.state import State

__all__ = ["drift"]


def drift(state: State, what: Drift, object_id: str) -> None:
    """Insert before the first bill of a company (or of the company of a site, connection or bill), or delete it."""
    company = _company(state, object_id)
    if company is None:
        return
    state.ready(company)
    first = state.db.execute(
        "SELECT seq FROM documents WHERE company = ? AND deleted = 0"
        " AND EXISTS (SELECT 1 FROM usage u WHERE u.document = documents.seq) ORDER BY created, id LIMIT 1",
        (company,),
    ).fetchone()
    if first is None:
        return
    if what in {"insert", "swap"}:
        _insert(state, first[0])
    if what in {"remove", "swap"}:
        bills.delete_bill(state, first[0])


def _insert(state: State, like: int) -> None:
    """Store a copy of a bill that was created before every other."""
    record = bills.read_bill(state, like)
    (login,) = state.db.execute(
        "SELECT (SELECT c.id FROM connections c WHERE c.seq = d.connection) FROM documents d WHERE d.seq = ?", (like,)
    ).fetchone()
    made = {"id": state.new_id("document"), "created": "2000-01-01T00:00:00Z", "connection": login}
    usage = [
        bills.read_usage(state, seq) | made | {"id": state.new_id("usage"), "document": made["id"], "site": site}
        for seq, site in state.db.execute(
            "SELECT u.seq, (SELECT s.id FROM sites s WHERE s.seq = u.site) FROM usage u WHERE u.document = ?", (like,)
        ).fetchall()
    ]
    state.add_bills([World(documents=[record | made], usage=usage)])


def _company(state: State, object_id: str) -> int | None:
    for kind, column in (
        ("companies", "seq"),
        ("sites", "company"),
        ("connections", "company"),
        ("documents", "company"),
    ):
        row = state.db.execute(f"SELECT {column} FROM {kind} WHERE id = ?", (object_id,)).fetchone()
        if row is not None:
            return int(row[0])
    return None

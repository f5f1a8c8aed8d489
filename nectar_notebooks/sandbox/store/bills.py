"""Changing stored bills and usage: parsed, changed, stored again with every column that follows from them.

Who may change what is decided by the callers; here is only how a change is written, and what else it moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nectar_notebooks.sandbox.store.rows import document_row, usage_row
from nectar_notebooks.sandbox.store.state import State
from nectar_notebooks.sandbox.store.templates import BRIEF, CHILDREN, USAGE

__all__ = ["delete_bill", "read_bill", "read_usage", "rewrite_bill", "rewrite_usage"]


def read_bill(state: State, seq: int) -> dict[str, Any]:
    """Return a stored bill without its usage."""
    sql = f"SELECT {BRIEF.text('d')} || ',' || {CHILDREN.text('d')} || '}}' FROM documents d WHERE d.seq = ?"
    record: dict[str, Any] = json.loads(state.db.execute(sql, (seq,)).fetchone()[0])
    return record


def read_usage(state: State, seq: int) -> dict[str, Any]:
    """Return a stored usage record without its bill and site."""
    sql = f"SELECT {USAGE.text('u')} || '}}' FROM usage u WHERE u.seq = ?"
    record: dict[str, Any] = json.loads(state.db.execute(sql, (seq,)).fetchone()[0])
    return record


def rewrite_usage(state: State, where: str, values: Sequence[object], change: dict[str, Any]) -> None:
    """Change fields of the usage records that a condition selects."""
    found = state.db.execute(f"SELECT u.seq, u.document FROM usage u WHERE {where}", values).fetchall()
    for seq, _ in found:
        columns = usage_row(read_usage(state, seq) | change, state.templates)
        _update(state, "usage", seq, columns)
    for document in sorted({document for _, document in found}):
        rewrite_bill(state, document, {})


def rewrite_bill(state: State, seq: int, change: dict[str, Any]) -> None:
    """Change fields of a bill; its first and last day follow from its usage anew."""
    rows = state.db.execute("SELECT first_day, last_day FROM usage WHERE document = ?", (seq,)).fetchall()
    days = [{"startDate": first, "endDate": last} for first, last in rows]
    record = read_bill(state, seq) | change
    _update(state, "documents", seq, document_row(record, days, state.templates))
    state.db.execute("UPDATE usage SET bill_date = ? WHERE document = ?", (record["billDate"], seq))
    state.changed_bills(seq)


def delete_bill(state: State, seq: int) -> None:
    """Mark a bill as deleted; its usage is gone from every list."""
    state.db.execute("UPDATE documents SET deleted = 1 WHERE seq = ?", (seq,))
    state.db.execute("UPDATE usage SET deleted = 1 WHERE document = ?", (seq,))
    state.changed_bills(seq)


def _update(state: State, table: str, seq: int, columns: Mapping[str, object]) -> None:
    settings = ", ".join(f"{name} = ?" for name in columns)
    state.db.execute(f"UPDATE {table} SET {settings} WHERE seq = ?", [*columns.values(), seq])

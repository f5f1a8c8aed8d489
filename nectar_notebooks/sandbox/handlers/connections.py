"""Connections: listed, answered, created with credentials, changed, deleted."""

from __future__ import annotations

from functools import partial

from nectar_notebooks.sandbox.connections.logins import make_connection, renew
from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.presentation.records import connection_record
from nectar_notebooks.sandbox.store.queries import PAGE_SIZE

__all__ = ["connection", "connections", "create_connection", "delete_connection", "update_connection"]


def connections(call: Call, company_id: str) -> Answer:
    """List a company's connections by status, owner and site; the one list with a page size to choose."""
    seq = call.find("companies", company_id).seq
    where = "company = ?"
    values: list[object] = [seq]
    status = call.arguments.get("status")
    if status:
        where, values = f"{where} AND status = ?", [*values, status]
    owner = call.arguments.get("connectionOwnerEmail")
    if owner:
        where, values = f"{where} AND owner = ?", [*values, owner]
    wanted = [site_id for site_id in call.arguments.getlist("sites") if site_id]
    if wanted:
        marks = ", ".join("?" * len(wanted))
        where += (
            " AND (EXISTS (SELECT 1 FROM json_each(record, '$.initialSites') WHERE value IN"
            f" ({marks})) OR seq IN (SELECT a.connection FROM meters m JOIN accounts a ON a.seq = m.account"
            f" JOIN sites s ON s.seq = m.site WHERE s.id IN ({marks})))"
        )
        values = [*values, *wanted, *wanted]
    size = int(call.arguments.get("limit") or PAGE_SIZE)
    return stored_page(call, "connections", where, values, partial(connection_record, call.state), size)


def connection(call: Call, connection_id: str) -> Answer:
    """Answer one connection with its accounts."""
    seq = call.find("connections", connection_id).seq
    return call.answer("connections", connection_record(call.state, seq, call.record("connections", seq)))


def create_connection(call: Call, company_id: str) -> Answer:
    """Create a connection; the answer carries the status of its first check."""
    company = call.find("companies", company_id).seq
    seq = make_connection(call.context, company, company_id, call.body.fields)
    return call.answer("connections", connection_record(call.state, seq, call.record("connections", seq)), 201)


def update_connection(call: Call, connection_id: str) -> Answer:
    """Change credentials, which are checked at once, or sites."""
    row = call.find("connections", connection_id)
    record = renew(call.context, row.seq, call.body.fields or {})
    return call.answer("connections", connection_record(call.state, row.seq, record))


def delete_connection(call: Call, connection_id: str) -> Answer:
    """Remove a connection; the accounts and bills found behind it stay with the company."""
    row = call.find("connections", connection_id)
    call.state.ready(row.company)
    if call.state.is_inactive(row.company):
        call.state.deactivate(row.company)  # nothing else may be left that says so
    for table in ("accounts", "documents", "usage", "legacy_usage"):
        call.db.execute(f"UPDATE {table} SET connection = NULL WHERE connection = ?", (row.seq,))
    call.db.execute("DELETE FROM invitations WHERE connection = ?", (row.seq,))
    call.db.execute("DELETE FROM connections WHERE seq = ?", (row.seq,))
    return Answer(status=204)

"""Bills of a company, a site or a connection: listed, answered with their usage."""

from __future__ import annotations

from nectar_notebooks.sandbox.handlers.lists import envelope, filters_of, page_number, scope_of
from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.store import queries

__all__ = ["bill", "bills"]


def bills(call: Call, scope: str, object_id: str) -> Answer:
    """List the bills of a company, a site or a connection."""
    where = scope_of(call, scope, object_id)
    commodity = call.switches.document_commodity_filter
    filters = filters_of(call.arguments, commodity=commodity)
    page = queries.documents(
        call.db, where, filters, page_number(call.arguments), call.switches, call.view.has_power_quality
    )
    return envelope("documents", page, call.view.texts("documents", page.rows))


def bill(call: Call, document_id: str) -> Answer:
    """Answer one bill with its usage."""
    seq = call.find("documents", document_id).seq
    [text] = call.view.texts(
        "documents", [queries.document_text(call.db, seq, call.switches, call.view.has_power_quality)]
    )
    return Answer(text)

"""Pages of lists: the page and the filters that were asked for, and the envelope that answers.

The contract was asked before: what stands in a query string is valid, but for the page, of which any text is.
Parameters that a list does not know are ignored, as the API's framework does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from nectar_notebooks.sandbox.handlers.request import Answer, Arguments, Call
from nectar_notebooks.sandbox.model import dumps, normalized
from nectar_notebooks.sandbox.store.legacy_usage import make_legacy
from nectar_notebooks.sandbox.store.queries import PAGE_SIZE, Filters, Page, Scope, page_of

__all__ = ["envelope", "filters_of", "page_number", "scope_of", "stored_page"]

_LARGEST_PAGE: Final = 10**9


def page_number(arguments: Arguments) -> int:
    """Return the page asked for: no number is 1, one below 1 is 0 (which a list reads as its last)."""
    text = arguments.get("page") or "1"
    try:
        number = int(text) if len(text) <= len(str(_LARGEST_PAGE)) or not text.isdecimal() else _LARGEST_PAGE
    except ValueError:
        return 1
    return max(0, min(number, _LARGEST_PAGE))


def filters_of(arguments: Arguments, *, default: str = "BILL_DATE", commodity: str = "datasourceType") -> Filters:
    """Return the filters of a document or usage list.

    Parameters
    ----------
    arguments
        The query string.
    default
        The date type where none is given.
    commodity
        Name of the commodity filter.
    """
    identifier = arguments.get("identifier")
    return Filters(
        date_type=arguments.get("dateType") or default,
        start=arguments.get("startDate") or None,
        end=arguments.get("endDate") or None,
        commodities=tuple(value for value in arguments.getlist(commodity) if value),
        identifier=normalized(identifier) if identifier else None,
        deleted=(arguments.get("isDeleted") or "").lower() in {"true", "1"},
    )


def stored_page(
    call: Call,
    kind: str,
    where: str,
    values: list[object],
    shape: Callable[[int, dict[str, Any]], dict[str, Any]],
    size: int = PAGE_SIZE,
) -> Answer:
    """Return one page of a list.

    Parameters
    ----------
    call
        The request.
    kind
        The table, which is also the name of the list in the envelope.
    where, values
        Which rows.
    shape
        Row number and stored record to what is answered.
    size
        Rows a page.
    """
    order = "created, id" if kind in {"connections", "invitations", "jobs"} else "seq"
    source = f"FROM {kind} WHERE {where}"
    (total,) = call.db.execute(f"SELECT count(*) {source}", values).fetchone()
    number, count = page_of(total, page_number(call.arguments), size)
    sql = f"SELECT seq, record {source} ORDER BY {order} LIMIT ? OFFSET ?"
    found = call.db.execute(sql, [*values, size, (number - 1) * size]).fetchall()
    rows = [dumps(call.view.record(kind, shape(seq, json.loads(record)))) for seq, record in found]
    return envelope(kind, Page(rows, total, number, count, size), rows)


def envelope(things: str, page: Page, rows: list[bytes]) -> Answer:
    """Return one page in the API's envelope; `rows` are its rows as this call's view shows them."""
    head = {
        f"total{things[0].upper()}{things[1:]}": page.total,
        "perPage": page.size,
        "totalPages": page.pages,
        "currentPage": page.number,
        "hasNext": page.number < page.pages,
        "hasPrevious": page.number > 1,
        things: [],
    }
    opening = dumps(head).removesuffix(b"]}")
    # The page is large: it is put together once, so the ends go into the first and the last row.
    rows = [opening + rows[0], *rows[1:]] if rows else [opening]
    rows[-1] += b"]}"
    return Answer(b",".join(rows))


def scope_of(call: Call, scope: str, object_id: str) -> Scope:
    """Return whose bills or usage records are listed, with the company's bills made."""
    kind = {"company": "companies", "site": "sites", "connection": "connections", "document": "documents"}[scope]
    row = call.find(kind, object_id)
    call.state.ready(row.company)
    if call.view.kinds is not None:
        make_legacy(call.db, row.company)
    return Scope(scope, row.seq)

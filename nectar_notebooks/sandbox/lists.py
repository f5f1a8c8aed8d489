"""Pages of the lists whose records are stored whole: everything but bills and usage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nectar_notebooks.sandbox.calls import Answer, Call, envelope
from nectar_notebooks.sandbox.pages import PAGE_SIZE, Page, page_of
from nectar_notebooks.sandbox.params import page as page_number
from nectar_notebooks.sandbox.text import dumps

__all__ = ["stored_page"]


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

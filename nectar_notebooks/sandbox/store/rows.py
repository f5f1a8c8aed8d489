"""Bills and usage as rows: how a world's records become what the tables hold.

The columns that lists filter by, the template and the values of each text, the identifiers. Which ids they point to
is looked up by the state, which also writes the rows.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nectar_notebooks.sandbox.contract.fields import fill
from nectar_notebooks.sandbox.model import Record, World, normalized
from nectar_notebooks.sandbox.store.templates import BRIEF, CHILDREN, USAGE, Templates

if TYPE_CHECKING:
    pass

__all__ = ["Refs", "bill_rows", "document_row", "usage_row"]


def _insert(table: str, *columns: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_DOCUMENT_COLUMNS: Final = (
    *("id", "created", "updated", "bill_date", "first_day", "last_day"),
    *(BRIEF.column, *BRIEF.columns, CHILDREN.column, *CHILDREN.columns),
)
_USAGE_COLUMNS: Final = (
    *("id", "commodity", "created", "updated", "first_day", "last_day"),
    *(USAGE.column, *USAGE.columns),
)
_INSERT_DOCUMENT: Final = _insert("documents", "seq", "company", "connection", "deleted", *_DOCUMENT_COLUMNS)
_INSERT_USAGE: Final = _insert(
    *("usage", "seq", "document", "company", "connection", "deleted", "site", "meter", "bill_date", "power_factor"),
    *_USAGE_COLUMNS,
)
_INSERT_IDENTIFIER: Final = "INSERT OR IGNORE INTO usage_identifiers (value, usage) VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Refs:
    """Row numbers by id of what bills point to."""

    companies: dict[str | None, int]
    connections: dict[str | None, int]
    sites: dict[str | None, int]
    meters: dict[str | None, int]


@dataclass(frozen=True, slots=True)
class BillRows:
    """Rows to insert."""

    documents: list[tuple[object, ...]]
    usage: list[tuple[object, ...]]
    identifiers: list[tuple[str, int]]

    def insert(self, db: sqlite3.Connection) -> None:
        """Write them."""
        db.executemany(_INSERT_DOCUMENT, self.documents)
        db.executemany(_INSERT_USAGE, self.usage)
        db.executemany(_INSERT_IDENTIFIER, self.identifiers)


def bill_rows(part: World, refs: Refs, templates: Templates, document: int, usage: int) -> BillRows:
    """Return the rows of a part's bills, numbered on from the last ones given."""
    by_document: defaultdict[str, list[Record]] = defaultdict(list)
    for row in part.usage:
        by_document[row["document"]].append(row)
    found = BillRows([], [], [])
    for record in part.documents:
        document += 1
        rows = by_document.pop(record["id"], [])
        owner = (
            document,
            refs.companies[record["company"]],
            refs.connections.get(record.get("connection")),
            int(bool(record.get("isDeleted"))),
        )
        found.documents.append((*owner, *_document_values(record, rows, templates)))
        for row in rows:
            usage += 1
            place = (refs.sites.get(row.get("site")), refs.meters.get(row.get("meter")), record.get("billDate"))
            found.usage.append((usage, *owner, *place, row.get("powerFactor"), *_usage_values(row, templates)))
            found.identifiers.extend(
                (normalized(identifier["value"]), usage) for identifier in row.get("identifiers") or ()
            )
    if by_document:
        raise ValueError(f"Usage of unknown bills: {', '.join(sorted(by_document)[:3])}.")
    return found


def document_row(record: Record, usage: Iterable[Record], templates: Templates) -> dict[str, object]:
    """Return a bill's columns by name; of its usage only the days matter."""
    return dict(zip(_DOCUMENT_COLUMNS, _document_values(record, usage, templates), strict=True))


def usage_row(record: Record, templates: Templates) -> dict[str, object]:
    """Return a usage record's columns by name."""
    return dict(zip(_USAGE_COLUMNS, _usage_values(record, templates), strict=True))


def _document_values(record: Record, usage: Iterable[Record], templates: Templates) -> list[object]:
    """Return the values of the document columns of a bill.

    Its first and last day are those of its usage; a bill without usage has its own start and its bill date.
    """
    days = sorted(
        day for row in usage for day in (row.get("startDate"), row.get("endDate") or row.get("startDate")) if day
    ) or [day for day in (record.get("startDate") or record.get("billDate"), record.get("billDate")) if day]
    children = {name: record.get(name) or [] for name in ("lineItems", "demandMeters")}
    brief, brief_values = BRIEF.apart(fill("documents", record))
    inner, inner_values = CHILDREN.apart(children)
    return [
        record["id"],
        record.get("created"),
        record.get("updated"),
        record.get("billDate"),
        days[0] if days else None,
        days[-1] if days else None,
        templates.number(brief.removesuffix("}")),
        *brief_values,
        templates.number(inner[1:-1]),
        *inner_values,
    ]


def _usage_values(record: Record, templates: Templates) -> list[object]:
    """Return the values of the usage columns of a usage record."""
    first = record.get("startDate")
    body, values = USAGE.apart(fill("usage", record))
    return [
        record["id"],
        record.get("datasourceType"),
        record.get("created"),
        record.get("updated"),
        first,
        record.get("endDate") or first,
        templates.number(body.removesuffix("}")),
        *values,
    ]

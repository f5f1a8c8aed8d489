"""Pages of bills and usage: filters as SQL, and rows whose JSON text SQLite puts together.

Every list runs two statements: one counts, one reads the page, both on an index that holds all filtered columns. The
rows come as texts in v2.2's full shape; what a version or a switch changes is done to them in `presentation`.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from nectar_notebooks.sandbox.model import dumps
from nectar_notebooks.sandbox.store.legacy_usage import power_quality
from nectar_notebooks.sandbox.store.templates import BRIEF, CHILDREN, USAGE
from nectar_notebooks.sandbox.switches import Switches

__all__ = [
    "PAGE_SIZE",
    "Filters",
    "Page",
    "Scope",
    "document_row",
    "document_text",
    "documents",
    "legacy_text",
    "legacy_usage",
    "page_of",
    "usage",
    "usage_text",
]


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a document or usage list."""

    date_type: str
    start: str | None
    end: str | None
    commodities: tuple[str, ...]
    identifier: str | None
    deleted: bool


PAGE_SIZE: Final = 100
#: A bill without its children, not closed, by the switch `bill_date`.
_BRIEF: Final = {
    "invoice": BRIEF.text("d"),
    "period_end": f"""(SELECT substr(text, 1, length(text) - 1) FROM
        (SELECT json_set({BRIEF.text("d")} || '}}', '$.billDate', coalesce(d.last_day, d.bill_date)) AS text))""",
}
#: A usage record without its bill, not closed.
_USAGE: Final = f"""{USAGE.text("u")} || ',"site":' ||
    coalesce((SELECT s.record FROM sites s WHERE s.seq = u.site), 'null')"""
#: What follows a usage record where v2.1 is asked for: what it makes apparent and reactive energy of.
_FACTOR: Final = """ || ',"powerFactor":' || coalesce('"' || u.power_factor || '"', 'null')"""
_ORDER: Final = "ORDER BY {0}.created, {0}.id LIMIT ? OFFSET ?"
_COLUMNS: Final = {"BILL_DATE": "bill_date", "CREATED_DATE": "created", "UPDATED_DATE": "updated"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows are listed: a company's, site's, connection's or document's."""

    kind: str
    seq: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list as JSON texts in bytes, and where it stands in the list."""

    rows: list[bytes]
    total: int
    number: int
    pages: int
    size: int = PAGE_SIZE


def page_of(total: int, asked: int, size: int = PAGE_SIZE) -> tuple[int, int]:
    """Return the number of the page that answers and of all pages.

    A page past the end, and one below the first, is the last; an empty list has one page.

    Examples
    --------
    >>> page_of(250, 9)
    (3, 3)
    >>> page_of(0, 1)
    (1, 1)
    """
    pages = max(1, -(-total // size))
    return (asked if 1 <= asked <= pages else pages), pages


def documents(
    db: sqlite3.Connection, scope: Scope, filters: Filters, asked: int, switches: Switches, factor: bool = False
) -> Page:
    """Return one page of a company's, site's or connection's bills; with `factor`, power factors on their usage."""
    where = ["d.deleted = 0"]
    values: list[object] = []
    if filters.deleted:
        where = ["d.deleted = 1"] if switches.is_deleted == "only" else []
    if scope.kind == "site":
        where.append("d.seq IN (SELECT x.document FROM usage x WHERE x.site = ?)")
    else:
        where.append(f"d.{scope.kind} = ?")
    values.append(scope.seq)
    _days("d", filters, switches, where, values)
    if filters.commodities:
        where.append(
            "EXISTS (SELECT 1 FROM usage x WHERE x.document = d.seq"
            f" AND x.commodity IN ({_marks(filters.commodities)}))"
        )
        values += filters.commodities
    if filters.identifier is not None:
        where.append(
            "d.seq IN (SELECT x.document FROM usage_identifiers i JOIN usage x ON x.seq = i.usage WHERE i.value = ?)"
        )
        values.append(filters.identifier)
    return _page(db, "d", "documents", document_row(switches, factor), where, values, asked)


def usage(db: sqlite3.Connection, scope: Scope, filters: Filters, asked: int, switches: Switches) -> Page:
    """Return one page of a company's, site's, connection's or document's usage, without deleted bills'."""
    where = ["u.deleted = 0", f"u.{scope.kind} = ?"]
    values: list[object] = [scope.seq]
    _of_usage("u", "u.seq", filters, switches, where, values)
    return _page(db, "u", "usage", _usage_row(switches), where, values, asked)


def legacy_usage(
    db: sqlite3.Connection, scope: Scope, filters: Filters, asked: int, switches: Switches, kinds: int, factor: bool
) -> Page:
    """Return one page of usage as older versions list it; of the kinds of rows, those below `kinds`."""
    where = ["o.deleted = 0", f"o.{scope.kind} = ?", "o.kind < ?"]
    values: list[object] = [scope.seq, kinds]
    _of_usage("o", "o.usage", filters, switches, where, values)
    source = f"FROM legacy_usage o WHERE {' AND '.join(where)}"
    (total,) = db.execute(f"SELECT count(*) {source}", values).fetchone()
    number, pages = page_of(total, asked)
    found = db.execute(
        f"SELECT o.change, {_legacy_row(switches, factor)} {source} {_ORDER.format('o')}",
        [*values, PAGE_SIZE, (number - 1) * PAGE_SIZE],
    )
    return Page([_changed(change, text) for change, text in found], total, number, pages)


def legacy_text(db: sqlite3.Connection, seq: int, switches: Switches, factor: bool) -> bytes:
    """Return one usage record as older versions have it."""
    sql = f"SELECT o.change, {_legacy_row(switches, factor)} FROM legacy_usage o WHERE o.seq = ?"
    return _changed(*db.execute(sql, (seq,)).fetchone())


def document_text(db: sqlite3.Connection, seq: int, switches: Switches, factor: bool = False) -> bytes:
    """Return one bill."""
    sql = f"SELECT CAST({document_row(switches, factor)} AS BLOB) FROM documents d WHERE d.seq = ?"
    return bytes(db.execute(sql, (seq,)).fetchone()[0])


def usage_text(db: sqlite3.Connection, seq: int, switches: Switches) -> bytes:
    """Return one usage record."""
    sql = f"SELECT CAST({_usage_row(switches)} AS BLOB) FROM usage u WHERE u.seq = ?"
    return bytes(db.execute(sql, (seq,)).fetchone()[0])


def document_row(switches: Switches, factor: bool = False) -> str:
    """Return the SQL of a bill with its usage records, which stand there without their bill."""
    row = f"{_USAGE}{_FACTOR}" if factor else _USAGE
    return f"""{_BRIEF[switches.bill_date]} || ',' || {CHILDREN.text("d")} || ',"usageData":[' || coalesce(
        (SELECT group_concat({row}, '}},') || '}}' FROM usage u WHERE u.document = d.seq), '') || ']}}'"""


def _usage_row(switches: Switches, factor: bool = False) -> str:
    """Return the SQL of a usage record with its bill, which stands there without its children."""
    return f"""{_USAGE}{_FACTOR if factor else ""} || ',"document":' ||
        (SELECT {_BRIEF[switches.bill_date]} FROM documents d WHERE d.seq = u.document) || '}}}}'"""


def _legacy_row(switches: Switches, factor: bool) -> str:
    return f"(SELECT {_usage_row(switches, factor)} FROM usage u WHERE u.seq = o.usage)"


def _changed(change: str, text: str) -> bytes:
    """Return a usage record as the row of an older version says it differently."""
    record = json.loads(text)
    del record["timeOfUseBreakdown"]
    record = record | {"timeOfUse": None} | json.loads(change)
    return dumps(power_quality(record) if "powerFactor" in record else record)


def _page(
    db: sqlite3.Connection,
    alias: str,
    table: str,
    row: str,
    where: list[str],
    values: list[object],
    asked: int,
) -> Page:
    source = f"FROM {table} {alias} WHERE {' AND '.join(where)}"
    (total,) = db.execute(f"SELECT count(*) {source}", values).fetchone()
    number, pages = page_of(total, asked)
    sql = f"SELECT CAST({row} AS BLOB) {source} {_ORDER.format(alias)}"
    found = db.execute(sql, [*values, PAGE_SIZE, (number - 1) * PAGE_SIZE])
    return Page([text for (text,) in found], total, number, pages)


def _of_usage(
    alias: str, usage: str, filters: Filters, switches: Switches, where: list[str], values: list[object]
) -> None:
    """Narrow a list of usage, whose number is in the column `usage`, by days, commodity and identifier."""
    _days(alias, filters, switches, where, values)
    if filters.commodities:
        where.append(f"{alias}.commodity IN ({_marks(filters.commodities)})")
        values += filters.commodities
    if filters.identifier is not None:
        where.append(f"{usage} IN (SELECT i.usage FROM usage_identifiers i WHERE i.value = ?)")
        values.append(filters.identifier)


def _days(alias: str, filters: Filters, switches: Switches, where: list[str], values: list[object]) -> None:
    """Add the conditions of startDate and endDate, each on its own."""
    start, end = filters.start, filters.end
    if filters.date_type == "USAGE_PERIOD":
        first, last, before = f"{alias}.first_day", f"{alias}.last_day", False
    else:
        column = _COLUMNS[filters.date_type]
        first = f"{alias}.{column}"
        before = column != "bill_date"
        if column == "bill_date" and switches.bill_date == "period_end":
            first = (
                "coalesce(d.last_day, d.bill_date)"
                if alias == "d"
                else f"(SELECT coalesce(d.last_day, d.bill_date) FROM documents d WHERE d.seq = {alias}.document)"
            )
        last = first
    if start is not None:
        where.append(f"{last} >= ?")
        values.append(start)
    if end is not None:
        if before and switches.updated_end_day == "included":
            end = (date.fromisoformat(end) + timedelta(days=1)).isoformat() if end < "9999-12-31" else "9999-12-32"
        where.append(f"{first} {'<' if before else '<='} ?")
        values.append(end)


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))

"""The state of an embedded sandbox: one SQLite database, one lock, and how records get in and out of it.

Every access happens inside :meth:`State.reading` or :meth:`State.writing`; a writing block is a transaction,
so that a refused request leaves nothing half-written. Bills of a company are made when the first request
needs them. What a list page looks like is decided in `pages`, what a key may do in `keys`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Final

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.fields import fill
from nectar_notebooks.sandbox.tables import DDL, FORMAT
from nectar_notebooks.sandbox.text import dumps, normalized, opened
from nectar_notebooks.sandbox.world import Record, World

__all__ = ["State", "document_columns", "usage_columns"]

_INSERT_DOCUMENT: Final = """INSERT INTO documents (seq, company, connection, deleted, id, created, updated, bill_date,
    first_day, last_day, brief, children) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_USAGE: Final = """INSERT INTO usage (seq, document, company, connection, deleted, site, meter, bill_date, id,
    commodity, created, updated, first_day, last_day, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_IDENTIFIER: Final = "INSERT OR IGNORE INTO usage_identifiers (value, usage) VALUES (?, ?)"


class State:
    """Records in SQLite; safe for several threads.

    Parameters
    ----------
    path : Path, optional
        A file that keeps the state; without one it lives in memory.

    Raises
    ------
    ConfigurationError
        A file that cannot be opened, or is no state of an embedded sandbox of this release.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock = RLock()
        self._depth = 0
        self._later: dict[int, Callable[[], Iterable[World]]] = {}
        self.db = _open(path)
        self.is_new = self.meta("seed") is None

    def close(self) -> None:
        """Close the database; a sandbox in memory is gone then."""
        with self._lock:
            self.db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the state still while it is read."""
        with self._lock:
            yield self.db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the state as a whole, or not at all; blocks may be nested."""
        with self._lock:
            if self._depth == 0:
                self.db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self.db
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self.db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self.db.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything but the tables."""
        with self.writing() as db:
            self._later.clear()
            names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                db.execute(f"DELETE FROM {name}")

    def load(self, world: World) -> None:
        """Add a world's records; bills that come later are remembered, not made."""
        with self.writing() as db:
            for record in world.companies:
                self.add_company(record)
            companies = self.seqs("companies")
            for record in world.sites:
                self.add_site(record, companies[record["company"]])
            for record in world.connections:
                self.add_connection(record, companies[record["company"]])
            connections, sites = self.seqs("connections"), self.seqs("sites")
            for record in world.accounts:
                self.add_account(record, companies[record["company"]], connections.get(record.get("connection")))
            accounts = self.seqs("accounts")
            db.executemany(
                "INSERT INTO meters (id, company, site, account, record) VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        record["id"],
                        companies[record["company"]],
                        sites.get(record.get("site")),
                        accounts.get(record.get("account")),
                        dumps(record),
                    )
                    for record in world.meters
                ),
            )
            self.add_bills([world])
            self._later.update({companies[company]: make for company, make in world.later.items()})

    def ready(self, company: int | None = None) -> None:
        """Make the bills of a company (of all without one), if they are still to come."""
        with self._lock:
            for seq in [company] if company is not None else list(self._later):
                make = self._later.pop(seq, None)
                if make is not None:
                    self.add_bills(make())

    def seqs(self, table: str) -> dict[str | None, int]:
        """Return the row number of every id of a small table."""
        return dict(self.db.execute(f"SELECT id, seq FROM {table}"))

    def add_company(self, record: Record) -> int:
        """Store a company and return its row."""
        return self._insert("INSERT INTO companies (id, record) VALUES (?, ?)", record["id"], dumps(record))

    def add_site(self, record: Record, company: int) -> int:
        """Store a site and return its row."""
        return self._insert(
            "INSERT INTO sites (id, company, record) VALUES (?, ?, ?)",
            record["id"],
            company,
            dumps(fill("sites", record)),
        )

    def add_connection(self, record: Record, company: int) -> int:
        """Store a connection and return its row."""
        return self._insert(
            "INSERT INTO connections (id, company, created, status, owner, record) VALUES (?, ?, ?, ?, ?, ?)",
            record["id"],
            company,
            record.get("created"),
            record.get("status"),
            record.get("workflowOwnerEmail"),
            dumps(record),
        )

    def add_account(self, record: Record, company: int, connection: int | None) -> int:
        """Store an account and return its row."""
        return self._insert(
            "INSERT INTO accounts (id, company, connection, record) VALUES (?, ?, ?, ?)",
            record["id"],
            company,
            connection,
            dumps(record),
        )

    def add_bills(self, parts: Iterable[World]) -> None:
        """Store bills and their usage records; a usage record comes in the same part as its bill."""
        with self.writing() as db:
            refs = _Refs(self.seqs("companies"), self.seqs("connections"), self.seqs("sites"), self.seqs("meters"))
            (document,) = db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
            (usage,) = db.execute("SELECT coalesce(max(seq), 0) FROM usage").fetchone()
            for part in parts:
                rows = _bill_rows(part, refs, document, usage)
                document += len(rows.documents)
                usage += len(rows.usage)
                db.executemany(_INSERT_DOCUMENT, rows.documents)
                db.executemany(_INSERT_USAGE, rows.usage)
                db.executemany(_INSERT_IDENTIFIER, rows.identifiers)

    def meta(self, name: str) -> Any:
        """Return what is noted under `name`, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, name: str, value: Any) -> None:
        """Note a JSON value under `name`."""
        self.db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, dumps(value)))

    def _insert(self, sql: str, *values: object) -> int:
        row = self.db.execute(sql, values).lastrowid
        assert row is not None  # noqa: S101 - an INSERT of one row has one
        return row


def _open(path: Path | None) -> sqlite3.Connection:
    """Return the database with its tables, made where there are none."""
    db = None
    try:
        db = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False, isolation_level=None)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise ConfigurationError(
            f"The embedded sandbox cannot keep its state in {path}: {error}.",
            advice="Name a file that does not exist yet, or one that an embedded sandbox made.",
        ) from None
    if tables and version != FORMAT:
        db.close()
        raise ConfigurationError(
            f"{path} holds no state of an embedded sandbox of this release.",
            advice="Name a file that does not exist yet, or remove this one if it may go.",
        )
    if not tables:
        db.executescript(f"BEGIN; {DDL} PRAGMA user_version = {FORMAT}; COMMIT;")
    if path is not None:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
    return db


@dataclass(frozen=True, slots=True)
class _Refs:
    """Row numbers by id of what bills point to."""

    companies: dict[str | None, int]
    connections: dict[str | None, int]
    sites: dict[str | None, int]
    meters: dict[str | None, int]


@dataclass(frozen=True, slots=True)
class _BillRows:
    """Rows to insert."""

    documents: list[tuple[object, ...]]
    usage: list[tuple[object, ...]]
    identifiers: list[tuple[str, int]]


def _bill_rows(part: World, refs: _Refs, document: int, usage: int) -> _BillRows:
    """Return the rows of a part's bills, numbered on from the last ones given."""
    by_document: defaultdict[str, list[Record]] = defaultdict(list)
    for row in part.usage:
        by_document[row["document"]].append(row)
    found = _BillRows([], [], [])
    for record in part.documents:
        document += 1
        rows = by_document.pop(record["id"], [])
        owner = (
            document,
            refs.companies[record["company"]],
            refs.connections.get(record.get("connection")),
            int(bool(record.get("isDeleted"))),
        )
        found.documents.append((*owner, *document_columns(record, rows)))
        for row in rows:
            usage += 1
            place = (refs.sites.get(row.get("site")), refs.meters.get(row.get("meter")), record.get("billDate"))
            found.usage.append((usage, *owner, *place, *usage_columns(row)))
            found.identifiers.extend(
                (normalized(identifier["value"]), usage) for identifier in row.get("identifiers") or ()
            )
    if by_document:
        raise ValueError(f"Usage of unknown bills: {', '.join(sorted(by_document)[:3])}.")
    return found


def document_columns(record: Record, usage: Iterable[Record]) -> tuple[str | None, ...]:
    """Return id, created, updated, bill_date, first_day, last_day, brief and children of a bill.

    The days are those of its usage; a bill without usage has its own start and its bill date.
    """
    days = sorted(
        day for row in usage for day in (row.get("startDate"), row.get("endDate") or row.get("startDate")) if day
    ) or [day for day in (record.get("startDate") or record.get("billDate"), record.get("billDate")) if day]
    lines, demand = dumps(record.get("lineItems") or []), dumps(record.get("demandMeters") or [])
    children = f',"lineItems":{lines},"demandMeters":{demand}'
    return (
        record["id"],
        record.get("created"),
        record.get("updated"),
        record.get("billDate"),
        days[0] if days else None,
        days[-1] if days else None,
        opened(fill("documents", record)),
        children,
    )


def usage_columns(record: Record) -> tuple[str | None, ...]:
    """Return id, commodity, created, updated, first_day, last_day and body of a usage record."""
    first = record.get("startDate")
    return (
        record["id"],
        record.get("datasourceType"),
        record.get("created"),
        record.get("updated"),
        first,
        record.get("endDate") or first,
        opened(fill("usage", record)),
    )

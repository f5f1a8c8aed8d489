"""The state of an embedded sandbox: one SQLite database, one lock, and how records get in and out of it.

Every access happens inside :meth:`State.reading` or :meth:`State.writing`; a writing block is a transaction,
so that a refused request leaves nothing half-written. Bills of a company are made when the first request
needs them. What a list page looks like is decided in `queries`, what a key may do in `keys`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import UUID

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.contract.fields import fill
from nectar_notebooks.sandbox.model import Record, World, stored
from nectar_notebooks.sandbox.store.legacy_usage import forget_legacy
from nectar_notebooks.sandbox.store.rows import Refs, bill_rows
from nectar_notebooks.sandbox.store.schema import COMPANY_TABLES, DDL, FORMAT, MIGRATIONS
from nectar_notebooks.sandbox.store.templates import Templates

__all__ = ["State"]


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
        self.on_stored: Callable[[], None] = lambda: None
        #: Grows with every change that a reader may see: whoever keeps rows can tell by it that they are old.
        self.revision = 0
        #: Grows with what is done to the sandbox itself, and not over its API: bills loaded, time moved, scenarios.
        self.acts = 0
        self._later: dict[int, Callable[[], Iterable[World]]] = {}
        self._kept: bytes | None = None
        self.db = _open(path)
        self.templates = Templates(self.db)
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
                    self.templates.forget()
                raise
            self._depth -= 1
            stored = self._depth == 0
            if stored:
                self.db.execute("COMMIT")
                self.revision += 1
        if stored:
            self.on_stored()  # outside the lock: whoever is told may ask back

    def clear(self) -> None:
        """Forget everything but the tables."""
        with self.writing() as db:
            self._later.clear()
            self.templates.forget()
            names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                db.execute(f"DELETE FROM {name}")

    def keep(self) -> None:
        """Make every bill, and keep all of it as it stands now for :meth:`go_back`; a state in memory only."""
        with self.writing():
            self.ready()
        with self._lock:
            self._kept = self.db.serialize()

    def go_back(self) -> bool:
        """Become what was kept, and say whether something was."""
        with self._lock:
            if self._kept is None:
                return False
            self.db.deserialize(self._kept)
            self.revision += 1
            self._later.clear()
            self.templates.forget()
        return True

    def load(self, world: World) -> None:
        """Add a world's records; bills that come later are remembered, not made."""
        with self.writing():
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
            for record in world.meters:
                site, account = sites.get(record.get("site")), accounts.get(record.get("account"))
                self.add_meter(record, companies[record["company"]], site, account)
            self.add_bills([world])
            self._later.update({companies[company]: make for company, make in world.later.items()})

    def ready(self, company: int | None = None) -> None:
        """Make the bills of a company (of all without one), if they are still to come."""
        with self._lock:
            revision = self.revision
            for seq in [company] if company is not None else list(self._later):
                make = self._later.pop(seq, None)
                if make is not None:
                    self.add_bills(make())
            self.revision = revision  # to a reader these bills were there before

    def new_id(self, kind: str) -> str:
        """Return the id of the next object made in this sandbox: the same seed and calls give the same ids."""
        number = (self.meta("made") or 0) + 1
        self.note("made", number)
        return self.derived_id(f"{kind} {number}")

    def derived_id(self, name: str) -> str:
        """Return the id that belongs to a name in this sandbox."""
        digest = hashlib.sha256(f"nectar embedded sandbox {self.meta('seed')} {name}".encode()).digest()
        return str(UUID(bytes=digest[:16], version=4))

    def record(self, kind: str, seq: int) -> Record:
        """Return the stored record of anything but a bill or usage."""
        record: Record = json.loads(self.db.execute(f"SELECT record FROM {kind} WHERE seq = ?", (seq,)).fetchone()[0])
        return record

    def knows(self, kind: str, object_id: str) -> bool:
        """Say whether there is such an object."""
        return self.db.execute(f"SELECT 1 FROM {kind} WHERE id = ?", (object_id,)).fetchone() is not None

    def seqs(self, table: str) -> dict[str | None, int]:
        """Return the row number of every id of a small table."""
        return dict(self.db.execute(f"SELECT id, seq FROM {table}"))

    def add_company(self, record: Record) -> int:
        """Store a company and return its row."""
        return self._insert("INSERT INTO companies (id, record) VALUES (?, ?)", record["id"], stored(record))

    def add_site(self, record: Record, company: int) -> int:
        """Store a site and return its row."""
        return self._insert(
            "INSERT INTO sites (id, company, record) VALUES (?, ?, ?)",
            record["id"],
            company,
            stored(fill("sites", record)),
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
            stored(record),
        )

    def add_account(self, record: Record, company: int, connection: int | None) -> int:
        """Store an account and return its row."""
        return self._insert(
            "INSERT INTO accounts (id, company, connection, record) VALUES (?, ?, ?, ?)",
            record["id"],
            company,
            connection,
            stored(record),
        )

    def add_meter(self, record: Record, company: int, site: int | None, account: int | None) -> int:
        """Store a meter and return its row."""
        return self._insert(
            "INSERT INTO meters (id, company, site, account, record) VALUES (?, ?, ?, ?, ?)",
            record["id"],
            company,
            site,
            account,
            stored(record),
        )

    def add_bills(self, parts: Iterable[World]) -> None:
        """Store bills and their usage records; a usage record comes in the same part as its bill."""
        with self.writing() as db:
            refs = Refs(self.seqs("companies"), self.seqs("connections"), self.seqs("sites"), self.seqs("meters"))
            (document,) = db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
            (usage,) = db.execute("SELECT coalesce(max(seq), 0) FROM usage").fetchone()
            changed: set[str] = set()
            for part in parts:
                changed.update(record["company"] for record in part.documents)
                rows = bill_rows(part, refs, self.templates, document, usage)
                document += len(rows.documents)
                usage += len(rows.usage)
                rows.insert(db)
            for company in sorted(changed):
                forget_legacy(db, refs.companies[company])

    def remove_company(self, company_id: str) -> None:
        """Remove a company and everything that is its own, if it is there."""
        with self.writing() as db:
            row = db.execute("SELECT seq FROM companies WHERE id = ?", (company_id,)).fetchone()
            if row is None:
                return
            self._later.pop(row[0], None)
            db.execute("DELETE FROM usage_identifiers WHERE usage IN (SELECT seq FROM usage WHERE company = ?)", row)
            for table in COMPANY_TABLES:
                db.execute(f"DELETE FROM {table} WHERE company = ?", row)
            db.execute("DELETE FROM companies WHERE seq = ?", row)

    def changed_bills(self, document: int) -> None:
        """Note that a bill or its usage changed: what older versions make of it is made anew."""
        (company,) = self.db.execute("SELECT company FROM documents WHERE seq = ?", (document,)).fetchone()
        forget_legacy(self.db, company)

    def deactivate(self, company: int) -> None:
        """Note that a company is deactivated, also where it has no connection that says so."""
        self.db.execute(
            "UPDATE companies SET record = json_set(record, '$.deactivated', json('true')) WHERE seq = ?", (company,)
        )

    def is_inactive(self, company: int) -> bool:
        """Say whether a company is deactivated: that was noted, or it has connections and all say so."""
        (count, inactive) = self.db.execute(
            "SELECT count(*), coalesce(sum(status = 'COMPANY_INACTIVE'), 0) FROM connections WHERE company = ?",
            (company,),
        ).fetchone()
        return (bool(count) and count == inactive) or bool(self.record("companies", company).get("deactivated"))

    def meta(self, name: str) -> Any:
        """Return what is noted under `name`, or None."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, name: str, value: Any) -> None:
        """Note a JSON value under `name`."""
        self.db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, stored(value)))

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
        if tables and version in MIGRATIONS:
            db.executescript(f"BEGIN; {MIGRATIONS[version]} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif tables and version != FORMAT:
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
    except (sqlite3.Error, ValueError) as error:  # of a name that no file has, a ValueError
        if db is not None:
            db.close()
        raise ConfigurationError(
            f"The embedded sandbox cannot keep its state in {path}: {error}.",
            advice="Name a file that does not exist yet, or one that an embedded sandbox made.",
        ) from None
    return db

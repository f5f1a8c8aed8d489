"""The manifest: one SQLite file (WAL) that says which generation of which snapshot holds, and for whom.

It opens, upgrades nothing, and repairs nothing by itself: a file that is no database, or of another layout,
is set aside under a new name and a fresh one takes its place; what to rebuild into it is the store's work.
Connections belong to one process: after a fork a new one is opened.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["LAYOUT", "Manifest"]

#: Layout of the tables below and of the folders; a change makes older stores be fetched again.
LAYOUT: Final = 1

_TABLES: Final = """
CREATE TABLE snapshots (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL,
    resource TEXT NOT NULL, scope TEXT NOT NULL,
    generation TEXT NOT NULL,           -- folder of the files
    fetched TEXT NOT NULL,              -- when its rows were last known to be right
    details TEXT NOT NULL,              -- JSON: files, watermark, what was asked
    PRIMARY KEY (host, version, profile, resource, scope)
) WITHOUT ROWID;
CREATE TABLE readers (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL, scope TEXT NOT NULL,
    fingerprint TEXT NOT NULL,          -- a key that was seen to read this scope
    PRIMARY KEY (host, version, profile, scope, fingerprint)
) WITHOUT ROWID;
CREATE TABLE walks (
    walk TEXT PRIMARY KEY,              -- digest of snapshot key, question and key fingerprint
    began TEXT NOT NULL                 -- when its first page was asked for
) WITHOUT ROWID;
CREATE TABLE pages (
    walk TEXT NOT NULL REFERENCES walks ON DELETE CASCADE, page INTEGER NOT NULL,
    body BLOB NOT NULL,                 -- as it came, compressed
    PRIMARY KEY (walk, page)
);
CREATE TABLE statuses (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL, scope TEXT NOT NULL,
    connection_id TEXT NOT NULL, seen TEXT NOT NULL, status TEXT NOT NULL, since TEXT, error TEXT,
    PRIMARY KEY (host, version, profile, connection_id, seen)
) WITHOUT ROWID;
"""


#: The file itself is sound when SQLite says one of these.
_NOT_DAMAGE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
}


class Manifest:
    """A SQLite file with the tables above.

    Parameters
    ----------
    path : Path
        Where the file is, or will be; its folder exists.
    durable : bool
        Whether a commit must survive a power failure (it always survives the death of the process).
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self._durable = durable
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        if not self.path.exists():
            # Made first and with these rights, because SQLite would follow the umask.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")  # durable changes say so themselves
            connection.execute("PRAGMA foreign_keys=ON")
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection, self._process = connection, os.getpid()
        # Closed with the manifest, not with the process: a forked child must leave it alone.
        weakref.finalize(self, connection.close).atexit = False
        return connection

    @staticmethod
    def _prepare(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={LAYOUT}")
            layout = LAYOUT
        connection.execute("COMMIT")
        if layout != LAYOUT:
            raise sqlite3.DatabaseError(f"layout {layout} instead of {LAYOUT}")

    def ask(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT.

        Raises
        ------
        ConfigurationError
            The file cannot be used here: no space, no rights.
        sqlite3.DatabaseError
            The file is damaged.
        """
        with self._lock, self._sorted_out():
            return self._open().execute(question, values).fetchall()

    @contextmanager
    def change(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one transaction: all of it happens, or nothing. Raises as :meth:`ask`.

        With ``durable=False`` a power failure (not the death of the process) may undo it: for what can be
        fetched again, and comes often.
        """
        with self._lock, self._sorted_out():
            connection = self._open()
            if self._durable:
                connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a failed write may have ended it already
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _sorted_out(self) -> Iterator[None]:
        """Tell a place that cannot be used from a file that is damaged."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_DAMAGE:
                raise
            check = "what else uses it" if "locked" in str(error) else "space and rights there"
            raise ConfigurationError(
                f"The cache in {self.path.parent} cannot be used: {error}.",
                advice=f"Check {check}, or give another folder with cache_dir=.",
            ) from error

    def vacuum(self) -> None:
        """Give the space of deleted rows back to the disk."""
        with self._lock:
            self._open().execute("VACUUM")

    def set_aside(self) -> Path:
        """Move the file away under a free name, so that a fresh one can be made; return that name."""
        with self._lock:
            self.close()
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
                number += 1
            self.path.replace(aside)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return aside

    def close(self) -> None:
        """Close the connection of this process; the next question opens another."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

"""The manifest: one SQLite file (WAL) that says which generation of which snapshot holds, and for whom.

It opens, upgrades nothing, and repairs nothing by itself: a file that is no database, or of another layout,
is set aside under a new name and a fresh one takes its place; what to rebuild into it is the store's work.
Where the file cannot be used (a read-only or full disk) this process works on a copy in its memory. Connections belong
to one process: after a fork a new one is opened.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import weakref
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.cache.folders import is_link
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["LAYOUT", "Manifest", "in_words"]

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
    path : Path or None
        Where the file is, or will be; its folder exists. None: in memory from the beginning.
    durable : bool
        Whether a commit must survive a power failure (it always survives the death of the process).
    """

    def __init__(self, path: Path | None, *, durable: bool) -> None:
        self.path = path
        #: Whether this process works on a copy of its own, and why: what it changes is gone with it.
        self.in_memory = path is None
        self.reason = ""
        self._durable = durable
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        connection = self._in_memory() if self.in_memory or self.path is None else self._on_disk(self.path)
        self._connection, self._process = connection, os.getpid()
        # Closed with the manifest, not with the process: a forked child must leave it alone.
        weakref.finalize(self, connection.close).atexit = False
        return connection

    def _on_disk(self, path: Path) -> sqlite3.Connection:
        for each in (path, *_beside(path)):
            if is_link(each):
                raise sqlite3.DatabaseError(f"{each.name} is a symbolic link")
        if not path.exists():
            try:  # made first and with these rights, because SQLite would follow the umask
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
            except OSError as error:
                raise self._unusable(error) from error
        connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")  # durable changes say so themselves
            connection.execute("PRAGMA foreign_keys=ON")
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        """Return a copy of what can be read of the file, in memory."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if self.path is not None and self.path.exists() and not any(map(is_link, (self.path, *_beside(self.path)))):
            _copy(self.path, connection)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            self._prepare(connection)
        except sqlite3.Error:  # what was read is no manifest of ours: without it
            connection.close()
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._prepare(connection)
        return connection

    def leave_disk(self, reason: Exception) -> None:
        """Go on with a copy in memory, because the file cannot be used or written."""
        with self._lock:
            if self.in_memory:
                return
            self.in_memory, self.reason = True, in_words(reason)
            former = self._connection if self._process == os.getpid() else None
            self._connection = None
            if former is not None:
                with closing(former), suppress(sqlite3.Error):  # it sees its own changes, whatever cannot be copied
                    former.backup(self._open())

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
        """Return the rows of one SELECT; where the file cannot be used, from what could be read of it.

        Raises
        ------
        sqlite3.DatabaseError
            The file is damaged.
        """
        with self._lock:
            try:
                with self._sorted_out():
                    return self._open().execute(question, values).fetchall()
            except ConfigurationError as error:
                self.leave_disk(error)
                return self._open().execute(question, values).fetchall()

    @contextmanager
    def change(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Give a connection inside one transaction: all of it happens, or nothing.

        Raises ``ConfigurationError`` where the file cannot be written (no space, no rights), and as :meth:`ask` does.
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
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ConfigurationError:
        check = "what else uses it" if "locked" in str(error) else "space and rights there"
        where = "memory" if self.path is None else self.path.parent
        return ConfigurationError(
            f"The cache in {where} cannot be used: {error}.",
            advice=f"Check {check}, or give another folder with cache_dir=.",
        )

    def vacuum(self) -> None:
        """Give the space of deleted rows back to the disk."""
        with self._lock:
            self._open().execute("VACUUM")

    def set_aside(self) -> Path:
        """Move the file away under a free name, so that a fresh one can be made; return that name.

        Raises ``OSError`` where it stays: on a read-only disk, or open in another process of Windows.
        """
        with self._lock:
            self.close()
            assert self.path is not None  # noqa: S101 - what is in memory only is not damaged
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists() or is_link(aside):
                number += 1
            self.path.replace(aside)  # of a link, the link alone
            for each in _beside(self.path):
                each.unlink(missing_ok=True)
            return aside

    def close(self) -> None:
        """Close the connection of this process; the next question opens another."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def in_words(error: Exception) -> str:
    """Return what an error says, without advice and full stop: kept is never the error, which holds whole calls."""
    return (error.message if isinstance(error, ConfigurationError) else str(error)).rstrip(".")


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the files that SQLite keeps beside its own."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _copy(path: Path, into: sqlite3.Connection) -> None:
    """Read the database at `path` without writing there; what cannot be read stays away.

    Its latest changes may stand in the log beside it, which SQLite reads only where it may write: so both are copied.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="nectar-manifest-") as folder:
            copied = Path(folder) / path.name
            for each in (_beside(path)[0], path):  # the log first: what moves from it meanwhile is then there twice
                if each.exists():
                    shutil.copyfile(each, copied.with_name(each.name))
            with closing(sqlite3.connect(copied)) as source:
                source.backup(into)
            return
    except (OSError, sqlite3.Error):
        pass  # no room for a copy either: without the log, then
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as source:
            source.backup(into)
    except sqlite3.Error:
        pass  # as if nothing were kept

"""The manifest: a SQLite file (WAL) with the snapshots, who may read them, unfinished walks and seen statuses.

:class:`Manifest` opens it and runs transactions, :class:`Staging` keeps the finished pages of an unfinished walk, and
:func:`record_statuses` and :func:`status_history` keep the statuses of connections. A file that is damaged or has
another layout is set aside under a new name; the store rebuilds a fresh one from the folders. If the file cannot be
used (a read-only or full disk), this process works on a copy in memory. Snapshots and readers are the store's to write.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import tempfile
import weakref
import zlib
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nectar_notebooks.api import AnswerTime, oldest
from nectar_notebooks.cache.files import is_link
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from nectar_notebooks.cache.snapshots import Realm

__all__ = ["LAYOUT", "OLDEST_WALK", "Manifest", "Staging", "in_words", "record_statuses", "status_history"]

#: Layout of the tables below and of the folders. The cache folder of each layout has its own name: another release
#: that changes it fetches everything again.
LAYOUT: Final = 1
#: A walk that began earlier is not resumed: too much may have changed since.
OLDEST_WALK: Final = timedelta(days=1)

_TABLES: Final = """
CREATE TABLE snapshots (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL,
    resource TEXT NOT NULL, scope TEXT NOT NULL,
    generation TEXT NOT NULL,           -- folder of the files
    fetched TEXT NOT NULL,              -- when its rows were last known to be right
    details TEXT NOT NULL,              -- JSON, see snapshots.Details
    PRIMARY KEY (host, version, profile, resource, scope)
) WITHOUT ROWID;
CREATE TABLE readers (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL, scope TEXT NOT NULL,
    fingerprint TEXT NOT NULL,          -- of an API key that has read this scope
    PRIMARY KEY (host, version, profile, scope, fingerprint)
) WITHOUT ROWID;
CREATE TABLE walks (
    walk TEXT PRIMARY KEY,              -- digest of snapshot key, question and key fingerprint
    began TEXT NOT NULL                 -- when its first page was requested
) WITHOUT ROWID;
CREATE TABLE pages (
    walk TEXT NOT NULL REFERENCES walks ON DELETE CASCADE, page INTEGER NOT NULL,
    body BLOB NOT NULL,                 -- the response, compressed
    PRIMARY KEY (walk, page)
);
CREATE TABLE statuses (
    host TEXT NOT NULL, version TEXT NOT NULL, profile TEXT NOT NULL, scope TEXT NOT NULL,
    connection_id TEXT NOT NULL, seen TEXT NOT NULL, status TEXT NOT NULL, since TEXT, error TEXT,
    PRIMARY KEY (host, version, profile, connection_id, seen)
) WITHOUT ROWID;
"""

#: Errors of SQLite that do not mean that the file is damaged.
_NOT_DAMAGE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
}

_HEAD: Final = struct.Struct("<Qd?")  # length of the body, when it was answered, whether the API said so
_SUM: Final = struct.Struct("<I")  # checksum of everything after it

_LATEST: Final = (
    "SELECT connection_id, status, since FROM statuses AS one WHERE host=? AND version=? AND profile=? AND scope=?"
    " AND seen = (SELECT max(seen) FROM statuses AS two WHERE two.host=one.host AND two.version=one.version"
    " AND two.profile=one.profile AND two.connection_id=one.connection_id)"
)


class Manifest:
    """The SQLite file, opened when first used; each process has its own connection, also after a fork.

    Parameters
    ----------
    path : Path or None
        Path of the file, in an existing folder. None: in memory only.
    durable : bool
        Whether a commit must survive a power failure. It always survives the end of the process.
    """

    def __init__(self, path: Path | None, *, durable: bool) -> None:
        self.path = path
        #: True if this process works on a copy in memory, which is lost when it ends; `reason` says why.
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
        # Not closed at exit: a forked child must not close its parent's connection.
        weakref.finalize(self, connection.close).atexit = False
        return connection

    def _on_disk(self, path: Path) -> sqlite3.Connection:
        for each in (path, *_beside(path)):
            if is_link(each):
                raise sqlite3.DatabaseError(f"{each.name} is a symbolic link")
        if not path.exists():
            try:  # created here, because SQLite would apply the umask
                os.close(os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600))
            except OSError as error:
                raise self._unusable(error) from error
        connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")  # `change` raises it for durable transactions
            connection.execute("PRAGMA foreign_keys=ON")
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        """Return a copy of the file in memory, as far as it can be read."""
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if self.path is not None and self.path.exists() and not any(map(is_link, (self.path, *_beside(self.path)))):
            _copy(self.path, connection)
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            self._prepare(connection)
        except sqlite3.Error:  # not a manifest: start empty
            connection.close()
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            self._prepare(connection)
        return connection

    def leave_disk(self, reason: Exception) -> None:
        """Switch to a copy in memory, because the file cannot be used or written."""
        with self._lock:
            if self.in_memory:
                return
            self.in_memory, self.reason = True, in_words(reason)
            former = self._connection if self._process == os.getpid() else None
            self._connection = None
            if former is not None:
                with closing(former), suppress(sqlite3.Error):  # it has this process's latest changes
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
        """Return the rows of a SELECT; if the file cannot be used, from the copy in memory.

        Raises
        ------
        sqlite3.DatabaseError
            The file is damaged.
        """
        with self._lock:
            try:
                with self._usable():
                    return self._open().execute(question, values).fetchall()
            except ConfigurationError as error:
                self.leave_disk(error)
                return self._open().execute(question, values).fetchall()

    @contextmanager
    def change(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction.

        With ``durable=False`` a power failure (not the end of the process) may undo it: for frequent writes of rows
        that can be fetched again. Raises ``ConfigurationError`` if the file cannot be written (no space, no
        permission), and as :meth:`ask` does.
        """
        with self._lock, self._usable():
            connection = self._open()
            if self._durable:
                connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a failed write may have ended it
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turn an error that is no damage of the file into ``ConfigurationError``."""
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
        """Return the space of deleted rows to the disk."""
        with self._lock:
            self._open().execute("VACUUM")

    def set_aside(self) -> Path:
        """Rename the file to a free name, so that a new one can be created; return that path.

        Raises ``OSError`` if it cannot be renamed: a read-only disk, or open in another process on Windows.
        """
        with self._lock:
            self.close()
            assert self.path is not None  # noqa: S101 - a manifest in memory is never damaged
            number = 1
            while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists() or is_link(aside):
                number += 1
            self.path.replace(aside)  # a link itself, not its target
            for each in _beside(self.path):
                each.unlink(missing_ok=True)
            return aside

    def close(self) -> None:
        """Close the connection of this process; the next call opens another."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def in_words(error: Exception) -> str:
    """Return the message of an error without advice and full stop; errors are not kept, they hold tracebacks."""
    return (error.message if isinstance(error, ConfigurationError) else str(error)).rstrip(".")


def _beside(path: Path) -> tuple[Path, Path]:
    """Return the paths of the files that SQLite keeps beside the database."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _copy(path: Path, into: sqlite3.Connection) -> None:
    """Copy the database at `path` without writing there, as far as it can be read.

    Its latest changes may be in the log beside it, which SQLite reads only if it may write: so both files are copied.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="nectar-manifest-") as folder:
            copied = Path(folder) / path.name
            for each in (_beside(path)[0], path):  # the log first: pages moved meanwhile are then in both
                if each.exists():
                    shutil.copyfile(each, copied.with_name(each.name))
            with closing(sqlite3.connect(copied)) as source:
                source.backup(into)
            return
    except (OSError, sqlite3.Error):
        pass  # no space for a copy: read without the log
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as source:
            source.backup(into)
    except sqlite3.Error:
        pass  # nothing can be read: as if nothing were kept


# ---------------------------------------------------------------------------------------------- unfinished walks


class Staging:
    """The finished pages of an unfinished walk, so that any process can resume it.

    Bodies are kept as they came, compressed and with a checksum. They are no snapshot and never read as one.

    Parameters
    ----------
    manifest : Manifest
    name : str
        Identifies the walk: snapshot key, question and API key. Only its digest is stored.
    now : datetime
        When the walk begins, unless it is resumed.
    wanted : callable, optional
        Returns whether a page may be kept: not if another embedded sandbox answered than `name` says.

    Attributes
    ----------
    given : AnswerTime or None
        When the oldest page that :meth:`pages` read was answered.
    """

    def __init__(
        self, manifest: Manifest, name: str, now: datetime, *, wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self._manifest = manifest
        self._wanted = wanted
        self.given: AnswerTime | None = None
        self._walk = blake2b(name.encode(), digest_size=16).hexdigest()
        began = manifest.ask("SELECT began FROM walks WHERE walk=?", (self._walk,))
        self.began = datetime.fromisoformat(began[0][0]) if began else now
        if not began or not timedelta(0) <= now - self.began <= OLDEST_WALK:
            self.restart(now)

    def restart(self, now: datetime) -> None:
        """Drop the pages; the walk begins `now`."""
        self.began, self.given = now, None

        def begin(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM walks WHERE walk=?", (self._walk,))
            connection.execute("INSERT INTO walks VALUES (?, ?)", (self._walk, now.isoformat()))

        self._change(begin)

    def _change(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Change the manifest; on a full disk its copy in memory, which no other process can resume from."""
        try:
            with self._manifest.change(durable=False) as connection:
                work(connection)
        except ConfigurationError as error:
            self._manifest.leave_disk(error)
            with self._manifest.change(durable=False) as connection:
                work(connection)

    def keep(self, page: int, body: bytes, given: AnswerTime | None = None) -> None:
        """Keep the body of a finished page."""
        if not self._wanted():
            return
        squeezed = _codec().compress(body, asbytes=True)
        if given is None:
            given = AnswerTime(self.began, by_api=False)
        packed = _HEAD.pack(len(body), given.at.timestamp(), given.by_api) + squeezed
        packed = _SUM.pack(zlib.crc32(packed)) + packed
        kept = (self._walk, page, packed)
        self._change(lambda connection: connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?, ?)", kept))

    def pages(self) -> Iterator[tuple[int, Any]]:
        """Yield the number and the decoded body of each kept page, in order; damaged pages are left out."""
        for (page,) in self._manifest.ask("SELECT page FROM pages WHERE walk=? ORDER BY page", (self._walk,)):
            found = self._manifest.ask("SELECT body FROM pages WHERE walk=? AND page=?", (self._walk, page))
            for (packed,) in found:
                unpacked = _unpacked(packed)
                if unpacked is not None:
                    body, given = unpacked
                    self.given = oldest(self.given, given)
                    yield int(page), json.loads(body)

    def finish(self) -> None:
        """Drop the pages: the walk is complete."""
        self._change(lambda connection: connection.execute("DELETE FROM walks WHERE walk=?", (self._walk,)))


def _unpacked(packed: bytes) -> tuple[bytes, AnswerTime] | None:
    """Return the body and when it was answered, or None if it is damaged."""
    try:
        [checksum] = _SUM.unpack_from(packed)
        packed = packed[_SUM.size :]
        if zlib.crc32(packed) != checksum:  # before unpacking anything
            return None
        size, given, by_api = _HEAD.unpack_from(packed)
        squeezed = packed[_HEAD.size :]
        body: bytes = _codec().decompress(squeezed, size, asbytes=True)
        return body, AnswerTime(datetime.fromtimestamp(given, UTC), by_api)
    except (struct.error, OSError, ValueError, OverflowError):
        return None


@cache
def _codec() -> pa.Codec:
    import pyarrow as pa

    return pa.Codec("lz4_raw")


# ------------------------------------------------------------------------------------------ statuses that were seen


def record_statuses(manifest: Manifest, realm: Realm, scope: str, connections: pd.DataFrame, seen: datetime) -> int:
    """Store the statuses of a company's connections as `seen`; return how many were new.

    A row is written only if the status or its "since" differs from the last one seen. The API tells only the present:
    changes between two looks are unknown.

    Parameters
    ----------
    manifest : Manifest
    realm : Realm
    scope : str
        The company's scope.
    connections : DataFrame
        Table ``connections``.
    seen : datetime
    """
    place = (realm.host, realm.version, realm.profile, scope)
    known = {row[0]: (row[1], row[2]) for row in manifest.ask(_LATEST, place)}
    lines: list[tuple[Any, ...]] = []
    columns = ["connection_id", "status", "status_since", "status_error"]
    for connection_id, status, since, error in connections[columns].itertuples(index=False):
        if pd.isna(status):
            continue
        since_text = None if pd.isna(since) else since.isoformat()
        if known.get(connection_id) != (status, since_text):
            note = None if pd.isna(error) else error
            lines.append((*place, connection_id, seen.isoformat(), status, since_text, note))
    if lines:
        with manifest.change() as connection:
            connection.executemany("INSERT OR REPLACE INTO statuses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", lines)
    return len(lines)


def status_history(manifest: Manifest, realm: Realm, scope: str) -> pd.DataFrame:
    """Return the statuses of a company's connections in the order in which they were seen.

    Returns
    -------
    DataFrame
        connection_id, seen, status, since, error (timestamps in UTC).
    """
    rows = manifest.ask(
        "SELECT connection_id, seen, status, since, error FROM statuses WHERE host=? AND version=?"
        " AND profile=? AND scope=? ORDER BY seen, connection_id",
        (realm.host, realm.version, realm.profile, scope),
    )
    frame = pd.DataFrame(rows, columns=["connection_id", "seen", "status", "since", "error"])
    for column in ("connection_id", "status", "error"):
        frame[column] = frame[column].astype(TEXT)
    for column in ("seen", "since"):
        frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601").dt.as_unit("us")
    return frame

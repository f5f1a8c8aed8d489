"""Snapshots on disk: published whole, read whole, or not there.

The files of a walk are written to a new folder, flushed, and become valid by one transaction in the manifest. A
damaged snapshot is dropped with one warning and counts as never fetched; the others stay. If the disk is full or
read-only, kept rows are read and new ones held in memory, with one warning. One writer at a time fetches a snapshot,
across threads and processes. When to fetch, and what, is the library's decision: the store knows no API.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import warnings
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from filelock import FileLock

from nectar_notebooks.cache import files
from nectar_notebooks.cache.manifest import LAYOUT, Manifest, in_words, record_statuses
from nectar_notebooks.cache.snapshots import Details, ForeignColumnsError, Realm, Snapshot, SnapshotKey
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd

__all__ = ["CacheWarning", "DamagedSnapshotError", "Store"]

_SNAPSHOT: Final = "host=? AND version=? AND profile=? AND resource=? AND scope=?"
#: Every embedded sandbox that was at a place: see `Realm.of_instance`.
_INSTANCE: Final = "substr(host, 1, ?) = ?"
_READER: Final = "host=? AND version=? AND profile=? AND scope=? AND fingerprint=?"


class CacheWarning(UserWarning):
    """Rows in the cache could not be used, or new ones not be kept; the rows returned are right all the same."""


class DamagedSnapshotError(Exception):
    """The files of a snapshot are damaged; it was dropped. Never raised outside the cache."""


class Store:
    """A folder of snapshots.

    Parameters
    ----------
    root : Path or None
        The cache folder; everything is in one folder inside it that only its owner can read. None: no folder can be
        created, everything is held in memory.
    durable : bool, default True
        Whether a snapshot must survive a power failure. Off for a temporary cache.

    Raises
    ------
    ConfigurationError
        The path cannot be a folder.
    """

    def __init__(self, root: Path | None, *, durable: bool = True) -> None:
        self.root = (Path(os.devnull) if root is None else root) / f"v{LAYOUT}"
        self._durable = durable
        #: Tables that could not be written, by generation.
        self._memory: dict[str, dict[str, pd.DataFrame]] = {}
        self._warned = False
        #: Why nothing can be written to the folder; empty if it can.
        self._reason = self._unwritable(root)
        readable = root is not None and self.root.is_dir() and not files.is_link(self.root)
        self.manifest = Manifest(self.root / "manifest.sqlite3" if readable else None, durable=durable)

    def _unwritable(self, root: Path | None) -> str:
        if root is None:
            return "no folder can be made for them"
        try:
            files.make_folder(root)
            files.refuse_links(self.root, self.root)
            files.make_folder(self.root)
        except OSError as error:
            return in_words(error)
        with suppress(OSError):
            self.root.chmod(0o700)  # whatever an earlier umask or user allowed
        return ""

    def find(self, key: SnapshotKey, fingerprint: str) -> Snapshot | None:
        """Return the snapshot of `key` if the API key with this fingerprint may read it, else None."""
        if not self.admits(key.realm, key.scope, fingerprint):
            return None
        rows = self._ask(
            f"SELECT generation, fetched, details FROM snapshots WHERE {_SNAPSHOT}",  # noqa: S608  constants
            key.columns,
        )
        return self._snapshot(key, *rows[0]) if rows else None

    def keys_within(self, realm: Realm, scope: str, fingerprint: str) -> list[SnapshotKey]:
        """Return the keys of the snapshots of `scope` that the API key with this fingerprint may read."""
        if not self.admits(realm, scope, fingerprint):
            return []
        rows = self._ask(
            "SELECT resource FROM snapshots WHERE host=? AND version=? AND profile=? AND scope=? ORDER BY resource",
            (realm.host, realm.version, realm.profile, scope),
        )
        return [SnapshotKey(realm, resource, scope) for (resource,) in rows]

    def admits(self, realm: Realm, scope: str, fingerprint: str) -> bool:
        """Return whether the API key with this fingerprint has read `scope` before."""
        values = (realm.host, realm.version, realm.profile, scope, fingerprint)
        return bool(self._ask(f"SELECT 1 FROM readers WHERE {_READER}", values))  # noqa: S608  constants

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot, whichever API key fetched it: names and sizes, no rows."""
        rows = self._ask(
            "SELECT host, version, profile, resource, scope, generation, fetched, details FROM snapshots"
            " ORDER BY host, version, profile, scope, resource"
        )
        found = (
            self._snapshot(SnapshotKey(Realm(host, version, profile), resource, scope), *rest)
            for host, version, profile, resource, scope, *rest in rows
        )
        return [snapshot for snapshot in found if snapshot is not None]

    def _snapshot(self, key: SnapshotKey, generation: str, fetched: str, details: str) -> Snapshot | None:
        try:
            return Snapshot.read(key, generation, fetched, details)
        except ForeignColumnsError:
            self._damaged(key, "it was written by another release of the toolkit")
        except (ValueError, TypeError, KeyError, AttributeError):
            self._damaged(key, "its entry in the manifest cannot be read")
        return None

    def read(self, snapshot: Snapshot, tables: Iterable[str] | None = None) -> dict[str, pd.DataFrame]:
        """Return tables of a snapshot, all of one generation.

        Raises
        ------
        DamagedSnapshotError
            A file is missing or damaged. The snapshot was dropped with a :class:`CacheWarning`, unless another writer
            had just replaced it.
        """
        folder = self._folder(snapshot)
        held = self._memory.get(snapshot.generation)
        if held is not None:
            return {table: held[table].copy() for table in (held if tables is None else tables)}
        try:
            files.refuse_links(self.root, folder)
            return {
                table: files.read_frame(
                    folder / f"{table}.parquet",
                    table=table,
                    generation=snapshot.generation,
                    size=snapshot.details.files[table][0],
                )
                for table in (snapshot.details.files if tables is None else tables)
            }
        except (files.DamagedFileError, OSError) as error:
            if self._current(snapshot.key) == snapshot.generation:
                self._damaged(snapshot.key, str(error), computed=bool(snapshot.details.inputs))
            raise DamagedSnapshotError(str(error)) from error

    def holds(self, key: SnapshotKey) -> bool:
        """Return whether there is a snapshot of `key`, whichever API key fetched it."""
        return self._current(key) is not None

    def _current(self, key: SnapshotKey) -> str | None:
        rows = self._ask(f"SELECT generation FROM snapshots WHERE {_SNAPSHOT}", key.columns)  # noqa: S608
        return rows[0][0] if rows else None

    def publish(
        self,
        key: SnapshotKey,
        frames: Mapping[str, pd.DataFrame],
        *,
        fingerprint: str,
        fetched: datetime,
        details: Details,
        computed: bool = False,
    ) -> Snapshot:
        """Make `frames` the valid generation of `key`, and admit the API key with this fingerprint to its scope.

        Frames `computed` from other snapshots need not survive a power failure: they are computed again. Frames that
        cannot be written are held in memory as long as this store lives, with one :class:`CacheWarning`; the former
        generation stays valid for everyone else.
        """
        generation = uuid4().hex
        snapshot = Snapshot(key, generation, fetched, details)
        home = self.root / key.folder
        draft = home / f".{generation}"
        try:
            self._refuse()
            files.refuse_links(self.root, home)
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = files.write(draft, frames, generation)
            snapshot = replace(snapshot, details=replace(details, files=written))
            files.complete(draft, generation, snapshot.record(fingerprint), durable=self._durable and not computed)
            self._refuse()
            self._switch(snapshot, fingerprint)
        except BaseException as error:
            if not files.is_link(home):
                shutil.rmtree(draft, ignore_errors=True)
                files.discard(home / generation)
            if not isinstance(error, (OSError, ConfigurationError)):
                raise
            return self._hold(snapshot, frames, fingerprint, error, computed=computed)
        files.sweep(home, keep=generation)
        return snapshot

    def _hold(
        self,
        snapshot: Snapshot,
        frames: Mapping[str, pd.DataFrame],
        fingerprint: str,
        error: Exception,
        *,
        computed: bool,
    ) -> Snapshot:
        """Hold frames in memory that could not be written."""
        self.not_kept(error, computed=computed)
        sizes = {table: (0, len(frame)) for table, frame in frames.items()}
        snapshot = replace(snapshot, details=replace(snapshot.details, files=sizes))
        former = self._current(snapshot.key)
        self._memory[snapshot.generation] = dict(frames)
        self._switch(snapshot, fingerprint)
        self._memory.pop(former or "", None)
        return snapshot

    def _refuse(self) -> None:
        reason = self._reason or self.manifest.reason
        if reason:
            raise OSError(reason)

    def not_kept(self, error: Exception, *, computed: bool = False) -> None:
        """Continue in memory because the folder cannot be written; warn once."""
        self.manifest.leave_disk(error)
        self._reason = self._reason or in_words(error)
        if self._warned:
            return
        self._warned = True
        then = "puts them together again from the tables that are kept" if computed else "fetches them again"
        warnings.warn(
            f"Rows could not be kept in {self.root.parent}: {in_words(error)}. They are right, and held in memory until"
            f" this client ends; the next one {then}. Check space and rights there, or give another with cache_dir=.",
            CacheWarning,
            stacklevel=4,
        )

    def _switch(self, snapshot: Snapshot, fingerprint: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO snapshots (host, version, profile, resource, scope, generation,"
                " fetched, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *snapshot.key.columns,
                    snapshot.generation,
                    snapshot.fetched.isoformat(),
                    snapshot.details_text(),
                ),
            )
            _admit(connection, snapshot.key.realm, snapshot.key.scope, fingerprint)

        self._change(work)

    def touch(self, snapshot: Snapshot, *, fetched: datetime, details: Details, fingerprint: str) -> None:
        """Store that the rows of a snapshot were still right at `fetched`: nothing had changed."""
        touched = replace(snapshot, fetched=fetched, details=replace(details, files=snapshot.details.files))
        self._patiently(lambda: self._switch(touched, fingerprint))

    def admit(self, realm: Realm, scope: str, fingerprint: str) -> None:
        """Let the API key with this fingerprint read the snapshots of `scope`: it has just read it."""
        self._patiently(lambda: self._change(lambda connection: _admit(connection, realm, scope, fingerprint)))

    def record_statuses(self, realm: Realm, scope: str, connections: pd.DataFrame, seen: datetime) -> None:
        """Store the statuses of a company's connections as `seen`."""
        self._patiently(lambda: record_statuses(self.manifest, realm, scope, connections, seen))

    def drop(self, key: SnapshotKey) -> None:
        """Drop a snapshot; the next question fetches it again."""
        # Files first: a manifest that is rebuilt from the folders, or cannot be changed, must not bring it back.
        home = self.root / key.folder
        with suppress(OSError):
            files.refuse_links(self.root, home)
            files.sweep(home)
        self._memory.pop(self._current(key) or "", None)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(f"DELETE FROM snapshots WHERE {_SNAPSHOT}", key.columns)  # noqa: S608

        self._quietly(lambda: self._change(work))

    def clear(self) -> None:
        """Drop everything, unfinished walks included; other users of the folder continue with an empty one."""
        for snapshot in self.snapshots():
            self.drop(snapshot.key)

        def work(connection: sqlite3.Connection) -> None:
            for table in ("readers", "walks", "statuses"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  constants

        self._quietly(lambda: self._change(work))

    def latest_instance(self, place: Realm) -> str:
        """Return the name of the latest embedded sandbox at `place` whose rows are kept, or an empty string."""
        rows = self._ask(
            f"SELECT substr(host, ?) FROM snapshots WHERE {_INSTANCE} ORDER BY fetched DESC LIMIT 1",  # noqa: S608  constants
            (len(place.host) + 2, *_instance(place)),
        )
        return str(rows[0][0]) if rows else ""

    def drop_instances(self, place: Realm, *, but: str) -> None:
        """Drop the rows of embedded sandboxes that were at `place` before the one named `but`."""
        here = place.of_instance(but).host
        found = self._ask(
            f"SELECT host, version, profile, resource, scope FROM snapshots WHERE {_INSTANCE}",  # noqa: S608
            _instance(place),
        )
        for host, version, profile, resource, scope in found:
            if host != here:
                self.drop(SnapshotKey(Realm(host, version, profile), resource, scope))

        def work(connection: sqlite3.Connection) -> None:
            for table in ("readers", "statuses"):
                gone = f"DELETE FROM {table} WHERE {_INSTANCE} AND host != ?"  # noqa: S608  constants
                connection.execute(gone, (*_instance(place), here))

        self._quietly(lambda: self._change(work))

    def lock(self, key: SnapshotKey) -> AbstractContextManager[None]:
        """Hold the right to fetch `key`: other threads and processes wait."""
        return _exclusive(self.root / "locks", "/".join(key.columns))

    def _damaged(self, key: SnapshotKey, reason: str, *, computed: bool = False) -> None:
        then = "put together again from the tables it is made of" if computed else "fetched again"
        warnings.warn(f"The snapshot of {key} was dropped and is {then}: {reason}.", CacheWarning, stacklevel=3)
        self.drop(key)

    def _ask(self, question: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self.manifest.ask(question, values)
        except sqlite3.DatabaseError as error:
            self._repair(error)
            return self.manifest.ask(question, values)

    def _change(self, work: Callable[[sqlite3.Connection], object]) -> None:
        self._ask("SELECT 1 FROM snapshots LIMIT 1")  # repairs a damaged manifest before the transaction begins
        with self.manifest.change() as connection:
            work(connection)

    def _patiently(self, change: Callable[[], object]) -> None:
        """Make a change; if the manifest cannot be written, in memory, with one warning."""
        try:
            change()
        except ConfigurationError as error:
            self.not_kept(error)
            change()

    def _quietly(self, change: Callable[[], object]) -> None:
        """Make a change that only drops rows; if the manifest cannot be written, in memory: nothing is lost by it."""
        try:
            change()
        except ConfigurationError as error:
            self.manifest.leave_disk(error)
            change()

    def _repair(self, error: sqlite3.DatabaseError) -> None:
        with _exclusive(self.root / "locks", "manifest"):
            self.manifest.close()
            with suppress(sqlite3.DatabaseError):
                # Another process may have repaired it while this one waited for the lock.
                if self.manifest.ask("PRAGMA quick_check") == [("ok",)]:
                    return
            try:
                aside = f"set aside as {self.manifest.set_aside().name}"
            except OSError:  # a read-only disk, or open in another process on Windows
                self.manifest.leave_disk(error)
                aside = "left where it is"
            found = self._rebuild()
        warnings.warn(
            f"The cache's manifest could not be read ({error}); it was {aside} and made"
            f" anew from {found} snapshot{'' if found == 1 else 's'} on disk.",
            CacheWarning,
            stacklevel=4,
        )

    def _rebuild(self) -> int:
        """Fill a new manifest from the records beside the files; return the number of snapshots."""
        newest: dict[SnapshotKey, tuple[Snapshot, str]] = {}
        for folder, text in files.records(self.root):
            try:
                snapshot, reader = Snapshot.from_record(text)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # a folder without a readable record counts as never fetched
            known = newest.get(snapshot.key)
            in_place = self._folder(snapshot) == folder
            if in_place and (known is None or known[0].fetched < snapshot.fetched):
                newest[snapshot.key] = (snapshot, reader)
        for snapshot, reader in newest.values():
            self._switch(snapshot, reader)
        return len(newest)

    def _folder(self, snapshot: Snapshot) -> Path:
        return self.root / snapshot.key.folder / snapshot.generation

    def close(self) -> None:
        """Close the manifest."""
        self.manifest.close()


@contextmanager
def _exclusive(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock called `name`, waiting as long as another thread or process holds it.

    The operating system releases the lock of a process that dies. If the file system cannot lock, or cannot be written,
    work goes on without: publishing is atomic, so that the worst case is the same walk done twice.
    """
    path = folder / f"{blake2b(name.encode(), digest_size=10).hexdigest()}.lock"
    lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
    with suppress(OSError):
        files.refuse_links(folder.parent, folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):
            lock.release()


def _admit(connection: sqlite3.Connection, realm: Realm, scope: str, fingerprint: str) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO readers VALUES (?, ?, ?, ?, ?)",
        (realm.host, realm.version, realm.profile, scope, fingerprint),
    )


def _instance(place: Realm) -> tuple[int, str]:
    return len(place.host) + 1, f"{place.host} "

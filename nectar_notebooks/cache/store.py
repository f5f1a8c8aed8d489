"""Snapshots on disk: published whole, read whole, or not there.

The files of one walk are written to a new folder, flushed, and become valid by one transaction in the
manifest. Whatever is damaged is dropped with one sentence and counts as never fetched; the other snapshots
stay. Where the disk is full or read-only, what is there is read, and what comes is held in memory, with one sentence.
When to fetch, and what, is decided elsewhere: the store knows no wire.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import warnings
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from nectar_notebooks.cache import folders
from nectar_notebooks.cache.history import record
from nectar_notebooks.cache.keys import Realm, SnapshotKey
from nectar_notebooks.cache.locks import exclusive
from nectar_notebooks.cache.manifest import LAYOUT, Manifest, in_words
from nectar_notebooks.cache.parquet import DamagedFileError, read_frame
from nectar_notebooks.cache.records import Details, ForeignColumnsError, Snapshot
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

__all__ = ["CacheWarning", "DamagedSnapshotError", "Store"]

_SNAPSHOT: Final = "host=? AND version=? AND profile=? AND resource=? AND scope=?"
#: Of an embedded sandbox at a place, whichever it was: see `Realm.of_instance`.
_INSTANCE: Final = "substr(host, 1, ?) = ?"
_READER: Final = "host=? AND version=? AND profile=? AND scope=? AND fingerprint=?"


class CacheWarning(UserWarning):
    """Something in the cache could not be used or kept; the rows returned are right all the same."""


class DamagedSnapshotError(Exception):
    """The files of a snapshot cannot be trusted; it was dropped. It never leaves the cache."""


class Store:
    """A folder of snapshots.

    Parameters
    ----------
    root : Path or None
        The cache folder. Everything of ours lies in one folder below it that only its owner can read. None: no folder
        can be made, everything is held in memory.
    durable : bool, default True
        Whether a snapshot must survive a power failure. Off for a temporary cache.

    Raises
    ------
    ConfigurationError
        There can be no folder of that name.
    """

    def __init__(self, root: Path | None, *, durable: bool = True) -> None:
        self.root = (Path(os.devnull) if root is None else root) / f"v{LAYOUT}"
        self._durable = durable
        #: Tables that could not be written, by generation.
        self._memory: dict[str, dict[str, pd.DataFrame]] = {}
        self._warned = False
        #: Why nothing can be written there.
        self._reason = self._unwritable(root)
        readable = root is not None and self.root.is_dir() and not folders.is_link(self.root)
        self.manifest = Manifest(self.root / "manifest.sqlite3" if readable else None, durable=durable)

    def _unwritable(self, root: Path | None) -> str:
        if root is None:
            return "no folder can be made for them"
        try:
            folders.make_folder(root)
            folders.refuse_links(self.root, self.root)
            folders.make_folder(self.root)
        except OSError as error:
            return in_words(error)
        with suppress(OSError):
            self.root.chmod(0o700)  # also where another umask, or somebody, made it wider
        return ""

    def find(self, key: SnapshotKey, fingerprint: str) -> Snapshot | None:
        """Return the snapshot of `key` if this key fingerprint may read it, else None."""
        if not self.admits(key.realm, key.scope, fingerprint):
            return None
        rows = self._ask(
            f"SELECT generation, fetched, details FROM snapshots WHERE {_SNAPSHOT}",  # noqa: S608  constants
            key.columns,
        )
        return self._snapshot(key, *rows[0]) if rows else None

    def keys_within(self, realm: Realm, scope: str, fingerprint: str) -> list[SnapshotKey]:
        """Return the keys of the snapshots of `scope`, if this key fingerprint may read it."""
        if not self.admits(realm, scope, fingerprint):
            return []
        rows = self._ask(
            "SELECT resource FROM snapshots WHERE host=? AND version=? AND profile=? AND scope=? ORDER BY resource",
            (realm.host, realm.version, realm.profile, scope),
        )
        return [SnapshotKey(realm, resource, scope) for (resource,) in rows]

    def admits(self, realm: Realm, scope: str, fingerprint: str) -> bool:
        """Say whether a key with this fingerprint was seen to read `scope`."""
        values = (realm.host, realm.version, realm.profile, scope, fingerprint)
        return bool(self._ask(f"SELECT 1 FROM readers WHERE {_READER}", values))  # noqa: S608  constants

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot, of every key: names and sizes, no rows."""
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
        """Return tables of a snapshot, all of that one generation.

        Raises
        ------
        DamagedSnapshotError
            If a file is missing or damaged. The snapshot was dropped, with a :class:`CacheWarning`, unless
            another writer had just replaced it.
        """
        folder = self._folder(snapshot)
        held = self._memory.get(snapshot.generation)
        if held is not None:
            return {table: held[table].copy() for table in (held if tables is None else tables)}
        try:
            folders.refuse_links(self.root, folder)
            return {
                table: read_frame(
                    folder / f"{table}.parquet",
                    table=table,
                    generation=snapshot.generation,
                    size=snapshot.details.files[table][0],
                )
                for table in (snapshot.details.files if tables is None else tables)
            }
        except (DamagedFileError, OSError) as error:
            if self._current(snapshot.key) == snapshot.generation:
                self._damaged(snapshot.key, str(error), computed=bool(snapshot.details.inputs))
            raise DamagedSnapshotError(str(error)) from error

    def holds(self, key: SnapshotKey) -> bool:
        """Say whether there is a snapshot of `key`, for whichever API key."""
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
        """Make `frames` the valid generation of `key`, and admit this key fingerprint to its scope.

        What was `computed` from other snapshots need not survive a power failure: it is computed again.

        Where they cannot be written, they are held in memory as long as this store lives, with one
        :class:`CacheWarning`; for everybody else what was valid before stays valid.
        """
        generation = uuid4().hex
        snapshot = Snapshot(key, generation, fetched, details)
        home = self.root / key.folder
        draft = home / f".{generation}"
        try:
            self._refuse()
            folders.refuse_links(self.root, home)
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            files = folders.write(draft, frames, generation)
            snapshot = replace(snapshot, details=replace(details, files=files))
            folders.complete(draft, snapshot, fingerprint, durable=self._durable and not computed)
            self._refuse()
            self._switch(snapshot, fingerprint)
        except BaseException as error:
            if not folders.is_link(home):
                shutil.rmtree(draft, ignore_errors=True)
                folders.discard(home / generation)
            if not isinstance(error, (OSError, ConfigurationError)):
                raise
            return self._hold(snapshot, frames, fingerprint, error, computed=computed)
        folders.sweep(home, keep=generation)
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
        """Hold in memory what could not be written."""
        self.not_kept(error, computed=computed)
        files = {table: (0, len(frame)) for table, frame in frames.items()}
        snapshot = replace(snapshot, details=replace(snapshot.details, files=files))
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
        """Go on in memory, because the folder cannot be written; say so once."""
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
        """Say that the files of a snapshot were right at `fetched` too: nothing had changed."""
        touched = replace(snapshot, fetched=fetched, details=replace(details, files=snapshot.details.files))
        self._patiently(lambda: self._switch(touched, fingerprint))

    def admit(self, realm: Realm, scope: str, fingerprint: str) -> None:
        """Let a key with this fingerprint read the snapshots of `scope`: it was seen to read it."""
        self._patiently(lambda: self._change(lambda connection: _admit(connection, realm, scope, fingerprint)))

    def record(self, realm: Realm, scope: str, connections: pd.DataFrame, seen: datetime) -> None:
        """Note the statuses of a company's connections as `seen`."""
        self._patiently(lambda: record(self.manifest, realm, scope, connections, seen))

    def drop(self, key: SnapshotKey) -> None:
        """Forget a snapshot; the next question fetches it again."""
        # Files first: a manifest that is made anew from folders, or that cannot be changed, must not bring it back.
        home = self.root / key.folder
        with suppress(OSError):
            folders.refuse_links(self.root, home)
            folders.sweep(home)
        self._memory.pop(self._current(key) or "", None)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(f"DELETE FROM snapshots WHERE {_SNAPSHOT}", key.columns)  # noqa: S608

        self._quietly(lambda: self._change(work))

    def clear(self) -> None:
        """Forget everything, unfinished walks too; whoever has the folder open goes on with an empty one."""
        for snapshot in self.snapshots():
            self.drop(snapshot.key)

        def work(connection: sqlite3.Connection) -> None:
            for table in ("readers", "walks", "statuses"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  constants

        self._quietly(lambda: self._change(work))

    def latest_instance(self, place: Realm) -> str:
        """Return the name of the embedded sandbox at `place` of which rows are kept, the latest; else nothing."""
        rows = self._ask(
            f"SELECT substr(host, ?) FROM snapshots WHERE {_INSTANCE} ORDER BY fetched DESC LIMIT 1",  # noqa: S608  constants
            (len(place.host) + 2, *_instance(place)),
        )
        return str(rows[0][0]) if rows else ""

    def drop_instances(self, place: Realm, *, but: str) -> None:
        """Forget what is kept of embedded sandboxes that were at `place` before the one that is there now."""
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
        """Hold the right to fetch `key`; another process or thread that wants it waits."""
        return exclusive(self.root / "locks", "/".join(key.columns))

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
        self._ask("SELECT 1 FROM snapshots LIMIT 1")  # repairs what is damaged before a change begins
        with self.manifest.change() as connection:
            work(connection)

    def _patiently(self, change: Callable[[], object]) -> None:
        """Make a change; where the manifest cannot be written, in memory, and say so once."""
        try:
            change()
        except ConfigurationError as error:
            self.not_kept(error)
            change()

    def _quietly(self, change: Callable[[], object]) -> None:
        """Make a change that only forgets: where the manifest cannot be written, in memory; nothing is lost by it."""
        try:
            change()
        except ConfigurationError as error:
            self.manifest.leave_disk(error)
            change()

    def _repair(self, error: sqlite3.DatabaseError) -> None:
        with exclusive(self.root / "locks", "manifest"):
            self.manifest.close()
            with suppress(sqlite3.DatabaseError):
                # Another process may have repaired it while this one waited for the lock.
                if self.manifest.ask("PRAGMA quick_check") == [("ok",)]:
                    return
            try:
                aside = f"set aside as {self.manifest.set_aside().name}"
            except OSError:  # a read-only disk, or open in another process of Windows
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
        """Fill a fresh manifest from what each snapshot's folder says of itself; return how many."""
        newest: dict[SnapshotKey, tuple[Snapshot, str]] = {}
        for folder, text in folders.records(self.root):
            try:
                snapshot, reader = Snapshot.from_sidecar(text)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # a folder that cannot say what it is counts as never fetched
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


def _admit(connection: sqlite3.Connection, realm: Realm, scope: str, fingerprint: str) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO readers VALUES (?, ?, ?, ?, ?)",
        (realm.host, realm.version, realm.profile, scope, fingerprint),
    )


def _instance(place: Realm) -> tuple[int, str]:
    return len(place.host) + 1, f"{place.host} "

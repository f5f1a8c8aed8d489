"""Snapshots on disk: published whole, read whole, or not there.

The files of one walk are written to a new folder, flushed, and become valid by one transaction in the
manifest. Whatever is damaged is dropped with one sentence and counts as never fetched; the other snapshots
stay. When to fetch, and what, is decided elsewhere: the store knows no wire.
"""

from __future__ import annotations

import shutil
import sqlite3
import warnings
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from nectar_notebooks.cache import folders
from nectar_notebooks.cache.keys import Realm, SnapshotKey
from nectar_notebooks.cache.locks import exclusive
from nectar_notebooks.cache.manifest import LAYOUT, Manifest
from nectar_notebooks.cache.parquet import DamagedFileError, read_frame
from nectar_notebooks.cache.records import Details, ForeignColumnsError, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

__all__ = ["CacheWarning", "DamagedSnapshotError", "Store"]

_SNAPSHOT: Final = "host=? AND version=? AND profile=? AND resource=? AND scope=?"
_READER: Final = "host=? AND version=? AND profile=? AND scope=? AND fingerprint=?"


class CacheWarning(UserWarning):
    """Something in the cache could not be used or kept; the rows returned are right all the same."""


class DamagedSnapshotError(Exception):
    """The files of a snapshot cannot be trusted; it was dropped. It never leaves the cache."""


class Store:
    """A folder of snapshots.

    Parameters
    ----------
    root : Path
        The cache folder. Everything of ours lies in one folder below it that only its owner can read.
    durable : bool, default True
        Whether a snapshot must survive a power failure. Off for a temporary cache.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = root / f"v{LAYOUT}"
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)  # also where another umask, or somebody, made it wider
        self._durable = durable
        self.manifest = Manifest(self.root / "manifest.sqlite3", durable=durable)

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
        try:
            return {
                table: read_frame(
                    folder / f"{table}.parquet",
                    table=table,
                    generation=snapshot.generation,
                    size=snapshot.details.files[table][0],
                )
                for table in (snapshot.details.files if tables is None else tables)
            }
        except DamagedFileError as error:
            if self._current(snapshot.key) == snapshot.generation:
                self._damaged(snapshot.key, str(error))
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

        Raises
        ------
        OSError, ConfigurationError
            If they could not be written; what was valid before stays valid.
        """
        generation = uuid4().hex
        home = self.root / key.folder
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = home / f".{generation}"
        try:
            files = folders.write(draft, frames, generation)
            snapshot = Snapshot(key, generation, fetched, replace(details, files=files))
            folders.complete(draft, snapshot, fingerprint, durable=self._durable and not computed)
            self._switch(snapshot, fingerprint)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            folders.discard(home / generation)
            raise
        folders.sweep(home, keep=generation)
        return snapshot

    def _switch(self, snapshot: Snapshot, fingerprint: str) -> None:
        with self._change() as connection:
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

    def touch(self, snapshot: Snapshot, *, fetched: datetime, details: Details, fingerprint: str) -> None:
        """Say that the files of a snapshot were right at `fetched` too: nothing had changed."""
        self._switch(
            replace(snapshot, fetched=fetched, details=replace(details, files=snapshot.details.files)), fingerprint
        )

    def admit(self, realm: Realm, scope: str, fingerprint: str) -> None:
        """Let a key with this fingerprint read the snapshots of `scope`: it was seen to read it."""
        with self._change() as connection:
            _admit(connection, realm, scope, fingerprint)

    def drop(self, key: SnapshotKey) -> None:
        """Forget a snapshot; the next question fetches it again."""
        # Files first: a manifest that is made anew from folders must not bring it back.
        folders.sweep(self.root / key.folder)
        with self._change() as connection:
            connection.execute(f"DELETE FROM snapshots WHERE {_SNAPSHOT}", key.columns)  # noqa: S608

    def clear(self) -> None:
        """Forget everything, unfinished walks too; whoever has the folder open goes on with an empty one."""
        for snapshot in self.snapshots():
            self.drop(snapshot.key)
        with self._change() as connection:
            for table in ("readers", "walks", "statuses"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  constants

    def lock(self, key: SnapshotKey) -> AbstractContextManager[None]:
        """Hold the right to fetch `key`; another process or thread that wants it waits."""
        return exclusive(self.root / "locks", "/".join(key.columns))

    def _damaged(self, key: SnapshotKey, reason: str) -> None:
        warnings.warn(f"The snapshot of {key} was dropped and is fetched again: {reason}.", CacheWarning, stacklevel=3)
        self.drop(key)

    def _ask(self, question: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self.manifest.ask(question, values)
        except sqlite3.DatabaseError as error:
            self._repair(error)
            return self.manifest.ask(question, values)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        self._ask("SELECT 1 FROM snapshots LIMIT 1")  # repairs what is damaged before a change begins
        with self.manifest.change() as connection:
            yield connection

    def _repair(self, error: sqlite3.DatabaseError) -> None:
        with exclusive(self.root / "locks", "manifest"):
            self.manifest.close()
            with suppress(sqlite3.DatabaseError):
                # Another process may have repaired it while this one waited for the lock.
                if self.manifest.ask("PRAGMA quick_check") == [("ok",)]:
                    return
            aside = self.manifest.set_aside()
            found = self._rebuild()
        warnings.warn(
            f"The cache's manifest could not be read ({error}); it was set aside as {aside.name} and made"
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

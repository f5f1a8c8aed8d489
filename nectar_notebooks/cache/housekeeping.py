"""Contents and size of a cache folder, and making it smaller; needs neither a network nor an API key.

These functions see every snapshot of the folder, whichever API key fetched it, but no rows.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.cache.files import EMBEDDED, RECORD, discard, is_link
from nectar_notebooks.cache.manifest import LAYOUT, OLDEST_WALK
from nectar_notebooks.cache.store import Store
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_notebooks.clock import Clock

__all__ = ["clear", "contents", "prune", "size"]

#: A draft that was not written to for this long belongs to a writer that crashed.
_DEAD_AFTER: Final = timedelta(hours=1)
_COLUMNS: Final = ["host", "version", "profile", "scope", "resource", "rows", "bytes", "fetched"]


def contents(folder: Path) -> pd.DataFrame:
    """List the snapshots in a cache folder.

    Returns
    -------
    DataFrame
        host, version, profile, scope, resource, rows, bytes, fetched (UTC); one row a snapshot.
    """
    rows = []
    for root in _roots(folder):
        store = Store(root)
        for snapshot in store.snapshots():
            count = sum(number for _, number in snapshot.details.files.values())
            host, version, profile, resource, scope = snapshot.key.columns
            rows.append((host, version, profile, scope, resource, count, snapshot.bytes, snapshot.fetched))
        store.close()
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.astype(
        dict.fromkeys(_COLUMNS[:5], TEXT) | {"rows": "int64", "bytes": "int64", "fetched": "datetime64[us, UTC]"}
    )


def size(folder: Path) -> int:
    """Return the bytes of all files of the toolkit in a cache folder, unfinished walks included."""
    found = (path.lstat() for root in _roots(folder) for path in _ours(root))
    return sum(one.st_size for one in found if S_ISREG(one.st_mode))


def prune(folder: Path, *, older_than: timedelta, clock: Clock) -> int:
    """Drop snapshots and unfinished walks that are older, and what crashed writers left behind.

    Returns
    -------
    int
        Bytes freed.
    """
    before = size(folder)
    for root in _roots(folder):
        _prune(root, older_than, clock)
    return before - size(folder)


def _prune(folder: Path, older_than: timedelta, clock: Clock) -> None:
    store = Store(folder)
    now = clock.now()
    for snapshot in store.snapshots():
        if now - snapshot.fetched > older_than:
            with store.lock(snapshot.key):
                store.drop(snapshot.key)
    kept = {(store.root / one.key.folder / one.generation).resolve() for one in store.snapshots()}
    for path in [path for path in _ours(folder) if not is_link(path) and path.is_dir()]:
        if path.name.startswith("."):
            if now.timestamp() - path.stat().st_mtime > _DEAD_AFTER.total_seconds():
                shutil.rmtree(path, ignore_errors=True)
        elif (path / RECORD).exists() and path.resolve() not in kept:
            discard(path)
    with store.manifest.change() as connection:
        limit = (now - min(older_than, OLDEST_WALK)).isoformat()
        connection.execute("DELETE FROM walks WHERE began < ?", (limit,))
    store.manifest.vacuum()
    store.close()


def clear(folder: Path) -> int:
    """Delete all files of the toolkit in a cache folder, and no others; return the bytes freed.

    Folders that embedded sandboxes of killed processes left there are deleted too.
    """
    freed = size(folder)
    for path in (*folder.glob("v[0-9]*"), *folder.glob(f"{EMBEDDED}*")):
        if is_link(path):
            continue  # its target is not ours
        if (path / "manifest.sqlite3").exists() or path.name.startswith(EMBEDDED):
            shutil.rmtree(path)
    return freed


def _roots(folder: Path) -> list[Path]:
    """Return the folders with snapshots: this one, and those of embedded sandboxes in it."""
    found = (folder, *sorted(folder.glob(f"{EMBEDDED}*")))
    return [
        root
        for root in found
        if not is_link(root / f"v{LAYOUT}") and (root / f"v{LAYOUT}").is_dir() and (root is folder or not is_link(root))
    ]


def _ours(root: Path) -> Iterator[Path]:
    return (root / f"v{LAYOUT}").rglob("*")

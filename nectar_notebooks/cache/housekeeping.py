"""What lies in a cache folder, how large it is, and how to make it smaller. No network, no key needed.

These functions see every snapshot of the folder, whichever key fetched it, but no rows.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.cache.folders import discard
from nectar_notebooks.cache.manifest import LAYOUT
from nectar_notebooks.cache.staging import OLDEST
from nectar_notebooks.cache.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nectar_notebooks.clock import Clock

__all__ = ["clear", "contents", "prune", "size"]

#: A draft that nobody has written to for so long belongs to a dead writer.
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
    if (folder / f"v{LAYOUT}").is_dir():
        store = Store(folder)
        for snapshot in store.snapshots():
            count = sum(number for _, number in snapshot.details.files.values())
            host, version, profile, resource, scope = snapshot.key.columns
            rows.append((host, version, profile, scope, resource, count, snapshot.bytes, snapshot.fetched))
        store.close()
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    text = pd.StringDtype(na_value=np.nan)
    return frame.astype(
        dict.fromkeys(_COLUMNS[:5], text) | {"rows": "int64", "bytes": "int64", "fetched": "datetime64[us, UTC]"}
    )


def size(folder: Path) -> int:
    """Return the bytes of everything of ours in a cache folder, unfinished walks included."""
    return sum(path.stat().st_size for path in _ours(folder) if path.is_file())


def prune(folder: Path, *, older_than: timedelta, clock: Clock) -> int:
    """Drop snapshots and unfinished walks older than that, and the rests of dead writers.

    Returns
    -------
    int
        Bytes freed.
    """
    before = size(folder)
    if not (folder / f"v{LAYOUT}").is_dir():
        return 0
    store = Store(folder)
    now = clock.now()
    for snapshot in store.snapshots():
        if now - snapshot.fetched > older_than:
            with store.lock(snapshot.key):
                store.drop(snapshot.key)
    kept = {(store.root / one.key.folder / one.generation).resolve() for one in store.snapshots()}
    for path in [path for path in _ours(folder) if path.is_dir() and path.exists()]:
        if path.name.startswith("."):
            if now.timestamp() - path.stat().st_mtime > _DEAD_AFTER.total_seconds():
                shutil.rmtree(path, ignore_errors=True)
        elif (path / "snapshot.json").exists() and path.resolve() not in kept:
            discard(path)
    with store.manifest.change() as connection:
        limit = (now - min(older_than, OLDEST)).isoformat()
        connection.execute("DELETE FROM walks WHERE began < ?", (limit,))
    store.manifest.vacuum()
    store.close()
    return before - size(folder)


def clear(folder: Path) -> int:
    """Delete everything of ours in a cache folder, and nothing else; return the bytes freed."""
    freed = size(folder)
    for path in folder.glob("v[0-9]*"):
        if (path / "manifest.sqlite3").exists():
            shutil.rmtree(path)
    return freed


def _ours(folder: Path) -> Iterator[Path]:
    root = folder / f"v{LAYOUT}"
    return root.rglob("*") if root.is_dir() else iter(())

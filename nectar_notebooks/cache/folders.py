"""Folders of generations: drafted under a hidden name, flushed, then given their name in one step.

Nothing here knows the manifest: a folder with its name is complete, and valid once the manifest says so.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cache.parquet import write_frame
from nectar_notebooks.cache.records import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

__all__ = ["complete", "discard", "records", "sweep", "write"]

_SIDECAR: Final = "snapshot.json"


def write(draft: Path, frames: Mapping[str, pd.DataFrame], generation: str) -> dict[str, tuple[int, int]]:
    """Write each frame as a file into the new folder `draft`; return bytes and rows by table."""
    draft.mkdir(mode=0o700, parents=True)
    return {
        table: (
            write_frame(frame, draft / f"{table}.parquet", table=table, generation=generation),
            len(frame),
        )
        for table, frame in frames.items()
    }


def complete(draft: Path, snapshot: Snapshot, reader: str, *, durable: bool) -> Path:
    """Add the record, bring all to the disk and give the folder its name; return it."""
    (draft / _SIDECAR).write_text(snapshot.sidecar(reader), encoding="utf-8")
    if durable:
        for path in (*draft.iterdir(), draft):
            _flush(path)
    final = draft.with_name(snapshot.generation)
    draft.rename(final)
    if durable:
        _flush(final.parent)
    return final


def discard(folder: Path) -> None:
    """Delete a generation, its record first: a half-deleted one must not be found again."""
    with suppress(OSError):
        (folder / _SIDECAR).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(home: Path, keep: str = "") -> None:
    """Delete every generation in `home` but `keep`.

    A reader that still has an old one open looks the snapshot up again. Drafts are left: they belong to a
    writer at work, or to a dead one, whose rests `prune` removes.
    """
    if not home.is_dir():
        return
    for old in home.iterdir():
        if old.is_dir() and old.name != keep and not old.name.startswith("."):
            discard(old)


def records(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folder and the record's text of every generation below `root`."""
    for sidecar in root.rglob(_SIDECAR):
        with suppress(OSError, UnicodeDecodeError):
            yield sidecar.parent, sidecar.read_text(encoding="utf-8")


def _flush(path: Path) -> None:
    with suppress(PermissionError):  # Windows cannot flush a folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Folders of generations: drafted under a hidden name, flushed, then given their name in one step.

Nothing here knows the manifest: a folder with its name is complete, and valid once the manifest says so. No symbolic
link below the cache folder is followed, whoever put it there: what lies behind it is neither read, written nor deleted.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cache.parquet import write_frame
from nectar_notebooks.cache.records import Snapshot
from nectar_notebooks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

__all__ = [
    "EMBEDDED", "complete", "discard", "is_link", "make_folder", "records", "refuse_links", "sweep", "write",
]  # fmt: skip

#: How the folders begin in which the embedded sandboxes of a process keep their rows, within a cache folder.
EMBEDDED: Final = "embedded-sandbox-"
_SIDECAR: Final = "snapshot.json"
#: A path that can never be a folder: a mistake, and no matter of space or rights.
_NO_FOLDER: Final = {errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}


def make_folder(folder: Path) -> None:
    """Make the folder that only its owner can read, if it is not there.

    Raises
    ------
    ConfigurationError
        There can be no folder of this name: something else is there, or the name is too long.
    OSError
        It cannot be made now: no rights, no space.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        raise ConfigurationError(
            f"The cache folder cannot be used: {error.strerror}: {str(folder)[:200]!r}.",
            advice="Give another with cache_dir= or NECTAR_CACHE_DIR.",
        ) from error


def is_link(path: str | os.PathLike[str]) -> bool:
    """Say whether this is a symbolic link, or a junction of Windows."""
    return Path(path).is_symlink() or bool(getattr(os.path, "isjunction", lambda _: False)(path))


def refuse_links(root: Path, path: Path) -> None:
    """Raise ``OSError`` where `root`, or anything on the way from it to `path`, is a symbolic link."""
    place = root
    for part in (None, *path.relative_to(root).parts):
        place = place if part is None else place / part
        if is_link(place):
            raise OSError(errno.ELOOP, "it is a symbolic link, and the cache follows none", str(place))


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
    if is_link(folder):
        with suppress(OSError):
            folder.unlink()  # the link alone
        return
    with suppress(OSError):
        (folder / _SIDECAR).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(home: Path, keep: str = "") -> None:
    """Delete every generation in `home` but `keep`.

    A reader that still has an old one open looks the snapshot up again. Drafts are left: they belong to a
    writer at work, or to a dead one, whose rests `prune` removes.
    """
    with suppress(OSError):  # what cannot be deleted is not valid any more all the same
        for old in list(home.iterdir()) if home.is_dir() else ():
            if old.name != keep and not old.name.startswith(".") and (is_link(old) or old.is_dir()):
                discard(old)


def records(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folder and the record's text of every generation below `root`."""
    for sidecar in root.rglob(_SIDECAR):  # which enters no link to a folder
        if is_link(sidecar):
            continue
        with suppress(OSError, UnicodeDecodeError):
            yield sidecar.parent, sidecar.read_text(encoding="utf-8")


def _flush(path: Path) -> None:
    with suppress(PermissionError):  # Windows cannot flush a folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""The files of snapshots: names that every system takes, folders published in one step, frames as Parquet.

A generation is drafted under a hidden name, flushed to disk, then renamed: a folder with its final name is complete,
and valid once the manifest says so. Each Parquet file carries its table, its generation and a digest of its columns;
pages carry checksums. Symbolic links below the cache folder are never followed: nothing behind one is read, written
or deleted. What a snapshot is stands in `snapshots`; what happens when a file is damaged is the store's decision.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pandas as pd

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

__all__ = [
    "EMBEDDED", "RECORD", "DamagedFileError", "columns_digest", "complete", "discard", "folder_name", "is_device",
    "is_link", "make_folder", "read_frame", "records", "refuse_links", "sweep", "write",
]  # fmt: skip

#: Prefix of the folders in which the embedded sandboxes of a process keep their rows, inside a cache folder.
EMBEDDED: Final = "embedded-sandbox-"
#: The file beside a generation's tables that says what they are; the manifest can be rebuilt from these.
RECORD: Final = "snapshot.json"
_META: Final = b"nectar_notebooks"
_LONGEST_NAME: Final = 80
#: Names that Windows reserves for devices, with any suffix.
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"}
)
#: The path cannot be a folder: a mistake in the path, not a lack of space or permissions.
_NO_FOLDER: Final = {errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}


class DamagedFileError(Exception):
    """A file differs from what was written; the message says how. Never raised outside the cache."""


# ------------------------------------------------------------------------------------------------------- names


def is_device(name: str) -> bool:
    """Return whether Windows reserves this file name for a device, such as ``aux.pdf``.

    Examples
    --------
    >>> is_device("aux.pdf"), is_device("auxiliary.pdf")
    (True, False)
    """
    return name.partition(".")[0].rstrip(" ").upper() in _DEVICES


def folder_name(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return a folder name for any text, unique also where file names ignore case (Windows, macOS).

    The text comes from the API and is not trusted as a path: it is quoted, and replaced by a prefix and a digest
    where it is too long or another system would read it differently.
    """
    quoted = quote(text, safe=" @", errors="surrogatepass")
    if text.strip(".") == "":
        quoted = quoted.replace(".", "%2E")
    elif quoted[-1] in ". ":  # Windows drops it
        quoted = f"{quoted[:-1]}%{ord(quoted[-1]):02X}"
    if len(quoted) > longest or text != text.lower() or is_device(quoted):
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        quoted = f"_{quoted}" if is_device(quoted) else quoted
        return f"{quoted[: min(40, longest - len(digest) - 1)]}-{digest}"
    return quoted


# ----------------------------------------------------------------------------------------------------- folders


def make_folder(folder: Path) -> None:
    """Create a folder that only its owner can read, unless it exists.

    Raises
    ------
    ConfigurationError
        The path cannot be a folder: something else has that name, or it is too long.
    OSError
        It cannot be created now: no permission, no space.
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
    """Return whether a path is a symbolic link or a Windows junction."""
    return Path(path).is_symlink() or bool(getattr(os.path, "isjunction", lambda _: False)(path))


def refuse_links(root: Path, path: Path) -> None:
    """Raise ``OSError`` if `root`, or any folder between it and `path`, is a symbolic link."""
    place = root
    for part in (None, *path.relative_to(root).parts):
        place = place if part is None else place / part
        if is_link(place):
            raise OSError(errno.ELOOP, "it is a symbolic link, and the cache follows none", str(place))


def write(draft: Path, frames: Mapping[str, pd.DataFrame], generation: str) -> dict[str, tuple[int, int]]:
    """Write each frame to a file in the new folder `draft`; return (bytes, rows) by table."""
    draft.mkdir(mode=0o700, parents=True)
    return {
        table: (
            _write_frame(frame, draft / f"{table}.parquet", table=table, generation=generation),
            len(frame),
        )
        for table, frame in frames.items()
    }


def complete(draft: Path, generation: str, record: str, *, durable: bool) -> Path:
    """Write the record, flush everything to disk and rename the draft to its generation; return the folder."""
    (draft / RECORD).write_text(record, encoding="utf-8")
    if durable:
        for path in (*draft.iterdir(), draft):
            _flush(path)
    final = draft.with_name(generation)
    draft.rename(final)
    if durable:
        _flush(final.parent)
    return final


def discard(folder: Path) -> None:
    """Delete a generation, its record first, so that one deleted halfway is not found again."""
    if is_link(folder):
        with suppress(OSError):
            folder.unlink()  # the link, not its target
        return
    with suppress(OSError):
        (folder / RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(home: Path, keep: str = "") -> None:
    """Delete every generation in `home` except `keep`.

    Readers of a deleted generation look the snapshot up again. Drafts are left alone: they belong to an active writer,
    or to a crashed one, and `prune` removes those.
    """
    with suppress(OSError):  # a file that cannot be deleted is not valid any more either
        for old in list(home.iterdir()) if home.is_dir() else ():
            if old.name != keep and not old.name.startswith(".") and (is_link(old) or old.is_dir()):
                discard(old)


def records(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the folder and the text of the record of every generation below `root`."""
    for record in root.rglob(RECORD):  # rglob does not enter linked folders
        if is_link(record):
            continue
        with suppress(OSError, UnicodeDecodeError):
            yield record.parent, record.read_text(encoding="utf-8")


def _flush(path: Path) -> None:
    with suppress(PermissionError):  # Windows cannot flush a folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# ----------------------------------------------------------------------------------------------------- Parquet


@cache
def columns_digest(table: str) -> str:
    """Return a digest of the columns and dtypes of `table`; it changes with the schema."""
    known = TABLES.get(table) or OTHER_TABLES.get(table)
    # Relations that only the cache has are not in the schema: they consist of ids.
    description = [] if known is None else [(column.name, column.kind) for column in known.columns]
    return blake2b(json.dumps(description).encode(), digest_size=8).hexdigest()


def _write_frame(frame: pd.DataFrame, path: Path, *, table: str, generation: str) -> int:
    """Write `frame` to `path`; return the size of the file in bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    mark = {"table": table, "generation": generation, "columns": columns_digest(table)}
    arrow = arrow.replace_schema_metadata({_META: json.dumps(mark).encode()})
    pq.write_table(arrow, path, compression="zstd", compression_level=1, write_page_checksum=True)
    return path.stat().st_size


def read_frame(path: Path, *, table: str, generation: str, size: int, columns: list[str] | None = None) -> pd.DataFrame:
    """Read the frame at `path`, or raise :class:`DamagedFileError`.

    Parameters
    ----------
    path : Path
    table, generation : str
        What the file must contain.
    size : int
        Its size in bytes when it was published.
    columns : list of str, optional
        Only these.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = path.lstat()
        if not S_ISREG(found.st_mode):
            raise DamagedFileError(f"{path.name} is no file of its own")  # links are not followed
        if found.st_size != size:
            raise DamagedFileError(f"{path.name} has {found.st_size:,} bytes instead of {size:,}")
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            mark = json.loads((file.schema_arrow.metadata or {}).get(_META, b"{}"))
            if mark != {"table": table, "generation": generation, "columns": columns_digest(table)}:
                raise DamagedFileError(f"{path.name} was written for other columns or another generation")
            arrow = file.read(columns=columns)
    except FileNotFoundError:
        raise DamagedFileError(f"{path.name} is missing") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DamagedFileError(f"{path.name} cannot be read ({type(error).__name__})") from error
    return _to_pandas(arrow)


def _to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """Return `arrow` as a frame with the dtypes of the schema, on pandas 2 and 3 alike."""
    import pyarrow as pa

    dtypes: dict[pa.DataType, object] = {
        pa.string(): TEXT,
        pa.large_string(): TEXT,
        pa.bool_(): pd.BooleanDtype(),
        pa.int64(): pd.Int64Dtype(),
    }
    frame: pd.DataFrame = arrow.to_pandas(types_mapper=dtypes.get, ignore_metadata=True)
    return frame

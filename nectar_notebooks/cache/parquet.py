"""Frames as Parquet files and back, with the same dtypes on pandas 2 and 3, and damage noticed.

Each file carries its table, its generation and the columns it was written for; pages carry checksums. A file
that does not fit what was asked is an error here; what follows from it is the store's decision.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import blake2b
from stat import S_ISREG
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

__all__ = ["DamagedFileError", "columns_digest", "read_frame", "write_frame"]

_META = b"nectar_notebooks"


class DamagedFileError(Exception):
    """A file that is not what was written; the message says how. It never leaves the cache."""


@cache
def columns_digest(table: str) -> str:
    """Return a digest of the columns and dtypes of `table`, which changes when the schema does."""
    known = TABLES.get(table) or OTHER_TABLES.get(table)
    # Tables of the cache's own (relations beside the public ones) have no columns but ids.
    description = [] if known is None else [(column.name, column.kind) for column in known.columns]
    return blake2b(json.dumps(description).encode(), digest_size=8).hexdigest()


def write_frame(frame: pd.DataFrame, path: Path, *, table: str, generation: str) -> int:
    """Write `frame` to `path` and return the size of the file in bytes."""
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
        What the file must be.
    size : int
        Its size in bytes as it was published.
    columns : list of str, optional
        Only these.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = path.lstat()
        if not S_ISREG(found.st_mode):
            raise DamagedFileError(f"{path.name} is no file of its own")  # a link is not followed
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
    return to_pandas(arrow)


def to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """Return `arrow` as a frame of the house's dtypes, whatever release of pandas runs."""
    import pyarrow as pa

    text = pd.StringDtype(na_value=np.nan)
    dtypes: dict[pa.DataType, object] = {
        pa.string(): text,
        pa.large_string(): text,
        pa.bool_(): pd.BooleanDtype(),
        pa.int64(): pd.Int64Dtype(),
    }
    frame: pd.DataFrame = arrow.to_pandas(types_mapper=dtypes.get, ignore_metadata=True)
    return frame

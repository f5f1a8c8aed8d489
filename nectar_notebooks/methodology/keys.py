"""Rows that share text keys, as numbers: what every grouping here stands on.

Groups are numbered in the sorted order of their keys (missing last), so that no result depends on the order
of rows. Large columns of text are hashed on both cores. What is done with a group is decided elsewhere.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.methodology.frames import TEXT, factorize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt


__all__ = ["both", "coded", "expand", "group_keys", "map_columns", "numbered", "places_in", "together"]


def expand(
    first: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return, for ranges of numbers, which range each belongs to and the number, range after range."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) + (first - (np.cumsum(counts) - counts))[owner]


def coded(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return a frame whose key columns are numbered once, as categories, for whoever asks for them several times."""
    known = [name for name in names if name in frame.columns]

    def one(name: str) -> pd.Categorical[str]:
        codes, values = factorize(frame, name)
        return pd.Categorical.from_codes(codes, pd.Index(values))

    return frame.assign(**dict(zip(known, map_columns(one, known, len(frame)), strict=True)))


def group_keys(frame: pd.DataFrame, names: Sequence[str]) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Return each row's group, and one row of text keys per group; absent columns are missing keys.

    Parameters
    ----------
    frame : DataFrame
        Any frame.
    names : sequence of str
        The key columns, the most significant first.
    """
    columns = map_columns(lambda name: _ranked(frame, name), names, len(frame))
    group = columns[0][0]
    number = len(columns[0][1]) + 1
    for codes, values in columns[1:]:
        # most keys follow from the first: a meter stands on one site and measures one commodity
        seen = np.zeros(number, dtype=np.int64)
        seen[group] = codes
        if (seen[group] != codes).any():
            group, distinct = pd.factorize(group * (len(values) + 1) + codes)
            number = len(distinct)
    present = np.flatnonzero(np.bincount(group, minlength=number))
    row_of = np.zeros(number, dtype=np.int64)
    row_of[group] = np.arange(len(group))
    row_of = row_of[present]
    order = np.lexsort([codes[row_of] for codes, _ in reversed(columns)])
    rank = np.zeros(number, dtype=np.int64)
    rank[present[order]] = np.arange(len(order))
    keys = {
        name: values.reindex(codes[row_of][order]).reset_index(drop=True)
        for name, (codes, values) in zip(names, columns, strict=True)
    }
    return rank[group], pd.DataFrame(keys, columns=list(names))


def numbered(numbers: npt.NDArray[np.int64], end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the sorted distinct ones of numbers from 0 to below `end`, and where each number stands among them."""
    if end > 8 * len(numbers):
        distinct, place = np.unique(numbers, return_inverse=True)
        return distinct, place
    present = np.bincount(numbers, minlength=end) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[numbers]


def places_in(values: pd.Series, keys: pd.Series, *, distinct: bool = False) -> npt.NDArray[np.int64]:
    """Return where each value stands among `keys` (the first of equals; -1 where it does not, or is missing).

    `distinct` says that the caller knows the keys to be so.
    """
    wanted, known = _arrow(values), _arrow(keys)
    if wanted.null_count == len(wanted):
        return np.full(len(wanted), -1)
    if wanted.null_count == 0 and wanted.equals(known) and (distinct or keys.is_unique):
        return np.arange(len(values))
    found = pc.index_in(wanted, value_set=known).to_numpy(zero_copy_only=False)
    return np.where(np.isnan(found) | values.isna().to_numpy(), -1, found).astype(np.int64)


def _arrow(column: pd.Series) -> pa.Array:
    """Return a column of text as one Arrow array, without a copy where it is one."""
    array = pa.array(column.astype(TEXT).array)
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return whole.cast(pa.large_string())


def _ranked(frame: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """Return each row's place in the sorted distinct values, one past the last for missing, and these."""
    codes, values = factorize(frame, name)
    return np.where(codes < 0, len(values), codes), values


T = TypeVar("T")
R = TypeVar("R")

#: Below this many rows starting threads costs more than it saves.
_MANY: Final = 100_000
_WORKERS: Final = 2


def map_columns(call: Callable[[T], R], columns: Iterable[T], rows: int) -> list[R]:
    """Return ``call(column)`` for each column, two at a time where there are many rows."""
    columns = list(columns)
    if rows < _MANY or len(columns) < 2:
        return [call(column) for column in columns]
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(call, columns))


def both(first: Callable[[], T], second: Callable[[], R], rows: int) -> tuple[T, R]:
    """Return what two calls return, at the same time where there are many rows."""
    if rows < _MANY:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        return first(), other.result()


def together(calls: Iterable[Callable[[], T]], rows: int) -> list[T]:
    """Return what calls return, two at a time where there are many rows; those that take longest stand first."""
    return map_columns(lambda call: call(), calls, rows)

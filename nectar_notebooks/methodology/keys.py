"""Rows that share text keys, as numbers: what every grouping here stands on.

Groups are numbered in the sorted order of their keys (missing last), so that no result depends on the order
of rows. What is done with a group is decided elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.checks import TEXT, factorize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["group_keys", "places_in"]


def group_keys(frame: pd.DataFrame, names: Sequence[str]) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Return each row's group, and one row of text keys per group; absent columns are missing keys.

    Parameters
    ----------
    frame : DataFrame
        Any frame.
    names : sequence of str
        The key columns, the most significant first.
    """
    columns = [_ranked(frame, name) for name in names]
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


def places_in(values: pd.Series, keys: pd.Series) -> npt.NDArray[np.int64]:
    """Return where each value stands among unique `keys` (-1 where it does not, or is missing)."""
    places = pd.Index(keys.astype(TEXT)).get_indexer(pd.Index(values.astype(TEXT)))
    return np.where(values.isna().to_numpy(), -1, places)


def _ranked(frame: pd.DataFrame, name: str) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """Return each row's place in the sorted distinct values, one past the last for missing, and these."""
    codes, values = factorize(frame, name)
    return np.where(codes < 0, len(values), codes), values

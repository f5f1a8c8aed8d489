"""Membership of text keys, asked of Arrow directly: pandas makes a Python object of each value first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["within"]


def within(column: pd.Series, ids: pd.Series | Collection[str]) -> pd.Series:
    """Say which texts of `column` are among `ids`; a missing one never is.

    Examples
    --------
    >>> within(pd.Series(["a", None, "b"], dtype="str"), ["b", "c"]).tolist()
    [False, False, True]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    values = ids if isinstance(ids, pd.Series) else list(ids)
    wanted = pa.array(values, type=text, from_pandas=True)
    found = pc.is_in(pa.array(column, type=text, from_pandas=True), value_set=wanted, skip_nulls=True)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=column.index)

"""Frames of the same columns, one below the other, on every pandas alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["stack"]


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts, which have the columns of the first.

    Column by column, and without parts that have no row: pandas 2 warns of columns that are wholly missing or empty.
    """
    columns = parts[0].columns
    parts = [part for part in parts if len(part)] or parts[:1]
    return pd.DataFrame({name: pd.concat([part[name] for part in parts], ignore_index=True) for name in columns})

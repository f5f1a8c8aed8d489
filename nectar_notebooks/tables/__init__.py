"""JSON rows to typed frames, as `schema.tables` says, for every version of the API.

Nothing here reads the wire or computes on the numbers. A frame has the same columns and dtypes however many
rows it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["RESOURCES", "Builder", "build", "empty", "fill_counts", "resolve_bill_accounts"]

#: The tables each resource's rows fill. ``account_meters`` (account_id, meter_id) is a relation beside the
#: public tables: which meters an account names.
RESOURCES: dict[str, tuple[str, ...]] = {
    "companies": ("companies", "sites"),
    "sites": ("sites",),
    "connections": ("connections", "accounts", "account_meters"),
    "accounts": ("accounts", "account_meters"),
    "meters": ("meters", "identifiers"),
    "documents": (
        "bills", "line_items", "line_item_accounts", "demand", "demand_usage", "usage", "time_of_use", "meters",
        "identifiers",
    ),
    "usage": ("usage", "time_of_use", "demand", "demand_usage", "meters", "identifiers"),
}  # fmt: skip


class Builder:
    """Builds the frames of one resource from rows that come in pieces; memory stays near the final frames'.

    ``builder.add(rows)`` as pages arrive, ``builder.finish()`` once.
    """

    def __init__(self, resource: str, *, company_id: str | None = None) -> None:
        raise NotImplementedError

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take rows over; they are not kept."""
        raise NotImplementedError

    def finish(self) -> dict[str, pd.DataFrame]:
        """Return every table of ``RESOURCES[resource]``."""
        raise NotImplementedError


def build(
    resource: str, rows: Sequence[Mapping[str, Any]], *, company_id: str | None = None
) -> dict[str, pd.DataFrame]:
    """Return the frames of a resource's rows: every table of ``RESOURCES[resource]``, empty ones too."""
    raise NotImplementedError


def empty(name: str) -> pd.DataFrame:
    """Return the table of that name without rows: all columns, all dtypes."""
    raise NotImplementedError


def resolve_bill_accounts(
    bills: pd.DataFrame,
    line_items: pd.DataFrame,
    line_item_accounts: pd.DataFrame,
    usage: pd.DataFrame,
    meters: pd.DataFrame,
    accounts: pd.DataFrame,
    walked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return `bill_accounts`. `walked` (connection_id, bill_id): bills of each connection's own list, where asked."""
    raise NotImplementedError


def fill_counts(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the frames with `counts` and `counts_reason` filled in accounts, bills, usage and line_items."""
    raise NotImplementedError

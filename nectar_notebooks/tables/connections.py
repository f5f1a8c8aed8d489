"""Connections, the accounts behind them, and which meters an account names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema import statuses
from nectar_notebooks.schema.accounts import NOT_DUPLICATE
from nectar_notebooks.schema.tables import TABLES, Column, Table
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, entries, raw_table

__all__ = ["ACCOUNT_METERS", "finish_accounts", "finish_connections", "read_accounts", "read_connections"]

#: A relation beside the public tables: which meters an account names.
ACCOUNT_METERS: Final = Table(
    "account_meters",
    ("account_id", "meter_id"),
    "Which meters an account names.",
    (Column("account_id", "text", "The account."), Column("meter_id", "text", "The meter.")),
)

_CONNECTIONS: Final = Reading(TABLES["connections"], elsewhere=frozenset({"accounts", "datasource", "company"}))
_ACCOUNTS: Final = Reading(
    TABLES["accounts"],
    (
        Column("is_tracked", "flag", "The older spelling of tracking.", ("isTracked",)),
        Column("connection", "text", "Its connection, where it says.", ("connection.id", "connection")),
        Column("company", "text", "Its company, where it says.", ("company.id", "company")),
    ),
    frozenset({"meters"}),
    as_text=frozenset({"duplicate"}),
    lists=frozenset({"datasourceTypes"}),
)
_ACCOUNT_METERS: Final = Reading(ACCOUNT_METERS)


def read_connections(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of connections."""
    connections = raw_table(_CONNECTIONS, rows)
    ids = connections.column("id").cast(TEXT).combine_chunks()
    accounts, parents = children(_CONNECTIONS, rows, "accounts")
    return {"connections": connections, **_read_accounts(accounts, ids.take(parents))}


def read_accounts(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a list of accounts."""
    return _read_accounts(rows, pa.nulls(len(rows), TEXT))


def finish_connections(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``connections``, ``accounts`` and ``account_meters``."""
    columns = typed_columns(_CONNECTIONS, pieces.get("connections", []))
    columns["company_id"] = pc.coalesce(columns["company_id"], pa.scalar(company_id, TEXT))
    columns["family"] = _mapped(columns["status"], statuses.family, TEXT)
    columns["needs_customer"] = _mapped(columns["status"], statuses.needs_customer, pa.bool_())
    return {"connections": frame_of(TABLES["connections"], columns), **finish_accounts(pieces, company_id)}


def finish_accounts(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``accounts`` and ``account_meters``."""
    columns = typed_columns(_ACCOUNTS, pieces.get("accounts", []))
    if "connection_id" in columns:
        columns["connection_id"] = pc.coalesce(columns["connection_id"], columns["connection"])
    columns["company_id"] = pc.coalesce(columns["company"], pa.scalar(company_id, TEXT))
    # Tracked may be ENABLED or UNSET, so that only "not tracked" can be told from the older flag.
    not_tracked = pc.equal(columns["is_tracked"], False)
    disabled = pc.if_else(pc.fill_null(not_tracked, False), "DISABLED", pa.scalar(None, TEXT)).cast(TEXT)
    columns["tracking"] = pc.coalesce(columns["tracking"], disabled)
    harmless = pc.is_in(pc.utf8_lower(columns["duplicate"]), pa.array(NOT_DUPLICATE, TEXT))
    columns["duplicate"] = pc.if_else(
        pc.is_null(columns["duplicate"]), pa.scalar(None, pa.bool_()), pc.invert(harmless)
    )
    accounts = frame_of(TABLES["accounts"], columns).drop_duplicates("account_id", ignore_index=True)
    relation = frame_of(ACCOUNT_METERS, typed_columns(_ACCOUNT_METERS, pieces.get("account_meters", [])))
    return {"accounts": accounts, "account_meters": relation.drop_duplicates(ignore_index=True)}


def _read_accounts(rows: Sequence[JsonRow], connection_ids: pa.Array) -> dict[str, pa.Table]:
    accounts = raw_table(_ACCOUNTS, rows, {"connection_id": connection_ids})
    ids = accounts.column("id").cast(TEXT).combine_chunks()
    meters, parents = entries(_ACCOUNTS, rows, "meters")
    relation = {"=account_id": ids.take(parents), "=meter_id": meters}
    return {"accounts": accounts, "account_meters": pa.table(relation)}


def _mapped(values: pa.ChunkedArray, function: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    """Apply `function` once per distinct value; missing stays missing."""
    encoded = values.combine_chunks().dictionary_encode()
    return pa.array([function(value) for value in encoded.dictionary.to_pylist()], kind).take(encoded.indices)

"""Companies, sites, connections, accounts, intervals, invitations, magic links and uploads: which field goes where.

Bills and usage stand in `bills`, meters in `meters`. Secrets of invitations become no column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema import statuses
from nectar_notebooks.schema.accounts import NOT_DUPLICATE
from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES, Column, Table
from nectar_notebooks.schema.values import IDENTIFIER_TYPES
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import GIVEN, TEXT, JsonRow, Reading, children, entries, places_within, raw_table

__all__ = [
    "ACCOUNT_METERS", "finish_accounts", "finish_companies", "finish_connections", "finish_intervals",
    "finish_invitations", "finish_jobs", "finish_magic_links", "finish_sites", "read_accounts", "read_companies",
    "read_connections", "read_intervals", "read_invitations", "read_jobs", "read_magic_links", "read_sites",
]  # fmt: skip

_COMPANIES: Final = Reading(TABLES["companies"], elsewhere=frozenset({"sites"}))
_SITES: Final = Reading(
    TABLES["sites"],
    (Column("company", "text", "Its company, where it says.", ("company.id", "company")),),
    lists=frozenset({"path"}),
)
#: A relation that only the cache has: which meters an account names.
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
_INTERVALS: Final = Reading(OTHER_TABLES["intervals"], elsewhere=frozenset({"identifiers"}))
_IDENTIFIER_RANKS: Final = {name: rank for rank, name in enumerate(IDENTIFIER_TYPES)}
_INVITATIONS: Final = Reading(
    OTHER_TABLES["invitations"],
    # The token is part of the address.
    elsewhere=frozenset({"token", "createdConnections", "events"}),
    lists=frozenset({"allowedEmails", "prefill.initialSites", "prefill.utilityTypes"}),
)
_INVITED: Final = Reading(OTHER_TABLES["invitation_connections"])
_INVITATION_EVENTS: Final = Reading(OTHER_TABLES["invitation_events"])
_MAGIC_LINKS: Final = Reading(OTHER_TABLES["magic_links"])
#: The lists of an upload, and the outcome of the bills in each.
_OUTCOMES: Final = {
    "parsedDocumentIds": "parsed",
    "duplicateDocumentIds": "duplicate",
    "nonUtilityDocumentIds": "not_utility",
}
_JOBS: Final = Reading(OTHER_TABLES["jobs"], elsewhere=frozenset(_OUTCOMES))
_JOB_BILLS: Final = Reading(OTHER_TABLES["job_bills"])


# ------------------------------------------------------------------------------------------------ companies and sites


def read_companies(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of companies; sites given as ids only are left to the details."""
    companies = raw_table(_COMPANIES, rows)
    ids = companies.column("id").cast(TEXT).combine_chunks()
    sites: list[JsonRow] = []
    parents: list[int] = []
    for position, row in enumerate(rows):
        listed = row.get("sites")
        objects = [site for site in listed if isinstance(site, dict)] if isinstance(listed, list) else []
        sites += objects
        parents += [position] * len(objects)
    return {
        "companies": companies,
        "sites": raw_table(_SITES, sites, {"company_id": ids.take(pa.array(parents, pa.int64()))}),
    }


def read_sites(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw table of a list of sites."""
    return {"sites": raw_table(_SITES, rows, {"company_id": pa.nulls(len(rows), TEXT)})}


def finish_companies(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``companies`` and ``sites``."""
    companies = frame_of(TABLES["companies"], typed_columns(_COMPANIES, pieces.get("companies", [])))
    return {"companies": companies, **finish_sites(pieces, company_id)}


def finish_sites(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frame ``sites``."""
    columns = typed_columns(_SITES, pieces.get("sites", []))
    if "company_id" in columns:
        columns["company_id"] = pc.coalesce(columns["company_id"], columns["company"], pa.scalar(company_id, TEXT))
    return {"sites": frame_of(TABLES["sites"], columns)}


# ------------------------------------------------------------------------------------------- connections and accounts


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
    # True may mean ENABLED or UNSET: only false of the older flag has one meaning.
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


# ---------------------------------------------------------------------------------------------------------- intervals


def read_intervals(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw table of a piece of a list of intervals."""
    raw = raw_table(_INTERVALS, rows)
    found, parents = children(_INTERVALS, rows, "identifiers")
    best: dict[int, tuple[int, str]] = {}
    for place, identifier in zip(parents.to_pylist(), found, strict=True):
        value = identifier.get("value")
        if value is not None:
            ranked = (_IDENTIFIER_RANKS.get(str(identifier.get("name")), len(_IDENTIFIER_RANKS)), str(value))
            if place not in best or ranked[0] < best[place][0]:  # of two equals the first
                best[place] = ranked
    primary = pa.array([best[place][1] if place in best else None for place in range(len(rows))], TEXT)
    return {"intervals": raw.append_column(f"{GIVEN}primary_identifier", primary)}


def finish_intervals(pieces: Mapping[str, list[pa.Table]]) -> dict[str, pd.DataFrame]:
    """Return the frame ``intervals``, without the connection, which the caller fills in."""
    columns = typed_columns(_INTERVALS, pieces.get("intervals", []))
    return {"intervals": frame_of(_INTERVALS.table, columns)}


# ---------------------------------------------------------------------------------------- invitations and magic links


def read_invitations(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of invitations, or of their details."""
    invitations = raw_table(_INVITATIONS, rows)
    ids = invitations.column("id").cast(TEXT).combine_chunks()
    made, makers = children(_INVITATIONS, rows, "createdConnections")
    events, parents = children(_INVITATIONS, rows, "events")
    return {
        "invitations": invitations,
        "invitation_connections": raw_table(_INVITED, made, {"invitation_id": ids.take(makers)}),
        "invitation_events": raw_table(
            _INVITATION_EVENTS, events, {"invitation_id": ids.take(parents), "position": places_within(parents)}
        ),
    }


def finish_invitations(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``invitations``, ``invitation_connections`` and ``invitation_events``."""
    columns = typed_columns(_INVITATIONS, pieces.get("invitations", []))
    columns["company_id"] = pc.coalesce(columns["company_id"], pa.scalar(company_id, TEXT))
    frames = {"invitations": frame_of(_INVITATIONS.table, columns)}
    for reading in (_INVITED, _INVITATION_EVENTS):
        name = reading.table.name
        frames[name] = frame_of(reading.table, typed_columns(reading, pieces.get(name, [])))
    return frames


def read_magic_links(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw table of magic links."""
    return {"magic_links": raw_table(_MAGIC_LINKS, rows)}


def finish_magic_links(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frame ``magic_links``."""
    columns = typed_columns(_MAGIC_LINKS, pieces.get("magic_links", []))
    columns["company_id"] = pc.coalesce(columns["company_id"], pa.scalar(company_id, TEXT))
    return {"magic_links": frame_of(_MAGIC_LINKS.table, columns)}


# ------------------------------------------------------------------------------------------------------------ uploads


def read_jobs(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of uploads."""
    jobs = raw_table(_JOBS, rows)
    ids = jobs.column("id").cast(TEXT).combine_chunks()
    parts = []
    for field, outcome in _OUTCOMES.items():
        found, parents = entries(_JOBS, rows, field)
        parts.append(
            pa.table(
                {
                    f"{GIVEN}job_id": ids.take(parents),
                    f"{GIVEN}bill_id": found,
                    f"{GIVEN}outcome": pa.repeat(pa.scalar(outcome, TEXT), len(found)),
                }
            )
        )
    return {"jobs": jobs, "job_bills": pa.concat_tables(parts)}


def finish_jobs(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``jobs`` and ``job_bills``."""
    columns = typed_columns(_JOBS, pieces.get("jobs", []))
    columns["company_id"] = pa.chunked_array(
        [pa.repeat(pa.scalar(company_id, TEXT), len(columns["job_id"]))], type=TEXT
    )
    return {
        "jobs": frame_of(_JOBS.table, columns),
        "job_bills": frame_of(_JOB_BILLS.table, typed_columns(_JOB_BILLS, pieces.get("job_bills", []))),
    }

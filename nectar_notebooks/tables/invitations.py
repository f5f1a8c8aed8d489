"""Invitations, the connections they brought and what happened to them, and magic links; no secret becomes a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import OTHER_TABLES
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, children, raw_table
from nectar_notebooks.tables.usage import places_within

__all__ = ["finish_invitations", "finish_magic_links", "read_invitations", "read_magic_links"]

_INVITATIONS: Final = Reading(
    OTHER_TABLES["invitations"],
    # The token stands in the address already.
    elsewhere=frozenset({"token", "createdConnections", "events"}),
    lists=frozenset({"allowedEmails", "prefill.initialSites", "prefill.utilityTypes"}),
)
_CONNECTIONS: Final = Reading(OTHER_TABLES["invitation_connections"])
_EVENTS: Final = Reading(OTHER_TABLES["invitation_events"])
_MAGIC_LINKS: Final = Reading(OTHER_TABLES["magic_links"])


def read_invitations(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of a piece of a list of invitations, or of their details."""
    invitations = raw_table(_INVITATIONS, rows)
    ids = invitations.column("id").cast(TEXT).combine_chunks()
    made, makers = children(_INVITATIONS, rows, "createdConnections")
    events, parents = children(_INVITATIONS, rows, "events")
    return {
        "invitations": invitations,
        "invitation_connections": raw_table(_CONNECTIONS, made, {"invitation_id": ids.take(makers)}),
        "invitation_events": raw_table(
            _EVENTS, events, {"invitation_id": ids.take(parents), "position": places_within(parents)}
        ),
    }


def finish_invitations(pieces: Mapping[str, list[pa.Table]], company_id: str | None) -> dict[str, pd.DataFrame]:
    """Return the frames ``invitations``, ``invitation_connections`` and ``invitation_events``."""
    columns = typed_columns(_INVITATIONS, pieces.get("invitations", []))
    columns["company_id"] = pc.coalesce(columns["company_id"], pa.scalar(company_id, TEXT))
    frames = {"invitations": frame_of(_INVITATIONS.table, columns)}
    for reading in (_CONNECTIONS, _EVENTS):
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

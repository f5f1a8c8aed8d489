"""Companies, and the sites that stand in their details or in a list of sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nectar_notebooks.schema.tables import TABLES, Column
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import TEXT, JsonRow, Reading, raw_table

__all__ = ["finish_companies", "finish_sites", "read_companies", "read_sites"]

_COMPANIES: Final = Reading(TABLES["companies"], elsewhere=frozenset({"sites"}))
_SITES: Final = Reading(
    TABLES["sites"],
    (Column("company", "text", "Its company, where it says.", ("company.id", "company")),),
    lists=frozenset({"path"}),
)


def read_companies(rows: Sequence[JsonRow]) -> dict[str, pa.Table]:
    """Return the raw tables of companies; sites that are only ids there are left to the details."""
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

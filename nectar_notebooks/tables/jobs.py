"""Uploads, and which bills came of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import pyarrow as pa

from nectar_notebooks.schema.tables import OTHER_TABLES
from nectar_notebooks.tables.casting import frame_of, typed_columns
from nectar_notebooks.tables.reading import GIVEN, TEXT, JsonRow, Reading, entries, raw_table

__all__ = ["finish_jobs", "read_jobs"]

#: The lists of an upload, and what standing in one means.
_OUTCOMES: Final = {
    "parsedDocumentIds": "parsed",
    "duplicateDocumentIds": "duplicate",
    "nonUtilityDocumentIds": "not_utility",
}
_JOBS: Final = Reading(OTHER_TABLES["jobs"], elsewhere=frozenset(_OUTCOMES))
_JOB_BILLS: Final = Reading(OTHER_TABLES["job_bills"])


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

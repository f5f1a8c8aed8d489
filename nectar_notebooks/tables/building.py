"""Builds every table of a resource from its rows, in pieces or at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import pandas as pd
import pyarrow as pa

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES
from nectar_notebooks.tables.bills import finish_documents, finish_usage, read_documents, read_usage
from nectar_notebooks.tables.casting import empty_frame
from nectar_notebooks.tables.meters import finish_meters, read_meters
from nectar_notebooks.tables.objects import (
    ACCOUNT_METERS,
    finish_accounts,
    finish_companies,
    finish_connections,
    finish_intervals,
    finish_invitations,
    finish_jobs,
    finish_magic_links,
    finish_sites,
    read_accounts,
    read_companies,
    read_connections,
    read_intervals,
    read_invitations,
    read_jobs,
    read_magic_links,
    read_sites,
)
from nectar_notebooks.tables.reading import JsonRow

__all__ = ["RESOURCES", "Builder", "build", "empty"]

Pieces = Mapping[str, list[pa.Table]]

#: The tables of each resource. ``account_meters`` (account_id, meter_id) is a relation that only the cache has: which
#: meters an account names.
RESOURCES: Final[dict[str, tuple[str, ...]]] = {
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
    "intervals": ("intervals",),
    "jobs": ("jobs", "job_bills"),
    "invitations": ("invitations", "invitation_connections", "invitation_events"),
    "magic_links": ("magic_links",),
}  # fmt: skip


class _Finish(Protocol):
    def __call__(self, pieces: Pieces, company_id: str | None) -> dict[str, pd.DataFrame]: ...


def _without_company(finish: Callable[[Pieces], dict[str, pd.DataFrame]]) -> _Finish:
    return lambda pieces, company_id: finish(pieces)


_READ: Final[dict[str, Callable[[Sequence[JsonRow]], dict[str, pa.Table]]]] = {
    "companies": read_companies,
    "sites": read_sites,
    "connections": read_connections,
    "accounts": read_accounts,
    "meters": read_meters,
    "documents": read_documents,
    "usage": read_usage,
    "intervals": read_intervals,
    "jobs": read_jobs,
    "invitations": read_invitations,
    "magic_links": read_magic_links,
}
_FINISH: Final[dict[str, _Finish]] = {
    "companies": finish_companies,
    "sites": finish_sites,
    "connections": finish_connections,
    "accounts": finish_accounts,
    "meters": _without_company(finish_meters),
    "documents": finish_documents,
    "usage": _without_company(finish_usage),
    "intervals": _without_company(finish_intervals),
    "jobs": finish_jobs,
    "invitations": finish_invitations,
    "magic_links": finish_magic_links,
}

#: Rows turned into columns at a time: few enough to need little memory as Python objects.
_AT_ONCE: Final = 500


class Builder:
    """Builds the frames of one resource from rows that come in pieces; memory stays near the final frames'.

    Parameters
    ----------
    resource : str
        A name in ``RESOURCES``.
    company_id : str, optional
        The company whose rows they are, where the rows do not say.

    Examples
    --------
    >>> builder = Builder("usage")
    >>> builder.add([{"id": "u1", "startDate": "2026-01-01", "usage": "12.5", "usageUnits": "kWh"}])
    >>> builder.finish()["usage"]["usage"].tolist()
    [12.5]
    """

    def __init__(self, resource: str, *, company_id: str | None = None) -> None:
        if resource not in RESOURCES:
            raise InvalidRequestError(f"There is no resource {resource!r}; there are {', '.join(RESOURCES)}.")
        self._resource = resource
        self._company_id = company_id
        self._waiting: list[JsonRow] = []
        self._pieces: dict[str, list[pa.Table]] = {}

    def add(self, rows: Sequence[JsonRow]) -> None:
        """Add rows; they are not changed, and released once they are columns.

        Raises
        ------
        ContractError
            A row has another shape than the API documents.
        """
        self._waiting.extend(rows)
        while len(self._waiting) >= _AT_ONCE:
            self._read(self._waiting[:_AT_ONCE])
            del self._waiting[:_AT_ONCE]

    def finish(self) -> dict[str, pd.DataFrame]:
        """Return every table of ``RESOURCES[resource]``, empty ones too.

        Raises
        ------
        ContractError
            A value does not fit its column.
        """
        if self._waiting:
            self._read(self._waiting)
            self._waiting = []
        frames = _FINISH[self._resource](self._pieces, self._company_id)
        return {name: frames[name] for name in RESOURCES[self._resource]}

    def _read(self, rows: Sequence[JsonRow]) -> None:
        for name, piece in _READ[self._resource](rows).items():
            self._pieces.setdefault(name, []).append(piece)


def build(resource: str, rows: Sequence[JsonRow], *, company_id: str | None = None) -> dict[str, pd.DataFrame]:
    """Return the frames of a resource's rows: every table of ``RESOURCES[resource]``, empty ones too.

    `counts` and `counts_reason` are missing until :func:`fill_counts` has seen all frames of a company.

    Parameters
    ----------
    resource : str
        A name in ``RESOURCES``.
    rows : sequence of dict
        As the API sent them, in any of its versions.
    company_id : str, optional
        The company whose rows they are, where the rows do not say.

    Returns
    -------
    dict of str to DataFrame
        Columns and dtypes as `schema.tables` says.

    Raises
    ------
    ContractError
        A row has another shape than the API documents; names table, row and field.
    """
    builder = Builder(resource, company_id=company_id)
    builder.add(rows)
    return builder.finish()


def empty(name: str) -> pd.DataFrame:
    """Return the table of that name without rows: all columns, all dtypes."""
    known = {**TABLES, **OTHER_TABLES, ACCOUNT_METERS.name: ACCOUNT_METERS}
    if name not in known:
        raise InvalidRequestError(f"There is no table {name!r}; there are {', '.join(known)}.")
    return empty_frame(known[name])

"""From what a person names to ids: the company, and within it a site or a connection.

A name that is not in the kept list is looked for once more in a fresh one, because the object may be new.
Which words fit which row is decided in `resolving`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.client.resolving import COMPANY, CONNECTION, SITE, Given, Kind, listed, one, row_of
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_notebooks.cache import Held, Library

__all__ = ["Scope", "resolve"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of what was named, and the requests that finding them took."""

    company_id: str
    site_id: str | None = None
    connection_id: str | None = None
    requests: int = 0


def resolve(
    library: Library, company: Given | None, site: Given | None = None, connection: Given | None = None
) -> Scope:
    """Return the ids of what was named.

    Raises
    ------
    NotFoundError
        Nothing is called so; the message names what is near.
    InvalidRequestError
        Several objects are called so, no company was named although several are visible, or the site or
        connection belongs to another company.
    """
    finder = _Finder(library)
    company_id = None if company is None else finder.company(company)
    ids: dict[str, str | None] = {"site_id": None, "connection_id": None}
    for kind, given in ((SITE, site), (CONNECTION, connection)):
        if given is not None:
            ids[kind.key], owner = finder.thing(kind, given, company_id)
            if company_id not in (None, owner):
                raise InvalidRequestError(
                    f"The {kind.word} {ids[kind.key]} belongs to company {owner}, not to {company_id}."
                )
            company_id = owner
    if company_id is None:
        company_id = finder.only_company()
    return Scope(company_id, ids["site_id"], ids["connection_id"], finder.requests)


class _Finder:
    def __init__(self, library: Library) -> None:
        self._library = library
        self.requests = 0

    def _companies(self, *, renew: bool = False) -> pd.DataFrame:
        return self._counted(self._library.companies(renew=renew)).frames["companies"]

    def _counted(self, held: Held) -> Held:
        self.requests += held.requests
        return held

    def only_company(self) -> str:
        companies = self._companies()
        if len(companies) == 1:
            return str(companies["company_id"].iloc[0])
        if len(companies) == 0:
            raise NotFoundError(
                "This key sees no company.",
                advice="Check first that a company exists, then that the key's organization can see it.",
            )
        raise InvalidRequestError(f"This key sees {len(companies)} companies: {listed(COMPANY, companies)}. Say which.")

    def company(self, given: Given) -> str:
        row = row_of(given, COMPANY)
        if row is not None:
            return str(row["company_id"])
        return str(self._searched(str(given), COMPANY, self._companies)["company_id"])

    def thing(self, kind: Kind, given: Given, company_id: str | None) -> tuple[str, str]:
        """Return the id of a site or connection, and of its company."""
        row = row_of(given, kind)
        if row is not None and isinstance(row.get("company_id"), str):
            return str(row[kind.key]), str(row["company_id"])
        text = str(given) if row is None else str(row[kind.key])

        def look(*, renew: bool = False) -> pd.DataFrame:
            ids = [company_id] if company_id is not None else self._companies()["company_id"].tolist()
            frames = [self._things(kind, one_id, renew=renew) for one_id in ids]
            filled = [frame for frame in frames if len(frame)]
            return pd.concat(filled, ignore_index=True) if filled else frames[0]

        found = self._searched(text, kind, look)
        return str(found[kind.key]), str(found["company_id"])

    def _things(self, kind: Kind, company_id: str, *, renew: bool) -> pd.DataFrame:
        rows = Company(self._library, company_id)
        held = rows.company(renew=renew) if kind is SITE else rows.connections(renew=renew)
        return self._counted(held).frames[kind.plural]

    def _searched(self, text: str, kind: Kind, look: Callable[..., pd.DataFrame]) -> pd.Series:
        before = self.requests
        try:
            return one(text, kind, look())
        except NotFoundError:
            if self._library.offline or self.requests > before:
                raise
        return one(text, kind, look(renew=True))

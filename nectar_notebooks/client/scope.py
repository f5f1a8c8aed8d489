"""From what a person names to ids: the company, and within it sites or a connection.

A name that is not in the kept list is looked for once more in a fresh one, because the object may be new.
Which object is meant is decided in `schema.naming`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.errors import InvalidRequestError, NotFoundError
from nectar_notebooks.schema.naming import (
    COMPANY,
    CONNECTION,
    SITE,
    Given,
    Kind,
    Named,
    Several,
    listed,
    named,
    one,
    several,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_notebooks.cache import Held, Library
    from nectar_notebooks.schema.filters import Filters

__all__ = ["Scope", "resolve"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Ids of what was named, and the requests that finding them took."""

    company_id: str
    site_ids: tuple[str, ...] = ()
    connection_id: str | None = None
    requests: int = 0

    def within(self, filters: Filters) -> Filters:
        """Return filters that are also of the sites and the connection named."""
        return replace(filters, site_ids=self.site_ids, connection_id=self.connection_id)

    @property
    def site_id(self) -> str | None:
        """The site, where one was named."""
        return self.site_ids[0] if self.site_ids else None


def resolve(
    library: Library,
    company: Given | None,
    site: Given | None = None,
    connection: Given | None = None,
    *,
    sites: Several | None = None,
) -> Scope:
    """Return the ids of what was named; `site` takes one, `sites` one or several.

    Raises
    ------
    NotFoundError
        Nothing is called so; the message names what is near.
    InvalidRequestError
        Several objects are called so, no company was named although several are visible, or a site or the
        connection belongs to another company.
    """
    finder = _Finder(library)
    wanted = [(CONNECTION, named(connection, CONNECTION))] if connection is not None else []
    if site is not None:
        wanted.append((SITE, named(site, SITE)))
    if sites is not None:
        wanted += [(SITE, one) for one in several(sites, SITE)]
    company_id = None if company is None else finder.company(company)
    ids: dict[str, list[str]] = {CONNECTION.key: [], SITE.key: []}
    for kind, what in wanted:
        id_, owner = finder.thing(kind, what, company_id)
        if company_id not in (None, owner):
            raise InvalidRequestError(f"The {kind.word} {id_} belongs to company {owner}, not to {company_id}.")
        company_id = owner
        ids[kind.key].append(id_)
    if company_id is None:
        company_id = finder.only_company()
    connection_id = ids[CONNECTION.key][0] if connection is not None else None
    return Scope(company_id, tuple(dict.fromkeys(ids[SITE.key])), connection_id, finder.requests)


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
        wanted = named(given, COMPANY)
        if wanted.by_id:
            return wanted.text
        return str(self._searched(wanted, COMPANY, self._companies)["company_id"])

    def thing(self, kind: Kind, wanted: Named, company_id: str | None) -> tuple[str, str]:
        """Return the id of a site or connection, and of its company."""
        if wanted.company_id is not None:
            return wanted.text, wanted.company_id

        def look(*, renew: bool = False) -> pd.DataFrame:
            ids = [company_id] if company_id is not None else self._companies()["company_id"].tolist()
            frames = [self._things(kind, one_id, renew=renew) for one_id in ids]
            filled = [frame for frame in frames if len(frame)]
            return pd.concat(filled, ignore_index=True) if filled else frames[0]

        found = self._searched(wanted, kind, look)
        return str(found[kind.key]), str(found["company_id"])

    def _things(self, kind: Kind, company_id: str, *, renew: bool) -> pd.DataFrame:
        rows = Company(self._library, company_id)
        held = rows.company(renew=renew) if kind is SITE else rows.connections(renew=renew)
        return self._counted(held).frames[kind.plural]

    def _searched(self, wanted: Named, kind: Kind, look: Callable[..., pd.DataFrame]) -> pd.Series:
        before = self.requests
        try:
            return one(wanted, kind, look())
        except NotFoundError:
            if self._library.offline or self.requests > before:
                raise
        return one(wanted, kind, look(renew=True))

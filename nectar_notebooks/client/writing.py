"""Verbs on companies, sites and connections: create, update, delete.

Arguments are checked in `fields` before anything is sent; how it is sent and what the cache forgets is the work of
`sending`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Final, Unpack

from nectar_notebooks.cache import Company
from nectar_notebooks.client.fields import (
    COMPANY_FIELDS,
    CONNECTION_FIELDS,
    LOGIN_FIELDS,
    SITE_FIELDS,
    CompanyChanges,
    CompanyFields,
    ConnectionChanges,
    SiteChanges,
    SiteFields,
    body,
)
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.client.sending import Writing
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.naming import Given, Several

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ObjectVerbs"]

_NONE_YET: Final = Scope("")


class ObjectVerbs(Writing):
    """Create, update and delete companies, sites and connections.

    Each returns the row it made or changed, as a frame with the columns of its noun. What is left out of an update
    stays as it is. Raised by every verb, beside what stands with it:

    - ``InvalidRequestError``: an argument cannot be sent (nothing was), or the API refused it with a 400;
    - ``NotFoundError``, ``PermissionDeniedError``: a wrong id, or not visible to this key;
    - ``NetworkError``, ``ServerError``: of a creation nobody knows then whether it was made: look before you repeat;
    - ``OfflineError``: connected with ``offline=True``.

    The API deletes no sites.
    """

    def create_company(self, name: str, **fields: Unpack[CompanyFields]) -> pd.DataFrame:
        """Create a company.

        Parameters
        ----------
        name : str
            At most 200 characters.
        **fields
            ``external_id``; ``users`` (e-mail addresses; the caller is always among them); ``data_collection_start`` (a
            day; 1 January of last year without it); ``demand_enabled``; ``implied_metering_enabled``;
            ``implied_metering_fraction`` (0 to 1).

        Returns
        -------
        DataFrame
            The columns of :meth:`companies`, one row.

        Raises
        ------
        InvalidRequestError
            Also for an address in ``users`` that the organization does not know.
        """
        sent = body(COMPANY_FIELDS, {"name": name, **fields})
        answer = self._send("company.create", {}, _NONE_YET, "companies", json=sent)
        return self._made("companies", answer, _NONE_YET, "company.get")

    def update_company(self, company: Given, **changes: Unpack[CompanyChanges]) -> pd.DataFrame:
        """Change a company; ``name``, and the fields of :meth:`create_company`. ``users`` replaces the list.

        Returns
        -------
        DataFrame
            The columns of :meth:`companies`, one row.
        """
        sent = body(COMPANY_FIELDS, changes)
        scope = resolve(self._library, company)
        answer = self._send(
            "company.update", {"company_id": scope.company_id}, scope, "companies", "company", json=sent
        )
        return self._made("companies", answer, scope, "company.get")

    def delete_company(self, company: Given) -> pd.DataFrame:
        """Delete a company with all that is its own; it cannot be undone.

        Returns
        -------
        DataFrame
            The columns of :meth:`companies`: the row as it was.
        """
        scope = resolve(self._library, company)
        companies = self._library.companies().frames["companies"]
        was = companies[companies["company_id"] == scope.company_id].reset_index(drop=True)
        answer = self._send("company.delete", {"company_id": scope.company_id}, scope)
        self._forget(scope, "companies")
        return self._told("companies", was, scope, answer.requests)

    def create_site(self, name: str, company: Given | None = None, **fields: Unpack[SiteFields]) -> pd.DataFrame:
        """Create a site.

        Parameters
        ----------
        name : str
            At most 255 characters.
        company
            Its company; may be left out where only one is visible.
        **fields
            ``external_id``; ``address`` (at most 255 characters); ``path`` (at most 10 location tags, general to
            specific, as a list or joined by ``" / "``); ``occupancy_percent`` (0 to 100).

        Returns
        -------
        DataFrame
            The columns of :meth:`sites`, one row.
        """
        sent = body(SITE_FIELDS, {"name": name, **fields})
        scope = resolve(self._library, company)
        answer = self._send("site.create", {"company_id": scope.company_id}, scope, "company", json=sent)
        return self._made("sites", answer, scope, "site.get")

    def update_site(self, site: Given, company: Given | None = None, **changes: Unpack[SiteChanges]) -> pd.DataFrame:
        """Change a site; ``name``, and the fields of :meth:`create_site`.

        Returns
        -------
        DataFrame
            The columns of :meth:`sites`, one row.
        """
        sent = body(SITE_FIELDS, changes)
        scope = resolve(self._library, company, site)
        answer = self._send("site.update", {"site_id": scope.site_id or ""}, scope, "company", json=sent)
        return self._made("sites", answer, scope, "site.get")

    def create_connection(
        self,
        url: str,
        username: str,
        password: str,
        company: Given | None = None,
        *,
        sites: Several,
        country: str = "US",
        security_questions: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Connect a login at a provider; the answer carries the status of its first check.

        Logins with a second factor need an invitation instead. Bills that arrive later are seen after
        :meth:`refresh`.

        Parameters
        ----------
        url : str
            Login address of the provider.
        username, password : str
            The login. The password is sent and kept nowhere.
        company
            Its company; may be left out where only one is visible.
        sites
            Sites that the bills are for: names, ids or rows of :meth:`sites`; a frame means all of its rows.
        country : str
            ISO 3166-1 alpha-2.
        security_questions : mapping, optional
            Questions and answers.

        Returns
        -------
        DataFrame
            The columns of :meth:`connections`, one row; read ``status``: a wrong password is an answer, not an error.

        Raises
        ------
        InvalidRequestError
            Also for the same provider and user name twice in a company.
        """
        given = {"url": url, "username": username, "password": password, "country": country}
        more = {} if security_questions is None else {"security_questions": security_questions}
        sent = body(CONNECTION_FIELDS, {**given, **more})
        scope = resolve(self._library, company)
        sent["sites"] = self._site_ids(scope, sites)
        answer = self._send("connection.create", {"company_id": scope.company_id}, scope, "connections", json=sent)
        self._bills_arrived(scope)
        return self._made("connections", answer, scope, "connection.get")

    def update_connection(
        self, connection: Given, company: Given | None = None, **changes: Unpack[ConnectionChanges]
    ) -> pd.DataFrame:
        """Give a connection new credentials (``username``, ``password``, ``security_questions``) or other ``sites``.

        Returns
        -------
        DataFrame
            The columns of :meth:`connections`, one row, with the status of the new check.
        """
        given: dict[str, object] = dict(changes)
        scope = resolve(self._library, company, connection=connection)
        if "sites" in changes:
            given["sites"] = self._site_ids(scope, changes["sites"])
        sent = body(LOGIN_FIELDS, given)
        ids = {"connection_id": scope.connection_id or ""}
        answer = self._send("connection.update", ids, scope, "connections", json=sent)
        self._bills_arrived(scope)
        return self._made("connections", answer, scope, "connection.get")

    def delete_connection(self, connection: Given, company: Given | None = None) -> pd.DataFrame:
        """Remove a connection; whether its bills stay is the API's to say, so bills are asked for again.

        Returns
        -------
        DataFrame
            The columns of :meth:`connections`: the row as it was.
        """
        scope = resolve(self._library, company, connection=connection)
        rows = Company(self._library, scope.company_id).connections().frames["connections"]
        was = rows[rows["connection_id"] == scope.connection_id].reset_index(drop=True)
        ids = {"connection_id": scope.connection_id or ""}
        answer = self._send("connection.delete", ids, scope, "connections", "documents", "usage", "meters")
        Company(self._library, scope.company_id).forget_intervals(ids["connection_id"])
        return self._told("connections", was, scope, answer.requests)

    def _site_ids(self, scope: Scope, sites: Several) -> list[str]:
        if not isinstance(sites, str) and isinstance(sites, Sized) and not len(sites):
            raise InvalidRequestError("A connection needs at least one site.", advice="Create one with create_site.")
        return list(resolve(self._library, scope.company_id, sites=sites).site_ids)

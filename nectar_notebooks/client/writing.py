"""Verbs on companies, sites and connections: create, update, delete.

Arguments are checked in `fields` before anything is sent. A creation is sent once, whatever happens; an update or a
deletion is repeated after a broken connection, because doing it twice is doing it once. Each verb drops from the
cache what it changed, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Unpack, cast

import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.api import ENDPOINTS
from nectar_notebooks.cache import Company
from nectar_notebooks.client.core import Core
from nectar_notebooks.client.fields import (
    COMPANY_FIELDS,
    CONNECTION_FIELDS,
    SITE_FIELDS,
    CompanyChanges,
    CompanyFields,
    ConnectionChanges,
    SiteChanges,
    SiteFields,
    body,
)
from nectar_notebooks.client.resolving import Given
from nectar_notebooks.client.scope import Scope, resolve
from nectar_notebooks.errors import ContractError, InvalidRequestError, OfflineError

if TYPE_CHECKING:
    from nectar_notebooks.api import Answer, Row

__all__ = ["ObjectVerbs", "Writing"]

#: What an answer must hold to be the whole object; else it is asked for.
_WHOLE: Final = {"companies": "name", "sites": "name", "connections": "url"}


class Writing(Core):
    """What every verb does: refuse offline, send, read the answer as a frame of the noun."""

    def _send(self, endpoint: str, ids: Mapping[str, str], **sent: object) -> Answer:
        self._online()
        return self._library.session.request(endpoint, ids, **sent)  # type: ignore[arg-type]  # json, data or files

    def _online(self) -> None:
        if self._library.offline:
            raise OfflineError("Offline, and this changes something.", advice="Connect without offline=True.")

    def _made(self, noun: str, answer: Answer, scope: Scope, get: str) -> pd.DataFrame:
        """Return the object that an answer holds, or names, as a frame of one row."""
        row, requests = _object(answer), answer.requests
        [id_name] = ENDPOINTS[get].ids
        if _WHOLE[noun] not in row:
            asked = self._library.session.request(get, {id_name: _id(row, answer)})
            row, requests = _object(asked), requests + asked.requests
        frame = tables.build(noun, [row], company_id=scope.company_id or _id(row, answer))[noun]
        return self._told(noun, frame, scope, requests)

    def _told(self, noun: str, frame: pd.DataFrame, scope: Scope, requests: int) -> pd.DataFrame:
        """Write on a frame of a verb where its rows are from."""
        self.last_fetch = {
            "noun": noun,
            "company_id": scope.company_id or None,
            "fetched": self.clock.now().isoformat(),
            "source": "wire",
            "requests": requests + scope.requests,
            "rows": len(frame),
            "generation": "",
            "place": self._place,
        }
        frame.attrs["nectar"] = dict(self.last_fetch)
        return frame

    def _forget(self, scope: Scope, *resources: str) -> None:
        Company(self._library, scope.company_id).forget(*resources)


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
        answer = self._send("company.create", {}, json=sent)
        self._library.forget_companies()
        return self._made("companies", answer, Scope(""), "company.get")

    def update_company(self, company: Given, **changes: Unpack[CompanyChanges]) -> pd.DataFrame:
        """Change a company; ``name``, and the fields of :meth:`create_company`. ``users`` replaces the list.

        Returns
        -------
        DataFrame
            The columns of :meth:`companies`, one row.
        """
        sent = body(COMPANY_FIELDS, changes)
        scope = resolve(self._library, company)
        answer = self._send("company.update", {"company_id": scope.company_id}, json=sent)
        self._library.forget_companies()
        self._forget(scope, "company")
        return self._made("companies", answer, scope, "company.get")

    def delete_company(self, company: Given) -> pd.DataFrame:
        """Delete a company with all that is its own; it cannot be undone.

        Returns
        -------
        DataFrame
            The columns of :meth:`companies`: the row as it was.
        """
        self._online()
        scope = resolve(self._library, company)
        companies = self._library.companies().frames["companies"]
        was = companies[companies["company_id"] == scope.company_id].reset_index(drop=True)
        answer = self._send("company.delete", {"company_id": scope.company_id})
        self._library.forget_companies()
        self._forget(scope)
        return self._told("companies", was, scope, answer.requests)

    def create_site(self, company: Given | None, name: str, **fields: Unpack[SiteFields]) -> pd.DataFrame:
        """Create a site.

        Parameters
        ----------
        company
            Its company; None where only one is visible.
        name : str
            At most 255 characters.
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
        answer = self._send("site.create", {"company_id": scope.company_id}, json=sent)
        self._forget(scope, "company")
        return self._made("sites", answer, scope, "site.get")

    def update_site(self, site: Given, *, company: Given | None = None, **changes: Unpack[SiteChanges]) -> pd.DataFrame:
        """Change a site; ``name``, and the fields of :meth:`create_site`.

        Returns
        -------
        DataFrame
            The columns of :meth:`sites`, one row.
        """
        sent = body(SITE_FIELDS, changes)
        scope = resolve(self._library, company, site)
        answer = self._send("site.update", {"site_id": scope.site_id or ""}, json=sent)
        self._forget(scope, "company")
        return self._made("sites", answer, scope, "site.get")

    def create_connection(
        self,
        company: Given | None,
        url: str,
        username: str,
        password: str,
        *,
        sites: Iterable[Given] | Given,
        country: str = "US",
        security_questions: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Connect a login at a provider; the answer carries the status of its first check.

        Logins with a second factor need an invitation instead. Bills arrive later.

        Parameters
        ----------
        company
            Its company; None where only one is visible.
        url : str
            Login address of the provider.
        username, password : str
            The login. The password is sent and kept nowhere.
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
        self._online()
        scope = resolve(self._library, company)
        sent["sites"] = self._site_ids(scope, sites)
        answer = self._send("connection.create", {"company_id": scope.company_id}, json=sent)
        self._forget(scope, "connections")
        return self._made("connections", answer, scope, "connection.get")

    def update_connection(
        self, connection: Given, *, company: Given | None = None, **changes: Unpack[ConnectionChanges]
    ) -> pd.DataFrame:
        """Give a connection new credentials (``username``, ``password``, ``security_questions``) or other ``sites``.

        Returns
        -------
        DataFrame
            The columns of :meth:`connections`, one row, with the status of the new check.
        """
        named = changes.get("sites")
        sent = body(CONNECTION_FIELDS, {name: value for name, value in changes.items() if name != "sites"} or changes)
        scope = resolve(self._library, company, connection=connection)
        if named is not None:
            sent["sites"] = self._site_ids(scope, named)
        answer = self._send("connection.update", {"connection_id": scope.connection_id or ""}, json=sent)
        self._forget(scope, "connections")
        return self._made("connections", answer, scope, "connection.get")

    def delete_connection(self, connection: Given, *, company: Given | None = None) -> pd.DataFrame:
        """Remove a connection; whether its bills stay is the API's to say, so bills are asked for again.

        Returns
        -------
        DataFrame
            The columns of :meth:`connections`: the row as it was.
        """
        self._online()
        scope = resolve(self._library, company, connection=connection)
        rows = Company(self._library, scope.company_id).connections().frames["connections"]
        was = rows[rows["connection_id"] == scope.connection_id].reset_index(drop=True)
        answer = self._send("connection.delete", {"connection_id": scope.connection_id or ""})
        self._forget(scope, "connections", "documents", "usage", "meters")
        return self._told("connections", was, scope, answer.requests)

    def _site_ids(self, scope: Scope, sites: Iterable[Given] | Given) -> list[str]:
        each: list[Given]
        if isinstance(sites, pd.DataFrame):
            each = [row for _, row in sites.iterrows()]
        elif isinstance(sites, (str, pd.Series, Mapping)) or hasattr(sites, "_asdict"):
            each = [cast("Given", sites)]
        else:
            each = list(cast("Iterable[Given]", sites))
        if not each:
            raise InvalidRequestError("A connection needs at least one site.", advice="Create one with create_site.")
        found = [resolve(self._library, scope.company_id, one).site_id or "" for one in each]
        return list(dict.fromkeys(found))


def _object(answer: Answer) -> Row:
    row = answer.json()
    if not isinstance(row, dict):
        raise ContractError(f"{answer.what}: the answer is no object; it was carried out (status {answer.status}).")
    return row


def _id(row: Row, answer: Answer) -> str:
    found = row.get("id")
    if not isinstance(found, str):
        raise ContractError(f"{answer.what}: the answer names no id; it was carried out (status {answer.status}).")
    return found

"""Every endpoint as a row of one table: method, path, envelope, parameters, documented or assumed.

Nothing here sends anything. Names are ``<noun>.<verb or scope>``: ``documents.company``, ``site.create``.
The three versions differ in the path's prefix alone.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from nectar_notebooks.errors import ConfigurationError, InvalidRequestError

__all__ = ["ENDPOINTS", "LARGEST_PAGE", "Endpoint", "endpoint_named"]

Method = Literal["GET", "POST", "PATCH", "DELETE"]

_PREFIXES: Final = {"v2.2": "/v2.2", "v2.1": "/v2.1", "v2.0": "/v2"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    Attributes
    ----------
    name : str
        The house name by which the session calls it.
    method, path : str
        ``GET`` and ``/site/{site_id}``, without the version's prefix.
    rows : str, optional
        The envelope's key of the list; ``""`` for a bare array, None where the answer is no list.
    total : str, optional
        The envelope's key of the number of rows.
    params : tuple of str
        Query parameters it takes.
    documented : bool
        False where method or path is an assumption.
    idempotent : bool
        Whether sending it twice does what sending it once does: only then is it sent again after a 5xx or a
        broken connection.
    """

    name: str
    method: Method
    path: str
    rows: str | None = None
    total: str | None = None
    params: tuple[str, ...] = ()
    documented: bool = True
    idempotent: bool = True

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the names of the ids that the path takes."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.path) if name)

    def path_for(self, version: str, **ids: str) -> str:
        """Return the path with the version's prefix and the ids quoted into it.

        Raises
        ------
        ConfigurationError
            No such version.
        InvalidRequestError
            An id is missing, empty, foreign to this endpoint, or only dots.

        Examples
        --------
        >>> ENDPOINTS["site.get"].path_for("v2.0", site_id="a/b")
        '/v2/site/a%2Fb'
        """
        prefix = _PREFIXES.get(version)
        if prefix is None:
            raise ConfigurationError(
                f"There is no API version {version!r}.", advice=f"Say one of {', '.join(_PREFIXES)}."
            )
        if set(ids) != set(self.ids):
            raise InvalidRequestError(
                f"{self.name} takes {', '.join(self.ids) or 'no id'}, not {', '.join(ids) or 'none'}."
            )
        for name, value in ids.items():
            if not isinstance(value, str) or not value.strip(".") or any("\ud800" <= one <= "\udfff" for one in value):
                raise InvalidRequestError(
                    f"{self.name}: {name} must be an id, not {value!r}.",
                    advice="Pass the id as text, as the _id column shows it.",
                )
        return prefix + self.path.format(**{name: quote(value, safe="") for name, value in ids.items()})


#: The most rows on a page of a list that takes ``limit``; all others have 100.
LARGEST_PAGE: Final = 500

_FILTERS: Final = ("page", "startDate", "endDate", "dateType", "datasourceType", "identifier")
_DOCUMENT_FILTERS: Final = (*_FILTERS, "isDeleted")
_CONNECTION_FILTERS: Final = ("page", "limit", "status", "connectionOwnerEmail", "sites")


def _get(name: str, path: str, *, documented: bool = True) -> Endpoint:
    return Endpoint(name, "GET", path, documented=documented)


def _list(name: str, path: str, rows: str, params: tuple[str, ...] = ("page",), *, documented: bool = True) -> Endpoint:
    total = f"total{rows[0].upper()}{rows[1:]}"
    return Endpoint(name, "GET", path, rows, total, params, documented)


def _post(name: str, path: str, *, documented: bool = True) -> Endpoint:
    return Endpoint(name, "POST", path, documented=documented, idempotent=False)


def _patch(name: str, path: str, *, documented: bool = True) -> Endpoint:
    # Setting fields to values is the same done twice; so it may be repeated after a broken connection.
    return Endpoint(name, "PATCH", path, documented=documented)


def _delete(name: str, path: str, *, documented: bool = True) -> Endpoint:
    return Endpoint(name, "DELETE", path, documented=documented)


_ALL: Final = (
    _get("ping", "/ping"),
    _get("team.get", "/team"),
    _patch("team.update", "/team", documented=False),
    # companies and sites
    Endpoint("companies.list", "GET", "/company", rows=""),
    _post("company.create", "/company"),
    _get("company.get", "/company/{company_id}"),
    _patch("company.update", "/company/{company_id}"),
    _delete("company.delete", "/company/{company_id}", documented=False),
    _list("sites.company", "/site/company/{company_id}", "sites", documented=False),
    _post("site.create", "/site/company/{company_id}"),
    _get("site.get", "/site/{site_id}"),
    _patch("site.update", "/site/{site_id}"),
    # connections, invitations and the deprecated magic links
    _list("connections.company", "/connection/company/{company_id}", "connections", _CONNECTION_FILTERS),
    _post("connection.create", "/connection/company/{company_id}"),
    _get("connection.get", "/connection/{connection_id}/details"),
    _patch("connection.update", "/connection/{connection_id}", documented=False),
    _delete("connection.delete", "/connection/{connection_id}", documented=False),
    _post("magic_link.company", "/connection/company/{company_id}/link"),
    _get("magic_link.company_get", "/connection/company/{company_id}/link"),
    _post("magic_link.connection", "/connection/{connection_id}"),
    _get("magic_link.connection_get", "/connection/{connection_id}"),
    _list("invitations.company", "/invitation/company/{company_id}", "invitations"),
    _post("invitation.create", "/invitation/company/{company_id}"),
    _post("invitation.reconnect", "/invitation/connection/{connection_id}"),
    _get("invitation.get", "/invitation/{invitation_id}"),
    Endpoint("invitation.revoke", "POST", "/invitation/{invitation_id}/revoke"),  # revoked stays revoked
    # accounts and meters
    _list("accounts.company", "/account/company/{company_id}", "accounts", documented=False),
    _get("account.get", "/account/{account_id}", documented=False),
    _patch("account.track", "/account/{account_id}"),
    _patch("accounts.track", "/account/company/{company_id}", documented=False),
    _list("meters.company", "/meter/company/{company_id}", "meters", documented=False),
    _list("meters.site", "/meter/site/{site_id}", "meters", documented=False),
    _get("meter.get", "/meter/{meter_id}"),
    # bills and usage
    _list("documents.company", "/document/company/{company_id}", "documents", _DOCUMENT_FILTERS),
    _list("documents.site", "/document/site/{site_id}", "documents", _DOCUMENT_FILTERS),
    _list("documents.connection", "/document/connection/{connection_id}", "documents", _DOCUMENT_FILTERS),
    _get("document.get", "/document/{document_id}", documented=False),
    _list("usage.company", "/usage/company/{company_id}", "usageData", _FILTERS),
    _list("usage.site", "/usage/site/{site_id}", "usageData", _FILTERS),
    _list("usage.connection", "/usage/connection/{connection_id}", "usageData", _FILTERS),
    _list("usage.document", "/usage/document/{document_id}", "usageData", _FILTERS),
    _get("usage.get", "/usage/{usage_id}"),
    _patch("usage.update", "/usage/{usage_id}", documented=False),
    _list(
        "intervals.connection",
        "/interval/connection/{connection_id}",
        "intervals",
        ("page", "startDate", "endDate", "datasourceType", "identifier"),
    ),
    # uploads and webhooks
    _post("job.upload", "/job/company/{company_id}"),
    _post("job.bulk", "/job/company/{company_id}/bulk"),
    _get("job.get", "/job/{job_id}"),
    _list("jobs.company", "/job/company/{company_id}", "jobs", documented=False),
    _post("webhook.portal", "/webhook", documented=False),
)

#: Every endpoint by name.
ENDPOINTS: Final[dict[str, Endpoint]] = {endpoint.name: endpoint for endpoint in _ALL}


def endpoint_named(name: str) -> Endpoint:
    """Return the endpoint of that name; an unknown one is an ``InvalidRequestError``."""
    known = ENDPOINTS.get(name)
    if known is None:
        raise InvalidRequestError(f"There is no endpoint {name!r}.", advice="See nectar_notebooks.api.ENDPOINTS.")
    return known

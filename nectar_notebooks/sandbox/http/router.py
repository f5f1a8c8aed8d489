"""Every path of the API as one table: method, path, what answers, whether it is assumed.

The reference spells paths resource-first (``/site/company/{id}``); where some guides nest
(``/company/{id}/site``), the nested spelling is an alias of the same row. The contract documents name the
same paths; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from nectar_notebooks.sandbox.handlers import (
    accounts,
    bills,
    companies,
    connections,
    intervals,
    invitations,
    jobs,
    meters,
    organization,
    sites,
    usage,
)
from nectar_notebooks.sandbox.handlers.request import Answer

__all__ = ["ROUTES", "VERSIONS", "Route", "Router"]

#: The part of the base URL that names a version.
VERSIONS: Final = {"v2.2": "v2.2", "v2.1": "v2.1", "v2": "v2.0"}


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path (with its nested spelling, where there is one)."""

    method: str
    path: str
    answer: Callable[..., Answer]
    assumed: bool = False
    alias: str | None = None


def _of_company(
    method: str, resource: str, answer: Callable[..., Answer], end: str = "", *, assumed: bool = False
) -> Route:
    """Return what is done with a company's resource, in both spellings."""
    path = f"/{resource}/company/{{company_id}}{end}"
    return Route(method, path, answer, assumed, f"/company/{{company_id}}/{resource}{end}")


def _scoped(resource: str, answer: Callable[..., Answer], *scopes: str, assumed: bool = False) -> list[Route]:
    """Return the lists of a resource by what they are of; the answering function gets the scope's name."""

    def of(scope: str) -> Route:
        name = f"{scope}_id"
        return Route(
            "GET",
            f"/{resource}/{scope}/{{{name}}}",
            lambda call, **ids: answer(call, scope, ids[name]),
            assumed,
            f"/{scope}/{{{name}}}/{resource}",
        )

    return [of(scope) for scope in scopes]


ROUTES: Final = (
    Route("GET", "/ping", organization.ping),
    Route("GET", "/team", organization.team),
    Route("PATCH", "/team", organization.update_team, assumed=True),
    Route("GET", "/company", companies.companies),
    Route("POST", "/company", companies.create_company),
    Route("GET", "/company/{company_id}", companies.company),
    Route("PATCH", "/company/{company_id}", companies.update_company),
    Route("DELETE", "/company/{company_id}", companies.delete_company, assumed=True),
    _of_company("GET", "site", sites.sites, assumed=True),
    _of_company("POST", "site", sites.create_site),
    Route("GET", "/site/{site_id}", sites.site),
    Route("PATCH", "/site/{site_id}", sites.update_site),
    _of_company("GET", "connection", connections.connections),
    _of_company("POST", "connection", connections.create_connection),
    Route("GET", "/connection/{connection_id}/details", connections.connection),
    Route("PATCH", "/connection/{connection_id}", connections.update_connection, assumed=True),
    Route("DELETE", "/connection/{connection_id}", connections.delete_connection, assumed=True),
    _of_company("GET", "connection", invitations.company_link, "/link"),
    _of_company("POST", "connection", invitations.company_link, "/link"),
    Route("GET", "/connection/{connection_id}", invitations.connection_link),
    Route("POST", "/connection/{connection_id}", invitations.connection_link),
    _of_company("GET", "invitation", invitations.invitations),
    _of_company("POST", "invitation", invitations.invite),
    Route(
        "POST",
        "/invitation/connection/{connection_id}",
        invitations.invite_to_reconnect,
        alias="/connection/{connection_id}/invitation",
    ),
    Route("GET", "/invitation/{invitation_id}", invitations.invitation),
    Route("POST", "/invitation/{invitation_id}/revoke", invitations.revoke),
    _of_company("GET", "account", accounts.accounts, assumed=True),
    _of_company("PATCH", "account", accounts.track_accounts, assumed=True),
    Route("GET", "/account/{account_id}", accounts.account, assumed=True),
    Route("PATCH", "/account/{account_id}", accounts.track_account),
    *_scoped("meter", meters.meters, "company", "site", assumed=True),
    Route("GET", "/meter/{meter_id}", meters.meter),
    *_scoped("document", bills.bills, "company", "site", "connection"),
    Route("GET", "/document/{document_id}", bills.bill, assumed=True),
    *_scoped("usage", usage.usage, "company", "site", "connection", "document"),
    Route("GET", "/usage/{usage_data_id}", usage.usage_record),
    Route("PATCH", "/usage/{usage_data_id}", usage.update_usage, assumed=True),
    Route(
        "GET",
        "/interval/connection/{connection_id}",
        intervals.intervals,
        alias="/connection/{connection_id}/interval",
    ),
    _of_company("POST", "job", jobs.upload_bill),
    _of_company("POST", "job", jobs.upload_bills, "/bulk"),
    _of_company("GET", "job", jobs.jobs, assumed=True),
    Route("GET", "/job/{job_id}", jobs.job),
    Route("POST", "/webhook", organization.webhook_portal, assumed=True),
)
_PARAMETER: Final = "{}"


@dataclass(slots=True)
class _Node:
    """What follows a path part: further parts, the parameter's name where one stands here, routes by method."""

    parts: dict[str, _Node] = field(default_factory=dict)
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """Finds routes by path; a literal part wins over a parameter.

    Parameters
    ----------
    routes : iterable of Route
        The table; an alias stands for its route.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            for path in (route.path, route.alias):
                if path is not None:
                    self._add(route, path)

    def find(self, path: str) -> tuple[dict[str, tuple[Route, tuple[str, ...]]], list[str]]:
        """Return the routes of a path by method, each with its parameters' names, and the values in the path.

        Both are empty where there is nothing at this path. A slash at the end is ignored.
        """
        values: list[str] = []
        parts = [part for part in path.split("/") if part] if "//" not in path else []
        node = self._walk(self._root, parts, 0, values) if parts else None
        return (node.routes, values) if node is not None else ({}, [])

    def _walk(self, node: _Node, parts: list[str], at: int, values: list[str]) -> _Node | None:
        if at == len(parts):
            return node if node.routes else None
        literal = node.parts.get(parts[at])
        if literal is not None:
            found = self._walk(literal, parts, at + 1, values)
            if found is not None:
                return found
        parameter = node.parts.get(_PARAMETER)
        if parameter is None:
            return None
        values.append(parts[at])
        found = self._walk(parameter, parts, at + 1, values)
        if found is None:
            values.pop()
        return found

    def _add(self, route: Route, path: str) -> None:
        node, names = self._root, []
        for part in path.strip("/").split("/"):
            is_parameter = part.startswith("{")
            if is_parameter:
                names.append(part.strip("{}"))
            node = node.parts.setdefault(_PARAMETER if is_parameter else part, _Node())
        node.routes[route.method] = (route, tuple(names))

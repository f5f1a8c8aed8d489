"""Which handler answers a path: the operations of the contract as routes, and the tree that finds them.

Paths, their nested spellings and what is assumed stand in the contract; here is only what answers each. A tree of path
parts is built in no time: compiling some hundred rules of the web framework would cost more than the whole first answer
of a fresh sandbox may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from nectar_notebooks.sandbox.contract import MOUNTS
from nectar_notebooks.sandbox.contract.paths import OPERATIONS
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

#: The version by the part of the base URL that names it.
VERSIONS: Final = {mount.strip("/"): version for version, mount in MOUNTS.items()}


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path (with its nested spelling, where there is one)."""

    method: str
    path: str
    answer: Callable[..., Answer]
    assumed: bool = False
    alias: str | None = None


def _of(scope: str, answer: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return what answers a list of several scopes for one of them."""
    return lambda call, **ids: answer(call, scope, ids[f"{scope}_id"])


#: What answers each operation of the contract.
_HANDLERS: Final[dict[str, Callable[..., Answer]]] = {
    "ping": organization.ping,
    "getTeam": organization.team,
    "updateTeam": organization.update_team,
    "getWebhookPortal": organization.webhook_portal,
    "listCompanies": companies.companies,
    "createCompany": companies.create_company,
    "getCompany": companies.company,
    "updateCompany": companies.update_company,
    "deleteCompany": companies.delete_company,
    "listSites": sites.sites,
    "createSite": sites.create_site,
    "getSite": sites.site,
    "updateSite": sites.update_site,
    "listConnections": connections.connections,
    "createConnection": connections.create_connection,
    "getConnection": connections.connection,
    "updateConnection": connections.update_connection,
    "deleteConnection": connections.delete_connection,
    "listInvitations": invitations.invitations,
    "invite": invitations.invite,
    "inviteToReconnect": invitations.invite_to_reconnect,
    "getInvitation": invitations.invitation,
    "revokeInvitation": invitations.revoke,
    "getCompanyLink": invitations.company_link,
    "createCompanyLink": invitations.company_link,
    "getConnectionLink": invitations.connection_link,
    "createConnectionLink": invitations.connection_link,
    "listAccounts": accounts.accounts,
    "getAccount": accounts.account,
    "trackAccount": accounts.track_account,
    "trackAccounts": accounts.track_accounts,
    "listMetersOfCompany": _of("company", meters.meters),
    "listMetersOfSite": _of("site", meters.meters),
    "getMeter": meters.meter,
    "listBillsOfCompany": _of("company", bills.bills),
    "listBillsOfSite": _of("site", bills.bills),
    "listBillsOfConnection": _of("connection", bills.bills),
    "getBill": bills.bill,
    "listUsageOfCompany": _of("company", usage.usage),
    "listUsageOfSite": _of("site", usage.usage),
    "listUsageOfConnection": _of("connection", usage.usage),
    "listUsageOfBill": _of("document", usage.usage),
    "getUsage": usage.usage_record,
    "updateUsage": usage.update_usage,
    "listIntervals": intervals.intervals,
    "uploadBill": jobs.upload_bill,
    "uploadBills": jobs.upload_bills,
    "getJob": jobs.job,
    "listJobs": jobs.jobs,
}


def _routes() -> tuple[Route, ...]:
    nested = ((operation, operation.nested()) for operation in OPERATIONS)
    return tuple(
        Route(
            operation.method.upper(),
            operation.path,
            _HANDLERS[operation.name],
            bool(operation.assumed),
            alias.path if alias is not None else None,
        )
        for operation, alias in nested
    )


#: Every operation of the contract as a route.
ROUTES: Final = _routes()

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

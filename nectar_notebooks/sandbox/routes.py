"""Every path of the API as one table: method, path, what answers, whether it is assumed.

The reference spells paths resource-first (``/site/company/{id}``); where some guides nest
(``/company/{id}/site``), the nested spelling is an alias of the same row. The contract documents name the
same paths; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nectar_notebooks.sandbox import companies, corrections, intervals, invitations, logins, reads, tracking, uploads
from nectar_notebooks.sandbox.calls import Answer

__all__ = ["ROUTES", "VERSIONS", "Route"]

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
    Route("GET", "/ping", reads.ping),
    Route("GET", "/team", companies.team),
    Route("PATCH", "/team", companies.update_team, assumed=True),
    Route("GET", "/company", reads.companies),
    Route("POST", "/company", companies.create_company),
    Route("GET", "/company/{company_id}", reads.company),
    Route("PATCH", "/company/{company_id}", companies.update_company),
    Route("DELETE", "/company/{company_id}", companies.delete_company, assumed=True),
    _of_company("GET", "site", reads.sites, assumed=True),
    _of_company("POST", "site", companies.create_site),
    Route("GET", "/site/{site_id}", reads.site),
    Route("PATCH", "/site/{site_id}", companies.update_site),
    _of_company("GET", "connection", reads.connections),
    _of_company("POST", "connection", logins.create_connection),
    Route("GET", "/connection/{connection_id}/details", reads.connection),
    Route("PATCH", "/connection/{connection_id}", logins.update_connection, assumed=True),
    Route("DELETE", "/connection/{connection_id}", logins.delete_connection, assumed=True),
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
    _of_company("GET", "account", reads.accounts, assumed=True),
    _of_company("PATCH", "account", tracking.track_accounts, assumed=True),
    Route("GET", "/account/{account_id}", reads.account, assumed=True),
    Route("PATCH", "/account/{account_id}", tracking.track_account),
    *_scoped("meter", reads.meters, "company", "site", assumed=True),
    Route("GET", "/meter/{meter_id}", reads.meter),
    *_scoped("document", reads.bills, "company", "site", "connection"),
    Route("GET", "/document/{document_id}", reads.bill, assumed=True),
    *_scoped("usage", reads.usage, "company", "site", "connection", "document"),
    Route("GET", "/usage/{usage_data_id}", reads.usage_record),
    Route("PATCH", "/usage/{usage_data_id}", corrections.update_usage, assumed=True),
    Route(
        "GET",
        "/interval/connection/{connection_id}",
        intervals.intervals,
        alias="/connection/{connection_id}/interval",
    ),
    _of_company("POST", "job", uploads.upload_bill),
    _of_company("POST", "job", uploads.upload_bills, "/bulk"),
    _of_company("GET", "job", uploads.jobs, assumed=True),
    Route("GET", "/job/{job_id}", uploads.job),
    Route("POST", "/webhook", companies.webhook_portal, assumed=True),
)

"""Every path of the API as one table: method, path, what answers, whether it is assumed.

The reference spells paths resource-first (``/site/company/{id}``); where some guides nest
(``/company/{id}/site``), the nested spelling is an alias of the same row. The contract documents name the
same paths; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nectar_notebooks.sandbox import reads
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
    Route("GET", "/company", reads.companies),
    Route("GET", "/company/{company_id}", reads.company),
    Route("GET", "/site/company/{company_id}", reads.sites, assumed=True, alias="/company/{company_id}/site"),
    Route("GET", "/site/{site_id}", reads.site),
    Route("GET", "/connection/company/{company_id}", reads.connections, alias="/company/{company_id}/connection"),
    Route("GET", "/connection/{connection_id}/details", reads.connection),
    Route(
        "GET",
        "/account/company/{company_id}",
        reads.accounts,
        assumed=True,
        alias="/company/{company_id}/account",
    ),
    Route("GET", "/account/{account_id}", reads.account, assumed=True),
    *_scoped("meter", reads.meters, "company", "site", assumed=True),
    Route("GET", "/meter/{meter_id}", reads.meter),
    *_scoped("document", reads.bills, "company", "site", "connection"),
    Route("GET", "/document/{document_id}", reads.bill, assumed=True),
    *_scoped("usage", reads.usage, "company", "site", "connection", "document"),
    Route("GET", "/usage/{usage_data_id}", reads.usage_record),
)

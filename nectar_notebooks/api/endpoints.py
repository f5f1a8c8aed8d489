"""Every endpoint as a row of one table: method, path, envelope, parameters, documented or assumed.

Nothing here sends anything. Names are ``<noun>.<verb or scope>``: ``documents.company``, ``site.create``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ENDPOINTS", "Endpoint"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    `rows` is the envelope's key of the list (``None``: no list; ``""``: a bare array), `total` the
    envelope's key of the number of rows. `documented` is False where method or path is an assumption.
    """

    name: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    rows: str | None = None
    total: str | None = None
    params: tuple[str, ...] = ()
    documented: bool = True
    idempotent: bool = True

    def path_for(self, version: str, **ids: str) -> str:
        """Return the path with the version's prefix and the ids quoted into it."""
        raise NotImplementedError


#: By name. Reading lists: companies.list, company.get, sites.company (assumed), site.get,
#: connections.company, connection.get, accounts.company (assumed), account.get (assumed), meters.company
#: (assumed), meters.site (assumed), meter.get, documents.company, documents.site, documents.connection,
#: document.get (assumed), usage.company, usage.site, usage.connection, usage.document, usage.get,
#: intervals.connection, jobs.company (assumed), job.get, invitations.company, invitation.get, ping, team.get.
ENDPOINTS: dict[str, Endpoint] = {}

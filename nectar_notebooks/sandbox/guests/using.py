"""The person who opens an invitation: what the public page would do with what they type.

The page itself is not part of the API; :meth:`Sandbox.use_invitation` stands for it, so that an integration can be
followed to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.calls import Call, inside
from nectar_notebooks.sandbox.invitations import event, save, shown
from nectar_notebooks.sandbox.logins import make_connection, renew
from nectar_notebooks.sandbox.people import CALLER
from nectar_notebooks.sandbox.problems import ProblemError

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.core import Sandbox

__all__ = ["use"]


def use(
    sandbox: Sandbox,
    invitation_id: str,
    username: str,
    password: str,
    *,
    email: str | None = None,
    url: str | None = None,
    sites: list[str] | None = None,
    country: str | None = None,
) -> str:
    """Open an invitation and enter a login; return the id of the connection that was made or repaired."""
    call = inside(sandbox)
    try:
        with sandbox.state.writing():
            row = call.find("invitations", invitation_id)
            record = call.record("invitations", row.seq)
            _check(shown(call, record), email)
            event(record, "VIEWED", call.now, email)
            if email is not None:
                event(record, "EMAIL_VERIFIED", call.now, email)
            if record["invitationType"] == "EDIT_CONNECTION":
                connection = call.find("connections", record["connectionId"])
                renew(call, connection, {"username": username, "password": password})
                id_: str = record["connectionId"]
                record["status"] = "FULFILLED"
            else:
                id_ = _add(call, row.company, record, username, password, email, url, sites, country)
            record["useCount"] += 1
            event(record, "USED", call.now, email)
            if record["maxUses"] is not None and record["useCount"] >= record["maxUses"]:
                record["status"] = "FULFILLED"
            save(call, row, record)
    except ProblemError as refused:
        raise ConfigurationError(refused.detail) from None
    return id_


def _add(
    call: Call,
    company: int,
    record: dict[str, Any],
    username: str,
    password: str,
    email: str | None,
    url: str | None,
    sites: list[str] | None,
    country: str | None,
) -> str:
    prefill = record["prefill"]
    login = {
        "url": url or prefill.get("url"),
        "username": username,
        "password": password,
        "sites": prefill["initialSites"] if sites is None else sites,
        "country": country or prefill.get("country") or "US",
    }
    if login["url"] is None:
        raise ConfigurationError("The invitation names no provider: say its url.")
    owner = prefill.get("connectionOwnerEmail") or email or CALLER
    seq = make_connection(call, company, record["companyId"], login, owner)
    made = call.record("connections", seq)
    record["createdConnections"].append(
        {
            "id": made["id"],
            "datasourceName": made["datasource"]["name"],
            "status": made["status"],
            "created": made["created"],
        }
    )
    return str(made["id"])


def _check(record: dict[str, Any], email: str | None) -> None:
    if record["status"] != "ACTIVE":
        raise ConfigurationError(f"The invitation cannot be used: it is {record['status']}.")
    if record["allowedEmails"] and email not in record["allowedEmails"]:
        raise ConfigurationError("The invitation is for other e-mail addresses.")

"""Invitations and the deprecated magic links: letting somebody else add or repair a login.

What a login entered through an invitation makes is decided in `connections.invitations`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from nectar_notebooks.sandbox.connections.invitations import event, save, shown
from nectar_notebooks.sandbox.connections.logins import check_sites
from nectar_notebooks.sandbox.contract import writable
from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.model import PAGES, dumps, moment, stored
from nectar_notebooks.sandbox.presentation.records import link_secret

__all__ = [
    "company_link",
    "connection_link",
    "invitation",
    "invitations",
    "invite",
    "invite_to_reconnect",
    "revoke",
]

_LINKS: Final = "https://dash.nectarclimate.com/p/connect"


def invite(call: Call, company_id: str) -> Answer:
    """Invite somebody to add a connection."""
    row = call.find("companies", company_id)
    prefill = _prefill(call, row.company)
    filled = {"initialSites": [], "utilityTypes": []} | {
        name: prefill[name] for name in writable("PrefillInput") if name in prefill
    }
    return _create(call, row.company, company_id, None, filled)


def invite_to_reconnect(call: Call, connection_id: str) -> Answer:
    """Invite somebody to repair a connection; it takes no prefill."""
    row = call.find("connections", connection_id)
    return _create(call, row.company, call.company_id(row.company), connection_id, {})


def invitations(call: Call, company_id: str) -> Answer:
    """List a company's invitations, without their events."""
    row = call.find("companies", company_id)
    return stored_page(call, "invitations", "company = ?", [row.seq], lambda _, record: _listed(call, record))


def invitation(call: Call, invitation_id: str) -> Answer:
    """Answer one invitation with what happened to it."""
    row = call.find("invitations", invitation_id)
    record = call.record("invitations", row.seq)
    return call.answer("invitations", shown(call.context, record))


def revoke(call: Call, invitation_id: str) -> Answer:
    """Revoke an invitation; one that can no longer be used stays as it is."""
    row = call.find("invitations", invitation_id)
    record = call.record("invitations", row.seq)
    if shown(call.context, record)["status"] == "ACTIVE":
        record["status"] = "REVOKED"
        event(record, "REVOKED", call.now)
        save(call.context, row.seq, record)
    return call.answer("invitations", _listed(call, record))


def company_link(call: Call, company_id: str) -> Answer:
    """Answer the deprecated link by which a login is added."""
    row = call.find("companies", company_id)
    if not call.view.documented_only:  # else nothing is known of what the page starts with
        check_sites(call.context, row.company, (call.body.fields or {}).get("sites") or [])
        _prefill(call, row.company)
    public, secret = link_secret("company", company_id), link_secret("company link", company_id)
    return Answer(
        dumps(
            {
                "publicCompanyId": public,
                "companyMagicLinkSecret": secret,
                "magicLinkUrl": f"{_LINKS}/{public}/{secret}",
            }
        ),
        201 if call.is_post else 200,
    )


def connection_link(call: Call, connection_id: str) -> Answer:
    """Answer the deprecated link by which a login is repaired."""
    row = call.find("connections", connection_id)
    public = link_secret("company", call.company_id(row.company))
    secret = link_secret("connection", connection_id)
    return Answer(
        dumps(
            {
                "publicCompanyId": public,
                "connectionMagicLinkSecret": secret,
                "magicLinkUrl": f"{_LINKS}/{public}/workflow/{secret}",
            }
        )
    )


def _create(call: Call, company: int, company_id: str, connection_id: str | None, prefill: dict[str, Any]) -> Answer:
    given = call.body.fields or {}
    seconds = given.get("expiresInSeconds")
    id_ = call.state.new_id("invitation")
    token = link_secret("invitation", f"{call.context.keys.salt}{id_}")
    record = {
        "id": id_,
        "token": token,
        "invitationType": "CREATE_CONNECTION" if connection_id is None else "EDIT_CONNECTION",
        "status": "ACTIVE",
        "invitationUrl": f"{PAGES}{token}",
        "companyId": company_id,
        "connectionId": connection_id,
        "allowedEmails": given.get("allowedEmails") or [],
        "expiresAt": None if seconds is None else moment(call.context.clock.now() + timedelta(seconds=seconds)),
        "maxUses": given.get("maxUses"),
        "useCount": 0,
        "createdAt": call.now,
        "prefill": prefill,
        "events": [],
    }
    if connection_id is None:
        record["createdConnections"] = []
    connection = None if connection_id is None else call.find("connections", connection_id).seq
    call.db.execute(
        "INSERT INTO invitations (id, company, connection, created, token, record) VALUES (?, ?, ?, ?, ?, ?)",
        (id_, company, connection, call.now, token, stored(record)),
    )
    return call.answer("invitations", _listed(call, record), 201)


def _prefill(call: Call, company: int) -> dict[str, Any]:
    """Return what the invited person finds filled in; sites that are not the company's are refused."""
    prefill: dict[str, Any] = (call.body.fields or {}).get("prefill") or {}
    check_sites(call.context, company, prefill.get("initialSites") or [], field="prefill.initialSites")
    return prefill


def _listed(call: Call, record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown(call.context, record).items() if name != "events"}

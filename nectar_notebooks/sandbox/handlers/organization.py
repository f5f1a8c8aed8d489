"""The organization that owns the key: ping, its members, the portal where webhooks are registered.

The API's keys act for a member, *the caller*; the embedded sandbox has one such member.
"""

from __future__ import annotations

from typing import Any, Final

from nectar_notebooks.sandbox.handlers.request import Answer, Call
from nectar_notebooks.sandbox.model import CALLER, FILES, bad_field, dumps
from nectar_notebooks.sandbox.webhooks.portal import portal_path

__all__ = ["MEMBERS", "check_known", "ping", "team", "update_team", "webhook_portal", "with_caller"]

#: Members that every embedded sandbox knows beside the users of its companies.
MEMBERS: Final = (CALLER, "analyst@example.com", "onboarding@example.com")


def ping(call: Call) -> Answer:
    """Say that the key is accepted, and the version; the documentation names no further field."""
    if call.view.documented_only:
        return Answer(dumps({"version": call.view.version}))
    return Answer(dumps({"status": "ok", "version": call.view.version}))


def team(call: Call) -> Answer:
    """Answer the organization that owns the key."""
    return Answer(dumps(_team(call)))


def update_team(call: Call) -> Answer:
    """Replace the members of the organization; the caller stays."""
    record = _team(call)
    users = (call.body.fields or {}).get("users")
    if users is not None:
        check_known(call, users)
        record["users"] = with_caller(users)
        call.state.note("team", record)
    return Answer(dumps(record))


def webhook_portal(call: Call) -> Answer:
    """Answer the address of the portal where webhooks are registered, good for seven days."""
    return Answer(dumps({"url": f"{FILES}{portal_path(call.context)}"}))


def check_known(call: Call, users: list[str]) -> None:
    """Refuse a list of users that names nobody's address."""
    listed = call.db.execute("SELECT j.value FROM companies c, json_each(c.record, '$.users') j")
    known = {*MEMBERS, *(user for (user,) in listed)}
    unknown = [user for user in users if user not in known]
    if unknown:
        raise bad_field("users", f"{unknown[0][:80]!r} is no user of this organization.")


def with_caller(users: list[str]) -> list[str]:
    """Return a list of users, each once, with the caller in it."""
    return list(dict.fromkeys([CALLER, *users]))


def _team(call: Call) -> dict[str, Any]:
    record: dict[str, Any] | None = call.state.meta("team")
    return record or {
        "id": call.state.derived_id("team"),
        "name": "Embedded sandbox",
        "email": CALLER,
        "users": [CALLER],
        "billing": {},
    }

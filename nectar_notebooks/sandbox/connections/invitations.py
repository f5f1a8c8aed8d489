"""Invitations: whether one can be used and by whom, and what a login entered through one makes.

:func:`use` stands for a person who does it all at once and whom the provider asks for no code; `invite_page` asks for
the same in steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.connections.logins import make_connection, renew
from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.model import CALLER, ProblemError, bad_field, not_found, stored

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.connections.transitions import Trigger

__all__ = ["enter", "event", "fulfils", "is_for", "is_to_repair", "opened", "save", "shown", "use", "verified"]


def use(
    context: Context,
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
    try:
        with context.state.writing():
            found = context.db.execute("SELECT seq FROM invitations WHERE id = ?", (invitation_id,)).fetchone()
            if found is None:
                raise not_found("invitation", int(context.switches.wrong_id))
            [seq] = found
            record = context.state.record("invitations", seq)
            status = shown(context, record)["status"]
            if status != "ACTIVE":
                raise ConfigurationError(f"The invitation cannot be used: it is {status}.")
            if not is_for(record, email):
                raise ConfigurationError("The invitation is for other e-mail addresses.")
            opened(context, seq, record, email)
            if email is not None:
                verified(context, seq, record, email)
            login: dict[str, Any] = {"username": username, "password": password}
            if not is_to_repair(record):
                prefill = record["prefill"]
                login |= {
                    "url": url or prefill.get("url"),
                    "sites": prefill["initialSites"] if sites is None else sites,
                    "country": country or prefill.get("country") or "US",
                }
            return enter(context, seq, record, login, email)
    except ProblemError as refused:
        raise ConfigurationError(refused.detail) from None


def is_for(record: dict[str, Any], email: str | None) -> bool:
    """Say whether an invitation is for whoever has this e-mail address; capitals make no difference."""
    allowed = {one.casefold() for one in record["allowedEmails"]}
    return not allowed or (email is not None and email.casefold() in allowed)


def is_to_repair(record: dict[str, Any]) -> bool:
    """Say whether an invitation is to repair a login, rather than to add one."""
    return bool(record["invitationType"] == "EDIT_CONNECTION")


def opened(context: Context, seq: int, record: dict[str, Any], email: str | None = None) -> None:
    """Note that somebody opened it."""
    event(record, "VIEWED", context.now, email)
    save(context, seq, record)


def verified(context: Context, seq: int, record: dict[str, Any], email: str) -> None:
    """Note that somebody said an e-mail address it is for."""
    event(record, "EMAIL_VERIFIED", context.now, email)
    save(context, seq, record)


def enter(
    context: Context,
    seq: int,
    record: dict[str, Any],
    login: dict[str, Any],
    email: str | None,
    trigger: Trigger | None = None,
) -> str:
    """Add or repair the connection, count the use, and return the connection's id.

    Parameters
    ----------
    context, seq, record
        The invitation, which can be used.
    login
        ``username``, ``password``; to add a login also ``url``, ``sites`` and ``country``.
    email
        Who enters it, where that is known.
    trigger
        What a check has ended in that was made while the person waited; without it the login is judged here.

    Raises
    ------
    ProblemError
        The login cannot be stored.
    """
    if is_to_repair(record):
        id_: str = record["connectionId"]
        found = context.db.execute("SELECT seq FROM connections WHERE id = ?", (id_,)).fetchone()
        if found is None:
            raise not_found("connection", int(context.switches.wrong_id))
        renew(context, found[0], login, trigger)
    else:
        (company,) = context.db.execute("SELECT company FROM invitations WHERE seq = ?", (seq,)).fetchone()
        id_ = _add(context, company, record, login, email, trigger)
    record["useCount"] += 1
    event(record, "USED", context.now, email)
    if fulfils(record):
        record["status"] = "FULFILLED"
    save(context, seq, record)
    return id_


def fulfils(record: dict[str, Any]) -> bool:
    """Say whether an invitation has done what it is for: a login is repaired, or its uses are spent."""
    return is_to_repair(record) or (record["maxUses"] is not None and record["useCount"] >= record["maxUses"])


def _add(
    context: Context,
    company: int,
    record: dict[str, Any],
    login: dict[str, Any],
    email: str | None,
    trigger: Trigger | None,
) -> str:
    if login["url"] is None:
        raise bad_field("url", "the invitation names no provider: say its address.")
    owner = record["prefill"].get("connectionOwnerEmail") or email or CALLER
    seq = make_connection(context, company, record["companyId"], login, owner, trigger)
    made = context.state.record("connections", seq)
    record["createdConnections"].append(
        {
            "id": made["id"],
            "datasourceName": made["datasource"]["name"],
            "status": made["status"],
            "created": made["created"],
        }
    )
    return str(made["id"])


def shown(context: Context, record: dict[str, Any]) -> dict[str, Any]:
    """Return an invitation with the status that the clock gives it."""
    expires = record["expiresAt"]
    if record["status"] == "ACTIVE" and expires is not None and expires <= context.now:
        return record | {"status": "EXPIRED"}
    return record


def event(record: dict[str, Any], kind: str, now: str, email: str | None = None) -> None:
    """Note in an invitation what happened to it."""
    record["events"].append({"type": kind, "email": email, "created": now})


def save(context: Context, seq: int, record: dict[str, Any]) -> None:
    """Store a changed invitation."""
    context.db.execute("UPDATE invitations SET record = ? WHERE seq = ?", (stored(record), seq))

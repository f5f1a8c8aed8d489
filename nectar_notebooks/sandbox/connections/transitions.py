"""The life of a connection: which status follows from the one it has when something happens to it.

One table, from the family of the status and the trigger; :func:`apply` and :func:`add` are the only places that store a
status. They announce the change in the same transaction. What triggers it is decided by the callers: entered logins
(`logins`), scenarios and passing time (`simulation`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from nectar_notebooks.sandbox.context import Context
from nectar_notebooks.sandbox.model import stored
from nectar_notebooks.sandbox.presentation import events

__all__ = ["CUSTOMER", "TRANSITIONS", "Trigger", "add", "apply", "checked", "family", "follows", "plan"]

#: Statuses that wait for the customer, who solves them with new credentials.
CUSTOMER: Final = (
    "PASSWORD_INCORRECT", "INCORRECT_PASSWORD", "NEW_PASSWORD_NEEDED", "MFA_TOKEN_EXPIRED",
    "ADDITIONAL_CREDENTIALS_NEEDED",
)  # fmt: skip


class Trigger(StrEnum):
    """What happens to a connection."""

    #: A login is entered that only the next check can try.
    ENTERED = "entered"
    #: A login is entered, and the provider lets it in or refuses it at once.
    ACCEPTED = "accepted"
    REFUSED = "refused"
    #: The first check of a new connection finds nothing wrong.
    CHECKED = "checked"
    #: A check finds that the password has changed meanwhile: a failure that was planned.
    WENT_BAD = "went bad"
    #: A check finds what stands in the way, or that nothing does any more.
    CODE_EXPIRED = "code expired"
    SITE_DOWN = "site down"
    NO_ACCOUNTS = "no accounts"
    PASSWORD_RESET = "password reset"  # noqa: S105 - a word
    INVESTIGATED = "investigated"
    RECOVERED = "recovered"
    DEACTIVATED = "company deactivated"


_FAMILY: Final = {
    "": "new", "PENDING": "waiting", "CONNECTED": "working", "COMPANY_INACTIVE": "inactive",
    **dict.fromkeys(CUSTOMER, "customer"),
}  # fmt: skip

_EXISTING: Final = ("waiting", "working", "blocked", "customer")
_ACTIVE: Final = ("new", *_EXISTING)

#: Status by family and trigger. What is not here changes nothing: no trigger leads out of an inactive company.
TRANSITIONS: Final[dict[tuple[str, Trigger], str]] = {
    ("new", Trigger.ENTERED): "PENDING",
    ("waiting", Trigger.ENTERED): "PENDING",
    ("working", Trigger.ENTERED): "CONNECTED",
    ("customer", Trigger.ENTERED): "CONNECTED",
    **{(of, Trigger.ACCEPTED): "CONNECTED" for of in _ACTIVE},
    **{(of, Trigger.REFUSED): "PASSWORD_INCORRECT" for of in _ACTIVE},
    ("waiting", Trigger.CHECKED): "CONNECTED",
    ("working", Trigger.WENT_BAD): "PASSWORD_INCORRECT",
    **{(of, Trigger.CODE_EXPIRED): "MFA_TOKEN_EXPIRED" for of in _EXISTING},
    **{(of, Trigger.SITE_DOWN): "WEBSITE_DOWN" for of in _EXISTING},
    **{(of, Trigger.NO_ACCOUNTS): "NO_ACCOUNTS_FOUND" for of in _EXISTING},
    **{(of, Trigger.PASSWORD_RESET): "NEW_PASSWORD_NEEDED" for of in _EXISTING},
    **{(of, Trigger.INVESTIGATED): "UNDER_INVESTIGATION" for of in _EXISTING},
    **{(of, Trigger.RECOVERED): "CONNECTED" for of in _EXISTING},
    **{(of, Trigger.DEACTIVATED): "COMPANY_INACTIVE" for of in (*_ACTIVE, "inactive")},
}

#: What the provider's site, or Nectar, says with it.
_DETAILS: Final = {
    Trigger.REFUSED: "The user name or the password is wrong.",
    Trigger.WENT_BAD: "The user name or the password is wrong.",
    Trigger.CODE_EXPIRED: "The site asks for a new code of the second factor.",
    Trigger.SITE_DOWN: "The site does not answer.",
    Trigger.NO_ACCOUNTS: "The login works, but shows no account.",
    Trigger.PASSWORD_RESET: "The site asks for a new password.",
    Trigger.INVESTIGATED: "Nectar's team looks at it.",
    Trigger.DEACTIVATED: "The company was deactivated.",
}
#: Triggers that bring another login, with which a planned failure of the old one is over.
_OTHER_LOGIN: Final = (Trigger.ENTERED, Trigger.ACCEPTED, Trigger.REFUSED)


def family(status: str) -> str:
    """Return the family of a status: new (none yet), waiting, working, blocked, customer or inactive."""
    return _FAMILY.get(status, "blocked")


def follows(status: str, trigger: Trigger) -> str | None:
    """Return the status that a trigger leads to, or None where it changes nothing.

    Examples
    --------
    >>> follows("PENDING", Trigger.CHECKED)
    'CONNECTED'
    >>> follows("COMPANY_INACTIVE", Trigger.RECOVERED) is None
    True
    """
    return TRANSITIONS.get((family(status), trigger))


def add(context: Context, company: int, record: dict[str, Any], trigger: Trigger) -> int:
    """Store a new connection with the status of its first check, announce it, and return its row."""
    now = context.now
    record = record | {"created": now, "updated": now, "isActive": trigger is not Trigger.DEACTIVATED}
    seq = context.state.add_connection(_after(context, record, trigger), company)
    events.connection_created(context, seq)
    return seq


def apply(
    context: Context, seq: int, trigger: Trigger | None = None, change: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Let a trigger act on a stored connection, store what it changes, announce it, and return the record.

    Parameters
    ----------
    context, seq
        The connection.
    trigger
        What happens to it now; without one, or where the table has no entry, the status stays.
    change
        Other fields that change with it.
    """
    old = context.state.record("connections", seq)
    record = _after(context, old | (change or {}), trigger)
    record["updated"] = context.now
    context.db.execute(
        "UPDATE connections SET status = ?, owner = ?, record = ? WHERE seq = ?",
        (record["status"], record.get("workflowOwnerEmail"), stored(record), seq),
    )
    events.connection_changed(context, seq, old)
    return record


def checked(context: Context, seq: int, at: str) -> None:
    """Note when a connection that works was checked last; nothing else changes, and nobody is told."""
    record = context.state.record("connections", seq) | {"statusLastUpdateTime": at}
    context.db.execute("UPDATE connections SET record = ? WHERE seq = ?", (stored(record), seq))


def plan(context: Context, seq: int, at: str) -> None:
    """Let a login go bad at a moment to come: the first check that tries it then finds out."""
    record = context.state.record("connections", seq) | {"planned": {"at": at}}
    context.db.execute("UPDATE connections SET record = ? WHERE seq = ?", (stored(record), seq))


def _after(context: Context, record: dict[str, Any], trigger: Trigger | None) -> dict[str, Any]:
    """Return a record as it is after a trigger."""
    before = record.get("status") or ""
    status = None if trigger is None else follows(before, trigger)
    if trigger is None or status is None:
        return record
    if status == "PASSWORD_INCORRECT":
        status = context.switches.wrong_password_status
    if trigger in _OTHER_LOGIN or trigger is Trigger.WENT_BAD:
        record = {name: value for name, value in record.items() if name != "planned"}
    if trigger is Trigger.DEACTIVATED:
        record |= {"isActive": False}
    seen = {} if status == before else {"statusFirstSeenTime": context.now}
    detail = _DETAILS.get(trigger, "")
    return record | seen | {"status": status, "statusErrorDetail": detail, "statusLastUpdateTime": context.now}

"""Connection statuses: families, what each means, what the integrator does next, which follow which.

The families and meanings are Nectar's; the advice for the website and system families and the ways back
from them are assumptions of ours (see docs/fidelity.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ALIASES", "STATUSES", "Status", "describe", "family", "needs_customer"]


@dataclass(frozen=True, slots=True)
class Status:
    """One connection status in words."""

    name: str
    family: str
    meaning: str
    next_step: str
    followed_by: tuple[str, ...]


_BROKEN: Final = ("PASSWORD_INCORRECT", "MFA_TOKEN_EXPIRED", "WEBSITE_DOWN", "OTHER_ERROR")
_RECONNECT: Final = "Send a reconnect invitation to the owner of the login."


def _table(*rows: tuple[str, str, str, str, tuple[str, ...]]) -> dict[str, Status]:
    return {row[0]: Status(*row[:4], followed_by=(*row[4], "COMPANY_INACTIVE")) for row in rows}


#: Every documented status by name.
STATUSES: Final = _table(
    (
        "PENDING",
        "healthy",
        "New; waits for its first check, which takes hours to days.",
        "Wait.",
        ("CONNECTED", *_BROKEN, "ADDITIONAL_CREDENTIALS_NEEDED", "URL_INACCESSIBLE"),
    ),
    (
        "CONNECTED",
        "healthy",
        "Logs in and collects every week.",
        "Nothing to do.",
        (
            "CONNECTED",
            *_BROKEN,
            "NEW_PASSWORD_NEEDED",
            "NO_ACCOUNTS_FOUND",
            "UNDER_INVESTIGATION",
            "ADDITIONAL_CREDENTIALS_NEEDED",
            "URL_INACCESSIBLE",
        ),
    ),
    (
        "UNDER_INVESTIGATION",
        "healthy",
        "Nectar's team looks at it.",
        "Wait; ask Nectar's support if it lasts.",
        ("CONNECTED",),
    ),
    (
        "WEBSITE_DOWN",
        "website",
        "The provider's site cannot be reached.",
        "Wait: it is tried again by itself.",
        ("CONNECTED",),
    ),
    (
        "URL_INACCESSIBLE",
        "website",
        "The login address cannot be reached.",
        "Check the login address of the connection.",
        ("CONNECTED",),
    ),
    (
        "NO_ACCOUNTS_FOUND",
        "website",
        "The login works, and no account was found behind it.",
        "Check that this login has accounts at the provider.",
        ("CONNECTED",),
    ),
    ("OTHER_ERROR", "website", "Anything else went wrong.", "Ask Nectar's support.", ("CONNECTED",)),
    (
        "PASSWORD_INCORRECT",
        "customer",
        "The provider refused the password; collection is paused.",
        _RECONNECT,
        ("CONNECTED",),
    ),
    (
        "NEW_PASSWORD_NEEDED",
        "customer",
        "The provider asks for a new password; collection is paused.",
        _RECONNECT,
        ("CONNECTED",),
    ),
    (
        "MFA_TOKEN_EXPIRED",
        "customer",
        "The second factor ran out; collection is paused.",
        _RECONNECT,
        ("CONNECTED",),
    ),
    (
        "ADDITIONAL_CREDENTIALS_NEEDED",
        "customer",
        "The provider asks for more, such as a security question; collection is paused.",
        _RECONNECT,
        ("CONNECTED",),
    ),
    ("COMPANY_INACTIVE", "system", "The company was deactivated.", "Reactivate the company.", ()),
)

#: Spellings of another page of the documentation.
ALIASES: Final = {"INCORRECT_PASSWORD": "PASSWORD_INCORRECT"}


def describe(status: str) -> Status:
    """Return what is known of `status`; an unknown one belongs to the family ``"unknown"``.

    Examples
    --------
    >>> describe("PASSWORD_INCORRECT").family
    'customer'
    >>> describe("SOMETHING_NEW").family
    'unknown'
    """
    known = STATUSES.get(ALIASES.get(status, status))
    if known is not None:
        return known
    return Status(status, "unknown", "Not in the documentation this release knows.", "Ask Nectar's support.", ())


def family(status: str) -> str:
    """Return the family of `status`: healthy, website, customer, system or unknown."""
    return describe(status).family


def needs_customer(status: str) -> bool:
    """Say whether collection waits for the customer."""
    return family(status) == "customer"

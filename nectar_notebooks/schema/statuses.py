"""The life of a connection: families of statuses, what each means, who does what next, which follows which. Data.

Families, meanings and the transitions that are not marked are Nectar's; the next steps of the website and system
families, and the transitions in `assumed`, are ours (see docs/fidelity.md). A status that no page names belongs to the
family ``unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "ALIASES",
    "FAMILIES",
    "STATUSES",
    "TRANSITIONS",
    "Family",
    "Status",
    "Transition",
    "describe",
    "family",
    "may_follow",
    "needs_action",
    "needs_customer",
]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of statuses: what they have in common, and whether its next steps are an assumption of ours."""

    name: str
    meaning: str
    assumed: bool


@dataclass(frozen=True, slots=True)
class Status:
    """One connection status.

    Attributes
    ----------
    name, family : str
    meaning, next_step : str
        In words.
    needs_action : bool
        Whether somebody has to do something: the next step is more than to wait.
    followed_by : tuple of str
        Statuses that may come next.
    assumed : tuple of str
        Those of them that no page names.
    """

    name: str
    family: str
    meaning: str
    next_step: str
    needs_action: bool
    followed_by: tuple[str, ...]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """One status that may follow another, and whether that is an assumption of ours."""

    before: str
    after: str
    assumed: bool


FAMILIES: Final = {
    one.name: one
    for one in (
        Family("healthy", "It works, or will be checked by itself.", False),
        Family("website", "The provider's site stands in the way.", True),
        Family("customer", "Collection is paused until the customer acts.", False),
        Family("system", "The company was switched off.", True),
        Family("unknown", "Not in the documentation this release knows.", True),
    )
}

_BROKEN: Final = ("PASSWORD_INCORRECT", "MFA_TOKEN_EXPIRED", "WEBSITE_DOWN", "OTHER_ERROR")
#: Ways into them are documented for their sisters alone.
_SISTERS: Final = ("ADDITIONAL_CREDENTIALS_NEEDED", "URL_INACCESSIBLE")
_ELSE: Final = ("NEW_PASSWORD_NEEDED", "NO_ACCOUNTS_FOUND", "UNDER_INVESTIGATION")
_BACK: Final = ("CONNECTED",)
_RECONNECT: Final = "Send a reconnect invitation to the owner of the login."


def _healthy(
    name: str, meaning: str, next_step: str, followed_by: tuple[str, ...], assumed: tuple[str, ...] = ()
) -> Status:
    # The company of any connection may be deactivated.
    return Status(name, "healthy", meaning, next_step, False, (*followed_by, *assumed, "COMPANY_INACTIVE"), assumed)


def _website(name: str, meaning: str, next_step: str, *, needs_action: bool = True) -> Status:
    return Status(name, "website", meaning, next_step, needs_action, (*_BACK, "COMPANY_INACTIVE"), _BACK)


def _customer(name: str, meaning: str) -> Status:
    meaning = f"{meaning}; collection is paused."
    return Status(name, "customer", meaning, _RECONNECT, True, (*_BACK, "COMPANY_INACTIVE"))


#: Every documented status by name.
STATUSES: Final = {
    one.name: one
    for one in (
        _healthy(
            "PENDING",
            "New; waits for its first check, which takes hours to days.",
            "Wait.",
            ("CONNECTED", *_BROKEN),
            _SISTERS,
        ),
        _healthy(
            "CONNECTED",
            "Logs in and collects every week.",
            "Nothing to do.",
            ("CONNECTED", *_BROKEN, *_ELSE),
            _SISTERS,
        ),
        _healthy(
            "UNDER_INVESTIGATION", "Nectar's team looks at it.", "Wait; ask Nectar's support if it lasts.", (), _BACK
        ),
        _website(
            "WEBSITE_DOWN",
            "The provider's site cannot be reached.",
            "Wait: it is tried again by itself.",
            needs_action=False,
        ),
        _website(
            "URL_INACCESSIBLE", "The login address cannot be reached.", "Check the login address of the connection."
        ),
        _website(
            "NO_ACCOUNTS_FOUND",
            "The login works, and no account was found behind it.",
            "Check that this login has accounts at the provider.",
        ),
        _website("OTHER_ERROR", "Anything else went wrong.", "Ask Nectar's support."),
        _customer("PASSWORD_INCORRECT", "The provider refused the password"),
        _customer("NEW_PASSWORD_NEEDED", "The provider asks for a new password"),
        _customer("MFA_TOKEN_EXPIRED", "The second factor ran out"),
        _customer("ADDITIONAL_CREDENTIALS_NEEDED", "The provider asks for more, such as a security question"),
        Status("COMPANY_INACTIVE", "system", "The company was deactivated.", "Reactivate the company.", True, ()),
    )
}

#: Every transition that is known, in the order of the statuses.
TRANSITIONS: Final = tuple(
    Transition(one.name, after, after in one.assumed) for one in STATUSES.values() for after in one.followed_by
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
    return Status(status, "unknown", FAMILIES["unknown"].meaning, "Ask Nectar's support.", True, ())


def family(status: str) -> str:
    """Return the family of `status`: healthy, website, customer, system or unknown."""
    return describe(status).family


def needs_customer(status: str) -> bool:
    """Say whether collection waits for the customer."""
    return family(status) == "customer"


def needs_action(status: str) -> bool:
    """Say whether somebody has to do something: the customer, or whoever looks after the connection.

    Examples
    --------
    >>> needs_action("MFA_TOKEN_EXPIRED"), needs_action("WEBSITE_DOWN")
    (True, False)
    """
    return describe(status).needs_action


def may_follow(before: str, after: str) -> bool:
    """Say whether `after` may come next to `before`; of a status that nobody knows nothing is excluded.

    Two looks may miss what was between them, so that a history can show more than one step at once.

    Examples
    --------
    >>> may_follow("PENDING", "CONNECTED"), may_follow("CONNECTED", "PENDING")
    (True, False)
    """
    known = [ALIASES.get(one, one) for one in (before, after)]
    if not all(one in STATUSES for one in known):
        return True
    return known[1] in STATUSES[known[0]].followed_by


def __dir__() -> list[str]:
    return sorted(__all__)

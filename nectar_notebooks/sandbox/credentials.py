"""What a login is worth: Nectar's sandbox credentials, and every other login, on the embedded sandbox.

The provider ``https://nectarclimate.com`` is a mock utility: one pair of user name and password is right, every other
is wrong. No other provider is ever contacted: such a login waits for its first check, and passes it, unless a scenario
says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from nectar_notebooks.sandbox.switches import Switches

__all__ = ["CUSTOMER", "Verdict", "is_mock", "judge", "provider_name", "provider_of"]

MOCK_HOST: Final = "nectarclimate.com"
_USER: Final = "nectar-sandbox-username"
_WORD: Final = "nectar-sandbox-password"

#: Statuses that wait for the customer, who solves them with new credentials.
CUSTOMER: Final = (
    "PASSWORD_INCORRECT", "INCORRECT_PASSWORD", "NEW_PASSWORD_NEEDED", "MFA_TOKEN_EXPIRED",
    "ADDITIONAL_CREDENTIALS_NEEDED",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status that a check ends in, and what the provider's site said."""

    status: str
    detail: str = ""


def judge(url: str, username: str, password: str, switches: Switches, status: str = "PENDING") -> Verdict:
    """Return what a check of new credentials ends in; `status` is what stood before.

    Examples
    --------
    >>> judge("https://nectarclimate.com", "nectar-sandbox-username", "guess", Switches()).status
    'PASSWORD_INCORRECT'
    """
    if is_mock(url):
        if (username, password) == (_USER, _WORD):
            return Verdict("CONNECTED")
        return Verdict(switches.wrong_password_status, "The user name or the password is wrong.")
    return Verdict("CONNECTED" if status in CUSTOMER else status)


def is_mock(url: str) -> bool:
    """Say whether a login is at the mock utility."""
    return provider_of(url) == MOCK_HOST


def provider_of(url: str) -> str:
    """Return what tells providers apart: the host without ``www``, in lower case."""
    return (urlsplit(url).hostname or "").lower().removeprefix("www.")


def provider_name(url: str) -> str:
    """Return a name for the provider of a login."""
    if is_mock(url):
        return "Nectar Sandbox Utility"
    return " ".join(word.capitalize() for word in re.split(r"[.-]", provider_of(url))[:-1]) or provider_of(url)

"""What a login is worth: Nectar's sandbox credentials, and every other login, on the embedded sandbox.

The provider ``https://nectarclimate.com`` is a mock utility: one pair of user name and password is right, every other
is wrong. No other provider is ever contacted: such a login waits for its first check, and passes it, unless a scenario
says otherwise. A provider whose host begins with ``mfa.`` asks for a code besides, and so does one whose code expired.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from nectar_notebooks.sandbox.connections.transitions import Trigger

__all__ = [
    "CODE",
    "MOCK_HOST",
    "MOCK_USER",
    "MOCK_WORD",
    "asks_for_code",
    "is_mock",
    "judge",
    "provider_name",
    "provider_of",
]

MOCK_HOST: Final = "nectarclimate.com"
MOCK_USER: Final = "nectar-sandbox-username"
MOCK_WORD: Final = "nectar-sandbox-password"
#: The code that every second factor of the embedded sandbox takes.
CODE: Final = "246810"


def judge(url: str, username: str, password: str) -> Trigger:
    """Return what entering a login does: the mock utility answers at once, every other one waits for its check.

    Examples
    --------
    >>> judge("https://nectarclimate.com", "nectar-sandbox-username", "guess").name
    'REFUSED'
    """
    if not is_mock(url):
        return Trigger.ENTERED
    return Trigger.ACCEPTED if (username, password) == (MOCK_USER, MOCK_WORD) else Trigger.REFUSED


def is_mock(url: str) -> bool:
    """Say whether a login is at the mock utility."""
    return provider_of(url) == MOCK_HOST


def asks_for_code(url: str, status: str = "PENDING") -> bool:
    """Say whether a provider asks for the code of a second factor before it lets this login in."""
    return status == "MFA_TOKEN_EXPIRED" or provider_of(url).startswith("mfa.")


def provider_of(url: str) -> str:
    """Return what tells providers apart: the host without ``www``, in lower case."""
    return (urlsplit(url).hostname or "").lower().removeprefix("www.")


def provider_name(url: str) -> str:
    """Return a name for the provider of a login."""
    if is_mock(url):
        return "Nectar Sandbox Utility"
    return " ".join(word.capitalize() for word in re.split(r"[.-]", provider_of(url))[:-1]) or provider_of(url)

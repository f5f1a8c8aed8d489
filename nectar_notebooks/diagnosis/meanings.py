"""What a failure most probably means, and what to check first.

The steps follow the order of Nectar's developer FAQ: for a 401, the header, whether the key is active, its environment;
for a 403 or a 404, which are treated alike, scope, visibility, the id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nectar_notebooks.errors import (
    AuthenticationError,
    ContractError,
    NectarError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Meaning", "refused_key", "unreachable", "unseen"]

#: Words in the detail of a 401, and what they mean.
_SAID: Final = (
    ("expired", "The key has expired."),
    ("deleted", "The key was deleted."),
    ("environment", "The key is of the other environment."),
    ("not active", "The key is no longer active."),
    ("inactive", "The key is no longer active."),
    ("no api key", "The key did not arrive: something between here and the API removes the header."),
    ("not provided", "The key did not arrive: something between here and the API removes the header."),
    ("not known", "The key is not copied whole, or is not a Nectar key."),
    ("invalid", "The key is not copied whole, or is not a Nectar key."),
)
_NAMES: Final = {"sandbox": "Sandbox", "production": "Production"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happened and what it most probably means, and what to check first, in order."""

    finding: str
    check_first: tuple[str, ...]


def refused_key(error: AuthenticationError, environment: str, other_keys: Sequence[str] = ()) -> Meaning:
    """Explain a 401; `other_keys` says in words where keys of other environments were found."""
    said = error.message.lower()
    probable = next((meaning for word, meaning in _SAID if word in said), None)
    if probable is None:
        probable = "The key is not active, or is of the other environment."
    steps = [
        "The header X-API-Key was sent with this request; a proxy in between must not take it away.",
        "The key is active: it stands under Settings > Organization > API Keys, has not expired, and was copied whole.",
    ]
    if environment in _NAMES:
        hint = f"; other keys were found in: {', '.join(other_keys)}" if other_keys else ""
        steps.append(f"The key was made for {_NAMES[environment]}, which is where this connection goes{hint}.")
    else:
        steps.append("The key is this embedded sandbox's own, or was made by its create_key: no other opens it.")
    return Meaning(f"{error.message} Most probably: {_small(probable)}", tuple(steps))


def unseen(error: NectarError, what: str, companies: Sequence[str] | None = None) -> Meaning:
    """Explain a 403 or a 404 on `what`; `companies` are the names of those the key can see."""
    seen = (
        ""
        if companies is None
        else f": it sees {', '.join(companies[:5])}{', ...' if len(companies) > 5 else ''}"
        if companies
        else ": it sees no company at all"
    )
    steps = (
        f"Scope: {what} belongs to the organization that owns the key, and to the environment it was made for.",
        f"Visibility: its company is among those the key sees{seen}.",
        "The id: it is copied whole, of this environment, and of the right kind (a site's id is not a company's).",
    )
    return Meaning(error.message, steps)


def unreachable(error: NectarError, base_url: str, version: str) -> Meaning:
    """Explain a ping that failed for a reason other than the key."""
    if isinstance(error, (NotFoundError, PermissionDeniedError)):
        steps: tuple[str, ...] = (
            f"The base URL: {base_url} is the API's host, without a path.",
            f"The version: this host supports {version}.",
        )
        return Meaning(f"{error.message} Most probably this is not the API's address.", steps)
    if isinstance(error, ContractError):
        steps = (
            f"The base URL: {base_url} is the API's host, not its web application's or a proxy's.",
            "A proxy or a login page in between: open the address in a browser.",
        )
        return Meaning(f"{error.message} Most probably something other than the API answered.", steps)
    if isinstance(error, NetworkError):
        steps = (
            "This machine is online, and DNS resolves the host.",
            f"The base URL: {base_url} is spelled correctly.",
            "A proxy or a firewall lets https to this host through; HTTPS_PROXY is set correctly if a proxy is needed.",
        )
        return Meaning(error.message, steps)
    return Meaning(error.message, (error.advice,) if error.advice else ())


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]

"""API keys of an embedded sandbox: made, found again, expired, revoked.

The database keeps digests, so that a state file holds no usable key. Several keys may be good at once, so
that a rotation can be rehearsed. What a key may see is asked in `reads`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.problems import unauthorized
from nectar_notebooks.sandbox.text import stored

__all__ = ["ENVIRONMENTS", "OWN_ENVIRONMENT", "Key", "add", "check", "make", "recognise", "revoke"]

ENVIRONMENTS: Final = ("sandbox", "production")
#: The environment of the key that is always there.
OWN_ENVIRONMENT: Final = "production"
#: Stands for the key of the seed where it is not good; the value of none.
_OF_THE_SEED: Final = "-"


@dataclass(frozen=True, slots=True)
class Key:
    """What a good key may do: the environment it was made for, and the companies it is limited to."""

    environment: str
    companies: frozenset[str] | None


def make(seed: str, number: int) -> str:
    """Return the value of a sandbox's key, the same for the same seed and number."""
    secret = hashlib.sha256(f"nectar embedded sandbox {seed} key {number}".encode()).hexdigest()
    return f"nectar_local_{secret[:40]}"


def add(
    db: sqlite3.Connection,
    key: str,
    environment: str,
    created: datetime,
    expires: datetime | None,
    companies: Collection[str] | None,
) -> None:
    """Store a key's digest.

    Raises
    ------
    ConfigurationError
        An environment that is neither ``"sandbox"`` nor ``"production"``.
    """
    if environment not in ENVIRONMENTS:
        raise ConfigurationError(f"An API key is made for one of {', '.join(ENVIRONMENTS)}, not for {environment!r}.")
    db.execute(
        "INSERT OR REPLACE INTO keys (digest, environment, created, expires, companies) VALUES (?, ?, ?, ?, ?)",
        (
            _digest(key),
            environment,
            created.isoformat(),
            None if expires is None else expires.isoformat(),
            None if companies is None else stored(sorted(companies)),
        ),
    )


def revoke(db: sqlite3.Connection, key: str, now: datetime) -> bool:
    """Make a key useless from now on; say whether it was known."""
    return db.execute("UPDATE keys SET revoked = ? WHERE digest = ?", (now.isoformat(), _digest(key))).rowcount > 0


def check(db: sqlite3.Connection, key: str | None, now: datetime, only: str | None = None) -> Key:
    """Return what the key may do, or raise the 401 that says what is wrong with it.

    With `only`, a key of another environment is refused.
    """
    if not key:
        raise unauthorized("No API key was given: send it in the header X-API-Key.")
    if key == _OF_THE_SEED:
        raise unauthorized(
            "This API key follows from the seed: a served embedded sandbox has a random one, which it prints."
        )
    row = db.execute(
        "SELECT environment, expires, revoked, companies FROM keys WHERE digest = ?", (_digest(key),)
    ).fetchone()
    if row is None:
        raise unauthorized("This API key is not known: check that it is copied whole.")
    environment, expires, revoked, companies = row
    if revoked is not None:
        raise unauthorized("This API key is not active: it was deleted.")
    if expires is not None and datetime.fromisoformat(expires) <= now:
        raise unauthorized("This API key is not active: it has expired.")
    if only is not None and environment != only:
        raise unauthorized(f"This API key is of the {environment} environment, and this one is {only}.")
    return Key(environment, None if companies is None else frozenset(json.loads(companies)))


def recognise(given: str | None, own: str, valid: Collection[str]) -> str | None:
    """Return the key by which the database knows the one that was sent.

    A sandbox's own key has other values where it is served, `valid`; there the one that follows from its seed, `own`,
    is good only if it is among them.
    """
    if given is None or not given:
        return None
    if any(same(given, one) for one in valid):
        return own
    return _OF_THE_SEED if same(given, own) else given


def same(left: str | None, right: str) -> bool:
    """Compare two keys in constant time."""
    return hmac.compare_digest((left or "").encode(), right.encode())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

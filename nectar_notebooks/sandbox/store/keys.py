"""API keys of an embedded sandbox: made, found again, expired, revoked.

The database keeps digests, so that a state file holds no usable key. Several keys may be good at once, so that a
rotation can be rehearsed. What a key may see is asked where a handler finds an object.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.model import stored, unauthorized

if TYPE_CHECKING:
    from nectar_notebooks.clock import Clock
    from nectar_notebooks.sandbox.store.state import State

__all__ = ["OWN_ENVIRONMENT", "Key", "Keys", "same"]

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


class Served(Protocol):
    """A serving, as far as keys go: whether it answers, and under which key."""

    @property
    def running(self) -> bool: ...

    @property
    def key(self) -> str: ...


class Keys:
    """The API keys of one sandbox: its own, those that were made, and those of its servings."""

    def __init__(self, state: State, clock: Clock, seed: int) -> None:
        self._state, self._clock, self._seed = state, clock, seed
        self._servings: list[Served] = []

    @property
    def of_seed(self) -> str:
        """The key that follows from the seed, for whoever knows it: the own key of the sandbox in process."""
        return _value(f"{self._seed}", 0)

    @property
    def own(self) -> str:
        """The key that is always there: the newest serving's while it is served, else the one of the seed."""
        serving = next((one for one in reversed(self._servings) if one.running), None)
        return self.of_seed if serving is None else serving.key

    @property
    def salt(self) -> str:
        """What makes the secrets it gives out unknown to others: nothing, or the random key that it is served under."""
        return "" if self.own == self.of_seed else self.own

    def serve(self, served: Served) -> None:
        """Take the key of a serving as the sandbox's own, as long as it runs."""
        self._servings.append(served)

    def add_own(self) -> None:
        """Store the key of the seed."""
        with self._state.writing():
            self._add(self.of_seed, OWN_ENVIRONMENT, None, None)

    def create(self, environment: str, expires: datetime | None, companies: Collection[str] | None) -> str:
        """Make one more key and return its value; see :meth:`Sandbox.create_key`."""
        if expires is not None and expires.tzinfo is None:
            expires = expires.replace(tzinfo=UTC)
        with self._state.writing():
            number = (self._state.meta("keys") or 0) + 1
            key = _value(f"{self._seed}{self.salt}", number)
            self._add(key, environment, expires, companies)
            self._state.note("keys", number)
        return key

    def revoke(self, key: str) -> None:
        """Make a key useless from now on; see :meth:`Sandbox.revoke_key`."""
        revoked = (self._clock.now().isoformat(), _digest(self.recognise(key) or ""))
        with self._state.writing() as db:
            if not db.execute("UPDATE keys SET revoked = ? WHERE digest = ?", revoked).rowcount:
                raise ConfigurationError("The embedded sandbox does not know this key.")

    def recognise(self, given: str | None, served_key: str | None = None) -> str | None:
        """Return the key by which the database knows the one that was sent, in process or to a serving.

        Where a sandbox is served, its own key has another value, and the one that follows from its seed is good only
        if the serving has it.
        """
        if not given:
            return None
        valid = [self.of_seed, *(one.key for one in self._servings)] if served_key is None else [served_key]
        if any(same(given, one) for one in valid):
            return self.of_seed
        return _OF_THE_SEED if same(given, self.of_seed) else given

    def check(self, key: str | None, only: str | None = None) -> Key:
        """Return what a recognised key may do, or raise the 401 that says what is wrong with it.

        With `only`, a key of another environment is refused.
        """
        if not key:
            raise unauthorized("No API key was given: send it in the header X-API-Key.")
        if key == _OF_THE_SEED:
            raise unauthorized(
                "This API key follows from the seed: a served embedded sandbox has a random one, which it prints."
            )
        with self._state.reading() as db:
            row = db.execute(
                "SELECT environment, expires, revoked, companies FROM keys WHERE digest = ?", (_digest(key),)
            ).fetchone()
        if row is None:
            raise unauthorized("This API key is not known: check that it is copied whole.")
        environment, expires, revoked, companies = row
        if revoked is not None:
            raise unauthorized("This API key is not active: it was deleted.")
        if expires is not None and datetime.fromisoformat(expires) <= self._clock.now():
            raise unauthorized("This API key is not active: it has expired.")
        if only is not None and environment != only:
            raise unauthorized(f"This API key is of the {environment} environment, and this one is {only}.")
        return Key(environment, None if companies is None else frozenset(json.loads(companies)))

    def _add(self, key: str, environment: str, expires: datetime | None, companies: Collection[str] | None) -> None:
        if environment not in ENVIRONMENTS:
            raise ConfigurationError(
                f"An API key is made for one of {', '.join(ENVIRONMENTS)}, not for {environment!r}."
            )
        self._state.db.execute(
            "INSERT OR REPLACE INTO keys (digest, environment, created, expires, companies) VALUES (?, ?, ?, ?, ?)",
            (
                _digest(key),
                environment,
                self._clock.now().isoformat(),
                None if expires is None else expires.isoformat(),
                None if companies is None else stored(sorted(companies)),
            ),
        )


def same(left: str | None, right: str) -> bool:
    """Compare two keys in constant time."""
    return hmac.compare_digest((left or "").encode(), right.encode())


def _value(seed: str, number: int) -> str:
    """Return the value of a sandbox's key, the same for the same seed and number."""
    secret = hashlib.sha256(f"nectar embedded sandbox {seed} key {number}".encode()).hexdigest()
    return f"nectar_local_{secret[:40]}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

"""The sandbox's own paths beside the API: keys, journal, events, time, scenarios, faults, invited persons, originals.

They exist for whoever has only HTTP: curl, other languages. ``/_sandbox/...`` takes the sandbox's own key;
``/bills/<id>.pdf`` is where a bill's original lies and takes none, as on the real API.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, Protocol

from nectar_notebooks.errors import NectarError
from nectar_notebooks.sandbox.model import ProblemError, unauthorized
from nectar_notebooks.sandbox.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection

    from nectar_notebooks.sandbox.context import Context
    from nectar_notebooks.sandbox.webhooks.dispatcher import Dispatcher

__all__ = ["Controlled", "act"]


class Controlled(Protocol):
    """What the sandbox's own paths do to it: the facade, of which the application knows no more."""

    webhooks: Dispatcher

    @property
    def context(self) -> Context:
        """The parts of the sandbox."""

    @property
    def identity(self) -> str:
        """Which sandbox it is."""

    @property
    def use_invitation(self) -> Callable[..., str]:
        """Do what the invited person does."""

    def create_key(
        self, environment: str, expires: datetime | None = None, companies: Collection[str] | None = None
    ) -> str:
        """Make one more key."""

    def revoke_key(self, key: str) -> None:
        """Make a key useless."""

    def advance(self, days: float) -> None:
        """Move the clock."""

    def scenario(self, name: str, **of: Any) -> str:
        """Let something go wrong."""

    def reset(self) -> None:
        """Go back to how it was made."""


def act(sandbox: Controlled, method: str, path: str, key: str | None, body: Any) -> Any:
    """Answer one of the sandbox's own paths with something that can be written as JSON; `key` is one as recognised."""
    if not keys.same(key, sandbox.context.keys.of_seed):
        raise unauthorized("The embedded sandbox's own paths take the key that it was made with.")
    action = _ACTIONS.get((method, path))
    if action is None:
        raise ProblemError(404, f"There is nothing at {method} /_sandbox/{path}.")
    if not isinstance(body, dict | None):
        raise ProblemError(400, "The body must be an object.")
    try:
        return _calling(action, sandbox, **(body or {}))
    except (NectarError, TypeError, ValueError) as error:
        raise ProblemError(400, str(error)) from None


def _calling(function: Callable[..., Any], *arguments: Any, **given: Any) -> Any:
    """Call a function with the fields of a body; one that is missing or foreign to it is a TypeError by name."""
    signature(function).bind(*arguments, **given)
    return function(*arguments, **given)


def _journal(sandbox: Controlled) -> Any:
    journal = sandbox.context.journal
    return {
        "highestConcurrency": journal.highest_concurrency,
        "total": journal.count(),
        "dropped": journal.dropped,
        "requests": journal.rows(),
    }


def _new_journal(sandbox: Controlled) -> Any:
    sandbox.context.journal.clear()
    return _journal(sandbox)


def _key(sandbox: Controlled, environment: str, expires: str | None = None, companies: list[str] | None = None) -> Any:
    try:
        end = None if expires is None else datetime.fromisoformat(expires)
    except (TypeError, ValueError):
        raise ValueError("expires must be a date and time, such as 2026-01-31T09:30:00Z.") from None
    if companies is not None and not (isinstance(companies, list) and all(isinstance(one, str) for one in companies)):
        raise TypeError("companies must be a list of ids.")
    return {"key": sandbox.create_key(environment, end, companies)}


def _revoke(sandbox: Controlled, key: str) -> Any:
    sandbox.revoke_key(_text("key", key))
    return {"revoked": True}


def _events(sandbox: Controlled) -> Any:
    return {"events": sandbox.context.events.rows()}


def _clock(sandbox: Controlled) -> Any:
    return {"now": sandbox.context.now}


def _advance(sandbox: Controlled, days: float) -> Any:
    if isinstance(days, bool) or not isinstance(days, int | float):
        raise TypeError("days must be a number.")
    sandbox.advance(days)
    return _clock(sandbox)


def _scenario(sandbox: Controlled, name: str, **of: Any) -> Any:
    return {"id": sandbox.scenario(name, **of)}


def _fault(sandbox: Controlled, **plan: Any) -> Any:
    _calling(sandbox.context.faults.add, **plan)
    return {"planned": len(sandbox.context.faults)}


def _no_faults(sandbox: Controlled) -> Any:
    sandbox.context.faults.clear()
    return {"planned": 0}


def _use(sandbox: Controlled, **given: Any) -> Any:
    for name, value in given.items():
        for one in value if name == "sites" and isinstance(value, list) else [value]:
            _text(name, "" if one is None else one)
    return {"connectionId": _calling(sandbox.use_invitation, **given)}


def _webhooks(sandbox: Controlled) -> Any:
    shown = [{"id": one.id, "url": one.where, "enabled": one.enabled} for one in sandbox.webhooks.endpoints]
    return {"endpoints": shown, "attempts": sandbox.webhooks.attempts}


def _register(sandbox: Controlled, url: str, eventTypes: tuple[str, ...] = (), secret: str | None = None) -> Any:  # noqa: N803 - the wire's name
    endpoint = sandbox.webhooks.register(
        _text("url", url), eventTypes, secret=None if secret is None else _text("secret", secret)
    )
    return {"id": endpoint.id, "secret": endpoint.secret}


def _resend(sandbox: Controlled, messageId: str) -> Any:  # noqa: N803 - the wire's name
    sandbox.webhooks.resend(messageId)
    return {"messageId": messageId}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text.")
    return value


def _reset(sandbox: Controlled) -> Any:
    sandbox.reset()
    return _clock(sandbox)


_ACTIONS: Final[dict[tuple[str, str], Callable[..., Any]]] = {
    ("GET", "journal"): _journal,
    ("DELETE", "journal"): _new_journal,
    ("POST", "keys"): _key,
    ("POST", "keys/revoke"): _revoke,
    ("GET", "events"): _events,
    ("GET", "webhooks"): _webhooks,
    ("POST", "webhooks"): _register,
    ("POST", "webhooks/resend"): _resend,
    ("GET", "clock"): _clock,
    ("POST", "advance"): _advance,
    ("POST", "scenario"): _scenario,
    ("POST", "faults"): _fault,
    ("DELETE", "faults"): _no_faults,
    ("POST", "invitation"): _use,
    ("POST", "reset"): _reset,
}

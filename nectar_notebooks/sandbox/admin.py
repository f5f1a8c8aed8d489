"""The sandbox's own paths beside the API: keys, journal, events, time, scenarios, faults, invited persons, originals.

They exist for whoever has only HTTP: curl, other languages. ``/_sandbox/...`` takes the sandbox's own key;
``/bills/<id>.pdf`` is where a bill's original lies and takes none, as on the real API.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import NectarError
from nectar_notebooks.sandbox import keys
from nectar_notebooks.sandbox.problems import ProblemError, unauthorized
from nectar_notebooks.sandbox.text import moment

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.core import Sandbox

__all__ = ["act"]


def act(sandbox: Sandbox, method: str, path: str, key: str | None, body: Any) -> Any:
    """Answer one of the sandbox's own paths with something that can be written as JSON; `key` is one as recognised."""
    if not keys.same(key, sandbox.seed_key):
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


def _journal(sandbox: Sandbox) -> Any:
    journal = sandbox.journal
    return {
        "highestConcurrency": journal.highest_concurrency,
        "total": journal.count(),
        "dropped": journal.dropped,
        "requests": journal.rows(),
    }


def _new_journal(sandbox: Sandbox) -> Any:
    sandbox.journal.clear()
    return _journal(sandbox)


def _key(sandbox: Sandbox, environment: str, expires: str | None = None, companies: list[str] | None = None) -> Any:
    try:
        end = None if expires is None else datetime.fromisoformat(expires)
    except (TypeError, ValueError):
        raise ValueError("expires must be a date and time, such as 2026-01-31T09:30:00Z.") from None
    if companies is not None and not (isinstance(companies, list) and all(isinstance(one, str) for one in companies)):
        raise TypeError("companies must be a list of ids.")
    return {"key": sandbox.create_key(environment, end, companies)}


def _revoke(sandbox: Sandbox, key: str) -> Any:
    sandbox.revoke_key(_text("key", key))
    return {"revoked": True}


def _events(sandbox: Sandbox) -> Any:
    return {"events": sandbox.events.rows()}


def _clock(sandbox: Sandbox) -> Any:
    return {"now": moment(sandbox.clock.now())}


def _advance(sandbox: Sandbox, days: float) -> Any:
    if isinstance(days, bool) or not isinstance(days, int | float):
        raise TypeError("days must be a number.")
    sandbox.advance(days)
    return _clock(sandbox)


def _scenario(sandbox: Sandbox, name: str, **of: Any) -> Any:
    return {"id": sandbox.scenario(name, **of)}


def _fault(sandbox: Sandbox, **plan: Any) -> Any:
    _calling(sandbox.faults.add, **plan)
    return {"planned": len(sandbox.faults)}


def _no_faults(sandbox: Sandbox) -> Any:
    sandbox.faults.clear()
    return {"planned": 0}


def _use(sandbox: Sandbox, **given: Any) -> Any:
    for name, value in given.items():
        for one in value if name == "sites" and isinstance(value, list) else [value]:
            _text(name, "" if one is None else one)
    return {"connectionId": _calling(sandbox.use_invitation, **given)}


def _webhooks(sandbox: Sandbox) -> Any:
    shown = [{"id": one.id, "url": one.where, "enabled": one.enabled} for one in sandbox.webhooks.endpoints]
    return {"endpoints": shown, "attempts": sandbox.webhooks.attempts}


def _register(sandbox: Sandbox, url: str, eventTypes: tuple[str, ...] = (), secret: str | None = None) -> Any:  # noqa: N803 - the wire's name
    endpoint = sandbox.webhooks.register(
        _text("url", url), eventTypes, secret=None if secret is None else _text("secret", secret)
    )
    return {"id": endpoint.id, "secret": endpoint.secret}


def _resend(sandbox: Sandbox, messageId: str) -> Any:  # noqa: N803 - the wire's name
    sandbox.webhooks.resend(messageId)
    return {"messageId": messageId}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text.")
    return value


def _reset(sandbox: Sandbox) -> Any:
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

"""The play page of the webhooks: endpoints and the last deliveries, as one self-contained page without scripts.

It stands for the portal whose address `POST /webhook` answers; the address is the secret, good for seven days.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from nectar_notebooks.sandbox.html import render
from nectar_notebooks.sandbox.model import moment

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.context import Context
    from nectar_notebooks.sandbox.webhooks.dispatcher import Dispatcher

__all__ = ["page", "portal_path"]

_SHOWN: Final = 50
_DAYS: Final = 7


def portal_path(context: Context) -> str:
    """Return the path of the page, good for seven days from now on."""
    until = moment(context.clock.now() + timedelta(days=_DAYS))
    return f"/webhooks/{_token(context, until)}?until={until}"


def page(context: Context, hooks: Dispatcher, token: str, until: str) -> str | None:
    """Return the page, or None where the address is wrong or its seven days are over."""
    right = hmac.compare_digest(_token(context, until).encode(), token.encode())
    if not right or until <= context.now:
        return None
    endpoints = [
        (one.id, one.where, ", ".join(sorted(one.event_types)) or "all", "enabled" if one.enabled else "disabled")
        for one in hooks.endpoints
    ]
    bodies = {message.id: message.body.decode() for message in hooks.messages}
    attempts = [
        (row["time"], row["event_type"], row["message_id"], str(row["attempt"]), str(row["status"] or "no answer"),
         row["outcome"], bodies.get(row["message_id"], ""))
        for row in reversed(hooks.attempts[-_SHOWN:])
    ]  # fmt: skip
    return render("webhooks.html", endpoints=endpoints, attempts=attempts, shown=_SHOWN)


def _token(context: Context, until: str) -> str:
    return hashlib.sha256(f"nectar embedded sandbox portal {context.keys.own} {until}".encode()).hexdigest()[:32]

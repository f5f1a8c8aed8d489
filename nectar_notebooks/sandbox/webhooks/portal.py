"""The play page of the webhooks: endpoints and the last deliveries, as one self-contained page without scripts.

It stands for the portal whose address `POST /webhook` answers; the address is the secret, good for seven days.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Final

from nectar_notebooks.sandbox.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_notebooks.sandbox.context import Context
    from nectar_notebooks.sandbox.webhooks.dispatcher import Hooks

__all__ = ["page", "portal_path"]

_SHOWN: Final = 50
_DAYS: Final = 7
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #d0d7de}code{overflow-wrap:anywhere}"
)


def portal_path(context: Context) -> str:
    """Return the path of the page, good for seven days from now on."""
    until = moment(context.clock.now() + timedelta(days=_DAYS))
    return f"/webhooks/{_token(context, until)}?until={until}"


def page(context: Context, hooks: Hooks, token: str, until: str) -> str | None:
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
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Webhooks of the embedded sandbox</title>'
        f"<style>{_STYLE}</style><h1>Webhooks of the embedded sandbox</h1><h2>Endpoints</h2>"
        + _table(("id", "address", "events", "state"), endpoints)
        + f"<h2>The last {_SHOWN} attempts</h2>"
        + _table(("time", "event", "message", "attempt", "answer", "outcome", "body"), attempts)
    )


def _table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in headers)
    lines = "".join(f"<tr>{''.join(_cell(text) for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(text: str) -> str:
    if len(text) > 100:
        return f"<td><details><summary>show</summary><code>{escape(text)}</code></details></td>"
    return f"<td>{escape(text)}</td>"


def _token(context: Context, until: str) -> str:
    return hashlib.sha256(f"nectar embedded sandbox portal {context.keys.own} {until}".encode()).hexdigest()[:32]

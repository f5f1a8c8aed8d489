"""The content of a webhook: the six documented event types as typed events, anything else as an unknown one.

Events are parsed from verified deliveries. The payload is a hint, not a source of truth: rows in the tables always come
from the API (`webhooks.syncing`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nectar_notebooks.errors import ContractError
from nectar_notebooks.webhooks.signature import Delivery

__all__ = ["EVENT_TYPES", "BillEvent", "ConnectionEvent", "Event", "parse"]

#: The documented types. Older names without ``.v2`` are treated as unknown.
EVENT_TYPES = (
    "connection.created.v2",
    "connection.updated.v2",
    "connection.validated.v2",
    "document.created.v2",
    "document.updated.v2",
    "document.deleted.v2",
)

#: More than events need. Whether Python can parse deeper JSON depends on the stack depth of the caller.
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Event:
    """One event; an instance of this base class if its type is not documented.

    Attributes
    ----------
    id : str
        The delivery's id: the same event delivered twice has the same id.
    type : str
        ``eventType`` of the payload; empty if there is none.
    timestamp : datetime
        When the delivery was signed, in UTC.
    payload : dict
        The flat object that was sent, including ``eventType``.
    """

    id: str
    type: str
    timestamp: datetime
    payload: dict[str, Any] = field(repr=False)

    @property
    def known(self) -> bool:
        """True when the type is documented."""
        return self.type in EVENT_TYPES

    @property
    def action(self) -> str:
        """``created``, ``updated``, ``validated`` or ``deleted``; empty if the type is not documented."""
        return self.type.split(".")[1] if self.known else ""

    @property
    def company_id(self) -> str | None:
        """The company's id, or None; payloads have the company as an object, as an id, or not at all."""
        company = self.payload.get("company")
        found = company.get("id") if isinstance(company, dict) else company
        return found if isinstance(found, str) else None

    @property
    def old(self) -> dict[str, Any]:
        """The previous values of the changed fields; empty unless something was updated."""
        found = self.payload.get("old")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class ConnectionEvent(Event):
    """A connection was created, updated or validated (its status changed)."""

    @property
    def connection_id(self) -> str:
        """The connection's id."""
        return str(self.payload["id"])

    @property
    def status(self) -> str | None:
        """The status in the payload."""
        found = self.payload.get("status")
        return found if isinstance(found, str) else None

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the changed fields (``protectedChanges``)."""
        found = self.payload.get("protectedChanges")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class BillEvent(Event):
    """A bill was created, updated or deleted."""

    @property
    def bill_id(self) -> str:
        """The bill's id."""
        return str(self.payload["id"])


def parse(delivery: Delivery) -> Event:
    """Return the event of a verified delivery.

    Raises
    ------
    ContractError
        The body is not a JSON object, is nested more than 64 levels deep, or has a documented type but no object id.
    """
    try:
        payload = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise ContractError(f"Delivery {delivery.id} is not JSON.", advice="") from None
    if not isinstance(payload, dict):
        raise ContractError(f"Delivery {delivery.id} is not a JSON object.", advice="")
    if _is_deep(payload):
        raise ContractError(f"Delivery {delivery.id} is nested too deeply.", advice="")
    name = payload.get("eventType")
    kind = name if isinstance(name, str) else ""
    if kind not in EVENT_TYPES:
        return Event(delivery.id, kind, delivery.timestamp, payload)
    if not isinstance(payload.get("id"), str | int):
        raise ContractError(f"Delivery {delivery.id} ({kind}) has no object id.", advice="")
    of_kind = ConnectionEvent if kind.startswith("connection.") else BillEvent
    return of_kind(delivery.id, kind, delivery.timestamp, payload)


def _is_deep(payload: dict[str, Any]) -> bool:
    level: list[Any] = [payload]
    for _ in range(_DEEPEST):
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [value for values in inside for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True

"""What a webhook says: the six documented event types as typed events, anything else as an unknown one.

An event is made from a verified delivery. Its payload is a hint, not a source of truth: what the tables show
comes from the API (`webhooks.syncing`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nectar_notebooks.errors import ContractError
from nectar_notebooks.webhooks.signature import Delivery

__all__ = ["EVENT_TYPES", "BillEvent", "ConnectionEvent", "Event", "parse"]

#: The documented types. Names without ``.v2`` exist from before and pass as unknown.
EVENT_TYPES = (
    "connection.created.v2",
    "connection.updated.v2",
    "connection.validated.v2",
    "document.created.v2",
    "document.updated.v2",
    "document.deleted.v2",
)


#: More than events need. Deeper ones read differently, or not at all, by how deep the program is that reads them.
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Event:
    """One event; of this very class when its type is not documented.

    Attributes
    ----------
    id : str
        The delivery's id: the same event delivered twice has the same id.
    type : str
        ``eventType`` of the payload; empty where it names none.
    timestamp : datetime
        When the delivery was signed, in UTC.
    payload : dict
        The flat object that was sent, ``eventType`` included.
    """

    id: str
    type: str
    timestamp: datetime
    payload: dict[str, Any] = field(repr=False)

    @property
    def known(self) -> bool:
        """Say whether the type is documented."""
        return self.type in EVENT_TYPES

    @property
    def action(self) -> str:
        """Return created, updated, validated or deleted; empty where the type is not documented."""
        return self.type.split(".")[1] if self.known else ""

    @property
    def company_id(self) -> str | None:
        """Return the company's id; payloads carry the company as an object, as an id, or not at all."""
        company = self.payload.get("company")
        found = company.get("id") if isinstance(company, dict) else company
        return found if isinstance(found, str) else None

    @property
    def old(self) -> dict[str, Any]:
        """Return what the changed fields held before; empty unless something was updated."""
        found = self.payload.get("old")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class ConnectionEvent(Event):
    """A connection was created, updated or validated (its status changed)."""

    @property
    def connection_id(self) -> str:
        """Return the connection's id."""
        return str(self.payload["id"])

    @property
    def status(self) -> str | None:
        """Return the status that was sent."""
        found = self.payload.get("status")
        return found if isinstance(found, str) else None

    @property
    def changed(self) -> tuple[str, ...]:
        """Return the names of the changed fields (``protectedChanges``)."""
        found = self.payload.get("protectedChanges")
        return tuple(str(name) for name in found) if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class BillEvent(Event):
    """A bill was created, updated or deleted."""

    @property
    def bill_id(self) -> str:
        """Return the bill's id."""
        return str(self.payload["id"])


def parse(delivery: Delivery) -> Event:
    """Return the event of a verified delivery.

    Raises
    ------
    ContractError
        The body is no JSON object or is nested more than 64 deep, or a documented type comes without the id of its
        object.
    """
    try:
        payload = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise ContractError(f"Delivery {delivery.id} is no JSON.", advice="") from None
    if not isinstance(payload, dict):
        raise ContractError(f"Delivery {delivery.id} is no JSON object.", advice="")
    if _is_deep(payload):
        raise ContractError(f"Delivery {delivery.id} is nested too deep.", advice="")
    name = payload.get("eventType")
    kind = name if isinstance(name, str) else ""
    if kind not in EVENT_TYPES:
        return Event(delivery.id, kind, delivery.timestamp, payload)
    if not isinstance(payload.get("id"), str | int):
        raise ContractError(f"Delivery {delivery.id} ({kind}) names no object.", advice="")
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

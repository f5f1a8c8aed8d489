"""Webhooks: verified, written down, handled once.

`signature` decides whether a delivery is Nectar's, `events` says what it means, `ledger` remembers it, and
`receiver` is the WSGI application that joins the three. `syncing` is a handler that brings the cache up to date.
"""

from nectar_notebooks.webhooks.events import EVENT_TYPES, BillEvent, ConnectionEvent, Event, parse
from nectar_notebooks.webhooks.ledger import Ledger
from nectar_notebooks.webhooks.receiver import Receiver
from nectar_notebooks.webhooks.signature import Delivery, sign, verify
from nectar_notebooks.webhooks.syncing import Syncing

__all__ = [
    "EVENT_TYPES",
    "BillEvent",
    "ConnectionEvent",
    "Delivery",
    "Event",
    "Ledger",
    "Receiver",
    "Syncing",
    "parse",
    "sign",
    "verify",
]


def __dir__() -> list[str]:
    return sorted(__all__)

"""Webhooks: verified, recorded, handled once.

`signature` verifies that a delivery is from Nectar, `events` parses it, `ledger` stores it, and `receiver` is the WSGI
application that combines the three. `listener` serves it on a port; `syncing` is a handler that updates the cache.
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

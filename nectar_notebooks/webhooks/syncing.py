"""Events bring the cache up to date: a handler for the receiver.

An event only says where to look. What the tables then show comes from the API, by the same refresh that finds events
which never came, so that both ways end in the same rows, in whatever order and however often events arrive.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from nectar_notebooks.webhooks.events import BillEvent, ConnectionEvent, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_notebooks.client import Nectar

__all__ = ["Syncing"]


class Syncing:
    """Keep what a client has kept up to date: ``Receiver(secrets, ledger, Syncing(nectar))``.

    A created bill that is kept already, and a deleted one that is not, cost no request: the refresh for the first
    of many events brings them all. Events of other types, and of companies of which nothing is kept, ask for nothing.

    Parameters
    ----------
    nectar : Nectar
    then : callable, optional
        Called with the event once the rows are there.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> handler = Syncing(nn.connect("local"))
    >>> handler.refreshes
    0
    """

    def __init__(self, nectar: Nectar, then: Callable[[Event], object] | None = None) -> None:
        self._nectar = nectar
        self._then = then
        self._lock = Lock()
        self.refreshes = 0

    def __call__(self, event: Event) -> None:
        """Handle one event; an error of the API is raised, so that the receiver tries again."""
        with self._lock:  # one refresh at a time: the next event often finds its bill there already
            if isinstance(event, BillEvent | ConnectionEvent):
                # A payload may leave its company out: then any of the kept ones may be meant.
                companies = [event.company_id] if event.company_id else self._nectar.kept_companies()
                for company_id in companies:
                    self._bring(company_id, event)
        if self._then is not None:
            self._then(event)

    def _bring(self, company_id: str, event: BillEvent | ConnectionEvent) -> None:
        if isinstance(event, ConnectionEvent):
            done = self._nectar.catch_up(company_id, "connections")
        else:
            # An update always asks: what changed may be a usage record, and the bill's own dates say nothing.
            known = event.bill_id if event.action in ("created", "deleted") else None
            done = self._nectar.catch_up(company_id, "bills", bill_id=known, gone=event.action == "deleted")
        self.refreshes += done

"""A handler for the receiver that updates the cache from events.

An event only says where to look. The rows come from the API, by the same refresh that also finds changes whose events
never arrived. So the result is the same, in whatever order and however often events arrive.
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
    """Keep a client's cached rows up to date: ``Receiver(secrets, ledger, Syncing(nectar))``.

    A created bill that is already cached, or a deleted one that is not, costs no request: the refresh for the first of
    many events covers them all. Events of other types, or of companies that are not cached, cause no requests.

    Parameters
    ----------
    nectar : Nectar
    then : callable, optional
        Called with the event after the rows were updated.

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
        """Handle one event; API errors propagate, so that the receiver retries."""
        with self._lock:  # one refresh at a time: it often covers the next event as well
            if isinstance(event, BillEvent | ConnectionEvent):
                # A payload may lack its company: then it may concern any cached one.
                companies = [event.company_id] if event.company_id else self._nectar.kept_companies()
                for company_id in companies:
                    self._bring(company_id, event)
        if self._then is not None:
            self._then(event)

    def _bring(self, company_id: str, event: BillEvent | ConnectionEvent) -> None:
        if isinstance(event, ConnectionEvent):
            done = self._nectar.catch_up(company_id, "connections")
        else:
            # Always refresh after an update: it may concern a usage record, which does not change the bill's dates.
            known = event.bill_id if event.action in ("created", "deleted") else None
            done = self._nectar.catch_up(company_id, "bills", bill_id=known, gone=event.action == "deleted")
        self.refreshes += done

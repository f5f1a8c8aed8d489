"""Bringing kept rows up to date: on request, by an event, and telling whoever watches.

How a refresh by changes is made complete stands in `cache.listing`. Here stands what is refreshed, when nothing need be
asked, what :meth:`Nectar.changes` reports, and who is told of new rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.cache import Company
from nectar_notebooks.errors import InvalidRequestError, OfflineError
from nectar_notebooks.schema.dates import Day, days_of
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nectar_notebooks.cache import Library

__all__ = ["Change", "Watchers", "changed_bills", "refresh", "refresh_kept", "renew"]

_CHANGES: Final = ["bill_id", "change", "utility", "bill_date", "created", "updated", "superseded_by"]


@dataclass(frozen=True, slots=True)
class Change:
    """Kept rows of a company were refreshed: ``noun`` is ``"bills"`` (with their usage) or ``"connections"``."""

    company_id: str
    noun: str


class Watchers:
    """Callbacks for changes, called in the thread that fetched the rows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: dict[object, Callable[[Change], object]] = {}

    def add(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call `callback` on every change, until the returned function is called."""
        token = object()
        with self._lock:
            self._callbacks[token] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(token, None)

        return end

    def tell(self, change: Change) -> None:
        """Call every callback; raise the first error once all have been called."""
        with self._lock:
            callbacks = list(self._callbacks.values())
        errors = []
        for callback in callbacks:
            try:
                callback(change)
            except Exception as error:  # user code: the other callbacks must still be called
                errors.append(error)
        if errors:
            raise errors[0]


def renew(library: Library, company_id: str, noun: str, bill_id: str | None, *, gone: bool) -> bool:
    """Bring kept rows of a company up to date; return False if nothing is kept or nothing is to do.

    Kept answers to narrow questions are dropped, and fetched again by the next question.
    """
    company = Company(library, company_id)
    dropped = company.forget_answers() > 0
    if noun == "connections":
        if not company.held("connections"):
            return dropped
        company.connections(renew=True)
        return True
    if not company.held("documents"):
        return dropped
    if bill_id is not None:
        kept = bool((company.documents().frames["bills"]["bill_id"] == bill_id).any())
        if kept != gone:
            return False  # an earlier refresh brought it
    company.portfolio(("bills",), renew=True)
    return True


def refresh(library: Library, company_ids: Iterable[str]) -> pd.DataFrame:
    """Fetch these companies, or bring their kept rows up to date.

    Returns
    -------
    DataFrame
        company_id, bills, usage, requests, walked (when bills were last walked whole, UTC).
    """
    lines = []
    for company_id in company_ids:
        company = Company(library, company_id)
        held = company.portfolio(("bills", "usage"), renew=True)
        walked = company.documents().details.walked
        lines.append((company_id, len(held.frames["bills"]), len(held.frames["usage"]), held.requests, walked))
    frame = pd.DataFrame(lines, columns=["company_id", "bills", "usage", "requests", "walked"])
    frame["walked"] = pd.to_datetime(frame["walked"], utc=True, format="ISO8601").dt.as_unit("us")
    frame["company_id"] = frame["company_id"].astype(TEXT)
    return frame


def refresh_kept(library: Library, company_ids: Iterable[str]) -> pd.DataFrame:
    """Bring the kept rows of these companies up to date; kept answers to narrow questions are dropped.

    Returns
    -------
    DataFrame
        As :func:`refresh`, for the companies whose bills are kept.
    """
    whole = []
    for company_id in company_ids:
        company = Company(library, company_id)
        company.forget_answers()
        whole += [company_id] if company.held("documents") else []
    return refresh(library, whole)


def changed_bills(library: Library, company_id: str, since: Day) -> pd.DataFrame:
    """Return the bills that changed on or after the UTC day `since`: new, revised or deleted.

    Returns
    -------
    DataFrame
        bill_id, change, utility, bill_date, created, updated, superseded_by.
    """
    if library.offline:
        raise OfflineError("Offline, and only the API can tell what changed.")
    if since is None:
        raise InvalidRequestError("Say since which day, such as since='2024-01-31'.")
    moment = pd.Timestamp(days_of(since, "since")[0]).tz_localize("UTC")
    changes = Company(library, company_id).changes(moment.to_pydatetime())
    bills = changes.frames["bills"]
    new = bills["created"] >= moment
    parts = [
        bills.assign(change=new.map({True: "new", False: "revised"})),
        changes.gone["bills"].assign(change="deleted"),
    ]
    filled = [part for part in parts if len(part)] or parts[:1]
    frame = pd.concat(filled, ignore_index=True)[_CHANGES]
    return frame.astype({"change": TEXT})

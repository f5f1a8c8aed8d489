"""Who wants to know when kept rows changed: dashboards, and whoever else shows them.

Bringing rows up to date after an event is the library's work; here stands when nothing need be asked, and who is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from nectar_notebooks.cache import Company

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_notebooks.cache import Library

__all__ = ["Change", "Watchers", "renew"]


@dataclass(frozen=True, slots=True)
class Change:
    """Kept rows of a company that are new: ``noun`` is ``"bills"`` (with their usage) or ``"connections"``."""

    company_id: str
    noun: str


class Watchers:
    """Callbacks, each called with a `Change` in the thread that fetched it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._callbacks: dict[object, Callable[[Change], object]] = {}

    def add(self, callback: Callable[[Change], object]) -> Callable[[], None]:
        """Call `callback` on every change; the returned function ends that."""
        token = object()
        with self._lock:
            self._callbacks[token] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(token, None)

        return end

    def tell(self, change: Change) -> None:
        """Tell everyone; the first error of a callback is raised once all were told."""
        with self._lock:
            callbacks = list(self._callbacks.values())
        errors = []
        for callback in callbacks:
            try:
                callback(change)
            except Exception as error:  # somebody's code: the others are told all the same
                errors.append(error)
        if errors:
            raise errors[0]


def renew(library: Library, company_id: str, noun: str, bill_id: str | None, *, gone: bool) -> bool:
    """Bring kept rows of a company up to date; false where nothing is kept, or they are so already.

    Answers of narrow questions are dropped instead, and asked for again when they are wanted.
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
            return False  # an earlier refresh, this event's or another's, brought it
    company.portfolio(("bills",), renew=True)
    return True

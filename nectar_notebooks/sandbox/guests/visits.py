"""How far each invited person is, by visit: in memory, so that a restart lets them begin again.

A visit's id is random and stands in its forms alone: who does not see the page cannot send one of its forms.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from nectar_notebooks.sandbox.guests.using import is_to_repair

__all__ = ["Visit", "Visits"]

#: The oldest goes first, so that they cannot fill the memory.
_MOST: Final = 1000


@dataclass(slots=True)
class Visit:
    """One person on one invitation: the step they are at, and what they have said so far.

    ``step`` is ``"email"``, ``"provider"``, ``"login"``, ``"code"`` or ``"result"``.
    """

    id: str
    token: str
    step: str
    to_repair: bool
    gated: bool
    email: str | None = None
    url: str = ""
    country: str = "US"
    sites: tuple[str, ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    asked_code: bool = False
    connection: str | None = None

    @property
    def steps(self) -> list[str]:
        """The steps of this visit in order, as far as they are known."""
        before = [*(["email"] if self.gated else []), *([] if self.to_repair else ["provider"]), "login"]
        return [*before, *(["code"] if self.asked_code else []), "result"]

    def go_on(self) -> None:
        """Go to the next step."""
        self.step = self.steps[self.steps.index(self.step) + 1]

    def go_back(self) -> None:
        """Go to the step before, where there is one to go back to: an address said is said."""
        before = self.steps[max(self.steps.index(self.step) - 1, 0)]
        if self.step != "result" and before != "email":
            self.step = before


class Visits:
    """The visits that are known; used while the sandbox's state is held."""

    def __init__(self) -> None:
        self._known: dict[str, Visit] = {}

    def begin(self, record: dict[str, Any]) -> Visit:
        """Return a new visit to an invitation."""
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        prefill = record["prefill"]
        gated = bool(record["allowedEmails"])
        visit = Visit(
            id=secrets.token_urlsafe(16),
            token=record["token"],
            step="",
            to_repair=is_to_repair(record),
            gated=gated,
            url=prefill.get("url") or "",
            country=prefill.get("country") or "US",
            sites=tuple(prefill.get("initialSites") or ()),
        )
        visit.step = visit.steps[0]
        self._known[visit.id] = visit
        return visit

    def find(self, id_: str, token: str) -> Visit | None:
        """Return a visit to this invitation, if there is one called so."""
        visit = self._known.get(id_)
        return visit if visit is not None and visit.token == token else None

"""The steps of an invited person: how far each visit is, and what becomes of a form.

A visit lives in memory, so that a restart lets people begin again. Its id is random and stands in its forms alone: who
does not see the page cannot send one of its forms. What a login then makes is decided in `connections.invitations`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.sandbox.connections.credentials import CODE, asks_for_code, judge
from nectar_notebooks.sandbox.connections.invitations import enter, is_for, is_to_repair, verified
from nectar_notebooks.sandbox.connections.logins import check_sites, renew
from nectar_notebooks.sandbox.connections.transitions import CUSTOMER, Trigger
from nectar_notebooks.sandbox.model import ProblemError

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from nectar_notebooks.sandbox.handlers.request import Call, Row

__all__ = ["LONGEST", "Entry", "RefusedError", "Visit", "Visits", "take"]

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


#: More than anybody types into one field.
LONGEST: Final = 500
_ADDRESS: Final = re.compile(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?(/[!-~]*)?", re.IGNORECASE)


class RefusedError(Exception):
    """What was typed cannot be taken: a sentence for each field."""

    def __init__(self, **fields: str) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Entry:
    """What came with one form: the invitation it is of, the visit, and the fields."""

    call: Call
    row: Row
    record: dict[str, Any]
    visit: Visit
    form: MultiDict[str, str]

    def word(self, name: str, empty: str) -> str:
        """Return a field, or refuse it with `empty` where nothing was typed."""
        text = self.form.get(name, "").strip()
        if not text:
            raise RefusedError(**{name: empty})
        if len(text) > LONGEST or not text.isprintable():
            raise RefusedError(**{name: f"Type at most {LONGEST} characters, in one line."})
        return text


def take(entry: Entry) -> None:
    """Take the form of the step that the visit is at.

    Raises
    ------
    RefusedError
        A field says something that cannot be; the visit stays where it is.
    """
    visit = entry.visit
    if "back" in entry.form:
        visit.go_back()
        return
    try:
        _STEPS[visit.step](entry)
    except ProblemError as refused:
        said = {name: f"{text[:1].upper()}{text[1:]}" for name, text in refused.fields.items()}
        raise RefusedError(**(said or {"": refused.detail})) from None


def _email(entry: Entry) -> None:
    email = entry.word("email", "Type your e-mail address.")
    if not is_for(entry.record, email):
        # Whom it is for is nobody's business who is not one of them.
        raise RefusedError(email="This invitation is not for this address. Ask whoever sent it for one of your own.")
    entry.visit.email = email
    verified(entry.call.context, entry.row.seq, entry.record, email)
    entry.visit.go_on()


def _provider(entry: Entry) -> None:
    url = entry.word("url", "Type the address at which you log in, such as https://www.provider.com.")
    url = url if "://" in url else f"https://{url}"
    if not _ADDRESS.fullmatch(url):
        raise RefusedError(url="This is no web address. It looks like https://www.provider.com.")
    country = entry.word("country", "Type the country's two letters, such as US.").upper()
    if not re.fullmatch("[A-Z]{2}", country):
        raise RefusedError(country="A country has two letters, such as US or CA.")
    sites = list(dict.fromkeys(entry.form.getlist("sites")))
    if not sites and entry.call.db.execute("SELECT 1 FROM sites WHERE company = ?", (entry.row.company,)).fetchone():
        raise RefusedError(sites="Choose at least one site that the bills are for.")
    check_sites(entry.call.context, entry.row.company, sites, url)
    visit = entry.visit
    visit.url, visit.country, visit.sites = url, country, tuple(sites)
    visit.go_on()


def _login(entry: Entry) -> None:
    visit = entry.visit
    username = entry.word("username", "Type the user name.")
    password = entry.form.get("password", "")
    if not password or len(password) > LONGEST:
        raise RefusedError(password="Type the password.")  # noqa: S106 - a sentence
    visit.username = username
    stored = login_of(entry.call, visit, entry.record) or {"url": visit.url, "status": "PENDING"}
    url, status = stored["url"], stored["status"]
    refused = judge(url, username, password) is Trigger.REFUSED
    visit.asked_code = not refused and asks_for_code(url, status)
    if visit.asked_code:
        visit.password = password
        visit.go_on()
    else:
        _enter(entry, password, None)


def _code(entry: Entry) -> None:
    code = entry.word("code", "Type the code.")
    if code.replace(" ", "") != CODE:
        raise RefusedError(code="The code is not the right one. Look at it again, and type all six digits.")
    # The provider let this person in a moment ago: the login is checked.
    _enter(entry, entry.visit.password, Trigger.ACCEPTED)


def _result(entry: Entry) -> None:
    """Try once more with the login that did not work: on the same connection, without another use."""
    visit = entry.visit
    status = entry.call.record("connections", entry.call.find("connections", visit.connection or "").seq)["status"]
    if status in CUSTOMER:
        visit.step = "login"


_STEPS: Final[dict[str, Callable[[Entry], None]]] = {
    "email": _email,
    "provider": _provider,
    "login": _login,
    "code": _code,
    "result": _result,
}


def login_of(call: Call, visit: Visit, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the connection that a visit adds a login to or repairs; None where none is there yet."""
    there = visit.connection or record["connectionId"]
    return None if there is None else call.record("connections", call.find("connections", there).seq)


def _enter(entry: Entry, password: str, trigger: Trigger | None) -> None:
    visit, call = entry.visit, entry.call
    login: dict[str, Any] = {"username": visit.username, "password": password}
    if visit.connection is not None:
        renew(call.context, call.find("connections", visit.connection).seq, login, trigger)
    else:
        if not visit.to_repair:
            login |= {"url": visit.url, "sites": list(visit.sites), "country": visit.country}
        visit.connection = enter(call.context, entry.row.seq, entry.record, login, visit.email, trigger)
    visit.password = ""
    visit.step = "result"

"""What the invited person reads at each step, and where an invitation is over; how it looks is the template's."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.sandbox.connections.credentials import (
    CODE,
    MOCK_HOST,
    MOCK_USER,
    MOCK_WORD,
    is_mock,
    provider_name,
)
from nectar_notebooks.sandbox.connections.transitions import CUSTOMER
from nectar_notebooks.sandbox.html import render
from nectar_notebooks.sandbox.invite_page.steps import login_of

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.handlers.request import Call, Row
    from nectar_notebooks.sandbox.invite_page.steps import Visit

__all__ = ["gone", "page", "policy", "refused"]

#: Who may show the page in a frame: pages of this machine, as the notebook is one.
_FRAMED_BY: Final = " ".join(
    f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("127.0.0.1", "localhost")
)

_LABELS: Final = {
    "email": "E-mail", "provider": "Provider", "login": "Login", "code": "Code", "result": "Result",
}  # fmt: skip
#: The fields of a step that say themselves what is wrong with them.
_FIELDS: Final = {
    "email": ("email",), "provider": ("url", "country", "sites"), "login": ("username", "password"), "code": ("code",),
}  # fmt: skip
_GONE: Final = {
    "EXPIRED": (
        "This invitation has expired",
        "Its time is over, and nothing was lost. Ask whoever sent it for a new one.",
    ),
    "REVOKED": ("This invitation was revoked", "Whoever sent it took it back. Ask them if you still want to help."),
    "USED_UP": (
        "This invitation is used up",
        "It was used as often as it may be. Ask whoever sent it for a new one if there is more to connect.",
    ),
    "DONE": ("This login is repaired already", "Somebody has used this invitation. There is nothing left to do."),
    "UNKNOWN": ("There is no such invitation", "Look whether the link is whole: it must be copied to its last letter."),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a form: its name, label and hint, what stands in it, and what is wrong with it."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    hint: str = ""
    wrong: str = ""
    autocomplete: str = "off"
    short: bool = False

    @property
    def told(self) -> str:
        """The ids of what a screen reader reads with the field."""
        parts = (("hint", self.hint), ("wrong", self.wrong))
        return " ".join(f"{self.name}-{part}" for part, text in parts if text)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose page is drawn: the invitation, the visit, and what of its form was wrong and typed."""

    call: Call
    row: Row
    record: Mapping[str, Any]
    visit: Visit
    wrong: Mapping[str, str]
    typed: Mapping[str, str]

    def field(self, name: str, label: str, value: str = "", **more: Any) -> _Field:
        """Return a field with what was typed into it, and what is wrong with it."""
        return _Field(name, label, self.typed.get(name, value), wrong=self.wrong.get(name, ""), **more)


def policy() -> str:
    """Return the content security policy: nothing but this style and the page's own forms."""
    digest = base64.b64encode(hashlib.sha256(render("invite_page.css").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors 'self' {_FRAMED_BY}"
    )


def gone(status: str, record: Mapping[str, Any] | None = None) -> str:
    """Return the page of an invitation that cannot be used: EXPIRED, REVOKED, FULFILLED or UNKNOWN."""
    kind = status
    if status == "FULFILLED":
        spent = record is not None and record["maxUses"] is not None and record["useCount"] >= record["maxUses"]
        kind = "USED_UP" if spent else "DONE"
    title, words = _GONE[kind]
    return _document(title, kind, notice={"kind": "wait", "words": words})


def refused(words: str) -> str:
    """Return the page of a form that did not come from this page."""
    return _document("This form was not taken", "REFUSED", notice={"kind": "bad", "words": words})


def page(
    call: Call,
    row: Row,
    record: Mapping[str, Any],
    visit: Visit,
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> str:
    """Return the page of the step that a visit is at.

    Parameters
    ----------
    call, row, record, visit
        Whose page it is.
    wrong : mapping, optional
        What was wrong with the fields that were sent.
    typed : mapping, optional
        What was sent, to stand in the fields again; a password never does.
    """
    asked = _Asked(call, row, record, visit, wrong or {}, typed or {})
    title, shown = _PAGES[visit.step](asked)
    fields = _FIELDS.get(visit.step, ())
    return _document(
        title,
        "RESULT" if visit.step == "result" else "ACTIVE",
        company=call.record("companies", row.company)["name"],
        step=visit.step,
        steps=[(_LABELS[step], step == visit.step) for step in visit.steps],
        stray=[text for name, text in asked.wrong.items() if name not in fields],
        visit=visit,
        **shown,
    )


def _document(title: str, state: str, **given: Any) -> str:
    """Return a whole page; `state` says for programs how the invitation stands."""
    nothing = dict.fromkeys(("company", "step", "steps", "notice", "provider", "facts", "submit", "back", "sites"))
    lists = {"stray": (), "fields": (), "sites_wrong": ""}
    style = render("invite_page.css")
    return render("invite_page.html", **nothing | lists | {"title": title, "state": state, "style": style} | given)


def _email(asked: _Asked) -> tuple[str, dict[str, Any]]:
    field = asked.field(
        "email", "Your e-mail address", kind="email", hint="The one that the invitation was sent to.",
        autocomplete="email",
    )  # fmt: skip
    return "Who are you?", {"fields": [field], "submit": "Continue"}


def _provider(asked: _Asked) -> tuple[str, dict[str, Any]]:
    visit = asked.visit
    fields = [
        asked.field(
            "url", "Address of the provider's website", visit.url,
            hint=f"Where you log in. https://{MOCK_HOST} is the mock utility; https://mfa.power.example wants a code.",
        ),
        asked.field("country", "Country", visit.country, hint="Two letters, such as US.", short=True),
    ]  # fmt: skip
    rows = asked.call.db.execute("SELECT record FROM sites WHERE company = ? ORDER BY seq", (asked.row.company,))
    found = [json.loads(text) for (text,) in rows]
    chosen = set(visit.sites) or ({found[0]["id"]} if len(found) == 1 else set())
    sites = [{"id": site["id"], "name": site["name"], "chosen": site["id"] in chosen} for site in found]
    wrong = asked.wrong.get("sites", "")
    return "Choose the provider", {"fields": fields, "sites": sites, "sites_wrong": wrong, "submit": "Continue"}


def _login(asked: _Asked) -> tuple[str, dict[str, Any]]:
    visit, provider = asked.visit, _provider_of(asked)
    hint = f"The mock utility takes {MOCK_USER} and {MOCK_WORD}." if is_mock(provider["url"]) else ""
    fields = [
        asked.field("username", "User name", visit.username, hint=hint, autocomplete="username"),
        _Field(
            "password", "Password", kind="password", wrong=asked.wrong.get("password", ""),
            autocomplete="current-password",
        ),
    ]  # fmt: skip
    back = not (visit.to_repair or visit.connection)
    return "Enter the login", {"fields": fields, "provider": provider, "submit": "Connect", "back": back}


def _code(asked: _Asked) -> tuple[str, dict[str, Any]]:
    field = asked.field(
        "code", "Code", hint=f"Every code of the embedded sandbox is {CODE}.", autocomplete="one-time-code", short=True
    )
    shown = {"fields": [field], "provider": _provider_of(asked), "submit": "Confirm", "back": True}
    return "Type the code", shown


def _result(asked: _Asked) -> tuple[str, dict[str, Any]]:
    call = asked.call
    stored = call.record("connections", call.find("connections", asked.visit.connection or "").seq)
    status = stored["status"]
    again = None
    if status == "CONNECTED":
        title, kind = "It is connected", "good"
        words = "The login works, and bills are collected from now on. Thank you!"
    elif status == "PENDING":
        title, kind = "It will be checked", "wait"
        words = "Thank you! The login is tried within days, and you need not do anything until then."
    elif status in CUSTOMER:
        title, kind, again = "The login did not work", "bad", "Enter it again"
        words = stored["statusErrorDetail"] or "The provider did not let us in with it."
    else:
        title, kind, words = "It is stored", "wait", "Thank you! The login is stored, but cannot be used at the moment."
    facts = [("Provider", stored["datasource"]["name"]), ("User name", stored["username"]), ("Status", status)]
    return title, {"notice": {"kind": kind, "words": words}, "facts": facts, "submit": again}


_PAGES: Final[dict[str, Callable[[_Asked], tuple[str, dict[str, Any]]]]] = {
    "email": _email,
    "provider": _provider,
    "login": _login,
    "code": _code,
    "result": _result,
}


def _provider_of(asked: _Asked) -> dict[str, str]:
    """Return the name and the address of the provider that the login is of."""
    stored = login_of(asked.call, asked.visit, asked.record)
    if stored is None:
        return {"name": provider_name(asked.visit.url), "url": asked.visit.url}
    return {"name": str(stored["datasource"]["name"]), "url": str(stored["url"])}

"""What the invited person reads at each step, and where an invitation is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.sandbox.connections.credentials import (
    CODE,
    CUSTOMER,
    MOCK_HOST,
    MOCK_USER,
    MOCK_WORD,
    is_mock,
    provider_name,
)
from nectar_notebooks.sandbox.invite_page.markup import (
    Field,
    Markup,
    button,
    document,
    element,
    field,
    join,
    problem,
    steps,
)

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.handlers.request import Call, Row
    from nectar_notebooks.sandbox.invite_page.steps import Visit

__all__ = ["gone", "page", "refused"]

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


def gone(status: str, record: Mapping[str, Any] | None = None) -> str:
    """Return the page of an invitation that cannot be used: EXPIRED, REVOKED, FULFILLED or UNKNOWN."""
    kind = status
    if status == "FULFILLED":
        spent = record is not None and record["maxUses"] is not None and record["useCount"] >= record["maxUses"]
        kind = "USED_UP" if spent else "DONE"
    title, words = _GONE[kind]
    return document(
        title, join([element("h1", title), element("p", words, class_="notice wait", role="status")]), state=kind
    )


def refused(words: str) -> str:
    """Return the page of a form that did not come from this page."""
    title = "This form was not taken"
    return document(title, join([element("h1", title), element("p", words, class_="notice bad")]), state="REFUSED")


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
    told = {"wrong": wrong or {}, "typed": typed or {}}
    company = call.record("companies", row.company)["name"]
    title, inside = _PAGES[visit.step](call, row, record, visit, **told)
    head = [
        steps([_LABELS[step] for step in visit.steps], visit.steps.index(visit.step)),
        element("h1", title),
    ]
    fields = _FIELDS.get(visit.step, ())
    stray = [text for name, text in told["wrong"].items() if name not in fields]
    head += [element("p", text, class_="notice bad", role="alert") for text in stray]
    return document(
        f"{title} – {company}", join([*head, inside]), state="RESULT" if visit.step == "result" else "ACTIVE"
    )


def _form(visit: Visit, fields: Sequence[Markup], *buttons: Markup) -> Markup:
    hidden = Markup(f'<input type="hidden" name="visit" value="{visit.id}">')  # of letters, digits, - and _ alone
    at = Markup(f'<input type="hidden" name="step" value="{visit.step}">')
    # No address: a form goes to where its page is.
    return element("form", hidden, at, *fields, element("div", *buttons, class_="buttons"), method="post")


def _email(
    call: Call, row: Row, record: Mapping[str, Any], visit: Visit, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[str, Markup]:
    company = _named(call.record("companies", row.company)["name"])
    asked = Field(
        "email", "Your e-mail address", typed.get("email", ""), "email",
        "The one that the invitation was sent to.", wrong.get("email", ""), "email",
    )  # fmt: skip
    intro = element("p", company, " asks you for a login to a utility's website, so that its bills can be collected.")
    return "Who are you?", join([intro, _form(visit, [field(asked, focus=True)], button("Continue"))])


def _provider(
    call: Call, row: Row, record: Mapping[str, Any], visit: Visit, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[str, Markup]:
    asked = [
        Field(
            "url", "Address of the provider's website", typed.get("url", visit.url),
            hint=f"Where you log in. https://{MOCK_HOST} is the mock utility; https://mfa.power.example wants a code.",
            wrong=wrong.get("url", ""),
        ),
        Field(
            "country", "Country", typed.get("country", visit.country), hint="Two letters, such as US.",
            wrong=wrong.get("country", ""), short=True,
        ),
    ]  # fmt: skip
    company = _named(call.record("companies", row.company)["name"])
    fields = [*(field(one, focus=place == 0) for place, one in enumerate(asked)), _sites(call, row, visit, wrong)]
    intro = element("p", "Which utility sends the bills of ", company, "?")
    return "Choose the provider", join([intro, _form(visit, fields, button("Continue"))])


def _sites(call: Call, row: Row, visit: Visit, wrong: Mapping[str, str]) -> Markup:
    found = [
        json.loads(text)
        for (text,) in call.db.execute("SELECT record FROM sites WHERE company = ? ORDER BY seq", (row.company,))
    ]
    if not found:
        return Markup("")
    chosen = set(visit.sites) or ({found[0]["id"]} if len(found) == 1 else set())
    boxes = [
        element("label", _box(site["id"], checked=site["id"] in chosen), element("bdi", site["name"])) for site in found
    ]
    problems = [problem("sites", wrong["sites"])] if "sites" in wrong else []
    return element(
        "fieldset",
        element("legend", "Sites that the bills are for"),
        element("div", *boxes, class_="sites", tabindex="0", role="group", aria_label="Sites"),
        *problems,
        aria_describedby="sites-wrong" if problems else None,
    )


def _box(site: str, *, checked: bool) -> Markup:
    box = element("input", type="checkbox", name="sites", value=site, checked="" if checked else None)
    return Markup(box.removesuffix("</input>"))


def _login(
    call: Call, row: Row, record: Mapping[str, Any], visit: Visit, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[str, Markup]:
    name, url = _provider_named(call, record, visit)
    hint = f"The mock utility takes {MOCK_USER} and {MOCK_WORD}." if is_mock(url) else ""
    fields = [
        field(
            Field("username", "User name", typed.get("username", visit.username), hint=hint,
                  wrong=wrong.get("username", ""), autocomplete="username"),
            focus=True,
        ),
        field(
            Field("password", "Password", kind="password", wrong=wrong.get("password", ""),
                  autocomplete="current-password")
        ),
    ]  # fmt: skip
    intro = element("p", "With these you log in at ", _named(name), " (", element("bdi", url), ").")
    able = [] if visit.to_repair or visit.connection else [button("Back", name="back", second=True)]
    return "Enter the login", join([intro, _form(visit, fields, button("Connect"), *able)])


def _code(
    call: Call, row: Row, record: Mapping[str, Any], visit: Visit, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[str, Markup]:
    name, _ = _provider_named(call, record, visit)
    asked = Field(
        "code", "Code", typed.get("code", ""), hint=f"Every code of the embedded sandbox is {CODE}.",
        wrong=wrong.get("code", ""), autocomplete="one-time-code", short=True,
    )  # fmt: skip
    intro = element("p", _named(name), " has sent you a code to see that it is you.")
    back = button("Back", name="back", second=True)
    return "Type the code", join([intro, _form(visit, [field(asked, focus=True)], button("Confirm"), back)])


def _result(
    call: Call, row: Row, record: Mapping[str, Any], visit: Visit, wrong: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[str, Markup]:
    stored = call.record("connections", call.find("connections", visit.connection or "").seq)
    name, status = stored["datasource"]["name"], stored["status"]
    facts = element(
        "dl",
        *(
            part
            for term, value in (("Provider", name), ("User name", stored["username"]), ("Status", status))
            for part in (element("dt", term), element("dd", element("bdi", str(value))))
        ),
    )
    if status == "CONNECTED":
        title, kind, words = (
            "It is connected",
            "good",
            "The login works, and bills are collected from now on. Thank you!",
        )
    elif status == "PENDING":
        title, kind = "It will be checked", "wait"
        words = "Thank you! The login is tried within days, and you need not do anything until then."
    elif status in CUSTOMER:
        title, kind = "The login did not work", "bad"
        words = stored["statusErrorDetail"] or "The provider did not let us in with it."
    else:
        title, kind, words = "It is stored", "wait", "Thank you! The login is stored, but cannot be used at the moment."
    said = element("p", words, class_=f"notice {kind}", role="status")
    if status in CUSTOMER:
        return title, join([said, facts, _form(visit, [], button("Enter it again"))])
    return title, join([said, facts, element("p", "You can close this page.")])


_PAGES: Final[dict[str, Callable[..., tuple[str, Markup]]]] = {
    "email": _email,
    "provider": _provider,
    "login": _login,
    "code": _code,
    "result": _result,
}


def _provider_named(call: Call, record: Mapping[str, Any], visit: Visit) -> tuple[str, str]:
    """Return the name and the address of the provider that the login is of."""
    there = visit.connection or record["connectionId"]
    if there is None:
        return provider_name(visit.url), visit.url
    stored = call.record("connections", call.find("connections", there).seq)
    return str(stored["datasource"]["name"]), str(stored["url"])


def _named(name: str) -> Markup:
    return element("bdi", element("strong", name))

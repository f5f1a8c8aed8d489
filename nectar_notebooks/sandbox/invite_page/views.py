"""Where requests for an invited person's page come in: who may enter, which page they get, which forms are taken.

The address of an invitation is its secret, so that the page takes no key. A form is taken only with the id of its
visit, from this very page: the browser says where a form comes from (`loopback`). After each form the browser is led
back to the page by its address, so that loading it anew sends nothing twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Request, Response

from nectar_notebooks.loopback import foreign_host, foreign_page
from nectar_notebooks.sandbox.connections.invitations import opened, shown
from nectar_notebooks.sandbox.handlers.request import Call, Row, inside
from nectar_notebooks.sandbox.invite_page.pages import gone, page, policy, refused
from nectar_notebooks.sandbox.invite_page.steps import Entry, RefusedError, Visit, Visits, take
from nectar_notebooks.sandbox.model import ProblemError

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.context import Context

__all__ = ["InvitePage", "refuse_form"]

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # the address is a secret; no referrer at all would hide where a form is from
    "X-Content-Type-Options": "nosniff",
}


class InvitePage:
    """Answers every request for the page of an invitation."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._visits = Visits()

    def answer(self, token: str, request: Request) -> Response:
        """Answer with the page of the invitation that has this token."""
        if request.method not in ("GET", "HEAD", "POST"):
            return _html(refused("This page is opened, and its forms are sent; nothing else."), 405)
        if foreign_host(request.environ):
            return refuse_form("This page is asked for by an address of this machine alone.")
        if _brought_elsewhere(request) and foreign_page(request.environ):
            return refuse_form("It did not come from this page. Open the invitation again.")
        with self._context.state.reading():
            call = inside(self._context)
            found = call.db.execute("SELECT seq, company FROM invitations WHERE token = ?", (token,)).fetchone()
            if found is None:
                return _html(gone("UNKNOWN"), 404)
            row = Row(*found)
            record = call.record("invitations", row.seq)
        try:
            if request.method == "POST":
                return self._form(call, row, record["token"], request)
            return self._page(call, row, record, request)
        except ProblemError:  # what it is about was removed meanwhile
            return _html(gone("UNKNOWN"), 404)

    def _page(self, call: Call, row: Row, record: dict[str, Any], request: Request) -> Response:
        visit = self._visits.find(request.args.get("visit", ""), record["token"])
        if over := _over(call, record, visit):
            return over
        if visit is not None:
            with call.state.reading():
                return _html(page(call, row, record, visit))
        if request.method == "HEAD":  # whoever looks whether a link works has not opened it
            return _html("")
        with call.state.writing():
            opened(call.context, row.seq, record)
            visit = self._visits.begin(record)
        return _led_back(visit)

    def _form(self, call: Call, row: Row, token: str, request: Request) -> Response:
        form = request.form
        wrong: dict[str, str] = {}
        try:
            with call.state.writing():  # a second press waits, and finds the step taken
                record = call.record("invitations", row.seq)
                visit = self._visits.find(form.get("visit", ""), token)
                if over := _over(call, record, visit):
                    return over
                if visit is None:
                    return Response(status=303, headers={"Location": f"/p/i/{token}", **_headers()})
                if form.get("step") == visit.step:
                    take(Entry(call, row, record, visit, form))
        except RefusedError as error:
            wrong = error.fields
        assert visit is not None  # noqa: S101 - it was found before a form of it was refused
        if not wrong:
            return _led_back(visit)
        typed = {name: form.get(name, "") for name in ("email", "url", "country", "username", "code")}
        visit_sites = tuple(form.getlist("sites"))
        if visit.step == "provider":
            visit.sites = visit_sites
        with call.state.reading():
            record = call.record("invitations", row.seq)
            return _html(page(call, row, record, visit, wrong, typed), 400)


def _over(call: Call, record: dict[str, Any], visit: Visit | None) -> Response | None:
    """Return the page of an invitation that cannot be used, where it is one.

    Who has entered a login sees what came of it all the same, and may mend it while nothing else has ended it.
    """
    status = shown(call.context, record)["status"]
    entered = visit is not None and visit.connection is not None
    if status == "ACTIVE" or (entered and (status == "FULFILLED" or (visit is not None and visit.step == "result"))):
        return None
    return _html(gone(status, record), 410)


def refuse_form(why: str) -> Response:
    """Return the page that says why a form is not taken, or a page not shown."""
    return _html(refused(why), 403)


def _brought_elsewhere(request: Request) -> bool:
    """Say whether a foreign page may not ask this: it sends a form, or fetches what people open by a link."""
    return request.method == "POST" or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"


def _led_back(visit: Visit) -> Response:
    return Response(status=303, headers={"Location": f"/p/i/{visit.token}?visit={visit.id}", **_headers()})


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, _headers(), content_type="text/html; charset=utf-8")


def _headers() -> dict[str, str]:
    return {"Content-Security-Policy": policy(), **_HEADERS}

"""The WSGI application: routes on Flask, the key, one form of error, the journal around it all.

It holds no state of its own: it asks the sandbox that made it. Which handler answers a path stands in
`router`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.routing import Rule

from nectar_notebooks.loopback import foreign_host, refusal
from nectar_notebooks.sandbox.contract import check_request, document, reference_page
from nectar_notebooks.sandbox.handlers.jobs import original
from nectar_notebooks.sandbox.handlers.request import Answer, Arguments, Body, Call, inside
from nectar_notebooks.sandbox.http.control import act
from nectar_notebooks.sandbox.http.parsing import read, read_json
from nectar_notebooks.sandbox.http.router import ROUTES, VERSIONS, Router
from nectar_notebooks.sandbox.http.serving import KEY, ORIGIN
from nectar_notebooks.sandbox.invite_page.views import InvitePage, refuse_form
from nectar_notebooks.sandbox.model import FILES, PAGES, ProblemError, bad_fields, dumps
from nectar_notebooks.sandbox.presentation.versions import View
from nectar_notebooks.sandbox.simulation.drift import drift
from nectar_notebooks.sandbox.store.keys import OWN_ENVIRONMENT
from nectar_notebooks.sandbox.webhooks.portal import page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from nectar_notebooks.sandbox.http.control import Controlled

__all__ = ["make_app"]

_JSON: Final = "application/json"
_NOTHING: Final = "There is nothing at this path: check the version and the spelling."
#: The header that says which embedded sandbox answered. The real API sends none.
_IDENTITY: Final = "Nectar-Embedded-Sandbox"
#: Where only that is asked for: it takes no key and stands in no journal.
_WHO: Final = "/_sandbox/identity"
_PAGE: Final = "<!doctype html><title>Please wait</title><p>We will be right back.</p>"
#: More than the largest upload, so that a file that is too large is refused by name.
_LARGEST_BODY: Final = 64 * 1024 * 1024


def make_app(sandbox: Controlled) -> Flask:
    """Return the application that answers for `sandbox`."""
    app = Flask("nectar_notebooks.sandbox", static_folder=None, template_folder=None)
    app.config |= {"MAX_CONTENT_LENGTH": _LARGEST_BODY, "MAX_FORM_MEMORY_SIZE": _LARGEST_BODY}
    answers = _Answers(sandbox)
    for path, answer in (
        ("/<version>/<path:path>", answers.api),
        ("/openapi.json", answers.newest),
        ("/docs", answers.newest),
        ("/<version>/openapi.json", answers.contract),
        ("/<version>/docs", answers.reference),
        ("/_sandbox/<path:path>", answers.own),
        ("/bills/<document_id>.pdf", answers.original),
        ("/webhooks/<token>", answers.portal),
        ("/p/i/<token>", answers.invited),
    ):
        app.url_map.add(Rule(path, endpoint=path))  # of any method: what a path answers is the routes' to say
        app.view_functions[path] = answer
    app.before_request(_refuse_others)
    app.register_error_handler(ProblemError, _problem)
    app.register_error_handler(HTTPException, _http_error)
    app.wsgi_app = _Journaling(app.wsgi_app, sandbox)  # type: ignore[method-assign]  # Flask's documented way
    return app


class _Answers:
    """Answers every path."""

    def __init__(self, sandbox: Controlled) -> None:
        self.sandbox = sandbox
        self.context = context = sandbox.context
        self.router = Router(ROUTES)
        self.invite_page = InvitePage(context)
        self.views = {
            mount: View(version, context.switches, context.documented_only) for mount, version in VERSIONS.items()
        }

    def api(self, version: str, path: str) -> Response:
        """Answer a path of the API: find the route, check the key and the request, ask its function."""
        view = self._view(version)
        routes, values = self.router.find(path)
        if not routes:
            raise ProblemError(404, _NOTHING)
        method = "GET" if request.method == "HEAD" else request.method
        context, state = self.context, self.context.state
        route, names = routes.get(method) or next(iter(routes.values()))
        request.environ["nectar.route"] = route.path
        if faulty := self._fault(path, values):
            return faulty
        only = OWN_ENVIRONMENT if context.switches.other_environment == "refused" else None
        key = context.keys.check(self._key(), only)
        if method not in routes:
            raise _refuse_method(method, routes)
        if route.assumed and context.documented_only:
            raise ProblemError(404, f"The documentation does not name {method} on this path.")
        body = Body() if method == "GET" else read(request, method, route.path)
        query = request.args.to_dict(flat=False) if request.args else {}
        if wrong := check_request(view.version, method, route.path, query, body.fields):
            raise bad_fields(wrong)
        with state.reading() if method == "GET" else state.writing():
            call = Call(context, key, view, Arguments(query), body, method == "POST")
            return _response(route.answer(call, **dict(zip(names, values, strict=True))))

    def newest(self) -> Response:
        """Lead whoever leaves the version out to the newest one's contract or page."""
        return Response(status=302, headers={"Location": f"/{next(iter(VERSIONS))}{request.path}"})

    def contract(self, version: str) -> Response:
        """Answer the contract of a version; it takes no key."""
        found = document(self._view(version).version, documented_only=self.context.documented_only)
        return Response(dumps(found), content_type=_JSON)

    def reference(self, version: str) -> Response:
        """Answer the contract as a page for people; it takes no key."""
        page = reference_page(self._view(version).version, documented_only=self.context.documented_only)
        return Response(page, content_type="text/html; charset=utf-8")

    def own(self, path: str) -> Response:
        """Answer one of the sandbox's own paths."""
        request.environ["nectar.route"] = f"/_sandbox/{path}"
        body = read_json(request)
        return Response(dumps(act(self.sandbox, request.method, path, self._key(), body)), content_type=_JSON)

    def original(self, document_id: str) -> Response:
        """Answer the original file of a bill; it takes no key, as its address is the secret."""
        request.environ["nectar.route"] = "/bills/{document_id}.pdf"
        with self.context.state.reading():
            return Response(original(inside(self.context), document_id), content_type="application/pdf")

    def portal(self, token: str) -> Response:
        """Answer the play page of the webhooks; it takes no key, as its address is the secret."""
        request.environ["nectar.route"] = "/webhooks/{token}"
        if foreign_host(request.environ):
            raise ProblemError(403, "This page is asked for by an address of this machine alone.")
        if request.method not in ("GET", "HEAD"):
            raise _refuse_method(request.method, ["GET"])
        found = page(self.context, self.sandbox.webhooks, token, request.args.get("until", ""))
        if found is None:
            raise ProblemError(404, "This page does not exist, or its seven days are over.")
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",  # its address is the secret
        }
        return Response(found, headers=headers, content_type="text/html; charset=utf-8")

    def invited(self, token: str) -> Response:
        """Answer the page of an invitation; it takes no key, as its address is the secret."""
        request.environ["nectar.route"] = "/p/i/{token}"
        return self.invite_page.answer(token, request)

    def _key(self) -> str | None:
        return self.context.keys.recognise(request.headers.get("X-API-Key"), request.environ.get(KEY))

    def _view(self, version: str) -> View:
        view = self.views.get(version)
        if view is None:
            raise ProblemError(404, _NOTHING)
        return view

    def _fault(self, path: str, values: list[str]) -> Response | None:
        """Let the plan's faults happen; return what is answered instead, if one says so."""
        for fault in self.context.faults.hit(f"/{path}") if len(self.context.faults) else ():
            if fault.drift is not None:
                with self.context.state.writing():
                    drift(self.context.state, fault.drift, values[0] if values else "")
            elif fault.status is not None:
                headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
                if fault.html:
                    return Response(_PAGE, fault.status, headers, content_type="text/html; charset=utf-8")
                raise ProblemError(fault.status, "This fault was planned.", headers=headers)
        return None


def _refuse_others() -> Response | None:
    """Answer what comes to a served sandbox from elsewhere; in process there is no elsewhere."""
    why = refusal(request.environ) if ORIGIN in request.environ else None
    if why is None:
        return None
    if request.path.startswith("/p/i/"):
        return refuse_form(why)
    return _problem(ProblemError(403, why))


def _refuse_method(method: str, routes: Collection[str]) -> ProblemError:
    allowed = ", ".join(sorted({*routes, "HEAD"} if "GET" in routes else routes))
    return ProblemError(405, f"This path does not answer {method}.", headers={"Allow": allowed})


def _response(answer: Answer) -> Response:
    if answer.status == 204:
        return Response(status=204)
    text = answer.text
    if origin := request.environ.get(ORIGIN):  # served: originals and pages lie at the address that was asked
        text = text.replace(FILES.encode(), origin.encode()).replace(PAGES.encode(), f"{origin}/p/i/".encode())
    return Response(text, answer.status, content_type=_JSON)


def _problem(problem: ProblemError) -> Response:
    return Response(dumps(problem.body()), problem.status, problem.headers, content_type=_JSON)


def _http_error(error: HTTPException) -> Response:
    """Answer what the framework refuses (no such path, wrong method, too large) in the API's form."""
    original = error.get_response()
    headers = {"Allow": original.headers["Allow"]} if "Allow" in original.headers else {}
    detail = error.description or "The request could not be answered."
    return Response(dumps({"detail": detail}), error.code or 500, headers, content_type=_JSON)


class _Journaling:
    """Notes each request in the sandbox's journal; each answer says who gave it, and when by the sandbox's clock."""

    def __init__(self, inner: WSGIApplication, sandbox: Controlled) -> None:
        self.inner = inner
        self.sandbox = sandbox
        self.context = sandbox.context

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == _WHO and not (ORIGIN in environ and foreign_host(environ)):
            start_response("200 OK", [("Content-Type", _JSON), (_IDENTITY, self.sandbox.identity)])
            return [dumps({"identity": self.sandbox.identity})]
        journal = self.context.journal
        concurrency = journal.enter()
        status = 500

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            date = ("Date", http_date(self.context.clock.now()))  # a server that finds none would write the machine's
            return start_response(line, [*headers, date, (_IDENTITY, self.sandbox.identity)], exc_info)

        try:
            return self.inner(environ, start)
        finally:
            journal.leave()
            journal.note(
                time=self.context.now,
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                query=environ.get("QUERY_STRING", ""),
                route=environ.get("nectar.route"),
                status=status,
                concurrency=concurrency,
            )

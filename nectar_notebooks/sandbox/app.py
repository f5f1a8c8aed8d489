"""The WSGI application: routes on Flask, the key, one form of error, the journal around it all.

It holds no state of its own: it asks the sandbox that made it. Which function answers a path stands in
`routes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from nectar_notebooks.sandbox import keys
from nectar_notebooks.sandbox.bodies import Body, read
from nectar_notebooks.sandbox.calls import Answer, Call
from nectar_notebooks.sandbox.contract import check_request
from nectar_notebooks.sandbox.problems import ProblemError, bad_fields
from nectar_notebooks.sandbox.router import Router
from nectar_notebooks.sandbox.routes import ROUTES, VERSIONS
from nectar_notebooks.sandbox.text import dumps, moment
from nectar_notebooks.sandbox.views import View

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from nectar_notebooks.sandbox.core import Sandbox

__all__ = ["make_app"]

_JSON: Final = "application/json"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def make_app(sandbox: Sandbox) -> Flask:
    """Return the application that answers for `sandbox`."""
    app = Flask("nectar_notebooks.sandbox", static_folder=None, template_folder=None)
    api = _Api(sandbox)
    app.add_url_rule("/<version>/<path:path>", "api", api.answer, methods=_METHODS, provide_automatic_options=False)
    app.register_error_handler(ProblemError, _problem)
    app.register_error_handler(HTTPException, _http_error)
    app.wsgi_app = _Journaling(app.wsgi_app, sandbox)  # type: ignore[method-assign]  # Flask's documented way
    return app


class _Api:
    """Answers every path of every version."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.router = Router(ROUTES)
        self.views = {
            mount: View(version, sandbox.switches, sandbox.documented_only) for mount, version in VERSIONS.items()
        }

    def answer(self, version: str, path: str) -> Response:
        """Find the route, check the key, answer."""
        view = self.views.get(version)
        routes, values = self.router.find(path)
        if view is None or not routes:
            raise ProblemError(404, "There is nothing at this path: check the version and the spelling.")
        method = "GET" if request.method == "HEAD" else request.method
        sandbox = self.sandbox
        route, names = routes.get(method) or next(iter(routes.values()))
        request.environ["nectar.route"] = route.path
        state = sandbox.state
        with state.reading() as db:
            key = keys.check(db, request.headers.get("X-API-Key"), sandbox.clock.now())
        if method not in routes:
            raise _refuse_method(method, routes)
        if route.assumed and sandbox.documented_only:
            raise ProblemError(404, f"The documentation does not name {method} on this path.")
        body = Body() if method == "GET" else read(request, method, route.path)
        query = request.args.to_dict(flat=False) if request.args else None
        if wrong := check_request(view.version, method, route.path, query, body.fields):
            raise bad_fields(wrong)
        with state.reading() if method == "GET" else state.writing():
            call = Call(sandbox, key, view, request.args, body)
            return _response(route.answer(call, **dict(zip(names, values, strict=True))))


def _refuse_method(method: str, routes: Collection[str]) -> ProblemError:
    allowed = ", ".join(sorted({*routes, "HEAD"} if "GET" in routes else routes))
    return ProblemError(405, f"This path does not answer {method}.", headers={"Allow": allowed})


def _response(answer: Answer) -> Response:
    if answer.status == 204:
        return Response(status=204)
    return Response(answer.text, answer.status, content_type=_JSON)


def _problem(problem: ProblemError) -> Response:
    return Response(dumps(problem.body()), problem.status, problem.headers, content_type=_JSON)


def _http_error(error: HTTPException) -> Response:
    """Answer what the framework refuses (no such path, wrong method, too large) in the API's form."""
    original = error.get_response()
    headers = {"Allow": original.headers["Allow"]} if "Allow" in original.headers else {}
    detail = error.description or "The request could not be answered."
    return Response(dumps({"detail": detail}), error.code or 500, headers, content_type=_JSON)


class _Journaling:
    """Notes each request in the sandbox's journal, with how many ran at once."""

    def __init__(self, inner: WSGIApplication, sandbox: Sandbox) -> None:
        self.inner = inner
        self.sandbox = sandbox

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        journal = self.sandbox.journal
        concurrency = journal.enter()
        status = 500

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info)

        try:
            return self.inner(environ, start)
        finally:
            journal.leave()
            journal.note(
                time=moment(self.sandbox.clock.now()),
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                query=environ.get("QUERY_STRING", ""),
                route=environ.get("nectar.route"),
                status=status,
                concurrency=concurrency,
            )

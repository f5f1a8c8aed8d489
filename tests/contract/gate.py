"""A server that only checks: it refuses what the contract's request checks refuse, and else answers an example.

It holds no state but what was deleted. With it schemathesis tries the checks of all writes in every media type,
whatever the sandbox answers by now.
"""

from __future__ import annotations

import json
from typing import Any

from contract.answers import Contract
from contract.examples import FULL, without
from werkzeug.wrappers import Request, Response

from nectar_notebooks.sandbox import contract

KEY = "gate-key"
#: How a PDF, a PNG and a JPG begin.
BILLS = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff")


class Gate:
    """A WSGI application for one version."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.contract = Contract(version)
        self.deleted: set[str] = set()
        self.made = 0
        self.examples = _examples(self.contract.document, version)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        with Request(environ) as request:
            return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix(self.contract.mount)
        known = [template for _, pattern, template in self.contract._routes if pattern.fullmatch(path)]
        allowed = sorted({method.upper() for template in known[:1] for method in self._methods(template)})
        template = self.contract.route(request.method, path)
        if not known:
            return _json({"detail": "There is nothing at this path."}, 404)
        if request.headers.get("X-API-Key") != KEY:
            return _json({"detail": "The API key is missing or wrong."}, 401)
        if template is None:
            return _json({"detail": "Method not allowed."}, 405, Allow=", ".join(allowed))
        if self.deleted & set(path.split("/")):
            return _json({"detail": "No such object."}, 404)
        try:
            problems = self._problems(request, template)
        except ValueError:
            problems = {"body": "is no JSON."}
        if problems:
            said = " ".join(f"{name}: {message}" for name, message in problems.items())
            return _json({"detail": said, **{name: [message] for name, message in problems.items()}}, 400)
        return self._success(request.method, template, path)

    def _methods(self, template: str) -> dict[str, Any]:
        methods: dict[str, Any] = self.contract.document["paths"][template]
        return methods

    def _problems(self, request: Request, template: str) -> dict[str, str]:
        query = request.args.to_dict(flat=False)
        body: Any = None
        if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            files = {name: [file.filename or ""] for name, file in request.files.items()}
            if any(not file.stream.read(8).startswith(BILLS) for file in request.files.values()):
                return {"document": "is no PDF, PNG or JPG."}
            body = contract.read_form(request.method, template, request.form.to_dict(flat=False) | files)
        elif request.data:
            body = json.loads(request.data)
            if body is None:
                return {"body": "must be an object."}
        return contract.check_request(self.version, request.method, template, query, body)

    def _success(self, method: str, template: str, path: str) -> Response:
        answers = self._methods(template)[method.lower()]["responses"]
        status = next(status for status in answers if status.startswith("2"))
        if status == "204":
            self.deleted.add(path.rpartition("/")[2])
            return Response(status=204)
        schema = answers[status]["content"]["application/json"]["schema"]
        body = self.examples[json.dumps(schema, sort_keys=True)]
        if status == "201":
            self.made += 1
            body = body | {"id": f"made-{self.made}"}
        return _json(body, int(status))


def _json(body: Any, status: int, **headers: str) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json")


def _examples(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Return an example by the schema of an answer, from the hand-written ones."""
    found: dict[str, Any] = {}
    for (method, path, status), body in FULL.items():
        if status < 300:
            schema = document["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]
            found[json.dumps(schema, sort_keys=True)] = body if version == "v2.2" else _older(body)
    component = "#/components/schemas/"
    objects = {
        name.removeprefix('{"$ref": "' + component).removesuffix('"}'): body
        for name, body in found.items()
        if name.startswith('{"$ref"')
    }
    pages = {"AccountPage": ("accounts", "Account"), "MeterPage": ("meters", "Meter"), "JobPage": ("jobs", "Job")}
    for page, (things, item) in pages.items():
        envelope = objects["SitePage"]
        total = f"total{things[0].upper()}{things[1:]}"
        found[json.dumps({"$ref": component + page})] = without(envelope, "totalSites", "sites") | {
            total: 1,
            things: [objects[item]],
        }
    invitation = without(objects["InvitationDetails"], "events")
    found[json.dumps({"$ref": component + "Invitation"})] = invitation
    found[json.dumps({"$ref": component + "Company"})] = found[
        json.dumps({"items": {"$ref": component + "Company"}, "type": "array"}, sort_keys=True)
    ][0]
    found[json.dumps({"items": {"$ref": component + "Account"}, "type": "array"}, sort_keys=True)] = [
        objects["Account"]
    ]
    return found


def _older(part: Any) -> Any:
    """Return an example without what v2.1 and v2.0 do not have."""
    if isinstance(part, list):
        return [_older(item) for item in part]
    if isinstance(part, dict):
        return {key: _older(item) for key, item in part.items() if key not in ("timeOfUseBreakdown", "demandMeters")}
    return part

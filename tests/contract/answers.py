"""Hold any answer of the API to the contract: for this room's tests and everybody else's.

    from contract.answers import CheckedApp, Contract

    checked = CheckedApp(sandbox.app)              # a WSGI application that notes what does not fit
    nn.connect(app=checked) ...
    assert checked.mismatches == []

    Contract("v2.2").check("GET", "/v2.2/company", 200, "application/json", body)

The schemas are closed on purpose: a field that the contract does not know is a mismatch of *our* sandbox,
although readers must keep such fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import jsonschema_rs

from nectar_notebooks.sandbox import contract

MOUNTS = contract.MOUNTS


class MismatchError(AssertionError):
    """An answer that is not what the contract says."""


class Contract:
    """One version's contract, ready to check answers."""

    def __init__(
        self, version: str, *, documented_only: bool = False, closed: bool = True, document: Any = None
    ) -> None:
        self.version = version
        self.mount = MOUNTS[version]
        self.document = document or contract.document(version, documented_only=documented_only)
        self._schemas = _closed(self.document["components"]) if closed else self.document["components"]
        self._routes = sorted(
            (
                (["{" in step for step in path.split("/")], re.compile(_pattern(path)), path)
                for path in self.document["paths"]
            ),
            key=lambda route: route[0],
        )
        self._validators: dict[str, Any] = {}

    def route(self, method: str, path: str) -> str | None:
        """Return the path template that `path` (below the mount) means; the one with more literal steps wins."""
        found = [template for _, pattern, template in self._routes if pattern.fullmatch(path)]
        for template in found:
            if method.lower() in self.document["paths"][template]:
                return template
        return None

    def problems(self, method: str, path: str, status: int, content_type: str, body: bytes) -> list[str]:
        """Return what is wrong with an answer; `path` begins with the version's mount."""
        below = path.removeprefix(self.mount)
        template = self.route(method, below.rstrip("/") or "/")
        if template is None:
            if status not in (404, 405):
                return [f"{method} {path} is not in the contract of {self.version} and answers {status}"]
            return self._schema_problems(f"{method} {path} {status}", {"$ref": "#/components/schemas/Error"}, body)
        where = f"{method} {template} {status}"
        answers = self.document["paths"][template][method.lower()]["responses"]
        if str(status) not in answers:
            return [f"{where}: this status is not in the contract, which has {', '.join(answers)}: {body[:200]!r}"]
        answer = answers[str(status)]
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        if "content" not in answer:
            return [] if body == b"" else [f"{where}: should be empty, is {body[:80]!r}"]
        media = content_type.partition(";")[0]
        if media not in answer["content"]:
            return [f"{where}: the content type is {media!r}"]
        return self._schema_problems(where, answer["content"][media]["schema"], body)

    def check(self, method: str, path: str, status: int, content_type: str, body: bytes) -> None:
        """Raise where an answer does not fit."""
        problems = self.problems(method, path, status, content_type, body)
        if problems:
            raise MismatchError("\n".join(problems))

    def _schema_problems(self, where: str, schema: dict[str, Any], body: bytes) -> list[str]:
        name = json.dumps(schema, sort_keys=True)
        if name not in self._validators:
            self._validators[name] = jsonschema_rs.Draft202012Validator(
                _closed(schema) | {"components": self._schemas}, validate_formats=True
            )
        try:
            instance = json.loads(body)
        except ValueError as error:
            return [f"{where}: no JSON: {error}: {body[:80]!r}"]
        return [
            f"{where}: {_where(error.instance_path)}: {error.message[:300]}"
            for error in self._validators[name].iter_errors(instance)
        ]


@cache
def contract_of(version: str, documented_only: bool = False) -> Contract:
    return Contract(version, documented_only=documented_only)


def version_of(path: str) -> str | None:
    """Return the version that answers a path of the API, None for a path outside."""
    return next((version for version, mount in MOUNTS.items() if path.startswith(f"{mount}/")), None)


def check_response(response: Any) -> None:
    """Hold a response of `requests` to the contract of the version it was asked from."""
    path = re.sub(r"^https?://[^/]+", "", response.url).partition("?")[0]
    version = version_of(path)
    assert version is not None, f"{response.url} is no address of the API"
    contract_of(version).check(
        response.request.method,
        path,
        response.status_code,
        response.headers.get("Content-Type", ""),
        response.content,
    )


class CheckedApp:
    """A WSGI application that answers as `app` does and notes in `mismatches` what does not fit the contract.

    `seen` counts the answers by method, path template and status. Pages of the sandbox itself (its documents, its
    admin routes) are passed through.
    """

    own_pages = ("/openapi.json", "/docs")

    def __init__(self, app: Any, *, documented_only: bool = False) -> None:
        self.app = app
        self.documented_only = documented_only
        self.mismatches: list[str] = []
        self.seen: dict[tuple[str, str, int], int] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started[:] = [int(status[:3]), dict(headers)]
            return start_response(status, headers, exc_info)

        answer = self.app(environ, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        self._note(environ["REQUEST_METHOD"], environ["PATH_INFO"], *started, body)
        return [body]

    def _note(self, method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
        version = version_of(path)
        if version is None or path.endswith(self.own_pages) or method in ("HEAD", "OPTIONS"):
            return
        checked = contract_of(version, self.documented_only)
        template = checked.route(method, path.removeprefix(checked.mount)) or path
        self.seen[method, template, status] = self.seen.get((method, template, status), 0) + 1
        self.mismatches += checked.problems(method, path, status, headers.get("Content-Type", ""), body)


def _pattern(path: str) -> str:
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))


def _where(path: list[Any]) -> str:
    return ".".join("[]" if isinstance(step, int) else str(step) for step in path) or "the answer"


def _closed(part: Any) -> Any:
    """Return `part` with every object schema closed to fields that it does not list."""
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(item) for name, item in part.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed

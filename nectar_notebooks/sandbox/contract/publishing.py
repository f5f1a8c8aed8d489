"""The contract as it is published, for readers and for generators of clients: leaner than what `/openapi.json` answers.

Of paths the canonical spelling, of bodies JSON (a file's upload alone is multipart), the formats of ids and moments, a
description for every operation, an example for every object and body. What is assumed stays marked; why, says
`docs/fidelity.md`.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Final

from nectar_notebooks.sandbox.contract.openapi import build, reached
from nectar_notebooks.sandbox.contract.operations import JSON
from nectar_notebooks.sandbox.contract.schemas import DATE_TIME, Json

__all__ = ["published"]

#: What a reader of the lean document does not need: reasons, links for tests, notes of the sandbox's own.
_LEFT_OUT: Final = (
    "links", "title", "x-nectar-assumption", "x-nectar-assumed-values", "x-nectar-assumed-values-why",
    "x-nectar-refuses",
)  # fmt: skip
_ID: Final = re.compile(r"'s id\.$|^Its id\.$|^Ids? of ")
_NO_UUIDS: Final = ("datasourceId", "externalId", "invoiceId", "publicCompanyId")
_UUID: Final = "3f2a9c41-d07e-4b1a-9c55-0c1d2e3f4a5b"
_BY_FORMAT: Final = {
    "uuid": _UUID, "date": "2025-01-31", "date-time": "2025-01-31T09:30:00Z", "email": "analyst@example.com",
    "binary": "bill.pdf",
}  # fmt: skip
_BY_NAME: Final = {
    "accountNumber": "0137746423", "address": "1 Main Street, Springfield", "country": "US", "description": "Supply",
    "detail": "name: is required.", "fileName": "bill.pdf", "name": "Springfield Depot", "status": "ok",
    "username": "springfield-depot", "url": "https://www.power.example/login", "value": "0137746423",
}  # fmt: skip
#: Tried in turn where a pattern must be met.
_CANDIDATES: Final = ("0.5", "US", "https://www.power.example/login", "2025-01-31", "Springfield Depot")


def published(version: str) -> Json:
    """Return the lean OpenAPI 3.1 document of a version.

    Parameters
    ----------
    version : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``; another one is a ``KeyError``.

    Examples
    --------
    >>> "/company/{company_id}/site" in published("v2.2")["paths"]
    False
    """
    whole = deepcopy(build(version))
    paths = {
        path: {method: _operation(operation) for method, operation in item.items()}
        for path, item in whole["paths"].items()
        if not any("x-nectar-alias-of" in operation for operation in item.values())
    }
    schemas = {name: _lean(schema, name) for name, schema in whole["components"]["schemas"].items()}
    schemas = {name: schemas[name] for name in reached(paths, schemas)}
    for item in paths.values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content["example"] = _example(content["schema"], "", schemas)
    for name in schemas:
        _show(schemas[name], name, schemas)
    info = {key: text for key, text in whole["info"].items() if not key.startswith("x-")}
    components = whole["components"] | {"schemas": schemas, "responses": _lean(whole["components"]["responses"], "")}
    return whole | {"info": info, "paths": paths, "components": components}


def _operation(operation: Json) -> Json:
    """Return an operation with a description, and of its body one spelling."""
    said = [f"{operation['summary']}.", operation.get("description", "")]
    if refuses := operation.get("x-nectar-refuses"):
        said.append(f"A body that fits may be refused for {', or '.join(refuses)}.")
    lean: Json = _lean(operation, "")
    lean["description"] = " ".join(part for part in said if part)
    if body := lean.get("requestBody"):
        media = JSON if JSON in body["content"] else next(iter(body["content"]))
        body["content"] = {media: body["content"][media]}
    return lean


def _lean(part: Any, name: str) -> Any:
    """Return a piece of the document without what is left out, with formats for ids and moments."""
    if isinstance(part, list):
        return [_lean(item, name) for item in part]
    if not isinstance(part, dict):
        return part
    lean = {
        key: {inner: _lean(schema, inner) for inner, schema in value.items()}
        if key == "properties"
        else _lean(value, part.get("name", name) if part.get("in") == "path" else name)
        for key, value in part.items()
        if key not in _LEFT_OUT
    }
    if lean.get("pattern") == DATE_TIME:
        del lean["pattern"]
        lean |= {"format": "date-time", "examples": [_BY_FORMAT["date-time"]]}
    elif _is_id(lean, name):
        lean["format"] = "uuid"
    return lean


def _is_id(schema: Json, name: str) -> bool:
    kind = schema.get("type")
    if kind not in ("string", ["string", "null"]) or schema.keys() & {"format", "pattern", "enum"}:
        return False
    named = name in ("id", "meter", "account", "site") or name.endswith(("Id", "Ids", "_id"))
    return name not in _NO_UUIDS and (named or bool(_ID.search(schema.get("description", ""))))


def _show(part: Any, name: str, schemas: Json) -> None:
    """Give every object an example."""
    if isinstance(part, list):
        for item in part:
            _show(item, name, schemas)
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        if key == "properties":
            for inner, schema in value.items():
                _show(schema, inner, schemas)
        elif key not in ("examples", "example", "default"):
            _show(value, name, schemas)
    if "object" in _kinds(part):
        part["examples"] = [_example(part, name, schemas)]


def _kinds(schema: Json) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _example(schema: Json, name: str, schemas: Json) -> Any:
    """Return a value that fits a schema."""
    if "$ref" in schema:
        target = schema["$ref"].rpartition("/")[2]
        return _example(schemas[target], name, schemas)
    for given in ("default", "const"):
        if given in schema:
            return schema[given]
    kinds = _kinds(schema)
    if "object" in kinds:
        return {inner: _example(part, inner, schemas) for inner, part in schema.get("properties", {}).items()}
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], name, schemas)
    if "array" in kinds:
        return [_example(schema["items"], name, schemas)]
    if "boolean" in kinds:
        return False
    if "integer" in kinds or "number" in kinds:
        return max(1, schema.get("minimum", 1))
    return _text(schema, name)


def _text(schema: Json, name: str) -> str:
    if "format" in schema:
        return _BY_FORMAT[schema["format"]]
    wanted = _BY_NAME.get(name, "Springfield Depot")
    pattern = schema.get("pattern", "")
    return next(text for text in (wanted, *_CANDIDATES) if re.search(pattern, text))

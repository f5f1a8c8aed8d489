"""The OpenAPI 3.1 document of a version, put together from the endpoint table and the component schemas.

Links are derived: whatever an answer makes or lists can be handed to every operation whose path takes the id of
such a thing. Which requests fit the document is decided in `requests`; what is assumed is read out of it by
`assumed`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from nectar_notebooks.sandbox.contract.bills import BILLS
from nectar_notebooks.sandbox.contract.inputs import FORMS, INPUTS
from nectar_notebooks.sandbox.contract.objects import OBJECTS
from nectar_notebooks.sandbox.contract.operations import JSON, Body, Operation
from nectar_notebooks.sandbox.contract.parameters import path_id
from nectar_notebooks.sandbox.contract.paths import OPERATIONS, PAGES, TAGS
from nectar_notebooks.sandbox.contract.schemas import Json, ref
from nectar_notebooks.sandbox.contract.sharing import SHARING
from nectar_notebooks.sandbox.contract.versions import DIFFERENCES, MOUNTS, Difference

__all__ = ["all_operations", "build", "reached"]

_REF: Final = re.compile(r"^#/components/schemas/(\w+)$")

#: What answers carry an id of: component to the path parameter that takes it.
_TAKES: Final = {
    "Account": "account_id",
    "Company": "company_id",
    "Connection": "connection_id",
    "Document": "document_id",
    "Invitation": "invitation_id",
    "Job": "job_id",
    "Meter": "meter_id",
    "Site": "site_id",
    "UsageData": "usage_data_id",
}

_GENERAL: Final = (
    "The base address is the same for both environments: the key decides.",
    "An expiry date of a key is optional.",
    "Rows come in a fixed order, by `created`, then `id`.",
    "Timestamps without a zone are in UTC.",
    "An unknown value of a set and a malformed date are a 400; parameters and fields that are not listed are ignored.",
)

#: The embedded sandbox's own use of a connection, with the credentials that Nectar publishes for its mock utility.
_MOCK_LOGIN: Final = {
    "url": "https://nectarclimate.com",
    "username": "nectar-sandbox-username",
    "password": "nectar-sandbox-password",
    "country": "US",
}


@cache
def all_operations() -> tuple[Operation, ...]:
    """Return every operation: those of the reference, each followed by the guides' spelling where there is one."""
    both = ((operation, operation.nested()) for operation in OPERATIONS)
    return tuple(operation for pair in both for operation in pair if operation is not None)


def build(version: str) -> Json:
    """Return the document of `version`; its parts are shared, so that it is only to be read.

    Raises
    ------
    KeyError
        A version that is none of v2.2, v2.1, v2.0.
    """
    difference = DIFFERENCES[version]
    paths: dict[str, Json] = {}
    for operation in all_operations():
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, difference)
    components = OBJECTS | BILLS | SHARING | PAGES | INPUTS
    schemas = {name: difference.of(name, components[name]) for name in sorted(components)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nectar API, as the embedded sandbox answers it",
            "version": version,
            "description": f"{difference.says} Written by the makers of nectar_notebooks from Nectar's public "
            "documentation, in their own words; not published or endorsed by Nectar. What the documentation does not "
            "say is marked: `x-nectar-assumed` on what may not exist, `x-nectar-assumed-reading` on what exists and "
            "may be meant otherwise, `x-nectar-assumed-values` on values. Readers keep fields and values that are not "
            "listed here.",
            "x-nectar-assumptions": list(_GENERAL),
        },
        "servers": [
            {"url": MOUNTS[version], "description": "The server that this document came from."},
            {"url": f"https://external.nectarclimate.com{MOUNTS[version]}", "description": "Nectar."},
        ],
        "security": [{"key": []}],
        "tags": [{"name": name, "description": says} for name, says in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "An API key of the organization, on every request; never in an address.",
                }
            },
            "responses": _refusals(),
            "schemas": reached(paths, schemas),
        },
    }


def _operation(operation: Operation, difference: Difference) -> Json:
    parameters = [_with_default(parameter, operation, difference) for parameter in operation.parameters]
    if operation.path_parameter:
        parameters.insert(0, path_id(operation.path_parameter))
    result: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        **({"description": operation.description} if operation.description else {}),
        **({"deprecated": True} if operation.deprecated else {}),
        **({"x-nectar-alias-of": operation.alias_of} if operation.alias_of else {}),
        **_mark("x-nectar-assumed", operation.assumed),
        **({"x-nectar-refuses": list(operation.refuses)} if operation.refuses else {}),
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _body(operation.body)} if operation.body else {}),
        "responses": {str(operation.status): _success(operation), **_errors(operation)},
    }
    return result


def _mark(name: str, why: str) -> Json:
    return {name: True, "x-nectar-assumption": why} if why else {}


def _with_default(parameter: Json, operation: Operation, difference: Difference) -> Json:
    name = operation.name.removesuffix("Nested")
    default = difference.defaults.get(name, {}).get(parameter["name"])
    return parameter if default is None else parameter | {"schema": parameter["schema"] | {"default": default}}


def _body(body: Body) -> Json:
    content: Json = {}
    for media in body.media:
        silent = media != JSON and len(body.media) > 1 and not body.forms_documented
        why = "Forms are documented for creating a site." if silent else ""
        schema = body.schema if media == JSON or body.schema not in FORMS else FORMS[body.schema]
        content[media] = {"schema": ref(schema), **_mark("x-nectar-assumed-reading", why)}
    return {"required": body.required, "content": content}


def _success(operation: Operation) -> Json:
    answer: Json = {"description": "Done." if operation.answer is None else operation.summary + "."}
    if operation.status_assumed:
        answer |= _mark("x-nectar-assumed-reading", "201 is documented for creating a site only.")
    if operation.answer is not None:
        answer["content"] = {JSON: {"schema": operation.answer}}
    links = _links(operation)
    return answer | ({"links": links} if links else {})


def _errors(operation: Operation) -> Json:
    names = {"401": "Unauthorized", "429": "TooManyRequests"}
    if operation.body or operation.parameters:
        names["400"] = "BadRequest"
    if operation.name != "ping":
        names["403"] = "Forbidden"
    if operation.path_parameter:
        names["404"] = "NotFoundAsDocumented" if operation.missing_documented else "NotFound"
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in sorted(names.items())}


def _refusals() -> Json:
    content = {JSON: {"schema": ref("Error")}}
    said = {
        "BadRequest": "The input is refused; `detail` names the field.",
        "Unauthorized": "The key is missing, wrong, inactive or of the other environment.",
        "Forbidden": "Out of the key's scope, not visible to it, or a wrong id.",
        "NotFoundAsDocumented": "No such object.",
        "NotFound": "No such object.",
        "TooManyRequests": "Asked too often: wait, then ask again.",
    }
    answers: Json = {name: {"description": text, "content": content} for name, text in said.items()}
    answers["NotFound"] |= _mark("x-nectar-assumed-reading", "404 is documented for creating a site only.")
    answers["TooManyRequests"]["headers"] = {
        "Retry-After": {
            "description": "Seconds to wait.",
            "schema": {"type": "integer", "minimum": 0},
            **_mark("x-nectar-assumed", "429 is to be expected; how long to wait is not said to be answered."),
        }
    }
    return answers


# --- links -------------------------------------------------------------------------------------------


def _links(operation: Operation) -> Json:
    """Return where the answer of `operation` leads: from a creation, or from the first row of a list."""
    if operation.alias_of or operation.answer is None:
        return {}
    made = operation.answer.get("$ref", "").rpartition("/")[2]
    if operation.status == 201 and made in _TAKES:
        links = _onward(made, "$response.body#/id")
        return links | (_first_connection() if operation.name == "createSite" else {})
    if operation.method != "get":
        return {}
    if "items" in operation.answer:
        return _onward(operation.answer["items"]["$ref"].rpartition("/")[2], "$response.body#/0/id")
    if made in PAGES:
        rows = next(name for name, part in PAGES[made]["properties"].items() if part["type"] == "array")
        item = PAGES[made]["properties"][rows]["items"]["$ref"].rpartition("/")[2]
        return _onward(item, f"$response.body#/{rows}/0/id")
    return {}


def _onward(made: str, where: str) -> Json:
    taken = _TAKES.get(made)
    return {
        f"{made}To{operation.name[0].upper()}{operation.name[1:]}": {
            "operationId": operation.name,
            "parameters": {operation.path_parameter: where},
        }
        for operation in OPERATIONS
        if operation.path_parameter == taken
    }


def _first_connection() -> Json:
    """Return the link from a new site to a connection with Nectar's published mock credentials."""
    return {
        "SiteToCreateConnection": {
            "operationId": "createConnection",
            "parameters": {"company_id": "$request.path.company_id"},
            "requestBody": {**_MOCK_LOGIN, "sites": ["$response.body#/id"]},
        }
    }


# --- components --------------------------------------------------------------------------------------


def reached(paths: Json, schemas: dict[str, Json]) -> dict[str, Json]:
    """Return the component schemas that the paths lead to, directly or through others."""
    found: set[str] = set()
    waiting = {"Error", *_refs(paths)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _refs(schemas[name]) - found
    return {name: schema for name, schema in schemas.items() if name in found}


def _refs(part: object) -> set[str]:
    if isinstance(part, dict):
        match = _REF.match(part["$ref"]) if isinstance(part.get("$ref"), str) else None
        return ({match[1]} if match else set()).union(*(_refs(item) for item in part.values()))
    if isinstance(part, list | tuple):
        return set().union(*(_refs(item) for item in part))
    return set()

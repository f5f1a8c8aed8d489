"""Whether a request fits the contract: what is wrong with it, by field, in words for people.

Validators are compiled from the document's own schemas by jsonschema-rs, each once and only when a request first
needs it: a body is then checked in about 4 microseconds, and the library is loaded in 20 milliseconds (the pure
Python one takes ten times as long for either).
What only the state can tell (an unknown user, a foreign site) is checked where the request is answered; the
contract lists those reasons under ``x-nectar-refuses``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.sandbox.contract.inputs import FORMS
from nectar_notebooks.sandbox.contract.openapi import all_operations, build
from nectar_notebooks.sandbox.contract.operations import Operation
from nectar_notebooks.sandbox.contract.schemas import Json

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

__all__ = ["Form", "check_request", "read_form"]


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_TRUTH: Final = {"true": True, "false": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_LONGEST_LIST: Final = 20

_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}
_LIMITS: Final = {
    "maxLength": "may have at most {} characters",
    "minLength": "may not be empty",
    "maxItems": "may have at most {} entries",
    "minimum": "must be at least {}",
    "maximum": "may be at most {}",
}
_FORMATS: Final = {
    "date": "a date, YYYY-MM-DD",
    "date-time": "a date and time with a zone, such as 2025-01-31T09:30:00Z",
    "email": "an e-mail address",
}


class Form(dict[str, Any]):
    """The fields of a form: they are held to the form's schema, which cannot say all that JSON can."""


def check_request(
    version: str,
    method: str,
    path: str,
    query: Mapping[str, Sequence[str]] | None = None,
    body: object = None,
) -> dict[str, str]:
    """Return what is wrong with a request, by field; nothing where it fits.

    Parameters
    ----------
    version
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.
    method, path
        HTTP method and path template as in the contract, ``"/site/company/{company_id}"``; the nested spelling
        works too. Ids are opaque: whether one fits an object is the state's question.
    query
        Every value of every parameter, as ``request.args.to_dict(flat=False)`` gives them. Parameters that the
        contract does not list are ignored.
    body
        The decoded JSON; for a form what :func:`read_form` made of it; None where nothing was sent (JSON's null is no
        body that any write takes: whoever decodes it refuses it). An uploaded file stands as a text, its name, under
        the name of its part.

    Returns
    -------
    dict
        Field (of a nested one the path, ``"prefill.url"``) to message, ready for
        ``{"detail": ..., "<field>": ["<message>"]}``. A body that is no object stands under ``"body"``.

    Raises
    ------
    KeyError
        The contract has no such operation.

    Examples
    --------
    >>> check_request("v2.2", "POST", "/site/company/{company_id}", body={"address": "1 Main Street"})
    {'name': 'is required.'}
    >>> check_request("v2.2", "GET", "/usage/site/{site_id}", {"startDate": ["yesterday"]})
    {'startDate': 'must be a date, YYYY-MM-DD.'}
    """
    operation = _operation(method, path)
    problems = _query_problems(operation, query) if query else {}
    if operation.body is not None and (body is not None or operation.body.required):
        schema = operation.body.schema
        problems |= _body_problems(version, FORMS.get(schema, schema) if isinstance(body, Form) else schema, body)
    return problems


def read_form(method: str, path: str, form: Mapping[str, Sequence[str]]) -> Form:
    """Return the fields of a form or multipart body as the values that JSON would have carried.

    Repeated names make a list where the contract has one; of others the last value counts, as Django takes it.
    A text that does not read as the type it should have stays a text, so that :func:`check_request` names it.
    A form cannot say null; an empty text is an empty text.

    Examples
    --------
    >>> read_form("POST", "/site/company/{company_id}", {"name": ["Yard"], "path": ["North", "Yard"]})
    {'name': 'Yard', 'path': ['North', 'Yard']}
    >>> read_form("PATCH", "/account/{account_id}", {"isTracked": ["True"]})
    {'isTracked': True}
    """
    operation = _operation(method, path)
    if operation.body is None:
        return Form()
    properties: Json = _document("v2.2")["components"]["schemas"][operation.body.schema]["properties"]
    return Form((name, _coerced(values, properties.get(name, {}))) for name, values in form.items() if values)


# --- compiled once -----------------------------------------------------------------------------------


@cache
def _operations() -> dict[tuple[str, str], Operation]:
    return {(operation.method, operation.path): operation for operation in all_operations()}


def _operation(method: str, path: str) -> Operation:
    return _operations()[method.lower(), path]


@cache
def _document(version: str) -> Json:
    return build(version)


@cache
def _body_validator(version: str, name: str) -> tuple[Json, Draft202012Validator]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": _document(version)["components"]}
    return schema, _compiled(schema)


@cache
def _query_validator(name: str) -> tuple[Json, Draft202012Validator]:
    operation = next(operation for operation in all_operations() if operation.name == name)
    schema = {
        "type": "object",
        "properties": {parameter["name"]: parameter["schema"] for parameter in operation.parameters},
    }
    return schema, _compiled(schema)


def _compiled(schema: Json) -> Draft202012Validator:
    import jsonschema_rs  # on use: a sandbox that is only read never needs it

    formats: dict[str, Callable[[str], bool]] = {"date": _is_day, "date-time": _is_moment}
    return jsonschema_rs.Draft202012Validator(schema, formats=formats, validate_formats=True)


def _is_day(text: str) -> bool:
    """Say whether `text` is a day of the calendar that Python has too (the year 0000 is none)."""
    try:
        return _DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return _MOMENT.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


# --- query and body ----------------------------------------------------------------------------------


def _query_problems(operation: Operation, query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    listed = {parameter["name"]: parameter["schema"] for parameter in operation.parameters}
    given = {name: values for name, values in query.items() if name in listed and values}
    twice = [name for name, values in given.items() if len(values) > 1 and listed[name].get("type") != "array"]
    if twice:
        return dict.fromkeys(twice, "may be given once.")
    given.pop("page", None)  # any text is valid
    if not given:
        return {}
    coerced = {name: _coerced(values, listed[name]) for name, values in given.items()}
    found = _problems(*_query_validator(operation.name), coerced)
    return {field.partition(".")[0]: message for field, message in found.items()}


def _body_problems(version: str, schema: str, body: object) -> dict[str, str]:
    if body is None:  # every field that is required is named; where none is, the body itself
        return _problems(*_body_validator(version, schema), {}) or {"body": "is required."}
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:  # NaN, Infinity, half of a surrogate pair
        return {"body": "holds a number or a character that JSON cannot carry."}
    return _problems(*_body_validator(version, schema), body)


def _problems(schema: Json, validator: Draft202012Validator, instance: object) -> dict[str, str]:
    problems: dict[str, str] = {}
    for error in validator.iter_errors(instance):
        for field, message in _said(error, schema):
            problems.setdefault(field, message)
    return problems


def _said(error: ValidationError, schema: Json) -> list[tuple[str, str]]:
    """Return the fields an error is about, each with what is wrong; never the value, which may be a secret."""
    place = ".".join(str(step) for step in error.instance_path)
    facts = error.kind.as_dict()
    kind = error.kind.name
    if kind == "required":
        return [(f"{place}.{facts['property']}".lstrip("."), "is required.")]
    if kind == "additionalProperties":
        return [(f"{place}.{name}".lstrip("."), "is not a field that can be set.") for name in facts["unexpected"]]
    if kind == "propertyNames":
        return [("body", "has a field whose name is no word.")]
    if kind == "anyOf":
        for branch in facts["context"]:  # a branch that fits but for something within: say that
            if all(len(inner.instance_path) > len(error.instance_path) for inner in branch):
                return [said for inner in branch for said in _said(inner, schema)]
    return [(place or "body", f"{_phrase(kind, facts, _title(error, schema))}.")]


def _title(error: ValidationError, schema: Json) -> str:
    """Return the title of the schema that was broken: what is wanted, in words."""
    holder: Any = schema
    for step in error.schema_path[:-1]:
        holder = holder[step]
    title: str = holder.get("title", "")
    return title


def _phrase(kind: str, facts: Mapping[str, Any], title: str) -> str:
    if kind in _LIMITS:
        return _LIMITS[kind].format(facts["limit"])
    if title:
        return f"must be {title}"
    if kind == "type":
        return f"must be {_types_said(facts['types'])}"
    if kind == "anyOf":
        inner = [error.kind.as_dict() for branch in facts["context"] for error in branch]
        return f"must be {_types_said([name for fact in inner for name in fact.get('types', ())])}"
    if kind == "enum":
        options = [str(option) for option in facts["options"] if option is not None]
        return "must be one of " + (
            ", ".join(options) if len(options) <= _LONGEST_LIST else f"{len(options)} values, such as {options[0]}"
        )
    if kind == "format":
        return f"must be {_FORMATS[facts['format']]}"
    return "is not valid"


def _types_said(names: Sequence[str]) -> str:
    """Return types in words, null at the end."""
    return " or ".join([_TYPES[name] for name in names if name != "null"] + ["null"] * ("null" in names))


# --- forms and query strings -------------------------------------------------------------------------


def _coerced(values: Sequence[str], schema: Json) -> Any:
    """Return what the texts of one name stand for, by the type that the schema gives them."""
    if schema.get("type") == "array":
        return [_value(text, schema["items"]) for text in values]
    return _value(values[-1], schema)


def _value(text: str, schema: Json) -> Any:
    branches = schema.get("anyOf", [schema])
    types = {name for branch in branches for name in _types(branch)}
    if any("string" in _types(branch) and re.search(branch.get("pattern", ""), text) for branch in branches):
        return text
    if "boolean" in types and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if "integer" in types and _WHOLE.fullmatch(text):
        return int(text)
    if "number" in types:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _types(schema: Json) -> list[str]:
    kind = schema.get("type", "string")
    return kind if isinstance(kind, list) else [kind]

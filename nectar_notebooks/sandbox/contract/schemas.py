"""The few words the contract is written in: kinds of values, records, and the marks of what is assumed.

Everything here makes pieces of JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it). A record's fields are
required unless they say otherwise: :func:`maybe` may be null or absent, :func:`optional` may be absent,
:func:`assumed` is our reading where the documentation is silent, so that an answer may lack it. What the
records are stands in `objects`, `bills` and `sharing`; what a caller sends in `inputs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

__all__ = [
    "DATE_TIME",
    "Field",
    "Json",
    "anything",
    "assumed",
    "boolean",
    "date",
    "decimal",
    "email",
    "integer",
    "items",
    "maybe",
    "nullable",
    "one_of",
    "optional",
    "read_as",
    "record",
    "ref",
    "reference",
    "text",
    "timestamp",
    "values",
]

#: A piece of a JSON document: this package builds and reads documents, whose shape is JSON Schema's.
Json: TypeAlias = dict[str, Any]

#: Timestamps end with Z, or carry no zone and up to nine fractional digits.
DATE_TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z?$"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: its schema, and whether every answer carries it."""

    schema: Json
    required: bool = True


def _of(item: Json | Field) -> Field:
    return item if isinstance(item, Field) else Field(item)


def record(description: str, /, **fields: Json | Field) -> Json:
    """Return an object schema; fields are required unless :func:`maybe`, `optional` or `assumed`."""
    parts = {name: _of(part) for name, part in fields.items()}
    schema: Json = {
        "type": "object",
        "description": description,
        "properties": {name: part.schema for name, part in parts.items()},
    }
    required = [name for name, part in parts.items() if part.required]
    if required:
        schema["required"] = required
    return schema


# --- kinds of values ---------------------------------------------------------------------------------


def text(description: str, *, longest: int | None = None, shortest: int | None = None, **more: Any) -> Json:
    """Return a text, with its length in characters where one is documented."""
    schema: Json = {"type": "string", "description": description}
    if shortest is not None:
        schema["minLength"] = shortest
    if longest is not None:
        schema["maxLength"] = longest
    return schema | more


def email(description: str) -> Json:
    """Return an e-mail address."""
    return {"type": "string", "format": "email", "description": description}


def integer(description: str, *, least: int | None = None, most: int | None = None) -> Json:
    """Return a whole number, with its bounds."""
    schema: Json = {"type": "integer", "description": description}
    if least is not None:
        schema["minimum"] = least
    if most is not None:
        schema["maximum"] = most
    return schema


def boolean(description: str, **more: Any) -> Json:
    """Return a truth value."""
    return {"type": "boolean", "description": description} | more


def decimal(description: str, *, pattern: str = r"^-?[0-9]+(\.[0-9]+)?$", **bounds: float) -> Json:
    """Return a decimal: a string on the wire, a number in some samples; both are valid.

    `pattern` and `bounds` (``minimum``, ``maximum``) say the same of the two spellings.
    """
    return {
        "description": description,
        "anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", **bounds}],
    }


def date(description: str) -> Json:
    """Return a civil date, YYYY-MM-DD."""
    return {"type": "string", "format": "date", "description": description, "examples": ["2025-01-31"]}


def timestamp(description: str) -> Json:
    """Return a moment; without a zone it is read as UTC."""
    return {
        "type": "string",
        "pattern": DATE_TIME,
        "description": description,
        "examples": ["2025-01-31T09:30:00Z", "2025-01-31T09:30:00.123456789"],
    }


def one_of(description: str, allowed: tuple[str, ...]) -> Json:
    """Return a text of a closed set: for what a caller sends and the server checks."""
    return {"type": "string", "enum": list(allowed), "description": description}


def values(description: str, known: tuple[str, ...] = (), assumed: tuple[str, ...] = ()) -> Json:
    """Return a text of an open set: `known` values are documented, `assumed` ones ours, others are valid."""
    schema: Json = {"type": "string", "description": description}
    if known or assumed:
        schema["examples"] = [*known, *assumed]
    if assumed:
        schema["x-nectar-assumed-values"] = list(assumed)
        schema["x-nectar-assumed-values-why"] = "No list of these values is documented."
    return schema


def items(description: str, item: Json, *, most: int | None = None) -> Json:
    """Return a list."""
    schema: Json = {"type": "array", "description": description, "items": item}
    if most is not None:
        schema["maxItems"] = most
    return schema


def anything(description: str) -> Json:
    """Return an object whose fields are not documented."""
    return {"type": "object", "description": description, "additionalProperties": True}


def ref(name: str, description: str = "") -> Json:
    """Return a pointer to a component schema."""
    schema: Json = {"$ref": f"#/components/schemas/{name}"}
    if description:
        schema["description"] = description
    return schema


def reference(description: str) -> Json:
    """Return another object: its id, or an object that carries the id (the documentation shows both)."""
    return {
        "description": description,
        "anyOf": [{"type": "string"}, ref("Reference")],
    }


# --- how sure we are ---------------------------------------------------------------------------------


def nullable(schema: Json) -> Json:
    """Return `schema` with null allowed."""
    if "type" in schema:
        kind = schema["type"]
        return (
            schema
            | {"type": [*(kind if isinstance(kind, list) else [kind]), "null"]}
            | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})
        )
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    said = {key: value for key, value in schema.items() if key != "$ref"}
    return said | {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}]}


def maybe(item: Json | Field) -> Field:
    """Return a field that may be null or absent."""
    return Field(nullable(_of(item).schema), required=False)


def optional(item: Json | Field) -> Field:
    """Return a field that may be absent, and is never null."""
    return Field(_of(item).schema, required=False)


def assumed(item: Json | Field, why: str) -> Field:
    """Return a field that is ours where the documentation is silent; `why` says what is silent."""
    part = _of(item)
    marks = {"x-nectar-assumed": True, "x-nectar-assumption": why}
    return replace(part, schema=part.schema | marks, required=False)


def read_as(item: Json | Field, why: str) -> Field:
    """Return a documented field whose meaning, shape or nullability is our reading; `why` says which."""
    part = _of(item)
    marks = {"x-nectar-assumed-reading": True, "x-nectar-assumption": why}
    return replace(part, schema=part.schema | marks)

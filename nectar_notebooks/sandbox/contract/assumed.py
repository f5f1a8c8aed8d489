"""What the contract assumes, as data, and the contract without it.

Read out of the marks in the documents, so that the list cannot differ from what is served: ``docs/fidelity.md`` is
held to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from nectar_notebooks.sandbox.contract.openapi import build
from nectar_notebooks.sandbox.contract.schemas import Json
from nectar_notebooks.sandbox.contract.versions import DIFFERENCES

__all__ = ["Assumption", "assumptions", "documented"]

Kind = Literal["endpoint", "parameter", "field", "value", "reading", "general"]

_EXISTS: Final = "x-nectar-assumed"
_READ_AS: Final = "x-nectar-assumed-reading"
_VALUES: Final = "x-nectar-assumed-values"
_WHY: Final = "x-nectar-assumption"
_WHY_VALUES: Final = "x-nectar-assumed-values-why"


@dataclass(frozen=True, slots=True, order=True)
class Assumption:
    """One assumption, and everywhere it is made.

    Attributes
    ----------
    kind
        ``endpoint``, ``parameter``, ``field``, ``value``: it may not exist. ``reading``: it exists, and may be
        meant or shaped otherwise. ``general``: about the API as a whole.
    why
        What the documentation leaves open; of a general one what is assumed.
    where
        ``"GET /meter/site/{site_id}"``, ``"Document.lineItems"``, ``"LineItem.chargeType = LATE_FEE"``.
    versions
        The versions that it concerns.
    """

    kind: Kind
    why: str
    where: tuple[str, ...]
    versions: tuple[str, ...]


def assumptions() -> list[Assumption]:
    """Return every assumption of the three contracts, by kind; the nested spellings of paths are left out.

    Examples
    --------
    >>> next(found for found in assumptions() if "Document.lineItems" in found.where).kind
    'field'
    """
    places: dict[tuple[Kind, str], dict[str, None]] = {}
    versions: dict[tuple[Kind, str], dict[str, None]] = {}
    for version in DIFFERENCES:
        for kind, where, why in _of(build(version)):
            places.setdefault((kind, why), {})[where] = None
            versions.setdefault((kind, why), {})[version] = None
    return sorted(Assumption(*key, tuple(where), tuple(versions[key])) for key, where in places.items())


def documented(version: str) -> Json:
    """Return the contract of `version` without what may not exist: endpoints, parameters, fields, values.

    Readings stay: something is documented there. It is what a sandbox with ``documented_only`` answers by.
    """
    document: Json = _pruned(build(version))
    document["paths"] = {path: item for path, item in document["paths"].items() if item}
    kept = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    for item in document["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                links = {name: link for name, link in answer.pop("links", {}).items() if link["operationId"] in kept}
                if links:
                    answer["links"] = links
    return document


def _pruned(part: Any) -> Any:
    """Return `part` without the pieces that are marked as possibly not existing."""
    if isinstance(part, list):
        return [_pruned(item) for item in part if not _is_assumed(item)]
    if not isinstance(part, dict):
        return part
    gone = {name for name, item in part.items() if _is_assumed(item)}
    kept = {name: _pruned(item) for name, item in part.items() if name not in gone}
    if "required" in kept and "properties" in kept:
        kept["required"] = [name for name in kept["required"] if name in kept["properties"]]
    unsure = kept.pop(_VALUES, ())
    if unsure:
        del kept[_WHY_VALUES]
        kept["examples"] = [value for value in kept["examples"] if value not in unsure]
    return kept


def _is_assumed(part: object) -> bool:
    return isinstance(part, dict) and part.get(_EXISTS) is True


def _of(document: Json) -> Iterator[tuple[Kind, str, str]]:
    for said in document["info"]["x-nectar-assumptions"]:
        yield "general", "the whole API", said
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "x-nectar-alias-of" not in operation:
                yield from _of_operation(f"{method.upper()} {path}", operation)
    for name, answer in document["components"]["responses"].items():
        yield from _marks(answer, f"answer {name}", "field")
        for header, part in answer.get("headers", {}).items():
            yield from _marks(part, f"answer {name}, header {header}", "field")
    for name, schema in document["components"]["schemas"].items():
        yield from _of_schema(name, schema)


def _of_operation(where: str, operation: Json) -> Iterator[tuple[Kind, str, str]]:
    yield from _marks(operation, where, "endpoint")
    for parameter in operation.get("parameters", ()):
        place = f"{where}, {parameter['name']}"
        yield from _marks(parameter, place, "parameter")
        yield from _marks(parameter["schema"], place, "parameter")
    for media, part in operation.get("requestBody", {}).get("content", {}).items():
        yield from _marks(part, f"{where}, body as {media}", "field")
    for status, answer in operation["responses"].items():
        yield from _marks(answer, f"{where}, answer {status}", "field")


def _of_schema(where: str, schema: Any) -> Iterator[tuple[Kind, str, str]]:
    if not isinstance(schema, dict):
        return
    yield from _marks(schema, where, "field")
    for name, part in schema.get("properties", {}).items():
        yield from _of_schema(f"{where}.{name}", part)
    for name in ("items", "additionalProperties"):
        yield from _of_schema(f"{where}[]", schema.get(name))


def _marks(part: Json, where: str, kind: Kind) -> Iterator[tuple[Kind, str, str]]:
    """Yield what `part` itself is marked with."""
    if part.get(_EXISTS):
        yield kind, where, part[_WHY]
    if part.get(_READ_AS):
        yield "reading", where, part[_WHY]
    for value in part.get(_VALUES, ()):
        yield "value", f"{where} = {value}", part[_WHY_VALUES]

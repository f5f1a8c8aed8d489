"""What a caller asks for in the address: ids, pages and filters."""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.objects import CONNECTION_STATUSES
from nectar_notebooks.sandbox.contract.schemas import Json, boolean, date, integer, one_of
from nectar_notebooks.schema.values import COMMODITIES, DATE_TYPES, GUIDE_ONLY_COMMODITIES

__all__ = ["BILL_FILTERS", "CONNECTION_FILTERS", "INTERVAL_FILTERS", "PAGE", "USAGE_FILTERS", "path_id"]


def _query(name: str, description: str, schema: Json, *, reading: str = "", assumed: str = "") -> Json:
    parameter: Json = {"name": name, "in": "query", "description": description, "schema": schema}
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    if assumed:
        parameter |= {"x-nectar-assumed": True, "x-nectar-assumption": assumed}
    if reading:
        parameter |= {"x-nectar-assumed-reading": True, "x-nectar-assumption": reading}
    return parameter


def _plain(schema: Json) -> Json:
    """Return `schema` without its description: the parameter's own says it."""
    return {key: value for key, value in schema.items() if key != "description"}


def path_id(name: str) -> Json:
    """Return the parameter for the id in a path; ids are opaque."""
    thing = name.removesuffix("_id").replace("_", " ")
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": f"Id of the {thing}. An id that fits nothing is a 404 or a 403.",
        "schema": {"type": "string", "minLength": 1},
    }


#: Any text is valid: Django's paginator decides.
PAGE: Final = _query(
    "page",
    "Which page, from 1. A page past the end answers with the last one.",
    {"default": 1, "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
    reading="A page that is no number reads as 1, one below 1 as the last.",
)

_COMMODITY: Final[Json] = {
    "type": "array",
    "items": _plain(one_of("", (*COMMODITIES, *GUIDE_ONLY_COMMODITIES))),
}


def _commodity(name: str, **how: str) -> Json:
    return _query(
        name,
        f"Only these commodities; several are repeated. Some guides list {', '.join(GUIDE_ONLY_COMMODITIES)} too.",
        _COMMODITY,
        **how,
    )


_REPEATED: Final = "Several values are given by repeating the parameter."
_BOTH_NAMES: Final = "Pages of the documentation spell it both ways on document lists."

_DATE_TYPE: Final = _query(
    "dateType",
    "Which date `startDate` and `endDate` select by. `USAGE_PERIOD` returns whatever overlaps the window by a "
    "day; `CREATED_DATE` and `UPDATED_DATE` are in UTC.",
    _plain(one_of("", DATE_TYPES)) | {"default": "BILL_DATE"},
)

_DATES: Final = (
    _query("startDate", "First day; applies with or without an end.", _plain(date(""))),
    _query(
        "endDate",
        "Last day, included; applies with or without a start. With `CREATED_DATE` and `UPDATED_DATE` it ends at "
        "00:00 of that day, so that its own records are left out.",
        _plain(date("")),
        reading="The end day of CREATED_DATE and UPDATED_DATE is documented for v1; later pages say both.",
    ),
    _DATE_TYPE,
)

_IDENTIFIER: Final = _query(
    "identifier",
    "Only the meter with this number; dashes, spaces, underscores, commas, slashes, leading zeros and case do "
    "not matter.",
    {"type": "string"},
)

USAGE_FILTERS: Final = (PAGE, *_DATES, _commodity("datasourceType", reading=_REPEATED), _IDENTIFIER)

BILL_FILTERS: Final = (
    PAGE,
    *_DATES,
    _commodity("datasourceType", reading=_REPEATED),
    _commodity("datasourceTypes", assumed=_BOTH_NAMES),
    _IDENTIFIER,
    _query(
        "isDeleted",
        "Whether deleted bills are in the list too.",
        _plain(boolean("", default=False)),
        reading="true adds the deleted bills, and no field tells which they are; it may mean them alone.",
    ),
)

_MOMENT: Final[Json] = {
    "title": "a date and time with a zone, such as 2025-01-31T09:30:00Z, or a date",
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
}

INTERVAL_FILTERS: Final = (
    PAGE,
    _query("startDate", "First moment.", _MOMENT, assumed="The list shows an end date only."),
    _query("endDate", "Last moment.", _MOMENT, reading="A date without a time is taken too."),
    _commodity("datasourceType", reading=_REPEATED),
    _IDENTIFIER,
)

_ID: Final = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"

CONNECTION_FILTERS: Final = (
    PAGE,
    _query(
        "limit",
        "Rows a page.",
        _plain(integer("", least=1, most=500)) | {"default": 100},
        reading="A limit out of bounds is a 400.",
    ),
    _query("status", "Only this status.", _plain(one_of("", CONNECTION_STATUSES))),
    _query("connectionOwnerEmail", "Only the logins of this owner, exactly.", {"type": "string"}),
    _query(
        "sites",
        "Only connections of these sites, named by their ids; several are repeated.",
        {"type": "array", "items": {"type": "string", "pattern": _ID}},
    ),
)

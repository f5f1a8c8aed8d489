"""What every room of the embedded sandbox shares: records, moments and ids as text, and refusals.

:class:`World` is what a sandbox starts with: plain records in the shape of the API, v2.2. Sources make it, the store
keeps it. A record is what the API answers, assumed fields included, with these differences, so that each fact stands
once:

=========== =================================================================================================
kind        beside the API's own fields
=========== =================================================================================================
companies   no ``sites`` (they name their company)
sites       ``company``: id
connections ``company``: id instead of the object, ``password`` (never answered); no ``accounts``
accounts    ``connection`` and ``company``: ids (connection null for uploads); no ``meters``
meters      ``company``, ``site``, ``account``: ids (site and account may be null)
documents   ``company`` and ``connection``: ids (connection null for uploads); ``lineItems`` and
            ``demandMeters`` in place; no ``usageData``; ``isDeleted``: bool (never answered)
usage       ``company``, ``connection``, ``document``, ``site``, ``meter``: ids; ``timeOfUseBreakdown`` is in
            place; ``powerFactor``, where there is one, which v2.1 alone answers
=========== =================================================================================================

Decimals are strings, dates and timestamps ISO texts, as on the wire. Bills are most of the work, so they may come on
need: ``later`` maps a company's id to a function that makes worlds of that company's documents and usage alone, a usage
record in the same one as its bill. The store calls it once, when the first request needs them; it must give the same
records whenever it is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final, TypeAlias

__all__ = [
    "CALLER",
    "FILES",
    "KINDS",
    "PAGES",
    "ProblemError",
    "Record",
    "World",
    "bad_field",
    "bad_fields",
    "dumps",
    "forbidden",
    "moment",
    "normalized",
    "not_found",
    "stored",
    "unauthorized",
    "value_text",
]

Record: TypeAlias = dict[str, Any]
KINDS = ("companies", "sites", "connections", "accounts", "meters", "documents", "usage")


@dataclass(slots=True)
class World:
    """Records by kind, each list in the order in which the objects were created."""

    companies: list[Record] = field(default_factory=list)
    sites: list[Record] = field(default_factory=list)
    connections: list[Record] = field(default_factory=list)
    accounts: list[Record] = field(default_factory=list)
    meters: list[Record] = field(default_factory=list)
    documents: list[Record] = field(default_factory=list)
    usage: list[Record] = field(default_factory=list)
    later: dict[str, Callable[[], Iterable[World]]] = field(default_factory=dict)


_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_SEPARATORS: Final = re.compile(r"[-\s_,/]")


def dumps(value: Any) -> bytes:
    """Return `value` as compact JSON in ASCII, as it is answered."""
    return _ENCODE(value).encode("ascii")


def stored(value: Any) -> str:
    """Return `value` as compact JSON in ASCII, as it is stored."""
    return _ENCODE(value)


def value_text(value: Any) -> str:
    """Return what :func:`stored` does, sooner for the values that are most frequent."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    return "null" if value is None else _ENCODE(value)


def moment(time: datetime) -> str:
    """Return a time as answers spell it.

    Examples
    --------
    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 15, 9, tzinfo=UTC))
    '2026-01-15T09:00:00Z'
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=65536)
def normalized(identifier: str) -> str:
    """Return an identifier as the API compares it.

    Dashes, spaces, underscores, commas and slashes go, then leading zeros; letters are capitals.

    Examples
    --------
    >>> normalized("013-774-6423") == normalized("137746423") == normalized("0137746423")
    True
    """
    return _SEPARATORS.sub("", identifier).lstrip("0").upper()


#: Where originals of bills lie, and pages of invitations: a served sandbox answers with its own address instead.
FILES: Final = "https://files.nectarclimate.example"
PAGES: Final = "https://dash.nectarclimate.com/p/i/"
#: The member for whom every key acts.
CALLER: Final = "owner@example.com"


class ProblemError(Exception):
    """An answer that is not 2xx: raised anywhere below a route, rendered once by the application."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body: `detail`, and beside it a list of messages per field."""
        return {"detail": self.detail, **{name: [message] for name, message in self.fields.items()}}


def bad_field(name: str, message: str) -> ProblemError:
    """Return a 400 whose `detail` names the field."""
    return bad_fields({name: message})


def bad_fields(messages: Mapping[str, str]) -> ProblemError:
    """Return a 400 whose `detail` names every field that is wrong."""
    detail = " ".join(f"{name}: {message}" for name, message in messages.items())
    return ProblemError(400, detail, fields=messages)


def unauthorized(reason: str) -> ProblemError:
    """Return a 401; `reason` says what is wrong with the key and never contains it."""
    return ProblemError(401, reason, headers={"WWW-Authenticate": "X-API-Key"})


def forbidden(what: str) -> ProblemError:
    """Return a 403 for an object that this key may not see."""
    return ProblemError(403, f"This API key has no access to this {what}.")


def not_found(what: str, status: int = 404) -> ProblemError:
    """Return the answer to an id that fits nothing: a 404, or a 403 where only what is documented counts."""
    if status == 403:
        return forbidden(what)
    return ProblemError(404, f"No {what} with this id.")

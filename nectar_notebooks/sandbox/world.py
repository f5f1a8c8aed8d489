"""What a sandbox holds when it starts: plain records in the shape of the API, v2.2.

Seeds and the bills loader make a :class:`World`, the state stores it, the routes answer from it. A record is
what the API answers, assumed fields included, with these differences, so that each fact stands once:

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

Decimals are strings, dates and timestamps ISO texts, as on the wire.

Bills are most of the work, so they may come on need: ``later`` maps a company's id to a function that makes
worlds of that company's documents and usage alone, a usage record in the same one as its bill. The state calls
it once, when the first request needs them; it must give the same records whenever it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["KINDS", "Record", "World"]

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

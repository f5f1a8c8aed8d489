"""What a version, a switch or `documented_only` changes about an answer.

Records are stored and put together in v2.2's full shape with the default switches; where that is what was
asked for, their text is answered as it is. Every other view is made here, from the parsed record, so that the
state never depends on how it is looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from nectar_notebooks.sandbox.fields import ASSUMED, DECIMALS
from nectar_notebooks.sandbox.switches import Switches
from nectar_notebooks.sandbox.text import dumps

__all__ = ["View"]

#: The one water type that an answer was seen with; the others are assumed.
_SEEN_WATER_TYPES: Final = frozenset({"POTABLE_WATER", None})


@dataclass(frozen=True, slots=True)
class View:
    """How records are looked at: by which version, switches, and with or without assumptions."""

    version: str
    switches: Switches
    documented_only: bool

    @property
    def is_plain(self) -> bool:
        """Say whether the stored text is the answer."""
        return not self.documented_only and self.switches.decimals == "string"

    def texts(self, kind: str, rows: list[bytes]) -> list[bytes]:
        """Return the texts of documents or usage records as this view shows them."""
        if self.is_plain:
            return rows
        return [dumps(self.record(kind, json.loads(row))) for row in rows]

    def record(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        """Return one parsed record as this view shows it."""
        if self.is_plain:
            return record
        if kind == "documents":
            record = self._document(record)
        elif kind == "usage":
            record = self._usage(record)
        elif self.documented_only:
            record = _without_assumed(kind, record)
        return _numbers(record) if self.switches.decimals == "number" else record

    def _document(self, record: dict[str, Any]) -> dict[str, Any]:
        return self._brief(record) | {"usageData": [self._usage(row) for row in record["usageData"]]}

    def _usage(self, record: dict[str, Any]) -> dict[str, Any]:
        if "document" in record:
            record = record | {"document": self._brief(record["document"])}
        if self.documented_only and record.get("waterType") not in _SEEN_WATER_TYPES:
            record = record | {"waterType": None}
        return record

    def _brief(self, record: dict[str, Any]) -> dict[str, Any]:
        return _without_assumed("documents", record) if self.documented_only else record


def _without_assumed(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    assumed = ASSUMED.get(kind, frozenset())
    record = {name: value for name, value in record.items() if name not in assumed}
    if kind == "connections":
        record["accounts"] = [_without_assumed("accounts", account) for account in record["accounts"]]
    if kind == "meters" and record.get("waterType") not in _SEEN_WATER_TYPES:
        record["waterType"] = None
    return record


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _number(item) if name in DECIMALS and isinstance(item, str) else _numbers(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return value


def _number(text: str) -> float | int:
    return float(text) if "." in text or "e" in text.lower() else int(text)

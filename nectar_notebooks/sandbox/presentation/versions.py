"""What a version, a switch or `documented_only` changes about an answer.

Records are stored and put together in v2.2's full shape with the default switches; where that is what was
asked for, their text is answered as it is. Every other view is made here, from the parsed record, so that the
state never depends on how it is looked at.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nectar_notebooks.sandbox.contract.fields import DECIMALS, assumed_fields, documented_values
from nectar_notebooks.sandbox.model import dumps
from nectar_notebooks.sandbox.store.legacy_usage import demand_rows, parts, power_quality
from nectar_notebooks.sandbox.switches import Switches

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """How records are looked at: by which version, switches, and with or without assumptions."""

    version: str
    switches: Switches
    documented_only: bool

    @property
    def kinds(self) -> int | None:
        """Return how many kinds of rows a usage list has in an older version's shape; None in v2.2's."""
        if self.version == "v2.1":
            return 3
        return 2 if self.version == "v2.0" or self.switches.usage_shape == "guide" else None

    @property
    def has_power_quality(self) -> bool:
        """Say whether usage carries apparent and reactive energy and the power factor."""
        return self.version == "v2.1"

    @property
    def _is_plain(self) -> bool:
        """Say whether records are answered with all their fields and decimals as strings."""
        return not self.documented_only and self.switches.decimals == "string"

    def texts(self, kind: str, rows: list[bytes]) -> list[bytes]:
        """Return the texts of documents or usage records as this view shows them."""
        if self._is_plain and (kind == "usage" or self.kinds is None):
            return rows
        return [dumps(self.record(kind, json.loads(row))) for row in rows]

    def record(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        """Return one parsed record as this view shows it."""
        if kind == "documents":
            record = self._document(record)
        elif kind == "usage":
            record = self._usage(record)
        else:
            if self.switches.last_service_date == "closed":
                record = _closed(kind, record)
            if self.documented_only:
                record = self._without_assumed(kind, record)
        return _numbers(record) if self.switches.decimals == "number" else record

    def _document(self, record: dict[str, Any]) -> dict[str, Any]:
        usage = record["usageData"]
        if self.kinds is not None:
            usage = [part for row in usage for part in parts(row)]
        if self.version == "v2.1":
            usage += demand_rows(record)
        if self.has_power_quality:
            usage = [power_quality(row) for row in usage]
        record = self._brief(record) | {"usageData": [self._usage(row) for row in usage]}
        if self.version != "v2.2":
            del record["demandMeters"]
        return record

    def _usage(self, record: dict[str, Any]) -> dict[str, Any]:
        if "document" in record:
            record = record | {"document": self._brief(record["document"])}
        if self.documented_only:
            record = self._without_assumed("usage", record)
        return record

    def _brief(self, record: dict[str, Any]) -> dict[str, Any]:
        return self._without_assumed("documents", record) if self.documented_only else record

    def _without_assumed(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record without the fields and the values that the documentation does not name."""
        assumed = assumed_fields(self.version, kind)
        record = {name: value for name, value in record.items() if name not in assumed}
        for name, documented in documented_values(self.version, kind).items():
            if name in record and record[name] not in documented:
                record[name] = None
        if kind == "connections":
            record["accounts"] = [self._without_assumed("accounts", account) for account in record["accounts"]]
        return record


def _closed(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Leave a last day of service to accounts that are closed."""
    if kind == "connections":
        return record | {"accounts": [_closed("accounts", account) for account in record["accounts"]]}
    if kind == "accounts" and record.get("status") != "OLD_ACCOUNT":
        return record | {"lastServiceDate": None}
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

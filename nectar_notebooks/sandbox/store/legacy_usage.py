"""Usage as v2.1 and v2.0 list it: a row for each time-of-use period, and (v2.1) demand readings among the rows.

Lists of older versions have other rows than v2.2's, so they have a table of their own: which record each row is made
of and what it says differently. It is filled for a company when an older version first asks for it, and forgotten when
the company's bills change. The first row of a record keeps the record's id.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from nectar_notebooks.sandbox.model import stored
from nectar_notebooks.sandbox.store.templates import CHILDREN, USAGE

__all__ = ["DEMAND", "demand_rows", "forget_legacy", "make_legacy", "parts", "power_quality"]

#: The kinds of rows: a whole record, a time-of-use part of one, a demand reading.
WHOLE, PART, DEMAND = range(3)
_COLUMNS: Final = "usage, document, company, connection, site, deleted, commodity, created, updated, bill_date"
#: What v2.1 says of electricity beside its energy, in units that go with the energy's.
_QUALITY: Final = ("apparentEnergy", "apparentEnergyUnits", "reactiveEnergy", "reactiveEnergyUnits", "powerFactor")
_QUALITY_UNITS: Final = {"kWh": ("kVAh", "kVArh"), "MWh": ("MVAh", "MVArh"), "GWh": ("GVAh", "GVArh")}
_INSERT: Final = f"""INSERT INTO legacy_usage (id, kind, {_COLUMNS}, first_day, last_day, change)
    SELECT ?, ?, {{}}, ?, ?, ? FROM {{}}"""


def parts(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a usage record is in older versions: itself, or a row for each time-of-use part."""
    breakdown = record["timeOfUseBreakdown"]
    whole = {name: value for name, value in record.items() if name != "timeOfUseBreakdown"} | {"timeOfUse": None}
    return [whole | change for change in _part_changes(record)] if breakdown else [whole]


def demand_rows(bill: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the demand readings of a bill as the usage rows of v2.1; the bill has its usage."""
    usage = {row["id"]: row for row in bill["usageData"]}
    rows = []
    for change in _demand_changes(bill):
        of = next((usage[id_] for id_ in change.pop("usageDataIds") if id_ in usage), None)
        if of is not None:
            whole = {name: value for name, value in of.items() if name != "timeOfUseBreakdown"}
            rows.append(whole | change)
    return rows


def power_quality(row: dict[str, Any]) -> dict[str, Any]:
    """Return a usage row of v2.1 with its apparent and reactive energy; null where there is no power factor."""
    factor, units = row["powerFactor"], _QUALITY_UNITS.get(row["usageUnits"])
    if factor is None or units is None:
        return row | dict.fromkeys(_QUALITY)
    usage, share = float(row["usage"]), float(factor)
    values = (f"{usage / share:.2f}", units[0], f"{usage * math.sqrt(1 / share**2 - 1):.2f}", units[1], factor)
    return row | dict(zip(_QUALITY, values, strict=True))


def make_legacy(db: sqlite3.Connection, company: int) -> None:
    """Fill the table for a company, unless it is filled."""
    (filled,) = db.execute("SELECT legacy FROM companies WHERE seq = ?", (company,)).fetchone()
    if filled:
        return
    text = USAGE.text("u")
    divided = f"instr({text}, '\"timeOfUseBreakdown\":[{{') > 0"
    db.execute(
        f"""INSERT INTO legacy_usage (id, kind, {_COLUMNS}, first_day, last_day, change)
        SELECT u.id, {WHOLE}, u.seq, {_columns("u")}, u.first_day, u.last_day, '{{}}'
        FROM usage u WHERE u.company = ? AND NOT {divided}""",
        (company,),
    )
    found = db.execute(f"SELECT u.seq, {text} || '}}' FROM usage u WHERE u.company = ? AND {divided}", (company,))
    for seq, body in found.fetchall():
        record = json.loads(body)
        for change in _part_changes(record):
            days = _days(record | change)
            db.execute(
                _INSERT.format(f"u.seq, {_columns('u')}", "usage u WHERE u.seq = ?"),
                (change["id"], PART, *days, stored(change), seq),
            )
    _make_demand(db, company)
    db.execute("UPDATE companies SET legacy = 1 WHERE seq = ?", (company,))


def forget_legacy(db: sqlite3.Connection, company: int) -> None:
    """Empty the table for a company whose bills changed."""
    db.execute("DELETE FROM legacy_usage WHERE company = ?", (company,))
    db.execute("UPDATE companies SET legacy = 0 WHERE seq = ?", (company,))


def _make_demand(db: sqlite3.Connection, company: int) -> None:
    children = CHILDREN.text("d")
    found = db.execute(
        f"SELECT d.id, '{{' || {children} || '}}' FROM documents d WHERE d.company = ?"
        f" AND instr({children}, '\"demandMeters\":[{{') > 0",
        (company,),
    )
    for bill, body in found.fetchall():
        for change in _demand_changes({"id": bill, **json.loads(body)}):
            usage = change.pop("usageDataIds")
            db.execute(
                _INSERT.format(
                    f"u.seq, {_columns('u')}",
                    f"usage u WHERE u.id IN ({', '.join('?' * len(usage))}) ORDER BY u.seq LIMIT 1",
                ),
                (change["id"], DEMAND, *_days(change), stored(change), *usage),
            )


def _columns(alias: str) -> str:
    """Return the columns that a row shares with its record, but for the record itself."""
    return ", ".join(f"{alias}.{name}" for name in _COLUMNS.split(", ")[1:])


def _part_changes(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place, part in enumerate(record["timeOfUseBreakdown"]):
        yield {
            "id": record["id"] if place == 0 else _after(record["id"], place),
            "timeOfUse": part["timeOfUse"],
            "usage": part["usage"],
            "usageUnits": part["usageUnits"],
            "startDate": part.get("startDate") or record["startDate"],
            "endDate": part.get("endDate") or record["endDate"],
        }


def _demand_changes(bill: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a demand reading says differently from the usage record it belongs to, with that record's ids."""
    for place, reading in enumerate(bill["demandMeters"]):
        yield {
            "id": _after(_id(f"{bill['id']} demand"), place),
            "electricityType": "DEMAND",
            "timeOfUse": None,
            "startDate": reading["startDate"],
            "endDate": reading["endDate"],
            "usage": reading["demandUsage"],
            "usageUnits": reading["demandUsageUnits"],
            "isEstimated": reading["isEstimated"],
            **dict.fromkeys(_NOT_DEMAND),
            "usageDataIds": reading.get("usageDataIds") or [],
        }


#: What a usage record says of its energy, not of the demand beside it.
_NOT_DEMAND: Final = (
    "currentReading", "previousReading", "netMeteringType", "netMeteringGeneratedKwh", "netMeteringGridImportKwh",
    "netMeteringGridExportKwh", "billedDemand", "fractionRenewable", "powerFactor",
)  # fmt: skip


def _days(record: dict[str, Any]) -> tuple[str, str]:
    return record["startDate"], record["endDate"] or record["startDate"]


def _after(id_: str, place: int) -> str:
    """Return an id that a list puts behind `id_`, so that rows made of one record keep their order."""
    try:
        return str(UUID(int=UUID(id_).int + (place << 40)))  # far enough from ids that were counted up by hand
    except ValueError:  # an id of a world of one's own need be no UUID
        return _id(f"{id_} {place}")


def _id(name: str) -> str:
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))

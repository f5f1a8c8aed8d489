"""The mock utility's bills: what arrives behind a login with Nectar's sandbox credentials.

Five accounts, one for each commodity of the mock utility, each with a meter at one of the connection's sites and a
bill a month. Small and plain on purpose: the demo portfolio is the one that looks like life. The same connection and
month always give the same bill.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from nectar_notebooks.sandbox.model import FILES, World

if TYPE_CHECKING:
    pass

__all__ = ["accounts", "bills", "meters", "next_arrival"]

_MONTHS: Final = 12
#: A bill arrives so many days after its month ended.
_LAG: Final = 5


@dataclass(frozen=True, slots=True)
class _Commodity:
    """What the mock utility sells: unit, a month's usage, price, and the kind's own field."""

    name: str
    unit: str
    usage: int
    price: Decimal
    kind: dict[str, str]


_SOLD: Final = (
    _Commodity("ELECTRICITY", "kWh", 12_000, Decimal("0.14"), {"electricityType": "USAGE"}),
    _Commodity("SOLAR", "kWh", 3_000, Decimal("-0.05"), {}),
    _Commodity("WATER", "CCF", 40, Decimal("6.20"), {"waterType": "POTABLE_WATER"}),
    _Commodity("GAS", "thm (US)", 600, Decimal("1.15"), {"gasType": "NATURAL_GAS"}),
    _Commodity("FUEL", "gal (US)", 150, Decimal("3.90"), {}),
)
_BASE_CHARGE: Final = Decimal("15.00")


def accounts(login: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the accounts behind a login."""
    return [
        {
            "id": _id(login, sold.name, "account"),
            "company": login["company"],
            "connection": login["id"],
            "accountNumber": f"{_number(login, sold.name) % 10**10:010d}",
            "trackingStatus": "ENABLED",
            "isDuplicated": "false",
            "isCollectingSmartMeterData": sold.name == "ELECTRICITY",
            "datasourceTypes": [sold.name],
            "status": "PULL_COMPLETED",
        }
        for sold in _SOLD
    ]


def meters(login: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the meters behind a login, at the sites it was made for."""
    sites = login["initialSites"]
    return [
        {
            "id": _id(login, sold.name, "meter"),
            "company": login["company"],
            "site": sites[place % len(sites)] if sites else None,
            "account": _id(login, sold.name, "account"),
            "identifiers": [_identifier(login, sold)],
            "datasourceType": sold.name,
            "isTracked": True,
            **sold.kind,
        }
        for place, sold in enumerate(_SOLD)
    ]


def bills(login: dict[str, Any], today: date, now: str) -> Iterator[World]:
    """Yield every bill that is due, from a year before the connection was made."""
    made = date.fromisoformat(login["created"][:10])
    first = _months_before(made.replace(day=1), _MONTHS)
    while (last := _months_before(first, -1) - timedelta(days=1)) + timedelta(days=_LAG) <= today:
        for place, sold in enumerate(_SOLD):
            yield _bill(login, sold, place, first, last, now)
        first = last + timedelta(days=1)


def next_arrival(after: date) -> date:
    """Return the first day after `after` on which bills are due.

    Examples
    --------
    >>> next_arrival(date(2026, 1, 5))
    datetime.date(2026, 2, 5)
    """
    due = after.replace(day=_LAG)
    return due if due > after else _months_before(due.replace(day=1), -1).replace(day=_LAG)


def _bill(login: dict[str, Any], sold: _Commodity, place: int, first: date, last: date, now: str) -> World:
    month = f"{first:%Y-%m}"
    bill, account = _id(login, sold.name, f"bill {month}"), _id(login, sold.name, "account")
    usage = sold.usage * (80 + _number(login, f"{sold.name} {month}") % 41) // 100
    energy = (usage * sold.price).quantize(Decimal("0.01"))
    total = energy + _BASE_CHARGE
    day = last + timedelta(days=_LAG)
    line = {
        "rate": None, "quantity": None, "quantityUnits": None, "multipliers": [], "accountIds": [account],
        "electricityChargeType": None, "gasChargeType": None, "electricityIsDemand": False,
        "electricityTimeOfUse": None, "billingPeriod": "CURRENT",
    }  # fmt: skip
    document = {
        "id": bill,
        "company": login["company"],
        "connection": login["id"],
        "created": now,
        "updated": now,
        "url": f"{FILES}/bills/{bill}.pdf",
        "fileName": f"mock-{sold.name.lower()}-{month}.pdf",
        "notes": "",
        "sourceType": "INVOICE",
        "invoiceId": f"M-{_number(login, bill) % 10**8:08d}",
        "utilityCompany": login["datasource"]["name"],
        "billDate": day.isoformat(),
        "startDate": first.isoformat(),
        "dueDate": (day + timedelta(days=21)).isoformat(),
        "chargesUnits": "USD",
        "totalCharges": str(total),
        "currentCharges": str(total),
        "status": "COMPLETED",
        "isFlagged": False,
        "lineItems": [
            line
            | {
                "description": f"{sold.name.capitalize()} supply",
                "totalCharge": str(energy),
                "chargeType": "SUPPLY",
                "rate": str(sold.price),
                "quantity": str(usage),
                "quantityUnits": sold.unit,
            },
            line
            | {
                "description": "Customer charge",
                "totalCharge": str(_BASE_CHARGE),
                "chargeType": "CUSTOMER",
                "rate": str(_BASE_CHARGE),
                "quantity": "1",
            },
        ],
        "demandMeters": [],
    }
    sites = login["initialSites"]
    record = {
        "id": _id(login, sold.name, f"usage {month}"),
        "company": login["company"],
        "connection": login["id"],
        "document": bill,
        "site": sites[place % len(sites)] if sites else None,
        "meter": _id(login, sold.name, "meter"),
        "created": now,
        "updated": now,
        "startDate": first.isoformat(),
        "endDate": last.isoformat(),
        "usage": str(usage),
        "usageUnits": sold.unit,
        "identifiers": [_identifier(login, sold)],
        "datasourceType": sold.name,
        "utilityName": login["datasource"]["name"],
        "country": login["country"],
        **sold.kind,
    }
    return World(documents=[document], usage=[record])


def _identifier(login: dict[str, Any], sold: _Commodity) -> dict[str, str]:
    value = f"{sold.name[0]}{_number(login, sold.name + ' meter') % 10**7:07d}"
    return {"name": "METER", "value": value, "rawName": "Meter"}


def _months_before(first: date, months: int) -> date:
    """Return the first day of the month so many months before (after, where negative)."""
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _digest(login: dict[str, Any], name: str) -> bytes:
    return hashlib.sha256(f"mock utility {login['id']} {name}".encode()).digest()


def _number(login: dict[str, Any], name: str) -> int:
    return int.from_bytes(_digest(login, name)[:8])


def _id(login: dict[str, Any], *names: str) -> str:
    return str(UUID(bytes=_digest(login, " ".join(names))[:16], version=4))

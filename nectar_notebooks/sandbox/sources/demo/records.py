"""The records of companies, sites, connections, accounts and meters: names and numbers drawn by seed.

One function a kind; what belongs together is decided in `structure`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.sources.demo.basics import chance, make_id
from nectar_notebooks.sandbox.sources.demo.catalogue import COMPANY_NAMES, STREETS, SUBTYPES, City, Kind, SiteSpec

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.model import Record
    from nectar_notebooks.sandbox.sources.demo.tariffs import Provider

__all__ = ["account_record", "company_record", "connection_record", "meter_record", "month_back", "site_record"]

_COUNTRIES = {"US": "United States", "CA": "Canada"}


def month_back(today: date, months: int) -> date:
    """Return the first day of the month `months` before today's."""
    index = today.year * 12 + today.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def company_record(seed: int | str, key: str, turn: int, today: date) -> Record:
    """Return a company; Canada's implies sewer usage from water."""
    draw = chance(seed, "company", key)
    name = COMPANY_NAMES[key][turn % len(COMPANY_NAMES[key])]
    word = name.split()[0].lower()
    implied = key == "B"
    return {
        "id": make_id(seed, "company", key),
        "name": name,
        "externalId": f"{word[:4].upper()}-{draw.randrange(1000, 9999)}",
        "users": [f"energy@{word}.example"],
        "dataCollectionStartDate": f"{today.year - 4}-01-01",
        "isDemandEnabled": True,
        "isImpliedMeteringEnabled": implied,
        "impliedMeteringFraction": "0.9" if implied else "1.0",
        "isBasicIdentifierMappingEnabled": False,
        "isLowAccuracyModeEnabled": False,
    }


def site_record(
    seed: int | str, key: str, spec: SiteSpec, city: City, number: int | None, company: Record, today: date
) -> Record:
    """Return a site; what a company has many of carries a `number`, so that no two names are equal."""
    draw = chance(seed, "site", key)
    street = draw.choice(STREETS)
    house, external = draw.randrange(11, 2900), draw.randrange(100, 999)
    occupancy = f"{spec.occupancy}.00" if spec.occupancy < 100 or draw.random() < 0.5 else None
    stop = month_back(today, spec.archived_months_ago).isoformat() if spec.archived_months_ago else None
    return {
        "id": make_id(seed, "site", key),
        "company": company["id"],
        "name": f"{city.name} {spec.building}" if number is None else f"{spec.building} {number}, {city.name} {street}",
        "externalId": f"{city.region}-{external}" if draw.random() < 0.8 else None,
        "address": f"{house} {street}, {city.name}, {city.region} {city.postcode}",
        "path": [_COUNTRIES[city.country], city.region, city.name],
        "occupancyPercent": occupancy,
        "dataCollectionStopDate": stop,
    }


def connection_record(
    seed: int | str, company: Record, provider: Provider, country: str, today: date,
    status: str, since: int, detail: str | None,
) -> Record:  # fmt: skip
    """Return a login that has its status since so many days."""
    draw = chance(seed, "connection", company["id"], provider.name)
    word = str(company["name"]).split()[0].lower()
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    new = status in ("PENDING", "NO_ACCOUNTS_FOUND")
    created = midnight - timedelta(
        days=since if new else draw.randrange(430, 1050), seconds=draw.randrange(3_600, 60_000)
    )
    checked = midnight - timedelta(days=draw.randrange(1, 7), seconds=draw.randrange(3_600, 80_000))
    first = midnight - timedelta(days=since, seconds=draw.randrange(3_600, 80_000))
    if new or status == "CONNECTED":
        first = created + timedelta(minutes=draw.randrange(5, 50) if new else draw.randrange(180, 3_600))
    checked = first if status == "COMPANY_INACTIVE" else max(first, checked)
    return {
        "id": make_id(seed, "connection", company["id"], provider.name),
        "created": _text(created),
        "updated": _text(checked),
        "externalId": None,
        "company": company["id"],
        "datasource": {"name": provider.name, "url": provider.url},
        "url": provider.url,
        "status": status,
        "statusFirstSeenTime": _text(first),
        "statusLastUpdateTime": _text(checked),
        "statusErrorDetail": detail,
        "country": country,
        "initialSites": [],
        "initialDatasourceTypes": [],
        "username": f"{draw.choice(('ap', 'utilities', 'facilities', 'energy'))}@{word}.example",
        "password": f"sandbox-{draw.randrange(10**6, 10**7)}",
        "workflowOwnerEmail": f"{draw.choice(('dana', 'lee', 'sam', 'robin', 'alex'))}@{word}.example",
        "dataCollectionStartDate": company["dataCollectionStartDate"],
        "multiplyByOccupancy": False,
        "isActive": status != "COMPANY_INACTIVE",
        "publicCompanyId": None,
        "connectionMagicLinkSecret": None,
    }


def account_record(seed: int | str, key: str, company: Record, connection: Record | None, status: str) -> Record:
    """Return an account, its number in one of the usual spellings."""
    digits = str(chance(seed, "account number", key).randrange(10**9, 10**10))
    spellings = (digits, f"{digits[:4]}-{digits[4:8]}-{digits[8:]}", f"{digits[:3]} {digits[3:]}", f"0{digits}")
    return {
        "id": make_id(seed, "account", key),
        "company": company["id"],
        "connection": connection["id"] if connection else None,
        "accountNumber": spellings[int(digits) % len(spellings)],
        "trackingStatus": "ENABLED",
        "isTracked": True,
        "isDuplicated": "false",
        "dataCollectionStartDate": None,
        "isCollectingInvoiceData": True,
        "isCollectingSmartMeterData": False,
        "datasourceTypes": [],
        "lastServiceDate": None,
        "status": status,
    }


def meter_record(seed: int | str, key: str, kind: Kind, account: Record, site: Record) -> Record:
    """Return a meter with its identifiers; its kinds of waste are ids here, as in the API."""
    draw = chance(seed, "meter number", key)
    number = str(draw.randrange(10**6, 10**7))
    if kind.identifier == "METER":
        number = draw.choice("ABCEGKMNT") + number
    identifiers = [{"name": kind.identifier, "value": number, "rawName": kind.label}]
    if kind.commodity == "ELECTRICITY" and kind.identifier == "METER":
        point = str(draw.randrange(10**11, 10**12))
        identifiers.append({"name": "POD", "value": point, "rawName": "Service ID"})
    subtype: dict[str, str | None] = dict.fromkeys(SUBTYPES)
    for name, value in kind.subtype.items():
        subtype[name] = make_id(seed, name, value) if name.startswith("waste") else value
    return {
        "id": make_id(seed, "meter", key),
        "company": account["company"],
        "site": site["id"],
        "account": account["id"] if account["connection"] else None,
        "identifiers": identifiers,
        "datasourceType": kind.commodity,
        "address": site["address"],
        "isTracked": True,
        "timeOfUse": None,
        **subtype,
    }


def _text(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")

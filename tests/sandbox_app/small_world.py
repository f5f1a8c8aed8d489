"""A small world written by hand, and a client for it: what the tests of the embedded sandbox's answers run on."""

from __future__ import annotations

from typing import Any

from nectar_notebooks.sandbox.model import World

ACME = "00000000-0000-4000-8000-0000000000c1"
BETA = "00000000-0000-4000-8000-0000000000c2"
MAIN_SITE = "00000000-0000-4000-8000-0000000000a1"
ANNEX = "00000000-0000-4000-8000-0000000000a2"
BETA_SITE = "00000000-0000-4000-8000-0000000000a3"
POWER_LOGIN = "00000000-0000-4000-8000-0000000000b1"
WATER_LOGIN = "00000000-0000-4000-8000-0000000000b2"
POWER_ACCOUNT = "00000000-0000-4000-8000-0000000000d1"
WATER_ACCOUNT = "00000000-0000-4000-8000-0000000000d2"
POWER_METER = "00000000-0000-4000-8000-0000000000e1"
WATER_METER = "00000000-0000-4000-8000-0000000000e2"
SEWER_METER = "00000000-0000-4000-8000-0000000000e3"
JANUARY_BILL = "00000000-0000-4000-8000-0000000000f1"
FEBRUARY_BILL = "00000000-0000-4000-8000-0000000000f2"
WATER_BILL = "00000000-0000-4000-8000-0000000000f3"
DELETED_BILL = "00000000-0000-4000-8000-0000000000f4"
UPLOADED_BILL = "00000000-0000-4000-8000-0000000000f5"
JANUARY_USAGE = "00000000-0000-4000-8000-000000000011"
FEBRUARY_USAGE = "00000000-0000-4000-8000-000000000012"
WATER_USAGE = "00000000-0000-4000-8000-000000000013"
SEWER_USAGE = "00000000-0000-4000-8000-000000000014"
NOBODY = "00000000-0000-4000-8000-00000000ffff"


def small_world() -> World:
    """Two companies; the first has two sites, two logins, three meters and five bills, one of them deleted."""
    return World(
        companies=[
            {"id": ACME, "name": "Acme", "externalId": "A-1", "users": ["ada@acme.example"],
             "dataCollectionStartDate": "2024-01-01"},
            {"id": BETA, "name": "Beta", "externalId": None, "users": []},
        ],
        sites=[
            {"id": MAIN_SITE, "company": ACME, "name": "Main", "externalId": "S-1", "address": "1 Main St",
             "path": ["US", "Ohio"], "occupancyPercent": "60"},
            {"id": ANNEX, "company": ACME, "name": "Annex", "address": "2 Main St",
             "dataCollectionStopDate": "2025-06-30"},
            {"id": BETA_SITE, "company": BETA, "name": "Beta House"},
        ],
        connections=[
            {"id": POWER_LOGIN, "company": ACME, "created": "2024-01-02T08:00:00Z",
             "updated": "2025-01-02T08:00:00Z",
             "datasource": {"name": "Ohio Power", "url": "https://power.example"}, "url": "https://power.example",
             "status": "CONNECTED", "username": "acme", "password": "not to be seen", "country": "US",
             "workflowOwnerEmail": "ada@acme.example", "initialSites": [MAIN_SITE]},
            {"id": WATER_LOGIN, "company": ACME, "created": "2024-01-01T08:00:00Z",
             "updated": "2025-01-02T08:00:00Z",
             "datasource": {"name": "Ohio Water", "url": "https://water.example"}, "url": "https://water.example",
             "status": "PASSWORD_INCORRECT", "username": "acme", "password": "not to be seen", "country": "US",
             "workflowOwnerEmail": "bob@acme.example", "initialSites": []},
        ],
        accounts=[
            {"id": POWER_ACCOUNT, "company": ACME, "connection": POWER_LOGIN, "accountNumber": "P 100",
             "trackingStatus": "ENABLED", "datasourceTypes": ["ELECTRICITY"], "lastServiceDate": "2025-02-28",
             "status": "PULL_COMPLETED"},
            {"id": WATER_ACCOUNT, "company": ACME, "connection": WATER_LOGIN, "accountNumber": "W 200",
             "trackingStatus": "DISABLED", "datasourceTypes": ["WATER"], "status": "CUSTOMER_NOT_TRACKED"},
        ],
        meters=[
            {"id": POWER_METER, "company": ACME, "site": MAIN_SITE, "account": POWER_ACCOUNT,
             "datasourceType": "ELECTRICITY", "electricityType": "USAGE", "address": "1 Main St",
             "identifiers": [{"name": "METER", "value": "013-774-6423", "rawName": "Meter no."}]},
            {"id": WATER_METER, "company": ACME, "site": ANNEX, "account": WATER_ACCOUNT,
             "datasourceType": "WATER", "waterType": "POTABLE_WATER",
             "identifiers": [{"name": "METER", "value": "W1", "rawName": "Meter"}]},
            {"id": SEWER_METER, "company": ACME, "site": ANNEX, "account": WATER_ACCOUNT,
             "datasourceType": "WATER", "waterType": "WASTEWATER",
             "identifiers": [{"name": "METER", "value": "W1-S", "rawName": "Meter"}]},
        ],
        documents=[
            _bill(JANUARY_BILL, "2025-02-05T10:00:00Z", "2025-02-03", POWER_LOGIN, total="30.50",
                  lineItems=[_line("Energy", "20.50"), _line("Customer charge", "10.00")],
                  demandMeters=[{"startDate": "2025-01-01", "endDate": "2025-01-31", "isEstimated": False,
                                 "demandUsage": "12.5", "demandUsageUnits": "kW", "description": "Peak",
                                 "demandType": "PEAK", "usageDataIds": [JANUARY_USAGE]}]),
            _bill(FEBRUARY_BILL, "2025-03-05T10:00:00Z", "2025-03-03", POWER_LOGIN, total="28.00",
                  lineItems=[_line("Energy", "28.00")], isFlagged=True, flaggedStatus="REVIEW"),
            _bill(WATER_BILL, "2025-03-01T10:00:00Z", "2025-02-20", WATER_LOGIN, total="9.00",
                  lineItems=[_line("Water", "9.00")]),
            _bill(DELETED_BILL, "2025-01-05T10:00:00Z", "2025-01-03", POWER_LOGIN, total="1.00", isDeleted=True),
            _bill(UPLOADED_BILL, "2025-03-07T00:00:00Z", "2025-03-04", None, total="2.00", startDate="2025-02-01"),
        ],
        usage=[
            _usage(JANUARY_USAGE, JANUARY_BILL, "2025-01-01", "2025-01-31", "150.75", "kWh",
                   timeOfUseBreakdown=[{"timeOfUse": "PEAK", "usage": "50.25", "usageUnits": "kWh",
                                        "description": "On-peak"},
                                       {"timeOfUse": "OFF_PEAK", "usage": "100.5", "usageUnits": "kWh",
                                        "description": "Off-peak"}]),
            _usage(FEBRUARY_USAGE, FEBRUARY_BILL, "2025-02-01", "2025-02-28", "140", "kWh"),
            _usage(WATER_USAGE, WATER_BILL, "2025-01-15", "2025-02-14", "5", "CCF", meter=WATER_METER,
                   site=ANNEX, connection=WATER_LOGIN, datasourceType="WATER", electricityType=None,
                   waterType="POTABLE_WATER",
                   identifiers=[{"name": "METER", "value": "W1", "rawName": "Meter"}]),
            _usage(SEWER_USAGE, WATER_BILL, "2025-01-15", None, "5", "CCF", meter=SEWER_METER,
                   site=ANNEX, connection=WATER_LOGIN, datasourceType="WATER", electricityType=None,
                   waterType="WASTEWATER",
                   identifiers=[{"name": "METER", "value": "W1-S", "rawName": "Meter"}]),
        ],
    )  # fmt: skip


def many_bills(count: int) -> World:
    """The small world with so many bills of one usage record each in the second company, created in reverse."""
    world = small_world()
    for number in range(count, 0, -1):
        id_ = f"10000000-0000-4000-8000-{number:012d}"
        world.documents.append(
            _bill(id_, f"2025-01-01T00:{number // 60:02d}:{number % 60:02d}Z", "2025-01-01", None,
                  total="1.00", company=BETA)
        )  # fmt: skip
        world.usage.append(
            _usage(f"20000000-0000-4000-8000-{number:012d}", id_, "2025-01-01", "2025-01-02", str(number), "kWh",
                   company=BETA, connection=None, meter=None, site=BETA_SITE, identifiers=[])
        )  # fmt: skip
    return world


def _bill(id_: str, created: str, day: str, login: str | None, *, total: str, **more: Any) -> dict[str, Any]:
    record = {
        "id": id_, "company": ACME, "connection": login, "created": created, "updated": created,
        "url": f"https://files.example/{id_}.pdf", "fileName": f"{id_}.pdf", "utilityCompany": "Ohio Power",
        "billDate": day, "chargesUnits": "USD", "totalCharges": total, "currentCharges": total,
        "previousCloseBalance": "0.00", "invoiceId": f"INV-{id_[-2:]}", "status": "PROCESSED", "isFlagged": False,
        "lineItems": [], "demandMeters": [],
    }  # fmt: skip
    return record | more


def _line(description: str, amount: str) -> dict[str, Any]:
    return {"description": description, "totalCharge": amount, "rate": None, "quantity": None,
            "quantityUnits": None, "multipliers": [], "accountIds": [POWER_ACCOUNT], "chargeType": "SUPPLY",
            "electricityChargeType": None, "gasChargeType": None, "electricityIsDemand": False,
            "electricityTimeOfUse": None, "billingPeriod": "CURRENT"}  # fmt: skip


def _usage(id_: str, bill: str, start: str, end: str | None, amount: str, unit: str, **more: Any) -> dict[str, Any]:
    record = {
        "id": id_, "company": ACME, "connection": POWER_LOGIN, "document": bill, "site": MAIN_SITE,
        "meter": POWER_METER, "created": "2025-02-05T10:00:00Z", "updated": "2025-02-05T10:00:00Z",
        "startDate": start, "endDate": end, "usage": amount, "usageUnits": unit, "datasourceType": "ELECTRICITY",
        "electricityType": "USAGE", "timeOfUseBreakdown": [],
        "identifiers": [{"name": "METER", "value": "013-774-6423", "rawName": "Meter no."}],
    }  # fmt: skip
    return record | more

"""The records that the bills loader makes, in the shape of the API.

Which line belongs to which record is decided in `bills`; nothing here looks at a second line but for sums.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from nectar_notebooks.sandbox.loader.lines import Line
from nectar_notebooks.sandbox.loader.usage import Counted
from nectar_notebooks.sandbox.loader.values import money
from nectar_notebooks.sandbox.loader.words import Vocabulary
from nectar_notebooks.sandbox.model import Record
from nectar_notebooks.sandbox.sources.demo.basics import make_id

__all__ = [
    "account_record",
    "company_record",
    "connection_record",
    "demand_record",
    "document_record",
    "item_record",
    "meter_record",
    "site_record",
    "total_up",
    "usage_record",
]

_COUNTRIES: Final = {"USD": "US", "CAD": "CA", "GBP": "GB", "AUD": "AU", "NZD": "NZ", "MXN": "MX"}


def _noon(day: date) -> str:
    return f"{day.isoformat()}T12:00:00Z"


def company_record(seed: str, name: str, start: date) -> Record:
    """Return the one company of a file."""
    return {
        "id": make_id(seed, "company"), "name": name, "externalId": None, "users": [],
        "dataCollectionStartDate": start.isoformat(), "isDemandEnabled": True, "isImpliedMeteringEnabled": False,
        "impliedMeteringFraction": "1.0", "isBasicIdentifierMappingEnabled": False,
        "isLowAccuracyModeEnabled": False,
    }  # fmt: skip


def site_record(company: Record, line: Line) -> Record:
    """Return a site; its id in the file is its external id."""
    return {
        "id": make_id(company["id"], "site", line.site), "company": company["id"],
        "name": (line.site_name or company["name"])[:255], "externalId": line.site or None,
        "address": (line.site_address or line.address or "")[:255], "path": [], "occupancyPercent": None,
        "dataCollectionStopDate": None,
    }  # fmt: skip


def connection_record(company: Record, line: Line, first: date, last: date) -> Record:
    """Return a connection that stands for a vendor's bills in the file."""
    slug = "".join(c for c in line.vendor.lower() if c.isalnum()) or "vendor"
    url = f"https://{slug[:60]}.bills-file.example"
    return {
        "id": make_id(company["id"], "connection", line.vendor), "created": _noon(first), "updated": _noon(last),
        "externalId": None, "company": company["id"], "datasource": {"name": line.vendor, "url": url}, "url": url,
        "status": "CONNECTED", "statusFirstSeenTime": _noon(first), "statusLastUpdateTime": _noon(last),
        "statusErrorDetail": None, "country": _COUNTRIES.get(line.currency, "US"), "initialSites": [],
        "initialDatasourceTypes": [], "username": "bills-file", "password": "", "workflowOwnerEmail": None,
        "dataCollectionStartDate": company["dataCollectionStartDate"], "multiplyByOccupancy": False,
        "isActive": True, "publicCompanyId": None, "connectionMagicLinkSecret": None,
    }  # fmt: skip


def account_record(company: Record, connection: Record, line: Line) -> Record:
    """Return an account; it is an old one: what a file holds is history, and no bill is expected after its last."""
    return {
        "id": make_id(company["id"], "account", line.vendor, line.account), "company": company["id"],
        "connection": connection["id"], "accountNumber": line.account[:200], "trackingStatus": "ENABLED",
        "isTracked": True, "isDuplicated": "false", "dataCollectionStartDate": None,
        "isCollectingInvoiceData": True, "isCollectingSmartMeterData": False, "datasourceTypes": [],
        "lastServiceDate": None, "status": "OLD_ACCOUNT",
    }  # fmt: skip


def meter_record(site: Record, account: Record, line: Line, number: str | None) -> Record:
    """Return a meter, known by its number or, without one, by its account's."""
    identifier = {"name": "METER", "value": number, "rawName": "Meter Number"}
    if number is None:
        identifier = {"name": "ACCOUNT", "value": line.account, "rawName": "Account Number"}
    return {
        "id": make_id(account["id"], "meter", site["id"], line.commodity, line.kind, number),
        "company": site["company"], "site": site["id"], "account": account["id"], "identifiers": [identifier],
        "datasourceType": line.commodity, "address": line.address or site["address"] or None, "isTracked": True,
    }  # fmt: skip


def document_record(company: Record, connection: Record, lines: list[Line]) -> Record:
    """Return a bill with its sums and without its children."""
    first = lines[0]
    bill = make_id(connection["id"], "bill", first.account, first.bill_date, first.invoice, first.currency)
    created = _noon(max(line.entry_date or line.bill_date for line in lines))
    starts = [line.start for line in lines if line.start]
    dues = [line.due_date for line in lines if line.due_date]
    return {
        "id": bill, "created": created, "updated": created, "company": company["id"],
        "connection": connection["id"], "url": None, "auditTrailUrl": None, "fileName": None, "email": None,
        "jobId": None, "notes": "", "sourceType": "INVOICE", "invoiceId": first.invoice,
        "utilityCompany": first.vendor, "billDate": first.bill_date.isoformat(),
        "startDate": min(starts).isoformat() if starts else None,
        "dueDate": max(dues).isoformat() if dues else None, "chargesUnits": first.currency,
        "totalCharges": None, "currentCharges": None, "previousCloseBalance": None,
        "afterPreviousTotalPayment": None, "afterPreviousCharges": None, "afterPreviousCredits": None,
        "currentOpenBalance": None, "credits": None, "taxCharges": None, "interestCharges": None,
        "status": "COMPLETED", "isFlagged": False, "flaggedStatus": None, "revisedDocumentId": None,
        "lineItems": [], "demandMeters": [], "isDeleted": False,
    }  # fmt: skip


def item_record(line: Line, account: str, *, demand: bool, words: Vocabulary) -> Record:
    """Return the line item of a line."""
    charge = words.charge(line.item, demand=demand, used=line.quantity is not None)
    electric = line.commodity == "ELECTRICITY"
    return {
        "description": line.item, "totalCharge": money(line.amount),
        "rate": None if line.rate is None else format(line.rate, "f"),
        "quantity": None if line.quantity is None else format(line.quantity, "f"), "quantityUnits": line.unit,
        "multipliers": [], "accountIds": [account], "chargeType": charge,
        "electricityChargeType": charge if electric else None,
        "gasChargeType": charge if line.commodity == "GAS" else None, "electricityIsDemand": demand,
        "electricityTimeOfUse": words.period(line.item) if electric else None,
        "billingPeriod": "PREVIOUS" if words.is_previous(line.item) else "CURRENT",
    }  # fmt: skip


def total_up(document: Record) -> None:
    """Write a bill's sums from its line items."""
    items = document["lineItems"]

    def total(field: str, value: str) -> Decimal:
        return sum((Decimal(item["totalCharge"]) for item in items if item[field] == value), Decimal(0))

    current = total("billingPeriod", "CURRENT")
    document["currentCharges"] = money(current)
    document["totalCharges"] = money(current + total("billingPeriod", "PREVIOUS"))
    for field, charge in (("taxCharges", "TAX"), ("credits", "CREDIT"), ("interestCharges", "LATE_FEE")):
        document[field] = money(total("chargeType", charge))


def usage_record(
    document: Record, site: Record, meter: Record | None, line: Line, unit: str, start: date, end: date,
    counted: Counted,
) -> Record:  # fmt: skip
    """Return what one meter (or, without one, the account) used in one period."""
    meter_id = meter["id"] if meter else None
    days = {"startDate": start.isoformat(), "endDate": end.isoformat()}
    parts = [
        {"timeOfUse": period, "usage": format(usage, "f"), "usageUnits": unit, "description": text, **days}
        for period, usage, text in counted.parts
    ]
    return {
        "id": make_id(document["id"], "usage", site["id"], meter_id, line.commodity, line.kind, unit, start, end),
        "created": document["created"], "updated": document["updated"], "company": document["company"],
        "connection": document["connection"], "document": document["id"], "site": site["id"], "meter": meter_id,
        **days, "usage": format(counted.usage, "f"), "usageUnits": unit,
        "meterAddress": meter["address"] if meter else None, "serviceAddress": line.address,
        "meterIsTracked": True if meter else None, "identifiers": meter["identifiers"] if meter else [],
        "datasourceType": line.commodity, "isEstimated": False, "isImplied": False, "exclusion": False,
        "utilityName": line.vendor, "country": _COUNTRIES.get(line.currency, "US"), "additionalFields": {},
        "timeOfUseBreakdown": parts,
    }  # fmt: skip


def demand_record(line: Line, start: date, end: date, usage: list[str], words: Vocabulary) -> Record:
    """Return a demand reading."""
    return {
        "startDate": start.isoformat(), "endDate": end.isoformat(), "isEstimated": False,
        "demandUsage": format(line.quantity or Decimal(0), "f"), "demandUsageUnits": line.unit,
        "description": line.item, "demandType": "PEAK" if words.period(line.item) == "PEAK" else None,
        "usageDataIds": usage,
    }  # fmt: skip

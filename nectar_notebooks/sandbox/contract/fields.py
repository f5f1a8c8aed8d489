"""The fields of every answered object, v2.2, in answering order, with what stands for absent.

Written from the field lists of the documentation, on purpose not from the client's tables. Also here: which
fields are decimals, and which fields, values and readings are assumed, so that a sandbox can leave them out.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ASSUMED", "DECIMALS", "FIELDS", "PRIVATE", "fill"]

_COMMODITY_TYPES: Final = (
    "electricityType", "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType", "districtType",
    "districtMediumType", "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
)  # fmt: skip
#: Fields by kind; the value is what a record that does not say it answers.
FIELDS: Final[dict[str, dict[str, Any]]] = {
    "companies": {
        "id": None, "name": None, "externalId": None, "users": [], "dataCollectionStartDate": None,
        "isDemandEnabled": True, "isImpliedMeteringEnabled": False, "impliedMeteringFraction": "1.0",
        "isBasicIdentifierMappingEnabled": False, "isLowAccuracyModeEnabled": False,
    },
    "sites": {
        "id": None, "name": None, "externalId": None, "address": "", "path": [], "occupancyPercent": None,
        "dataCollectionStopDate": None,
    },
    "connections": {
        "id": None, "created": None, "updated": None, "externalId": None, "company": None, "datasource": None,
        "url": None, "status": "PENDING", "statusFirstSeenTime": None, "statusLastUpdateTime": None,
        "statusErrorDetail": "", "country": "", "initialSites": [], "initialDatasourceTypes": [],
        "username": "", "workflowOwnerEmail": "", "dataCollectionStartDate": None,
        "multiplyByOccupancy": False, "isActive": True,
    },
    "accounts": {
        "id": None, "accountNumber": None, "trackingStatus": "UNSET", "isDuplicated": "false",
        "dataCollectionStartDate": None, "isCollectingInvoiceData": True, "isCollectingSmartMeterData": False,
        "datasourceTypes": [], "lastServiceDate": None, "status": None,
    },
    "meters": {
        "id": None, "site": None, "account": None, "identifiers": [], "datasourceType": None, "address": None,
        "isTracked": True, "timeOfUse": None, **dict.fromkeys(_COMMODITY_TYPES),
    },
    "documents": {
        "id": None, "created": None, "updated": None, "company": None, "url": None, "auditTrailUrl": None,
        "fileName": None, "email": None, "jobId": None, "notes": None, "sourceType": "INVOICE",
        "invoiceId": None, "utilityCompany": None, "billDate": None, "startDate": None, "dueDate": None,
        "chargesUnits": None, "totalCharges": None, "currentCharges": None, "previousCloseBalance": None,
        "afterPreviousTotalPayment": None, "afterPreviousCharges": None, "afterPreviousCredits": None,
        "currentOpenBalance": None, "credits": None, "taxCharges": None, "interestCharges": None,
        "status": None, "isFlagged": False, "flaggedStatus": None, "revisedDocumentId": None,
    },
    "usage": {
        "id": None, "created": None, "updated": None, "startDate": None, "endDate": None, "usage": None,
        "usageUnits": None, "meter": None, "meterAddress": None, "serviceAddress": None,
        "meterIsTracked": True, "identifiers": [], "datasourceType": None, "isEstimated": False,
        "isImplied": False, "exclusion": False, "currentReading": None, "previousReading": None,
        "multiplier": None, "multiplierDescription": None, "multiplier2": None,
        "multiplier2Description": None, "fractionRenewable": None, "netMeteringGeneratedKwh": None,
        "netMeteringGridImportKwh": None, "netMeteringGridExportKwh": None, "tariff": None,
        "billedDemand": None, "supplierName": None, "utilityName": None, "country": None,
        "timeOfUseBreakdown": [], **dict.fromkeys(_COMMODITY_TYPES), "additionalFields": {},
    },
}  # fmt: skip
#: What a record says for the sandbox alone, or what is put in place when it is answered.
PRIVATE: Final[dict[str, frozenset[str]]] = {
    "companies": frozenset({"sites"}),
    "sites": frozenset({"company"}),
    "connections": frozenset({"password", "accounts", "planned"}),
    "accounts": frozenset({"connection", "company", "meters", "isTracked"}),
    "meters": frozenset({"company"}),
    "documents": frozenset({"connection", "usageData", "lineItems", "demandMeters", "isDeleted"}),
    "usage": frozenset({"company", "connection", "document", "site", "timeOfUse", "powerFactor"}),
}
#: Decimals, which travel as strings or as numbers.
DECIMALS: Final = frozenset(
    {
        "impliedMeteringFraction", "occupancyPercent", "totalCharges", "currentCharges",
        "previousCloseBalance", "afterPreviousTotalPayment", "afterPreviousCharges", "afterPreviousCredits",
        "currentOpenBalance", "credits", "taxCharges", "interestCharges", "usage", "currentReading",
        "previousReading", "multiplier", "multiplier2", "fractionRenewable", "netMeteringGeneratedKwh",
        "netMeteringGridImportKwh", "netMeteringGridExportKwh", "billedDemand", "demandUsage", "totalCharge",
        "rate", "quantity", "apparentEnergy", "reactiveEnergy", "powerFactor",
    }
)  # fmt: skip
#: Fields that are assumed on these objects; a sandbox that keeps to the documentation leaves them out.
ASSUMED: Final[dict[str, frozenset[str]]] = {
    "meters": frozenset({"electricityType"}),
    "documents": frozenset(
        {
            "lineItems", "isFlagged", "invoiceId", "previousCloseBalance", "afterPreviousTotalPayment",
            "afterPreviousCharges", "afterPreviousCredits", "currentOpenBalance",
        }
    ),
    "usage": frozenset(
        {"apparentEnergy", "apparentEnergyUnits", "reactiveEnergy", "reactiveEnergyUnits", "powerFactor"}
    ),
    "invitations": frozenset({"events"}),
}  # fmt: skip


def fill(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return `record` as the API answers it, in field order: every field there, nothing private.

    Fields that the kind does not list are kept at the end: the API may add some, and so may a loader.
    """
    known = FIELDS[kind]
    answer = {name: absent if (value := record.get(name)) is None else value for name, absent in known.items()}
    if len(record) > len(known) or not record.keys() <= known.keys():
        private = PRIVATE[kind]
        answer.update({name: value for name, value in record.items() if name not in known and name not in private})
    return answer

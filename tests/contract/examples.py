"""Example answers, written by hand from the field lists of the documentation: never made by the package.

`FULL` has every field of v2.2 that an answer may carry, `LEAST` what every answer carries. Decimals are strings
in one and numbers in the other, timestamps have a zone in one and nine digits in the other.
"""

SITE = {
    "id": "site-1",
    "name": "Library",
    "externalId": "B-17",
    "address": "1 Main Street",
    "path": ["North", "Campus"],
    "occupancyPercent": "60.00",
    "dataCollectionStopDate": "2025-03-31",
}
IDENTIFIER = {"name": "METER", "value": "013-774-6423", "rawName": "Meter no."}
ACCOUNT = {
    "id": "account-1",
    "accountNumber": "4711",
    "meters": ["meter-1", "meter-2"],
    "trackingStatus": "UNSET",
    "isTracked": True,
    "isDuplicated": "false",
    "dataCollectionStartDate": "2024-01-01",
    "isCollectingInvoiceData": True,
    "isCollectingSmartMeterData": False,
    "datasourceTypes": ["ELECTRICITY", "GAS"],
    "lastServiceDate": "2025-12-31",
    "status": "PULL_COMPLETED",
}
COMMODITY_TYPES = {
    "electricityType": "USAGE",
    "netMeteringType": "EXPORT",
    "waterType": None,
    "meterHighLow": None,
    "gasType": None,
    "fuelType": None,
    "districtType": None,
    "districtMediumType": None,
    "wasteDescription": None,
    "wasteType": None,
    "wasteStream": None,
    "refrigerantType": None,
}
BILL = {
    "id": "bill-1",
    "created": "2025-02-03T04:05:06Z",
    "updated": "2025-02-03T04:05:06.123456789",
    "company": {"id": "company-1", "name": "City", "externalId": None},
    "url": "https://files.example.com/bill-1.pdf",
    "auditTrailUrl": "https://dash.nectarclimate.com/audit/bill-1",
    "fileName": "bill-1.pdf",
    "email": "bills@example.com",
    "jobId": None,
    "notes": "",
    "sourceType": "INVOICE",
    "invoiceId": "2025-000017",
    "utilityCompany": "City Light",
    "billDate": "2025-01-31",
    "startDate": "2025-01-01",
    "dueDate": "2025-02-20",
    "chargesUnits": "USD",
    "totalCharges": "120.50",
    "currentCharges": "110.25",
    "previousCloseBalance": "10.25",
    "afterPreviousTotalPayment": "0",
    "afterPreviousCharges": "0",
    "afterPreviousCredits": "-1.50",
    "currentOpenBalance": "120.50",
    "credits": "0",
    "taxCharges": "5.25",
    "interestCharges": "0",
    "status": "PROCESSED",
    "isFlagged": False,
    "flaggedStatus": None,
    "revisedDocumentId": "bill-2",
}
USAGE = {
    "id": "usage-1",
    "created": "2025-02-03T04:05:06Z",
    "updated": "2025-02-03T04:05:06Z",
    "startDate": "2025-01-01",
    "endDate": "2025-01-31",
    "usage": "150.75",
    "usageUnits": "kWh",
    "meter": "meter-1",
    "meterAddress": "1 Main Street",
    "serviceAddress": "1 Main Street, rear",
    "meterIsTracked": True,
    "site": SITE,
    "identifiers": [IDENTIFIER],
    "datasourceType": "ELECTRICITY",
    "isEstimated": False,
    "isImplied": False,
    "exclusion": False,
    "currentReading": "1150.75",
    "previousReading": "1000",
    "multiplier": "1",
    "multiplierDescription": "meter constant",
    "multiplier2": None,
    "multiplier2Description": None,
    "fractionRenewable": "0.4",
    "netMeteringGeneratedKwh": "20",
    "netMeteringGridImportKwh": "170.75",
    "netMeteringGridExportKwh": "20",
    "tariff": "B-1",
    "billedDemand": "12.5",
    "supplierName": "Green Supply",
    "utilityName": "City Light",
    "country": "US",
    "timeOfUseBreakdown": [
        {"timeOfUse": "PEAK", "usage": "50.25", "usageUnits": "kWh", "description": "On-peak"},
        {
            "timeOfUse": "OFF_PEAK",
            "usage": 100.5,
            "usageUnits": "kWh",
            "description": None,
            "startDate": "2025-01-01",
            "endDate": "2025-01-31",
        },
    ],
    "additionalFields": {"pressureZone": 3},
    **COMMODITY_TYPES,
}
DEMAND = {
    "startDate": "2025-01-01",
    "endDate": "2025-01-31",
    "isEstimated": False,
    "demandUsage": "12.5",
    "demandUsageUnits": "kW",
    "description": "Peak demand",
    "demandType": "PEAK",
    "usageDataIds": ["usage-1"],
}
LINE_ITEM = {
    "description": "Energy charge",
    "totalCharge": "100.00",
    "rate": "0.66335",
    "quantity": "150.75",
    "quantityUnits": "kWh",
    "multipliers": [],
    "accountIds": ["account-1"],
    "chargeType": "SUPPLY",
    "electricityChargeType": None,
    "gasChargeType": None,
    "electricityIsDemand": False,
    "electricityTimeOfUse": None,
    "billingPeriod": "CURRENT",
}
INVITATION = {
    "id": "invitation-1",
    "token": "t0k3n",
    "invitationType": "CREATE_CONNECTION",
    "status": "ACTIVE",
    "invitationUrl": "https://dash.nectarclimate.com/p/i/t0k3n",
    "companyId": "company-1",
    "connectionId": None,
    "allowedEmails": ["ann@example.com"],
    "expiresAt": None,
    "maxUses": 3,
    "useCount": 1,
    "createdAt": "2025-02-03T04:05:06Z",
    "prefill": {
        "url": "https://nectarclimate.com",
        "initialSites": ["site-1"],
        "utilityTypes": ["ELECTRICITY"],
        "country": "US",
        "connectionOwnerEmail": "ann@example.com",
        "dataCollectionStartDate": "2024-01-01",
    },
    "createdConnections": [
        {
            "id": "connection-1",
            "datasourceName": "City Light",
            "status": "PENDING",
            "created": "2025-02-04T00:00:00Z",
        }
    ],
}
CONNECTION = {
    "id": "connection-1",
    "created": "2025-02-03T04:05:06Z",
    "updated": "2025-02-03T04:05:06Z",
    "externalId": None,
    "company": {"id": "company-1", "name": "City", "externalId": "C-1"},
    "datasource": {"name": "City Light", "url": "https://citylight.example.com"},
    "url": "https://citylight.example.com/login",
    "status": "PASSWORD_INCORRECT",
    "statusFirstSeenTime": "2025-02-03T04:05:06.123456",
    "statusLastUpdateTime": None,
    "statusErrorDetail": "The provider refused the password.",
    "accounts": [ACCOUNT],
    "country": "US",
    "initialSites": ["site-1"],
    "initialDatasourceTypes": ["ELECTRICITY"],
    "username": "facilities",
    "workflowOwnerEmail": "ann@example.com",
    "dataCollectionStartDate": "2024-01-01",
    "multiplyByOccupancy": False,
    "isActive": True,
    "publicCompanyId": "pub-1",
    "connectionMagicLinkSecret": "s3cr3t",
}
METER = {
    "id": "meter-1",
    "site": "site-1",
    "account": {"id": "account-1", "accountNumber": "4711"},
    "identifiers": [IDENTIFIER],
    "datasourceType": "ELECTRICITY",
    "address": None,
    "isTracked": True,
    "timeOfUse": None,
    **COMMODITY_TYPES,
}
JOB = {
    "id": "job-1",
    "status": "COMPLETED",
    "parsedDocumentIds": ["bill-1"],
    "duplicates": 0,
    "duplicateDocumentIds": [],
    "nonUtilityDocumentIds": [],
    "terminationReason": None,
}
COMPANY = {
    "id": "company-1",
    "name": "City",
    "externalId": "C-1",
    "sites": [SITE],
    "users": ["ann@example.com"],
    "dataCollectionStartDate": "2024-01-01",
    "isDemandEnabled": True,
    "isImpliedMeteringEnabled": False,
    "impliedMeteringFraction": "1.0",
    "isBasicIdentifierMappingEnabled": False,
    "isLowAccuracyModeEnabled": False,
}
DOCUMENT = BILL | {"usageData": [USAGE], "lineItems": [LINE_ITEM], "demandMeters": [DEMAND]}
INTERVAL = {
    "id": "interval-1",
    "created": "2025-02-03T04:05:06Z",
    "updated": "2025-02-03T04:05:06Z",
    "account": "account-1",
    "identifiers": [IDENTIFIER],
    "start": "2025-01-01T00:00:00Z",
    "end": "2025-01-01T00:15:00Z",
    "usage": "0.25",
    "usageUnits": "kWh",
    "quality": "ACTUAL",
}


def page(things, *rows):
    """A page of a list, as the documentation shows its envelope."""
    return {
        f"total{things[0].upper()}{things[1:]}": len(rows),
        "perPage": 100,
        "totalPages": 1,
        "currentPage": 1,
        "hasNext": False,
        "hasPrevious": False,
        things: list(rows),
    }


def without(record, *names):
    return {key: value for key, value in record.items() if key not in names}


def numbers(record, *names):
    return record | {name: float(record[name]) for name in names}


#: (method, path, status): example answers of v2.2.
FULL = {
    ("get", "/ping", 200): {"status": "ok", "version": "v2.2"},
    ("get", "/company", 200): [COMPANY],
    ("post", "/company", 201): COMPANY,
    ("get", "/team", 200): {
        "id": "team-1",
        "name": "Integrator",
        "email": "team@example.com",
        "users": ["ann@example.com"],
        "billing": {},
    },
    ("get", "/site/{site_id}", 200): SITE,
    ("get", "/site/company/{company_id}", 200): page("sites", SITE),
    ("get", "/connection/company/{company_id}", 200): page("connections", CONNECTION),
    ("get", "/connection/{connection_id}/details", 200): CONNECTION,
    ("get", "/connection/{connection_id}", 200): {
        "publicCompanyId": "pub-1",
        "connectionMagicLinkSecret": "s3cr3t",
        "magicLinkUrl": "https://dash.nectarclimate.com/p/connect/pub-1/workflow/s3cr3t",
    },
    ("get", "/connection/company/{company_id}/link", 200): {
        "publicCompanyId": "pub-1",
        "companyMagicLinkSecret": "s3cr3t",
        "magicLinkUrl": "https://dash.nectarclimate.com/p/connect/pub-1/s3cr3t",
    },
    ("get", "/account/{account_id}", 200): ACCOUNT,
    ("get", "/meter/{meter_id}", 200): METER,
    ("get", "/document/company/{company_id}", 200): page("documents", DOCUMENT),
    ("get", "/document/{document_id}", 200): DOCUMENT,
    ("get", "/usage/company/{company_id}", 200): page("usageData", USAGE | {"document": BILL}),
    ("get", "/usage/{usage_data_id}", 200): USAGE | {"document": BILL},
    ("get", "/interval/connection/{connection_id}", 200): page("intervals", INTERVAL),
    ("get", "/invitation/company/{company_id}", 200): page("invitations", INVITATION),
    ("get", "/invitation/{invitation_id}", 200): INVITATION
    | {"events": [{"type": "VIEWED", "email": None, "created": "2025-02-04T00:00:00Z"}]},
    ("get", "/job/{job_id}", 200): JOB,
    ("post", "/job/company/{company_id}", 201): JOB,
    ("post", "/webhook", 200): {"url": "https://portal.example.com/login#key=1"},
    ("post", "/company", 400): {"detail": "name: is required.", "name": ["is required."]},
    ("get", "/company/{company_id}", 401): {"detail": "The API key is missing."},
    ("get", "/company/{company_id}", 403): {"detail": "Not visible to this key."},
    ("get", "/company/{company_id}", 404): {"detail": "No company with this id."},
    ("get", "/company", 429): {"detail": "Too many requests."},
}

_BILL_NULLS = (
    "auditTrailUrl", "fileName", "email", "notes", "sourceType", "dueDate", "credits", "taxCharges", "interestCharges",
    "startDate", "flaggedStatus", "revisedDocumentId",
)  # fmt: skip
_BILL_ASSUMED = (
    "invoiceId", "previousCloseBalance", "afterPreviousTotalPayment", "afterPreviousCharges", "afterPreviousCredits",
    "currentOpenBalance", "isFlagged",
)  # fmt: skip
LEAST_BILL = numbers(without(BILL, "jobId", *_BILL_ASSUMED), "totalCharges", "currentCharges") | dict.fromkeys(
    _BILL_NULLS
)
LEAST_USAGE = numbers(
    without(
        USAGE,
        "meterAddress",
        "serviceAddress",
        "currentReading",
        "previousReading",
        "multiplier",
        "tariff",
        "multiplier2",
        "billedDemand",
        "supplierName",
        "additionalFields",
        "fractionRenewable",
        *COMMODITY_TYPES,
        "timeOfUseBreakdown",
    ),
    "usage",
) | {"endDate": None, "meter": None, "site": None}

LEAST = {
    ("get", "/ping", 200): {},
    ("get", "/company", 200): [],
    ("get", "/company/{company_id}", 200): numbers(without(COMPANY, "externalId"), "impliedMeteringFraction")
    | {"sites": [], "users": []},
    ("get", "/site/{site_id}", 200): without(SITE, "externalId", "occupancyPercent", "dataCollectionStopDate")
    | {"path": []},
    ("get", "/document/site/{site_id}", 200): page("documents"),
    ("get", "/document/{document_id}", 200): LEAST_BILL | {"usageData": [], "demandMeters": []},
    ("get", "/usage/{usage_data_id}", 200): LEAST_USAGE | {"document": LEAST_BILL},
    ("get", "/account/{account_id}", 200): without(ACCOUNT, "dataCollectionStartDate", "lastServiceDate", "status"),
    ("get", "/meter/{meter_id}", 200): without(METER, "account", "address", "timeOfUse", *COMMODITY_TYPES),
    ("get", "/invitation/{invitation_id}", 200): without(INVITATION, "createdConnections", "connectionId", "maxUses")
    | {"prefill": {}, "allowedEmails": []},
    ("get", "/job/{job_id}", 200): without(JOB, "terminationReason") | {"parsedDocumentIds": []},
}

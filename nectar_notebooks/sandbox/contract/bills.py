"""What the API answers about bills: documents, line items, usage, demand, time of use, intervals.

v2.2; what v2.1 and v2.0 say differently stands in `versions`. The documentation does not say which of these
fields may be null: those that cannot apply to every bill or commodity are taken to be, and `maybe` says so.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.objects import COMMODITY_FIELDS
from nectar_notebooks.sandbox.contract.schemas import (
    Field,
    Json,
    anything,
    assumed,
    boolean,
    date,
    decimal,
    items,
    maybe,
    optional,
    read_as,
    record,
    ref,
    reference,
    text,
    timestamp,
    values,
)
from nectar_notebooks.schema.values import (
    BILLING_PERIODS,
    CHARGE_TYPES,
    COMMODITIES,
    DEMAND_TYPES,
    DEMAND_UNITS,
    USAGE_UNITS,
)

__all__ = ["BILLS", "CHILDREN"]

_FROM_WEBHOOK: Final = "Seen in a webhook's sample only, which hides read-only fields."
_OF_A_FILE: Final = "Not seen on a line item; answered of bills loaded from a file that says it, else left out."
_MAY_BE_NULL: Final = "Which fields may be null is not documented."


def _balance(description: str) -> Field:
    return assumed(maybe(decimal(description)), _FROM_WEBHOOK)


#: The fields of a bill that hold its parts: a usage record carries its bill without them.
CHILDREN: Final = ("usageData", "lineItems", "demandMeters")

_DOCUMENT: Final = record(
    "A bill.",
    id=text("Id of the bill."),
    created=timestamp("When it was made."),
    updated=timestamp("When it last changed."),
    company=reference("The company it belongs to."),
    url=text("Where the original file lies; read without the key."),
    auditTrailUrl=maybe(text("Where Nectar shows how it was read.")),
    fileName=maybe(text("Name of the original file.")),
    email=maybe(text("Address it was sent to.")),
    jobId=maybe(text("The upload that brought it.")),
    notes=maybe(text("Free text.")),
    sourceType=maybe(values("How it came.", ("INVOICE",))),
    invoiceId=assumed(maybe(text("Number of the invoice.")), _FROM_WEBHOOK),
    utilityCompany=maybe(text("Who sent it.")),
    billDate=read_as(
        date("Date of the bill."),
        "The data model says end of the billing period, other pages the invoice date.",
    ),
    startDate=maybe(date("First day of the billing period; shown by a guide only.")),
    dueDate=maybe(date("Day payment is due.")),
    chargesUnits=text("Currency of every amount on the bill, ISO 4217."),
    totalCharges=maybe(decimal("What is to be paid.")),
    currentCharges=maybe(decimal("What this period cost.")),
    previousCloseBalance=_balance("Balance before this bill."),
    afterPreviousTotalPayment=_balance("Payments since the bill before."),
    afterPreviousCharges=_balance("Charges since the bill before."),
    afterPreviousCredits=_balance("Credits since the bill before."),
    currentOpenBalance=_balance("Balance still open."),
    credits=maybe(decimal("Credits on the bill.")),
    taxCharges=maybe(decimal("Taxes on the bill.")),
    interestCharges=maybe(decimal("Interest on the bill.")),
    status=values("State of processing; its values are not documented."),
    isFlagged=assumed(boolean("Whether an issue is open on it."), _FROM_WEBHOOK),
    flaggedStatus=maybe(values("What the issue is; its values are not documented.")),
    revisedDocumentId=read_as(
        maybe(text("The bill that replaces this one.")), "Which of the two bills names the other."
    ),
    usageData=items("Its usage records.", ref("DocumentUsage")),
    lineItems=assumed(items("Its charges.", ref("LineItem")), _FROM_WEBHOOK),
    demandMeters=items("Its demand readings.", ref("DemandMeter")),
)

_USAGE_FIELDS: Final[dict[str, Json | Field]] = {
    "id": text("Id of the record."),
    "created": timestamp("When it was made."),
    "updated": timestamp("When it last changed."),
    "startDate": date("First day of service; counts."),
    "endDate": maybe(date("Last day of service; counts. Missing, it is the first day.")),
    "usage": decimal("Usage of the whole period."),
    "usageUnits": values("Unit of the usage.", USAGE_UNITS),
    "meter": read_as(maybe(reference("The meter.")), "Null where the usage is the account's, not one meter's."),
    "meterAddress": maybe(text("Address of the meter.")),
    "serviceAddress": maybe(text("Address of service on the bill.")),
    "meterIsTracked": maybe(boolean("Whether the meter is tracked.")),
    "site": maybe({"description": "The site its meter stands on.", "anyOf": [ref("Site"), ref("Reference")]}),
    "identifiers": items("The numbers by which its meter is known.", ref("Identifier")),
    "datasourceType": values("Its commodity.", COMMODITIES),
    "isEstimated": boolean("Whether the provider estimated it."),
    "isImplied": boolean("Whether it is implied from another meter."),
    "exclusion": boolean("Whether it is subtracted in sums, as a tenant's share from a landlord's."),
    "currentReading": maybe(decimal("Reading at the end.")),
    "previousReading": maybe(decimal("Reading at the start.")),
    "multiplier": maybe(decimal("Factor between readings and usage.")),
    "multiplierDescription": maybe(text("What the factor is.")),
    "multiplier2": maybe(decimal("Second factor.")),
    "multiplier2Description": maybe(text("What the second factor is.")),
    "fractionRenewable": maybe(decimal("Renewable share of the supply, 0 to 1.")),
    "netMeteringGeneratedKwh": maybe(decimal("Generation beside the net figure.")),
    "netMeteringGridImportKwh": maybe(decimal("Drawn from the grid.")),
    "netMeteringGridExportKwh": maybe(decimal("Fed into the grid.")),
    "tariff": maybe(text("Tariff as the bill names it.")),
    "billedDemand": maybe(decimal("Demand that was billed.")),
    "supplierName": maybe(text("Who sold it.")),
    "utilityName": maybe(text("Who delivered it.")),
    "country": maybe(text("ISO 3166-1 alpha-2.")),
    "timeOfUseBreakdown": read_as(
        optional(items("Parts of the total by time of use: never added to it.", ref("TimeOfUsePart"))),
        "By the changelog it replaces `timeOfUse` in v2.2; the versions guide contradicts it.",
    ),
    **COMMODITY_FIELDS,
    "additionalFields": optional(anything("What else the bill says; its fields are not documented.")),
    "timeOfUse": assumed(
        maybe(values("Time-of-use period of the record.", ("PEAK", "OFF_PEAK")) | {"deprecated": True}),
        "By the versions guide it is still there in v2.2; the changelog says that it was replaced.",
    ),
}

_TIME_OF_USE_PART: Final = record(
    "A part of a record's total, by time of use.",
    timeOfUse=values("The period of the day.", ("PEAK", "OFF_PEAK")),
    usage=decimal("Usage in it."),
    usageUnits=values("Unit of the usage.", USAGE_UNITS),
    description=maybe(text("What the bill says.")),
    startDate=maybe(date("First day, where the part has its own.")),
    endDate=maybe(date("Last day, where the part has its own.")),
)

_DEMAND_METER: Final = record(
    "A demand reading on a bill.",
    startDate=date("First day it holds for."),
    endDate=date("Last day it holds for."),
    isEstimated=boolean("Whether the provider estimated it."),
    demandUsage=decimal("Demand read."),
    demandUsageUnits=values("Unit of the demand.", DEMAND_UNITS),
    description=maybe(text("What the bill says.")),
    demandType=maybe(values("Kind of demand.", DEMAND_TYPES)),
    usageDataIds=items("Ids of the usage records it belongs to.", text("A usage record's id.")),
)

#: What a charge is for, of which no line item that was read says anything.
_CHARGED_FOR: Final = (
    "electricityType", "gasType", "waterType", "districtType", "fuelType", "wasteType", "refrigerantType",
)  # fmt: skip

_LINE_ITEM: Final = record(
    "A charge on a bill. It names accounts; of bills that were loaded from a file also what it is for.",
    description=text("What the bill says."),
    totalCharge=decimal("The charge; negative is a credit."),
    rate=maybe(decimal("Price of one unit.")),
    quantity=maybe(decimal("What was charged for.")),
    quantityUnits=maybe(text("Unit of the quantity.")),
    multipliers=optional(items("Factors of the charge; their shape is not documented.", {})),
    accountIds=items("Ids of the accounts it belongs to.", text("An account's id.")),
    chargeType=read_as(
        maybe(values("Kind of charge.", ("TAX",), tuple(kind for kind in CHARGE_TYPES if kind != "TAX"))),
        _MAY_BE_NULL,
    ),
    electricityChargeType=read_as(maybe(values("Electricity's own kind of charge.")), _MAY_BE_NULL),
    gasChargeType=read_as(maybe(values("Gas's own kind of charge.", ("SUPPLY",))), _MAY_BE_NULL),
    electricityIsDemand=read_as(maybe(boolean("Whether it charges for demand.")), _MAY_BE_NULL),
    electricityTimeOfUse=maybe(values("Time-of-use period it charges for.", ("PEAK", "OFF_PEAK"))),
    billingPeriod=read_as(maybe(values("Whose period it is.", BILLING_PERIODS[:1], BILLING_PERIODS[1:])), _MAY_BE_NULL),
    meter=assumed(maybe(text("The meter that pays.")), _OF_A_FILE),
    datasourceType=assumed(maybe(values("Commodity that it charges for.", COMMODITIES)), _OF_A_FILE),
    **{name: assumed(COMMODITY_FIELDS[name], _OF_A_FILE) for name in _CHARGED_FOR},
)

_INTERVAL: Final = record(
    "Usage of a short span of time, from a smart meter (beta).",
    id=text("Id of the interval."),
    created=timestamp("When it was made."),
    updated=timestamp("When it last changed."),
    account=reference("The account."),
    identifiers=items("The numbers by which its meter is known.", ref("Identifier")),
    start=timestamp("First moment."),
    end=timestamp("End of the span."),
    usage=decimal("Usage in it."),
    usageUnits=values("Unit of the usage.", USAGE_UNITS),
    quality=maybe(values("How good the value is; its values are not documented.")),
)


def _without(schema: Json, names: tuple[str, ...], description: str) -> Json:
    """Return `schema` without the fields `names`."""
    return schema | {
        "description": description,
        "properties": {key: value for key, value in schema["properties"].items() if key not in names},
        "required": [key for key in schema["required"] if key not in names],
    }


#: Component schemas by name.
BILLS: Final[dict[str, Json]] = {
    "DemandMeter": _DEMAND_METER,
    "Document": _DOCUMENT,
    "DocumentSummary": _without(_DOCUMENT, CHILDREN, "A bill without its parts."),
    "DocumentUsage": record("A usage record on its bill.", **_USAGE_FIELDS),
    "Interval": _INTERVAL,
    "LineItem": _LINE_ITEM,
    "TimeOfUsePart": _TIME_OF_USE_PART,
    "UsageData": record(
        "What one meter used in one period of service, as one bill says it.",
        **_USAGE_FIELDS,
        document=ref("DocumentSummary", "The bill without its parts."),
    ),
}

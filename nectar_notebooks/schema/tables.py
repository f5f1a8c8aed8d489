"""The data model as tables: every column with its dtype, unit, meaning and the API field it comes from.

This is the one place where house names meet the API's. `tables` reads it to build frames, the reference is
generated from it, and the tests hold both to it. A source is a dotted path into the API's record; several
sources are tried in order (spellings of other versions). A column without a source is derived, and says from
what in its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

__all__ = ["DTYPES", "OTHER_TABLES", "TABLES", "TEXT", "Column", "Kind", "Table"]

#: The dtype of every text column: missing is NaN, on pandas 2.3 as on 3.
TEXT: Final = pd.StringDtype(na_value=np.nan)

Kind = Literal["text", "number", "integer", "date", "timestamp", "flag"]

#: How each kind is stored. Missing is NaN, NaT or NA; never 0, never an empty text.
DTYPES: Final[dict[Kind, str]] = {
    "text": "string (na_value=nan)",
    "number": "float64",
    "integer": "Int64",
    "date": "datetime64[us]",
    "timestamp": "datetime64[us, UTC]",
    "flag": "boolean",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: house name, kind, meaning, API source and unit."""

    name: str
    kind: Kind
    meaning: str
    source: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its key, its columns and what a row is."""

    name: str
    key: tuple[str, ...]
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(column.name for column in self.columns)


def _text(name: str, meaning: str, *source: str) -> Column:
    return Column(name, "text", meaning, source)


def _number(name: str, meaning: str, *source: str, unit: str = "") -> Column:
    return Column(name, "number", meaning, source, unit)


def _money(name: str, meaning: str, *source: str) -> Column:
    return Column(name, "number", meaning, source, "the row's currency")


def _date(name: str, meaning: str, *source: str) -> Column:
    return Column(name, "date", meaning, source)


def _moment(name: str, meaning: str, *source: str) -> Column:
    return Column(name, "timestamp", meaning, source)


def _flag(name: str, meaning: str, *source: str) -> Column:
    return Column(name, "flag", meaning, source)


_COUNTS: Final = (
    _flag("counts", "Whether sums take this row; derived from revisions, accounts and duplicates."),
    _text(
        "counts_reason",
        "Why it does not count: superseded, duplicate account, detected account, account not tracked, ...; "
        "else missing.",
    ),
)
_EXTRA: Final = _text("extra", "Fields this release does not know, as JSON text; missing where there are none.")

_COMPANIES: Final = Table(
    "companies",
    ("company_id",),
    "A customer of the organization that owns the key.",
    (
        _text("company_id", "Id of the company.", "id"),
        _text("name", "Name, at most 200 characters.", "name"),
        _text("external_id", "The integrator's own id.", "externalId"),
        _date("data_collection_start", "First day bills are collected for.", "dataCollectionStartDate"),
        _flag("demand_enabled", "Whether demand is read from bills.", "isDemandEnabled"),
        _flag(
            "implied_metering_enabled",
            "Whether sewer usage is implied from water.",
            "isImpliedMeteringEnabled",
        ),
        _number(
            "implied_metering_fraction",
            "Sewer as a fraction of water.",
            "impliedMeteringFraction",
            unit="0..1",
        ),
        _EXTRA,
    ),
)

_SITES: Final = Table(
    "sites",
    ("site_id",),
    "A place that uses energy or water: a building, a part of one, a yard.",
    (
        _text("site_id", "Id of the site.", "id"),
        _text("company_id", "The company that owns it."),
        _text("name", "Name, at most 255 characters.", "name"),
        _text("external_id", "The integrator's own id.", "externalId"),
        _text("address", "Street address in one line.", "address"),
        _text("path", "Location tags from general to specific, joined by ' / '.", "path"),
        _number("occupancy_percent", "Share of the site the company occupies.", "occupancyPercent", unit="0..100"),
        _date("archived_on", "Day collection stopped; set means archived.", "dataCollectionStopDate"),
        _EXTRA,
    ),
)

_CONNECTIONS: Final = Table(
    "connections",
    ("connection_id",),
    "A login at a provider that Nectar checks and collects bills from.",
    (
        _text("connection_id", "Id of the connection.", "id"),
        _text("company_id", "The company it belongs to.", "company.id", "company"),
        _text("external_id", "The integrator's own id.", "externalId"),
        _text("provider", "Name of the provider.", "datasource.name"),
        _text("url", "Login address.", "url", "datasource.url"),
        _text("status", "Status as the API says it.", "status"),
        _text(
            "family",
            "Family of the status: healthy, website, customer, system, unknown; derived from status.",
        ),
        _flag("needs_customer", "Whether collection waits for the customer; derived from status."),
        _moment("status_since", "When the status was first seen.", "statusFirstSeenTime"),
        _moment("status_checked", "When the status was last checked.", "statusLastUpdateTime"),
        _text("status_error", "What the provider's site said.", "statusErrorDetail"),
        _text("username", "User name of the login.", "username"),
        _text("owner_email", "Who owns the login.", "workflowOwnerEmail"),
        _text("country", "ISO 3166-1 alpha-2.", "country"),
        _flag("active", "Whether Nectar collects from it.", "isActive"),
        _date("data_collection_start", "First day bills are collected for.", "dataCollectionStartDate"),
        _flag("multiply_by_occupancy", "Whether occupancy scales its usage.", "multiplyByOccupancy"),
        _moment("created", "When it was made.", "created"),
        _moment("updated", "When it last changed.", "updated"),
        _EXTRA,
    ),
)

_ACCOUNTS: Final = Table(
    "accounts",
    ("account_id",),
    "A customer account at a provider, discovered behind a connection.",
    (
        _text("account_id", "Id of the account.", "id"),
        _text("connection_id", "The connection it was found behind."),
        _text("company_id", "The company it belongs to."),
        _text("account_number", "Number as the provider prints it.", "accountNumber"),
        _text("tracking", "ENABLED, DISABLED or UNSET; older answers say isTracked.", "trackingStatus"),
        _text("status", "State of onboarding, such as DETECTED or PULL_COMPLETED.", "status"),
        _flag(
            "duplicate",
            "Whether it repeats another account; any text but empty, 'false' and '0'.",
            "isDuplicated",
        ),
        _date("data_collection_start", "First day bills are collected for.", "dataCollectionStartDate"),
        _flag("collecting_invoices", "Whether bills are collected.", "isCollectingInvoiceData"),
        _flag("collecting_intervals", "Whether smart-meter data is collected.", "isCollectingSmartMeterData"),
        _text("commodities", "Commodities seen on it, joined by ' / '.", "datasourceTypes"),
        _date(
            "last_service_date",
            "As the API says it: the latest bill's last day of service, or the day the utility closed the account; "
            "nothing is decided by it.",
            "lastServiceDate",
        ),
        *_COUNTS,
        _EXTRA,
    ),
)

_METERS: Final = Table(
    "meters",
    ("meter_id",),
    "What measures one commodity at one site.",
    (
        _text("meter_id", "Id of the meter.", "id"),
        _text("site_id", "The site it stands on.", "site.id", "site"),
        _text("account_id", "The account it is billed on.", "account.id", "account"),
        _text("commodity", "ELECTRICITY, GAS, WATER, ...", "datasourceType"),
        _text(
            "subtype",
            "Kind within the commodity, such as WASTEWATER; derived from the commodity's own fields. "
            "Of waste, as its usage says it: a meter's object has ids there.",
        ),
        _text(
            "primary_identifier",
            "The identifier a person would quote; derived by the documented order of types.",
        ),
        _text("address", "Address the meter is billed at.", "address"),
        _flag("tracked", "Whether it is tracked.", "isTracked"),
        _text("net_metering", "IMPORT or EXPORT where energy flows both ways.", "netMeteringType"),
        _EXTRA,
    ),
)

_IDENTIFIERS: Final = Table(
    "identifiers",
    ("meter_id", "type", "value"),
    "One number by which a meter is known, such as a meter number or a point of delivery.",
    (
        _text("meter_id", "The meter."),
        _text("type", "METER, POD, PREMISE, ...", "name"),
        _text("value", "As Nectar keeps it.", "value"),
        _text("raw_name", "How the bill calls it.", "rawName"),
        _text(
            "normalized",
            "Without dashes, spaces, underscores, commas, slashes and leading zeros, in capitals.",
        ),
    ),
)

_BILLS: Final = Table(
    "bills",
    ("bill_id",),
    "One bill (the API's document).",
    (
        _text("bill_id", "Id of the bill.", "id"),
        _text("company_id", "The company it belongs to.", "company.id", "company"),
        _text("utility", "Who sent it.", "utilityCompany"),
        _date("bill_date", "Invoice date or end of the billing period: the documentation says both.", "billDate"),
        _date("start_date", "First day of the billing period, where the bill has one.", "startDate"),
        _date("due_date", "Day payment is due.", "dueDate"),
        _text("currency", "ISO 4217 code of every amount on the bill.", "chargesUnits"),
        _money("total_charges", "What is to be paid.", "totalCharges"),
        _money("current_charges", "What this period cost.", "currentCharges"),
        _money("previous_balance", "Balance before this bill.", "previousCloseBalance"),
        _money("payments", "Payments since the bill before.", "afterPreviousTotalPayment"),
        _money("interim_charges", "Charges since the bill before.", "afterPreviousCharges"),
        _money("interim_credits", "Credits since the bill before.", "afterPreviousCredits"),
        _money("open_balance", "Balance still open.", "currentOpenBalance"),
        _money("credits", "Credits on the bill.", "credits"),
        _money("tax_charges", "Taxes on the bill.", "taxCharges"),
        _money("interest_charges", "Interest on the bill.", "interestCharges"),
        _text("status", "State of processing.", "status"),
        _flag("flagged", "Whether an issue is open on it.", "isFlagged"),
        _text("flagged_status", "What the issue is.", "flaggedStatus"),
        _text("superseded_by", "The bill that replaces this one.", "revisedDocumentId"),
        _text("invoice_id", "Number of the invoice.", "invoiceId"),
        _text("source_type", "How it came, such as INVOICE.", "sourceType"),
        _text("file_name", "Name of the original file.", "fileName"),
        _text("url", "Where the original file lies.", "url"),
        _text("audit_trail_url", "Where Nectar shows how it was read.", "auditTrailUrl"),
        _text("job_id", "The upload that brought it.", "jobId"),
        _text("email", "The address it was sent to.", "email"),
        _text("notes", "Free text.", "notes"),
        _moment("created", "When it was made.", "created"),
        _moment("updated", "When it last changed.", "updated"),
        *_COUNTS,
        _EXTRA,
    ),
)

_BILL_ACCOUNTS: Final = Table(
    "bill_accounts",
    ("bill_id", "account_id", "connection_id"),
    "Which account and connection a bill came from, and how that is known.",
    (
        _text("bill_id", "The bill."),
        _text("account_id", "The account; missing where only the connection, or nothing, is known."),
        _text("connection_id", "The connection; missing for an uploaded bill."),
        _text("via", "line_item, meter or walk; missing where the bill could not be placed."),
        _text("reason", "Why it could not be placed; else missing."),
    ),
)

_USAGE: Final = Table(
    "usage",
    ("usage_id",),
    "What one meter used in one service period, as one bill says it.",
    (
        _text("usage_id", "Id of the record.", "id"),
        _text("bill_id", "The bill it stands on.", "document.id", "document"),
        _text("meter_id", "The meter; missing where the usage is the account's.", "meter.id", "meter"),
        _text("site_id", "The site its meter stands on.", "site.id", "site"),
        _text("commodity", "ELECTRICITY, GAS, WATER, ...", "datasourceType"),
        _text("subtype", "Kind within the commodity; derived from the commodity's own fields."),
        _date("start_date", "First day of service; counts.", "startDate"),
        _date("end_date", "Last day of service; counts. A missing end is the start.", "endDate"),
        _number("usage", "Usage of the whole period.", "usage", unit="the row's unit"),
        _text("unit", "Unit of usage.", "usageUnits"),
        _flag("estimated", "Whether the provider estimated it.", "isEstimated"),
        _flag("implied", "Whether it is implied from another meter.", "isImplied"),
        _flag(
            "exclusion",
            "Whether it is subtracted from the site, as a tenant's share from a landlord's.",
            "exclusion",
        ),
        _text("net_metering", "IMPORT or EXPORT where energy flows both ways.", "netMeteringType"),
        _number("generated", "Generation beside the net figure.", "netMeteringGeneratedKwh", unit="kWh"),
        _number("grid_import", "Drawn from the grid.", "netMeteringGridImportKwh", unit="kWh"),
        _number("grid_export", "Fed into the grid.", "netMeteringGridExportKwh", unit="kWh"),
        _number("current_reading", "Reading at the end.", "currentReading"),
        _number("previous_reading", "Reading at the start.", "previousReading"),
        _number("multiplier", "Factor between readings and usage.", "multiplier"),
        _number("multiplier_2", "Second factor.", "multiplier2"),
        _number("fraction_renewable", "Renewable share of the supply.", "fractionRenewable", unit="0..1"),
        _text("tariff", "Tariff as the bill names it.", "tariff"),
        _number("billed_demand", "Demand that was billed.", "billedDemand"),
        _text("supplier", "Who sold the energy.", "supplierName"),
        _text("utility", "Who delivered it.", "utilityName"),
        _text("country", "ISO 3166-1 alpha-2.", "country"),
        _flag("meter_tracked", "Whether the meter is tracked.", "meterIsTracked"),
        _text("meter_address", "Address of the meter.", "meterAddress"),
        _text("service_address", "Address of service on the bill.", "serviceAddress"),
        _moment("created", "When it was made.", "created"),
        _moment("updated", "When it last changed.", "updated"),
        *_COUNTS,
        _EXTRA,
    ),
)

_LINE_ITEMS: Final = Table(
    "line_items",
    ("line_item_id",),
    "One charge on one bill.",
    (
        _text("line_item_id", "The bill's id, a colon and the position; derived."),
        _text("bill_id", "The bill."),
        _text("description", "What the bill says.", "description"),
        _money("amount", "Charge; negative is a credit.", "totalCharge"),
        _text("currency", "The bill's currency."),
        _text("charge_type", "SUPPLY, DELIVERY, CUSTOMER, DEMAND, TAX, FEE, LATE_FEE, CREDIT, ...", "chargeType"),
        _text("electricity_charge_type", "Electricity's own kind of charge.", "electricityChargeType"),
        _text("gas_charge_type", "Gas's own kind of charge, such as SUPPLY.", "gasChargeType"),
        _flag("is_demand", "Whether it charges for demand.", "electricityIsDemand"),
        _text("time_of_use", "The time-of-use period it charges for.", "electricityTimeOfUse"),
        _text("billing_period", "CURRENT or PREVIOUS.", "billingPeriod"),
        _number("quantity", "What was charged for.", "quantity", unit="the row's quantity_unit"),
        _text("quantity_unit", "Unit of the quantity.", "quantityUnits"),
        _number("rate", "Price of one unit.", "rate", unit="currency per quantity_unit"),
        _text("meter_id", "The meter that pays, where an answer names one.", "meter.id", "meter", "meterId"),
        _text("commodity", "What it charges for, where an answer says so: ELECTRICITY, GAS, ...", "datasourceType"),
        _text(
            "subtype", "Kind within the commodity, where an answer says so; derived from the commodity's own fields."
        ),
        *_COUNTS,
        _EXTRA,
    ),
)

_LINE_ITEM_ACCOUNTS: Final = Table(
    "line_item_accounts",
    ("line_item_id", "account_id"),
    "Which accounts a line item belongs to.",
    (_text("line_item_id", "The line item."), _text("account_id", "The account.")),
)

_DEMAND: Final = Table(
    "demand",
    ("demand_id",),
    "One demand reading on one bill.",
    (
        _text("demand_id", "The bill's id, a colon, 'd' and the position; derived."),
        _text("bill_id", "The bill."),
        _date("start_date", "First day it holds for.", "startDate"),
        _date("end_date", "Last day it holds for.", "endDate"),
        _number("demand", "Demand read.", "demandUsage", unit="the row's unit"),
        _text("unit", "kW, MW, kVA or kVAR.", "demandUsageUnits"),
        _text("demand_type", "PEAK, UCAP, TRANSMISSION, CONTRACT, ...", "demandType"),
        _text("description", "What the bill says.", "description"),
        _flag("estimated", "Whether the provider estimated it.", "isEstimated"),
        _EXTRA,
    ),
)

_DEMAND_USAGE: Final = Table(
    "demand_usage",
    ("demand_id", "usage_id"),
    "Which usage records a demand reading belongs to.",
    (_text("demand_id", "The demand reading."), _text("usage_id", "The usage record.")),
)

_TIME_OF_USE: Final = Table(
    "time_of_use",
    ("usage_id", "position"),
    "One time-of-use part of a usage record: a breakdown of its total, never added to it.",
    (
        _text("usage_id", "The usage record whose total this is a part of."),
        Column("position", "integer", "Place in the breakdown, from 0; derived."),
        _text("period", "PEAK, OFF_PEAK, ...", "timeOfUse"),
        _number("usage", "Usage in that period of the day.", "usage", unit="the row's unit"),
        _text("unit", "Unit of usage.", "usageUnits"),
        _text("description", "What the bill says.", "description"),
        _date("start_date", "First day, where the part has its own.", "startDate"),
        _date("end_date", "Last day, where the part has its own.", "endDate"),
    ),
)

_INTERVALS: Final = Table(
    "intervals",
    ("interval_id",),
    "What a smart meter read in one interval (beta).",
    (
        _text("interval_id", "Id of the reading.", "id"),
        _text("connection_id", "The connection it came through."),
        _text("account_id", "The account it was read for.", "account.id", "account"),
        _text(
            "primary_identifier",
            "The number of its meter that a person would quote; derived by the documented order of types.",
        ),
        _moment("start", "When the interval begins.", "start"),
        _moment("end", "When it ends.", "end"),
        _number("usage", "Usage of the interval.", "usage", unit="the row's unit"),
        _text("unit", "Unit of usage.", "usageUnits"),
        _text("quality", "How it was come by, such as ACTUAL.", "quality"),
        _moment("created", "When it was made.", "created"),
        _moment("updated", "When it last changed.", "updated"),
        _EXTRA,
    ),
)

_JOBS: Final = Table(
    "jobs",
    ("job_id",),
    "One upload of one bill or several.",
    (
        _text("job_id", "Id of the upload.", "id"),
        _text("company_id", "The company it was made for; missing where it was asked for by its id."),
        _text("status", "PENDING, COMPLETED, FAILED or TERMINATED.", "status"),
        Column("duplicates", "integer", "How many of its files were there before.", ("duplicates",)),
        _text("termination_reason", "Why it ended early.", "terminationReason"),
        _EXTRA,
    ),
)

_JOB_BILLS: Final = Table(
    "job_bills",
    ("job_id", "bill_id", "outcome"),
    "What came of the files of an upload.",
    (
        _text("job_id", "The upload."),
        _text("bill_id", "The bill; of a file that is no utility bill, the id it was given."),
        _text("outcome", "parsed, duplicate or not_utility; from which list of the upload names it."),
    ),
)

_INVITATIONS: Final = Table(
    "invitations",
    ("invitation_id",),
    "A link by which somebody else adds a login, or repairs one.",
    (
        _text("invitation_id", "Id of the invitation.", "id"),
        _text("company_id", "The company it is for.", "companyId"),
        _text("connection_id", "The connection to repair; missing where one is to be added.", "connectionId"),
        _text("type", "CREATE_CONNECTION or EDIT_CONNECTION.", "invitationType"),
        _text("status", "ACTIVE, EXPIRED, REVOKED or FULFILLED.", "status"),
        _text("url", "Where to open it: whoever has it may use it. It is never kept on disk.", "invitationUrl"),
        _text("allowed_emails", "Who may use it, joined by ' / '; missing means anybody.", "allowedEmails"),
        _moment("expires", "When it ends; missing means never.", "expiresAt"),
        Column("max_uses", "integer", "How often it may be used; missing means without limit.", ("maxUses",)),
        Column("use_count", "integer", "How often it was used.", ("useCount",)),
        _moment("created", "When it was made.", "createdAt"),
        _text("provider_url", "Filled in for the guest: the provider's address.", "prefill.url"),
        _text("country", "Filled in for the guest: ISO 3166-1 alpha-2.", "prefill.country"),
        _text("owner_email", "Filled in for the guest: who owns the login.", "prefill.connectionOwnerEmail"),
        _date(
            "data_collection_start", "Filled in: first day bills are collected for.", "prefill.dataCollectionStartDate"
        ),
        _text("initial_sites", "Filled in: ids of sites, joined by ' / '.", "prefill.initialSites"),
        _text("commodities", "Filled in: commodities, joined by ' / '.", "prefill.utilityTypes"),
        _EXTRA,
    ),
)

_INVITATION_CONNECTIONS: Final = Table(
    "invitation_connections",
    ("invitation_id", "connection_id"),
    "The connections that were added by an invitation.",
    (
        _text("invitation_id", "The invitation."),
        _text("connection_id", "The connection that was added.", "id"),
        _text("provider", "Name of the provider.", "datasourceName"),
        _text("status", "Status of the connection.", "status"),
        _moment("created", "When it was added.", "created"),
    ),
)

_INVITATION_EVENTS: Final = Table(
    "invitation_events",
    ("invitation_id", "position"),
    "What happened to an invitation, in order.",
    (
        _text("invitation_id", "The invitation."),
        Column("position", "integer", "Place in the log, from 0; derived."),
        _text("event", "Viewed, e-mail verified, used, revoked; spelled as the API spells it.", "type"),
        _text("email", "Who did it, where that is known.", "email"),
        _moment("created", "When it happened.", "created"),
        _EXTRA,
    ),
)

_MAGIC_LINKS: Final = Table(
    "magic_links",
    ("url",),
    "A deprecated link by which somebody else adds a login, or edits one; an invitation does it better.",
    (
        _text("company_id", "The company it is for.", "companyId"),
        _text("connection_id", "The connection to edit; missing where one is to be added.", "connectionId"),
        _text("public_company_id", "The company's id in such links.", "publicCompanyId"),
        _text("url", "Where to open it: whoever has it may use it. It is never kept on disk.", "magicLinkUrl"),
        _EXTRA,
    ),
)

#: Every table of a portfolio by name, in reading order.
TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        _COMPANIES,
        _SITES,
        _CONNECTIONS,
        _ACCOUNTS,
        _METERS,
        _IDENTIFIERS,
        _BILLS,
        _BILL_ACCOUNTS,
        _USAGE,
        _LINE_ITEMS,
        _LINE_ITEM_ACCOUNTS,
        _DEMAND,
        _DEMAND_USAGE,
        _TIME_OF_USE,
    )
}

#: Tables that belong to no portfolio: asked for by themselves.
OTHER_TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        _INTERVALS,
        _JOBS,
        _JOB_BILLS,
        _INVITATIONS,
        _INVITATION_CONNECTIONS,
        _INVITATION_EVENTS,
        _MAGIC_LINKS,
    )
}

"""What the API answers about the portfolio: companies, sites, connections, accounts, meters, the team.

Bills, usage and intervals stand in `bills`; invitations, links, jobs and webhooks in `sharing`. Fields are
in the order of the documentation. All of it is v2.2; what the other versions say differently stands in
`versions`.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.schemas import (
    Field,
    Json,
    anything,
    assumed,
    boolean,
    date,
    decimal,
    email,
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
    ACCOUNT_STATUSES,
    COMMODITIES,
    IDENTIFIER_TYPES,
    TRACKING_STATUSES,
    WATER_TYPES,
)

__all__ = ["COMMODITY_FIELDS", "CONNECTION_STATUSES", "OBJECTS"]

#: The statuses of the guide, and the spelling that the page on Nectar's sandbox has for a wrong password.
CONNECTION_STATUSES: Final = (
    "PENDING", "CONNECTED", "UNDER_INVESTIGATION", "WEBSITE_DOWN", "URL_INACCESSIBLE", "NO_ACCOUNTS_FOUND",
    "OTHER_ERROR", "PASSWORD_INCORRECT", "NEW_PASSWORD_NEEDED", "MFA_TOKEN_EXPIRED",
    "ADDITIONAL_CREDENTIALS_NEEDED", "COMPANY_INACTIVE", "INCORRECT_PASSWORD",
)  # fmt: skip

#: The kinds within a commodity; a meter carries those of its own commodity, a usage record its meter's.
COMMODITY_FIELDS: Final[dict[str, Json | Field]] = {
    "electricityType": maybe(values("Electricity: what the meter measures.", ("USAGE",))),
    "netMeteringType": maybe(values("Which way energy flows, where it flows both ways.", ("IMPORT", "EXPORT"))),
    "waterType": maybe(values("Water: kind of water.", ("POTABLE_WATER",), WATER_TYPES[1:])),
    "meterHighLow": maybe(values("Part of a compound meter.", ("HIGH",))),
    "gasType": maybe(values("Gas: kind of gas.", ("NATURAL_GAS",))),
    "fuelType": maybe(values("Fuel: kind of fuel.", ("ANTHRACITE_COAL",))),
    "districtType": maybe(values("District energy: what it is for.", ("HEATING",))),
    "districtMediumType": maybe(values("District energy: what carries it.", ("HOT_WATER",))),
    "wasteDescription": maybe(text("Waste: description; on meters an id, on usage a text.")),
    "wasteType": maybe(text("Waste: type; on meters an id, on usage a text.")),
    "wasteStream": maybe(text("Waste: stream; on meters an id, on usage a text.")),
    "refrigerantType": maybe(values("Refrigerant: which one.", ("R11",))),
}

_COMPANY: Final = record(
    "A customer of the organization that owns the key.",
    id=text("Id of the company."),
    name=text("Name."),
    externalId=maybe(text("The integrator's own id.")),
    sites=items("The company's sites.", ref("Site")),
    users=items("E-mail addresses of the members who see the company.", email("A member.")),
    dataCollectionStartDate=date("First day bills are collected for; 1 January of last year by default."),
    isDemandEnabled=boolean("Whether demand is read from bills."),
    isImpliedMeteringEnabled=boolean("Whether sewer usage is implied from water; false by default."),
    impliedMeteringFraction=decimal("Implied sewer as a fraction of water, 0 to 1; 1.0 by default."),
    isBasicIdentifierMappingEnabled=boolean("Whether meters are matched by basic identifiers."),
    isLowAccuracyModeEnabled=boolean("Whether bills are read in the low-accuracy mode."),
)

_SITE: Final = record(
    "A place that uses energy or water. It has no floor area.",
    id=text("Id of the site."),
    name=text("Name."),
    externalId=maybe(text("The integrator's own id.")),
    address=text("Street address in one line."),
    path=items("Location tags, general to specific.", text("A tag.")),
    occupancyPercent=maybe(decimal("Share of the site that the company occupies, 0 to 100.")),
    dataCollectionStopDate=maybe(date("Day collection stopped; set means that the site is archived.")),
)

_CONNECTION: Final = record(
    "A login at a provider that Nectar checks and collects bills from.",
    id=text("Id of the connection."),
    created=timestamp("When it was made."),
    updated=timestamp("When it last changed."),
    externalId=maybe(text("The integrator's own id.")),
    company=record(
        "The company it belongs to.",
        id=text("Id of the company."),
        name=text("Name of the company."),
        externalId=maybe(text("The integrator's own id.")),
    ),
    datasource=record("The provider.", name=text("Name of the provider."), url=text("Address of the provider's site.")),
    url=text("Login address."),
    status=values("Whether collection works, and if not, what stands in its way.", CONNECTION_STATUSES),
    statusFirstSeenTime=maybe(timestamp("When this status was first seen.")),
    statusLastUpdateTime=maybe(timestamp("When the status was last checked.")),
    statusErrorDetail=text("What the provider's site said; empty where it said nothing."),
    accounts=items(
        "The accounts found behind the login.",
        ref("Account")
        | {"x-nectar-assumed-reading": True, "x-nectar-assumption": "The items are those of the webhooks."},
    ),
    country=text("ISO 3166-1 alpha-2."),
    initialSites=items("Ids of the sites it was made for.", text("A site's id.")),
    initialDatasourceTypes=items("Commodities it was made for.", values("A commodity.", COMMODITIES)),
    username=text("User name of the login. The password is never answered."),
    workflowOwnerEmail=text("Who owns the login."),
    dataCollectionStartDate=maybe(date("First day bills are collected for.")),
    multiplyByOccupancy=boolean("Whether the occupancy of a site scales its usage."),
    isActive=boolean("Whether Nectar collects from it."),
    publicCompanyId=optional(text("The company's id in magic links.", deprecated=True)),
    connectionMagicLinkSecret=optional(text("The secret of its magic link.", deprecated=True)),
)

_ACCOUNT: Final = record(
    "A customer account at a provider, found behind a connection.",
    id=text("Id of the account."),
    accountNumber=text("Number as the provider prints it."),
    meters=items("Ids of its meters.", text("A meter's id.")),
    trackingStatus=values("Whether bills are collected; UNSET is undecided.", TRACKING_STATUSES),
    isTracked=boolean(
        "Older spelling of `trackingStatus`: an account without a decision (UNSET) reads as true.", deprecated=True
    ),
    isDuplicated=text("Says in words whether it repeats another account."),
    dataCollectionStartDate=maybe(date("First day bills are collected for; overrides the connection's.")),
    isCollectingInvoiceData=boolean("Whether bills are collected."),
    isCollectingSmartMeterData=boolean("Whether smart-meter data is collected."),
    datasourceTypes=items("Commodities seen on it.", values("A commodity.", COMMODITIES)),
    lastServiceDate=read_as(
        maybe(date("Last day of service of a bill, or the day the utility closed the account.")),
        "One page says the most recent service date of a bill, another the day the utility closed the account.",
    ),
    status=maybe(values("State of the account.", ACCOUNT_STATUSES[:1], ACCOUNT_STATUSES[1:])),
)

_METER: Final = record(
    "What measures one commodity at one site.",
    id=text("Id of the meter."),
    site=reference("The site it stands on."),
    account=maybe(reference("The account it is billed on.")),
    identifiers=items("The numbers by which it is known.", ref("Identifier")),
    datasourceType=values("Its commodity.", COMMODITIES),
    address=maybe(text("Address it is billed at.")),
    isTracked=boolean("Whether it is tracked."),
    timeOfUse=maybe(values("Time-of-use period, where the meter counts one.", ("PEAK", "OFF_PEAK"))),
    **COMMODITY_FIELDS
    | {
        "electricityType": assumed(
            COMMODITY_FIELDS["electricityType"], "Listed for usage records, not seen on a meter."
        )
    },
)

_IDENTIFIER: Final = record(
    "A number by which a meter is known.",
    name=values("Type of the number, in the order in which the primary one is chosen.", IDENTIFIER_TYPES),
    value=text("The number."),
    rawName=maybe(text("How the bill calls it.")),
)

_TEAM: Final = record(
    "The organization that owns the key.",
    id=text("Id of the organization."),
    name=text("Name."),
    email=text("Address of contact."),
    users=items("E-mail addresses of its members.", email("A member.")),
    billing=anything("How Nectar bills the organization; its fields are not documented."),
)

_PING: Final = record(
    "The key is accepted.",
    status=assumed(text("ok"), "The body is not documented beyond that it tells the version."),
    version=read_as(
        optional(values("The version that answers.", ("v2.2", "v2.1", "v2.0"))),
        "The documentation says that version information is answered, not in which field.",
    ),
)

_REFERENCE: Final = record(
    "Another object in short.",
    id=text("Its id."),
    name=optional(text("Its name.")),
    externalId=maybe(text("The integrator's own id.")),
    accountNumber=optional(text("Its number, of an account.")),
)

_ERROR: Final = {
    "type": "object",
    "description": "What went wrong. A refused input may name its fields, each with a list of messages.",
    "properties": {"detail": text("What went wrong, in a sentence.")},
    "required": ["detail"],
    "additionalProperties": {
        "type": "array",
        "items": {"type": "string"},
        "x-nectar-assumed-reading": True,
        "x-nectar-assumption": "Messages by field stand beside `detail`, as Django REST writes them.",
    },
}

#: Component schemas by name.
OBJECTS: Final[dict[str, Json]] = {
    "Account": _ACCOUNT,
    "Company": _COMPANY,
    "Connection": _CONNECTION,
    "Error": _ERROR,
    "Identifier": _IDENTIFIER,
    "Meter": _METER,
    "Ping": _PING,
    "Reference": _REFERENCE,
    "Site": _SITE,
    "Team": _TEAM,
}

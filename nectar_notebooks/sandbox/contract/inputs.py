"""What a caller sends: the bodies of the writes, as the server checks them.

A field that is left out stays as it is (or takes its default); fields that a body does not list are ignored, as
Django REST does, except where the documentation says that there are no others. Flat bodies may be JSON,
form or multipart; nested ones are JSON. Where a form cannot say what JSON can (null, a list as one
value), it has a schema of its own.
"""

from __future__ import annotations

from typing import Final

from nectar_notebooks.sandbox.contract.schemas import (
    Field,
    Json,
    assumed,
    boolean,
    date,
    decimal,
    email,
    integer,
    items,
    maybe,
    one_of,
    optional,
    read_as,
    record,
    ref,
    text,
)
from nectar_notebooks.schema.values import COMMODITIES, USAGE_UNITS

__all__ = ["FORMS", "INPUTS"]

_FROM_0_TO_1: Final = r"^(0(\.[0-9]+)?|1(\.0+)?)$"
_FROM_0_TO_100: Final = r"^([0-9]{1,2}(\.[0-9]+)?|100(\.0+)?)$"
_WEB_ADDRESS: Final = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]*)?$"
_HTTPS_ADDRESS: Final = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]*)?$"
#: A form sends an object or a list that its caller did not mean to send as text: brackets around it tell.
_NO_JSON: Final = r"^$|^[^\[{]|[^\]}]$"
_TEN_YEARS: Final = 315_360_000
_MOST_USES: Final = 2_147_483_647

_MEMBERS: Final = items("E-mail addresses of the members; replaces the list, the caller stays in.", email("A member."))
_SITES: Final = items("Ids of sites of the company.", text("A site's id.", shortest=1))
_COUNTRY: Final = text(
    "ISO 3166-1 alpha-2.", pattern="^[A-Za-z]{2}$", title="a country code of two letters", examples=["US"]
)


def _web_address(description: str, pattern: str = _WEB_ADDRESS, title: str = "a web address") -> Json:
    return text(description, longest=2000, pattern=pattern, title=title, examples=["https://nectarclimate.com"])


def _partial(schema: Json, description: str) -> Json:
    """Return `schema` as an update: nothing is required."""
    return {key: value for key, value in schema.items() if key != "required"} | {"description": description}


_COMPANY: Final = record(
    "A new company.",
    name=text("Name.", longest=200, shortest=1),
    externalId=maybe(text("The integrator's own id.")),
    users=optional(_MEMBERS),
    dataCollectionStartDate=optional(date("First day to collect bills for; 1 January of last year by default.")),
    isDemandEnabled=optional(boolean("Whether demand is read from bills.")),
    isImpliedMeteringEnabled=optional(boolean("Whether sewer usage is implied from water.", default=False)),
    impliedMeteringFraction=optional(
        decimal("Implied sewer as a fraction of water.", pattern=_FROM_0_TO_1, minimum=0, maximum=1)
        | {"title": "a decimal from 0 to 1", "default": "1.0"}
    ),
    isBasicIdentifierMappingEnabled=optional(boolean("Whether meters are matched by basic identifiers.")),
    isLowAccuracyModeEnabled=optional(boolean("Whether bills are read in the low-accuracy mode.")),
)

_SITE: Final = record(
    "A new site.",
    name=text("Name.", longest=255, shortest=1),
    externalId=maybe(text("The integrator's own id.")),
    address=optional(text("Street address in one line.", longest=255)),
    path=optional(items("Location tags, general to specific.", text("A tag.", longest=100), most=10)),
    occupancyPercent=maybe(
        decimal("Share the company occupies.", pattern=_FROM_0_TO_100, minimum=0, maximum=100)
        | {"title": "a decimal from 0 to 100"}
    ),
)

_SECURITY_QUESTIONS: Final = items(
    "Answers to what the provider may ask.",
    record(
        "A question and its answer.",
        key=text("The question.", shortest=1),
        value=text("The answer.", shortest=1, writeOnly=True),
    ),
)

_CONNECTION: Final = record(
    "A login at a provider. Logins with a second factor need an invitation instead.",
    url=_web_address("Login address of the provider."),
    username=text("User name.", shortest=1),
    password=text("Password; never answered.", shortest=1, writeOnly=True),
    sites=_SITES,
    country=_COUNTRY,
    securityQuestions=optional(_SECURITY_QUESTIONS),
)

_CONNECTION_UPDATE: Final = record(
    "New credentials, other sites.",
    username=optional(text("User name.", shortest=1)),
    password=optional(text("Password; never answered.", shortest=1, writeOnly=True)),
    securityQuestions=optional(_SECURITY_QUESTIONS),
    sites=optional(_SITES),
)

_TRACKED: Final = boolean("Whether bills are collected for the account.")
_UPDATE_METERS: Final = boolean("Whether its meters follow.", default=True)

_TRACKING: Final = record(
    "Whether an account is tracked. Nothing else of an account can be set.",
    isTracked=_TRACKED,
    updateMeters=optional(_UPDATE_METERS),
)

_BULK_TRACKING: Final = record(
    "The same for several accounts: all of them or none.",
    accountIds=assumed(
        items("The accounts.", text("An account's id.", shortest=1)), "The body of the bulk form is not shown."
    ),
    isTracked=_TRACKED,
    updateMeters=optional(_UPDATE_METERS),
)
_BULK_TRACKING["required"] = ["accountIds", "isTracked"]

_USAGE: Final = record(
    "What to correct in a usage record. Demand cannot be changed; the documented list is cut.",
    startDate=optional(date("First day of service.")),
    endDate=optional(date("Last day of service; not before the first.")),
    usageUnits=optional(one_of("Unit of the usage.", USAGE_UNITS)),
    exclusion=optional(boolean("Whether it is subtracted in sums.")),
    isEstimated=optional(boolean("Whether the provider estimated it.")),
    isImplied=optional(boolean("Whether it is implied from another meter.")),
    tariff=maybe(text("Tariff as the bill names it.")),
)

_PREFILL: Final = record(
    "What the invited person finds filled in.",
    url=maybe(_web_address("Login address of the provider.")),
    datasourceId=maybe(text("The provider by its id, instead of its address.")),
    initialSites=optional(_SITES),
    utilityTypes=optional(items("Commodities it is for.", one_of("A commodity.", COMMODITIES))),
    country=maybe(_COUNTRY),
    connectionOwnerEmail=maybe(email("Who will own the login.")),
    dataCollectionStartDate=maybe(date("First day to collect bills for.")),
)

_WHO_MAY: Final[dict[str, Json | Field]] = {
    "allowedEmails": optional(items("Who may use it; anybody where it is empty.", email("An address."))),
    "expiresInSeconds": read_as(
        maybe(integer("When it ends; without it, never.", least=60, most=_TEN_YEARS)),
        "The upper bound of ten years is ours.",
    ),
    "maxUses": read_as(
        maybe(integer("How often it may be used; without it, any number of times.", least=1, most=_MOST_USES)),
        "The upper bound is ours.",
    ),
    "sendEmail": optional(boolean("Whether Nectar sends the link; acts only with `allowedEmails`.", default=False)),
}


def _as_form(schema: Json) -> Json:
    """Return `schema` as a form carries it: no null, lists by repeating a name, texts that are not JSON."""
    fields = {name: _form_field(part) for name, part in schema["properties"].items()}
    return schema | {"properties": fields, "propertyNames": {"pattern": "^[A-Za-z0-9_.-]+$"}}


def _form_field(schema: Json) -> Json:
    kinds = [kind for kind in _kinds(schema) if kind != "null"]
    if kinds == ["array"]:
        item = _form_field(schema["items"])
        return {"description": schema["description"], "anyOf": [{**schema, "items": item}, item]}
    if kinds == ["string"]:
        checked = schema.keys() & {"pattern", "format", "enum"}
        return schema | {"type": "string"} | ({} if checked else {"pattern": _NO_JSON, "title": "a text, not JSON"})
    if "anyOf" in schema:
        return schema | {"anyOf": [branch for branch in schema["anyOf"] if branch != {"type": "null"}]}
    return schema


def _kinds(schema: Json) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else kind


_BODIES: Final[dict[str, Json]] = {
    "AccountTracking": _TRACKING
    | {
        "additionalProperties": False,
        "x-nectar-assumed-reading": True,
        "x-nectar-assumption": "Nothing else is taken: another field is refused instead of ignored.",
    },
    "AccountsTracking": _BULK_TRACKING,
    "BillUpload": record(
        "One file: a PDF, PNG or JPG of at most 25 MB, a PDF of at most 150 pages.",
        document={
            "type": "string",
            "format": "binary",
            "contentMediaType": "application/octet-stream",
            "description": "The file.",
        },
        siteId=optional(text("The site that it belongs to.", pattern=_NO_JSON, title="a text, not JSON")),
    ),
    "BillAddresses": record(
        "Files to fetch.",
        documents=items(
            "Addresses of the files, https only.", _web_address("An address.", _HTTPS_ADDRESS, "an https address")
        ),
        siteId=maybe(text("The site that they belong to.")),
    ),
    "CompanyInput": _COMPANY,
    "CompanyUpdate": _partial(_COMPANY, "What to change in a company."),
    "ConnectionInput": _CONNECTION,
    "ConnectionUpdate": _CONNECTION_UPDATE,
    "InvitationInput": record("An invitation to add a connection.", **_WHO_MAY, prefill=maybe(ref("PrefillInput"))),
    "MagicLinkInput": record(
        "What the page starts with.",
        sites=assumed(_SITES, "The body of a link is told in prose."),
        prefill=assumed(ref("PrefillInput"), "The body of a link is told in prose."),
    ),
    "PrefillInput": _PREFILL,
    "ReconnectInput": record("An invitation to repair a connection; it takes no `prefill`.", **_WHO_MAY),
    "SiteInput": _SITE,
    "SiteUpdate": _partial(_SITE, "What to change in a site."),
    "TeamUpdate": record("Who belongs to the organization.", users=optional(_MEMBERS)),
    "UsageUpdate": _USAGE,
}

#: Bodies of which a form has a schema of its own, with its name.
FORMS: Final = {
    name: f"{name}Form" for name in ("CompanyInput", "CompanyUpdate", "SiteInput", "SiteUpdate", "UsageUpdate")
}

#: Component schemas by name.
INPUTS: Final = _BODIES | {form: _as_form(_BODIES[name]) for name, form in FORMS.items()}

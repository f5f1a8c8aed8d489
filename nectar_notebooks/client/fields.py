"""What the verbs send: house names to the API's, each value checked before anything is sent.

The limits are those the API documents; how a single value is checked stands in `value_checks`. Sending is left to the
verbs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypedDict

import pandas as pd

from nectar_notebooks.client import value_checks as check
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import Day
from nectar_notebooks.schema.naming import Given

__all__ = [
    "COMPANY_FIELDS",
    "CONNECTION_FIELDS",
    "LOGIN_FIELDS",
    "PREFILL_FIELDS",
    "SITE_FIELDS",
    "USAGE_FIELDS",
    "WHO_MAY_FIELDS",
    "CompanyChanges",
    "CompanyFields",
    "ConnectionChanges",
    "Prefill",
    "SiteChanges",
    "SiteFields",
    "UsageChanges",
    "body",
]


class CompanyFields(TypedDict, total=False):
    """What can be said of a new company beside its name."""

    external_id: str | None
    users: Iterable[str]
    data_collection_start: Day
    demand_enabled: bool
    implied_metering_enabled: bool
    implied_metering_fraction: float | str | Decimal


class CompanyChanges(CompanyFields, total=False):
    """What can be changed in a company."""

    name: str


class SiteFields(TypedDict, total=False):
    """What can be said of a new site beside its name."""

    external_id: str | None
    address: str
    path: str | Iterable[str]
    occupancy_percent: float | str | Decimal | None


class SiteChanges(SiteFields, total=False):
    """What can be changed in a site."""

    name: str


class ConnectionChanges(TypedDict, total=False):
    """What can be changed in a connection."""

    username: str
    password: str
    security_questions: Mapping[str, str]
    sites: Iterable[Given] | Given


class Prefill(TypedDict, total=False):
    """What an invited person finds filled in; ``sites`` stand beside it."""

    url: str
    datasource_id: str
    commodities: Iterable[str]
    country: str
    owner_email: str
    data_collection_start: Day


class UsageChanges(TypedDict, total=False):
    """What can be corrected in a usage record."""

    start_date: Day
    end_date: Day
    unit: str
    exclusion: bool
    estimated: bool
    implied: bool
    tariff: str | None


@dataclass(frozen=True, slots=True)
class _Field:
    wire: str
    check: check.Check


COMPANY_FIELDS: Final = {
    "name": _Field("name", check.text(200, shortest=1)),
    "external_id": _Field("externalId", check.or_none(check.text())),
    "users": _Field("users", check.texts(each=check.email)),
    "data_collection_start": _Field("dataCollectionStartDate", check.day),
    "demand_enabled": _Field("isDemandEnabled", check.flag),
    "implied_metering_enabled": _Field("isImpliedMeteringEnabled", check.flag),
    "implied_metering_fraction": _Field("impliedMeteringFraction", check.decimal(0, 1)),
}
SITE_FIELDS: Final = {
    "name": _Field("name", check.text(255, shortest=1)),
    "external_id": _Field("externalId", check.or_none(check.text())),
    "address": _Field("address", check.text(255)),
    "path": _Field("path", check.texts(10, check.text(100), split=" / ")),  # as the column shows it
    "occupancy_percent": _Field("occupancyPercent", check.or_none(check.decimal(0, 100))),
}
LOGIN_FIELDS: Final = {
    "username": _Field("username", check.text(shortest=1)),
    "password": _Field("password", check.secret),
    "security_questions": _Field("securityQuestions", check.questions),
    "sites": _Field("sites", check.texts()),
}
CONNECTION_FIELDS: Final = {
    "url": _Field("url", check.web_address),
    "country": _Field("country", check.country),
    **LOGIN_FIELDS,
}
WHO_MAY_FIELDS: Final = {
    "emails": _Field("allowedEmails", check.texts(each=check.email)),
    "expires_in": _Field("expiresInSeconds", check.whole(60)),
    "max_uses": _Field("maxUses", check.whole(1)),
    "send": _Field("sendEmail", check.flag),
}
PREFILL_FIELDS: Final = {
    "url": _Field("url", check.web_address),
    "datasource_id": _Field("datasourceId", check.text(shortest=1)),
    "commodities": _Field("utilityTypes", check.texts(each=check.commodity)),
    "country": _Field("country", check.country),
    "owner_email": _Field("connectionOwnerEmail", check.email),
    "data_collection_start": _Field("dataCollectionStartDate", check.day),
}
USAGE_FIELDS: Final = {
    "start_date": _Field("startDate", check.day),
    "end_date": _Field("endDate", check.day),
    "unit": _Field("usageUnits", check.unit),
    "exclusion": _Field("exclusion", check.flag),
    "estimated": _Field("isEstimated", check.flag),
    "implied": _Field("isImplied", check.flag),
    "tariff": _Field("tariff", check.or_none(check.text())),
}


def body(fields: Mapping[str, _Field], given: Mapping[str, object]) -> dict[str, object]:
    """Return what is sent for the values given.

    Raises
    ------
    InvalidRequestError
        A name the API does not take, a value it would refuse, or nothing at all.

    Examples
    --------
    >>> body(SITE_FIELDS, {"name": "Mill", "occupancy_percent": 62.5})
    {'name': 'Mill', 'occupancyPercent': '62.5'}
    """
    if not given:
        raise InvalidRequestError(f"There is nothing to change: say one of {', '.join(fields)}.")
    sent: dict[str, object] = {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            raise InvalidRequestError(f"{name!r} cannot be set: say one of {', '.join(fields)}.")
        missing = value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)
        sent[field.wire] = field.check(name, None if missing else value)
    return sent

"""What the verbs send: the API's field of each keyword, and the check of its value.

A check takes the name under which the value was given, for its message, and returns what is sent. The limits are those
that the API documents. Sending is left to the verbs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias, TypedDict

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import Day, days_of
from nectar_notebooks.schema.naming import Given, shown
from nectar_notebooks.schema.values import COMMODITIES, USAGE_UNITS

__all__ = [
    "COMPANY_FIELDS", "CONNECTION_FIELDS", "LOGIN_FIELDS", "PREFILL_FIELDS", "SITE_FIELDS", "USAGE_FIELDS",
    "WHO_MAY_FIELDS", "CompanyChanges", "CompanyFields", "ConnectionChanges", "Prefill", "SiteChanges", "SiteFields",
    "UsageChanges", "body", "flag",
]  # fmt: skip


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


# ----------------------------------------------------------------------------------------- checks of single values


Check: TypeAlias = Callable[[str, object], object]

_WEB_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]*)?")


def text(longest: int | None = None, *, shortest: int = 0) -> Check:
    """Return the check of a string of these lengths."""

    def check(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidRequestError(f"{name} must be a string, not {shown(value)}.")
        if len(value.strip()) < shortest:
            raise InvalidRequestError(f"{name} must not be empty.")
        if longest is not None and len(value) > longest:
            raise InvalidRequestError(f"{name} has {len(value)} characters; the API takes {longest} at most.")
        return value

    return check


def secret(name: str, value: object) -> str:
    """Return a string that is not empty; no message shows it."""
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} must be a string that is not empty.")  # never shown, whatever it is
    return value


def or_none(check: Check) -> Check:
    """Return a check that takes None too, which is sent as null."""
    return lambda name, value: None if value is None else check(name, value)


def flag(name: str, value: object) -> bool:
    """Return a flag."""
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} must be True or False, not {shown(value)}.")
    return value


def day(name: str, value: object) -> str:
    """Return a day as the API writes it."""
    written = isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip())
    if value is not None and not written and not isinstance(value, (date, pd.Period)):
        raise InvalidRequestError(f"{name}={shown(value)} is no day: write it as '2024-01-31'.")
    if value is None:
        raise InvalidRequestError(f"{name} must be a day, such as '2024-01-31'.")
    return str(days_of(value, name)[0])  # type: ignore[arg-type]  # what is no date is refused there


def decimal(least: int, most: int) -> Check:
    """Return the check of a number within these bounds, which is sent as a string."""

    def check(name: str, value: object) -> str:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool) or not number.is_finite() or not least <= number <= most:
            raise InvalidRequestError(f"{name} must be a number from {least} to {most}, not {shown(value)}.")
        return f"{number:f}"

    return check


_SOME_TEXT: Final = text(shortest=1)


def texts(most: int | None = None, each: Check = _SOME_TEXT, *, split: str = "") -> Check:
    """Return the check of a list of strings, at most `most`; a single string is divided at `split`."""

    def check(name: str, value: object) -> list[object]:
        if isinstance(value, str) and split:
            value = [part.strip() for part in value.split(split) if part.strip()]
        if isinstance(value, (str, bytes, Mapping, pd.DataFrame)) or not isinstance(value, Iterable):
            raise InvalidRequestError(f"{name} must be a list of strings, not {shown(value)}.")
        found = [each(f"{name}[{place}]", one) for place, one in enumerate(value)]
        if most is not None and len(found) > most:
            raise InvalidRequestError(f"{name} has {len(found)} entries; the API takes {most} at most.")
        return found

    return check


def whole(least: int) -> Check:
    """Return the check of a whole number that is not below `least`."""

    def check(name: str, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InvalidRequestError(f"{name} must be a whole number from {least} on, not {shown(value)}.")
        return value

    return check


def commodity(name: str, value: object) -> str:
    """Return the name of a commodity."""
    if not isinstance(value, str) or value.upper() not in COMMODITIES:
        raise InvalidRequestError(f"{name}={shown(value)} is no commodity: say one of {', '.join(COMMODITIES)}.")
    return value.upper()


def email(name: str, value: object) -> str:
    """Return an e-mail address."""
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise InvalidRequestError(f"{name}={shown(value)} is no e-mail address.")
    return value


def unit(name: str, value: object) -> str:
    """Return a unit of the API."""
    if not isinstance(value, str) or value not in USAGE_UNITS:
        raise InvalidRequestError(f"{name}={shown(value)} is no unit of the API: see nectar_notebooks.schema.values.")
    return value


def web_address(name: str, value: object) -> str:
    """Return a web address."""
    if not isinstance(value, str) or not _WEB_ADDRESS.fullmatch(value):
        raise InvalidRequestError(f"{name}={shown(value)} is no web address, such as https://nectarclimate.com.")
    return value


def country(name: str, value: object) -> str:
    """Return a country code of two letters."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{2}", value):
        raise InvalidRequestError(f"{name}={shown(value)} is no country code of two letters, such as US.")
    return value.upper()


def questions(name: str, value: object) -> list[dict[str, str]]:
    """Return security questions with their answers as the API takes them."""
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a mapping of questions to answers.")
    return [{"key": secret(name, key), "value": secret(name, answer)} for key, answer in value.items()]


# ----------------------------------------------------------------------------------------- fields and their checks


@dataclass(frozen=True, slots=True)
class _Field:
    wire: str
    check: Check


COMPANY_FIELDS: Final = {
    "name": _Field("name", text(200, shortest=1)),
    "external_id": _Field("externalId", or_none(text())),
    "users": _Field("users", texts(each=email)),
    "data_collection_start": _Field("dataCollectionStartDate", day),
    "demand_enabled": _Field("isDemandEnabled", flag),
    "implied_metering_enabled": _Field("isImpliedMeteringEnabled", flag),
    "implied_metering_fraction": _Field("impliedMeteringFraction", decimal(0, 1)),
}
SITE_FIELDS: Final = {
    "name": _Field("name", text(255, shortest=1)),
    "external_id": _Field("externalId", or_none(text())),
    "address": _Field("address", text(255)),
    "path": _Field("path", texts(10, text(100), split=" / ")),  # as the column shows it
    "occupancy_percent": _Field("occupancyPercent", or_none(decimal(0, 100))),
}
LOGIN_FIELDS: Final = {
    "username": _Field("username", text(shortest=1)),
    "password": _Field("password", secret),
    "security_questions": _Field("securityQuestions", questions),
    "sites": _Field("sites", texts()),
}
CONNECTION_FIELDS: Final = {
    "url": _Field("url", web_address),
    "country": _Field("country", country),
    **LOGIN_FIELDS,
}
WHO_MAY_FIELDS: Final = {
    "emails": _Field("allowedEmails", texts(each=email)),
    "expires_in": _Field("expiresInSeconds", whole(60)),
    "max_uses": _Field("maxUses", whole(1)),
    "send": _Field("sendEmail", flag),
}
PREFILL_FIELDS: Final = {
    "url": _Field("url", web_address),
    "datasource_id": _Field("datasourceId", text(shortest=1)),
    "commodities": _Field("utilityTypes", texts(each=commodity)),
    "country": _Field("country", country),
    "owner_email": _Field("connectionOwnerEmail", email),
    "data_collection_start": _Field("dataCollectionStartDate", day),
}
USAGE_FIELDS: Final = {
    "start_date": _Field("startDate", day),
    "end_date": _Field("endDate", day),
    "unit": _Field("usageUnits", unit),
    "exclusion": _Field("exclusion", flag),
    "estimated": _Field("isEstimated", flag),
    "implied": _Field("isImplied", flag),
    "tariff": _Field("tariff", or_none(text())),
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

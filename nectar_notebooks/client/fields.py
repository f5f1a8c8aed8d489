"""What the verbs send: house names to the API's, each value checked before anything is sent.

The limits are those the API documents. Sending is left to `writing`, `correcting` and `uploading`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, TypedDict

import pandas as pd

from nectar_notebooks.client.dates import Day, Window
from nectar_notebooks.client.resolving import Given
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.values import COMMODITIES, USAGE_UNITS

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

Check = Callable[[str, object], object]


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
    check: Check


def _text(longest: int | None = None, *, shortest: int = 0) -> Check:
    def check(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidRequestError(f"{name} must be a text, not {value!r}.")
        if len(value.strip()) < shortest:
            raise InvalidRequestError(f"{name} must not be empty.")
        if longest is not None and len(value) > longest:
            raise InvalidRequestError(f"{name} has {len(value)} characters; the API takes {longest} at most.")
        return value

    return check


def _secret(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} must be a text that is not empty.")  # never shown, whatever it is
    return value


def _or_none(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} must be True or False, not {value!r}.")
    return value


def _day(name: str, value: object) -> str:
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        raise InvalidRequestError(f"{name}={value!r} is no day: write it as '2024-01-31'.")
    start = Window.of(value, None).start  # type: ignore[arg-type]  # what is no date is refused there
    if start is None:
        raise InvalidRequestError(f"{name} must be a day, such as '2024-01-31'.")
    return start.strftime("%Y-%m-%d")


def _decimal(least: int, most: int) -> Check:
    def check(name: str, value: object) -> str:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if isinstance(value, bool) or not number.is_finite() or not least <= number <= most:
            raise InvalidRequestError(f"{name} must be a number from {least} to {most}, not {value!r}.")
        return f"{number:f}"

    return check


_SOME_TEXT: Final = _text(shortest=1)


def _texts(most: int | None = None, each: Check = _SOME_TEXT, *, split: str = "") -> Check:
    def check(name: str, value: object) -> list[object]:
        if isinstance(value, str) and split:
            value = [part.strip() for part in value.split(split) if part.strip()]
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            raise InvalidRequestError(f"{name} must be a list of texts, not {value!r}.")
        found = [each(f"{name}[{place}]", one) for place, one in enumerate(value)]
        if most is not None and len(found) > most:
            raise InvalidRequestError(f"{name} has {len(found)} entries; the API takes {most} at most.")
        return found

    return check


def _whole(least: int) -> Check:
    def check(name: str, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InvalidRequestError(f"{name} must be a whole number from {least} on, not {value!r}.")
        return value

    return check


def _commodity(name: str, value: object) -> str:
    if not isinstance(value, str) or value.upper() not in COMMODITIES:
        raise InvalidRequestError(f"{name}={value!r} is no commodity: say one of {', '.join(COMMODITIES)}.")
    return value.upper()


def _email(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise InvalidRequestError(f"{name}={value!r} is no e-mail address.")
    return value


def _unit(name: str, value: object) -> str:
    if value not in USAGE_UNITS:
        raise InvalidRequestError(f"{name}={value!r} is no unit of the API: see nectar_notebooks.schema.values.")
    return str(value)


def _web_address(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[A-Za-z0-9.-]+(/[!-~]*)?", value):
        raise InvalidRequestError(f"{name}={value!r} is no web address, such as https://nectarclimate.com.")
    return value


def _country(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{2}", value):
        raise InvalidRequestError(f"{name}={value!r} is no country code of two letters, such as US.")
    return value.upper()


def _questions(name: str, value: object) -> list[dict[str, str]]:
    if not isinstance(value, Mapping):
        raise InvalidRequestError(f"{name} must be a mapping of questions to answers.")
    return [{"key": _secret(name, key), "value": _secret(name, answer)} for key, answer in value.items()]


COMPANY_FIELDS: Final = {
    "name": _Field("name", _text(200, shortest=1)),
    "external_id": _Field("externalId", _or_none(_text())),
    "users": _Field("users", _texts(each=_email)),
    "data_collection_start": _Field("dataCollectionStartDate", _day),
    "demand_enabled": _Field("isDemandEnabled", _flag),
    "implied_metering_enabled": _Field("isImpliedMeteringEnabled", _flag),
    "implied_metering_fraction": _Field("impliedMeteringFraction", _decimal(0, 1)),
}
SITE_FIELDS: Final = {
    "name": _Field("name", _text(255, shortest=1)),
    "external_id": _Field("externalId", _or_none(_text())),
    "address": _Field("address", _text(255)),
    "path": _Field("path", _texts(10, _text(100), split=" / ")),  # as the column shows it
    "occupancy_percent": _Field("occupancyPercent", _or_none(_decimal(0, 100))),
}
LOGIN_FIELDS: Final = {
    "username": _Field("username", _text(shortest=1)),
    "password": _Field("password", _secret),
    "security_questions": _Field("securityQuestions", _questions),
    "sites": _Field("sites", _texts()),
}
CONNECTION_FIELDS: Final = {
    "url": _Field("url", _web_address),
    "country": _Field("country", _country),
    **LOGIN_FIELDS,
}
WHO_MAY_FIELDS: Final = {
    "emails": _Field("allowedEmails", _texts(each=_email)),
    "expires_in": _Field("expiresInSeconds", _whole(60)),
    "max_uses": _Field("maxUses", _whole(1)),
    "send": _Field("sendEmail", _flag),
}
PREFILL_FIELDS: Final = {
    "url": _Field("url", _web_address),
    "datasource_id": _Field("datasourceId", _text(shortest=1)),
    "commodities": _Field("utilityTypes", _texts(each=_commodity)),
    "country": _Field("country", _country),
    "owner_email": _Field("connectionOwnerEmail", _email),
    "data_collection_start": _Field("dataCollectionStartDate", _day),
}
USAGE_FIELDS: Final = {
    "start_date": _Field("startDate", _day),
    "end_date": _Field("endDate", _day),
    "unit": _Field("usageUnits", _unit),
    "exclusion": _Field("exclusion", _flag),
    "estimated": _Field("isEstimated", _flag),
    "implied": _Field("isImplied", _flag),
    "tariff": _Field("tariff", _or_none(_text())),
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

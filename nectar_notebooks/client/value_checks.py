"""Checks of single values before they are sent: each returns what is sent for a value, or says what is wrong with it.

A check takes the name by which the value was given, for its message. Which field has which check stands in `fields`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import days_of
from nectar_notebooks.schema.naming import shown
from nectar_notebooks.schema.values import COMMODITIES, USAGE_UNITS

__all__ = [
    "Check", "commodity", "country", "day", "decimal", "email", "flag", "or_none", "questions", "secret", "text",
    "texts", "unit", "web_address", "whole",
]  # fmt: skip

Check: TypeAlias = Callable[[str, object], object]

_WEB_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]*)?")


def text(longest: int | None = None, *, shortest: int = 0) -> Check:
    """Return the check of a text within these lengths."""

    def check(name: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidRequestError(f"{name} must be a text, not {shown(value)}.")
        if len(value.strip()) < shortest:
            raise InvalidRequestError(f"{name} must not be empty.")
        if longest is not None and len(value) > longest:
            raise InvalidRequestError(f"{name} has {len(value)} characters; the API takes {longest} at most.")
        return value

    return check


def secret(name: str, value: object) -> str:
    """Return a text that is not empty; no message ever shows it."""
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(f"{name} must be a text that is not empty.")  # never shown, whatever it is
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
    """Return the check of a number within these bounds, which travels as a text."""

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
    """Return the check of a list of texts, at most so many; one text is split where that is said."""

    def check(name: str, value: object) -> list[object]:
        if isinstance(value, str) and split:
            value = [part.strip() for part in value.split(split) if part.strip()]
        if isinstance(value, (str, bytes, Mapping, pd.DataFrame)) or not isinstance(value, Iterable):
            raise InvalidRequestError(f"{name} must be a list of texts, not {shown(value)}.")
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

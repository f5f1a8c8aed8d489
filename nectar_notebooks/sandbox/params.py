"""What a list is asked for: pages and filters out of the query string, or a 400 that names the parameter.

Parameters that a list does not know are ignored, as the API's framework does. How a filter selects rows is
decided in `pages`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from nectar_notebooks.sandbox.problems import bad_field
from nectar_notebooks.sandbox.text import normalized
from nectar_notebooks.schema.values import COMMODITIES, DATE_TYPES, GUIDE_ONLY_COMMODITIES

__all__ = ["CONNECTION_STATUSES", "Arguments", "Filters", "choice", "day", "filters", "flag", "limit", "page"]

CONNECTION_STATUSES: Final = (
    "PENDING", "CONNECTED", "UNDER_INVESTIGATION", "WEBSITE_DOWN", "URL_INACCESSIBLE", "NO_ACCOUNTS_FOUND",
    "OTHER_ERROR", "PASSWORD_INCORRECT", "INCORRECT_PASSWORD", "NEW_PASSWORD_NEEDED", "MFA_TOKEN_EXPIRED",
    "ADDITIONAL_CREDENTIALS_NEEDED", "COMPANY_INACTIVE",
)  # fmt: skip

_COMMODITIES: Final = (*COMMODITIES, *GUIDE_ONLY_COMMODITIES)
_LARGEST_PAGE: Final = 10**9


class Arguments(Protocol):
    """A query string: a name may come several times."""

    def get(self, key: str, /) -> str | None:
        """Return the first value of a name."""

    def getlist(self, key: str, /) -> list[str]:
        """Return every value of a name."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a document or usage list."""

    date_type: str
    start: str | None
    end: str | None
    commodities: tuple[str, ...]
    identifier: str | None
    deleted: bool


def page(arguments: Arguments) -> int:
    """Return the page asked for: no number is 1, one below 1 is 0 (which a list reads as its last)."""
    text = arguments.get("page") or "1"
    try:
        number = int(text) if len(text) <= len(str(_LARGEST_PAGE)) or not text.isdecimal() else _LARGEST_PAGE
    except ValueError:
        return 1
    return max(0, min(number, _LARGEST_PAGE))


def limit(arguments: Arguments) -> int:
    """Return the page size of a connection list, 1 to 500."""
    text = arguments.get("limit")
    if text is None or text == "":
        return 100
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= 500):
        raise bad_field("limit", f"{text[:40]!r} is no whole number from 1 to 500.")
    return int(text)


def choice(arguments: Arguments, name: str, choices: Collection[str]) -> str | None:
    """Return one value of a value set, or None where the parameter is absent."""
    text = arguments.get(name)
    if text is None or text == "":
        return None
    if text not in choices:
        raise bad_field(name, f"{text[:40]!r} is not one of {', '.join(choices)}.")
    return text


def day(arguments: Arguments, name: str) -> str | None:
    """Return a civil day as YYYY-MM-DD, or None where the parameter is absent."""
    text = arguments.get(name)
    if text is None or text == "":
        return None
    try:
        found = date.fromisoformat(text).isoformat()
    except ValueError:
        found = ""
    if found != text:
        raise bad_field(name, f"{text[:40]!r} is no day in the form YYYY-MM-DD.")
    return found


def flag(arguments: Arguments, name: str) -> bool:
    """Return a yes or no; absent is no."""
    text = (arguments.get(name) or "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise bad_field(name, f"{text[:40]!r} is neither true nor false.")
    return text in {"true", "1"}


def filters(
    arguments: Arguments,
    *,
    default: str = "BILL_DATE",
    commodity: str = "datasourceType",
    deleted: bool = False,
) -> Filters:
    """Return the filters of a document or usage list.

    Parameters
    ----------
    arguments
        The query string.
    default
        The date type where none is given.
    commodity
        Name of the commodity filter.
    deleted
        Whether the list knows ``isDeleted``.
    """
    commodities = tuple(value for value in arguments.getlist(commodity) if value)
    for value in commodities:
        if value not in _COMMODITIES:
            raise bad_field(commodity, f"{value[:40]!r} is not one of {', '.join(_COMMODITIES)}.")
    identifier = arguments.get("identifier")
    return Filters(
        date_type=choice(arguments, "dateType", DATE_TYPES) or default,
        start=day(arguments, "startDate"),
        end=day(arguments, "endDate"),
        commodities=commodities,
        identifier=normalized(identifier) if identifier else None,
        deleted=deleted and flag(arguments, "isDeleted"),
    )

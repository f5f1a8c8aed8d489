"""What a list is asked for: pages and filters out of the query string.

The contract was asked before: what stands here is valid, but for the page, of which any text is. Parameters that a
list does not know are ignored, as the API's framework does. How a filter selects rows is decided in `pages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nectar_notebooks.sandbox.text import normalized

__all__ = ["Arguments", "Filters", "filters", "page"]

_LARGEST_PAGE: Final = 10**9


@dataclass(frozen=True, slots=True)
class Arguments:
    """A query string: a name may come several times. It is the same values that the contract was asked about."""

    values: Mapping[str, list[str]]

    def get(self, key: str) -> str | None:
        """Return the value of a name that the contract takes once."""
        found = self.values.get(key)
        return found[0] if found else None

    def getlist(self, key: str) -> list[str]:
        """Return every value of a name."""
        return self.values.get(key, [])


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


def filters(arguments: Arguments, *, default: str = "BILL_DATE", commodity: str = "datasourceType") -> Filters:
    """Return the filters of a document or usage list.

    Parameters
    ----------
    arguments
        The query string.
    default
        The date type where none is given.
    commodity
        Name of the commodity filter.
    """
    identifier = arguments.get("identifier")
    return Filters(
        date_type=arguments.get("dateType") or default,
        start=arguments.get("startDate") or None,
        end=arguments.get("endDate") or None,
        commodities=tuple(value for value in arguments.getlist(commodity) if value),
        identifier=normalized(identifier) if identifier else None,
        deleted=(arguments.get("isDeleted") or "").lower() in {"true", "1"},
    )

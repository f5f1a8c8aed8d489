"""How the explorer of bills says things: figures, amounts, periods, meters, and tables that know when to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.dashboards.html import NONE, Markup, day, element, join, missing, table
from nectar_notebooks.plots.style import series_label, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

__all__ = [
    "CONVENTIONS",
    "MOST",
    "NOBODY",
    "OCCUPANCIES",
    "figure",
    "meter",
    "money",
    "of",
    "period",
    "rows_of",
    "word",
]

#: The conventions in words.
CONVENTIONS: Final[Mapping[str, str]] = {
    "inclusive": "start to end, both counted",
    "exclusive": "start to the day before the end",
    "midday": "noon to noon",
}
#: The modes of occupancy in words.
OCCUPANCIES: Final[Mapping[str, str]] = {
    "disabled": "not used",
    "all": "every site",
    "connection": "connections that ask for it",
}
#: Rows of a table on the page; the frame has all.
MOST: Final = 200
#: Who pays where no meter does, by method or kind.
NOBODY: Final = {
    "finance": "nobody: not the cost of energy",
    "unattributed": "no meter found",
    "residual": "difference to the bill's total",
    "left out": "in no total",
}


def figure(value: object, least: int = 0) -> str:
    """Return a number with at least so many decimals and at most four, or a dash.

    Examples
    --------
    >>> figure(1234.5, 2), figure(3413.79310345), figure(float("nan"))
    ('1,234.50', '3,413.7931', '–')
    """
    if missing(value):
        return NONE
    whole, _, decimals = f"{float(str(value)):,.4f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def money(amount: object, currency: object) -> str:
    """Return an amount with its currency."""
    return figure(amount, 2) if missing(amount) or missing(currency) else f"{figure(amount, 2)} {currency}"


def period(start: object, end: object) -> str:
    """Return a service period as text."""
    if missing(end) or start == end:
        return day(start)
    return f"{day(start)} to {day(end)}"


def meter(row: pd.Series) -> object:
    """Return a meter's number, or its id where it has none."""
    return row["meter_id"] if missing(row["meter"]) else row["meter"]


def of(commodity: object, subtype: object) -> str:
    """Return a commodity with its kind, as a picture's panel is called."""
    if missing(commodity):
        return NONE
    return series_label(str(commodity), None if missing(subtype) else str(subtype))


def word(value: object) -> str:
    """Return a value of the API as words, or a dash."""
    return NONE if missing(value) else words(str(value))


def rows_of(
    columns: list[str], rows: list[list[object]], total: int, caption: str, empty: str, numbers: Iterable[str]
) -> Markup:
    """Return a table of the first rows of `total`; those left out are counted below."""
    shown = table(columns, rows, caption=caption, empty=empty, numbers=frozenset(numbers))
    if total <= MOST:
        return shown
    more = f"{total - MOST:,} more rows stand in the frame, and in a saved file."
    return join([shown, element("p", more, style="font-size:12px;opacity:.8")])

"""Dates and decimals as billing systems write them, read exactly or refused.

The order of day and month and the decimal sign are found once for a whole file; nothing is guessed cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from nectar_notebooks.errors import BillsFileError

__all__ = ["OutsideWindowError", "Reading", "counted_amount", "find_date_order", "find_decimal_sign", "money"]

_NUMERIC: Final = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ].*)?$")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WORDY: Final = re.compile(r"(?:(\d{1,2})[-\s.]+([a-z]{3})[a-z]*|([a-z]{3})[a-z]*[\s.]+(\d{1,2}))[-,\s.]+(\d{2,4})$")
_CURRENCY: Final = re.compile(r"USD|CAD|EUR|GBP|[$€£¥]", re.IGNORECASE)
#: The years that a date may have; others stand for "never" or "unknown" in the systems that write them.
_YEARS: Final = range(1970, 2101)
#: The finest decimal that an amount is summed in, and what a spreadsheet's floats may leave behind it.
_PLACES: Final = 4
_NOISE: Final = Decimal("1e-8")


def _year(digits: str) -> int:
    """Return the year that is written; two digits are of this century or the last, four are what they say."""
    year = int(digits)
    if len(digits) == 4 or year >= 100:
        return year
    return year + (2000 if year < 70 else 1900)


class OutsideWindowError(ValueError):
    """A date of a year that no bill has."""

    def __str__(self) -> str:
        return f"outside the window, {_YEARS[0]}-01-01 to {_YEARS[-1]}-12-31"


@dataclass(frozen=True, slots=True)
class Reading:
    """How dates and numbers of one file are written."""

    date_order: str
    decimal: str

    def day(self, text: str) -> date | None:
        """Return the civil date that a cell says; None where it says none.

        Raises
        ------
        ValueError
            Not a date.
        OutsideWindowError
            A date before 1970 or after 2100.
        """
        if not text:
            return None
        year, month, day = self._parts(text)
        if year in _YEARS:
            return date(year, month, day)
        date(2000, month, day)  # is it a date at all?
        raise OutsideWindowError(text)

    def _parts(self, text: str) -> tuple[int, int, int]:
        found = _NUMERIC.match(text)
        if found is None:
            wordy = _WORDY.match(text.lower())
            if wordy is None:
                raise ValueError(text)
            day, month, other, second, year = wordy.groups()
            return _year(year), _MONTHS.index(month or other) + 1, int(day or second)
        first, middle, last = found.groups()
        if len(first) == 4 or self.date_order == "ymd":
            return _year(first), int(middle), int(last)
        day_first = self.date_order == "dmy" or "." in text.split(" ")[0]
        return (_year(last), int(middle), int(first)) if day_first else (_year(last), int(first), int(middle))

    def number(self, text: str) -> Decimal | None:
        """Return the decimal that a cell says; None where it says none.

        Thousands separators, currency signs, brackets and trailing minus signs of bookkeepers are understood.

        Raises
        ------
        ValueError
            Not a number.

        Examples
        --------
        >>> Reading("mdy", ".").number("($1,234.50)")
        Decimal('-1234.50')
        """
        if not text or text in ("-", "—"):
            return None
        plain = _CURRENCY.sub("", text).replace(" ", "").replace("\u00a0", "").replace("\u2212", "-")
        negative = False
        if plain.startswith("(") and plain.endswith(")"):
            plain, negative = plain[1:-1], True
        elif plain.endswith("-") or plain.upper().endswith("CR"):
            plain, negative = plain.rstrip("-").removesuffix("CR").removesuffix("cr"), True
        plain = plain.replace("'", "")
        if self.decimal == ",":
            plain = plain.replace(".", "").replace(",", ".")
        elif not re.fullmatch(r"[+-]?\d{1,3}(,\d{2,3})*(\.\d*)?|[^,]*", plain):
            raise ValueError(text)
        else:
            plain = plain.replace(",", "")
        try:
            value = Decimal(plain)
        except InvalidOperation as problem:
            raise ValueError(text) from problem
        if not value.is_finite() or abs(value) > 10**15:
            raise ValueError(text)
        return -value if negative else value


def counted_amount(value: Decimal) -> tuple[Decimal, bool]:
    """Return an amount in ten-thousandths, the finest that is summed, and whether that rounded more than float noise.

    Examples
    --------
    >>> counted_amount(Decimal("12.340000000000002")), counted_amount(Decimal("0.12346"))
    ((Decimal('12.3400'), False), (Decimal('0.1235'), True))
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -_PLACES:
        return value, False
    rounded = value.quantize(Decimal(1).scaleb(-_PLACES))
    return rounded, abs(rounded - value) > _NOISE


def money(value: Decimal) -> str:
    """Write an amount exactly, with at least the two places of a currency."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent > -2:
        value = value.quantize(Decimal("0.01"))
    return format(value, "f")


def find_date_order(cells: Iterable[str], chosen: str | None, file: str) -> str:
    """Return the order of day, month and year in a file's dates: ``mdy``, ``dmy`` or ``ymd``.

    Raises
    ------
    BillsFileError
        The dates could be read in two ways, or in one way here and in another there.
    """
    if chosen is not None:
        return chosen
    first = second = None
    unclear = False
    for cell in cells:
        found = _NUMERIC.match(cell)
        if found is None or len(found[1]) == 4 or "." in cell.split(" ")[0]:
            continue
        a, b = int(found[1]), int(found[2])
        first = cell if a > 12 else first
        second = cell if b > 12 else second
        unclear = unclear or a != b
    if first and second:
        raise BillsFileError(
            f"The bills file {file} writes dates in two orders: {first} and {second}.",
            advice='Say which one holds with date_order = "mdy" or "dmy" in a column map.',
        )
    if unclear and not first and not second:
        raise BillsFileError(
            f"The bills file {file} does not show whether day or month comes first in its dates.",
            advice='Say so with date_order = "mdy" or "dmy" in a column map.',
        )
    return "dmy" if first else "mdy"


def find_decimal_sign(cells: Iterable[str], chosen: str | None) -> str:
    """Return the decimal sign of a file's amounts: a comma only where amounts show one and no point."""
    if chosen is not None:
        return chosen
    texts = [cell.strip(" )$€£-") for cell in cells]
    comma = any(re.search(r"\d,\d{1,2}$", text) for text in texts)
    point = any(re.search(r"\.\d{1,2}$", text) or re.search(r",\d{3}\.", text) for text in texts)
    return "," if comma and not point else "."

"""One row of a bills file as one typed line, or the reason why it is none.

Here a line stands alone; what it takes from its neighbours (a unit, a meter number) is settled in
`bills`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from nectar_notebooks.sandbox.loader.columns import ColumnMap, Header
from nectar_notebooks.sandbox.loader.text import Row
from nectar_notebooks.sandbox.loader.values import OutsideWindowError, Reading, counted_amount
from nectar_notebooks.sandbox.loader.words import Vocabulary

__all__ = ["Line", "Unplaced", "parse"]

_WITH_ADDRESS = re.compile(r"(.+?)\s*\((.+)\)")
_UNIT_COMMODITY = {"kWh": "ELECTRICITY", "kW": "ELECTRICITY", "MWh": "ELECTRICITY", "thm (US)": "GAS"}


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A line that was not loaded, by its number in the file, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(slots=True)
class Line:
    """One charge line."""

    line: int
    vendor: str
    account: str
    address: str | None
    site: str
    site_name: str
    site_address: str | None
    bill_date: date
    due_date: date | None
    entry_date: date | None
    invoice: str | None
    start: date | None
    end: date | None
    commodity: str
    kind: str | None
    service_kind: str | None  # of the service that is billed, where the charge is for a kind that nothing measures
    item: str
    meter: str | None
    quantity: Decimal | None
    unit: str | None
    rate: Decimal | None
    amount: Decimal
    currency: str
    said_amount: Decimal | None = None  # where the file says it finer than amounts are summed


class _Cells:
    def __init__(self, row: Row, header: Header, reading: Reading) -> None:
        self._row, self._header, self._reading = row, header, reading

    def text(self, role: str) -> str:
        place = self._header.places.get(role)
        return self._row.cells[place] if place is not None else ""

    def day(self, role: str) -> date | None:
        try:
            return self._reading.day(self.text(role))
        except ValueError as problem:
            why = problem if isinstance(problem, OutsideWindowError) else "no date"
            raise ValueError(f"{role.replace('_', ' ')} {self.text(role)!r} is {why}") from None

    def number(self, role: str) -> Decimal | None:
        try:
            return self._reading.number(self.text(role))
        except ValueError:
            raise ValueError(f"{role} {self.text(role)!r} is no number") from None


def parse(row: Row, header: Header, reading: Reading, columns: ColumnMap, words: Vocabulary) -> Line | Unplaced:
    """Return the line that a row says, or the reason why it says none."""
    if len(row.cells) < header.width or any(row.cells[header.width :]):
        return Unplaced(row.line, f"{len(row.cells)} cells where the header has {header.width}")
    try:
        return _line(_Cells(row, header, reading), row.line, header, columns, words)
    except ValueError as problem:
        return Unplaced(row.line, str(problem))


def _line(cells: _Cells, number: int, header: Header, columns: ColumnMap, words: Vocabulary) -> Line:
    account = cells.text("account")
    if not account:
        raise ValueError("no account")
    said = cells.number("amount")
    if said is None:
        raise ValueError("no amount")
    amount, rounded = counted_amount(said)
    start, end, bill_date = cells.day("start"), cells.day("end"), cells.day("bill_date")
    start, end = start or end, end or start
    bill_date = bill_date or end
    if bill_date is None:
        raise ValueError("no date")
    bracketed = _WITH_ADDRESS.fullmatch(account)
    address = None
    if bracketed:
        account, address = bracketed.groups()
    item = cells.text("item") or cells.text("service") or "Charge"
    unit = words.unit(cells.text("unit") or ("" if "unit" in header.places else header.usage_unit or ""))
    quantity = cells.number("usage")
    commodity, kind, service_kind = _service(cells, item, unit, words)
    site_name = cells.text("site_name") or cells.text("site_id") or cells.text("address") or address or ""
    return Line(
        line=number, vendor=cells.text("vendor") or "Unknown provider", account=account,
        address=cells.text("address") or address, site=cells.text("site_id") or site_name, site_name=site_name,
        site_address=cells.text("address") or None, bill_date=bill_date, due_date=cells.day("due_date"),
        entry_date=cells.day("entry_date"), invoice=cells.text("invoice") or None, start=start, end=end,
        commodity=commodity, kind=kind, service_kind=service_kind, item=item, meter=cells.text("meter") or None,
        quantity=quantity, unit=unit, rate=cells.number("rate"), amount=amount,
        currency=(cells.text("currency") or columns.currency).upper(), said_amount=said if rounded else None,
    )  # fmt: skip


def _service(cells: _Cells, item: str, unit: str | None, words: Vocabulary) -> tuple[str, str | None, str | None]:
    """Return commodity and kind: by the service's own words, the description, the unit, the vendor.

    Third comes the kind that the service alone says, which a vendor's name does not.
    """
    service, vendor = cells.text("service"), cells.text("vendor")
    commodity, kind = words.service(service, item)
    if commodity == "MISC" and unit in _UNIT_COMMODITY:
        commodity = _UNIT_COMMODITY[unit]
    billed = kind
    if commodity == "MISC":
        commodity, kind = words.service(vendor)
        billed = None
    named, closer = words.service(item)
    if named == commodity and closer not in (None, "POTABLE_WATER") and kind in (None, "POTABLE_WATER"):
        kind = closer
    if commodity in ("ELECTRICITY", "GAS") and kind is None:
        kind = words.usual_kind(commodity)
    return commodity, kind, billed

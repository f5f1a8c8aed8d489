"""Which column of a bills file holds what: common header names, and a column map that overrides them.

A column map is a TOML file (or a mapping of the same shape); every part is optional::

    company = "Example Town"     # the name of the company made from the file
    currency = "USD"             # where no column says it
    date_order = "mdy"           # or dmy, ymd
    decimal = "."                # or ","

    [columns]                    # role = header of the file
    account = "Account Number"
    amount = "Cost"

    [units]                      # word of the file = unit of the API
    Gallons = "gal (US)"
    [commodities]                # word of the service = commodity
    [subtypes]                   # word of the service or description = kind within the commodity
    [charges]                    # word of the description = charge type, such as LATE_FEE
    [demand]                     # words of descriptions that are demand, never usage
    words = ["KW Charge"]

Words compare without regard to case, as parts of the cell; the longest fits first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from nectar_notebooks.errors import BillsFileError
from nectar_notebooks.limits import MB, read_regular_file
from nectar_notebooks.sandbox.loader.text import Row
from nectar_notebooks.schema.values import CHARGE_TYPES, COMMODITIES

__all__ = ["ROLES", "ColumnMap", "Header", "find_header", "read_map"]

#: What a column can hold, with the header names (letters and digits only) by which it is recognised.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "account": ("accountnumber", "accountno", "acctnumber", "acctno", "utilityaccount", "account", "acct", "accountid"),
    "amount": ("cost", "amount", "lineamount", "chargeamount", "linetotal", "extendedamount", "totalcharge", "charges"),
    "bill_date": ("billdate", "invoicedate", "statementdate", "date"),
    "start": ("from", "startdate", "servicestart", "servicefrom", "periodstart", "begindate", "start", "begin"),
    "end": ("thru", "through", "enddate", "serviceend", "serviceto", "servicethru", "periodend", "end", "to"),
    "due_date": ("duedate", "due", "paymentdue"),
    "entry_date": ("entrydate", "receiveddate", "importdate", "posteddate"),
    "invoice": ("invoicenumber", "invoiceno", "invoice", "billnumber", "billid", "statementnumber"),
    "site_id": ("siteid", "sitecode", "siteno", "propertyid", "buildingid", "facilityid", "locationid"),
    "site_name": ("sitename", "site", "property", "propertyname", "building", "buildingname", "facility", "location"),
    "address": ("serviceaddress", "siteaddress", "address"),
    "vendor": ("vendorname", "vendor", "utilityname", "utilitycompany", "utility", "provider", "supplier"),
    "service": ("servicename", "service", "commodity", "servicetype", "utilitytype", "energytype"),
    "item": (
        "itemdescription",
        "linedescription",
        "chargedescription",
        "chargename",
        "description",
        "lineitem",
        "item",
    ),
    "meter": ("meternumber", "meterno", "meterid", "meterserial", "meter"),
    "usage": ("usage", "consumption", "quantity", "qty", "volume"),
    "unit": ("units", "unit", "uom", "usageunits", "usageunit", "unitofmeasure"),
    "rate": ("rate", "unitprice", "unitrate"),
    "currency": ("currency", "currencycode"),
}

_PARTS: Final = frozenset(
    {"company", "currency", "date_order", "decimal", "columns", "units", "commodities", "subtypes", "charges", "demand"}
)
_ADVICE: Final = 'Name the columns in a column map: [columns] with lines such as account = "Account Number".'
_TITLE_LINES: Final = 20  # exports put titles above their header, not chapters

Words: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the user says about a file, checked."""

    company: str | None = None
    currency: str = "USD"
    date_order: str | None = None
    decimal: str | None = None
    columns: Words = field(default_factory=dict)
    units: Words = field(default_factory=dict)
    commodities: Words = field(default_factory=dict)
    subtypes: Words = field(default_factory=dict)
    charges: Words = field(default_factory=dict)
    demand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """Where each role stands, how many cells a row has, and a unit that the usage column's name carries."""

    line: int
    width: int
    places: dict[str, int]
    usage_unit: str | None


def read_map(columns: str | Path | Mapping[str, Any] | None) -> ColumnMap:
    """Return a checked column map from a TOML file, a mapping or nothing.

    Raises
    ------
    BillsFileError
        The map cannot be read, or says something that no map can say.
    """
    if columns is None:
        return ColumnMap()
    name, table = "The column map", columns
    if isinstance(columns, str | Path):
        name = f"The column map {Path(columns).name}"
        try:
            table = tomllib.loads(read_regular_file(Path(columns), MB).decode())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else problem
            raise BillsFileError(f"{name} cannot be read: {why}.", advice="") from problem
    if not isinstance(table, Mapping):
        raise BillsFileError(
            f"A column map is a file, a mapping or None, not a {type(columns).__name__}.", advice="Name a TOML file."
        )
    values = dict(table)
    _refuse(name, set(values) - _PARTS, "part", sorted(_PARTS))
    demand = values.pop("demand", {})
    words = demand.get("words", []) if isinstance(demand, Mapping) else demand
    for part in ("columns", "units", "commodities", "subtypes", "charges"):
        entries = values.get(part, {})
        if not isinstance(entries, Mapping) or not all(isinstance(value, str) for value in entries.values()):
            raise BillsFileError(f'{name}: [{part}] holds lines of the form word = "text".', advice="")
        values[part] = dict(entries)
    for part in ("company", "currency", "date_order", "decimal"):
        if not isinstance(values.get(part, ""), str):
            raise BillsFileError(f"{name}: {part} is a text, not {values[part]!r}.", advice="")
    _refuse(name, set(values["columns"]) - set(ROLES), "column role", list(ROLES))
    _refuse(name, set(values["commodities"].values()) - set(COMMODITIES), "commodity", list(COMMODITIES))
    _refuse(name, set(values["charges"].values()) - set(CHARGE_TYPES), "charge type", list(CHARGE_TYPES))
    if values.get("date_order", "mdy") not in ("mdy", "dmy", "ymd"):
        raise BillsFileError(f"{name}: date_order is mdy, dmy or ymd, not {values['date_order']!r}.", advice="")
    if values.get("decimal", ".") not in (".", ","):
        raise BillsFileError(f'{name}: decimal is "." or ",", not {values["decimal"]!r}.', advice="")
    return ColumnMap(**values, demand=tuple(map(str, words)))


def _refuse(name: str, unknown: set[str], what: str, known: list[str]) -> None:
    if unknown:
        raise BillsFileError(f"{name} has an unknown {what}: {min(unknown)}. Known: {', '.join(known)}.", advice="")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*?\)", "", text.lower()))


def find_header(rows: list[Row], columns: ColumnMap, file: str) -> tuple[Header, list[Row]]:
    """Return the header of a file and the rows below it.

    Raises
    ------
    BillsFileError
        No line has columns for the account, the amount and a date, or the map names one that is not there.
    """
    best: tuple[dict[str, int], Row, set[str]] | None = None
    for number, row in enumerate(rows[:_TITLE_LINES]):
        places = _recognise(row.cells, columns)
        missing = {role for role in ("account", "amount") if role not in places}
        if not {"bill_date", "end", "start"} & set(places):
            missing.add("bill_date")
        if not missing:
            _all_there(places, row, columns, file)
            unit = re.search(r"\(([^)]+)\)", row.cells[places["usage"]]) if "usage" in places else None
            return Header(row.line, len(row.cells), places, unit.group(1) if unit else None), rows[number + 1 :]
        if best is None or len(places) > len(best[0]):
            best = (places, row, missing)
    assert best is not None  # noqa: S101 - for mypy: a file has at least one row
    if best[0]:
        _all_there(best[0], best[1], columns, file)
    raise BillsFileError(
        f"The bills file {file} has no header line with a column for: {', '.join(sorted(best[2]))}.", advice=_ADVICE
    )


def _all_there(places: dict[str, int], row: Row, columns: ColumnMap, file: str) -> None:
    """Raise where the map names a column that the header does not have."""
    for role, wanted in columns.columns.items():
        if role not in places:
            raise BillsFileError(
                f"The bills file {file} has no column {wanted!r}, which the column map names for {role}.",
                advice=f"Its columns are: {', '.join(filter(None, row.cells))}.",
            )


def _recognise(cells: list[str], columns: ColumnMap) -> dict[str, int]:
    exact = {cell.casefold(): place for place, cell in reversed(list(enumerate(cells)))}
    places = {role: exact[name.casefold()] for role, name in columns.columns.items() if name.casefold() in exact}
    plain = {_plain(cell): place for place, cell in reversed(list(enumerate(cells)))}
    taken = set(places.values())
    for role, names in ROLES.items():
        if role in columns.columns:
            continue
        place = next((plain[name] for name in names if name in plain and plain[name] not in taken), None)
        if place is not None:
            places[role] = place
            taken.add(place)
    return places

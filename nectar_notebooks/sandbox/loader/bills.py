"""From lines to bills: which bill, site, account and meter each belongs to, and the records of all of them.

Every line becomes exactly one line item. Ids come from what the file says, so that the same line gives the same
ids wherever it is loaded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from nectar_notebooks.sandbox.loader.columns import ColumnMap
from nectar_notebooks.sandbox.loader.lines import Line, Unplaced
from nectar_notebooks.sandbox.loader.records import (
    account_record,
    company_record,
    connection_record,
    demand_record,
    document_record,
    item_record,
    meter_record,
    site_record,
    total_up,
    usage_record,
)
from nectar_notebooks.sandbox.loader.usage import count
from nectar_notebooks.sandbox.loader.words import Vocabulary
from nectar_notebooks.sandbox.model import Record, World

__all__ = ["Assembly", "assemble"]

#: vendor and account number; with commodity and kind at a site; with the number of the meter
_AccountKey: TypeAlias = tuple[str, str]
_PointKey: TypeAlias = tuple[_AccountKey, str, str, str | None]
_BillKey: TypeAlias = tuple[_AccountKey, date, str | None, str]

_DEMAND_COMMODITY: Final = "ELECTRICITY"
_UNKNOWN: Final = "MISC"


@dataclass(slots=True)
class Assembly:
    """The world made from the lines, and what a reader should know about single lines."""

    world: World = field(default_factory=World)
    remarks: list[Unplaced] = field(default_factory=list)


def assemble(lines: list[Line], name: str, columns: ColumnMap, words: Vocabulary) -> Assembly:
    """Return one company with everything the lines say."""
    return _Assembler(lines, name, columns, words).run()


def _point(line: Line) -> _PointKey:
    return ((line.vendor, line.account), line.site, line.commodity, line.kind)


class _Assembler:
    def __init__(self, lines: list[Line], name: str, columns: ColumnMap, words: Vocabulary) -> None:
        self.lines, self.words = lines, words
        self.out = Assembly()
        first = min(lines, key=lambda line: line.line)
        self.seed = f"bills/{first.site}/{first.vendor}/{first.account}"
        start = min(line.start or line.bill_date for line in lines)
        self.company = company_record(self.seed, columns.company or name, start)
        self.sites: dict[str, Record] = {}
        self.connections: dict[str, Record] = {}
        self.accounts: dict[_AccountKey, Record] = {}
        self.meters: dict[tuple[_PointKey, str | None], Record] = {}
        self.numbers: defaultdict[_PointKey, set[str]] = defaultdict(set)
        self.items: list[tuple[Line, Record]] = []
        for line in lines:
            if line.meter:
                self.numbers[_point(line)].add(line.meter)

    def run(self) -> Assembly:
        self._complete_units()
        bills: defaultdict[_BillKey, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.said_amount is not None:
                taken = f"{line.amount:f} was taken"
                self._remark(line, f"an amount of {line.said_amount:f} is finer than 0.0001: {taken}")
            self._places(line)
            bills[(line.vendor, line.account), line.bill_date, line.invoice, line.currency].append(line)
        for key, lines in bills.items():
            self._bill(key, lines)
        self._say_services()
        world = self.out.world
        world.companies, world.sites = [self.company], list(self.sites.values())
        world.connections, world.accounts = list(self.connections.values()), list(self.accounts.values())
        world.meters = list(self.meters.values())
        world.documents.sort(key=lambda row: (row["created"], row["id"]))
        world.usage.sort(key=lambda row: (row["created"], row["id"]))
        self.out.remarks.sort(key=lambda remark: remark.line)
        return self.out

    def _complete_units(self) -> None:
        """Give a quantity without a unit the unit that the same charge has elsewhere in the file."""
        seen: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for line in self.lines:
            if line.unit and line.quantity is not None:
                seen[line.commodity, line.item][line.unit] += 1
        for line in self.lines:
            if line.unit is None and line.quantity is not None:
                units = seen.get((line.commodity, line.item))
                if units:
                    line.unit = units.most_common(1)[0][0]
                elif line.quantity:
                    self._remark(line, "a quantity without a unit: kept on the line, not counted as usage")

    def _remark(self, line: Line, text: str) -> None:
        self.out.remarks.append(Unplaced(line.line, text))

    def _places(self, line: Line) -> None:
        """Make site, connection and account of a line where they are new."""
        if line.site not in self.sites:
            self.sites[line.site] = site_record(self.company, line)
        if line.vendor not in self.connections:
            dates = [other.entry_date or other.bill_date for other in self.lines if other.vendor == line.vendor]
            self.connections[line.vendor] = connection_record(self.company, line, min(dates), max(dates))
        connection = self.connections[line.vendor]
        if self.sites[line.site]["id"] not in connection["initialSites"]:
            connection["initialSites"].append(self.sites[line.site]["id"])
        if line.commodity not in connection["initialDatasourceTypes"]:
            connection["initialDatasourceTypes"].append(line.commodity)
        account = self.accounts.setdefault((line.vendor, line.account), account_record(self.company, connection, line))
        if line.commodity not in account["datasourceTypes"]:
            account["datasourceTypes"].append(line.commodity)
        if line.end:
            account["lastServiceDate"] = max(account["lastServiceDate"] or "", line.end.isoformat())

    def _number(self, line: Line, lines: Iterable[Line]) -> tuple[str | None, bool]:
        """Return the number of a line's meter, and whether it is clear which meter is meant.

        A line without a number means the one meter of the same service on its bill, else the account's only one.
        """
        if line.meter:
            return line.meter, True
        point = _point(line)
        on_bill = {other.meter for other in lines if other.meter and _point(other) == point}
        numbers = on_bill or self.numbers[point]
        return (next(iter(numbers)), True) if len(numbers) == 1 else (None, not numbers)

    def _bill(self, key: _BillKey, lines: list[Line]) -> None:
        (vendor, number), *_ = key
        account = self.accounts[vendor, number]
        document = document_record(self.company, self.connections[vendor], lines)
        self.out.world.documents.append(document)
        numbers = {line.line: self._number(line, lines) for line in lines}
        groups: defaultdict[tuple[_PointKey, str | None, bool, str, date, date], list[Line]] = defaultdict(list)
        demands: list[Line] = []
        for line in lines:
            demand = line.commodity == _DEMAND_COMMODITY and self.words.is_demand(line.item, line.unit)
            item = item_record(line, account["id"], demand=demand, words=self.words)
            document["lineItems"].append(item)
            self.items.append((line, item))
            if line.quantity is None or not line.unit:
                continue
            if demand:
                demands.append(line)
            elif not self.words.is_usage_unit(line.unit):
                self._remark(line, f"unit {line.unit!r} is unknown: kept on the line, not counted as usage")
            else:
                period = _period(line, lines)
                if period is None:
                    self._remark(line, "usage without a service period: kept on the line, not counted as usage")
                else:
                    groups[_point(line), *numbers[line.line], line.unit, *period].append(line)
        self._say_repeats(lines)
        total_up(document)
        rows: dict[tuple[_PointKey, str | None], list[str]] = defaultdict(list)
        for (point, meter, clear, unit, start, end), members in groups.items():
            counted = count(members, self.words)
            if not counted.agreed:
                self._remark(members[0], f"the bill's {unit} lines disagree: the largest, {counted.usage}, was counted")
            if not clear:
                self._remark(members[0], "usage of one of several meters, none named: kept as the account's usage")
            record = self._meter(point, meter, members[0]) if clear else None
            row = usage_record(document, self.sites[point[1]], record, members[0], unit, start, end, counted)
            row.update(self.words.subtype_fields(point[2], point[3]))
            rows[point, meter].append(row["id"])
            self.out.world.usage.append(row)
        self._demands(document, demands, lines, numbers, rows)

    def _say_repeats(self, lines: list[Line]) -> None:
        """Remark the lines of a bill that say again what another says: one charge entered twice, or two alike.

        Lines of nothing, as systems print them for charges that a bill does not have, repeat by right.
        """
        said: dict[tuple[object, ...], Line] = {}
        for line in lines:
            charge = (line.item, line.quantity, line.unit, line.rate, line.amount)
            first = said.setdefault((_point(line), line.meter, line.start, line.end, *charge), line)
            if first is not line and (line.amount or line.quantity):
                used = ", its usage is counted once" if line.quantity else ""
                self._remark(line, f"says what line {first.line} of the same bill says: both amounts are kept{used}")

    def _say_services(self) -> None:
        """Let each charge say what it is for: its commodity, the kind of it that is measured, its meter's id."""
        measured = {point for point, _ in self.meters}
        for line, item in self.items:
            if line.commodity == _UNKNOWN:
                continue
            point = _point(line)
            kind = line.kind if point in measured else line.service_kind
            item |= {"datasourceType": line.commodity, **self.words.subtype_fields(line.commodity, kind)}
            meter = self.meters.get((point, line.meter)) if line.meter else None
            if meter:
                item["meter"] = meter["id"]

    def _meter(self, point: _PointKey, number: str | None, line: Line) -> Record:
        if (point, number) not in self.meters:
            record = meter_record(self.sites[point[1]], self.accounts[point[0]], line, number)
            record.update(self.words.subtype_fields(point[2], point[3]))
            self.meters[point, number] = record
        return self.meters[point, number]

    def _demands(
        self, document: Record, demands: list[Line], lines: list[Line],
        numbers: dict[int, tuple[str | None, bool]], rows: dict[tuple[_PointKey, str | None], list[str]],
    ) -> None:  # fmt: skip
        """Add demand readings: one for each quantity of a meter; a zero says that nothing was read."""
        seen: set[tuple[_PointKey, str | None, Decimal, str | None]] = set()
        for line in demands:
            point, meter = _point(line), numbers[line.line][0]
            reading = (point, meter, line.quantity or Decimal(0), line.unit)
            period = _period(line, lines) or (line.bill_date, line.bill_date)
            if line.quantity and reading not in seen:
                seen.add(reading)
                document["demandMeters"].append(demand_record(line, *period, rows.get((point, meter), []), self.words))


def _period(line: Line, lines: list[Line]) -> tuple[date, date] | None:
    """Return the service period of a line: its own, else that of its service on the same bill, else the bill's."""
    for other in (line, *(o for o in lines if o.commodity == line.commodity), *lines):
        if other.start and other.end:
            return other.start, other.end
    return None

"""What a meter used in a period, and the usage records that say so.

Seasons and weather come from `weather`; here are the meter's own luck, its register, its time-of-use parts and
its demand, and the days on which trucks and tanks come. Which bill a record stands on is decided in `billing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.sources.demo.basics import decimal, make_id, share_out
from nectar_notebooks.sandbox.sources.demo.catalogue import SUBTYPES
from nectar_notebooks.sandbox.sources.demo.weather import weight

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.model import Record
    from nectar_notebooks.sandbox.sources.demo.schedule import Period, Window
    from nectar_notebooks.sandbox.sources.demo.structure import Account, Meter

__all__ = ["Read", "Reader"]

_WITH_REGISTER = frozenset({"ELECTRICITY", "GAS", "WATER", "SOLAR"})
_CONTRACT = 1.25  # contract capacity over a large customer's usual peak


@dataclass(slots=True)
class Read:
    """What one meter used in one period, in integers of its own decimals; demand in tenths of a kW."""

    usage: int
    by_time: list[int]
    demand: int
    days: list[tuple[date, date, int]]  # start, end and usage of each record


class Reader:
    """One meter, read bill after bill."""

    def __init__(self, meter: Meter, account: Account, window: Window) -> None:
        self.meter = meter
        self.window = window
        self.register = 1_000 + 37 * len(meter.key) * account.read_day
        self.periods = next((step.parts for step in meter.tariff.steps if step.how == "tou"), ())
        self._template = _template(meter, account)

    def read(self, period: Period, start: date, factor: float = 1.0) -> Read:
        """Return what was used from `start` to the period's end; `factor` makes a leak of it."""
        meter, kind = self.meter, self.meter.kind
        luck = blake2b(f"{self.window.seed}/{meter.luck}/{period.month}".encode(), digest_size=8).digest()
        if kind.commodity == "WASTE":
            return self._pickups(start, luck)
        weighed = weight(self.window.seed, meter.climate, kind.shape, start, period.end, self.window.years)
        value = factor * meter.per_day * weighed * (1 + 0.03 * (luck[0] / 127.5 - 1)) * 10**kind.places
        usage = max(1, round(value / kind.multiplier)) * kind.multiplier
        if kind.commodity == "FUEL":
            day = period.end.replace(day=6 + luck[1] % 5)
            return Read(usage, [], 0, [(day, day, usage)])
        parts: list[int] = []
        if self.periods:
            parts = share_out(usage, tuple(share + luck[2 + n] % 3 for n, share in enumerate(meter.shares)))
        demand = 0
        if kind.hours:
            hours = ((period.end - start).days + 1) * kind.hours
            demand = round(10 * usage / hours * (1 + 0.05 * (luck[5] / 127.5 - 1)))
        return Read(usage, parts, demand, [(start, period.end, usage)])

    def _pickups(self, start: date, luck: bytes) -> Read:
        """Return two pickups a month, the first and third of their weekday, in whole yards."""
        first = start + timedelta(days=(len(self.meter.key) % 5 - start.weekday()) % 7)
        usual = max(4, round(self.meter.per_day * 15))
        days = [
            (day, day, usual + luck[number] % 3 - 1) for number, day in enumerate((first, first + timedelta(days=14)))
        ]
        return Read(sum(size for *_, size in days), [], 0, days)

    def records(self, read: Read, bill: str, created: str, estimated: bool) -> list[Record]:
        """Return the usage records of a read and move the register on."""
        places, unit = self.meter.kind.places, self.meter.kind.unit
        found = []
        for start, end, usage in read.days:
            record = self._template.copy()
            record["id"] = make_id(self.window.seed, "usage", bill, self.meter.key, start)
            record["created"] = record["updated"] = created
            record["document"] = bill
            record["startDate"], record["endDate"] = start.isoformat(), end.isoformat()
            record["usage"] = decimal(usage, places)
            if self.meter.kind.commodity in _WITH_REGISTER:
                record["previousReading"] = decimal(self.register, places)
                self.register += usage // self.meter.kind.multiplier
                record["currentReading"] = decimal(self.register, places)
            if self.meter.kind.commodity == "ELECTRICITY":
                record["powerFactor"] = self._power_factor(record["id"])
            if estimated:
                record["isEstimated"] = True
            if read.demand:
                record["billedDemand"] = decimal(read.demand, 1)
            if read.by_time:
                record["timeOfUseBreakdown"] = [
                    {
                        "timeOfUse": name, "usage": decimal(part, places), "usageUnits": unit,
                        "description": str(name).replace("_", "-").capitalize(),
                        "startDate": record["startDate"], "endDate": record["endDate"],
                    }
                    for (name, _), part in zip(self.periods, read.by_time, strict=True)
                ]  # fmt: skip
            found.append(record)
        return found

    def _power_factor(self, record_id: str) -> str:
        """Return 0.86 to 0.97: the meter's own, a little different in each period."""
        return f"0.{86 + int(self.meter.record['id'][:2], 16) % 10 + int(record_id[:2], 16) % 3}"

    def demands(self, read: Read, records: list[Record]) -> list[Record]:
        """Return the demand readings that stand on the bill beside the usage."""
        if not read.demand:
            return []
        found = [_demand(read.demand, "PEAK", "Billed demand", records[0])]
        if self.periods:  # large customers have a capacity in their contract
            usual = round(10 * _CONTRACT * 1.3 * self.meter.per_day / self.meter.kind.hours, -2)
            found.append(_demand(int(usual), "CONTRACT", "Contract capacity", records[0]))
        return found


def _demand(tenths: int, kind: str, text: str, record: Record) -> Record:
    return {
        "startDate": record["startDate"],
        "endDate": record["endDate"],
        "isEstimated": record["isEstimated"],
        "demandUsage": decimal(tenths, 1),
        "demandUsageUnits": "kW",
        "description": text,
        "demandType": kind,
        "usageDataIds": [record["id"]],
    }


def _template(meter: Meter, account: Account) -> Record:
    """Return what all usage records of a meter have in common."""
    record, kind = meter.record, meter.kind
    login = account.connection
    return {
        "id": "", "created": "", "updated": "", "company": account.company["id"],
        "connection": login["id"] if login else None, "document": "", "site": record["site"],
        "meter": record["id"], "startDate": "", "endDate": "", "usage": "", "usageUnits": kind.unit,
        "meterAddress": record["address"], "serviceAddress": record["address"],
        "meterIsTracked": record["isTracked"], "identifiers": record["identifiers"],
        "datasourceType": kind.commodity, "isEstimated": False, "isImplied": False,
        "exclusion": meter.exclusion, "currentReading": None, "previousReading": None,
        "multiplier": str(kind.multiplier), "multiplierDescription": None, "multiplier2": None,
        "multiplier2Description": None, "fractionRenewable": None, "netMeteringGeneratedKwh": None,
        "netMeteringGridImportKwh": None, "netMeteringGridExportKwh": None, "tariff": meter.tariff.name,
        "billedDemand": None, "supplierName": account.provider.supplier, "utilityName": account.provider.name,
        "country": login["country"] if login else "US", "timeOfUse": None,
        **{name: record[name] for name in SUBTYPES}, **kind.subtype,
        "additionalFields": {}, "timeOfUseBreakdown": [],
    }  # fmt: skip

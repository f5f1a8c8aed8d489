"""The bills of one account: usage records, demand readings, line items and the bill around them.

Each number depends on the seed, the account or meter and the month alone, so that a longer history, a later
day or one more site changes no bill that was there before. Dates come from `schedule`, prices from `charges`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.seeds.basics import decimal, make_id, share_out
from nectar_notebooks.sandbox.seeds.charges import Charged, lines_of, plain_line
from nectar_notebooks.sandbox.seeds.schedule import Period, Window, periods
from nectar_notebooks.sandbox.seeds.weather import weight

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.seeds.structure import Account, Meter
    from nectar_notebooks.sandbox.world import Record

__all__ = ["Billed", "bill_account"]


@dataclass(slots=True)
class Billed:
    """What an account's bills add to the world, and the defects planted among them."""

    documents: list[Record] = field(default_factory=list)
    usage: list[Record] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Read:
    """What one meter used in one period."""

    meter: Meter
    usage: int
    by_time: list[int]
    demand: int
    days: list[tuple[date, date, int]]  # start, end, usage of each record


class _Biller:
    def __init__(self, account: Account, window: Window) -> None:
        self.account = account
        self.window = window
        self.seed = window.seed
        self.out = Billed()
        self.accounts = [account.record["id"]] if account.connection is not None else []
        self.connection = account.connection["id"] if account.connection is not None else None
        self.balance: int | None = None
        self.registers = {
            meter.key: 1_000 + 37 * len(meter.key) * account.read_day for meter in account.meters
        }
        self.templates = {meter.key: self._template(meter) for meter in account.meters}

    def _template(self, meter: Meter) -> Record:
        record, kind = meter.record, meter.kind
        subtype = {name: record[name] for name in _SUBTYPES}
        subtype.update(kind.subtype)
        return {
            "id": "", "created": "", "updated": "", "company": self.account.company["id"],
            "connection": self.connection, "document": "", "site": record["site"], "meter": record["id"],
            "startDate": "", "endDate": "", "usage": "", "usageUnits": kind.unit,
            "meterAddress": record["address"], "serviceAddress": record["address"],
            "meterIsTracked": record["isTracked"], "identifiers": record["identifiers"],
            "datasourceType": kind.commodity, "isEstimated": False, "isImplied": False,
            "exclusion": meter.exclusion, "currentReading": None, "previousReading": None,
            "multiplier": str(kind.multiplier), "multiplierDescription": None, "multiplier2": None,
            "multiplier2Description": None, "fractionRenewable": None, "netMeteringGeneratedKwh": None,
            "netMeteringGridImportKwh": None, "netMeteringGridExportKwh": None, "tariff": meter.tariff.name,
            "billedDemand": None, "supplierName": self.account.provider.supplier,
            "utilityName": self.account.provider.name,
            "country": self.account.connection["country"] if self.account.connection else "US",
            "timeOfUse": None, **subtype, "additionalFields": {}, "timeOfUseBreakdown": [],
        }  # fmt: skip

    def planted(self, kind: str, period: Period, run: int = 1) -> bool:
        back = self.account.planted.get(kind)
        return back is not None and back <= period.back < back + run

    def read(self, meter: Meter, period: Period, start: date) -> _Read:
        kind = meter.kind
        luck = blake2b(f"{self.seed}/{meter.luck}/{period.month}".encode(), digest_size=8).digest()
        weighed = weight(self.seed, meter.climate, kind.shape, start, period.end, self.window.years)
        value = meter.per_day * weighed * (1 + 0.03 * (luck[0] / 127.5 - 1)) * 10**kind.places
        if self.planted("usage_spike", period):
            value *= 2.6
        usage = max(1, round(value / kind.multiplier)) * kind.multiplier
        if kind.commodity == "WASTE":
            return self._pickups(meter, period, start, luck)
        if kind.commodity == "FUEL":
            day = date(period.end.year, period.end.month, 6 + luck[1] % 5)
            return _Read(meter, usage, [], 0, [(day, day, usage)])
        parts: list[int] = []
        if any(step.how == "tou" for step in meter.tariff.steps):
            tilt = tuple(share + luck[2 + place] % 3 for place, share in enumerate(meter.shares))
            parts = share_out(usage, tilt)
        demand = 0
        if kind.hours:
            days = (period.end - start).days + 1
            demand = round(10 * usage / (days * kind.hours) * (1 + 0.05 * (luck[5] / 127.5 - 1)))
        return _Read(meter, usage, parts, demand, [(start, period.end, usage)])

    def _pickups(self, meter: Meter, period: Period, start: date, luck: bytes) -> _Read:
        """Every second week a truck: one record a day of pickup, in whole yards."""
        weekday = len(meter.key) % 5
        first = start + timedelta(days=(weekday - start.weekday()) % 7)
        if (first.toordinal() // 7) % 2:
            first += timedelta(days=7)
        days = []
        while first <= period.end:
            size = max(2, round(meter.per_day * 14)) + (luck[(first.day // 7) % 8] % 3) - 1
            days.append((first, first, size))
            first += timedelta(days=14)
        return _Read(meter, sum(size for *_, size in days), [], 0, days)

    def records(self, read: _Read, period: Period, bill: str, stamp: str, estimated: bool) -> list[Record]:
        meter = read.meter
        found = []
        for start, end, usage in read.days:
            record = self.templates[meter.key].copy()
            record["id"] = make_id(self.seed, "usage", bill, meter.key, start)
            record["created"] = record["updated"] = stamp
            record["document"] = bill
            record["startDate"], record["endDate"] = start.isoformat(), end.isoformat()
            record["usage"] = decimal(usage, meter.kind.places)
            if meter.kind.commodity in ("ELECTRICITY", "GAS", "WATER", "SOLAR"):
                before = self.registers[meter.key]
                after = before + usage // meter.kind.multiplier
                self.registers[meter.key] = after
                record["previousReading"] = decimal(before, meter.kind.places)
                record["currentReading"] = decimal(after, meter.kind.places)
            if estimated:
                record["isEstimated"] = True
            if read.demand:
                record["billedDemand"] = decimal(read.demand, 1)
            if read.by_time:
                names = next(step.parts for step in meter.tariff.steps if step.how == "tou")
                record["timeOfUseBreakdown"] = [
                    {"timeOfUse": name, "usage": decimal(part, meter.kind.places),
                     "usageUnits": meter.kind.unit, "description": str(name).replace("_", "-").capitalize(),
                     "startDate": record["startDate"], "endDate": record["endDate"]}
                    for (name, _), part in zip(names, read.by_time, strict=True)
                ]  # fmt: skip
            found.append(record)
        return found

    def lines(self, reads: list[_Read], period: Period, start: date) -> tuple[list[Record], int, int]:
        groups: dict[str, list[_Read]] = {}
        for read in reads:
            groups.setdefault(read.meter.tariff.name, []).append(read)
        lines: list[Record] = []
        total = taxes = 0
        for group in groups.values():
            kind, tariff = group[0].meter.kind, group[0].meter.tariff
            used = Charged(
                commodity=kind.commodity, unit=kind.unit, places=kind.places,
                usage=sum(read.usage for read in group), meters=len(group),
                days=(period.end - start).days + 1, months=self.account.provider.months, month=period.month,
                by_time=tuple(map(sum, zip(*(read.by_time for read in group), strict=True))),
                demands=tuple(read.demand for read in group), pickups=sum(len(read.days) for read in group),
            )  # fmt: skip
            more, cents, tax = lines_of(self.seed, self.account.provider.name, tariff, used, self.accounts)
            lines += more
            total += cents
            taxes += tax
        return lines, total, taxes

    def bill(self, period: Period) -> None:
        if self.account.meters[0].kind.commodity == "FUEL" and 4 <= period.month % 12 <= 8:
            return  # no deliveries from May to September
        start = period.start - timedelta(days=4) if self.planted("overlap", period) else period.start
        bill = make_id(self.seed, "bill", self.account.key, period.month)
        stamp = period.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        reads = [self.read(meter, period, start) for meter in self.account.meters]
        estimated = self.planted("estimated_run", period, run=3)
        usage = [row for read in reads for row in self.records(read, period, bill, stamp, estimated)]
        self._net(reads, usage)
        lines, current, taxes = self.lines(reads, period, start)
        extra, current = self._extras(period, bill, current)
        document = self._document(period, bill, stamp, start)
        document["lineItems"] = lines + extra
        document["demandMeters"] = [
            _demand(read, row) for read, row in zip(reads, usage, strict=False) if read.demand
        ]
        self._totals(document, current, taxes)
        self._place(period, document, usage, reads)

    def _net(self, reads: list[_Read], usage: list[Record]) -> None:
        """Write the flows of a net-metered service on its import record."""
        flows = {row["netMeteringType"]: row for row in usage if row["netMeteringType"]}
        if len(flows) == 2:
            out = next(read.usage for read in reads if read.meter.record["netMeteringType"] == "EXPORT")
            flows["IMPORT"]["netMeteringGridImportKwh"] = flows["IMPORT"]["usage"]
            flows["IMPORT"]["netMeteringGridExportKwh"] = flows["EXPORT"]["usage"]
            flows["IMPORT"]["netMeteringGeneratedKwh"] = str(out * 17 // 10)

    def _extras(self, period: Period, bill: str, current: int) -> tuple[list[Record], int]:
        """Return the planted lines of a bill and its new current charges."""
        extra: list[Record] = []
        found = self.out.planted
        if self.planted("late_fee", period) and self.balance:
            fee = max(1_200, self.balance * 3 // 200)
            extra.append(plain_line("Previous balance", self.balance, "OTHER", self.accounts, "PREVIOUS"))
            extra.append(plain_line("Late payment charge", fee, "LATE_FEE", self.accounts))
            current += fee
            found["late_fee"].append(bill)
            found["previous_balance"].append(bill)
        if self.planted("credit", period):
            extra.append(plain_line("Service interruption credit", -25_000, "CREDIT", self.accounts))
            current -= 25_000
            found["credit"].append(bill)
        if self.planted("zero_cost", period):
            extra.append(plain_line("Billing correction, period waived", -current, "CREDIT", self.accounts))
            current = 0
            found["zero_cost"].append(bill)
        return extra, current

    def _document(self, period: Period, bill: str, stamp: str, start: date) -> Record:
        account = self.account
        issued = period.end + timedelta(days=1 + period.luck[1] % 2)
        number = int.from_bytes(period.luck[2:6], "big") % 10**8
        slug = "".join(c if c.isalnum() else "-" for c in account.provider.name.lower())
        uploaded = account.connection is None
        return {
            "id": bill, "created": stamp, "updated": stamp, "company": account.company["id"],
            "connection": self.connection, "url": f"https://files.nectarclimate.example/bills/{bill}.pdf",
            "auditTrailUrl": f"https://dash.nectarclimate.example/bills/{bill}/audit",
            "fileName": f"{slug}-{period.end.isoformat()}.pdf", "email": None,
            "jobId": make_id(self.seed, "job", bill) if uploaded else None, "notes": "",
            "sourceType": "INVOICE", "invoiceId": f"{number:08d}", "utilityCompany": account.provider.name,
            "billDate": issued.isoformat(), "startDate": start.isoformat(),
            "dueDate": (issued + timedelta(days=21)).isoformat(), "chargesUnits": account.provider.currency,
            "totalCharges": "", "currentCharges": "", "previousCloseBalance": None,
            "afterPreviousTotalPayment": None, "afterPreviousCharges": "0.00", "afterPreviousCredits": "0.00",
            "currentOpenBalance": "", "credits": "", "taxCharges": "", "interestCharges": "",
            "status": "COMPLETED", "isFlagged": False, "flaggedStatus": None, "revisedDocumentId": None,
            "lineItems": [], "demandMeters": [], "isDeleted": False,
        }  # fmt: skip

    def _totals(self, document: Record, current: int, taxes: int) -> None:
        lines = document["lineItems"]
        previous = sum(_cents(line) for line in lines if line["billingPeriod"] == "PREVIOUS")
        if self.balance is not None:
            document["previousCloseBalance"] = decimal(self.balance, 2)
            document["afterPreviousTotalPayment"] = decimal(self.balance - previous, 2)
        total = current + previous
        document["currentCharges"] = decimal(current, 2)
        document["totalCharges"] = document["currentOpenBalance"] = decimal(total, 2)
        document["taxCharges"] = decimal(taxes, 2)
        for name, charge in (("credits", "CREDIT"), ("interestCharges", "LATE_FEE")):
            document[name] = decimal(sum(_cents(line) for line in lines if line["chargeType"] == charge), 2)
        self.balance = total

    def _place(self, period: Period, document: Record, usage: list[Record], reads: list[_Read]) -> None:
        """Add the bill to the world in the way its defect asks for."""
        found, bill = self.out.planted, document["id"]
        if self.planted("gap", period):
            found["gap"].append(self.account.meters[0].record["id"])
            return
        if self.planted("account_level_usage", period):
            for row in usage:
                row.update(meter=None, site=None, meterAddress=None, meterIsTracked=None, identifiers=[])
                found["account_level_usage"].append(row["id"])
        if self.planted("flagged", period):
            document.update(isFlagged=True, flaggedStatus="NEEDS_REVIEW")
            found["flagged"].append(bill)
        if self.planted("overlap", period):
            found["overlap"].append(usage[0]["id"])
        if self.planted("usage_spike", period):
            found["usage_spike"].append(usage[0]["id"])
        if self.planted("estimated_run", period, run=3):
            found["estimated_run"].extend(row["id"] for row in usage)
        if self.account.connection is None:
            found["uploaded"].append(bill)
        self.out.documents.append(document)
        self.out.usage += usage
        if self.planted("deleted", period):
            self._deleted(document)
        if self.planted("revised", period):
            self._superseded(period, document, usage)

    def _deleted(self, document: Record) -> None:
        """A copy that somebody uploaded by mistake and deleted; its usage went with it."""
        bill = make_id(self.seed, "deleted", document["id"])
        self.out.documents.append(
            {**document, "id": bill, "url": document["url"].replace(document["id"], bill),
             "auditTrailUrl": document["auditTrailUrl"].replace(document["id"], bill), "demandMeters": [],
             "fileName": f"copy-of-{document['fileName']}", "isDeleted": True}
        )  # fmt: skip
        self.out.planted["deleted"].append(bill)

    def _superseded(self, period: Period, document: Record, usage: list[Record]) -> None:
        """The first version of a bill that its provider read too high and replaced twelve days later."""
        old = make_id(self.seed, "superseded", document["id"])
        stamp = document["created"]
        reads = []
        for read in (self.read(meter, period, period.start) for meter in self.account.meters):
            unit = read.meter.kind.multiplier
            value = read.usage * 117 // (100 * unit) * unit
            parts = share_out(value, tuple(read.by_time)) if read.by_time else []
            reads.append(_Read(read.meter, value, parts, read.demand, [(period.start, period.end, value)]))
        registers = dict(self.registers)
        for row, read in zip(usage, reads, strict=True):
            self.registers[read.meter.key] = int(row["previousReading"].replace(".", ""))
        rows = [row for read in reads for row in self.records(read, period, old, stamp, estimated=False)]
        self.registers = registers
        lines, current, taxes = self.lines(reads, period, period.start)
        first = {**document, "id": old, "url": document["url"].replace(document["id"], old),
                 "auditTrailUrl": document["auditTrailUrl"].replace(document["id"], old),
                 "revisedDocumentId": document["id"], "lineItems": lines,
                 "demandMeters": [_demand(read, row) for read, row in zip(reads, rows, strict=True) if read.demand],
                 "fileName": document["fileName"].replace(".pdf", "-superseded.pdf")}  # fmt: skip
        balance, self.balance = self.balance, None
        self._totals(first, current, taxes)
        self.balance = balance
        later = (datetime.fromisoformat(stamp) + timedelta(days=12)).strftime("%Y-%m-%dT%H:%M:%SZ")
        issued = date.fromisoformat(document["billDate"]) + timedelta(days=11)
        document.update(created=later, updated=later, billDate=issued.isoformat(),
                        invoiceId=f"{document['invoiceId']}-R", dueDate=(issued + timedelta(days=21)).isoformat(),
                        fileName=document["fileName"].replace(".pdf", "-revised.pdf"))  # fmt: skip
        first["updated"] = later
        for row in usage:
            row["created"] = row["updated"] = later
        self.out.documents.insert(-1, first)
        self.out.usage[-len(usage) : -len(usage)] = rows
        self.out.planted["revised"].append(old)


def _cents(line: Record) -> int:
    return int(line["totalCharge"].replace(".", ""))


def _demand(read: _Read, row: Record) -> Record:
    return {
        "startDate": row["startDate"],
        "endDate": row["endDate"],
        "isEstimated": row["isEstimated"],
        "demandUsage": decimal(read.demand, 1),
        "demandUsageUnits": "kW",
        "description": "Billed demand",
        "demandType": "PEAK",
        "usageDataIds": [row["id"]],
    }


_SUBTYPES = (
    "electricityType", "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType", "districtType",
    "districtMediumType", "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
)  # fmt: skip


def bill_account(account: Account, window: Window) -> Billed:
    """Return the bills of one account, oldest first."""
    biller = _Biller(account, window)
    if account.meters:
        for period in periods(account, window):
            biller.bill(period)
    return biller.out

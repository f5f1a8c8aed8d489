"""The bills of one account: what its meters used, charged line by line, with balances and planted defects.

Each number depends on the seed, the account or meter and the month alone, so that a longer history, a later
day or one more site changes no bill that was there before. Dates come from `schedule`, usage from `reading`,
prices from `charges`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.model import FILES
from nectar_notebooks.sandbox.sources.demo.basics import decimal, make_id, share_out
from nectar_notebooks.sandbox.sources.demo.charges import Charged, lines_of, plain_line
from nectar_notebooks.sandbox.sources.demo.reading import Read, Reader
from nectar_notebooks.sandbox.sources.demo.schedule import Period, Window, periods

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.model import Record
    from nectar_notebooks.sandbox.sources.demo.structure import Account

__all__ = ["Billed", "bill_account"]


@dataclass(slots=True)
class Billed:
    """What an account's bills add to the world, and the defects planted among them."""

    documents: list[Record] = field(default_factory=list)
    usage: list[Record] = field(default_factory=list)
    planted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class _Biller:
    def __init__(self, account: Account, window: Window) -> None:
        self.account = account
        self.window = window
        self.out = Billed()
        self.readers = [Reader(meter, account, window) for meter in account.meters]
        uploaded = account.connection is None
        self.accounts = [] if uploaded else [account.record["id"]]
        self.slug = "-".join(account.provider.name.lower().replace("&", "and").split())
        self.balance: int | None = None

    def planted(self, kind: str, period: Period, run: int = 1) -> bool:
        """Say whether this is the bill (or one of a run) on which a defect is planted."""
        back = self.account.planted.get(kind) if self.account.planted else None
        return back is not None and back <= period.back < back + run

    def bill(self, period: Period) -> None:
        """Add the bill of one period."""
        start = period.start - timedelta(days=4) if self.planted("overlap", period) else period.start
        bill = make_id(self.window.seed, "bill", self.account.key, period.month)
        factor = 2.6 if self.planted("usage_spike", period) else 1.0
        reads = [reader.read(period, start, factor) for reader in self.readers]
        document = self._document(period, bill, start)
        estimated = self.planted("estimated_run", period, run=3)
        usage, taxes = self._fill(document, reads, period, start, estimated)
        self._extras(period, document)
        self._totals(document, taxes)
        self._place(period, document, usage)

    def _fill(
        self, document: Record, reads: list[Read], period: Period, start: date, estimated: bool
    ) -> tuple[list[Record], int]:
        """Put lines and demand readings on a bill; return its usage records and the taxes in cents."""
        usage: list[Record] = []
        for reader, read in zip(self.readers, reads, strict=True):
            rows = reader.records(read, document["id"], document["created"], estimated)
            document["demandMeters"] += reader.demands(read, rows)
            usage += rows
        _net(usage)
        by_tariff: dict[str, list[tuple[Reader, Read]]] = {}
        for reader, read in zip(self.readers, reads, strict=True):
            by_tariff.setdefault(reader.meter.tariff.name, []).append((reader, read))
        taxes = 0
        for group in by_tariff.values():
            kind, tariff = group[0][0].meter.kind, group[0][0].meter.tariff
            parts = [read for _, read in group]
            used = Charged(
                commodity=kind.commodity, unit=kind.unit, places=kind.places,
                usage=sum(read.usage for read in parts), meters=len(parts),
                days=(period.end - start).days + 1, months=self.account.provider.months, month=period.month,
                by_time=tuple(map(sum, zip(*(read.by_time for read in parts), strict=True))),
                demands=tuple(read.demand for read in parts), pickups=sum(len(read.days) for read in parts),
            )  # fmt: skip
            lines, tax = lines_of(self.window.seed, self.account.provider.name, tariff, used, self.accounts)
            document["lineItems"] += lines
            taxes += tax
        return usage, taxes

    def _extras(self, period: Period, document: Record) -> None:
        """Add the lines of planted defects."""
        lines, accounts = document["lineItems"], self.accounts
        if self.planted("late_fee", period) and self.balance:
            fee = max(1_200, self.balance * 3 // 200)
            lines.append(plain_line("Previous balance", self.balance, "OTHER", accounts, "PREVIOUS"))
            lines.append(plain_line("Late payment charge", fee, "LATE_FEE", accounts))
            self.out.planted["previous_balance"].append(document["id"])
        if self.planted("credit", period):
            lines.append(plain_line("Service interruption credit", -25_000, "CREDIT", accounts))
        if self.planted("zero_cost", period):
            lines.append(plain_line("Billing correction, period waived", -_sums(lines)["CURRENT"], "CREDIT", accounts))
        for kind in ("late_fee", "credit", "zero_cost"):
            if self.planted(kind, period):
                self.out.planted[kind].append(document["id"])

    def _document(self, period: Period, bill: str, start: date) -> Record:
        account = self.account
        issued = period.end + timedelta(days=1 + period.luck[1] % 2)
        number = int.from_bytes(period.luck[2:6], "big") % 10**8
        stamp = period.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        login = account.connection
        return {
            "id": bill, "created": stamp, "updated": stamp, "company": account.company["id"],
            "connection": login["id"] if login else None,
            "url": f"{FILES}/bills/{bill}.pdf",
            "auditTrailUrl": f"https://dash.nectarclimate.example/bills/{bill}/audit",
            "fileName": f"{self.slug}-{period.end.isoformat()}.pdf", "email": None,
            "jobId": None if login else make_id(self.window.seed, "job", bill), "notes": "",
            "sourceType": "INVOICE", "invoiceId": f"{number:08d}", "utilityCompany": account.provider.name,
            "billDate": issued.isoformat(), "startDate": start.isoformat(),
            "dueDate": (issued + timedelta(days=21)).isoformat(), "chargesUnits": account.provider.currency,
            "totalCharges": "", "currentCharges": "", "previousCloseBalance": None,
            "afterPreviousTotalPayment": None, "afterPreviousCharges": "0.00", "afterPreviousCredits": "0.00",
            "currentOpenBalance": "", "credits": "", "taxCharges": "", "interestCharges": "",
            "status": "COMPLETED", "isFlagged": False, "flaggedStatus": None, "revisedDocumentId": None,
            "lineItems": [], "demandMeters": [], "isDeleted": False,
        }  # fmt: skip

    def _totals(self, document: Record, taxes: int) -> None:
        sums = _sums(document["lineItems"])
        current, previous = sums["CURRENT"], sums["PREVIOUS"]
        if self.balance is not None:
            document["previousCloseBalance"] = decimal(self.balance, 2)
            document["afterPreviousTotalPayment"] = decimal(self.balance - previous, 2)
        document["currentCharges"] = decimal(current, 2)
        document["totalCharges"] = document["currentOpenBalance"] = decimal(current + previous, 2)
        document["taxCharges"] = decimal(taxes, 2)
        document["credits"] = decimal(sums["CREDIT"], 2)
        document["interestCharges"] = decimal(sums["LATE_FEE"], 2)
        self.balance = current + previous

    def _place(self, period: Period, document: Record, usage: list[Record]) -> None:
        """Add the bill to the world, in the way its defect asks for."""
        found = self.out.planted
        if self.planted("gap", period):
            found["gap"].append(self.account.meters[0].record["id"])
            return
        if self.planted("account_level_usage", period):
            for row in usage:
                row.update(meter=None, site=None, meterAddress=None, meterIsTracked=None, identifiers=[])
            found["account_level_usage"] += [row["id"] for row in usage]
        if self.planted("flagged", period):
            document.update(isFlagged=True, flaggedStatus="NEEDS_REVIEW")
            found["flagged"].append(document["id"])
        for kind, run in (("overlap", 1), ("usage_spike", 1), ("estimated_run", 3)):
            if self.planted(kind, period, run):
                found[kind] += [row["id"] for row in usage]
        if self.account.connection is None:
            found["uploaded"].append(document["id"])
        if self.planted("revised", period):
            self._superseded(period, document, usage)
        self.out.documents.append(document)
        self.out.usage += usage
        if self.planted("deleted", period):
            self._deleted(document)

    def _deleted(self, document: Record) -> None:
        """Add a copy that somebody uploaded by mistake and deleted; its usage went with it."""
        bill = make_id(self.window.seed, "deleted", document["id"])
        copy = _renamed(document, bill, f"copy-of-{document['fileName']}")
        self.out.documents.append({**copy, "demandMeters": [], "isDeleted": True})
        self.out.planted["deleted"].append(bill)

    def _superseded(self, period: Period, document: Record, usage: list[Record]) -> None:
        """Add the first version of a bill: read too high, replaced twelve days later by `document`."""
        stamp = datetime.fromisoformat(document["created"]) + timedelta(days=12)
        later = stamp.strftime("%Y-%m-%dT%H:%M:%SZ")
        old = make_id(self.window.seed, "superseded", document["id"])
        name = document["fileName"].replace(".pdf", "-superseded.pdf")
        first = {**_renamed(document, old, name), "lineItems": [], "demandMeters": [], "updated": later}
        reads = [_raised(reader, reader.read(period, period.start)) for reader in self.readers]
        registers = [reader.register for reader in self.readers]
        for reader, row in zip(self.readers, usage, strict=True):
            reader.register = int(row["previousReading"].replace(".", ""))
        rows, taxes = self._fill(first, reads, period, period.start, estimated=False)
        for reader, register in zip(self.readers, registers, strict=True):
            reader.register = register
        balance, self.balance = self.balance, None
        self._totals(first, taxes)
        self.balance = balance
        first["revisedDocumentId"] = document["id"]
        issued = date.fromisoformat(document["billDate"]) + timedelta(days=11)
        document.update(
            created=later, updated=later, billDate=issued.isoformat(), invoiceId=f"{document['invoiceId']}-R",
            dueDate=(issued + timedelta(days=21)).isoformat(),
            fileName=document["fileName"].replace(".pdf", "-revised.pdf"),
        )  # fmt: skip
        for row in usage:
            row["created"] = row["updated"] = later
        self.out.documents.append(first)
        self.out.usage += rows
        self.out.planted["revised"].append(old)


def _renamed(document: Record, bill: str, name: str) -> Record:
    links = {key: document[key].replace(document["id"], bill) for key in ("url", "auditTrailUrl")}
    return {**document, "id": bill, "fileName": name, **links}


def _raised(reader: Reader, read: Read) -> Read:
    """Return a read that is a sixth too high."""
    unit = reader.meter.kind.multiplier
    usage = read.usage * 117 // (100 * unit) * unit
    parts = share_out(usage, tuple(read.by_time)) if read.by_time else []
    ((start, end, _),) = read.days
    return Read(usage, parts, read.demand, [(start, end, usage)])


def _net(usage: list[Record]) -> None:
    """Write the flows of a net-metered service on its import record."""
    flows = {row["netMeteringType"]: row for row in usage if row["netMeteringType"]}
    if len(flows) == 2:
        into, out = flows["IMPORT"], flows["EXPORT"]
        into["netMeteringGridImportKwh"] = into["usage"]
        into["netMeteringGridExportKwh"] = out["usage"]
        into["netMeteringGeneratedKwh"] = str(int(out["usage"]) * 17 // 10)


def _sums(lines: list[Record]) -> dict[str, int]:
    """Return cents by billing period, and those of credits and late fees."""
    sums = {"CURRENT": 0, "PREVIOUS": 0, "CREDIT": 0, "LATE_FEE": 0}
    for line in lines:
        cents = int(line["totalCharge"].replace(".", ""))
        sums[line["billingPeriod"]] += cents
        if line["chargeType"] in ("CREDIT", "LATE_FEE"):
            sums[line["chargeType"]] += cents
    return sums


def bill_account(account: Account, window: Window) -> Billed:
    """Return the bills of one account, oldest first."""
    biller = _Biller(account, window)
    if account.meters:
        summer_off = account.meters[0].kind.commodity == "FUEL"
        for period in periods(account, window):
            if not (summer_off and 5 <= period.end.month <= 9):
                biller.bill(period)
    return biller.out

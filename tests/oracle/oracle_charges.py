"""Attribution as the table of methodology.md words it: one line item after the other, in Decimal. Slow on purpose.

Imports nothing of the package. Reads plain dicts: items (`id`, `bill`, `amount`, `type`, `demand`, `previous`,
`meter`, `accounts`, `commodity`, `quantity`), usage (`id`, `bill`, `meter`, `usage`, `unit`, `export`), meters
(`id`, `account`, `commodity`), readings (`bill`, `demand`, `usage`: ids). The caller names each item's commodity.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from oracle_calendar import decimals, largest_remainder

FIXED = {"CUSTOMER", "FEE"}
SHARED = {"TAX", "CREDIT"}
FINANCE = {"LATE_FEE"}
ONE = Fraction(1)
#: How many kWh; the only conversions the oracle knows.
IN_KWH = {"kWh": ONE, "MWh": Fraction(1000)}


def by_usage(records: list[dict]) -> tuple[dict[str, Fraction], bool]:
    """Return the absolute usage of each import meter in one unit, and whether it can be compared."""
    records = [record for record in records if not record["export"]] or records
    if any(record["usage"] is None for record in records):
        return {record["meter"]: ONE for record in records}, False
    if len({record["unit"] for record in records}) > 1 and not all(r["unit"] in IN_KWH for r in records):
        return {record["meter"]: ONE for record in records}, False
    sums: dict[str, Fraction] = {}
    for record in records:
        value = Fraction(record["usage"]) * IN_KWH.get(record["unit"], ONE)
        sums[record["meter"]] = sums.get(record["meter"], Fraction(0)) + value
    return {meter: abs(value) for meter, value in sums.items()}, True


class Book:
    """The bills at hand and what was written down of them: (item, meter or None, amount, method)."""

    def __init__(self, items: list[dict], usage: list[dict], meters: list[dict], readings: list[dict], minor: int):
        self.items, self.usage, self.meters, self.readings = items, usage, meters, readings
        self.meter_of = {meter["id"]: meter for meter in meters}
        self.places: dict[str, int] = {}
        for item in items:
            self.places[item["bill"]] = max(self.places.get(item["bill"], minor), decimals(item["amount"]))
        self.out: list[tuple[str, str | None, Decimal, str]] = []

    def whole(self, item: dict, meter: str | None, method: str) -> None:
        self.out.append((item["id"], meter, item["amount"], method))

    def settle(self, item: dict, weights: dict[str, Fraction], method: str) -> None:
        chosen = sorted(weights)
        shares = [weights[meter] for meter in chosen]
        if sum(shares) == 0:
            shares, method = [ONE] * len(chosen), "equal"
        parts = largest_remainder(item["amount"], shares, self.places[item["bill"]])
        self.out.extend((item["id"], meter, part, method) for meter, part in zip(chosen, parts, strict=True))

    def own(self, item: dict, meter: str) -> bool:
        return not item["accounts"] or self.meter_of[meter]["account"] in item["accounts"]

    def on_bill(self, item: dict) -> list[dict]:
        return [row for row in self.usage if row["bill"] == item["bill"] and self.own(item, row["meter"])]

    def energy(self, item: dict) -> None:
        wanted = item["commodity"]
        records = [r for r in self.on_bill(item) if wanted in (None, self.meter_of[r["meter"]]["commodity"])]
        if not records:
            self.whole(item, None, "unattributed")
            return
        weights, comparable = by_usage(records)
        self.settle(item, weights, "usage" if comparable else "equal")

    def demand(self, item: dict) -> None:
        here = [reading for reading in self.readings if reading["bill"] == item["bill"]]
        matching = [reading for reading in here if reading["demand"] == item["quantity"]]
        ids = {record for reading in matching or here for record in reading["usage"]}
        named = [record for record in self.usage if record["id"] in ids]
        records = [record for record in named if self.own(item, record["meter"])]
        if here and not named:
            self.whole(item, None, "unattributed")
        elif not records:
            self.energy(item)
        else:
            weights, comparable = by_usage(records)
            self.settle(item, weights, "demand" if comparable else "equal")

    def fixed(self, item: dict) -> None:
        meters = {meter["id"] for meter in self.meters if meter["account"] in item["accounts"]}
        if not item["accounts"]:
            meters = {record["meter"] for record in self.on_bill(item)}
        if meters:
            self.settle(item, dict.fromkeys(meters, ONE), "equal")
        else:
            self.whole(item, None, "unattributed")

    def shared(self, item: dict, given: list[tuple[str, str | None, Decimal, str]]) -> None:
        bill_of = {other["id"]: other["bill"] for other in self.items}
        base: dict[str, Fraction] = {}
        for other, meter, amount, _ in given:
            if meter is not None and bill_of[other] == item["bill"] and self.own(item, meter):
                base[meter] = base.get(meter, Fraction(0)) + Fraction(amount)
        base = {meter: abs(amount) for meter, amount in base.items() if amount}
        if base:
            self.settle(item, base, "proportional")
        else:
            self.energy(item)


def attribute(items: list[dict], usage: list[dict], meters: list[dict], readings: list[dict], minor: int = 2) -> list:
    """Return (item id, meter id or None, amount, method) of every part."""
    book = Book(items, usage, meters, readings, minor)
    later = []
    for item in items:
        if item["type"] in FINANCE or item["previous"]:
            book.whole(item, None, "finance")
        elif item["meter"] is not None:
            book.whole(item, item["meter"], "meter")
        elif item["type"] in SHARED:
            later.append(item)
        elif item["demand"]:
            book.demand(item)
        elif item["type"] in FIXED:
            book.fixed(item)
        else:
            book.energy(item)
    given = list(book.out)
    for item in later:
        book.shared(item, given)
    return book.out

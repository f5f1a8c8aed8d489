"""Calendarization as methodology.md words it: day by day, in exact fractions. Slow on purpose.

Imports nothing of the package. A record is a dict: `series` (any tuple), `bill`, `start`, `end` (dates; the end
may be None), `usage` and `cost` (Decimal or None), `currency`, `minor` (decimals of the currency).
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

DAY = timedelta(days=1)
HALF = Fraction(1, 2)


def decimals(amount: Decimal) -> int:
    """Return how many decimals an amount is written with, at most four."""
    exponent = amount.normalize().as_tuple().exponent
    return min(max(-exponent, 0), 4)


def largest_remainder(amount: Decimal, weights: list[Fraction], places: int) -> list[Decimal]:
    """Split an amount: whole units each, what is left to the largest remainders, the earlier of equals first."""
    units = int(abs(amount).scaleb(places).to_integral_value())
    total = sum(weights)
    exact = [units * weight / total for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda i: (-(exact[i] - parts[i]), i))
    for i in order[: units - sum(parts)]:
        parts[i] += 1
    sign = -1 if amount < 0 else 1
    return [sign * Decimal(part).scaleb(-places) for part in parts]


def slots(start: date, end: date | None, convention: str, cut_last: bool = False) -> dict[tuple[date, int], Fraction]:
    """Return the half days (day, 0 or 1) that a period counts, each with its weight of half a day."""
    end = start if end is None else end
    if start == end:
        days = {start: (0, 1)}
    elif convention == "midday":
        days = {start + i * DAY: (0, 1) for i in range(1, (end - start).days)}
        days[start] = (1,)
        days[end] = (0,)
    else:
        last = end if convention == "inclusive" else end - DAY
        if cut_last:
            last -= DAY
        days = {start + i * DAY: (0, 1) for i in range((last - start).days + 1)}
    return {(day, half): HALF for day in sorted(days) for half in days[day]}


def month_of(day: date) -> date:
    return day.replace(day=1)


def calendarize(records: list[dict], convention: str = "inclusive", shared_day: str = "keep") -> dict:
    """Return {(series, month): {...}} of what each month of each series holds."""
    finest: dict[object, int] = defaultdict(int)
    for number, record in enumerate(records):
        bill = record["bill"] if record["bill"] is not None else ("alone", number)
        needs = decimals(record["cost"]) if record["cost"] is not None else 0
        pocket = (bill, record["currency"])  # currencies of one bill are never mixed
        finest[pocket] = max(finest[pocket], needs, record["minor"])
    out: dict = {}
    covered: dict = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for number, record in enumerate(records):
        bill = record["bill"] if record["bill"] is not None else ("alone", number)
        start, end = record["start"], record["end"] if record["end"] is not None else record["start"]
        assert end >= start
        shared = (
            shared_day == "later"
            and convention == "inclusive"
            and end > start
            and any(other["series"] == record["series"] and other["start"] == end for other in records)
        )
        counted = slots(start, end, convention, cut_last=shared)
        whole = sum(counted.values())
        by_month: dict[date, Fraction] = defaultdict(Fraction)
        for (day, half), weight in counted.items():
            by_month[month_of(day)] += weight
            if record["usage"] is not None:
                covered[record["series"]][day, half][record.get("export", False)] += 1
        months = sorted(by_month)
        costs: list[Decimal | None] = [None] * len(months)
        if record["cost"] is not None:
            costs = list(
                largest_remainder(
                    record["cost"], [by_month[month] for month in months], finest[bill, record["currency"]]
                )
            )
        for month, cost in zip(months, costs, strict=True):
            cell = out.setdefault(
                (record["series"], month), {"usage": None, "cost": None, "bills": set(), "covered": 0, "overlapped": 0}
            )
            cell["bills"].add(bill)
            if record["usage"] is not None:
                piece = Fraction(record["usage"]) * by_month[month] / whole
                cell["usage"] = piece if cell["usage"] is None else cell["usage"] + piece
            if cost is not None:
                cell["cost"] = cost if cell["cost"] is None else cell["cost"] + cost
    for (series, month), cell in out.items():
        times = {slot: n for slot, n in covered[series].items() if month_of(slot[0]) == month}
        cell["covered"] = len(times) * HALF
        # what flows in and out on one day is no day counted twice
        cell["overlapped"] = sum(1 for ways in times.values() if max(ways.values()) > 1) * HALF
        cell["bills"] = len(cell["bills"])
        cell["in_month"] = calendar.monthrange(month.year, month.month)[1]
    return out

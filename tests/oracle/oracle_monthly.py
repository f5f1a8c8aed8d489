"""What `monthly` should say, as methodology.md words it: one record and one charge after the other. Slow on purpose.

Imports nothing of the package. A book is a dict of lists of dicts: `sites` (`id`, `percent`), `connections` (`id`,
`asks`), `accounts` (`id`, `connection`, `status`, `tracking`, `duplicate`), `meters` (`id`, `site`, `account`,
`commodity`), `bills` (`id`, `heir`, `flagged`, `charges`, `currency`, `accounts`, `start`, `date`), and `usage`,
`items` and `readings` as in `oracle_charges`; usage has `start`, `end` and `exclusion` besides.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import oracle_calendar
import oracle_charges


def silent_accounts(book: dict) -> set[str]:
    """Return the accounts that are known not to count."""
    return {
        account["id"]
        for account in book["accounts"]
        if account["status"] in ("DETECTED", "CUSTOMER_NOT_TRACKED")
        or account["tracking"] == "DISABLED"
        or account["duplicate"]
    }


def counting(book: dict, flagged: bool) -> tuple[set[str], list[dict], list[dict]]:
    """Return the bills, usage records and line items that count."""
    silent = silent_accounts(book)

    def none_counts(accounts: list[str]) -> bool:
        return bool(accounts) and all(account in silent for account in accounts)

    bills = {
        bill["id"]
        for bill in book["bills"]
        if bill["heir"] is None and (flagged or not bill["flagged"]) and not none_counts(bill["accounts"])
    }
    account_of = {meter["id"]: meter["account"] for meter in book["meters"]}
    usage = [row for row in book["usage"] if row["bill"] in bills and account_of[row["meter"]] not in silent]
    items = [row for row in book["items"] if row["bill"] in bills and not none_counts(row["accounts"])]
    return bills, usage, items


def occupied(book: dict, meter: str, occupancy: str) -> Decimal:
    """Return the share of a meter's usage, and of its charges, that belongs to the company."""
    known = {row["id"]: row for row in book["meters"]}
    percent = {row["id"]: row["percent"] for row in book["sites"]}[known[meter]["site"]]
    asks = {row["id"] for row in book["connections"] if row["asks"]}
    asking = {row["id"] for row in book["accounts"] if row["connection"] in asks}
    if occupancy == "disabled" or percent is None:
        return Decimal(1)
    if occupancy == "connection" and known[meter]["account"] not in asking:
        return Decimal(1)
    return percent / 100


def worths(book: dict, usage: list[dict], exclusions: str, occupancy: str, net_metering: str) -> list[dict]:
    """Return the records that count with what they are worth as their usage."""
    out = []
    for row in usage:
        value = row["usage"]
        if row["exclusion"] and exclusions == "drop":
            continue
        if value is not None:
            if net_metering == "net" and row["export"]:
                value = -abs(value)
            if row["exclusion"]:
                value = -value
            value *= occupied(book, row["meter"], occupancy)
        out.append({**row, "usage": value})
    return out


def monthly(
    book: dict,
    convention: str = "inclusive",
    shared_day: str = "keep",
    exclusions: str = "subtract",
    occupancy: str = "disabled",
    net_metering: str = "net",
    flagged: bool = True,
    scale_charges: bool = False,
) -> tuple[dict, dict, int]:
    """Return usage cells {(meter, unit, month): cell}, money {(kind, meter, currency, month): amount}, records out."""
    bills, usage, items = counting(book, flagged)
    worth = worths(book, usage, exclusions, occupancy, net_metering)
    forward = [row for row in worth if row["end"] is None or row["end"] >= row["start"]]
    records = [
        {
            "series": (row["meter"], row["unit"]),
            "bill": row["bill"],
            "start": row["start"],
            "end": row["end"],
            "usage": row["usage"],
            "export": row["export"],
            "cost": None,
            "currency": None,
            "minor": 0,
        }
        for row in forward
    ]
    cells = oracle_calendar.calendarize(records, convention, shared_day)
    used = {(*series, month): cell for (series, month), cell in cells.items()}

    parts = oracle_charges.attribute(items, worth, book["meters"], book["readings"])
    about = {row["id"]: row for row in book["bills"]}
    bill_of = {row["id"]: row["bill"] for row in items}
    charges = []
    for item, meter, amount, method in parts:
        kind = method if method in ("finance", "unattributed") else "attributed"
        charges.append((kind, bill_of[item], meter, amount))
    for bill in sorted(bills):
        charged = about[bill]["charges"]
        lines = [row["amount"] for row in book["items"] if row["bill"] == bill and not row["previous"]]
        if charged is not None and charged != sum(lines):
            charges.append(("residual", bill, None, charged - sum(lines)))
    spread = []
    for kind, bill, meter, amount in charges:
        start, end = period(book, forward, bill, meter)
        whole = {"bill": bill, "start": start, "end": end, "currency": about[bill]["currency"]}
        if scale_charges and kind == "attributed":
            share = occupied(book, meter, occupancy)
            places = max(oracle_calendar.decimals(amount), 2)
            kept = (amount * share).quantize(Decimal(1).scaleb(-places))  # half to even, once
            spread.append(("attributed", meter, kept, whole))
            spread.append(("vacant", meter, amount - kept, whole))
        else:
            spread.append((kind, meter, amount, whole))
    money: dict = defaultdict(Decimal)
    for chosen in ("attributed", "vacant", "unattributed", "residual", "finance"):
        rows = [
            {**whole, "series": (meter, whole["currency"]), "usage": None, "cost": amount, "minor": 2}
            for kind, meter, amount, whole in spread
            if kind == chosen
        ]
        months = oracle_calendar.calendarize(rows, convention, shared_day)
        for ((meter, currency), month), cell in months.items():
            money[chosen, meter, currency, month] += cell["cost"]
    return used, {key: amount for key, amount in money.items() if amount}, len(book["usage"]) - len(forward)


def exported(book: dict, exclusions: str, occupancy: str, flagged: bool, convention: str) -> dict:
    """Return positive energy exported {(meter, unit, month): usage}, of records that say so; days kept as they are."""
    _, usage, _ = counting(book, flagged)
    records = [
        {
            "series": (row["meter"], row["unit"]),
            **{name: row[name] for name in ("bill", "start", "end")},
            "usage": abs(row["usage"]) * (-1 if row["exclusion"] else 1) * occupied(book, row["meter"], occupancy),
            "export": True,
            "cost": None,
            "currency": None,
            "minor": 0,
        }
        for row in usage
        if row["export"] and row["usage"] is not None and not (row["exclusion"] and exclusions == "drop")
        if row["end"] is None or row["end"] >= row["start"]
    ]
    cells = oracle_calendar.calendarize(records, convention, "keep")
    return {(*series, month): cell["usage"] for (series, month), cell in cells.items()}


def period(book: dict, records: list[dict], bill: str, meter: str | None) -> tuple:
    """Return the days a charge is for: of its meter's usage on the bill, else of all usage there, else the bill's."""
    own = [row for row in records if row["bill"] == bill and row["meter"] == meter]
    there = own or [
        row for row in book["usage"] if row["bill"] == bill and (row["end"] is None or row["end"] >= row["start"])
    ]
    if there:
        return min(row["start"] for row in there), max(row["end"] or row["start"] for row in there)
    about = next(row for row in book["bills"] if row["id"] == bill)
    return about["start"], about["date"]

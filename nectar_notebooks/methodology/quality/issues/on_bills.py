"""Findings about bills and their money.

Line items that do not add up, bills without usage or without cost, flags, dates, revisions, bills entered
twice.
Bills that do not count, and bills that another one replaces, are looked at for their revision only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import counted, flags, has_word, text
from nectar_notebooks.methodology.quality.issues.evidence import day_text, lenient_numbers
from nectar_notebooks.methodology.time.spans import MISSING_DAY, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence
    from nectar_notebooks.methodology.time.spans import Truth, Whole

__all__ = ["on_bills"]

#: Amounts are compared in units of a ten-thousandth, half a cent apart at most.
_UNIT = 10_000
_HALF_CENT = 50


def on_bills(evidence: Evidence, cancelled: Truth) -> Iterator[pd.DataFrame]:
    """Yield the findings of this family; nothing without a bills table.

    Bills that are `cancelled`, or cancel one, are no duplicates.
    """
    if evidence.bills is None:
        return
    yield from _revisions(evidence)
    size = len(evidence.bill_names)
    code = np.flatnonzero((evidence.bill_row >= 0) & evidence.bill_counts)
    if not len(code):
        return
    bills = evidence.bills.iloc[evidence.bill_row[code]]
    current, total = lenient_numbers(bills, "current_charges"), lenient_numbers(bills, "total_charges")
    charges = evidence.charges[code]
    money = text(bills, "currency").fillna("").to_numpy()
    usage_code = evidence.bill_code("usage")
    records = np.bincount(usage_code[usage_code >= 0], minlength=size)[code]
    used = usage_code[evidence.live & (np.nan_to_num(evidence.values) != 0)]
    with_usage = np.bincount(used[used >= 0], minlength=size)[code] > 0
    bare = np.flatnonzero((records == 0) & (np.nan_to_num(charges) != 0))
    yield evidence.of_bills(
        "no_usage", code[bare], [f"charges {_amount(charges[i], money[i])} and has no usage record" for i in bare]
    )
    free = np.flatnonzero((charges == 0) & with_usage)
    yield evidence.of_bills("zero_cost", code[free], ["has usage and charges 0" for _ in free])
    open_ = np.flatnonzero(flags(bills, "flagged", "bills", missing=False))
    why = text(bills, "flagged_status").fillna("no reason given").to_numpy()
    yield evidence.of_bills("flagged", code[open_], [f"flagged: {why[i]}" for i in open_])
    yield from _sums(evidence, code, current, total, money)
    yield from _date_order(evidence, code)
    lone = (records == 0) & ~cancelled[code]
    yield from _without_usage_twice(evidence, code[lone], charges[lone])


def _amount(value: float, currency: str) -> str:
    return f"{value:,.2f} {currency}".rstrip()


def _sums(
    evidence: Evidence,
    code: Whole,
    current: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    money: npt.NDArray[np.object_],
) -> Iterator[pd.DataFrame]:
    """Compare line items with current charges, with or without those of the period before."""
    lines = evidence.line_items
    if lines is None or "amount" not in lines:
        return
    size = len(evidence.bill_names)
    bill = evidence.bill_code("line_items")
    amount = lenient_numbers(lines, "amount")
    known = (bill >= 0) & np.isfinite(amount)
    count = np.bincount(bill[bill >= 0], minlength=size)
    whole = np.bincount(bill[known], minlength=size) == count
    units = np.rint(np.where(known, amount, 0) * _UNIT)
    everything = np.bincount(bill[known], units[known], minlength=size)
    previous = known & has_word(lines, "billing_period", ("PREVIOUS",))
    now = everything - np.bincount(bill[previous], units[previous], minlength=size)
    target = np.rint(np.where(np.isnan(current), total, current) * _UNIT)
    off = np.abs(everything[code] - target) > _HALF_CENT
    off &= np.where(np.isnan(current), True, np.abs(now[code] - target) > _HALF_CENT)
    wrong = np.flatnonzero(off & np.isfinite(target) & whole[code] & (count[code] > 0))
    found = []
    for i in wrong.tolist():
        lines_sum, charged = now[code[i]] / _UNIT, target[i] / _UNIT
        found.append(
            f"{count[code[i]]} line items sum to {_amount(lines_sum, money[i])}, the bill charges "
            f"{_amount(charged, money[i])}: {_amount(charged - lines_sum, money[i])} are not explained"
        )
    yield evidence.of_bills("lines_do_not_add_up", code[wrong], found)


def _date_order(evidence: Evidence, code: Whole) -> Iterator[pd.DataFrame]:
    """Find bills that are due before they were issued, or issued before their service began."""
    issued, due = evidence.bill_days("bill_date"), evidence.bill_days("due_date")
    begun = np.full(len(evidence.bill_names), np.iinfo(np.int64).max)
    usage = evidence.bill_code("usage")
    start, _ = evidence.period
    rows = (usage >= 0) & evidence.live & (start != MISSING_DAY)
    np.minimum.at(begun, usage[rows], start[rows])
    late = (due < issued) & (due != MISSING_DAY)
    early = (issued < begun) & (issued != MISSING_DAY) & (begun != np.iinfo(np.int64).max)
    wrong = code[late[code] | early[code]]
    found = [
        f"due on {day_text(due[i])}, dated {day_text(issued[i])}"
        if late[i]
        else f"dated {day_text(issued[i])}, its service begins on {day_text(begun[i])}"
        for i in wrong
    ]
    yield evidence.of_bills("date_order", wrong, found)


def _without_usage_twice(evidence: Evidence, code: Whole, charges: npt.NDArray[np.float64]) -> Iterator[pd.DataFrame]:
    """Find bills without usage that repeat another bill of the account: same days for the most part, same sum."""
    account, _ = pd.factorize(evidence.account_of_bill.iloc[code])
    begin, end = evidence.bill_days("start_date")[code], evidence.bill_days("bill_date")[code]
    known = (account >= 0) & (begin != MISSING_DAY) & (end >= begin) & ~np.isnan(charges)
    group = account * (1 << 20) + pd.factorize(charges)[0]
    group = np.where(known, pd.factorize(group)[0], -1).astype(np.int64)
    names = pd.DataFrame({"bill_id": evidence.bill_names.iloc[code].to_numpy()})
    earlier, later = neighbours(group, begin, end, names, "bill_id").pairs()
    both = np.minimum(end[earlier], end[later]) - begin[later] + 1
    shorter = np.minimum(end[earlier] - begin[earlier], end[later] - begin[later]) + 1
    twice = both * 2 > shorter
    earlier, later = earlier[twice], later[twice]
    equal = (begin[earlier] == begin[later]) & (end[earlier] == end[later])
    for kind, chosen in (("repeated_bill", equal), ("potential_duplicate", ~equal)):
        others = names["bill_id"].iloc[earlier[chosen]].to_numpy()
        found = [f"same account, days and charges as bill {other}, neither with usage" for other in others]
        yield evidence.of_bills(kind, code[later[chosen]], found, other_bill_id=others)


def _revisions(evidence: Evidence) -> Iterator[pd.DataFrame]:
    """Follow every bill to the one that replaces it: cycles, missing ones, superseded ones that count."""
    bills = evidence.bills
    if bills is None or "superseded_by" not in bills:
        return
    ids, heirs = text(bills, "bill_id"), text(bills, "superseded_by")
    rows = heirs.notna().to_numpy()
    heir = dict(zip(ids[rows], heirs[rows], strict=True))
    known = set(ids[rows]) | set(ids[ids.isin(heirs[rows])])
    place = {name: code for code, name in enumerate(evidence.bill_names.tolist()) if name in heir}
    cycles: dict[str, list[str]] = {}
    for name in heir:
        trail = [name]
        while trail[-1] in heir and heir[trail[-1]] not in trail:
            trail.append(heir[trail[-1]])
        if heir.get(trail[-1]) == name:
            cycles.setdefault(min(trail), sorted(trail))
    for first, members in sorted(cycles.items()):
        words = f"replace each other: {', '.join(members)}"
        yield evidence.of_bills("revision_cycle", np.array([place[first]]), [words])
    gone = sorted(name for name, other in heir.items() if other not in known)
    yield evidence.of_bills(
        "revision_missing",
        np.array([place[name] for name in gone], dtype=np.int64),
        [f"is replaced by bill {heir[name]}, which is not here" for name in gone],
        other_bill_id=[heir[name] for name in gone],
    )
    yield from _still_counted(evidence, sorted(heir), place, heir)


def _still_counted(
    evidence: Evidence, old: list[str], place: dict[str, int], heir: dict[str, str]
) -> Iterator[pd.DataFrame]:
    size = len(evidence.bill_names)
    counting = {}
    for name in ("bills", "usage", "line_items"):
        table = getattr(evidence, name)
        if table is not None:
            code = evidence.bill_code(name)
            rows = (code >= 0) & counted(table, name)
            counting[name] = np.bincount(code[rows], minlength=size)
    found, codes = [], []
    for name in old:
        numbers = {table: int(count[place[name]]) for table, count in counting.items()}
        if any(numbers.values()):
            parts = [f"{number} {_WORDS[table]}" for table, number in numbers.items() if number]
            found.append(f"is replaced by bill {heir[name]} and still counts: {', '.join(parts)}")
            codes.append(place[name])
    others = [heir[str(evidence.bill_names.iloc[code])] for code in codes]
    yield evidence.of_bills("superseded_counted", np.asarray(codes, dtype=np.int64), found, other_bill_id=others)


_WORDS = {"bills": "bill", "usage": "usage records", "line_items": "line items"}

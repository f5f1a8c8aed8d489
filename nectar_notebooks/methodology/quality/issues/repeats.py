"""Findings about bills that take others back: cancellations, and whether they net.

A utility corrects a bill by a second one that takes it back and a third one that is right. What nets is no
finding, and no duplicate either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import factorize, flags
from nectar_notebooks.methodology.time.spans import MISSING_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence
    from nectar_notebooks.methodology.time.spans import Truth, Whole

__all__ = ["Cancelled", "cancellations", "not_netted"]

_HALF_CENT: Final = 0.005
_NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Bills (by number) that cancel and that are cancelled, and the pairs that leave something."""

    bills: Truth
    pairs: list[tuple[int, int]]  # cancellation, original
    usage: npt.NDArray[np.float64]


def cancellations(evidence: Evidence) -> Cancelled:
    """Pair bills below 0 with the bill of the same account and days that they take back.

    A bill of which only the charges are below 0 may be a credit: it cancels where it takes back exactly what
    another charged, or where the days are billed anew beside it.
    """
    size = len(evidence.bill_names)
    nothing = Cancelled(np.zeros(size, dtype=bool), [], np.zeros(0))
    if evidence.bills is None:
        return nothing
    code = evidence.bill_code("usage")
    negative = np.append(evidence.charges < 0, False)
    negative[code[evidence.live & (evidence.values < 0)]] = True
    negative = negative[:-1] & evidence.bill_counts & (evidence.bill_row >= 0)
    if not negative.any():
        return nothing
    rows = np.flatnonzero(evidence.live & (code >= 0) & ~flags(evidence.usage, "exclusion", "usage", missing=False))
    rows = rows[factorize(evidence.usage, "net_metering")[0][rows] < 0]
    sums = np.bincount(code[rows], np.nan_to_num(evidence.values[rows], posinf=0, neginf=0), size)
    told = np.bincount(code[rows], minlength=size) > 0
    usage: npt.NDArray[np.float64] = np.where(told, sums, np.nan).astype(np.float64)
    first, last = _days(evidence, code[rows], rows)
    account, _ = pd.factorize(evidence.account_of_bill)
    known = evidence.bill_counts & (evidence.bill_row >= 0) & (account >= 0) & (first != MISSING_DAY)
    table = pd.DataFrame({"account": account, "first": first, "last": last, "name": evidence.bill_names.to_numpy()})
    table = table[known & np.isin(account, np.unique(account[negative & known]))].sort_values("name")
    found, pairs = nothing.bills.copy(), []
    charges = evidence.charges
    for _, group in table.groupby(["account", "first", "last"], sort=True):
        codes = group.index.to_numpy()
        below = [place for place in codes.tolist() if _below(charges[place], usage[place])]
        above = [place for place in codes.tolist() if charges[place] > 0 or usage[place] > 0]
        above = [place for place in above if place not in below]
        free = list(above)
        left = []
        for place in below:
            exact = [other for other in free if _nets(charges, usage, place, other)]
            if exact:
                free.remove(exact[0])
                found[[place, exact[0]]] = True
            else:
                left.append(place)
        for place in left:
            if free and (usage[place] < 0 or len(above) > 1):
                nearest = min(free, key=lambda other: _rest(charges, usage, place, other))
                free.remove(nearest)
                found[[place, nearest]] = True
                pairs.append((place, nearest))
    return Cancelled(found, pairs, usage)


def _below(charges: float, usage: float) -> bool:
    return bool((charges < 0 and not usage > 0) or (usage < 0 and not charges > 0))


def _apart(values: npt.NDArray[np.float64], place: int, other: int) -> float:
    both = abs(float(values[place] + values[other]))
    return np.inf if np.isnan(both) else both


def _rest(
    charges: npt.NDArray[np.float64], usage: npt.NDArray[np.float64], place: int, other: int
) -> tuple[int, float, float]:
    """Return in how many respects two bills do not sum to nothing, and by how much."""
    money, units = _apart(charges, place, other), _apart(usage, place, other)
    return int(money > _HALF_CENT) + int(units > _HALF_CENT), money, units


def _nets(charges: npt.NDArray[np.float64], usage: npt.NDArray[np.float64], place: int, other: int) -> bool:
    """Say whether two bills sum to nothing in charges and in usage."""
    for values, slack in ((charges, _HALF_CENT), (usage, _NOISE * max(1.0, abs(np.nan_to_num(usage[other]))))):
        if np.isnan(values[place]) != np.isnan(values[other]) or abs(values[place] + values[other]) > slack:
            return False
    return True


def _days(evidence: Evidence, code: Whole, rows: Whole) -> tuple[Whole, Whole]:
    """Return the days each bill number is about: those of its usage, else its own."""
    start, end = evidence.period
    first = np.full(len(evidence.bill_names), np.iinfo(np.int64).max)
    last = np.full(len(evidence.bill_names), MISSING_DAY)
    dated = start[rows] != MISSING_DAY
    np.minimum.at(first, code[dated], start[rows][dated])
    np.maximum.at(last, code[dated], end[rows][dated])
    bare = last == MISSING_DAY
    return (
        np.where(bare, evidence.bill_days("start_date"), first),
        np.where(bare, evidence.bill_days("bill_date"), last),
    )


def not_netted(evidence: Evidence, cancelled: Cancelled) -> Iterator[pd.DataFrame]:
    """Yield the cancellations that leave usage or charges of what they cancel."""
    if not cancelled.pairs:
        return
    usage, charges = cancelled.usage, evidence.charges
    money = evidence.of_bill("currency").fillna("")
    names = evidence.bill_names
    found = []
    for place, other in cancelled.pairs:
        left = [
            (f"{charges[place] + charges[other]:,.2f} {money.iloc[other]}".rstrip(), _apart(charges, place, other)),
            (f"usage of {_sum(usage, place, other):,.10g}", abs(_sum(usage, place, other))),
        ]
        words = " and ".join(word for word, rest in left if rest > _HALF_CENT)
        found.append(
            f"takes back {_told(charges[place], usage[place])} of bill {names.iloc[other]}, which says "
            f"{_told(charges[other], usage[other])}: {words} are left"
        )
    codes = np.array([place for place, _ in cancelled.pairs])
    others = names.iloc[[other for _, other in cancelled.pairs]].to_numpy()
    yield evidence.of_bills("cancel_rebill", codes, found, other_bill_id=others)


def _sum(usage: npt.NDArray[np.float64], place: int, other: int) -> float:
    return float(np.nansum([usage[place], usage[other]]))


def _told(charges: float, usage: float) -> str:
    parts = [f"{charges:,.2f}" if not np.isnan(charges) else "no charges"]
    parts.append(f"usage {usage:,.10g}" if not np.isnan(usage) else "no usage")
    return " and ".join(parts)

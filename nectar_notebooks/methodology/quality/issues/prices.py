"""Findings about prices: a line item's own arithmetic, and what a unit costs beside the meter's other bills.

Nothing is attributed here: a unit's price is told of bills whose meters are the same from bill to bill.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.frames import counted, factorize, flags, has_word, text
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.quality.issues.evidence import lenient_numbers
from nectar_notebooks.methodology.time.spans import MISSING_DAY
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from nectar_notebooks.methodology.quality.issues.evidence import Evidence
    from nectar_notebooks.methodology.time.spans import Truth, Whole

    Numbers = npt.NDArray[np.float64]

__all__ = ["prices"]

_NOISE: Final = 1e-9
_CENT: Final = 2
_MOST_PLACES: Final = 9
#: From this quantity on it is a reading, rounded to its last decimal; below it may be a count.
_READING: Final = 100
#: The most that a rate shown rounded may carry, where its charge is not shown so as a rule: a share of the product,
#: or so many hundredths of the currency.
_CARRIED, _CARRIED_COINS = 0.005, 0.50
#: From how many lines on a charge shows by more than half of them that its rates are rounded.
_HABIT: Final = 3
_CREDIT: Final = (
    r"credit|refund|rebate|discount|revers|cancel|correct|adjust|export|net.?meter|feed.?in|buy.?back|surplus"
)
_TIER: Final = r"\btier|\bblock\b|\bstep\b|\bfirst\b|\bnext\b|\bover\b"
_ENERGY: Final = ("SUPPLY", "DELIVERY")
#: Bills on each side of a bill that its price is compared with, and the fewest that say something.
_NEAR, _FEWEST = 12, 3


def prices(evidence: Evidence, factor: float, cancelled: Truth) -> Iterator[pd.DataFrame]:
    """Yield the findings of this family; `cancelled` says which bills cancel or are cancelled."""
    yield from _rates(evidence, cancelled)
    yield from _unit_prices(evidence, factor)


def _rates(evidence: Evidence, cancelled: Truth) -> Iterator[pd.DataFrame]:
    """Find line items whose quantity times rate is not their amount: in size, beyond rounding, or in sign."""
    lines = evidence.line_items
    if lines is None or not {"quantity", "rate", "amount"} <= set(lines.columns):
        return
    quantity, rate, amount = (lenient_numbers(lines, name) for name in ("quantity", "rate", "amount"))
    bill = evidence.bill_code("line_items")
    told = np.isfinite(quantity) & np.isfinite(rate) & np.isfinite(amount) & counted(lines, "line_items")
    rows = np.flatnonzero(told & np.append(evidence.bill_counts, True)[bill])
    if not len(rows):
        return
    quantity, rate, amount = quantity[rows], rate[rows], amount[rows]
    product = np.abs(quantity * rate)
    off = np.abs(product - np.abs(amount))
    sure, carried = _slack(
        quantity, rate, money.minor_places(text(lines, "currency").iloc[rows].reset_index(drop=True))
    )
    slack = sure + np.minimum(carried, np.maximum(_CARRIED * product, _CARRIED_COINS))
    wrong = np.flatnonzero(off > slack)
    against = np.flatnonzero((quantity * rate * amount < 0) & (np.minimum(np.abs(amount), product) > sure))
    if len(wrong):
        rounded = off <= sure + carried
        wrong = wrong[~(rounded & _habit(lines.iloc[rows], (off > slack) & rounded))[wrong]]
        wrong = _not_told_by_others(lines.iloc[rows], wrong, quantity, rate, amount, product, slack)
    if len(against):
        against = against[~_credits(evidence, lines.iloc[rows[against]], bill[rows[against]], cancelled)]
    told_of = np.union1d(wrong, against)
    if not len(told_of):
        return
    taken = lines.iloc[rows[told_of]]
    names = text(taken, "description").fillna(text(taken, "line_item_id")).fillna("a line item")
    units, currency = (text(taken, name).fillna("") for name in ("quantity_unit", "currency"))
    signs, found = set(against.tolist()), []
    for row, name, unit, coin in zip(told_of.tolist(), names, units, currency, strict=True):
        hints = (
            (row in signs, "the signs contradict each other"),
            (row not in signs and off[row] <= sure[row] + carried[row], "a rate shown rounded would explain it"),
            (abs(product[row] / 100 - abs(amount[row])) <= slack[row], "it fits a rate in hundredths"),
        )
        said = f"{quantity[row]:,.10g} {unit}".rstrip()
        found.append(
            f"{name}: {said} × {rate[row]:,.10g} = {quantity[row] * rate[row]:,.2f}, charged "
            + "; ".join([f"{amount[row]:,.2f} {coin}".rstrip(), *(words for holds, words in hints if holds)])
        )
    yield evidence.of_bills("rate_mismatch", bill[rows[told_of]], found)


def _not_told_by_others(
    lines: pd.DataFrame, wrong: Whole, quantity: Numbers, rate: Numbers, amount: Numbers, product: Numbers,
    slack: Numbers,
) -> Whole:  # fmt: skip
    """Return the lines that neither tiers beside them nor multipliers of their own explain."""
    group, _ = group_keys(lines, ("bill_id", "charge_type", "quantity_unit"))
    wrong = wrong[~_tiers(group, quantity, rate, amount, slack)[wrong]]
    taken = lines.iloc[wrong]
    alone = np.bincount(group)[group[wrong]] == 1
    tiered = text(taken, "description").str.contains(_TIER, case=False, regex=True).eq(True).to_numpy(dtype=bool)
    more = [_multiplied(value) for value in text(taken, "extra")]
    fits = [
        by is None or abs(product[row] * by - abs(amount[row])) <= slack[row] * max(1.0, by)
        for row, by in zip(wrong.tolist(), more, strict=True)
    ]
    explained = np.array([by != 1 and fit for by, fit in zip(more, fits, strict=True)], dtype=bool)
    return np.asarray(wrong[~explained & ~(alone & tiered)])


def _habit(lines: pd.DataFrame, rounded: Truth) -> Truth:
    """Say of which lines the charge shows rounded rates as a rule, by all its lines of all bills."""
    group, _ = group_keys(lines, ("description", "charge_type", "quantity_unit", "currency"))
    number, of_them = np.bincount(group), np.bincount(group, rounded)
    habit: Truth = ((number >= _HABIT) & (2 * of_them > number))[group]
    return habit


def _credits(evidence: Evidence, lines: pd.DataFrame, bill: Whole, cancelled: Truth) -> Truth:
    """Say which lines may have an amount against their product: credits, and what a cancellation takes back."""
    said = text(lines, "description").str.contains(_CREDIT, case=False, regex=True).eq(True).to_numpy(dtype=bool)
    typed = text(lines, "charge_type").eq("CREDIT").to_numpy(dtype=bool)
    found: Truth = said | typed | np.append(cancelled & (evidence.charges < 0), False)[bill]
    return found


def _slack(quantity: Numbers, rate: Numbers, places: Whole) -> tuple[Numbers, Numbers]:
    """Return how far rounding can carry a product: of quantity and amount, and of the rate; half a last place of each.

    A rate has cents at least, because trailing zeros are not kept; a small quantity is a count, which is exact.
    """
    read = np.where(np.abs(quantity) >= _READING, 0.5 * 10.0 ** -_places(quantity, 0) * np.abs(rate), 0.0)
    sure: Numbers = read + 0.5 * 10.0 ** -places.astype(float) + _NOISE * np.abs(quantity * rate) + _NOISE
    return sure, 0.5 * 10.0 ** -_places(rate, _CENT) * np.abs(quantity)


def _places(values: Numbers, least: int) -> Numbers:
    """Return how many decimals each value is written with, at least `least`."""
    out = np.full(len(values), float(_MOST_PLACES))
    for place in range(_MOST_PLACES - 1, least - 1, -1):
        scaled = values * 10.0**place
        out[np.abs(scaled - np.rint(scaled)) <= _NOISE * np.maximum(1.0, np.abs(scaled))] = place
    return out


def _tiers(group: Whole, quantity: Numbers, rate: Numbers, amount: Numbers, slack: Numbers) -> Truth:
    """Say which lines are tiers that agree together: in sum, or each showing the whole quantity at its own rate."""
    size = int(group.max()) + 1
    total, product, room = (
        np.bincount(group, values, size) for values in (np.abs(amount), np.abs(quantity * rate), slack)
    )
    several = np.bincount(group, minlength=size) > 1
    ends = {name: np.full(size, bound) for name, bound in (("q0", np.inf), ("q1", 0.0), ("r0", np.inf), ("r1", 0.0))}
    for name, values in (("q", np.abs(quantity)), ("r", np.abs(rate))):
        np.minimum.at(ends[name + "0"], group, values)
        np.maximum.at(ends[name + "1"], group, values)
    whole = (ends["q0"] == ends["q1"]) & (ends["r0"] < ends["r1"])
    whole &= (total >= ends["q1"] * ends["r0"] - room) & (total <= ends["q1"] * ends["r1"] + room)
    agree: Truth = several & ((np.abs(total - product) <= room) | whole)
    return agree[group]


def _multiplied(extra: object) -> float | None:
    """Return the product of a line's multipliers, 1 where it has none, None where they are not numbers."""
    if not isinstance(extra, str) or "multipliers" not in extra:
        return 1.0
    try:
        given = json.loads(extra).get("multipliers") or []
        return float(np.prod([float(value) for value in given]))
    except (AttributeError, TypeError, ValueError):
        return None


def _unit_prices(evidence: Evidence, factor: float) -> Iterator[pd.DataFrame]:
    """Find bills on which a unit cost more than `factor` times, or less than that part of, what it did around them."""
    if evidence.bills is None:
        return
    usage, size = evidence.usage, len(evidence.bill_names)
    code = evidence.bill_code("usage")
    rows = np.flatnonzero(evidence.live & (code >= 0) & evidence.usage["meter_id"].notna().to_numpy())
    if not len(rows):
        return
    owner, values = code[rows], evidence.values[rows]
    foreign = ~((values > 0) & np.isfinite(values)) | flags(usage, "exclusion", "usage", missing=False)[rows]
    net = factorize(usage, "net_metering")[0] >= 0
    foreign |= (has_word(usage, "commodity", HAULED) | net)[rows]
    meter, meters = factorize(usage, "meter_id")
    unit, units = factorize(usage, "unit")
    start = evidence.period[0][rows]
    foreign |= (start == MISSING_DAY) | (unit[rows] < 0)
    number = np.bincount(owner, minlength=size)
    good = (number > 0) & (np.bincount(owner, foreign, size) == 0) & (evidence.bill_row >= 0) & evidence.bill_counts
    used = np.bincount(owner, np.where(foreign, 0.0, values), size)
    some = np.zeros(size, dtype=np.int64)
    some[owner] = np.arange(len(rows))
    one = unit[rows[some]]
    good &= np.bincount(owner, unit[rows] != one[owner], size) == 0
    paid, typed = _paid(evidence, size)
    good &= paid > 0
    codes = np.flatnonzero(good)
    if len(codes) <= _FEWEST:
        return
    # meters of a bill by the sum and the sum of squares of their numbers: the same meters, the same bills
    member = meter[rows].astype(np.float64) + 1
    sums, squares = (np.bincount(owner, weights, size)[codes] for weights in (member, member * member))
    coin, _ = factorize(evidence.bills, "currency")
    keys = (typed[codes], np.append(coin, -1)[evidence.bill_row][codes], one[codes], number[codes], squares, sums)
    order = np.lexsort((codes, start[some][codes], *keys))
    codes = codes[order]
    fresh = np.ones(len(codes), dtype=bool)
    fresh[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
    far, usual = _far(fresh, paid[codes], used[codes].astype(np.float64), typed[codes], factor)
    if not len(far):
        return
    found = []
    money_ = evidence.of_bill("currency").fillna("")
    for place, around in zip(far.tolist(), usual.tolist(), strict=True):
        bill = codes[place]
        name = units.iloc[one[bill]]
        found.append(
            f"a {name} costs {paid[bill] / used[bill]:,.4g} {money_.iloc[bill]}".rstrip()
            + f" ({paid[bill]:,.2f} for {used[bill]:,.10g}), on the bills around it {around:,.4g}"
        )
    bills = codes[far]
    single = number[bills] == 1
    names = meters.iloc[meter[rows[some[bills]]]].where(single).to_numpy()
    yield evidence.of_bills("unit_price", bills, found, meter_id=names)


def _paid(evidence: Evidence, size: int) -> tuple[Numbers, Truth]:
    """Return what each bill charges for energy, by its line items where they tell, else all; and which they do."""
    lines = evidence.line_items
    if lines is None or not {"amount", "charge_type"} <= set(lines.columns):
        return evidence.charges, np.zeros(size, dtype=bool)
    bill, amount = evidence.bill_code("line_items"), lenient_numbers(lines, "amount")
    energy = has_word(lines, "charge_type", _ENERGY) & (bill >= 0) & np.isfinite(amount)
    energy &= ~flags(lines, "is_demand", "line_items", missing=False) & counted(lines, "line_items")
    energy &= ~has_word(lines, "billing_period", ("PREVIOUS",))
    paid = np.bincount(bill[energy], amount[energy], size)
    typed: Truth = paid > 0
    return np.where(typed, paid, evidence.charges), typed


def _far(fresh: Truth, paid: Numbers, used: Numbers, typed: Truth, factor: float) -> tuple[Whole, Numbers]:
    """Return the bills whose price is far from that of the bills before and of those after, and that price.

    Bills lie series after series, a series begins where it is `fresh`. All charges of a bill, which may hold fixed
    ones, are far only if they are so for the larger (or smaller) of its usage and the usual one.
    """
    place = np.arange(len(fresh))
    heads = np.flatnonzero(fresh)
    run = np.cumsum(fresh) - 1
    low = heads[run]
    high = np.append(heads[1:], len(fresh))[run]
    sides = ((np.maximum(low, place - _NEAR), place), (place + 1, np.minimum(high, place + 1 + _NEAR)))
    logs = [np.concatenate([[0.0], np.cumsum(np.log(values))]) for values in (paid / used, used)]
    loose = factor**0.6
    near = high - low > _FEWEST
    for first, stop in sides:  # by geometric means first, which are cheap
        number = stop - first
        price, usual = (np.exp((log[stop] - log[first]) / np.maximum(number, 1)) for log in logs)
        near &= (number < _FEWEST) | _beyond(paid, used, price, usual, typed, loose)
    near &= np.logical_or.reduce([stop - first >= _FEWEST for first, stop in sides])
    far, around = [], []
    for row in np.flatnonzero(near).tolist():
        known = [slice(first[row], stop[row]) for first, stop in sides if stop[row] - first[row] >= _FEWEST]
        # and the nearest of each side, so that the bills at a change of tariff are far from none
        nearest = [
            slice(at.stop - _FEWEST, at.stop) if at.stop <= row else slice(at.start, at.start + _FEWEST) for at in known
        ]
        medians = [(np.median(paid[at] / used[at]), np.median(used[at])) for at in (*known, *nearest)]
        one = slice(row, row + 1)
        if all(_beyond(paid[one], used[one], price, usual, typed[one], factor)[0] for price, usual in medians):
            far.append(row)
            around.append(float(medians[0][0]))
    return np.array(far, dtype=np.int64), np.array(around)


def _beyond(
    paid: Numbers, used: Numbers, price: Numbers | float, usual: Numbers | float, typed: Truth, factor: float
) -> Truth:
    most, least = np.where(typed, used, np.maximum(used, usual)), np.where(typed, used, np.minimum(used, usual))
    beyond: Truth = (paid > factor * price * most * (1 + _NOISE)) | (paid * factor * (1 + _NOISE) < price * least)
    return beyond

"""The frames that `attribute` is given, as arrays: which line items count, their cents, accounts and readings.

Line items are places 0.., bills, meters and units are numbers. No rule stands here and nothing is shared out: see
`shares`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.attribution.meters import Meters, Records
from nectar_notebooks.methodology.frames import (
    TEXT,
    counted,
    days,
    distinct,
    left_out,
    named_rows,
    numbers,
    require,
    text,
)
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.time.spans import MISSING_DAY

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.schema.periods import Span

    Ints = npt.NDArray[np.int64]

    import numpy as np
    import pandas as pd

    from nectar_notebooks.methodology.charges import Said


__all__ = [
    "HEADS",
    "MONEY",
    "NOTHING",
    "Accounts",
    "Bills",
    "Items",
    "Parts",
    "Readings",
    "Weights",
    "bill_periods",
    "cents",
    "counting_items",
    "item_accounts",
    "number_bills",
    "readings",
    "refuse_doubled",
]


@dataclass(frozen=True, slots=True)
class Bills:
    """All bills at hand, numbered: those of the line items, of the bills table, and one, the last, without id."""

    ids: pd.Series
    of_items: Ints
    of_usage: Ints
    row: Ints  # in the bills table (-1: not there)


def refuse_doubled(line_items: pd.DataFrame) -> None:
    """Raise `DataError` where a line item's id stands on several rows."""
    ids = text(line_items, "line_item_id")
    if not ids.is_unique:
        doubled = ids.duplicated(keep=False).to_numpy()
        raise DataError(
            f"line_items: an id stands on several rows: {named_rows(line_items, doubled)}.",
            advice="Drop what is doubled, or number the lines of each bill.",
        )


def number_bills(line_items: pd.DataFrame, usage: pd.DataFrame, bills: pd.DataFrame | None) -> Bills:
    """Return the bills at hand, and which each line item and usage record stands on (-1: none of them)."""
    codes, ids_of_items = pd.factorize(text(line_items, "bill_id"))
    named = pd.Series(ids_of_items, dtype=TEXT)
    row = np.full(len(named) + 1, -1)
    if bills is not None:
        require(bills, ("bill_id",), "bills")
        own = text(bills, "bill_id")
        distinct(bills, "bill_id", "bills")
        place = places_in(named, own)
        further = np.ones(len(own), dtype=bool)
        further[place[place >= 0]] = False
        further &= own.notna().to_numpy()
        named = pd.concat([named, own[further]], ignore_index=True)
        row = np.concatenate([place, np.flatnonzero(further), [-1]])
    ids = pd.concat([named, pd.Series([np.nan], dtype=TEXT)], ignore_index=True)
    of_items = np.where(codes < 0, len(ids) - 1, codes).astype(np.int64)
    return Bills(ids, of_items, places_in(text(usage, "bill_id"), named), row)


def counting_items(
    line_items: pd.DataFrame, at_hand: Bills, bills: pd.DataFrame | None
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Return which line items count (and do not stand on a bill that does not), and the others by reason."""
    kept = counted(line_items, "line_items")
    reason = text(line_items, "counts_reason")
    if bills is not None:
        place = at_hand.row[at_hand.of_items]
        dropped = kept & np.append(~counted(bills, "bills"), False)[place]
        if dropped.any():
            of_bill = text(bills, "counts_reason").array.take(place, allow_fill=True)
            reason = reason.where(~dropped, pd.Series(of_bill, line_items.index, dtype=TEXT))
            kept = kept & ~dropped
    if kept.all():
        return kept, {}
    return kept, left_out(pd.DataFrame({"counts_reason": reason}), kept, "does not count")


def cents(items: pd.DataFrame, bill: Ints) -> tuple[Ints, Ints, Ints]:
    """Return each item's pocket (bill and currency), the decimals its pocket needs, and its integer amount."""
    currency, names = pd.factorize(text(items, "currency"), sort=True)
    pocket = bill * (len(names) + 1) + currency + 1
    least = np.append(money.minor_places(pd.Series(names, dtype=TEXT)), 2)[currency]
    amount = numbers(items, "amount", "line_items")
    places = money.places_needed(amount, least)
    if (places > least).any():
        _, group = np.unique(pocket, return_inverse=True)
        places = money.finest(places, group, int(group.max()) + 1)[group]
    return pocket, places, money.to_units(amount, places)


def item_accounts(items: pd.DataFrame, relation: pd.DataFrame | None, meters: Meters) -> Accounts:
    """Return each line item's accounts, numbered as the meters' (one past them: an account without meters)."""
    none = np.zeros(0, dtype=np.int64)
    one = np.full(len(items), -1)
    if relation is None:
        return Accounts(one, none, none)
    require(relation, ("line_item_id", "account_id"), "line_item_accounts")
    account = text(relation, "account_id")
    number = places_in(account, meters.accounts)
    number = np.where(number < 0, len(meters.accounts), number)
    item = places_in(text(relation, "line_item_id"), text(items, "line_item_id"), distinct=True)
    known = (item >= 0) & account.notna().to_numpy()
    item, number = item[known], number[known]
    if len(item) and (np.diff(item) <= 0).any():
        item, number = np.divmod(np.unique(item * (len(meters.accounts) + 1) + number), len(meters.accounts) + 1)
    several = np.bincount(item, minlength=len(items)) > 1
    one[item] = number
    one[several] = -2
    return Accounts(one, item[several[item]], number[several[item]])


def readings(
    demand: pd.DataFrame | None,
    demand_usage: pd.DataFrame | None,
    usage: pd.DataFrame,
    records: Records,
    items: pd.DataFrame,
    bill_ids: pd.Series,
) -> Readings | None:
    """Return the demand readings of the bills at hand, sorted by bill and id; None where none is given."""
    if demand is None:
        return None
    require(demand, ("demand_id", "bill_id"), "demand")
    bill = places_in(text(demand, "bill_id"), bill_ids)
    ids = text(demand, "demand_id")
    order = np.lexsort((ids.argsort().argsort().to_numpy(), bill))
    order = order[bill[order] >= 0]
    units, _ = pd.factorize(
        pd.concat([text(demand, "unit"), text(items, "quantity_unit")], ignore_index=True).str.lower()
    )
    count = np.bincount(bill[order], minlength=len(bill_ids))
    reading = record = None
    if demand_usage is not None:
        require(demand_usage, ("demand_id", "usage_id"), "demand_usage")
        require(usage, ("usage_id",), "usage")
        reading = places_in(text(demand_usage, "demand_id"), ids.iloc[order])
        row = places_in(text(demand_usage, "usage_id"), text(usage, "usage_id"))
        of_row = np.full(len(usage) + 1, -1)
        of_row[records.row] = np.arange(len(records.row))
        record = of_row[row]
        known = (reading >= 0) & (record >= 0)
        by_reading = np.lexsort((record[known], reading[known]))
        reading, record = reading[known][by_reading], record[known][by_reading]
    return Readings(
        first=np.cumsum(count) - count,
        count=count,
        demand=numbers(demand, "demand", "demand")[order],
        unit=units[: len(demand)][order].astype(np.int64),
        item_unit=units[len(demand) :].astype(np.int64),
        reading=reading,
        record=record,
    )


def bill_periods(at_hand: Bills, bills: pd.DataFrame | None, usage: pd.DataFrame, span: Span) -> tuple[Ints, Ints]:
    """Return first and last day of each bill: of all its usage, else its own dates, else its bill date.

    The bill date alone never ends a period that usage records tell, as it may be the invoice's. Days that cannot be are
    taken for missing ones.
    """
    start = np.full(len(at_hand.ids), np.iinfo(np.int64).max)
    end = np.full(len(at_hand.ids), MISSING_DAY)
    begins, ends = days(usage, "start_date", "usage"), days(usage, "end_date", "usage")
    ends = np.where(np.isnat(ends), begins, ends)
    dated = np.flatnonzero((at_hand.of_usage >= 0) & ~np.isnat(begins) & span.holds(begins, ends))
    first, last = begins.astype(np.int64), ends.astype(np.int64)
    np.minimum.at(start, at_hand.of_usage[dated], first[dated])
    np.maximum.at(end, at_hand.of_usage[dated], last[dated])
    open_bills = end == MISSING_DAY
    start[open_bills] = MISSING_DAY
    if bills is None or not open_bills.any():
        return start, end
    own = {}
    for name in ("start_date", "end_date", "bill_date"):
        day = days(bills, name, "bills")
        known = np.where(span.misses(day, day), MISSING_DAY, day.astype(np.int64))
        own[name] = np.append(known, MISSING_DAY)[at_hand.row]
    closing = np.where(own["end_date"] == MISSING_DAY, own["bill_date"], own["end_date"])
    opening = np.where(own["start_date"] == MISSING_DAY, closing, own["start_date"])
    closing = np.where(closing < opening, opening, closing)
    return np.where(open_bills, opening, start), np.where(open_bills, closing, end)


@dataclass(frozen=True, slots=True)
class Items:
    """Line items as arrays; `pocket` numbers bill and currency, `amount` is in the integers of `money`."""

    bill: Ints
    pocket: Ints
    amount: Ints
    said: Said
    meter: Ints
    unit: Ints  # numbered as the roster's, -1 where nothing on the bills has it
    kind: Ints  # what the unit measures, numbered as the roster's
    quantity: npt.NDArray[np.float64]
    description: pd.Series


@dataclass(frozen=True, slots=True)
class Accounts:
    """The account of each line item (-1: none named, -2: several, as pairs in `item` and `account`, sorted)."""

    one: Ints
    item: Ints
    account: Ints


@dataclass(frozen=True, slots=True)
class Readings:
    """Demand readings sorted by bill; `record` of each relation, sorted by `reading` (None: nothing said)."""

    first: Ints
    count: Ints
    demand: npt.NDArray[np.float64]
    unit: Ints
    item_unit: Ints  # the line items' units, numbered as `unit`
    reading: Ints | None
    record: Ints | None


@dataclass(slots=True)
class Parts:
    """Parts of line items: which meter (-1: none) gets how much, by which method and for which reason."""

    item: Ints
    meter: Ints
    slot: Ints  # row of the roster (-1: not on the bill)
    amount: Ints
    share: npt.NDArray[np.float64]
    method: Ints
    reason: Ints


#: Measures of weights that are no usage: meters that are counted, what other charges gave, none.
HEADS: Final = -10
MONEY: Final = -11
NOTHING: Final = -12


@dataclass(slots=True)
class Weights:
    """By what parts of line items were shared: `weight` of `whole`, each in ten to the minus `places` of `measure`."""

    weight: Ints
    whole: Ints
    places: Ints  # of money: those of the item's pocket
    measure: Ints  # a unit, numbered as the roster's (-1: unknown), or one of the constants above

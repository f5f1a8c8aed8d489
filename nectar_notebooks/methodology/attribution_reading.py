"""The frames that `attribute` is given, as arrays: which line items count, their cents, accounts and readings.

No rule stands here and nothing is shared out: see `attribution_shares`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.attribution_meters import MISSING_DAY, Meters, Records
from nectar_notebooks.methodology.attribution_shares import Accounts, Readings
from nectar_notebooks.methodology.checks import (
    TEXT,
    counted,
    days,
    left_out,
    named_rows,
    numbers,
    require,
    text,
)
from nectar_notebooks.methodology.keys import places_in

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = ["bill_numbers", "bill_periods", "cents", "counting_items", "item_accounts", "readings"]


def counting_items(line_items: pd.DataFrame, bills: pd.DataFrame | None) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the line items that count (nor stand on a bill that does not), and the others by reason."""
    doubled = text(line_items, "line_item_id").duplicated(keep=False).to_numpy()
    if doubled.any():
        raise DataError(
            f"line_items: an id stands on several rows: {named_rows(line_items, doubled)}.",
            advice="Drop what is doubled, or number the lines of each bill.",
        )
    kept = counted(line_items, "line_items")
    reason = text(line_items, "counts_reason")
    if bills is not None:
        require(bills, ("bill_id",), "bills")
        ids = text(bills, "bill_id")
        if ids.dropna().duplicated().any():
            raise DataError(
                f"bills: an id stands on several rows: {named_rows(bills, ids.duplicated().to_numpy())}.",
                advice="Keep one row per bill.",
            )
        silent = ~counted(bills, "bills")
        if silent.any():
            place = places_in(text(line_items, "bill_id"), ids)
            dropped = kept & (place >= 0) & silent[place]
            of_bill = text(bills, "counts_reason").array.take(place, allow_fill=True)
            reason = reason.where(~dropped, pd.Series(of_bill, line_items.index, dtype=TEXT))
            kept = kept & ~dropped
    if kept.all():
        return line_items, {}
    out = left_out(pd.DataFrame({"counts_reason": reason}), kept, "does not count")
    return line_items[kept], out


def bill_numbers(items: pd.DataFrame) -> tuple[Ints, pd.Series]:
    """Return each line item's bill as a number, and the bills' ids; one number, the last, has none."""
    codes, distinct = pd.factorize(text(items, "bill_id"))
    ids = pd.concat([pd.Series(distinct, dtype=TEXT), pd.Series([np.nan], dtype=TEXT)], ignore_index=True)
    return np.where(codes < 0, len(distinct), codes).astype(np.int64), ids


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
    item = places_in(text(relation, "line_item_id"), text(items, "line_item_id"))
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


def bill_periods(bill_ids: pd.Series, bills: pd.DataFrame | None, usage: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return first and last day of each bill: of all its usage, else its own dates, else its bill date.

    The bill date alone never ends a period that usage records tell, as it may be the invoice's.
    """
    start = np.full(len(bill_ids), np.iinfo(np.int64).max)
    end = np.full(len(bill_ids), MISSING_DAY)
    first, last = days(usage, "start_date", "usage").astype(np.int64), days(usage, "end_date", "usage").astype(np.int64)
    last = np.where(last == MISSING_DAY, first, last)
    bill = places_in(text(usage, "bill_id"), bill_ids)
    dated = np.flatnonzero((bill >= 0) & (first != MISSING_DAY) & (last >= first))
    np.minimum.at(start, bill[dated], first[dated])
    np.maximum.at(end, bill[dated], last[dated])
    open_bills = end == MISSING_DAY
    start[open_bills] = MISSING_DAY
    if bills is None or not open_bills.any():
        return start, end
    place = places_in(bill_ids, text(bills, "bill_id"))
    own = {
        name: np.append(days(bills, name, "bills").astype(np.int64), MISSING_DAY)[place]
        for name in ("start_date", "end_date", "bill_date")
    }
    closing = np.where(own["end_date"] == MISSING_DAY, own["bill_date"], own["end_date"])
    opening = np.where(own["start_date"] == MISSING_DAY, closing, own["start_date"])
    closing = np.where(closing < opening, opening, closing)
    return np.where(open_bills, opening, start), np.where(open_bills, closing, end)

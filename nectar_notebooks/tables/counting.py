"""What only all frames of a company together tell: the accounts of each bill, and which rows count.

- :func:`resolve_bill_accounts`: a bill names no account. In this order, the first that answers decides: the accounts of
  its line items, the accounts of its usage's meters, membership in a connection's own list of bills.
- :func:`fill_counts`: `counts` and `counts_reason` of accounts, bills, usage and line items. A superseded bill does not
  count, nor do its usage and charges. All accounts count but those *known* not to; all usage but that of an impossible
  period. What does not count stays listed with its reason; missing knowledge never takes a row out. The reasons and
  their words stand in `schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.schema.accounts import why_not_counted
from nectar_notebooks.schema.periods import BACKWARD, Plausible, Span
from nectar_notebooks.schema.revisions import SUPERSEDED, circle
from nectar_notebooks.schema.tables import TABLES, TEXT
from nectar_notebooks.tables.folding import shaped

__all__ = ["fill_counts", "resolve_bill_accounts"]

_MOST_SHOWN: Final = 10
_UPLOADED: Final = "Uploaded: it came through no connection."
_NOWHERE: Final = (
    "No line item names an account, no meter on it has one, and no connection's list was found to hold it."
)


def resolve_bill_accounts(
    bills: pd.DataFrame,
    line_items: pd.DataFrame,
    line_item_accounts: pd.DataFrame,
    usage: pd.DataFrame,
    meters: pd.DataFrame,
    accounts: pd.DataFrame,
    walked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return `bill_accounts`: one row per bill and account; a bill without either has one row with the reason.

    Parameters
    ----------
    bills, line_items, line_item_accounts, usage, meters, accounts : DataFrame
        As `schema.tables` says; meters with their accounts as far as known.
    walked : DataFrame, optional
        ``connection_id`` and ``bill_id``: the bills in each connection's own list, if these were fetched.

    Returns
    -------
    DataFrame
        Columns of table bill_accounts, bills in their own order. The account is missing if only the connection is
        known, the connection if the account has none.
    """
    order = bills["bill_id"].drop_duplicates().reset_index(drop=True)
    by_line = line_items[["line_item_id", "bill_id"]].merge(line_item_accounts, on="line_item_id")
    by_meter = usage[["bill_id", "meter_id"]].dropna().merge(meters[["meter_id", "account_id"]], on="meter_id")
    found: list[pd.DataFrame] = []
    open_bills = order
    for via, candidates in (("line_item", by_line), ("meter", by_meter)):
        pairs = candidates[["bill_id", "account_id"]].dropna().drop_duplicates()
        pairs = pairs[pairs["bill_id"].isin(open_bills)]
        known = accounts[["account_id", "connection_id"]].drop_duplicates("account_id")
        found.append(pairs.merge(known, on="account_id", how="left").assign(via=via))
        open_bills = open_bills[~open_bills.isin(pairs["bill_id"])]
    if walked is not None:
        pairs = walked[["bill_id", "connection_id"]].dropna().drop_duplicates()
        pairs = pairs[pairs["bill_id"].isin(open_bills)]
        found.append(pairs.assign(via="walk"))
        open_bills = open_bills[~open_bills.isin(pairs["bill_id"])]
    uploaded = bills.loc[bills["job_id"].notna(), "bill_id"]
    unplaced = pd.DataFrame({"bill_id": open_bills})
    unplaced["reason"] = [_UPLOADED if up else _NOWHERE for up in open_bills.isin(uploaded)]
    rows = shaped("bill_accounts", pd.concat([*found, unplaced], ignore_index=True))
    place = pd.Series(order.index, index=order)
    in_order = rows["bill_id"].map(place).argsort(kind="stable")
    return rows.iloc[in_order.to_numpy()].reset_index(drop=True)[list(TABLES["bill_accounts"].names)]


def fill_counts(
    frames: Mapping[str, pd.DataFrame], *, plausible: Plausible | None = None, today: date | None = None
) -> dict[str, pd.DataFrame]:
    """Return the frames with `counts` and `counts_reason` filled in.

    - An account does not count where it repeats another, was only detected, is inactive, or is not tracked.
    - A bill does not count where another supersedes it, or where every account it belongs to does not count.
    - Usage and line items follow their bill; usage follows its meter's account too, a line item its own accounts.
    - Usage whose period ends before it starts, or lies outside of the plausible days, does not count. Its charges do.

    Parameters
    ----------
    frames : Mapping of str to DataFrame
        ``bills``, ``usage``, ``line_items``, ``accounts``, ``bill_accounts``, ``meters`` and
        ``line_item_accounts``; others pass through. None is changed.
    plausible : tuple, optional
        First and last day that a period may have. Default: 1990-01-01 to the end of the year after `today`.
    today : date, optional
        Default: the system's day.

    Returns
    -------
    dict of str to DataFrame

    Raises
    ------
    DataError
        Bills supersede each other in a circle; names them.
    """
    result = dict(frames)
    accounts, bills = frames["accounts"], frames["bills"]
    _refuse_circles(bills)
    account_reason = _reason_of_accounts(accounts)
    by_account = account_reason.set_axis(accounts["account_id"])

    of_accounts = _shared_reason(frames["bill_accounts"], "bill_id", by_account)
    superseded = _texts(bills["superseded_by"].notna().map({True: SUPERSEDED}))
    bill_reason = superseded.fillna(_texts(bills["bill_id"].map(of_accounts)))
    by_bill = bill_reason.set_axis(bills["bill_id"])

    usage, items = frames["usage"], frames["line_items"]
    account_of_meter = frames["meters"].drop_duplicates("meter_id").set_index("meter_id")["account_id"]
    usage_reason = _texts(usage["bill_id"].map(by_bill)).fillna(
        _texts(usage["meter_id"].map(account_of_meter).map(by_account))
    )
    usage_reason = usage_reason.fillna(_reason_of_periods(usage, Span.of(plausible, today)))
    of_items = _shared_reason(frames["line_item_accounts"], "line_item_id", by_account)
    item_reason = _texts(items["bill_id"].map(by_bill)).fillna(_texts(items["line_item_id"].map(of_items)))

    result["accounts"] = _with_reason(accounts, account_reason)
    result["bills"] = _with_reason(bills, bill_reason)
    result["usage"] = _with_reason(usage, usage_reason)
    result["line_items"] = _with_reason(items, item_reason)
    return result


def _reason_of_accounts(accounts: pd.DataFrame) -> pd.Series[str]:
    duplicate = accounts["duplicate"].fillna(False).astype(bool)
    told = map(why_not_counted, accounts["status"], accounts["tracking"], duplicate)
    return _texts(pd.Series(list(told), index=accounts.index, dtype="object"))


def _reason_of_periods(usage: pd.DataFrame, span: Span) -> pd.Series[str]:
    start, end = (usage[name].to_numpy().astype("datetime64[D]") for name in ("start_date", "end_date"))
    reason = np.full(len(usage), None, dtype=object)
    if not span.holds(start, end).all():
        reason[end < start] = BACKWARD
        reason[span.misses(start, end)] = span.outside
    return _texts(pd.Series(reason, index=usage.index))


def _shared_reason(relation: pd.DataFrame, key: str, by_account: pd.Series[str]) -> pd.Series[str]:
    """Return the reason of each key whose accounts are all known not to count; the first of theirs."""
    known = relation[relation["account_id"].notna() & relation[key].notna()]
    reasons = _texts(known["account_id"].map(by_account[~by_account.index.duplicated()]))
    counts = reasons.isna().groupby(known[key]).any()
    first = reasons.groupby(known[key]).first()
    return _texts(first[~counts.reindex(first.index)])


def _refuse_circles(bills: pd.DataFrame) -> None:
    revised = bills[bills["superseded_by"].notna()].drop_duplicates("bill_id")
    found = circle(dict(zip(revised["bill_id"].tolist(), revised["superseded_by"].tolist(), strict=True)))
    if found:
        raise _circle(found)


def _circle(bills: list[str]) -> DataError:
    shown = [*bills[:_MOST_SHOWN], *(["…"] if len(bills) > _MOST_SHOWN else []), bills[0]]
    return DataError(
        f"Bills supersede each other in a circle: {' → '.join(shown)}.",
        advice="None of them can be the newest; ask Nectar's support about these bills.",
    )


def _texts(values: pd.Series) -> pd.Series[str]:
    return values.astype(TEXT)


def _with_reason(frame: pd.DataFrame, reason: pd.Series[str]) -> pd.DataFrame:
    return frame.assign(counts=reason.isna().astype("boolean"), counts_reason=reason)

"""Which account and connection each bill came from, in the documented order.

A bill names neither. Asked in this order, the first that answers decides: the accounts of its line items, the
account of its usage's meters, membership in a connection's own list of bills.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from nectar_notebooks.schema.tables import TABLES
from nectar_notebooks.tables.folding import shaped

__all__ = ["resolve_bill_accounts"]

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
    """Return `bill_accounts`: a row per bill and account; a bill that cannot be placed is one row with its reason.

    Parameters
    ----------
    bills, line_items, line_item_accounts, usage, meters, accounts : DataFrame
        As `schema.tables` says; meters with their accounts, so far as they are known.
    walked : DataFrame, optional
        ``connection_id`` and ``bill_id``: the bills of each connection's own list, where these were asked.

    Returns
    -------
    DataFrame
        Columns of table bill_accounts, bills in their own order. The account is missing where only the connection
        is known, the connection where the account is behind none.
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

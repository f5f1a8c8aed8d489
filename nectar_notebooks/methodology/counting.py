"""Which rows count: superseded bills, accounts known not to count, and what stands on them.

Rows are never removed here: `counts` and `counts_reason`, which are derived and not the API's, say which are
left out of sums and why. What a row that counts is worth is decided in `adjustments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.checks import TEXT, counted, distinct, flags, require, text
from nectar_notebooks.schema.accounts import NOT_DUPLICATE, why_not_counted
from nectar_notebooks.schema.revisions import circle

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.schema.portfolio import Portfolio

    Flags = npt.NDArray[np.bool_]

__all__ = ["by_accounts", "by_bills", "count_accounts", "count_bills", "leave_out", "refuse_doubled"]

#: Tables of which a doubled row would be summed twice, or would say two things of one object.
_DISTINCT: Final = {
    "companies": "company_id",
    "sites": "site_id",
    "accounts": "account_id",
    "meters": "meter_id",
    "bills": "bill_id",
    "usage": "usage_id",
}


def refuse_doubled(portfolio: Portfolio) -> None:
    """Raise `DataError` where an object stands on several rows of its table."""
    for name, key in _DISTINCT.items():
        distinct(getattr(portfolio, name), key, name)


def leave_out(frame: pd.DataFrame, rows: Flags, reason: str | pd.Series) -> pd.DataFrame:
    """Return the frame with `rows` not counting for `reason`; what did not count before keeps its reason."""
    before = counted(frame, "frame")
    now = before & rows
    if not now.any():
        return frame
    old = text(frame, "counts_reason")
    new = pd.Series(reason, index=frame.index, dtype=TEXT) if isinstance(reason, str) else reason
    counts = pd.array(before & ~rows, dtype="boolean")
    return frame.assign(counts=counts, counts_reason=old.where(~now, new))


def count_bills(bills: pd.DataFrame, *, flagged: bool = True) -> pd.DataFrame:
    """Return the bills with superseded ones, and flagged ones unless `flagged`, not counting.

    Raises
    ------
    DataError
        Bills that supersede each other in a circle, by their ids.
    """
    require(bills, ("bill_id",), "bills")
    successor = text(bills, "superseded_by")
    superseded = successor.notna().to_numpy()
    if superseded.any():
        _refuse_cycles(dict(zip(text(bills, "bill_id")[superseded], successor[superseded], strict=True)))
        bills = leave_out(bills, superseded, "superseded")
    if not flagged:
        bills = leave_out(bills, flags(bills, "flagged", "bills", missing=False), "open issue")
    return bills


def _refuse_cycles(successor: dict[str, str]) -> None:
    found = circle(successor)
    if found:
        raise DataError(
            f"bills: {', '.join(sorted(found))} supersede each other in a circle, so none is the newest.",
            advice="Correct superseded_by on one of them.",
        )


def count_accounts(accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts with those known not to count: detected only, not tracked, duplicated."""
    require(accounts, ("account_id",), "accounts")
    # a text of any other kind, such as another account's id, says that it is one
    duplicate = text(accounts, "duplicate").str.strip().str.lower()
    repeated = duplicate.notna() & ~duplicate.isin(NOT_DUPLICATE)
    told = map(why_not_counted, text(accounts, "status"), text(accounts, "tracking"), repeated)
    reason = pd.Series(list(told), index=accounts.index, dtype=TEXT)
    return leave_out(accounts, reason.notna().to_numpy(), reason)


def by_bills(frame: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Return usage records or line items with those on a bill that does not count not counting either."""
    silent = ~counted(bills, "bills")
    if not silent.any():
        return frame
    return _follow(frame, text(frame, "bill_id"), bills[silent], "bill_id")


def by_accounts(frame: pd.DataFrame, key: str, relation: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with rows not counting of which no account counts.

    `relation` says which `account_id` each `key` has; a key without an account counts.
    """
    silent = accounts[~counted(accounts, "accounts")]
    named = pd.DataFrame({key: text(relation, key), "account_id": text(relation, "account_id")}).dropna()
    if silent.empty or named.empty:
        return frame
    named["silent"] = named["account_id"].isin(text(silent, "account_id"))
    named = named.sort_values(["silent", key, "account_id"]).drop_duplicates(key)  # one that counts comes first
    named = named[named["silent"]]
    reasons = pd.Series(
        text(silent, "counts_reason").to_numpy(), index=pd.Index(text(silent, "account_id")), dtype=TEXT
    )
    named["counts_reason"] = named["account_id"].map(reasons)
    return _follow(frame, text(frame, key), named, key)


def _follow(frame: pd.DataFrame, ids: pd.Series, silent: pd.DataFrame, key: str) -> pd.DataFrame:
    reasons = pd.Series(
        text(silent, "counts_reason").fillna("does not count").to_numpy(), index=pd.Index(text(silent, key)), dtype=TEXT
    )
    reason = ids.map(reasons[~reasons.index.duplicated()]).astype(TEXT)
    return leave_out(frame, reason.notna().to_numpy(), reason)

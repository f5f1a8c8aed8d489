"""Which rows count: superseded bills, accounts known not to count, what stands on them, periods that cannot be.

Rows are never removed here: `counts` and `counts_reason`, which are derived and not the API's, say which are
left out of sums and why; the rules of accounts and periods and their words stand in `schema`. What a row that counts
is worth is decided in `adjust`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology.frames import TEXT, counted, days, distinct, flags, require, text
from nectar_notebooks.schema.accounts import NOT_DUPLICATE, why_not_counted
from nectar_notebooks.schema.periods import BACKWARD, Span, of_period
from nectar_notebooks.schema.revisions import SUPERSEDED, circle

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt

    from nectar_notebooks.schema.periods import Plausible
    from nectar_notebooks.schema.portfolio import Portfolio

    Flags = npt.NDArray[np.bool_]

__all__ = [
    "by_accounts",
    "by_bills",
    "count_accounts",
    "count_bills",
    "count_periods",
    "counted_but_for_period",
    "forget_periods",
    "leave_out",
    "refuse_circles",
    "refuse_doubled",
    "span_of",
]

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
    """Return the frame with `rows` not counting for `reason`; what did not count before keeps its reason.

    But for a wrong period: that alone takes no meter off its bill, so any other reason is told instead of it.
    """
    before = counted(frame, "frame")
    now = counted_but_for_period(frame, "frame") & rows
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
    refuse_circles(bills)
    bills = leave_out(bills, text(bills, "superseded_by").notna().to_numpy(), SUPERSEDED)
    if not flagged:
        bills = leave_out(bills, flags(bills, "flagged", "bills", missing=False), "open issue")
    return bills


def refuse_circles(bills: pd.DataFrame) -> None:
    """Raise `DataError` where bills supersede each other in a circle."""
    successor = text(bills, "superseded_by")
    superseded = successor.notna().to_numpy()
    if not superseded.any():
        return
    found = circle(dict(zip(text(bills, "bill_id")[superseded], successor[superseded], strict=True)))
    if found:
        raise DataError(
            f"bills: {', '.join(sorted(found))} supersede each other in a circle, so none is the newest.",
            advice="Correct superseded_by on one of them.",
        )


def count_accounts(accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the accounts with those known not to count: detected only, inactive, not tracked, duplicated."""
    require(accounts, ("account_id",), "accounts")
    # a text of any other kind, such as another account's id, says that it is one
    duplicate = text(accounts, "duplicate").str.strip().str.lower()
    repeated = duplicate.notna() & ~duplicate.isin(NOT_DUPLICATE)
    told = map(why_not_counted, text(accounts, "status"), text(accounts, "tracking"), repeated)
    reason = pd.Series(list(told), index=accounts.index, dtype=TEXT)
    return leave_out(accounts, reason.notna().to_numpy(), reason)


def count_periods(frame: pd.DataFrame, span: Span | None = None, what: str = "usage") -> pd.DataFrame:
    """Return usage records, or charges, with those of a period that cannot be not counting.

    Only these and no others: what a former answer left out because of its period counts again where `span` holds it.
    A row without a start is not judged, and a missing end is the start.

    Parameters
    ----------
    span : Span, optional
        Default: the one that `Span.of` gives.
    """
    span = Span.of() if span is None else span
    frame = forget_periods(frame, what)
    before = counted(frame, what)
    judged = frame if before.all() else frame[before]
    start, end = days(judged, "start_date", what), days(judged, "end_date", what)
    if span.holds(start, end).all():
        return frame
    outside = span.misses(start, end)
    for wrong, reason in ((outside, span.outside), ((end < start) & ~outside, BACKWARD)):
        rows = before.copy()
        rows[before] = wrong
        frame = leave_out(frame, rows, reason)
    return frame


def forget_periods(frame: pd.DataFrame, what: str = "usage") -> pd.DataFrame:
    """Return usage records with those counting again that were left out for their period alone."""
    before = counted(frame, what)
    again = ~before & _left_out_by_period(frame)
    if not again.any():
        return frame
    reason = text(frame, "counts_reason").mask(pd.Series(again, frame.index))
    return frame.assign(counts=pd.array(before | again, dtype="boolean"), counts_reason=reason)


def span_of(plausible: Plausible | None, data: object = None) -> Span:
    """Return the days that periods may have, by a portfolio's day where `data` is one."""
    asked: datetime | None = getattr(data, "as_of", None)
    return Span.of(plausible, None if asked is None else asked.date())


def counted_but_for_period(frame: pd.DataFrame, what: str) -> Flags:
    """Return which rows count, or would but for their period: a wrong date takes no meter off a bill."""
    kept = counted(frame, what)
    return kept if kept.all() else kept | _left_out_by_period(frame)


def _left_out_by_period(frame: pd.DataFrame) -> Flags:
    if "counts_reason" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    codes, reasons = pd.factorize(text(frame, "counts_reason"))
    return np.array([*map(of_period, reasons), False], dtype=bool)[codes]


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
    out = ~counted(accounts, "accounts")
    if not out.any():
        return frame
    silent = accounts[out]
    named = pd.DataFrame({key: text(relation, key), "account_id": text(relation, "account_id")}).dropna()
    if named.empty:
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

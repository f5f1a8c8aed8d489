"""How a number came about: a month's total piece by piece, a bill's charges meter by meter.

`explain` computes nothing of its own: it shows the pieces that `monthly` sums, so that an auditor can make them again
and add them up. It prepares the bills that it shows, which `scope` finds. Pictures of the same stand in `plots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError, NotFoundError
from nectar_notebooks.methodology.counting import refuse_circles
from nectar_notebooks.methodology.frames import TEXT, days, numbers, report, stack, text
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.monthly import KINDS, prepare, refuse_no_portfolio
from nectar_notebooks.methodology.options import Options, Words, options_of, short_form
from nectar_notebooks.methodology.scope import of_bill, of_month
from nectar_notebooks.methodology.time.records import read
from nectar_notebooks.methodology.time.spreading import pieces
from nectar_notebooks.schema.dates import first_day
from nectar_notebooks.schema.naming import BILL, SITE, find, named
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Collection

    from nectar_notebooks.methodology.monthly import Prepared
    from nectar_notebooks.methodology.time.calendar import Convention, SharedDay
    from nectar_notebooks.schema.dates import Day
    from nectar_notebooks.schema.naming import Given
    from nectar_notebooks.schema.periods import Plausible
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["bill_charges", "explain", "month_pieces"]

_MONTH_COLUMNS: Final = (
    "quantity", "kind", "site_id", "meter_id", "commodity", "subtype", "bill_id", "invoice_id", "account_number",
    "bill_date", "usage_id", "line_item_id", "description", "start_date", "end_date", "days", "of_days", "portion",
    "original", "weight", "weight_of", "weight_unit", "whole", "value", "unit", "method", "reason",
)  # fmt: skip
_MONTH_ORDER: Final = [
    "quantity", "site_id", "commodity", "subtype", "meter_id", "start_date", "bill_id", "line_item_id", "month",
]  # fmt: skip
_BILL_COLUMNS: Final = (
    "bill_id", "invoice_id", "account_number", "bill_date", "line_item_id", "description", "charge_type", "quantity",
    "quantity_unit", "rate", "line_amount", "meter_id", "site_id", "commodity", "subtype", "weight", "weight_of",
    "weight_unit", "share", "amount", "currency", "method", "reason", "start_date", "end_date",
)  # fmt: skip


@short_form
def explain(
    portfolio: Portfolio,
    *,
    month: Day | None = None,
    site: Given | None = None,
    bill: Given | None = None,
    options: Options | None = None,
    **words: Unpack[Words],
) -> pd.DataFrame:
    """Show how a month's total is built, or where one bill's money went.

    Parameters
    ----------
    portfolio : Portfolio
        A company's tables.
    month : month or day
        A month to explain, of one `site` or of all: "2024-01" or any day of it, as text, date, timestamp or
        period.
    site : str or row, optional
        Id, external id or name of a site, or a row of the sites.
    bill : str or row, optional
        A bill to explain, in place of a month: its id, its invoice id, or a row of the bills.
    options : Options, optional
        As given to :func:`monthly`, so that the numbers are the same.
    **words
        The fields of :class:`Options` as keywords.

    Returns
    -------
    DataFrame
        For a month: one row for each piece that falls into it. `quantity` (usage, cost or finance), `kind` (as
        in :func:`monthly`), `site_id`, `meter_id`, `commodity`, `subtype`, `bill_id` with its `invoice_id`,
        `account_number` (the accounts that the line item names, else the meter's; an id where it has no number) and
        `bill_date`, `usage_id` or `line_item_id` with its `description`, `start_date` and `end_date` of the record,
        `days` of it in the month, `of_days` in all, `portion` (days over of_days), `original` (the record's usage or
        the line item's amount as the bill says it), `weight` of `weight_of` in `weight_unit` (by what a charge was
        shared: a usage, a currency where it follows other charges, or ``meters``), `whole` (what of it was spread:
        adjusted, or this meter's part), `value` (in the month), `unit` (of usage, or the currency), `method` and
        `reason`. The values of one quantity and unit sum to what :func:`monthly` shows.

        For a bill: one row per line item and who pays it, as :func:`attribute`, with invoice, account, bill date and
        weights as above and the line item's `description`, `quantity`, `quantity_unit`, `rate` and `line_amount`:
        `amount` is `line_amount` × `weight` ÷ `weight_of`, rounded so that the parts sum to it. A bill that does not
        count, and so is in no total, shows its line items with the method ``left out`` and the reason.

        ``attrs["nectar"]`` says how many of the rows that were looked at were left out, by table and reason.

    Raises
    ------
    InvalidRequestError
        Neither or both of a month and a bill, a month that cannot be read, or one into which nothing falls: the
        first and the last month are named. A name that fits several sites, which are listed; a row of something else.
    NotFoundError
        No such bill or site.
    DataError
        As :func:`monthly`.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect()
    >>> portfolio = nectar.portfolio(nectar.companies()["company_id"].iloc[0])
    >>> pieces = nn.explain(portfolio, month="2024-01")
    """
    if (month is None) == (bill is None):
        raise InvalidRequestError("explain needs a month or a bill.", advice="Give month= (and site=), or bill=.")
    refuse_no_portfolio(portfolio)
    refuse_circles(portfolio.bills)

    how = options_of(options, words)
    implied_sewer, convention, shared_day, spot = how.implied_sewer, how.convention, how.shared_day, how.spot

    def prepared(part: Portfolio) -> Prepared:
        return prepare(part, how, weights=True)

    if month is None:
        bill_id = _bill(portfolio, bill)
        part = of_bill(portfolio, bill_id, implied=implied_sewer)
        return bill_charges(part, prepared(part), bill_id)
    first = first_day(month, "month").replace(day=1)
    site_id = None if site is None else find(site, SITE, portfolio.sites, where="here")
    part = of_month(portfolio, first, site_id, shared_day=shared_day, implied=implied_sewer)
    ready = prepared(part)
    result = _of_site(month_pieces(part, ready, convention, month=first, shared_day=shared_day, spot=spot), site_id)
    if result.empty:
        every = month_pieces(portfolio, prepared(portfolio), convention, shared_day=shared_day, spot=spot)
        raise _nothing(first, _of_site(every, site_id)["month"], site if isinstance(site, str) else site_id)
    result = result.drop(columns="month").reset_index(drop=True)
    return report(result, "explain", ready.left_out, month=str(first.date()), convention=convention)


def month_pieces(
    portfolio: Portfolio,
    ready: Prepared,
    convention: Convention = "inclusive",
    *,
    month: pd.Timestamp | None = None,
    shared_day: SharedDay = "keep",
    spot: Collection[str] = HAULED,
) -> pd.DataFrame:
    """Return what `explain` shows of a month, for one month or for all, with `month` in front.

    `ready` may hold some bills of the portfolio only: each record is spread by itself, unless a shared day is
    given to the later bill.
    """
    plausible = (ready.span.first, ready.span.last)
    parts = [_pieces(ready.usage, "attributed", month, convention, shared_day, spot, plausible)]
    for kind in KINDS:
        charges = ready.charges[ready.charges["kind"] == kind]
        if len(charges):
            parts.append(_pieces(charges, kind, month, convention, shared_day, spot, plausible))
    result = _papers(_originals(stack(parts), portfolio), portfolio)
    return result[["month", *_MONTH_COLUMNS]].sort_values(_MONTH_ORDER, kind="stable", ignore_index=True)


def _of_site(found: pd.DataFrame, site_id: str | None) -> pd.DataFrame:
    return found if site_id is None else found[found["site_id"].eq(site_id).to_numpy(dtype=bool)]


def _nothing(month: pd.Timestamp, months: pd.Series, site: str | None) -> InvalidRequestError:
    """Return what to say of a month without a piece; `months` are those of the pieces there are."""
    whose = "this portfolio" if site is None else f"site {site!r}"
    known = months.dropna()
    if known.empty:
        return InvalidRequestError(
            f"Nothing of {whose} falls into {month:%Y-%m}, or into any other month.",
            advice="Check with nn.completeness what was collected, and frame.attrs['nectar'] of nn.monthly for what"
            " is left out.",
        )
    first, last = known.min(), known.max()
    between = " nn.completeness says which months between them are missing." if first < month < last else ""
    return InvalidRequestError(
        f"Nothing of {whose} falls into {month:%Y-%m}: its months are {first:%Y-%m} to {last:%Y-%m}.",
        advice=f"Give one of these months.{between}",
    )


def _bill(portfolio: Portfolio, bill: object) -> str:
    """Return the id of a bill; one that its line items alone tell is known by these."""
    wanted = named(bill, BILL)
    try:
        return find(bill, BILL, portfolio.bills, where="here")
    except NotFoundError:
        if not text(portfolio.line_items, "bill_id").eq(wanted.text).any():
            raise
    return wanted.text


def _pieces(
    records: pd.DataFrame,
    kind: str,
    month: pd.Timestamp | None,
    convention: Convention,
    shared_day: SharedDay,
    spot: Collection[str],
    plausible: Plausible,
) -> pd.DataFrame:
    """Return the pieces of records that fall into a month, or into any, each beside its record."""
    dated, _, _ = read(records, convention, shared_day, spot, "explain", plausible=plausible)
    found = pieces(dated)
    if month is not None:
        found = found[found["month"].eq(month).to_numpy(dtype=bool)].reset_index(drop=True)
    beside = records.iloc[found["row"].to_numpy()].reset_index(drop=True)
    charges = "amount" in records and "usage" not in records
    quantity = "usage" if not charges else "finance" if kind == "finance" else "cost"
    out = {
        name: text(beside, name)
        for name in (
            "site_id", "meter_id", "commodity", "subtype", "bill_id", "usage_id", "line_item_id", "method",
            "weight_unit",
        )
    }  # fmt: skip
    reason = text(beside, "reason" if charges else "adjustment")
    return pd.DataFrame(
        {
            "month": found["month"],
            "quantity": pd.Series(quantity, found.index, dtype=TEXT),
            "kind": pd.Series(kind, found.index, dtype=TEXT),
            **out,
            "start_date": beside["start_date"],
            "end_date": beside["end_date"],
            "days": found["days"],
            "of_days": found["of_days"],
            "portion": found["days"] / found["of_days"],
            "weight": numbers(beside, "weight", "explain"),
            "weight_of": numbers(beside, "weight_of", "explain"),
            "whole": numbers(beside, "amount" if charges else "usage", "explain"),
            "value": found["cost" if charges else "usage"],
            "unit": text(beside, "currency" if charges else "unit"),
            "reason": reason,
        }
    )


def _originals(result: pd.DataFrame, portfolio: Portfolio) -> pd.DataFrame:
    """Add what the bill says: the record's raw usage, the line item's amount and words, a bill's charges."""
    original = np.full(len(result), np.nan)
    description = pd.Series(np.nan, result.index, dtype=TEXT)
    for key, frame, value in (
        ("usage_id", portfolio.usage, "usage"),
        ("line_item_id", portfolio.line_items, "amount"),
    ):
        place = places_in(result[key], text(frame, key))
        told = np.append(numbers(frame, value, key), np.nan)[place]
        original = np.where(place >= 0, told, original)
        words = pd.Series(text(frame, "description").array.take(place, allow_fill=True), result.index, dtype=TEXT)
        description = description.fillna(words)
    original = np.where(np.isnan(original), result["whole"], original)  # implied records and residuals have none
    return result.assign(original=original, description=description)


def _papers(result: pd.DataFrame, portfolio: Portfolio) -> pd.DataFrame:
    """Add what an auditor looks a row up by: its bill's invoice number and date, its account's number."""
    bill = places_in(result["bill_id"], text(portfolio.bills, "bill_id"))
    invoice = pd.Series(text(portfolio.bills, "invoice_id").array.take(bill, allow_fill=True), result.index, dtype=TEXT)
    when = np.append(days(portfolio.bills, "bill_date", "bills"), np.datetime64("NaT"))[bill]
    numbers_of = text(portfolio.accounts, "account_number").fillna(text(portfolio.accounts, "account_id"))

    def named(accounts: pd.Series) -> pd.Series:
        place = places_in(accounts, text(portfolio.accounts, "account_id"))
        found = pd.Series(numbers_of.array.take(place, allow_fill=True), accounts.index, dtype=TEXT)
        return found.fillna(accounts)

    related = portfolio.line_item_accounts
    own = pd.DataFrame({"item": text(related, "line_item_id"), "number": named(text(related, "account_id"))}).dropna()
    own = own[own["item"].isin(result["line_item_id"])].sort_values(["item", "number"]).drop_duplicates()
    joined = own.groupby("item")["number"].agg(" / ".join)
    meter = places_in(result["meter_id"], text(portfolio.meters, "meter_id"))
    of_meter = text(portfolio.meters, "account_id").array.take(meter, allow_fill=True)
    account = result["line_item_id"].map(joined).astype(TEXT)
    account = account.fillna(named(pd.Series(of_meter, result.index, dtype=TEXT)))
    return result.assign(invoice_id=invoice, bill_date=when.astype("datetime64[us]"), account_number=account)


def bill_charges(portfolio: Portfolio, ready: Prepared, bill: str) -> pd.DataFrame:
    """Return what `explain` shows of a bill."""
    known = portfolio.bills[text(portfolio.bills, "bill_id").eq(bill).to_numpy(dtype=bool)]
    items = portfolio.line_items[text(portfolio.line_items, "bill_id").eq(bill).to_numpy(dtype=bool)]
    if known.empty and items.empty:
        raise NotFoundError(f"No bill has the id {bill!r}.")
    rows = ready.charges[ready.charges["bill_id"].eq(bill).to_numpy(dtype=bool)].reset_index(drop=True)
    silent = items[~text(items, "line_item_id").isin(rows["line_item_id"]).to_numpy(dtype=bool)]
    if not silent.empty:
        rows = pd.concat([rows, _silent(silent, ready.bills, rows)], ignore_index=True)
    place = places_in(rows["line_item_id"], text(items, "line_item_id"))
    beside = {
        name: pd.Series(text(items, name).array.take(place, allow_fill=True), rows.index, dtype=TEXT)
        for name in ("description", "quantity_unit")
    }
    figures = {
        column: np.append(numbers(items, name, "line_items"), np.nan)[place]
        for column, name in (("quantity", "quantity"), ("rate", "rate"), ("line_amount", "amount"))
    }
    result = _papers(rows.assign(**beside, **figures), portfolio)[list(_BILL_COLUMNS)]
    return report(result, "explain", {}, bill=bill)


def _silent(items: pd.DataFrame, bills: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return line items that are in no total, with the reason."""
    of_bill = places_in(text(items, "bill_id"), text(bills, "bill_id"))
    told = pd.Series(text(bills, "counts_reason").array.take(of_bill, allow_fill=True), items.index, dtype=TEXT)
    reason = text(items, "counts_reason").fillna(told).fillna("its account does not count")
    rows = pd.DataFrame({name: pd.Series(np.nan, items.index, dtype=dtype) for name, dtype in like.dtypes.items()})
    return rows.assign(
        bill_id=text(items, "bill_id"),
        line_item_id=text(items, "line_item_id"),
        charge_type=text(items, "charge_type"),
        currency=text(items, "currency"),
        method=pd.Series("left out", items.index, dtype=TEXT),
        reason=reason,
    )

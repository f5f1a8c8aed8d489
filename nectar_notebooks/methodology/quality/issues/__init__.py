"""Issues: what in a portfolio somebody should act on, or look at, and what to do about it.

One row a finding, in two levels. The checks stand in families: `values` (single values), `in_time` (records of
a meter along time), `on_bills` (money, dates, revisions), `repeats` (cancellations), `prices` (rates, unit prices),
`matching` (accounts, meters, units). Findings only describe: nothing is corrected here. What only Nectar can see,
such as an illegible scan, comes from the flags on its bills; what is unusual but not wrong (spikes, late fees) is
for `anomalies`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.frames import PORTFOLIO, report, require
from nectar_notebooks.methodology.keys import coded
from nectar_notebooks.methodology.quality.completeness import holes
from nectar_notebooks.methodology.quality.issues.evidence import COLUMNS, Evidence, lenient_numbers
from nectar_notebooks.methodology.quality.issues.in_time import along_time
from nectar_notebooks.methodology.quality.issues.kinds import ACTION, KINDS, REVIEW, Kind
from nectar_notebooks.methodology.quality.issues.matching import matching
from nectar_notebooks.methodology.quality.issues.on_bills import on_bills
from nectar_notebooks.methodology.quality.issues.prices import prices
from nectar_notebooks.methodology.quality.issues.repeats import cancellations, not_netted
from nectar_notebooks.methodology.quality.issues.values import values
from nectar_notebooks.methodology.quality.register import with_accounts
from nectar_notebooks.methodology.time.window import today_number
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACTION", "KINDS", "REVIEW", "Kind", "issues"]

#: Columns of usage records that several of the checks group by.
_KEYS: Final = ("meter_id", "site_id", "commodity", "subtype", "utility", "unit", "net_metering")
_EPOCH: Final = date(1970, 1, 1).toordinal()


def issues(
    portfolio: Portfolio | pd.DataFrame,
    *,
    bills: pd.DataFrame | None = None,
    line_items: pd.DataFrame | None = None,
    bill_accounts: pd.DataFrame | None = None,
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    connections: pd.DataFrame | None = None,
    companies: pd.DataFrame | None = None,
    today: str | date | None = None,
    estimated_run: int = 2,
    expected: str | Mapping[str, str] | None = None,
    grace: int = 45,
    price_factor: float = 2.0,
) -> pd.DataFrame:
    """List what is wrong, or looks wrong, in a portfolio.

    Parameters
    ----------
    portfolio : Portfolio or DataFrame
        A portfolio, or usage records alone: ``usage_id``, ``meter_id``, ``start_date``, ``end_date``,
        ``usage``; used where they stand: ``bill_id``, ``site_id``, ``commodity``, ``subtype``, ``unit``,
        ``estimated``, ``exclusion``, ``net_metering``, ``counts``.
    bills, line_items, bill_accounts, meters : DataFrame, optional
        The tables of that name, beside usage records alone. A check whose table is not there is not made.
    accounts, sites, connections, companies : DataFrame, optional
        The tables of that name: they say since when and until when bills are expected, as for `completeness`.
    today : day, optional
        Default: the day on which a portfolio was answered, else the system's day. Records before 1990, or beyond the
        end of the year after it, have an absurd date.
    estimated_run : int, default 2
        From how many estimated records in a row on a run is listed.
    expected, grace
        How often bills are expected, and for how many days they may still come, as `completeness` takes them. Each
        row of `holes` is a finding of the kind "gap", and no other is.
    price_factor : float, default 2
        A unit price is listed when it is more than this many times, or less than this part of, what the unit
        cost on the meter's up to twelve bills before and on those after (three or more; the median).

    Returns
    -------
    DataFrame
        One row a finding: ``kind`` (see `KINDS`), ``level`` ("action required" or "review"), ``site_id,
        account_id, meter_id, bill_id, other_bill_id, usage_id`` as far as it concerns one, ``start_date,
        end_date`` (the days concerned), ``found`` (what was found, with numbers), ``to_do``. Sorted by level
        and kind. Rows that do not count are not looked at, except for a superseded bill that still counts.

    Raises
    ------
    DataError
        A missing column, a text where a date or a number should be.

    Notes
    -----
    Sources: Nectar's issue list (potential duplicate = overlapping dates of one account, duplicate usage,
    unmatched account, no usage, account and meter mismatch). Ours: two bills are a *potential duplicate* when
    they share more than half of the shorter period of a meter, less is an *overlap*; one shared day at the
    boundary is neither: it is summed up once a meter, or once for the frame where most periods share theirs.
    A *repeated bill* is equal in dates, usage and charges. A bill that takes another back exactly is neither a
    duplicate nor a finding. Quantity × rate may differ from an amount by half a unit of the last decimal of each
    (the rate has cents at least); of that a rounded rate explains no more than 0.5 % of the product, or 0.50, unless
    more than half of three or more lines of that charge show it rounded. An amount against the sign of quantity ×
    rate is a finding too, but for credits (by charge type or words) and cancellations. Tiers need only agree
    together. A unit price is taken from supply and
    delivery charges, where line items name them; all charges of a bill, which may hold fixed ones, are far only
    if they are so for the larger, or smaller, of its usage and the usual one.

    Examples
    --------
    >>> usage = pd.DataFrame({"usage_id": ["a", "b"], "meter_id": ["M", "M"], "usage": [310.0, 290.0],
    ...                       "start_date": ["2024-01-01", "2024-03-01"], "end_date": ["2024-01-31", "2024-03-29"]})
    >>> issues(usage, today="2024-05-01")[["kind", "found"]].values.tolist()
    [['gap', '29 days from 2024-02-01 to 2024-02-29 are on no bill of this meter']]
    """
    if estimated_run < 1:
        raise InvalidRequestError(f"estimated_run={estimated_run} must be at least 1.")
    day = today_number(today, portfolio)
    needed = ("usage_id", "meter_id", "start_date", "end_date", "usage")
    if not isinstance(portfolio, Portfolio):
        require(portfolio, needed, "The frame given to issues", instead=PORTFOLIO)
    if isinstance(portfolio, Portfolio):
        portfolio = replace(portfolio, usage=coded(portfolio.usage, _KEYS))
    else:
        portfolio = coded(portfolio, _KEYS)
    usage = portfolio.usage if isinstance(portfolio, Portfolio) else with_accounts(portfolio, bill_accounts)
    usage = usage.assign(usage=np.nan_to_num(lenient_numbers(usage, "usage"), nan=np.nan, posinf=0.0, neginf=0.0))
    missing = holes(
        replace(portfolio, usage=usage) if isinstance(portfolio, Portfolio) else usage,
        meters=meters, accounts=accounts, sites=sites, connections=connections, companies=companies,
        expected=expected, grace=grace,
        today=date.fromordinal(day + _EPOCH),
    )  # fmt: skip
    if isinstance(portfolio, Portfolio):
        bills = portfolio.bills if bills is None else bills
        line_items = portfolio.line_items if line_items is None else line_items
        bill_accounts = portfolio.bill_accounts if bill_accounts is None else bill_accounts
        meters = portfolio.meters if meters is None else meters
        portfolio = portfolio.usage
    if price_factor <= 1:
        raise InvalidRequestError(f"price_factor={price_factor} must be above 1.")
    evidence = Evidence(portfolio, bills, line_items, bill_accounts, meters, day, missing)
    cancelled = cancellations(evidence)
    parts = [*values(evidence), *along_time(evidence, estimated_run, cancelled.bills)]
    parts += [*on_bills(evidence, cancelled.bills), *not_netted(evidence, cancelled)]
    parts += [*prices(evidence, price_factor, cancelled.bills), *matching(evidence)]
    found = [part for part in parts if len(part)]
    result = pd.concat(found, ignore_index=True) if found else evidence.found("gap", [])
    rank = result["kind"].map({name: place for place, name in enumerate(KINDS)})
    keys = ["level", "rank", "site_id", "meter_id", "bill_id", "usage_id", "start_date", "found"]
    result = result.assign(rank=rank).sort_values(keys, kind="stable", ignore_index=True)
    tables = {"bills": bills, "line_items": line_items, "bill_accounts": bill_accounts, "meters": meters}
    absent = ", ".join(name for name, table in tables.items() if table is None)
    return report(result[list(COLUMNS)], "issues", {}, not_looked_at=absent or None)

"""Which rows of a portfolio a bill, or a month, needs, so that a question about few bills prepares few.

What is said of a bill follows from the rows that stand on it, from its accounts with all of their meters, and from
few rows besides: the records of a meter that no table knows, the water meters of an account that implies sewer, the
bill that begins on the day another one ends. Nothing is computed here, and what is asked of the rows that are returned
has the answer that the whole portfolio gives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.frames import days, flags, text
from nectar_notebooks.methodology.keys import places_in

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.time.calendar import SharedDay
    from nectar_notebooks.schema.portfolio import Portfolio

    Truth = npt.NDArray[np.bool_]

__all__ = ["of_bill", "of_month"]

#: A missing day.
_NEVER: Final = int(np.iinfo(np.int64).min)


def of_bill(portfolio: Portfolio, bill: str, *, implied: bool | float | None) -> Portfolio:
    """Return the portfolio with the rows that say what becomes of one bill's charges."""
    return _of_bills(portfolio, pd.Index([bill]), _implies(portfolio, implied))


def of_month(
    portfolio: Portfolio, month: pd.Timestamp, site: str | None, *, shared_day: SharedDay, implied: bool | float | None
) -> Portfolio:
    """Return the portfolio with the bills that reach into a month, of one site or of all, and what these need."""
    usage, ids = portfolio.usage, text(portfolio.bills, "bill_id")
    place, day = _dates(portfolio, ids)
    inside = _reaching(place, day, len(ids), month)
    if shared_day == "later":  # a bill that begins on another's last day takes that day away, whatever month it is in
        meets = np.isin(day, day[inside[place]]) & (day != _NEVER)
        inside[:-1] |= np.bincount(place[meets], minlength=len(ids) + 1)[:-1] > 0
    near = inside[place[: len(usage)]]
    named = pd.Index(pd.concat([ids[inside[:-1]], text(usage, "bill_id")[near].dropna()]).unique())
    if site is not None:
        named = named.intersection(_billed_at(portfolio, site, named))
    bare = near & text(usage, "bill_id").isna().to_numpy()
    return _of_bills(portfolio, named, _implies(portfolio, implied), bare=bare)


def _dates(portfolio: Portfolio, ids: pd.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all dates of usage records and bills, each with its bill; one past the last where it is in no table."""
    at = places_in(text(portfolio.usage, "bill_id"), ids)
    at = np.where(at < 0, len(ids), at)
    own = np.arange(len(ids))
    parts = [(at, days(portfolio.usage, name, "usage")) for name in ("start_date", "end_date")]
    parts += [(own, days(portfolio.bills, name, "bills")) for name in ("start_date", "end_date", "bill_date")]
    return np.concatenate([one for one, _ in parts]), np.concatenate([day.astype(np.int64) for _, day in parts])


def _reaching(place: npt.NDArray[np.int64], day: npt.NDArray[np.int64], bills: int, month: pd.Timestamp) -> Truth:
    """Say which bills have dates on both sides of a day of the month, or in it; and yes of what is in no table."""
    first, last = (int(np.datetime64(one, "D").astype(np.int64)) for one in (month, month + pd.offsets.MonthEnd(0)))
    known = day != _NEVER
    before = np.bincount(place[known & (day <= last)], minlength=bills + 1) > 0
    after = np.bincount(place[known & (day >= first)], minlength=bills + 1) > 0
    inside = np.asarray(before & after)
    inside[-1] = True
    return inside


def _billed_at(portfolio: Portfolio, site: str, bills: pd.Index[str]) -> pd.Index[str]:
    """Return those bills that charge a meter of the site: one with usage, one named, one of an account they name."""
    meters = portfolio.meters
    at_site = _eq(portfolio.usage, "site_id", site)
    ids = _ids(meters, "meter_id", _eq(meters, "site_id", site)).union(_ids(portfolio.usage, "meter_id", at_site))
    accounts = _ids(meters, "account_id", _rows(meters, "meter_id", ids))
    of_meter = at_site | _rows(portfolio.usage, "meter_id", ids)
    items = portfolio.line_items[_rows(portfolio.line_items, "bill_id", bills)]
    related = portfolio.line_item_accounts
    of_account = _ids(related, "line_item_id", _rows(related, "account_id", accounts))
    items = items[_rows(items, "meter_id", ids) | _rows(items, "line_item_id", of_account)]
    return _ids(portfolio.usage, "bill_id", of_meter).union(_ids(items, "bill_id"))


def _eq(frame: pd.DataFrame, name: str, value: str) -> Truth:
    return text(frame, name).eq(value).to_numpy(dtype=bool)


def _implies(portfolio: Portfolio, implied: bool | float | None) -> bool:
    """Say whether sewer may be implied: then an account has meters that only its bills tell."""
    if implied is not None:
        return implied is not False
    return bool(flags(portfolio.companies, "implied_metering_enabled", "companies", missing=False).any())


def _of_bills(portfolio: Portfolio, bills: pd.Index[str], implies: bool, *, bare: Truth | None = None) -> Portfolio:
    """Return the rows of these bills (and the `bare` usage records, that name none) with all they need."""
    items = _only(portfolio.line_items, "bill_id", bills)
    of_items = _only(portfolio.line_item_accounts, "line_item_id", _ids(items, "line_item_id"))
    of_bills = _only(portfolio.bill_accounts, "bill_id", bills)
    taken = _rows(portfolio.usage, "bill_id", bills)
    if bare is not None:
        taken = taken | bare
    used = _ids(portfolio.usage, "meter_id", taken)
    meters, ids = portfolio.meters, used.union(_ids(items, "meter_id"))
    named = _ids(meters, "account_id", _rows(meters, "meter_id", ids)).union(_ids(of_items, "account_id"))
    meters = _taken(meters, _rows(meters, "meter_id", ids) | _rows(meters, "account_id", named))
    if implies:  # whichever of these meters imply sewer do so on bills of theirs
        further = _ids(portfolio.usage, "bill_id", _rows(portfolio.usage, "meter_id", _ids(meters, "meter_id")))
        return _of_bills(portfolio, bills.union(further), implies=False, bare=bare)
    lacking = _lacking(meters, used)
    if len(lacking):
        taken = taken | _rows(portfolio.usage, "meter_id", lacking)
    demand = _only(portfolio.demand, "bill_id", bills)
    return replace(
        portfolio,
        accounts=_only(portfolio.accounts, "account_id", named.union(_ids(of_bills, "account_id"))),
        meters=meters,
        bills=_only(portfolio.bills, "bill_id", bills),
        bill_accounts=of_bills,
        usage=_taken(portfolio.usage, taken),
        line_items=items,
        line_item_accounts=of_items,
        demand=demand,
        demand_usage=_only(portfolio.demand_usage, "demand_id", _ids(demand, "demand_id")),
    )


def _lacking(meters: pd.DataFrame, used: pd.Index[str]) -> pd.Index[str]:
    """Return meters of which the table does not say all, so that their records are asked, those of other bills too."""
    told = [text(meters, name).notna().to_numpy() for name in ("site_id", "commodity", "subtype")]
    whole = np.logical_and.reduce(told)
    lacking: pd.Index[str] = used.difference(_ids(meters, "meter_id", whole))
    return lacking


def _ids(frame: pd.DataFrame, name: str, rows: Truth | None = None) -> pd.Index[str]:
    column = text(frame, name)
    if rows is not None:
        column = column.take(np.flatnonzero(rows))
    found: pd.Index[str] = pd.Index(column.dropna().unique())
    return found


def _only(frame: pd.DataFrame, key: str, ids: pd.Index[str]) -> pd.DataFrame:
    return frame if frame.empty else _taken(frame, _rows(frame, key, ids))


def _taken(frame: pd.DataFrame, rows: Truth) -> pd.DataFrame:
    taken = frame.take(np.flatnonzero(rows))
    taken.index = pd.RangeIndex(len(taken))
    return taken


def _rows(frame: pd.DataFrame, key: str, ids: pd.Index[str]) -> Truth:
    if frame.empty or ids.empty:
        return np.zeros(len(frame), dtype=bool)
    if len(ids) == 1:
        return _eq(frame, key, str(ids[0]))
    return text(frame, key).isin(ids).to_numpy(dtype=bool)

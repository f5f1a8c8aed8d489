"""What a record that counts is worth: exclusions, occupancy, net metering, implied sewer.

Raw values stay: the adjusted usage stands in a column of its own, and every row that is left out, changed or
added says why. Which bills and accounts count is decided in `counting`; spreading and sharing come later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args, overload

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.charges import words
from nectar_notebooks.methodology.counting import (
    by_accounts,
    by_bills,
    count_accounts,
    count_bills,
    count_periods,
    forget_periods,
    leave_out,
    refuse_doubled,
    span_of,
)
from nectar_notebooks.methodology.frames import (
    TEXT,
    choose,
    counted,
    distinct,
    flags,
    left_out,
    numbers,
    report,
    require,
    text,
)
from nectar_notebooks.methodology.keys import places_in
from nectar_notebooks.methodology.net_metering import EXCLUDED, NET_METERING, NetMetering, directions, netted
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.schema.periods import Plausible, Span

__all__ = [
    "EXCLUSIONS",
    "OCCUPANCY",
    "Exclusions",
    "NetMetering",
    "Occupancy",
    "adjust",
    "adjusted_usage",
    "at_their_meters",
    "occupied_share",
]

Exclusions: TypeAlias = Literal["subtract", "drop"]
Occupancy: TypeAlias = Literal["disabled", "all", "connection"]
EXCLUSIONS: Final = get_args(Exclusions)
OCCUPANCY: Final = get_args(Occupancy)

_SEWER: Final = ":sewer"


@overload
def adjust(
    data: Portfolio,
    *,
    exclusions: Exclusions = "subtract",
    occupancy: Occupancy = "disabled",
    net_metering: NetMetering = "net",
    implied_sewer: bool | float | None = None,
    flagged: bool = True,
    plausible: Plausible | None = None,
) -> Portfolio: ...
@overload
def adjust(
    data: pd.DataFrame,
    *,
    sites: pd.DataFrame | None = None,
    bills: pd.DataFrame | None = None,
    exclusions: Exclusions = "subtract",
    occupancy: Occupancy = "disabled",
    net_metering: NetMetering = "net",
    flagged: bool = True,
    plausible: Plausible | None = None,
) -> pd.DataFrame: ...
def adjust(
    data: Portfolio | pd.DataFrame,
    *,
    sites: pd.DataFrame | None = None,
    bills: pd.DataFrame | None = None,
    exclusions: Exclusions = "subtract",
    occupancy: Occupancy = "disabled",
    net_metering: NetMetering = "net",
    implied_sewer: bool | float | None = None,
    flagged: bool = True,
    plausible: Plausible | None = None,
) -> Portfolio | pd.DataFrame:
    """Say what counts, and what it is worth, beside the raw values.

    Parameters
    ----------
    data : Portfolio or DataFrame
        A portfolio; or usage records by hand (`usage` is required, `bill_id`, `meter_id`, `site_id`,
        `commodity`, `subtype`, `exclusion`, `net_metering`, `counts` are used), with `sites` and `bills`.
    sites, bills : DataFrame, optional
        Beside usage records: `site_id`, `occupancy_percent`; `bill_id`, `superseded_by`, `flagged`.
    exclusions : {"subtract", "drop"}
        A record marked as exclusion (a tenant's share in a landlord's bill) is subtracted, as the API does
        (totals may go negative), or left out, as the dashboard does.
    occupancy : {"disabled", "all", "connection"}
        Usage times the occupied share of its site: never, everywhere, or only behind connections that say so
        (`multiply_by_occupancy`; portfolios only). A site without a percentage is occupied whole.
    net_metering : {"net", "as_is"}
        Export records subtracted, whatever their sign; or as they stand. Which way a record flows is its own
        `net_metering`, else its meter's. Generation is never added to consumption by any sum.
    implied_sewer : bool or float, optional
        Where a bill charges for sewer and has no water-out usage: water usage times a fraction, as records of
        their own, marked implied. None does what the company enables, True takes the company's fraction (or
        1), a number is the fraction, False does nothing. Portfolios only: line items tell the charge.
    flagged : bool
        Whether bills with an open issue count.
    plausible : tuple of two days or months, optional
        The first and the last day that a period may have, either of them None for the default: 1990-01-01, and the end
        of the year after today (a portfolio's `as_of`, else the system's day). A period with a day outside does not
        count, nor does one that ends before it starts.

    Returns
    -------
    Portfolio or DataFrame
        What was given, as new frames. `usage` has besides: `adjusted_usage` (in `unit`),
        `occupancy_factor`, `adjustment` (what was done, in words; missing where nothing was). `counts` and
        `counts_reason` are brought up to date in `bills`, `accounts`, `usage` and `line_items`: superseded
        bills, accounts known not to count, dropped exclusions, waste without type or stream, periods that cannot be. An
        implied
        record has the water record's ids with ``:sewer`` behind them, and so has its meter.
        ``attrs["nectar"]`` of `usage` says how many rows were left out and why.

    Raises
    ------
    DataError
        A column is missing, an id stands on two rows of a table, bills supersede each other in a circle, a
        percentage lies outside 0 to 100.

    Examples
    --------
    >>> used = pd.DataFrame({"site_id": ["a", "b"], "usage": [10_000.0, 5_200.0]})
    >>> share = pd.DataFrame({"site_id": ["a", "b"], "occupancy_percent": [60.0, 40.0]})
    >>> adjust(used, sites=share, occupancy="all")["adjusted_usage"].tolist()
    [6000.0, 2080.0]
    """
    choose("exclusions", exclusions, EXCLUSIONS)
    choose("occupancy", occupancy, OCCUPANCY)
    choose("net_metering", net_metering, NET_METERING)
    if isinstance(data, Portfolio):
        if sites is not None or bills is not None:
            raise InvalidRequestError(
                "A portfolio brings its own sites and bills.", advice="Leave sites= and bills= out."
            )
        refuse_doubled(data)
        portfolio = _imply(_count(data, flagged, span_of(plausible, data)), implied_sewer)
        placed = at_their_meters(portfolio.usage, portfolio.meters)
        share = occupied_share(placed, portfolio, occupancy)
        if "net_metering" in placed.columns:
            portfolio = replace(portfolio, usage=portfolio.usage.assign(net_metering=placed["net_metering"]))
        return replace(portfolio, usage=_worth(portfolio.usage, share, exclusions, occupancy, net_metering))
    if occupancy != "disabled":
        require(data, ("site_id",), "usage")
    if implied_sewer or occupancy == "connection":
        raise InvalidRequestError(
            "implied_sewer and occupancy='connection' need line items and connections.",
            advice="Give a portfolio in place of usage records.",
        )
    require(data, ("usage",), "usage")
    distinct(data, "usage_id", "usage")
    usage = forget_periods(data)
    usage = usage if bills is None else by_bills(usage, count_bills(bills, flagged=flagged))
    usage = count_periods(usage, span_of(plausible))
    share = np.ones(len(usage)) if occupancy == "disabled" else _occupied(text(usage, "site_id"), sites)
    return _worth(usage, share, exclusions, occupancy, net_metering)


def at_their_meters(usage: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    """Return usage with the site, commodity and subtype that the meters table knows: a moved meter moves its past.

    Which way energy flows is the record's word where it has one: one meter may count both ways.
    """
    place = places_in(text(usage, "meter_id"), text(meters, "meter_id"))
    known = {}
    for name in ("site_id", "commodity", "subtype"):
        told = pd.Series(text(meters, name).array.take(place, allow_fill=True), usage.index, dtype=TEXT)
        known[name] = told.fillna(text(usage, name))
    if "net_metering" in meters.columns:
        told = pd.Series(text(meters, "net_metering").array.take(place, allow_fill=True), usage.index, dtype=TEXT)
        known["net_metering"] = text(usage, "net_metering").fillna(told)
    return usage.assign(**known)


def adjusted_usage(adjusted: Portfolio) -> pd.DataFrame:
    """Return the usage of a portfolio that was adjusted, with the adjusted one as `usage`, where its meters stand."""
    usage = at_their_meters(adjusted.usage, adjusted.meters)
    return usage.assign(usage=usage["adjusted_usage"])


def _count(portfolio: Portfolio, flagged: bool, span: Span) -> Portfolio:
    """Return the portfolio with what does not count marked, down to usage records and line items."""
    accounts = count_accounts(portfolio.accounts)
    bills = count_bills(portfolio.bills, flagged=flagged)
    bills = by_accounts(bills, "bill_id", portfolio.bill_accounts, accounts)
    usage = by_bills(forget_periods(portfolio.usage), bills)
    usage = count_periods(by_accounts(usage, "meter_id", portfolio.meters, accounts), span)
    items = by_accounts(by_bills(portfolio.line_items, bills), "line_item_id", portfolio.line_item_accounts, accounts)
    return replace(portfolio, accounts=accounts, bills=bills, usage=usage, line_items=items)


def occupied_share(rows: pd.DataFrame, portfolio: Portfolio, occupancy: Occupancy) -> npt.NDArray[np.float64]:
    """Return what occupancy multiplies each row by: usage records or charges, at their meters' sites."""
    if occupancy == "disabled":
        return np.ones(len(rows))
    share = _occupied(text(rows, "site_id"), portfolio.sites)
    return share if occupancy == "all" else np.where(_asking(rows, portfolio), share, 1.0)


def _asking(rows: pd.DataFrame, portfolio: Portfolio) -> npt.NDArray[np.bool_]:
    """Return which rows come from a connection that multiplies by occupancy."""
    wanted = flags(portfolio.connections, "multiply_by_occupancy", "connections", missing=False)
    connections = text(portfolio.connections, "connection_id")[wanted]
    accounts = text(portfolio.accounts, "account_id")[text(portfolio.accounts, "connection_id").isin(connections)]
    meters = text(portfolio.meters, "meter_id")[text(portfolio.meters, "account_id").isin(accounts)]
    related = portfolio.bill_accounts
    bills = text(related, "bill_id")[text(related, "connection_id").isin(connections)]
    of_meter = text(rows, "meter_id").isin(meters.dropna())
    # only where the meter's account is unknown does the bill's connection speak for it
    has_account = text(portfolio.meters, "meter_id")[text(portfolio.meters, "account_id").notna()]
    unknown = ~text(rows, "meter_id").isin(has_account.dropna())
    return (of_meter | unknown & text(rows, "bill_id").isin(bills.dropna())).to_numpy(dtype=bool)


def _worth(
    usage: pd.DataFrame,
    share: npt.NDArray[np.float64],
    exclusions: Exclusions,
    occupancy: Occupancy,
    net_metering: NetMetering,
) -> pd.DataFrame:
    require(usage, ("usage",), "usage")
    raw = numbers(usage, "usage", "usage")
    done: list[tuple[npt.NDArray[np.bool_], str | pd.Series]] = []
    sign = np.ones(len(usage))
    exported, generated = directions(usage)
    worth = netted(raw, exported, net_metering)
    done.append((exported & (net_metering == "net"), "export subtracted"))
    done.append((generated, "generation, beside consumption"))
    excluded = flags(usage, "exclusion", "usage", missing=False)
    if exclusions == "subtract":
        sign[excluded] *= -1.0
        done.append((excluded, EXCLUDED))
    else:
        usage = leave_out(usage, excluded, "exclusion")
    usage = leave_out(usage, _untyped_waste(usage), "waste without type or stream")
    if occupancy != "disabled":
        percent = pd.Series([f"occupancy {100 * part:g} %" for part in share], usage.index, dtype=TEXT)
        done.append((share != 1.0, percent))
    result = usage.assign(
        adjusted_usage=worth * sign * share, occupancy_factor=share, adjustment=_in_words(usage, done)
    )
    return report(
        result,
        "adjust",
        left_out(result, counted(result, "usage"), "does not count"),
        rows=len(result),
        exclusions=exclusions,
        occupancy=occupancy,
        net_metering=net_metering,
    )


def _untyped_waste(usage: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return waste records whose subtype does not name both type and stream."""
    waste = text(usage, "commodity").eq("WASTE").to_numpy(dtype=bool)
    whole = text(usage, "subtype").str.contains(" / ", regex=False).fillna(False).to_numpy(dtype=bool)
    return np.asarray(waste & ~whole)


def _occupied(place: pd.Series, sites: pd.DataFrame | None) -> npt.NDArray[np.float64]:
    """Return the occupied share of each record's site; 1 where nothing is said."""
    if sites is None:
        raise InvalidRequestError("occupancy needs the sites.", advice="Give sites= with occupancy_percent.")
    require(sites, ("site_id", "occupancy_percent"), "sites")
    distinct(sites, "site_id", "sites")
    percent = numbers(sites, "occupancy_percent", "sites")
    absurd = (percent < 0) | (percent > 100)
    if absurd.any():
        names = ", ".join(text(sites, "site_id")[absurd].head(5))
        raise DataError(f"sites: occupancy_percent lies outside 0 to 100 at {names}.")
    share = np.append(np.where(np.isnan(percent), 100.0, percent) / 100.0, 1.0)
    return share[places_in(place, text(sites, "site_id"))]


def _in_words(usage: pd.DataFrame, done: list[tuple[npt.NDArray[np.bool_], str | pd.Series]]) -> pd.Series:
    """Return what was done to each record; missing where nothing was."""
    out = text(usage, "adjustment").str.extract("^(implied[^;]*)", expand=False).astype(TEXT)  # said when it was made
    for rows, what in done:
        if rows.any():
            told = pd.Series(what, usage.index, dtype=TEXT)
            out = out.where(~rows, told.where(out.isna(), out + "; " + told))
    return out


def _imply(portfolio: Portfolio, implied_sewer: bool | float | None) -> Portfolio:
    """Add the implied water-out records, and their meters, where bills charge for sewer without usage."""
    fraction = _fractions(portfolio, implied_sewer)
    if not (fraction > 0).any():
        return portfolio
    usage, items = portfolio.usage, portfolio.line_items
    items = items[counted(items, "line_items")]
    _, spoken = words(text(items, "description"), ["WATER"], ["WASTEWATER"])
    charged = text(items, "subtype").eq("WASTEWATER").to_numpy(dtype=bool) | (spoken == 0)
    commodity, subtype = text(usage, "commodity"), text(usage, "subtype")
    water_out = (commodity.eq("SEWER") | subtype.eq("WASTEWATER")).to_numpy(dtype=bool)
    bill = text(usage, "bill_id")
    wanted = set(text(items, "bill_id")[charged].dropna()) - set(bill[water_out].dropna())
    of_bill = np.append(fraction, 0.0)[places_in(bill, text(portfolio.bills, "bill_id"))]
    water = commodity.eq("WATER") & (subtype.isna() | subtype.eq("POTABLE_WATER")) & text(usage, "meter_id").notna()
    source = bill.isin(wanted).to_numpy(dtype=bool) & water.to_numpy(dtype=bool) & (of_bill > 0)
    if not source.any():
        return portfolio
    told = "implied from water meter " + text(usage, "meter_id")[source]
    implied = usage[source].assign(
        usage_id=text(usage, "usage_id")[source] + _SEWER,
        meter_id=text(usage, "meter_id")[source] + _SEWER,
        subtype="WASTEWATER",
        usage=numbers(usage, "usage", "usage")[source] * of_bill[source],
        implied=pd.array(np.ones(source.sum(), dtype=bool), dtype="boolean"),
        adjustment=told,
    )
    meters = portfolio.meters
    behind = meters[text(meters, "meter_id").isin(text(usage, "meter_id")[source]).to_numpy(dtype=bool)]
    behind = behind.assign(meter_id=text(behind, "meter_id") + _SEWER, subtype="WASTEWATER", primary_identifier=np.nan)
    return replace(
        portfolio,
        usage=pd.concat([usage, _as(implied, usage)], ignore_index=True),
        meters=pd.concat([meters, _as(behind, meters)], ignore_index=True),
    )


def _as(rows: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return added rows with the dtypes of the frame they join."""
    return rows.astype({name: dtype for name, dtype in like.dtypes.items() if name in rows})


def _fractions(portfolio: Portfolio, implied_sewer: bool | float | None) -> npt.NDArray[np.float64]:
    """Return the fraction of water that each bill's company takes for sewer; 0 where it implies none."""
    if implied_sewer is False:
        return np.zeros(len(portfolio.bills))
    companies = portfolio.companies
    given = numbers(companies, "implied_metering_fraction", "companies")
    own = np.where(np.isnan(given), 1.0, given)
    if implied_sewer is None:
        own = np.where(flags(companies, "implied_metering_enabled", "companies", missing=False), own, 0.0)
    elif implied_sewer is not True:
        own = np.full(len(companies), float(implied_sewer))
    if ((own < 0) | (own > 1)).any():
        raise DataError("The implied sewer fraction lies outside 0 to 1.", advice="Give a share of the water used.")
    place = places_in(text(portfolio.bills, "company_id"), text(companies, "company_id"))
    # a bill that names no company belongs to the only one there is
    alone = own[0] if len(own) == 1 else 0.0
    return np.where(place < 0, alone, np.append(own, 0.0)[place])

"""Anomalies: what is unusual on bills that may be right: spikes, falls, changes of regime, late fees, high demand.

Usage and cost are compared with their own past (`series`); fees and demand charges are rules on single
bills (`bills`). What is wrong with the data is for `issues`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.frames import counted, left_out, report, require
from nectar_notebooks.methodology.monthly import as_months
from nectar_notebooks.methodology.quality.anomalies.bills import dated, high_demand, is_late_fee, late_fees
from nectar_notebooks.methodology.quality.anomalies.series import METER, SITE, TYPE, falls, reads, series, spikes
from nectar_notebooks.methodology.quality.anomalies.table import ordered, table
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from nectar_notebooks.methodology.options import Options

__all__ = ["anomalies", "is_late_fee"]


def anomalies(
    monthly: pd.DataFrame | Portfolio,
    *,
    usage: pd.DataFrame | None = None,
    line_items: pd.DataFrame | None = None,
    bills: pd.DataFrame | None = None,
    by: Literal["type", "meter"] = "type",
    usage_rise: float = 0.5,
    cost_rise: float = 0.5,
    usage_fall: float = 0.8,
    baseline_months: int = 3,
    regime_months: int = 3,
    least_share: float = 0.5,
    late_fee: float = 10.0,
    demand_share: float = 0.5,
    options: Options | None = None,
) -> pd.DataFrame:
    """List what stands out in months and on bills, what is at stake most first.

    Parameters
    ----------
    monthly : DataFrame or Portfolio
        A portfolio, whose usage, line items and bills are looked at too, or usage by month, as `monthly` or
        `calendarize` return it: ``site_id, commodity, unit, month, usage``;
        used where they stand: ``subtype, meter_id, currency, cost, days_covered, generated, exported``. With
        ``days_covered`` days are compared instead of months, so that a month covered in part is no surprise.
    usage : DataFrame, optional
        Usage records (of the portfolio): low reads and catch-ups are then looked for in the reads as billed,
        each in the month of its middle, and name their bill. Without them the months are looked at, in which
        a low bill from mid-month to mid-month is two half months.
    line_items : DataFrame, optional
        Charges, for late fees and demand: ``bill_id, amount``; used: ``charge_type, description, is_demand,
        quantity_unit, billing_period, currency, counts``.
    bills : DataFrame, optional
        Names the month (``bill_date``) of a bill's anomaly.
    by : {"type", "meter"}
        Usage spikes per site and meter type (commodity, subtype and unit), or per meter. Low reads are always
        a meter's.
    usage_rise, cost_rise : float, default 0.5
        A spike, or a catch-up, is more than this share above its baseline.
    usage_fall : float, default 0.8
        A collapsed read is more than this share below its baseline.
    baseline_months, regime_months : int, default 3
        Months a baseline needs; consecutive spikes, or low reads, that are a change of regime.
    least_share : float, default 0.5
        Months whose bills cover less than this share of the days are not judged and are no baseline: nothing
        is scaled up from them. They are counted in ``attrs["nectar"]``.
    late_fee : float, default 10
        Late fees of a bill are listed from this amount on, in the bill's currency.
    demand_share : float, default 0.5
        Demand charges are listed when they are more than this share of a bill's charges.
    options : Options, optional
        How a portfolio is counted.

    Returns
    -------
    DataFrame
        ``kind``, ``rule`` (whose it is: "Nectar" for usage_spike, cost_spike, late_fee and high_demand, "ours"
        for usage_regime, cost_regime, zero_read, collapsed_read and catch_up), ids as far as it has them,
        ``month``, ``value`` (the usage or cost, the fee, the demand charges), ``baseline`` (what the baseline
        says for the same days; the bill's charges for demand), ``change`` (value over baseline − 1; the share
        for demand), ``months`` (of the baseline), ``units_at_stake`` (difference from the baseline, in
        ``unit``), ``money_at_stake`` (in ``currency``: the units at what one cost the series in the two years
        before; the difference of a cost; the fee; the demand charges above the share), ``partly_billed``
        (whether the bills cover less than 97 % of the month's days; missing where days are not known) and
        ``found`` in words. Missing is what is not known, never 0. A change of regime is listed once, at its
        first month and with that month's stake.

        Rows with money come first, currency by currency (they do not compare), the largest amount first;
        then rows with units only, unit by unit; then the rest.

    Notes
    -----
    Source: Nectar's anomaly page. The baseline is the mean of the same season's earlier months (heating
    October to March, cooling April to September) of at most two years. Ours: the thresholds, and that months
    in which fewer meters report are no baseline, so that one more meter is no spike.

    Low reads are ours. A month is low when it is `usage_fall` below the mean of its baseline, and as far below
    each of its months and below the same months of other years: a zero that is the meter's habit is none.
    Where no other year is known the baseline must be steady. Not judged are hauled commodities, months net of
    generation or export, and meters whose successor begins within a month.

    Examples
    --------
    >>> monthly = pd.DataFrame({"site_id": "S", "commodity": "WATER", "unit": "kgal (US)", "usage": [10.0] * 4 + [26.0],
    ...                         "month": pd.date_range("2024-04-01", periods=5, freq="MS")})
    >>> anomalies(monthly)["found"].tolist()
    ['26 kgal (US) in 2024-08, 160 % above the mean of 4 earlier months of the season (10)']
    """
    if by not in ("type", "meter"):
        raise InvalidRequestError(f"by={by!r} is not known.", advice="Use type or meter.")
    for name, share in (("usage_fall", usage_fall), ("least_share", least_share)):
        if not 0 <= share <= 1:
            raise InvalidRequestError(f"{name}={share} is no share.", advice="Give a number from 0 to 1.")
    if isinstance(monthly, Portfolio):
        usage = monthly.usage if usage is None else usage
        line_items = monthly.line_items if line_items is None else line_items
        bills = monthly.bills if bills is None else bills
    monthly = as_months(monthly, options)
    require(monthly, ("site_id", "commodity", "unit", "month", "usage"), "monthly")
    rules = {"least": baseline_months, "regime_months": regime_months}
    months = series(monthly, least_share)
    parts = spikes(months, "usage", TYPE if by == "type" else METER, usage_rise, **rules)
    if "cost" in monthly.columns:
        parts += spikes(months, "cost", SITE, cost_rise, **rules)
    billed, named = months, None
    if usage is not None:
        require(usage, ("meter_id", "start_date", "end_date", "usage"), "usage")
        named = reads(usage)
        billed = series(named, 0.0)
    parts += falls(billed, months, fall=usage_fall, rise=usage_rise, **rules, bills=named)
    out = {f"less than {least_share:.0%} of the month's days": months.left_out} if months.left_out else {}
    if line_items is not None:
        require(line_items, ("bill_id", "amount"), "line_items")
        kept = counted(line_items, "line_items")
        out |= left_out(line_items, kept, "does not count")
        charges = line_items[kept]
        found = [late_fees(charges, late_fee), high_demand(charges, demand_share)]
        if bills is not None:
            require(bills, ("bill_id",), "bills")
            found = [dated(part, bills) for part in found]
        parts += found
    parts = [part for part in parts if len(part)]
    result = pd.concat(parts, ignore_index=True) if parts else table("usage_spike", [])
    return report(ordered(result), "anomalies", out, by=by)

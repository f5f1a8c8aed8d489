"""Anomalies: what is unusual on bills that may be right: spikes, changes of regime, late fees, high demand.

Usage and cost are compared with their own past (`seasons`); fees and demand charges are rules on single bills.
What is wrong with the data is for `issues`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.attribution_rules import Rule, read_items
from nectar_notebooks.methodology.checks import TEXT, counted, days, factorize, left_out, numbers, report, require, text
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.seasons import find_spikes
from nectar_notebooks.methodology.spans import HAULED, MISSING_DAY, day_of_month, month_of, show_days

if TYPE_CHECKING:
    import numpy.typing as npt

    from nectar_notebooks.methodology.spans import Whole

__all__ = ["anomalies", "is_late_fee"]

_IDS: Final = ("site_id", "meter_id", "commodity", "subtype", "unit", "currency", "bill_id")
_COLUMNS: Final = ("kind", *_IDS, "month", "value", "baseline", "change", "months", "found")
_TYPE: Final = ("site_id", "commodity", "subtype", "unit")
_LATE_TYPES: Final = ("LATE_FEE", "LATE_CHARGE", "INTEREST")
_LATE: Final = r"\blate\b.*\b(?:fee|charge|payment)|\bpenalt|\binterest\b"
_LONGEST: Final = 1200
_MONTH: Final = 30.436875  # days of an average month
_CENTS: Final = 10_000
_NOISE: Final = 1e-9


def anomalies(
    monthly: pd.DataFrame,
    *,
    line_items: pd.DataFrame | None = None,
    bills: pd.DataFrame | None = None,
    by: str = "type",
    usage_rise: float = 0.5,
    cost_rise: float = 0.5,
    baseline_months: int = 3,
    regime_months: int = 3,
    late_fee: float = 10.0,
    demand_share: float = 0.5,
) -> pd.DataFrame:
    """List what stands out in months and on bills.

    Parameters
    ----------
    monthly : DataFrame
        Usage by month, as `monthly` or `calendarize` return it: ``site_id, commodity, unit, month, usage``;
        used where they stand: ``subtype, meter_id, currency, cost, days_covered``. With ``days_covered`` days
        are compared instead of months, so that a month covered in part is no surprise.
    line_items : DataFrame, optional
        Charges, for late fees and demand: ``bill_id, amount``; used: ``charge_type, description, is_demand,
        quantity_unit, billing_period, currency, counts``.
    bills : DataFrame, optional
        Names the month (``bill_date``) of a bill's anomaly.
    by : {"type", "meter"}
        Usage spikes per site and meter type (commodity, subtype and unit), or per meter.
    usage_rise, cost_rise : float, default 0.5
        A spike is more than this share above its baseline.
    baseline_months, regime_months : int, default 3
        Months a baseline needs; consecutive spikes that are a change of regime.
    late_fee : float, default 10
        Late fees of a bill are listed from this amount on, in the bill's currency.
    demand_share : float, default 0.5
        Demand charges are listed when they are more than this share of a bill's charges.

    Returns
    -------
    DataFrame
        ``kind`` (usage_spike, cost_spike, usage_regime, cost_regime, late_fee, high_demand), ids as far as it
        has them, ``month``, ``value`` (the month's usage or cost, the fee, the demand charges), ``baseline``
        (what the baseline says for the same days; the bill's charges for demand), ``change`` (value over
        baseline − 1; the share for demand), ``months`` (of the baseline) and ``found`` in words.

    Notes
    -----
    Source: Nectar's anomaly page. The baseline is the mean of the same season's earlier months (heating
    October to March, cooling April to September) of at most two years. Ours: the thresholds, and that months
    in which fewer meters report are no baseline, so that one more meter is no spike.

    Examples
    --------
    >>> monthly = pd.DataFrame({"site_id": "S", "commodity": "WATER", "unit": "kgal (US)", "usage": [10.0] * 4 + [26.0],
    ...                         "month": pd.date_range("2024-04-01", periods=5, freq="MS")})
    >>> anomalies(monthly)["found"].tolist()
    ['26 kgal (US) in 2024-08, 160 % above the mean of 4 earlier months of the season (10)']
    """
    if by not in ("type", "meter"):
        raise InvalidRequestError(f"by={by!r} is not known.", advice="Use type or meter.")
    require(monthly, ("site_id", "commodity", "unit", "month", "usage"), "monthly")
    keys = _TYPE if by == "type" else ("meter_id", *_TYPE)
    rules = {"least": baseline_months, "regime_months": regime_months}
    parts = [_spikes(monthly, "usage", keys, usage_rise, rules)]
    if "cost" in monthly.columns:
        parts.append(_spikes(monthly, "cost", ("site_id", "currency"), cost_rise, rules))
    out: dict[str, int] = {}
    if line_items is not None:
        require(line_items, ("bill_id", "amount"), "line_items")
        kept = counted(line_items, "line_items")
        out = left_out(line_items, kept, "does not count")
        charges = line_items[kept]
        parts += [_late_fees(charges, late_fee), _high_demand(charges, demand_share)]
        if bills is not None:
            require(bills, ("bill_id",), "bills")
            parts[-2:] = [_dated(part, bills) for part in parts[-2:]]
    result = pd.concat(parts, ignore_index=True)
    order = result.sort_values(["kind", "site_id", "month", "bill_id", "meter_id", "found"], kind="stable")
    return report(order.reset_index(drop=True), "anomalies", out, by=by)


def is_late_fee(line_items: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which line items of this period are late fees, interest or penalties: by type, else in words."""
    named = text(line_items, "charge_type")
    vague = named.isna() | named.isin(("OTHER", "FEE"))
    told = text(line_items, "description").str.contains(_LATE, case=False, regex=True).eq(True)
    now = text(line_items, "billing_period") != "PREVIOUS"
    return np.asarray((named.isin(_LATE_TYPES) | (vague & told)) & now, dtype=bool)


def _spikes(
    monthly: pd.DataFrame, value: str, keys: tuple[str, ...], rise: float, rules: dict[str, int]
) -> pd.DataFrame:
    """Find spikes and changes of regime of one column, summed over what has the same keys."""
    amount = numbers(monthly, value, "monthly")
    when = days(monthly, "month", "monthly").astype(np.int64)
    placed = monthly["site_id"].notna().to_numpy()
    rows = np.flatnonzero(~np.isnan(amount) & (when != MISSING_DAY) & placed)
    if not len(rows):
        return _table([], 0)
    group, names = group_keys(monthly.iloc[rows], keys)
    month = month_of(when[rows])
    first, width = int(month.min()), int(month.max() - month.min()) + 1
    if width > _LONGEST:
        raise InvalidRequestError(f"monthly reaches over {width:,} months.", advice="Check its month column.")
    shape, size = (len(names), width), len(names) * width
    cell = group * width + month - first
    seen = np.bincount(cell, minlength=size) > 0
    totals = np.bincount(cell, amount[rows], size)
    rates = np.bincount(cell, amount[rows] * _to_month(monthly, rows), size)
    whole = np.where(seen, rates, np.nan).reshape(shape)
    meters, _ = factorize(monthly.iloc[rows], "meter_id")
    pairs = np.sort(cell * (int(meters.max()) + 2) + meters + 1)
    fresh = np.append(True, pairs[1:] != pairs[:-1])
    members = np.bincount(pairs[fresh] // (int(meters.max()) + 2), minlength=size).reshape(shape)
    result = find_spikes(whole, members, first, rise=rise, **rules)
    parts = []
    for word, found in (("spike", result.spike), ("regime", result.regime)):
        place = np.nonzero(found)
        actual = totals.reshape(shape)[place]
        rising = whole[place] / result.baseline[place] - 1
        ids = names.iloc[place[0]].reset_index(drop=True)
        unit = ids["unit" if value == "usage" else "currency"].fillna("").tolist()
        count = result.months[place]
        stamps = show_days(day_of_month(first + place[1].astype(np.int64)))
        told = []
        for i, of in enumerate(count.tolist()):
            mean = actual[i] / (1 + rising[i])
            sentence = f"{_plain(actual[i])} {unit[i]}".rstrip() + f" in {str(stamps[i])[:7]}"
            sentence += f", {rising[i]:.0%} above the mean of {of} earlier months of the season ({_plain(mean)})"
            if word == "regime":
                sentence += f"; {rules['regime_months']} months or more at such a level"
            told.append(sentence.replace("%", " %"))
        facts = {"month": stamps, "value": actual, "baseline": actual / (1 + rising), "change": rising}
        ids_ = {name: ids[name].to_numpy() for name in keys}
        parts.append(_table(told, len(told), kind=[f"{value}_{word}"] * len(told), months=count, **ids_, **facts))
    return pd.concat(parts, ignore_index=True)


def _plain(value: float) -> str:
    """Write a number with at most two decimals, as a person would."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _to_month(monthly: pd.DataFrame, rows: Whole) -> npt.NDArray[np.float64]:
    """Return the factor from a row to an average month, by days covered; 1 for what is taken as it stands."""
    covered = numbers(monthly, "days_covered", "monthly")[rows]
    hauled = text(monthly, "commodity").isin(HAULED).to_numpy(dtype=bool)[rows]
    as_is = np.isnan(covered) | hauled | (covered <= 0)
    return np.where(as_is, 1.0, _MONTH / np.where(as_is, 1.0, covered))


def _late_fees(lines: pd.DataFrame, least: float) -> pd.DataFrame:
    late = lines[is_late_fee(lines)]
    fees = _by_bill(late, numbers(late, "amount", "line_items"))
    fees = fees[fees["sum"] >= least - _NOISE]
    told = [
        f"late fees of {value:,.2f} {money}".rstrip()
        for value, money in zip(fees["sum"], fees["currency"].fillna(""), strict=True)
    ]
    facts = {"bill_id": fees["bill_id"], "currency": fees["currency"], "value": fees["sum"]}
    return _table(told, len(told), kind=["late_fee"] * len(told), **{k: v.to_numpy() for k, v in facts.items()})


def _high_demand(lines: pd.DataFrame, most: float) -> pd.DataFrame:
    """Compare the demand charges of a bill with its charges, without late fees and earlier periods."""
    rule = read_items(lines, (), ()).rule
    own = (rule != Rule.FINANCE) & ~is_late_fee(lines)
    lines, demand = lines[own], rule[own] == Rule.DEMAND
    amount = numbers(lines, "amount", "line_items")
    bills = _by_bill(lines, amount)
    bills["demand"] = _by_bill(lines, np.where(demand, amount, 0.0))["sum"]
    bills = bills[(bills["sum"] > 0) & (bills["demand"] > most * bills["sum"])]
    share = (bills["demand"] / bills["sum"]).to_numpy()
    told = [
        f"demand charges of {demand:,.2f} {money}".rstrip()
        + f" are {part:.0%} of the bill's {whole:,.2f}".replace("%", " %")
        for demand, money, part, whole in zip(
            bills["demand"], bills["currency"].fillna(""), share, bills["sum"], strict=True
        )
    ]
    return _table(
        told,
        len(told),
        kind=["high_demand"] * len(told),
        bill_id=bills["bill_id"].to_numpy(),
        currency=bills["currency"].to_numpy(),
        value=bills["demand"].to_numpy(),
        baseline=bills["sum"].to_numpy(),
        change=share,
    )


def _by_bill(lines: pd.DataFrame, amount: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Sum amounts (missing ones left out) over each bill and currency."""
    group, bills = group_keys(lines, ("bill_id", "currency"))
    sums = np.bincount(group, np.nan_to_num(amount * _CENTS), len(bills)) / _CENTS
    return bills.assign(sum=sums)


def _dated(part: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Give a bill's anomaly the month of its bill date."""
    when = days(bills, "bill_date", "bills").astype("datetime64[M]").astype("datetime64[us]")
    dates = pd.Series(when, index=pd.Index(text(bills, "bill_id")))
    dates = dates[~dates.index.duplicated()]
    return part.assign(month=dates.reindex(part["bill_id"]).to_numpy())


def _table(found: list[str], size: int, **facts: object) -> pd.DataFrame:
    """Lay findings out in the columns of the result; what is not given is missing."""
    table = {}
    for name in _COLUMNS:
        given = found if name == "found" else facts.get(name)
        if name == "month":
            table[name] = pd.Series(given if given is not None else [None] * size, dtype="datetime64[us]")
        elif name == "months":
            table[name] = pd.Series(given if given is not None else [None] * size, dtype="Int64")
        elif name in ("value", "baseline", "change"):
            table[name] = pd.Series(given if given is not None else np.nan, index=range(size), dtype="float64")
        else:
            table[name] = pd.Series(given if given is not None else [None] * size, dtype=object).astype(TEXT)
    return pd.DataFrame(table)

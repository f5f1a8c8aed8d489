"""Anomalies of single bills: late fees and high demand charges, read off the line items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.charges import Rule, read_items
from nectar_notebooks.methodology.frames import days, numbers, text
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.quality.anomalies.table import table

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["dated", "high_demand", "is_late_fee", "late_fees"]

_LATE_TYPES: Final = ("LATE_FEE", "LATE_CHARGE", "INTEREST")
_LATE: Final = r"\blate\b.*\b(?:fee|charge|payment)|\bpenalt|\binterest\b"
_CENTS: Final = 10_000
_NOISE: Final = 1e-9


def is_late_fee(line_items: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which line items of this period are late fees, interest or penalties: by type, else in words."""
    named = text(line_items, "charge_type")
    vague = named.isna() | named.isin(("OTHER", "FEE"))
    told = text(line_items, "description").str.contains(_LATE, case=False, regex=True).eq(True)
    now = text(line_items, "billing_period") != "PREVIOUS"
    return np.asarray((named.isin(_LATE_TYPES) | (vague & told)) & now, dtype=bool)


def late_fees(lines: pd.DataFrame, least: float) -> pd.DataFrame:
    """List bills whose late fees sum to `least` or more; at stake is the fee."""
    late = lines[is_late_fee(lines)]
    fees = _by_bill(late, numbers(late, "amount", "line_items"))
    fees = fees[fees["sum"] >= least - _NOISE]
    told = [
        f"late fees of {value:,.2f} {money}".rstrip()
        for value, money in zip(fees["sum"], fees["currency"].fillna(""), strict=True)
    ]
    facts = {"bill_id": fees["bill_id"], "currency": fees["currency"], "value": fees["sum"]}
    return table("late_fee", told, **{k: v.to_numpy() for k, v in facts.items()}, money_at_stake=fees["sum"].to_numpy())


def high_demand(lines: pd.DataFrame, most: float) -> pd.DataFrame:
    """Compare the demand charges of a bill with its charges; at stake is what exceeds the share `most` of these.

    Late fees and earlier periods are no charges here.
    """
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
    return table(
        "high_demand",
        told,
        bill_id=bills["bill_id"].to_numpy(),
        currency=bills["currency"].to_numpy(),
        value=bills["demand"].to_numpy(),
        baseline=bills["sum"].to_numpy(),
        change=share,
        money_at_stake=(bills["demand"] - most * bills["sum"]).to_numpy(),
    )


def dated(part: pd.DataFrame, bills: pd.DataFrame) -> pd.DataFrame:
    """Give a bill's anomaly the month of its bill date."""
    when = days(bills, "bill_date", "bills").astype("datetime64[M]").astype("datetime64[us]")
    dates = pd.Series(when, index=pd.Index(text(bills, "bill_id")))
    dates = dates[~dates.index.duplicated()]
    return part.assign(month=dates.reindex(part["bill_id"]).to_numpy())


def _by_bill(lines: pd.DataFrame, amount: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Sum amounts (missing ones left out) over each bill and currency."""
    group, bills = group_keys(lines, ("bill_id", "currency"))
    sums = np.bincount(group, np.nan_to_num(amount * _CENTS), len(bills)) / _CENTS
    return bills.assign(sum=sums)

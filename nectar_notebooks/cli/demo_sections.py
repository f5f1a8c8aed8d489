"""The sections of `nectar demo` as text tables.

Computes nothing but totals; `demo` chooses the company and the bill.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.cli.terminal import amount, heading, paragraph, table
from nectar_notebooks.methodology.adjust import adjust
from nectar_notebooks.printing import printable
from nectar_notebooks.schema.statuses import STATUSES, describe, needs_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["bill", "connections", "months", "pictures", "portfolio", "rules", "sums"]

_MONTHS: Final = 5
_KINDS: Final = 5
_BARS: Final = 15


def portfolio(portfolios: Sequence[Portfolio]) -> str:
    """Return one line per company."""
    rows = []
    for one in portfolios:
        dates = one.bills["bill_date"].dropna()
        span = f"{dates.min():%Y-%m} to {dates.max():%Y-%m}" if len(dates) else "-"
        sizes = (len(part) for part in (one.sites, one.connections, one.accounts, one.meters, one.bills))
        rows.append([one.name, *map(amount, sizes), span])
    headers = ["company", "sites", "connections", "accounts", "meters", "bills", "billed"]
    return "\n".join([heading("Portfolio"), table(headers, rows, "frrrrrl")])


def connections(portfolios: Sequence[Portfolio]) -> str:
    """Return the connections that need action, by status: what it means, what to do, since when."""
    by_status: dict[str, list[str]] = {}
    total = 0
    for one in portfolios:
        total += len(one.connections)
        for row in one.connections.fillna({"status": "no status"}).to_dict("records"):
            if not needs_action(row["status"]):
                continue
            since = "" if pd.isna(row["status_since"]) else f", since {row['status_since']:%Y-%m-%d}"
            by_status.setdefault(row["status"], []).append(printable(f"{row['provider']} ({one.name}){since}"))
    known = [status for status in STATUSES if status in by_status]
    lines = []
    for status in [*known, *sorted(set(by_status) - set(known))]:
        words = describe(status)
        lines.append(paragraph(f"{status}: {words.meaning} {words.next_step}"))
        lines += [f"      {where}" for where in by_status[status]]
    note = f"{sum(map(len, by_status.values()))} of {total}"
    return "\n".join([heading("Connections that need action", note), *(lines or [paragraph("None.")])])


def months(shown: Portfolio, monthly: pd.DataFrame, usage: pd.DataFrame, cost: pd.DataFrame) -> str:
    """Return usage and cost, one row per kind: the last months side by side, and the total of all months.

    Low numbers may mean few bills, not little usage: the last row counts the meters with usage in each month.
    """
    every = usage.join(cost.add_prefix("Cost: "), how="outer")
    last = every.index[-_MONTHS:]
    rows = []
    for label in every.columns:
        values = every[label]
        decimals = 0 if values.abs().max() >= 100 else 1
        whole = 2 if label not in usage else decimals
        what, _, unit = label.rpartition(", ")
        amounts = [*(amount(value, decimals) for value in values[last]), amount(values.sum(min_count=1), whole)]
        rows.append([what, unit, *amounts])
    billed = monthly.dropna(subset=["usage", "meter_id"]).groupby("month")["meter_id"].nunique()
    rows.append(["Meters with usage", "", *(amount(billed.get(month, 0)) for month in last), amount(len(shown.meters))])
    headers = ["", "", *(f"{month:%Y-%m}" for month in last), f"all {len(every)}"]
    note = f"{shown.name}, the last {len(last)} of {len(every)} months"
    return "\n".join([heading("Monthly usage and cost", note), table(headers, rows, "fl" + "r" * (len(headers) - 2))])


def bill(chosen: pd.Series, bars: pd.DataFrame) -> str:
    """Return how one bill is split: one row per meter, one column per kind of charge, the largest first."""
    kinds = [name for name in bars.columns if name not in {"site", "meter", "commodity", "total"}]
    by_size = sorted(kinds, key=lambda kind: -bars[kind].abs().sum())
    own, rest = by_size[:_KINDS], by_size[_KINDS:]
    columns = {kind.replace("_", " ").lower(): bars[kind] for kind in kinds if kind in own}
    if rest:
        columns["further"] = bars[rest].sum(axis=1, min_count=1)
    columns["together"] = bars["total"]
    several = bars["commodity"].replace("", None).nunique() > 1
    named = bars["meter"] + (", " + bars["commodity"].str.lower()).where(several & bars["commodity"].ne(""), "")
    rows = [
        [bars["site"][place], named[place], *(amount(values[place], 2) for values in columns.values())]
        for place in bars.index[:_BARS]
    ]
    if len(bars) > _BARS:
        rest_of = (amount(values.iloc[_BARS:].sum(min_count=1), 2) for values in columns.values())
        rows.append([f"{len(bars) - _BARS} more", "", *rest_of])
    rows.append(["together", "", *(amount(values.sum(min_count=1), 2) for values in columns.values())])
    note = f"{chosen['utility']}, {chosen['bill_date']:%Y-%m-%d}, {chosen['currency']}"
    text = table(["site", "meter", *columns], rows, "ff" + "r" * len(columns), total=True)
    return "\n".join([heading("Where one bill's money went", note), text])


def rules(chosen: pd.Series, parts: pd.DataFrame, line_items: pd.DataFrame) -> str:
    """Return the bill's lines, each with the rule it was allocated by."""
    described = line_items.set_index("line_item_id")["description"]
    lines = parts.groupby("line_item_id", sort=False, dropna=False).agg(
        amount=("amount", "sum"), method=("method", "first"), meters=("meter_id", "nunique")
    )
    rows = [
        [
            str(described.get(str(line), "difference to the bill's charges")),
            amount(row["amount"], 2),
            row["method"],
            str(row["meters"] or "none"),
        ]
        for line, row in zip(lines.index, lines.to_dict("records"), strict=True)
    ]
    return "\n" + table(["line of the bill", str(chosen["currency"]), "shared by", "meters"], rows, "frlr")


def sums(shown: Portfolio, attributed: pd.DataFrame, monthly: pd.DataFrame) -> str:
    """Return the totals on the bills next to the attributed and calendarized totals."""
    items, usage = _counting(shown.line_items), _counting(adjust(shown).usage)
    usage = usage.assign(usage=usage["adjusted_usage"])  # net of tenants' shares and exported energy
    charges, spread = attributed[attributed["method"] != "residual"], monthly[monthly["kind"] != "residual"]
    rows = []
    for currency in sorted(items["currency"].dropna().unique()):
        said, paid = (_sum(part.loc[part["currency"] == currency, "amount"]) for part in (items, charges))
        of_currency = spread[spread["currency"] == currency]
        rows.append([f"Cost, {currency}", *(amount(value, 2) for value in (said, paid, _sum(of_currency["total"])))])
    series = ["commodity", "subtype", "unit"]
    said_of = usage.groupby(series, dropna=False)["usage"].sum(min_count=1).rename("said").reset_index()
    spread_of = monthly.groupby(series, dropna=False)["usage"].sum(min_count=1).rename("spread").reset_index()
    for row in said_of.merge(spread_of, how="left", on=series).dropna(subset="said").to_dict("records"):
        told = pd.isna(row["subtype"]) or row["subtype"] == "USAGE"  # the commodity alone says it
        kind = "" if told else f": {row['subtype'].replace('_', ' ').lower()}"
        label = f"{row['commodity'].capitalize()}{kind}, {row['unit']}"
        rows.append([label, amount(row["said"]), "", amount(row["spread"])])
    return "\n".join(
        [heading("Sums", "of all that counts"), table(["", "on the bills", "attributed", "calendarized"], rows, "frrr")]
    )


def pictures(paths: Sequence[Path]) -> str:
    """Return the paths of the charts."""
    return "\n".join([heading("Pictures"), *(f"  {path}" for path in paths)])


def _counting(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["counts"].fillna(True).astype(bool)]


def _sum(values: Iterable[float]) -> float:
    """Return the sum, rounded once; missing values are skipped, and the sum of none is missing."""
    known = [value for value in values if not math.isnan(value)]
    return round(math.fsum(known), 4) if known else math.nan

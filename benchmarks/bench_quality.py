"""Issues and completeness over 1,000,000 usage rows (goal: 2 s each), and what else looks at every row.

Method: one process, made-up tables of every documented column the functions read, text keys, two usage records
(two meters of one account) on a bill, 36 months; 0.5 % of the records missing, 2,000 with a foreign unit. Each
figure is the median of five cold calls on fresh frames. The yardstick is the pandas merge of the usage records
with their bills, by text key.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from machine import describe, median_seconds

from nectar_notebooks.methodology.compare import compare
from nectar_notebooks.methodology.quality.anomalies.find import anomalies
from nectar_notebooks.methodology.quality.completeness import completeness
from nectar_notebooks.methodology.quality.fill import fill_gaps
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.methodology.quality.readiness import readiness
from nectar_notebooks.methodology.time.calendarize import calendarize
from nectar_notebooks.methodology.units import convert

TEXT = pd.StringDtype(na_value=np.nan)
MONTHS = 36


def named(prefix: str, numbers: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.array([f"{prefix}-{number:08}-4f1a-9c2e" for number in numbers.tolist()], dtype=TEXT)


def same(value: object, rows: int, dtype: object = TEXT) -> pd.api.extensions.ExtensionArray:
    return pd.array([value], dtype=dtype).repeat(rows)


def make(rows: int) -> dict[str, pd.DataFrame]:
    """Return usage, bills, line_items, bill_accounts and meters of a clean portfolio, but for what is planted."""
    random = np.random.default_rng(5)
    meter = np.repeat(np.arange(rows // MONTHS + 1), MONTHS)[:rows]
    month = np.tile(np.arange(MONTHS), rows // MONTHS + 1)[:rows]
    account = meter // 2
    bill = account * MONTHS + month
    start = np.datetime64("2021-01-05") + account % 28 + np.timedelta64(30, "D") * month
    kind = account % 3
    usage = pd.DataFrame(
        {
            "usage_id": named("usage", np.arange(rows)),
            "bill_id": named("bill", bill),
            "meter_id": named("meter", meter),
            "site_id": named("site", meter // 4),
            "commodity": pd.array(np.array(["ELECTRICITY", "GAS", "WATER"])[kind], dtype=TEXT),
            "subtype": pd.array(np.array(["USAGE", "NATURAL_GAS", "POTABLE_WATER"])[kind], dtype=TEXT),
            "start_date": start.astype("datetime64[us]"),
            "end_date": (start + np.timedelta64(29, "D")).astype("datetime64[us]"),
            "usage": random.uniform(100, 1000, rows).round(2),
            "unit": pd.array(np.array(["kWh", "thm (US)", "kgal (US)"])[kind], dtype=TEXT),
            "estimated": same(False, rows, "boolean"),
            "implied": same(False, rows, "boolean"),
            "exclusion": same(False, rows, "boolean"),
            "net_metering": same(np.nan, rows),
            "utility": pd.array(np.array(["Acme Power", "Beta Gas", "City Water"])[kind], dtype=TEXT),
            "counts": same(True, rows, "boolean"),
            "counts_reason": same(np.nan, rows),
        }
    )
    usage = usage[random.random(rows) > 0.005].reset_index(drop=True)
    usage.loc[random.choice(len(usage), min(2000, len(usage) // 10), replace=False), "unit"] = "kW"
    numbers, first = np.unique(bill, return_index=True)
    size = len(numbers)
    ends = (start[first] + np.timedelta64(29, "D")).astype("datetime64[us]")
    bills = pd.DataFrame(
        {
            "bill_id": named("bill", numbers),
            "start_date": start[first].astype("datetime64[us]"),
            "bill_date": ends,
            "due_date": ends + np.timedelta64(21, "D"),
            "currency": same("USD", size),
            "total_charges": 100.0,
            "current_charges": 100.0,
            "flagged": same(False, size, "boolean"),
            "flagged_status": same(np.nan, size),
            "superseded_by": same(np.nan, size),
            "counts": same(True, size, "boolean"),
        }
    )
    line_items = pd.DataFrame(
        {
            "line_item_id": named("line", np.arange(2 * size)),
            "bill_id": named("bill", np.repeat(numbers, 2)),
            "amount": np.tile([80.0, 20.0], size),
            "billing_period": same("CURRENT", 2 * size),
            "counts": same(True, 2 * size, "boolean"),
        }
    )
    relation = pd.DataFrame(
        {
            "bill_id": named("bill", numbers),
            "account_id": named("account", numbers // MONTHS),
            "connection_id": named("connection", numbers // (MONTHS * 10)),
            "via": same("line_item", size),
            "reason": same(np.nan, size),
        }
    )
    known = np.unique(meter)
    meters = pd.DataFrame(
        {
            "meter_id": named("meter", known),
            "account_id": named("account", known // 2),
            "site_id": named("site", known // 4),
            "commodity": pd.array(np.array(["ELECTRICITY", "GAS", "WATER"])[known // 2 % 3], dtype=TEXT),
        }
    )
    return {
        "usage": usage,
        "bills": bills,
        "line_items": line_items,
        "bill_accounts": relation,
        "meters": meters,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    tables = make(rows)
    usage = tables["usage"]
    others = {name: table for name, table in tables.items() if name != "usage"}
    print(describe())
    sizes = ", ".join(f"{len(table):,} {name} × {table.shape[1]}" for name, table in tables.items())
    print(f"tables       {sizes}; text keys")
    merge = median_seconds(lambda: usage.merge(tables["bills"], on="bill_id", how="left"), 5)
    print(f"yardstick    merge of usage and bills: {merge:.2f} s")
    today = "2024-03-20"
    found = issues(usage, **others, today=today)
    print(f"findings     {found['kind'].value_counts().to_dict()}")
    monthly = calendarize(usage.assign(cost=usage["usage"] / 10, currency="USD"))
    cases = {
        "issues": (lambda: issues(usage.copy(), **others, today=today), 2.0),
        "completeness by meter": (lambda: completeness(usage.copy(), meters=tables["meters"], today=today), 2.0),
        "completeness by site": (lambda: completeness(usage.copy(), by="site", today=today), 2.0),
        "completeness by account": (
            lambda: completeness(usage.copy(), by="account", meters=tables["meters"], today=today),
            2.0,
        ),
        "readiness": (lambda: readiness(usage.copy()), None),
        "convert": (lambda: convert(usage.copy(), {"ELECTRICITY": "GJ", "GAS": "GJ", "WATER": "cubic m"}), None),
        "anomalies (months)": (lambda: anomalies(monthly.copy()), None),
        "compare (months)": (lambda: compare(monthly.copy()), None),
        "fill_gaps (months)": (lambda: fill_gaps(monthly.copy()), None),
    }
    for name, (call, goal) in cases.items():
        seconds = median_seconds(call, 5)
        aim = f", goal {goal:.0f} s" if goal else ""
        print(f"{name:24} {seconds:.2f} s, {seconds / merge:.1f} × the merge{aim}")
    print(f"months       {len(monthly):,} rows")


if __name__ == "__main__":
    main()

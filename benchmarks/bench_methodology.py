"""How fast bills become months and charges find their meters, each beside a yardstick of the same run.

Run with ``python benchmarks/bench_methodology.py [rows]``. The rows are made here: string keys of 36 characters,
every documented column, in random order; the result is the public function's frame, the best of three calls.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from nectar_notebooks.methodology import attribute, calendarize, daily

TEXT = pd.StringDtype(na_value=np.nan)
MONTHS = 36


def ids(prefix: str, number: int) -> pd.Series:
    return pd.Series([f"{prefix}{i:07x}-4a1e-4000-8000-{i:012x}" for i in range(number)], dtype=TEXT)


def taken(values: pd.Series, places: np.ndarray) -> pd.Series:
    return values.take(places).reset_index(drop=True)


def words(*values: str) -> pd.Series:
    return pd.Series(values, dtype=TEXT)


def make_usage(rows: int, meters_a_bill: int = 1) -> pd.DataFrame:
    """Return bills of about a month, of meters in three commodities."""
    number = max(rows // MONTHS, 1)
    meter, month = np.repeat(np.arange(number), MONTHS), np.tile(np.arange(MONTHS), number)
    random = np.random.default_rng(7)
    first = (
        np.datetime64("2021-01-01") + random.integers(0, 28, number)[meter // meters_a_bill * meters_a_bill % number]
    )
    size = len(meter)
    return pd.DataFrame(
        {
            "usage_id": ids("u", size),
            "bill_id": taken(ids("b", size), (meter // meters_a_bill) * MONTHS + month),
            "meter_id": taken(ids("m", number), meter),
            "site_id": taken(ids("s", number // 3 + 1), meter // 3),
            "commodity": taken(words("ELECTRICITY", "GAS", "WATER"), meter // 4 % 3),
            "subtype": taken(words("USAGE", "NATURAL_GAS", "POTABLE_WATER"), meter // 4 % 3),
            "start_date": (first + np.round(month * 30.44).astype(int)).astype("datetime64[us]"),
            "end_date": (first + np.round((month + 1) * 30.44).astype(int) - 1).astype("datetime64[us]"),
            "usage": random.integers(1, 1_000_000, size) / 10,
            "unit": taken(words("kWh", "CCF", "gal (US)"), meter // 4 % 3),
            "estimated": pd.array(random.random(size) < 0.05, dtype="boolean"),
            "counts": pd.array(np.ones(size, dtype=bool), dtype="boolean"),
            "cost": random.integers(1, 1_000_000, size) / 100,
            "currency": taken(words("USD"), np.zeros(size, dtype=int)),
        }
    ).sample(frac=1, random_state=1, ignore_index=True)


def make_charges(items: int) -> dict[str, pd.DataFrame]:
    """Return bills of eight line items and two meters each, under every rule of the table."""
    bills = items // 8
    usage = make_usage(bills * 2, meters_a_bill=2)
    of_bill = usage.groupby("bill_id", sort=False)["meter_id"].first()
    bill = np.repeat(np.arange(len(of_bill)), 8)
    kind = np.tile(np.arange(8), len(of_bill))
    random = np.random.default_rng(8)
    meters = usage.drop_duplicates("meter_id")[["meter_id", "site_id", "commodity", "subtype"]].reset_index(drop=True)
    number = meters["meter_id"].str[1:8].map(lambda text: int(text, 16)).to_numpy()
    meters["account_id"] = taken(ids("a", int(number.max()) // 2 + 1), number // 2)
    account = meters.set_index("meter_id")["account_id"]
    bill_ids = pd.Series(of_bill.index, dtype=TEXT)
    line_items = pd.DataFrame(
        {
            "line_item_id": taken(bill_ids, bill) + ":" + pd.Series(kind).astype(TEXT),
            "bill_id": taken(bill_ids, bill),
            "description": taken(
                words(*["Energy", "Delivery", "Demand", "Customer charge", "Tax", "Credit", "Late fee", "Rider"]), kind
            ),
            "amount": random.integers(-10_000, 100_000, len(bill)) / 100,
            "currency": taken(words("USD"), np.zeros(len(bill), dtype=int)),
            "charge_type": taken(
                words("SUPPLY", "DELIVERY", "DEMAND", "CUSTOMER", "TAX", "CREDIT", "LATE_FEE", "OTHER"), kind
            ),
            "is_demand": pd.array(kind == 2, dtype="boolean"),
            "quantity": np.where(kind < 2, 100.0, np.nan),
        }
    )
    accounts = pd.Series(account.reindex(of_bill).to_numpy(), dtype=TEXT)
    shuffle = np.random.default_rng(9).permutation(len(line_items))
    line_items = line_items.iloc[shuffle].reset_index(drop=True)
    reading = bill_ids.str.replace("b", "d", n=1)
    demand = pd.DataFrame({"demand_id": reading, "bill_id": bill_ids, "demand": 50.0, "unit": "kW"}).astype(
        {"unit": TEXT}
    )
    one = usage.drop_duplicates("bill_id").set_index("bill_id")["usage_id"].reindex(bill_ids)
    return {
        "line_items": line_items,
        "usage": usage,
        "meters": meters,
        "demand": demand,
        "line_item_accounts": pd.DataFrame(
            {"line_item_id": line_items["line_item_id"], "account_id": taken(accounts, bill[shuffle])}
        ),
        "demand_usage": pd.DataFrame({"demand_id": reading, "usage_id": pd.Series(one.to_numpy(), dtype=TEXT)}),
        "bills": pd.DataFrame({"bill_id": bill_ids, "current_charges": 100.0, "currency": "USD"}).astype(
            {"currency": TEXT}
        ),
    }


def best(call: Callable[[], object], times: int = 3) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def groupby(usage: pd.DataFrame) -> pd.DataFrame:
    """Return a bare pandas group sum over the same keys, no day counted: the yardstick of calendarize."""
    month = usage["start_date"].astype("datetime64[s]").to_numpy().astype("datetime64[M]").astype("datetime64[us]")
    keys = ["meter_id", "site_id", "commodity", "subtype", "unit", "currency", "month"]
    return usage.assign(month=month).groupby(keys)[["usage", "cost"]].sum().reset_index()


def show(what: str, rows: int, seconds: float, yardstick: str = "", other: float = 0.0) -> None:
    ratio = f"   {seconds / other:5.2f} x {yardstick} ({other:.3f} s)" if other else ""
    print(f"{what:<58}{rows:>12,} rows {seconds:8.3f} s {rows / seconds / 1e6:7.2f} M/s{ratio}")


def main(rows: int) -> None:
    usage = make_usage(rows)
    print(f"usage: {len(usage):,} rows, {usage.shape[1]} columns, text keys ({usage['meter_id'].dtype}), random order")
    yardstick = best(lambda: groupby(usage))
    slim = usage[["meter_id", "start_date", "end_date", "usage", "unit"]]
    show("calendarize, usage and days (5 columns)", len(slim), best(lambda: calendarize(slim)))
    show("calendarize, whole result (14 columns)", len(usage), best(lambda: calendarize(usage)), "group sum", yardstick)
    show("calendarize, midday", len(usage), best(lambda: calendarize(usage, "midday")), "group sum", yardstick)
    later = best(lambda: calendarize(usage, shared_day="later"))
    show("calendarize, shared day to the later bill", len(usage), later, "group sum", yardstick)
    part = usage.iloc[: max(rows // 3, 1)]
    days = daily(part)
    show("daily (rows of the result)", len(days), best(lambda: daily(part)))
    del days
    frames = make_charges(rows)
    items, used = frames["line_items"], frames["usage"]
    print(
        f"line items: {len(items):,} rows, {items.shape[1]} columns; usage of bills: {len(used):,} rows; random order"
    )
    on_bill = used[["bill_id", "meter_id", "start_date", "end_date", "usage"]]

    def merge() -> pd.DataFrame:
        return items.merge(on_bill, on="bill_id").merge(frames["meters"], on="meter_id")

    yardstick = best(merge)
    show("attribute, all rules, every relation", len(items), best(lambda: attribute(**frames)), "merge", yardstick)
    bare = best(lambda: attribute(items, used, frames["meters"]))
    show("attribute, no relations", len(items), bare, "merge", yardstick)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""Explaining one bill, or a site's month, of a company with 107,000 bills; the monthly export (goals 0.02, 0.1, 1.5).

Method: one process, a made-up portfolio of every documented column, text keys, two meters and two usage records and
four line items on a bill, 36 months, ten accounts a site. Each figure is the median of five calls on the same frames,
whose results nothing keeps. The yardstick is `monthly` of the whole portfolio in the same run.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from machine import describe, median_seconds

import nectar_notebooks as nn
from nectar_notebooks.exports import monthly as export_monthly
from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.tables import DTYPES, TABLES

MONTHS = 36
CHARGES = ("SUPPLY", "DELIVERY", "CUSTOMER", "TAX")


def typed(table: str, rows: int, **columns: object) -> pd.DataFrame:
    """Return a table with every documented column and its dtype; those not given are missing."""
    made = {}
    for column in TABLES[table].columns:
        dtype = pd.StringDtype(na_value=np.nan) if column.kind == "text" else DTYPES[column.kind]
        given = columns.get(column.name)
        values = pd.Series(given, index=range(rows), dtype=dtype) if given is None else pd.Series(given).astype(dtype)
        made[column.name] = values
    return pd.DataFrame(made)


def ids(word: str, numbers: np.ndarray) -> np.ndarray:
    """Return ids as long as the API's."""
    return np.array([f"{word}0000-{number:08d}-4000-8000-000000000000" for number in numbers.tolist()], dtype=object)


def make(bills: int) -> Portfolio:
    """Return the portfolio of one company."""
    random = np.random.default_rng(3)
    bill = np.arange(bills)
    account, month = bill // MONTHS, bill % MONTHS
    accounts = int(account[-1]) + 1
    of_account, of_meter, of_bill = (
        ids("acct", np.arange(accounts)),
        ids("metr", np.arange(2 * accounts)),
        ids("bill", bill),
    )
    of_site = ids("site", np.arange(accounts // 10 + 1))
    start = np.datetime64("2022-01-05") + account % 28 + np.timedelta64(30, "D") * month
    end = start + np.timedelta64(29, "D")
    record, item, meter = np.arange(2 * bills), np.arange(4 * bills), np.arange(2 * accounts)
    on = record // 2
    owner = 2 * account[on] + record % 2
    amount = random.uniform(5, 500, 4 * bills).round(2)
    item_ids = np.char.add(np.char.add(of_bill[item // 4].astype(str), ":"), (item % 4).astype(str))
    return Portfolio(
        **{name: typed(name, 0) for name in TABLES}
        | {
            "companies": typed("companies", 1, company_id=["c"], name=["Large"]),
            "sites": typed("sites", len(of_site), site_id=of_site, name=of_site),
            "accounts": typed("accounts", accounts, account_id=of_account, account_number=of_account, status="ONBOARDED"),
            "meters": typed(
                "meters", 2 * accounts, meter_id=of_meter, account_id=of_account[meter // 2],
                site_id=of_site[meter // 20], commodity="ELECTRICITY", subtype="USAGE",
            ),
            "bills": typed(
                "bills", bills, bill_id=of_bill, company_id="c", bill_date=end, currency="USD",
                current_charges=amount.reshape(-1, 4).sum(axis=1).round(2), flagged=False, invoice_id=of_bill, counts=True,
            ),
            "bill_accounts": typed("bill_accounts", bills, bill_id=of_bill, account_id=of_account[account], via="line_item"),
            "usage": typed(
                "usage", 2 * bills, usage_id=ids("usag", record), bill_id=of_bill[on], meter_id=of_meter[owner],
                site_id=of_site[owner // 20], commodity="ELECTRICITY", subtype="USAGE", start_date=start[on],
                end_date=end[on], usage=random.uniform(100, 9000, 2 * bills).round(1), unit="kWh", estimated=False,
                counts=True,
            ),
            "line_items": typed(
                "line_items", 4 * bills, line_item_id=item_ids, bill_id=of_bill[item // 4], description="A charge",
                amount=amount, currency="USD", charge_type=np.array(CHARGES, dtype=object)[item % 4],
                billing_period="CURRENT", counts=True,
            ),
            "line_item_accounts": typed(
                "line_item_accounts", 4 * bills, line_item_id=item_ids, account_id=of_account[account[item // 4]],
            ),
        }
    )  # fmt: skip


def main() -> None:
    """Print how long each takes, and beside `monthly` of the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bills", type=int, default=107_000)
    given = parser.parse_args()
    print(describe())
    portfolio = make(given.bills)
    bill, site = portfolio.bills["bill_id"].iloc[given.bills // 2], portfolio.sites["site_id"].iloc[1]
    whole = median_seconds(lambda: nn.monthly(portfolio))
    print(f"{given.bills:,} bills, {len(portfolio.line_items):,} line items; monthly {whole:.2f} s, the yardstick")
    for name, run in (
        ("explain(bill=)", lambda: nn.explain(portfolio, bill=bill)),
        ("explain(month=, site=)", lambda: nn.explain(portfolio, month="2023-06", site=site)),
        ("explain(month=)", lambda: nn.explain(portfolio, month="2023-06")),
        ("exports.monthly", lambda: export_monthly(portfolio)),
    ):
        rows, taken = run(), median_seconds(run)
        size = len(rows) if isinstance(rows, pd.DataFrame) else len(rows.frame)
        print(f"  {name:<24} {taken:7.3f} s, {taken / whole:6.3f} of monthly, {size:,} rows")


if __name__ == "__main__":
    main()

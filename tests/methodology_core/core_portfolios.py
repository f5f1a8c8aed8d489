"""Portfolios written by hand for the tests of the methodology: only the columns a test names are filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from places import REAL_BILLS

from nectar_notebooks.schema.portfolio import Portfolio
from nectar_notebooks.schema.tables import DTYPES, TABLES


def table(name: str, rows: list[dict] | pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the table's columns and dtypes."""
    given = pd.DataFrame(rows)
    columns = {}
    for column in TABLES[name].columns:
        values = given[column.name] if column.name in given else pd.Series([None] * len(given), dtype=object)
        if column.kind == "text":
            columns[column.name] = values.astype(pd.StringDtype(na_value=float("nan")))
        elif column.kind == "date":
            days = [None if pd.isna(value) else str(value)[:10] for value in values]  # of any year, on pandas 2 too
            columns[column.name] = pd.Series(np.array(days, dtype="datetime64[us]"), values.index)
        elif column.kind == "timestamp":
            columns[column.name] = pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")
        else:
            columns[column.name] = values.astype(DTYPES[column.kind])
    return pd.DataFrame(columns)


def portfolio(**rows: list[dict] | pd.DataFrame) -> Portfolio:
    """Return a portfolio of the rows given, every other table empty."""
    rows = {"companies": [{"company_id": "company", "name": "Company"}], **rows}
    return Portfolio(**{name: table(name, rows.get(name, [])) for name in TABLES})


def real_portfolio() -> Portfolio:
    """Return the real bills as a portfolio, read here in the plainest way; skip where they are not there."""
    if not REAL_BILLS.is_file():
        pytest.skip("The real bills are not beside the project in ../shared/data/fnsb.")
    lines = pd.read_csv(REAL_BILLS, dtype=str, keep_default_na=False)
    kinds = {
        "Electricity": ("ELECTRICITY", "USAGE", "kWh"),
        "Natural Gas": ("GAS", "NATURAL_GAS", "CCF"),
        "Water": ("WATER", "POTABLE_WATER", "gal (US)"),
        "Sewer": ("WATER", "WASTEWATER", "gal (US)"),
    }
    units = {"kWh": "kWh", "CCF": "CCF", "Gallons": "gal (US)", "kW": "kW", "": None}
    fixed = ("Customer", "Fixed", "Meter charge", "Fire")
    bills, usage, items, relation = {}, {}, [], []
    for number, line in enumerate(lines.to_dict("records")):
        account = line["Account Number"]
        start, end = (pd.Timestamp(pd.to_datetime(line[side], format="%m/%d/%Y")) for side in ("From", "Thru"))
        bill_id = f"{account}|{line['Bill Date']}|{start.date()}|{end.date()}"
        day = pd.to_datetime(line["Bill Date"], format="%m/%d/%Y")
        bill = bills.setdefault(
            bill_id,
            {
                "bill_id": bill_id,
                "company_id": "company",
                "utility": line["Vendor Name"],
                "bill_date": day,
                "start_date": start,
                "currency": "USD",
                "cents": 0,
            },
        )
        cents = round(float(line["Cost"] or "0") * 100)
        bill["cents"] += cents
        commodity, subtype, unit = kinds[line["Service Name"]]
        quantity = float(line["Usage"]) if line["Usage"] else None
        meter = line["Service Name"]
        if quantity is not None and units[line["Units"]] == unit:
            key = (bill_id, meter)
            row = usage.setdefault(
                key,
                {
                    "usage_id": f"{bill_id}|{meter}",
                    "bill_id": bill_id,
                    "meter_id": meter,
                    "site_id": "site",
                    "commodity": commodity,
                    "subtype": subtype,
                    "start_date": start,
                    "end_date": end,
                    "usage": 0.0,
                    "unit": unit,
                },
            )
            row["usage"] += quantity
        words = line["Item Description"]
        kind = "SUPPLY"
        if "Late" in words:
            kind = "LATE_FEE"
        elif "credit" in words:
            kind = "CREDIT"
        elif any(word in words for word in fixed):
            kind = "CUSTOMER"
        items.append(
            {
                "line_item_id": f"{number}",
                "bill_id": bill_id,
                "description": f"{words} ({line['Service Name']})",
                "amount": cents / 100,
                "currency": "USD",
                "charge_type": kind,
                "is_demand": units[line["Units"]] == "kW",
                "quantity": quantity,
                "quantity_unit": units[line["Units"]],
            }
        )
        relation.append({"line_item_id": f"{number}", "account_id": account})
    accounts = lines.drop_duplicates("Account Number")["Account Number"].tolist()
    account_of = lines.drop_duplicates("Service Name").set_index("Service Name")["Account Number"]
    return portfolio(
        sites=[{"site_id": "site", "company_id": "company", "name": "The building"}],
        accounts=[{"account_id": account, "company_id": "company"} for account in accounts],
        meters=[
            {
                "meter_id": name,
                "site_id": "site",
                "account_id": account_of[name],
                "commodity": kind[0],
                "subtype": kind[1],
            }
            for name, kind in kinds.items()
        ],
        bills=[{**bill, "current_charges": bill["cents"] / 100} for bill in bills.values()],
        usage=list(usage.values()),
        line_items=items,
        line_item_accounts=relation,
    )

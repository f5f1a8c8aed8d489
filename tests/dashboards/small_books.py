"""Small books written by hand: three companies, and bills with everything that can be odd about one.

The tables stand as the client would give them on 15 January 2026; nothing here is made by the code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from dashboards.small_office import FETCHED, LONG, MARKUP, table

from nectar_notebooks import FrozenClock, Portfolio
from nectar_notebooks.errors import NectarError
from nectar_notebooks.schema.tables import TABLES

FORMULA = '=HYPERLINK("http://evil.example")'

#: Bill b: 15 January to 14 February 2024, 31 days, e1 6,000 and e2 4,000 kWh, 1,000 USD; a is what it replaced.
ALPHA: dict[str, list[dict[str, object]]] = {
    "companies": [{"company_id": "alpha", "name": "Alpha"}],
    "sites": [
        {"site_id": "north", "company_id": "alpha", "name": "North", "occupancy_percent": 60.0},
        {"site_id": "south", "company_id": "alpha", "name": LONG, "external_id": "S-1"},
    ],
    "connections": [{"connection_id": "k", "company_id": "alpha", "multiply_by_occupancy": True}],
    "accounts": [
        {"account_id": "A", "connection_id": "k", "account_number": "100-1"},
        {"account_id": "D", "account_number": "400-<4>", "tracking": "DISABLED", "counts": False,
         "counts_reason": "account not tracked"},
    ],
    "meters": [
        {"meter_id": "e1", "site_id": "north", "account_id": "A", "commodity": "ELECTRICITY",
         "primary_identifier": "E-1"},
        {"meter_id": "e2", "site_id": "south", "account_id": "A", "commodity": "ELECTRICITY",
         "primary_identifier": "E-2"},
        {"meter_id": "g1", "site_id": "south", "commodity": "GAS", "subtype": "NATURAL_GAS"},
        {"meter_id": "d1", "site_id": "south", "account_id": "D", "commodity": "ELECTRICITY",
         "primary_identifier": "D-1"},
    ],
    "bills": [
        {"bill_id": "a", "utility": "City Light", "bill_date": "2024-02-20", "superseded_by": "b",
         "current_charges": 900.0, "currency": "USD", "counts": False, "counts_reason": "superseded"},
        {"bill_id": "b", "utility": "City Light", "bill_date": "2024-02-21", "invoice_id": "INV-7",
         "current_charges": 1000.0, "total_charges": 1040.0, "currency": "USD", "flagged": True, "counts": True},
        {"bill_id": "c", "utility": "City Light", "bill_date": "2024-02-01", "current_charges": 50.0,
         "currency": "USD", "counts": True},
        {"bill_id": "euro", "utility": MARKUP, "bill_date": "2024-04-02", "current_charges": 80.5,
         "currency": "EUR", "counts": True},
        {"bill_id": "bare", "counts": True},
    ],
    "bill_accounts": [
        {"bill_id": "a", "account_id": "A", "connection_id": "k"},
        {"bill_id": "b", "account_id": "A", "connection_id": "k"},
        {"bill_id": "c", "account_id": "D"},
    ],
    "usage": [
        {"usage_id": "a1", "bill_id": "a", "meter_id": "e1", "start_date": "2024-01-15", "end_date": "2024-02-14",
         "usage": 9000.0, "unit": "kWh", "commodity": "ELECTRICITY", "site_id": "north"},
        {"usage_id": "b1", "bill_id": "b", "meter_id": "e1", "start_date": "2024-01-15", "end_date": "2024-02-14",
         "usage": 6000.0, "unit": "kWh", "commodity": "ELECTRICITY", "site_id": "north", "estimated": True},
        {"usage_id": "b2", "bill_id": "b", "meter_id": "e2", "start_date": "2024-01-15", "end_date": "2024-02-14",
         "usage": 4000.0, "unit": "kWh", "commodity": "ELECTRICITY", "site_id": "south"},
        {"usage_id": "c1", "bill_id": "c", "meter_id": "d1", "start_date": "2024-01-01", "end_date": "2024-01-31",
         "usage": 77.0, "unit": "kWh", "commodity": "ELECTRICITY", "site_id": "south"},
        {"usage_id": "euro1", "bill_id": "euro", "meter_id": "g1", "start_date": "2024-03-01",
         "end_date": "2024-03-31", "unit": "CCF", "commodity": "GAS", "subtype": "NATURAL_GAS", "site_id": "south"},
    ],
    "line_items": [
        {"line_item_id": "a:0", "bill_id": "a", "amount": 900.0, "currency": "USD", "charge_type": "SUPPLY"},
        {"line_item_id": "b:0", "bill_id": "b", "amount": 900.0, "currency": "USD", "charge_type": "SUPPLY",
         "description": FORMULA, "quantity": 10_000.0, "quantity_unit": "kWh", "rate": 0.09},
        {"line_item_id": "b:1", "bill_id": "b", "amount": 70.0, "currency": "USD", "charge_type": "TAX",
         "description": "Sales tax"},
        {"line_item_id": "b:2", "bill_id": "b", "amount": 12.5, "currency": "USD", "charge_type": "LATE_FEE",
         "description": "Late fee"},
        {"line_item_id": "b:3", "bill_id": "b", "amount": 3.0, "currency": "USD", "charge_type": "SUPPLY",
         "gas_charge_type": "SUPPLY", "description": "Gas supply"},
        {"line_item_id": "c:0", "bill_id": "c", "amount": 50.0, "currency": "USD", "charge_type": "SUPPLY"},
        {"line_item_id": "euro:0", "bill_id": "euro", "amount": 80.5, "currency": "EUR", "charge_type": "SUPPLY",
         "description": "<img src=x onerror=alert(1)>"},
    ],
    "line_item_accounts": [{"line_item_id": "c:0", "account_id": "D"}],
}  # fmt: skip
BETA: dict[str, list[dict[str, object]]] = {
    "companies": [{"company_id": "beta", "name": "Beta <&> Co", "external_id": "B-1"}],
    "sites": [{"site_id": "west", "company_id": "beta", "name": "West"}],
    "meters": [{"meter_id": "w1", "site_id": "west", "commodity": "WATER", "primary_identifier": "W-1"}],
    "bills": [{"bill_id": "w", "utility": "Water", "bill_date": "2024-05-02", "current_charges": 30.0,
               "currency": "USD", "counts": True}],
    "usage": [{"usage_id": "w-1", "bill_id": "w", "meter_id": "w1", "start_date": "2024-04-01",
               "end_date": "2024-04-30", "usage": 5.0, "unit": "CCF", "commodity": "WATER", "site_id": "west"}],
}  # fmt: skip
EMPTY: dict[str, list[dict[str, object]]] = {"companies": [{"company_id": "empty", "name": "Empty"}]}


def books(tables: dict[str, list[dict[str, object]]]) -> Portfolio:
    """Return hand-written rows as a portfolio, every other table empty."""
    return Portfolio(**{name: table(name, tables.get(name, [])) for name in TABLES})


def many(bills: int) -> Portfolio:
    """Return Alpha with its bill b again and again."""
    alone = books(ALPHA).bill("b")
    copies = {}
    for name in ("bills", "bill_accounts", "usage", "line_items"):
        frame = getattr(alone, name)
        whole = frame.take(np.tile(np.arange(len(frame)), bills)).reset_index(drop=True)
        number = pd.Series(np.repeat(np.arange(bills), len(frame))).astype(frame["bill_id"].dtype)
        for column in [one for one in ("bill_id", "usage_id", "line_item_id") if one in whole]:
            whole[column] = whole[column] + "-" + number
        copies[name] = whole
    return replace(alone, **copies)


class SmallBooks:
    """A client of the small books: what an explorer asks for, and a fault that can be set."""

    def __init__(self, *portfolios: Portfolio) -> None:
        self.clock = FrozenClock("2026-01-15T09:00:00Z")
        self.fault: NectarError | None = None
        self.refreshed: list[object] = []
        self.watchers: list[Callable[[object], object]] = []
        self.held = list(portfolios) if portfolios else [books(one) for one in (ALPHA, BETA, EMPTY)]

    def companies(self) -> pd.DataFrame:
        if self.fault is not None:
            raise self.fault
        whole = [one.companies for one in self.held]
        frame = pd.concat(whole, ignore_index=True) if whole else table("companies", [])
        frame.attrs["nectar"] = {"fetched": FETCHED}
        return frame

    def portfolio(self, company: object = None) -> Portfolio:
        if self.fault is not None:
            raise self.fault
        found = next(
            one for one in self.held if company in one.companies[["company_id", "name"]].to_numpy().ravel().tolist()
        )
        found.bills.attrs["nectar"] = {"fetched": FETCHED}
        return found

    def refresh(self, company: object = None) -> pd.DataFrame:
        if self.fault is not None:
            raise self.fault
        self.refreshed.append(company)
        return pd.DataFrame()

    def on_change(self, callback: Callable[[object], object]) -> Callable[[], None]:
        self.watchers.append(callback)
        return lambda: self.watchers.remove(callback)

"""`attribute` of a whole portfolio: the charges that `monthly` sums, without naming frames one by one."""

from __future__ import annotations

import pandas as pd
import pytest
from core_portfolios import portfolio, real_portfolio

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError


def office() -> nn.Portfolio:
    def item(bill: str, amount: float) -> dict[str, object]:
        return {
            "line_item_id": f"{bill}:0", "bill_id": bill, "amount": amount, "currency": "USD", "charge_type": "SUPPLY",
            "quantity": 1.0, "quantity_unit": "kWh",
        }  # fmt: skip

    def used(bill: str, meter: str, usage: float, **more: object) -> dict[str, object]:
        return {
            "usage_id": f"{bill}:{meter}", "bill_id": bill, "meter_id": meter, "site_id": "gone", "usage": usage,
            "unit": "kWh", "start_date": "2024-01-01", "end_date": "2024-01-31", "commodity": "ELECTRICITY", **more,
        }  # fmt: skip

    return portfolio(
        meters=[
            {"meter_id": "m1", "site_id": "north", "commodity": "ELECTRICITY"},
            {"meter_id": "m2", "site_id": "south", "commodity": "ELECTRICITY"},
        ],
        bills=[
            {"bill_id": "new", "currency": "USD", "current_charges": 1000.5},
            {"bill_id": "old", "currency": "USD", "current_charges": 77.0, "superseded_by": "new"},
        ],
        usage=[used("new", "m1", 6000.0), used("new", "m2", 4000.0, exclusion=False), used("old", "m1", 5.0)],
        line_items=[item("new", 1000.0), item("old", 77.0)],
    )


def test_a_portfolio_is_enough() -> None:
    charges = nn.attribute(office())
    assert charges[["bill_id", "site_id", "amount", "method"]].fillna("-").values.tolist() == [
        ["new", "north", 600.0, "usage"],
        ["new", "south", 400.0, "usage"],
        ["new", "-", 0.5, "residual"],
    ]
    assert charges.attrs["nectar"]["computed"] == "attribute"


def test_it_is_what_monthly_sums() -> None:
    held = real_portfolio()
    charges, months = nn.attribute(held), nn.monthly(held)
    apart = charges["method"].isin(["finance", "unattributed", "residual"])
    paid = charges[~apart].groupby("commodity")["amount"].sum().round(2)
    summed = months[months["kind"] == "attributed"].groupby("commodity")["cost"].sum().round(2)
    pd.testing.assert_series_equal(paid, summed, check_names=False)


def test_a_portfolio_stands_alone_and_line_items_do_not() -> None:
    held = office()
    with pytest.raises(InvalidRequestError, match="A portfolio brings its own usage"):
        nn.attribute(held, held.usage)
    with pytest.raises(InvalidRequestError, match="Give usage and meters too, or a portfolio"):
        nn.attribute(held.line_items)

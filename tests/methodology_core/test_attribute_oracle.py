"""attribute against the slow second implementation, on random bills of several accounts, meters and units."""

from __future__ import annotations

from decimal import Decimal

import oracle_charges
import pandas as pd
from core_drawn import METERS, bills
from hypothesis import given, settings
from hypothesis import strategies as st

from nectar_notebooks.methodology import attribute, calendarize

ITEM_COLUMNS = [
    *("line_item_id", "bill_id", "amount", "currency", "charge_type", "is_demand", "billing_period", "quantity"),
    *("quantity_unit", "meter_id", "commodity"),
]


def frames(drawn: dict) -> dict[str, pd.DataFrame]:
    """Return what was drawn as the frames that attribute takes."""
    usage = pd.DataFrame(
        [
            {
                "usage_id": row["id"],
                "bill_id": row["bill"],
                "meter_id": row["meter"],
                "usage": float(row["usage"]),
                "unit": row["unit"],
                "net_metering": "EXPORT" if row["export"] else None,
                "start_date": "2024-01-10",
                "end_date": "2024-02-09",
            }
            for row in drawn["usage"]
        ],
        columns=["usage_id", "bill_id", "meter_id", "usage", "unit", "net_metering", "start_date", "end_date"],
    )
    items = pd.DataFrame(
        [
            {
                "line_item_id": row["id"],
                "bill_id": row["bill"],
                "amount": float(row["amount"]),
                "currency": "USD",
                "charge_type": row["type"],
                "is_demand": row["demand"],
                "billing_period": "PREVIOUS" if row["previous"] else "CURRENT",
                "quantity": None if row["quantity"] is None else float(row["quantity"]),
                "quantity_unit": "kW" if row["demand"] else None,
                "meter_id": row["meter"],
                "commodity": row["commodity"],
            }
            for row in drawn["items"]
        ],
        columns=ITEM_COLUMNS,
    )
    related = [{"line_item_id": row["id"], "account_id": a} for row in drawn["items"] for a in row["accounts"]]
    demand = [
        {"demand_id": f"d{n}", "bill_id": row["bill"], "demand": float(row["demand"]), "unit": "kW"}
        for n, row in enumerate(drawn["readings"])
    ]
    of_demand = [
        {"demand_id": f"d{n}", "usage_id": record} for n, row in enumerate(drawn["readings"]) for record in row["usage"]
    ]
    meters = [
        {"meter_id": m["id"], "account_id": m["account"], "commodity": m["commodity"], "site_id": m["site"]}
        for m in METERS
    ]
    return {
        "line_items": items,
        "usage": usage,
        "meters": pd.DataFrame(meters),
        "demand": pd.DataFrame(demand, columns=["demand_id", "bill_id", "demand", "unit"]),
        "line_item_accounts": pd.DataFrame(related, columns=["line_item_id", "account_id"]),
        "demand_usage": pd.DataFrame(of_demand, columns=["demand_id", "usage_id"]),
    }


def parts(result: pd.DataFrame) -> dict:
    """Return amount and method by line item and meter; no pair stands twice."""
    found = {}
    for row in result.to_dict("records"):
        key = (row["line_item_id"], None if pd.isna(row["meter_id"]) else row["meter_id"])
        assert key not in found
        found[key] = (Decimal(repr(row["amount"])), row["method"])
    return found


@settings(max_examples=80, deadline=None)
@given(drawn=bills())
def test_every_part_is_the_oracles(drawn: dict) -> None:
    given_frames = frames(drawn)
    before = {name: frame.copy(deep=True) for name, frame in given_frames.items()}
    result = attribute(**given_frames)
    for name, frame in given_frames.items():
        pd.testing.assert_frame_equal(frame, before[name])
    numbered = [{**row, "usage": Decimal(row["usage"])} for row in drawn["usage"]]
    expected = oracle_charges.attribute(drawn["items"], numbered, METERS, drawn["readings"])
    assert parts(result) == {(item, meter): (amount, method) for item, meter, amount, method in expected}
    shares = result.groupby("line_item_id")["share"].sum()
    assert ((shares - 1).abs() < 1e-9).all()
    assert result["reason"].notna().all()
    months = calendarize(result)
    assert sum(Decimal(repr(cost)) for cost in months["cost"]) == sum(row["amount"] for row in drawn["items"])


@settings(max_examples=40, deadline=None)
@given(drawn=bills(), seed=st.integers(0, 9))
def test_the_order_of_rows_never_matters(drawn: dict, seed: int) -> None:
    given_frames = frames(drawn)
    shuffled = {name: frame.sample(frac=1, random_state=seed) for name, frame in given_frames.items()}
    assert parts(attribute(**given_frames)) == parts(attribute(**shuffled))

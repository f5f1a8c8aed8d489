"""attribute on bills worked by hand: three meters at two sites, every rule, reasons, residuals, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nectar_notebooks.errors import DataError
from nectar_notebooks.methodology import attribute

#: Two electricity meters on account A (north, south), one gas meter on account B (south).
METERS = pd.DataFrame(
    [("e1", "north", "A", "ELECTRICITY"), ("e2", "south", "A", "ELECTRICITY"), ("g1", "south", "B", "GAS")],
    columns=["meter_id", "site_id", "account_id", "commodity"],
)
USAGE = pd.DataFrame(
    [
        ("u1", "b", "e1", 6000.0, "kWh", "2024-01-01", "2024-01-31"),
        ("u2", "b", "e2", 4000.0, "kWh", "2024-01-03", "2024-02-02"),
        ("u3", "b", "g1", 100.0, "CCF", "2024-01-01", "2024-01-31"),
    ],
    columns=["usage_id", "bill_id", "meter_id", "usage", "unit", "start_date", "end_date"],
)


def item(number: int, amount: float, charge: str | None = "SUPPLY", **more: object) -> dict:
    return {
        "line_item_id": f"b:{number}",
        "bill_id": "b",
        "amount": amount,
        "currency": "USD",
        "charge_type": charge,
        **more,
    }


def accounts(**named: str) -> pd.DataFrame:
    rows = [(f"b:{key[1:]}", account) for key, value in named.items() for account in value]
    return pd.DataFrame(rows, columns=["line_item_id", "account_id"])


def paid(result: pd.DataFrame, item_id: str) -> dict[object, float]:
    rows = result[result["line_item_id"] == item_id]
    return {
        None if pd.isna(meter) else meter: amount
        for meter, amount in zip(rows["meter_id"], rows["amount"], strict=True)
    }


def test_the_documented_example() -> None:
    items = pd.DataFrame([item(0, 1000.0)])
    result = attribute(items, USAGE[:2], METERS)
    assert paid(result, "b:0") == {"e1": 600.0, "e2": 400.0}
    assert result["site_id"].tolist() == ["north", "south"]
    assert result["share"].tolist() == [0.6, 0.4]
    assert result["start_date"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-03")]
    assert result["end_date"].tolist() == [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-02")]


def test_a_whole_bill_by_hand() -> None:
    """Three meters at two sites; every amount below is worked out in the comments."""
    items = pd.DataFrame(
        [
            item(0, 1234.56, "SUPPLY", quantity_unit="kWh", quantity=10_000),  # 6 : 4 -> 740.736, 493.824
            item(1, 500.01, "DEMAND", quantity_unit="kW", quantity=50),  # the reading of e2 alone
            item(2, 25.01, "CUSTOMER"),  # account A: e1, e2 -> 12.505 each: e1 gets the odd cent
            item(3, 10.0, "FEE"),  # accounts A and B: 3.333 each: e1 gets the odd cent
            item(4, 88.8, "SUPPLY", quantity_unit="CCF", quantity=100),  # gas
            # e1 740.74 + 12.51 + 3.34 = 756.59; e2 493.82 + 500.01 + 12.50 + 3.33 = 1009.66; g1 3.33 + 88.80 = 92.13
            item(5, 100.0, "TAX"),  # 756.59 : 1009.66 : 92.13 of 1858.38 -> 40.7123, 54.3301, 4.9576
            item(6, -20.0, "CREDIT"),  # account B: g1
            item(7, 15.0, "LATE_FEE"),
            item(8, 321.0, "OTHER", billing_period="PREVIOUS"),
        ]
    )
    demand = pd.DataFrame({"demand_id": ["d"], "bill_id": ["b"], "demand": [50.0], "unit": ["kW"]})
    of_demand = pd.DataFrame({"demand_id": ["d"], "usage_id": ["u2"]})
    bills = pd.DataFrame({"bill_id": ["b"], "current_charges": [2000.0], "currency": ["USD"]})
    result = attribute(
        items,
        USAGE,
        METERS,
        demand,
        line_item_accounts=accounts(i0="A", i1="A", i2="A", i3="AB", i4="B", i5="AB", i6="B", i7="A", i8="A"),
        demand_usage=of_demand,
        bills=bills,
    )
    assert paid(result, "b:0") == {"e1": 740.74, "e2": 493.82}
    assert paid(result, "b:1") == {"e2": 500.01}
    assert paid(result, "b:2") == {"e1": 12.51, "e2": 12.5}
    assert paid(result, "b:3") == {"e1": 3.34, "e2": 3.33, "g1": 3.33}
    assert paid(result, "b:4") == {"g1": 88.8}
    assert paid(result, "b:5") == {"e1": 40.71, "e2": 54.33, "g1": 4.96}
    assert paid(result, "b:6") == {"g1": -20.0}
    assert paid(result, "b:7") == {None: 15.0}
    assert paid(result, "b:8") == {None: 321.0}
    methods = result.drop_duplicates("line_item_id").set_index("line_item_id")["method"]
    assert methods.tolist()[:9] == [
        *("usage", "demand", "equal", "equal", "usage", "proportional", "proportional", "finance", "finance")
    ]
    # 1234.56 + 500.01 + 25.01 + 10 + 88.80 + 100 - 20 + 15 = 1953.38; the earlier period is no current charge
    residual = result[result["charge_type"] == "RESIDUAL"]
    assert residual["amount"].tolist() == [46.62]
    assert residual["method"].tolist() == ["residual"]
    assert residual["meter_id"].isna().all()


def test_an_account_meter_without_usage_pays_its_fixed_share() -> None:
    meters = pd.concat([METERS, METERS[:1].assign(meter_id="e0", site_id="east")])
    bills = pd.DataFrame({"bill_id": ["b"], "start_date": ["2024-01-01"], "bill_date": ["2024-02-20"]})
    items = pd.DataFrame([item(0, 9.0, "CUSTOMER"), item(1, 90.0)])
    result = attribute(items, USAGE, meters, line_item_accounts=accounts(i0="A", i1="A"), bills=bills)
    assert paid(result, "b:0") == {"e0": 3.0, "e1": 3.0, "e2": 3.0}
    assert paid(result, "b:1") == {"e1": 54.0, "e2": 36.0}
    idle = result[result["meter_id"] == "e0"].iloc[0]
    assert (idle["start_date"], idle["end_date"]) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-02"))


def test_a_line_items_own_meter_wins() -> None:
    items = pd.DataFrame([item(0, 1000.0, meter_id="e2"), item(1, 10.0, "TAX"), item(2, 5.0, "TAX", meter_id="new")])
    result = attribute(items, USAGE, METERS)
    assert paid(result, "b:0") == {"e2": 1000.0}
    assert paid(result, "b:1") == {"e2": 9.95, "new": 0.05}  # 1000 : 5
    assert result[result["line_item_id"] == "b:0"]["method"].tolist() == ["meter"]


def test_units_are_converted_first() -> None:
    usage = USAGE.assign(usage=[6000.0, 4.0, 100.0], unit=["kWh", "MWh", "CCF"])
    result = attribute(pd.DataFrame([item(0, 1000.0, quantity_unit="kWh")]), usage, METERS)
    assert paid(result, "b:0") == {"e1": 600.0, "e2": 400.0}


@pytest.mark.parametrize(
    ("first", "second", "units", "words"),
    [
        (0.0, 0.0, ["kWh", "kWh"], "all zero"),
        (6000.0, 4000.0, ["kWh", "kVA"], "do not convert"),
        (6000.0, np.nan, ["kWh", "kWh"], "missing"),
    ],
)
def test_equally_and_said_so(first: float, second: float, units: list[str], words: str) -> None:
    usage = USAGE[:2].assign(usage=[first, second], unit=units)
    result = attribute(pd.DataFrame([item(0, 1000.01)]), usage, METERS)
    assert paid(result, "b:0") == {"e1": 500.01, "e2": 500.0}
    assert set(result["method"]) == {"equal"}
    assert result["reason"].str.contains(words).all()


def test_shares_are_of_the_absolute_usage_of_import_meters() -> None:
    usage = pd.concat([USAGE[:2], USAGE[:1].assign(usage_id="u9", meter_id="x", usage=5000.0)], ignore_index=True)
    usage = usage.assign(net_metering=[None, "IMPORT", "EXPORT"])
    usage.loc[1, "usage"] = -4000.0
    result = attribute(pd.DataFrame([item(0, 100.0)]), usage, METERS)
    assert paid(result, "b:0") == {"e1": 60.0, "e2": 40.0}


def test_demand_by_reading() -> None:
    """Two readings, two demand lines: each line is its own reading's, a third line is of both."""
    demand = pd.DataFrame({"demand_id": ["d1", "d2"], "bill_id": "b", "demand": [20.0, 50.0], "unit": "kW"})
    of_demand = pd.DataFrame({"demand_id": ["d1", "d2"], "usage_id": ["u1", "u2"]})
    items = pd.DataFrame(
        [
            item(0, 200.0, is_demand=True, quantity=20.0, quantity_unit="kW"),
            item(1, 500.0, is_demand=True, quantity=50.0, quantity_unit="KW"),
            item(2, 100.0, is_demand=True),
        ]
    )
    result = attribute(items, USAGE, METERS, demand, demand_usage=of_demand)
    assert [paid(result, f"b:{n}") for n in range(3)] == [{"e1": 200.0}, {"e2": 500.0}, {"e1": 60.0, "e2": 40.0}]
    assert set(result["method"]) == {"demand"}


def test_a_reading_without_usage_records_is_unattributed_and_none_goes_as_energy() -> None:
    demand = pd.DataFrame({"demand_id": ["d1"], "bill_id": ["b"], "demand": [20.0], "unit": ["kW"]})
    nothing = pd.DataFrame({"demand_id": [], "usage_id": []}, dtype=str)
    items = pd.DataFrame([item(0, 200.0, is_demand=True), item(1, 200.0, "TAX")])
    result = attribute(items, USAGE[:2], METERS, demand, demand_usage=nothing)
    assert result.loc[0, "method"] == "unattributed"
    assert "no usage record" in result.loc[0, "reason"]
    # nothing was given to a meter, so the tax goes by usage and says so
    assert paid(result, "b:1") == {"e1": 120.0, "e2": 80.0}
    assert "no other charge" in result.loc[1, "reason"]
    without = attribute(items[:1], USAGE[:2], METERS)
    assert paid(without, "b:0") == {"e1": 120.0, "e2": 80.0}
    assert without["reason"].str.contains("without a reading").all()


def test_no_meter_on_the_bill_is_unattributed_with_the_reason() -> None:
    items = pd.DataFrame(
        [item(0, 10.0, line_item_id="c:0", bill_id="c"), item(1, 5.0, commodity="WATER"), item(2, 7.0)]
    )
    result = attribute(items, USAGE, METERS, line_item_accounts=accounts(i2="Z")).set_index("line_item_id")
    assert result.loc["c:0", "reason"] == "no meter with usage on the bill"
    assert result.loc["b:1", "reason"].startswith("no meter of its account and commodity")
    assert result.loc["b:2", "method"] == "unattributed"
    assert result["meter_id"].isna().all()


def test_a_combined_bill_is_read_by_unit_then_words_then_follows() -> None:
    items = pd.DataFrame(
        [
            item(0, 900.0, "SUPPLY", quantity_unit="kWh"),
            item(1, 80.0, "DELIVERY", description="Gas delivery"),
            item(2, 98.0, "OTHER", description="Regulatory charge"),
        ]
    )
    result = attribute(items, USAGE, METERS)
    assert paid(result, "b:0") == {"e1": 540.0, "e2": 360.0}
    assert paid(result, "b:1") == {"g1": 80.0}
    assert paid(result, "b:2") == {"e1": 54.0, "e2": 36.0, "g1": 8.0}  # 540 : 360 : 80


def test_water_is_not_sewer() -> None:
    meters = pd.DataFrame(
        [("w", "north", "WATER", "POTABLE_WATER", "A"), ("s", "north", "WATER", "WASTEWATER", "A")],
        columns=["meter_id", "site_id", "commodity", "subtype", "account_id"],
    )
    usage = USAGE[:2].assign(meter_id=["w", "s"], usage=1000.0, unit="gal (US)")
    items = pd.DataFrame(
        [
            item(0, 30.0, description="Water usage"),
            item(1, 70.0, description="Sewer usage"),
            item(2, 4.0, "CUSTOMER", description="Sewer fixed charge"),
            item(3, 5.0, "CUSTOMER", description="Customer charge"),
        ]
    )
    result = attribute(items, usage, meters, line_item_accounts=accounts(i0="A", i1="A", i2="A", i3="A"))
    parts = [paid(result, f"b:{n}") for n in range(4)]
    assert parts == [{"w": 30.0}, {"s": 70.0}, {"s": 4.0}, {"s": 2.5, "w": 2.5}]


def test_a_moved_meter_moves_its_past() -> None:
    usage = USAGE.assign(site_id="old place")
    result = attribute(pd.DataFrame([item(0, 1000.0)]), usage[:2], METERS)
    assert set(result["site_id"]) == {"north", "south"}


def test_currencies_are_never_mixed() -> None:
    items = pd.DataFrame([item(0, 100.0), item(1, 50.0, meter_id="g1"), item(2, 10.0, "TAX")]).assign(
        currency=["USD", "CAD", "CAD"]
    )
    result = attribute(items, USAGE, METERS)
    assert paid(result, "b:2") == {"g1": 10.0}  # the Canadian tax follows the Canadian charge alone
    assert result.groupby("currency")["amount"].sum().to_dict() == {"CAD": 60.0, "USD": 100.0}


def test_bills_without_line_items_are_one_visible_residual() -> None:
    bills = pd.DataFrame(
        {
            "bill_id": ["b", "c", "d", "e"],
            "current_charges": [123.45, 0.1, None, 7.0],
            "currency": "USD",
            "bill_date": "2024-02-20",
            "counts": [True, True, True, False],
        }
    )
    none = pd.DataFrame(columns=["line_item_id", "bill_id", "amount", "currency"])
    result = attribute(none, USAGE, METERS, bills=bills)
    assert dict(zip(result["bill_id"], result["amount"], strict=True)) == {"b": 123.45, "c": 0.1}
    assert set(result["charge_type"]) == {"RESIDUAL"}
    assert result["end_date"].tolist() == [pd.Timestamp("2024-02-02"), pd.Timestamp("2024-02-20")]


def test_what_does_not_count_is_left_out_and_reported() -> None:
    items = pd.DataFrame([item(0, 10.0), item(1, 20.0), item(2, 30.0, bill_id="c")]).assign(
        counts=[True, False, True], counts_reason=[None, "account not tracked", None]
    )
    bills = pd.DataFrame({"bill_id": ["b", "c"], "counts": [True, False], "counts_reason": [None, "superseded"]})
    result = attribute(items, USAGE, METERS, bills=bills)
    assert result["amount"].sum() == 10.0
    assert result.attrs["nectar"]["left_out: account not tracked"] == 1
    assert result.attrs["nectar"]["left_out: superseded"] == 1


def test_a_missing_amount_stays_missing() -> None:
    result = attribute(pd.DataFrame([item(0, 10.0), item(1, np.nan)]), USAGE[:2], METERS)
    assert result.loc[result["line_item_id"] == "b:1", "amount"].isna().all()
    assert result["amount"].sum() == 10.0


def test_untyped_charges_are_read_by_their_words() -> None:
    items = pd.DataFrame(
        [
            item(0, 100.0, None, quantity=10_000, quantity_unit="kWh", description="Energy"),
            item(1, 10.0, None, description="Customer charge"),
            item(2, 5.0, None, description="Late payment charge"),
            item(3, 11.0, "OTHER", description="City tax"),
        ]
    )
    result = attribute(items, USAGE[:2], METERS)
    assert [paid(result, f"b:{n}") for n in range(4)] == [
        {"e1": 60.0, "e2": 40.0},
        {"e1": 5.0, "e2": 5.0},
        {None: 5.0},
        {"e1": 6.5, "e2": 4.5},  # 65 : 45
    ]


def test_many_meters_split_a_cent_once() -> None:
    usage = pd.DataFrame({"bill_id": "b", "meter_id": [f"m{n:02}" for n in range(30)], "usage": 1.0, "unit": "kWh"})
    result = attribute(pd.DataFrame([item(0, -0.07)]), usage, usage[["meter_id"]])
    assert result["amount"].tolist() == [-0.01] * 7 + [0.0] * 23


@pytest.mark.parametrize(
    ("frame", "column"),
    [("items", "amount"), ("items", "line_item_id"), ("usage", "unit"), ("usage", "bill_id"), ("meters", "meter_id")],
)
def test_a_missing_column_is_named(frame: str, column: str) -> None:
    frames = {"items": pd.DataFrame([item(0, 1.0)]), "usage": USAGE, "meters": METERS}
    frames[frame] = frames[frame].drop(columns=column)
    with pytest.raises(DataError, match=column):
        attribute(frames["items"], frames["usage"], frames["meters"])


def test_doubled_ids_are_refused() -> None:
    items = pd.DataFrame([item(0, 1.0), item(0, 2.0)])
    with pytest.raises(DataError, match="line_item_id b:0"):
        attribute(items, USAGE, METERS)
    bills = pd.DataFrame({"bill_id": ["b", "b"]})
    with pytest.raises(DataError, match="bill_id b"):
        attribute(items[:1], USAGE, METERS, bills=bills)


def test_empty_frames_work() -> None:
    full = attribute(pd.DataFrame([item(0, 1.0)]), USAGE, METERS)
    empty = attribute(pd.DataFrame([item(0, 1.0)])[:0], USAGE[:0], METERS[:0])
    assert full.dtypes.tolist() == empty.dtypes.tolist()
    alone = attribute(pd.DataFrame([item(0, 1.0)]), USAGE[:0], METERS[:0])
    assert alone["method"].tolist() == ["unattributed"]

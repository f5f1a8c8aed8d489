"""Rates, unit prices, repeated bills and cancellations: each found where it is, and its near misses silent."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.quality.issues import issues

TODAY = "2026-01-01"


def make_lines(*rows, **columns):
    """Line items of one bill: (quantity, rate, amount)."""
    frame = pd.DataFrame(rows, columns=["quantity", "rate", "amount"])
    frame["line_item_id"] = [f"l{place}" for place in range(len(frame))]
    facts = {
        "bill_id": "b0",
        "currency": "USD",
        "quantity_unit": "kWh",
        "charge_type": "SUPPLY",
        "description": "Energy",
    }
    return frame.assign(**{**facts, **columns})


def rates(lines, make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 500))
    found = issues(usage, line_items=lines, today=TODAY)
    return found.loc[found["kind"] == "rate_mismatch", "found"].tolist()


def test_quantity_times_rate_is_compared_with_the_amount(make_usage):
    told = rates(make_lines((500.0, 0.1234, 71.70)), make_usage)
    assert told == ["Energy: 500 kWh × 0.1234 = 61.70, charged 71.70 USD"]
    assert rates(make_lines((1.0, 12.0, 17.0), charge_type="CUSTOMER", quantity_unit=None), make_usage) == [
        "Energy: 1 × 12 = 12.00, charged 17.00 USD"
    ]
    cents = rates(make_lines((500.0, 12.34, 61.70)), make_usage)
    assert cents == ["Energy: 500 kWh × 12.34 = 6,170.00, charged 61.70 USD; it fits a rate in hundredths"]


@pytest.mark.parametrize(
    "line",
    [
        (500.0, 0.1234, 61.70),
        (500.0, 0.123, 61.70),  # 0.1234 rounded: up to 0.25 on 500 kWh
        (100.0, 0.12, 12.40),  # 0.124 rounded to the cent: 0.40
        (5000.0, 0.01234, 61.72),  # five decimals
        (200.0, 0.0023, 0.47),  # 0.00234 rounded: a cent
        (500.0, -0.1234, -61.70),  # a rate below nothing
        (-500.0, 0.1234, -61.70),
        (1234.0, 2.5, 3086.2),  # the reading was 1,234.48
        (500.0, 0.1234, None),
        (None, 0.1234, 5.0),
        (500.0, None, 5.0),
    ],
)
def test_rounding_credits_and_what_is_missing_are_no_mismatch(line, make_usage):
    assert rates(make_lines(line), make_usage) == []


def test_a_cent_more_than_rounding_explains_is_found(make_usage):
    # 0.1234 stands for 0.12335 to 0.12345: 500 kWh cost 61.675 to 61.725, the reading half a kWh more or less
    assert rates(make_lines((500.0, 0.1234, 61.79)), make_usage) == []
    assert len(rates(make_lines((500.0, 0.1234, 61.80)), make_usage)) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((1000.0, 0.10, 101.0), "= 100.00, charged 101.00 USD; a rate shown rounded would explain it"),
        ((1500.0, 0.1, 157.4), "= 150.00, charged 157.40 USD; a rate shown rounded would explain it"),
        ((500.0, 0.12, 61.70), "= 60.00, charged 61.70 USD; a rate shown rounded would explain it"),
        ((100000.0, 0.1, 10051.0), "charged 10,051.00 USD; a rate shown rounded would explain it"),
        ((1000.0, 0.1, 106.0), "= 100.00, charged 106.00 USD"),
    ],
)
def test_a_rate_of_few_decimals_hides_no_more_than_half_a_percent(line, said, make_usage):
    (told,) = rates(make_lines(line), make_usage)
    assert told.endswith(said)


def test_a_charge_that_rounds_its_rates_as_a_rule_is_no_mismatch(make_usage):
    rounded = [(500.0, 0.12, 61.70), (400.0, 0.12, 49.36), (600.0, 0.12, 74.04), (650.0, 0.12, 78.0)]
    assert rates(make_lines(*rounded, bill_id=["b0", "b1", "b2", "b3"]), make_usage) == []
    assert len(rates(make_lines(*rounded, (700.0, 0.12, 95.0)), make_usage)) == 1  # no rounding goes so far
    exact = [(quantity, 0.12, round(quantity * 0.12, 2)) for quantity in (400.0, 600.0, 650.0)]
    (told,) = rates(make_lines(rounded[0], *exact, bill_id=["b0", "b1", "b2", "b3"]), make_usage)
    assert told.startswith("Energy: 500 kWh × 0.12 = 60.00, charged 61.70 USD")


@pytest.mark.parametrize(
    ("line", "columns", "found"),
    [
        ((500.0, 0.1234, -61.70), {}, True),
        ((-500.0, 0.1234, 61.70), {}, True),
        ((500.0, -0.1234, 61.70), {}, True),
        ((500.0, 0.1234, -61.70), {"charge_type": "CREDIT"}, False),
        ((-500.0, 0.1234, 61.70), {"charge_type": "CREDIT"}, False),  # a credit written without its sign
        ((500.0, 0.1234, -61.70), {"description": "Refund of August"}, False),
        ((500.0, 0.1234, -61.70), {"description": "Net metering, exported"}, False),
        ((500.0, 0.1234, -99.0), {"charge_type": "CREDIT"}, True),  # its size is wrong all the same
        ((0.0, 0.1234, 0.0), {}, False),
    ],
)
def test_an_amount_against_the_sign_of_its_product_is_told_but_for_credits(line, columns, found, make_usage):
    told = rates(make_lines(line, **columns), make_usage)
    assert len(told) == found
    if found and line[2] != -99.0:
        assert told[0].endswith("USD; the signs contradict each other")
    beside = make_lines(line, (300.0, 0.1, 30.0), **columns)  # another line of the charge says nothing about it
    assert len(rates(beside, make_usage)) == found


def test_what_a_cancellation_takes_back_is_no_contradiction(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 500), ("M", "2024-01-01", "2024-01-31", -500))
    bills = pd.DataFrame({"bill_id": usage["bill_id"], "current_charges": [61.7, -61.7], "currency": "USD"})
    accounts = pd.DataFrame({"bill_id": usage["bill_id"], "account_id": "A"})
    lines = make_lines((500.0, 0.1234, 61.70), (500.0, 0.1234, -61.70), bill_id=usage["bill_id"].tolist())
    found = issues(usage, bills=bills, bill_accounts=accounts, line_items=lines, today=TODAY)
    assert "rate_mismatch" not in set(found["kind"])
    alone = issues(usage, bills=bills, line_items=lines, today=TODAY)  # no account says that the two belong together
    assert (alone["kind"] == "rate_mismatch").sum() == 1


def test_tiers_need_only_agree_together(make_usage):
    each = make_lines((500.0, 0.08, 40.0), (300.0, 0.12, 36.0))
    assert rates(each, make_usage) == []
    whole = make_lines((800.0, 0.08, 40.0), (800.0, 0.12, 36.0))  # both show the whole quantity
    assert rates(whole, make_usage) == []
    assert len(rates(whole.assign(amount=[40.0, 96.0]), make_usage)) == 1  # more than all of it at the higher rate
    alone = make_lines((800.0, 0.12, 76.0), description="Energy, tier 2 over 500 kWh")
    assert rates(alone, make_usage) == []
    assert len(rates(alone.assign(description="Energy"), make_usage)) == 1


def test_multipliers_of_a_line_count(make_usage):
    lines = make_lines((500.0, 0.1, 100.0), extra=json.dumps({"multipliers": ["2"]}))
    assert rates(lines, make_usage) == []
    assert len(rates(lines.assign(extra=json.dumps({"multipliers": ["3"]})), make_usage)) == 1
    assert rates(lines.assign(extra=json.dumps({"multipliers": [{"name": "?"}]})), make_usage) == []


def make_history(make_usage, usage, charges):
    """One bill a month of one meter from January 2023 on."""
    start = pd.date_range("2023-01-01", periods=len(usage), freq="MS")
    end = start + pd.offsets.MonthEnd(0)
    rows = [("M", a.date().isoformat(), b.date().isoformat(), u) for a, b, u in zip(start, end, usage, strict=True)]
    bills = pd.DataFrame(
        {"bill_id": [f"b{place}" for place in range(len(rows))], "current_charges": charges, "currency": "USD"}
    )
    return make_usage(*rows), bills


def unit_prices(make_usage, usage, charges, lines=None, **arguments):
    records, bills = make_history(make_usage, usage, charges)
    found = issues(records, bills=bills, line_items=lines, today=TODAY, **arguments)
    return found.loc[found["kind"] == "unit_price", ["bill_id", "meter_id", "found"]].values.tolist()


def test_a_unit_price_far_from_the_meters_own(make_usage):
    charges = [20.0] * 12
    charges[7] = 60.0  # 0.60 where a kWh costs 0.20
    assert unit_prices(make_usage, [100.0] * 12, charges) == [
        ["b7", "M", "a kWh costs 0.6 USD (60.00 for 100), on the bills around it 0.2"]
    ]
    assert unit_prices(make_usage, [100.0] * 12, charges, price_factor=3.5) == []
    charges[7] = 5.0
    assert [row[0] for row in unit_prices(make_usage, [100.0] * 12, charges)] == ["b7"]
    with pytest.raises(InvalidRequestError, match="price_factor=1 must be above 1"):
        unit_prices(make_usage, [1.0], [1.0], price_factor=1)


def test_a_new_tariff_fixed_charges_and_few_bills_are_not_far(make_usage):
    assert unit_prices(make_usage, [100.0] * 12, [20.0] * 6 + [60.0] * 6) == []  # the price holds from July on
    used = [100.0, 90.0, 60.0, 20.0, 4.0, 1.0, 1.0, 2.0, 10.0, 50.0, 80.0, 100.0]
    assert unit_prices(make_usage, used, [12.0 + value for value in used]) == []  # 12 a month whatever is used
    assert unit_prices(make_usage, [100.0] * 3, [20.0, 20.0, 90.0]) == []
    assert unit_prices(make_usage, [100.0] * 11 + [-50.0], [20.0] * 12) == []
    assert unit_prices(make_usage, [100.0] * 11 + [200.0], [20.0] * 11 + [40.0]) == []  # more used, same price


def test_supply_and_delivery_tell_the_price_where_lines_name_them(make_usage):
    used = [100.0] * 11 + [0.1]  # a reading in MWh: 0.1 for 100 kWh
    lines = make_lines(*[(None, None, 18.0)] * 12, *[(None, None, 2.0)] * 12)
    lines["bill_id"] = [f"b{place}" for place in range(12)] * 2
    lines["charge_type"] = ["SUPPLY"] * 12 + ["CUSTOMER"] * 12
    told = unit_prices(make_usage, used, [20.0] * 12, lines)
    assert told == [["b11", "M", "a kWh costs 180 USD (18.00 for 0.1), on the bills around it 0.18"]]
    assert unit_prices(make_usage, used, [20.0] * 12) == []  # without them all may be a fixed charge


def corrections(make_usage, rows, charges, **columns):
    """Bills of one account: a record each where its usage is given."""
    usage = make_usage(*[("M", "2024-01-01", "2024-01-31", value) for value in rows])
    bills = pd.DataFrame({"bill_id": usage["bill_id"], "current_charges": charges, "currency": "USD"})
    bills = bills.assign(start_date="2024-01-01", bill_date="2024-01-31", **columns)
    relation = pd.DataFrame({"bill_id": usage["bill_id"], "account_id": "A", "via": "line_item"})
    found = issues(usage[usage["usage"].notna()], bills=bills, bill_accounts=relation, today="2024-02-20")
    return found[["kind", "bill_id", "other_bill_id", "found"]].values.tolist()


def test_a_bill_under_another_id_is_an_exact_repeat(make_usage):
    told = corrections(make_usage, [310, 310], [62.0, 62.0])
    assert told == [["repeated_bill", "b1", "b0", "equals bill b0 in dates, usage (1 records) and charges (62.00)"]]
    for usage, charges in (([310, 311], [62.0, 62.0]), ([310, 310], [62.0, 62.01])):
        assert [row[0] for row in corrections(make_usage, usage, charges)] == ["potential_duplicate"]
    two = corrections(make_usage, [310, 310], [62.0, 62.0], utility=["Grid", "Supplier"])
    assert [row[0] for row in two] == ["potential_duplicate"]
    bare = corrections(make_usage, [None, None], [62.0, 62.0])
    assert [row[:3] for row in bare if row[0] != "no_usage"] == [["repeated_bill", "b1", "b0"]]


def test_a_cancellation_that_nets_is_no_finding_and_no_duplicate(make_usage):
    assert corrections(make_usage, [310, -310, 290], [62.0, -62.0, 58.0]) == []
    assert corrections(make_usage, [310, -310, 310], [62.0, -62.0, 62.0]) == []


def test_a_cancellation_that_leaves_something_is_found_once(make_usage):
    told = corrections(make_usage, [310, -300, 290], [62.0, -60.0, 58.0])
    assert told == [
        [
            "cancel_rebill",
            "b1",
            "b0",
            "takes back -60.00 and usage -300 of bill b0, which says 62.00 and usage 310: "
            "2.00 USD and usage of 10 are left",
        ]
    ]
    money = corrections(make_usage, [310, -310, 290], [62.0, -50.0, 58.0])
    assert money[0][3].endswith("12.00 USD are left")
    bare = corrections(make_usage, [310, None, 290], [62.0, -62.0, 58.0])
    told = [row for row in bare if row[0] != "no_usage"]
    assert [row[:3] for row in told] == [["cancel_rebill", "b1", "b0"]]
    assert told[0][3].endswith("usage of 310 are left")


def test_a_credit_beside_one_bill_is_no_cancellation(make_usage):
    told = corrections(make_usage, [310, None], [62.0, -20.0])
    assert [row[0] for row in told] == ["no_usage"]


@pytest.mark.real_bills
def test_the_real_bills_raise_no_false_alarm(real_usage):
    bills = pd.DataFrame({"bill_id": real_usage["bill_id"].unique(), "current_charges": 100.0, "currency": "USD"})
    found = issues(real_usage, bills=bills, today="2018-01-01")
    assert set(found["kind"]) == {"gap", "shared_boundary_days"}

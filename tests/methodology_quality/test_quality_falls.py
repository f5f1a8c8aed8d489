"""Low reads and their catch-up, what is at stake, months billed in part: hand-worked vectors and near misses."""

from __future__ import annotations

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.quality.anomalies.find import anomalies

OURS = ["zero_read", "collapsed_read", "catch_up"]
HEATED = [100.0, 90.0, 70.0, 40.0, 20.0, 0.0, 0.0, 0.0, 20.0, 60.0, 80.0, 100.0]  # gas, January to December
GROWN = [0.0, 0.0, 0.0, 0.0, 50.0, 80.0, 90.0, 80.0, 40.0, 0.0, 0.0, 0.0]  # irrigation


def make_months(start, values, **columns):
    frame = pd.DataFrame({"month": pd.date_range(start, periods=len(values), freq="MS"), "usage": values})
    facts = {"meter_id": "M", "site_id": "S", "commodity": "ELECTRICITY", "subtype": None, "unit": "kWh"}
    return frame.assign(**{**facts, **columns})


def falls(monthly, **arguments):
    """What is ours and no change of level: (kind, month, value, baseline)."""
    found = anomalies(monthly, **arguments)
    found = found[found["kind"].isin(OURS)].sort_values("month")
    months = found["month"].dt.strftime("%Y-%m")
    return list(zip(found["kind"], months, found["value"], found["baseline"].round(6), strict=True))


def regimes(monthly):
    found = anomalies(monthly)
    found = found[found["kind"] == "usage_regime"]
    return list(zip(found["month"].dt.strftime("%Y-%m"), found["change"], strict=True))


def test_a_zero_read_and_the_catch_up_after_it():
    monthly = make_months("2024-01-01", [100.0] * 6 + [0.0, 205.0] + [100.0] * 4)
    assert falls(monthly) == [("zero_read", "2024-07", 0.0, 100.0), ("catch_up", "2024-08", 205.0, 100.0)]
    result = anomalies(monthly).set_index("kind")
    assert result.loc["zero_read", "found"] == "0 kWh in 2024-07; the mean of 3 earlier months of the season is 100"
    assert result.loc["catch_up", "found"].startswith("205 kWh in 2024-08, the catch-up after low reads, 105 % above")
    assert result["units_at_stake"].to_dict() == {"usage_spike": 130.0, "catch_up": 105.0, "zero_read": 100.0}
    assert result["money_at_stake"].isna().all()  # not known, and not 0
    # Nectar's rule takes the zero into its baseline (75): its spike stands beside, and says whose it is
    assert result["rule"].to_dict() == {"usage_spike": "Nectar", "catch_up": "ours", "zero_read": "ours"}


def test_a_read_collapses_below_a_fifth_and_not_at_it():
    base = [100.0] * 5
    assert falls(make_months("2024-04-01", [*base, 20.0])) == []
    assert falls(make_months("2024-04-01", [*base, 19.9])) == [("collapsed_read", "2024-09", 19.9, 100.0)]
    assert falls(make_months("2024-04-01", [*base, 45.0]), usage_fall=0.5) == [
        ("collapsed_read", "2024-09", 45.0, 100.0)
    ]
    assert falls(make_months("2024-04-01", [100.0, 100.0, 0.0])) == []  # two months are no baseline


def test_no_catch_up_without_an_excess():
    for after in (100.0, 149.0):
        assert [kind for kind, *_ in falls(make_months("2024-01-01", [100.0] * 6 + [0.0, after]))] == ["zero_read"]


@pytest.mark.parametrize("start", [0, 3, 6])
def test_a_zero_that_is_the_meters_habit_is_none(start):
    gas = make_months(f"2022-{start + 1:02}-01", (HEATED * 3)[start:], commodity="GAS", unit="thm (US)")
    assert falls(gas) == []
    water = make_months(f"2022-{start + 1:02}-01", (GROWN * 3)[start:], commodity="WATER", unit="CCF")
    assert falls(water) == []
    assert falls(make_months("2022-04-01", HEATED[3:], commodity="GAS")) == []  # one year: nothing to tell a habit by


def test_a_seasonal_meter_that_reads_zero_in_its_season_is_found():
    gas = [*HEATED, *HEATED, *HEATED]
    gas[24 + 2] = 0.0  # March 2024
    # heating months of the two years before: 70 and 60 + 80 + 100 + 100 + 90 + 70 and 60 + 80 + 100 + 100 + 90
    told = falls(make_months("2022-01-01", gas, commodity="GAS"))
    assert told == [("zero_read", "2024-03", 0.0, pytest.approx(1000 / 12))]
    water = [*GROWN, *GROWN, *GROWN]
    water[24 + 6] = 0.0
    assert [row[:2] for row in falls(make_months("2022-01-01", water, commodity="WATER"))] == [("zero_read", "2024-07")]


def test_a_fall_that_lasts_is_a_change_of_regime_told_once():
    closed = make_months("2023-01-01", [100.0] * 18 + [0.0] * 12)
    assert falls(closed) == []
    assert regimes(closed) == [("2024-07", -1.0)]
    dead = make_months("2023-01-01", [100.0] * 18 + [2.0] * 4 + [500.0] + [100.0] * 6)
    assert regimes(dead) == [("2024-07", pytest.approx(-0.98))]
    assert falls(dead) == [("catch_up", "2024-11", 500.0, 100.0)]


def test_two_meters_of_a_type_are_read_one_by_one_and_a_swap_is_none():
    beside = make_months("2023-01-01", [900.0] * 20, meter_id="N")
    one = make_months("2023-01-01", [100.0] * 18 + [0.0, 100.0])
    found = anomalies(pd.concat([one, beside]))
    assert found[["kind", "meter_id"]].values.tolist() == [["zero_read", "M"]]
    taken_over = make_months("2024-07-01", [100.0] * 4, meter_id="N")
    assert len(anomalies(pd.concat([make_months("2023-01-01", [100.0] * 18 + [0.0] * 4), taken_over]))) == 0


def test_what_is_hauled_exported_or_net_is_no_read():
    values = [100.0] * 18 + [0.0, 0.0]
    assert len(anomalies(make_months("2023-01-01", values, commodity="WASTE"))) == 0
    assert len(anomalies(make_months("2023-01-01", values, commodity="FUEL"))) == 0
    assert len(anomalies(make_months("2023-01-01", [-value for value in values]))) == 0
    net = make_months("2023-01-01", values).assign(exported=[None] * 18 + [50.0, 60.0])
    assert len(anomalies(net)) == 0


def test_money_at_stake_is_the_units_at_the_series_own_price():
    cost = [20.0] * 6 + [40.0] * 6 + [5.0]
    monthly = make_months("2023-01-01", [100.0] * 12 + [0.0], cost=cost, currency="USD")
    row = anomalies(monthly).iloc[0]
    # 12 months of 100 kWh cost 6 * 20 + 6 * 40 = 360: 0.30 a kWh
    assert (row["kind"], row["units_at_stake"], row["currency"]) == ("zero_read", 100.0, "USD")
    assert row["money_at_stake"] == pytest.approx(30.0)
    two = monthly.assign(currency=["USD"] * 6 + ["CAD"] * 7)
    row = anomalies(two).set_index("kind").loc["zero_read"]
    assert pd.isna(row["money_at_stake"])
    assert pd.isna(row["currency"])
    free = monthly.assign(cost=0.0)
    assert anomalies(free)["money_at_stake"].isna().all()


def test_rows_come_by_what_is_at_stake_money_first_and_currency_by_currency():
    base = [100.0] * 12
    frames = [
        make_months("2023-01-01", [*base, 0.0], site_id="small", cost=10.0, currency="USD"),
        make_months("2023-01-01", [*base, 0.0], site_id="large", cost=90.0, currency="USD"),
        make_months("2023-01-01", [*base, 0.0], site_id="loonie", cost=500.0, currency="CAD"),
        make_months("2023-01-01", [*base, 0.0], site_id="units"),
        make_months("2023-01-01", [900.0] * 12 + [0.0], site_id="more units"),
    ]
    lines = pd.DataFrame({"bill_id": ["b"], "amount": [50.0], "charge_type": "LATE_FEE", "currency": "USD"})
    result = anomalies(pd.concat(frames), line_items=lines)
    assert result["site_id"].fillna("fee").tolist() == ["loonie", "large", "fee", "small", "more units", "units"]
    assert result["money_at_stake"].dropna().round(6).tolist() == [500.0, 90.0, 50.0, 10.0]


def test_demand_at_stake_is_what_exceeds_the_share():
    lines = pd.DataFrame(
        {"bill_id": ["b", "b"], "amount": [70.0, 30.0], "charge_type": ["DEMAND", "SUPPLY"], "currency": "USD"}
    )
    row = anomalies(make_months("2024-01-01", []), line_items=lines).iloc[0]
    assert (row["kind"], row["value"], row["money_at_stake"]) == ("high_demand", 70.0, 20.0)


def test_nothing_is_scaled_from_fewer_than_half_of_the_days():
    days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    monthly = make_months("2023-01-01", [100.0] * 12 + [900.0]).assign(days_covered=[*days, 1])
    result = anomalies(monthly)  # one day of 900 is no month of 27,900
    assert len(result) == 0
    assert result.attrs["nectar"]["left_out: less than 50% of the month's days"] == 1
    assert anomalies(monthly, least_share=0.0)["kind"].tolist() == ["usage_spike"]
    assert len(anomalies(monthly.assign(days_covered=[*days, 15]))) == 0  # 15 of 31 days
    assert anomalies(monthly.assign(days_covered=[*days, 16]))["partly_billed"].tolist() == [True]


def test_months_billed_in_part_are_marked():
    days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    values = [value * 10.0 for value in days]
    for covered, partly in ((31, False), (30, True), (20, True)):
        monthly = make_months("2023-01-01", [*values, 0.0]).assign(days_covered=[*days, covered])
        row = anomalies(monthly).iloc[0]
        assert (row["kind"], bool(row["partly_billed"])) == ("zero_read", partly)
        assert row["baseline"] == pytest.approx(10.0 * covered)
    assert anomalies(make_months("2023-01-01", [*values, 0.0]))["partly_billed"].isna().all()


def test_reads_as_billed_find_what_two_half_months_hide():
    start = [pd.Timestamp("2023-01-15") + pd.DateOffset(months=place) for place in range(20)]
    usage = pd.DataFrame({"start_date": start, "usage": [100.0] * 15 + [0.0, 200.0] + [100.0] * 3})
    usage["end_date"] = usage["start_date"] + pd.DateOffset(months=1) - pd.Timedelta(days=1)
    usage["bill_id"] = [f"b{place}" for place in range(20)]
    usage = usage.assign(meter_id="M", site_id="S", commodity="ELECTRICITY", unit="kWh")
    monthly = nn.calendarize(usage)
    assert falls(monthly) == []
    found = anomalies(monthly, usage=usage)
    found = found[found["kind"].isin(OURS)].sort_values("month")
    assert found[["kind", "bill_id", "value"]].values.tolist() == [
        ["zero_read", "b15", 0.0],
        ["catch_up", "b16", 200.0],
    ]


def test_shares_that_are_none_name_themselves():
    with pytest.raises(InvalidRequestError, match=r"usage_fall=1\.5 is no share"):
        anomalies(make_months("2024-01-01", [1.0]), usage_fall=1.5)
    with pytest.raises(InvalidRequestError, match="least_share=-1 is no share"):
        anomalies(make_months("2024-01-01", [1.0]), least_share=-1)


@pytest.mark.real_bills
def test_the_real_bills_have_one_zero_read_and_one_collapsed_month(real_usage):
    usage = real_usage.assign(cost=2.0, currency="USD")
    monthly = nn.calendarize(usage)
    months = anomalies(monthly)
    assert months.loc[months["rule"] == "ours", ["kind", "commodity"]].values.tolist() == [["collapsed_read", "GAS"]]
    found = anomalies(monthly, usage=usage)
    ours = found[found["rule"] == "ours"]
    assert ours[["kind", "commodity", "value"]].values.tolist() == [["zero_read", "GAS", 0.0]]
    assert ours["month"].tolist() == [pd.Timestamp("2013-03-01")]
    assert (found["rule"] == "Nectar").sum() == 1  # the over-read before it

"""Anomalies: the season's baseline, changes of regime, fees and demand; against the slow oracle."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.quality.anomalies.find import anomalies


def make_months(start, values, **columns):
    frame = pd.DataFrame({"month": pd.date_range(start, periods=len(values), freq="MS"), "usage": values})
    facts = {"meter_id": "M", "site_id": "S", "commodity": "ELECTRICITY", "subtype": None, "unit": "kWh"}
    return frame.assign(**{**facts, **columns})


def make_lines(*rows):
    frame = pd.DataFrame(rows, columns=["bill_id", "amount", "charge_type", "description"])
    return frame.assign(currency="USD", billing_period="CURRENT", is_demand=False)


def test_winter_is_compared_with_winter():
    # A year of 100 in summer and 200 in winter; then a winter of 240 is no spike, a summer month of 160 is.
    year = [200.0] * 3 + [100.0] * 6 + [200.0] * 3
    monthly = make_months("2022-01-01", [*year, *[240.0] * 3, 100.0, 160.0])
    result = anomalies(monthly)
    assert result[["kind", "value", "baseline", "months"]].values.tolist() == [["usage_spike", 160.0, 100.0, 7]]
    assert result["change"].tolist() == [pytest.approx(0.6)]
    assert result["month"].tolist() == [pd.Timestamp("2023-05-01")]


def test_a_spike_is_more_than_the_threshold_and_upward_only():
    base = [100.0] * 4
    assert anomalies(make_months("2024-04-01", [*base, 1.0]))["rule"].tolist() == ["ours"]
    assert len(anomalies(make_months("2024-04-01", [*base, 150.0]))) == 0
    assert len(anomalies(make_months("2024-04-01", [*base, 151.0]))) == 1
    assert len(anomalies(make_months("2024-04-01", [*base, 140.0]), usage_rise=0.3)) == 1


def test_three_months_are_a_baseline_and_two_are_not():
    assert len(anomalies(make_months("2024-04-01", [100.0, 100.0, 900.0]))) == 0
    assert len(anomalies(make_months("2024-04-01", [100.0, 100.0, 100.0, 900.0]))) == 1
    assert len(anomalies(make_months("2024-04-01", [100.0, 100.0, 900.0]), baseline_months=2)) == 1


def test_older_than_two_years_is_forgotten():
    old = make_months("2020-04-01", [100.0] * 6)
    new = make_months("2023-04-01", [400.0])
    assert len(anomalies(pd.concat([old, new]))) == 0


def test_a_level_that_lasts_is_listed_once_as_a_change_of_regime():
    # A year of 100; the level doubles in August and stays, over a change of season: listed once, nothing after.
    monthly = make_months("2022-04-01", [*[100.0] * 16, *[200.0] * 14])
    result = anomalies(monthly)
    assert result[["kind", "month"]].values.tolist() == [["usage_regime", pd.Timestamp("2023-08-01")]]


def test_regime_within_a_season_and_a_spike_on_top_of_it():
    monthly = make_months("2022-04-01", [*[100.0] * 6, *[100.0] * 6, *[200.0] * 4, 500.0, 200.0])
    result = anomalies(monthly).sort_values("month", ignore_index=True)
    assert result[["kind", "month", "baseline"]].values.tolist() == [
        ["usage_regime", pd.Timestamp("2023-04-01"), 100.0],
        ["usage_spike", pd.Timestamp("2023-08-01"), 200.0],
    ]
    assert "3 months or more at such a level" in result["found"][0]


def test_a_month_covered_in_part_is_compared_by_its_days():
    monthly = make_months("2024-04-01", [300.0, 310.0, 300.0, 310.0, 160.0]).assign(days_covered=[30, 31, 30, 31, 16])
    assert len(anomalies(monthly)) == 0
    monthly.loc[4, "usage"] = 320.0
    result = anomalies(monthly)
    assert result["value"].tolist() == [320.0]
    assert result["baseline"].tolist() == [pytest.approx(160.0)]
    assert result["change"].tolist() == [pytest.approx(1.0)]


def test_meters_of_one_type_are_compared_together_or_alone():
    one, two = make_months("2024-04-01", [100.0] * 4 + [300.0]), make_months("2024-04-01", [900.0] * 5, meter_id="N")
    both = pd.concat([one, two])
    assert len(anomalies(both)) == 0
    assert anomalies(both, by="meter")["meter_id"].tolist() == ["M"]


def test_cost_is_compared_per_site_and_currency():
    monthly = make_months("2024-04-01", [100.0] * 5, cost=[10.0] * 4 + [40.0], currency="CAD")
    result = anomalies(monthly)
    assert result[["kind", "site_id", "currency", "value", "baseline"]].values.tolist() == [
        ["cost_spike", "S", "CAD", 40.0, 10.0]
    ]
    assert result["found"][0].startswith("40 CAD in 2024-08, 300 % above the mean of 4 earlier months")


def test_late_fees_from_ten_on_and_high_demand():
    lines = make_lines(
        ("b1", 9.99, "LATE_FEE", None),
        ("b2", 10.0, "LATE_FEE", None),
        ("b3", 6.0, "OTHER", "Late payment charge"),
        ("b3", 5.0, None, "Interest on arrears"),
        ("b4", 12.0, "LATE_FEE", None),
        ("b4", -12.0, "LATE_FEE", "late fee back"),
        ("b5", 49.0, "SUPPLY", None),
        ("b5", 51.0, "DEMAND", None),
        ("b5", 900.0, "LATE_FEE", None),
        ("b6", 50.0, "DEMAND", None),
        ("b6", 50.0, "SUPPLY", None),
    )
    bills = pd.DataFrame({"bill_id": ["b2", "b5"], "bill_date": ["2024-02-10", "2024-03-10"]})
    result = anomalies(make_months("2024-01-01", []), line_items=lines, bills=bills)
    fees = result[result["kind"] == "late_fee"].set_index("bill_id")["value"].to_dict()
    assert fees == {"b2": 10.0, "b3": 11.0, "b5": 900.0}
    demand = result[result["kind"] == "high_demand"]
    assert demand[["bill_id", "value", "baseline", "change"]].values.tolist() == [["b5", 51.0, 100.0, 0.51]]
    assert result.set_index("bill_id")["month"]["b5"].tolist()[0] == pd.Timestamp("2024-03-01")


def test_lines_that_do_not_count_are_left_out_and_told():
    lines = make_lines(("b1", 50.0, "LATE_FEE", None)).assign(counts=False, counts_reason="superseded")
    result = anomalies(make_months("2024-01-01", []), line_items=lines)
    assert len(result) == 0
    assert result.attrs["nectar"]["left_out: superseded"] == 1


def test_wrong_arguments_name_themselves():
    with pytest.raises(InvalidRequestError):
        anomalies(make_months("2024-01-01", [1.0]), by="colour")
    with pytest.raises(DataError, match="monthly lacks the columns unit, usage"):
        anomalies(pd.DataFrame({"site_id": [], "commodity": [], "month": []}))
    with pytest.raises(InvalidRequestError, match="reaches over"):
        anomalies(pd.concat([make_months("1700-01-01", [1.0]), make_months("2024-01-01", [1.0])]))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.sampled_from([40, 100, 120, 160, 200, 330])), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_spikes_and_regimes_equal_the_oracle(values, month):
    frame = make_months(f"2020-{month:02}-01", [float(value) if value is not None else None for value in values])
    result = anomalies(frame)
    series = {
        stamp.date(): Fraction(value) for stamp, value in zip(frame["month"], values, strict=True) if value is not None
    }
    if not series:
        assert len(result) == 0
        return
    spikes, regimes = oracle.spikes(series, 0.5, 3, 3)
    assert sorted(result[result["kind"] == "usage_spike"]["month"].dt.date) == spikes  # they come by what is at stake
    assert sorted(result[result["kind"] == "usage_regime"]["month"].dt.date) == regimes


def test_the_oracle_itself_on_a_hand_worked_series():
    series = {date(2024, month, 1): 100 for month in range(4, 8)} | {date(2024, 8, 1): 151}
    assert oracle.spikes(series, 0.5, 3, 3) == ([date(2024, 8, 1)], [])


def test_one_more_meter_is_no_spike():
    old = make_months("2024-04-01", [100.0] * 6, cost=[10.0] * 6, currency="USD")
    new = make_months("2024-08-01", [300.0] * 2, cost=[30.0] * 2, currency="USD", meter_id="N")
    assert len(anomalies(pd.concat([old, new]))) == 0


def test_costs_without_a_site_are_no_series():
    monthly = make_months("2024-04-01", [100.0] * 5, cost=[10.0] * 4 + [40.0], currency="CAD", site_id=None)
    assert len(anomalies(monthly)) == 0

"""Figures on random months and bills: sums preserved, the order of rows irrelevant, again the same, nothing mutated."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
from nectar_notebooks.methodology.intensity import intensity
from nectar_notebooks.methodology.quality.anomalies.find import anomalies
from nectar_notebooks.methodology.quality.completeness import completeness
from nectar_notebooks.methodology.quality.fill import fill_gaps
from nectar_notebooks.methodology.sites import join_sites
from nectar_notebooks.methodology.units import convert

#: What one unit is in kWh, worked out here: a Btu is 1055.056 J, a cubic foot of gas has 1,026 of them.
IN_KWH = {
    "kWh": Fraction(1),
    "MWh": Fraction(1000),
    "CCF": 102_600 * Fraction("1055.056") / 3_600_000,
    "thm (US)": Fraction(105_480_400, 3_600_000),
}
UNITS = {"ELECTRICITY": ["kWh", "MWh"], "GAS": ["CCF", "thm (US)"], "WATER": ["CCF"], "WASTE": ["cubic yd"]}
SEEDS = st.integers(0, 99)


@st.composite
def month_rows(draw):
    """Draw months of three meters at two sites or none, each in one or two commodities and units."""
    rows = {}
    for _ in range(draw(st.integers(1, 14))):
        commodity = draw(st.sampled_from(list(UNITS)))
        meter, site = draw(st.sampled_from([("M", "S"), ("N", "S"), ("O", "T"), ("P", None)]))
        unit = draw(st.sampled_from(UNITS[commodity]))
        month = pd.Timestamp("2023-01-01") + pd.DateOffset(months=draw(st.integers(0, 17)))
        rows[meter, commodity, unit, month] = {
            "meter_id": meter,
            "site_id": site,
            "commodity": commodity,
            "subtype": None,
            "unit": unit,
            "currency": draw(st.sampled_from(["USD", "JPY"])),
            "month": month,
            "usage": draw(st.sampled_from([None, 0.0, 1.0, 12.5, 310.0, -40.25, 1e6])),
            "cost": draw(st.sampled_from([None, 0.0, 5.0, 33.0, 1000.0])),
            "days_covered": draw(st.sampled_from([1.0, 10.0, month.days_in_month])),
        }
    frame = pd.DataFrame(list(rows.values()))
    return frame.astype(dict.fromkeys(("usage", "cost", "days_covered"), "float64"))


def same_in_any_order(function, frame, seed):
    """Return what a function says, and fail where it says another thing of the same rows."""
    before = frame.copy(deep=True)
    result = function(frame)
    mixed = frame.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(function(mixed), result, rtol=1e-12)
    pd.testing.assert_frame_equal(function(frame), result)
    pd.testing.assert_frame_equal(frame, before)
    return result


@settings(max_examples=20, deadline=None)
@given(frame=month_rows(), seed=SEEDS)
def test_energy_sums_to_the_same_however_it_is_grouped(frame, seed):
    wanted = [row for row in frame.to_dict("records") if row["commodity"] in ("ELECTRICITY", "GAS")]
    known = [row for row in wanted if pd.notna(row["usage"])]
    whole = sum(Fraction(row["usage"]) * IN_KWH[row["unit"]] for row in known)
    for by in (["site_id", "month"], ["commodity"], ["meter_id", "site_id"]):
        result = same_in_any_order(lambda given, by=by: total_energy(given, by=by), frame, seed)
        assert result["energy"].sum() == pytest.approx(float(whole), rel=1e-9, abs=1e-6)
        assert (result["rows"].sum(), result["rows_left_out"].sum()) == (len(known), len(wanted) - len(known))
        assert (result["reason"].notna() == (result["rows_left_out"] > 0)).all()


@settings(max_examples=20, deadline=None)
@given(frame=month_rows(), seed=SEEDS)
def test_converting_keeps_rows_there_and_back(frame, seed):
    targets = {"ELECTRICITY": "kWh", "GAS": "kWh", "WATER": "gal (US)"}
    result = convert(frame, targets)
    pd.testing.assert_frame_equal(result[frame.columns], frame)
    pd.testing.assert_frame_equal(convert(frame.sample(frac=1, random_state=seed), targets).sort_index(), result)
    assert (result["converted"].isna() == result["conversion_reason"].notna()).all()
    for row in result[result["converted_unit"] == "kWh"].to_dict("records"):
        assert row["converted"] == pytest.approx(float(Fraction(row["usage"]) * IN_KWH[row["unit"]]), rel=1e-12)
    there = result.assign(usage=result["converted"], unit=result["converted_unit"])
    pd.testing.assert_series_equal(convert(there, targets)["converted"], result["converted"])


@settings(max_examples=20, deadline=None)
@given(frame=month_rows(), seed=SEEDS)
def test_intensity_is_a_commoditys_twelve_months_over_the_area(frame, seed):
    sites = pd.DataFrame({"site_id": ["S", "T"], "area": [200.0, 50.0], "area_unit": "m2"})
    result = same_in_any_order(lambda given: intensity(given, sites, end="2024-03"), frame, seed)
    inside = frame[(frame["month"] >= "2023-04-01") & (frame["month"] <= "2024-03-01") & frame["usage"].notna()]
    expected = {}
    for (site, commodity), rows in inside.groupby(["site_id", "commodity"], dropna=False):
        counts = rows["unit"].value_counts()
        unit = min(counts[counts == counts.max()].index)
        scale = {name: Fraction(1) if name == unit else IN_KWH[name] / IN_KWH[unit] for name in counts.index}
        usage = sum(Fraction(row["usage"]) * scale[row["unit"]] for row in rows.to_dict("records"))
        covered = [(row["month"], row["days_covered"]) for row in rows.to_dict("records")]
        year = oracle.twelve_months(usage, covered, 366, hauled=commodity == "WASTE")
        expected[None if pd.isna(site) else site, commodity, unit] = usage, year
    area = {"S": 200.0, "T": 50.0}
    assert len(result) == len(expected)
    for row in result.to_dict("records"):
        key = (None if pd.isna(row["site_id"]) else row["site_id"], row["commodity"], row["unit"])
        usage, year = expected[key]
        assert row["usage"] == pytest.approx(float(usage), rel=1e-9, abs=1e-9)
        if year is None:
            assert np.isnan(row["usage_twelve_months"])
            assert key[0] is None or "under eleven months" in row["reason"]
        else:
            assert row["usage_twelve_months"] == pytest.approx(float(year), rel=1e-9, abs=1e-9)
        if key[0] is None:
            assert (np.isnan(row["intensity"]), row["reason"]) == (True, "no floor area")
        elif year is not None:
            assert row["intensity"] == pytest.approx(float(year) / area[key[0]], rel=1e-9, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(frame=month_rows(), seed=SEEDS, by=st.sampled_from(["type", "meter"]))
def test_anomalies_fill_and_the_table_of_sites_do_not_look_at_the_order(frame, seed, by):
    same_in_any_order(lambda given: anomalies(given, by=by, baseline_months=1, regime_months=2), frame, seed)
    filled = same_in_any_order(fill_gaps, frame, seed)
    assert filled["usage"].sum() == pytest.approx(frame["usage"].sum())
    assert filled["cost"].sum() == pytest.approx(frame["cost"].sum())
    again = fill_gaps(filled)
    pd.testing.assert_frame_equal(again[filled.columns], filled)
    mine = pd.DataFrame({"site_id": ["T", "S", "Q"], "use": ["depot", "office", "none"]})
    joined = join_sites(frame, mine)
    pd.testing.assert_frame_equal(joined[frame.columns], frame)
    pd.testing.assert_frame_equal(join_sites(frame.sample(frac=1, random_state=seed), mine[::-1]).sort_index(), joined)
    told = dict(zip(frame["site_id"], joined["use"], strict=True))
    assert {site: use for site, use in told.items() if pd.notna(site)}.items() <= {"S": "office", "T": "depot"}.items()


@st.composite
def bills(draw):
    """Draw charges of bills, usage of their meters, demand readings and what these belong to."""
    pairs = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("MNO")), max_size=7))
    usage = pd.DataFrame(
        [
            {
                "usage_id": f"u{place}",
                "bill_id": bill,
                "meter_id": meter,
                "site_id": draw(st.sampled_from(["S", "S", "S", "T"])),
                "usage": draw(st.sampled_from([None, 0.0, 7.5, 500.0, 1200.0])),
                "unit": draw(st.sampled_from(["kWh", "kWh", "kWh", "MWh", "CCF"])),
                "counts": draw(st.sampled_from([True, True, True, False])),
            }
            for place, (bill, meter) in enumerate(pairs)
        ],
        columns=["usage_id", "bill_id", "meter_id", "site_id", "usage", "unit", "counts"],
    ).astype({"usage": "float64", "counts": "bool"})
    charges = pd.DataFrame(
        [
            {
                "bill_id": draw(st.sampled_from("abc")),
                "meter_id": draw(st.sampled_from(["M", "N", "O", None])),
                "charge_type": draw(st.sampled_from(["SUPPLY", "TAX", None])),
                "amount": draw(st.sampled_from([None, 9.99, -5.0, 120.3333])),
                "currency": draw(st.sampled_from(["USD", "CAD"])),
            }
            for _ in range(draw(st.integers(0, 8)))
        ],
        columns=["bill_id", "meter_id", "charge_type", "amount", "currency"],
    ).astype({"amount": "float64"})
    readings = pd.DataFrame({"demand_id": ["d1", "d2", "d3"], "bill_id": list("aab"), "unit": ["kW", "MW", "kVA"]})
    readings = readings.assign(demand=[10.0, 0.5, 3.0], start_date="2024-04-01", end_date="2024-04-30")
    relation = draw(st.lists(st.tuples(st.sampled_from(["d1", "d2", "d3", "x"]), st.integers(0, 7)), max_size=8))
    of_demand = pd.DataFrame([(d, f"u{n}") for d, n in relation], columns=["demand_id", "usage_id"])
    return usage, charges, readings, of_demand


@settings(max_examples=30, deadline=None)
@given(drawn=bills(), seed=SEEDS)
def test_unit_costs_place_every_amount_or_count_it_as_left_out(drawn, seed):
    usage, charges, _, _ = drawn
    result = same_in_any_order(lambda given: unit_costs(given, usage, by=["site_id"]), charges, seed)
    same_in_any_order(lambda given: unit_costs(charges, given, by=["site_id"]), usage, seed)
    live = usage[usage["counts"] & usage["usage"].notna()]
    kinds: dict = {}
    for row in live.to_dict("records"):
        kinds.setdefault((row["bill_id"], row["meter_id"]), set()).add((row["site_id"], row["unit"]))
    placed = [
        row
        for row in charges.dropna(subset=["amount", "meter_id"]).to_dict("records")
        if len(kinds.get((row["bill_id"], row["meter_id"]), ())) == 1
    ]
    assert result["amount"].sum() == pytest.approx(sum(row["amount"] for row in placed))
    assert result.attrs["nectar"]["left_out"] == len(charges) - len(placed)
    for row in result.to_dict("records"):
        bills_of = {
            (one["bill_id"], one["meter_id"])
            for one in placed
            if one["currency"] == row["currency"]
            and kinds[one["bill_id"], one["meter_id"]] == {(row["site_id"], row["unit"])}
        }
        used = sum(live.loc[(live["bill_id"] == b) & (live["meter_id"] == m), "usage"].sum() for b, m in bills_of)
        assert row["usage"] == pytest.approx(used)
        assert np.isnan(row["unit_cost"]) if used == 0 else row["unit_cost"] == pytest.approx(row["amount"] / used)


@settings(max_examples=30, deadline=None)
@given(drawn=bills(), seed=SEEDS)
def test_load_factors_sum_each_record_of_a_reading_once(drawn, seed):
    usage, _, readings, of_demand = drawn
    result = load_factor(readings, usage, of_demand)
    mixed = [frame.sample(frac=1, random_state=seed) for frame in (usage, of_demand)]
    pd.testing.assert_frame_equal(load_factor(readings, *mixed), result, rtol=1e-12)
    turned = load_factor(readings[::-1], usage, of_demand)
    pd.testing.assert_frame_equal(turned[::-1].reset_index(drop=True), result)
    live = usage[usage["counts"]].set_index("usage_id")
    for row in result.to_dict("records"):
        ids = sorted(set(of_demand.loc[of_demand["demand_id"] == row["demand_id"], "usage_id"]) & set(live.index))
        if row["demand_id"] == "d3":  # kVA
            assert np.isnan(row["load_factor"])
            continue
        rows = live.loc[ids]
        if len(rows) == 0 or rows["usage"].isna().any() or (rows["unit"] == "CCF").any():
            assert np.isnan(row["load_factor"])
            assert row["reason"] in ("no usage record", "usage is not known in kWh")
            continue
        kwh = sum(Fraction(value) * IN_KWH[unit] for value, unit in zip(rows["usage"], rows["unit"], strict=True))
        power = {"d1": 10, "d2": 500}[row["demand_id"]]
        assert row["load_factor"] == pytest.approx(float(kwh / power / 720))


@settings(max_examples=20, deadline=None)
@given(drawn=bills(), seed=SEEDS, by=st.sampled_from(["meter", "account", "site"]))
def test_completeness_does_not_look_at_the_order(drawn, seed, by):
    usage = drawn[0]
    day = pd.Timestamp("2024-01-20")
    usage = usage.assign(
        start_date=[day + pd.Timedelta(days=17 * place) for place in range(len(usage))],
        end_date=[day + pd.Timedelta(days=17 * place + 40) for place in range(len(usage))],
        account_id=usage["meter_id"].map({"M": "A", "N": "A", "O": "B"}),
        commodity="ELECTRICITY",
    )
    result = same_in_any_order(lambda given: completeness(given, by=by, today="2024-06-10"), usage, seed)
    assert (result["days_covered"] <= result["days_in_month"] * result["meters"]).all()
    assert ((result["status"] == "missing") | (result["meters_missing"] >= 0)).all()

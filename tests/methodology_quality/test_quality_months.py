"""Comparison with last year, filling, intensity, indicators: hand-worked months and the slow oracle."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.compare import compare
from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
from nectar_notebooks.methodology.intensity import intensity
from nectar_notebooks.methodology.quality.completeness import completeness, holes
from nectar_notebooks.methodology.quality.fill import fill_gaps
from nectar_notebooks.methodology.sites import join_sites, site_facts
from nectar_notebooks.methodology.time.calendarize import calendarize
from nectar_notebooks.methodology.units import convert

PARTS = ["price", "volume", "days", "new", "gone", "other"]


def make_months(*rows, **columns):
    """Months by hand: (meter, month, usage, cost, days covered)."""
    frame = pd.DataFrame(rows, columns=["meter_id", "month", "usage", "cost", "days_covered"])
    facts = {"site_id": "S", "commodity": "ELECTRICITY", "subtype": None, "unit": "kWh", "currency": "USD"}
    return frame.assign(**{**facts, **columns})


# --- compare ---


def test_a_change_split_by_hand():
    # 100.00 for 1,000 kWh in 31 days; 181.35 for 1,300 kWh in 26 days: 10 to 13.95 cents, 32.26 to 50 kWh a day.
    monthly = make_months(("M", "2023-01-01", 1000.0, 100.0, 31), ("M", "2024-01-01", 1300.0, 181.35, 26))
    row = compare(monthly).iloc[0]
    assert row[["cost", "cost_before", "change"]].tolist() == [181.35, 100.0, 81.35]
    # price: 0.0395 × 1,150; volume: 0.11975 × (50 − 32.258…) × 28.5; days: 0.11975 × (−5) × 41.129…
    assert row[PARTS].tolist() == [45.43, 60.55, -24.63, 0, 0, 0]
    assert row["months"] == 1


def test_months_of_several_meters_are_counted_once():
    monthly = make_months(
        *[
            (meter, f"{year}-{month:02}-01", 10.0, 5.0, 28)
            for meter in "MN"
            for year in (2023, 2024)
            for month in (1, 2)
        ],
        ("M", "2023-03-01", 10.0, 5.0, 31),
        ("M", "2024-03-01", 10.0, 5.0, 31),
    )
    assert compare(monthly, by=["site_id"])["months"].tolist() == [3]
    assert compare(monthly, by=["meter_id"])["months"].tolist() == [3, 2]
    assert compare(monthly, by=["month"])["months"].sum() == 3


def test_new_gone_and_unpriced_months_are_no_price_or_volume():
    monthly = make_months(
        ("OLD", "2023-01-01", 10.0, 50.0, 31),
        ("NEW", "2024-01-01", 10.0, 70.0, 31),
        ("Z", "2023-01-01", 0.0, 5.0, 31),
        ("Z", "2024-01-01", 10.0, 7.5, 31),
    )
    result = compare(monthly).set_index("meter_id")
    assert result.loc["OLD", ["change", "gone"]].tolist() == [-50.0, -50.0]
    assert pd.isna(result.loc["OLD", "cost"])
    assert result.loc["NEW", ["change", "new"]].tolist() == [70.0, 70.0]
    assert pd.isna(result.loc["NEW", "cost_before"])
    assert result.loc["Z", ["change", "other"]].tolist() == [2.5, 2.5]


def test_currencies_stay_apart_and_months_can_be_told():
    monthly = pd.concat(
        [
            make_months(("M", "2023-01-01", 10.0, 50.0, 31), ("M", "2024-01-01", 10.0, 60.0, 31)),
            make_months(("M", "2023-01-01", 10.0, 500.0, 31), ("M", "2024-01-01", 10.0, 400.0, 31), currency="JPY"),
        ]
    )
    result = compare(monthly, by=["site_id", "month"])
    assert result[["currency", "change", "price"]].values.tolist() == [["JPY", -100.0, -100.0], ["USD", 10.0, 10.0]]
    assert result["month"].tolist() == [pd.Timestamp("2024-01-01")] * 2


def test_only_the_months_asked_for():
    monthly = make_months(
        *[("M", f"2023-{m:02}-01", 10.0, 10.0, 30) for m in range(1, 13)],
        *[("M", f"2024-{m:02}-01", 10.0, 12.0, 30) for m in range(1, 7)],
    )
    assert compare(monthly)["change"].tolist() == [6 * 2.0 + 6 * 10.0]  # July to December 2023 have no year before
    assert compare(monthly, start="2024-01", end="2024-06")["change"].tolist() == [12.0]
    assert compare(monthly, against="last_month")["change"].tolist() == [0.0]


NUMBER = st.integers(0, 5000)
MONTH = st.tuples(st.sampled_from("AB"), st.integers(0, 23), NUMBER, st.integers(-500, 90000), st.integers(1, 31))


@settings(max_examples=50, deadline=None)
@given(st.lists(MONTH, min_size=1, max_size=30, unique_by=lambda row: row[:2]), st.randoms(use_true_random=False))
def test_the_parts_sum_to_the_change_at_every_level_and_equal_the_oracle(rows, random):
    monthly = make_months(
        *[
            (meter, f"{2023 + m // 12}-{m % 12 + 1:02}-01", use / 10, cents / 100, days)
            for meter, m, use, cents, days in rows
        ]
    )
    fine = compare(monthly, by=["meter_id", "month"], start="2024-01", end="2024-12")
    cents = fine[["change", *PARTS]].mul(100).round(6)
    assert (cents == cents.round()).all(axis=None)
    assert (cents[PARTS].sum(axis=1) == cents["change"]).all()
    known = {(meter, m): (cost, use, days) for meter, m, use, cost, days in rows}
    for row in fine.itertuples():
        now = known.get((row.meter_id, row.month.month + 11))
        before = known.get((row.meter_id, row.month.month - 1))
        assert row.change == pytest.approx(((now[0] if now else 0) - (before[0] if before else 0)) / 100)
        if now and before and now[1] > 0 and before[1] > 0:
            exact = oracle.split_change(now, before)
            for told, part in zip((row.price, row.volume, row.days), exact, strict=True):
                assert abs(Fraction(round(told * 100)) - part) <= 2
    coarse = compare(monthly, by=["site_id"], start="2024-01", end="2024-12")
    # Meters of a site are taken together: the change is the same, its parts may tell it in another way.
    assert coarse["change"].sum() == pytest.approx(fine["change"].sum(), abs=1e-9)
    assert coarse[PARTS].sum().sum() == pytest.approx(fine["change"].sum(), abs=1e-9)
    by_meter = compare(monthly, by=["meter_id"], start="2024-01", end="2024-12")
    for name in ("change", *PARTS):
        assert by_meter[name].sum() == pytest.approx(fine[name].sum(), abs=1e-9)
    mixed = monthly.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(compare(mixed, by=["site_id"], start="2024-01", end="2024-12"), coarse)


def test_compare_refuses_what_it_cannot_pair():
    monthly = make_months(("M", "2024-01-01", 1.0, 1.0, 31), ("M", "2024-01-01", 1.0, 1.0, 31))
    with pytest.raises(DataError, match="two rows for meter M and month 2024-01-01"):
        compare(monthly)
    with pytest.raises(InvalidRequestError, match="against='yesterday'"):
        compare(monthly, "yesterday")
    with pytest.raises(InvalidRequestError, match="by='colour'"):
        compare(monthly, by=["colour"])
    with pytest.raises(DataError, match="lacks the columns currency, cost"):
        compare(monthly.drop(columns=["currency", "cost"]))


# --- filling ---


def test_missing_days_take_last_years_daily_average_and_say_so():
    monthly = make_months(
        ("M", "2023-02-01", 280.0, 28.0, 28),
        ("M", "2023-03-01", 300.0, 31.0, 30),
        ("M", "2024-01-01", 310.0, 31.0, 31),
        ("M", "2024-02-01", 90.0, 10.0, 9),
        ("M", "2024-04-01", 300.0, 30.0, 30),
    )
    result = fill_gaps(monthly)
    assert len(result) == 15
    months = result.set_index("month")
    february, march = months.loc["2024-02-01"], months.loc["2024-03-01"]
    # 20 of 29 days are missing: 280 kWh ÷ 28 days × 20 = 200; 28.00 ÷ 28 × 20 = 20.00.
    assert february[["usage", "filled_days", "filled_usage", "usage_with_filling"]].tolist() == [90, 20, 200, 290]
    assert february[["cost", "filled_cost", "cost_with_filling"]].tolist() == [10.0, 20.0, 30.0]
    # March 2024 is missing as a whole: 300 ÷ 30 × 31 = 310; 31.00 ÷ 30 × 31 = 32.03 to the cent.
    assert march[["days_covered", "filled_days", "filled_usage", "usage_with_filling"]].tolist() == [0, 31, 310, 310]
    assert march["filled_cost"] == 32.03
    assert pd.isna(march["usage"])
    assert march[["site_id", "unit", "currency"]].tolist() == ["S", "kWh", "USD"]
    # Nothing where last year's month has no data: April to December 2023, March 2023's missing day, April.
    assert result[result["filled"]]["month"].dt.strftime("%Y-%m").tolist() == ["2024-02", "2024-03"]
    assert result[~result["filled"]]["filled_usage"].isna().all()


def test_filling_reaches_to_an_end_and_leaves_hauled_commodities_alone():
    monthly = make_months(("M", "2023-02-01", 280.0, 28.0, 28), ("M", "2024-01-01", 310.0, 31.0, 31))
    assert fill_gaps(monthly, end="2024-02")["usage_with_filling"].tolist()[-1] == 290
    assert not fill_gaps(monthly.assign(commodity="FUEL"), end="2024-02")["filled"].any()
    gap = make_months(("M", "2023-02-01", 280.0, 28.0, 28), ("M", "2024-03-01", 310.0, 31.0, 31))
    assert not fill_gaps(gap, end="2024-01")["filled"].any()  # February lies after it
    assert fill_gaps(gap)["filled"].sum() == 1


def test_filling_scales_nothing_from_a_few_days_and_says_so():
    # One day of 900 kWh in February 2023 would have given 26,100 for February 2024.
    monthly = make_months(
        ("M", "2023-02-01", 900.0, 9.0, 1), ("M", "2024-01-01", 310.0, 31.0, 31), ("M", "2024-03-01", 310.0, 31.0, 31)
    )
    february = fill_gaps(monthly).set_index("month").loc["2024-02-01"]
    assert not february["filled"]
    assert february["fill_reason"] == "the same month last year has 1 of 28 days: too few to scale"
    assert pd.isna(february["usage_with_filling"])
    asked = fill_gaps(monthly, least_share=0).set_index("month").loc["2024-02-01"]
    assert (asked["filled_usage"], pd.isna(asked["fill_reason"])) == (26_100, True)
    with pytest.raises(InvalidRequestError, match="is no share"):
        fill_gaps(monthly, least_share=2)


def test_filling_fills_what_completeness_says_is_missing_and_nothing_else(make_usage):
    usage = make_usage(
        *(("M", f"2023-{month:02}-01", f"2023-{month:02}-28", 280.0) for month in range(1, 13)),
        ("M", "2024-01-01", "2024-01-31", 310.0),
        ("M", "2024-03-01", "2024-03-30", 300.0),
        account_id="A",
    )
    old = pd.DataFrame({"account_id": ["A"], "status": ["OLD_ACCOUNT"]})
    months = calendarize(usage)
    told = completeness(usage, accounts=old, today="2024-08-01")
    result = fill_gaps(months, completeness=told).set_index("month")
    # February is missing; nothing is expected after 30 March, where the account's bills ended.
    assert result.index[result["filled"]].strftime("%Y-%m").tolist() == ["2024-02"]
    assert result.loc["2024-02-01", ["filled_days", "filled_usage"]].tolist() == [29, 290]
    going_on = fill_gaps(months, completeness=completeness(usage, today="2024-08-01")).set_index("month")
    # 1 of March's days lacks, April and May are missing; the bills of June and July may still come.
    filled = going_on[going_on["filled"]]
    assert filled.index.strftime("%Y-%m").tolist() == ["2024-02", "2024-03", "2024-04", "2024-05"]
    assert filled["filled_days"].tolist() == [29, 1, 30, 31]
    with pytest.raises(DataError, match="completeness lacks the column days_missing"):
        fill_gaps(months, completeness=months)


def test_days_whose_bill_may_still_come_are_not_filled(make_usage):
    """Of June, billed to the 10th, nothing is late on 1 July; on 1 September its other days are a hole."""
    ends = pd.date_range("2023-01-31", "2024-03-31", freq="ME")
    records = [("M", f"{end:%Y-%m}-01", f"{end:%Y-%m-%d}", 10.0 * end.day) for end in ends]
    usage = make_usage(*records, ("M", "2024-05-01", "2024-06-10", 410.0), account_id="A")
    for today, expected in (("2024-07-01", {"2024-04": 30}), ("2024-09-01", {"2024-04": 30, "2024-06": 20})):
        told = completeness(usage, today=today)
        result = fill_gaps(calendarize(usage), completeness=told, end="2024-09")
        filled = result[result["filled"]]
        assert dict(zip(filled["month"].dt.strftime("%Y-%m"), filled["filled_days"], strict=True)) == expected
        assert filled["filled_usage"].sum() == 10 * sum(expected.values())
        assert told["days_missing"].sum() == holes(usage, today=today)["days"].sum() == sum(expected.values())


def test_filling_twice_is_filling_once_and_nothing_is_mutated():
    monthly = make_months(("M", "2023-02-01", 280.0, 28.0, 28), ("M", "2024-03-01", 310.0, 31.0, 31))
    before = monthly.copy(deep=True)
    once = fill_gaps(monthly)
    pd.testing.assert_frame_equal(monthly, before)
    pd.testing.assert_frame_equal(fill_gaps(once), once)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 35),
        st.tuples(st.one_of(st.none(), st.integers(0, 900)), st.integers(0, 28)),
        min_size=1,
        max_size=36,
    )
)
def test_filling_equals_the_oracle_and_keeps_every_raw_value(months):
    rows = {date(2022 + m // 12, m % 12 + 1, 1): row for m, row in months.items()}
    monthly = make_months(*[("M", day.isoformat(), use, None, days) for day, (use, days) in rows.items()])
    result = fill_gaps(monthly)
    told = {row.month.date(): (row.filled_days, row.filled_usage) for row in result.itertuples() if row.filled}
    expected = oracle.filled(rows)
    assert set(told) == set(expected)
    for day, (lacking, usage) in expected.items():
        assert told[day][0] == lacking
        assert told[day][1] == pytest.approx(float(usage), rel=1e-12)
    raw = result.set_index(result["month"].dt.date)["usage"]
    for day, (use, _) in rows.items():
        assert raw[day] == use if use is not None else pd.isna(raw[day])


def test_two_rows_of_one_month_cannot_be_filled():
    with pytest.raises(DataError, match="two rows for meter M"):
        fill_gaps(make_months(("M", "2023-02-01", 1.0, 1.0, 28), ("M", "2023-02-15", 1.0, 1.0, 28)))


# --- the user's sites, intensity ---


def test_sites_join_by_external_id_without_losing_a_row():
    known = pd.DataFrame({"site_id": ["S1", "S2", "S3"], "external_id": ["HQ", "LAB", None]})
    mine = pd.DataFrame({"external_id": ["LAB"], "area": [10.0], "area_unit": ["SQ FT"], "cost_centre": [4711]})
    joined = join_sites(pd.DataFrame({"site_id": ["S2", "S1", "S2"], "x": [1, 2, 3]}, index=[7, 8, 9]), mine, known)
    assert joined["cost_centre"].tolist()[0] == "4711"
    assert joined["area_unit"].tolist()[::2] == ["ft²", "ft²"]
    assert joined["area"].isna().tolist() == [False, True, False]
    assert joined.index.tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        ({"name": ["x"]}, "lacks the column site_id"),
        ({"external_id": ["HQ"]}, "which sites these are is not known"),
        ({"site_id": ["a", "a"]}, "names site a twice"),
        ({"site_id": ["a"], "area": [-1.0], "area_unit": ["m2"]}, "a negative area for site a"),
        ({"site_id": ["a"], "area": [1.0]}, "an area without an area_unit for site a"),
    ],
)
def test_a_table_of_sites_that_cannot_be_meant_says_why(mine, words):
    with pytest.raises(DataError, match=words):
        site_facts(pd.DataFrame(mine))


def test_an_external_id_of_no_site_or_of_two():
    known = pd.DataFrame({"site_id": ["S1", "S2"], "external_id": ["HQ", "HQ"]})
    with pytest.raises(DataError, match="stands on several sites"):
        site_facts(pd.DataFrame({"external_id": ["HQ"]}), known)
    with pytest.raises(DataError, match="No site has the external_id LAB"):
        site_facts(pd.DataFrame({"external_id": ["LAB"]}), known)


LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def year(meter, usage, months=12, **columns):
    rows = [(meter, f"2023-{m + 1:02}-01", usage, None, LENGTHS[m]) for m in range(months)]
    return make_months(*rows, **columns)


def test_intensity_of_a_full_year_and_of_half_a_year():
    monthly = pd.concat([year("A", 100.0), year("B", 100.0, months=6)])
    # A covers every day of the year: nothing is scaled, and nothing of B is counted twice.
    sites = pd.DataFrame({"site_id": ["S"], "area": [100.0], "area_unit": ["sqm"], "use": ["office"]})
    row = intensity(monthly, sites).iloc[0]
    assert row["usage"] == 1800
    assert row["usage_twelve_months"] == 1800
    assert row["intensity"] == 18
    assert row[["intensity_unit", "use", "days_covered"]].tolist() == ["kWh/m²", "office", 365]
    # In square feet: 100 m² are 1076.391 ft².
    feet = intensity(monthly, sites, area_unit="ft²").iloc[0]
    assert feet["area"] == pytest.approx(1076.3910417)
    assert feet["intensity_unit"] == "kWh/ft²"


def test_sites_without_area_or_without_usage_are_listed_with_the_reason():
    monthly = pd.concat([year("A", 100.0), year("B", 10.0, site_id="BARE"), year("C", 10.0, site_id="ZERO")])
    sites = pd.DataFrame({"site_id": ["S", "ZERO", "IDLE"], "area": [10.0, 0.0, 50.0], "area_unit": ["m2", "m2", "m2"]})
    known = pd.DataFrame({"site_id": ["S", "BARE", "ZERO", "IDLE"]})
    result = intensity(monthly, sites, known=known).set_index("site_id")
    assert result["intensity"].to_dict() == pytest.approx(
        {"S": 120.0, "BARE": np.nan, "ZERO": np.nan, "IDLE": np.nan}, nan_ok=True
    )
    assert result["reason"].fillna("").to_dict() == {
        "S": "",
        "BARE": "no floor area",
        "ZERO": "no floor area",
        "IDLE": "no usage",
    }


def test_energy_intensity_sums_commodities_and_does_not_hide_what_cannot_be_converted():
    sites = pd.DataFrame({"site_id": ["S"], "area": [10.0], "area_unit": ["m2"]})
    gas = year("G", 1.0, commodity="GAS", unit="thm (US)")
    water = year("W", 5.0, commodity="WATER", unit="CCF")
    row = intensity(pd.concat([year("A", 100.0), gas, water]), sites, unit="kWh").iloc[0]
    assert row["commodity"] == "ENERGY"
    assert row["intensity"] == pytest.approx((1200 + 12 * 105480400 / 3.6e6) / 10)
    oil = year("O", 5.0, commodity="FUEL", subtype="OIL", unit="gal (US)")
    row = intensity(pd.concat([year("A", 100.0), oil]), sites, unit="kWh").iloc[0]
    assert pd.isna(row["intensity"])
    assert "no heat_content is known for FUEL / OIL" in row["reason"]


def test_waste_is_taken_as_it_stands():
    waste = make_months(
        ("W", "2023-12-01", 50.0, None, 1), ("W", "2023-11-01", 50.0, None, 2), commodity="WASTE", unit="lb"
    )
    row = intensity(waste, pd.DataFrame({"site_id": ["S"], "area": [10.0], "area_unit": ["m2"]})).iloc[0]
    assert row["usage_twelve_months"] == 100


OFFICE = pd.DataFrame({"site_id": ["S"], "area": [600.0], "area_unit": ["m²"]})


def test_a_meter_swapped_on_1_july_makes_one_year():
    monthly = year("OLD", 1000.0, months=6)
    new = year("NEW", 1000.0)
    swap = pd.concat([monthly, new[new["month"] >= "2023-07-01"]])
    row = intensity(swap, OFFICE, end="2023-12").iloc[0]
    assert row[["usage", "days_covered", "usage_twelve_months", "intensity"]].tolist() == [12000, 365, 12000, 20.0]


def test_a_meter_swapped_inside_a_month_leaves_no_gap_and_counts_no_day_twice():
    def dated(meter, months=12):
        rows = year(meter, 1000.0, months=months)
        return rows.assign(month=pd.to_datetime(rows["month"]), first_day=pd.to_datetime(rows["month"]))

    rows = dated("OLD", 6)
    ends = pd.to_datetime([f"2023-{m + 1:02}-{LENGTHS[m]}" for m in range(12)])
    rows["last_day"] = ends[:6]
    new = dated("NEW").iloc[5:].assign(last_day=ends[5:])
    rows.loc[rows.index[-1], ["days_covered", "last_day"]] = [14, pd.Timestamp("2023-06-14")]
    new.loc[new.index[0], ["days_covered", "first_day"]] = [16, pd.Timestamp("2023-06-15")]
    row = intensity(pd.concat([rows, new]), OFFICE, end="2023-12").iloc[0]
    assert row["days_covered"] == 365
    beside = new.iloc[:1].assign(days_covered=21, first_day=pd.Timestamp("2023-06-10"))
    row = intensity(pd.concat([rows, new.iloc[1:], beside]), OFFICE, end="2023-12").iloc[0]
    assert row["days_covered"] == 365  # 14 and 21 days of June, five of them shared


def test_under_eleven_months_there_is_no_value():
    january = year("G", 350.0, months=1, commodity="GAS", unit="thm (US)")
    row = intensity(january, OFFICE, unit="kWh").iloc[0]
    assert row[["usage_twelve_months", "intensity"]].isna().all()
    assert row["reason"] == "GAS: 31 of 365 days covered, under eleven months"
    assert pd.isna(intensity(year("A", 1.0, months=10), OFFICE, end="2023-12")["intensity"].iloc[0])
    eleven = intensity(year("A", 1.0, months=11), OFFICE, end="2023-12").iloc[0]
    assert eleven["usage_twelve_months"] == pytest.approx(11 * 365 / 334)
    # one commodity that is short leaves the energy of the site unknown
    both = pd.concat([year("A", 100.0), january])
    row = intensity(both, OFFICE, unit="kWh", end="2023-12").iloc[0]
    assert pd.isna(row["intensity"])
    assert row["reason"].startswith("GAS: 31 of 365")


def test_a_site_is_told_in_one_unit_of_its_commodity():
    half = year("A", 1000.0, months=6)
    rest = year("A", 1.0, unit="MWh").iloc[6:]
    row = intensity(pd.concat([half, rest, year("B", 0.0)]), OFFICE, end="2023-12")
    assert row[["unit", "usage", "intensity"]].values.tolist() == [["kWh", 12000.0, 20.0]]
    # what does not convert stands by itself
    kvah = year("K", 5.0, unit="kVAh")
    assert intensity(pd.concat([year("A", 1000.0), kvah]), OFFICE)["unit"].tolist() == ["kVAh", "kWh"]


def test_energy_reports_are_in_kbtu_a_square_foot():
    sites = pd.DataFrame({"site_id": ["S"], "area": [1000.0], "area_unit": ["sq ft"]})
    monthly = year("A", 1000.0)
    expected = 12_000 * 3.6e6 / 1055.056 / 1000 / 1000
    for told in (
        intensity(monthly, sites, unit="kBtu"),
        intensity(monthly, sites, unit="kBtu/ft²"),
        intensity(monthly, sites, unit="kbtu/sqft"),
    ):
        assert told["intensity"].tolist() == pytest.approx([expected])
        assert told["intensity_unit"].tolist() == ["kBtu/ft²"]
    with pytest.raises(InvalidRequestError, match="area_unit='acre'"):
        intensity(monthly, sites, unit="kBtu/acre")


def test_a_site_uses_what_its_own_plant_makes():
    monthly = pd.concat([year("A", 100.0), year("P", 50.0, commodity="SOLAR")])
    row = total_energy(monthly, by=["site_id"]).iloc[0]
    assert row[["energy", "rows", "rows_left_out", "generated"]].tolist() == [1800, 24, 0, 600]
    assert pd.isna(row["reason"])
    row = intensity(monthly, OFFICE, unit="kWh").iloc[0]
    assert row[["intensity", "generated"]].tolist() == [3.0, 600]
    alone = intensity(monthly, OFFICE).set_index("commodity")
    assert alone["intensity"].to_dict() == {"ELECTRICITY": 2.0, "SOLAR": 1.0}
    assert alone.loc["SOLAR", "generated"] == 600


def test_generation_that_a_grid_meter_reports_is_beside_energy_and_intensity_never_in_them():
    told = year("A", 100.0).assign(generated=50.0)
    row = total_energy(told, by=["site_id"]).iloc[0]
    assert row[["energy", "rows", "generated"]].tolist() == [1200, 12, 600]
    assert intensity(told, OFFICE, unit="kWh").iloc[0][["intensity", "generated"]].tolist() == [2.0, 600]


def test_a_meter_swap_is_a_change_of_price_and_volume():
    monthly = make_months(("OLD", "2023-01-01", 1000.0, 100.0, 31), ("NEW", "2024-01-01", 1200.0, 144.0, 31))
    row = compare(monthly, by=["site_id"], start="2024-01", end="2024-01").iloc[0]
    assert row[["change", "price", "volume", "days", "new", "gone", "other"]].tolist() == [44, 22, 22, 0, 0, 0, 0]
    told = compare(monthly, by=["meter_id"], start="2024-01", end="2024-01")
    assert told[["new", "gone"]].sum().tolist() == [144, -100]
    # half a month each beside the whole month of the year before: no change of days
    halves = make_months(
        ("A", "2023-01-01", 310.0, 31.0, 31), ("A", "2024-01-01", 150.0, 15.0, 15), ("B", "2024-01-01", 160.0, 16.0, 16)
    )
    halves["first_day"] = pd.to_datetime(["2023-01-01", "2024-01-01", "2024-01-16"])
    halves["last_day"] = pd.to_datetime(["2023-01-31", "2024-01-15", "2024-01-31"])
    row = compare(halves, by=["site_id"], start="2024-01", end="2024-01").iloc[0]
    assert row[["change", "price", "volume", "days"]].tolist() == [0, 0, 0, 0]


def test_an_export_meters_credit_has_a_price_and_a_volume():
    monthly = make_months(("E", "2023-01-01", -1000.0, -50.0, 31), ("E", "2024-01-01", -1200.0, -72.0, 31))
    row = compare(monthly, by=["meter_id"], start="2024-01", end="2024-01").iloc[0]
    assert row[["change", "price", "volume", "other"]].tolist() == [-22, -11, -11, 0]


# --- indicators ---


def test_energy_names_what_it_left_out():
    monthly = pd.concat([year("A", 100.0, months=1), year("O", 5.0, months=1, commodity="FUEL", unit="gal (US)")])
    row = total_energy(monthly, by=["site_id"]).iloc[0]
    assert row[["energy", "rows", "rows_left_out"]].tolist() == [100.0, 1, 1]
    assert "no heat_content is known for FUEL" in row["reason"]
    told = total_energy(monthly, by=["site_id"], heat_content={"FUEL": (138_500.0, "Btu", "gal (US)")}).iloc[0]
    assert told["energy"] == pytest.approx(100 + 5 * 138_500 * 1055.056 / 3.6e6)
    with pytest.raises(InvalidRequestError, match="no energy unit"):
        total_energy(monthly, "CCF")


def test_unit_costs_by_charge_type_sum_to_the_price_of_a_unit():
    usage = pd.DataFrame(
        {
            "bill_id": ["b1", "b1", "b2"],
            "meter_id": ["M", "N", "M"],
            "site_id": "S",
            "usage": [600.0, 400.0, 1000.0],
            "unit": "kWh",
        }
    )
    charges = pd.DataFrame(
        {
            "bill_id": ["b1", "b1", "b2", "b1", "b9"],
            "meter_id": ["M", "N", "M", None, "M"],
            "charge_type": ["SUPPLY", "SUPPLY", "SUPPLY", "TAX", "TAX"],
            "amount": [60.0, 40.0, 120.0, 9.0, 7.0],
            "currency": "USD",
        }
    )
    result = unit_costs(charges, usage, by=["site_id"])
    assert result[["charge_type", "amount", "usage", "unit_cost"]].values.tolist() == [["SUPPLY", 220.0, 2000.0, 0.11]]
    assert result.attrs["nectar"]["left_out: no usage of its meter on the bill"] == 2


@pytest.mark.parametrize("turned", [1, -1])
def test_unit_costs_never_sum_two_units_or_two_sites_of_one_meter(turned):
    usage = pd.DataFrame(
        {
            "bill_id": ["b", "b", "c", "d", "d"], "meter_id": "M", "site_id": ["S", "S", "S", "S", "T"],
            "usage": [100.0, 1.0, 500.0, 7.0, 8.0], "unit": ["kWh", "MWh", "kWh", "kWh", "kWh"],
        }
    )  # fmt: skip
    charges = pd.DataFrame(
        {"bill_id": ["b", "c", "d"], "meter_id": "M", "charge_type": "SUPPLY", "amount": [9.0, 50.0, 8.0]}
    ).assign(currency="USD")
    result = unit_costs(charges, usage[::turned], by=["site_id"])
    assert result[["usage", "unit", "amount", "unit_cost"]].to_numpy().tolist() == [[500.0, "kWh", 50.0, 0.1]]
    assert result.attrs["nectar"]["left_out: its usage on the bill differs in site_id, unit"] == 2
    whole = unit_costs(
        charges, convert(usage, "kWh").assign(usage=lambda f: f["converted"], unit="kWh"), by=["meter_id"]
    )
    assert whole["usage"].tolist() == [1100 + 500 + 15]


def test_what_has_rows_anyway_may_be_asked_for_and_nothing_may_not():
    usage = pd.DataFrame({"bill_id": ["b"], "meter_id": ["M"], "site_id": ["S"], "usage": [500.0], "unit": ["kWh"]})
    charges = pd.DataFrame({"bill_id": ["b"], "meter_id": ["M"], "charge_type": ["TAX"], "amount": [5.0]})
    charges = charges.assign(currency="USD")
    asked = unit_costs(charges, usage, by=["site_id", "unit", "currency", "charge_type", "site_id"])
    pd.testing.assert_frame_equal(asked, unit_costs(charges, usage, by=["site_id"]))
    monthly = usage.assign(commodity="ELECTRICITY")
    pd.testing.assert_frame_equal(
        total_energy(monthly, by=["site_id", "unit", "site_id"]), total_energy(monthly, by=["site_id"])
    )
    with pytest.raises(InvalidRequestError, match="a column to sum by"):
        total_energy(monthly, by=[])


def test_a_relation_said_twice_counts_once():
    demand = pd.DataFrame({"demand_id": ["d"], "bill_id": ["b"], "demand": [50.0], "unit": ["kW"]})
    demand = demand.assign(start_date="2024-04-01", end_date="2024-04-30")
    usage = pd.DataFrame({"usage_id": ["u"], "bill_id": ["b"], "usage": [18000.0], "unit": ["kWh"], "meter_id": ["M"]})
    relation = pd.DataFrame({"demand_id": ["d", "d"], "usage_id": ["u", "u"]})
    result = load_factor(demand, usage, relation)
    assert result[["load_factor", "meter_id"]].to_numpy().tolist() == [[0.5, "M"]]


def test_an_argument_decides_which_periods_have_a_load_factor():
    """Frames do not say when they were answered: without the argument the machine's date decides, with it none."""
    demand = pd.DataFrame({"demand_id": ["d"], "bill_id": ["b"], "start_date": ["2050-04-01"],
                           "end_date": ["2050-04-30"], "demand": [50.0], "unit": ["kW"]})  # fmt: skip
    usage = pd.DataFrame({"usage_id": ["u"], "bill_id": ["b"], "usage": [18000.0], "unit": ["kWh"],
                          "start_date": ["2050-04-01"], "end_date": ["2050-04-30"]})  # fmt: skip
    assert load_factor(demand, usage, plausible=(None, "2051-12"))["load_factor"].tolist() == [0.5]
    outside = load_factor(demand, usage, plausible=(None, "2049-12"))
    assert outside["reason"].tolist() == ["period outside 1990-01-01 to 2049-12-31"]
    months = usage.assign(meter_id="M")
    assert calendarize(months, plausible=(None, "2051-12"))["usage"].sum() == 18000
    assert calendarize(months, plausible=(None, "2049-12")).empty
    assert completeness(months, today="2050-06-01", end="2050-04")["status"].tolist() == ["complete"]
    assert completeness(months, today="2024-06-01").empty


def test_load_factor_and_why_there_is_none():
    demand = pd.DataFrame(
        {
            "demand_id": ["d1", "d2", "d3", "d4"],
            "bill_id": ["b1", "b2", "b3", "b4"],
            "start_date": "2024-01-01",
            "end_date": "2024-01-31",
            "demand": [100.0, 100.0, 0.0, 50.0],
            "unit": ["kW", "kVA", "kW", "MW"],
        }
    )
    usage = pd.DataFrame(
        {
            "usage_id": ["u1", "u2", "u3"],
            "bill_id": ["b1", "b2", "b3"],
            "meter_id": "M",
            "site_id": "S",
            "commodity": "ELECTRICITY",
            "usage": [37.2, 1.0, 1.0],
            "unit": ["MWh", "kWh", "kWh"],
        }
    )
    result = load_factor(demand, usage)
    # 37,200 kWh ÷ (100 kW × 744 h) = 0.5
    assert result["load_factor"].tolist() == pytest.approx([0.5, np.nan, np.nan, np.nan], nan_ok=True)
    assert result["reason"].fillna("").tolist() == [
        "",
        "demand is not known in kW",
        "demand is not positive",
        "no usage record",
    ]
    linked = load_factor(demand, usage, pd.DataFrame({"demand_id": ["d1", "d1"], "usage_id": ["u1", "u2"]}))
    assert linked["energy_kwh"].tolist()[0] == 37_201


def test_figures_of_a_year_end_with_the_last_whole_month():
    # Of the newest month only five days are billed: neither a drop in cost nor a low year.
    monthly = pd.concat([year("A", 100.0), make_months(("A", "2024-01-01", 15.0, None, 5))])
    sites = pd.DataFrame({"site_id": ["S"], "area": [100.0], "area_unit": ["m2"]})
    row = intensity(monthly, sites).iloc[0]
    assert (row["last_month"], row["usage_twelve_months"]) == (pd.Timestamp("2023-12-01"), 1200.0)
    assert intensity(monthly, sites, end="2024-01").iloc[0]["last_month"] == pd.Timestamp("2024-01-01")
    costs = make_months(
        ("M", "2022-11-01", 10.0, 10.0, 30),
        ("M", "2023-11-01", 10.0, 13.0, 30),
        ("M", "2023-12-01", 2.0, 2.0, 6),
    )
    assert compare(costs)["change"].tolist() == [3.0]


def test_charges_that_no_meter_pays_are_neither_filled_nor_doubled():
    monthly = make_months(
        ("M", "2023-02-01", 280.0, 28.0, 28),
        ("M", "2024-02-01", None, 44.0, 0),
        (None, "2023-02-01", None, 5.0, 0),
        (None, "2024-02-01", None, 5.0, 0),
        (None, "2024-02-01", None, 1.0, 0),
        kind=["attributed", "attributed", "unattributed", "unattributed", "residual"],
    )
    result = fill_gaps(monthly)
    assert len(result) == 13 + 2 + 1
    row = result[(result["meter_id"] == "M") & (result["month"] == "2024-02-01")].iloc[0]
    # A bill without usage: its usage is filled, its cost is known.
    assert row[["filled_usage", "cost_with_filling"]].tolist() == [290.0, 44.0]
    assert pd.isna(row["filled_cost"])
    assert compare(monthly, by=["site_id"], end="2024-02")["change"].tolist() == [44.0 - 28.0 + 1.0]


def test_load_factor_counts_days_as_the_records_do_and_says_what_is_above_one():
    demand = pd.DataFrame({"demand_id": ["d"], "bill_id": ["b1"], "demand": [50.0], "unit": ["kW"]})
    demand = demand.assign(start_date="2024-04-01", end_date="2024-05-01")
    usage = pd.DataFrame({"usage_id": ["u0", "u1"], "bill_id": ["b0", "b1"], "usage": [1.0, 18000.0], "unit": "kWh"})
    usage = usage.assign(meter_id="M", start_date=["2024-03-01", "2024-04-01"], end_date=["2024-04-01", "2024-05-01"])
    result = load_factor(demand, usage)  # 1 April to 30 April: 30 days of 24 hours
    assert result[["hours", "load_factor"]].to_numpy().tolist() == [[720.0, 0.5]]
    assert result["reason"].isna().all()
    assert result.attrs["nectar"]["convention"] == "exclusive"
    both = load_factor(demand, usage, convention="inclusive")
    assert both[["hours", "load_factor"]].to_numpy().tolist() == [[744.0, pytest.approx(18000 / 50 / 744)]]
    assert load_factor(demand, usage.drop(columns="start_date")).attrs["nectar"]["convention"] == "inclusive"
    high = load_factor(demand.assign(demand=20.0), usage)
    assert high["load_factor"].tolist() == [1.25]
    assert high["reason"][0].startswith("above 1: more energy than the demand gives")
    assert load_factor(demand.assign(demand=25.0), usage)["reason"].isna().all()  # 1 is a load that never falls


def test_a_swap_from_therms_to_ccf_is_a_change_of_price_and_volume() -> None:
    months = pd.date_range("2023-01-01", periods=24, freq="MS")
    second = months >= "2024-07-01"
    book = pd.DataFrame(
        {
            "meter_id": [("B" if new else "A") for new in second], "site_id": "S", "commodity": "GAS",
            "unit": [("CCF" if new else "thm (US)") for new in second], "currency": "USD", "month": months,
            "usage": 100.0, "cost": 100.0, "days_covered": months.days_in_month,
        }
    )  # fmt: skip
    row = compare(book, by=["site_id"]).iloc[0]
    assert (row["new"], row["gone"], row["months"]) == (0, 0, 12)
    assert row["price"] + row["volume"] + row["days"] == pytest.approx(row["change"])
    apart = compare(book, by=["site_id", "unit"])
    assert apart[["new", "gone"]].sum().tolist() == [600.0, -600.0]

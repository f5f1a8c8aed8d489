"""Net metering: import less export in every sum, generation beside it, whatever way a record came by."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import oracle_calendar
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from methodology_core.core_portfolios import portfolio

import nectar_notebooks as nn
from nectar_notebooks import Portfolio

JANUARY = {"start_date": "2024-01-01", "end_date": "2024-01-31"}


def record(meter: str, usage: float, flow: str | None, commodity: str = "ELECTRICITY", **more: object) -> dict:
    return {
        "usage_id": f"{meter}{flow}{usage}", "bill_id": "b", "meter_id": meter, "site_id": "s", "commodity": commodity,
        "usage": usage, "unit": "kWh", "net_metering": flow, **JANUARY, **more,
    }  # fmt: skip


@pytest.fixture
def both_ways() -> pd.DataFrame:
    """One meter that counts both ways, and one of the solar panels."""
    return pd.DataFrame(
        [record("m", 3100.0, "IMPORT"), record("m", 620.0, "EXPORT"), record("p", 930.0, None, "SOLAR")]
    )


@pytest.fixture
def site(both_ways: pd.DataFrame) -> Portfolio:
    return portfolio(
        sites=[{"site_id": "s", "occupancy_percent": 50.0}],
        meters=[{"meter_id": name, "site_id": "s", "commodity": what}
                for name, what in (("m", "ELECTRICITY"), ("p", "SOLAR"))],
        bills=[{"bill_id": "b", "company_id": "company", "currency": "USD"}],
        usage=both_ways,
        line_items=[{"line_item_id": "b:0", "bill_id": "b", "amount": 100.0, "currency": "USD", "charge_type": "SUPPLY",
                     "commodity": "ELECTRICITY"}],
    )  # fmt: skip


def test_a_months_usage_is_import_less_export(site: Portfolio) -> None:
    months = nn.monthly(site)
    meter = months[months["meter_id"].eq("m")].iloc[0]
    assert meter[["usage", "exported", "days_covered", "days_overlapped"]].tolist() == [2480.0, 620.0, 31, 0]
    assert np.isnan(meter["generated"])
    panels = months[months["meter_id"].eq("p")].iloc[0]
    assert panels[["usage", "generated"]].tolist() == [930.0, 930.0]
    assert np.isnan(panels["exported"])
    as_is = nn.monthly(site, net_metering="as_is").set_index("meter_id")
    assert as_is.loc["m", ["usage", "exported"]].tolist() == [3720.0, 620.0]
    row = nn.total_energy(months, by=["site_id"]).iloc[0]
    assert row[["energy", "generated", "exported"]].tolist() == [
        2480.0 + 930.0,
        930.0,
        620.0,
    ]  # a site uses what its own plant makes


def test_calendarize_and_daily_net_what_records_say(both_ways: pd.DataFrame) -> None:
    month = nn.calendarize(both_ways).set_index("meter_id")
    assert month["usage"].to_dict() == {"m": 2480.0, "p": 930.0}
    days = nn.daily(both_ways)
    assert days.loc[days["meter_id"].eq("m"), "usage"].tolist() == pytest.approx([80.0] * 31)
    assert days.loc[days["meter_id"].eq("m"), "exported"].tolist() == pytest.approx([20.0] * 31)
    assert nn.calendarize(both_ways, net_metering="as_is").set_index("meter_id").loc["m", "usage"] == 3720.0
    plain = nn.calendarize(both_ways.drop(columns="net_metering"))
    assert "exported" not in plain


@pytest.mark.parametrize("word", ["EXPORT", "export", " Export "])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_export_is_subtracted_whatever_its_sign_and_spelling(word: str, sign: int) -> None:
    usage = pd.DataFrame([record("m", 3100.0, "IMPORT"), record("x", sign * 620.0, word)])
    month = nn.calendarize(usage).set_index("meter_id")
    assert month["usage"].to_dict() == {"m": 3100.0, "x": -620.0}
    assert month.loc["x", "exported"] == 620.0


def test_what_was_adjusted_before_is_not_subtracted_again(both_ways: pd.DataFrame, site: Portfolio) -> None:
    tenant = pd.concat([both_ways, pd.DataFrame([record("m", 100.0, "EXPORT", exclusion=True)])], ignore_index=True)
    adjusted = nn.adjust(tenant)
    assert adjusted["adjusted_usage"].tolist() == [3100.0, -620.0, 930.0, 100.0]
    net = nn.calendarize(adjusted.assign(usage=adjusted["adjusted_usage"])).set_index("meter_id")
    assert net.loc["m", ["usage", "exported"]].tolist() == [2580.0, 520.0]
    assert nn.calendarize(nn.adjust(both_ways)).set_index("meter_id").loc["m", "usage"] == 2480.0
    as_is = nn.adjust(both_ways, net_metering="as_is")
    kept = nn.calendarize(as_is.assign(usage=as_is["adjusted_usage"])).set_index("meter_id")
    assert kept.loc["m", "usage"] == 3720.0
    twice = nn.adjust(nn.adjust(site))
    pd.testing.assert_frame_equal(nn.monthly(twice), nn.monthly(site))
    half = nn.monthly(site, occupancy="all").set_index("meter_id")
    assert half.loc["m", ["usage", "exported"]].tolist() == [1240.0, 310.0]


def test_the_meter_says_which_way_where_its_records_do_not(site: Portfolio) -> None:
    usage = [record("m", 3100.0, None), record("x", 620.0, None)]
    meters = [
        {"meter_id": "m", "site_id": "s", "commodity": "ELECTRICITY", "net_metering": "IMPORT"},
        {"meter_id": "x", "site_id": "s", "commodity": "ELECTRICITY", "net_metering": "EXPORT"},
    ]
    given = portfolio(sites=[{"site_id": "s"}], meters=meters, bills=[{"bill_id": "b"}], usage=usage)
    assert nn.monthly(given).set_index("meter_id")["usage"].to_dict() == {"m": 3100.0, "x": -620.0}


def test_records_of_generation_are_beside_usage() -> None:
    usage = pd.DataFrame([record("m", 3100.0, "IMPORT"), record("m", 930.0, "GENERATION")])
    row = nn.calendarize(usage).iloc[0]
    assert row[["usage", "generated", "days_overlapped"]].tolist() == [3100.0, 930.0, 0]
    only = nn.calendarize(usage.iloc[1:])
    assert only["usage"].isna().all()
    assert only["generated"].tolist() == [930.0]


def test_shares_are_of_what_meters_draw(site: Portfolio) -> None:
    usage = [record("m", 3000.0, "IMPORT"), record("m", 2900.0, "EXPORT"), record("n", 1000.0, "IMPORT")]
    meters = [{"meter_id": name, "site_id": "s", "commodity": "ELECTRICITY"} for name in "mn"]
    given = portfolio(
        sites=[{"site_id": "s"}], meters=meters, bills=[{"bill_id": "b", "currency": "USD"}], usage=usage,
        line_items=[{"line_item_id": "b:0", "bill_id": "b", "amount": 100.0, "currency": "USD"}],
    )  # fmt: skip
    for flow in ("net", "as_is"):
        months = nn.monthly(given, net_metering=flow)
        assert months.set_index("meter_id")["cost"].to_dict() == {"m": 75.0, "n": 25.0}


def test_explain_unit_costs_and_load_factor_take_the_same_default(site: Portfolio) -> None:
    told = nn.explain(site, month="2024-01")
    used = told[told["quantity"].eq("usage") & told["meter_id"].eq("m")]
    assert used["value"].sum() == 2480.0
    assert "export subtracted" in used["reason"].tolist()
    usage = site.usage[site.usage["meter_id"].eq("m")].reset_index(drop=True)
    charges = nn.attribute(replace(site, usage=usage))
    cost = nn.unit_costs(charges, usage, by=["meter_id"])
    assert cost["unit_cost"].tolist() == [100.0 / 2480.0]
    assert nn.unit_costs(charges, usage, by=["meter_id"], net_metering="as_is")["unit_cost"].tolist() == [100.0 / 3720]
    demand = pd.DataFrame([{"demand_id": "d", "bill_id": "b", "demand": 10.0, "unit": "kW", **JANUARY}])
    assert nn.load_factor(demand, usage)["energy_kwh"].tolist() == [2480.0]
    assert nn.load_factor(demand, usage, net_metering="as_is")["energy_kwh"].tolist() == [3720.0]


def test_total_is_the_ledger(site: Portfolio) -> None:
    given = portfolio(
        sites=[{"site_id": "s"}],
        meters=[{"meter_id": "m", "site_id": "s", "commodity": "ELECTRICITY"}],
        bills=[{"bill_id": "b", "currency": "USD", "current_charges": 112.34}],
        usage=[record("m", 3100.0, "IMPORT")],
        line_items=[
            {"line_item_id": "b:0", "bill_id": "b", "amount": 100.01, "currency": "USD", "charge_type": "SUPPLY"},
            {"line_item_id": "b:1", "bill_id": "b", "amount": 7.25, "currency": "USD", "charge_type": "LATE_FEE"},
            {"line_item_id": "b:2", "bill_id": "b", "amount": 5.0, "currency": "USD", "charge_type": "SUPPLY"},
        ],
    )
    months = nn.monthly(given)
    residual = months.loc[months["kind"].eq("residual"), "total"].sum()
    assert months["total"].sum() == pytest.approx(100.01 + 7.25 + 5.0 + residual)
    assert months.loc[months["kind"].eq("finance"), ["cost", "total"]].isna().values.tolist() == [[True, False]]
    silent = nn.monthly(portfolio(usage=[record("m", 1.0, None)]))
    assert silent["total"].isna().all()


def test_an_export_record_with_the_wrong_sign_is_an_issue() -> None:
    months = ["2024-01", "2024-02", "2024-03"]

    def flow(meter: str, *values: float) -> list[dict]:
        return [
            record(meter, value, "EXPORT", start_date=f"{month}-01", end_date=f"{month}-28", usage_id=f"{meter}{month}")
            for month, value in zip(months, values, strict=True)
        ]

    usage = pd.DataFrame([*flow("good", 10, 20, 30), *flow("odd", 10, -20, 30), *flow("below", -10, -20, -30)])
    found = nn.issues(usage, today="2024-04-30")
    signs = found[found["kind"].eq("export_sign")].set_index("meter_id")
    assert signs["usage_id"].to_dict() == {"below": "below2024-01", "odd": "odd2024-02"}
    assert signs.loc["odd", "found"] == "exports -20, against the sign of its meter's other records"
    assert signs.loc["below", "found"] == "3 export records are negative; positive is exported energy"


def test_the_demo_site_that_sells_to_the_grid() -> None:
    nectar = nn.connect("local")
    for company in nectar.companies()["company_id"]:
        book = nectar.portfolio(company)
        out = book.meters.loc[book.meters["net_metering"].eq("EXPORT").fillna(False)]
        if not len(out):
            continue
        months = nn.monthly(book)
        year = months[months["month"].dt.year.eq(2024) & months["site_id"].eq(out["site_id"].iloc[0])]
        row = nn.total_energy(year, by=["site_id"]).iloc[0]
        as_is = nn.total_energy(nn.monthly(book, net_metering="as_is").loc[year.index], by=["site_id"]).iloc[0]
        assert row["exported"] > 0
        assert row["generated"] > 0
        assert as_is["energy"] - row["energy"] == pytest.approx(2 * row["exported"])
        return
    pytest.fail("no site of the demo exports")


@pytest.mark.parametrize("flow", ["GRID_EXPORT", "exported", "Grid export"])
def test_export_is_export_however_it_is_spelled(flow: str) -> None:
    records = pd.DataFrame([record("m", 3100.0, "GRID_IMPORT"), record("m", 620.0, flow)])
    row = nn.calendarize(records).iloc[0]
    assert (row["usage"], row["exported"]) == (2480.0, 620.0)


FLOWS = {"ELECTRICITY": [None, "IMPORT", "IMPORT", "EXPORT", "GENERATION"], "SOLAR": [None], "GAS": [None]}
METERS = {"m": "ELECTRICITY", "n": "ELECTRICITY", "p": "SOLAR", "g": "GAS"}
IN_KWH = {"kWh": Fraction(1), "MWh": Fraction(1000), "thm (US)": Fraction(105_480_400, 3_600_000)}


@st.composite
def flows(draw: st.DrawFn) -> list[dict]:
    """Draw records of meters that count both ways, of a plant of the site's own, and of gas."""
    records = []
    for number in range(draw(st.integers(1, 9))):
        meter = draw(st.sampled_from(sorted(METERS)))
        start = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 70)))
        records.append({
            "series": (meter, "thm (US)" if meter == "g" else draw(st.sampled_from(["kWh", "MWh"]))),
            "bill": f"b{number}",
            "start": start, "end": start + timedelta(days=draw(st.sampled_from([0, 20, 40]))),
            "usage": Decimal(draw(st.integers(1, 9000))), "cost": None, "currency": None, "minor": 0,
            "flow": draw(st.sampled_from(FLOWS[METERS[meter]])),
        })  # fmt: skip
    return records


@settings(max_examples=25, deadline=None)
@given(records=flows(), convention=st.sampled_from(["inclusive", "exclusive", "midday"]))
def test_what_flows_both_ways_equals_the_oracle(records: list[dict], convention: str) -> None:
    usage = pd.DataFrame(
        [
            {
                "usage_id": row["bill"], "bill_id": row["bill"], "meter_id": row["series"][0], "site_id": "s",
                "commodity": METERS[row["series"][0]], "usage": float(row["usage"]), "unit": row["series"][1],
                "start_date": row["start"], "end_date": row["end"], "net_metering": row["flow"],
            }
            for row in records
        ]
    )  # fmt: skip
    result = nn.calendarize(usage.astype({"net_metering": "str"}).where(usage.notna()), convention=convention)

    def worth(*words: str | None, sign: int = 1, own: bool = True) -> dict:
        rows = [row for row in records if row["flow"] in words and (own or row["series"][0] == "p")]
        cells = oracle_calendar.calendarize([{**row, "usage": sign * row["usage"]} for row in rows], convention)
        return {key: Fraction(cell["usage"]) for key, cell in cells.items()}

    drawn, sold = worth(None, "IMPORT"), worth("EXPORT")
    made = worth("GENERATION")
    for key, value in worth(None, own=False).items():
        made[key] = made.get(key, 0) + value
    net = {key: drawn.get(key, 0) - sold.get(key, 0) for key in {*drawn, *sold}}
    for column, wanted in (("usage", net), ("exported", sold), ("generated", made)):
        rows = result[result[column].notna()] if column in result else result.iloc[:0]
        found = {((row.meter_id, row.unit), row.month.date()): getattr(row, column) for row in rows.itertuples()}
        assert found == {key: pytest.approx(float(value), rel=1e-9, abs=1e-9) for key, value in wanted.items()}
    sums = nn.total_energy(result, by=["site_id"])
    for column, wanted in (("energy", net), ("exported", sold), ("generated", made)):
        whole = float(sum(Fraction(value) * IN_KWH[unit] for ((_, unit), _), value in wanted.items()))
        told = sums[column].fillna(0).sum() if len(sums) else 0.0
        assert told == pytest.approx(whole, rel=1e-9, abs=1e-6), column

"""monthly, adjust and explain on portfolios written by hand, worked out in the comments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from core_portfolios import portfolio, table

from nectar_notebooks.errors import DataError, InvalidRequestError, NotFoundError
from nectar_notebooks.methodology import adjust, explain, monthly
from nectar_notebooks.schema.portfolio import Portfolio


def used(usage_id: str, bill: str, meter: str, start: str, end: str, usage: float | None, **more: object) -> dict:
    base = {"usage_id": usage_id, "bill_id": bill, "meter_id": meter, "start_date": start, "end_date": end}
    return {**base, "usage": usage, "unit": "kWh", "commodity": "ELECTRICITY", "site_id": "elsewhere", **more}


def line(number: int, bill: str, amount: float, charge: str, **more: object) -> dict:
    return {
        "line_item_id": f"{bill}:{number}",
        "bill_id": bill,
        "amount": amount,
        "currency": "USD",
        "charge_type": charge,
        **more,
    }


def two_sites(**more: object) -> Portfolio:
    """Return bill b (15 January to 14 February, e1 6000 and e2 4000 kWh) and its superseded sister a."""
    tables = {
        "sites": [
            {"site_id": "north", "name": "North", "occupancy_percent": 60.0},
            {"site_id": "south", "name": "South", "external_id": "S-1"},
        ],
        "connections": [{"connection_id": "k", "multiply_by_occupancy": True}],
        "accounts": [{"account_id": "A", "connection_id": "k"}, {"account_id": "D", "tracking": "DISABLED"}],
        "meters": [
            {"meter_id": "e1", "site_id": "north", "account_id": "A", "commodity": "ELECTRICITY"},
            {"meter_id": "e2", "site_id": "south", "account_id": "A", "commodity": "ELECTRICITY"},
            {"meter_id": "d1", "site_id": "south", "account_id": "D", "commodity": "ELECTRICITY"},
        ],
        "bills": [
            {"bill_id": "a", "superseded_by": "b", "current_charges": 900.0, "currency": "USD"},
            {"bill_id": "b", "current_charges": 1000.0, "currency": "USD", "flagged": True},
            {"bill_id": "c", "current_charges": 50.0, "currency": "USD"},
        ],
        "bill_accounts": [
            {"bill_id": "a", "account_id": "A", "connection_id": "k"},
            {"bill_id": "b", "account_id": "A", "connection_id": "k"},
            {"bill_id": "c", "account_id": "D"},
        ],
        "usage": [
            used("a1", "a", "e1", "2024-01-15", "2024-02-14", 9000.0),
            used("b1", "b", "e1", "2024-01-15", "2024-02-14", 6000.0),
            used("b2", "b", "e2", "2024-01-15", "2024-02-14", 4000.0),
            used("c1", "c", "d1", "2024-01-01", "2024-01-31", 77.0),
        ],
        "line_items": [
            line(0, "a", 900.0, "SUPPLY"),
            line(0, "b", 900.0, "SUPPLY"),
            line(1, "b", 70.0, "TAX"),
            line(2, "b", 12.5, "LATE_FEE"),
            line(3, "b", 40.0, "OTHER", billing_period="PREVIOUS"),
            line(4, "b", 3.0, "SUPPLY", gas_charge_type="SUPPLY"),
            line(0, "c", 50.0, "SUPPLY"),
        ],
        "line_item_accounts": [{"line_item_id": "c:0", "account_id": "D"}],
    }
    return portfolio(**{**tables, **more})


def cents(values: pd.Series) -> Decimal:
    return sum((Decimal(repr(value)) for value in values.dropna()), Decimal(0))


def test_one_line_answer() -> None:
    result = monthly(two_sites())
    north = result[result["meter_id"] == "e1"].set_index("month")
    # 6000 kWh over 31 days, 17 of them in January; 540 + 42 USD: the tax follows 540 : 360
    assert north["usage"].tolist() == pytest.approx([6000 * 17 / 31, 6000 * 14 / 31])
    # 540 -> 296.129, 243.871 and 42 -> 23.032, 18.968, each by largest remainder
    assert north["cost"].tolist() == [319.16, 262.84]
    assert north["site_id"].tolist() == ["north", "north"]
    assert north["days_covered"].tolist() == [17, 14]
    by_kind = {kind: cents(rows["cost"]) + cents(rows["finance"]) for kind, rows in result.groupby("kind")}
    assert by_kind == {
        "attributed": Decimal("970"),
        "unattributed": Decimal("3"),
        "residual": Decimal("14.5"),  # 1000 - (900 + 70 + 12.50 + 3)
        "finance": Decimal("52.5"),
    }
    assert cents(result["finance"]) == Decimal("52.5")
    assert result.loc[result["kind"] != "attributed", "meter_id"].isna().all()
    report = result.attrs["nectar"]
    assert report["left_out: usage, superseded"] == 1
    assert report["left_out: usage, account not tracked"] == 1
    assert report["left_out: line items, superseded"] == 1
    assert report["left_out: bills, superseded"] == 1
    assert all(value is None or isinstance(value, (str, int, float, bool)) for value in report.values())


def test_documented_only_answers_have_no_line_items() -> None:
    """Then all current charges stand in one visible row per bill and month."""
    bare = replace(two_sites(), line_items=table("line_items", []), line_item_accounts=table("line_item_accounts", []))
    result = monthly(bare)
    residual = result[result["kind"] == "residual"]
    assert cents(residual["cost"]) == Decimal(1000)
    assert residual["month"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]
    assert residual["cost"].tolist() == [548.39, 451.61]  # 17 and 14 of 31 days
    attributed = result[result["kind"] == "attributed"]
    assert attributed["cost"].isna().all()
    assert attributed["usage"].sum() == pytest.approx(10_000)


def test_empty_portfolio() -> None:
    assert len(monthly(portfolio())) == 0
    assert monthly(portfolio()).dtypes.tolist() == monthly(two_sites()).dtypes.tolist()


def test_flagged_bills_count_unless_asked() -> None:
    assert len(monthly(two_sites(), flagged=False)) == 0


def test_a_cycle_of_revisions_names_its_bills() -> None:
    bills = [{"bill_id": "x", "superseded_by": "y"}, {"bill_id": "y", "superseded_by": "x"}]
    with pytest.raises(DataError, match="x, y"):
        monthly(two_sites(bills=bills))


def test_the_newest_of_a_chain_counts() -> None:
    bills = [{"bill_id": "x", "superseded_by": "y"}, {"bill_id": "y", "superseded_by": "z"}, {"bill_id": "z"}]
    usage = [used(bill, bill, "e1", "2024-01-01", "2024-01-31", 10.0**n) for n, bill in enumerate("xyz")]
    assert monthly(two_sites(bills=bills, usage=usage, line_items=[], line_item_accounts=[]))["usage"].tolist() == [100]


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ({"status": "DETECTED"}, "detected account"),
        ({"status": "CUSTOMER_NOT_TRACKED"}, "account not tracked"),
        ({"tracking": "DISABLED"}, "account not tracked"),
        ({"duplicate": True, "status": "DETECTED"}, "duplicate account"),
        ({"status": "ONBOARDED"}, None),
        ({"status": "PULL_COMPLETED", "tracking": "UNSET", "duplicate": False}, None),
        ({"status": "SOMETHING_NEW"}, None),
        ({"last_service_date": "2020-01-31"}, None),  # an old account counts for its past
        ({}, None),
    ],
)
def test_accounts_that_are_known_not_to_count(account: dict, reason: str | None) -> None:
    """In the words that the tables use, so that the reasons of one portfolio do not differ."""
    given = two_sites(accounts=[{"account_id": "A", **account}, {"account_id": "D", "tracking": "DISABLED"}])
    result = monthly(given)
    assert (result["usage"].sum() > 0) == (reason is None)
    assert (cents(result["cost"]) > 0) == (reason is None)
    if reason is not None:
        assert adjust(given).accounts["counts_reason"].tolist() == [reason, "account not tracked"]
        assert result.attrs["nectar"][f"left_out: bills, {reason}"] >= 1


@pytest.mark.parametrize("said", ["false", "False", " 0 ", "", None, "A-2", "true", "1"])
def test_a_duplicate_is_any_text_but_three(said: str | None) -> None:
    given = two_sites()
    accounts = pd.DataFrame({"account_id": ["A", "D"], "duplicate": [said, None], "tracking": [None, "DISABLED"]})
    counts = len(monthly(replace(given, accounts=accounts))) > 0
    assert counts == (said in ("false", "False", " 0 ", "", None))


def test_charges_that_are_left_out_do_not_come_back_as_a_residual() -> None:
    """One bill of 150 USD for two accounts, of which one is not tracked: its 50 USD are no difference."""
    given = two_sites(
        bills=[{"bill_id": "b", "current_charges": 150.25, "currency": "USD"}],
        bill_accounts=[{"bill_id": "b", "account_id": "A"}, {"bill_id": "b", "account_id": "D"}],
        usage=[
            used("b1", "b", "e1", "2024-01-01", "2024-01-31", 100.0),
            used("b2", "b", "d1", "2024-01-01", "2024-01-31", 50.0),
        ],
        line_items=[line(0, "b", 100.0, "SUPPLY"), line(1, "b", 50.0, "SUPPLY")],
        line_item_accounts=[
            {"line_item_id": "b:0", "account_id": "A"},
            {"line_item_id": "b:1", "account_id": "D"},
        ],
    )
    result = monthly(given)
    assert result.set_index("kind")["cost"].to_dict() == {"attributed": 100.0, "residual": 0.25}
    assert result.attrs["nectar"]["left_out: line items, account not tracked"] == 1
    assert explain(given, bill="b")["method"].tolist() == ["usage", "residual", "left out"]


@pytest.mark.parametrize("name", ["companies", "sites", "accounts", "meters", "bills", "usage", "line_items"])
def test_an_object_on_two_rows_is_refused_before_it_is_summed_twice(name: str) -> None:
    given = two_sites()
    frame = getattr(given, name)
    twice = replace(given, **{name: pd.concat([frame, frame.iloc[:1]], ignore_index=True)})
    key = {"companies": "company_id", "usage": "usage_id"}.get(name, f"{name[:-1]}_id")
    with pytest.raises(DataError, match=f"{name}: .*{key}|{name}: .*rows: {key}"):
        monthly(twice)


def test_a_usage_record_twice_is_refused_in_a_frame_too() -> None:
    usage = pd.DataFrame({"usage_id": ["u", "u", None, None], "usage": [1.0, 1.0, 2.0, 2.0]})
    with pytest.raises(DataError, match="usage_id u stands on several rows"):
        adjust(usage)
    assert adjust(usage[2:])["adjusted_usage"].tolist() == [2.0, 2.0]


def test_exclusions_both_ways() -> None:
    """A landlord's 10,000 kWh of which a tenant's 1,000 on a meter of their own are an exclusion."""
    usage = [
        used("l", "b", "e1", "2024-01-01", "2024-01-31", 10_000.0),
        used("t", "b", "e2", "2024-01-01", "2024-01-31", 1_000.0, exclusion=True),
    ]
    given = two_sites(usage=usage)
    subtracted = monthly(given)
    assert subtracted.groupby("meter_id")["usage"].sum().to_dict() == {"e1": 10_000, "e2": -1_000}
    dropped = monthly(given, exclusions="drop")
    assert dropped.groupby("meter_id")["usage"].sum().to_dict() == {"e1": 10_000}
    assert dropped.attrs["nectar"]["left_out: usage, exclusion"] == 1
    # charges are shared by the absolute usage: 900 as 10 : 1
    costs = subtracted.groupby("meter_id")["cost"].sum().round(2).to_dict()
    assert costs == {"e1": 881.82, "e2": 88.18}  # 818.18 + 63.64, 81.82 + 6.36


def test_occupancy_in_its_three_modes() -> None:
    usage = pd.DataFrame({"site_id": ["a", "b", "c", None], "usage": [10_000.0, 5_200.0, 7.0, 1.0]})
    sites = pd.DataFrame({"site_id": ["a", "b", "c"], "occupancy_percent": [60.0, 40.0, np.nan]})
    scaled = adjust(usage, sites=sites, occupancy="all")
    assert scaled["adjusted_usage"].tolist() == [6_000, 2_080, 7, 1]
    assert scaled["usage"].tolist() == usage["usage"].tolist()
    assert scaled["adjustment"].tolist()[:2] == ["occupancy 60 %", "occupancy 40 %"]
    assert adjust(usage)["adjusted_usage"].tolist() == usage["usage"].tolist()
    given = two_sites()
    assert monthly(given, occupancy="connection").groupby("meter_id")["usage"].sum()["e1"] == pytest.approx(3600)
    asleep = replace(given, connections=given.connections.assign(multiply_by_occupancy=False))
    assert monthly(asleep, occupancy="connection").groupby("meter_id")["usage"].sum()["e1"] == pytest.approx(6000)
    assert monthly(asleep, occupancy="all").groupby("meter_id")["usage"].sum()["e1"] == pytest.approx(3600)


def test_attribution_uses_the_adjusted_usage_and_charges_are_scaled_when_asked() -> None:
    """e1 counts 3600, e2 4000: 900 goes as 36 : 40; scaled, e1 keeps 60 % and the rest stands apart."""
    whole = monthly(two_sites(), occupancy="all")
    assert whole.groupby("meter_id")["cost"].sum().round(2).to_dict() == {"e1": 459.48, "e2": 510.52}
    scaled = monthly(two_sites(), occupancy="all", scale_charges=True)
    # 426.32 * 0.6 = 255.792 and 33.16 * 0.6 = 19.896, each rounded once
    occupied = scaled[scaled["kind"] == "attributed"].groupby("meter_id")["cost"].sum().round(2)
    assert occupied.to_dict() == {"e1": 275.69, "e2": 510.52}
    assert cents(scaled[scaled["kind"] == "vacant"]["cost"]) == Decimal("183.79")
    assert cents(scaled["cost"]) == cents(whole["cost"])


def test_a_meter_without_usage_keeps_its_sites_share_of_a_fixed_charge() -> None:
    """e3 stands at North (60 %), no record names that site: of its half of 10 USD it keeps 3, 2 are vacant."""
    given = two_sites(
        meters=[
            {"meter_id": "e2", "site_id": "south", "account_id": "A", "commodity": "ELECTRICITY"},
            {"meter_id": "e3", "site_id": "north", "account_id": "A", "commodity": "ELECTRICITY"},
        ],
        usage=[used("b2", "b", "e2", "2024-01-01", "2024-01-31", 4000.0)],
        bills=[{"bill_id": "b"}],
        line_items=[line(0, "b", 10.0, "CUSTOMER")],
        line_item_accounts=[{"line_item_id": "b:0", "account_id": "A"}],
    )
    result = monthly(given, occupancy="connection", scale_charges=True)
    costs = result.set_index(["kind", "meter_id"])["cost"].to_dict()
    assert costs == {("attributed", "e2"): 5.0, ("attributed", "e3"): 3.0, ("vacant", "e3"): 2.0}


def test_net_metering() -> None:
    usage = pd.DataFrame({"usage": [500.0, 200.0, -30.0], "net_metering": ["IMPORT", "EXPORT", "EXPORT"]})
    assert adjust(usage, net_metering="as_is")["adjusted_usage"].tolist() == [500, 200, -30]
    assert adjust(usage)["adjusted_usage"].tolist() == [500, -200, -30]
    assert adjust(usage, net_metering="net")["adjusted_usage"].tolist() == [500, -200, -30]
    # a tenant's export that is taken out of the landlord's net figure gives back what was subtracted
    tenant = usage.assign(exclusion=[True, True, False])
    assert adjust(tenant, net_metering="net")["adjusted_usage"].tolist() == [-500, 200, -30]


def test_waste_without_type_or_stream_stays_out() -> None:
    usage = pd.DataFrame(
        {"commodity": "WASTE", "subtype": ["MSW / LANDFILL", "MSW", None], "usage": 1.0, "unit": "cubic yd"}
    )
    result = adjust(usage)
    assert result["counts"].fillna(True).tolist() == [True, False, False]
    assert result.attrs["nectar"]["left_out: waste without type or stream"] == 2


POTABLE = {"commodity": "WATER", "subtype": "POTABLE_WATER"}
WATER = {
    "meters": [
        {"meter_id": "w", "site_id": "north", "account_id": "A", "commodity": "WATER", "subtype": "POTABLE_WATER"}
    ],
    "usage": [
        used(
            "w1",
            "b",
            "w",
            "2024-01-01",
            "2024-01-31",
            1000.0,
            commodity="WATER",
            subtype="POTABLE_WATER",
            unit="gal (US)",
        )
    ],
    "line_items": [
        line(0, "b", 30.0, "SUPPLY", description="Water usage"),
        line(1, "b", 70.0, "SUPPLY", description="Sewer usage"),
    ],
    "line_item_accounts": [],
}


@pytest.mark.parametrize(
    ("company", "asked", "sewer"),
    [
        ({"implied_metering_enabled": True}, None, 1000.0),
        ({"implied_metering_enabled": True, "implied_metering_fraction": 0.8}, None, 800.0),
        ({"implied_metering_enabled": False}, None, None),
        ({"implied_metering_enabled": False, "implied_metering_fraction": 0.5}, True, 500.0),
        ({"implied_metering_enabled": True}, 0.9, 900.0),
        ({"implied_metering_enabled": True}, False, None),
    ],
)
def test_implied_sewer(company: dict, asked: object, sewer: float | None) -> None:
    given = two_sites(companies=[{"company_id": "company", **company}], **WATER)
    result = monthly(given, implied_sewer=asked)
    found = result[result["subtype"] == "WASTEWATER"]
    assert found["usage"].tolist() == ([] if sewer is None else [sewer])
    if sewer is not None:
        assert found["cost"].tolist() == [70.0]
        implied = adjust(given, implied_sewer=asked).usage.iloc[-1]
        assert (implied["usage_id"], implied["meter_id"], implied["implied"]) == ("w1:sewer", "w:sewer", True)
        assert implied["adjustment"] == "implied from water meter w"


def test_sewer_usage_on_the_bill_is_never_implied_again() -> None:
    own = used(
        "s1", "b", "s", "2024-01-01", "2024-01-31", 900.0, commodity="WATER", subtype="WASTEWATER", unit="gal (US)"
    )
    given = two_sites(**{**WATER, "usage": [*WATER["usage"], own]})
    result = monthly(given, implied_sewer=True)
    assert result[result["subtype"] == "WASTEWATER"]["usage"].tolist() == [900.0]


def test_adjusting_twice_changes_nothing() -> None:
    once = adjust(
        two_sites(companies=[{"company_id": "c", "implied_metering_enabled": True}], **WATER), occupancy="all"
    )
    twice = adjust(once, occupancy="all")
    for name, frame in once:
        pd.testing.assert_frame_equal(frame, getattr(twice, name))


def test_nothing_is_mutated() -> None:
    given = two_sites()
    before = {name: frame.copy(deep=True) for name, frame in given}
    monthly(given, "midday", occupancy="all", scale_charges=True, exclusions="drop", implied_sewer=True)
    explain(given, bill="b")
    for name, frame in given:
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_record_that_ends_before_it_starts_is_left_out_and_its_charges_are_not() -> None:
    usage = [
        used("b1", "b", "e1", "2024-01-15", "2024-01-14", 6000.0),
        used("b2", "b", "e2", "2024-01-15", "2024-02-14", 4000.0),
    ]
    result = monthly(two_sites(usage=usage))
    assert result["usage"].sum() == pytest.approx(4000)
    assert result.attrs["nectar"]["left_out: usage, period ends before it starts"] == 1
    # 540 + 42 USD of e1, over the bill's period, in rows without usage
    alone = result[result["meter_id"] == "e1"]
    assert cents(alone["cost"]) == Decimal(582)
    assert alone["usage"].isna().all()
    assert alone["days_covered"].tolist() == [0, 0]


@pytest.mark.parametrize("dates", [("2024-01-20", "2024-01-10"), ("1899-12-30", "2024-01-31")])
def test_a_record_that_is_dropped_takes_no_charge_whatever_its_period(dates: tuple[str, str]) -> None:
    company = portfolio(
        sites=[{"site_id": "s"}],
        meters=[{"meter_id": "m", "site_id": "s", "commodity": "ELECTRICITY"}],
        bills=[{"bill_id": "b", "currency": "USD", "start_date": "2024-01-01", "bill_date": "2024-01-31"}],
        usage=[used("u", "b", "m", *dates, 100.0, exclusion=True)],
        line_items=[line(0, "b", 50.0, "SUPPLY", commodity="ELECTRICITY")],
    )
    assert monthly(company, exclusions="drop")["kind"].tolist() == ["unattributed"]
    assert adjust(company, exclusions="drop").usage["counts_reason"].tolist() == ["exclusion"]
    kept = monthly(company)  # subtracted: the record is the meter's, and a wrong date takes no meter off its bill
    assert kept.loc[kept["cost"].notna(), "kind"].unique().tolist() == ["attributed"]


def test_a_charge_without_any_date_keeps_its_place() -> None:
    given = two_sites(usage=[], line_items=[line(0, "b", 900.0, "SUPPLY")], line_item_accounts=[])
    result = monthly(given)
    assert result["month"].isna().all()
    assert cents(result["cost"]) == Decimal(1000)


def test_explain_a_month_sums_to_the_month() -> None:
    given = two_sites()
    months = monthly(given)
    for convention in ("inclusive", "exclusive", "midday"):
        months = monthly(given, convention)
        for month in ("2024-01", "2024-02"):
            pieces = explain(given, month=month, convention=convention)
            shown = months[months["month"] == pd.Timestamp(f"{month}-01")]
            for quantity in ("cost", "finance"):
                rows = pieces[pieces["quantity"] == quantity]
                assert cents(rows["value"]) == cents(shown[quantity])
            usage = pieces[pieces["quantity"] == "usage"]
            assert usage["value"].sum() == pytest.approx(shown["usage"].sum(), rel=1e-12)


def test_explain_a_sites_month_shows_each_piece() -> None:
    pieces = explain(two_sites(), month="2024-02-20", site="South")
    assert pieces["quantity"].tolist() == ["cost", "cost", "usage"]
    usage = pieces.iloc[-1]
    assert (usage["original"], usage["days"], usage["of_days"], usage["bill_id"]) == (4000, 14, 31, "b")
    assert usage["portion"] == pytest.approx(14 / 31)
    assert usage["value"] == pytest.approx(4000 * 14 / 31)
    assert pieces["original"].tolist()[:2] == [900, 70]
    assert pieces["whole"].tolist()[:2] == [360, 28]
    assert pieces["method"].tolist()[:2] == ["usage", "proportional"]
    same = explain(two_sites(), month="2024-02", site="S-1")
    pd.testing.assert_frame_equal(pieces, same)


def test_explain_a_bill() -> None:
    result = explain(two_sites(), bill="b")
    assert cents(result["amount"]) == Decimal("1040")
    assert result["line_amount"].tolist()[:-1] == [900, 900, 70, 70, 12.5, 40, 3]
    assert pd.isna(result["line_amount"].iloc[-1])
    assert result["method"].tolist()[-2:] == ["unattributed", "residual"]


def test_explain_a_bill_that_is_in_no_total() -> None:
    superseded = explain(two_sites(), bill="a")
    assert superseded[["method", "reason"]].to_numpy().tolist() == [["left out", "superseded"]]
    assert superseded["amount"].isna().all()
    untracked = explain(two_sites(), bill="c")
    assert untracked["method"].tolist() == ["left out"]


@pytest.mark.parametrize("month", [date(2024, 2, 20), pd.Timestamp("2024-02-29 12:00"), pd.Period("2024-02")])
def test_explain_reads_a_month_as_the_nouns_do(month: object) -> None:
    pd.testing.assert_frame_equal(explain(two_sites(), month=month), explain(two_sites(), month="2024-02"))


@pytest.mark.parametrize("month", ["March", "February 2024", "01/02/2024", 2024, 2025.0, pd.NaT])
def test_explain_guesses_no_month(month: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"month=.* is no date: write .* '2024-01'"):
        explain(two_sites(), month=month)


def test_explain_explains_one_month_only() -> None:
    with pytest.raises(InvalidRequestError, match="longer than a month"):
        explain(two_sites(), month=pd.Period("2024Q1"))
    with pytest.raises(InvalidRequestError, match="longer than a month"):
        explain(two_sites(), month="2024")


def test_explain_names_the_months_there_are_where_one_has_nothing() -> None:
    given = two_sites()
    with pytest.raises(
        InvalidRequestError, match="this portfolio falls into 2031-07: its months are 2024-01 to 2024-02"
    ):
        explain(given, month="2031-07")
    with pytest.raises(InvalidRequestError, match="site 'South' falls into 2023-12: its months are 2024-01 to 2024-02"):
        explain(given, month="2023-12", site="South")
    nothing = replace(given, usage=given.usage[:0], line_items=given.line_items[:0], bills=given.bills[:0])
    with pytest.raises(InvalidRequestError, match="into 2024-01, or into any other month"):
        explain(nothing, month="2024-01")


def test_explain_asks_for_what_it_needs() -> None:
    given = two_sites()
    with pytest.raises(InvalidRequestError, match="month or a bill"):
        explain(given)
    with pytest.raises(NotFoundError, match="'zz'"):
        explain(given, bill="zz")
    with pytest.raises(NotFoundError, match="'West'"):
        explain(given, month="2024-01", site="West")
    twins = replace(given, sites=given.sites.assign(name="Same"))
    with pytest.raises(InvalidRequestError, match=r"north.*south"):
        explain(twins, month="2024-01", site="Same")


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2024-01-15", "9999-12-31", "period outside 1990-01-01 to 2030-12-31"),
        ("1900-01-01", "2024-01-31", "period outside 1990-01-01 to 2030-12-31"),
        ("2024-01-15", "2024-01-14", "period ends before it starts"),
    ],
)
def test_a_period_that_cannot_be_makes_no_months_and_loses_no_money(start: str, end: str, reason: str) -> None:
    usage = [used("b1", "b", "e1", start, end, 6000.0), used("b2", "b", "e2", "2024-01-15", "2024-02-14", 4000.0)]
    given = two_sites(usage=usage)
    result = monthly(given, plausible=("1990-01", "2030-12"))
    whole = monthly(two_sites())
    assert cents(result["cost"]) + cents(result["finance"]) == cents(whole["cost"]) + cents(whole["finance"])
    assert result["usage"].sum() == pytest.approx(4000)
    assert set(result["month"].dropna()) == {pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")}
    assert result.attrs["nectar"][f"left_out: usage, {reason}"] == 1
    adjusted = adjust(given, plausible=("1990-01", "2030-12")).usage.set_index("usage_id")
    assert adjusted["counts"].to_dict() == {"b1": False, "b2": True}
    assert adjusted["counts_reason"].tolist()[0] == reason
    # its charges stand on its meter, over the bill's other days: 540 + 42 USD
    assert cents(result.loc[result["meter_id"] == "e1", "cost"]) == Decimal(582)


def test_a_bill_with_days_that_cannot_be_keeps_its_money_without_a_month() -> None:
    bills = [{"bill_id": "b", "current_charges": 1000.0, "currency": "USD", "bill_date": "9999-12-31"}]
    bills[0]["start_date"] = "1900-01-01"
    items = [line(0, "b", 900.0, "SUPPLY")]
    result = monthly(two_sites(usage=[], bills=bills, line_items=items, line_item_accounts=[]))
    assert result["month"].isna().all()
    assert cents(result["cost"]) == Decimal(1000)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("DUPLICATE", "duplicate account"),
        ("Duplicate", "duplicate account"),
        ("duplicate account", "duplicate account"),
        ("INACTIVE", "inactive account"),
        ("Inactive", "inactive account"),
        ("Detected", "detected account"),
        ("customer not tracked", "account not tracked"),
        ("Customer-Not-Tracked", "account not tracked"),
        *((state, None) for state in ("OLD_ACCOUNT", "Old account", "old", "NEEDS_PULL", "Needs pull", "ONBOARDING")),
        *((state, None) for state in ("Onboarded", "PULL_COMPLETED", "pull completed", "MERGED", "", "  ", None)),
    ],
)
def test_account_states_in_any_spelling(status: str | None, reason: str | None) -> None:
    given = two_sites()
    accounts = given.accounts.assign(status=pd.Series([status, None], dtype=given.accounts["status"].dtype))
    adjusted = adjust(replace(given, accounts=accounts))
    told = adjusted.accounts.set_index("account_id").loc["A", ["counts", "counts_reason"]]
    assert told["counts"] == (reason is None)
    assert (None if pd.isna(told["counts_reason"]) else told["counts_reason"]) == reason
    of_a = adjusted.usage.set_index("usage_id")["counts"]
    assert of_a[["b1", "b2"]].all() == (reason is None)


PAPERS = {
    "bills": [
        {"bill_id": "b", "invoice_id": "I-7", "bill_date": "2024-02-20", "currency": "USD", "current_charges": 1000.0}
    ],
    "accounts": [{"account_id": "A", "account_number": "0017"}, {"account_id": "D"}],
}


def test_a_share_is_shown_with_its_weights_and_its_papers() -> None:
    items = [line(0, "b", 900.0, "SUPPLY"), line(1, "b", 70.0, "TAX"), line(2, "b", 30.0, "CUSTOMER")]
    given = two_sites(
        **PAPERS,
        line_items=[*items, line(3, "b", 12.5, "LATE_FEE")],
        line_item_accounts=[{"line_item_id": f"b:{n}", "account_id": "A"} for n in range(4)],
    )
    result = explain(given, bill="b")
    shown = result[["line_item_id", "meter_id", "weight", "weight_of", "weight_unit", "amount"]]
    assert shown.astype(object).where(shown.notna(), None).to_numpy().tolist()[:7] == [
        ["b:0", "e1", 6000, 10000, "kWh", 540],
        ["b:0", "e2", 4000, 10000, "kWh", 360],
        ["b:1", "e1", 555, 930, "USD", 41.77],  # 540 + 15 of 930
        ["b:1", "e2", 375, 930, "USD", 28.23],
        ["b:2", "e1", 1, 2, "meters", 15],
        ["b:2", "e2", 1, 2, "meters", 15],
        ["b:3", None, None, None, None, 12.5],
    ]
    assert set(result["invoice_id"]) == {"I-7"}
    assert set(result["bill_date"]) == {pd.Timestamp("2024-02-20")}
    assert set(result.loc[result["line_item_id"].notna(), "account_number"]) == {"0017"}
    parts = result.dropna(subset=["weight"])
    again = parts["line_amount"] * parts["weight"] / parts["weight_of"]
    assert (again - parts["amount"]).abs().max() <= 0.01
    month = explain(given, month="2024-01")
    cost = month[(month["quantity"] == "cost") & month["weight"].notna()]
    assert (cost["original"] * cost["weight"] / cost["weight_of"] - cost["whole"]).abs().max() <= 0.01
    assert set(month.loc[month["bill_id"] == "b", "account_number"].dropna()) == {"0017"}
    assert month.loc[month["quantity"] == "usage", "weight"].isna().all()


@pytest.mark.parametrize(
    ("usage", "units", "weights"),
    [([6000.5, 4.0], ["kWh", "MWh"], [6.0005, 4.0]), ([0.0, 0.0], ["kWh", "kWh"], [1.0, 1.0])],
)
def test_weights_are_of_one_unit_or_of_meters(usage: list[float], units: list[str], weights: list[float]) -> None:
    given = two_sites()
    frame = given.usage
    frame.loc[frame["bill_id"] == "b", "usage"] = usage
    frame.loc[frame["bill_id"] == "b", "unit"] = units
    shared = explain(given, bill="b").iloc[:2]
    assert shared["weight"].tolist() == weights
    assert shared["weight_of"].tolist() == pytest.approx([sum(weights)] * 2, rel=1e-12)
    assert set(shared["weight_unit"]) == ({"MWh"} if sum(usage) else {"meters"})


def test_explaining_a_bill_does_not_touch_the_others() -> None:
    """A record of another bill that no sum could read is of no matter to this one."""
    given = two_sites()
    usage = given.usage.astype({"usage": object})
    usage.loc[usage["bill_id"] == "c", "usage"] = "unreadable"
    given = replace(given, usage=usage)
    with pytest.raises(DataError, match="no number"):
        monthly(given)
    assert cents(explain(given, bill="b")["amount"]) == Decimal(1040)


@pytest.mark.parametrize("asked", [{"bill": "b"}, {"month": "2024-01"}])
def test_explain_refuses_a_circle_of_revisions_wherever_it_is(asked: dict) -> None:
    given = two_sites()
    bills = given.bills.assign(superseded_by=pd.Series(["c", None, "a"], dtype=given.bills["superseded_by"].dtype))
    with pytest.raises(DataError, match="circle"):
        explain(replace(given, bills=bills), **asked)


def test_a_meter_implied_on_another_bill_shares_a_fixed_charge_of_this_one() -> None:
    """Sewer is implied on bill 2 alone, and makes a meter that the account's fixed charge on bill 1 is shared with."""
    water = {"unit": "gal (US)", "commodity": "WATER", "subtype": "POTABLE_WATER"}
    given = portfolio(
        companies=[{"company_id": "company", "implied_metering_enabled": True, "implied_metering_fraction": 1.0}],
        sites=[{"site_id": "s"}],
        accounts=[{"account_id": "A"}],
        meters=[{"meter_id": "w", "site_id": "s", "account_id": "A", "commodity": "WATER", "subtype": "POTABLE_WATER"}],
        bills=[{"bill_id": bill, "company_id": "company", "currency": "USD"} for bill in ("1", "2")],
        usage=[
            used("u1", "1", "w", "2024-01-01", "2024-01-31", 500.0, **water),
            used("u2", "2", "w", "2024-02-01", "2024-02-29", 700.0, **water),
        ],
        line_items=[
            line(0, "1", 10.0, "CUSTOMER"),
            line(0, "2", 20.0, "SUPPLY", description="Sewer usage", subtype="WASTEWATER"),
        ],
        line_item_accounts=[{"line_item_id": f"{bill}:0", "account_id": "A"} for bill in ("1", "2")],
    )
    whole = monthly(given)
    assert cents(whole.loc[whole["meter_id"] == "w:sewer", "cost"]) == Decimal(25)
    assert explain(given, bill="1").set_index("meter_id")["amount"].to_dict() == {"w": 5.0, "w:sewer": 5.0}
    january = explain(given, month="2024-01", site="s")
    assert cents(january.loc[january["quantity"] == "cost", "value"]) == Decimal(10)


def test_amounts_finer_than_are_summed_are_counted() -> None:
    given = two_sites(line_items=[line(0, "b", 900.00004, "SUPPLY"), line(1, "b", 0.1 + 0.2, "TAX")])
    assert monthly(given).attrs["nectar"]["amounts_rounded"] == 1
    assert "amounts_rounded" not in monthly(two_sites()).attrs["nectar"]


def test_a_charge_that_names_its_commodity_is_paid_by_meters_of_it() -> None:
    meters = [
        {"meter_id": "e1", "site_id": "north", "account_id": "A", "commodity": "ELECTRICITY"},
        {"meter_id": "w1", "site_id": "north", "account_id": "A", "commodity": "WATER", "subtype": "POTABLE_WATER"},
    ]
    items = [
        line(0, "b", 10.0, "CUSTOMER", commodity="WATER"),
        line(1, "b", 8.0, "CUSTOMER"),
        line(2, "b", 6.0, "FEE", commodity="WASTE"),
        line(3, "b", 5.0, "LATE_FEE", commodity="WATER"),
    ]
    given = two_sites(
        meters=meters,
        usage=[used("b1", "b", "e1", "2024-01-15", "2024-02-14", 6000.0)],
        line_items=items,
        line_item_accounts=[{"line_item_id": f"b:{n}", "account_id": "A"} for n in range(4)],
    )
    shown = explain(given, bill="b")
    paid = shown.groupby("line_item_id")["meter_id"].agg(lambda ids: ids.dropna().tolist()).to_dict()
    assert paid == {"b:0": ["w1"], "b:1": ["e1", "w1"], "b:2": [], "b:3": []}
    assert shown.set_index("line_item_id").loc[["b:2", "b:3"], "commodity"].tolist() == ["WASTE", "WATER"]

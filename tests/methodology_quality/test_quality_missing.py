"""One meaning of missing: what is expected and until when, and the same counts wherever somebody counts."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError

TODAY = "2024-12-31"


def bills(meter, *months, **ids):
    """Records of whole months of one meter."""
    ends = [pd.Timestamp(month) + pd.offsets.MonthEnd() for month in months]
    rows = [(meter, f"{month}-01", end.strftime("%Y-%m-%d"), 100.0) for month, end in zip(months, ends, strict=True)]
    frame = pd.DataFrame(rows, columns=["meter_id", "start_date", "end_date", "usage"])
    facts = {"account_id": "A", "site_id": "S", "commodity": "ELECTRICITY", "subtype": None, "unit": "kWh"} | ids
    return frame.assign(usage_id=[f"{meter}{month}" for month in months], **facts)


def year(*numbers, of=2024):
    return [f"{of}-{number:02}" for number in numbers]


def runs(frame, **arguments):
    found = nn.holes(frame, **({"today": TODAY} | arguments))
    days = [found[name].dt.strftime("%Y-%m-%d") for name in ("first_day", "last_day")]
    return list(zip(found["meter_id"], *days, found["bills_expected"], strict=True))


def state(frame, month, **arguments):
    found = nn.completeness(frame, **({"today": TODAY} | arguments))
    return found.loc[found["month"] == pd.Timestamp(month), "status"].tolist()


def test_a_month_in_progress_is_judged_by_its_whole_length():
    usage = bills("M", *year(10, 11)).assign(end_date=["2024-10-31", "2024-11-15"])
    row = nn.completeness(usage, today="2024-11-16").iloc[-1]
    assert (row["status"], row["days_covered"], row["days_expected"]) == ("partly_billed", 15, 30)


def test_a_bill_may_come_until_grace_has_passed():
    usage = bills("M", "2024-01")
    for today, grace, status in (
        ("2024-04-13", 45, "future"), ("2024-04-14", 45, "missing"), ("2024-03-10", 10, "missing"),
    ):  # fmt: skip
        assert state(usage, "2024-02", today=today, grace=grace) == [status]
        assert len(runs(usage, today=today, grace=grace)) == (status == "missing")
    with pytest.raises(InvalidRequestError, match="grace=-1"):
        nn.holes(usage, grace=-1)


def test_a_site_that_closed_misses_the_bills_before_it_and_none_after():
    closed = pd.DataFrame({"site_id": ["S"], "archived_on": ["2024-06-15"]})
    usage = bills("M", *year(1, 2, 3, 4))
    assert runs(usage, sites=closed) == [("M", "2024-05-01", "2024-06-15", 2)]
    assert state(usage, "2024-07", sites=closed) == ["not_required"]
    early = pd.DataFrame({"site_id": ["S"], "archived_on": ["2024-05-01"]})
    assert runs(usage, sites=early) == []  # one day at a bill's edge
    after = pd.DataFrame({"site_id": ["S"], "archived_on": ["2024-03-10"]})
    assert state(usage, "2024-04", sites=after) == ["complete"]  # nothing is asked, and it is there


@pytest.mark.parametrize("status", ["OLD_ACCOUNT", "Old account"])
def test_an_old_account_ends_with_its_last_bill_and_not_with_each_meters(status):
    usage = pd.concat([bills("M", *year(1, 2, 3)), bills("N", *year(1, 2, 3, 4, 5), commodity="GAS")])
    accounts = pd.DataFrame({"account_id": ["A"], "status": [status], "last_service_date": ["2024-12-01"]})
    assert runs(usage, accounts=accounts) == [("M", "2024-04-01", "2024-05-31", 2)]


def test_an_account_that_does_not_count_expects_nothing():
    accounts = pd.DataFrame({"account_id": ["A"], "status": ["DETECTED"]})
    usage = bills("M", *year(1, 3))
    assert runs(usage, accounts=accounts) == []
    assert state(usage, "2024-02", accounts=accounts) == ["not_required"]


def test_a_meter_that_is_not_tracked_expects_nothing_after_its_last_record():
    meters = pd.DataFrame({"meter_id": ["M", "SILENT"], "account_id": "A", "site_id": "S", "tracked": False})
    assert runs(bills("M", *year(1, 3)), meters=meters) == [("M", "2024-02-01", "2024-02-29", 1)]


def test_a_replaced_meter_ends_and_its_successor_begins_with_its_first_record():
    usage = pd.concat([bills("OLD", *year(1, 2, 3, 4, 5, 6)), bills("NEW", *year(7, 8, 9, 10, 11))])
    accounts = pd.DataFrame({"account_id": ["A"], "data_collection_start": ["2024-01-01"]})
    assert runs(usage, accounts=accounts) == []
    assert set(nn.completeness(usage, by="account", accounts=accounts, end="2024-11", today=TODAY)["status"]) == {
        "complete"
    }
    other = usage.assign(commodity=["GAS"] * 6 + ["WATER"] * 5)
    assert [run[0] for run in runs(other)] == ["OLD"]
    together = pd.concat([bills("OLD", *year(1)), bills("NEW", *year(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))])
    assert [run[0] for run in runs(together)] == ["OLD"]  # side by side from the start: not replaced


def test_a_collection_start_is_the_accounts_and_anothers_only_where_no_record_says_it(portfolio):
    usage = bills("M", *year(3, 4, 5, 6, 7, 8, 9, 10))
    accounts = pd.DataFrame({"account_id": ["A"], "connection_id": ["C"], "data_collection_start": ["2024-01-01"]})
    assert runs(usage, accounts=accounts) == [("M", "2024-01-01", "2024-02-29", 2)]
    whole = replace(
        portfolio,
        usage=usage,
        accounts=accounts.assign(data_collection_start=None),
        connections=pd.DataFrame({"connection_id": ["C"], "data_collection_start": ["2024-08-01"]}),
        meters=pd.DataFrame({"meter_id": ["M", "SILENT"], "account_id": "A", "site_id": "S", "commodity": "GAS"}),
    )
    assert runs(whole) == [("SILENT", "2024-08-01", "2024-10-31", 3)]


@pytest.fixture
def portfolio():
    """A portfolio without a row, to be filled by hand."""
    nectar = nn.connect(sandbox=nn.Sandbox(sites=1, months=1))
    whole = nectar.portfolio(nectar.companies()["company_id"].iloc[0])
    return replace(whole, **{name: frame.iloc[:0] for name, frame in whole}, as_of=None)


def test_where_nothing_says_since_when_nothing_is_expected():
    meters = pd.DataFrame({"meter_id": ["SILENT"], "account_id": ["A"], "site_id": ["S"], "commodity": ["GAS"]})
    found = nn.completeness(bills("M", *year(1)), meters=meters, today=TODAY)
    silent = found[found["meter_id"] == "SILENT"]
    assert set(silent["status"]) == {"not_required"}
    assert set(silent["reason"]) == {"nothing says since when"}


def test_today_is_the_day_a_portfolio_was_answered_and_an_argument_wins(portfolio):
    whole = replace(portfolio, usage=bills("M", "2024-01"), as_of=pd.Timestamp("2024-03-01T23:30:00Z"))
    assert nn.completeness(whole)["month"].max() == pd.Timestamp("2024-03-01")
    assert len(nn.holes(whole)) == 0
    assert len(nn.holes(whole, today="2024-06-30")) == 1


def test_fuel_is_expected_once_a_winter():
    deliveries = pd.DataFrame(
        [("F", day, day, 500.0) for day in ("2022-01-10", "2022-11-05", "2024-02-03")],
        columns=["meter_id", "start_date", "end_date", "usage"],
    ).assign(commodity="FUEL")
    found = nn.completeness(deliveries, today="2024-06-30", start="2022-01", end="2024-06").set_index("month")["status"]
    assert set(found["2022-04":"2022-09"]) == {"not_required"}
    assert set(found["2022-10":"2023-03"]) == {"complete"}
    assert set(found["2023-10":"2024-03"]) == {"complete"}
    assert len(nn.holes(deliveries, today="2024-06-30")) == 0
    late = deliveries.iloc[:2]
    assert runs(late, today="2024-05-14") == []
    assert runs(late, today="2024-05-15") == [("F", "2023-10-01", "2024-03-31", 1)]
    monthly = nn.holes(late, today="2024-05-15", expected={"FUEL": "monthly"})
    assert monthly["bills_expected"].sum() == 25
    with pytest.raises(InvalidRequestError, match="seasonal"):
        nn.holes(bills("M", "2024-01"), expected="seasonal")


def test_a_meter_billed_every_two_months_is_not_missed_in_between():
    days = pd.date_range("2023-01-01", periods=7, freq="2MS")
    usage = bills("M", *days.strftime("%Y-%m")).assign(
        end_date=[(day + pd.DateOffset(months=2) - pd.Timedelta(days=1)).strftime("%Y-%m-%d") for day in days]
    )
    # The last one ends on 29 February; that of March and April may come until mid-June, not until mid-May.
    assert runs(usage, today="2024-05-20") == []
    assert runs(usage, today="2024-07-20") == [("M", "2024-03-01", "2024-04-30", 1)]


def test_bills_of_an_account_that_name_no_meter_cover_its_meters():
    loose = bills(None, "2024-02")
    usage = pd.concat([bills("M", *year(1, 3, 4, 5, 6, 7, 8, 9, 10)), loose.assign(usage_id="x")])
    assert runs(usage) == []
    assert runs(usage.assign(account_id=["A"] * 9 + ["B"]), end="2024-02") == [("M", "2024-02-01", "2024-02-29", 1)]


# --- the same counts everywhere ---


def agree(portfolio, today=None):
    """Compare what each place says is missing; return how many bills are expected in the holes."""
    holes = nn.holes(portfolio, today=today)
    found = nn.issues(portfolio, today=today)
    gaps = found[found["kind"] == "gap"]
    keys = ["meter_id", "first_day", "last_day"]
    assert (
        gaps[["meter_id", "start_date", "end_date"]]
        .fillna("")
        .astype(str)
        .sort_values(["meter_id", "start_date"])
        .values.tolist()
        == holes[keys].fillna("").astype(str).sort_values(keys[:2]).values.tolist()
    )
    rejected = nn.readiness(portfolio, consumers=["ENERGY STAR"], today=today)
    between = rejected.loc[rejected["rule"] == "gap", ["meter_id", "start_date", "end_date"]].astype(str)
    assert set(map(tuple, between.values.tolist())) <= set(map(tuple, holes[keys].astype(str).values.tolist()))
    by = {name: nn.completeness(portfolio, by=name, today=today) for name in ("meter", "account", "site")}
    missed = by["meter"][by["meter"]["status"] == "missing"]
    for name in ("account", "site"):
        assert by[name]["meters_missing"].sum() == len(missed)
        assert by[name]["days_expected"].sum() == by["meter"]["days_expected"].sum()
        assert by[name]["days_missing"].sum() == by["meter"]["days_missing"].sum()
        assert not (by[name].loc[by[name]["meters_missing"] > 0, "status"] == "complete").any()
    for row in missed.to_dict("records"):
        last = row["month"] + pd.offsets.MonthEnd()
        mine = holes[holes["meter_id"].eq(row["meter_id"]) | (pd.isna(row["meter_id"]) & holes["meter_id"].isna())]
        assert ((mine["first_day"] <= last) & (mine["last_day"] >= row["month"])).any(), row
    months = nn.calendarize(portfolio.usage)
    filled = nn.fill_gaps(months, completeness=by["meter"], least_share=0)
    assert by["meter"]["days_missing"].sum() == holes["days"].sum()
    told = by["meter"].set_index(["meter_id", "month"])["days_missing"]
    for row in filled[filled["filled"]].to_dict("records"):
        assert 0 < row["filled_days"] <= told[row["meter_id"], row["month"]]
    return int(holes["bills_expected"].sum())


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_every_place_counts_the_same_of_random_portfolios(data):
    draw = data.draw
    records = []
    for meter, commodity in (("M", "ELECTRICITY"), ("N", "GAS"), ("O", "WATER"), ("W", "WASTE")):
        day = pd.Timestamp("2023-01-01") + pd.Timedelta(days=draw(st.integers(0, 90)))
        for _ in range(draw(st.integers(0, 14))):
            length = draw(st.sampled_from([0, 27, 29, 30, 30, 30, 60]))
            end = day + pd.Timedelta(days=length)
            records.append((meter, commodity, "A" if meter in "MN" else "B", day, end))
            day = end + pd.Timedelta(days=draw(st.sampled_from([0, 1, 1, 1, 2, 3, 32, 65])))
    names = ["meter_id", "commodity", "account_id", "start_date", "end_date"]
    usage = pd.DataFrame(records or [("M", "ELECTRICITY", "A", pd.Timestamp("2024-01-01"), pd.NaT)], columns=names)
    usage = usage.assign(
        usage_id=[f"u{n}" for n in range(len(usage))], usage=1.0, unit="kWh", site_id="S", bill_id=None
    )
    state = draw(st.sampled_from(["ONBOARDED", "OLD_ACCOUNT", "INACTIVE"]))
    empty = {name: pd.DataFrame(columns=["bill_id", "line_item_id", "account_id", "demand_id", "usage_id", "meter_id"])
             for name in ("identifiers", "bills", "bill_accounts", "line_items", "line_item_accounts", "demand",
                          "demand_usage", "time_of_use")}  # fmt: skip
    whole = nn.Portfolio(
        companies=pd.DataFrame({"company_id": ["K"], "name": ["K"]}),
        sites=pd.DataFrame({"site_id": ["S"], "archived_on": [draw(st.sampled_from([None, "2024-02-10"]))]}),
        connections=pd.DataFrame({"connection_id": ["C"]}),
        accounts=pd.DataFrame({"account_id": ["A", "B"], "connection_id": "C", "status": [state, None],
                               "data_collection_start": [draw(st.sampled_from([None, "2023-02-01"])), None]}),
        meters=usage[["meter_id", "account_id", "site_id", "commodity"]].drop_duplicates("meter_id"),
        usage=usage,
        **empty,
    )  # fmt: skip
    agree(whole, today=draw(st.sampled_from(["2023-08-01", "2024-04-10", "2024-12-01"])))


def test_every_place_counts_the_same_of_the_demo():
    sandbox = nn.Sandbox()
    nectar = nn.connect(sandbox=sandbox)
    today = sandbox.clock.today()
    counts = {}
    for company in nectar.companies()["company_id"]:
        portfolio = nectar.portfolio(company)
        counts[portfolio.name] = agree(portfolio, today)
        names = ("meters", "accounts", "sites", "connections", "companies", "bill_accounts")
        beside = {name: getattr(portfolio, name) for name in names}
        apart = nn.completeness(portfolio.usage, **beside, today=today)
        pd.testing.assert_frame_equal(apart, nn.completeness(portfolio, today=today))
        lacking = nn.holes(portfolio.usage, **beside, today=today)
        pd.testing.assert_frame_equal(lacking, nn.holes(portfolio, today=today))
        gaps = nn.issues(portfolio.usage, **beside, today=today)
        assert (gaps["kind"] == "gap").sum() == len(lacking)
    # One planted gap; the others are of logins that do not work, or of a company that is not active.
    assert counts == {
        "Bluestem Logistics": 3, "Granite Bay Hospitality": 2, "Copper Kettle Bakery": 0, "Tidewater Canvas": 7,
    }  # fmt: skip


@pytest.mark.real_bills
def test_six_bills_are_missing_of_the_real_ones(real_bills):
    sandbox = nn.Sandbox()
    sandbox.load_bills(real_bills)
    nectar = nn.connect(sandbox=sandbox)
    companies = nectar.companies()
    company = companies.loc[companies["name"].str.startswith("FNSB"), "company_id"].iloc[0]
    portfolio = nectar.portfolio(company)
    for today in (sandbox.clock.today(), "2017-06-30"):
        assert agree(portfolio, today) == 6
    holes = nn.holes(portfolio, today=sandbox.clock.today())
    assert holes["days"].between(29, 31).all()
    gas = nn.completeness(portfolio, start="2016-08", end="2016-08", today="2017-06-30")
    august = gas[gas["commodity"] == "GAS"].iloc[0]
    assert (august["status"], august["days_covered"], august["days_expected"]) == ("partly_billed", 2, 31)


def test_pictures_draw_months_open_that_completeness_does_not_call_complete():
    from nectar_notebooks.plots.wholeness import WHOLE

    assert inspect.signature(nn.completeness).parameters["least_share"].default == WHOLE

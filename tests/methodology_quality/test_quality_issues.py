"""Issues: every kind found where it is, and nothing where it is not; order of rows irrelevant."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.quality.issues import KINDS, issues

TODAY = "2024-03-20"  # bills of February may still come
LATER = "2024-05-01"  # those of April may


def found(frame, today=TODAY, **tables):
    return issues(frame, today=today, **tables)


def kinds(frame, **tables):
    return found(frame, **tables)["kind"].tolist()


def make_bills(*rows, **columns):
    """Bills that have nothing wrong: (bill, current charges)."""
    frame = pd.DataFrame(rows, columns=["bill_id", "current_charges"])
    frame["total_charges"] = frame["current_charges"]
    frame["currency"] = "USD"
    frame["bill_date"] = "2024-06-01"
    frame["due_date"] = "2024-06-21"
    return frame.assign(**columns)


def make_lines(*rows, **columns):
    frame = pd.DataFrame(rows, columns=["bill_id", "amount"])
    frame["line_item_id"] = [f"l{place}" for place in range(len(frame))]
    frame["billing_period"] = "CURRENT"
    return frame.assign(**columns)


@pytest.fixture
def clean(make_usage):
    """Two meters, two months each, billed together on one account, nothing wrong."""
    usage = make_usage(
        ("M", "2024-01-01", "2024-01-31", 310),
        ("N", "2024-01-01", "2024-01-31", 200),
        ("M", "2024-02-01", "2024-02-29", 290),
        ("N", "2024-02-01", "2024-02-29", 210),
        bill_id=["b1", "b1", "b2", "b2"],
    )
    tables = {
        "bills": make_bills(("b1", 100.0), ("b2", 90.0)),
        "line_items": make_lines(("b1", 60.0), ("b1", 40.0), ("b2", 90.0)),
        "bill_accounts": pd.DataFrame(
            {
                "bill_id": ["b1", "b2"],
                "account_id": ["A", "A"],
                "via": ["line_item", "line_item"],
                "reason": [None, None],
            }
        ),
        "meters": pd.DataFrame({"meter_id": ["M", "N"], "account_id": ["A", "A"]}),
    }
    return usage, tables


def test_nothing_is_found_where_nothing_is_wrong(clean):
    usage, tables = clean
    result = found(usage, **tables)
    assert len(result) == 0
    assert result["start_date"].dtype == "datetime64[us]"
    assert result.attrs["nectar"]["not_looked_at"] is None


def test_every_finding_says_level_and_what_to_do(make_usage):
    result = found(make_usage(("M", "2024-01-01", "2024-01-31", 1), ("M", "2024-03-01", "2024-03-31", 1)), LATER)
    row = result.iloc[0]
    assert (row["kind"], row["level"], row["meter_id"], row["site_id"]) == ("gap", "action required", "M", "S1")
    assert row["to_do"] == KINDS["gap"].to_do
    assert (row["bill_id"], row["other_bill_id"], row["usage_id"]) == ("b1", "b0", "u1")
    assert (row["start_date"], row["end_date"]) == (pd.Timestamp("2024-02-01"), pd.Timestamp("2024-02-29"))
    assert row["found"].startswith("29 days")
    assert result.attrs["nectar"]["not_looked_at"] == "bills, line_items, bill_accounts, meters"


def test_two_days_are_a_gap_and_one_at_a_bills_edge_is_none(make_usage):
    january, short = ("M", "2024-01-01", "2024-01-31", 1), ("M", "2024-02-03", "2024-03-31", 1)
    assert kinds(make_usage(january, short), today=LATER) == ["gap"]
    assert kinds(make_usage(january, ("M", "2024-02-02", "2024-03-31", 1)), today=LATER) == []
    assert kinds(make_usage(january, short, commodity="WASTE", unit="lb"), today=LATER) == []


def test_a_month_without_a_pickup_is_a_gap_in_words_of_its_own(make_usage):
    pickups = ("W", "2024-01-09", "2024-01-09", 1), ("W", "2024-03-05", "2024-03-05", 1)
    result = found(make_usage(*pickups, commodity="WASTE", unit="lb"), LATER)
    assert result["found"].tolist() == ["no delivery from 2024-02-01 to 2024-02-29"]


def test_bills_that_did_not_come_are_a_gap_once_they_are_due(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 1))
    assert kinds(usage) == []
    row = found(usage, "2024-06-01").iloc[0]
    assert row["found"] == "60 days from 2024-02-01 to 2024-03-31 are on no bill of this meter, about 2 bills"
    assert row[["bill_id", "usage_id"]].isna().all()
    assert row["other_bill_id"] == "b0"
    ended = pd.DataFrame({"account_id": ["A"], "status": ["OLD_ACCOUNT"]})
    assert kinds(usage.assign(account_id="A"), today="2024-06-01", accounts=ended) == []
    closed = pd.DataFrame({"site_id": ["S1"], "archived_on": ["2024-03-10"]})
    assert found(usage, "2024-06-01", sites=closed)["end_date"].tolist() == [pd.Timestamp("2024-03-10")]


def test_usage_of_the_account_fills_its_meters_gap(make_usage):
    usage = make_usage(
        ("M", "2024-01-01", "2024-01-31", 1),
        (None, "2024-02-01", "2024-02-29", 1),
        ("M", "2024-03-01", "2024-03-31", 1),
    )
    accounts = pd.DataFrame({"bill_id": ["b0", "b1", "b2"], "account_id": ["A", "A", "A"]})
    assert kinds(usage, today=LATER, bill_accounts=accounts) == ["no_meter"]
    accounts["account_id"] = ["A", "B", "A"]
    assert kinds(usage, today=LATER, bill_accounts=accounts) == ["gap", "no_meter"]


def test_overlap_in_part(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 310), ("M", "2024-01-28", "2024-02-27", 290))
    result = found(usage)
    assert result["kind"].tolist() == ["overlap"]
    assert result["found"][0] == "4 days are in record u0 (2024-01-01 to 2024-01-31) too"
    assert result["usage_id"][0] == "u1"


def test_two_bills_of_one_account_for_the_same_days_are_one_potential_duplicate(clean):
    usage, tables = clean
    copy = usage[usage["bill_id"] == "b2"].assign(bill_id="b3", usage_id=["v1", "v2"], usage=[291, 210])
    tables["bills"] = make_bills(("b1", 100.0), ("b2", 90.0), ("b3", 90.0))
    tables["line_items"] = pd.concat([tables["line_items"], make_lines(("b3", 90.0), line_item_id="l9")])
    more = pd.DataFrame({"bill_id": ["b3"], "account_id": ["A"], "via": ["line_item"], "reason": [None]})
    tables["bill_accounts"] = pd.concat([tables["bill_accounts"], more])
    result = found(pd.concat([usage, copy]), **tables)
    assert result["kind"].tolist() == ["potential_duplicate"]
    assert (result["bill_id"][0], result["other_bill_id"][0]) == ("b3", "b2")
    assert result["found"][0].startswith("2 of its usage records")


def test_superseded_bills_are_no_duplicates_and_found_only_while_they_count(clean):
    usage, tables = clean
    old = usage[usage["bill_id"] == "b2"].assign(bill_id="b0", usage_id=["v1", "v2"], usage=[400, 210], counts=False)
    tables["bills"] = make_bills(("b0", 120.0), ("b1", 100.0), ("b2", 90.0)).assign(
        superseded_by=["b2", None, None], counts=[False, True, True]
    )
    tables["line_items"] = tables["line_items"].assign(counts=True)
    usage = pd.concat([usage.assign(counts=True), old])
    assert kinds(usage, **tables) == []
    tables["bills"]["counts"] = True
    result = found(usage.assign(counts=True), **tables)
    assert result["kind"].tolist() == ["superseded_counted"]
    assert result["found"][0] == "is replaced by bill b2 and still counts: 1 bill, 2 usage records"


def test_a_replacement_that_is_not_there_and_a_circle(make_usage):
    bills = make_bills(("b0", 1.0), ("b1", 1.0), ("b2", 1.0)).assign(superseded_by=["lost", "b2", "b1"], counts=False)
    usage = make_usage().assign(bill_id=pd.Series(dtype=object))
    result = found(usage, bills=bills)
    assert result["kind"].tolist() == ["revision_cycle", "revision_missing"]
    assert result["found"].tolist() == ["replace each other: b1, b2", "is replaced by bill lost, which is not here"]


def test_a_chain_of_revisions_is_no_circle(make_usage):
    bills = make_bills(("b0", 1.0), ("b1", 1.0), ("b2", 1.0)).assign(
        superseded_by=["b1", "b2", None], counts=[False, False, True]
    )
    usage = make_usage(("M", "2024-05-01", "2024-05-31", 5), bill_id="b2")
    assert kinds(usage, bills=bills) == []


def test_the_same_usage_twice(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 310), ("M", "2024-01-01", "2024-01-31", 310), bill_id="b0")
    assert kinds(usage) == ["duplicate_usage"]
    # The same reading billed by supplier and grid on accounts of their own: two bills, no duplicate bill.
    accounts = pd.DataFrame({"bill_id": ["b0", "b1"], "account_id": ["A", "B"]})
    assert kinds(usage.assign(bill_id=["b0", "b1"]), bill_accounts=accounts) == ["duplicate_usage"]
    assert kinds(usage.assign(usage_id="u0")) == ["duplicate_id"]


def test_directions_kinds_and_exclusions_of_a_meter_do_not_overlap(make_usage):
    rows = [("M", "2024-01-01", "2024-01-31", 310)] * 2
    assert kinds(make_usage(*rows, net_metering=["IMPORT", "EXPORT"])) == []
    assert kinds(make_usage(*rows, subtype=["POTABLE_WATER", "WASTEWATER"], commodity="WATER", unit="CCF")) == []
    assert kinds(make_usage(*rows, exclusion=[False, True])) == []


def test_shared_boundary_days_once_for_the_frame_where_they_are_the_rule(make_usage):
    rows = [("M", f"2024-0{month}-10", f"2024-0{month + 1}-10", 1) for month in range(1, 5)]
    result = found(make_usage(*rows))
    assert result["kind"].tolist() == ["shared_boundary_days"]
    assert result["found"][0].startswith("3 of 3 neighbouring periods share their boundary day")
    assert "convention='exclusive' fits" in result["found"][0]
    assert pd.isna(result["meter_id"][0])


def test_shared_boundary_days_once_a_meter_where_they_are_not_the_rule(make_usage):
    shared = [("M", "2024-01-10", "2024-02-10", 1), ("M", "2024-02-10", "2024-03-10", 1)]
    plain = [("N", f"2024-0{month}-01", f"2024-0{month}-28", 1) for month in (1,)]
    plain += [("N", "2024-01-29", "2024-02-28", 1), ("N", "2024-02-29", "2024-03-28", 1)]
    result = found(make_usage(*shared, *plain))
    assert result[["kind", "meter_id"]].values.tolist() == [["shared_boundary_days", "M"]]
    assert result["found"][0] == "1 of 1 neighbouring periods of this meter share their boundary day"


def test_estimated_runs_are_one_finding(make_usage):
    rows = [("M", f"2024-0{month}-01", f"2024-0{month}-28", month) for month in range(1, 7)]
    usage = make_usage(
        *rows, end_date=["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30"]
    )
    result = found(usage.assign(estimated=[False, True, True, True, False, True]))
    assert result["kind"].tolist() == ["estimated_run"]
    assert result["found"][0] == "3 records in a row are estimated, from 2024-02-01 to 2024-04-30"
    assert kinds(usage.assign(estimated=[True, False, True, False, True, False])) == []
    assert (
        len(issues(usage.assign(estimated=[True, False, True, False, True, False]), today=TODAY, estimated_run=1)) == 3
    )


def test_money_of_bills(clean):
    usage, tables = clean
    tables["bills"] = make_bills(("b1", 100.02), ("b2", 0.0), ("b3", 55.0))
    tables["line_items"] = make_lines(("b1", 60.0), ("b1", 40.0), ("b2", 90.0), ("b2", -90.0), ("b3", 55.0))
    tables["bill_accounts"] = pd.DataFrame({"bill_id": ["b1", "b2", "b3"], "account_id": "A", "via": "line_item"})
    result = found(usage, **tables)
    assert result[["kind", "bill_id"]].values.tolist() == [
        ["no_usage", "b3"],
        ["lines_do_not_add_up", "b1"],
        ["zero_cost", "b2"],
    ]
    assert result["found"].tolist() == [
        "charges 55.00 USD and has no usage record",
        "2 line items sum to 100.00 USD, the bill charges 100.02 USD: 0.02 USD are not explained",
        "has usage and charges 0",
    ]


def test_lines_of_an_earlier_period_and_binary_noise_are_no_difference(clean):
    usage, tables = clean
    tables["bills"] = make_bills(("b1", 0.3), ("b2", 90.0))
    lines = make_lines(("b1", 0.1), ("b1", 0.2), ("b1", 77.0), ("b2", 90.0))
    lines["billing_period"] = ["CURRENT", "CURRENT", "PREVIOUS", None]
    assert kinds(usage, **{**tables, "line_items": lines}) == []


def test_accounts_and_meters(clean):
    usage, tables = clean
    relation = pd.DataFrame(
        {"bill_id": ["b1", "b2"], "account_id": ["B", None], "via": ["line_item", None], "reason": [None, "nowhere"]}
    )
    result = found(usage, **{**tables, "bill_accounts": relation})
    assert result["kind"].tolist() == ["unmatched_account", "account_meter_mismatch", "account_meter_mismatch"]
    assert result["found"][0] == "belongs to no account: nowhere"
    assert result["found"][1] == "its meter belongs to account A, which the bill does not name"
    assert result["account_id"].tolist()[1:] == ["B", "B"]


def test_a_bill_of_two_accounts_matches_both(clean):
    usage, tables = clean
    tables["meters"]["account_id"] = ["A", "B"]
    tables["bill_accounts"] = pd.DataFrame(
        {"bill_id": ["b1", "b1", "b2", "b2"], "account_id": ["A", "B", "B", "A"], "via": "line_item"}
    )
    assert kinds(usage, **tables) == []


def test_units(make_usage):
    usage = make_usage(
        ("M", "2024-01-01", "2024-01-31", 1),
        ("M", "2024-02-01", "2024-02-29", 1),
        ("N", "2024-01-01", "2024-01-31", 1),
        ("O", "2024-01-01", "2024-01-31", 1),
        unit=["kWh", "MWh", "CCF", "furlong"],
    )
    result = found(usage)
    assert result[["kind", "meter_id"]].values.tolist() == [
        ["foreign_unit", "N"],
        ["foreign_unit", "O"],
        ["mixed_units", "M"],
    ]
    assert result["found"].tolist() == [
        "1 records in CCF, which measures volume",
        "1 records in furlong, which is no unit of the API",
        "records in MWh, kWh",
    ]


def test_bad_input_is_found_and_never_crashes(make_usage):
    usage = make_usage(
        ("A", "2024-01-31", "2024-01-01", 1),
        ("B", "1924-01-01", "1924-01-31", 1),
        ("C", "2044-01-01", "2044-01-31", 1),
        ("D", "2022-01-01", "2024-01-31", 1),
        ("E", "2024-01-01", "2024-01-31", np.inf),
        ("F", "2024-01-01", None, np.nan),
        ("G", None, None, 1),
        ("H", "2024-01-01", "2024-01-31", 1),
        unit=[*["kWh"] * 7, None],
    )
    result = found(usage)
    result = result[(result["kind"] != "gap") | (result["meter_id"] != "B")]  # a century without bills
    assert sorted(zip(result["kind"], result["meter_id"], strict=True)) == [
        ("absurd_date", "B"),
        ("absurd_date", "C"),
        ("absurd_date", "D"),
        ("infinite_value", "E"),
        ("missing_value", "F"),
        ("missing_value", "G"),
        ("missing_value", "H"),
        ("non_positive_period", "A"),
    ]
    assert result.set_index("meter_id")["found"]["G"] == "no start_date"


def test_dates_of_bills_currencies_flags_and_repeated_ids(clean):
    usage, tables = clean
    tables["bills"] = make_bills(("b1", 100.0), ("b2", 90.0), ("b2", 90.0)).assign(
        bill_date=["2024-01-10", "2023-12-31", "2023-12-31"],
        due_date=["2024-01-05", None, None],
        currency=["USD", "CAD", "CAD"],
        flagged=[True, False, False],
        flagged_status=["ILLEGIBLE", None, None],
    )
    tables["line_items"]["line_item_id"] = ["l0", "l0", "l1"]
    result = found(usage, **tables)
    assert sorted(result["kind"]) == [
        "date_order",
        "date_order",
        "duplicate_id",
        "duplicate_id",
        "flagged",
        "mixed_currencies",
    ]
    words = set(result["found"])
    assert "flagged: ILLEGIBLE" in words
    assert "due on 2024-01-05, dated 2024-01-10" in words
    assert "dated 2023-12-31, its service begins on 2024-02-01" in words
    assert "bills in CAD, USD" in words


def test_missing_and_infinite_amounts(clean):
    usage, tables = clean
    tables["line_items"]["amount"] = [60.0, np.nan, np.inf]
    result = found(usage, **tables)
    assert result[["kind", "bill_id"]].values.tolist() == [["infinite_value", "b2"], ["missing_value", "b1"]]


def test_bills_without_usage_entered_twice(make_usage):
    bills = make_bills(("b1", 40.0), ("b2", 40.0), ("b3", 40.0)).assign(
        start_date=["2024-05-01", "2024-05-02", "2024-06-01"],
        bill_date=["2024-05-31", "2024-05-31", "2024-06-30"],
        due_date=None,
    )
    accounts = pd.DataFrame({"bill_id": ["b1", "b2", "b3"], "account_id": "A"})
    result = found(make_usage(), bills=bills, bill_accounts=accounts)
    assert result[result["kind"] == "potential_duplicate"][["bill_id", "other_bill_id"]].values.tolist() == [
        ["b2", "b1"]
    ]


def test_wrong_arguments_and_columns_name_themselves(make_usage):
    with pytest.raises(DataError, match="frame given to issues lacks the columns end_date, usage"):
        issues(pd.DataFrame({"usage_id": [], "meter_id": [], "start_date": []}))
    with pytest.raises(DataError, match="bills lacks the column bill_id"):
        issues(make_usage(), bills=pd.DataFrame({"id": []}))
    with pytest.raises(InvalidRequestError):
        issues(make_usage(), estimated_run=0)
    with pytest.raises(DataError, match="start_date is no date in usage_id u0"):
        issues(make_usage(("M", "1/31/2024", "2024-01-31", 1)))


RECORD = st.tuples(st.sampled_from("AB"), st.dates(date(2023, 1, 1), date(2023, 12, 31)), st.integers(0, 60))


@settings(max_examples=80, deadline=None)
@given(st.lists(RECORD, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_gaps_equal_the_oracle_and_the_order_of_rows_is_irrelevant(rows, random):
    records = [{"meter": meter, "start": first, "end": first + timedelta(days=length)} for meter, first, length in rows]
    frame = pd.DataFrame(
        {
            "usage_id": [f"u{place}" for place in range(len(rows))],
            "bill_id": [f"b{place}" for place in range(len(rows))],
            "meter_id": [record["meter"] for record in records],
            "start_date": [record["start"].isoformat() for record in records],
            "end_date": [record["end"].isoformat() for record in records],
            "usage": 1.0,
        }
    )
    result = found(frame, "2023-12-31")
    rule = any(name.startswith("shared") for name in result["kind"]) and result["meter_id"].isna().any()
    told = result[result["kind"] == "gap"]
    expected = oracle.gaps(records, date(2023, 12, 31))
    assert sorted(zip(told["meter_id"], told["end_date"].dt.date, strict=True)) == [
        (m, last) for m, _, last in expected
    ]
    shift = timedelta(days=1 if rule else 0)
    assert sorted(zip(told["meter_id"], told["start_date"].dt.date, strict=True)) == [
        (m, first - shift) for m, first, _ in expected
    ]
    mixed = frame.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(found(mixed, "2023-12-31"), result)


@pytest.mark.real_bills
def test_the_real_bills_have_six_gaps_and_share_304_of_310_days(real_usage):
    result = issues(real_usage, today="2017-04-30")
    gaps = result[result["kind"] == "gap"]
    assert len(gaps) == 6
    length = (gaps["end_date"] - gaps["start_date"]).dt.days + 1
    assert sorted(length) == [29, 30, 31, 31, 31, 31]
    rest = result[result["kind"] != "gap"]
    assert rest["kind"].tolist() == ["shared_boundary_days"]
    assert rest["found"].iloc[0].startswith("304 of 310 neighbouring periods share their boundary day")

"""Completeness on hand-worked meters, against the slow oracle, and on the real bills."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import quality as oracle

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.quality.completeness import completeness, holes


def status_of(frame, **ids):
    for name, value in ids.items():
        frame = frame[frame[name] == value]
    return dict(zip(frame["month"].dt.strftime("%Y-%m"), frame["status"], strict=True))


def test_a_missing_bill_shows_in_both_months_it_touches_and_presence_is_for_who_asks(make_usage):
    # 15 February to 14 March is missing: both months are touched by a neighbour.
    usage = make_usage(("M", "2024-01-15", "2024-02-14", 1), ("M", "2024-03-15", "2024-04-14", 1))
    result = completeness(usage, today="2024-07-20")
    assert status_of(result) == {
        "2024-01": "complete",
        "2024-02": "partly_billed",
        "2024-03": "partly_billed",
        "2024-04": "partly_billed",
        "2024-05": "missing",
        "2024-06": "future",  # until 14 August
        "2024-07": "future",
    }
    assert result["days_covered"].tolist() == [17, 14, 17, 14, 0, 0, 0]
    assert result["days_expected"].tolist() == [17, 29, 31, 30, 31, 30, 31]
    assert result["days_in_month"].tolist() == [31, 29, 31, 30, 31, 30, 31]
    assert result["share_covered"][1] == pytest.approx(14 / 29)
    assert result["reason"][1] == "its bills cover a part of the days"
    nectars = completeness(usage, today="2024-07-20", least_share=0)
    assert status_of(nectars)["2024-02"] == "complete"


def test_a_day_covered_twice_counts_once(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-20", 1), ("M", "2024-01-10", "2024-01-31", 1))
    result = completeness(usage, today="2024-02-01", end="2024-01")
    assert result["days_covered"].tolist() == [31]
    assert result["records"].tolist() == [2]
    assert result["share_covered"].tolist() == [1.0]


def test_what_does_not_count_or_has_no_usage_makes_no_month_complete(make_usage):
    usage = make_usage(
        ("M", "2024-01-01", "2024-01-31", 1),
        ("M", "2024-02-01", "2024-02-29", 1),
        ("M", "2024-03-01", "2024-03-31", None),
    ).assign(counts=[True, False, True], counts_reason=[None, "superseded", None])
    result = completeness(usage, today="2024-05-15", end="2024-03")
    assert result["status"].tolist() == ["complete", "missing", "missing"]
    told = result.attrs["nectar"]
    assert told["left_out"] == 2
    assert told["left_out: superseded"] == 1
    assert told["left_out: usage is missing"] == 1


def test_quarterly_and_yearly_bills_are_due_after_their_period(make_usage):
    usage = make_usage(
        ("Q", "2024-01-01", "2024-03-31", 1),
        ("Y", "2023-01-01", "2023-12-31", 1),
        ("M", "2024-01-01", "2024-01-31", 1),
        utility=["Quarter Water", "Year Steam", "Month Power"],
        site_id=["S1", "S2", "S3"],
    )
    often = {"Quarter Water": "quarterly", "Year Steam": "yearly"}
    result = completeness(usage, expected=often, start="2024-01", end="2024-06", today="2024-08-13")
    assert list(status_of(result, meter_id="Q").values()) == ["complete"] * 3 + ["future"] * 3
    assert set(status_of(result, meter_id="Y").values()) == {"future"}
    assert list(status_of(result, meter_id="M").values()) == ["complete"] + ["missing"] * 4 + ["future"]
    assert set(result[result["meter_id"] == "Y"]["expected"]) == {"yearly"}
    later = completeness(usage, expected=often, start="2024-01", end="2024-06", today="2024-08-14")
    assert list(status_of(later, meter_id="Q").values()) == ["complete"] * 3 + ["missing"] * 3


def test_names_and_words_of_what_is_expected_are_read_in_any_case(make_usage):
    usage = make_usage(
        ("Q", "2024-01-01", "2024-03-31", 1), ("M", "2024-01-01", "2024-01-31", 1), commodity=["WATER", "GAS"],
        utility=["Quarter  Water", "Month Gas"], site_id=["S1", "S2"],
    )  # fmt: skip
    exact = completeness(usage, expected={"Quarter  Water": "quarterly"}, today="2024-08-13")
    assert set(exact[exact["meter_id"] == "Q"]["expected"]) == {"quarterly"}
    for said in (
        {"quarter water": "Quarterly"}, {" QUARTER WATER": "QUARTERLY"}, {"water": "quarterly"},
        {"Water": "quarterly "},
        {"WATER": "monthly", "Quarter Water": "quarterly"}, {"fuel": "yearly", "water": "quarterly"},
    ):  # fmt: skip
        pd.testing.assert_frame_equal(completeness(usage, expected=said, today="2024-08-13"), exact)
    pd.testing.assert_frame_equal(
        completeness(usage, expected="YEARLY", today="2024-08-13"),
        completeness(usage, expected="yearly", today="2024-08-13"),
    )


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"electrcity": "quarterly"}, "expected names 'electrcity': no commodity, and no utility of these records"),
        ({"WATER": "quarterly", "City Light": "yearly"}, "expected names 'City Light'"),
        ({"": "quarterly"}, "expected names ''"),
        ({None: "quarterly"}, "expected names None"),
        ({"WATER": "weekly"}, r"expected\['WATER'\]='weekly' is not known"),
        ({"WATER": None}, r"expected\['WATER'\]=None is not known"),
        ({"WATER": "yearly", "water": "monthly"}, r"expected\['water'\] is 'yearly' and 'monthly'"),
        ("fortnightly", "expected='fortnightly' is not known"),
        (3, "expected=3 is neither a word nor a mapping"),
        (["WATER"], "neither a word nor a mapping"),
    ],
)
def test_what_is_expected_of_an_unknown_name_is_refused_by_name(make_usage, expected, message):
    usage = make_usage(("W", "2024-01-01", "2024-01-31", 1), commodity="WATER", utility="Quarter Water")
    for ask in (completeness, holes):
        with pytest.raises(InvalidRequestError, match=message):
            ask(usage, expected=expected, today="2024-08-13")


def test_waste_is_complete_with_one_pickup(make_usage):
    usage = make_usage(("W", "2024-01-09", "2024-01-09", 4), ("W", "2024-03-05", "2024-03-05", 4), commodity="WASTE")
    result = completeness(usage, today="2024-04-20", end="2024-03", least_share=0.9)
    assert result["status"].tolist() == ["complete", "missing", "complete"]
    assert result["share_covered"].isna().all()


def test_meters_accounts_and_sites_say_what_is_not_required(make_usage):
    usage = make_usage(("A", "2024-02-01", "2024-02-29", 1), ("B", "2024-01-01", "2024-01-31", 1))
    meters = pd.DataFrame(
        {
            "meter_id": ["A", "B", "SILENT", "UNTRACKED", "GONE"],
            "site_id": ["S1", "S1", "S1", "S1", "S2"],
            "account_id": ["late", "dup", "late", "late", "late"],
            "commodity": "ELECTRICITY",
            "tracked": [True, True, True, False, True],
        }
    )
    accounts = pd.DataFrame(
        {"account_id": ["late", "dup"], "data_collection_start": ["2024-02-01", None], "counts": [True, False]}
    )
    sites = pd.DataFrame({"site_id": ["S1", "S2"], "archived_on": [None, "2024-02-10"]})
    result = completeness(
        usage, meters=meters, accounts=accounts, sites=sites, start="2024-01", end="2024-03", today="2024-05-15"
    )
    told = {
        meter: list(zip(rows["status"], rows["reason"].fillna(""), strict=True))
        for meter, rows in result.groupby("meter_id")
    }
    early = ("not_required", "before collection starts")
    assert told["A"] == [early, ("complete", ""), ("missing", "")]
    assert told["B"] == [("complete", "")] + [("not_required", "the account does not count")] * 2
    assert told["SILENT"] == [early, ("missing", ""), ("missing", "")]
    assert told["UNTRACKED"] == [("not_required", "the meter is not tracked")] * 3
    assert told["GONE"] == [early, ("missing", ""), ("not_required", "the site is archived")]


def test_by_site_counts_the_meters_that_miss(make_usage):
    usage = make_usage(("A", "2024-01-01", "2024-02-29", 1), ("B", "2024-01-01", "2024-01-31", 1), utility="Acme")
    result = completeness(usage, by="site", today="2024-04-20", end="2024-02")
    assert list(result.columns[:3]) == ["site_id", "commodity", "utility"]
    assert result["status"].tolist() == ["complete", "partly_billed"]
    assert result["meters"].tolist() == [2, 2]
    assert result["meters_missing"].tolist() == [0, 1]


def test_a_change_of_supplier_leaves_no_hole(make_usage):
    usage = make_usage(
        ("A", "2024-01-01", "2024-01-31", 1), ("A", "2024-02-01", "2024-02-29", 1), utility=["Old", "New"]
    )
    result = completeness(usage, by="site", today="2024-03-01", end="2024-02")
    assert result["utility"].tolist() == ["New", "New"]
    assert result["status"].tolist() == ["complete", "complete"]


def test_usage_without_a_meter_counts_for_its_account(make_usage):
    usage = make_usage((None, "2024-01-01", "2024-01-31", 1), ("A", "2024-02-01", "2024-02-29", 1), account_id="acc")
    result = completeness(usage, by="account", today="2024-03-01", end="2024-02")
    assert result["status"].tolist() == ["complete", "complete"]
    assert result["days_covered"].tolist() == [31, 29]


def test_too_large_a_window_is_refused(make_usage):
    usage = make_usage(*[(f"M{i}", "2024-01-01", "2024-01-31", 1) for i in range(20_000)])
    with pytest.raises(InvalidRequestError, match="too many to be meant"):
        completeness(usage, today="2024-02-01", start="1801-01")
    usage = usage.head(3000)
    # a record of the year 1 cannot be, and makes no window
    usage["start_date"] = np.full(3000, "0001-01-01", dtype="datetime64[us]")
    assert completeness(usage, today="2024-02-01").empty
    with pytest.raises(InvalidRequestError, match="is no date"):
        completeness(make_usage(("M", "2024-01-01", "2024-01-31", 1)), today="tomorrow")


ABSURD = [
    *("0001", "0001-01", "0001-01-01", "1676-01-01", "2263-01-01", "9999-12", "9999-12-31", "10000-01-01", "2024-13"),
    *("", "2024-02-30", date.min, date.max, pd.Timestamp(date.max), np.datetime64("99999-01-01"), np.datetime64("NaT")),
    *(pd.Period("0001-01", "M"), pd.Period("9999-12", "M") + 1, pd.NaT, pd.NA, float("nan"), 2024, True, []),
]


@pytest.mark.parametrize("given", ABSURD, ids=repr)
@pytest.mark.parametrize("name", ["start", "end", "today"])
def test_an_absurd_day_is_one_sentence(make_usage, name, given):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 1))
    for ask in (completeness, holes):
        with pytest.raises(InvalidRequestError, match=f"^{name}=.*(no date|of no year|longer than a month)"):
            ask(usage, **{"today": "2024-06-01", name: given})


def test_a_window_that_ends_before_it_starts_is_refused(make_usage):
    usage = make_usage(("M", "2024-01-01", "2024-01-31", 1))
    with pytest.raises(InvalidRequestError, match="start='2024-03' lies after end='2024-02'"):
        completeness(usage, start="2024-03", end="2024-02", today="2024-06-01")
    with pytest.raises(InvalidRequestError, match="start='2024-07' lies after the month of today"):
        holes(usage, start="2024-07", today="2024-06-01")
    assert len(completeness(usage, start="2024-06", today="2024-06-01")) == 1


DAYS = st.dates(date(2022, 11, 1), date(2024, 3, 31))
RECORDS = st.lists(
    st.tuples(st.sampled_from("ABC"), DAYS, st.integers(0, 100)).map(
        lambda row: {"meter": row[0], "start": row[1], "end": row[1] + timedelta(days=row[2])}
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.randoms(use_true_random=False))
def test_days_and_records_equal_the_oracle_in_any_order(records, random):
    frame = pd.DataFrame(
        {
            "meter_id": [record["meter"] for record in records],
            "start_date": [record["start"].isoformat() for record in records],
            "end_date": [record["end"].isoformat() for record in records],
        }
    )
    result = completeness(frame, start="2022-11", end="2024-06", today="2024-07-01")
    told = {(row.meter_id, row.month.date()): (row.days_covered, row.records) for row in result.itertuples(index=False)}
    assert told == oracle.coverage(records, "meter", date(2022, 11, 1), date(2024, 6, 30))
    presence = completeness(frame, start="2022-11", end="2024-06", today="2024-07-01", least_share=0)
    assert (presence["status"] == "complete").tolist() == (presence["records"] > 0).tolist()
    mixed = frame.sample(frac=1, random_state=random.randrange(2**32))
    pd.testing.assert_frame_equal(completeness(mixed, start="2022-11", end="2024-06", today="2024-07-01"), result)


@pytest.mark.real_bills
def test_the_real_bills_are_complete_but_for_six_holes(real_usage):
    result = completeness(real_usage, today="2017-03-01", start="2011-01", end="2016-12")
    thin = result[result["status"] != "complete"]
    assert set(thin["status"]) == {"partly_billed"}
    gas = thin[thin["meter_id"].str.contains("Gas") & (thin["month"] == "2016-08-01")]
    assert gas["share_covered"].tolist() == [pytest.approx(2 / 31)]
    told = sorted(zip(thin["meter_id"].str.split().str[-1], thin["month"].dt.strftime("%Y-%m"), strict=True))
    # Two bills of gas lie in one month each, two of electricity across two; those of water lie in 2017.
    assert told == [
        *[("Electricity", month) for month in ("2016-03", "2016-04", "2016-11", "2016-12")],
        *[("Gas", month) for month in ("2016-08", "2016-12")],
    ]

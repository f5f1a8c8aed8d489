"""completeness and holes against the slow second reading, on random portfolios: every month of every meter."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from methodology_core.core_portfolios import portfolio
from oracle.oracle_missing import HAULED, Company, months

import nectar_notebooks as nn

FIRST = date(2023, 1, 10)
TODAY = st.integers(250, 760).map(lambda day: FIRST + timedelta(days=day))


@st.composite
def books(draw):
    """Draw two accounts, five meters and their bills: with gaps, overlaps, single days, late starts and ends."""
    accounts = [
        {
            "id": name,
            "begins": draw(st.sampled_from([None, None, date(2022, 12, 20), date(2023, 3, 1)])),
            "connection_begins": draw(st.sampled_from([None, date(2023, 2, 10)])),
            "status": draw(
                st.sampled_from([None, "ONBOARDED", "NEEDS_PULL", "OLD_ACCOUNT", "INACTIVE", "DETECTED", "DUPLICATE"])
            ),
        }
        for name in "AB"
    ]
    sites = [{"id": name, "archived": draw(st.sampled_from([None, None, date(2023, 9, 17)]))} for name in "ST"]
    meters, records = [], []
    for number, (account, site, commodity) in enumerate(
        [
            ("A", "S", "ELECTRICITY"),
            ("A", "S", "ELECTRICITY"),
            ("A", "T", "GAS"),
            ("B", "T", "WATER"),
            ("B", "T", "WASTE"),
            ("B", "S", "FUEL"),
        ]
    ):
        meter = f"m{number}"
        meters.append(
            {
                "id": meter,
                "account": account,
                "site": site,
                "commodity": commodity,
                "tracked": draw(st.sampled_from([True, True, True, False])),
            }
        )
        day = FIRST + timedelta(days=draw(st.integers(0, 200)))
        lengths = draw(st.sampled_from([[0, 1, 29, 30, 31, 60], [29, 30], [60, 61, 30]]))
        steps = draw(st.sampled_from([[-5, 0, 1, 1, 1, 1, 2, 3, 31, 70], [0, 0, 0, 45]]))
        for _ in range(draw(st.integers(0, 9))):
            length = draw(st.sampled_from(lengths))
            named = commodity in HAULED or draw(st.sampled_from([True] * 9 + [False]))
            about = {"meter": meter if named else None, "account": account, "site": site, "commodity": commodity}
            records.append({**about, "start": day, "end": day + timedelta(days=length)})
            day += timedelta(days=length + draw(st.sampled_from(steps)))
    return {"accounts": accounts, "sites": sites, "meters": meters, "records": records}


def company_of(book):
    """Return the book as a portfolio."""
    usage = [
        {
            "usage_id": f"u{number}",
            "meter_id": row["meter"],
            "bill_id": f"bill of {row['account']}",
            "site_id": row["site"],
            "commodity": row["commodity"],
            "start_date": row["start"],
            "end_date": row["end"],
            "usage": 1.0,
        }
        for number, row in enumerate(book["records"])
    ]
    silent = ("DETECTED", "DUPLICATE", "INACTIVE")
    return portfolio(
        usage=usage,
        bill_accounts=[{"bill_id": f"bill of {row['id']}", "account_id": row["id"]} for row in book["accounts"]],
        meters=[
            {
                "meter_id": row["id"],
                "account_id": row["account"],
                "site_id": row["site"],
                "commodity": row["commodity"],
                "tracked": row["tracked"],
            }
            for row in book["meters"]
        ],
        accounts=[
            {
                "account_id": row["id"],
                "connection_id": row["id"],
                "data_collection_start": row["begins"],
                "status": row["status"],
                "counts": row["status"] not in silent,
            }
            for row in book["accounts"]
        ],
        connections=[
            {"connection_id": row["id"], "data_collection_start": row["connection_begins"]} for row in book["accounts"]
        ],
        sites=[{"site_id": row["id"], "archived_on": row["archived"]} for row in book["sites"]],
    )


@settings(max_examples=25, deadline=None)
@given(
    book=books(),
    today=TODAY,
    grace=st.sampled_from([0, 20, 45]),
    every=st.sampled_from([None, "monthly", "quarterly", "yearly"]),
)
def test_every_month_of_every_meter_is_what_the_rule_says(book, today, grace, every):
    company = Company(book, today, grace, every)
    result = nn.completeness(company_of(book), expected=every, today=today, grace=grace, start="2023-01")
    said = {(row["meter_id"], row["month"].date()): row for row in result.to_dict("records")}
    for meter in book["meters"]:
        for month in months(date(2023, 1, 1), today):
            row = said[meter["id"], month]
            assert row["status"] == company.status(meter, month), (meter, month, row)
            if meter["commodity"] not in HAULED:
                assert row["days_expected"] == len(company.expected_days(meter, month))


@settings(max_examples=25, deadline=None)
@given(book=books(), today=TODAY, grace=st.sampled_from([0, 20, 45]))
def test_the_table_of_holes_is_what_the_rule_says(book, today, grace):
    company = Company(book, today, grace)
    result = nn.holes(company_of(book), today=today, grace=grace, start="2022-12")
    found = {
        (row["meter_id"], row["first_day"].date(), row["last_day"].date(), row["bills_expected"])
        for row in result.to_dict("records")
    }
    wanted = {
        (meter["id"], *hole) for meter in book["meters"] for hole in company.holes(meter, date(2022, 12, 1), today)
    }
    assert found == wanted


@settings(max_examples=25, deadline=None)
@given(book=books(), today=TODAY)
def test_a_site_is_its_meters_together(book, today):
    company = Company(book, today)
    result = nn.completeness(company_of(book), by="site", today=today, start="2023-01")
    said = {(row["site_id"], row["commodity"], row["month"].date()): row for row in result.to_dict("records")}
    for place in {(meter["site"], meter["commodity"]) for meter in book["meters"]}:
        members = [meter for meter in book["meters"] if (meter["site"], meter["commodity"]) == place]
        for month in months(date(2023, 1, 1), today):
            row = said[*place, month]
            assert row["status"] == company.of_site(members, month), (place, month)
            assert row["meters_missing"] == sum(company.status(meter, month) == "missing" for meter in members)


def test_records_that_begin_together_are_neighbours_in_one_order():
    records = [("2024-01-01", "2024-01-01"), ("2024-01-01", "2024-01-31"), ("2024-01-31", "2024-02-29")]
    usage = pd.DataFrame(records, columns=["start_date", "end_date"]).assign(meter_id="m", usage=1.0)
    for rows in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        found = nn.holes(usage.iloc[rows], today="2024-06-01")
        assert found["first_day"].tolist() == [pd.Timestamp("2024-02-29")]


def test_the_oracle_itself_on_hand_worked_meters():
    def meter(name, **more):
        return {"id": name, "account": "A", "site": "S", "commodity": "GAS", "tracked": True, **more}

    def record(name, first, last):
        return {"meter": name, "start": date.fromisoformat(first), "end": date.fromisoformat(last)}

    old, new, fuel, silent = (
        meter("old"),
        meter("new"),
        meter("fuel", commodity="FUEL"),
        meter("none", commodity="WATER"),
    )
    book = {
        "accounts": [
            {"id": "A", "begins": date(2022, 12, 31), "connection_begins": date(2023, 2, 1), "status": "ONBOARDED"}
        ],
        "sites": [{"id": "S", "archived": None}],
        "meters": [old, new, fuel, silent],
        "records": [
            record("old", "2023-01-01", "2023-03-31"),
            record("new", "2023-04-11", "2023-05-31"),
            record("fuel", "2023-11-07", "2023-11-07"),
        ],
    }
    company = Company(book, date(2024, 1, 20))
    # the start holds for the meter that was replaced, and a day beside its bill is an edge; the other has its own
    assert company.begins(old) == date(2022, 12, 31)
    assert company.status(old, date(2022, 12, 1)) == "complete"
    assert (company.ends(old), company.begins(new)) == (date(2023, 3, 31), date(2023, 4, 11))
    assert company.holes(new, date(2023, 1, 1), date(2024, 1, 20)) == [(date(2023, 6, 1), date(2023, 11, 30), 6)]
    assert company.status(new, date(2023, 12, 1)) == "future"
    # one delivery makes a season: a month of it before the start of the meter's account asks nothing
    assert [company.status(fuel, date(2023, month, 1)) for month in (2, 7, 11, 12)] == [
        "not_required",
        "not_required",
        "complete",
        "complete",
    ]
    assert company.holes(silent, date(2023, 1, 1), date(2024, 1, 20)) == [(date(2023, 1, 1), date(2023, 11, 30), 11)]

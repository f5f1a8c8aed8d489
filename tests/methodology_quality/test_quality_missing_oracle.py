"""completeness and holes against the slow second reading, on random portfolios: every month of every meter."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_missing import HAULED, Company, months

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
        for _ in range(draw(st.integers(0, 9))):
            length = draw(st.sampled_from([0, 1, 29, 30, 31, 60]))
            records.append({"meter": meter, "start": day, "end": day + timedelta(days=length)})
            day += timedelta(days=length + draw(st.sampled_from([-5, 0, 1, 1, 1, 1, 2, 3, 31, 70])))
    return {"accounts": accounts, "sites": sites, "meters": meters, "records": records}


def frames(book):
    known = {row["id"]: row for row in book["meters"]}
    usage = pd.DataFrame(
        [
            {
                "usage_id": f"u{number}",
                "meter_id": row["meter"],
                "site_id": known[row["meter"]]["site"],
                "commodity": known[row["meter"]]["commodity"],
                "start_date": row["start"],
                "end_date": row["end"],
                "usage": 1.0,
            }
            for number, row in enumerate(book["records"])
        ],
        columns=["usage_id", "meter_id", "site_id", "commodity", "start_date", "end_date", "usage"],
    )
    meters = pd.DataFrame(
        [
            {
                "meter_id": row["id"],
                "account_id": row["account"],
                "site_id": row["site"],
                "commodity": row["commodity"],
                "tracked": row["tracked"],
            }
            for row in book["meters"]
        ]
    )
    accounts = pd.DataFrame(
        [
            {"account_id": row["id"], "data_collection_start": row["begins"], "status": row["status"]}
            for row in book["accounts"]
        ]
    )
    sites = pd.DataFrame([{"site_id": row["id"], "archived_on": row["archived"]} for row in book["sites"]])
    return {"usage": usage, "meters": meters, "accounts": accounts, "sites": sites}


@settings(max_examples=60, deadline=None)
@given(book=books(), today=TODAY, grace=st.sampled_from([0, 20, 45]), every=st.sampled_from(["monthly", "quarterly"]))
def test_every_month_of_every_meter_is_what_the_rule_says(book, today, grace, every):
    company = Company(book, today, grace, every)
    result = nn.completeness(**frames(book), expected=every, today=today, grace=grace, start="2023-01")
    said = {(row["meter_id"], row["month"].date()): row for row in result.to_dict("records")}
    for meter in book["meters"]:
        if meter["commodity"] in HAULED and every != "monthly":
            continue
        for month in months(date(2023, 1, 1), today):
            row = said[meter["id"], month]
            assert row["status"] == company.status(meter, month), (meter, month, row)
            if meter["commodity"] not in HAULED:
                assert row["days_expected"] == len(company.expected_days(meter, month))


@settings(max_examples=60, deadline=None)
@given(book=books(), today=TODAY, grace=st.sampled_from([0, 20, 45]))
def test_the_table_of_holes_is_what_the_rule_says(book, today, grace):
    company = Company(book, today, grace)
    result = nn.holes(**frames(book), today=today, grace=grace, start="2022-12")
    found = {
        (row["meter_id"], row["first_day"].date(), row["last_day"].date(), row["bills_expected"])
        for row in result.to_dict("records")
        if row["commodity"] not in HAULED
    }
    wanted = {
        (meter["id"], *hole)
        for meter in book["meters"]
        if meter["commodity"] not in HAULED
        for hole in company.holes(meter, date(2022, 12, 1), today)
    }
    assert found == wanted


@settings(max_examples=40, deadline=None)
@given(book=books(), today=TODAY)
def test_a_site_is_its_meters_together(book, today):
    company = Company(book, today)
    result = nn.completeness(**frames(book), by="site", today=today, start="2023-01")
    said = {(row["site_id"], row["commodity"], row["month"].date()): row for row in result.to_dict("records")}
    for place in {(meter["site"], meter["commodity"]) for meter in book["meters"]} - {("T", "WASTE")}:
        members = [meter for meter in book["meters"] if (meter["site"], meter["commodity"]) == place]
        for month in months(date(2023, 1, 1), today):
            expected = [company.expected_days(meter, month) for meter in members]
            covered = [company.covered(meter) & days for meter, days in zip(members, expected, strict=True)]
            wanted = sum(map(len, expected))
            there = sum(map(len, covered))
            if not wanted:
                status = (
                    "complete"
                    if any(company.status(meter, month) == "complete" for meter in members)
                    else "not_required"
                )
            elif there and Fraction(there, wanted) >= Fraction("0.97"):
                status = "complete"
            elif there:
                status = "partly_billed"
            else:
                status = "missing" if company.due(month) else "future"
            assert said[*place, month]["status"] == status, (place, month)
            assert said[*place, month]["days_expected"] == wanted

"""monthly and explain as a whole against the slow second implementation, on random portfolios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import oracle_monthly
import pandas as pd
import pytest
from core_drawn import METERS, bills
from core_portfolios import portfolio
from hypothesis import given, settings
from hypothesis import strategies as st

from nectar_notebooks.methodology import adjust, completeness, explain, issues, monthly
from nectar_notebooks.schema.portfolio import Portfolio

FIRST = date(2023, 12, 10)
CURRENCY = {"b1": "USD", "b2": "CAD"}

ways = st.fixed_dictionaries(
    {
        "convention": st.sampled_from(["inclusive", "exclusive", "midday"]),
        "shared_day": st.sampled_from(["keep", "later"]),
        "exclusions": st.sampled_from(["subtract", "drop"]),
        "occupancy": st.sampled_from(["disabled", "all", "connection"]),
        "net_metering": st.sampled_from(["as_is", "net"]),
        "flagged": st.sampled_from([True, True, False]),
        "scale_charges": st.booleans(),
    }
)


@st.composite
def books(draw: st.DrawFn) -> dict:
    """Draw a whole company: bills that are replaced or flagged, accounts that do not count, sites let in part."""
    drawn = draw(bills())
    for row in drawn["usage"]:
        row["start"] = FIRST + timedelta(days=draw(st.sampled_from([0, 0, 21, 31, 52])))
        length = draw(st.sampled_from([None, 0, 9, 30, 30, 61, -3]))
        row["end"] = None if length is None else row["start"] + timedelta(days=length)
        row["usage"] = draw(st.sampled_from([None, *[Decimal(row["usage"])] * 9]))
        row["exclusion"] = draw(st.sampled_from([False, False, False, True]))
    two = st.sampled_from([False, False, True])
    about = [
        {
            "id": bill,
            "heir": "elsewhere" if draw(st.sampled_from([False] * 5 + [True])) else None,
            "flagged": draw(two),
            "charges": draw(st.one_of(st.none(), st.decimals(-500, 500, places=2))),
            "currency": CURRENCY[bill],
            "accounts": draw(st.sampled_from([[], ["A"], ["B"], ["A", "B"]])),
            "start": FIRST + timedelta(days=2),
            "date": FIRST + timedelta(days=40),
        }
        for bill in CURRENCY
    ]
    accounts = [
        {
            "id": name,
            "connection": draw(st.sampled_from(["k1", "k2"])),
            "status": draw(st.sampled_from([None, "ONBOARDED", "PULL_COMPLETED", "DETECTED"])),
            "tracking": draw(st.sampled_from([None, "ENABLED", "UNSET", "DISABLED"])),
            "duplicate": draw(st.sampled_from([False] * 5 + [True])),
        }
        for name in "ABC"
    ]
    shares = st.sampled_from([None, Decimal(100), Decimal(60), Decimal("12.5"), Decimal(0)])
    return {
        **drawn,
        "meters": METERS,
        "bills": about,
        "accounts": accounts,
        "connections": [{"id": "k1", "asks": True}, {"id": "k2", "asks": False}],
        "sites": [{"id": site, "percent": draw(shares)} for site in ("north", "south")],
    }


def number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def portfolio_of(book: dict) -> Portfolio:
    commodity = {row["id"]: row["commodity"] for row in METERS}
    return portfolio(
        sites=[{"site_id": row["id"], "occupancy_percent": number(row["percent"])} for row in book["sites"]],
        connections=[{"connection_id": row["id"], "multiply_by_occupancy": row["asks"]} for row in book["connections"]],
        accounts=[
            {
                "account_id": row["id"],
                "connection_id": row["connection"],
                "status": row["status"],
                "tracking": row["tracking"],
                "duplicate": row["duplicate"],
            }
            for row in book["accounts"]
        ],
        meters=[
            {"meter_id": m["id"], "site_id": m["site"], "account_id": m["account"], "commodity": m["commodity"]}
            for m in METERS
        ],
        bills=[
            {
                "bill_id": row["id"],
                "superseded_by": row["heir"],
                "flagged": row["flagged"],
                "current_charges": number(row["charges"]),
                "currency": row["currency"],
                "start_date": row["start"],
                "bill_date": row["date"],
            }
            for row in book["bills"]
        ],
        bill_accounts=[{"bill_id": row["id"], "account_id": a} for row in book["bills"] for a in row["accounts"]],
        usage=[
            {
                "usage_id": row["id"],
                "bill_id": row["bill"],
                "meter_id": row["meter"],
                "site_id": "where it stood before",
                "commodity": commodity[row["meter"]],
                "usage": number(row["usage"]),
                "unit": row["unit"],
                "net_metering": "EXPORT" if row["export"] else None,
                "exclusion": row["exclusion"],
                "start_date": row["start"],
                "end_date": row["end"],
            }
            for row in book["usage"]
        ],
        line_items=[
            {
                "line_item_id": row["id"],
                "bill_id": row["bill"],
                "amount": number(row["amount"]),
                "currency": CURRENCY[row["bill"]],
                "charge_type": row["type"],
                "electricity_charge_type": row["type"] if row["commodity"] == "ELECTRICITY" else None,
                "gas_charge_type": row["type"] if row["commodity"] == "GAS" else None,
                "is_demand": row["demand"],
                "billing_period": "PREVIOUS" if row["previous"] else "CURRENT",
                "quantity": None if row["quantity"] is None else float(row["quantity"]),
                "quantity_unit": "kW" if row["demand"] else None,
                "meter_id": row["meter"],
            }
            for row in book["items"]
        ],
        line_item_accounts=[
            {"line_item_id": row["id"], "account_id": a} for row in book["items"] for a in row["accounts"]
        ],
        demand=[
            {"demand_id": f"d{n}", "bill_id": row["bill"], "demand": float(row["demand"]), "unit": "kW"}
            for n, row in enumerate(book["readings"])
        ],
        demand_usage=[
            {"demand_id": f"d{n}", "usage_id": record}
            for n, row in enumerate(book["readings"])
            for record in row["usage"]
        ],
    )


def none(value: object) -> object:
    return None if pd.isna(value) else value


def money(result: pd.DataFrame) -> dict:
    """Return what stands in the rows by kind, meter, currency and month; zeros say nothing."""
    found = {}
    for row in result.to_dict("records"):
        value = row["finance"] if row["kind"] == "finance" else row["cost"]
        if pd.notna(value) and value:
            key = (row["kind"], none(row["meter_id"]), row["currency"], row["month"].date())
            assert key not in found
            found[key] = Decimal(repr(value))
    return found


@settings(max_examples=30, deadline=None)
@given(book=books(), way=ways)
def test_every_cell_is_the_oracles(book: dict, way: dict) -> None:
    company = portfolio_of(book)
    before = {name: frame.copy(deep=True) for name, frame in company}
    result = monthly(company, **way)
    for name, frame in company:
        pd.testing.assert_frame_equal(frame, before[name])
    used, paid, left_out = oracle_monthly.monthly(book, **way)
    assert money(result) == paid
    rows = result[result["unit"].notna()]
    assert len(rows) == len(used)
    site = {row["id"]: row["site"] for row in METERS}
    for row in rows.to_dict("records"):
        cell = used[row["meter_id"], row["unit"], row["month"].date()]
        usage = None if cell["usage"] is None else pytest.approx(float(cell["usage"]), rel=1e-9, abs=1e-9)
        assert none(row["usage"]) == usage
        assert row["site_id"] == site[row["meter_id"]]
        assert (row["days_covered"], row["days_overlapped"]) == (cell["covered"], cell["overlapped"])
        assert (row["bills"], row["days_in_month"]) == (cell["bills"], cell["in_month"])
    if way["shared_day"] == "keep":
        names = ("exclusions", "occupancy", "flagged", "convention")
        sold = oracle_monthly.exported(book, **{name: way[name] for name in names})
        flowed = rows[rows["exported"].notna()]
        assert {(row["meter_id"], row["unit"], row["month"].date()) for row in flowed.to_dict("records")} == set(sold)
        for row in flowed.to_dict("records"):
            energy = sold[row["meter_id"], row["unit"], row["month"].date()]
            assert row["exported"] == pytest.approx(float(energy), rel=1e-9, abs=1e-9)
    total = result["cost"].fillna(0) + result["finance"].fillna(0)
    assert result["total"].fillna(0).tolist() == pytest.approx(total.tolist(), abs=1e-9)
    assert (result["total"].isna() == (result["cost"].isna() & result["finance"].isna())).all()
    for currency, ledger in result.groupby("currency")["total"].sum().items():
        booked = sum((amount for key, amount in paid.items() if key[2] == currency), Decimal(0))
        assert ledger == pytest.approx(float(booked), abs=1e-6)
    told = {name: n for name, n in result.attrs["nectar"].items() if name.startswith("left_out: usage")}
    assert sum(told.values()) == left_out


@settings(max_examples=8, deadline=None)
@given(book=books(), seed=st.integers(0, 9))
def test_issues_and_completeness_of_a_portfolio_do_not_look_at_the_order(book: dict, seed: int) -> None:
    company = portfolio_of(book)
    shuffled = replace(company, **{name: frame.sample(frac=1, random_state=seed) for name, frame in company})
    found = issues(company, today="2024-05-01")
    pd.testing.assert_frame_equal(issues(shuffled, today="2024-05-01"), found)
    backward = [row["id"] for row in book["usage"] if row["end"] is not None and row["end"] < row["start"]]
    replaced = {row["id"] for row in book["bills"] if row["heir"] is not None}
    live = sorted(name for name in backward if name.split("-")[0] not in replaced)
    assert sorted(found.loc[found["kind"] == "non_positive_period", "usage_id"]) == live
    assert set(found.loc[found["kind"] == "superseded_counted", "bill_id"]) == replaced
    for by in ("meter", "account", "site"):
        months = completeness(company, by=by, today="2024-05-01")
        pd.testing.assert_frame_equal(completeness(shuffled, by=by, today="2024-05-01"), months)


@settings(max_examples=10, deadline=None)
@given(book=books(), way=ways, seed=st.integers(0, 9))
def test_the_order_of_rows_never_matters(book: dict, way: dict, seed: int) -> None:
    company = portfolio_of(book)
    mixed = {name: frame.sample(frac=1, random_state=seed) for name, frame in company}
    shuffled = replace(company, **mixed)
    pd.testing.assert_frame_equal(monthly(company, **way), monthly(shuffled, **way), rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(book=books(), way=ways)
def test_adjusting_again_changes_nothing_and_what_was_left_out_stays_out(book: dict, way: dict) -> None:
    company = portfolio_of(book)
    names = ("exclusions", "occupancy", "net_metering", "flagged")
    once = adjust(company, **{name: way[name] for name in names})
    twice = adjust(once, **{name: way[name] for name in names})
    for name, frame in once:
        pd.testing.assert_frame_equal(frame, getattr(twice, name))
    pd.testing.assert_frame_equal(monthly(once, **way), monthly(company, **way))


@settings(max_examples=10, deadline=None)
@given(book=books(), way=ways)
def test_every_month_and_every_bill_explained_sum_to_what_is_shown(book: dict, way: dict) -> None:
    company = portfolio_of(book)
    result = monthly(company, **way)
    for month in result["month"].dropna().unique():
        shown = result[result["month"] == month]
        pieces = explain(company, month=month, **way)
        for quantity, unit in (("usage", "unit"), ("cost", "currency"), ("finance", "currency")):
            expected = shown.groupby(unit)[quantity].sum()
            found = pieces[pieces["quantity"] == quantity].groupby("unit")["value"].sum()
            for name in expected.index.union(found.index):
                assert found.get(name, 0.0) == pytest.approx(expected.get(name, 0.0), rel=1e-9, abs=1e-7)
    del way["convention"], way["shared_day"]
    for bill in CURRENCY:
        if bill in set(company.bills["bill_id"]):
            rows = explain(company, bill=bill, **way)
            lines = company.line_items[company.line_items["bill_id"] == bill]
            assert set(lines["line_item_id"]) == set(rows["line_item_id"].dropna())
            paid = rows[rows["amount"].notna() & rows["line_item_id"].notna()]
            sums = paid.groupby("line_item_id")["amount"].sum().round(6)
            amounts = lines.set_index("line_item_id")["amount"]
            assert (sums == amounts.reindex(sums.index)).all()
            assert rows.loc[rows["amount"].isna(), "method"].eq("left out").all()

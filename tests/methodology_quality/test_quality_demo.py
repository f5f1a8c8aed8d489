"""Every defect planted in the demo portfolio is found, and nothing else is."""

from __future__ import annotations

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.methodology.adjust import adjust
from nectar_notebooks.methodology.attribution.attribute import attribute
from nectar_notebooks.methodology.monthly import monthly
from nectar_notebooks.methodology.quality.anomalies.find import anomalies
from nectar_notebooks.methodology.quality.completeness import completeness
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.sandbox.sources.demo import defects

# What is planted, the kind that must be found for it, and the column that carries the planted ids.
PLANTED = {
    "gap": ("gap", "meter_id"),
    "overlap": ("overlap", "usage_id"),
    "estimated_run": ("estimated_run", "usage_id"),
    "shared_days": ("shared_boundary_days", "meter_id"),
    "flagged": ("flagged", "bill_id"),
    "zero_cost": ("zero_cost", "bill_id"),
    "uploaded": ("unmatched_account", "bill_id"),
    "account_level_usage": ("no_meter", "usage_id"),
}

#: Planted, and no defect of the data: what becomes of it is said by the tests below.
STATES = {
    *("account_customer_not_tracked", "account_detected", "account_disabled", "duplicate_account"),
    *("credit", "deleted", "exclusion", "late_fee", "previous_balance", "revised", "second_currency", "usage_spike"),
}


@pytest.fixture(scope="module", params=[7, 2026])
def demo(request):
    """The portfolios of all companies of one seed, and what is planted in them."""
    sandbox = nn.Sandbox(seed=request.param)
    nectar = nn.connect(sandbox=sandbox)
    portfolios = [nectar.portfolio(company) for company in nectar.companies()["company_id"]]
    today = sandbox.clock.today()
    return portfolios, defects(request.param, today), today


def test_every_planted_defect_is_found_and_nothing_else_is(demo):
    portfolios, planted, today = demo
    assert set(planted) == set(PLANTED) | STATES
    result = pd.concat([issues(portfolio, today=today) for portfolio in portfolios])
    assert set(result["kind"]) == {kind for kind, _ in PLANTED.values()}
    for name, (kind, column) in PLANTED.items():
        told = result[result["kind"] == kind]
        if kind == "gap":  # those that no bill follows are of logins that do not work
            told = told[told["bill_id"].notna()]
        if kind == "estimated_run":
            # One finding for a run of three; it names the first of them.
            assert len(told) == 1
            assert set(told[column]) <= set(planted[name])
            assert told["found"].str.startswith(f"{len(planted[name])} records in a row").all()
        else:
            assert sorted(told[column]) == sorted(planted[name]), kind


def test_what_is_planted_and_no_defect_counts_as_it_should(demo):
    portfolios, planted, _ = demo
    adjusted = [adjust(portfolio) for portfolio in portfolios]
    accounts, bills, usage = (
        pd.concat([getattr(portfolio, name) for portfolio in adjusted]) for name in ("accounts", "bills", "usage")
    )
    reasons = accounts.set_index("account_id")["counts_reason"]
    words = {
        "account_detected": "detected account",
        "account_customer_not_tracked": "account not tracked",
        "account_disabled": "account not tracked",
        "duplicate_account": "duplicate account",
    }
    for name, reason in words.items():
        assert reasons.loc[planted[name]].tolist() == [reason]
    assert reasons.notna().sum() == len(words)
    assert not bills["bill_id"].isin(planted["deleted"]).any()
    bills = bills.set_index("bill_id")
    assert bills.loc[planted["revised"], "counts_reason"].tolist() == ["superseded"]
    several = [set(portfolio.bills["currency"]) for portfolio in portfolios]
    assert {"CAD", "USD"} in several
    for portfolio in portfolios:  # no row of months holds two currencies, and no total is lost
        months = monthly(portfolio)
        paid = months.assign(paid=months["cost"].fillna(0) + months["finance"].fillna(0))
        lines = portfolio.line_items[portfolio.line_items["counts"]]
        charged = lines.groupby("currency")["amount"].sum().round(4)
        assert (
            paid[paid["kind"] != "residual"].groupby("currency")["paid"].sum().round(4).to_dict() == charged.to_dict()
        )
    excluded = usage[usage["exclusion"].fillna(False).astype(bool)]
    assert excluded["meter_id"].unique().tolist() == planted["exclusion"]
    assert (excluded["adjusted_usage"] == -excluded["usage"]).all()
    charges = pd.concat([attribute(portfolio) for portfolio in portfolios])
    lines = pd.concat([portfolio.line_items for portfolio in portfolios])
    earlier = lines.loc[lines["billing_period"] == "PREVIOUS", "line_item_id"]
    assert set(charges.loc[charges["line_item_id"].isin(earlier), "method"]) == {"finance"}
    assert lines.loc[lines["line_item_id"].isin(earlier), "bill_id"].tolist() == planted["previous_balance"]
    credit = charges[charges["bill_id"].isin(planted["credit"]) & (charges["charge_type"] == "CREDIT")]
    assert len(credit) >= 1
    assert (credit["amount"] < 0).all()


def test_a_superseded_bill_that_counts_again_is_found(demo):
    portfolios, planted, today = demo
    counting = {
        name: pd.concat([getattr(portfolio, name).assign(counts=True) for portfolio in portfolios])
        for name in ("usage", "bills", "line_items")
    }
    result = issues(counting["usage"], bills=counting["bills"], line_items=counting["line_items"], today=today)
    assert result[result["kind"] == "superseded_counted"]["bill_id"].tolist() == planted["revised"]


def test_the_planted_spike_and_late_fee_stand_out(demo):
    portfolios, planted, _ = demo
    found = [
        anomalies(monthly(portfolio), line_items=portfolio.line_items, bills=portfolio.bills)
        for portfolio in portfolios
    ]
    result = pd.concat([frame for frame in found if len(frame)])
    assert result[result["kind"] == "late_fee"]["bill_id"].tolist() == planted["late_fee"]
    usage = (
        pd.concat([portfolio.usage for portfolio in portfolios]).set_index("usage_id").loc[planted["usage_spike"][0]]
    )
    spikes = result[result["kind"] == "usage_spike"]
    here = spikes[(spikes["site_id"] == usage["site_id"]) & (spikes["commodity"] == usage["commodity"])]
    assert here["month"].between(usage["start_date"] - pd.Timedelta(days=31), usage["end_date"]).any()


def test_completeness_of_the_demo_misses_the_gap_and_no_month_before_it(demo):
    portfolios, planted, today = demo
    result = pd.concat([completeness(portfolio, today=today) for portfolio in portfolios])
    gap = result[(result["meter_id"] == planted["gap"][0]) & result["status"].isin(["missing", "partly_billed"])]
    assert len(gap) >= 1
    assert set(result["status"]) == {"complete", "partly_billed", "missing", "not_required", "future"}

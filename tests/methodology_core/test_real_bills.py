"""The real bills beside the project: sums hold to the cent in every convention."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from core_portfolios import real_portfolio
from places import REAL_BILLS

import nectar_notebooks as nn
from nectar_notebooks.methodology import calendarize, daily, explain, issues, monthly
from nectar_notebooks.methodology.monthly import prepare
from nectar_notebooks.schema.portfolio import Portfolio

pytestmark = pytest.mark.real_bills

USAGE = {
    ("ELECTRICITY", "USAGE", "kWh"): 1_204_440,
    ("GAS", "NATURAL_GAS", "CCF"): 199_820,
    ("WATER", "POTABLE_WATER", "gal (US)"): 2_777_653,
    ("WATER", "WASTEWATER", "gal (US)"): 2_777_653,
}


@pytest.fixture(scope="module")
def bills() -> Portfolio:
    return real_portfolio()


def exact(values: pd.Series) -> Decimal:
    return sum((Decimal(repr(value)) for value in values.dropna()), Decimal(0))


@pytest.mark.parametrize("shared_day", ["keep", "later"])
@pytest.mark.parametrize("convention", ["inclusive", "exclusive", "midday"])
def test_sums_hold_in_every_convention(bills: Portfolio, convention: str, shared_day: str) -> None:
    months = monthly(bills, convention, shared_day=shared_day)
    assert exact(months["cost"]) + exact(months["finance"]) == Decimal("756958.10")
    found = months.groupby(["commodity", "subtype", "unit"])["usage"].sum()
    assert {key: round(value, 6) for key, value in found.items()} == USAGE
    assert not (months["days_covered"] > months["days_in_month"]).any()


def test_shared_days_show_as_overlap_in_one_convention_only(bills: Portfolio) -> None:
    assert calendarize(bills.usage)["days_overlapped"].sum() > 250
    for convention in ("exclusive", "midday"):
        assert (
            calendarize(bills.usage, convention)["days_overlapped"].sum() <= 1
        )  # one bill overlaps by more than a day
    assert calendarize(bills.usage, shared_day="later")["days_overlapped"].sum() <= 1


def test_days_sum_to_the_same(bills: Portfolio) -> None:
    days = daily(prepare(bills).charges)
    assert exact(days["cost"]) == Decimal("756958.10")


def test_each_month_explained_is_the_month_shown(bills: Portfolio) -> None:
    months = monthly(bills)
    for month in ("2011-01-01", "2013-07-01"):
        pieces = explain(bills, month=month)
        shown = months[months["month"] == pd.Timestamp(month)]
        assert exact(pieces.loc[pieces["quantity"] == "cost", "value"]) == exact(shown["cost"])


@pytest.fixture(scope="module")
def served(real_bills: object) -> Portfolio:
    """Return the real bills as an analyst gets them: loaded into an embedded sandbox, asked for through the API."""
    sandbox = nn.Sandbox()
    sandbox.load_bills(REAL_BILLS)
    nectar = nn.connect(sandbox=sandbox)
    companies = nectar.companies()
    return nectar.portfolio(companies.loc[companies["name"].str.startswith("FNSB"), "company_id"].iloc[0])


@pytest.mark.parametrize("convention", ["inclusive", "exclusive", "midday"])
def test_the_same_through_the_api(served: Portfolio, convention: str) -> None:
    assert len(served.bills) == 235
    months = monthly(served, convention)
    assert exact(months["cost"]) + exact(months["finance"]) == Decimal("756958.10")
    assert set(months["kind"]) == {"attributed", "finance"}
    assert exact(months["finance"]) == Decimal("110.72")  # late charges
    found = months.groupby(["commodity", "unit"])["usage"].sum().round(6).to_dict()
    twice = 2 * USAGE["WATER", "POTABLE_WATER", "gal (US)"]
    assert found == {("ELECTRICITY", "kWh"): 1_204_440, ("GAS", "CCF"): 199_820, ("WATER", "gal (US)"): twice}


def test_each_service_costs_what_its_lines_say(served: Portfolio) -> None:
    """Water is not sewer: every charge stays with the service that the file names."""
    lines = pd.read_csv(REAL_BILLS, dtype=str, keep_default_na=False)
    wanted: dict[str, Decimal] = {}
    for service, cost in zip(lines["Service Name"], lines["Cost"], strict=True):
        wanted[service] = wanted.get(service, Decimal(0)) + Decimal(cost or "0")
    months = monthly(served)
    names = {"POTABLE_WATER": "Water", "WASTEWATER": "Sewer", "USAGE": "Electricity", "NATURAL_GAS": "Natural Gas"}
    service = months["subtype"].map(names)
    assert service.notna().all()
    found = {name: exact(rows["cost"]) + exact(rows["finance"]) for name, rows in months.groupby(service)}
    assert found == wanted
    assert "extra" not in served.line_items or served.line_items["extra"].isna().all()


def test_six_gaps_and_the_shared_days_are_all_that_is_found(served: Portfolio) -> None:
    result = issues(served)  # whatever the day: a file's accounts are old, so that nothing is expected after it
    assert result["kind"].value_counts().to_dict() == {"gap": 6, "shared_boundary_days": 1}
    gaps = result[result["kind"] == "gap"]
    assert sorted(((gaps["end_date"] - gaps["start_date"]).dt.days + 1).tolist()) == [29, 30, 31, 31, 31, 31]
    assert result["found"].str.startswith("304 of 310 neighbouring periods").sum() == 1

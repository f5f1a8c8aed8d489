"""Every computation takes a portfolio or its frames, groups by the same words, and is told how by the same options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.portfolio import Portfolio

AREAS = pd.DataFrame({"external_id": ["x"], "area": [1000.0], "area_unit": ["m²"]})


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    sandbox = nn.Sandbox(sites=8, months=26)
    nectar = nn.connect(sandbox=sandbox)
    return nectar.portfolio(nectar.companies().iloc[0])


def areas(portfolio: Portfolio) -> pd.DataFrame:
    return pd.DataFrame({"site_id": portfolio.sites["site_id"], "area": 1000.0, "area_unit": "m²"})


#: A computation of a portfolio, and of its frames as somebody would put them together by hand.
BOTH: dict[str, tuple[Callable[[Portfolio], pd.DataFrame], Callable[[Portfolio], pd.DataFrame]]] = {
    "load_factor": (nn.load_factor, lambda p: nn.load_factor(p.demand, p.usage, p.demand_usage)),
    "compare": (nn.compare, lambda p: nn.compare(nn.monthly(p))),
    "anomalies": (
        nn.anomalies,
        lambda p: nn.anomalies(nn.monthly(p), usage=p.usage, line_items=p.line_items, bills=p.bills),
    ),
    "fill_gaps": (nn.fill_gaps, lambda p: nn.fill_gaps(nn.monthly(p), completeness=nn.completeness(p))),
    "intensity": (
        lambda p: nn.intensity(p, areas(p)),
        lambda p: nn.intensity(nn.monthly(p), areas(p), known=p.sites),
    ),
    "unit_costs": (nn.unit_costs, lambda p: nn.unit_costs(nn.attribute(p), nn.adjust(p).usage)),
    "total_energy": (nn.total_energy, lambda p: nn.total_energy(nn.monthly(p))),
}


@pytest.mark.parametrize("name", BOTH)
def test_a_portfolio_is_enough(portfolio: Portfolio, name: str) -> None:
    whole, by_hand = (compute(portfolio) for compute in BOTH[name])
    assert len(whole)
    pd.testing.assert_frame_equal(whole, by_hand)
    assert whole.attrs["nectar"]["computed"] == name


@pytest.mark.parametrize("name", ["compare", "anomalies", "fill_gaps", "total_energy", "unit_costs"])
def test_options_say_how_a_portfolio_is_counted(portfolio: Portfolio, name: str) -> None:
    compute = getattr(nn, name)
    told = nn.Options(convention="midday", net_metering="as_is", flagged=False)
    if name != "unit_costs":
        months = nn.monthly(portfolio, options=told)
        beside: dict[str, Any] = {}
        if name == "anomalies":
            beside = {"usage": portfolio.usage, "line_items": portfolio.line_items, "bills": portfolio.bills}
        if name == "fill_gaps":
            beside = {"completeness": nn.completeness(portfolio)}
        pd.testing.assert_frame_equal(compute(portfolio, options=told), compute(months, **beside))
        with pytest.raises(InvalidRequestError, match="options are for a portfolio"):
            compute(months, options=told)
    with pytest.raises(InvalidRequestError, match=r"options must be nn\.Options"):
        nn.monthly(portfolio, options={"convention": "midday"})


@pytest.mark.parametrize("what", ["monthly", "explain", "exports"])
def test_keywords_are_the_short_form_of_options_and_win(portfolio: Portfolio, what: str) -> None:
    month = portfolio.usage["start_date"].dropna().iloc[-1]
    compute = {
        "monthly": lambda **how: nn.monthly(portfolio, **how),
        "explain": lambda **how: nn.explain(portfolio, month=month, **how),
        "exports": lambda **how: nn.exports.monthly(portfolio, **how).frame,
    }[what]
    function = {"monthly": nn.monthly, "explain": nn.explain, "exports": nn.exports.monthly}[what]
    whole = compute(options=nn.Options(convention="midday", shared_day="later", exclusions="drop"))
    pd.testing.assert_frame_equal(whole, compute(convention="midday", shared_day="later", exclusions="drop"))
    mixed = compute(
        options=nn.Options(convention="exclusive", exclusions="drop", shared_day="later"), convention="midday"
    )
    pd.testing.assert_frame_equal(whole, mixed)
    shown = inspect.signature(function).parameters
    assert {one.name for one in fields(nn.Options)} <= set(shown), "what a person sees and completes"
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in shown.values())
    with pytest.raises(TypeError, match="unexpected keyword argument 'conventoin'"):
        compute(conventoin="midday")
    with pytest.raises(InvalidRequestError, match="convention='noon' is not known"):
        compute(convention="noon")


@pytest.mark.parametrize(
    "wrong",
    [{"convention": "noon"}, {"occupancy": "some"}, {"exclusions": "no"}, {"net_metering": "x"}, {"shared_day": 1}],
)
def test_options_are_checked_when_they_are_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=f"{next(iter(wrong))}=.* is not known"):
        nn.Options(**wrong)


@pytest.mark.parametrize("name", ["compare", "total_energy", "unit_costs"])
def test_by_means_the_same_words_everywhere(portfolio: Portfolio, name: str) -> None:
    compute = getattr(nn, name)
    for word, column in (
        ("site", "site_id"),
        ("meter", "meter_id"),
        ("account", "account_id"),
        ("commodity", "commodity"),
    ):
        found = compute(portfolio, by=word)
        assert column in found
        pd.testing.assert_frame_equal(found, compute(portfolio, by=[word]))
        pd.testing.assert_frame_equal(found, compute(portfolio, by=[column]))
    accounts = compute(portfolio, by="account")["account_id"].dropna()
    assert accounts.isin(portfolio.accounts["account_id"]).all()
    for wrong in ("weather", ["site", "weather"], [7]):
        with pytest.raises(InvalidRequestError, match=r"by=.* is not known.*Use .*site, meter, account, commodity"):
            compute(portfolio, by=wrong)


@pytest.mark.parametrize("compute", [nn.completeness, nn.anomalies])
def test_by_that_has_other_words_lists_them(portfolio: Portfolio, compute: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(InvalidRequestError, match=r"by=.weather. is not known.*Use .*meter"):
        compute(portfolio, by="weather")


def test_an_old_name_is_an_error_that_names_the_new_one(portfolio: Portfolio) -> None:
    with pytest.raises(AttributeError, match=r"nn\.total_energy"):
        _ = nn.energy
    with pytest.raises(AttributeError, match=r"nn\.fill_gaps"):
        _ = nn.fill
    with pytest.raises(TypeError, match="against="):
        nn.compare(portfolio, with_="last_year")
    with pytest.raises(TypeError, match="unexpected keyword argument 'agianst'"):
        nn.compare(portfolio, agianst="last_year")
    with pytest.raises(InvalidRequestError, match="against='yesterday' is not known"):
        nn.compare(portfolio, against="yesterday")


def test_without_a_portfolio_the_frames_are_asked_for(portfolio: Portfolio) -> None:
    with pytest.raises(InvalidRequestError, match=r"load_factor needs .*Give it a portfolio"):
        nn.load_factor(portfolio.demand)
    with pytest.raises(InvalidRequestError, match=r"unit_costs needs .*Give it a portfolio"):
        nn.unit_costs(nn.attribute(portfolio))


@pytest.mark.parametrize(("start", "end"), [("2024", "2024"), ("2024-Q1", "2024-Q4"), ("2024-01", "2024-12")])
def test_years_and_quarters_are_whole_wherever_start_and_end_are(portfolio: Portfolio, start: str, end: str) -> None:
    last = portfolio.usage["end_date"].max().year - 1
    start, end = start.replace("2024", str(last)), end.replace("2024", str(last))
    months = nn.completeness(portfolio, start=start, end=end)["month"]
    assert (months.min(), months.max()) == (pd.Timestamp(f"{last}-01-01"), pd.Timestamp(f"{last}-12-01"))
    compared = nn.compare(portfolio, start=start, end=end, by="month")["month"]
    assert set(compared) <= set(months)
    filled = nn.fill_gaps(portfolio, end=end)
    pd.testing.assert_frame_equal(filled, nn.fill_gaps(portfolio, end=f"{last}-12"))

"""What holds for every function of this room: empty frames, one row, nothing mutated, order irrelevant."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from nectar_notebooks.errors import DataError, InvalidRequestError
from nectar_notebooks.methodology.adjust import adjust
from nectar_notebooks.methodology.compare import compare
from nectar_notebooks.methodology.explain import explain
from nectar_notebooks.methodology.indicators import load_factor, total_energy, unit_costs
from nectar_notebooks.methodology.intensity import intensity
from nectar_notebooks.methodology.monthly import monthly
from nectar_notebooks.methodology.quality.anomalies.find import anomalies
from nectar_notebooks.methodology.quality.completeness import completeness
from nectar_notebooks.methodology.quality.fill import fill_gaps
from nectar_notebooks.methodology.quality.issues import issues
from nectar_notebooks.methodology.quality.readiness import readiness
from nectar_notebooks.methodology.time.calendarize import calendarize, daily
from nectar_notebooks.methodology.units import convert
from nectar_notebooks.schema.portfolio import Portfolio

USAGE = pd.DataFrame(
    {
        "usage_id": ["u1", "u2", "u3", "u4"], "bill_id": ["b1", "b1", "b2", "b2"], "meter_id": ["M", "N", "M", "N"],
        "site_id": "S", "commodity": ["ELECTRICITY", "GAS", "ELECTRICITY", "GAS"], "subtype": None,
        "start_date": ["2024-01-01", "2024-01-01", "2024-02-01", "2024-02-05"],
        "end_date": ["2024-01-31", "2024-01-31", "2024-02-29", "2024-02-29"],
        "usage": [310.0, 20.0, 290.0, 21.0], "unit": ["kWh", "CCF", "kWh", "CCF"],
        "estimated": [False, True, False, True],
    }
)  # fmt: skip
MONTHLY = pd.DataFrame(
    {
        "meter_id": ["M", "N", "M", "N"], "site_id": ["S", "S", "S", "T"], "commodity": ["ELECTRICITY", "GAS"] * 2,
        "subtype": None, "unit": ["kWh", "CCF"] * 2, "currency": "USD",
        "month": ["2023-01-01", "2023-01-01", "2024-01-01", "2024-01-01"], "usage": [310.0, 20.0, 290.0, 21.0],
        "cost": [31.0, 20.5, 30.33, 19.0], "days_covered": [31, 31, 29, 31],
    }
)  # fmt: skip
SITES = pd.DataFrame({"site_id": ["S"], "area": [100.0], "area_unit": ["m2"]})
CHARGES = pd.DataFrame(
    {"bill_id": ["b1", "b2"], "meter_id": ["M", "N"], "charge_type": "SUPPLY", "amount": [1.5, 2.25], "currency": "USD"}
)
DEMAND = pd.DataFrame(
    {
        "demand_id": ["d1", "d2"], "bill_id": ["b1", "b2"], "start_date": ["2024-01-01", "2024-02-01"],
        "end_date": ["2024-01-31", "2024-02-29"], "demand": [2.0, 3.0], "unit": "kW",
    }
)  # fmt: skip

FUNCTIONS = {
    "completeness": (lambda frame: completeness(frame, today="2024-04-01"), USAGE),
    "completeness by site": (lambda frame: completeness(frame, by="site", today="2024-04-01"), USAGE),
    "completeness by account": (lambda frame: completeness(frame, by="account", today="2024-04-01"), USAGE),
    "adjust": (lambda frame: adjust(frame)[["adjusted_usage", "occupancy_factor", "adjustment"]], USAGE),
    "calendarize": (calendarize, USAGE),
    "daily": (daily, USAGE),
    "issues": (lambda frame: issues(frame, today="2024-04-01"), USAGE),
    "readiness": (readiness, USAGE),
    "anomalies": (lambda frame: anomalies(frame, baseline_months=1), MONTHLY),
    "compare": (compare, MONTHLY),
    "fill_gaps": (fill_gaps, MONTHLY),
    "intensity": (lambda frame: intensity(frame, SITES), MONTHLY),
    "intensity of energy": (lambda frame: intensity(frame, SITES, unit="kWh"), MONTHLY),
    "total_energy": (total_energy, MONTHLY),
    "unit_costs": (lambda frame: unit_costs(frame, USAGE), CHARGES),
    "load_factor": (lambda frame: load_factor(frame, USAGE), DEMAND),
}
#: Row by row: these keep the order of the rows they are given.
IN_ORDER = ("adjust", "load_factor")


@pytest.fixture(params=FUNCTIONS)
def case(request):
    function, frame = FUNCTIONS[request.param]
    return request.param, function, frame


def test_an_empty_frame_gives_an_empty_frame_of_the_same_columns(case):
    _, function, frame = case
    whole, empty = function(frame), function(frame.iloc[:0])
    assert len(empty) == 0
    assert list(empty.columns) == list(whole.columns)


def test_an_empty_frame_without_dtypes_works_too(case):
    _, function, frame = case
    assert len(function(pd.DataFrame(columns=frame.columns))) == 0


def test_one_row_works(case):
    _, function, frame = case
    assert len(function(frame.iloc[:1])) >= 0


def test_nothing_is_mutated(case):
    _, function, frame = case
    before = frame.copy(deep=True)
    function(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in IN_ORDER])
def test_the_order_of_rows_and_their_index_are_irrelevant(name):
    function, frame = FUNCTIONS[name]
    mixed = frame.iloc[::-1].set_axis(np.arange(len(frame)) + 100)
    pd.testing.assert_frame_equal(function(mixed), function(frame))


def test_calling_twice_gives_the_same(case):
    _, function, frame = case
    pd.testing.assert_frame_equal(function(frame), function(frame))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *[(name, column) for name in ("completeness", "issues", "readiness") for column in ("meter_id", "start_date")],
        *[
            (name, column)
            for name in ("compare", "fill_gaps", "intensity")
            for column in ("meter_id", "usage", "month")
        ],
        *[(name, column) for name in ("anomalies", "total_energy") for column in ("site_id", "usage", "unit")],
        *[("issues", "usage"), ("readiness", "usage"), ("compare", "cost"), ("fill_gaps", "days_covered")],
        *[("unit_costs", "amount"), ("load_factor", "demand"), ("load_factor", "unit")],
    ],
)
def test_a_missing_column_is_named(name, column):
    function, frame = FUNCTIONS[name]
    with pytest.raises(DataError, match=rf"lacks the column {column}"):
        function(frame.drop(columns=column))


def test_frames_with_the_house_dtypes_give_the_same(case):
    _, function, frame = case
    text = pd.StringDtype(na_value=np.nan)
    typed = frame.copy()
    for name in typed:
        if name in ("start_date", "end_date", "month"):
            typed[name] = pd.to_datetime(typed[name]).astype("datetime64[us]")
        elif name == "estimated":
            typed[name] = typed[name].astype("boolean")
        elif typed[name].dtype == object or isinstance(typed[name].dtype, pd.StringDtype):
            typed[name] = typed[name].astype(text)
    pd.testing.assert_frame_equal(function(typed), function(frame), check_dtype=False)


def test_categorical_text_works(case):
    _, function, frame = case
    typed = frame.astype({name: "category" for name in frame if name.endswith("_id") or name in ("unit", "commodity")})
    pd.testing.assert_frame_equal(function(typed), function(frame), check_dtype=False)


def test_text_where_a_number_should_be_is_named(case):
    name, function, frame = case
    if name.startswith(("completeness", "issues")) or "amount" in frame or "demand" in frame:
        frame = frame.assign(start_date="soon") if "start_date" in frame else frame.assign(amount="much")
    else:
        frame = frame.assign(usage="much")
    with pytest.raises(DataError, match=r"is no (number|date) in"):
        function(frame)


@pytest.mark.parametrize("wrong", [None, [1], "usage.csv"])
def test_what_is_no_frame_is_named(case, wrong):
    _, function, _ = case
    with pytest.raises(DataError, match="must be a DataFrame, not"):
        function(wrong)


@pytest.mark.parametrize("today", ["soon", "March", "01/02/2024", 2024, pd.NaT, {}])
def test_what_is_no_day_is_named(today):
    for function in (issues, completeness):
        with pytest.raises(InvalidRequestError, match=r"today=.* is no date"):
            function(USAGE, today=today)


BILLS = pd.DataFrame({"bill_id": ["b1"], "start_date": ["2024-01-01"], "total_charges": [31.0], "currency": ["USD"]})


@pytest.mark.parametrize("function", [issues, completeness, readiness])
def test_bills_in_place_of_a_portfolio_are_answered_with_what_to_give(function):
    with pytest.raises(DataError, match=f"The frame given to {function.__name__} lacks the columns .*meter_id") as told:
        function(BILLS)
    assert "Give it a portfolio, as nectar.portfolio(company) returns it, or the usage in it." in told.value.advice
    assert "This frame has: bill_id, start_date, total_charges, currency." in told.value.advice


@pytest.mark.parametrize("function", [calendarize, daily])
def test_it_is_the_frame_given_that_lacks_columns(function):
    with pytest.raises(DataError, match=f"The frame given to {function.__name__} lacks the columns meter_id, end_date"):
        function(BILLS)


def test_readiness_takes_a_portfolio_as_its_neighbours_do():
    whole = Portfolio(
        **{**{field.name: pd.DataFrame() for field in fields(Portfolio) if field.name != "as_of"}, "usage": USAGE}
    )
    pd.testing.assert_frame_equal(readiness(whole), readiness(USAGE))


def test_what_needs_a_portfolio_or_a_table_of_sites_says_so():
    for wrong in (USAGE, None):
        with pytest.raises(InvalidRequestError, match="needs a portfolio, not"):
            monthly(wrong)
        with pytest.raises(InvalidRequestError, match="needs a portfolio, not"):
            explain(wrong, month="2024-01")
    with pytest.raises(DataError, match="sites must be a DataFrame, not NoneType"):
        intensity(MONTHLY, None)


def test_convert_keeps_every_row_in_its_place():
    mixed = USAGE.iloc[::-1]
    pd.testing.assert_frame_equal(convert(mixed, "kWh").sort_index(), convert(USAGE, "kWh"))

"""The same numbers, or one sentence: whatever dtypes, index and order frames come with, whichever column lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

import pandas as pd
import pytest
from methodology_core.core_portfolios import portfolio

import nectar_notebooks as nn
from nectar_notebooks import Portfolio, exports
from nectar_notebooks.errors import NectarError

SITES = pd.DataFrame({"site_id": ["s", "t"], "area": [100.0, 50.0], "area_unit": ["m²", "sq ft"]})
METERS = {"e": ("s", "ELECTRICITY", "kWh"), "x": ("s", "ELECTRICITY", "kWh"), "g": ("t", "GAS", "CCF")}


@cache
def book() -> Portfolio:
    """Two sites, an export meter, gas, fuel and a demand reading, over fourteen months."""
    months = pd.date_range("2023-01-01", periods=14, freq="MS")
    usage, bills, items, links, demand = [], [], [], [], []
    for place, month in enumerate(months):
        number, last = f"b{place}", month + pd.offsets.MonthEnd(0)
        about = {"bill_id": number, "start_date": month, "end_date": last}
        bills.append({"bill_id": number, "company_id": "company", "utility": "U", "currency": "USD", "status": "DONE",
                      "bill_date": last, "start_date": month, "current_charges": 110.0 + place,
                      "flagged": place == 3})  # fmt: skip
        for meter, (site, commodity, unit) in METERS.items():
            if (meter, place) == ("g", 7):
                continue
            usage.append({"usage_id": f"{number}{meter}", "meter_id": meter, "site_id": site, "commodity": commodity,
                          "unit": unit, "usage": (40.0 if meter == "x" else 100.0) + 7 * place,
                          "estimated": place % 5 == 0, "exclusion": False,
                          "net_metering": {"e": "IMPORT", "x": "EXPORT"}.get(meter), **about})  # fmt: skip
        for line, (kind, amount, commodity) in enumerate(
            [("SUPPLY", 80.0, "ELECTRICITY"), ("CUSTOMER", 9.99, None), ("TAX", 5.01, None), ("LATE_FEE", 12.0, None)]
        ):
            items.append({"line_item_id": f"{number}:{line}", "bill_id": number, "charge_type": kind, "amount": amount,
                          "currency": "USD", "commodity": commodity, "description": kind.lower()})  # fmt: skip
            links.append({"line_item_id": f"{number}:{line}", "account_id": "a"})
        demand.append({"demand_id": f"d{place}", "bill_id": number, "start_date": month, "end_date": last,
                       "demand": 3.0, "unit": "kW", "estimated": False})  # fmt: skip
    usage.append({"usage_id": "oil", "bill_id": "b2", "meter_id": "o", "site_id": "t", "commodity": "FUEL",
                  "subtype": "FUEL_OIL_2", "usage": 50.0, "unit": "gal (US)", "start_date": months[2],
                  "end_date": months[2]})  # fmt: skip
    return portfolio(
        sites=[{"site_id": "s", "name": "S", "occupancy_percent": 50.0}, {"site_id": "t", "name": "T"}],
        accounts=[{"account_id": "a", "connection_id": "c", "status": "ONBOARDED"}],
        connections=[{"connection_id": "c", "multiply_by_occupancy": True}],
        meters=[{"meter_id": meter, "site_id": site, "account_id": "a", "commodity": what, "tracked": True}
                for meter, (site, what, _) in METERS.items()],
        bills=bills, usage=usage, line_items=items, line_item_accounts=links, demand=demand,
        demand_usage=[{"demand_id": f"d{place}", "usage_id": f"b{place}e"} for place in range(len(months))],
        bill_accounts=[{"bill_id": f"b{place}", "account_id": "a", "connection_id": "c"}
                       for place in range(len(months))],
    )  # fmt: skip


@cache
def months() -> pd.DataFrame:
    return nn.monthly(book())


@cache
def charges() -> pd.DataFrame:
    return nn.attribute(book())


TODAY = "2024-04-30"
Given = Portfolio | pd.DataFrame
#: Each public function, and what it is given.
FUNCTIONS: dict[str, tuple[Callable[..., pd.DataFrame], Callable[[], Given]]] = {
    "adjust a portfolio": (lambda given: nn.adjust(given).usage[["adjusted_usage", "counts"]], book),
    "adjust usage": (lambda given: nn.adjust(given)[["adjusted_usage", "adjustment"]], lambda: book().usage),
    "anomalies": (lambda given: nn.anomalies(given, baseline_months=1, usage_rise=0.01), months),
    "attribute": (nn.attribute, book),
    "attribute frames": (lambda given: nn.attribute(given, book().usage, book().meters), lambda: book().line_items),
    "attribute to usage": (lambda given: nn.attribute(book().line_items, given, book().meters), lambda: book().usage),
    "calendarize usage": (nn.calendarize, lambda: book().usage),
    "calendarize charges": (nn.calendarize, charges),
    "daily": (nn.daily, lambda: book().usage.iloc[:6]),
    "compare": (lambda given: nn.compare(given, "last_month", by=["site_id"]), months),
    "compare meters": (lambda given: nn.compare(given, "last_month", by=["meter_id", "month"]), months),
    "completeness": (lambda given: nn.completeness(given, today=TODAY), book),
    "completeness of usage": (lambda given: nn.completeness(given, today=TODAY), lambda: book().usage),
    "total_energy": (nn.total_energy, months),
    "explain a month": (lambda given: nn.explain(given, month="2023-03"), book),
    "explain a bill": (lambda given: nn.explain(given, bill="b3"), book),
    "fill_gaps": (lambda given: nn.fill_gaps(given, end="2024-05"), months),
    "intensity": (lambda given: nn.intensity(given, SITES), months),
    "intensity of energy": (lambda given: nn.intensity(given, SITES, unit="kBtu"), months),
    "issues": (lambda given: nn.issues(given, today=TODAY), book),
    "load_factor": (lambda given: nn.load_factor(given, book().usage), lambda: book().demand),
    "load_factor of usage": (lambda given: nn.load_factor(book().demand, given), lambda: book().usage),
    "monthly": (lambda given: nn.monthly(given, occupancy="all"), book),
    "readiness": (nn.readiness, lambda: book().usage),
    "unit_costs": (lambda given: nn.unit_costs(given, book().usage), charges),
    "unit_costs of usage": (lambda given: nn.unit_costs(charges(), given), lambda: book().usage),
    "export months": (lambda given: exports.monthly(given, sites=SITES).frame, book),
    "export for ENERGY STAR": (lambda given: exports.portfolio_manager(given, by="month").frame, book),
    "export usage": (lambda given: exports.table(given, "usage").frame.filter(["usage_id", "usage"]), book),
}


def text_columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if isinstance(frame[name].dtype, pd.StringDtype)]


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in another order, under an index that is called as a column is."""
    mixed = frame.sample(frac=1, random_state=5)
    return mixed.set_axis(pd.date_range("2020-01-01", periods=len(frame), name="site_id"))


DISGUISES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "shuffled, with dates for an index": shuffled,
    "categorical, with one label for an index": lambda frame: frame.astype(
        dict.fromkeys(text_columns(frame), "category")
    ).set_axis(["same"] * len(frame)),
    "object": lambda frame: frame.astype(object),
    "pyarrow": lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
}


def disguised(given: Given, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Given:
    if isinstance(given, pd.DataFrame):
        return change(given)
    tables = {field.name: getattr(given, field.name) for field in fields(given)}
    return replace(given, **{name: change(table) for name, table in tables.items() if isinstance(table, pd.DataFrame)})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a result as text and rounded numbers, its rows in an order of their own."""
    columns = {}
    for name in frame.columns:
        column = frame[name].astype(object)
        column = column.where(column.notna(), None)
        columns[name] = [
            None if value is None else f"{value + 0.0:.6f}" if isinstance(value, float) else str(value)
            for value in column
        ]
        columns[name] = [None if text is None else text.removesuffix(".000000") for text in columns[name]]
    table = pd.DataFrame(columns, dtype=object)
    return table.sort_values(list(table.columns), ignore_index=True) if len(table.columns) else table


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_same_numbers_of_frames_in_any_form(function: str, disguise: str) -> None:
    call, give = FUNCTIONS[function]
    expected = plain(call(give()))
    assert len(expected)
    given = disguised(give(), DISGUISES[disguise])
    pd.testing.assert_frame_equal(plain(call(given)), expected)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_column_that_is_missing_is_done_without_or_named(function: str) -> None:
    call, give = FUNCTIONS[function]
    given = give()
    tables = {"": given} if isinstance(given, pd.DataFrame) else {
        name: getattr(given, name) for name in ("usage", "bills", "line_items", "meters")
    }  # fmt: skip
    for table, frame in tables.items():
        for name in frame.columns:
            if frame[name].isna().all():
                continue
            less = frame.drop(columns=name)
            try:
                call(less if not table else replace(given, **{table: less}))
            except NectarError as error:
                assert str(error).endswith("."), (table, name)  # noqa: PT017 -- each column by itself

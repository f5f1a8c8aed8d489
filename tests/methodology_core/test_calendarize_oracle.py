"""calendarize and daily against the slow second implementation, on random bills."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import oracle_calendar
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nectar_notebooks.methodology import calendarize, daily

FIRST = date(2023, 11, 20)

bill_rows = st.lists(
    st.fixed_dictionaries(
        {
            "meter_id": st.sampled_from(["m1", "m2", None]),
            "bill_id": st.sampled_from(["b1", "b2", "b3", "b4", None]),
            "start": st.integers(0, 120).map(lambda n: FIRST + timedelta(days=n)),
            "length": st.one_of(st.none(), st.integers(0, 100)),
            "usage": st.one_of(st.none(), st.decimals(-9999, 9999, places=2)),
            "cost": st.one_of(st.none(), st.decimals(-999, 999, places=2), st.decimals(-9, 9, places=4)),
            "currency": st.sampled_from(["USD", "JPY", "KWD"]),
            "counts": st.sampled_from([True, True, True, False]),
        }
    ),
    max_size=9,
)
MINOR = {"USD": 2, "JPY": 0, "KWD": 3}


def frame_of(rows: list[dict]) -> pd.DataFrame:
    columns = ["meter_id", "bill_id", "start_date", "end_date", "usage", "unit", "cost", "currency", "counts"]
    return pd.DataFrame(
        [
            {
                **row,
                "start_date": row["start"].isoformat(),
                "end_date": None
                if row["length"] is None
                else (row["start"] + timedelta(days=row["length"])).isoformat(),
                "usage": None if row["usage"] is None else float(row["usage"]),
                "cost": None if row["cost"] is None else float(row["cost"]),
                "unit": "kWh",
            }
            for row in rows
        ],
        columns=columns,
    )


def records_of(rows: list[dict]) -> list[dict]:
    return [
        {
            "series": (row["meter_id"], row["currency"]),
            "bill": row["bill_id"],
            "start": row["start"],
            "end": None if row["length"] is None else row["start"] + timedelta(days=row["length"]),
            "usage": row["usage"],
            "cost": row["cost"],
            "currency": row["currency"],
            "minor": MINOR[row["currency"]],
        }
        for row in rows
        if row["counts"]
    ]


def none(value: object) -> object:
    return None if pd.isna(value) else value


@pytest.mark.parametrize("convention", ["inclusive", "exclusive", "midday"])
@pytest.mark.parametrize("shared_day", ["keep", "later"])
@settings(max_examples=40, deadline=None)
@given(rows=bill_rows)
def test_every_cell_is_the_oracles(rows: list[dict], convention: str, shared_day: str) -> None:
    usage = frame_of(rows)
    before = usage.copy(deep=True)
    result = calendarize(usage, convention, shared_day=shared_day)
    expected = oracle_calendar.calendarize(records_of(rows), convention, shared_day)
    pd.testing.assert_frame_equal(usage, before)
    assert len(result) == len(expected)
    for row in result.to_dict("records"):
        cell = expected[(none(row["meter_id"]), row["currency"]), row["month"].date()]
        assert none(row["usage"]) == (
            None if cell["usage"] is None else pytest.approx(float(cell["usage"]), rel=1e-9, abs=1e-9)
        )
        assert none(row["cost"]) == (None if cell["cost"] is None else float(cell["cost"]))
        assert row["days_covered"] == float(cell["covered"])
        assert row["days_overlapped"] == float(cell["overlapped"])
        assert row["bills"] == cell["bills"]
        assert row["days_in_month"] == cell["in_month"]
        assert row["days_covered"] <= row["days_in_month"]
    assert result.attrs["nectar"]["left_out"] == sum(not row["counts"] for row in rows)


@settings(max_examples=40, deadline=None)
@given(rows=bill_rows, seed=st.integers(0, 9), convention=st.sampled_from(["inclusive", "exclusive", "midday"]))
def test_the_order_of_rows_never_matters(rows: list[dict], seed: int, convention: str) -> None:
    usage = frame_of(rows)
    shuffled = usage.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(calendarize(usage, convention), calendarize(shuffled, convention), rtol=1e-12)
    pd.testing.assert_frame_equal(daily(usage, convention), daily(shuffled, convention), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(rows=bill_rows, convention=st.sampled_from(["inclusive", "exclusive", "midday"]))
def test_days_sum_to_the_bills_and_to_the_months(rows: list[dict], convention: str) -> None:
    usage = frame_of(rows)
    days = daily(usage, convention)
    months = calendarize(usage, convention)
    counted = [row for row in rows if row["counts"]]
    for currency in ("USD", "JPY", "KWD"):
        cost = sum(
            (row["cost"] for row in counted if row["cost"] is not None and row["currency"] == currency), Decimal(0)
        )
        spread = sum(Decimal(repr(value)) for value in days["cost"][days["currency"] == currency].dropna())
        assert spread == cost
        in_months = sum(Decimal(repr(value)) for value in months["cost"][months["currency"] == currency].dropna())
        assert in_months == cost
    total = sum(float(row["usage"]) for row in counted if row["usage"] is not None)
    assert np.nansum(days["usage"]) == pytest.approx(total, rel=1e-9, abs=1e-6)
    keys = ["meter_id", "currency", "month"]
    days["month"] = days["day"].dt.to_period("M").dt.to_timestamp().astype("datetime64[us]")
    regrouped = days.groupby(keys, dropna=False, observed=True)["usage"].sum(min_count=1).reset_index()
    merged = months.merge(regrouped.astype({"meter_id": months["meter_id"].dtype, "currency": "str"}), on=keys)
    assert len(merged) == len(months)
    np.testing.assert_allclose(merged["usage_x"], merged["usage_y"], rtol=1e-9, atol=1e-9)

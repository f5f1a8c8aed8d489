"""Dates as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.filters import Filters


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2024-01", "2024-02", "2024-01-01", "2024-02-29"),
        ("2024-01-15", "2024-01-15", "2024-01-15", "2024-01-15"),
        (date(2024, 1, 15), datetime(2024, 2, 1, 23, 59, tzinfo=UTC), "2024-01-15", "2024-02-01"),
        ("2024", "2024", "2024-01-01", "2024-12-31"),
        ("2024-Q2", "2024Q3", "2024-04-01", "2024-09-30"),
        (pd.Period("2023", freq="Y"), pd.Period("2024Q1"), "2023-01-01", "2024-03-31"),
        (pd.Timestamp("2024-01-15 12:00"), pd.Period("2024-03"), "2024-01-15", "2024-03-31"),
    ],
)
def test_a_day_is_a_day_and_a_month_is_all_of_it(start, end, first, last) -> None:
    filters = Filters.of(start, end)
    assert (filters.start, filters.end) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "given",
    ["yesterday", "2024-13", "2024-02-30", "01/02/2024", "2024-Q5", "24", "", 2024, 3.5, pd.NaT, "2024-1-5"],
)
def test_a_malformed_date_is_one_clear_sentence(given) -> None:
    with pytest.raises(InvalidRequestError, match=r"^start=.* is no date: write a day as '2024-01-31'"):
        Filters.of(given, None)


def test_an_end_before_the_start_is_said() -> None:
    with pytest.raises(InvalidRequestError, match="lies before"):
        Filters.of("2024-03", "2024-02")


def test_a_moment_counts_for_its_utc_day_to_the_last_microsecond() -> None:
    moments = pd.Series(
        pd.to_datetime(["2024-01-31T23:59:59.999999Z", "2024-02-01T00:00:00.000000Z", None], utc=True)
    ).dt.as_unit("us")
    assert Filters.of("2024-01", "2024-01").contains(moments).tolist() == [True, False, False]

"""Questions answered from hand-written tables: every noun of a bill means the same bills."""

from __future__ import annotations

import pandas as pd
import pytest

from nectar_notebooks.client.dates import Window
from nectar_notebooks.client.filters import Question, checked_by, checked_commodity
from nectar_notebooks.errors import InvalidRequestError


def days(*values: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(values))).dt.as_unit("us")


def moments(*values: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(values), utc=True, format="ISO8601")).dt.as_unit("us")


FRAMES = {
    "bills": pd.DataFrame(
        {
            "bill_id": ["b1", "b2", "b3"],
            "bill_date": days("2024-02-03", "2024-03-05", "2024-02-10"),
            "start_date": days(None, None, "2024-01-20"),
            "created": moments("2024-02-03T10:00Z", "2024-03-05T10:00Z", "2024-02-11T00:00Z"),
            "updated": moments("2024-06-01T23:59:59Z", "2024-03-05T10:00Z", "2024-02-11T00:00Z"),
        }
    ),
    # b1: January electricity at s1 and gas of December at s2; b2: February electricity; b3: no usage
    "usage": pd.DataFrame(
        {
            "usage_id": ["u1", "u2", "u3"],
            "bill_id": ["b1", "b1", "b2"],
            "site_id": ["s1", "s2", "s1"],
            "commodity": ["ELECTRICITY", "GAS", "ELECTRICITY"],
            "start_date": days("2024-01-01", "2023-12-01", "2024-02-01"),
            "end_date": days("2024-01-31", None, "2024-02-29"),
            "created": moments("2024-02-03T10:00Z", "2024-02-03T10:00Z", "2024-03-05T10:00Z"),
            "updated": moments("2024-02-03T10:00Z", "2024-02-03T10:00Z", "2024-03-05T10:00Z"),
        }
    ),
    "line_items": pd.DataFrame({"line_item_id": ["b1:0", "b1:1", "b2:0", "b3:0"], "bill_id": ["b1", "b1", "b2", "b3"]}),
    "line_item_accounts": pd.DataFrame({"line_item_id": ["b1:0", "b2:0"], "account_id": ["a1", "a2"]}),
    "demand": pd.DataFrame({"demand_id": ["b2:d0"], "bill_id": ["b2"]}),
    "demand_usage": pd.DataFrame({"demand_id": ["b2:d0"], "usage_id": ["u3"]}),
    "time_of_use": pd.DataFrame({"usage_id": ["u1", "u2"], "position": [0, 0]}),
    "bill_accounts": pd.DataFrame(
        {
            "bill_id": ["b1", "b2", "b3"],
            "account_id": ["a1", "a2", None],
            "connection_id": ["k1", "k2", None],
        }
    ),
}


def ask(noun: str, start: str | None = None, end: str | None = None, by: str = "service_period", **things) -> list:
    frame = Question(Window.of(start, end), by, **things).answer(noun, FRAMES)
    return frame.iloc[:, 0].tolist()


def test_without_a_question_everything_comes() -> None:
    assert ask("bills") == ["b1", "b2", "b3"]


def test_by_service_period_usage_overlaps_by_a_day_and_bills_follow_it() -> None:
    assert ask("usage", "2024-01-31", "2024-01-31") == ["u1"]
    assert ask("bills", "2024-01", "2024-01") == ["b1", "b3"], "b3 has no usage: its own period counts"
    assert ask("line_items", "2024-01", "2024-01") == ["b1:0", "b1:1", "b3:0"]
    assert ask("time_of_use", "2024-01", "2024-01") == ["u1"]


def test_a_usage_without_an_end_is_a_record_of_one_day() -> None:
    assert ask("usage", "2023-12-01", "2023-12-01") == ["u2"]
    assert ask("usage", "2023-12-02", "2023-12-31") == []


def test_by_bill_date_every_noun_takes_the_same_bills() -> None:
    assert ask("bills", "2024-02", "2024-02", "bill_date") == ["b1", "b3"]
    assert ask("usage", "2024-02", "2024-02", "bill_date") == ["u1", "u2"]
    assert ask("line_items", "2024-02", "2024-02", "bill_date") == ["b1:0", "b1:1", "b3:0"]
    assert ask("line_item_accounts", "2024-02", "2024-02", "bill_date") == ["b1:0"]


def test_by_updated_the_whole_last_utc_day_is_inside() -> None:
    assert ask("bills", "2024-06-01", "2024-06-01", "updated") == ["b1"]
    assert ask("bills", "2024-06-02", None, "updated") == []


def test_by_created_the_first_moment_of_a_day_is_inside() -> None:
    assert ask("bills", "2024-02-11", "2024-02-11", "created") == ["b3"]


def test_commodity_and_site_must_hold_for_one_usage_row() -> None:
    assert ask("usage", commodity="GAS") == ["u2"]
    assert ask("bills", commodity="GAS", site_id="s1") == []
    assert ask("bills", "2024-01", "2024-01", commodity="GAS") == [], "b1's gas was in December"
    assert ask("bills", "2024-02", "2024-02", "bill_date", commodity="GAS") == ["b1"]


def test_a_connection_chooses_its_bills_and_all_that_stands_on_them() -> None:
    assert ask("bills", connection_id="k2") == ["b2"]
    assert ask("demand", connection_id="k2") == ["b2:d0"]
    assert ask("demand_usage", connection_id="k2") == ["b2:d0"]
    assert ask("usage", connection_id="k1") == ["u1", "u2"]
    assert ask("demand_usage", connection_id="k1") == []


def test_an_empty_answer_keeps_columns_and_dtypes() -> None:
    answer = Question(Window.of("1990-01", "1990-01")).answer("usage", FRAMES)
    assert len(answer) == 0
    assert answer.dtypes.equals(FRAMES["usage"].dtypes)


def test_unknown_words_are_said_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="service_period, bill_date, created, updated"):
        checked_by("invoice_date")
    with pytest.raises(InvalidRequestError, match="ELECTRICITY, GAS"):
        checked_commodity("POWER")
    assert checked_commodity("gas") == "GAS"

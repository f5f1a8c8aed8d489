"""What a portfolio finds in its frames."""

from __future__ import annotations

import pandas as pd
import pytest
from methodology_core.core_portfolios import portfolio

from nectar_notebooks.errors import NotFoundError

PORTFOLIO = portfolio(
    sites=[{"site_id": "s1", "name": "Mill"}, {"site_id": "s2", "name": "Depot"}],
    meters=[{"meter_id": "m1", "site_id": "s1", "primary_identifier": "E-1"}],
    bills=[{"bill_id": "b1"}, {"bill_id": "b2"}],
    usage=[{"usage_id": "u1", "bill_id": "b1", "meter_id": "m1"}, {"usage_id": "u2", "bill_id": "b2"}],
    line_items=[
        {"line_item_id": "b1:0", "bill_id": "b1", "description": "Energy"},
        {"line_item_id": "b2:0", "bill_id": "b2", "description": "Fee"},
    ],
    line_item_accounts=[
        {"line_item_id": "b1:0", "account_id": "a1"},
        {"line_item_id": "b2:0", "account_id": "a2"},
    ],
    demand=[{"demand_id": "b2:d0", "bill_id": "b2"}],
    demand_usage=[{"demand_id": "b2:d0", "usage_id": "u2"}],
    time_of_use=[{"usage_id": "u1", "position": 0}],
)


def test_one_bill_has_its_own_rows_and_the_whole_of_sites_and_meters() -> None:
    one = PORTFOLIO.bill("b2")
    sizes = {name: len(frame) for name, frame in one}
    assert sizes["sites"] == 2
    assert sizes["meters"] == 1
    assert one.usage["usage_id"].tolist() == ["u2"]
    assert one.line_items["line_item_id"].tolist() == ["b2:0"]
    assert one.line_item_accounts["account_id"].tolist() == ["a2"]
    assert (sizes["demand"], sizes["demand_usage"], sizes["time_of_use"], sizes["bills"]) == (1, 1, 0, 1)
    assert len(PORTFOLIO.usage) == 2, "the portfolio itself stays whole"


def test_a_bill_that_is_not_there_is_said() -> None:
    with pytest.raises(NotFoundError, match="b3"):
        PORTFOLIO.bill("b3")


def test_ids_get_their_words_in_front_and_unknown_ones_none() -> None:
    frame = pd.DataFrame({"meter_id": ["m1", "mx", None], "site_id": ["s1", "s2", "s9"], "amount": [1.0, 2.0, 3.0]})
    named = PORTFOLIO.named(frame)
    assert named.columns.tolist() == ["site", "meter", "meter_id", "site_id", "amount"]
    assert named["site"].fillna("-").tolist() == ["Mill", "Depot", "-"]
    assert named["meter"].fillna("-").tolist() == ["E-1", "-", "-"]
    assert frame.columns.tolist() == ["meter_id", "site_id", "amount"]


def test_one_line_says_whose_it_is_and_how_much_there_is() -> None:
    assert repr(PORTFOLIO) == (
        "Portfolio of Company: 2 sites, 0 connections, 0 accounts, 1 meter, 2 bills, 2 usage records, 1 demand reading"
    )


def test_what_it_shows_is_escaped() -> None:
    shown = portfolio(companies=[{"company_id": "c", "name": "<script>alert(1)</script>"}])._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown

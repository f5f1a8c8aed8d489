"""Questions answered from hand-written tables: every noun of a bill means the same bills."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from nectar_notebooks import Sandbox, connect
from nectar_notebooks.client.filters import Question
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.filters import Filters


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


def ask(noun: str, start=None, end=None, by="service_period", commodity=None, **things) -> list:
    filters = replace(Filters.of(start, end, by, commodity), **things)
    return Question(filters).answer(noun, FRAMES).iloc[:, 0].tolist()


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
    assert ask("bills", commodity="GAS", site_ids=("s1",)) == []
    assert ask("bills", "2024-01", "2024-01", commodity="GAS") == [], "b1's gas was in December"
    assert ask("bills", "2024-02", "2024-02", "bill_date", commodity="GAS") == ["b1"]


def test_a_connection_chooses_its_bills_and_all_that_stands_on_them() -> None:
    assert ask("bills", connection_id="k2") == ["b2"]
    assert ask("demand", connection_id="k2") == ["b2:d0"]
    assert ask("demand_usage", connection_id="k2") == ["b2:d0"]
    assert ask("usage", connection_id="k1") == ["u1", "u2"]
    assert ask("demand_usage", connection_id="k1") == []


def test_an_empty_answer_keeps_columns_and_dtypes() -> None:
    answer = Question(Filters.of("1990-01", "1990-01")).answer("usage", FRAMES)
    assert len(answer) == 0
    assert answer.dtypes.equals(FRAMES["usage"].dtypes)


def test_several_sites_and_commodities_are_one_question() -> None:
    assert ask("usage", commodity=["gas", "Electricity"]) == ["u1", "u2", "u3"]
    assert ask("usage", commodity=("gas",)) == ["u2"]
    assert ask("usage", site_ids=("s1", "s2"), commodity="GAS") == ["u2"]
    assert ask("bills", site_ids=("s1", "s2"), start="2024-02") == ["b2"]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2024", "2024", ["u1", "u3"]),
        ("2023", "2023", ["u2"]),
        ("2024-Q1", None, ["u1", "u3"]),
        (None, "2023-q4", ["u2"]),
    ],
)
def test_a_quarter_and_a_year_mean_all_of_their_days(start, end, found: list[str]) -> None:
    assert ask("usage", start, end) == found


THINGS = {
    "sites": pd.DataFrame({"site_id": ["s1", "s2", "s3"]}),
    "connections": pd.DataFrame({"connection_id": ["k1", "k2", "k3"]}),
    "accounts": pd.DataFrame({"account_id": ["a1", "a2", "a3"], "connection_id": ["k1", "k2", "k2"]}),
    "meters": pd.DataFrame(
        {
            "meter_id": ["m1", "m2", "m3"],
            "site_id": ["s1", "s1", "s2"],
            "account_id": ["a1", "a2", None],
            "commodity": ["GAS", "WATER", "GAS"],
        }
    ),
    "identifiers": pd.DataFrame({"meter_id": ["m1", "m1", "m3"], "value": ["1", "2", "3"]}),
}


@pytest.mark.parametrize(
    ("asked", "sites", "connections", "accounts", "meters"),
    [
        ({}, "s1 s2 s3", "k1 k2 k3", "a1 a2 a3", "m1 m2 m3"),
        ({"site_ids": ("s1",)}, "s1", "k1 k2", "a1 a2", "m1 m2"),
        ({"site_ids": ("s2", "s3")}, "s2 s3", "", "", "m3"),
        ({"connection_id": "k2"}, "s1", "k2", "a2 a3", "m2"),
        ({"commodity": "gas"}, "s1 s2", "k1", "a1", "m1 m3"),
        ({"commodity": "gas", "connection_id": "k2"}, "", "", "", ""),
        ({"commodity": ["gas", "water"], "site_ids": ("s1",)}, "s1", "k1 k2", "a1 a2", "m1 m2"),
    ],
)
def test_objects_are_chosen_by_their_meters(asked, sites: str, connections: str, accounts: str, meters: str) -> None:
    asked = dict(asked)
    filters = replace(Filters.of(commodity=asked.pop("commodity", None)), **asked)
    for noun, found in (("sites", sites), ("connections", connections), ("accounts", accounts), ("meters", meters)):
        assert Question(filters).answer(noun, THINGS).iloc[:, 0].tolist() == found.split(), noun


def test_unknown_words_are_said_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="service_period, bill_date, created, updated"):
        Filters.of(by="invoice_date")
    for given in ("POWER", ["GAS", "POWER"], [None], 7, {"commodity": "GAS"}):
        with pytest.raises(InvalidRequestError, match="ELECTRICITY, GAS"):
            Filters.of(commodity=given)
    with pytest.raises(InvalidRequestError, match="the list is empty"):
        Filters.of(commodity=[])
    assert Filters.of(commodity="gas").commodities == ("GAS",)


def test_what_means_nothing_for_a_noun_is_refused_by_name() -> None:
    nectar = connect(sandbox=Sandbox(sites=2, months=1))
    company = nectar.companies().iloc[0]
    for noun in ("sites", "connections", "accounts", "meters", "identifiers"):
        for name in ("start", "end", "by"):
            with pytest.raises(
                InvalidRequestError, match=f"{noun} cannot be filtered by {name}: an? .* no service period"
            ):
                getattr(nectar, noun)(company, **{name: "2025"})
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
            getattr(nectar, noun)(company, colour="red")


def test_the_client_asks_of_several_sites_what_it_says_of_all() -> None:
    nectar = connect(sandbox=Sandbox(sites=6, months=2))
    company = nectar.companies().iloc[0]
    sites = nectar.sites(company).head(2)
    ids = set(sites["site_id"])
    alone = pd.concat([nectar.usage(company, site=one) for one in ids])
    both = nectar.usage(company, site=sites, commodity=["electricity", "gas", "water"])
    assert set(both["usage_id"]) == set(alone.loc[alone["commodity"].isin(["ELECTRICITY", "GAS", "WATER"]), "usage_id"])
    assert set(both["site_id"]) == ids
    assert set(nectar.sites(company, site=list(ids))["site_id"]) == ids
    meters = nectar.meters(company, site=sites, commodity=["GAS", "WATER"])
    assert set(meters["site_id"]) <= ids
    accounts = nectar.accounts(company, site=sites, commodity=["GAS", "WATER"])
    assert set(accounts["account_id"]) == set(meters["account_id"].dropna())
    connections = nectar.connections(company, site=sites, commodity=["GAS", "WATER"])
    assert set(connections["connection_id"]) == set(accounts["connection_id"])
    one = connections["connection_id"].iloc[0]
    assert nectar.connections(company, connection=one)["connection_id"].tolist() == [one]

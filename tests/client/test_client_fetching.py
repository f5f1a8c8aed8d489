"""What is asked of the wire, and what is not: over a real socket, against a hand-written API."""

from __future__ import annotations

import json
import warnings

import pandas as pd
import pytest
from client.hand_written_api import KEY, account

from nectar_notebooks import CacheWarning, NectarError
from nectar_notebooks.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    OfflineError,
    PermissionDeniedError,
)
from nectar_notebooks.schema.tables import DTYPES, TABLES

NOUNS = [name for name in TABLES if name != "companies"]


def ask(nectar, noun: str, **question):
    return getattr(nectar, noun)(**question)


def test_every_noun_has_the_columns_and_dtypes_of_its_table(join) -> None:
    nectar = join()
    for noun, table in TABLES.items():
        frame = ask(nectar, noun)
        assert tuple(frame.columns) == table.names
        for column in table.columns:
            shown = str(frame[column.name].dtype)
            assert shown == {"text": "str"}.get(column.kind, DTYPES[column.kind]), (noun, column.name)
        assert len(frame) > 0, noun


def test_an_empty_company_gives_the_same_columns_and_dtypes(api, join) -> None:
    api.state["visible"] = {KEY: ("c1", "c2")}
    nectar = join()
    for noun in NOUNS:
        full, empty = ask(nectar, noun, company="c1"), ask(nectar, noun, company="c2")
        assert len(empty) == 0
        assert empty.dtypes.to_dict() == full.dtypes.to_dict(), noun


def test_the_second_call_touches_no_network_also_in_another_connection(api, join) -> None:
    nectar = join()
    first = {noun: ask(nectar, noun) for noun in TABLES}
    assert api.take_log()
    for noun, frame in first.items():
        pd.testing.assert_frame_equal(frame, ask(join(), noun), obj=noun)
    assert api.take_log() == []


def test_one_noun_of_a_bill_brings_them_all(api, join) -> None:
    nectar = join()
    nectar.bills()
    api.take_log()
    for noun in NOUNS:
        ask(nectar, noun)
    nectar.portfolio()
    nectar.bills(start="2020-01", by="bill_date")
    assert api.take_log() == []


def test_at_most_the_requests_that_are_needed(api, join) -> None:
    join().bills()
    asked = [path.split("?")[0].split("/", 2)[2] for path in api.take_log()]
    assert sorted(set(asked)) == [
        "company",
        "company/c1",
        "connection/company/c1",
        "document/company/c1",
        "meter/company/c1",
        "meter/m1",
        "meter/m2",
        "usage/company/c1",
    ]
    # two pages and the closing request each, bills also for the deleted ones
    assert asked.count("document/company/c1") == 4
    assert asked.count("usage/company/c1") == 3


def test_what_the_frames_say_is_what_the_api_said(join) -> None:
    portfolio = join().portfolio()
    bill = portfolio.bills.set_index("bill_id").loc["b001"]
    assert (bill["company_id"], bill["utility"], bill["currency"], bill["total_charges"]) == (
        "c1",
        "City Light",
        "USD",
        1.25,
    )
    usage = portfolio.usage.set_index("usage_id").loc["u001"]
    assert (usage["bill_id"], usage["meter_id"], usage["site_id"], usage["usage"]) == ("b001", "m2", "s2", 101.5)
    assert portfolio.line_item_accounts.set_index("line_item_id").loc["b001:0", "account_id"] == "a2"
    assert portfolio.bill_accounts.set_index("bill_id").loc[
        "b001", ["account_id", "connection_id", "via"]
    ].tolist() == [
        "a2",
        "k1",
        "line_item",
    ]
    assert portfolio.meters["meter_id"].tolist() == ["m1", "m2"]
    assert portfolio.meters["account_id"].tolist() == ["a1", "a2"]
    assert portfolio.sites["path"].tolist()[0] == "US / WA"
    assert len(portfolio.time_of_use) == 120
    assert len(portfolio.demand_usage) == 120
    assert portfolio.bills["counts"].all()


def test_a_duplicate_account_does_not_count_and_says_why(api, join) -> None:
    api.state["connections"]["c1"][0]["accounts"][1] = account("a2", ["m2"], isDuplicated="true")
    nectar = join()
    accounts = nectar.accounts().set_index("account_id")
    assert accounts["counts"].tolist() == [True, False]
    assert "duplicate" in accounts.loc["a2", "counts_reason"]
    usage = nectar.usage()
    assert not usage.loc[usage["meter_id"] == "m2", "counts"].any()
    assert usage.loc[usage["meter_id"] == "m1", "counts"].all()


def test_what_a_frame_says_of_its_fetch_is_json(join) -> None:
    nectar = join()
    first = nectar.usage()
    told = first.attrs["nectar"]
    assert json.loads(json.dumps(told)) == told == nectar.last_fetch
    assert (told["source"], told["rows"], told["fetched"]) == ("wire", 120, "2026-01-15T09:00:00+00:00")
    assert told["requests"] > 0
    again = nectar.usage(site="s1")
    assert (again.attrs["nectar"]["source"], again.attrs["nectar"]["requests"]) == ("cache", 0)
    assert again.attrs["nectar"]["rows"] == len(again) == 60


def test_old_rows_are_asked_for_again_and_max_age_says_what_is_old(api, join, clock) -> None:
    nectar = join()
    nectar.bills()
    clock.advance(seconds=23 * 3600)
    api.take_log()
    nectar.bills()
    assert api.take_log() == []
    clock.advance(seconds=2 * 3600)
    nectar.bills()
    assert api.take_log() != []
    clock.advance(days=3)
    join(max_age=None).bills()
    assert api.take_log() == []
    join(max_age=60).bills()
    assert api.take_log() != []
    join(max_age=60).bills()
    assert api.take_log() == [], "just asked"


def test_offline_answers_whatever_the_age_and_touches_nothing(api, join, clock) -> None:
    fetched = join().usage()
    clock.advance(days=400)
    api.take_log()
    offline = join(offline=True)
    pd.testing.assert_frame_equal(offline.usage(), fetched)
    with pytest.raises(OfflineError):
        offline.ping()
    assert api.take_log() == []


def test_offline_says_what_is_missing(api, join) -> None:
    with pytest.raises(OfflineError, match=r"companies of key .* was never fetched"):
        join(offline=True).companies()
    join().connections()
    with pytest.raises(OfflineError, match="of company c1 these were never fetched: company, documents, usage, meters"):
        join(offline=True).bills("c1")


def test_a_new_key_is_admitted_by_one_request_once_it_reads_the_company(api, join) -> None:
    join().bills()
    api.state["visible"]["new-key"] = ("c1",)
    api.take_log()
    rotated = join(key="new-key")
    rotated.bills("c1")
    assert api.take_log() == ["/v2.2/company", "/v2.2/company/c1"]
    join(key="new-key").usage("c1")
    assert api.take_log() == []


def test_a_key_that_may_not_read_a_company_sees_nothing_of_it(api, join) -> None:
    join().bills()
    api.state["visible"]["other-key"] = ("c2",)
    other = join(key="other-key")
    with pytest.raises(NotFoundError):
        other.bills("c1")
    with pytest.raises(PermissionDeniedError):
        other.bills(pd.Series({"company_id": "c1"}))
    with pytest.raises(OfflineError):
        join(key="other-key", offline=True).bills(pd.Series({"company_id": "c1"}))
    with pytest.raises(OfflineError):
        join(key="never-seen", offline=True).bills(pd.Series({"company_id": "c1"}))


def test_a_key_that_is_not_accepted_is_said(join) -> None:
    with pytest.raises(AuthenticationError, match="copied whole"):
        join(key="wrong").companies()


def test_several_companies_must_be_told_apart(api, join) -> None:
    api.state["visible"] = {KEY: ("c1", "c2")}
    nectar = join()
    with pytest.raises(InvalidRequestError, match=r"2 companies: Harbor Foods \(c1\), North Clinic \(c2\)"):
        nectar.bills()
    by_name, by_external_id = nectar.bills("Harbor Foods"), nectar.bills("HF")
    by_row = nectar.bills(nectar.companies().iloc[0])
    by_tuple = nectar.bills(next(nectar.companies().itertuples()))
    for frame in (by_external_id, by_row, by_tuple):
        pd.testing.assert_frame_equal(by_name, frame)
    assert len(nectar.bills(site="Pier 2")) == 60, "a site tells its company"
    assert len(nectar.bills(connection="k1")) == 120


def test_a_company_made_meanwhile_is_found(api, join) -> None:
    nectar = join()
    nectar.companies()
    api.state["visible"] = {KEY: ("c1", "c2")}
    assert len(nectar.sites("North Clinic")) == 0


def test_a_site_of_another_company_is_refused(api, join) -> None:
    api.state["visible"] = {KEY: ("c1", "c2")}
    nectar = join()
    site = nectar.sites("c1").iloc[0]
    with pytest.raises(InvalidRequestError, match="belongs to company c1, not to c2"):
        nectar.usage("c2", site=site)


def test_a_wrong_question_costs_no_request(api, join) -> None:
    nectar = join()
    for question in ({"start": "31.01.2024"}, {"by": "invoice"}, {"commodity": "POWER"}):
        with pytest.raises(InvalidRequestError):
            nectar.line_items("c1", **question)
    assert api.take_log() == []


def test_filters_run_on_what_is_kept(api, join) -> None:
    nectar = join()
    nectar.bills()
    api.take_log()
    assert nectar.usage(start="2016-01", end="2016-02")["usage_id"].tolist() == ["u000", "u001"]
    assert nectar.bills(start="2016-01", end="2016-02", by="bill_date")["bill_id"].tolist() == ["b000", "b001"]
    assert nectar.line_items(site="P2", end="2016-04")["bill_id"].tolist() == ["b001", "b003"]
    assert len(nectar.usage(commodity="gas")) == 0
    assert nectar.meters(site="s1")["meter_id"].tolist() == ["m1"]
    assert nectar.identifiers(site="s1")["meter_id"].tolist() == ["m1"]
    assert nectar.accounts(connection="k1")["account_id"].tolist() == ["a1", "a2"]
    assert api.take_log() == []


def test_bills_without_a_known_account_are_looked_for_in_the_connections_lists(api, join) -> None:
    bill = api.state["documents"]["c1"][0]
    bill["lineItems"][0]["accountIds"] = []
    api.state["usage"]["c1"][0]["meter"] = None
    relation = join().bill_accounts().set_index("bill_id").loc["b000"]
    assert (relation["connection_id"], relation["via"]) == ("k1", "walk")
    assert any("/document/connection/k1" in path for path in api.take_log())


def test_an_upload_belongs_to_no_connection_and_is_not_looked_for(api, join) -> None:
    bill = api.state["documents"]["c1"][0]
    bill["lineItems"][0]["accountIds"] = []
    bill["jobId"] = "job-1"
    api.state["usage"]["c1"][0]["meter"] = None
    relation = join().bill_accounts().set_index("bill_id").loc["b000"]
    assert pd.isna(relation["connection_id"])
    assert not any("/document/connection/" in path for path in api.take_log())


def test_damage_means_a_clean_fetch_and_one_sentence(api, join, tmp_path) -> None:
    nectar = join()
    before = nectar.usage()
    for file in (tmp_path / "cache").rglob("usage.parquet"):
        if file.parent.parent.name == "portfolio":
            file.write_bytes(file.read_bytes()[:100])
    api.take_log()
    with pytest.warns(CacheWarning) as said:
        after = nectar.usage()
    assert len(said) == 1
    assert api.take_log() == [], "the portfolio is made anew from its walks"
    pd.testing.assert_frame_equal(before, after)


def test_damage_of_a_walk_is_fetched_again_and_only_that(api, join, tmp_path) -> None:
    nectar = join()
    before = nectar.usage()
    for file in (tmp_path / "cache").rglob("usage.parquet"):
        file.unlink()
    api.take_log()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        after = nectar.usage()
    assert {path.split("?")[0] for path in api.take_log()} == {"/v2.2/usage/company/c1"}
    pd.testing.assert_frame_equal(before, after)


def test_the_key_is_nowhere_on_disk_nor_in_words(api, join, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    assert KEY not in repr(nectar)
    assert "production" in repr(nectar)
    for file in (tmp_path / "cache").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    api.state["visible"] = {}
    with pytest.raises(NectarError) as caught:
        nectar.refresh()
    assert KEY not in str(caught.value)

"""Narrow questions on the wire: exactly the rows of the whole, for a few requests, kept until they are old."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from client.hand_written_api import document, usage

import nectar_notebooks as nn
from nectar_notebooks.cache.housekeeping import contents
from nectar_notebooks.errors import InterruptedWalkError, OfflineError, ServerError

NOUNS = (
    "bills", "bill_accounts", "line_items", "line_item_accounts", "usage", "time_of_use", "demand", "demand_usage",
)  # fmt: skip
OF_USAGE = ("usage", "time_of_use")
SITE = {"site": "s2"}
JANUARY = {"start": "2017-01", "end": "2017-01"}


def lists(log: list[str]) -> list[str]:
    """Return the requests for bills and usage."""
    return [path for path in log if path.startswith(("/v2.2/document/", "/v2.2/usage/"))]


def kept(folder: Path) -> list[str]:
    """Return what is kept of bills and usage: ``question`` for each answer of a narrow one."""
    words = [resource.split(" ")[0] for resource in contents(folder)["resource"]]
    return sorted(word for word in words if word in ("documents", "usage", "portfolio", "question"))


# ------------------------------------------------------------------------------------------ the same rows


def random_question(draw: random.Random, sites: pd.DataFrame, connections: pd.DataFrame) -> dict[str, Any]:
    question: dict[str, Any] = {}
    if draw.random() < 0.5:
        question["site"] = sites.iloc[draw.randrange(len(sites))]
    if draw.random() < 0.25 and len(connections):
        question["connection"] = connections.iloc[draw.randrange(len(connections))]
    if draw.random() < 0.3:
        question["commodity"] = draw.choice(["ELECTRICITY", "GAS", "WATER", "WASTE"])
    if "site" not in question or draw.random() < 0.7:
        question["by"] = draw.choice(["service_period", "bill_date", "created", "updated"])
        start = pd.Timestamp("2024-08-01") + pd.Timedelta(days=draw.randrange(530))
        ends = {"start": start.date(), "end": (start + pd.Timedelta(days=draw.choice([0, 5, 31, 100, 400]))).date()}
        question |= {name: ends[name] for name in draw.choice([("start",), ("end",), ("start", "end")])}
    return question


@pytest.mark.parametrize(
    ("documented_only", "switches"),
    [
        (False, {}),
        (False, {"updated_end_day": "included", "decimals": "number", "document_commodity_filter": "datasourceTypes"}),
        (False, {"bill_date": "period_end", "is_deleted": "only", "usage_shape": "guide"}),
        (True, {}),
    ],
    ids=["likeliest", "the other way", "the guide's", "documented only"],
)
def test_a_narrow_answer_is_the_whole_one_filtered(tmp_path, times, documented_only, switches) -> None:
    sandbox = nn.Sandbox(seed=3, sites=6, months=14, documented_only=documented_only, switches=switches)
    for change in ("bill_revised", "bill_deleted", "meter_moved"):
        sandbox.scenario(change)
    whole = nn.connect(sandbox=sandbox)
    draw = random.Random(f"{documented_only} {switches}")
    companies = whole.companies()
    asked, narrow = times(3, 80), 0
    for number in range(asked):
        company = companies.iloc[draw.randrange(len(companies))]
        whole.portfolio(company)
        question = random_question(draw, whole.sites(company), whole.connections(company))
        fresh = nn.connect(sandbox=sandbox, cache_dir=tmp_path / str(number))
        for noun in NOUNS:
            told = f"{noun} of {question}"
            frame = getattr(fresh, noun)(company, **question)
            pd.testing.assert_frame_equal(frame, getattr(whole, noun)(company, **question), obj=told)
            assert frame.attrs["nectar"]["source"] == "wire" or noun != NOUNS[0]
        narrow += "portfolio" not in kept(tmp_path / str(number))
    assert narrow >= asked // 3
    sandbox.close()
    print(f"soak: cache: {narrow:,} of {asked:,} random questions answered narrowly ({switches or documented_only})")


def test_requests_are_few_where_the_whole_takes_many(tmp_path) -> None:
    sandbox = nn.Sandbox(seed=3, sites=24, months=36)
    company = nn.connect(sandbox=sandbox).companies().iloc[0]

    def spent(number: int, ask: Callable[[nn.Nectar], object]) -> int:
        nectar = nn.connect(sandbox=sandbox, cache_dir=tmp_path / str(number))
        before = len(sandbox.journal)
        ask(nectar)
        return len(sandbox.journal) - before

    whole = spent(0, lambda nectar: nectar.portfolio(company))
    month = spent(1, lambda nectar: nectar.usage(company, start="2024-03", end="2024-03"))
    date = spent(2, lambda nectar: nectar.bills(company, start="2025-11-10", end="2025-11-20", by="bill_date"))
    assert whole >= 8 * month
    assert whole >= 6 * date
    sandbox.close()


# ------------------------------------------------------------------------------------------ how it is kept


@pytest.mark.parametrize("question", [SITE, JANUARY, {**JANUARY, "by": "bill_date"}, {"start": "2025-06"}])
def test_the_second_time_is_free_for_every_noun_and_connection(api, join, tmp_path, question) -> None:
    first = {noun: getattr(join(), noun)(**question) for noun in NOUNS}
    assert lists(api.take_log())
    for noun, frame in first.items():
        assert len(frame) > 0
        pd.testing.assert_frame_equal(frame, getattr(join(), noun)(**question), obj=noun)
    assert api.take_log() == []
    assert kept(tmp_path / "cache") == ["question"]


def test_a_question_within_a_kept_one_is_free_and_one_beside_it_is_not(api, join) -> None:
    nectar = join()
    nectar.bills(start="2017-01", end="2018-12", by="bill_date")
    api.take_log()
    assert len(nectar.bills(start="2017-03", end="2017-04", by="bill_date")) == 2
    assert len(nectar.usage(start="2017-03", end="2018-04", by="bill_date", site="s1", commodity="ELECTRICITY")) == 7
    assert api.take_log() == []
    assert len(nectar.bills(start="2017-03", end="2019-01", by="bill_date")) == 23
    assert lists(api.take_log())


def test_usage_of_a_month_does_not_pass_for_its_bills(api, join) -> None:
    api.state["documents"]["c1"].append({**document("b900", "2017-01-20", "a1", "9.00", []), "startDate": "2017-01-02"})
    nectar = join()
    assert nectar.usage(**JANUARY)["usage_id"].tolist() == ["u012"]
    assert nectar.bills(**JANUARY)["bill_id"].tolist() == ["b012", "b900"], "one has no usage"


def test_it_expires_and_is_never_refreshed_by_changes(api, join, clock, tmp_path) -> None:
    join().usage(**SITE)
    clock.advance(days=2)
    api.state["usage"]["c1"][1]["usage"] = "7"  # and nothing says that it was updated
    api.take_log()
    frame = join().usage(**SITE)
    assert frame.set_index("usage_id").loc["u001", "usage"] == 7.0
    assert not any("UPDATED_DATE" in path for path in api.take_log())
    assert kept(tmp_path / "cache") == ["question"]


def test_the_whole_takes_its_place(api, join, tmp_path) -> None:
    nectar = join()
    nectar.usage(**SITE)
    nectar.portfolio()
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]
    api.take_log()
    nectar.usage(**SITE)
    nectar.bills(**JANUARY)
    assert api.take_log() == []


def test_what_is_kept_whole_is_filtered_and_refreshed_never_asked_narrowly(api, join, clock, tmp_path) -> None:
    join().portfolio()
    clock.advance(days=2)
    api.take_log()
    join().usage(**SITE)
    assert not any("/site/" in path for path in api.take_log())
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_who_asks_again_and_again_gets_the_whole(api, join, tmp_path) -> None:
    nectar = join()
    for month in ("2017-01", "2017-02", "2017-03"):
        nectar.usage(start=month, end=month)
    assert kept(tmp_path / "cache") == ["question"] * 3
    assert nectar.usage(start="2017-04", end="2017-04")["usage_id"].tolist() == ["u015"]
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_offline_answers_what_it_covers_and_says_the_rest(api, join, clock) -> None:
    fetched = join().usage(**SITE)
    clock.advance(days=400)
    api.take_log()
    offline = join(offline=True)
    pd.testing.assert_frame_equal(offline.usage("c1", **SITE), fetched)
    assert offline.bills("c1", **SITE, start="2017-02", end="2017-02")["bill_id"].tolist() == ["b013"]
    for question in ({}, {"site": "s1"}, JANUARY):
        with pytest.raises(OfflineError, match="never fetched: documents, usage, meters"):
            offline.usage("c1", **question)
    assert api.take_log() == []


def test_another_key_does_not_meet_it(api, join) -> None:
    join().usage("c1", **SITE)
    api.state["visible"]["other-key"] = ("c1",)
    api.take_log()
    join(key="other-key").usage("c1", **SITE)
    assert lists(api.take_log())
    row = pd.Series({"site_id": "s2", "company_id": "c1"})
    with pytest.raises(OfflineError):
        join(key="never-seen", offline=True).usage(pd.Series({"company_id": "c1"}), site=row)


def test_a_write_drops_it(api, join) -> None:
    """This API answers a write with 501, so that nobody knows whether it was carried out."""
    nectar = join()
    nectar.usage(**SITE)
    with pytest.raises(ServerError):
        nectar.create_site("Annex", "c1")
    api.take_log()
    nectar.usage(**SITE)
    assert lists(api.take_log())


@pytest.mark.parametrize("noun", ["bills", "connections"])
def test_an_event_drops_it_and_tells_whoever_watches(api, join, noun) -> None:
    nectar = join()
    nectar.usage(**SITE)
    told: list[str] = []
    nectar.on_change(lambda change: told.append(change.noun))
    assert nectar.catch_up("c1", noun)
    assert told == [noun]
    api.take_log()
    nectar.usage(**SITE)
    assert lists(api.take_log())


def test_a_refresh_of_all_drops_it_and_of_a_company_fetches_the_whole(api, join, tmp_path) -> None:
    nectar = join()
    nectar.usage(**SITE)
    assert len(nectar.refresh()) == 0
    assert kept(tmp_path / "cache") == []
    nectar.usage(**SITE)
    assert len(nectar.refresh("c1")) == 1
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_a_damaged_one_is_asked_for_again(api, join, tmp_path) -> None:
    nectar = join()
    before = nectar.usage(**SITE)
    for file in (tmp_path / "cache").rglob("question/**/usage.parquet"):
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.warns(nn.CacheWarning, match="dropped and is fetched again"):
        after = nectar.usage(**SITE)
    pd.testing.assert_frame_equal(before, after)


def test_an_answer_that_another_release_named_otherwise_is_asked_for_again(api, join, tmp_path) -> None:
    told = join().usage("c1", **JANUARY)
    [manifest] = (tmp_path / "cache").rglob("manifest.sqlite3")
    with sqlite3.connect(manifest) as connection:
        connection.execute("""UPDATE snapshots SET resource='question {"of": "another release"}'
                              WHERE resource LIKE 'question %'""")
    connection.close()
    api.log.clear()
    pd.testing.assert_frame_equal(join().usage("c1", **JANUARY), told)
    assert lists(api.log)


def test_a_change_of_the_sandbox_makes_it_old() -> None:
    sandbox = nn.Sandbox(seed=3, sites=6, months=4)
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    question = {"start": "2026-01", "by": "created"}
    before = nectar.bills(company, **question)
    sandbox.advance(days=40)
    assert len(nectar.bills(company, **question)) > len(before)
    sandbox.close()


# ------------------------------------------------------------------------------------------ when it is refused


@pytest.fixture
def tamper(api) -> Iterator[Callable[[str, Callable[[dict[str, Any]], None]], None]]:
    """Let a list of the API answer otherwise than documented."""
    original = api.answer

    def change(path: str, how: Callable[[dict[str, Any]], None]) -> None:
        def answer(handler: Any) -> tuple[int, Any]:
            status, body = original(handler)
            if path in handler.path:
                how(body)
            return status, body

        api.answer = answer

    yield change
    api.answer = original


def without_first(name: str) -> Callable[[dict[str, Any]], None]:
    def how(body: dict[str, Any]) -> None:
        body[name] = body[name][1:]
        body[f"total{name[0].upper()}{name[1:]}"] -= 1

    return how


def unnamed(body: dict[str, Any]) -> None:
    for row in body["documents"]:
        row["usageData"].clear()


def another_amount(body: dict[str, Any]) -> None:
    for row in body["documents"]:
        for own in row["usageData"]:
            own |= {**usage(own["id"], row["id"], "m2", "s2", row["billDate"], row["billDate"], "1")}


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/usage/site/", without_first("usageData")),
        ("/document/site/", without_first("documents")),
        ("/document/site/", unnamed),
        ("/document/site/", another_amount),
    ],
    ids=["usage left out", "a bill left out", "bills without their usage", "other usage on the bill"],
)
def test_lists_that_do_not_fit_give_the_whole(api, join, tmp_path, tamper, path, how) -> None:
    rows = api.state["documents"]["c1"]
    rows[:] = [{**row, "usageData": [dict(one) for one in row["usageData"]]} for row in rows]
    if how is not unnamed:  # a bill tells its usage, so that what a list leaves out is noticed
        for row, own in zip(rows, api.state["usage"]["c1"], strict=True):
            row["usageData"] = [{name: value for name, value in own.items() if name != "document"}]
    expected = join(cache_dir=tmp_path / "other").portfolio()
    api.take_log()
    tamper(path, how)
    nectar = join()
    frame = nectar.usage(**SITE)
    assert len(frame) == 60
    assert frame["usage_id"].tolist() == expected.usage.loc[expected.usage["site_id"] == "s2", "usage_id"].tolist()
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]
    assert frame.attrs["nectar"]["requests"] == len(api.take_log())


def test_bills_without_a_date_give_the_whole(api, join, tmp_path) -> None:
    bill = {**document("b900", "2017-01-20", "a1", "9.00", []), "startDate": "2017-01-02", "billDate": ""}
    api.state["documents"]["c1"].append(bill)
    original = api.within
    api.within = lambda name, company_id, query: [
        row
        for row in original(name, company_id, query)
        if not (row["id"] == "b900" and query.get("dateType") == "BILL_DATE")
    ]
    assert "b900" in set(join().bills(**JANUARY)["bill_id"])
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_a_list_that_is_not_there_gives_the_whole(api, join, tmp_path) -> None:
    original = api.answer
    api.answer = lambda handler: (404, {"detail": "Not found."}) if "/site/" in handler.path else original(handler)
    assert len(join().usage(**SITE)) == 60
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_what_changes_between_two_pages_gives_the_whole(api, join, tmp_path) -> None:
    """One bill comes and one goes while pages are read: totals agree, and the closing request tells."""
    late = {"created": "2026-01-15T09:00:10Z", "updated": "2026-01-15T09:00:10Z"}

    def swap(number: int, path: str) -> None:
        if "/document/company/c1" in path and "page=2" in path and not api.state.get("swapped"):
            api.state["swapped"] = True
            del api.state["documents"]["c1"][50], api.state["usage"]["c1"][50]
            api.state["documents"]["c1"].append({**document("b905", "2026-01-12", "a1", "1.00", ["u905"]), **late})
            api.state["usage"]["c1"].append(
                {**usage("u905", "b905", "m1", "s1", "2026-01-01", "2026-01-09", "7"), **late}
            )

    api.before_answer = swap
    bills = join().bills(start="2016-01", by="bill_date")
    assert bills["bill_id"].tolist() == sorted({*(f"b{number:03}" for number in range(120)), "b905"} - {"b050"})
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]


def test_a_broken_one_goes_on_where_it_stopped(api, join) -> None:
    original = api.answer
    down = {"on": True}

    def answer(handler: Any) -> tuple[int, Any]:
        if down["on"] and "/usage/company/" in handler.path and "page=2" in handler.path:
            return 500, {"detail": "made up"}
        return original(handler)

    api.answer = answer
    with pytest.raises(InterruptedWalkError) as caught:
        join().usage(start="2016-01", by="bill_date")
    assert caught.value.finished_pages == 1
    assert len(caught.value.rows) == 100
    down["on"] = False
    api.take_log()
    assert len(caught.value.resume()) == 120
    assert not any("BILL_DATE" in path and "/usage/company/" in path and "page=1&" in path for path in api.take_log())


@pytest.mark.parametrize("version", ["v2.1", "v2.0"])
def test_older_versions_are_asked_for_the_whole(tmp_path, version) -> None:
    sandbox = nn.Sandbox(seed=3, sites=3, months=3)
    nectar = nn.connect(sandbox=sandbox, version=version, cache_dir=tmp_path)
    nectar.usage(nectar.companies().iloc[0], start="2025-12")
    assert "question" not in kept(tmp_path)
    sandbox.close()


def test_a_connection_or_a_commodity_alone_is_answered_from_the_whole(join, tmp_path) -> None:
    join().bills(connection="k1", commodity="ELECTRICITY")
    assert kept(tmp_path / "cache") == ["documents", "portfolio", "usage"]

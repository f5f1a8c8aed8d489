"""`Portfolio.as_of`: the time of the API's oldest answer by its own Date header, over real sockets and in process."""

from __future__ import annotations

import http.client
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from client.hand_written_api import HandWrittenApi, document, usage

import nectar_notebooks as nn
from nectar_notebooks import Nectar
from nectar_notebooks.errors import InterruptedWalkError

MORNING = "Wed, 14 Jan 2026 08:00:00 GMT"
NOON = "Wed, 14 Jan 2026 12:00:00 GMT"
NEXT_DAY = "Thu, 15 Jan 2026 07:30:00 GMT"


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def test_it_is_the_oldest_answer_whatever_the_clocks_of_this_machine_say(
    api: HandWrittenApi, join: Callable[..., Nectar]
) -> None:
    api.date = lambda path: MORNING if "/document/" in path else NOON
    portfolio = join().portfolio("c1")
    assert portfolio.as_of == utc("2026-01-14 08:00")
    assert str(portfolio.as_of.tz) == "UTC"
    assert "as_of" not in dict(portfolio), "it is no table"
    assert portfolio.bill("b001").as_of == portfolio.as_of


def test_rows_from_the_cache_keep_the_time_of_their_answer(
    api: HandWrittenApi, join: Callable[..., Nectar], clock: nn.FrozenClock
) -> None:
    api.date = lambda path: MORNING
    join().portfolio("c1")
    api.date = lambda path: NEXT_DAY
    clock.advance(seconds=3600)
    api.take_log()
    assert join().portfolio("c1").as_of == utc("2026-01-14 08:00")
    assert api.take_log() == []
    assert join(offline=True).portfolio("c1").as_of == utc("2026-01-14 08:00")


def test_a_refresh_by_changes_counts_as_an_answer(
    api: HandWrittenApi, join: Callable[..., Nectar], clock: nn.FrozenClock
) -> None:
    api.date = lambda path: MORNING
    join().portfolio("c1")
    api.date = lambda path: NEXT_DAY
    clock.advance(seconds=3600)
    join().refresh("c1")
    assert join().portfolio("c1").as_of == utc("2026-01-15 07:30"), "nothing had changed"
    api.state["documents"]["c1"].append(document("b900", "2026-01-05", "a1", "9.00", ["u900"]))
    api.state["usage"]["c1"].append(usage("u900", "b900", "m1", "s1", "2025-12-01", "2025-12-31", "7"))
    for rows in (api.state["documents"]["c1"], api.state["usage"]["c1"]):
        rows[-1]["updated"] = "2026-01-15T10:30:00Z"
    api.date = lambda path: "Thu, 15 Jan 2026 11:00:00 GMT"
    join().refresh("c1")
    portfolio = join().portfolio("c1")
    assert "b900" in portfolio.bills["bill_id"].tolist()
    assert portfolio.as_of == utc("2026-01-15 11:00")


def test_pages_of_an_interrupted_walk_keep_the_time_of_their_answer(
    api: HandWrittenApi, join: Callable[..., Nectar]
) -> None:
    api.date = lambda path: MORNING

    def break_the_second_page(number: int, path: str) -> None:
        if "/document/company/c1" in path and "page=1" in path:
            api.broken[number + 1] = "400"

    api.before_answer = break_the_second_page
    with pytest.raises(InterruptedWalkError):
        join().portfolio("c1")
    api.before_answer = lambda number, path: None
    api.date = lambda path: NEXT_DAY
    assert join().portfolio("c1").as_of == utc("2026-01-14 08:00")


@pytest.mark.parametrize(
    "header",
    [None, "yesterday", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 99 Jan 2026"],
)
def test_without_a_date_that_can_be_meant_it_is_the_client_s_clock_and_said(
    api: HandWrittenApi, join: Callable[..., Nectar], header: str | None
) -> None:
    api.date = lambda path: header if "/usage/" in path else NEXT_DAY
    with pytest.warns(UserWarning, match="by this client's clock"):
        portfolio = join().portfolio("c1")
    assert portfolio.as_of == utc("2026-01-15 07:30"), "the rest said so, and the clock stands later"
    api.date = lambda path: header
    join().refresh("c1")
    with pytest.warns(UserWarning, match="Date header"):
        portfolio = join().portfolio("c1")
    assert portfolio.as_of == utc("2026-01-15 09:00")


def test_other_spellings_of_a_date_are_read(api: HandWrittenApi, join: Callable[..., Nectar]) -> None:
    api.date = lambda path: "Wednesday, 14-Jan-26 08:00:00 GMT" if "/usage/" in path else "Wed Jan 14 09:00:00 2026"
    assert join().portfolio("c1").as_of == utc("2026-01-14 08:00")


@pytest.mark.parametrize("way", ["in process", "served"])
def test_an_embedded_sandbox_tells_its_own_time(way: str, tmp_path: Path) -> None:
    sandbox = nn.Sandbox(seed=3, sites=2, months=2)
    sandbox.advance(days=3)
    now = pd.Timestamp(sandbox.clock.now())
    with sandbox.serve(0) as served:
        nectar = (
            nn.connect(sandbox=sandbox)
            if way == "in process"
            else nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path)
        )
        company = nectar.companies().iloc[0]
        assert nectar.portfolio(company).as_of == now
        sandbox.advance(days=2)
        nectar.refresh(company)
        assert nectar.portfolio(company).as_of == now + pd.Timedelta(days=2)


@pytest.mark.parametrize(
    "path", ["/v2.2/ping", "/v2.2/nothing", "/openapi.json", "/bills/none.pdf", "/p/i/none", "/%00"]
)
def test_every_answer_of_a_served_embedded_sandbox_has_one_date_and_it_is_the_sandbox_s(path: str) -> None:
    sandbox = nn.Sandbox(seed=3, sites=1, months=1)
    with sandbox.serve(0) as served:
        connection = http.client.HTTPConnection(urlsplit(served.url).netloc)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
    assert answer.headers.get_all("Date") == ["Thu, 15 Jan 2026 09:00:00 GMT"]


def test_a_portfolio_of_an_embedded_sandbox_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nectar = nn.connect(sandbox=nn.Sandbox(seed=3, sites=1, months=1))
        assert nectar.portfolio(nectar.companies().iloc[0]).as_of == utc("2026-01-15 09:00")


def test_a_portfolio_made_by_hand_has_none() -> None:
    nectar = nn.connect(sandbox=nn.Sandbox(seed=3, sites=1, months=1))
    assert nn.Portfolio(**dict(nectar.portfolio(nectar.companies().iloc[0]))).as_of is None


def test_periods_are_judged_by_the_day_of_the_answer() -> None:
    sandbox = nn.Sandbox(clock="2035-03-10", sites=2, months=4)
    nectar = nn.connect(sandbox=sandbox)
    usage = nectar.portfolio(nectar.companies()["company_id"].iloc[0]).usage
    assert not usage["counts_reason"].str.startswith("period outside").any()
    sandbox.close()

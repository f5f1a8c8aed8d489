"""Two embedded sandboxes never answer for each other: in one process, in two, in process and served, in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import NetworkError, OfflineError

BILLS = """\
Account Number,Meter Number,Service Type,Start Date,End Date,Usage,Unit,Amount
A-1,M-1,Electricity,2025-01-01,2025-01-31,100,kWh,25.00
A-1,M-1,Electricity,2025-02-01,2025-02-28,90,kWh,22.50
"""
SMALL = {"sites": 1, "months": 2}
WORLDS = {
    "the same again": {},
    "another seed": {"seed": 5},
    "another start": {"clock": "2025-06-15T09:00:00Z"},
    "a switch": {"switches": {"bill_date": "period_end"}},
    "another switch": {"switches": {"decimals": "number"}},
    "documented only": {"documented_only": True},
}
worlds = pytest.mark.parametrize("other", WORLDS.values(), ids=WORLDS)


def world(**more: object) -> nn.Sandbox:
    return nn.Sandbox(**{"seed": 3, **SMALL, **more})  # type: ignore[arg-type]


def assert_says(nectar: nn.Nectar, truth: nn.Nectar, *, but: tuple[str, ...] = ()) -> None:
    """Hold every table of every company, and the statuses seen, to those of a client that kept nothing."""
    pd.testing.assert_frame_equal(nectar.companies(), truth.companies())
    for company in truth.companies()["company_id"].iloc[:2]:
        told = truth.portfolio(company)
        for name, frame in nectar.portfolio(company):
            left = frame.drop(columns=list(but), errors="ignore")
            pd.testing.assert_frame_equal(left, getattr(told, name).drop(columns=list(but), errors="ignore"), obj=name)
        pd.testing.assert_frame_equal(nectar.status_history(company), truth.status_history(company))


# ------------------------------------------------------------------------------------------------ in one process


@worlds
def test_two_worlds_of_one_process_share_a_named_folder_and_no_row(tmp_path: Path, other) -> None:
    one, two = world(), world(**other)
    one.advance(days=2)
    for sandbox in (one, two):
        assert_says(nn.connect(sandbox=sandbox, cache_dir=tmp_path), nn.connect(sandbox=sandbox))


@pytest.mark.parametrize("max_age", [86400, None])
def test_a_sandbox_that_was_reset_is_another_one(tmp_path: Path, max_age) -> None:
    sandbox = world()
    nectar = nn.connect(sandbox=sandbox, cache_dir=tmp_path, max_age=max_age)
    company = nectar.companies().iloc[0]
    nectar.portfolio(company)
    sandbox.advance(days=40)
    sandbox.scenario("bill_revised")
    nectar.refresh(company)
    sandbox.reset()
    assert_says(nectar, nn.connect(sandbox=world()))
    assert nectar.status_history(company)["seen"].dt.day.unique().tolist() == [15]


# --------------------------------------------------------------------------------------------------- in two processes

ASK = """
import json, sys
import nectar_notebooks as nn
from nectar_notebooks.errors import NetworkError, OfflineError
what = json.loads(sys.argv[1])
days, bills = what.pop("days", 0), what.pop("bills", None)
sandbox = nn.Sandbox(**what)
if bills:
    sandbox.load_bills(bills)
sandbox.advance(days=days)
nectar = nn.connect(sandbox=sandbox)
companies = nectar.companies()
requests = nectar.last_fetch["requests"]
portfolios = [nectar.portfolio(one) for one in companies["company_id"]]
seen = [str(day) for one in companies["company_id"] for day in nectar.status_history(one)["seen"]]
print(json.dumps({
    "companies": companies["company_id"].tolist(), "requests": requests, "seen": seen,
    "bills": [[str(row) for row in one.bills.itertuples(index=False)] for one in portfolios],
    "items": [len(one.line_items) for one in portfolios],
}))
"""


def environment(**more: object) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
    return {**kept, **{name: str(value) for name, value in more.items()}}


def ask(folder: Path, *, cache: Path | None = None, **what: object) -> dict[str, object]:
    more = {} if cache is None else {"NECTAR_CACHE_DIR": cache}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", ASK, json.dumps(what)],
        capture_output=True, text=True, env=environment(**more), cwd=folder, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    answer: dict[str, object] = json.loads(run.stdout)
    return answer


def test_worlds_of_two_processes_share_a_named_folder_and_no_row(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(BILLS)
    cache, first = tmp_path / "cache", {"seed": 3, **SMALL}
    others: list[dict[str, object]] = [{"days": 2}, {}, {"documented_only": True}, {"bills": "bills.csv"}]
    for other in others:
        assert ask(tmp_path, cache=cache, **{**first, **other}) == ask(tmp_path, **{**first, **other}), other
    assert list(cache.iterdir()) == [], "rows of an embedded sandbox go with its process"


def test_the_demo_of_own_bills_shows_those_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(BILLS)
    pages = []
    for words in ([], ["--bills", "mine.csv"]):
        run = subprocess.run(
            [sys.executable, "-W", "error", "-m", "nectar_notebooks", "demo", *words],
            capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
            env=environment(NECTAR_CACHE_DIR=tmp_path / "cache", NO_COLOR="1", COLUMNS="100"),
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        pages.append(run.stdout)
    invented = nn.connect(sandbox=nn.Sandbox()).companies()["name"]
    assert any(name in pages[0] for name in invented)
    assert not any(name in pages[1] for name in invented)
    assert "47.50" in pages[1]


# ----------------------------------------------------------------------------------------------------------- served


@pytest.fixture
def join(tmp_path: Path) -> Callable[..., nn.Nectar]:
    def connected(sandbox: nn.Sandbox, url: str, **more: object) -> nn.Nectar:
        place = {"base_url": url, "key": sandbox.key, "cache_dir": tmp_path / "cache", "clock": sandbox.clock}
        return nn.connect(more.pop("environment", "local"), **{**place, **more})  # type: ignore[arg-type]

    return connected


@pytest.mark.served
@pytest.mark.parametrize(
    ("environment", "other"),
    [*(("local", other) for other in WORLDS.values()), ("production", WORLDS["the same again"])],
    ids=[*WORLDS, "asked for as production"],
)
def test_worlds_served_one_after_the_other_at_one_address_share_no_row(join, other, environment) -> None:
    one, two, port, kept = world(), world(**other), 0, None
    one.advance(days=2)
    for sandbox in (one, two):
        with sandbox.serve(port) as served:
            port = served.port
            for nectar in (kept, join(sandbox, served.url, environment=environment)):
                if nectar is not None and sandbox.key == one.key:  # an older client too, where its key fits
                    assert_says(nectar, nn.connect(sandbox=sandbox, clock=nectar.clock), but=("url",))
            kept = nectar


@pytest.mark.served
@pytest.mark.parametrize(
    "change",
    [
        lambda sandbox, file: sandbox.reset(),
        lambda sandbox, file: sandbox.load_bills(file),
        lambda sandbox, file: sandbox.advance(days=40),
        lambda sandbox, file: sandbox.scenario("bill_deleted"),
        lambda sandbox, file: sandbox.scenario("bad_login"),
    ],
    ids=["reset", "loaded", "advanced", "a bill deleted", "a login refused"],
)
def test_a_change_of_a_served_sandbox_is_seen_by_every_client(join, tmp_path: Path, change) -> None:
    (tmp_path / "bills.csv").write_text(BILLS)
    sandbox = world()
    with sandbox.serve() as served:
        nectar = join(sandbox, served.url)
        for company in nectar.companies()["company_id"].iloc[:2]:
            nectar.portfolio(company)
        change(sandbox, tmp_path / "bills.csv")
        for number, client in enumerate((nectar, join(sandbox, served.url))):
            companies = client.companies()["company_id"]
            for company in (companies.iloc[0], companies.iloc[-1]):
                fresh = join(sandbox, served.url, cache_dir=tmp_path / f"fresh-{number}").portfolio(company)
                for name, frame in client.portfolio(company):
                    pd.testing.assert_frame_equal(frame, getattr(fresh, name), obj=name)


@pytest.mark.served
def test_asking_a_served_sandbox_twice_is_free(join) -> None:
    sandbox = world()
    with sandbox.serve() as served:
        nectar = join(sandbox, served.url)
        company = nectar.companies().iloc[0]
        nectar.portfolio(company)
        asked = len(sandbox.journal)
        for client in (nectar, join(sandbox, served.url)):
            assert client.portfolio(company).bills.attrs["nectar"]["source"] == "cache"
            assert client.last_fetch["requests"] == 0
        assert len(sandbox.journal) == asked


@pytest.mark.served
def test_offline_says_what_the_sandbox_there_said_last(join) -> None:
    one, two = world(), world(seed=5)
    with one.serve(fixed_key=True) as served:
        join(one, served.url).portfolio(join(one, served.url).companies().iloc[0])
        url, port = served.url, served.port
    away = join(one, url, offline=True)
    assert len(away.portfolio(away.companies().iloc[0]).bills) > 0
    with two.serve(port, fixed_key=True) as served:
        join(two, served.url).companies()
    with pytest.raises(OfflineError):
        join(one, url, offline=True).companies()
    away = join(two, url, offline=True)
    pd.testing.assert_frame_equal(away.companies(), nn.connect(sandbox=two).companies())
    with pytest.raises(OfflineError):
        away.portfolio(away.companies().iloc[0])


@pytest.mark.fault
@pytest.mark.served
def test_a_sandbox_that_takes_another_s_place_during_a_walk_is_said(join, tmp_path: Path) -> None:
    """Reset between two pages: an error, then the rows of one state alone."""
    sandbox = nn.Sandbox(seed=3, sites=4, months=24)
    with sandbox.serve() as served:
        nectar = join(sandbox, served.url)
        company = nectar.companies().iloc[0]
        lists, app = [], sandbox.app.wsgi_app

        def answer(environ, start_response):  # the served application, reset once in the middle of a list
            if "/usage/company" in environ["PATH_INFO"]:
                lists.append(environ["QUERY_STRING"])
                if len(lists) == 2:
                    sandbox.reset()
            return app(environ, start_response)

        sandbox.app.wsgi_app = answer
        with pytest.raises(NetworkError, match="took its place"):
            nectar.usage(company)
        fresh = join(sandbox, served.url, cache_dir=tmp_path / "fresh")
        pd.testing.assert_frame_equal(nectar.usage(company), fresh.usage(company))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[str, str]]]:
    """Start `nectar sandbox serve` at one port, in place of the one before; return its address and key."""
    running: list[subprocess.Popen[str]] = []
    ports = ["0"]

    def start(*words: str) -> tuple[str, str]:
        for process in running:
            process.terminate()
            process.communicate(timeout=30)
        running.clear()
        running.append(subprocess.Popen(
            [sys.executable, "-m", "nectar_notebooks", "sandbox", "serve", "--port", ports[0], *words],
            stdout=subprocess.PIPE, text=True, env=environment(PYTHONUNBUFFERED="1"), cwd=tmp_path,
        ))  # fmt: skip
        lines = iter(running[0].stdout.readline, "")  # type: ignore[union-attr]
        line = next(one for one in lines if one.strip().startswith("python:"))
        url, key = line.split('base_url="')[1].split('"')[0], line.split('key="')[1].split('"')[0]
        ports[0] = url.rpartition(":")[2]
        return url, key

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


@pytest.mark.served
def test_worlds_served_by_two_processes_at_one_address_share_no_row(serve, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(BILLS)
    for words in ([], ["--bills", "mine.csv", "--documented-only"], []):
        url, key = serve(*words)
        told = []
        for cache in ("cache", f"fresh {len(words)}"):
            nectar = nn.connect("local", base_url=url, key=key, cache_dir=tmp_path / cache)
            companies = nectar.companies()
            told.append((companies, nectar.sites(companies.iloc[-1]), nectar.connections(companies.iloc[-1])))
            assert nectar.companies().attrs["nectar"]["source"] == "cache"
        for one, other in zip(*told, strict=True):
            pd.testing.assert_frame_equal(one, other)

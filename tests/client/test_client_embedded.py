"""The client on the embedded sandbox: in process and served, everything documented or only that."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from commands import clean_environment

import nectar_notebooks as nn
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.schema.tables import TABLES

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.fixture(scope="module")
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=3, sites=6, months=14)


@pytest.fixture(scope="module")
def portfolio(sandbox: nn.Sandbox) -> nn.Portfolio:
    nectar = nn.connect(sandbox=sandbox)
    return nectar.portfolio(nectar.companies().iloc[0])


def test_without_a_key_it_is_the_embedded_sandbox_and_one_line_says_so(capsys) -> None:
    nectar = nn.connect()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "embedded sandbox" in shown.err
    assert "embedded sandbox" in repr(nectar)
    assert nectar.ping()["status"] == "ok"


def test_asked_for_by_name_it_says_nothing_and_is_the_same_one(capsys, monkeypatch) -> None:
    first, second = nn.connect("local"), nn.connect("local")
    assert capsys.readouterr().err == ""
    first.companies()
    assert second.companies().attrs["nectar"]["source"] == "cache"
    monkeypatch.setenv("NECTAR_SANDBOX_SEED", "2")
    other = nn.connect("local").companies()
    assert set(other["company_id"]).isdisjoint(first.companies()["company_id"])


def test_the_same_words_whenever_it_is_connected(sandbox) -> None:
    shown = {repr(nn.connect(sandbox=sandbox)) for _ in range(3)}
    assert len(shown) == 1
    assert sandbox.key not in shown.pop()


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_an_environment_without_a_key_is_said(environment: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no API key for {environment}"):
        nn.connect(environment)


def test_two_places_at_once_are_refused(sandbox) -> None:
    with pytest.raises(ConfigurationError, match="cannot be combined"):
        nn.connect("production", sandbox=sandbox)


def test_a_cache_folder_that_is_a_file_is_said(sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="cache folder"):
        nn.connect(sandbox=sandbox, cache_dir=tmp_path / "file")


def test_its_rows_go_with_it_unless_a_folder_is_given(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = nn.Sandbox(seed=4, sites=2, months=2)
    nectar = nn.connect(sandbox=own)
    nectar.companies()
    assert len(list(tmp_path.glob("nectar-sandbox-*"))) == 1
    own.close()
    del own, nectar
    gc.collect()
    assert list(tmp_path.glob("nectar-sandbox-*")) == []


def test_a_given_folder_is_kept_and_another_sandbox_meets_none_of_its_rows(tmp_path: Path) -> None:
    for seed in (4, 5):
        nectar = nn.connect(sandbox=nn.Sandbox(seed=seed, sites=2, months=2), cache_dir=tmp_path)
        assert nectar.companies().attrs["nectar"]["source"] == "wire"


def test_every_key_in_one_table_is_found_in_the_other(portfolio: nn.Portfolio) -> None:
    for table, column, other in (
        ("sites", "company_id", "companies"),
        ("connections", "company_id", "companies"),
        ("accounts", "connection_id", "connections"),
        ("meters", "site_id", "sites"),
        ("meters", "account_id", "accounts"),
        ("identifiers", "meter_id", "meters"),
        ("bill_accounts", "bill_id", "bills"),
        ("bill_accounts", "account_id", "accounts"),
        ("usage", "bill_id", "bills"),
        ("usage", "meter_id", "meters"),
        ("usage", "site_id", "sites"),
        ("line_items", "bill_id", "bills"),
        ("line_item_accounts", "line_item_id", "line_items"),
        ("demand", "bill_id", "bills"),
        ("demand_usage", "demand_id", "demand"),
        ("demand_usage", "usage_id", "usage"),
        ("time_of_use", "usage_id", "usage"),
    ):
        named = getattr(portfolio, table)[column].dropna()
        assert set(named) <= set(getattr(portfolio, other)[column]), (table, column)
    assert set(portfolio.bill_accounts["bill_id"]) == set(portfolio.bills["bill_id"])


def test_keys_are_unique(portfolio: nn.Portfolio) -> None:
    for name, table in TABLES.items():
        frame = getattr(portfolio, name)
        assert not frame.duplicated(list(table.key)).any(), name


def test_the_second_call_of_any_noun_reaches_no_application(sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    nectar.portfolio(company)
    before = len(sandbox.journal)
    for name in TABLES:
        getattr(nectar, name)() if name == "companies" else getattr(nectar, name)(company)
    assert len(sandbox.journal) == before


def test_documented_endpoints_alone_are_enough_for_every_noun(portfolio: nn.Portfolio) -> None:
    bare = nn.Sandbox(seed=3, sites=6, months=14, documented_only=True)
    nectar = nn.connect(sandbox=bare)
    for company in nectar.companies().itertuples():
        documented = nectar.portfolio(company)
        if company.company_id == portfolio.companies["company_id"].iloc[0]:
            for name in TABLES:
                mine, full = getattr(documented, name), getattr(portfolio, name)
                # That a bill's answer carries its line items is an assumption of ours.
                assert len(mine) == (0 if name.startswith("line_item") else len(full)), name
                assert mine.dtypes.to_dict() == full.dtypes.to_dict(), name
            assert documented.meters["meter_id"].tolist() == portfolio.meters["meter_id"].tolist()
            assert documented.meters["site_id"].tolist() == portfolio.meters["site_id"].tolist()


@pytest.mark.served
def test_served_and_in_process_give_the_same_frames(sandbox, portfolio: nn.Portfolio, tmp_path: Path) -> None:
    with sandbox.serve() as served:
        nectar = nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path, clock=sandbox.clock)
        for name, frame in nectar.portfolio(portfolio.companies.iloc[0]):
            # Files lie at the address that was asked.
            own, other = (one.drop(columns=["url"], errors="ignore") for one in (frame, getattr(portfolio, name)))
            pd.testing.assert_frame_equal(own, other, obj=name)


@pytest.mark.parametrize("version", ["v2.1", "v2.0"])
def test_older_versions_give_the_same_columns_and_bills(sandbox, portfolio: nn.Portfolio, version: str) -> None:
    older = nn.connect(sandbox=sandbox, version=version)
    company = portfolio.companies.iloc[0]
    assert older.bills(company)["bill_id"].tolist() == portfolio.bills["bill_id"].tolist()
    for name in TABLES:
        frame = getattr(older.portfolio(company), name)
        assert frame.dtypes.to_dict() == getattr(portfolio, name).dtypes.to_dict(), name


def test_nothing_is_said_but_by_whoever_asks(tmp_path: Path) -> None:
    """A notebook's output: the same line, no progress, no warning."""
    code = "import nectar_notebooks as nn; n = nn.connect(); n.portfolio(n.companies().iloc[0])"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
        cwd=tmp_path,
    )
    assert run.stdout == ""
    assert run.stderr == "No API key was found: this is the embedded sandbox, with made-up bills on this machine.\n"

"""What `nectar.usage?` shows, and what a public object lets see of itself."""

from __future__ import annotations

import doctest
import inspect
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES

NOUNS = sorted(name for name in TABLES | OTHER_TABLES if hasattr(nn.Nectar, name))


@pytest.mark.parametrize("noun", [*NOUNS, "invitation"])
def test_a_noun_tells_its_columns_filters_errors_and_an_example(noun: str) -> None:
    method = getattr(nn.Nectar, noun)
    said = inspect.getdoc(method) or ""
    table = (TABLES | OTHER_TABLES).get(noun) or OTHER_TABLES[f"{noun}s"]
    for column in table.columns:
        assert f"``{column.name}`` ({column.kind}{f', {column.unit}' if column.unit else ''}):" in " ".join(
            said.split()
        )
    for section in ("Returns", "Raises"):
        assert f"\n{section}\n{'-' * len(section)}\n" in said
    for name in inspect.signature(method).parameters:
        assert name == "self" or f"\n{name} : " in said or name in ("days", "job"), name
    assert len(max(said.splitlines(), key=len)) <= 120


def test_the_examples_of_the_nouns_run() -> None:
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    examples = [test for noun in NOUNS for test in finder.find(getattr(nn.Nectar, noun), noun, globs={})]
    for test in examples:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    assert sum(bool(test.examples) for test in examples) >= 14


def test_the_version_is_that_of_the_distribution() -> None:
    assert nn.__version__ == version("nectar-notebooks")


@pytest.mark.parametrize("name", [name for name in nn.__all__ if isinstance(getattr(nn, name), ModuleType)])
def test_a_public_module_lets_see_what_is_public(name: str) -> None:
    module = getattr(nn, name)
    assert dir(module) == sorted(module.__all__)
    for one in dir(module):
        assert getattr(module, one) is not None
        assert not one.startswith("_")


def test_a_client_closes_and_is_a_context_manager(tmp_path: Path) -> None:
    with nn.connect("local", cache_dir=tmp_path) as nectar:
        companies = nectar.companies()
    nectar.close()
    assert len(nectar.companies()) == len(companies), "what is asked later opens it again"
    nectar.close()


@pytest.mark.parametrize("made", [nn.BillExplorer, nn.ConnectionDashboard, nn.CoverageDashboard])
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_every_dashboard_writes_what_it_shows_and_replaces_nothing_unasked(made, suffix: str, tmp_path: Path) -> None:
    nectar = nn.connect(sandbox=nn.Sandbox(sites=2, months=2))
    board = made(nectar, nectar.companies().iloc[0])
    path = board.export(tmp_path / f"rows.{suffix}")
    kept = path.read_bytes()
    with pytest.raises(InvalidRequestError, match="overwrite"):
        board.export(path)
    assert path.read_bytes() == kept
    assert board.export(path, overwrite=True) == path
    if suffix == "parquet":
        assert len(pd.read_parquet(path)) == len(board.frame)
    board.close()


def test_a_table_of_a_portfolio_is_found_by_its_name() -> None:
    portfolio = nn.connect("local").portfolio("Bluestem Logistics")
    assert portfolio["bills"] is portfolio.bills
    assert {name for name, _ in portfolio} == set(portfolio.tables)
    for wrong in ("bill", 0, "as_of", "name"):
        with pytest.raises(InvalidRequestError, match=r"There is no table .*Use one of companies, sites"):
            portfolio[wrong]


def test_a_part_of_a_portfolio_says_of_it_what_the_whole_says() -> None:
    portfolio = nn.connect("local").portfolio("Bluestem Logistics")
    whole = nn.monthly(portfolio)
    for noun, key in (("site", "site_id"), ("meter", "meter_id")):
        for one in portfolio[f"{noun}s"][key].iloc[::5]:
            part = getattr(portfolio, noun)(one)
            assert len(part.bills) < len(portfolio.bills)
            found, wanted = (frame[frame[key] == one].reset_index(drop=True) for frame in (nn.monthly(part), whole))
            pd.testing.assert_frame_equal(found, wanted)
            for table, names in (("usage", ["bill_id", "site_id"]), ("meters", ["account_id"])):
                for name in names:
                    known = part[f"{name.removesuffix('_id')}s"][name]
                    assert part[table][name].dropna().isin(known).all(), (table, name)

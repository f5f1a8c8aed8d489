"""`nectar export` as a user meets it: files, what was left out, and sentences in place of tracebacks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.cli import main

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.fixture(scope="module")
def company() -> str:
    """Return the company of the demo portfolio that has a bill with an open issue."""
    nectar = nn.connect("local")
    for found in nectar.companies()["company_id"]:
        if nectar.bills(found)["flagged"].any():
            return str(found)
    raise AssertionError("the demo portfolio has a bill with an open issue")


def test_months_go_to_a_workbook_and_what_is_left_out_beside_it(
    company: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "monthly", "months.xlsx", "--company", company]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["months.xlsx", "months-notes.csv"]
    rows = len(pd.read_excel(tmp_path / "months.xlsx", sheet_name="monthly"))
    assert said[2] == f"{rows:,} rows of monthly"
    notes = pd.read_csv(tmp_path / "months-notes.csv")
    assert notes["reason"].str.startswith("open issue").any()
    assert said[3].startswith(f"{(~notes['exported']).sum():,} left out")

    assert main(["export", "monthly", "months.xlsx", "--company", company]) == 1
    assert "already exists" in capsys.readouterr().err
    assert main(["export", "portfolio-manager", "months.xlsx", "--company", company, "--force", "--by", "month"]) == 0
    assert "rows of Add Bills-Electricity" in capsys.readouterr().out


def test_the_users_tables_are_read(company: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = nn.connect("local").sites(company)["site_id"].iloc[0]
    (tmp_path / "mine.csv").write_text(f"site_id,area,area_unit,cost_centre\n{site},100.5,m2,0042\n")
    assert main(["export", "usage", "usage.parquet", "--company", company, "--sites", "mine.csv"]) == 0
    usage = pd.read_parquet(tmp_path / "usage.parquet")
    assert set(usage.loc[usage["site_id"] == site, "cost_centre"]) == {"0042"}
    capsys.readouterr()
    (tmp_path / "mine.csv").write_text(f"site_id,area\n{site},large\n")
    assert main(["export", "usage", "again.csv", "--company", company, "--sites", "mine.csv"]) == 1
    assert "mine.csv has an area that is not a number" in capsys.readouterr().err
    assert not (tmp_path / "again.csv").exists()


def test_mistakes_end_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "monthly", "months.csv"]) == 1
    assert "Name one with --company" in capsys.readouterr().err
    assert main(["export", "monthly", "months.doc"]) == 1
    assert "End its name in .csv, .xlsx or .parquet" in capsys.readouterr().err
    assert main(["export", "usage", "usage.csv", "--sites", "nowhere.csv"]) == 1
    assert "nowhere.csv" in capsys.readouterr().err

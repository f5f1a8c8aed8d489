"""`nectar demo`: one page that a person reads, whose sums are those of the bills."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nectar_notebooks as nn
from nectar_notebooks.cli import main
from nectar_notebooks.cli.demo import run
from nectar_notebooks.cli.terminal import WIDTH, amount, paragraph, table
from nectar_notebooks.clock import stopwatch

#: Two meters of one account at two sites; 300 kWh and 100 kWh, so that energy is shared 3 to 1.
BILLS = """\
Account,Bill Date,From,Thru,Service,Description,Meter,Usage,Units,Cost,Site
A-1,2025-02-03,2025-01-01,2025-01-31,Electric,Energy charge,M1,300,kWh,30.00,Mill
A-1,2025-02-03,2025-01-01,2025-01-31,Electric,Energy charge,M2,100,kWh,10.00,Yard
A-1,2025-02-03,2025-01-01,2025-01-31,Electric,Customer charge,M1,,,5.00,Mill
A-1,2025-03-03,2025-02-01,2025-02-28,Electric,Energy charge,M1,280,kWh,28.00,Mill
"""


@pytest.fixture
def page(no_settings: None, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["demo"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def sums(page: str) -> dict[str, list[str]]:
    """Return the last table: what the bills say, what was attributed, what was calendarized."""
    lines = page[page.index("SUMS") :].splitlines()[2:]
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[: lines.index("")]]
    return {row[0]: row[1:] for row in rows}


def test_the_demo_is_one_page_of_a_hundred_columns_with_every_section(page: str) -> None:
    heads = ["PORTFOLIO", "CONNECTIONS THAT NEED ACTION", "MONTHLY USAGE AND COST", "WHERE ONE BILL'S MONEY WENT"]
    places = [page.index(head) for head in [*heads, "SUMS", "PICTURES"]]
    assert places == sorted(places)
    assert max(map(len, page.splitlines())) <= WIDTH
    assert "nan" not in page.lower().split()


def test_the_demo_names_two_charts_and_they_are_there(page: str, tmp_path: Path) -> None:
    names = [line.strip() for line in page[page.index("PICTURES") :].splitlines()[1:]]
    assert names == [str(Path("build/demo") / name) for name in ("monthly-usage.png", "bill-charges.png")]
    for name in names:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_demo_s_sums_agree_on_the_seeded_portfolio(page: str) -> None:
    for label, values in sums(page).items():
        assert len(set(values)) == 1, label


def test_the_demo_shows_each_broken_connection_with_what_to_do(page: str) -> None:
    nectar = nn.connect("local")
    part = page[page.index("CONNECTIONS THAT NEED ACTION") : page.index("MONTHLY USAGE")]
    named = 0
    for company in nectar.companies().itertuples():
        for row in nectar.connections(company.company_id).itertuples():
            shown = f"{row.provider} ({company.name})" in part
            assert shown == nn.statuses.needs_action(row.status), row.provider
            assert not shown or nn.statuses.describe(row.status).next_step.split()[0] in part
            named += shown
    assert f"CONNECTIONS THAT NEED ACTION  {named} of " in part


def test_the_bill_shown_goes_to_several_meters_at_several_sites(page: str) -> None:
    part = page[page.index("WHERE ONE BILL'S MONEY WENT") : page.index("line of the bill")]
    rows = [re.split(r"\s{2,}", line.strip()) for line in part.splitlines()[2:] if line.strip()]
    meters = [row for row in rows if row[0] != "together" and not row[0].startswith("-")]
    assert len({row[0] for row in meters}) >= 2
    assert len({row[1] for row in meters}) >= 2
    total = next(row for row in rows if row[0] == "together")[-1].replace(",", "")
    assert sum(round(100 * float(row[-1].replace(",", ""))) for row in meters) == round(100 * float(total))


def test_your_own_bills_go_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("town.csv").write_text(BILLS)
    assert main(["demo", "--bills", "town.csv", "--out", "charts"]) == 0
    page = capsys.readouterr().out
    assert sums(page) == {"Cost, USD": ["73.00"] * 3, "Electricity, kWh": ["680", "680"]}
    assert (tmp_path / "charts" / "bill-charges.png").exists()


def test_the_demo_on_the_real_bills_shows_their_sums(
    real_bills: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = stopwatch()
    assert main(["demo", "--bills", str(real_bills), "--out", str(tmp_path)]) == 0
    assert stopwatch() - start < 20
    page = capsys.readouterr().out
    assert sums(page) == {
        "Cost, USD": ["756,958.10"] * 3,
        "Electricity, kWh": ["1,204,440"] * 2,
        "Gas: natural gas, CCF": ["199,820"] * 2,
        "Water: potable water, gal (US)": ["2,777,653"] * 2,
        "Water: wastewater, gal (US)": ["2,777,653"] * 2,
    }


def test_the_demo_runs_on_what_is_documented_alone(tmp_path: Path) -> None:
    page = "\n".join(run(nn.connect(sandbox=nn.Sandbox(documented_only=True)), tmp_path))
    assert "WHERE ONE BILL'S MONEY WENT" in page
    assert max(map(len, page.splitlines())) <= WIDTH


def test_a_portfolio_without_a_bill_says_so(tmp_path: Path) -> None:
    page = "\n".join(run(nn.connect(sandbox=nn.Sandbox(months=1, sites=1)), tmp_path))
    assert "PORTFOLIO" in page


def test_a_table_is_cut_where_it_bends_and_adds_a_line_above_its_total() -> None:
    text = table(["site", "USD"], [["x" * 200, "5.00"], ["together", "5.00"]], "fr", total=True)
    lines = text.splitlines()
    assert max(map(len, lines)) == WIDTH
    assert lines[1].endswith("…  5.00")
    assert set(lines[2].strip()) == {"-", " "}


def test_a_missing_number_is_a_dash_never_zero() -> None:
    assert amount(float("nan"), 2) == "-"
    assert amount(0.0, 2) == "0.00"
    assert amount(-1234.5, 1) == "-1,234.5"


def test_a_paragraph_is_wrapped_and_indented() -> None:
    lines = paragraph("word " * 60).splitlines()
    assert len(lines) > 2
    assert all(line.startswith("  ") and len(line) <= WIDTH for line in lines)

"""One number for what is missing: dashboards, `nectar status`, completeness, holes and issues say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from commands import nectar as command

import nectar_notebooks as nn

SMALL = {"seed": 1, "sites": 10, "months": 16}


@pytest.fixture(scope="module", params=["demo", "real bills"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[nn.Sandbox]:
    if request.param == "demo":
        made = nn.Sandbox(**SMALL)
    else:
        made = nn.Sandbox(seed=1, sites=1, months=1)
        made.load_bills(request.getfixturevalue("real_bills"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def nectar(sandbox: nn.Sandbox) -> nn.Nectar:
    return nn.connect(sandbox=sandbox)


def headline(said: str) -> tuple[int, int]:
    """Return bills and sites that a line names."""
    found = re.search(r"about ([\d,]+) bills? missing at (\d+) sites?", said)
    if found is None:
        assert "nothing missing" in said
        return 0, 0
    return int(found[1].replace(",", "")), int(found[2])


def test_every_place_says_what_holes_says(nectar: nn.Nectar) -> None:
    numbers = []
    for company in nectar.companies()["company_id"]:
        portfolio = nectar.portfolio(company)
        holes = nn.holes(portfolio)
        number = int(holes["bills_expected"].sum()), holes["site_id"].nunique()
        numbers.append(number)

        logins = nn.ConnectionDashboard(nectar, company)
        logins.read_bills()
        assert headline(repr(logins)) == number
        known = holes["account_id"].isin(portfolio.accounts["account_id"])
        assert logins.frame["missing_bills"].sum() == holes.loc[known, "bills_expected"].sum()
        for row in logins.frame.dropna(subset=["missing_bills"]).to_dict("records"):
            logins.selected = row["connection_id"]
            told = re.search(r"About ([\d,]+) in \d+ holes? of", logins.snapshot())
            assert row["missing_bills"] == (0 if told is None else int(told[1]))
        logins.close()

        for by in ("site", "account"):
            coverage = nn.CoverageDashboard(nectar, company, by=by)
            assert headline(repr(coverage)) == number
            assert headline(coverage.snapshot()) == number
            behind = []
            lacking = coverage.frame[coverage.frame["state"].isin(["missing", "partly_billed"])]
            for entity, month in lacking[[f"{by}_id", "month"]].itertuples(index=False):
                coverage.selected = (entity, month)
                behind.append(coverage.hole[["meter_id", "first_day", "bills_expected"]])
            shown = holes[holes["last_day"] >= coverage.frame["month"].min()]
            pressed = pd.concat([*behind, shown[["meter_id", "first_day", "bills_expected"]].head(0)]).drop_duplicates()
            assert pressed["bills_expected"].sum() == shown["bills_expected"].sum()
            coverage.close()
    assert sum(bills for bills, _ in numbers) > 0


def test_months_and_holes_are_of_one_kind(nectar: nn.Nectar) -> None:
    for company in nectar.companies()["company_id"]:
        portfolio = nectar.portfolio(company)
        holes, months = nn.holes(portfolio), nn.completeness(portfolio)
        assert set(months["status"]) <= {"complete", "partly_billed", "missing", "not_required", "future"}
        spans = [
            (hole.meter_id, month)
            for hole in holes.itertuples()
            for month in pd.period_range(hole.first_day, hole.last_day, freq="M").to_timestamp()
        ]
        gone = months[months["status"] == "missing"]
        assert set(zip(gone["meter_id"], gone["month"], strict=True)) <= set(spans)
        state = months.set_index(["meter_id", "month"])["status"]
        for hole in holes.itertuples():
            inside = pd.period_range(hole.first_day, hole.last_day, freq="M").to_timestamp()
            assert {state[hole.meter_id, month] for month in inside} & {"missing", "partly_billed"}


def test_a_hole_between_two_bills_is_a_gap_of_issues(nectar: nn.Nectar) -> None:
    for company in nectar.companies()["company_id"]:
        portfolio = nectar.portfolio(company)
        holes, found = nn.holes(portfolio), nn.issues(portfolio)
        gaps = found[found["kind"] == "gap"]
        last = portfolio.usage[portfolio.usage["counts"]].groupby("meter_id")["end_date"].max()
        between = holes[holes["last_day"] < holes["meter_id"].map(last)]
        assert set(zip(between["meter_id"], between["first_day"], between["last_day"], strict=True)) <= set(
            zip(gaps["meter_id"], gaps["start_date"], gaps["end_date"], strict=True)
        )


def test_status_counts_the_same_and_only_when_asked(sandbox: nn.Sandbox, nectar: nn.Nectar, tmp_path: Path) -> None:
    every = pd.concat([nn.holes(nectar.portfolio(company)) for company in nectar.companies()["company_id"]])
    with sandbox.serve(0) as served:
        environment = {
            "NECTAR_BASE_URL": served.url, "NECTAR_API_KEY": sandbox.key, "NECTAR_ENVIRONMENT": "local",
            "NECTAR_CACHE_DIR": str(tmp_path / "cache"),
        }  # fmt: skip
        sandbox.journal.clear()
        quick = json.loads(command(tmp_path, "status", "--json", **environment).stdout)
        asked = [one["path"] for one in sandbox.journal.rows()]
        told = json.loads(command(tmp_path, "status", "--json", "--bills", **environment).stdout)
        said = command(tmp_path, "status", "--bills", **environment).stdout
    assert (quick["bills_missing"], quick["sites_with_holes"]) == (None, None)
    assert not [path for path in asked if "/usage/" in path or "/document/" in path]
    assert told["bills_missing"] == every["bills_expected"].sum()
    assert told["sites_with_holes"] == every["site_id"].nunique()
    assert headline(" ".join(said.split())) == (told["bills_missing"], told["sites_with_holes"])


def test_a_served_sandbox_counts_to_its_own_date(sandbox: nn.Sandbox, nectar: nn.Nectar, tmp_path: Path) -> None:
    company = nectar.companies()["company_id"].iloc[0]
    with sandbox.serve(0) as served:
        far = nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path)
        for kind in (nn.ConnectionDashboard, nn.CoverageDashboard):
            near, away = kind(nectar, company), kind(far, company)
            for one in (near, away):
                if isinstance(one, nn.ConnectionDashboard):
                    one.read_bills()
            assert repr(away) == repr(near)
            pd.testing.assert_frame_equal(away.frame, near.frame)
            near.close()
            away.close()
        portfolio = far.portfolio(company)
        assert portfolio.as_of == pd.Timestamp(sandbox.clock.now())
        pd.testing.assert_frame_equal(nn.holes(portfolio), nn.holes(nectar.portfolio(company)))
        pd.testing.assert_frame_equal(nn.completeness(portfolio), nn.completeness(nectar.portfolio(company)))


def test_what_last_service_date_means_changes_no_number() -> None:
    seen = []
    for position in ("latest_bill", "closed"):
        sandbox = nn.Sandbox(**SMALL, switches={"last_service_date": position})
        nectar = nn.connect(sandbox=sandbox)
        logins, coverage = nn.ConnectionDashboard(nectar), nn.CoverageDashboard(nectar)
        logins.read_bills()
        holes = [nn.holes(nectar.portfolio(company)) for company in nectar.companies()["company_id"]]
        accounts = nectar.accounts(nectar.companies().iloc[0])
        seen.append((accounts["last_service_date"].notna().any(), logins.frame, coverage.frame, pd.concat(holes)))
        logins.close()
        coverage.close()
        sandbox.close()
    assert (seen[0][0], seen[1][0]) == (True, False), "the API says it or not"
    for one, other in zip(seen[0][1:], seen[1][1:], strict=True):
        pd.testing.assert_frame_equal(one, other)

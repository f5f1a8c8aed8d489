"""What changes in an embedded sandbox of this process is seen by the next noun, without a refresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import nectar_notebooks as nn


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    made = nn.Sandbox(seed=3, sites=3, months=6)
    yield made
    made.close()


def assert_like_a_full_fetch(nectar: nn.Nectar, sandbox: nn.Sandbox, folder: Path) -> None:
    company = nectar.companies().iloc[0]
    fresh = nn.connect(sandbox=sandbox, cache_dir=folder).portfolio(company)
    for name, frame in nectar.portfolio(company):
        pd.testing.assert_frame_equal(frame, getattr(fresh, name), obj=name)


def untrack_one(sandbox: nn.Sandbox) -> None:
    """Stop an account with its meters: no date of their usage tells."""
    other = nn.connect(sandbox=sandbox)
    company = other.companies().iloc[0]
    usage, meters = other.usage(company), other.meters(company).set_index("meter_id")
    other.untrack(meters.loc[usage["meter_id"].iloc[0], "account_id"], company)


@pytest.mark.parametrize(
    "change",
    [
        lambda sandbox: sandbox.advance(days=40),
        lambda sandbox: sandbox.scenario("bill_revised"),
        lambda sandbox: sandbox.scenario("bill_deleted"),
        lambda sandbox: sandbox.scenario("meter_moved"),
        lambda sandbox: sandbox.scenario("bad_login"),
        lambda sandbox: untrack_one(sandbox),
    ],
    ids=["advance", "bill_revised", "bill_deleted", "meter_moved", "bad_login", "an account untracked"],
)
def test_a_change_of_the_sandbox_is_seen_by_the_next_noun(sandbox, tmp_path, change) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    before = nectar.portfolio(company)
    change(sandbox)
    after = nectar.portfolio(company)
    assert any(not frame.equals(getattr(after, name)) for name, frame in before)
    assert_like_a_full_fetch(nectar, sandbox, tmp_path)


def test_a_loaded_file_is_a_company_at_once(sandbox, tmp_path: Path) -> None:
    nectar = nn.connect(sandbox=sandbox)
    before = len(nectar.companies())
    file = tmp_path / "bills.csv"
    file.write_text(
        "Account Number,Meter Number,Service Type,Start Date,End Date,Usage,Unit,Amount\n"
        "A-1,M-1,Electricity,2025-01-01,2025-01-31,100,kWh,25.00\n"
    )
    sandbox.load_bills(file)
    assert len(nectar.companies()) == before + 1


def test_what_another_client_writes_is_seen(sandbox) -> None:
    nectar, other = nn.connect(sandbox=sandbox), nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    before = nectar.sites(company)
    other.create_site("A new one", company)
    assert set(nectar.sites(company)["name"]) == {*before["name"], "A new one"}


def test_asking_twice_is_free_and_making_bills_late_is_no_change(sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    revision = sandbox.revision
    nectar.portfolio(company)
    assert sandbox.revision == revision, "bills made on need were there before, to whoever reads"
    asked = len(sandbox.journal)
    nectar.portfolio(company)
    nn.connect(sandbox=sandbox).portfolio(company)
    assert len(sandbox.journal) == asked


def test_a_refused_write_is_no_change(sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    revision = sandbox.revision
    refused = sandbox.app.test_client().post(
        f"/v2.2/site/company/{company['company_id']}", json={"name": "x" * 999}, headers={"X-API-Key": sandbox.key}
    )
    assert refused.status_code == 400
    with pytest.raises(nn.NectarError):
        sandbox.scenario("bill_revised", document="none")
    assert sandbox.revision == revision


def test_any_age_and_offline_mean_what_they_say(sandbox) -> None:
    company = nn.connect(sandbox=sandbox).companies().iloc[0]
    nn.connect(sandbox=sandbox).portfolio(company)
    sandbox.scenario("bill_revised")
    asked = len(sandbox.journal)
    nn.connect(sandbox=sandbox, max_age=None).portfolio(company)
    nn.connect(sandbox=sandbox, offline=True).portfolio(company)
    assert len(sandbox.journal) == asked


def test_rows_of_another_sandbox_in_the_same_folder_never_answer(tmp_path: Path) -> None:
    for _ in range(2):
        sandbox = nn.Sandbox(seed=3, sites=3, months=3)
        nectar = nn.connect(sandbox=sandbox, cache_dir=tmp_path)
        assert nectar.companies().attrs["nectar"]["source"] == "wire"
        sandbox.close()

"""States of accounts and numbers of accounts on their way from the API to the sums."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from api.wire import Reply, Request, serve

import nectar_notebooks as nn
from nectar_notebooks.schema.accounts import UnknownStateWarning


@pytest.mark.parametrize(
    ("state", "reason"),
    [("Duplicate", "duplicate account"), ("INACTIVE", "inactive account"), ("Old account", None), ("NEEDS_PULL", None)],
)
def test_a_state_decides_what_a_bill_is_worth(state: str, reason: str | None) -> None:
    sandbox = nn.Sandbox()
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies()["company_id"].iloc[0]
    before = nectar.portfolio(company)
    related = before.bill_accounts.merge(before.bills[before.bills["counts"].astype(bool)][["bill_id"]])
    account = related.groupby("bill_id").filter(lambda rows: len(rows) == 1)["account_id"].dropna().iloc[0]
    sandbox.scenario("account_state", account=account, state=state)
    after = nn.connect(sandbox=sandbox).portfolio(company)
    row = after.accounts.set_index("account_id").loc[account]
    assert row["counts"] == (reason is None)
    if reason is None:
        assert nn.monthly(after)["cost"].sum() == nn.monthly(before)["cost"].sum()
    else:
        assert row["counts_reason"] == reason
        assert (after.usage["counts_reason"] == reason).sum() > 0
        assert nn.monthly(after)["cost"].sum() < nn.monthly(before)["cost"].sum()


def test_a_state_that_nobody_knows_counts_and_is_named() -> None:
    sandbox = nn.Sandbox()
    account = sandbox.scenario("account_state", state="MERGED")
    nectar = nn.connect(sandbox=sandbox)
    named = [
        company
        for company in nectar.companies()["company_id"]
        if account in set(nectar.accounts(company)["account_id"])
    ]
    with pytest.warns(UnknownStateWarning, match=r"not documented, which count in every sum: MERGED \(1\)\."):
        portfolio = nectar.portfolio(named[0])
    assert portfolio.accounts.set_index("account_id").loc[account, "counts"]
    assert portfolio.accounts.attrs["nectar"]["unknown_states"].endswith("MERGED (1).")
    other = next(company for company in nectar.companies()["company_id"] if company not in named)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "unknown_states" not in nectar.portfolio(other).accounts.attrs["nectar"]


def test_numbers_beyond_64_bits_stay_exact(tmp_path: Path) -> None:
    """Four accounts whose ids and numbers differ in the last of 23 digits, as a JSON integer each."""
    first = 10**22
    accounts = ",".join(
        f'{{"id": {first + n}, "accountNumber": {first + 10 + n}, "meters": [{first + 20 + n}, {2**53 + 2 * n + 1}]}}'
        for n in range(4)
    )
    lists = {
        "/company": '[{"id": "c", "name": "C"}]',
        "/connection/company/c": '{"totalConnections": 1, "perPage": 100, "totalPages": 1, "currentPage": 1,'
        f' "hasNext": false, "hasPrevious": false, "connections": [{{"id": "k", "accounts": [{accounts}]}}]}}',
    }

    def handler(request: Request) -> Reply:
        body = lists.get(request.path.removeprefix("/v2.2").partition("?")[0])
        return Reply({"detail": "Not here."}, 404) if body is None else Reply(body.encode())

    with serve(handler) as wire:
        nectar = nn.connect("production", key="made-up-key-of-a-test", base_url=wire.url, cache_dir=tmp_path)
        found = nectar.accounts("c")
    assert found["account_id"].tolist() == [str(first + n) for n in range(4)]
    assert found["account_number"].tolist() == [str(first + 10 + n) for n in range(4)]

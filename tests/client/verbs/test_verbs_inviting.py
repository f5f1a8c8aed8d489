"""Invitations and magic links from code: what a served embedded sandbox holds afterwards, and never twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.errors import InvalidRequestError, NotFoundError, OfflineError, ServerError

pytestmark = pytest.mark.served


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=3, sites=3, months=2)
    yield one
    one.close()


@pytest.fixture
def nectar(sandbox: nn.Sandbox, tmp_path: Path) -> Iterator[nn.Nectar]:
    with sandbox.serve(0) as served:
        yield nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path, clock=sandbox.clock)


@pytest.fixture
def company(nectar: nn.Nectar) -> str:
    return str(nectar.companies()["company_id"].iloc[0])


def test_an_invitation_carries_what_was_said(nectar: nn.Nectar, company: str) -> None:
    sites = nectar.sites(company).head(2)
    made = nectar.invite(
        company,
        emails=["ann@acme.example", "bo@acme.example"],
        expires_in=3600,
        max_uses=2,
        send=True,
        sites=sites,
        url="https://power.example/login",
        commodities=["electricity"],
        country="us",
        owner_email="ann@acme.example",
        data_collection_start="2024-01-01",
    )
    assert list(made.columns) == list(nectar.invitations(company).columns)
    row = made.iloc[0]
    assert (row["company_id"], row["type"], row["status"]) == (company, "CREATE_CONNECTION", "ACTIVE")
    assert row["allowed_emails"] == "ann@acme.example / bo@acme.example"
    assert row["expires"] == pd.Timestamp("2026-01-15T10:00:00Z")
    assert (row["max_uses"], row["use_count"]) == (2, 0)
    assert row["initial_sites"] == " / ".join(sites["site_id"])
    assert (row["provider_url"], row["commodities"], row["country"]) == (
        "https://power.example/login", "ELECTRICITY", "US",
    )  # fmt: skip
    assert row["data_collection_start"] == pd.Timestamp("2024-01-01")
    assert nectar.last_fetch["source"] == "wire"
    assert nectar.invitations(company)["invitation_id"].tolist() == [row["invitation_id"]]


def test_one_to_reconnect_names_the_login(nectar: nn.Nectar, company: str) -> None:
    broken = nectar.connections(company).iloc[0]
    made = nectar.reconnect(broken["connection_id"], emails="ann@acme.example", expires_in=60.0, max_uses=1)
    assert made["connection_id"].tolist() == [broken["connection_id"]]
    assert made["type"].tolist() == ["EDIT_CONNECTION"]
    assert nectar.reconnect(broken, again=True)["max_uses"].isna().all()


def test_a_double_click_invites_once(nectar: nn.Nectar, sandbox: nn.Sandbox, company: str) -> None:
    made: list[str] = []

    def press() -> None:
        made.append(str(nectar.invite(company, max_uses=1)["invitation_id"].iloc[0]))

    presses = [threading.Thread(target=press) for _ in range(4)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert len(set(made)) == 1
    assert len(nectar.invitations(company)) == 1
    assert nectar.invite(company, max_uses=2)["invitation_id"].iloc[0] not in made  # another form is another
    assert nectar.invite(company, max_uses=1, again=True)["invitation_id"].iloc[0] not in made


@pytest.mark.parametrize("how", ["expired", "revoked", "used"])
def test_one_that_is_over_is_not_given_again(how: str, nectar: nn.Nectar, sandbox: nn.Sandbox, company: str) -> None:
    first = str(nectar.invite(company, expires_in=3600, max_uses=2)["invitation_id"].iloc[0])
    if how == "expired":
        sandbox.advance(days=1)
    elif how == "revoked":
        assert nectar.revoke(first)["status"].tolist() == ["REVOKED"]
    else:
        site = nectar.sites(company)["site_id"].iloc[0]
        sandbox.use_invitation(first, "ann", "secret", url="https://power.example", sites=[site])
    assert nectar.invite(company, expires_in=3600, max_uses=2)["invitation_id"].iloc[0] != first


def test_revoking_shows_in_the_log_and_takes_ids_and_rows(nectar: nn.Nectar, company: str) -> None:
    made = nectar.invite(company)
    for given in (made, made.iloc[0], next(made.itertuples()), made["invitation_id"].iloc[0]):
        assert nectar.revoke(given)["status"].tolist() == ["REVOKED"]
    events = nectar.invitation_events(made["invitation_id"].iloc[0])
    assert events["event"].tolist() == ["REVOKED"]
    assert nectar.invitation(made["invitation_id"].iloc[0])["status"].tolist() == ["REVOKED"]


def test_what_cannot_be_meant_is_said_and_nothing_is_sent(nectar: nn.Nectar, sandbox: nn.Sandbox, company: str) -> None:
    sandbox.journal.clear()
    for wrong, words in (
        ({"emails": ["ann"]}, "no e-mail address"),
        ({"expires_in": 59}, "expires_in must be a whole number from 60 on"),
        ({"expires_in": 90.5}, "expires_in"),
        ({"max_uses": 0}, "max_uses must be a whole number from 1 on"),
        ({"max_uses": True}, "max_uses"),
        ({"send": True}, "needs an address"),
        ({"country": "Utopia"}, "country"),
        ({"commodities": ["TEA"]}, "no commodity"),
        ({"url": "javascript:alert(1)"}, "no web address"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            nectar.invite(company, **wrong)
    for nobody in (None, 7, pd.Series({"x": 1}), pd.DataFrame({"invitation_id": ["a", "b"]})):
        with pytest.raises(InvalidRequestError, match="invitation"):
            nectar.revoke(nobody)
    assert sandbox.journal.count() == 0
    with pytest.raises(NotFoundError, match="No site is called"):
        nectar.invite(company, sites=["Atlantis"])
    with pytest.raises(NotFoundError):
        nectar.revoke("00000000-0000-4000-8000-00000000ffff")
    assert nectar.invitations(company).empty


def test_a_creation_is_sent_once_though_the_api_fails(nectar: nn.Nectar, sandbox: nn.Sandbox, company: str) -> None:
    sandbox.faults.add(route="/invitation/company", status=500)
    sandbox.journal.clear()
    with pytest.raises(ServerError):
        nectar.invite(company)
    assert [row["method"] for row in sandbox.journal.rows()] == ["POST"]
    assert len(nectar.invite(company)) == 1


def test_offline_nothing_is_sent(sandbox: nn.Sandbox, tmp_path: Path) -> None:
    company = nn.connect(sandbox=sandbox, cache_dir=tmp_path).companies()["company_id"].iloc[0]
    nectar = nn.connect(sandbox=sandbox, cache_dir=tmp_path, offline=True)
    with pytest.raises(OfflineError):
        nectar.invite(company)
    with pytest.raises(OfflineError):
        nectar.revoke("x")


def test_magic_links_still_work_and_name_what_replaces_them(nectar: nn.Nectar, company: str) -> None:
    login = nectar.connections(company).iloc[0]
    with pytest.warns(DeprecationWarning, match=r"use nectar\.invite\(company") as caught:
        link = nectar.magic_link(company)
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=r"use nectar\.invite"):
        assert nectar.magic_link(company, sites=nectar.sites(company).head(1), country="US").equals(link)
    with pytest.warns(DeprecationWarning, match=r"use nectar\.reconnect\(connection"):
        edit = nectar.reconnect_link(login)
    columns = ["company_id", "connection_id", "public_company_id", "url", "extra"]
    assert list(link.columns) == columns
    assert pd.isna(link["connection_id"].iloc[0])
    assert edit["connection_id"].tolist() == [login["connection_id"]]
    public = link["public_company_id"].iloc[0]
    assert f"/p/connect/{public}/" in link["url"].iloc[0]
    assert f"/p/connect/{public}/workflow/" in edit["url"].iloc[0]
    assert link["extra"].isna().all()  # the secret stands in the address alone

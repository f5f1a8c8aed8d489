"""The frame: what it shows, what it refuses to show, and a fresh link whenever one leads nowhere."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from controls import page, press
from ipywidgets.widgets.widget import _instances as live_controls

import nectar_notebooks as nn
from nectar_notebooks.errors import ContractError, InvalidRequestError, OfflineError
from nectar_notebooks.invitations import page_address, standing

pytestmark = pytest.mark.served

Opened = Callable[..., nn.ConnectFrame]


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=4, sites=3, months=2)
    yield one
    one.close()


@pytest.fixture
def nectar(sandbox: nn.Sandbox, tmp_path: Path) -> Iterator[nn.Nectar]:
    with sandbox.serve(0) as served:
        yield nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path, clock=sandbox.clock)


@pytest.fixture
def company(nectar: nn.Nectar) -> str:
    return str(nectar.companies()["company_id"].iloc[0])


@pytest.fixture
def opened() -> Iterator[Opened]:
    made: list[nn.ConnectFrame] = []

    def opening(*given: Any, **named: Any) -> nn.ConnectFrame:
        made.append(nn.ConnectFrame(*given, **{"watch": None, **named}))
        return made[-1]

    yield opening
    for one in made:
        one.close()


def framed(frame: nn.ConnectFrame) -> str:
    """Return the page in the frame and the link to it."""
    [markup] = re.findall("<iframe.+</a>", page(frame))
    return markup


def enter(sandbox: nn.Sandbox, nectar: nn.Nectar, frame: nn.ConnectFrame, user: str = "ann") -> str:
    """Do what a person does in the frame."""
    row = frame.invitation.iloc[0]
    sites = nectar.sites(row["company_id"])["site_id"].tolist()[:1]
    return sandbox.use_invitation(
        row["invitation_id"], user, "secret", url="https://power.example", sites=sites
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "uses", "most", "how"),
    [
        ("ACTIVE", 0, 1, "open"), ("ACTIVE", 5, None, "open"), ("ACTIVE", 5, pd.NA, "open"),
        ("EXPIRED", 0, 1, "expired"), ("REVOKED", 1, 1, "revoked"), ("FULFILLED", 1, 1, "used_up"),
        ("ACTIVE", 2, 2, "used_up"), ("FULFILLED", 1, None, "fulfilled"), ("FULFILLED", 1, 3, "fulfilled"),
        ("PAUSED", 0, 1, "unknown"), (None, 0, None, "unknown"),
    ],
)  # fmt: skip
def test_how_an_invitation_stands(status: object, uses: int, most: object, how: str) -> None:
    row = {"status": status, "use_count": uses, "max_uses": most}
    assert standing(row) == how
    assert standing(pd.Series(row)) == how
    assert standing(pd.DataFrame([row]).astype({"max_uses": "Int64"})) == how


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"id": 1}, "not an invitation"),
        (pd.DataFrame({"status": ["ACTIVE", "ACTIVE"]}), "a frame of 2 rows: choose one"),
    ],
    ids=["another mapping", "two rows"],
)
def test_what_is_no_invitation_is_said(given: object, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        standing(given)


@pytest.mark.parametrize(
    "url",
    [
        "https://dash.nectarclimate.com/p/i/t", "https://nectarclimate.com/p/i/t", "https://a.b.nectarclimate.com/x",
    ],
)  # fmt: skip
def test_pages_of_nectar_are_framed(url: str) -> None:
    there = SimpleNamespace(address="https://external.nectarclimate.com", sandbox=None)
    assert page_address(there, {"url": url}) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://dash.nectarclimate.com/p/i/t", "https://nectarclimate.com.evil.example/p", "https://evilnectarclimate.com",
        "https://dash.nectarclimate.com:8443/p", "https://dash.nectarclimate.com@evil.example/p", "javascript:alert(1)",
        "https://evil.example/?https://dash.nectarclimate.com", "//dash.nectarclimate.com/p", "http://127.0.0.1:1/p/i/t",
        "https://evil.example\\.nectarclimate.com/p", "https://dash.nectarclimate.com /p", "data:text/html,x", "", None,
        "https://dash.nectarclimate.com:port/p", "https://[", "file:///p/i/t", "https://dash.nectarclimate.com\n.evil/p",
    ],
)  # fmt: skip
def test_nothing_else_is(url: object) -> None:
    there = SimpleNamespace(address="https://external.nectarclimate.com", sandbox=None)
    with pytest.raises(ContractError, match="not shown"):
        page_address(there, {"url": url})


def test_this_machine_is_framed_for_an_embedded_sandbox_alone() -> None:
    here = SimpleNamespace(address="http://127.0.0.1:8765", sandbox=None)
    assert page_address(here, {"url": "http://127.0.0.1:9000/p/i/t"}) == "http://127.0.0.1:9000/p/i/t"
    with pytest.raises(ContractError):
        page_address(here, {"url": "http://10.0.0.1/p/i/t"})


def test_in_this_process_it_says_that_it_must_be_served(sandbox: nn.Sandbox, opened: Opened) -> None:
    nectar = nn.connect(sandbox=sandbox)
    frame = opened(nectar, nectar.companies().iloc[0])
    assert frame.url is None
    assert "<iframe" not in page(frame)
    assert "serve it with nectar.sandbox.serve()" in page(frame)
    with sandbox.serve(0) as served:
        frame.check()
        assert str(frame.url).startswith(f"{served.url}/p/i/")
        assert f'src="{frame.url}"' in page(frame)
        assert "serve it with" not in page(frame)
    frame.check()
    assert frame.url is None


def test_three_ways_and_none_but_the_live_one_holds_the_address(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    nectar.update_company(company, name="<script>Acme</script>")
    frame = opened(nectar, company, emails=["ann@acme.example", "bo@acme.example"])
    token = str(frame.url).rpartition("/")[2]
    bundle = frame._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert token in page(frame)
    assert token not in bundle["text/html"] + bundle["text/plain"]
    assert "<script" not in bundle["text/html"] + page(frame)
    assert "ann@acme.example, bo@acme.example" in bundle["text/html"]
    assert bundle["text/plain"].endswith(
        "to add a login; open; used 0 of 1; ends: 15 Jan 2026, 10:00 UTC"
    )  # fmt: skip
    assert 'sandbox="allow-forms' in page(frame)
    assert "allow-top-navigation" not in page(frame)


@pytest.mark.parametrize("how", ["expired", "revoked", "used up"])
def test_a_link_that_leads_nowhere_is_replaced_before_it_is_shown_again(
    how: str, nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    made = nectar.invite(
        company, emails=["ann@acme.example"], expires_in=7200, max_uses=1, url="https://power.example",
        country="CA", commodities=["GAS"], sites=nectar.sites(company).head(2), owner_email="bo@acme.example",
        data_collection_start="2024-03-01",
    )  # fmt: skip
    first = made["invitation_id"].iloc[0]
    if how == "used up":  # by somebody else, before the frame was opened
        sandbox.use_invitation(first, "x", "y", email="ann@acme.example")
        frame = opened(nectar, invitation=first)
    else:
        frame = opened(nectar, invitation=made)
        assert frame.message == ""
        if how == "expired":
            sandbox.advance(days=1)
        else:
            nectar.revoke(first)
        assert frame.check() == "open"
    assert how in frame.message
    second = frame.invitation.iloc[0]
    assert second["invitation_id"] != first
    assert frame.frame["standing"].tolist() == [how.replace(" ", "_"), "open"]
    assert str(second["url"]) in page(frame)
    assert str(made["url"].iloc[0]) not in page(frame)
    alike = ["company_id", "type", "allowed_emails", "max_uses", "provider_url", "country", "owner_email",
             "data_collection_start", "initial_sites", "commodities"]  # fmt: skip
    assert second[alike].equals(made.iloc[0][alike])
    assert second["expires"] - second["created"] == pd.Timedelta(hours=2)
    assert len(nectar.invitations(company)) == 2
    assert frame.check() == "open"
    assert len(nectar.invitations(company)) == 2


def test_who_entered_a_login_goes_on_seeing_what_came_of_it(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    before = nectar.connections(company)
    heard: list[object] = []
    nectar.on_change(heard.append)
    frame = opened(nectar, company)
    shown = framed(frame)
    added = enter(sandbox, nectar, frame)
    assert frame.check() == "done"
    assert frame.frame["standing"].tolist() == ["used_up"]
    assert framed(frame) == shown  # the page stands as it was: nothing is torn from under the person
    assert frame.connections["connection_id"].tolist() == [added]
    assert added not in before["connection_id"].tolist()
    assert added in nectar.connections(company)["connection_id"].tolist()
    assert [(one.company_id, one.noun) for one in heard] == [(company, "connections")]
    assert "done, a login was entered; used 1 of 1" in repr(frame)
    sandbox.advance(days=2)
    assert frame.check() == "done"
    frame.renew()
    assert (frame.state, len(frame.frame)) == ("open", 2)


def test_one_that_may_be_used_more_often_stays_open(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    frame = opened(nectar, company, max_uses=None, expires_in=None)
    added = [enter(sandbox, nectar, frame, user) for user in ("ann", "bo")]
    assert frame.check() == "open"
    assert sorted(frame.connections["connection_id"]) == sorted(added)
    assert "used 2 of any number; ends: never" in repr(frame)


def test_a_login_is_repaired_in_the_frame(nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened) -> None:
    broken = sandbox.scenario("password_reset")
    login = nectar.connections(company).set_index("connection_id").loc[broken]
    frame = opened(nectar, connection=broken, max_uses=None)
    assert f"to repair the login {login['username']} at {login['provider']}" in repr(frame)
    sandbox.use_invitation(frame.invitation["invitation_id"].iloc[0], login["username"], "new")
    assert frame.check() == "done"
    assert frame.frame["standing"].tolist() == ["fulfilled"]
    assert frame.connections[["connection_id", "status"]].values.tolist() == [[broken, "CONNECTED"]]
    again = opened(nectar, invitation=frame.invitation)  # fulfilled, and not used up: no fresh one is asked for
    assert again.state == "done"
    assert len(nectar.invitations(company)) == 1


def test_two_frames_are_two_invitations(nectar: nn.Nectar, company: str, opened: Opened) -> None:
    first, second = opened(nectar, company), opened(nectar, company)
    assert first.url != second.url


def test_when_the_api_fails_the_page_stays_and_it_is_tried_again(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    frame = opened(nectar, company, expires_in=60)
    shown = framed(frame)
    sandbox.faults.add(route="/invitation/", status=500, times=50)
    sandbox.advance(days=1)
    press(frame, "Look again")
    assert frame.state == "failed"
    assert "could not be fetched" in page(frame)
    assert framed(frame) == shown
    sandbox.faults.clear()
    assert frame.check() == "open"
    assert frame.message == "The invitation had expired: a fresh one was asked for."
    # What expired is known, but no fresh one can be had: the next look asks for it again.
    sandbox.advance(days=1)
    sandbox.faults.add(route=f"/invitation/company/{company}", status=503)
    assert frame.check() == "failed"
    assert frame.check() == "open"
    assert len(frame.frame) == 3


def test_what_came_of_it_is_asked_again_where_that_failed(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    before = nectar.connections(company)
    frame = opened(nectar, company)
    added = enter(sandbox, nectar, frame)
    sandbox.faults.add(route="/connection/company", status=500, times=50)
    assert frame.check() == "failed"
    assert len(nectar.invitations(company)) == 1  # used up by the person in front of it: no fresh one
    sandbox.faults.clear()
    assert frame.check() == "done"
    assert frame.connections["connection_id"].tolist() == [added]
    assert len(nectar.connections(company)) == len(before) + 1


def test_an_answer_that_leads_elsewhere_is_never_framed(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    frame = opened(nectar, company)
    shown = framed(frame)
    with sandbox.state.writing() as db:
        db.execute("UPDATE invitations SET record = json_set(record, '$.invitationUrl', 'https://evil.example/p/i/t')")
    assert frame.check() == "failed"
    assert "evil.example" in frame.message
    assert framed(frame) == shown
    with pytest.raises(ContractError, match=r"evil\.example"):
        opened(nectar, invitation=frame.invitation)


def test_what_does_not_fit_together_is_said(nectar: nn.Nectar, company: str, tmp_path: Path, opened: Opened) -> None:
    made = nectar.invite(company)
    for given in ({"company": company}, {"connection": "x"}, {"emails": ["a@b.example"]}, {"url": "https://x.example"}):
        with pytest.raises(InvalidRequestError, match="cannot be combined"):
            opened(nectar, invitation=made, **given)
    with pytest.raises(InvalidRequestError, match="expires_in"):
        opened(nectar, company, expires_in=1)
    away = nn.connect(sandbox=nn.Sandbox(sites=2, months=2), cache_dir=tmp_path / "b", offline=True)
    with pytest.raises(OfflineError):
        opened(away, invitation="x")


def test_while_it_is_shown_it_looks_by_itself(
    nectar: nn.Nectar, sandbox: nn.Sandbox, company: str, opened: Opened
) -> None:
    async def kernel() -> str:
        frame = opened(nectar, company, watch=0.05)
        frame._repr_mimebundle_()
        sandbox.advance(days=1)
        for _ in range(100):
            await asyncio.sleep(0.05)
            if len(frame.frame) == 2:
                break
        fresh = frame.message
        enter(sandbox, nectar, frame)
        for _ in range(100):
            await asyncio.sleep(0.05)
            if frame.state == "done":
                break
        asked = len(sandbox.journal)
        await asyncio.sleep(0.3)
        assert len(sandbox.journal) == asked, "it looks no more"
        return f"{frame.state}: {fresh}"

    assert asyncio.run(kernel()) == "done: The invitation had expired: a fresh one was asked for."


def test_nothing_is_left_behind(nectar: nn.Nectar, company: str) -> None:
    gc.collect()
    before = set(live_controls)
    frame = nn.ConnectFrame(nectar, company, watch=None)
    frame.close()
    after = set(live_controls)
    assert after == before
    assert nectar.invitation(frame.invitation["invitation_id"].iloc[0])["status"].tolist() == ["ACTIVE"]

"""Presses that change something: what a served embedded sandbox holds afterwards, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from dashboards.small_office import SmallOffice

import nectar_notebooks as nn
from nectar_notebooks import ConnectionDashboard
from nectar_notebooks.dashboards.actions import e_mails
from nectar_notebooks.errors import InvalidRequestError

pytestmark = pytest.mark.served

Opened = Callable[..., ConnectionDashboard]


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=5, sites=4, months=6)
    yield one
    one.close()


@pytest.fixture
def client(sandbox: nn.Sandbox, tmp_path: Path) -> Iterator[nn.Nectar]:
    with sandbox.serve(0) as served:
        yield nn.connect("local", base_url=served.url, key=sandbox.key, cache_dir=tmp_path, clock=sandbox.clock)


@pytest.fixture
def dashboard(client: nn.Nectar, opened: Opened) -> ConnectionDashboard:
    made = opened(ConnectionDashboard, client)
    made.selected = made.frame["connection_id"].iloc[0]
    return made


def invitations(client: nn.Nectar, dashboard: ConnectionDashboard) -> pd.DataFrame:
    company = dashboard.frame.set_index("connection_id").loc[dashboard.selected, "company_id"]
    made = client.invitations(company)
    return made[made["connection_id"] == dashboard.selected]


def test_a_link_is_made_once_however_often_it_is_pressed(client: nn.Nectar, dashboard: ConnectionDashboard) -> None:
    before = len(invitations(client, dashboard))
    ask = dashboard._detail.ask
    ask._emails.value = "ann@acme.example, bo@acme.example"
    ask._uses.value = 2
    ask._link.click()
    ask._link.click()  # the second press of a double click
    ask._send.click()
    made = invitations(client, dashboard)[before:]
    assert len(made) == 1
    row = made.iloc[0]
    assert row["allowed_emails"] == "ann@acme.example / bo@acme.example"
    assert row["max_uses"] == 2
    assert row["type"] == "EDIT_CONNECTION"
    assert row["url"] in ask._result.value
    assert ask._link.disabled


def test_another_invitation_is_made_when_it_is_asked_for(client: nn.Nectar, dashboard: ConnectionDashboard) -> None:
    before = len(invitations(client, dashboard))
    ask = dashboard._detail.ask
    ask._link.click()
    ask._again.click()
    assert not ask._link.disabled
    ask._link.click()  # of the very same form
    assert len(invitations(client, dashboard)) == before + 2
    ask._again.click()
    ask._send.click()
    assert len(invitations(client, dashboard)) == before + 3
    assert "The invitation was sent to" in ask._result.value


def test_each_connection_has_its_own_invitation(dashboard: ConnectionDashboard) -> None:
    ask = dashboard._detail.ask
    ask._link.click()
    link = ask._result.value
    first = dashboard.selected
    dashboard.selected = dashboard.frame["connection_id"].iloc[1]
    assert ask._result.value == ""
    assert not ask._link.disabled
    dashboard.selected = first
    assert ask._result.value == link
    assert ask._link.disabled


def test_code_makes_the_same_invitation(client: nn.Nectar, dashboard: ConnectionDashboard) -> None:
    before = len(invitations(client, dashboard))
    one = dashboard.invite(["ann@acme.example"], max_uses=None)
    assert dashboard.invite("ann@acme.example", max_uses=None) == one
    assert one.url.startswith("http")
    assert len(invitations(client, dashboard)) == before + 1
    dashboard.selected = None
    with pytest.raises(InvalidRequestError, match=r"set dashboard\.selected first"):
        dashboard.invite()


def test_a_form_that_cannot_be_meant_is_said_and_nothing_is_made(
    client: nn.Nectar, sandbox: nn.Sandbox, dashboard: ConnectionDashboard
) -> None:
    before = len(invitations(client, dashboard))
    ask = dashboard._detail.ask
    ask._emails.value = "not an address"
    ask._link.click()
    assert "&#x27;not&#x27; is no e-mail address" in ask._result.value
    ask._emails.value = ""
    ask._send.click()
    assert "needs an address" in ask._result.value
    sandbox.faults.add(route="/invitation/connection", status=500)
    ask._link.click()
    assert "No answer says that the invitation was made" in ask._result.value
    assert len(invitations(client, dashboard)) == before
    assert not ask._link.disabled


def test_an_account_is_tracked_no_more_and_again(
    client: nn.Nectar, sandbox: nn.Sandbox, dashboard: ConnectionDashboard
) -> None:
    panel = dashboard._detail.tracking
    account = panel._account.value
    assert panel._on.disabled
    panel._off.click()
    panel._off.click()
    company = dashboard.frame.set_index("connection_id").loc[dashboard.selected, "company_id"]
    assert client.accounts(company).set_index("account_id").loc[account, "tracking"] == "DISABLED"
    assert "not tracked" in dashboard._detail._accounts.value
    assert "It is not tracked any more." in panel._result.value
    assert panel._off.disabled
    panel._on.click()
    assert "It is tracked now." in panel._result.value
    sandbox.faults.add(route=f"/account/{account}", status=500, times=50)
    panel._off.click()
    assert "500" in panel._result.value


def test_a_client_without_verbs_says_so_and_offers_nothing(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.selected = "k2"
    ask, tracking = dashboard._detail.ask, dashboard._detail.tracking
    assert "This client cannot send invitations" in ask._result.value
    assert "This client cannot change what is tracked" in tracking._result.value
    assert all(one.disabled for one in (ask._send, ask._link, tracking._on, tracking._off))
    with pytest.raises(InvalidRequestError, match="cannot send invitations"):
        dashboard.invite("ann@acme.example")


def test_e_mails_are_read_as_people_write_them() -> None:
    assert e_mails(" a@b.example; c@d.example,\n a@b.example ") == ("a@b.example", "c@d.example")
    assert e_mails("") == ()
    for wrong in ("a@b", "a b@c.example", "@b.example", "a@b.example>"):
        with pytest.raises(InvalidRequestError, match="is no e-mail address"):
            e_mails(wrong)

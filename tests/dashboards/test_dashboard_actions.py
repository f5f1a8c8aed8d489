"""Presses that change something: what a served embedded sandbox holds afterwards, and never twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from controls import control, fill, page, place, press
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
    fill(dashboard, "E-mails", "ann@acme.example, bo@acme.example")
    fill(dashboard, "Uses (0 is any number)", 2)
    link, send = control(dashboard, "Make a link"), control(dashboard, "Send by e-mail")
    link.click()
    link.click()  # the second press of a double click
    send.click()
    made = invitations(client, dashboard)[before:]
    assert len(made) == 1
    row = made.iloc[0]
    assert row["allowed_emails"] == "ann@acme.example / bo@acme.example"
    assert row["max_uses"] == 2
    assert row["type"] == "EDIT_CONNECTION"
    assert row["url"] in page(dashboard)
    assert link.disabled


def test_another_invitation_is_made_when_it_is_asked_for(client: nn.Nectar, dashboard: ConnectionDashboard) -> None:
    before = len(invitations(client, dashboard))
    press(dashboard, "Make a link")
    press(dashboard, "Another invitation")
    press(dashboard, "Make a link")  # of the very same form
    assert len(invitations(client, dashboard)) == before + 2
    press(dashboard, "Another invitation")
    press(dashboard, "Send by e-mail")
    assert len(invitations(client, dashboard)) == before + 3
    assert "The invitation was sent to" in page(dashboard)


def test_each_connection_has_its_own_invitation(dashboard: ConnectionDashboard) -> None:
    press(dashboard, "Make a link")
    [link] = re.findall("<code[^>]*>(.+)</code>", page(dashboard))
    first = dashboard.selected
    dashboard.selected = dashboard.frame["connection_id"].iloc[1]
    assert "invitation is made" not in page(dashboard)
    assert not control(dashboard, "Make a link").disabled
    dashboard.selected = first
    assert link in page(dashboard)
    assert control(dashboard, "Make a link").disabled


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
    fill(dashboard, "E-mails", "not an address")
    press(dashboard, "Make a link")
    assert "&#x27;not&#x27; is no e-mail address" in page(dashboard)
    fill(dashboard, "E-mails", "")
    press(dashboard, "Send by e-mail")
    assert "needs an address" in page(dashboard)
    sandbox.faults.add(route="/invitation/connection", status=500)
    press(dashboard, "Make a link")
    assert "No answer says that the invitation was made" in page(dashboard)
    assert len(invitations(client, dashboard)) == before
    assert not control(dashboard, "Make a link").disabled


def test_an_account_is_tracked_no_more_and_again(
    client: nn.Nectar, sandbox: nn.Sandbox, dashboard: ConnectionDashboard
) -> None:
    account = control(dashboard, "Account").value
    track, stop = control(dashboard, "Track"), control(dashboard, "Do not track")
    assert track.disabled
    stop.click()
    stop.click()
    company = dashboard.frame.set_index("connection_id").loc[dashboard.selected, "company_id"]
    assert client.accounts(company).set_index("account_id").loc[account, "tracking"] == "DISABLED"
    assert "not tracked" in place(dashboard, "Accounts behind this login").value
    assert "It is not tracked any more." in page(dashboard)
    assert stop.disabled
    press(dashboard, "Track")
    assert "It is tracked now." in page(dashboard)
    sandbox.faults.add(route=f"/account/{account}", status=500, times=50)
    press(dashboard, "Do not track")
    assert "500" in place(dashboard, "It was sent 6 times").value


def test_a_client_without_verbs_says_so_and_offers_nothing(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.selected = "k2"
    assert "This client cannot send invitations" in page(dashboard)
    assert "This client cannot change what is tracked" in page(dashboard)
    for label in ("Send by e-mail", "Make a link", "Track", "Do not track"):
        assert control(dashboard, label).disabled, label
    with pytest.raises(InvalidRequestError, match="cannot send invitations"):
        dashboard.invite("ann@acme.example")


def test_e_mails_are_read_as_people_write_them() -> None:
    assert e_mails(" a@b.example; c@d.example,\n a@b.example ") == ("a@b.example", "c@d.example")
    assert e_mails("") == ()
    for wrong in ("a@b", "a b@c.example", "@b.example", "a@b.example>"):
        with pytest.raises(InvalidRequestError, match="is no e-mail address"):
            e_mails(wrong)

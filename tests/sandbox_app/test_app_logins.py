"""Connections: Nectar's sandbox credentials, wrong ones, invitations, links, what time does."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_asker import Asker
from small_world import ACME, ANNEX, BETA_SITE, JANUARY_BILL, MAIN_SITE, NOBODY, POWER_ACCOUNT, POWER_LOGIN, WATER_LOGIN

from nectar_notebooks.errors import ConfigurationError

LOGIN = {
    "url": "https://nectarclimate.com",
    "username": "nectar-sandbox-username",
    "password": "nectar-sandbox-password",
    "sites": [MAIN_SITE],
    "country": "US",
}
CREATE = f"/connection/company/{ACME}"


def test_the_sandbox_credentials_bring_bills(ask: Asker) -> None:
    status, login = ask(CREATE, method="POST", body={**LOGIN, "sites": [MAIN_SITE, ANNEX]})
    assert status == 201
    assert login["status"] == "CONNECTED"
    assert login["initialSites"] == [MAIN_SITE, ANNEX]
    assert len(login["accounts"]) == 5
    assert "password" not in login
    status, bills = ask(f"/document/connection/{login['id']}")
    assert status == 200
    assert bills["totalDocuments"] == 60
    kinds = {row["datasourceType"] for bill in bills["documents"] for row in bill["usageData"]}
    assert kinds == {"ELECTRICITY", "SOLAR", "WATER", "GAS", "FUEL"}
    for bill in bills["documents"]:
        lines = sum(round(float(line["totalCharge"]) * 100) for line in bill["lineItems"])
        assert lines == round(float(bill["totalCharges"]) * 100)
    assert ask(f"/usage/connection/{login['id']}")[1]["totalUsageData"] == 60
    assert ask.sandbox.events.rows()[0]["eventType"] == "connection.created.v2"


def test_more_bills_arrive_with_time(ask: Asker) -> None:
    login = ask(CREATE, method="POST", body=LOGIN)[1]["id"]
    ask.sandbox.advance(days=31)
    bills = ask(f"/document/connection/{login}?dateType=CREATED_DATE&startDate=2026-02-01")[1]
    assert bills["totalDocuments"] == 5
    assert {event["eventType"] for event in ask.sandbox.events if "utilityCompany" in event} == {"document.created.v2"}


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"username": "somebody"}])
@pytest.mark.parametrize("spelling", ["PASSWORD_INCORRECT", "INCORRECT_PASSWORD"])
def test_other_credentials_end_in_the_wrong_password_status(make: Any, wrong: dict[str, str], spelling: str) -> None:
    ask = make(switches={"wrong_password_status": spelling})
    status, login = ask(CREATE, method="POST", body=LOGIN | wrong)
    assert (status, login["status"]) == (201, spelling)
    assert login["statusErrorDetail"]
    assert ask(f"/document/connection/{login['id']}")[1]["totalDocuments"] == 0
    ask.sandbox.advance(days=40)
    assert ask(f"/document/connection/{login['id']}")[1]["totalDocuments"] == 0


def test_new_credentials_repair_a_connection(ask: Asker) -> None:
    login = ask(CREATE, method="POST", body=LOGIN | {"password": "guess"})[1]["id"]
    status, repaired = ask(f"/connection/{login}", method="PATCH", body={"password": LOGIN["password"]})
    assert (status, repaired["status"], repaired["statusErrorDetail"]) == (200, "CONNECTED", "")
    assert ask(f"/document/connection/{login}")[1]["totalDocuments"] == 60
    kinds = [event["eventType"] for event in ask.sandbox.events]
    assert kinds[:3] == ["connection.created.v2", "connection.updated.v2", "connection.validated.v2"]
    assert kinds[3:] == ["document.created.v2"] * 60
    assert ask.sandbox.events.rows()[1]["protectedChanges"] == ["status", "statusErrorDetail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sites": []}, "sites"), ({"sites": [NOBODY]}, "sites"), ({"sites": [BETA_SITE]}, "sites"),
        ({"country": "USA"}, "country"), ({"url": "nectar"}, "url"), ({"password": ""}, "password"),
        ({"username": None}, "username"), ({"securityQuestions": [{"key": "pet"}]}, "securityQuestions"),
    ],
)  # fmt: skip
def test_a_wrong_connection_is_refused(ask: Asker, change: dict[str, Any], field: str) -> None:
    status, body = ask(CREATE, method="POST", body=LOGIN | change)
    assert status == 400
    assert field in body["detail"]
    assert "nectar-sandbox-password" not in str(body)
    assert ask(CREATE)[1]["totalConnections"] == 2


def test_the_same_login_twice_is_refused(ask: Asker) -> None:
    assert ask(CREATE, method="POST", body=LOGIN)[0] == 201
    status, body = ask(CREATE, method="POST", body=LOGIN | {"url": "https://www.nectarclimate.com/login"})
    assert (status, "username" in body["detail"]) == (400, True)


def test_another_provider_waits_for_its_first_check(ask: Asker) -> None:
    status, login = ask(CREATE, method="POST", body=LOGIN | {"url": "https://gas.example", "username": "me"})
    assert (status, login["status"]) == (201, "PENDING")
    ask.sandbox.advance(days=1)
    assert ask(f"/connection/{login['id']}/details")[1]["status"] == "CONNECTED"


def test_working_connections_are_checked_every_week(ask: Asker) -> None:
    ask.sandbox.advance(days=1)
    first = ask(f"/connection/{POWER_LOGIN}/details")[1]["statusLastUpdateTime"]
    ask.sandbox.advance(days=15)
    later = ask(f"/connection/{POWER_LOGIN}/details")[1]["statusLastUpdateTime"]
    assert first < later
    assert ask(f"/connection/{WATER_LOGIN}/details")[1]["status"] == "PASSWORD_INCORRECT"


def test_a_removed_connection_leaves_its_bills(ask: Asker) -> None:
    assert ask(f"/connection/{POWER_LOGIN}", method="DELETE") == (204, None)
    assert ask(f"/connection/{POWER_LOGIN}/details")[0] == 404
    assert ask(f"/document/{JANUARY_BILL}")[0] == 200
    assert ask(f"/account/{POWER_ACCOUNT}")[0] == 200


def test_an_invitation_from_its_making_to_its_end(ask: Asker) -> None:
    body = {
        "allowedEmails": ["bob@acme.example"], "expiresInSeconds": 86_400, "maxUses": 1, "sendEmail": True,
        "prefill": {"url": LOGIN["url"], "initialSites": [MAIN_SITE], "country": "US"},
    }  # fmt: skip
    status, made = ask(f"/invitation/company/{ACME}", method="POST", body=body)
    assert status == 201
    home = ask.url or "https://dash.nectarclimate.com"  # served, its page lies where the sandbox does
    assert made["invitationUrl"] == f"{home}/p/i/{made['token']}"
    assert (made["invitationType"], made["status"], made["useCount"]) == ("CREATE_CONNECTION", "ACTIVE", 0)
    assert made["expiresAt"] == "2026-01-16T09:00:00Z"
    assert made["createdConnections"] == []
    assert "events" not in made
    sandbox = ask.sandbox
    with pytest.raises(ConfigurationError, match="other e-mail"):
        sandbox.use_invitation(made["id"], LOGIN["username"], LOGIN["password"], email="eve@acme.example")
    login = sandbox.use_invitation(made["id"], LOGIN["username"], LOGIN["password"], email="bob@acme.example")
    status, after = ask(f"/invitation/{made['id']}")
    assert (status, after["status"], after["useCount"]) == (200, "FULFILLED", 1)
    assert [row["id"] for row in after["createdConnections"]] == [login]
    assert [event["type"] for event in after["events"]] == ["VIEWED", "EMAIL_VERIFIED", "USED"]
    assert ask(f"/connection/{login}/details")[1]["status"] == "CONNECTED"
    with pytest.raises(ConfigurationError, match="FULFILLED"):
        sandbox.use_invitation(made["id"], "x", "y", email="bob@acme.example")
    assert ask(f"/invitation/company/{ACME}")[1]["totalInvitations"] == 1


def test_an_invitation_expires_and_another_is_revoked(ask: Asker) -> None:
    short, long = (
        ask(f"/invitation/company/{ACME}", method="POST", body=body)[1]["id"] for body in ({"expiresInSeconds": 60}, {})
    )
    ask.sandbox.advance(days=1)
    assert ask(f"/invitation/{short}")[1]["status"] == "EXPIRED"
    assert ask(f"/invitation/{long}")[1]["status"] == "ACTIVE"
    assert ask(f"/invitation/{long}")[1]["expiresAt"] is None
    status, revoked = ask(f"/invitation/{long}/revoke", method="POST")
    assert (status, revoked["status"]) == (200, "REVOKED")
    assert ask(f"/invitation/{long}")[1]["events"][0]["type"] == "REVOKED"


def test_an_invitation_to_reconnect_repairs_the_login(ask: Asker) -> None:
    status, made = ask(f"/invitation/connection/{WATER_LOGIN}", method="POST", body={})
    assert (status, made["invitationType"], made["connectionId"]) == (201, "EDIT_CONNECTION", WATER_LOGIN)
    assert made["prefill"] == {}
    assert "createdConnections" not in made
    assert ask.sandbox.use_invitation(made["id"], "acme", "the right one") == WATER_LOGIN
    assert ask(f"/connection/{WATER_LOGIN}/details")[1]["status"] == "CONNECTED"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"expiresInSeconds": 59}, "expiresInSeconds"), ({"maxUses": 0}, "maxUses"),
        ({"allowedEmails": ["bob"]}, "allowedEmails"),
        ({"prefill": {"initialSites": [BETA_SITE]}}, "prefill.initialSites:"),
    ],
)  # fmt: skip
def test_a_wrong_invitation_is_refused(ask: Asker, body: dict[str, Any], field: str) -> None:
    status, answer = ask(f"/invitation/company/{ACME}", method="POST", body=body)
    assert status == 400
    assert field.lower() in answer["detail"].lower()


def test_magic_links_still_work(ask: Asker) -> None:
    status, link = ask(f"{CREATE}/link")
    assert status == 200
    public, secret = link["publicCompanyId"], link["companyMagicLinkSecret"]
    assert link["magicLinkUrl"] == f"https://dash.nectarclimate.com/p/connect/{public}/{secret}"
    assert ask(f"{CREATE}/link", method="POST", body={"sites": [MAIN_SITE]})[1] == link
    status, edit = ask(f"/connection/{POWER_LOGIN}")
    assert status == 200
    assert edit["magicLinkUrl"].startswith(f"https://dash.nectarclimate.com/p/connect/{public}/workflow/")
    assert ask(f"/connection/{POWER_LOGIN}/details")[1]["publicCompanyId"] == public


@pytest.mark.parametrize(
    ("body", "field"),
    [({"sites": [BETA_SITE]}, "sites:"), ({"prefill": {"initialSites": [BETA_SITE]}}, "prefill.initialSites:")],
)
def test_a_magic_link_for_another_company_s_site_is_refused(ask: Asker, body: dict[str, Any], field: str) -> None:
    status, answer = ask(f"{CREATE}/link", method="POST", body=body)
    assert status == 400
    assert field in answer["detail"]


@pytest.mark.parametrize("url", ["https://gas.example:8443/login", "https://gas.example?tenant=7"])
def test_a_login_s_address_may_have_a_port_and_a_query(ask: Asker, url: str) -> None:
    status, login = ask(CREATE, method="POST", body=LOGIN | {"url": url, "username": "me"})
    assert (status, login["url"], login["datasource"]["name"]) == (201, url, "Gas")


def test_intervals_of_a_smart_meter(ask: Asker) -> None:
    login = ask(CREATE, method="POST", body=LOGIN)[1]
    path = f"/interval/connection/{login['id']}"
    status, page = ask(path)
    assert status == 200
    assert page["totalIntervals"] == 14 * 24
    row = page["intervals"][0]
    assert set(row) == {
        "id", "created", "updated", "account", "identifiers", "start", "end", "usage", "usageUnits", "quality",
    }  # fmt: skip
    assert row["account"] in [account["id"] for account in login["accounts"]]
    assert (row["start"], row["end"]) == ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    assert ask(f"{path}?startDate=2026-01-14T00:00:00Z&endDate=2026-01-14T05:00:00Z")[1]["totalIntervals"] == 6
    assert ask(f"{path}?datasourceType=WATER")[1]["totalIntervals"] == 0
    assert ask(f"{path}?endDate=soon")[0] == 400
    rows = [row["id"] for number in range(1, 5) for row in ask(f"{path}?page={number}")[1]["intervals"]]
    assert len(set(rows)) == 14 * 24

"""Writing: companies, sites, the team, tracking, corrections; what is refused, and that nothing is half-written."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from sandbox_asker import Asker
from small_world import (
    ACME,
    ANNEX,
    BETA,
    BETA_SITE,
    FEBRUARY_USAGE,
    JANUARY_BILL,
    JANUARY_USAGE,
    MAIN_SITE,
    NOBODY,
    POWER_ACCOUNT,
    POWER_LOGIN,
    POWER_METER,
    WATER_ACCOUNT,
)

CALLER = "owner@example.com"


def refused(ask: Asker, method: str, path: str, body: Any, field: str) -> None:
    """Assert a 400 whose detail names the field, and that nothing changed by it."""
    before = "\n".join(ask.sandbox.state.db.iterdump())
    status, answer = ask(path, method=method, body=body)
    assert status == 400, answer
    assert field in answer["detail"]
    assert "\n".join(ask.sandbox.state.db.iterdump()) == before


def test_a_company_is_created_with_the_documented_defaults(ask: Asker) -> None:
    status, company = ask("/company", method="POST", body={"name": "Gamma", "externalId": "G-1"})
    assert status == 201
    assert company["name"] == "Gamma"
    assert company["externalId"] == "G-1"
    assert company["sites"] == []
    assert company["users"] == [CALLER]
    assert company["dataCollectionStartDate"] == "2025-01-01"
    assert company["isImpliedMeteringEnabled"] is False
    assert company["impliedMeteringFraction"] == "1.0"
    assert ask(f"/company/{company['id']}") == (200, company)
    assert [row["name"] for row in ask("/company")[1]] == ["Acme", "Beta", "Gamma"]


@pytest.mark.parametrize(("given", "answered"), [(0.00005, "0.00005"), ("0.50", "0.50"), (1, "1"), (5e-320, None)])
def test_a_small_decimal_is_answered_without_an_exponent(ask: Asker, given: Any, answered: str | None) -> None:
    status, made = ask("/company", method="POST", body={"name": "Small", "impliedMeteringFraction": given})
    assert status == 201
    assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", made["impliedMeteringFraction"])
    assert answered in (None, made["impliedMeteringFraction"])


def test_a_company_is_changed_and_the_caller_stays(ask: Asker) -> None:
    status, company = ask(f"/company/{ACME}", method="PATCH", body={"users": ["ada@acme.example"], "name": "Acme 2"})
    assert status == 200
    assert company["users"] == [CALLER, "ada@acme.example"]
    assert company["name"] == "Acme 2"
    assert company["externalId"] == "A-1"
    assert ask(f"/connection/{POWER_LOGIN}/details")[1]["company"]["name"] == "Acme 2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 201}, "name"), ({"name": 5}, "name"),
        ({"name": "x", "users": ["nobody@nowhere.example"]}, "users"), ({"name": "x", "users": "ada"}, "users"),
        ({"name": "x", "impliedMeteringFraction": "1.5"}, "impliedMeteringFraction"),
        ({"name": "x", "isDemandEnabled": "perhaps"}, "isDemandEnabled"),
        ({"name": "x", "dataCollectionStartDate": "2025-02-30"}, "dataCollectionStartDate"),
    ],
)  # fmt: skip
def test_a_wrong_company_is_refused(ask: Asker, body: Any, field: str) -> None:
    refused(ask, "POST", "/company", body, field)


def test_a_deleted_company_is_gone_at_once_with_all_that_is_its_own(ask: Asker) -> None:
    assert ask(f"/company/{ACME}", method="DELETE") == (204, None)
    for path in (
        f"/company/{ACME}", f"/site/{MAIN_SITE}", f"/connection/{POWER_LOGIN}/details", f"/meter/{POWER_METER}",
        f"/document/{JANUARY_BILL}", f"/usage/{JANUARY_USAGE}", f"/account/{POWER_ACCOUNT}",
        f"/document/company/{ACME}",
    ):  # fmt: skip
        assert ask(path)[0] == 404, path
    assert ask(f"/company/{ACME}", method="DELETE")[0] == 404
    assert [row["name"] for row in ask("/company")[1]] == ["Beta"]


def test_a_site_is_created_and_changed(ask: Asker) -> None:
    body = {
        "name": "Yard", "externalId": "Y", "address": "3 Main St", "path": ["US", "Ohio"], "occupancyPercent": "40.5",
        "dataCollectionStopDate": "2025-01-01",
    }  # fmt: skip
    status, site = ask(f"/site/company/{ACME}", method="POST", body=body)
    assert status == 201
    assert site == {**body, "id": site["id"], "dataCollectionStopDate": None}
    assert ask(f"/company/{ACME}")[1]["sites"][-1] == site
    status, changed = ask(f"/site/{site['id']}", method="PATCH", body={"occupancyPercent": None, "name": "Yard 2"})
    assert status == 200
    assert changed == {**site, "occupancyPercent": None, "name": "Yard 2"}


def test_a_changed_site_is_seen_on_its_usage(ask: Asker) -> None:
    assert ask(f"/site/{MAIN_SITE}", method="PATCH", body={"name": "Main 2"})[0] == 200
    assert ask(f"/usage/{JANUARY_USAGE}")[1]["site"]["name"] == "Main 2"
    assert ask(f"/document/{JANUARY_BILL}")[1]["usageData"][0]["site"]["name"] == "Main 2"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"), ({"name": "x" * 256}, "name"), ({"name": "x", "address": "x" * 256}, "address"),
        ({"name": "x", "path": ["a"] * 11}, "path"), ({"name": "x", "path": ["a" * 101]}, "path"),
        ({"name": "x", "occupancyPercent": "101"}, "occupancyPercent"), (["name"], "body"),
    ],
)  # fmt: skip
def test_a_wrong_site_is_refused(ask: Asker, body: Any, field: str) -> None:
    refused(ask, "POST", f"/site/company/{ACME}", body, field)


def test_a_site_of_no_company_is_a_404_even_by_the_documentation_alone(make: Any) -> None:
    for arguments in ({}, {"documented_only": True}):
        assert make(**arguments)(f"/site/company/{NOBODY}", method="POST", body={"name": "x"})[0] == 404


def test_bodies_may_be_forms(ask: Asker) -> None:
    with ask.sandbox.serve() as served:
        for how in ({"data": {"name": "Form"}}, {"files": {"name": (None, "Multipart")}}):
            answer = requests.post(
                f"{served.url}/v2.2/site/company/{ACME}", headers={"X-API-Key": ask.sandbox.key}, timeout=5, **how
            )
            assert answer.status_code == 201
    assert [site["name"] for site in ask(f"/company/{ACME}")[1]["sites"]][-2:] == ["Form", "Multipart"]


def test_a_file_in_place_of_a_text_is_refused(sandbox: Any) -> None:
    for files in ({"name": ("Yard.txt", b"Yard")}, {"name": (None, "Yard"), "address": ("a.txt", b"1 Quay")}):
        form = requests.Request("POST", "http://localhost", files=files).prepare()
        answer = sandbox.app.test_client().post(
            f"/v2.2/site/company/{ACME}",
            data=form.body,
            headers={"X-API-Key": sandbox.key},
            content_type=form.headers["Content-Type"],
        )
        assert answer.status_code == 400
        assert answer.json[list(files)[-1]][0].startswith("must be a text")


def test_a_form_s_text_may_be_as_long_as_json_s(sandbox: Any) -> None:
    answer = sandbox.app.test_client().post(
        f"/v2.2/site/company/{ACME}",
        data=f"name=Long&externalId={'e' * 600_000}",
        headers={"X-API-Key": sandbox.key},
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, len(answer.json["externalId"])) == (201, 600_000)


def test_a_body_that_is_no_json_is_refused(sandbox: Any) -> None:
    client, headers = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    for text in ("{", "[" * 100_000, '{"name": NaN}', "\xff"):
        answer = client.post("/v2.2/company", data=text, headers=headers, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json["detail"]


def test_the_team(ask: Asker) -> None:
    status, team = ask("/team")
    assert status == 200
    assert set(team) == {"id", "name", "email", "users", "billing"}
    status, changed = ask("/team", method="PATCH", body={"users": ["ada@acme.example"]})
    assert (status, changed["users"]) == (200, [CALLER, "ada@acme.example"])
    assert ask("/team")[1] == changed
    refused(ask, "PATCH", "/team", {"users": ["nobody@nowhere.example"]}, "users")


def test_an_account_is_tracked_or_not(ask: Asker) -> None:
    status, account = ask(f"/account/{POWER_ACCOUNT}", method="PATCH", body={"isTracked": False})
    assert status == 200
    assert (account["trackingStatus"], account["isTracked"]) == ("DISABLED", False)
    assert ask(f"/meter/{POWER_METER}")[1]["isTracked"] is False
    assert ask(f"/usage/{JANUARY_USAGE}")[1]["meterIsTracked"] is False
    ask(f"/account/{POWER_ACCOUNT}", method="PATCH", body={"isTracked": True, "updateMeters": False})
    assert ask(f"/account/{POWER_ACCOUNT}")[1]["trackingStatus"] == "ENABLED"
    assert ask(f"/meter/{POWER_METER}")[1]["isTracked"] is False


def test_nothing_else_of_an_account_can_be_set(ask: Asker) -> None:
    refused(ask, "PATCH", f"/account/{POWER_ACCOUNT}", {"isTracked": True, "accountNumber": "1"}, "accountNumber")
    refused(ask, "PATCH", f"/account/{POWER_ACCOUNT}", {}, "isTracked")


def test_several_accounts_are_tracked_all_or_none(ask: Asker) -> None:
    path, body = f"/account/company/{ACME}", {"accountIds": [POWER_ACCOUNT, WATER_ACCOUNT], "isTracked": False}
    refused(ask, "PATCH", path, {**body, "accountIds": [POWER_ACCOUNT, NOBODY]}, "accountIds")
    refused(ask, "PATCH", f"/account/company/{BETA}", body, "accountIds")
    status, accounts = ask(path, method="PATCH", body=body)
    assert status == 200
    assert [account["trackingStatus"] for account in accounts] == ["DISABLED", "DISABLED"]


def test_a_usage_record_is_corrected(ask: Asker) -> None:
    ask.sandbox.advance(days=1)
    change = {"startDate": "2025-02-02", "endDate": "2025-03-01", "exclusion": True, "tariff": "R-2"}
    status, usage = ask(f"/usage/{FEBRUARY_USAGE}", method="PATCH", body={**change, "usage": "999"})
    assert status == 200
    assert {name: usage[name] for name in change} == change
    assert usage["usage"] == "140"
    assert usage["updated"] == usage["document"]["updated"] == "2026-01-16T09:00:00Z"
    assert ask(f"/usage/{FEBRUARY_USAGE}")[1] == usage
    assert ask(f"/usage/company/{ACME}?dateType=USAGE_PERIOD&startDate=2025-03-01")[1]["totalUsageData"] == 1
    assert ask(f"/document/company/{ACME}?dateType=USAGE_PERIOD&startDate=2025-03-01")[1]["totalDocuments"] == 2
    [event] = ask.sandbox.events.rows()
    assert event["eventType"] == "document.updated.v2"
    assert event["old"]["usageData"][0]["tariff"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"endDate": "2025-01-01"}, "endDate"), ({"startDate": "soon"}, "startDate"),
        ({"usageUnits": "furlong"}, "usageUnits"), ({"isEstimated": "perhaps"}, "isEstimated"),
    ],
)  # fmt: skip
def test_a_wrong_correction_is_refused(ask: Asker, body: Any, field: str) -> None:
    refused(ask, "PATCH", f"/usage/{FEBRUARY_USAGE}", body, field)


def test_whether_a_correction_moves_the_bill_is_a_switch(make: Any) -> None:
    for position, expected in (("yes", "2026-01-15T09:00:00Z"), ("no", "2025-03-05T10:00:00Z")):
        ask = make(switches={"children_move_updated": position})
        ask(f"/usage/{FEBRUARY_USAGE}", method="PATCH", body={"tariff": "R-2"})
        assert ask(f"/usage/{FEBRUARY_USAGE}")[1]["document"]["updated"] == expected


def test_ids_of_what_is_made_follow_from_the_seed(make: Any) -> None:
    first, again, other = (
        make(seed=seed)("/company", method="POST", body={"name": "x"})[1]["id"] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_limited_key_writes_nothing_elsewhere(ask: Asker) -> None:
    key = ask.sandbox.create_key("production", companies=[ACME])
    assert ask(f"/site/{BETA_SITE}", method="PATCH", body={"name": "x"}, key=key)[0] == 403
    assert ask(f"/company/{BETA}", method="DELETE", key=key)[0] == 403
    assert ask(f"/site/{ANNEX}", method="PATCH", body={"name": "x"}, key=key)[0] == 200


def test_the_webhook_portal_has_an_address(ask: Asker) -> None:
    status, portal = ask("/webhook", method="POST")
    assert status == 200
    assert portal["url"].startswith(("https://", "http://127.0.0.1:"))

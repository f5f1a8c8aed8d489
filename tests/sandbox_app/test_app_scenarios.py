"""Scenarios by name, and the events they tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sandbox_asker import Asker
from small_world import (
    ACME,
    ANNEX,
    FEBRUARY_BILL,
    JANUARY_BILL,
    JANUARY_USAGE,
    MAIN_SITE,
    POWER_LOGIN,
    POWER_METER,
)

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import Sandbox

BILLS = f"/document/company/{ACME}"
Make = Callable[..., Asker]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("bad_login", "PASSWORD_INCORRECT"), ("mfa_required", "MFA_TOKEN_EXPIRED"), ("website_down", "WEBSITE_DOWN"),
        ("no_accounts", "NO_ACCOUNTS_FOUND"), ("password_reset", "NEW_PASSWORD_NEEDED"),
        ("under_investigation", "UNDER_INVESTIGATION"),
    ],
)  # fmt: skip
def test_a_login_fails(ask: Asker, name: str, status: str) -> None:
    ask.sandbox.advance(days=3)
    ask.sandbox.events.clear()
    assert ask.sandbox.scenario(name) == POWER_LOGIN
    login = ask(f"/connection/{POWER_LOGIN}/details")[1]
    assert login["status"] == status
    assert login["statusErrorDetail"]
    assert login["statusFirstSeenTime"] == login["statusLastUpdateTime"] == "2026-01-18T09:00:00Z"
    updated, validated = ask.sandbox.events.rows()
    assert (updated["eventType"], validated["eventType"]) == ("connection.updated.v2", "connection.validated.v2")
    assert updated["old"]["status"] == "CONNECTED"
    assert validated["id"] == POWER_LOGIN
    assert "not to be seen" not in str(ask.sandbox.events.rows())
    ask.sandbox.scenario("recovered", connection=POWER_LOGIN)
    assert ask(f"/connection/{POWER_LOGIN}/details")[1]["status"] == "CONNECTED"


def test_a_login_fails_later(ask: Asker) -> None:
    ask.sandbox.scenario("bad_login_after", connection=POWER_LOGIN, days=10)
    ask.sandbox.advance(days=9)
    assert ask(f"/connection/{POWER_LOGIN}/details")[1]["status"] == "CONNECTED"
    ask.sandbox.advance(days=2)
    login = ask(f"/connection/{POWER_LOGIN}/details")[1]
    assert (login["status"], login["statusFirstSeenTime"]) == ("PASSWORD_INCORRECT", "2026-01-25T09:00:00Z")
    assert "planned" not in login


def test_a_company_is_deactivated(ask: Asker) -> None:
    assert ask.sandbox.scenario("company_inactive") == ACME
    for login in ask(f"/connection/company/{ACME}")[1]["connections"]:
        assert (login["status"], login["isActive"]) == ("COMPANY_INACTIVE", False)


def test_a_bill_is_revised(ask: Asker) -> None:
    assert ask.sandbox.scenario("bill_revised", bill=JANUARY_BILL) == JANUARY_BILL
    old = ask(f"/document/{JANUARY_BILL}")[1]
    new = ask(f"/document/{old['revisedDocumentId']}")[1]
    assert old["updated"] == new["created"] == "2026-01-15T09:00:00Z"
    assert new["revisedDocumentId"] is None
    assert new["totalCharges"] == old["totalCharges"]
    assert new["usageData"][0]["usage"] == "150.75"
    assert new["usageData"][0]["id"] != JANUARY_USAGE
    assert new["demandMeters"][0]["usageDataIds"] == [new["usageData"][0]["id"]]
    assert ask(f"/document/connection/{POWER_LOGIN}")[1]["totalDocuments"] == 3
    created, updated = ask.sandbox.events.rows()
    assert (created["eventType"], updated["eventType"]) == ("document.created.v2", "document.updated.v2")


def test_a_bill_may_still_be_named_as_the_wire_does(ask: Asker) -> None:
    assert ask.sandbox.scenario("bill_revised", document=FEBRUARY_BILL) == FEBRUARY_BILL
    assert ask(f"/document/{FEBRUARY_BILL}")[1]["revisedDocumentId"] is not None


@pytest.mark.parametrize(("position", "day"), [("yes", "2026-01-15"), ("no", "2025-03-05")])
def test_a_bill_is_deleted(make: Make, position: str, day: str) -> None:
    ask = make(switches={"deletion_moves_updated": position})
    ask.sandbox.scenario("bill_deleted", bill=FEBRUARY_BILL)
    assert ask(f"/document/{FEBRUARY_BILL}")[0] == 404
    assert ask(BILLS)[1]["totalDocuments"] == 3
    [bill] = [row for row in ask(f"{BILLS}?isDeleted=true")[1]["documents"] if row["id"] == FEBRUARY_BILL]
    assert bill["updated"][:10] == day
    assert ask(f"/usage/company/{ACME}")[1]["totalUsageData"] == 3
    assert ask.sandbox.events.rows()[0]["eventType"] == "document.deleted.v2"


@pytest.mark.parametrize(("position", "day"), [("yes", "2026-01-15"), ("no", "2025-02-05")])
def test_a_meter_moves_with_its_past(make: Make, position: str, day: str) -> None:
    ask = make(switches={"meter_move_moves_updated": position})
    assert ask.sandbox.scenario("meter_moved", meter=POWER_METER) == POWER_METER
    assert ask(f"/meter/{POWER_METER}")[1]["site"] == ANNEX
    assert ask(f"/usage/site/{MAIN_SITE}")[1]["totalUsageData"] == 0
    assert ask(f"/usage/site/{ANNEX}")[1]["totalUsageData"] == 4
    usage = ask(f"/usage/{JANUARY_USAGE}")[1]
    assert usage["site"]["id"] == ANNEX
    assert usage["document"]["updated"][:10] == day


@pytest.mark.parametrize(
    ("name", "of", "what"),
    [
        ("flood", {}, "bad_login"), ("bad_login", {"document": JANUARY_BILL}, "connection"),
        ("bad_login", {"connection": "nothing"}, "nothing"), ("bad_login", {"connection": 5}, "text"),
        ("bill_revised", {"bill": "nothing"}, "has no bill 'nothing'"),
        ("bill_deleted", {"bill": JANUARY_BILL, "document": JANUARY_BILL}, "It takes: bill"),
        ("bad_login_after", {"days": -1}, "days"), ("bad_login_after", {"days": 1e9}, "days"),
    ],
)  # fmt: skip
def test_what_cannot_happen_says_what_can(sandbox: Sandbox, name: str, of: dict[str, object], what: str) -> None:
    before = "\n".join(sandbox.state.db.iterdump())
    with pytest.raises(ConfigurationError, match=what):
        sandbox.scenario(name, **of)
    assert "\n".join(sandbox.state.db.iterdump()) == before


def test_time_goes_at_most_ten_years_at_once(sandbox: Sandbox) -> None:
    for days in (3661, 1e300, float("nan")):
        with pytest.raises(ConfigurationError, match="3660"):
            sandbox.advance(days)
    assert sandbox.clock.today().isoformat() == "2026-01-15"


@pytest.mark.parametrize("name", ["bad_login", "bad_login_after"])
def test_a_refused_login_is_spelt_as_the_switch_says(make: Make, name: str) -> None:
    ask = make(switches={"wrong_password_status": "INCORRECT_PASSWORD"})
    login = ask.sandbox.scenario(name)
    ask.sandbox.advance(days=8)
    assert ask(f"/connection/{login}/details")[1]["status"] == "INCORRECT_PASSWORD"


def test_nothing_arrives_behind_a_login_that_fails_until_it_works_again() -> None:
    sandbox = Sandbox(seed=5, sites=6, months=3)
    ask = Asker(sandbox)
    company = ask("/company")[1][0]["id"]
    logins = [row["id"] for row in ask(f"/connection/company/{company}?status=CONNECTED")[1]["connections"]]
    before = {login: ask(f"/document/connection/{login}")[1]["totalDocuments"] for login in logins}
    for login in logins:
        sandbox.scenario("bad_login", connection=login)
    sandbox.advance(days=65)
    assert {login: ask(f"/document/connection/{login}")[1]["totalDocuments"] for login in logins} == before
    for login in logins:
        sandbox.scenario("recovered", connection=login)
    sandbox.advance(days=1)
    after = {login: ask(f"/document/connection/{login}")[1]["totalDocuments"] for login in logins}
    assert all(after[login] >= before[login] for login in logins)
    assert sum(after.values()) > sum(before.values())
    sandbox.close()


def test_the_past_is_the_same_however_time_passed() -> None:
    def bills(*steps: float) -> set[str]:
        sandbox = Sandbox(seed=5, sites=4, months=3)
        for days in steps:
            sandbox.advance(days=days)
        ask = Asker(sandbox)
        company = ask("/company")[1][0]["id"]
        rows = ask(f"/document/company/{company}?dateType=CREATED_DATE&startDate=2026-01-01")[1]["documents"]
        sandbox.close()
        return {row["id"] for row in rows}

    assert bills(40) == bills(10, 10, 20)

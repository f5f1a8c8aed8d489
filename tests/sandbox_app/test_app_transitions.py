"""What may become of a connection, whoever changes it; and time, which is the same in one step or in many."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sandbox_asker import Asker
from small_world import ACME, MAIN_SITE, POWER_LOGIN

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import Sandbox
from nectar_notebooks.schema.statuses import may_follow

Make = Callable[..., Asker]
MOCK = {
    "url": "https://nectarclimate.com",
    "username": "nectar-sandbox-username",
    "password": "nectar-sandbox-password",
    "sites": [MAIN_SITE],
    "country": "US",
}
FAILURES = ("bad_login", "mfa_required", "website_down", "no_accounts", "password_reset", "under_investigation")


def status(ask: Asker, connection: str) -> str:
    return str(ask(f"/connection/{connection}/details")[1]["status"])


@pytest.mark.parametrize("name", [*FAILURES, "recovered", "bad_login_after"])
def test_nothing_happens_to_a_login_of_a_company_that_was_deactivated(make: Make, name: str) -> None:
    ask = make()
    ask.sandbox.scenario("company_inactive", company=ACME)
    before = ask(f"/connection/{POWER_LOGIN}/details")
    events = len(ask.sandbox.events)
    with pytest.raises(ConfigurationError, match=f"{POWER_LOGIN}.*COMPANY_INACTIVE"):
        ask.sandbox.scenario(name, connection=POWER_LOGIN)
    ask.sandbox.advance(days=30)
    assert ask(f"/connection/{POWER_LOGIN}/details") == before
    assert len(ask.sandbox.events) == events


def test_recovery_does_not_choose_a_login_of_a_company_that_was_deactivated(make: Make) -> None:
    ask = make()
    ask.sandbox.scenario("company_inactive", company=ACME)
    with pytest.raises(ConfigurationError, match="no connection that this scenario fits"):
        ask.sandbox.scenario("recovered")


@pytest.mark.parametrize("way", ["credentials", "invitation"])
def test_right_credentials_do_not_reactivate_a_company(make: Make, way: str) -> None:
    ask = make()
    login = ask(f"/connection/company/{ACME}", method="POST", body=MOCK | {"password": "guess"})[1]["id"]
    ask.sandbox.scenario("company_inactive", company=ACME)
    if way == "credentials":
        body = {"username": MOCK["username"], "password": MOCK["password"]}
        assert ask(f"/connection/{login}", method="PATCH", body=body)[0] == 200
    else:
        invited = ask(f"/invitation/connection/{login}", method="POST", body={})[1]["id"]
        ask.sandbox.use_invitation(invited, MOCK["username"], MOCK["password"])
    ask.sandbox.advance(days=40)
    answered = ask(f"/connection/{login}/details")[1]
    assert (answered["status"], answered["isActive"]) == ("COMPANY_INACTIVE", False)
    assert ask(f"/document/connection/{login}")[1]["totalDocuments"] == 0


@pytest.mark.parametrize("had", ["no connections", "connections that were deleted"])
def test_a_deactivated_company_without_connections_stays_so(make: Make, had: str) -> None:
    ask = make()
    company, sites = ACME, [MAIN_SITE]
    if had == "no connections":
        company = ask("/company", method="POST", body={"name": "New"})[1]["id"]
        site = {"name": "Depot", "address": "1 Main Street"}
        sites = [ask(f"/site/company/{company}", method="POST", body=site)[1]["id"]]
    before = ask(f"/company/{company}")
    ask.sandbox.scenario("company_inactive", company=company)
    for login in ask(f"/connection/company/{company}")[1]["connections"]:
        assert ask(f"/connection/{login['id']}", method="DELETE")[0] == 204
    made = ask(f"/connection/company/{company}", method="POST", body=MOCK | {"sites": sites})[1]
    assert (made["status"], made["isActive"]) == ("COMPANY_INACTIVE", False)
    assert ask(f"/company/{company}") == before


@pytest.mark.parametrize("name", [one for one in FAILURES if one != "bad_login"])
def test_a_password_that_goes_bad_is_found_out_once_the_login_is_tried(make: Make, name: str) -> None:
    ask = make()
    ask.sandbox.scenario("bad_login_after", connection=POWER_LOGIN, days=3)
    ask.sandbox.scenario(name, connection=POWER_LOGIN)
    failed = status(ask, POWER_LOGIN)
    ask.sandbox.advance(days=10)
    assert status(ask, POWER_LOGIN) == failed
    ask.sandbox.scenario("recovered", connection=POWER_LOGIN)
    ask.sandbox.advance(days=1)
    answered = ask(f"/connection/{POWER_LOGIN}/details")[1]
    assert (answered["status"], answered["statusFirstSeenTime"]) == ("PASSWORD_INCORRECT", "2026-01-25T09:00:00Z")


def test_new_credentials_end_what_was_planned_for_the_old_ones(make: Make) -> None:
    ask = make()
    ask.sandbox.scenario("bad_login_after", connection=POWER_LOGIN, days=3)
    assert ask(f"/connection/{POWER_LOGIN}", method="PATCH", body={"password": "another"})[0] == 200
    ask.sandbox.advance(days=10)
    assert status(ask, POWER_LOGIN) == "CONNECTED"


def test_the_first_check_comes_a_day_after_the_connection(make: Make) -> None:
    ask = make()
    login = ask(f"/connection/company/{ACME}", method="POST", body=MOCK | {"url": "https://power.example"})[1]["id"]
    ask.sandbox.advance(days=0.5)
    assert status(ask, login) == "PENDING"
    ask.sandbox.advance(days=20)
    answered = ask(f"/connection/{login}/details")[1]
    assert (answered["status"], answered["statusFirstSeenTime"]) == ("CONNECTED", "2026-01-16T09:00:00Z")
    assert answered["statusLastUpdateTime"] == "2026-01-30T09:00:00Z"


def test_a_bill_of_the_mock_utility_arrives_on_its_day(make: Make) -> None:
    ask = make()
    login = ask(f"/connection/company/{ACME}", method="POST", body=MOCK)[1]["id"]
    ask.sandbox.advance(days=60)
    new = ask(f"/document/connection/{login}?dateType=CREATED_DATE&startDate=2026-01-16")[1]["documents"]
    assert {bill["created"] for bill in new} == {"2026-02-05T00:00:00Z", "2026-03-05T00:00:00Z"}
    assert {bill["billDate"] for bill in new} == {"2026-02-05", "2026-03-05"}


def test_every_change_that_is_announced_may_follow(make: Make) -> None:
    ask = make()
    for name in FAILURES:
        ask.sandbox.scenario(name, connection=POWER_LOGIN)
        ask.sandbox.scenario("recovered", connection=POWER_LOGIN)
    ask.sandbox.scenario("company_inactive", company=ACME)
    told = [one for one in ask.sandbox.events if "status" in one.get("protectedChanges", ())]
    assert len(told) > 2 * len(FAILURES)
    assert [one for one in told if not may_follow(one["old"]["status"], one["status"])] == []


def told(sandbox: Sandbox) -> dict[str, Any]:
    """Return everything that a sandbox answers about its companies, and its events."""
    client, key = sandbox.app.test_client(), {"X-API-Key": sandbox.key}

    def pages(path: str) -> list[Any]:
        found, number, more = [], 1, True
        while more:
            answer = client.get(f"/v2.2{path}?page={number}", headers=key).json
            found.append(answer)
            number, more = number + 1, answer["hasNext"]
        return found

    companies = client.get("/v2.2/company", headers=key).json
    nouns = ("connection", "account", "meter", "document", "usage", "invitation", "job")
    return {
        "companies": companies,
        "events": sandbox.events.rows(),
        **{f"{noun} {one['id']}": pages(f"/{noun}/company/{one['id']}") for one in companies for noun in nouns},
    }


def at_once(sandbox: Sandbox, days: int) -> None:
    sandbox.advance(days=days)


def by_days(sandbox: Sandbox, days: int) -> None:
    for _ in range(days):
        sandbox.advance(days=1)


def by_halves(sandbox: Sandbox, days: int) -> None:
    for _ in range(2 * days):
        sandbox.advance(days=0.5)


def play(sandbox: Sandbox, story: list[tuple[Any, ...]], pass_time: Callable[[Sandbox, int], None]) -> None:
    """Let a story happen."""
    client, key = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    company = client.get("/v2.2/company", headers=key).json[0]
    where = f"/v2.2/connection/company/{company['id']}"
    login = MOCK | {"sites": [company["sites"][0]["id"]]}
    logins = [one["id"] for one in client.get(where, headers=key).json["connections"]]
    for what, *rest in story:
        if what == "time":
            pass_time(sandbox, rest[0])
        elif what == "login":
            made = client.post(where, json=login | {"url": rest[0], "username": rest[1]}, headers=key)
            logins += [made.json["id"]] if made.status_code == 201 else []
        else:
            more = {"days": rest[1]} if what == "bad_login_after" else {}
            with suppress(ConfigurationError):  # a login of a company that was deactivated
                sandbox.scenario(what, connection=logins[rest[0] % len(logins)], **more)


STEPS = st.one_of(
    st.tuples(st.just("time"), st.integers(1, 12)),
    st.tuples(
        st.just("login"),
        st.sampled_from([MOCK["url"], "https://power.example"]),
        st.sampled_from(["nectar-sandbox-username", "somebody"]),
    ),
    st.tuples(st.sampled_from([*FAILURES, "recovered", "recovered"]), st.integers(0, 20)),
    st.tuples(st.just("bad_login_after"), st.integers(0, 20), st.integers(0, 30)),
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(seed=1, story=[("login", MOCK["url"], MOCK["username"]), ("bad_login_after", 0, 30), ("time", 60)])
@given(seed=st.integers(1, 5), story=st.lists(STEPS, min_size=2, max_size=6).map(lambda story: [*story, ("time", 20)]))
def test_one_long_step_is_as_many_short_ones(seed: int, story: list[tuple[Any, ...]]) -> None:
    found = []
    for pass_time in (at_once, by_days, by_halves):
        sandbox = Sandbox(seed, sites=2, months=1)
        play(sandbox, story, pass_time)
        found.append(json.dumps(told(sandbox), sort_keys=True))
        sandbox.close()
    assert found[0] == found[1] == found[2]

"""What the doctor finds: on the embedded sandbox, on servers that answer wrongly, and where nothing answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from api.wire import Reply, Request, serve

import nectar_notebooks as nn
from nectar_notebooks.diagnosis import Diagnosis

KEY = "made-up-key-of-a-test-0123456789"
COMPANIES = [{"id": "c1", "name": "Acme"}, {"id": "c2", "name": "<b>Beta & sons</b>"}]


def shown(found: Diagnosis) -> str:
    """Return everything that a diagnosis can show, in every form."""
    return "\n".join([repr(found), found._repr_html_(), json.dumps(found.to_dict()), found.frame.to_string()])


def check(found: Diagnosis, name: str) -> tuple[str, str, tuple[str, ...]]:
    [one] = [one for one in found.checks if one.check == name]
    return one.result, one.finding, one.check_first


def answering(**replies: Reply) -> Callable[[Request], Reply]:
    """Return an API by hand: a reply for `ping`, `list`, `company`; other paths are a 404."""

    def handler(request: Request) -> Reply:
        path = request.path.removeprefix("/v2.2")
        name = {"/ping": "ping", "/company": "list"}.get(path, "company" if path.startswith("/company/") else "")
        default = {
            "ping": Reply({"version": "v2.2"}),
            "list": Reply(COMPANIES),
            "company": Reply(COMPANIES[0] | {"sites": []}),
        }
        return replies.get(name) or default.get(name) or Reply({"detail": "Not here."}, 404)

    return handler


def examined(handler: Callable[[Request], Reply], **more: object) -> Diagnosis:
    with serve(handler) as wire:
        found = nn.diagnose("production", key=more.pop("key", KEY), base_url=wire.url, **more)
    assert KEY not in shown(found)
    return found


def test_a_good_connection_is_well(sandbox: nn.Sandbox) -> None:
    found = nn.connect(sandbox=sandbox).diagnose()
    assert found.ok
    assert found.verdict == "Nothing is wrong."
    assert [one.result for one in found.checks] == ["ok", "ok", "ok", "ok", "ok", "note"]
    names = nn.connect(sandbox=sandbox).companies()["name"]
    assert [name for _, name in found.companies] == list(names)
    assert f"The key sees {len(names)}: {', '.join(names)}." == check(found, "companies")[1]
    assert sandbox.key not in shown(found)
    assert found.frame.columns.tolist() == ["check", "result", "finding", "check_first"]


def test_a_served_one_says_where_its_key_was_found(sandbox: nn.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.serve() as served:
        monkeypatch.setenv("NECTAR_API_KEY", served.key)
        found = nn.diagnose("local", base_url=served.url)
    assert found.ok
    assert "environment variable NECTAR_API_KEY" in check(found, "key")[1]
    assert served.key not in shown(found)


def test_where_the_key_was_found_and_what_it_reads_stand_for_its_environment() -> None:
    found = examined(answering())
    assert found.ok
    result, finding, _ = check(found, "environment")
    assert result == "note"
    assert "does not say which environment" in finding
    assert "argument" in finding
    assert "Acme" in finding


@pytest.mark.parametrize("environment", ["production", "sandbox"])
def test_without_a_key_it_says_where_to_put_one(environment: str) -> None:
    found = nn.diagnose(environment)
    assert found.wrong == ("settings",)
    assert f"NECTAR_{environment.upper()}_API_KEY" in check(found, "settings")[2][0]
    assert "No key is in sight" in check(found, "key")[1]


def test_without_a_key_of_this_environment_it_says_where_another_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NECTAR_SANDBOX_API_KEY", KEY)
    found = nn.diagnose("production")
    assert found.wrong == ("settings",)
    assert "environment variable NECTAR_SANDBOX_API_KEY" in check(found, "key")[1]
    monkeypatch.delenv("NECTAR_SANDBOX_API_KEY")
    (tmp_path / ".env").write_text(f"NECTAR_SANDBOX_API_KEY={KEY}\n")
    again = nn.diagnose("production")
    assert "NECTAR_SANDBOX_API_KEY in .env" in check(again, "key")[1]
    assert KEY not in shown(found) + shown(again)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"environment": "staging"}, "no environment"),
        ({"environment": "production", "key": f'"{KEY}"'}, "quotation mark"),
        ({"environment": "production", "key": f"{KEY[:5]} {KEY[5:]}"}, "space"),
        ({"environment": "production", "key": KEY, "version": "v9"}, "no API version"),
        ({"environment": "production", "key": KEY, "base_url": "http://api.example"}, "without https"),
        ({"environment": "production", "key": KEY, "base_url": "https://api.example/v2.2/company"}, "more than scheme"),
        ({"key": KEY}, "which environment"),
    ],
)
def test_settings_that_cannot_be_used_are_a_finding(settings: dict[str, str], says: str) -> None:
    found = nn.diagnose(**settings)
    assert found.wrong == ("settings",)
    assert says in check(found, "settings")[1]
    assert check(found, "settings")[2]
    assert KEY[:5] not in shown(found)


def test_a_dotenv_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"NECTAR_API_KEY=\xff\xfe")
    found = nn.diagnose()
    assert found.wrong == ("settings",)
    assert ".env cannot be read" in check(found, "settings")[1]


@pytest.mark.parametrize(
    ("state", "means"),
    [
        ("unknown", "the key is not copied whole"),
        ("expired", "the key has expired"),
        ("deleted", "the key was deleted"),
        ("other", "the key is of the other environment"),
    ],
)
def test_a_refused_key_most_probably_means_what_the_api_says(state: str, means: str) -> None:
    sandbox = nn.Sandbox(seed=3, sites=2, months=1, switches={"other_environment": "refused"})
    key = sandbox.create_key("sandbox" if state == "other" else "production", datetime(2026, 1, 16, tzinfo=UTC))
    if state == "expired":
        sandbox.advance(days=2)
    if state == "deleted":
        sandbox.revoke_key(key)
    found = nn.connect(sandbox=sandbox, key="nectar_local_unknown" if state == "unknown" else key).diagnose()
    assert found.wrong == ("ping",)
    _, finding, steps = check(found, "ping")
    assert f"Most probably: {means}" in finding
    assert [word in step for word, step in zip(("X-API-Key", "active", "create_key"), steps, strict=True)] == [True] * 3
    assert key not in shown(found)
    assert found.companies == ()  # there is no point in asking on


def test_a_401_without_a_reason_lists_what_to_check_in_the_order_of_the_faq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NECTAR_SANDBOX_API_KEY", KEY)
    found = examined(answering(ping=Reply({"detail": "Unauthorized."}, 401)))
    _, finding, steps = check(found, "ping")
    assert "not active, or is of the other environment" in finding
    assert [word in step for word, step in zip(("header", "active", "made for Production"), steps, strict=True)] == [
        True
    ] * 3
    assert "NECTAR_SANDBOX_API_KEY" in steps[-1]


def test_a_key_that_the_answer_repeats_is_not_shown() -> None:
    found = examined(answering(ping=Reply({"detail": f"The key {KEY} is wrong."}, 401)))
    assert found.wrong == ("ping",)


@pytest.mark.parametrize(
    ("reply", "means"),
    [
        (Reply({"detail": "Not found."}, 404), "not the API's address"),
        (Reply({"detail": "No."}, 403), "not the API's address"),
        (Reply({}, 302, {"Location": "https://login.example/"}), "something other than the API"),
        (Reply("", 200, fault="cut"), "cut off"),
        (Reply(fault="reset"), "could not be reached"),
        (Reply({"detail": "Broken."}, 500), "the API failed"),
        (Reply({"detail": "Slowly."}, 429, {"Retry-After": "0"}), "too many requests"),
    ],
)
def test_whatever_the_ping_answers_is_a_finding_with_what_to_check(reply: Reply, means: str) -> None:
    found = examined(answering(ping=reply))
    assert found.wrong == ("ping",)
    _, finding, steps = check(found, "ping")
    assert means in finding
    assert steps


def test_a_web_page_is_not_taken_for_the_api() -> None:
    found = examined(lambda _: Reply(b"<!doctype html><title>Hello</title>", headers={"Content-Type": "text/html"}))
    assert found.wrong == ("ping",)
    assert "something other than the API" in check(found, "ping")[1]


def test_nobody_listens_and_no_such_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = nn.diagnose("production", key=KEY, base_url=f"http://127.0.0.1:{port}")
    assert found.wrong == ("ping",)
    assert "online" in check(found, "ping")[2][0]
    assert KEY not in shown(found)


def test_a_host_that_answers_another_version_says_so() -> None:
    found = examined(answering(), version="v2.1")
    assert found.wrong == ("ping",)
    _, finding, steps = check(found, "ping")
    assert "v2.2 answers here" in finding
    assert "'v2.2'" in steps[0]


def test_a_ping_that_names_another_version_is_noted() -> None:
    found = examined(answering(ping=Reply({"version": "2.1"})))
    assert found.ok
    assert check(found, "ping")[0] == "note"


def test_a_key_that_sees_nothing_is_wrong() -> None:
    found = examined(answering(list=Reply([])))
    assert found.wrong == ("companies",)
    assert "organization" in check(found, "companies")[2][0]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply({"companies": COMPANIES}), "not a list of companies"),
        (Reply({"detail": "Forbidden."}, 403), "may not see"),
        (Reply({"detail": "Broken."}, 500), "the API failed"),
    ],
)
def test_a_list_of_companies_that_fails_is_a_finding(reply: Reply, says: str) -> None:
    found = examined(answering(list=reply))
    assert found.wrong == ("companies",)
    assert says in check(found, "companies")[1]


@pytest.mark.parametrize("status", [403, 404])
def test_a_company_that_is_listed_and_cannot_be_read_says_scope_visibility_id(status: int) -> None:
    found = examined(answering(company=Reply({"detail": "No."}, status)))
    assert found.wrong == ("company Acme", "company <b>Beta & sons</b>")
    steps = check(found, "company Acme")[2]
    assert [step.partition(":")[0] for step in steps] == ["Scope", "Visibility", "The id"]
    assert "Acme" in steps[1]
    assert "<b>" not in found._repr_html_().replace("<br>", "")  # what the API sends is text


def test_only_the_first_companies_are_read_and_the_rest_is_counted() -> None:
    many = [{"id": f"c{number}", "name": f"Company {number}"} for number in range(25)]
    asked = []

    def handler(request: Request) -> Reply:
        asked.append(request.path)
        return answering(list=Reply(many))(request)

    found = examined(handler)
    assert found.ok
    assert len(found.companies) == 25
    assert len(asked) == 22  # a ping, the list, and ten companies with a page of their connections each
    assert "15 more were not tried" in check(found, "reading")[1]
    assert "and 15 more" in check(found, "companies")[1]


def test_whose_id_it_is(sandbox: nn.Sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0]
    for kind, object_id in (
        ("company", company["company_id"]),
        ("site", nectar.sites(company)["site_id"][0]),
        ("connection", nectar.connections(company)["connection_id"][0]),
        ("bill", nectar.bills(company)["bill_id"][0]),
        ("account", nectar.accounts(company)["account_id"][0]),
        ("meter", nectar.meters(company)["meter_id"][0]),
        ("usage record", nectar.usage(company)["usage_id"][0]),
    ):
        assert f"is the id of a {kind} " in check(nectar.diagnose(object_id), "id")[1]


def test_an_id_out_of_scope_and_one_of_nothing_are_advised_alike(sandbox: nn.Sandbox) -> None:
    all_of_it = nn.connect(sandbox=sandbox)
    mine, other = all_of_it.companies()["company_id"][:2]
    nectar = nn.connect(sandbox=sandbox, key=sandbox.create_key("production", companies=[mine]))
    site = all_of_it.sites(other)["site_id"][0]
    out_of_scope, nothing = (check(nectar.diagnose(one), "id") for one in (site, "no-such-id"))
    assert "(403)" in out_of_scope[1]
    assert "(404)" in nothing[1]
    for result, _, steps in (out_of_scope, nothing):
        assert result == "wrong"
        assert [step.partition(":")[0] for step in steps] == ["Scope", "Visibility", "The id"]
        assert all_of_it.companies()["name"][0] in steps[1]


@pytest.mark.parametrize("status", [403, 404])
def test_the_error_itself_advises_in_the_same_order_and_names_the_doctor(status: int) -> None:
    with serve(answering(company=Reply({"detail": "No."}, status))) as wire, pytest.raises(nn.NectarError) as failed:
        nn.connect("production", key=KEY, base_url=wire.url).sites("c1")
    assert failed.value.status_code == status
    scope, visible, right = (failed.value.advice.index(word) for word in ("scope", "visible", "id is right"))
    assert scope < visible < right
    assert "nectar.diagnose(id)" in failed.value.advice


def test_of_two_keys_each_is_pinged() -> None:
    sandbox = nn.Sandbox(seed=3, sites=2, months=1)
    new, old = sandbox.create_key("production"), sandbox.create_key("production")
    assert nn.connect(sandbox=sandbox, key=(new, old)).diagnose().ok
    sandbox.revoke_key(new)
    found = nn.connect(sandbox=sandbox, key=(new, old)).diagnose()
    assert found.wrong == ("ping, new key",)
    assert check(found, "companies")[0] == "ok"  # by the old key
    sandbox.revoke_key(old)
    found = nn.connect(sandbox=sandbox, key=(new, old)).diagnose()
    assert found.wrong == ("ping, new key", "ping, old key")
    assert new not in shown(found)
    assert old not in shown(found)


def test_offline_nothing_is_asked(sandbox: nn.Sandbox) -> None:
    before = len(sandbox.journal.rows())
    found = nn.connect(sandbox=sandbox, offline=True).diagnose()
    assert found.ok
    assert check(found, "ping")[0] == "not asked"
    assert len(sandbox.journal.rows()) == before


def test_what_documents_alone_say_is_enough() -> None:
    sandbox = nn.Sandbox(seed=3, sites=2, months=1, documented_only=True)
    assert nn.connect(sandbox=sandbox).diagnose().ok


def test_states_of_accounts_that_nobody_knows_are_named(sandbox: nn.Sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    accounts = nectar.accounts(nectar.companies()["company_id"].iloc[0])["account_id"]
    for account, state in zip(accounts, ["Needs pull", "MERGED", "merging"], strict=False):
        sandbox.scenario("account_state", account=account, state=state)
    found = nn.connect(sandbox=sandbox).diagnose()
    assert found.ok
    result, finding, _ = check(found, "account states")
    assert (result, finding.partition(": ")[2]) == ("note", "MERGED (1), merging (1).")


def test_accounts_that_cannot_be_read_say_nothing_of_their_states() -> None:
    assert examined(answering(company=Reply(COMPANIES[0] | {"sites": []}))).ok

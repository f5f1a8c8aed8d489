"""The invited person's page over a real socket: every step, every dead end, and nobody else's forms."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from guest import Guest

import nectar_notebooks as nn

pytestmark = pytest.mark.served

USER, WORD = "nectar-sandbox-username", "nectar-sandbox-password"
MOCK, WITH_CODE = "https://nectarclimate.com", "https://mfa.power.example"
Api = Callable[..., Any]


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=3, sites=3, months=2)
    yield one
    one.close()


@pytest.fixture
def api(sandbox: nn.Sandbox) -> Iterator[Api]:
    """Ask the served API by hand."""
    with sandbox.serve(0) as served:

        def ask(method: str, path: str, **body: object) -> Any:
            answer = requests.request(
                method, f"{served.url}/v2.2{path}", json=body or None, headers={"X-API-Key": sandbox.key}, timeout=10
            )
            answer.raise_for_status()
            return answer.json() if answer.content else None

        yield ask


@pytest.fixture
def company(api: Api) -> dict[str, Any]:
    return dict(api("GET", f"/company/{api('GET', '/company')[0]['id']}"))


def events(api: Api, made: dict[str, Any]) -> list[str]:
    return [one["type"] for one in api("GET", f"/invitation/{made['id']}")["events"]]


def test_somebody_walks_through_it_with_a_code_and_is_connected(api: Api, company: dict[str, Any]) -> None:
    made = api("POST", f"/invitation/company/{company['id']}", allowedEmails=["Ann@acme.example"], maxUses=1)
    guest = Guest(made["invitationUrl"]).open()
    assert (guest.status, guest.state, guest.heading) == (200, "ACTIVE", "Who are you?")
    assert company["name"] in guest.text
    assert "ann@acme" not in guest.source.lower()  # whom it is for is nobody else's business

    guest.press(email="eve@acme.example")
    assert guest.status == 400
    assert "not for this address" in guest.text
    assert guest.page.fields["email"]["value"] == "eve@acme.example"
    guest.press(email=" ann@ACME.example ")
    assert guest.heading == "Choose the provider"

    site = company["sites"][0]["id"]
    for typed, words in (
        ({"url": "", "country": "US", "sites": site}, "Type the address"),
        ({"url": "javascript:alert(1)", "country": "US", "sites": site}, "no web address"),
        ({"url": WITH_CODE, "country": "Utopia", "sites": site}, "two letters"),
        ({"url": WITH_CODE, "country": "US"}, "at least one site"),
        ({"url": WITH_CODE, "country": "US", "sites": "elsewhere"}, "no site of this company"),
        ({"url": "x" * 501, "country": "US", "sites": site}, "at most 500"),
    ):
        guest.press(**typed)
        assert (guest.status, guest.heading) == (400, "Choose the provider"), typed
        assert words in guest.text, typed
    guest.press(url="mfa.power.example", country="us", sites=site)
    assert guest.heading == "Enter the login"
    assert "https://mfa.power.example" in guest.text

    assert "Type the password" in guest.press(username="ann", password="").text
    guest.press(username="ann", password="hunter2")
    assert guest.heading == "Type the code"
    assert api("GET", f"/invitation/{made['id']}")["useCount"] == 0  # nothing is made before the code
    assert "not the right one" in guest.press(code="000000").text
    guest.press(code="246 810")
    assert (guest.heading, guest.state) == ("It is connected", "RESULT")
    assert "hunter2" not in guest.source

    after = api("GET", f"/invitation/{made['id']}")
    assert (after["status"], after["useCount"]) == ("FULFILLED", 1)
    assert events(api, made) == ["VIEWED", "EMAIL_VERIFIED", "USED"]
    [added] = after["createdConnections"]
    login = api("GET", f"/connection/{added['id']}/details")
    assert (login["status"], login["username"], login["country"]) == ("CONNECTED", "ann", "US")
    assert login["initialSites"] == [site]
    assert login["workflowOwnerEmail"] == "ann@ACME.example"
    assert guest.open().heading == "It is connected"  # loading it anew sends nothing and shows the same
    assert api("GET", f"/invitation/{made['id']}")["useCount"] == 1
    assert Guest(made["invitationUrl"]).open().state == "USED_UP"


def test_what_is_filled_in_is_found_there_and_bills_arrive(api: Api, company: dict[str, Any]) -> None:
    site = company["sites"][1]["id"]
    made = api(
        "POST", f"/invitation/company/{company['id']}", prefill={"url": MOCK, "country": "CA", "initialSites": [site]}
    )
    guest = Guest(made["invitationUrl"]).open()
    assert guest.heading == "Choose the provider"  # open to whoever has the link: nobody is asked who they are
    assert (guest.page.fields["url"]["value"], guest.page.fields["country"]["value"]) == (MOCK, "CA")
    assert f'value="{site}" checked=""' in guest.source
    guest.press(url=MOCK, country="CA", sites=[one["id"] for one in company["sites"]][:2])
    guest.press(username=USER, password=WORD)
    assert guest.heading == "It is connected"
    [added] = api("GET", f"/invitation/{made['id']}")["createdConnections"]
    assert api("GET", f"/document/connection/{added['id']}")["totalDocuments"] > 0
    assert api("GET", f"/invitation/{made['id']}")["status"] == "ACTIVE"  # no limit: it can be used again


def test_a_wrong_password_can_be_mended_without_another_use(api: Api, company: dict[str, Any]) -> None:
    made = api("POST", f"/invitation/company/{company['id']}", maxUses=1, prefill={"url": MOCK})
    guest = Guest(made["invitationUrl"]).open()
    guest.press(url=MOCK, country="US", sites=company["sites"][0]["id"])
    guest.press(back="1")
    assert guest.heading == "Choose the provider"
    guest.press(url=MOCK, country="US", sites=company["sites"][0]["id"])
    guest.press(username=USER, password="wrong")
    assert guest.heading == "The login did not work"
    guest.press()
    assert guest.heading == "Enter the login"
    guest.press(username=USER, password=WORD)
    assert guest.heading == "It is connected"
    after = api("GET", f"/invitation/{made['id']}")
    assert (after["useCount"], len(after["createdConnections"])) == (1, 1)


def test_a_login_that_is_there_already_is_refused_in_its_field(api: Api, company: dict[str, Any]) -> None:
    known = api("GET", f"/connection/company/{company['id']}")["connections"][0]
    made = api("POST", f"/invitation/company/{company['id']}")
    guest = Guest(made["invitationUrl"]).open()
    guest.press(url=known["url"], country="US", sites=company["sites"][0]["id"])
    guest.press(username=known["username"], password="x")
    assert guest.status == 400
    assert guest.page.fields["username"]["aria-invalid"] == "true"
    assert api("GET", f"/invitation/{made['id']}")["useCount"] == 0


def test_a_login_whose_code_expired_is_repaired(api: Api, company: dict[str, Any], sandbox: nn.Sandbox) -> None:
    broken = sandbox.scenario("mfa_required")
    made = api("POST", f"/invitation/connection/{broken}")
    guest = Guest(made["invitationUrl"]).open()
    assert guest.heading == "Enter the login"
    guest.press(username="ann", password="secret")
    assert guest.heading == "Type the code"
    guest.press(code="246810")
    assert guest.heading == "It is connected"
    assert api("GET", f"/connection/{broken}/details")["status"] == "CONNECTED"
    assert Guest(made["invitationUrl"]).open().state == "DONE"


@pytest.mark.parametrize("how", ["EXPIRED", "REVOKED", "USED_UP", "UNKNOWN"])
def test_each_dead_end_has_its_own_page(how: str, api: Api, company: dict[str, Any], sandbox: nn.Sandbox) -> None:
    made = api("POST", f"/invitation/company/{company['id']}", expiresInSeconds=3600, maxUses=1)
    early = Guest(made["invitationUrl"]).open()  # somebody was in the middle of it
    url = made["invitationUrl"]
    if how == "EXPIRED":
        sandbox.advance(days=1)
    elif how == "REVOKED":
        api("POST", f"/invitation/{made['id']}/revoke")
    elif how == "USED_UP":
        sandbox.use_invitation(made["id"], "x", "y", url=WITH_CODE, sites=[company["sites"][0]["id"]])
    else:
        url += "x"
    guest = Guest(url).open()
    assert (guest.status, guest.state) == (404 if how == "UNKNOWN" else 410, how)
    assert guest.heading
    if how != "UNKNOWN":
        before = events(api, made)
        assert early.press(url=MOCK, country="US", sites=company["sites"][0]["id"]).state == how
        assert events(api, made) == before


def test_two_presses_of_the_last_button_make_one_login(api: Api, company: dict[str, Any]) -> None:
    made = api("POST", f"/invitation/company/{company['id']}")
    guest = Guest(made["invitationUrl"]).open()
    guest.press(url="https://gas.example", country="US", sites=company["sites"][0]["id"])
    form = {**guest.page.hidden, "username": "ann", "password": "x"}
    presses = [
        threading.Thread(target=requests.post, args=(guest.url,), kwargs={"data": form, "timeout": 10})
        for _ in range(4)
    ]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    after = api("GET", f"/invitation/{made['id']}")
    assert (after["useCount"], len(after["createdConnections"])) == (1, 1)
    guest.open()
    assert guest.heading == "It will be checked"


@pytest.mark.fault
def test_forms_of_other_pages_are_not_taken(api: Api, company: dict[str, Any]) -> None:
    made = api("POST", f"/invitation/company/{company['id']}")
    url = made["invitationUrl"]
    guest = Guest(url).open()
    form = {**guest.page.hidden, "url": MOCK, "country": "US", "sites": company["sites"][0]["id"]}
    home = url.split("/p/i/")[0]
    for headers in (
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"{home}0"},
        {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"},
    ):  # fmt: skip
        answer = requests.post(guest.url, data=form, headers=headers, timeout=10)
        assert answer.status_code == 403, headers
    for visit in ("", "guessed"):
        answer = requests.post(guest.url, data={**form, "visit": visit}, allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/p/i/{made['token']}")
    assert guest.open().heading == "Choose the provider"
    other = api("POST", f"/invitation/company/{company['id']}")
    answer = requests.post(other["invitationUrl"], data=form, allow_redirects=False, timeout=10)
    assert answer.headers["Location"] == f"/p/i/{other['token']}"  # a visit is of its own invitation
    assert requests.put(url, timeout=10).status_code == 405
    assert requests.post(guest.url, data=form, headers={"Origin": home}, timeout=10).status_code == 200


def test_the_page_is_safe_and_works_without_scripts(api: Api, company: dict[str, Any]) -> None:
    nasty = "<script>alert(1)</script>\u202e\"'&"
    api("PATCH", f"/company/{company['id']}", name=nasty)
    api("PATCH", f"/site/{company['sites'][0]['id']}", name=nasty)
    made = api("POST", f"/invitation/company/{company['id']}", allowedEmails=["a@b.example"])
    guest = Guest(made["invitationUrl"]).open()
    seen = [guest.source]
    seen.append(guest.press(email='"><b>@b.example').source)
    seen.append(guest.press(email="a@b.example").source)
    seen.append(guest.press(url='https://x.example/"onfocus="alert(1)', country="US", sites=nasty).source)
    guest.press(url="https://mfa.x.example", country="US", sites=company["sites"][0]["id"])
    seen.append(guest.press(username='"><script>', password="").source)
    seen.append(guest.press(username='"><script>', password="x").source)
    seen.append(guest.press(code="246810").source)
    for source in seen:
        assert "<script" not in source
        assert "<b>" not in source
        assert 'onfocus="' not in source
        reader = Guest("")
        reader.page = type(guest.page)()
        reader.page.feed(source)
        assert set(reader.page.fields) <= reader.page.labels  # every field has its label
        assert "script" not in reader.page.tags
    headers = guest.answer.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_a_look_whether_the_link_works_does_not_open_it(api: Api, company: dict[str, Any]) -> None:
    made = api("POST", f"/invitation/company/{company['id']}")
    assert requests.head(made["invitationUrl"], timeout=10).status_code == 200
    assert events(api, made) == []
    assert requests.get(made["invitationUrl"], timeout=10).status_code == 200
    assert events(api, made) == ["VIEWED"]


def test_whatever_is_typed_there_is_a_page(sandbox: nn.Sandbox, times: Callable[[int, int], int]) -> None:
    """Right and odd answers by chance, in any order: never an error of the server, never more uses than allowed."""
    client, headers, chance = sandbox.app.test_client(), {"X-API-Key": sandbox.key}, random.Random(1)
    company = client.get("/v2.2/company", headers=headers).json[0]["id"]
    site = client.get(f"/v2.2/company/{company}", headers=headers).json["sites"][0]["id"]
    odd = [
        "",
        "\x00",
        b"\xff\xed",
        "x" * 2000,
        MOCK,
        "https://x.y:99999/",
        "http://[",
        "ß",
        "٢٤٦٨١٠",
        "%",
        "<'\">",
        "\u202e",
    ]
    seen = set()
    for number in range(times(25, 1000)):
        asked = chance.choice([{}, {"allowedEmails": ["a@b.example"]}, {"maxUses": 1}])
        made = client.post(f"/v2.2/invitation/company/{company}", headers=headers, json=asked).json
        url = client.get(f"/p/i/{made['token']}").headers["Location"]
        for step in range(10):
            page = client.get(url)
            assert page.status_code in (200, 410)
            hidden = dict(re.findall(r'name="(visit|step)" value="([^"]*)"', page.text))
            seen.add(hidden.get("step"))
            right = {"email": "a@b.example", "url": WITH_CODE, "country": "US", "sites": site, "password": "p",
                     "username": f"ann {number} {step}", "code": "246810", "step": hidden.get("step", "")}  # fmt: skip
            form = {name: chance.choice(odd) if chance.random() < 0.1 else value for name, value in right.items()}
            if chance.random() < 0.1:
                form["back"] = "1"
            answer = client.post(url, data={**form, "visit": hidden.get("visit", "")})
            assert answer.status_code in (303, 400, 410)
        after = client.get(f"/v2.2/invitation/{made['id']}", headers=headers).json
        assert after["useCount"] == len(after["createdConnections"]) <= 1
    assert seen >= {"email", "provider", "login", "code"}

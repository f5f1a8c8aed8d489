"""Planned faults, in process and on the wire; the sandbox's own paths."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

import pytest
import requests
from sandbox_asker import Asker
from small_world import ACME, BETA, JANUARY_BILL, POWER_LOGIN, many_bills

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import Sandbox
from nectar_notebooks.sandbox.simulation.scenarios import SCENARIOS
from nectar_notebooks.sandbox.wire import Wire

USAGE = f"/usage/company/{ACME}"


@pytest.mark.served
def test_the_third_usage_request_is_told_to_wait(sandbox: Sandbox) -> None:
    sandbox.faults.add("usage", at=3, status=429, retry_after=2)
    with sandbox.serve() as served, requests.Session() as http:
        http.headers["X-API-Key"] = sandbox.key
        answers = [http.get(f"{served.url}/v2.2{USAGE}", timeout=5) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
        assert answers[2].headers["Retry-After"] == "2"
        assert answers[2].json()["detail"]
    assert sandbox.journal.count(status=429) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_the_server_fails_so_many_times(ask: Asker, status: int) -> None:
    ask.sandbox.faults.add("/ping", times=2, status=status)
    assert [ask("/ping")[0] for _ in range(3)] == [status, status, 200]
    assert ask("/company")[0] == 200


def test_a_web_page_in_place_of_json(sandbox: Sandbox) -> None:
    sandbox.faults.add(html=True)
    sandbox.faults.add(at=2, status=502, html=True)
    client, headers = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    first, second, third = (client.get("/v2.2/company", headers=headers) for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (200, 502, 200)
    assert first.content_type.startswith("text/html")
    assert second.content_type.startswith("text/html")
    sandbox.faults.clear()


@pytest.mark.parametrize(("drift", "total"), [("insert", 251), ("remove", 249), ("swap", 250)])
@pytest.mark.parametrize("things", ["documents", "usageData"])
def test_rows_drift_between_two_pages(make: Callable[..., Asker], things: str, drift: str, total: int) -> None:
    ask = make(world=many_bills(250))
    path = f"/{'document' if things == 'documents' else 'usage'}/company/{BETA}"
    name = f"total{things[0].upper()}{things[1:]}"
    ask.sandbox.faults.add(path, at=2, drift=drift)
    first, second = ask(path)[1], ask(f"{path}?page=2")[1]
    assert (first[name], second[name]) == (250, total)
    ids = [row["id"] for page in (first, second) for row in page[things]]
    assert (len(ids) - len(set(ids))) == (1 if drift == "insert" else 0)
    before = [f"{number:012d}" for number in range(1, 251)]
    seen = {id_[-12:] for id_ in ids} & set(before)
    missed = [number for number in before[:200] if number not in seen]
    # A row inserted before repeats the last of page one; a row removed before hides the first of page two.
    assert missed == {"insert": ["000000000200"], "remove": ["000000000101"], "swap": []}[drift]


@pytest.mark.parametrize("kind", ["timeout", "reset", "cut", "drip"])
def test_faults_of_the_wire_are_refused_in_process(sandbox: Sandbox, kind: str) -> None:
    with pytest.raises(ConfigurationError, match="Wire"):
        sandbox.faults.add("usage", kind=kind)


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"status": 200},
        {"status": 429, "drift": "insert"},
        {"drift": "flood"},
        {"status": 500, "at": 0},
        {"kind": "x"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(sandbox: Sandbox, plan: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        sandbox.faults.add("usage", **plan)  # type: ignore[arg-type]  # on purpose
    assert len(sandbox.faults) == 0


@pytest.mark.served
def test_the_wire_passes_everything_on(sandbox: Sandbox) -> None:
    with sandbox.serve() as served, Wire(served.url) as wire, requests.Session() as http:
        http.headers["X-API-Key"] = sandbox.key
        straight = http.get(f"{served.url}/v2.2{USAGE}", timeout=5)
        through = http.get(f"{wire.url}/v2.2{USAGE}", timeout=5)
        assert through.content == straight.content
        made = http.post(f"{wire.url}/v2.2/company", json={"name": "Through"}, timeout=5)
        assert made.status_code == 201


@pytest.mark.served
def test_the_wire_resets_cuts_and_says_nothing(sandbox: Sandbox) -> None:
    with sandbox.serve() as served, Wire(served.url) as wire, requests.Session() as http:
        http.headers["X-API-Key"] = sandbox.key
        url = f"{wire.url}/v2.2{USAGE}"
        wire.add("reset", "usage", at=1)
        wire.add("cut", "usage", at=2)
        wire.add("timeout", "usage", at=3)
        with pytest.raises(requests.ConnectionError):
            http.get(url, timeout=5)
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
            http.get(url, timeout=5)
        with pytest.raises(requests.exceptions.ReadTimeout):
            http.get(url, timeout=0.3)
        assert http.get(url, timeout=5).status_code == 200


@pytest.mark.served
def test_the_wire_drips(sandbox: Sandbox) -> None:
    with sandbox.serve() as served, Wire(served.url) as wire:
        wire.add("drip")
        started = time.perf_counter()
        with requests.get(f"{wire.url}/v2.2/ping", timeout=5, stream=True) as answer:
            first = answer.raw.read(4)
        assert first == b'{"de'
        assert time.perf_counter() - started >= 0.3


@pytest.mark.served
def test_the_wire_makes_no_other_fault_and_ends_with_somebody_waiting(sandbox: Sandbox) -> None:
    with sandbox.serve() as served, Wire(served.url) as wire:
        with pytest.raises(ConfigurationError, match="reset"):
            wire.add("flood")  # type: ignore[arg-type]  # on purpose
        wire.add("timeout")
        host, port = wire.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)), timeout=10)
        waiting.sendall(b"GET /v2.2/ping HTTP/1.1\r\nHost: x\r\n\r\n")
    with waiting, contextlib.suppress(ConnectionResetError):
        assert waiting.recv(10) == b""


@pytest.mark.served
def test_the_sandbox_s_own_paths(sandbox: Sandbox) -> None:
    ask = Asker(sandbox)
    ask("/ping")
    other = sandbox.create_key("sandbox")
    assert ask("/journal", version="_sandbox", key=None)[0] == 401
    assert ask("/journal", version="_sandbox", key=other)[0] == 401
    status, journal = ask("/journal", version="_sandbox")
    assert status == 200
    assert [row["route"] for row in journal["requests"]] == ["/ping", "/_sandbox/journal", "/_sandbox/journal"]
    assert journal["highestConcurrency"] == 1
    assert ask("/advance", version="_sandbox", method="POST", body={"days": 7}) == (
        200,
        {"now": "2026-01-22T09:00:00Z"},
    )
    body = {"name": "bad_login", "connection": POWER_LOGIN}
    assert ask("/scenario", version="_sandbox", method="POST", body=body) == (200, {"id": POWER_LOGIN})
    assert ask("/events", version="_sandbox")[1]["events"][-1]["status"] == "PASSWORD_INCORRECT"
    plan = {"route": "/ping", "status": 503}
    assert ask("/faults", version="_sandbox", method="POST", body=plan)[1] == {"planned": 1}
    assert ask("/ping")[0] == 503
    made = ask("/keys", version="_sandbox", method="POST", body={"environment": "sandbox", "companies": [BETA]})[1][
        "key"
    ]
    assert [company["id"] for company in ask("/company", key=made)[1]] == [BETA]
    brief = {"environment": "production", "expires": "2026-01-23T00:00:00Z"}
    ending = ask("/keys", version="_sandbox", method="POST", body=brief)[1]["key"]
    assert ask("/company", key=ending)[0] == 200
    ask("/advance", version="_sandbox", method="POST", body={"days": 1})
    assert ask("/company", key=ending)[0] == 401
    assert ask("/keys/revoke", version="_sandbox", method="POST", body={"key": made}) == (200, {"revoked": True})
    assert ask("/company", key=made)[0] == 401
    assert ask("/journal", version="_sandbox", method="DELETE")[1]["requests"] == []
    assert ask("/reset", version="_sandbox", method="POST")[1] == {"now": "2026-01-15T09:00:00Z"}
    assert ask(f"/connection/{POWER_LOGIN}/details")[1]["status"] == "CONNECTED"
    for path, wrong in (
        ("/scenario", {"name": "flood"}),
        ("/advance", {"weeks": 1}),
        ("/advance", {"days": -1}),
        ("/faults", []),
        ("/faults", {"route": 5, "status": 500}),
        ("/faults", {"status": 500.5}),
        ("/keys", {"environment": "everything"}),
        ("/keys", {"environment": "sandbox", "expires": "tomorrow"}),
        ("/keys", {"environment": "sandbox", "companies": BETA}),
        ("/keys/revoke", {"key": 5}),
        ("/keys/revoke", {"key": "nectar_local_unknown"}),
    ):
        status, answer = ask(path, version="_sandbox", method="POST", body=wrong)
        assert (status, list(answer)) == (400, ["detail"])
    assert ask("/nothing", version="_sandbox")[0] == 404


@pytest.mark.parametrize("value", [True, 0, -1, 1e12, 2**70, "", "x", "\x00", [], ["a"], [1], {}, {"a": 1}])
def test_whatever_is_sent_to_the_sandbox_s_own_paths_fails_no_request(sandbox: Sandbox, value: object) -> None:
    ask = Asker(sandbox)
    fitting: list[tuple[str, dict[str, object]]] = [
        ("/advance", {"days": 1}),
        *(("/scenario", {"name": name, what: ""}) for name, (takes, _) in SCENARIOS.items() for what in takes),
        ("/faults", {"route": "/nowhere", "at": 1, "times": 1, "status": 500, "retry_after": 1, "html": False}),
        ("/faults", {"route": "/nowhere", "drift": "swap", "kind": "timeout"}),
        ("/invitation", {"invitation_id": "", "username": "a", "password": "b", "email": "", "url": "", "sites": []}),
        ("/webhooks", {"url": "http://127.0.0.1:9/", "eventTypes": [], "secret": None}),
        ("/webhooks/resend", {"messageId": ""}),
        ("/keys", {"environment": "sandbox", "expires": None, "companies": None}),
        ("/keys/revoke", {"key": ""}),
    ]
    for path, body in fitting:
        for name in body:
            status, answer = ask(path, version="_sandbox", method="POST", body=body | {name: value})
            assert status < 500, (path, name, answer)
            ask("/faults", version="_sandbox", method="DELETE")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/advance", {}, "missing a required argument: 'days'"), ("/advance", {"days": 1, "x": 2}, "argument 'x'"),
        ("/advance", {"days": "3"}, "days must be a number"), ("/advance", {"days": True}, "days must be a number"),
        ("/keys", {"environment": "sandbox", "expires": "x"}, "expires must be"),
        ("/keys", {"environment": "sandbox", "expires": 5}, "expires must be"),
        ("/invitation", {"invitation": "x"}, "'invitation_id'"), ("/faults", {"state": 500}, "argument 'state'"),
        ("/faults", {"status": 429, "retry_after": "soon"}, "retry_after"),
        ("/faults", {"status": 429, "retry_after": -1}, "retry_after"), ("/faults", {"status": 500, "at": 1.5}, "at"),
    ],
)  # fmt: skip
def test_a_wrong_field_of_the_sandbox_s_own_paths_is_named(
    sandbox: Sandbox, path: str, body: dict[str, object], said: str
) -> None:
    ask = Asker(sandbox)
    status, answer = ask(path, version="_sandbox", method="POST", body=body)
    assert status == 400
    assert said in answer["detail"]
    assert "()" not in answer["detail"]  # no name of a function of ours
    assert ask("/clock", version="_sandbox")[1] == {"now": "2026-01-15T09:00:00Z"}
    assert ask("/ping")[0] == 200


def test_contract_and_page_need_no_key(ask: Asker) -> None:
    for mount, version in (("v2.2", "v2.2"), ("v2.1", "v2.1"), ("v2", "v2.0")):
        status, contract = ask("/openapi.json", version=mount, key=None)
        assert (status, contract["info"]["version"]) == (200, version)
    client = ask.sandbox.app.test_client()
    page = client.get("/docs", follow_redirects=True)
    assert page.request.path == "/v2.2/docs"
    assert client.get("/openapi.json", follow_redirects=True).json["info"]["version"] == "v2.2"
    assert page.content_type.startswith("text/html")
    assert f"/document/{JANUARY_BILL}" not in page.text
    assert "X-API-Key" in page.text

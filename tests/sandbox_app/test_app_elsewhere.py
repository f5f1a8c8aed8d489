"""A served embedded sandbox among web pages: which names it answers, what it writes for whom, whose key it takes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from small_world import ACME, small_world

from nectar_notebooks.sandbox import Sandbox
from nectar_notebooks.sandbox.http.serving import Served

pytestmark = [pytest.mark.served, pytest.mark.fault]


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[Served]:
    with sandbox.serve() as served:
        yield served


def raw(served: Served, text: bytes) -> int:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as one:
        one.sendall(text)
        return int(one.recv(1024).split()[1])


def reset(served: Served, sandbox: Sandbox, **headers: str) -> int:
    own = {"X-API-Key": served.key, **{name.replace("_", "-"): text for name, text in headers.items()}}
    return requests.post(f"{served.url}/_sandbox/reset", headers=own, timeout=20).status_code


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LocalHost:{port}", "localhost.", "localhost.:{port}", "127.0.0.1", "127.0.0.1:{port}",
        "127.255.255.254:1", "[::1]", "[::1]:{port}", "[0:0:0:0:0:0:0:1]", "127.0.0.1.",
    ],
)  # fmt: skip
def test_names_of_this_machine_are_answered(served: Served, sandbox: Sandbox, host: str) -> None:
    assert reset(served, sandbox, Host=host.format(port=served.port)) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example", "evil.localhost",
        "localhost@evil.example", "localhost:80:80", "localhost, evil.example", "10.0.0.1", "0.0.0.0", "128.0.0.1",
        "[::]", "[::2]", "[::ffff:10.0.0.1]", "::1", "2130706433", "127.1", "0x7f000001", "localhost/", "localhost..",
        "", "xn--localhost", "localhost:port", "[localhost]", "dash.nectarclimate.com",
    ],
)  # fmt: skip
def test_other_names_are_not_answered_whatever_is_asked(served: Served, sandbox: Sandbox, host: str) -> None:
    before = sandbox.revision
    named = host.format(port=served.port)
    assert reset(served, sandbox, Host=named) in (400, 403, 421)
    for path in (
        "/_sandbox/identity",
        "/v2.2/company",
        "/v2.2/docs",
        "/docs",
        "/nothing",
        "/p/i/x",
        "/webhooks/x?until=2030",
        "/bills/1.pdf",
    ):
        answer = requests.get(
            served.url + path, headers={"X-API-Key": served.key, "Host": named}, timeout=20, allow_redirects=False
        )
        assert answer.status_code in (400, 403, 421), path
        assert "Acme" not in answer.text
    assert sandbox.revision == before


def test_no_name_and_two_names_are_not_answered(served: Served) -> None:
    assert raw(served, b"GET /v2.2/docs HTTP/1.0\r\n\r\n") == 403
    assert raw(served, b"GET /v2.2/docs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n") in (400, 403)


@pytest.mark.parametrize(
    "where", ["http://evil.example", "HTTPS://127.0.0.1.evil.example:{port}", "http://localhost@evil.example"]
)
@pytest.mark.parametrize("path", ["/v2.2/company", "/_sandbox/identity"])
def test_a_whole_address_in_place_of_a_path_names_a_host_too(served: Served, where: str, path: str) -> None:
    ask = f"GET {where.format(port=served.port)}{path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {served.key}\r\n\r\n"
    assert raw(served, ask.encode()) == 403
    own = f"GET {served.url}{path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {served.key}\r\n\r\n"
    assert raw(served, own.encode()) == 200


def foreign(served: Served) -> list[dict[str, str]]:
    return [
        {"Origin": "https://evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": ""},
        {"Origin": f"http://localhost:{served.port}0"}, {"Origin": f"https://127.0.0.1:{served.port}"},
        {"Origin": "http://127.0.0.1"}, {"Origin": "http://localhost:8888"}, {"Origin": "file://"},
        {"Origin": f"{served.url}.evil.example"}, {"Origin": f"http://evil.example@127.0.0.1:{served.port}"},
        {"Origin": "chrome-extension://abc"}, {"Origin": f"{served.url}, {served.url}"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "CROSS-SITE"},
    ]  # fmt: skip


WRITES = [
    ("POST", "/_sandbox/reset"), ("POST", "/_sandbox/advance"), ("DELETE", "/_sandbox/journal"),
    ("POST", "/v2.2/company"), ("PATCH", f"/v2.2/company/{ACME}"), ("DELETE", f"/v2.2/company/{ACME}"),
    ("PUT", f"/v2.2/company/{ACME}"), ("POST", "/v2.2/webhook"), ("POST", "/webhooks/x"), ("POST", "/p/i/x"),
    ("OPTIONS", "/v2.2/company"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nothing_is_written_for_a_foreign_page(served: Served, sandbox: Sandbox, method: str, path: str) -> None:
    before = sandbox.revision
    for elsewhere in foreign(served):
        headers = {"X-API-Key": served.key, "Content-Type": "application/json", **elsewhere}
        answer = requests.request(method, served.url + path, headers=headers, data=b'{"days": 1}', timeout=20)
        assert answer.status_code == 403, elsewhere
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert sandbox.revision == before


def test_its_own_pages_and_programs_write(served: Served, sandbox: Sandbox) -> None:
    for at_home in (
        {}, {"Origin": served.url}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
        {"Origin": f"http://LOCALHOST:{served.port}", "Host": f"localhost.:{served.port}"},
    ):  # fmt: skip
        assert reset(served, sandbox, **{name.replace("-", "_"): text for name, text in at_home.items()}) == 200


def test_a_foreign_page_does_not_open_an_invitation_but_leads_to_it(served: Served, sandbox: Sandbox) -> None:
    own = {"X-API-Key": served.key}
    made = requests.post(f"{served.url}/v2.2/invitation/company/{ACME}", json={}, headers=own, timeout=20).json()
    url, where = made["invitationUrl"], f"{served.url}/v2.2/invitation/{made['id']}"
    before = requests.get(where, headers=own, timeout=20).json()
    for elsewhere in (
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    ):
        assert requests.get(url, headers=elsewhere, timeout=20, allow_redirects=False).status_code == 403
    assert requests.get(where, headers=own, timeout=20).json() == before
    by_a_link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert requests.get(url, headers=by_a_link, timeout=20, allow_redirects=False).status_code == 303


def test_each_serving_has_a_key_of_its_own_that_the_seed_does_not_tell(sandbox: Sandbox) -> None:
    known = sandbox.key
    keys = set()
    for _ in range(2):
        with sandbox.serve() as served:
            keys.add(served.key)
            assert sandbox.key == served.key
            statuses = [
                requests.get(served.url + path, headers={"X-API-Key": key}, timeout=20).status_code
                for key in (known, served.key)
                for path in ("/v2.2/company", "/_sandbox/journal")
            ]
            assert statuses == [401, 401, 200, 200]
            client = sandbox.app.test_client()  # in process both are its own key
            for key in (known, served.key):
                assert client.get("/v2.2/company", headers={"X-API-Key": key}).status_code == 200
            sandbox.reset()
            assert requests.get(f"{served.url}/v2.2/company", headers={"X-API-Key": served.key}, timeout=20).ok
    assert len(keys | {known}) == 3
    assert sandbox.key == known


def test_two_servings_do_not_take_each_other_s_key(sandbox: Sandbox) -> None:
    with sandbox.serve() as one, sandbox.serve() as other:
        for served, key, status in ((one, one.key, 200), (one, other.key, 401), (other, one.key, 401)):
            answer = requests.get(f"{served.url}/v2.2/company", headers={"X-API-Key": key}, timeout=20)
            assert answer.status_code == status


def test_the_secrets_of_a_served_sandbox_do_not_follow_from_its_seed() -> None:
    def given_out(fixed: bool) -> set[str]:
        sandbox = Sandbox(world=small_world())
        with sandbox.serve(fixed_key=fixed) as served:
            own = {"X-API-Key": served.key}

            def post(path: str, body: object) -> dict[str, str]:
                found: dict[str, str] = requests.post(served.url + path, json=body, headers=own, timeout=20).json()
                return found

            secrets = {
                served.key,
                post("/_sandbox/keys", {"environment": "production"})["key"],
                post("/_sandbox/webhooks", {"url": "http://127.0.0.1:1/"})["secret"],
                urlsplit(post(f"/v2.2/invitation/company/{ACME}", {})["invitationUrl"]).path,
                urlsplit(post("/v2.2/webhook", None)["url"]).path,
            }
        sandbox.close()
        assert len(secrets) == 5
        return secrets

    assert not given_out(fixed=False) & given_out(fixed=False)
    assert given_out(fixed=True) == given_out(fixed=True)


def test_a_revoked_own_key_opens_nothing(sandbox: Sandbox) -> None:
    with sandbox.serve() as served:
        sandbox.revoke_key(sandbox.key)
        assert (
            requests.get(f"{served.url}/v2.2/company", headers={"X-API-Key": served.key}, timeout=20).status_code == 401
        )

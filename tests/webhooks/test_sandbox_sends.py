"""What the embedded sandbox sends: to whom, signed how, when again, and what its page shows."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from svix.webhooks import Webhook as Svix
from svix.webhooks import WebhookVerificationError

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import ConfigurationError, NotFoundError
from nectar_notebooks.sandbox import Sandbox
from nectar_notebooks.sandbox.webhooks.delivery import attempt
from nectar_notebooks.webhooks import Event, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Inbox:
    """A WSGI application that keeps what it gets and answers what it is told."""

    def __init__(self) -> None:
        self.status = "204 No Content"
        self.got: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        names = ("id", "timestamp", "signature")
        self.got.append(({f"svix-{name}": environ[f"HTTP_SVIX_{name.upper()}"] for name in names}, body))
        start_response(self.status, [])
        return []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(seed=3, sites=2, months=3)
    yield made
    made.close()


@contextmanager
def answering(status: int, **headers: str) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks", got
    server.shutdown()
    server.server_close()


def test_one_change_of_status_is_told_twice_and_the_official_library_believes_it(sandbox: Sandbox) -> None:
    inbox, now = Inbox(), datetime.now(UTC)  # noqa: TID251  # the official library reads the system's clock
    endpoint = sandbox.webhooks.register(inbox, clock=FrozenClock(now))
    connection = sandbox.scenario("bad_login")
    assert [body["eventType"] for body in inbox.bodies] == ["connection.updated.v2", "connection.validated.v2"]
    updated, validated = inbox.bodies
    assert updated["id"] == validated["id"] == connection
    assert updated["old"]["status"] == "CONNECTED"
    assert "status" in updated["protectedChanges"]
    assert "old" not in validated
    for headers, body in inbox.got:
        Svix(endpoint.secret).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Svix(SECRET).verify(body, headers)
    assert len({headers["svix-id"] for headers, _ in inbox.got}) == 2


def test_only_the_types_asked_for_are_sent_and_a_weekly_check_is_no_event(sandbox: Sandbox) -> None:
    everything, deleted = Inbox(), Inbox()
    sandbox.webhooks.register(everything)
    sandbox.webhooks.register(deleted, ["document.deleted.v2"])
    bill = sandbox.scenario("bill_deleted")
    assert [(body["eventType"], body["id"]) for body in deleted.bodies] == [("document.deleted.v2", bill)]
    sandbox.advance(days=8)
    # Eight days on, every working connection was checked; those that wait for their first check alone changed.
    changed = [body for body in everything.bodies if body["eventType"] == "connection.updated.v2"]
    assert all(body["old"]["status"] == "PENDING" for body in changed)
    with pytest.raises(ConfigurationError, match="no event type"):
        sandbox.webhooks.register(Inbox(), ["document.eaten"])


def test_arriving_bills_and_corrections_are_told(sandbox: Sandbox) -> None:
    inbox = Inbox()
    sandbox.webhooks.register(inbox)
    sandbox.advance(days=40)
    created = [body for body in inbox.bodies if body["eventType"] == "document.created.v2"]
    assert created
    usage = created[0]["usageData"][0]
    client = sandbox.app.test_client()
    client.patch(f"/v2.2/usage/{usage['id']}", json={"isEstimated": True}, headers={"X-API-Key": sandbox.key})
    assert inbox.bodies[-1]["eventType"] == "document.updated.v2"
    assert inbox.bodies[-1]["old"] == {"usageData": [{"id": usage["id"], "isEstimated": usage["isEstimated"]}]}


def test_what_is_refused_is_not_told(sandbox: Sandbox) -> None:
    inbox = Inbox()
    sandbox.webhooks.register(inbox)

    def broken() -> None:
        with sandbox.state.writing():
            sandbox.scenario("bad_login")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert inbox.got == []
    assert len(sandbox.events) == 0
    sandbox.scenario("bad_login")
    assert len(inbox.got) == 2


def test_eight_attempts_on_the_sandboxs_clock_then_it_has_failed_then_it_is_sent_again(sandbox: Sandbox) -> None:
    inbox = Inbox()
    inbox.status = "500 Internal Server Error"
    sandbox.webhooks.register(inbox, ["document.deleted.v2"])
    start = sandbox.clock.now()
    sandbox.scenario("bill_deleted")
    assert len(inbox.got) == 1
    sandbox.advance(days=4 / 86400)
    assert len(inbox.got) == 1
    sandbox.advance(days=2)
    after = [datetime.fromisoformat(row["time"]) - start for row in sandbox.webhooks.attempts]
    waits = [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert after == [timedelta(seconds=sum(waits[:number])) for number in range(8)]
    assert [row["outcome"] for row in sandbox.webhooks.attempts][-2:] == ["waiting", "failed"]
    inbox.status = "200 OK"
    sandbox.webhooks.resend(sandbox.webhooks.messages[0].id)
    assert sandbox.webhooks.attempts[-1]["outcome"] == "delivered"
    assert len({headers["svix-id"] for headers, _ in inbox.got}) == 1
    with pytest.raises(NotFoundError):
        sandbox.webhooks.resend("msg_none")


def test_five_days_of_failures_disable_an_endpoint_and_one_success_starts_anew(sandbox: Sandbox) -> None:
    inbox = Inbox()
    inbox.status = "302 Found"
    endpoint = sandbox.webhooks.register(inbox, ["document.deleted.v2"])
    sandbox.scenario("bill_deleted")
    sandbox.advance(days=4)
    sandbox.scenario("bill_deleted")
    assert endpoint.enabled
    sandbox.advance(days=2)
    assert not endpoint.enabled
    before = len(inbox.got)
    sandbox.scenario("bill_deleted")
    assert len(inbox.got) == before
    sandbox.webhooks.enable(endpoint)
    inbox.status = "200 OK"
    sandbox.scenario("bill_deleted")
    assert len(inbox.got) == before + 1


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(sandbox: Sandbox) -> None:
    inbox = Inbox()
    endpoint = sandbox.webhooks.register(inbox, ["document.deleted.v2"], secret=SECRET)
    new = sandbox.webhooks.rotate(endpoint)
    assert new == endpoint.secret != SECRET
    sandbox.scenario("bill_deleted")
    sandbox.advance(days=1.1)
    sandbox.scenario("bill_deleted")
    assert [headers["svix-signature"].count("v1,") for headers, _ in inbox.got] == [2, 1]
    assert SECRET not in repr(endpoint)
    assert new not in repr(endpoint)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/",
        "http://10.0.0.1/", "http://0.0.0.0/", "http://[::2]/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/",
        "http://localhost.example/", "http://127.0.0.1/\r\nHost: x", "http://169.254.169.254/", "http://[::1", "",
        "http://2130706433/", "http://127.1/",
    ],
)  # fmt: skip
def test_no_other_machine_is_ever_sent_to(sandbox: Sandbox, url: str) -> None:
    with pytest.raises(ConfigurationError, match="this machine only"):
        sandbox.webhooks.register(url)
    endpoint = sandbox.webhooks.register("http://127.0.0.1:9/")
    endpoint.target = url  # what registration let pass is looked at again
    with pytest.raises(ConfigurationError):
        attempt(url, "msg_1", sandbox.clock.now(), b"{}", [SECRET])


def test_an_address_is_posted_to_and_a_redirect_is_a_failure_that_is_not_followed(sandbox: Sandbox) -> None:
    with answering(200) as (home, reached), answering(307, Location=home) as (url, got):
        sandbox.webhooks.register(url, ["document.deleted.v2"], secret=SECRET)
        sandbox.webhooks.register(home, ["document.updated.v2"])
        sandbox.scenario("bill_deleted")
        assert sandbox.webhooks.flush()
    assert reached == []
    [(headers, body)] = got
    Svix(SECRET).verify(body, headers)
    assert json.loads(body)["eventType"] == "document.deleted.v2"
    assert [(row["status"], row["outcome"]) for row in sandbox.webhooks.attempts] == [(307, "waiting")]


def test_nobody_there_is_a_failed_attempt(sandbox: Sandbox) -> None:
    sandbox.webhooks.register("http://127.0.0.1:1/", ["document.deleted.v2"])
    sandbox.scenario("bill_deleted")
    assert sandbox.webhooks.flush()
    assert sandbox.webhooks.attempts[0]["status"] == 0


def test_the_receiver_takes_what_the_sandbox_sends_without_a_port(sandbox: Sandbox, tmp_path: Path) -> None:
    seen: list[Event] = []
    receiver = Receiver(SECRET, tmp_path / "ledger.db", seen.append, clock=sandbox.clock)
    sandbox.webhooks.register(receiver, secret=SECRET)
    sandbox.scenario("bad_login")
    assert receiver.drain()
    receiver.close()
    assert sorted(event.type for event in seen) == ["connection.updated.v2", "connection.validated.v2"]


def test_the_page_behind_the_portals_address_shows_deliveries_escaped_for_seven_days(sandbox: Sandbox) -> None:
    client = sandbox.app.test_client()
    answer = client.post("/v2.2/webhook", headers={"X-API-Key": sandbox.key})
    path = "/webhooks/" + answer.json["url"].partition("/webhooks/")[2]
    sandbox.webhooks.register(Inbox())
    key = {"X-API-Key": sandbox.key}
    company = client.post("/v2.2/company", json={"name": "<script>alert(1)</script>"}, headers=key).json
    login = {"url": "https://power.example", "username": "u", "password": "p", "country": "US", "sites": []}
    assert client.post(f"/v2.2/connection/company/{company['id']}", json=login, headers=key).status_code == 201
    shown = client.get(path)
    assert shown.status_code == 200
    assert "connection.created.v2" in shown.text
    assert "&lt;script&gt;" in shown.text
    assert "<script" not in shown.text
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert client.get(path.replace("until=2026", "until=2036")).status_code == 404
    assert sandbox.key not in shown.text
    sandbox.advance(days=7)
    assert client.get(path).status_code == 404


def test_whoever_has_only_http_registers_and_resends(sandbox: Sandbox) -> None:
    client, key = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    with answering(204) as (url, got):
        made = client.post("/_sandbox/webhooks", json={"url": url, "eventTypes": ["document.deleted.v2"]}, headers=key)
        assert made.json["secret"].startswith("whsec_")
        sandbox.scenario("bill_deleted")
        assert sandbox.webhooks.flush()
        [row] = client.get("/_sandbox/webhooks", headers=key).json["attempts"]
        again = client.post("/_sandbox/webhooks/resend", json={"messageId": row["message_id"]}, headers=key)
        assert again.status_code == 200
        assert sandbox.webhooks.flush()
    assert [headers["svix-id"] for headers, _ in got] == [row["message_id"]] * 2
    for url in ("http://example.com", 7):
        assert client.post("/_sandbox/webhooks", json={"url": url}, headers=key).status_code == 400
    assert client.post("/_sandbox/webhooks", json={"url": "http://127.0.0.1:1"}).status_code == 401


def test_the_newest_events_are_kept(sandbox: Sandbox) -> None:
    inbox = Inbox()
    sandbox.events.keep(3)
    sandbox.webhooks.register(inbox, ["document.deleted.v2"])
    deleted = [sandbox.scenario("bill_deleted") for _ in range(5)]
    assert [event["id"] for event in sandbox.events] == deleted[2:]
    assert (len(sandbox.events), sandbox.events.dropped) == (3, 2)
    assert [body["id"] for body in inbox.bodies] == deleted  # kept or not, all are sent
    sandbox.advance(days=40)  # one change that tells more than are kept
    assert len(sandbox.events) == 3
    sandbox.reset()
    assert (len(sandbox.events), sandbox.events.dropped) == (0, 0)


def test_the_newest_attempts_are_kept_and_every_message_that_waits(sandbox: Sandbox) -> None:
    inbox = Inbox()
    hooks = sandbox.webhooks
    hooks.keep(3)
    hooks.register(inbox, ["document.deleted.v2"])
    for _ in range(5):
        sandbox.scenario("bill_deleted")
    sent = [headers["svix-id"] for headers, _ in inbox.got]
    assert [row["message_id"] for row in hooks.attempts] == [one.id for one in hooks.messages] == sent[2:]
    with pytest.raises(NotFoundError, match="no message"):
        hooks.resend(sent[0])
    hooks.resend(sent[2])  # the newest that ended now
    sandbox.scenario("bill_deleted")
    assert {one.id for one in hooks.messages} == {sent[2], sent[4], inbox.got[-1][0]["svix-id"]}
    inbox.status = "500 Internal Server Error"
    for _ in range(5):
        sandbox.scenario("bill_deleted")
    waiting = [one.id for one in hooks.messages if one.state == "waiting"]
    assert len(waiting) == 5
    inbox.status = "200 OK"
    sandbox.advance(days=1)
    assert [one.id for one in hooks.messages] == waiting[2:]
    assert len(hooks.attempts) == 3


def test_a_loaded_file_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(
        "Account Number,Bill Date,From,Thru,Service,Description,Meter,Usage,Units,Cost,Site Name,Vendor\n"
        "700-1,2/14/2025,1/10/2025,2/9/2025,Electric,Energy charge,M1,3100,kWh,465.00,Depot,City Light\n"
    )
    inbox = Inbox()
    sandbox.webhooks.register(inbox)
    sandbox.load_bills(path)
    assert [(body["eventType"], body["totalCharges"]) for body in inbox.bodies] == [("document.created.v2", "465.00")]


@pytest.mark.fault
@pytest.mark.parametrize("way", ["in process", "served"])
def test_the_portal_s_page_is_for_this_machine_and_only_read(sandbox: Sandbox, way: str) -> None:
    def portal(method: str, host: str) -> int:
        if way == "in process":
            return sandbox.app.test_client().open(path, method=method, headers={"Host": host}).status_code
        return requests.request(method, served.url + path, headers={"Host": host}, timeout=20).status_code

    with sandbox.serve() as served:
        answer = sandbox.app.test_client().post("/v2.2/webhook", headers={"X-API-Key": sandbox.key})
        path = "/webhooks/" + answer.json["url"].partition("/webhooks/")[2]
        assert [portal("GET", "localhost"), portal("GET", "127.0.0.1:1"), portal("HEAD", "[::1]")] == [200] * 3
        assert [portal("GET", "evil.example"), portal("GET", "localhost.evil.example")] == [403] * 2
        assert [portal(method, "localhost") for method in ("POST", "PUT", "DELETE")] == [405] * 3


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
def test_deliveries_do_not_depend_on_the_steps_of_time(status: str) -> None:
    seen = []
    for steps in ([40], [1] * 40, [0.5] * 80):
        sandbox = Sandbox(3, sites=3, months=2)
        inbox = Inbox()
        inbox.status = status
        sandbox.webhooks.register(inbox)
        sandbox.scenario("bad_login_after", days=12)
        for days in steps:
            sandbox.advance(days=days)
        hooks = sandbox.webhooks
        seen.append((hooks.attempts, [(one.id, one.state, one.tries) for one in hooks.messages], inbox.bodies))
        sandbox.close()
    assert len(seen[0][0]) > 5
    assert seen[0] == seen[1] == seen[2]

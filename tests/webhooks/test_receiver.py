"""The receiver over a real socket: what it accepts, refuses, remembers, and hands on once."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import waitress
from svix.webhooks import Webhook as Svix

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import NotFoundError
from nectar_notebooks.webhooks import BillEvent, ConnectionEvent, Event, Ledger, Receiver
from nectar_notebooks.webhooks.receiver import BODY_LIMIT, RETRY_DELAYS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
BILL = {"eventType": "document.created.v2", "id": "bill-1", "company": "company-1", "totalCharges": "12.50"}


class Post:
    """A sender: signs with the official library and posts over a socket."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(
        self,
        payload: object = BILL,
        *,
        id_: str = "msg_1",
        method: str = "POST",
        body: bytes | None = None,
        at: datetime = NOW,
        **headers: str,
    ) -> int:
        raw = json.dumps(payload).encode() if body is None else body
        signed = Svix(SECRET).sign(id_, at, raw.decode(errors="replace"))
        sent = {
            "Content-Type": "application/json",
            "svix-id": id_,
            "svix-timestamp": str(int(at.timestamp())),
            "svix-signature": signed,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, "/", raw, sent)
        answer = connection.getresponse()
        assert answer.read() == b"", "an answer says no more than its status"
        connection.close()
        return answer.status


@contextmanager
def listening(receiver: Receiver) -> Iterator[Post]:
    server = waitress.create_server(receiver, host="127.0.0.1", port=0, threads=8)

    def run() -> None:
        with contextlib.suppress(OSError):  # its sockets are closed under it when the test is over
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield Post(server.effective_port)
    finally:
        server.close()
        thread.join(10)
        receiver.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def receive(tmp_path: Path, clock: FrozenClock) -> Callable[..., Receiver]:
    def make(on_event: Callable[[Event], Any], **options: Any) -> Receiver:
        return Receiver(SECRET, tmp_path / "ledger.db", on_event, clock=clock, **options)

    return make


def test_a_signed_event_is_handled_once_however_often_it_is_sent(receive: Callable[..., Receiver]) -> None:
    seen: list[Event] = []
    receiver = receive(seen.append)
    with listening(receiver) as post, ThreadPoolExecutor(8) as many:
        assert set(many.map(lambda _: post(), range(40))) == {204}
        assert receiver.drain()
        metrics = receiver.metrics()
    assert [(type(event), event.id, event.bill_id) for event in seen if isinstance(event, BillEvent)] == [
        (BillEvent, "msg_1", "bill-1")
    ]
    assert (metrics["accepted"], metrics["duplicates"], metrics["done"]) == (1, 39, 1)


def test_events_are_typed_and_unknown_ones_pass(receive: Callable[..., Receiver]) -> None:
    seen: dict[str, Event] = {}
    receiver = receive(lambda event: seen.__setitem__(event.id, event))
    with listening(receiver) as post:
        validated = {"eventType": "connection.validated.v2", "id": "c", "status": "CONNECTED"}
        assert post({**validated, "protectedChanges": ["status"], "old": {"status": "PENDING"}}, id_="a") == 204
        assert post({"eventType": "connection.created", "id": "c"}, id_="b") == 204
        assert post({"hello": "world"}, id_="c") == 204
        assert receiver.drain()
    known = seen["a"]
    assert isinstance(known, ConnectionEvent)
    assert (known.connection_id, known.status, known.changed) == ("c", "CONNECTED", ("status",))
    assert (known.old, known.company_id, known.action) == ({"status": "PENDING"}, None, "validated")
    assert [(seen[id_].known, seen[id_].type) for id_ in "bc"] == [(False, "connection.created"), (False, "")]


@pytest.mark.fault
def test_what_is_refused_leaves_no_trace_in_the_ledger(receive: Callable[..., Receiver]) -> None:
    receiver = receive(lambda event: None)
    with listening(receiver) as post:
        assert post(method="GET") == 405
        assert post(method="PUT") == 405
        assert post(Content_Type="text/plain") == 415
        assert post(body=b"") == 400
        assert post(body=b"{" + b" " * BODY_LIMIT) == 413
        assert post(svix_signature="v1,AAAA") == 401
        assert post(svix_id="") == 401
        assert post(at=datetime(2026, 1, 15, 8, 54, tzinfo=UTC)) == 401
        assert post(at=datetime(2026, 1, 15, 9, 6, tzinfo=UTC)) == 401
        assert post(body=b"\xff{}") == 401
        assert post(body=b"[" * 100_000) == 400
        assert post(body=b"not json") == 400
        assert post(["no", "object"]) == 400
        assert post({"eventType": "document.created.v2"}) == 400
        assert receiver.ledger.list() == []
        assert receiver.metrics()["rejected"] == {
            "method": 2,
            "content type": 1,
            "too large": 1,
            "not verified": 5,
            "not an event": 5,
        }


@pytest.mark.fault
def test_ten_thousand_junk_requests_change_nothing(receive: Callable[..., Receiver]) -> None:
    receiver = receive(lambda event: None)
    receiver.ledger.list()
    size = receiver.ledger.path.stat().st_size
    statuses: Counter[str] = Counter()
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "HTTP_SVIX_ID": "x"}
    for number in range(10_000):
        body = b"%d" % number
        answer: list[str] = []
        receiver(
            environ | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)},
            lambda status, headers, answer=answer: answer.append(status),
        )
        statuses.update(answer)
    assert statuses == {"401 Unauthorized": 10_000}
    assert receiver.ledger.path.stat().st_size == size
    receiver.close()


@pytest.mark.fault
def test_a_body_that_is_cut_off_is_not_taken_for_an_event(receive: Callable[..., Receiver]) -> None:
    receiver = receive(lambda event: None)
    with listening(receiver) as post, socket.create_connection(("127.0.0.1", post.port)) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{}")
        wire.shutdown(socket.SHUT_WR)
        wire.settimeout(10)
        assert b"204" not in wire.recv(200)
        assert receiver.ledger.list() == []


@pytest.mark.fault
def test_an_id_that_comes_back_with_another_body_is_a_conflict(receive: Callable[..., Receiver]) -> None:
    seen: list[Event] = []
    receiver = receive(seen.append)
    with listening(receiver) as post:
        assert post() == 204
        assert post({**BILL, "totalCharges": "0.01"}) == 409
        assert receiver.drain()
    assert [event.payload["totalCharges"] for event in seen] == ["12.50"]


@pytest.mark.fault
def test_a_failing_handler_is_tried_again_then_parked_then_replayed(
    receive: Callable[..., Receiver], clock: FrozenClock
) -> None:
    calls: list[datetime] = []
    healed = threading.Event()

    def handler(event: Event) -> None:
        calls.append(clock.now())
        if not healed.is_set():
            raise ValueError("the database is away")

    receiver = receive(handler)
    with listening(receiver) as post:
        assert post() == 204
        assert receiver.drain()
        for delay in RETRY_DELAYS:
            before = len(calls)
            clock.advance(seconds=delay - 1)
            assert receiver.drain()
            assert len(calls) == before, "not before its time"
            clock.advance(seconds=1)
            _until(lambda before=before: len(calls) == before + 1)
            assert receiver.drain()
        entry, payload = receiver.ledger.show("msg_1")
        assert (entry.state, entry.attempts, entry.error) == ("dead", 6, "ValueError: the database is away")
        assert payload == BILL
        healed.set()
        receiver.ledger.replay("msg_1")
        _until(lambda: receiver.ledger.show("msg_1")[0].state == "done")
        with pytest.raises(NotFoundError, match="msg_2"):
            receiver.ledger.replay("msg_2")
        clock.advance(days=31)
        assert receiver.ledger.prune(days=30) == 1
        assert receiver.ledger.list() == []


def test_a_slow_handler_keeps_its_claim_beyond_the_lease(tmp_path: Path) -> None:
    calls: list[str] = []
    now = datetime.now(UTC)  # noqa: TID251  # leases of a real process run on the system's clock

    def slow(event: Event) -> None:
        calls.append(event.id)
        time.sleep(1.5)  # noqa: TID251  # a handler of somebody's

    receiver = Receiver(SECRET, tmp_path / "ledger.db", slow, workers=3, lease=0.5)
    with listening(receiver) as post:
        assert post(at=now) == 204
        _until(lambda: receiver.ledger.counts()["done"] == 1)
    assert calls == ["msg_1"]


def test_the_answer_does_not_wait_for_the_handler(receive: Callable[..., Receiver]) -> None:
    release = threading.Event()
    receiver = receive(lambda event: release.wait(10))
    with listening(receiver) as post:
        assert [post(id_=f"msg_{number}") for number in range(20)] == [204] * 20
        assert receiver.ledger.counts()["done"] == 0
        release.set()
        assert receiver.drain()


@pytest.mark.fault
def test_a_ledger_that_cannot_be_written_asks_the_sender_to_come_again(
    receive: Callable[..., Receiver],
) -> None:
    receiver = receive(lambda event: None)
    with listening(receiver) as post:
        blocker = sqlite3.connect(receiver.ledger.path)
        blocker.execute("DROP TABLE events")
        blocker.commit()
        blocker.close()
        assert post() == 503


CHILD = """
import sys, waitress
from nectar_notebooks.webhooks import Receiver
ledger, effects, secret = sys.argv[1:]
def handle(event):
    with open(effects, "a") as file:
        print(event.id, "begun", file=file, flush=True)
    if event.payload.get("hang"):
        import threading; threading.Event().wait()
    with open(effects, "a") as file:
        print(event.id, "done", file=file, flush=True)
receiver = Receiver(secret, ledger, handle, lease=0.5)
receiver.start()
server = waitress.create_server(receiver, host="127.0.0.1", port=0)
print(server.effective_port, flush=True)
server.run()
"""


@contextmanager
def child(ledger: Path, effects: Path) -> Iterator[tuple[Post, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(ledger), str(effects), SECRET], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Post(int(process.stdout.readline())), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.fault
def test_kill_9_between_recording_and_handling_loses_nothing(tmp_path: Path) -> None:
    ledger, effects = tmp_path / "ledger.db", tmp_path / "effects"
    effects.touch()
    now = datetime.now(UTC)  # noqa: TID251  # another process reads the system's clock
    with child(ledger, effects) as (post, process):
        # Both workers hang in their handlers; the rest is recorded and waits.
        sent = [f"msg_{number}" for number in range(10)]
        assert [post({**BILL, "hang": number < 2}, id_=id_, at=now) for number, id_ in enumerate(sent)] == [204] * 10
        _until(lambda: effects.read_text().count("begun") >= 2)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = Counter(line.split()[0] for line in effects.read_text().splitlines() if line.endswith("done"))
    seen: list[str] = []
    receiver = Receiver(SECRET, ledger, lambda event: seen.append(event.id), lease=0.5)
    receiver.start()
    _until(lambda: receiver.ledger.counts()["done"] == 10)
    receiver.close()
    assert Counter(seen) + before == Counter(sent)


def test_a_ledger_lists_shows_and_keeps_its_file_to_its_owner(tmp_path: Path, clock: FrozenClock) -> None:
    ledger = Ledger(tmp_path / "deep" / "ledger.db", clock=clock)
    assert ledger.path.stat().st_mode & 0o077 == 0
    assert (ledger.list(), ledger.lag()) == ([], 0.0)
    with pytest.raises(NotFoundError, match="no state"):
        ledger.list(state="lost")
    ledger.close()


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come true in time")

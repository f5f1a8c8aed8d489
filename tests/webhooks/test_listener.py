"""`nectar webhooks listen` among strangers: half-sent requests, drips, foreign pages, absurd requests."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from svix.webhooks import Webhook as Svix

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = b'{"eventType": "document.created.v2", "id": "b"}'

pytestmark = [pytest.mark.served, pytest.mark.fault]


@contextmanager
def listening(folder: Path, *, files: int | None = None) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}

    def few_files() -> None:
        if files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    process = subprocess.Popen(
        [sys.executable, "-m", "nectar_notebooks", "webhooks", "listen", "--port", "0", "--metrics", "0.2"],
        cwd=folder, env=kept | {"NECTAR_WEBHOOK_SECRET": SECRET}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, preexec_fn=few_files,
    )  # fmt: skip
    said: list[str] = []
    assert process.stderr is not None
    reading = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reading.start()
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield int(found[1]), process
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        reading.join(timeout=30)
        # Its counts are all that it says, whatever was sent.
        assert [line for line in said if not re.match(r"accepted \d+, duplicates \d+, rejected: .*\n$", line)] == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def signed(id_: str, body: bytes = EVENT) -> dict[str, str]:
    now = datetime.now(UTC)  # noqa: TID251  # another process reads the system's clock
    return {
        "Content-Type": "application/json",
        "svix-id": id_,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": Svix(SECRET).sign(id_, now, body.decode()),
    }


def ask(port: int, method: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextmanager
def half_sent(port: int, how_many: int, text: bytes) -> Iterator[list[socket.socket]]:
    """Hold connections open that have sent `text` and no more; some the listener may close."""
    opened: list[socket.socket] = []
    try:
        for _ in range(how_many):
            one = socket.create_connection(("127.0.0.1", port), timeout=60)
            opened.append(one)
            with suppress(OSError):
                one.sendall(text)
        yield opened
    finally:
        for one in opened:
            one.close()


def is_closed(one: socket.socket) -> bool:
    """Wait until the other side closes, for at most a minute."""
    with suppress(ConnectionResetError):
        while one.recv(1024):
            pass
    return True


HEADERS = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = HEADERS + b"Content-Length: 1000\r\n\r\n{"


@pytest.mark.parametrize("text", [HEADERS, BODY, b""], ids=["headers", "body", "nothing"])
@pytest.mark.parametrize(("how_many", "files"), [(300, None), (1000, None), (1000, 256)])
def test_half_sent_requests_do_not_stop_the_listener(
    tmp_path: Path, times: Callable[[int, int], int], text: bytes, how_many: int, files: int | None
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(2048, hard)), hard))
    try:
        with listening(tmp_path, files=files) as (port, _):
            rounds = times(1, 8)
            for one in range(rounds):
                with half_sent(port, how_many, text):
                    sent = [ask(port, "POST", signed(f"msg_{one}_{n}"), EVENT)[0] for n in range(times(3, 40))]
                    assert set(sent) == {204}
        print(f"soak: webhooks: {rounds * len(sent)} events among {rounds} times {how_many:,} half-sent requests")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("text", [b"x: ", BODY], ids=["headers", "body"])
def test_a_drip_has_a_deadline_however_steady(tmp_path: Path, text: bytes) -> None:
    with listening(tmp_path) as (port, _):
        start = HEADERS + text if text == b"x: " else text
        with half_sent(port, 1, start) as [one], half_sent(port, 1, start) as [still]:
            one.settimeout(0.25)
            ended = False
            for _ in range(240):  # a byte every quarter of a second keeps any pause short
                try:
                    one.sendall(b"a")
                    ended = not one.recv(1024)
                except TimeoutError:
                    continue
                except OSError:
                    ended = True
                if ended:
                    break
            assert ended
            assert is_closed(still)
            assert ask(port, "POST", signed("msg_1"), EVENT)[0] == 204


def test_large_bodies_that_are_never_finished_leave_room_for_events(tmp_path: Path) -> None:
    text = HEADERS + b"Content-Length: 1000000\r\n\r\n" + b" " * 900_000
    with listening(tmp_path) as (port, process), half_sent(port, 150, text):
        assert ask(port, "POST", signed("msg_1"), EVENT)[0] == 204
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():
            peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            assert peak is not None
            assert int(peak[1]) < 300_000, "150 bodies of 900 kB are not all held"


def test_an_event_may_come_by_any_name_but_not_from_a_page(tmp_path: Path) -> None:
    with listening(tmp_path) as (port, _):
        # A proxy or tunnel in front passes on the name that it was asked by: the signature is the guard.
        assert ask(port, "POST", signed("msg_1") | {"Host": "hooks.example.com"}, EVENT) == (204, b"")
        for elsewhere in (
            {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://hooks.example.com", "Host": "localhost"},
        ):  # fmt: skip
            assert ask(port, "POST", signed("msg_2") | elsewhere, EVENT) == (403, b"")
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            assert ask(port, method, {"Host": "evil.example"}) == (403, b"")
            assert ask(port, method, {}) == (405, b"")
        assert ask(port, "BREW", {})[0] == 405
        assert ask(port, "POST", signed("msg_2"), EVENT)[0] == 204


def test_what_is_no_delivery_is_refused_and_the_next_one_taken(tmp_path: Path) -> None:
    start = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
    kind = b"Content-Type: application/json\r\n"
    absurd = {
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": (400,),
        b"POST / HTTP/1.1\r\n\r\n": (400,),
        start + kind + b"\r\n": (411,),
        start + kind + b"Content-Length: -1\r\n\r\n": (400,),
        start + kind + b"Content-Length: \xb2\r\n\r\n": (400,),
        start + kind + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n": (400, 401),
        start + kind + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n": (413,),
        start + kind + b"Content-Length: 104857700\r\n\r\n": (413,),
        start + kind + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}": (400,),
        start + kind + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n": (400,),
        start + kind + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n": (401,),
        start + b"x: " + b"a" * 100_000 + b"\r\n\r\n": (400, 431, None),
    }
    with listening(tmp_path) as (port, _):
        for text, expected in absurd.items():
            with half_sent(port, 1, text) as [one]:
                found = re.match(rb"HTTP/1\.1 (\d+)", _first(one))
                assert (None if found is None else int(found[1])) in expected, text[:80]
        body = b" " * 1_100_000
        assert ask(port, "POST", signed("msg_1", body), body)[0] == 413
        chunked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        chunked.request("POST", "/", iter([EVENT[:5], EVENT[5:]]), signed("msg_2"), encode_chunked=True)
        assert chunked.getresponse().status == 204
        chunked.close()


def _first(one: socket.socket) -> bytes:
    try:
        return one.recv(1024)
    except ConnectionResetError:
        return b""


def test_lines_are_whole_however_many_handlers_print(tmp_path: Path) -> None:
    body = json.dumps({"eventType": "document.created.v2", "id": "b" * 50}).encode()
    with listening(tmp_path) as (port, process):
        sending = [
            threading.Thread(
                target=lambda first=first: [
                    ask(port, "POST", signed(f"msg_{n}", body), body) for n in range(first, first + 25)
                ]
            )
            for first in range(0, 100, 25)
        ]
        for one in sending:
            one.start()
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(100)]
        for one in sending:
            one.join()
    assert all(re.fullmatch(r"\S{20}  msg_\d+  document\.created\.v2\n", line) for line in lines), lines
    assert len({line.split()[1] for line in lines}) == 100


def test_what_a_sender_writes_moves_no_cursor(tmp_path: Path) -> None:
    body = json.dumps({"eventType": "\x1b[2J\u202e\ud800\r\n\x9b", "id": "\x1b[2J"}).encode()
    with listening(tmp_path) as (port, process):
        assert ask(port, "POST", signed("msg_1", body), body)[0] == 204
        assert process.stdout is not None
        printed = [process.stdout.readline()]
    for words in (["list"], ["show", "msg_1"]):
        done = subprocess.run(
            [sys.executable, "-m", "nectar_notebooks", "webhooks", *words],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        printed += done.stdout.splitlines(keepends=True)
    assert sum("msg_1" in line for line in printed) == 3
    assert all(line.removesuffix("\n").isprintable() for line in printed), printed

"""What a peer sends is never too much: ceilings, a deadline, and errors that say the number and how to raise it.

Real sockets and files. Memory is measured in a process of its own; a deadline is short, and nothing is timed.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api.wire import Reply, Request, Wire, serve
from client.hand_written_api import usage

from nectar_notebooks import FrozenClock, Nectar, connect
from nectar_notebooks.cli import main
from nectar_notebooks.errors import (
    BillsFileError,
    ConfigurationError,
    ContractError,
    InterruptedWalkError,
    InvalidRequestError,
    NectarError,
    NetworkError,
)
from nectar_notebooks.sandbox import Sandbox, World

pytestmark = pytest.mark.fault

KEY = "nk_made_up_key_of_hostile_tests"
MB = 1024 * 1024


def client_of(url: str, folder: Path, **settings: object) -> Nectar:
    place = {"key": KEY, "base_url": url, "cache_dir": folder / "cache", "clock": FrozenClock("2026-01-15T09:00:00Z")}
    return connect("production", **{**place, **settings})


def bomb(megabytes: int, start: bytes = b"") -> bytes:
    """Return a gzip body that unpacks to so many megabytes of spaces, made without making them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    one = packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + one * megabytes


def packed(body: bytes) -> Reply:
    return Reply(body, headers={"Content-Encoding": "gzip"})


#: Asks for the companies and prints what came of it, and by how many MB the peak of the process's memory rose.
CHILD = """
import resource, sys
import nectar_notebooks.client, nectar_notebooks.cache, nectar_notebooks.tables
from nectar_notebooks import connect
from nectar_notebooks.errors import NectarError
nectar = connect("production", key="nk_made_up", base_url=sys.argv[1], cache_dir=sys.argv[2], limits=eval(sys.argv[3]))
nectar.ping()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(len(nectar.companies()))
except NectarError as error:
    print(type(error).__name__, error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def peak(reply: Reply, folder: Path, limits: dict[str, float]) -> tuple[str, int]:
    """Return what a child said of an answer, and the megabytes that it took for it."""

    def handler(request: Request) -> Reply:
        return Reply({"status": "ok"}) if request.path.endswith("/ping") else reply

    with serve(handler) as wire:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, wire.url, str(folder / "cache"), repr(limits)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    said, megabytes = done.stdout.strip().rsplit("\n", 1)
    return said, int(megabytes)


# --- what is unpacked


def test_a_gigabyte_in_a_small_gzip_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    body = bomb(1024)
    assert len(body) < 3 * MB
    said, megabytes = peak(packed(body), tmp_path, {})
    assert said.startswith("ContractError GET /v2.2/company: the answer has more than 32 MB, unpacked")
    assert "NECTAR_LIMIT_ANSWER_MB" in said
    assert megabytes < 32 + 16


MOST = 4 * 65_536
#: As many values as an answer of 4 MB may hold, in the shapes that take most memory.
DEAREST = {
    "objects": b'{"a":"bc"},' * (MOST // 2 - 9),
    "lists in objects": b'{"":[]},' * (MOST // 3 - 9),
    "one wide object": b"{" + b",".join(b'"%x":"%x"' % (n, n) for n in range(MOST - 9)) + b"},",
    "wide characters": ",".join(f'{{"{n:x}":"€"}}' for n in range(MOST // 2 - 9)).encode() + b",",
}


@pytest.mark.parametrize("start", [b"[", b"[12345678901234567890123,"], ids=["", "exact"])
@pytest.mark.parametrize("shape", DEAREST)
def test_the_dearest_answer_within_the_ceiling_takes_so_much_memory(tmp_path: Path, start: bytes, shape: str) -> None:
    """As `limits` says of an answer of the default ceiling; an integer beyond 64 bits has it decoded exactly."""
    body = start + DEAREST[shape]
    text = "\U0001f600".encode() + b"x" * max(0, 4 * MB - len(body) - 9)  # four bytes of memory for each letter
    said, megabytes = peak(Reply(body + b'"' + text + b'"]'), tmp_path, {"answer_mb": 4})
    assert said.startswith("ContractError GET /v2.2/company: row 0 of the answer"), "it was decoded"
    assert megabytes < 4 * 20


@pytest.mark.parametrize("value", [b"[]", b"[[]]", b'{"":[]}', b'{"":0}', b"0.1"], ids=bytes.decode)
def test_an_answer_of_brackets_alone_is_refused_before_it_is_decoded(tmp_path: Path, value: bytes) -> None:
    body = b"[" + (value + b",") * (4 * MB // (len(value) + 1) - 12) + b"[]]"
    said, megabytes = peak(Reply(body), tmp_path, {"answer_mb": 4})
    assert re.match(r"ContractError .* values in 4\.0 MB, more than the 262,144 that are decoded.*answer_mb", said)
    assert megabytes < 4 * 4


def test_honest_rows_up_to_the_ceiling_are_few_enough(tmp_path: Path) -> None:
    row = usage("u0", "b1", "m1", "s1", "2025-12-01", "2025-12-31", "100.5")
    many = json.dumps([row | {"id": f"u{number}"} for number in range(100)], separators=(",", ":")).encode()[1:-1]
    body = b'[{"id": "c1", "name": "Mill", "rows": [' + b",".join([many] * (2 * MB // len(many))) + b"]}]"
    assert len(body) > 1.9 * MB
    with serve(lambda request: Reply(body)) as wire:
        assert len(client_of(wire.url, tmp_path, limits={"answer_mb": 2}).companies()) == 1


def test_packed_twice_is_bounded_too(tmp_path: Path) -> None:
    twice = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = twice.compress(bomb(64)) + twice.flush()
    reply = Reply(body, headers={"Content-Encoding": "gzip, gzip"})
    said, megabytes = peak(reply, tmp_path, {"answer_mb": 2})
    assert "more than 2 MB" in said
    assert megabytes < 32


def test_an_honest_answer_passes_once_the_ceiling_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.dumps([{"id": "c1", "name": "Mill"}]).encode()

    def handler(request: Request) -> Reply:
        return Reply(rows + b" " * MB)

    with serve(handler) as wire:
        with pytest.raises(ContractError, match=r"more than 0\.5 MB"):
            client_of(wire.url, tmp_path, limits={"answer_mb": 0.5}).companies()
        assert len(wire.requests) == 1  # asking again brings the same
        monkeypatch.setenv("NECTAR_LIMIT_ANSWER_MB", "0.5")
        with pytest.raises(ContractError, match="answer_mb"):
            client_of(wire.url, tmp_path).companies()
        assert len(client_of(wire.url, tmp_path, limits={"answer_mb": 2}).companies()) == 1


def test_a_refusal_of_any_size_keeps_its_status(tmp_path: Path) -> None:
    with (
        serve(lambda request: Reply(bomb(64, b'{"detail": "no"'), 403, {"Content-Encoding": "gzip"})) as wire,
        pytest.raises(NectarError) as caught,
    ):
        client_of(wire.url, tmp_path).companies()
    assert caught.value.status_code == 403


@pytest.mark.parametrize("given", [{"answers": 1}, {"pages": 0}, {"pages": "many"}, {"deadline": float("nan")}, [1]])
def test_a_limit_that_is_none(given: object) -> None:
    with pytest.raises(ConfigurationError, match="limit"):
        connect("local", limits=given)


# --- pages


def page(rows: list[object], total: object, pages: object, current: object = 1) -> Reply:
    return Reply({"connections": rows, "totalConnections": total, "totalPages": pages, "currentPage": current})


@pytest.mark.parametrize(
    ("total", "pages", "rows"),
    [(5, 10**9, 5), (5, 2**60, 0), (10**6, 10**6, 100), (0, 7, 0)],
)
def test_pages_that_cannot_be_are_refused_at_once(tmp_path: Path, total: int, pages: int, rows: int) -> None:
    reply = page([{"id": f"k{number}"} for number in range(rows)], total, pages)
    with serve(companies_and(lambda request: reply)) as wire:
        with pytest.raises(ContractError, match=rf"contradicts itself: {total:,} connections.*make no {pages:,} pages"):
            client_of(wire.url, tmp_path).connections("c1")
        assert len(wire.requests) <= 2


def test_more_pages_than_are_fetched_name_the_limit(tmp_path: Path) -> None:
    reply = page([{"id": "k1"}], 10**9, 10**9)
    with (
        serve(companies_and(lambda request: reply)) as wire,
        pytest.raises(ContractError, match=r"1,000,000,000 pages .* more than the 100,000 .*NECTAR_LIMIT_PAGES"),
    ):
        client_of(wire.url, tmp_path).connections("c1")


def companies_and(other: Callable[[Request], Reply]) -> Callable[[Request], Reply]:
    """Answer as an API of one company whose other lists are told by `other`."""

    def handler(request: Request) -> Reply:
        if request.path.endswith("/company"):
            return Reply([{"id": "c1", "name": "Mill"}])
        if request.path.count("/") == 3 and request.path.endswith("/company/c1"):
            return Reply({"id": "c1", "name": "Mill", "sites": []})
        return other(request)

    return handler


# --- a server that contradicts itself, and faults that stay


@pytest.mark.parametrize("shown", [3, 7])
def test_a_total_that_never_fits_is_no_change_of_the_list(tmp_path: Path, shown: int) -> None:
    rows = [{"id": f"k{number}"} for number in range(shown)]
    with serve(companies_and(lambda request: page(rows, 5, 1))) as wire, pytest.raises(NectarError) as caught:
        client_of(wire.url, tmp_path).connections("c1")
    assert f"contradicts itself: 5 rows were announced and {shown} came" in str(caught.value)
    assert "changed during" not in str(caught.value)
    assert "resume()" not in str(caught.value)
    assert not caught.value.retryable


def test_an_api_that_answers_with_another_page_contradicts_itself(tmp_path: Path) -> None:
    def handler(request: Request) -> Reply:
        return page([{"id": f"k{number}"} for number in range(10)], 40, 4, current=1)

    with (
        serve(companies_and(handler)) as wire,
        pytest.raises(NectarError, match=r"contradicts itself: page . answered"),
    ):
        client_of(wire.url, tmp_path).connections("c1")


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"detail": "no"}, 403),
        Reply({"detail": "no"}, 404),
        Reply(b"<!doctype html><html>Log in</html>", 200, {"Content-Type": "text/html"}),
    ],
    ids=["403", "404", "html"],
)
def test_a_fault_that_stays_on_a_later_page_does_not_advise_to_resume(tmp_path: Path, reply: Reply) -> None:
    third = threading.Event()

    def handler(request: Request) -> Reply:
        if request.page == 2:
            third.wait(30)  # what was asked for meanwhile is still taken
            return reply
        if request.page == 3:
            third.set()
        return page([{"id": f"k{request.page}{number}"} for number in range(10)], 30, 3, request.page)

    with serve(companies_and(handler)) as wire, pytest.raises(InterruptedWalkError) as caught:
        client_of(wire.url, tmp_path).connections("c1")
    assert "resume()" not in str(caught.value)
    assert "Finished pages are kept" in caught.value.advice
    assert caught.value.finished_pages == 2
    assert not caught.value.retryable


# --- no JSON, and why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xef\xbb\xbf[]", "byte order mark"),
        ("[]".encode("utf-16"), "UTF-16, and JSON is UTF-8"),
        ("[]".encode("utf-16-le"), "UTF-16 or UTF-32"),
        ("[]".encode("utf-32"), "UTF-32"),
        (b'[{"id": NaN}]', "NaN stands at character 8"),
        (b'[{"id": -Infinity}]', "Infinity stands at character 9"),
        (b'[{"id": "\xff"}]', "not UTF-8 from byte 9 on"),
        (b'[{"id": "\\ud800"}]', "lone surrogate"),
        (b"[" * 5000 + b"]" * 5000, "nested more deeply than 1,024 levels"),
        (b'[{"id": 1e999}]', "too large"),
        (b'[{"id": "c1"', "cut off"),
        (b"", "there is nothing in them"),
        (b"[] []", "something follows"),
        (b"[]\0", "something follows"),
        (gzip.compress(b"[]", mtime=0), "packed as gzip, and the answer's head does not say so"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
def test_bytes_that_are_no_json_say_why(tmp_path: Path, body: bytes, why: str) -> None:
    with serve(lambda request: Reply(body)) as wire, pytest.raises(ContractError, match=f"no JSON: .*{why}"):
        client_of(wire.url, tmp_path).companies()


@pytest.mark.parametrize(
    "value",
    [
        "9" * 400,
        "1e400",
        "-5",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "٣",
        "31 Dec",
        "",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "inf",
        "nan",
        "1" + "0" * 30,
        "\x00",
        ", , ,",
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_any_kind_is_survived(tmp_path: Path, status: int, value: str) -> None:
    headers = {"Retry-After": value.encode().decode("latin-1")}
    with (
        serve(lambda request: Reply({"detail": "later"}, status, headers)) as wire,
        pytest.raises(NectarError) as caught,
    ):
        client_of(wire.url, tmp_path).companies()
    assert caught.value.status_code == status
    assert caught.value.retry_after is None or 0 <= caught.value.retry_after <= 366 * 86400


def test_a_refusal_nested_as_deeply_as_json_goes_is_told_in_short(tmp_path: Path) -> None:
    body = b'{"a":' * 1000 + b"1" + b"}" * 1000
    wide = json.dumps({f"field{number}": ["no"] for number in range(20_000)}).encode()
    for one in (body, wide):
        with serve(lambda request, one=one: Reply(one, 400)) as wire, pytest.raises(InvalidRequestError) as caught:
            client_of(wire.url, tmp_path).companies()
        assert len(str(caught.value)) < 2000


def test_an_answer_packed_in_another_way_is_named(tmp_path: Path) -> None:
    reply = Reply(b"\x8b\x00\x80[]\x03", headers={"Content-Encoding": "br"})
    with serve(lambda request: reply) as wire, pytest.raises(ContractError, match="packed as br, which was not asked"):
        client_of(wire.url, tmp_path).companies()


@pytest.mark.parametrize(
    ("total", "said"), [(-1, "is -1 instead"), (1.5, r"is 1\.5 instead"), ("1", "a text"), (True, "a flag")]
)
def test_a_total_that_is_none_is_shown(tmp_path: Path, total: object, said: str) -> None:
    reply = Reply({"connections": [], "totalConnections": total, "totalPages": 1, "currentPage": 1})
    with serve(companies_and(lambda request: reply)) as wire, pytest.raises(ContractError, match=said):
        client_of(wire.url, tmp_path).connections("c1")


# --- answers that are hardly HTTP


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n[]",
    ],
    ids=["SSH", "status", "version", "300 headers", "a long header", "two lengths", "a negative length", "no length"],
)
def test_what_is_no_http_is_not_called_unreachable(tmp_path: Path, head: bytes) -> None:
    def answer(peer: socket.socket, stop: threading.Event) -> None:
        peer.recv(65536)
        peer.sendall(head)

    with raw(answer) as url, pytest.raises(NetworkError, match=r"is no answer in HTTP\."):
        client_of(url, tmp_path).companies()


@pytest.mark.parametrize("interim", [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", b"HTTP/1.1 102 Wait\r\n\r\n"])
def test_interim_answers_are_no_answer(tmp_path: Path, interim: bytes) -> None:
    def answer(peer: socket.socket, stop: threading.Event) -> None:
        while peer.recv(65536):
            peer.sendall(interim * 3 + b"HTTP/1.1 100 Continue\r\n\r\n" + interim)
            peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n[{"id": "c1", "name": "Mill"}]')

    with raw(answer) as url:
        assert list(client_of(url, tmp_path).companies()["name"]) == ["Mill"]


@pytest.mark.parametrize("status", [300, 304, 306])
def test_a_redirect_to_nowhere_is_told_as_such(tmp_path: Path, status: int) -> None:
    with serve(lambda request: Reply(b"", status)) as wire, pytest.raises(ContractError, match="but not told where"):
        client_of(wire.url, tmp_path).companies()


@pytest.mark.parametrize(
    "location",
    ["http://evil[2J/", "http://[bad", "\xff\xfe", "http://a:99999/", "", "//", "file:///etc/passwd", "\x1b[2J"],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_location_of_any_kind_is_survived(tmp_path: Path, status: int, location: str) -> None:
    reply = Reply(b"", status, {"Location": location})
    with serve(lambda request: reply) as wire, pytest.raises(ContractError, match="was redirected"):
        client_of(wire.url, tmp_path).companies()
    with serve(files_of(reply)) as wire, pytest.raises(NectarError, match=r"^The file"):
        downloaded(wire, tmp_path / "files")


# --- the deadline


def dripping(head: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def answer(peer: socket.socket, stop: threading.Event) -> None:
        peer.recv(65536)
        peer.sendall(head)
        while not stop.wait(0.02):
            peer.sendall(b"x")

    return answer


@contextmanager
def raw(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Serve what http.server cannot: `answer` has the socket."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=converse, args=(peer,), daemon=True).start()

        def converse(peer: socket.socket) -> None:
            with peer:
                try:
                    answer(peer, stop)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"],
    ids=["status line", "header", "body"],
)
def test_what_drips_ends_at_the_deadline(tmp_path: Path, times: Callable[[int, int], int], head: bytes) -> None:
    seconds = times(4, 300) / 10
    with (
        raw(dripping(head)) as url,
        pytest.raises(NetworkError, match=rf"in full within {seconds:g} seconds.*NECTAR_LIMIT_DEADLINE"),
    ):
        client_of(url, tmp_path, limits={"deadline": seconds}).companies()
    print(f"soak: client: bytes that dripped after {head[:20]!r} ended at the deadline of {seconds:g} seconds")


def test_a_server_that_calls_itself_an_embedded_sandbox_is_not_waited_for(tmp_path: Path) -> None:
    """It is asked which one it is before a question that the cache could answer."""

    def answer(peer: socket.socket, stop: threading.Event) -> None:
        while request := peer.recv(65536):
            if b"/_sandbox/" in request:
                asked.set()
                while not stop.wait(0.5):
                    peer.sendall(b"HTTP/1.1 103 Hints\r\n\r\n")
            head = b"HTTP/1.1 200 OK\r\nNectar-Embedded-Sandbox: abc 0\r\nContent-Length: 30\r\n\r\n"
            peer.sendall(head + b'[{"id": "c1", "name": "Mill"}]')

    asked = threading.Event()
    with raw(answer) as url:
        nectar = client_of(url, tmp_path)
        assert len(nectar.companies()) == len(nectar.companies()) == 1
    assert asked.is_set()


def test_an_endless_row_of_interim_answers_ends_too(tmp_path: Path) -> None:
    def answer(peer: socket.socket, stop: threading.Event) -> None:
        peer.recv(65536)
        while not stop.wait(0.01):
            peer.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with raw(answer) as url, pytest.raises(NetworkError, match="in full within"):
        client_of(url, tmp_path, limits={"deadline": 0.4}).companies()


def test_a_server_that_takes_nothing_ends_too(tmp_path: Path) -> None:
    bill = tmp_path / "bill.pdf"
    bill.write_bytes(b"%PDF-1.4" + bytes(20 * MB))

    def answer(peer: socket.socket, stop: threading.Event) -> None:
        request = peer.recv(4096)
        if request.startswith(b"GET"):
            peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n[{"id": "c1", "name": "Mill"}]')
        stop.wait(60)

    with raw(answer) as url, pytest.raises(NetworkError, match="in full within"):
        client_of(url, tmp_path, limits={"deadline": 0.5}).upload(bill, "c1")


# --- downloads


def files_of(reply: Reply, name: str | None = "bill.pdf") -> Callable[[Request], Reply]:
    """Answer as an API of one bill whose original is `reply`."""

    def other(request: Request) -> Reply:
        if request.path.startswith("/files/"):
            return reply
        noun = request.path.split("/")[2]
        rows: list[object] = []
        if noun == "document" and "dateType" not in request.query:
            url = f"http://{request.headers['host']}/files/b1"
            rows = [{"id": "b1", "company": {"id": "c1"}, "billDate": "2026-01-09", "url": url, "fileName": name}]
        key = {"document": "documents", "usage": "usageData", "connection": "connections", "meter": "meters"}[noun]
        total = f"total{key[0].upper()}{key[1:]}"
        return Reply({key: rows, total: len(rows), "totalPages": 1, "currentPage": 1})

    return companies_and(other)


def downloaded(wire: Wire, folder: Path, to: Path | None = None, **limits: float) -> Path:
    nectar = client_of(wire.url, folder, limits=limits)
    return nectar.download(nectar.bills("c1").iloc[0], to or folder)


def test_a_file_larger_than_the_ceiling_leaves_nothing_behind(tmp_path: Path) -> None:
    with (
        serve(files_of(packed(bomb(300, b"%PDF-1.4")))) as wire,
        pytest.raises(ContractError, match=r"more than 3 MB, unpacked; it was not kept.*NECTAR_LIMIT_DOWNLOAD_MB"),
    ):
        downloaded(wire, tmp_path, download_mb=3)
    assert [one.name for one in tmp_path.iterdir()] == ["cache"]


def test_a_large_honest_file_comes_whole_and_outlives_the_deadline_of_an_answer(tmp_path: Path) -> None:
    content = b"%PDF-1.4" + os.urandom(6 * MB)

    def slowly(peer: socket.socket, stop: threading.Event) -> None:
        handler = files_of(Reply())
        while request := peer.recv(65536):
            target = request.split(b" ")[1].decode()
            if not target.startswith("/files/"):
                host = f"127.0.0.1:{peer.getsockname()[1]}"
                query = {"dateType": ["x"]} if "dateType" in target else {}
                reply = handler(Request("GET", target.partition("?")[0], query, {"host": host}, b""))
                body = json.dumps(reply.body).encode()
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                continue
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
            for start in range(0, len(content), MB):
                stop.wait(0.4)  # 2.4 s in all, a deadline of 2 s, and 64 s earned by each piece
                peer.sendall(content[start : start + MB])

    with raw(slowly) as url:
        nectar = client_of(url, tmp_path)
        bill = nectar.bills("c1").iloc[0]
        short = client_of(url, tmp_path, limits={"deadline": 2.0})
        assert short.download(bill, tmp_path).read_bytes() == content


PDF = b"%PDF-1.4\n" + bytes(range(256)) * 800
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)


@pytest.mark.parametrize(
    ("packing", "whole"),
    [
        ("gzip", gzip.compress(PDF)),
        ("x-gzip", gzip.compress(PDF[:100]) + gzip.compress(PDF[100:])),
        ("deflate", zlib.compress(PDF)),
        ("Deflate", RAW.compress(PDF) + RAW.flush()),
        ("gzip, deflate", zlib.compress(gzip.compress(PDF))),
        ("identity, gzip, gzip", gzip.compress(gzip.compress(PDF))),
    ],
)
def test_a_packed_file_comes_whole_or_leaves_nothing(tmp_path: Path, packing: str, whole: bytes) -> None:
    headers = {"Content-Encoding": packing}
    with serve(files_of(Reply(whole, headers=headers))) as wire:
        assert downloaded(wire, tmp_path).read_bytes() == PDF
    (tmp_path / "bill.pdf").unlink()
    for end in (len(whole) // 2, -4, -1):  # as long as announced, but cut before it was sent
        with (
            serve(files_of(Reply(whole[:end], headers=headers))) as wire,
            pytest.raises(NetworkError, match="was cut off"),
        ):
            downloaded(wire, tmp_path)
    for junk in (b"\0" * 512, b"\n", b"junk"):
        if packing != "gzip, deflate":
            with serve(files_of(Reply(whole + junk, headers=headers))) as wire:
                assert downloaded(wire, tmp_path).read_bytes() == PDF
            (tmp_path / "bill.pdf").unlink()
    assert [one.name for one in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize("status", [202, 203, 204, 206])
def test_a_part_of_a_file_is_no_refusal_and_no_file(tmp_path: Path, status: int) -> None:
    reply = Reply(b"" if status == 204 else b"%PDF-1.4", status)
    with serve(files_of(reply)) as wire, pytest.raises(ContractError, match=f"did not come: the answer is {status}"):
        downloaded(wire, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["cache"]


def test_a_file_that_drips_ends(tmp_path: Path) -> None:
    reply = Reply(b"%PDF-1.4" + b"x" * 5000, fault="drip")
    with serve(files_of(reply)) as wire, pytest.raises(NetworkError, match=r"within 0\.5 seconds and those that"):
        downloaded(wire, tmp_path, deadline=0.5)
    assert [one.name for one in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize(
    ("content", "called", "name"),
    [
        (b"%PDF-1.4", "bill.exe", "bill.exe.pdf"),
        (b"%PDF-1.4", "bill", "bill.pdf"),
        (b"\x89PNG\r\n\x1a\n", "scan.pdf", "scan.pdf.png"),
        (b"\xff\xd8\xff\xe0", "scan.JPEG", "scan.JPEG"),
        (b"%PDF-1.4", "rechnung\u202efdp.exe", "rechnung_fdp.exe.pdf"),
        (b"%PDF-1.4", "a\x1b[2Jb.pdf", "a_[2Jb.pdf"),
        (b"%PDF-1.4", "con.pdf", "_con.pdf"),
        (b"%PDF-1.4", "あ" * 118 + ".pdf", "あ" * 37 + ".pdf"),
        (b"%PDF-1.4", "あ" * 118, "あ" * 37 + ".pdf"),
        (b"%PDF-1.4", "." + "あ" * 118, "あ" * 37 + ".pdf"),
    ],
)
def test_the_suffix_is_of_what_the_file_is(tmp_path: Path, content: bytes, called: str, name: str) -> None:
    with serve(files_of(Reply(content), called)) as wire:
        path = downloaded(wire, tmp_path)
    assert path == tmp_path / name
    assert path.read_bytes() == content
    assert len(os.fsencode(path.name)) <= 143


@pytest.mark.parametrize("content", [b"MZ\x90\x00 program", b"#!/bin/sh\n%PDF-1.4", b"\x7fELF", b"PK\x03\x04", b"text"])
@pytest.mark.parametrize("called", ["bill.exe", "bill.pdf", "bill.pdf.lnk", "run.sh", "sums.csv", "a.txt"])
def test_what_is_no_bill_says_so_and_runs_nowhere(tmp_path: Path, content: bytes, called: str) -> None:
    with (
        serve(files_of(Reply(content), called)) as wire,
        pytest.warns(UserWarning, match=r"is no PDF and no picture"),
    ):
        path = downloaded(wire, tmp_path)
    assert path == tmp_path / f"{called}.bin"
    assert not path.stat().st_mode & 0o111


def test_a_suffix_of_its_own_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "bill.exe.pdf").write_text("mine")
    with (
        serve(files_of(Reply(b"%PDF-1.4"), "bill.exe")) as wire,
        pytest.raises(InvalidRequestError, match="is there already"),
    ):
        downloaded(wire, tmp_path)
    assert (tmp_path / "bill.exe.pdf").read_text() == "mine"


@pytest.mark.parametrize("to", ["\0", "あ" * 118 + ".pdf", "~nobody_has_this_name/x"])
def test_a_place_that_can_be_none(tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serve(files_of(Reply(b"%PDF-1.4"))) as wire, pytest.raises(InvalidRequestError, match="cannot be the path"):
        downloaded(wire, tmp_path, Path(to))


# --- files that are none


@pytest.fixture(params=["device", "pipe", "socket", "folder", "link to a device"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    path = tmp_path / "it.pdf"
    if request.param == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(path))
            yield "a socket", path
        return
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    yield {"pipe": "a named pipe", "folder": "a folder"}.get(request.param, "a device"), path


def test_only_regular_files_are_read(no_file: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    kind, path = no_file
    with pytest.raises(InvalidRequestError, match=f"it is {kind}, and only regular files are read"):
        connect("local").upload(path)
    with pytest.raises(BillsFileError, match=f"it is {kind}, and only regular files are read"):
        Sandbox(world=World()).load_bills(path)
    assert main(["demo", "--bills", str(path), "--out", str(path.parent / "out")]) == 1
    assert f"it is {kind}" in capsys.readouterr().err


def test_a_bills_file_has_a_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bills.csv"
    path.write_text("Account,Bill Date,Cost\n" + "1,2025-01-01,5.00\n" * 1000)
    monkeypatch.setenv("NECTAR_LIMIT_BILLS_MB", "0.01")
    with pytest.raises(BillsFileError, match=r"more than 0\.01 MB.*NECTAR_LIMIT_BILLS_MB"):
        Sandbox(world=World()).load_bills(path)
    monkeypatch.setenv("NECTAR_LIMIT_BILLS_MB", "1")
    assert Sandbox(world=World()).load_bills(path).lines == 1000


@pytest.mark.parametrize("name", ["\0.pdf", "あ" * 118 + ".pdf", "~nobody_has_this_name/x.pdf"])
def test_a_name_that_no_file_has(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be the path of a file"):
        connect("local").upload(name)
    with pytest.raises(BillsFileError, match="cannot be a bills file"):
        Sandbox(world=World()).load_bills(name)


@pytest.mark.parametrize("given", [5, None, b"bills.csv", [], object()])
def test_what_is_no_path_is_no_bills_file(tmp_path: Path, given: Any) -> None:
    with pytest.raises(BillsFileError, match="cannot be a bills file"):
        Sandbox(world=World()).load_bills(given)
    with pytest.raises(NectarError):
        connect("local").upload(given)
    if given is not None:
        with pytest.raises(BillsFileError, match="column map"):
            Sandbox(world=World()).load_bills(tmp_path / "bills.csv", columns=given)

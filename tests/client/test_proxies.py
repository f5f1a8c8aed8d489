"""A proxy and a private authority of the environment: they serve every request, and the key travels encrypted alone.

The proxy speaks CONNECT over TLS, the API and the file host stand behind it under names that no resolver knows.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trustme
from api.wire import Reply, Request, serve

from nectar_notebooks import FrozenClock, Nectar, connect
from nectar_notebooks.errors import ConfigurationError, NetworkError

pytestmark = pytest.mark.fault

KEY = "nk_made_up_key_of_the_proxy_test"
API, FILES = "api.nectar.test", "files.nectar.test"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Peers:
    """A TLS server that is API and file host, and a proxy before it; each notes what it saw."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.bundle)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(API, FILES, "localhost").configure_cert(self._context)
        #: Hosts that the proxy was asked for, and every byte that it could read.
        self.asked: list[str] = []
        self.seen_by_proxy = b""
        self.seen_by_api: list[bytes] = []
        self.tls_proxy = True
        self._server = self.listen(self._answer)
        self._proxy = self.listen(self._forward)
        self.port = self._server.getsockname()[1]
        self.proxy_port = self._proxy.getsockname()[1]

    def listen(self, converse) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=quietly, args=(peer,), daemon=True).start()

        def quietly(peer: socket.socket) -> None:
            with peer, suppress(OSError):  # the client hung up, or trusts another authority
                converse(peer)

        threading.Thread(target=accept, daemon=True).start()
        return listener

    def close(self) -> None:
        for listener in (self._server, self._proxy):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _answer(self, peer: socket.socket) -> None:
        with self._context.wrap_socket(peer, server_side=True) as secure:
            while head := _head(secure):
                self.seen_by_api.append(head)
                target = head.split(b" ")[1].decode()
                if target.startswith("/files/"):
                    body = b"%PDF-1.4 a bill"
                elif "/document/company/" in target:
                    bill = {"id": "b1", "created": "2026-01-10T08:00:00Z", "updated": "2026-01-10T08:00:00Z"}
                    bill |= {"company": {"id": "c1"}, "billDate": "2026-01-09", "url": f"https://{FILES}/files/b1"}
                    rows = [] if "UPDATED_DATE" in target else [bill]
                    listed = {"documents": rows, "totalDocuments": len(rows), "totalPages": 1, "currentPage": 1}
                    body = json.dumps(listed).encode()
                elif "/usage/company/" in target:
                    listed = {"usageData": [], "totalUsageData": 0, "totalPages": 1, "currentPage": 1}
                    body = json.dumps(listed).encode()
                elif "/meter/company/" in target:
                    body = json.dumps({"meters": [], "totalMeters": 0, "totalPages": 1, "currentPage": 1}).encode()
                elif "/connection/company/" in target:
                    listed = {"connections": [], "totalConnections": 0, "totalPages": 1, "currentPage": 1}
                    body = json.dumps(listed).encode()
                elif target.endswith("/company/c1"):
                    body = json.dumps({"id": "c1", "name": "Mill", "sites": []}).encode()
                else:
                    body = json.dumps([{"id": "c1", "name": "Mill"}]).encode()
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def _forward(self, peer: socket.socket) -> None:
        if self.tls_proxy:
            with self._context.wrap_socket(peer, server_side=True) as client:
                self._tunnel(client)
        else:
            self._tunnel(peer)

    def _tunnel(self, client: socket.socket) -> None:
        head = _head(client)
        self.seen_by_proxy += head
        self.asked.append(head.split(b" ")[1].decode())
        if not head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 405 Only tunnels\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.port)) as goal:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=self._pump, args=(goal, client), daemon=True)
            back.start()
            self._pump(client, goal)
            back.join(5)

    def _pump(self, source: socket.socket, goal: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self.seen_by_proxy += data
                goal.sendall(data)
            goal.shutdown(socket.SHUT_WR)
        except OSError:
            return


def _head(peer: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            return b""
        head += byte
    return head


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peers]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    peers = Peers(tmp_path)
    yield peers
    peers.close()


def client_of(base_url: str, folder: Path) -> Nectar:
    clock = FrozenClock("2026-01-15T09:00:00Z")  # pauses between attempts take no time
    return connect("production", key=KEY, base_url=base_url, cache_dir=folder / "cache", clock=clock)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_proxy_carries_every_request_and_never_sees_the_key(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    peers.tls_proxy = scheme == "https"
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://localhost:{peers.proxy_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(peers.bundle))
    nectar = client_of(f"https://{API}", tmp_path)
    bill = nectar.bills().iloc[0]
    assert nectar.download(bill, tmp_path / "b1.pdf").read_bytes() == b"%PDF-1.4 a bill"
    assert set(peers.asked) == {f"{API}:443", f"{FILES}:443"}
    assert KEY.encode() not in peers.seen_by_proxy
    with_key = [head for head in peers.seen_by_api if KEY.encode() in head]
    assert with_key
    assert all(f"Host: {API}".encode() in head for head in with_key)  # the file host gets no key
    assert any(f"Host: {FILES}".encode() in head for head in peers.seen_by_api)


def test_an_authority_that_is_not_named_is_not_trusted(peers: Peers, tmp_path: Path) -> None:
    nectar = client_of(f"https://localhost:{peers.port}", tmp_path)
    with pytest.raises(NetworkError, match=r"certificate of localhost could not be verified.*REQUESTS_CA_BUNDLE"):
        nectar.companies()
    assert not peers.seen_by_api


def test_a_private_authority_is_trusted_on_this_machine_too(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(peers.bundle))
    monkeypatch.setenv("HTTPS_PROXY", f"http://localhost:{peers.proxy_port}")
    assert len(client_of(f"https://localhost:{peers.port}", tmp_path).companies()) == 1
    assert peers.asked == []


def test_a_bundle_that_is_not_there_is_said_at_once(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(ConfigurationError, match=r"gone\.pem, which REQUESTS_CA_BUNDLE"):
        client_of(f"https://localhost:{peers.port}", tmp_path).companies()


def test_no_proxy_is_followed(peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers.tls_proxy = False
    monkeypatch.setenv("HTTPS_PROXY", f"http://localhost:{peers.proxy_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(peers.bundle))
    monkeypatch.setenv("NO_PROXY", f"nowhere.test,{FILES}")
    nectar = client_of(f"https://{API}", tmp_path)
    bill = nectar.bills().iloc[0]
    monkeypatch.setattr(socket, "getaddrinfo", _to_this_machine)  # the resolver alone: who is connected to is seen
    with pytest.raises(NetworkError, match=FILES):
        nectar.download(bill, tmp_path)
    assert set(peers.asked) == {f"{API}:443"}


def _to_this_machine(host: str, port: int, *arguments: object, **options: object) -> list[tuple[object, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]


def test_a_proxy_gets_nothing_that_stays_on_this_machine(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{peers.proxy_port}")

    def handler(request: Request) -> Reply:
        return Reply([{"id": "c1", "name": "Mill"}])

    with serve(handler) as wire:
        assert len(client_of(wire.url, tmp_path).companies()) == 1
        assert wire.requests[0].headers["x-api-key"] == KEY
    assert peers.asked == []
    assert KEY.encode() not in peers.seen_by_proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "http://[::1",
        "no address",
        "http://u:p4ssw0rd@127.0.0.1:99999",
        "ftp://p4ssw0rd",
        "http://",
        "http://a:p4ssw0rd",
        "http://user:p4ssw0rd[1@127.0.0.1:3128",
        "http://user:p4ssw0rd]@127.0.0.1:3128",
    ],
)
def test_a_proxy_that_is_no_address_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match=r"the proxy that the environment names.*HTTPS_PROXY") as caught:
        client_of(f"https://{API}", tmp_path).companies()
    assert "p4ssw0rd" not in str(caught.value)


def test_the_password_of_a_proxy_is_in_no_error(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    peers.tls_proxy = False
    caplog.set_level("DEBUG")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p4ssw0rd@localhost:{peers.proxy_port}")  # its authority is unknown
    with pytest.raises(NetworkError) as caught:
        client_of(f"https://{API}", tmp_path).companies()
    assert peers.asked
    assert b"Proxy-Authorization: Basic" in peers.seen_by_proxy
    assert KEY.encode() not in peers.seen_by_proxy
    assert "p4ssw0rd" not in str(caught.value) + caplog.text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", r"wants a user and a password \(407\).*HTTPS_PROXY"),
        (b"HTTP/1.1 403 \x1b[2J\r\nContent-Type: text/html\r\n\r\n<html>", r"the proxy before \S+ refused \(403\)"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>", "no TLS could be agreed on"),
        (b"SSH-2.0-x\r\n", "no answer in HTTP"),
        (b"", "could not be reached, or closed the connection"),
    ],
    ids=["407", "403", "a web page", "no HTTP", "nothing"],
)
def test_what_a_proxy_answers_in_place_of_a_tunnel_is_said(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, said: str
) -> None:
    heads = []

    def converse(peer: socket.socket) -> None:
        heads.append(_head(peer))
        peer.sendall(answer)

    with closing(peers.listen(converse)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        with pytest.raises(NetworkError, match=said) as caught:
            client_of(f"https://{API}", tmp_path).companies()
    assert str(caught.value).isprintable()
    assert heads
    assert not any(KEY.encode() in head for head in heads)


def test_a_proxy_that_is_not_there_is_said(peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(NetworkError, match=r"the proxy before api\.nectar\.test could not be reached"):
        client_of(f"https://{API}", tmp_path).companies()


def test_a_bundle_without_certificates_is_not_called_a_wrong_certificate(
    peers: Peers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    with pytest.raises(NetworkError, match=r"no TLS could be agreed on.*REQUESTS_CA_BUNDLE"):
        client_of(f"https://localhost:{peers.port}", tmp_path).companies()

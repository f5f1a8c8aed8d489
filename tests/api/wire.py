"""A small threaded HTTP server for the tests: serves what it is told, and breaks the wire on demand.

A handler is called with the request and answers with an :class:`Reply`, or with a fault of the wire.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import responses
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def page(self) -> int:
        return int(self.query.get("page", ["1"])[0])


@dataclass
class Reply:
    body: object = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: "" | "reset" (before any answer) | "cut" (half the body) | "drip" (a byte every 50 ms) | "silence"
    fault: str = ""
    chunked: bool = False
    delay: float = 0.0


@dataclass
class Wire:
    url: str
    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def serve(handler: Callable[[Request], Reply]) -> Iterator[Wire]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
    stop = threading.Event()
    open_sockets: set[socket.socket] = set()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_sockets.add(connection)
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = connection.makefile("rb")
            while (request := _read(stream)) is not None:
                with wire.lock:
                    wire.requests.append(request)
                    wire.in_flight += 1
                    wire.most_in_flight = max(wire.most_in_flight, wire.in_flight)
                try:
                    reply = handler(request)
                    if reply.delay:
                        stop.wait(reply.delay)
                finally:
                    with wire.lock:
                        wire.in_flight -= 1
                if not _answer(connection, reply, stop):
                    break
        except OSError:
            pass  # the client hung up
        finally:
            connection.close()
            open_sockets.discard(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in list(open_sockets):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        thread.join(5)


def _read(stream) -> Request | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(method, parts.path, parse_qs(parts.query), headers, body)


def _answer(connection: socket.socket, reply: Reply, stop: threading.Event) -> bool:
    if reply.fault == "silence":
        stop.wait(30)
        return False
    if reply.fault == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    headers = {"Content-Type": "application/json", **reply.headers}
    if reply.chunked:
        headers["Transfer-Encoding"] = "chunked"
        sent = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    else:
        headers["Content-Length"] = str(len(body))
        sent = body
    head = f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Other')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    if reply.fault == "cut":
        connection.sendall(head.encode() + sent[: len(sent) // 2])
        connection.shutdown(socket.SHUT_RDWR)
        return False
    if reply.fault == "drip":
        connection.sendall(head.encode())
        for byte in sent:
            if stop.wait(0.05):
                return False
            connection.sendall(bytes([byte]))
        return True
    connection.sendall(head.encode() + sent)
    return True

"""The receiver on a port, served by Tornado: many connections at once, none held open by half a request.

Headers and body have deadlines of a few seconds, no matter how steadily bytes trickle in. Beyond the connection limit,
the connection whose last complete request is the oldest is closed, so that idle clients never keep out active ones.
Large bodies share a memory limit as well. The receiver judges deliveries: they are protected by their signature,
whatever host name a proxy in front was called by. TLS is left to that proxy.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream
from tornado.web import Application, RequestHandler, stream_request_body

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.loopback import THIS_MACHINE, foreign_page, is_loopback, refusal
from nectar_notebooks.webhooks.receiver import BODY_LIMIT, Receiver, refuse_unread

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["BODY_SECONDS", "CONNECTIONS", "HEADER_SECONDS", "bound", "listen"]

#: From when a request could begin to the end of its headers, and from there to the end of its body.
HEADER_SECONDS: Final = 10.0
BODY_SECONDS: Final = 20.0
#: The connection limit; lower if the system allows fewer open files.
CONNECTIONS: Final = 4096
_HEADERS_LIMIT: Final = 32_768
_THREADS: Final = 8
#: Open files other than connections: each thread's ledger, the program itself.
_FILES: Final = 96
_BACKLOG: Final = 1024
#: How much of a refused body is read and discarded, so that the client gets the answer.
_READ_AND_DROPPED: Final = 10 * BODY_LIMIT
#: Bodies up to this size are always accepted; larger ones share the limit below.
_SMALL: Final = 65_536
_LARGE_TOGETHER: Final = 64 * BODY_LIMIT


def listen(
    receiver: Receiver,
    where: socket.socket,
    *,
    until: Callable[[], bool],
    listening: Callable[[str], object],
    turn: Callable[[], object] = lambda: None,
) -> None:
    """Serve a receiver until `until` returns true; it is called twice a second.

    Parameters
    ----------
    receiver : Receiver
    where : socket
        From :func:`bound`; closed at the end.
    until : callable
        Returns whether to stop.
    listening : callable
        Called with the address once it accepts connections.
    turn : callable, optional
        Called each time before `until`.
    """
    host, port = where.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    logging.getLogger("tornado").setLevel(logging.ERROR)  # bad requests are counted, not logged

    async def serve() -> None:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="nectar-webhooks-answer") as pool:
            own = {
                "receiver": receiver,
                "pool": pool,
                "alone": is_loopback(host),
                "open_": (held := _Open()),
            }
            server = _Server(
                Application([(r".*", _Door, own)], log_function=lambda handler: None),
                held,
                idle_connection_timeout=HEADER_SECONDS,
                body_timeout=BODY_SECONDS,
                max_header_size=_HEADERS_LIMIT,
                max_body_size=_READ_AND_DROPPED,
                chunk_size=_HEADERS_LIMIT,
            )
            server.add_socket(where)
            listening(f"http://{host}:{port}")
            while not until():
                await asyncio.sleep(0.5)
                turn()
            server.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(server.close_all_connections(), timeout=5)

    asyncio.run(serve())


class _Open:
    """The open connections, the next to be closed first, and the total size of large bodies."""

    def __init__(self) -> None:
        self.most = _most_connections()
        self.large = 0
        self._streams: dict[IOStream, None] = {}

    def add(self, stream: IOStream) -> None:
        self._streams[stream] = None
        while len(self._streams) > self.most:
            oldest = next(iter(self._streams))
            del self._streams[oldest]
            oldest.close()

    def heard(self, stream: IOStream) -> None:
        """Move a connection to the end after a complete request."""
        if self._streams.pop(stream, 0) is None:
            self._streams[stream] = None

    def remove(self, stream: IOStream) -> None:
        self._streams.pop(stream, None)


class _Server(HTTPServer):
    """A server that tracks its open connections."""

    def initialize(self, application: Application, open_: _Open, **more: Any) -> None:  # type: ignore[override]
        super().initialize(application, **more)
        self.open = open_

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self.open.add(stream)
        super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self.open.remove(server_conn.stream)  # type: ignore[attr-defined]  # always of the type this server creates


@stream_request_body
class _Door(RequestHandler):
    """Passes a request to the receiver by WSGI; the body of a refused request is read and discarded."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    def initialize(self, receiver: Receiver, pool: Executor, alone: bool, open_: _Open) -> None:
        self.receiver, self.pool, self.alone, self.open = receiver, pool, alone, open_
        self.body = bytearray()
        self.length = self.large = 0
        self.dropping = False
        self.refused: int | None = None

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.clear_header("Content-Type")

    def write_error(self, status_code: int, **more: Any) -> None:
        self.finish()  # the status says it all

    async def prepare(self) -> None:
        environ = self._environ()
        if environ["REQUEST_METHOD"] != "POST":
            foreign = self.alone and refusal(environ) is not None
        else:  # a signed event may use any host name of a proxy in front, but never comes from a web page
            foreign = foreign_page(environ)
        self.refused = 403 if foreign else None
        self.dropping = foreign or refuse_unread(environ) is not None
        if len(environ["CONTENT_LENGTH"].lstrip("0")) > len(str(BODY_LIMIT)):  # too long to read and discard
            await self.post()

    async def data_received(self, chunk: bytes) -> None:
        self.length += len(chunk)
        if self.length > BODY_LIMIT:  # a chunked body, whose length was not announced
            self._drop()
        if self.dropping:
            return
        self.body += chunk
        self._hold(max(0, self.length - _SMALL))
        if self.open.large > _LARGE_TOGETHER:
            self.refused = 503  # the sender retries
            self._drop()

    async def post(self) -> None:
        if self.refused is None:
            await self._answer()
        else:
            self.set_status(self.refused)
            self.finish()

    get = head = delete = patch = put = options = post

    def on_finish(self) -> None:
        self._drop()

    def on_connection_close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        self.dropping = True
        self.body = bytearray()
        self._hold(0)

    def _hold(self, large: int) -> None:
        self.open.large += large - self.large
        self.large = large

    async def _answer(self) -> None:
        self.open.heard(self.request.connection.stream)  # type: ignore[union-attr]  # HTTP/1, the only kind here
        environ = self._environ()
        environ["wsgi.input"] = BytesIO(self.body)
        answers: list[tuple[str, list[tuple[str, str]]]] = []

        def start(line: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            answers.append((line, headers))
            return lambda chunk: None

        await asyncio.get_running_loop().run_in_executor(self.pool, self.receiver, environ, start)
        [(line, headers)] = answers
        code, _, reason = line.partition(" ")
        self.set_status(int(code), reason)
        for name, value in headers:
            self.set_header(name, value)
        self.finish()

    def _environ(self) -> WSGIEnvironment:
        headers = self.request.headers
        # A chunked body's length is known only at its end.
        length = str(self.length) if "Transfer-Encoding" in headers else headers.get("Content-Length", "")
        environ = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items() if "_" not in name}
        return environ | {
            "REQUEST_METHOD": self.request.method or "",
            "REQUEST_URI": self.request.uri or "",
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "CONTENT_LENGTH": length,
            "wsgi.url_scheme": "http",
        }


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens on that address; port 0 takes a free one.

    Raises
    ------
    ConfigurationError
        The address is in use, or not one of this machine.
    """
    name = THIS_MACHINE.get(host, host)
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    try:
        found = socket.create_server((name, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower().rstrip(".")
        raise ConfigurationError(
            f"Cannot listen on {host}, port {port}: {why}.",
            advice="Choose another --port, or 0 for a free one, and a --host of this machine.",
        ) from None
    found.setblocking(False)
    return found


def _most_connections() -> int:
    """Return how many connections may be open, after raising the limit of open files as far as possible."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(CONNECTIONS, soft - _FILES))

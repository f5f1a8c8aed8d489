"""A `requests` transport that calls a WSGI application in this process: no port, no socket.

The address of such an application can never resolve, so a request that misses the transport goes nowhere.
Faults of the wire do not exist here; they need a served application.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from nectar_notebooks.config import EMBEDDED_URL

__all__ = ["EMBEDDED_URL", "WSGIAdapter"]


class WSGIAdapter(BaseAdapter):
    """Sends requests to `app`, which may be called from several threads at once.

    Examples
    --------
    >>> def app(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [environ["PATH_INFO"].encode()]
    >>> http = requests.Session()
    >>> http.mount(EMBEDDED_URL, WSGIAdapter(app))
    >>> http.get(EMBEDDED_URL + "/v2.2/ping").text
    '/v2.2/ping'
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self.app = app

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Call the application; what it raises reaches the caller as it is."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: object = None,
            /,
        ) -> Callable[[bytes], object]:
            started[:] = [(status, headers)]
            return written.append

        body = _Body(self.app(_environ(request), cast("StartResponse", start_response)), written)
        body.fill()  # an application may start its answer with the first piece only
        [(status, headers)] = started
        answer = urllib3.HTTPResponse(
            body=io.BufferedReader(body),
            headers=urllib3.HTTPHeaderDict(headers),
            status=int(status.split(" ", 1)[0]),
            reason=status.partition(" ")[2],
            request_method=request.method,
            preload_content=False,
        )
        response = HTTPAdapter().build_response(request, answer)
        if not stream:
            _ = response.content
        return response

    def close(self) -> None:
        """Nothing is held open."""


class _Body(io.RawIOBase):
    """The application's pieces as a stream, asked for only as they are read."""

    def __init__(self, chunks: Iterable[bytes], written: list[bytes]) -> None:
        self._source = chunks
        self._chunks = iter(chunks)
        self._written = written
        self._rest = b""

    def fill(self) -> None:
        """Have a piece at hand, unless the answer is at its end."""
        while not self._rest:
            piece = self._written.pop(0) if self._written else next(self._chunks, None)
            if piece is None:
                return
            self._rest = piece

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # any writable buffer: 3.11 has no name for it
        self.fill()
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            finish = getattr(self._source, "close", None)  # optional by the WSGI standard
            if finish is not None:
                finish()
        super().close()


def _environ(request: requests.PreparedRequest) -> WSGIEnvironment:
    parts = urlsplit(cast("str", request.url))
    body = _request_body(request)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),  # as the WSGI standard wants it
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environ[f"HTTP_{key}"] = value
    environ.setdefault("HTTP_HOST", parts.netloc)
    return environ


def _request_body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body  # requests sends bytes, text, files and iterables of bytes
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    return cast("bytes", body.read()) if hasattr(body, "read") else b"".join(body)

"""Connections over the wire: a deadline that holds while bytes drip, proxies and authorities of the environment.

A socket's own timeout begins anew with every byte, so a deadline must be looked at whenever something is read or
written: these connections do, head and tunnel included. HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE are read as
`requests` reads them, for every request; an address of this machine is never asked by a proxy. What is sent, and what
an answer means, is left to `session` and `download`.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import io
import os
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from nectar_notebooks.api.outgoing import origin_of
from nectar_notebooks.clock import stopwatch
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.loopback import THIS_MACHINE

if TYPE_CHECKING:
    import socket

__all__ = ["PIECE", "UNPACKED", "Deadline", "Http", "WireAdapter", "pieces_of"]

#: So much is read, unpacked or sent at once.
PIECE: Final = 1 << 18
#: What a file must bring, in bytes a second, to have more time.
_LEAST_RATE: Final = 16_384
#: So many seconds are one attempt's alone.
_UNDIVIDED: Final = 2.0
#: How an answer may be packed, and how often: these are unpacked here.
UNPACKED: Final = ("", "identity", "gzip", "x-gzip", "deflate")
_MOST_PACKINGS: Final = 5
_LENGTH: Final = re.compile(r"[0-9]{1,18}(?:\s*,\s*[0-9]{1,18})*", re.ASCII)


class Deadline:
    """How long a request may take on the wire: its attempts together, without the pauses between them.

    Parameters
    ----------
    seconds : float
    growing : bool
        Whether what arrives buys time, as a file of unknown size must.
    """

    def __init__(self, seconds: float, *, growing: bool = False) -> None:
        self.growing = growing
        self._left = seconds
        self._until: float | None = None

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._left if self._until is None else self._until - stopwatch()

    def earn(self, count: int) -> None:
        """Have more time, for so many bytes."""
        if self._until is not None:
            self._until += count / _LEAST_RATE

    def cut(self, seconds: float) -> float:
        """Return the seconds that one step may take; raise ``TimeoutError`` where no time is left."""
        left = self.left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return min(seconds, left)

    @contextmanager
    def running(self, *, again: bool = False) -> Iterator[None]:
        """Count the time meanwhile, and hold the connections of this thread to it.

        Where the request may be sent again, an attempt has half of what is left: one that drips leaves time for more.
        """
        spared = self._left / 2 if again and self._left > _UNDIVIDED else 0.0
        self._until = stopwatch() + self._left - spared
        _thread.deadline = self
        try:
            yield
        finally:
            _thread.deadline = None
            self._left, self._until = spared + self._until - stopwatch(), None


class _Thread(threading.local):
    deadline: Deadline | None = None


_thread = _Thread()


def pieces_of(response: requests.Response) -> Iterator[bytes]:
    """Yield an answer's body unpacked, as it comes and never more than a piece at once.

    A body that does not come whole raises: one of another length than announced, or whose packing does not end.
    """
    headers = response.headers
    length = headers.get("Content-Length")
    if length is not None and "Transfer-Encoding" not in headers and not _LENGTH.fullmatch(length):
        raise requests.exceptions.InvalidHeader("an announced length that is no number")
    pieces = iter(lambda: response.raw.read1(PIECE, decode_content=False), b"")
    packings = [one.strip().lower() for one in headers.get("Content-Encoding", "").split(",")]
    for packing in reversed(packings[:_MOST_PACKINGS]):  # the last one was put on last
        if packing not in UNPACKED:
            break  # what was not asked for stays packed, and `answers` names it
        if packing not in ("", "identity"):
            pieces = _unpacked(pieces, gzip=packing != "deflate")
    return pieces


def _start_of(packed: Iterator[bytes]) -> bytes:
    """Return the first two bytes, or more: so much tells whether deflate has the head that it should have."""
    start = b""
    while len(start) < 2 and (piece := next(packed, b"")):
        start += piece
    return start


def _unpacked(packed: Iterator[bytes], *, gzip: bool) -> Iterator[bytes]:
    start = _start_of(packed)
    if not start:
        return
    headless = not gzip and (start[0] & 15 != 8 or int.from_bytes(start[:2], "big") % 31)
    unpacker = zlib.decompressobj(31 if gzip else -15 if headless else 15)
    ended = False
    for piece in chain([start], packed):
        data = piece
        while data:
            if ended:
                if not gzip or data[0] != 0x1F:
                    return  # what follows is no further part
                unpacker = zlib.decompressobj(31)
            try:
                out = unpacker.decompress(data, PIECE)
            except zlib.error as error:
                raise urllib3.exceptions.DecodeError from error
            if out:
                yield out
            ended = unpacker.eof
            data = unpacker.unused_data if ended else unpacker.unconsumed_tail
    if not ended:
        if rest := unpacker.flush():
            yield rest
        if not unpacker.eof:
            raise urllib3.exceptions.ProtocolError("the packing does not end")


class _TimedReader(io.RawIOBase):
    """What a socket reads, each time within what the deadline leaves."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline
        self._between: float | None = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # any writable buffer: 3.11 has no name for it
        self._sock.settimeout(self._deadline.cut(self._between or self._deadline.left()))
        count = cast("int | None", self._raw.readinto(buffer))
        if self._deadline.growing and count:
            self._deadline.earn(count)
        return count

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):
                self._sock.settimeout(self._between)  # the connection may carry another request
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        if _thread.deadline is not None:
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, _thread.deadline))

    def begin(self) -> None:
        """Read the head of the answer, after those of interim ones (103, such as a proxy's early hints)."""
        super().begin()
        while self.status < 200 and self.status != http.client.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first one
            super().begin()


class _Timed(HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        deadline = _thread.deadline
        if deadline is None or not isinstance(data, bytes):
            super().send(data)
            return
        for start in range(0, len(data), PIECE):
            if self.sock is not None:
                self.sock.settimeout(deadline.cut(_SEND_TIMEOUT))
            super().send(data[start : start + PIECE])


#: Seconds in which a peer must take one piece.
_SEND_TIMEOUT: Final = 60.0


class _TimedTls(HTTPSConnection, _Timed):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Timed


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTls


_POOLS: Final = {"http": _Pool, "https": _TlsPool}


class WireAdapter(HTTPAdapter):
    """The transport of `requests` on connections that look at the deadline."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        if type(manager) is urllib3.ProxyManager:  # a SOCKS proxy has connections of its own
            manager.pool_classes_by_scheme = _POOLS
        return manager


class Http(requests.Session):
    """A session of `requests` without cookies, that asks this machine without a proxy."""

    def __init__(self, user_agent: str) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, WireAdapter())
        self.headers["User-Agent"] = user_agent
        self.headers["Accept"] = "application/json"
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: Any) -> None:
        """Read no ``Location``, which may be anything: whoever follows one checks it first."""
        return

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return proxies and authorities for a request to `url`, as the environment names them."""
        settings: Any = {"proxies": {}, "stream": stream, "verify": verify, "cert": cert}
        if origin_of(url)[1] not in THIS_MACHINE:
            settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        elif verify in (True, None):
            settings["verify"] = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        for scheme, proxy in settings["proxies"].items():
            try:
                urlsplit(proxy or "")
            except ValueError:
                raise ConfigurationError(
                    f"The address of the proxy that the environment names for {scheme} cannot be read.",
                    advice="Check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY: in a user or a password [ is %5B, ] is %5D, "
                    "@ is %40 and / is %2F.",
                ) from None
        bundle = settings["verify"]
        if isinstance(bundle, str) and not os.path.exists(bundle):  # noqa: PTH110 - a file or a folder
            raise ConfigurationError(
                f"There are no certificates at {bundle}, which REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names.",
                advice="Correct the path, or remove the variable.",
            )
        return settings

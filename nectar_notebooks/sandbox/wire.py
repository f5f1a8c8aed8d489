"""A small TCP proxy before a served sandbox that makes the faults of the wire.

It passes each request on over a connection of its own and gives the answer back whole, unless the plan says otherwise:
no answer at all, a reset, a body that is cut off, a body that drips. It speaks just enough HTTP to count requests.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Literal
from urllib.parse import urlsplit

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox.faults import WIRE_FAULTS

__all__ = ["Wire"]

Kind = Literal["timeout", "reset", "cut", "drip"]

_LARGEST_HEAD: Final = 1 << 16
_PIECE: Final = 1 << 16


@dataclass(slots=True)
class _WireFault:
    kind: Kind
    route: str
    at: int
    times: int
    seen: int = field(default=0, repr=False)


class Wire:
    """A proxy with faults; a context manager.

    Parameters
    ----------
    url : str
        Address of the served sandbox, as :attr:`Served.url` says it.

    Attributes
    ----------
    url : str
        The address to ask instead.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._plan: list[_WireFault] = []
        self._lock = Lock()
        self._closing = Event()
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = Thread(target=self._accept, daemon=True, name="wire faults")
        self._acceptor.start()

    def add(self, kind: Kind, route: str = "", *, at: int = 1, times: int = 1) -> None:
        """Plan a fault for the `at`-th request (and the next, `times` in all) whose path contains `route`.

        Parameters
        ----------
        kind : str
            ``"timeout"``: nothing is ever answered; ``"reset"``: the connection is reset; ``"cut"``: the body ends in
            the middle; ``"drip"``: the body comes a byte at a time, ten a second.
        route : str
            Part of the path.
        at, times : int
            Which of the matching requests, from 1.

        Raises
        ------
        ConfigurationError
            A fault it does not make.
        """
        if kind not in WIRE_FAULTS:
            raise ConfigurationError(
                f"The wire makes no fault {kind!r}.", advice=f"It makes: {', '.join(WIRE_FAULTS)}."
            )
        with self._lock:
            self._plan.append(_WireFault(kind, route, at, times))

    def close(self) -> None:
        """Stop, and let go of whoever still waits."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            waiting = list(self._open)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closing.is_set():
                    connection.close()
                    return
                self._open.add(connection)
            thread = Thread(target=self._serve, args=(connection,), daemon=True, name="wire faults, one request")
            self._threads = [other for other in self._threads if other.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        """Answer one request, with the fault that the plan has for it, and close."""
        try:
            with contextlib.suppress(OSError):
                request = _read_request(connection)
                if request:
                    self._answer(connection, request)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        path = request.split(b" ", 2)[1].decode("latin-1")
        kind = self._fault(path)
        if kind == "timeout":
            while not self._closing.is_set() and connection.recv(_PIECE):
                pass
            return
        if kind == "reset":
            # Zero seconds of lingering: closing sends a reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        answer = self._ask(request)
        head, _, body = answer.partition(b"\r\n\r\n")
        if kind == "cut":
            connection.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
        elif kind == "drip":
            connection.sendall(head + b"\r\n\r\n")
            for place in range(len(body)):
                if self._closing.wait(0.1):
                    return
                connection.sendall(body[place : place + 1])
        else:
            connection.sendall(answer)

    def _fault(self, path: str) -> Kind | None:
        found: Kind | None = None
        with self._lock:
            for fault in self._plan:
                if fault.route in path:
                    fault.seen += 1
                    if found is None and fault.at <= fault.seen < fault.at + fault.times:
                        found = fault.kind
        return found

    def _ask(self, request: bytes) -> bytes:
        """Return the sandbox's whole answer."""
        with socket.create_connection(self._target) as upstream:
            upstream.sendall(request)
            pieces = []
            while piece := upstream.recv(_PIECE):
                pieces.append(piece)
        return b"".join(pieces)

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Wire({self.url!r})"


def _read_request(connection: socket.socket) -> bytes:
    """Return one request, rewritten to be the only one of its connection; nothing where none came."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_PIECE)
        if not piece or len(data) > _LARGEST_HEAD:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = connection.recv(_PIECE)
        if not piece:
            return b""
        body += piece
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body

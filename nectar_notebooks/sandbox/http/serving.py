"""The embedded sandbox over a real socket, by waitress, on this machine only.

What is served is the sandbox's own application: both ways of reaching it share one state. A request is told by which
serving it came and which key opens that; the application checks both, and for which host it was meant.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.loopback import THIS_MACHINE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["KEY", "ORIGIN", "Served", "random_key"]

#: Where a request finds the address at which it was asked.
ORIGIN: Final = "nectar.origin"
#: Where it finds the key of that serving.
KEY: Final = "nectar.served-key"
#: The API asks for at most ten requests at once; a few more so that a test can show a client that breaks it.
_THREADS: Final = 16


class Served:
    """A served embedded sandbox; a context manager that stops it.

    Attributes
    ----------
    url : str
        Base address without a version, such as ``http://127.0.0.1:8765``.
    port : int
        The port it listens on.
    key : str
        The key that opens it there: a random one, unless the fixed one was asked for.
    """

    def __init__(self, app: WSGIApplication, port: int, host: str, key: str) -> None:
        from waitress import create_server

        if host not in THIS_MACHINE:
            raise ConfigurationError(
                f"The embedded sandbox is not served on {host!r}.",
                advice="It holds bills without any protection worth the name: serve it on 127.0.0.1.",
            )
        listener = _listen(host, port)
        self.key = key
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{'[::1]' if host == '::1' else '127.0.0.1'}:{self.port}"
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            _at_home(app, self.url, key),
            sockets=[listener],
            map=self._channels,
            threads=_THREADS,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self._stopping = Event()
        self._waking = Lock()
        self._thread = Thread(target=self._run, name=f"embedded sandbox on {self.port}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return not self._stopping.is_set()

    def close(self) -> None:
        """Stop answering and free the port."""
        with self._waking:
            if self._stopping.is_set():
                return
            self._stopping.set()
            self._server.pull_trigger()
        self._thread.join()

    def wait(self) -> None:
        """Return when it is stopped, by :meth:`close` or the keyboard."""
        try:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
        except KeyboardInterrupt:
            pass
        finally:
            self.close()

    def _run(self) -> None:
        from waitress import wasyncore

        while not self._stopping.is_set():
            wasyncore.loop(timeout=1.0, map=self._channels, count=1)
        with self._waking:  # the loop may see the end before it is woken: its sockets stay open until then
            pass
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        wasyncore.close_all(self._channels, ignore_all=True)

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Served({self.url!r})"


def random_key() -> str:
    """Return a key that nobody can know who is not told."""
    return f"nectar_local_{secrets.token_hex(20)}"


def _at_home(app: WSGIApplication, url: str, key: str) -> WSGIApplication:
    """Return `app` with each request told at which address it is served, and by which key."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[ORIGIN], environ[KEY] = url, key
        return app(environ, start_response)

    return answer


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket, or say in one sentence that the port is taken."""
    if not (isinstance(port, int) and 0 <= port <= 65535):
        raise ConfigurationError(
            f"{port!r:.40} is no port.", advice="Choose one from 1024 to 65535, or 0 for a free one."
        )
    address = THIS_MACHINE[host]
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The embedded sandbox cannot listen on port {port}: {(error.strerror or str(error)).lower()}.",
            advice="Stop what runs there, or choose another port.",
        ) from error
    return listener

"""The receiver: a WSGI application that verifies, records, acknowledges, and handles in the background.

Cheap checks come first (method, content type, size), then the signature over the raw bytes, then the JSON. Rejected
requests are not stored, and the answer is only a status. Handlers run on separate threads, so that the answer takes
milliseconds however long they take.
"""

from __future__ import annotations

import contextlib
import os
import secrets as tokens
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nectar_notebooks.clock import Clock, SystemClock
from nectar_notebooks.errors import ContractError, SignatureError
from nectar_notebooks.webhooks.events import Event, parse
from nectar_notebooks.webhooks.ledger import Claim, Ledger
from nectar_notebooks.webhooks.signature import Secrets, verify

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["BODY_LIMIT", "RETRY_DELAYS", "Receiver", "refuse_unread"]

BODY_LIMIT = 1_048_576
#: Seconds before each retry of a failed handler; after the last one the event is a dead letter.
RETRY_DELAYS = (5.0, 30.0, 300.0, 1800.0, 7200.0)

_LEASE = 60.0
_BATCH = 16
_LONGEST_WAIT = 1.0

_STATUS = {
    204: "204 No Content",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    405: "405 Method Not Allowed",
    409: "409 Conflict",
    411: "411 Length Required",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    503: "503 Service Unavailable",
}


class Receiver:
    """Receive Nectar's webhooks: verified, recorded, handled once.

    A WSGI application: mount it under any path, or serve it with ``nectar webhooks listen``. It answers 204 once a
    delivery is in the ledger. `on_event` runs on background threads; if it raises, it is called again after 5 s, 30 s,
    5 min, 30 min and 2 h, then the event stays in the ledger as a dead letter. If a process is killed during
    `on_event`, the next one calls it again, so make handlers idempotent: key their effects by ``event.id``.

    Parameters
    ----------
    secrets : str or iterable of str
        The endpoint's signing secrets (``whsec_...``); two during a rotation.
    ledger : str or Path or Ledger
        The SQLite file of accepted deliveries.
    on_event : callable
        Called with an `Event`.
    workers : int
        How many handlers may run at once.
    clock : Clock, optional
        Default: the system's clock.
    lease : float
        Seconds after which the events of a killed process are handled again.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> receiver = Receiver("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", f"{folder.name}/ledger.db", print)
    >>> receiver.metrics()["accepted"]
    0
    >>> receiver.close(); folder.cleanup()
    """

    def __init__(
        self,
        secrets: str | Iterable[str],
        ledger: str | Path | Ledger,
        on_event: Callable[[Event], object],
        *,
        workers: int = 2,
        clock: Clock | None = None,
        lease: float = _LEASE,
    ) -> None:
        self.clock = clock or SystemClock()
        self._secrets = Secrets(secrets)  # fail before creating a file
        self.ledger = ledger if isinstance(ledger, Ledger) else Ledger(ledger, clock=self.clock)
        self._on_event = on_event
        self._workers = workers
        self._lease = lease
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._owner = ""
        self._threads: list[threading.Thread] = []
        self._started_in: int | None = None

    # -- receiving

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer one WSGI request."""
        status, reason = self._receive(environ)
        with self._lock:
            self._seen[reason] += 1
        headers = [("Content-Length", "0"), ("Cache-Control", "no-store")]
        if status == 405:
            headers.append(("Allow", "POST"))
        start_response(_STATUS[status], headers)
        return []

    def _receive(self, environ: WSGIEnvironment) -> tuple[int, str]:
        refusal = refuse_unread(environ)
        if refusal is not None:
            return refusal
        length = int(environ["CONTENT_LENGTH"].lstrip("0") or "0")
        try:
            body: bytes = environ["wsgi.input"].read(length)
        except OSError:  # the sender disconnected
            return 400, "cut off"
        if len(body) != length:
            return 400, "cut off"
        headers = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith(("HTTP_SVIX_", "HTTP_WEBHOOK_"))
        }
        try:
            delivery = verify(headers, body, self._secrets, clock=self.clock)
            event = parse(delivery)
            outcome = self.ledger.record(event, body)
        except SignatureError:
            return 401, "not verified"
        except ContractError:
            return 400, "not an event"
        except sqlite3.Error:
            # The sender retries: better late than lost.
            return 503, "ledger unavailable"
        if outcome == "conflict":
            return 409, "id with another body"
        self.start()
        if outcome == "new":
            with self._wake:
                self._wake.notify()
            return 204, "accepted"
        return 204, "duplicate"

    # -- handling

    def start(self) -> None:
        """Start the handlers unless they already run in this process; events of an earlier run come first."""
        if self._started_in == os.getpid():
            return
        with self._lock:
            # After a fork, each worker process needs its own threads.
            if self._started_in == os.getpid():
                return
            self._stopping.clear()
            self._owner = f"{os.getpid()}-{tokens.token_hex(8)}"
            duties = [self._keep_leases, *[self._work] * self._workers]
            self._threads = [
                threading.Thread(target=duty, name=f"nectar-webhooks-{number}", daemon=True)
                for number, duty in enumerate(duties)
            ]
            self._started_in = os.getpid()
        for thread in self._threads:
            thread.start()

    def close(self, timeout: float = 10) -> None:
        """Let running handlers finish, give up claims that were not started, and close the ledger."""
        self._stopping.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout)
        if self._started_in == os.getpid():
            self.ledger.release(self._owner)
        self._started_in = None
        self.ledger.close()

    def drain(self, timeout: float = 10) -> bool:
        """Wait until every event was handled once; False if `timeout` seconds were not enough."""
        self.start()
        done = threading.Event()
        for _ in range(max(1, round(timeout / 0.01))):
            counts = self.ledger.counts()
            if not counts["received"] and not counts["handling"]:
                return True
            done.wait(0.01)
        return False

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                claims = self.ledger.claim(self._owner, lease=self._lease, most=_BATCH)
                for claim in claims:
                    if self._stopping.is_set():
                        return
                    self._handle(claim)
            except sqlite3.Error:
                # Busy or full: try again later, the events are safe in the ledger.
                claims = []
            if not claims:
                with self._wake:
                    self._wake.wait(_LONGEST_WAIT)

    def _keep_leases(self) -> None:
        # A handler may take longer than a lease: renew claims as long as this process lives.
        while not self._stopping.wait(self._lease / 3):
            with contextlib.suppress(sqlite3.Error):
                self.ledger.renew(self._owner, lease=self._lease)

    def _handle(self, claim: Claim) -> None:
        try:
            self._on_event(claim.event)
        except Exception as error:  # user code: whatever it raises is a failed attempt
            tries_left = claim.attempt <= len(RETRY_DELAYS)
            retry_in = RETRY_DELAYS[claim.attempt - 1] if tries_left else None
            try:
                said = str(error)
            except Exception:  # a user-defined error whose __str__ fails
                said = "(no message)"
            self.ledger.fail(self._owner, claim.event.id, f"{type(error).__name__}: {said}", retry_in=retry_in)
        else:
            self.ledger.finish(self._owner, claim.event.id)

    # -- seeing

    def metrics(self) -> dict[str, Any]:
        """Return counts of what was received and handled.

        Returns
        -------
        dict
            ``accepted``, ``duplicates``, ``rejected`` (counts by reason), the ledger's entries by state, and ``lag``:
            the age in seconds of the oldest open event.
        """
        with self._lock:
            seen = dict(self._seen)
        accepted, duplicates = seen.pop("accepted", 0), seen.pop("duplicate", 0)
        return {
            "accepted": accepted,
            "duplicates": duplicates,
            "rejected": seen,
            **self.ledger.counts(),
            "lag": round(self.ledger.lag(), 3),
        }

    def metrics_line(self) -> str:
        """Return the metrics as one line for a log."""
        found = self.metrics()
        rejected = ", ".join(f"{reason} {count}" for reason, count in sorted(found["rejected"].items())) or "none"
        return (
            f"accepted {found['accepted']}, duplicates {found['duplicates']}, rejected: {rejected}, "
            f"done {found['done']}, dead {found['dead']}, lag {found['lag']:.3f} s"
        )

    def __repr__(self) -> str:
        return f"Receiver(ledger={self.ledger.path.name!r}, {self._secrets!r})"


def refuse_unread(environ: WSGIEnvironment) -> tuple[int, str] | None:
    """Return the status and reason to refuse a request before reading its body, or None."""
    if environ["REQUEST_METHOD"] != "POST":
        return 405, "method"
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "content type"
    length = environ.get("CONTENT_LENGTH", "")
    if not length:
        return 411, "length"
    if not (length.isascii() and length.isdigit()):
        return 400, "length"
    digits = length.lstrip("0") or "0"
    if len(digits) > len(str(BODY_LIMIT)) or int(digits) > BODY_LIMIT:
        return 413, "too large"
    return None

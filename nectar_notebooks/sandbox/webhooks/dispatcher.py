"""The embedded sandbox's webhooks: endpoints, messages, their attempts on the sandbox's clock.

Every event that a state change tells becomes one message for each endpoint that wants it. A WSGI application is called
in the caller's thread, once the change is stored; an address on this machine is posted to from one thread of its own.
What failed is tried again when the clock has moved far enough. What is on its way stands in `queue`, how an attempt is
signed and made in `delivery`, the page that shows them in `portal`. All of it lives in memory; of
attempts and of messages that wait no longer the newest are kept, as in the journal.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Condition, RLock, Thread
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks.errors import ConfigurationError, NotFoundError
from nectar_notebooks.sandbox.journal import KEPT
from nectar_notebooks.sandbox.model import dumps, moment
from nectar_notebooks.sandbox.webhooks.delivery import attempt, checked_target, new_secret, signer
from nectar_notebooks.sandbox.webhooks.queue import Attempt, Endpoint, Message, Queue

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from nectar_notebooks.clock import Clock
    from nectar_notebooks.sandbox.context import Context

__all__ = ["DELAYS", "EVENT_TYPES", "Dispatcher"]

EVENT_TYPES: Final = (
    "connection.created.v2", "connection.updated.v2", "connection.validated.v2",
    "document.created.v2", "document.updated.v2", "document.deleted.v2",
)  # fmt: skip
#: Seconds after an attempt that failed until the next: eight attempts in all, as Svix publishes.
DELAYS: Final = (5, 300, 1800, 7200, 18000, 36000, 36000)
#: How long an endpoint may fail without one success before nothing is sent to it any more.
_DISABLED_AFTER: Final = timedelta(days=5)
#: How long the old secret signs beside the new one.
_ROTATION: Final = timedelta(hours=24)


class Dispatcher:
    """``Sandbox.webhooks``: register endpoints, see what was sent to them, send it again."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept = KEPT
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._busy = False
        self._thread: Thread | None = None
        self._closed = False
        self._attempts: deque[Attempt] = deque(maxlen=KEPT)
        self.reset()

    def register(
        self,
        target: str | WSGIApplication,
        event_types: Collection[str] = (),
        *,
        secret: str | None = None,
        clock: Clock | None = None,
    ) -> Endpoint:
        """Send events to `target` from now on.

        Parameters
        ----------
        target : str or WSGI application
            An ``http`` address on this machine, or an application, which is then called without any port.
        event_types : collection of str
            Which events it wants; all without any.
        secret : str, optional
            The signing secret (``whsec_...``); one is made without it.
        clock : Clock, optional
            Whose time is signed: without it the sandbox's for an application, the system's for an address, since
            another process knows no other.

        Raises
        ------
        ConfigurationError
            An address that is not on this machine, an unknown event type, or a secret that is none.
        """
        target = checked_target(target)
        unknown = sorted(set(event_types) - set(EVENT_TYPES))
        if unknown:
            raise ConfigurationError(
                f"There is no event type {unknown[0]!r}.", advice=f"Choose from {', '.join(EVENT_TYPES)}."
            )
        with self._lock:
            id_ = f"ep_{self._token('endpoint')}"
            secret = new_secret(f"{self._context.seed}{self._context.keys.salt} {id_}") if secret is None else secret
            signer(secret)
            if clock is None:
                from nectar_notebooks.clock import SystemClock

                clock = SystemClock() if isinstance(target, str) else self._context.clock
            endpoint = Endpoint(id_, target, frozenset(event_types), [(secret, None)], clock)
            self._endpoints[id_] = endpoint
            return endpoint

    def rotate(self, endpoint: Endpoint | str) -> str:
        """Give an endpoint a new secret and return it; the old one signs beside it for 24 hours."""
        with self._lock:
            found = self.endpoint(endpoint)
            now = self._context.clock.now()
            secret = new_secret(f"{self._context.seed}{self._context.keys.salt} {self._token('secret')}")
            kept = [(old, until or now + _ROTATION) for old, until in found.secrets]
            found.secrets = [(secret, None), *kept]
            return secret

    def enable(self, endpoint: Endpoint | str) -> None:
        """Send to an endpoint again that was disabled; what it missed stays missed, unless resent."""
        with self._lock:
            found = self.endpoint(endpoint)
            found.enabled, found.failing_since = True, None

    def remove(self, endpoint: Endpoint | str) -> None:
        """Send nothing more to an endpoint."""
        with self._lock:
            found = self._endpoints.pop(self.endpoint(endpoint).id)
            for message in list(self._messages.values()):
                if message.endpoint is found and message.state == "waiting":
                    self._end(message, "removed")

    def endpoint(self, endpoint: Endpoint | str) -> Endpoint:
        """Return a registered endpoint by its id."""
        id_ = endpoint if isinstance(endpoint, str) else endpoint.id
        with self._lock:
            if id_ not in self._endpoints:
                raise NotFoundError(f"The embedded sandbox has no webhook endpoint {id_!r}.")
            return self._endpoints[id_]

    def resend(self, message_id: str) -> None:
        """Send a message again, under its old id, with all its attempts before it.

        Raises
        ------
        NotFoundError
            There is no such message, or no longer.
        """
        with self._lock:
            message = self._messages.get(message_id)
            if message is None:
                raise NotFoundError(f"The embedded sandbox has no message {message_id!r}.")
            message.tries, message.state = 0, "waiting"
            self._queue(message, self._context.clock.now())
        self.send_due()

    @property
    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint, in the order of registration."""
        with self._lock:
            return list(self._endpoints.values())

    @property
    def messages(self) -> list[Message]:
        """Return every message that is kept, oldest first."""
        with self._lock:
            return list(self._messages.values())

    @property
    def attempts(self) -> list[Attempt]:
        """Return the journal of attempts, the newest of them, oldest first; rows for a frame."""
        with self._lock:
            return [row.copy() for row in self._attempts]

    def keep(self, newest: int) -> None:
        """Keep so many of the newest attempts, and of the messages that wait no longer, from now on."""
        with self._lock:
            self._kept = newest
            self._attempts = deque(self._attempts, maxlen=newest)

    # -- what the sandbox calls

    def tell(self, events: Collection[tuple[str, dict[str, Any]]]) -> None:
        """Make messages of events that are stored now, each at its moment, and send what is due."""
        for at, body in events:
            happened = datetime.fromisoformat(at)
            self._call_applications(happened)  # an endpoint that fails too long is disabled before later events
            with self._lock:
                kind, text = body["eventType"], b""
                for endpoint in self._endpoints.values():
                    if endpoint.enabled and (not endpoint.event_types or kind in endpoint.event_types):
                        text = text or dumps(body)
                        id_ = f"msg_{self._token('message')}"
                        message = self._messages[id_] = Message(id_, endpoint, kind, text, None)
                        self._queue(message, happened)
        self.send_due()

    def send_due(self) -> None:
        """Attempt what is due by the sandbox's clock: to applications now, to addresses soon (see :meth:`flush`)."""
        self._call_applications(self._context.clock.now())
        with self._lock:
            if self._thread is None and self._due(served=True) and not self._closed:
                self._thread = Thread(target=self._run, name="embedded sandbox webhooks", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, timeout: float = 10) -> bool:
        """Wait until everything that is due was attempted; false when `timeout` seconds were not enough."""
        with self._lock:
            return self._changed.wait_for(lambda: not self._busy and not self._due(served=True), timeout)

    def reset(self) -> None:
        """Forget endpoints, messages and attempts."""
        with self._lock:
            self._endpoints: dict[str, Endpoint] = {}
            self._messages: dict[str, Message] = {}
            self._ended: OrderedDict[str, None] = OrderedDict()
            self._attempts = deque(maxlen=self._kept)
            self._queues = {True: Queue(), False: Queue()}
            self._made = 0

    def close(self) -> None:
        """Stop sending."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(20)

    # -- attempts

    def _run(self) -> None:
        while True:
            with self._lock:
                self._changed.wait_for(lambda: self._closed or self._due(served=True))
                if self._closed:
                    return
                due = self._queues[True].take(self._context.clock.now())
                self._busy = due is not None
            if due is not None:
                self._attempt(*due)
            with self._lock:
                self._busy = False
                self._changed.notify_all()

    def _queue(self, message: Message, due: datetime) -> None:
        self._ended.pop(message.id, None)
        self._queues[isinstance(message.endpoint.target, str)].put(message, due)

    def _due(self, *, served: bool) -> bool:
        return self._queues[served].due(self._context.clock.now())

    def _call_applications(self, until: datetime) -> None:
        """Attempt what is due to applications by a moment."""
        while True:
            with self._lock:
                due = self._queues[False].take(until)
            if due is None:
                return
            self._attempt(*due)

    def _attempt(self, message: Message, at: datetime) -> None:
        endpoint = message.endpoint
        with self._lock:
            secrets = [secret for secret, until in endpoint.secrets if until is None or until > at]
            allowed = endpoint.enabled
        status = 0
        if allowed:
            with suppress(ConfigurationError):  # an address that is no longer on this machine is not sent to
                status = attempt(endpoint.target, message.id, endpoint.clock.now(), message.body, secrets)
        with self._lock:
            if message.id not in self._messages:
                return  # the sandbox was reset meanwhile
            if not allowed:
                self._end(message, "endpoint disabled")
                return
            message.tries += 1
            self._settle(message, at, delivered=200 <= status < 300)
            self._attempts.append(
                Attempt(
                    time=moment(at), message_id=message.id, endpoint_id=endpoint.id, event_type=message.event_type,
                    attempt=message.tries, status=status, outcome=message.state,
                )
            )  # fmt: skip

    def _settle(self, message: Message, at: datetime, *, delivered: bool) -> None:
        endpoint = message.endpoint
        if delivered:
            endpoint.failing_since = None
            self._end(message, "delivered")
            return
        endpoint.failing_since = endpoint.failing_since or at
        if at - endpoint.failing_since >= _DISABLED_AFTER:
            endpoint.enabled = False
        if message.tries > len(DELAYS):
            self._end(message, "failed")
        else:
            message.state = "waiting"
            self._queue(message, at + timedelta(seconds=DELAYS[message.tries - 1]))

    def _end(self, message: Message, state: str) -> None:
        """Say how a message ended; of those that ended, the one that did so first makes room."""
        message.state, message.due = state, None
        self._ended[message.id] = None
        if len(self._ended) > self._kept:
            del self._messages[self._ended.popitem(last=False)[0]]

    def _token(self, kind: str) -> str:
        self._made += 1
        text = f"nectar embedded sandbox {self._context.seed} {kind} {self._made}"
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def __repr__(self) -> str:
        return f"Dispatcher({len(self._endpoints)} endpoints, {len(self._messages)} messages)"

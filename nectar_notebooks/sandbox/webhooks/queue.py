"""What is on its way from an embedded sandbox's webhooks: endpoints, messages, attempts, and a queue of messages.

When a message is tried, and what comes of it, is decided in `dispatcher`, which also keeps threads apart.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from nectar_notebooks.clock import Clock

__all__ = ["Attempt", "Endpoint", "Message", "Queue"]


@dataclass(eq=False, slots=True)
class Endpoint:
    """Where deliveries go, which, and how they are signed; its secrets do not print."""

    id: str
    target: str | WSGIApplication = field(repr=False)
    event_types: frozenset[str]
    secrets: list[tuple[str, datetime | None]] = field(repr=False)
    clock: Clock = field(repr=False)
    enabled: bool = True
    failing_since: datetime | None = None

    @property
    def secret(self) -> str:
        """Return the newest signing secret."""
        return self.secrets[0][0]

    @property
    def where(self) -> str:
        """Return the address, or the words for an application in this process."""
        return self.target if isinstance(self.target, str) else "in process"


@dataclass(eq=False, slots=True)
class Message:
    """One event on its way to one endpoint."""

    id: str
    endpoint: Endpoint
    event_type: str
    body: bytes = field(repr=False)
    due: datetime | None
    tries: int = 0
    state: str = "waiting"


class Attempt(TypedDict):
    """One attempt: sandbox time, message, endpoint, type, number, status answered (0: none), outcome."""

    time: str
    message_id: str
    endpoint_id: str
    event_type: str
    attempt: int
    status: int
    outcome: str


class Queue:
    """Messages by the moment at which they are due; not safe between threads."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, int, Message]] = []
        self._put = 0

    def put(self, message: Message, due: datetime) -> None:
        """Let a message be due at a moment, and at no other that was said before."""
        message.due = due
        self._put += 1
        heapq.heappush(self._waiting, (due, self._put, message))

    def due(self, now: datetime) -> bool:
        """Say whether a message is due."""
        waiting = self._waiting
        while waiting and waiting[0][2].due != waiting[0][0]:  # removed, or queued anew
            heapq.heappop(waiting)
        return bool(waiting) and waiting[0][0] <= now

    def take(self, now: datetime) -> tuple[Message, datetime] | None:
        """Return the message that is due first with its moment, or None, and let it be due no more."""
        if not self.due(now):
            return None
        at, _, message = heapq.heappop(self._waiting)
        message.due = None
        return message, at

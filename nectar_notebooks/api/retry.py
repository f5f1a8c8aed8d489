"""When to ask again and after how long: the decision, apart from the doing.

A policy looks at one failed attempt and answers with a :class:`Decision`; the session waits and sends.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Decision", "RetryPolicy"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after a failed attempt: wait so many seconds and try again, or give up (`wait` is None)."""

    wait: float | None
    everyone: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with jitter; Retry-After is honoured up to `longest_wait` seconds."""

    attempts: int = 5
    first_wait: float = 0.5
    longest_backoff: float = 20.0
    longest_wait: float = 60.0

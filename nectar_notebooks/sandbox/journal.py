"""The journal of an embedded sandbox: what was asked, what was answered, how many requests ran at once.

It notes no header and so no key. It lives in memory, starts empty with each sandbox, and keeps the newest entries; what
was dropped is counted still.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from threading import Lock
from typing import Final, TypedDict

__all__ = ["KEPT", "Entry", "Journal"]

#: How many entries are kept: more than any test looks at, about 10 MB.
KEPT: Final = 20_000


class Entry(TypedDict):
    """One request: number, sandbox time, method, path, query, route, status, how many ran at that moment."""

    number: int
    time: str
    method: str
    path: str
    query: str
    route: str | None
    status: int
    concurrency: int


class Journal:
    """Requests in the order in which they were answered; a sequence of dicts, ready for a frame.

    The newest are kept, see :meth:`keep`; :meth:`count` counts the others too.

    Examples
    --------
    >>> journal = Journal()
    >>> len(journal), journal.highest_concurrency
    (0, 0)
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._counts: Counter[tuple[str | None, int]] = Counter()
        self._running = 0
        self._number = 0
        self._highest = 0

    def enter(self) -> int:
        """Count a request in and return how many run now."""
        with self._lock:
            self._running += 1
            self._highest = max(self._highest, self._running)
            return self._running

    def leave(self) -> None:
        """Count a request out."""
        with self._lock:
            self._running -= 1

    def note(
        self,
        *,
        time: str,
        method: str,
        path: str,
        query: str,
        route: str | None,
        status: int,
        concurrency: int,
    ) -> None:
        """Keep one answered request."""
        with self._lock:
            self._number += 1
            self._counts[route, status] += 1
            self._entries.append(
                Entry(
                    number=self._number, time=time, method=method, path=path, query=query, route=route,
                    status=status, concurrency=concurrency,
                )
            )  # fmt: skip

    def keep(self, newest: int) -> None:
        """Keep so many of the newest entries from now on."""
        with self._lock:
            self._entries = deque(self._entries, maxlen=newest)

    def rows(self) -> list[Entry]:
        """Return a copy of every entry that is kept, oldest first."""
        with self._lock:
            return [entry.copy() for entry in self._entries]

    def clear(self) -> None:
        """Forget every entry and the highest concurrency."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()
            self._number = 0
            self._highest = self._running

    @property
    def highest_concurrency(self) -> int:
        """Return how many requests ran at once at most."""
        return self._highest

    @property
    def dropped(self) -> int:
        """Return how many entries are no longer kept: the oldest."""
        with self._lock:
            return self._number - len(self._entries)

    def count(self, route: str | None = None, status: int | None = None) -> int:
        """Return how many requests were answered, of a route or status if given, dropped ones too."""
        with self._lock:
            return sum(
                number
                for (its_route, its_status), number in self._counts.items()
                if (route is None or its_route == route) and (status is None or its_status == status)
            )

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.rows())

    def __getitem__(self, index: int) -> Entry:
        return self.rows()[index]

    def __repr__(self) -> str:
        dropped = f", the oldest {self.dropped} dropped" if self.dropped else ""
        return f"Journal({self.count()} requests, at most {self._highest} at once{dropped})"

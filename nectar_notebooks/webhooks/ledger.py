"""Every accepted delivery, written down before it is answered: one SQLite file in WAL mode.

The ledger decides what happens once. A delivery's id is its key, so that a second delivery of the same event
adds nothing; a handler's turn is a claim with a lease, so that a killed process loses nothing and two
processes do not handle the same event side by side. The ledger does not verify and does not handle.

States: ``received`` waits for its turn, ``handling`` is claimed until its lease ends, ``failed`` waits for
another try, ``done`` is finished, ``dead`` was given up and waits for a person (`replay`).
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from nectar_notebooks.clock import Clock, SystemClock
from nectar_notebooks.errors import ConfigurationError, ContractError, NotFoundError
from nectar_notebooks.webhooks.events import Event, parse
from nectar_notebooks.webhooks.signature import Delivery

__all__ = ["STATES", "Claim", "Entry", "Ledger", "Outcome"]

STATES = ("received", "handling", "failed", "done", "dead")
Outcome = Literal["new", "duplicate", "conflict"]

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    signed REAL NOT NULL,
    received REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'received',
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    handled REAL,
    claimed_by TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS open_events ON events (due, number) WHERE state IN ('received', 'handling',
'failed');
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as `list` and `show` give it."""

    id: str
    type: str
    state: str
    attempts: int
    received: datetime
    handled: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """An event whose turn it is, and how often it was tried before."""

    event: Event
    attempt: int


class Ledger:
    """The deliveries that were accepted, and what became of them.

    Parameters
    ----------
    path : str or Path
        The SQLite file; made, readable by its owner only, where there is none.
    clock : Clock, optional
        Where now comes from; the system's clock unless given.

    Raises
    ------
    ConfigurationError
        The file is no ledger, or was written by a newer release.
    """

    def __init__(self, path: str | Path, *, clock: Clock | None = None) -> None:
        self.path = Path(path)
        self.clock = clock or SystemClock()
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _SCHEMA_VERSION):
                raise ConfigurationError(
                    f"The webhook ledger {self.path.name} was written by a newer release.",
                    advice="Upgrade nectar_notebooks, or name another file.",
                )
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigurationError(
                f"The webhook ledger {self.path.name} cannot be opened: {error}.",
                advice="Name a file that can be written and is a ledger, or move this one away.",
            ) from error

    @property
    def _connection(self) -> sqlite3.Connection:
        # One connection a thread: SQLite then arranges who waits for whom.
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; only a power cut could, and a delta refresh finds what it took.
            connection.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close every connection; the ledger can be used again afterwards."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _now(self) -> float:
        return self.clock.now().timestamp()

    def record(self, event: Event, body: bytes) -> Outcome:
        """Write a verified delivery down, once.

        Returns
        -------
        str
            ``new``, ``duplicate`` (the same event again), or ``conflict`` (its id with another body).
        """
        digest = hashlib.sha256(body).digest()
        now = self._now()
        added = self._connection.execute(
            "INSERT OR IGNORE INTO events (id, type, digest, body, signed, received, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (event.id, _storable(event.type), digest, body, event.timestamp.timestamp(), now, now),
        ).rowcount
        if added:
            return "new"
        (known,) = self._connection.execute("SELECT digest FROM events WHERE id = ?", (event.id,)).fetchone()
        return "duplicate" if known == digest else "conflict"

    def claim(self, owner: str, *, lease: float, most: int = 1) -> list[Claim]:
        """Return up to `most` events whose turn it is, claimed for `owner` until `lease` seconds from now.

        One that cannot be read (any more) becomes a dead letter, and keeps none of the others waiting.
        """
        now = self._now()
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT number, id, body, signed, attempts FROM events"
                " WHERE state IN ('received', 'handling', 'failed') AND due <= ?"
                " ORDER BY due, number LIMIT ?",
                (now, most),
            ).fetchall()
            connection.executemany(
                "UPDATE events SET state = 'handling', claimed_by = ?, due = ?, attempts = attempts + 1"
                " WHERE number = ?",
                [(owner, now + lease, row[0]) for row in rows],
            )
        claims = []
        for _, id_, body, signed, attempts in rows:
            try:
                event = parse(Delivery(id_, datetime.fromtimestamp(signed, UTC), body))
            except ContractError as error:
                self.fail(owner, id_, str(error), retry_in=None)
            else:
                claims.append(Claim(event, attempts + 1))
        return claims

    def renew(self, owner: str, *, lease: float) -> None:
        """Lengthen the leases of what `owner` handles."""
        self._connection.execute(
            "UPDATE events SET due = ? WHERE state = 'handling' AND claimed_by = ?",
            (self._now() + lease, owner),
        )

    def release(self, owner: str) -> None:
        """Give back what `owner` claimed and did not finish."""
        self._connection.execute(
            "UPDATE events SET state = 'received', claimed_by = NULL, due = ?, attempts = attempts - 1"
            " WHERE state = 'handling' AND claimed_by = ?",
            (self._now(), owner),
        )

    def finish(self, owner: str, event_id: str) -> bool:
        """Mark an event as handled; false when the claim had been lost to another owner."""
        return self._close_claim(owner, event_id, "done", self._now(), None)

    def fail(self, owner: str, event_id: str, error: str, *, retry_in: float | None) -> bool:
        """Note a failed try: another follows after `retry_in` seconds, or none (a dead letter)."""
        state = "dead" if retry_in is None else "failed"
        return self._close_claim(owner, event_id, state, self._now() + (retry_in or 0), _storable(error)[:2000])

    def _close_claim(self, owner: str, event_id: str, state: str, due: float, error: str | None) -> bool:
        changed = self._connection.execute(
            "UPDATE events SET state = ?, due = ?, error = ?, claimed_by = NULL, handled = ?"
            " WHERE id = ? AND state = 'handling' AND claimed_by = ?",
            (state, due, error, self._now(), event_id, owner),
        ).rowcount
        return bool(changed)

    def counts(self) -> dict[str, int]:
        """Return how many entries are in each state, zeros included."""
        found = dict(self._connection.execute("SELECT state, count(*) FROM events GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def lag(self) -> float:
        """Return the age in seconds of the oldest entry that still waits; 0 where none does."""
        (oldest,) = self._connection.execute(
            "SELECT min(received) FROM events WHERE state IN ('received', 'handling', 'failed')"
        ).fetchone()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)

    def list(self, *, state: str | None = None, most: int = 100) -> list[Entry]:
        """Return the newest entries first, of one state or of all."""
        if state is not None and state not in STATES:
            raise NotFoundError(f"There is no state {state!r} in a ledger.", advice=f"Choose from {', '.join(STATES)}.")
        rows = self._connection.execute(
            "SELECT id, type, state, attempts, received, handled, error FROM events"
            " WHERE ?1 IS NULL OR state = ?1 ORDER BY number DESC LIMIT ?2",
            (state, most),
        )
        return [_entry(row) for row in rows]

    def show(self, event_id: str) -> tuple[Entry, dict[str, Any]]:
        """Return one entry and its payload.

        Raises
        ------
        NotFoundError
            The ledger holds no such event.
        """
        row = self._connection.execute(
            "SELECT id, type, state, attempts, received, handled, error, body FROM events WHERE id = ?",
            (event_id,),
        ).fetchone()
        if row is None:
            raise _unknown(event_id)
        return _entry(row[:7]), json.loads(row[7])

    def replay(self, event_id: str) -> None:
        """Put an event that is done or dead up for handling again, with all its tries.

        Raises
        ------
        NotFoundError
            The ledger holds no such event.
        """
        changed = self._connection.execute(
            "UPDATE events SET state = 'received', attempts = 0, due = ?, error = NULL"
            " WHERE id = ? AND state <> 'handling'",
            (self._now(), event_id),
        ).rowcount
        if not changed:
            self.show(event_id)

    def prune(self, *, days: float = 30) -> int:
        """Remove events handled more than `days` ago and return how many; open and dead ones stay.

        The ids go with them: keep them for longer than the sender retries (a day and a half as published).
        """
        limit = (self.clock.now() - timedelta(days=days)).timestamp()
        removed = self._connection.execute("DELETE FROM events WHERE state = 'done' AND handled < ?", (limit,)).rowcount
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute("VACUUM")
        return removed


def _storable(text: str) -> str:
    """Return a text as UTF-8 can hold it: half a pair of code units, which JSON may carry, is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _entry(row: tuple[Any, ...]) -> Entry:
    id_, type_, state, attempts, received, handled, error = row
    at = None if handled is None else datetime.fromtimestamp(handled, UTC)
    return Entry(id_, type_, state, attempts, datetime.fromtimestamp(received, UTC), at, error)


def _unknown(event_id: str) -> NotFoundError:
    return NotFoundError(
        f"The ledger holds no event {event_id!r}.", advice="See `nectar webhooks list` for those it holds."
    )

"""Every accepted delivery, recorded before it is acknowledged: one SQLite file in WAL mode.

The ledger guarantees that each event is handled once. The delivery's id is the key, so that a redelivery of the same
event adds nothing. Handlers claim events with a lease, so that a killed process loses nothing and two processes do not
handle the same event at the same time. Verifying and handling are left to others.

States: ``received`` waits to be handled, ``handling`` is claimed until its lease ends, ``failed`` waits for a retry,
``done`` is finished, ``dead`` was given up and waits for a person (`replay`).
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
    """One entry of the ledger, as returned by `list` and `show`."""

    id: str
    type: str
    state: str
    attempts: int
    received: datetime
    handled: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """An event claimed for handling, and the number of this attempt, from 1."""

    event: Event
    attempt: int


class Ledger:
    """The accepted deliveries and the state of each.

    Parameters
    ----------
    path : str or Path
        The SQLite file; created if missing, readable by its owner only.
    clock : Clock, optional
        Default: the system's clock.

    Raises
    ------
    ConfigurationError
        The file is not a ledger, or was written by a newer release.
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
                    advice="Upgrade nectar_notebooks, or use another file.",
                )
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigurationError(
                f"The webhook ledger {self.path.name} cannot be opened: {error}.",
                advice="Use a writable file that is a ledger, or move this one away.",
            ) from error

    @property
    def _connection(self) -> sqlite3.Connection:
        # One connection per thread, so that SQLite does the locking.
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; a power failure may, but the next refresh finds the changes anyway.
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
        """Record a verified delivery, once.

        Returns
        -------
        str
            ``new``, ``duplicate`` (the same event again), or ``conflict`` (the same id with another body).
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
        """Claim up to `most` due events for `owner`, for `lease` seconds, and return them.

        An event that cannot be parsed (any more) becomes a dead letter and does not block the others.
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
        """Extend the leases of the events `owner` is handling."""
        self._connection.execute(
            "UPDATE events SET due = ? WHERE state = 'handling' AND claimed_by = ?",
            (self._now() + lease, owner),
        )

    def release(self, owner: str) -> None:
        """Give up the claims of `owner` that are not finished."""
        self._connection.execute(
            "UPDATE events SET state = 'received', claimed_by = NULL, due = ?, attempts = attempts - 1"
            " WHERE state = 'handling' AND claimed_by = ?",
            (self._now(), owner),
        )

    def finish(self, owner: str, event_id: str) -> bool:
        """Mark an event as handled; False if the claim was lost to another owner."""
        return self._close_claim(owner, event_id, "done", self._now(), None)

    def fail(self, owner: str, event_id: str, error: str, *, retry_in: float | None) -> bool:
        """Record a failed attempt; retry after `retry_in` seconds, or make it a dead letter if None."""
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
        """Return the number of entries in each state, including zeros."""
        found = dict(self._connection.execute("SELECT state, count(*) FROM events GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def lag(self) -> float:
        """Return the age in seconds of the oldest open entry; 0 if there is none."""
        (oldest,) = self._connection.execute(
            "SELECT min(received) FROM events WHERE state IN ('received', 'handling', 'failed')"
        ).fetchone()
        return 0.0 if oldest is None else max(0.0, self._now() - oldest)

    def list(self, *, state: str | None = None, most: int = 100) -> list[Entry]:
        """Return up to `most` entries, newest first, in one state or in all."""
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
            There is no such event in the ledger.
        """
        row = self._connection.execute(
            "SELECT id, type, state, attempts, received, handled, error, body FROM events WHERE id = ?",
            (event_id,),
        ).fetchone()
        if row is None:
            raise _unknown(event_id)
        return _entry(row[:7]), json.loads(row[7])

    def replay(self, event_id: str) -> None:
        """Queue an event that is done, dead or failed to be handled again, with all its retries.

        Raises
        ------
        NotFoundError
            There is no such event in the ledger.
        """
        changed = self._connection.execute(
            "UPDATE events SET state = 'received', attempts = 0, due = ?, error = NULL"
            " WHERE id = ? AND state <> 'handling'",
            (self._now(), event_id),
        ).rowcount
        if not changed:
            self.show(event_id)

    def prune(self, *, days: float = 30) -> int:
        """Delete events handled more than `days` ago and return how many; open and dead ones are kept.

        Deduplication needs their ids: keep them for longer than the sender retries (a day and a half, as documented).
        """
        limit = (self.clock.now() - timedelta(days=days)).timestamp()
        removed = self._connection.execute("DELETE FROM events WHERE state = 'done' AND handled < ?", (limit,)).rowcount
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute("VACUUM")
        return removed


def _storable(text: str) -> str:
    """Return text that UTF-8 can encode: lone surrogates, which JSON allows, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _entry(row: tuple[Any, ...]) -> Entry:
    id_, type_, state, attempts, received, handled, error = row
    at = None if handled is None else datetime.fromtimestamp(handled, UTC)
    return Entry(id_, type_, state, attempts, datetime.fromtimestamp(received, UTC), at, error)


def _unknown(event_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no event {event_id!r} in the ledger.", advice="See `nectar webhooks list` for its events."
    )

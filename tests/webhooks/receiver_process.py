"""A receiver in a process of its own, to be killed: ``receiver_process.py LEDGER EFFECTS SECRET``."""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading

import waitress

from nectar_notebooks.webhooks import Event, Receiver


def main() -> None:
    """Serve on any free port, print it, and keep one effect an event."""
    ledger, effects, secret = sys.argv[1:]
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    local = threading.local()

    def handle(event: Event) -> None:
        if not hasattr(local, "database"):
            local.database = sqlite3.connect(effects, timeout=30)
            local.database.execute("PRAGMA journal_mode = WAL")
        with local.database as database:
            # What a careful handler does: the effect and the event's id in one transaction.
            added = database.execute("INSERT OR IGNORE INTO handled VALUES (?)", (event.id,)).rowcount
            database.execute("UPDATE calls SET number = number + 1")
            database.execute("UPDATE total SET amount = amount + ?", (event.payload["amount"] if added else 0,))

    with sqlite3.connect(effects) as database:
        database.execute("CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY)")
        database.execute("CREATE TABLE IF NOT EXISTS total AS SELECT 0 AS amount")
        database.execute("CREATE TABLE IF NOT EXISTS calls AS SELECT 0 AS number")
    database.close()
    receiver = Receiver(secret, ledger, handle, lease=1.0)
    receiver.start()
    server = waitress.create_server(receiver, host="127.0.0.1", port=0, threads=8)
    print(server.effective_port, flush=True)
    server.run()


if __name__ == "__main__":
    main()

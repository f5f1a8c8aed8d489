"""How many verified events a second the receiver accepts, and how long an answer takes, while handlers run.

Method: a receiver in a process of its own, on the port that ``nectar webhooks listen`` opens, with two handlers that each write a row to SQLite;
a second process posts signed events of a bill's size over eight kept-alive connections. Both share the machine.
"""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import sqlite3
import statistics
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from machine import describe

from nectar_notebooks.clock import SystemClock, stopwatch
from nectar_notebooks.webhooks import Event, Receiver, sign
from nectar_notebooks.webhooks.listener import bound, listen

SECRET = "whsec_" + base64.b64encode(b"a secret for a benchmark only").decode()
EVENTS, SENDERS = 8_000, 8
BILL = {
    "eventType": "document.created.v2",
    "company": "company-1",
    "utilityCompany": "A provider with a name of usual length",
    "billDate": "2026-01-10",
    "totalCharges": "1234.56",
    "lineItems": [{"description": f"Charge {number}", "totalCharge": "123.45"} for number in range(10)],
}


def serve(folder: str, ready: Connection) -> None:
    """Run the receiver until the process is ended."""
    local = threading.local()

    def handle(event: Event) -> None:
        if not hasattr(local, "effects"):
            local.effects = sqlite3.connect(f"{folder}/effects.db", isolation_level=None, timeout=10)
            local.effects.execute("PRAGMA journal_mode = WAL")
            local.effects.execute("PRAGMA synchronous = NORMAL")
            local.effects.execute("CREATE TABLE IF NOT EXISTS effects (id TEXT PRIMARY KEY)")
        local.effects.execute("INSERT OR IGNORE INTO effects VALUES (?)", (event.id,))

    receiver = Receiver(SECRET, Path(folder) / "ledger.db", handle)
    where = bound("127.0.0.1", 0)
    port = where.getsockname()[1]
    listen(receiver, where, until=lambda: False, listening=lambda _: ready.send(port))


def prepared() -> list[tuple[bytes, dict[str, str]]]:
    """Return signed deliveries, ready to be posted."""
    now = SystemClock().now()
    made = []
    for number in range(EVENTS):
        body, id_ = json.dumps(BILL | {"id": f"bill-{number}"}).encode(), f"msg_{number}"
        headers = {
            "Content-Type": "application/json",
            "svix-id": id_,
            "svix-timestamp": str(int(now.timestamp())),
            "svix-signature": sign(id_, now, body, SECRET),
        }
        made.append((body, headers))
    return made


def main() -> None:
    """Print accepted events a second and the answer times."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder, theirs), daemon=True)
        process.start()
        port = ours.recv()
        deliveries = prepared()

        def post(part: int) -> list[float]:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            taken = []
            for body, headers in deliveries[part::SENDERS]:
                start = stopwatch()
                connection.request("POST", "/", body, headers)
                answer = connection.getresponse()
                answer.read()
                taken.append(stopwatch() - start)
                if answer.status != 204:
                    raise SystemExit(f"answered {answer.status}")
            return taken

        start = stopwatch()
        with ThreadPoolExecutor(SENDERS) as senders:
            taken = [seconds for part in senders.map(post, range(SENDERS)) for seconds in part]
        elapsed = stopwatch() - start
        process.terminate()
        process.join()
    quantiles = statistics.quantiles(taken, n=100)
    print(describe())
    print(f"{EVENTS:,} events of {len(deliveries[0][0]):,} bytes, {SENDERS} connections, two handlers that write a row")
    print(f"accepted   {EVENTS / elapsed:8,.0f} a second")
    print(f"answer     median {quantiles[49] * 1000:.1f} ms, p99 {quantiles[98] * 1000:.1f} ms")


if __name__ == "__main__":
    main()

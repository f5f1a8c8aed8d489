"""Made the files beside it, with the code of 0.1 (commit 8f2405f); not run again.

    PYTHONPATH=<a checkout of that commit> python make.py

``cache.zip`` is a cache folder of the embedded sandbox of seed 31, served at 127.0.0.1:18731: one company kept whole,
a narrow answer and the statuses of another, and the finished pages of a walk of its usage that broke. ``ledger.db`` is
a webhook ledger of the same sandbox: deliveries that were handled, given up, to be tried again, and waiting.
"""

from __future__ import annotations

import sqlite3
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

import nectar_notebooks as nn
from nectar_notebooks.errors import InterruptedWalkError
from nectar_notebooks.webhooks import Ledger, Receiver

HERE = Path(__file__).parent
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def cache(sandbox: nn.Sandbox, folder: Path) -> None:
    with sandbox.serve(18731):
        address = "http://127.0.0.1:18731"
        clock = nn.FrozenClock(sandbox.clock.now())
        nectar = nn.connect("production", base_url=address, key=sandbox.key, cache_dir=folder, clock=clock)
        nectar.portfolio("Tamarack Resorts")
        nectar.usage("Meridian Outfitters", start="2025-11", end="2025-11")
        sandbox.faults.add("usage/company", at=2, times=1000, status=500)
        try:
            nectar.usage("Meridian Outfitters")
        except InterruptedWalkError as error:
            print("broke with", len(error.rows), "rows")
    with sqlite3.connect(folder / "v1" / "manifest.sqlite3") as manifest:
        manifest.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def ledger(sandbox: nn.Sandbox, path: Path) -> None:
    book = Ledger(path, clock=sandbox.clock)
    receiver = Receiver(SECRET, book, print, clock=sandbox.clock)  # never started: nothing is handled by itself
    sandbox.webhooks.register(receiver, secret=SECRET)
    sandbox.scenario("bad_login")
    sandbox.scenario("bill_deleted")
    sandbox.advance(days=3)
    done, dead, failed, *_ = book.claim("me", lease=60, most=3)
    book.finish("me", done.event.id)
    book.fail("me", dead.event.id, "the handler raised ValueError", retry_in=None)
    book.fail("me", failed.event.id, "the handler raised OSError", retry_in=timedelta(hours=1).total_seconds())
    print(book.counts())
    receiver.close()
    book._connection.execute("PRAGMA journal_mode = DELETE")
    book.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "cache"
        cache(nn.Sandbox(seed=31, sites=4, months=12), folder)
        with zipfile.ZipFile(HERE / "cache.zip", "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock")):
                    packed.write(path, path.relative_to(folder))
    (HERE / "ledger.db").unlink(missing_ok=True)
    ledger(nn.Sandbox(seed=31, sites=4, months=12), HERE / "ledger.db")

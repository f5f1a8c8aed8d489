"""Peak memory of a walk of 500,000 usage rows, beside the frames it ends with (goal: 3 x).

Method: a server in a process of its own makes 5,000 pages of 100 rows (every documented field) as they are asked
for. A second process walks, stages and builds as a first ``nectar.usage`` does. *Peak* is how far its resident
memory rose at most over what it held after a walk of 100 rows; *frames* is pandas' deep memory of the result.
``python benchmarks/bench_memory.py ROWS`` takes another number of rows.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pandas as pd
from bench_cold import EMPTY, row
from machine import describe

from nectar_notebooks.api import Session
from nectar_notebooks.cache.listing import Listing
from nectar_notebooks.cache.manifest import Staging
from nectar_notebooks.cache.store import Store
from nectar_notebooks.clock import SystemClock

ROWS = 500_000
PER_PAGE = 100


def body(page: int, pages: int) -> bytes:
    """Return a page as it travels."""
    first = (page - 1) * PER_PAGE
    return orjson.dumps(
        {
            "totalUsageData": pages * PER_PAGE,
            "perPage": PER_PAGE,
            "totalPages": pages,
            "currentPage": page,
            "hasNext": page < pages,
            "hasPrevious": page > 1,
            "usageData": [row(first + number) for number in range(PER_PAGE)],
        }
    )


def serve(ready: Connection) -> None:
    """Answer for ever: company c100 has 100 rows, c500000 has 500,000."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = parse_qs(asked.query)
            pages = int(asked.path.rpartition("/c")[2]) // PER_PAGE
            changed = query.get("dateType") == ["UPDATED_DATE"]
            told = EMPTY if changed else body(int(query.get("page", ["1"])[0]), pages)
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(told) + told
            )

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(server.server_port)
    server.serve_forever()


def frames_of(url: str, rows: int) -> dict[str, pd.DataFrame]:
    """Walk, stage and build frames, as a first call does."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        clock = SystemClock()
        listing = Listing(Session(url), clock, "usage", f"c{rows}", quiet=True)
        pulled = listing.pull(Staging(store.manifest, "bench", clock.now()))
        store.close()
    return pulled.frames


def resident() -> int:
    """Return the highest resident memory so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(rows: int) -> None:
    print(describe())
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    frames_of(url, PER_PAGE)
    before = resident()
    frames = frames_of(url, rows)
    rose = resident() - before
    process.terminate()
    size = sum(int(frame.memory_usage(deep=True).sum()) for frame in frames.values())
    usage = frames["usage"]
    print(f"{len(usage):,} usage rows, {usage.shape[1]} columns; {', '.join(frames)}")
    print(f"frames     {size / 1e6:,.0f} MB")
    print(f"peak       {rose / 1e6:,.0f} MB above a walk of {PER_PAGE} rows: {rose / size:.2f} x the frames (goal 3)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)

"""A cold walk of 100 pages over a real socket at 100 ms latency, and the client's own time.

Method: a server in a process of its own answers prepared pages of 100 usage rows (every documented field,
decimals as text) after a pause of 100 ms on each request. The limit of ten parallel requests is the first
page, then ten rounds of ten. *Loop* is the documented ``while hasNext`` with bare `requests`. *Own time* sets
the walk into staged pages and typed frames, at no latency, beside ten threads of bare `requests` that fetch
and decode the same pages: with requests' own ``.json()``, and with orjson. It is processor time of this process, so
that a busy machine hits both alike. The walk ends with a closing request, which the limit and the yardsticks lack.
"""

from __future__ import annotations

import json
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import requests
from machine import describe

from nectar_notebooks.api import Session
from nectar_notebooks.cache.listing import Listing
from nectar_notebooks.cache.manifest import Staging
from nectar_notebooks.cache.store import Store
from nectar_notebooks.clock import SystemClock, stopwatch

PAGES = 100
LATENCY = 0.1


def row(number: int) -> dict[str, object]:
    """Return a usage record with every documented field."""
    identifier = f"7f3a{number:08}-91bb-4c1d-8e55"
    none = dict.fromkeys(
        [
            "currentReading", "previousReading", "multiplierDescription", "multiplier2", "multiplier2Description",
            "fractionRenewable", "netMeteringGeneratedKwh", "netMeteringGridImportKwh", "netMeteringGridExportKwh",
            "billedDemand", "supplierName", "netMeteringType", "waterType", "meterHighLow", "gasType", "fuelType",
            "districtType", "districtMediumType", "wasteDescription", "wasteType", "wasteStream", "refrigerantType",
        ]
    )  # fmt: skip
    return {
        "id": identifier, "created": "2025-03-04T10:11:12Z", "updated": "2025-03-04T10:11:12Z",
        "startDate": "2025-01-04", "endDate": "2025-02-03", "usage": f"{number}.25", "usageUnits": "kWh",
        "meter": f"m-{number % 500:08}-4c1d", "meterAddress": "1 Long Street, Springfield", "meterIsTracked": True,
        "serviceAddress": "1 Long Street, Springfield", "site": {"id": f"s-{number % 90:08}", "name": "Springfield"},
        "identifiers": [{"name": "METER", "value": f"N{number % 500:07}", "rawName": "Meter No."}],
        "datasourceType": "ELECTRICITY", "electricityType": "USAGE", "isEstimated": False, "isImplied": False,
        "exclusion": False, "multiplier": "1", "tariff": "General service", "utilityName": "City Light",
        "country": "US", "timeOfUseBreakdown": [], "additionalFields": {},
        "document": {"id": f"d-{number // 2:08}-77aa", "billDate": "2025-02-10", "totalCharges": "120.10"}, **none,
    }  # fmt: skip


def bodies(total_pages: int) -> list[bytes]:
    """Return the pages as they travel."""
    return [
        json.dumps(
            {
                "totalUsageData": total_pages * 100,
                "perPage": 100,
                "totalPages": total_pages,
                "currentPage": page,
                "hasNext": page < total_pages,
                "hasPrevious": page > 1,
                "usageData": [row((page - 1) * 100 + number) for number in range(100)],
            }
        ).encode()
        for page in range(1, total_pages + 1)
    ]


EMPTY = (
    b'{"totalUsageData":0,"perPage":100,"totalPages":1,"currentPage":1,"hasNext":false,"hasPrevious":false,'
    b'"usageData":[]}'
)


def serve(ready: Connection, latency: float) -> None:
    """Answer for ever; the closing request finds nothing changed."""
    prepared = bodies(PAGES)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            changed = query.get("dateType") == ["UPDATED_DATE"]
            body = EMPTY if changed else prepared[min(int(query.get("page", ["1"])[0]), PAGES) - 1]
            time.sleep(latency)
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    ready.send(server.server_port)
    server.serve_forever()


def served(latency: float) -> tuple[str, multiprocessing.process.BaseProcess]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, latency), daemon=True)
    process.start()
    return f"http://127.0.0.1:{ours.recv()}", process


def cold(url: str) -> int:
    """Walk, stage and build frames, as a first call does."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        clock = SystemClock()
        staging = Staging(store.manifest, "bench", clock.now())
        listing = Listing(Session(url), clock, "usage", "c1", quiet=True)
        pulled = listing.pull(staging)
        store.close()
    return len(pulled.frames["usage"])


def loop(url: str, most: int) -> int:
    """Walk as the documentation shows it."""
    rows: list[object] = []
    page, more = 1, True
    with requests.Session() as session:
        while more and page <= most:
            answer = session.get(f"{url}/v2.2/usage/company/c1", params={"page": page}, timeout=30).json()
            rows += answer["usageData"]
            more, page = answer["hasNext"], page + 1
    return len(rows)


def bare(url: str, decode: Callable[[requests.Response], dict[str, list[object]]]) -> int:
    """Fetch and decode the same pages with ten threads of bare requests, and keep every row."""
    own = threading.local()

    def one(page: int) -> list[object]:
        session = own.__dict__.setdefault("session", requests.Session())
        return decode(session.get(f"{url}/v2.2/usage/company/c1", params={"page": page}, timeout=30))["usageData"]

    with ThreadPoolExecutor(10) as pool:
        return sum(map(len, list(pool.map(one, range(1, PAGES + 1)))))


def by_requests(answer: requests.Response) -> dict[str, list[object]]:
    return answer.json()


def by_orjson(answer: requests.Response) -> dict[str, list[object]]:
    return orjson.loads(answer.content)


def seconds(run: Callable[[], object], clock: Callable[[], float] = stopwatch) -> float:
    started = clock()
    run()
    return clock() - started


def main() -> None:
    print(describe())
    page = bodies(1)[0]
    print(f"row        {len(row(1))} fields, {len(page) / 100:,.0f} bytes as it travels, 100 a page, {PAGES} pages")
    socket.setdefaulttimeout(60)
    url, process = served(LATENCY)
    limit = LATENCY * (1 + -(-(PAGES - 1) // 10))
    walked, plain = [], []
    for _ in range(3):
        walked.append(seconds(lambda: cold(url)))
        plain.append(seconds(lambda: bare(url, by_requests)))
    looped = seconds(lambda: loop(url, 20)) * PAGES / 20
    process.terminate()
    best = min(walked)
    print(f"cold walk  {best:.2f} s with frames; limit {limit:.2f} s, ratio {best / limit:.2f} (goal 1.15)")
    print(
        f"           ten threads of bare requests without any check {min(plain):.2f} s, ratio {best / min(plain):.2f}"
    )
    print(f"loop       {looped:.1f} s (20 pages measured), {looped / best:.1f} x slower (goal 8)")
    url, process = served(0.0)
    taken: dict[str, list[float]] = {"own time": [], "bare requests, .json()": [], "bare requests, orjson": []}
    for _ in range(5):  # in turns
        taken["own time"].append(seconds(lambda: cold(url), time.process_time))
        taken["bare requests, .json()"].append(seconds(lambda: bare(url, by_requests), time.process_time))
        taken["bare requests, orjson"].append(seconds(lambda: bare(url, by_orjson), time.process_time))
    process.terminate()
    own, *yardsticks = (statistics.median(runs) for runs in taken.values())
    print(f"own time   {own * 1000:.0f} ms of the processor, walk, staging and frames (goal 1.3)")
    for name, yardstick in zip(list(taken)[1:], yardsticks, strict=True):
        print(f"           {name} {yardstick * 1000:.0f} ms, ratio {own / yardstick:.2f}")


if __name__ == "__main__":
    main()

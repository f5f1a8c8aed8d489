"""A cold walk of 100 pages over a real socket: beside the limit, the documented loop, and bare requests.

Method: a small HTTP server in a process of its own answers made-up pages of 100 usage rows, each after a fixed latency.
*Walk* is ``api.walk`` with its own retries, limits and checks, undisturbed by frames. *The loop* is the documented
``while hasNext``, one page after the other, with one ``requests.Session``. *The limit* is what ten requests at
once can do at best: the first page alone, the other 99 in ten rounds (and, stricter, 100 pages in ten rounds). *Own
time* is processor time without latency, beside a bare ``requests`` loop that fetches and decodes the same pages.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

import requests
from bench_tables import made_up_pages
from machine import describe

from nectar_notebooks.api import Session, walk

PAGES = 100
LATENCY = 0.1
ROUNDS = 3


def serve(latency: float, tell: Connection) -> None:
    """Answer page after page, for ever."""
    bodies = [
        body.replace(b'"totalUsageData":50000', b'"totalUsageData":10000').replace(
            b'"totalPages":500', b'"totalPages":100'
        )
        for body in made_up_pages()[:PAGES]
    ]
    bodies[-1] = bodies[-1].replace(b'"hasNext":true', b'"hasNext":false')

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            body = bodies[min(page, PAGES) - 1]
            time.sleep(latency)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Pages)
    tell.send(server.server_address[1])
    server.serve_forever()


def the_walk(url: str) -> int:
    """Walk once, over fresh connections, and keep the rows."""
    with Session(url) as session:
        return len(walk(session, "usage.company", company_id="c").rows)


def the_loop(url: str) -> int:
    """Do what the documentation's own loop does."""
    rows: list[object] = []
    with requests.Session() as http:
        page, more = 1, True
        while more:
            answer = http.get(f"{url}/v2.2/usage/company/c", params={"page": page}, timeout=60)
            answer.raise_for_status()
            body = answer.json()
            rows += body["usageData"]
            page, more = page + 1, body["hasNext"]
    return len(rows)


def seconds(run: Callable[[str], int], url: str, clock: Callable[[], float], rounds: int = ROUNDS) -> float:
    """Return the median time of a run that brings every row."""
    taken = []
    for _ in range(rounds):
        start = clock()
        if run(url) != PAGES * 100:
            raise SystemExit("rows are missing")
        taken.append(clock() - start)
    return statistics.median(taken)


def served(latency: float) -> tuple[str, multiprocessing.Process]:
    """Start the server and return its address."""
    hear, tell = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(latency, tell), daemon=True)
    process.start()
    return f"http://127.0.0.1:{hear.recv()}", process


def main() -> None:
    print(describe())
    size = sum(map(len, made_up_pages()[:PAGES])) / PAGES
    print(f"{PAGES} pages of 100 usage rows, {size / 1000:,.0f} kB each, {LATENCY * 1000:.0f} ms latency")
    url, process = served(LATENCY)
    walked = seconds(the_walk, url, time.perf_counter)
    looped = seconds(the_loop, url, time.perf_counter, 1)
    process.terminate()
    strict, possible = PAGES / 10 * LATENCY, (1 + 10) * LATENCY
    print(f"walk                       {walked:6.2f} s")
    print(f"limit, first page alone    {possible:6.2f} s   walk is {walked / possible:.2f} x")
    print(f"limit, 100 pages / 10      {strict:6.2f} s   walk is {walked / strict:.2f} x   (goal: 1.15)")
    print(f"loop over hasNext          {looped:6.2f} s   walk is {looped / walked:.1f} x faster   (goal: 8)")
    url, process = served(0.0)
    bare, own = [], []
    for _ in range(5):  # in turns, so that a busy machine hits both
        bare.append(seconds(the_loop, url, time.process_time, 1))
        own.append(seconds(the_walk, url, time.process_time, 1))
    process.terminate()
    ratio = statistics.median(own) / statistics.median(bare)
    print(f"processor time, no latency: bare requests {statistics.median(bare) * 1000:.0f} ms, ", end="")
    print(f"walk {statistics.median(own) * 1000:.0f} ms: {ratio:.2f} x   (goal: 1.3)")


if __name__ == "__main__":
    main()

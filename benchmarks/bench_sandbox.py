"""What the embedded sandbox costs: its first answer, a page of bills, a large portfolio in a file.

First answer: in a fresh process, from before the import to the body of the company list (and, beside it, of the
first usage page, which makes the company's bills); the yardstick is `import pandas` in a fresh process, runs
alternating. Page: the WSGI application called in process for 100 bills, not decoded; the yardstick is the same
database counting, reading and joining the same 100 rows, runs alternating, in seconds of the processor, so that
a busy machine does not decide. Large portfolio: made once and kept in a file.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import describe
from werkzeug.test import EnvironBuilder

from nectar_notebooks.clock import stopwatch
from nectar_notebooks.sandbox import Sandbox, pages

RUNS, CALLS = 7, 300
LARGE_SITES, MONTHS = 1_000, 36

PANDAS = "import pandas"
ANSWER = """
from nectar_notebooks.sandbox import Sandbox
sandbox = Sandbox()
client, headers = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
companies = client.get("/v2.2/company", headers=headers).json
"""
USAGE = ANSWER + """client.get(f"/v2.2/usage/company/{companies[0]['id']}", headers=headers).data"""


def seconds(code: str) -> float:
    """Return how long `code` takes in a fresh process, the interpreter's own start left out."""
    timed = f"import time; start = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)"
    run = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def first_answer() -> None:
    """Print the first answer of a fresh sandbox beside `import pandas`."""
    seconds(PANDAS), seconds(USAGE)
    taken: dict[str, list[float]] = {PANDAS: [], ANSWER: [], USAGE: []}
    for _ in range(RUNS):
        for code, times in taken.items():
            times.append(seconds(code))
    pandas, answer, usage = (statistics.median(times) for times in taken.values())
    print(f"first answer of a fresh sandbox with the demo portfolio (median of {RUNS} fresh processes)")
    print(f"  import pandas      {pandas * 1e3:7.1f} ms")
    print(f"  company list       {answer * 1e3:7.1f} ms   ratio {answer / pandas:.2f} (at most 0.70)")
    print(f"  first usage page   {usage * 1e3:7.1f} ms   ratio {usage / pandas:.2f}")


def page_of_bills() -> None:
    """Print an undecoded page of 100 bills beside what SQLite needs for the same rows."""
    sandbox = Sandbox()
    app, db, headers = sandbox.app, sandbox.state.db, {"X-API-Key": sandbox.key}
    company = app.test_client().get("/v2.2/company", headers=headers).json[0]["id"]
    path = f"/v2.2/document/company/{company}"
    environ = EnvironBuilder(path=path, headers=headers).get_environ()

    def answered() -> bytes:
        parts = app(dict(environ), lambda *_: lambda _: None)
        try:
            return b"".join(parts)
        finally:
            parts.close()

    body = answered()
    (seq,) = db.execute("SELECT seq FROM companies WHERE id = ?", (company,)).fetchone()
    source = "FROM documents d WHERE d.deleted = 0 AND d.company = ?"
    read = f"SELECT {pages.document_row(sandbox.switches)} {source} ORDER BY d.created, d.id LIMIT 100"

    def yardstick() -> str:
        db.execute(f"SELECT count(*) {source}", (seq,)).fetchone()
        return ",".join([text for (text,) in db.execute(read, (seq,)).fetchall()])

    assert yardstick().encode() in body
    ours, theirs = alternating(answered, yardstick)
    print(f"a page of 100 bills of {len(body):,} bytes in process, not decoded (median of {CALLS} calls)")
    print(f"  SQLite counts, reads, joins {theirs * 1e3:6.3f} ms")
    print(f"  the whole answer            {ours * 1e3:6.3f} ms   ratio {ours / theirs:.2f} (at most 1.50)")
    sandbox.close()


def alternating(left: Callable[[], object], right: Callable[[], object]) -> tuple[float, float]:
    """Return the median times of two functions called in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        for function, times in zip((left, right), taken, strict=True):
            start = time.process_time()
            function()
            times.append(time.process_time() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def large_portfolio() -> None:
    """Print how long a large portfolio takes to make, and how large its file is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        start, worked = stopwatch(), time.process_time()
        sandbox = Sandbox(sites=LARGE_SITES, months=MONTHS, db=path)
        taken, worked = stopwatch() - start, time.process_time() - worked
        counts = {
            kind: sandbox.state.db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0]
            for kind in ("sites", "meters", "documents", "usage")
        }
        sandbox.close()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    print("a large portfolio in a file: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    print(f"  made in {taken:.1f} s ({worked:.1f} s of the processor; under 30), {size / 1e6:.0f} MB (within 400)")


def main() -> None:
    """Measure and print."""
    print(describe())
    first_answer()
    page_of_bills()
    large_portfolio()


if __name__ == "__main__":
    main()

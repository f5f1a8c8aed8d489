"""The demo portfolio's usage: fetched cold, answered warm, and read by pandas from the same file.

Method: one process, the embedded sandbox without a port. *Cold* is ``nectar.usage(company)`` with an empty
cache, medians over fresh cache folders; every walk a bill noun needs is in it. *Warm* is the same call again,
from a new connection: no request. The yardstick is ``pandas.read_parquet`` of the very file the warm call
reads. A second pair of figures does the same with 50,000 made-up usage rows of every documented column. A third
sets that warm read beside a warm HTTP cache: 500 pages kept by requests-cache in SQLite as JSON, read again by
``answer.json()`` and made one frame, as a notebook without the package would (and, cheaper still, not typed).
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import requests_cache
from bench_cold import PAGES, served
from machine import describe, median_seconds

import nectar_notebooks as nn
from nectar_notebooks.cache import Details, Realm, SnapshotKey, Store
from nectar_notebooks.clock import stopwatch
from nectar_notebooks.schema.tables import TABLES

ROWS = 50_000


def made_up(rows: int) -> pd.DataFrame:
    """Return a usage table with text keys and every documented column filled."""
    numbers = np.arange(rows)
    text = pd.StringDtype(na_value=np.nan)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers % 2000, unit="D")
    made = {
        "text": lambda name: pd.array([f"{name}-{number:08}-4f1a-9c2e" for number in numbers], dtype=text),
        "number": lambda _: numbers * 1.25,
        "integer": lambda _: pd.array(numbers, dtype="Int64"),
        "date": lambda _: start.as_unit("us"),
        "timestamp": lambda _: start.tz_localize("UTC").as_unit("us"),
        "flag": lambda _: pd.array(numbers % 2 == 0, dtype="boolean"),
    }
    return pd.DataFrame({column.name: made[column.kind](column.name) for column in TABLES["usage"].columns})


def demo() -> None:
    sandbox = nn.Sandbox(seed=1)
    company = nn.connect(sandbox=sandbox).companies()["company_id"].iloc[0]
    cold, folder = [], Path()
    for _ in range(3):
        folder = Path(tempfile.mkdtemp())
        nectar = nn.connect(sandbox=sandbox, cache_dir=folder)
        started = stopwatch()
        usage = nectar.usage(company)
        cold.append(stopwatch() - started)
    again = nn.connect(sandbox=sandbox, cache_dir=folder)
    warm = median_seconds(lambda: again.usage(company), 9)
    [file] = folder.rglob("portfolio/*/usage.parquet")
    read = median_seconds(lambda: pd.read_parquet(file), 9)
    told = usage.attrs["nectar"]
    print(f"demo       {len(usage):,} usage rows, {usage.shape[1]} columns, text keys")
    print(f"cold       {sorted(cold)[1]:.2f} s, {told['requests']} requests, all tables of the company")
    print(f"warm       {warm * 1000:.1f} ms, {again.last_fetch['requests']} requests")
    print(f"yardstick  read_parquet of the same file {read * 1000:.1f} ms, ratio {warm / read:.2f}")


def many() -> None:
    frame = made_up(ROWS)
    key = SnapshotKey(Realm("bench", "v2.2", "local"), "usage", "company/c1")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        details = Details(began="")
        now = datetime(2026, 1, 1, tzinfo=UTC)
        store.publish(key, {"usage": frame}, fingerprint="f", fetched=now, details=details)
        [file] = store.root.rglob("usage.parquet")

        def warm() -> None:
            snapshot = store.find(key, "f")
            assert snapshot is not None
            store.read(snapshot)

        ours = median_seconds(warm, 15)
        read = median_seconds(lambda: pd.read_parquet(file), 15)
        print(f"many       {ROWS:,} usage rows, {frame.shape[1]} columns, {file.stat().st_size:,} bytes of Parquet")
        print(f"warm       {ours * 1000:.1f} ms, checksums verified")
        print(f"yardstick  read_parquet of the same file {read * 1000:.1f} ms, ratio {ours / read:.2f} (goal 1.5)")
        store.close()
        cached = http_cache(Path(folder))
        print(
            f"HTTP cache requests-cache, SQLite, JSON, one frame {cached * 1000:.0f} ms: {cached / ours:.1f} x (goal 6)"
        )


def http_cache(folder: Path) -> float:
    """Return the time in which a warm HTTP cache gives the same rows as a frame."""
    url, process = served(0.0)
    session = requests_cache.CachedSession(folder / "http", backend="sqlite", serializer="json")

    def walk() -> pd.DataFrame:
        rows = []
        for page in range(1, PAGES + 1):
            for copy in range(ROWS // PAGES // 100):  # the server has 100 pages; a question of its own for each
                question = {"page": page, "copy": copy}
                rows += session.get(f"{url}/v2.2/usage/company/c1", params=question, timeout=60).json()["usageData"]
        return pd.DataFrame(rows)

    walk()  # cold
    process.terminate()
    taken = median_seconds(walk, 3)
    assert len(walk()) == ROWS
    session.close()
    return taken


if __name__ == "__main__":
    print(describe())
    demo()
    many()

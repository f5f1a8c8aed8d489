"""Walks in processes of their own, and what they leave in the cache: what tests of breaking walks share."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from client.hand_written_api import KEY, HandWrittenApi, usage

from nectar_notebooks.clock import SystemClock

PAUSE = SystemClock().sleep
CHILD = """
import sys
from nectar_notebooks import FrozenClock, connect
nectar = connect("production", base_url=sys.argv[1], cache_dir=sys.argv[2], key=sys.argv[3],
                 clock=FrozenClock("2026-01-15T09:00:00Z"))
print(len(nectar.usage(**eval(sys.argv[4]))))
"""


def grow(api: HandWrittenApi, rows: int) -> None:
    """Give company c1 so many usage rows, on its bills in turn."""
    own = api.state["usage"]["c1"]
    for number in range(len(own), rows):
        bill = f"b{number % 120:03}"
        own.append(usage(f"v{number:05}", bill, "m1", "s1", "2020-01-01", "2020-01-31", "1"))


def start(api: HandWrittenApi, folder: Path, **question: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, api.url, str(folder), KEY, repr(question)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def staged_pages(folder: Path) -> int:
    connection = sqlite3.connect(folder / "v1" / "manifest.sqlite3")
    try:
        return connection.execute("SELECT count(*) FROM pages").fetchone()[0]
    finally:
        connection.close()


def pages_of(log: list[str], resource: str) -> list[str]:
    return [path for path in log if path.startswith(f"/v2.2/{resource}/company/c1?page=")]


def assert_complete(nectar, rows: int) -> None:
    frame = nectar.usage()
    assert len(frame) == rows
    assert frame["usage_id"].is_unique

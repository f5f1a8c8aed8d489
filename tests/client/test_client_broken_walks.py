"""Walks that break: by the wire, by a signal, by rows that move meanwhile. Nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from hand_written_api import KEY, HandWrittenApi, document, usage

from nectar_notebooks.clock import SystemClock
from nectar_notebooks.errors import InterruptedWalkError

PAUSE = SystemClock().sleep
CHILD = """
import sys
from nectar_notebooks import FrozenClock, connect
nectar = connect("production", base_url=sys.argv[1], cache_dir=sys.argv[2], key=sys.argv[3],
                 clock=FrozenClock("2026-01-15T09:00:00Z"))
print(len(nectar.usage()))
"""


def grow(api: HandWrittenApi, rows: int) -> None:
    """Give company c1 so many usage rows, on its bills in turn."""
    own = api.state["usage"]["c1"]
    for number in range(len(own), rows):
        bill = f"b{number % 120:03}"
        own.append(usage(f"v{number:05}", bill, "m1", "s1", "2020-01-01", "2020-01-31", "1"))


def start(api: HandWrittenApi, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD, api.url, str(folder), KEY], stdout=subprocess.PIPE, text=True)


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


def run_until_killed(api: HandWrittenApi, folder: Path, seed: int) -> bool:
    """Start a fetch in another process and kill it: at a random request, or after a random while."""
    draw = random.Random(seed)
    at_request, after = draw.randrange(1, 40), draw.uniform(0.0, 0.8)
    child: list[subprocess.Popen[str]] = []

    def kill(number: int, _: str) -> None:
        PAUSE(0.002)
        if seed % 2 and number == at_request:
            os.kill(child[0].pid, signal.SIGKILL)
        elif not seed % 2 and number == 1:
            threading.Timer(after, child[0].kill).start()  # of one that has ended, nothing

    api.take_log()
    api.before_answer = kill
    child.append(start(api, folder))
    child[0].communicate(timeout=60)
    api.before_answer = lambda number, path: None
    PAUSE(0.05)  # what was under way when it was killed
    api.take_log()
    return child[0].returncode == -signal.SIGKILL


def test_a_walk_killed_anywhere_loses_and_doubles_nothing(api, join, tmp_path, times) -> None:
    grow(api, 3000)
    whole = join(cache_dir=tmp_path / "whole").portfolio()
    whole_pages = len(pages_of(api.take_log(), "usage"))
    points, kills, saved = times(4, 200), 0, 0
    for seed in range(points):
        folder = tmp_path / str(seed)
        kills += run_until_killed(api, folder, seed)
        nectar = join(cache_dir=folder)
        for name, frame in nectar.portfolio():  # a CacheWarning would be an error here
            pd.testing.assert_frame_equal(frame, getattr(whole, name), obj=f"{name} after kill {seed}")
        saved += whole_pages - len(pages_of(api.take_log(), "usage"))
        assert staged_pages(folder) == 0
        shutil.rmtree(folder)
    assert kills >= points // 2
    print(f"soak: cache: {kills:,} kills at random points, no row lost or doubled, {saved:,} pages not asked again")


def test_finished_pages_are_not_asked_for_again_by_another_process(api, join, tmp_path) -> None:
    grow(api, 3000)
    child: list[subprocess.Popen[str]] = []

    def kill(number: int, path: str) -> None:
        PAUSE(0.01)
        if "/usage/company/" in path and "page=25" in path:
            PAUSE(0.5)  # what was answered before is on the disk by now
            os.kill(child[0].pid, signal.SIGKILL)

    api.before_answer = kill
    child.append(start(api, tmp_path / "cache"))
    assert child[0].communicate(timeout=60)[0] == ""
    api.before_answer = lambda number, path: None
    staged = staged_pages(tmp_path / "cache")
    assert staged >= 10
    PAUSE(0.1)
    api.take_log()
    assert_complete(join(), 3000)
    log = api.take_log()
    assert pages_of(log, "document") == [], "that walk was finished and kept"
    assert len(pages_of(log, "usage")) == 30 - staged


def test_two_processes_that_ask_at_once_fetch_once(api, tmp_path) -> None:
    grow(api, 2000)
    api.before_answer = lambda number, path: PAUSE(0.02)
    children = [start(api, tmp_path / "cache") for _ in range(2)]
    answers = [child.communicate(timeout=60)[0].strip() for child in children]
    assert answers == ["2000", "2000"]
    pages = pages_of(api.take_log(), "usage")
    assert len(pages) == len(set(pages)) + pages.count("/v2.2/usage/company/c1?page=1") - 1
    assert sum("page=7" in path for path in pages) == 1


def test_a_wire_that_breaks_for_good_carries_what_was_finished_and_resumes(api, join) -> None:
    grow(api, 1500)
    down = {"on": True}
    original = api.answer

    def answer(handler):
        if down["on"] and "/usage/company/" in handler.path and "page=9" in handler.path:
            return 500, {"detail": "made up"}
        return original(handler)

    api.answer = answer
    nectar = join()
    with pytest.raises(InterruptedWalkError, match="usageData") as caught:
        nectar.usage(site="s2")
    error = caught.value
    assert 0 < error.finished_pages < 15
    assert len(error.rows) == error.finished_pages * 100
    down["on"] = False
    api.take_log()
    frame = error.resume()
    assert len(pages_of(api.take_log(), "usage")) <= 15 - error.finished_pages + 2
    assert set(frame["site_id"]) == {"s2"}
    assert_complete(nectar, 1500)


@pytest.mark.parametrize("fault", ["reset", "500", "429"])
def test_a_wire_that_breaks_now_and_then_is_survived(api, join, fault) -> None:
    grow(api, 1000)
    api.broken = {4: fault, 9: fault, 14: fault}
    assert_complete(join(), 1000)


def test_a_bill_that_arrives_during_the_walk_is_there(api, join, tmp_path) -> None:
    late = {"created": "2026-01-15T09:00:30Z", "updated": "2026-01-15T09:00:30Z"}

    def arrive(number: int, path: str) -> None:
        if path.startswith("/v2.2/usage/company/c1?page=1") and not api.state.get("late"):
            api.state["late"] = True
            api.state["documents"]["c1"].append({**document("b900", "2026-01-10", "a1", "9.00", ["u900"]), **late})
            api.state["usage"]["c1"].append(
                {**usage("u900", "b900", "m1", "s1", "2026-01-01", "2026-01-09", "7"), **late}
            )

    api.before_answer = arrive
    portfolio = join().portfolio()
    assert "b900" in set(portfolio.bills["bill_id"])
    assert set(portfolio.usage["bill_id"]) <= set(portfolio.bills["bill_id"])


def test_one_row_removed_and_another_inserted_between_two_pages_is_noticed(api, join, tmp_path) -> None:
    """Equal totals alone would miss it: the closing request does not."""

    def swap(number: int, path: str) -> None:
        if path.startswith("/v2.2/document/company/c1?page=2") and not api.state.get("swapped"):
            api.state["swapped"] = True
            documents, gone = api.state["documents"]["c1"], api.state["deleted"]["c1"]
            gone.append({**documents.pop(110), "updated": "2026-01-15T09:00:10Z"})
            documents.append(
                {
                    **document("b905", "2026-01-12", "a1", "1.00", []),
                    "created": "2026-01-15T09:00:10Z",
                    "updated": "2026-01-15T09:00:10Z",
                }
            )

    api.before_answer = swap
    bills = join().bills()
    assert len(bills) == 120
    assert "b905" in set(bills["bill_id"])
    assert "b110" not in set(bills["bill_id"])


FULL_DISK = """
import resource, sys, warnings
from nectar_notebooks import FrozenClock, NectarError, connect
warnings.simplefilter("always")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
try:
    nectar = connect("production", base_url=sys.argv[1], cache_dir=sys.argv[2], key=sys.argv[3],
                     clock=FrozenClock("2026-01-15T09:00:00Z"))
    print(len(nectar.usage()))
except NectarError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("room", [0, 20_000, 60_000, 120_000, 400_000])
def test_a_full_disk_gives_right_rows_or_a_clear_error_and_harms_nothing(api, join, tmp_path, room: int) -> None:
    grow(api, 1500)
    command = [sys.executable, "-c", FULL_DISK, api.url, str(tmp_path / "cache"), KEY, str(room)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in run.stderr
    if run.stdout.startswith("ConfigurationError"):
        assert "cannot be used" in run.stdout
        assert "cache_dir" in run.stdout
    else:
        assert run.stdout == "1500\n"
        assert "could not be kept" in run.stderr
    assert_complete(join(), 1500)

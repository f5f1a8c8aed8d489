"""Walks that break: by the wire, by a signal, by rows that move meanwhile. Nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from client.hand_written_api import KEY, HandWrittenApi, document, usage
from client.walks import PAUSE, assert_complete, grow, pages_of, staged_pages, start

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import InterruptedWalkError

JANUARY = {"start": "2020-01", "end": "2020-01"}


def run_until_killed(api: HandWrittenApi, folder: Path, draw: random.Random, most: int, **question: str) -> bool:
    """Start a fetch of `most` requests in another process and kill it: at one of them, or after a random while."""
    at_request, after, by_request = draw.randrange(1, most), draw.uniform(0.0, 0.8), draw.random() < 0.5
    child: list[subprocess.Popen[str]] = []

    def kill(number: int, _: str) -> None:
        PAUSE(0.002)
        if by_request and number == at_request:
            os.kill(child[0].pid, signal.SIGKILL)
        elif not by_request and number == 1:
            threading.Timer(after, child[0].kill).start()  # of one that has ended, nothing

    api.take_log()
    api.before_answer = kill
    child.append(start(api, folder, **question))
    child[0].communicate(timeout=60)
    api.before_answer = lambda number, path: None
    PAUSE(0.05)  # what was under way when it was killed
    api.take_log()
    return child[0].returncode == -signal.SIGKILL


def changed_since(api: HandWrittenApi, join, old: Path) -> None:
    """Fill the cache folder `old`, and let bills come, change and go afterwards."""
    two_days_ago = FrozenClock("2026-01-13T09:00:00Z")
    join(cache_dir=old, clock=two_days_ago).portfolio()
    late = {"created": "2026-01-14T10:00:00Z", "updated": "2026-01-14T10:00:00Z"}
    documents, rows = api.state["documents"]["c1"], api.state["usage"]["c1"]
    documents.append({**document("b900", "2026-01-10", "a1", "9.00", ["u900"]), **late})
    rows.append({**usage("u900", "b900", "m1", "s1", "2026-01-01", "2026-01-09", "7"), **late})
    documents[5].update(totalCharges="77.00", updated=late["updated"])
    gone = documents.pop(7)
    api.state["deleted"]["c1"].append({**gone, "updated": late["updated"]})
    rows[:] = [row for row in rows if row["document"]["id"] != gone["id"]]


@pytest.mark.fault
def test_a_fetch_killed_anywhere_loses_and_doubles_nothing(api, join, tmp_path, times) -> None:
    """A first fetch, a refresh by changes, and a narrow question, each killed at any moment."""
    grow(api, 3000)
    changed_since(api, join, tmp_path / "old")
    whole = join(cache_dir=tmp_path / "whole").portfolio()
    january = join(cache_dir=tmp_path / "january").usage(**JANUARY)
    api.take_log()
    wanted, tries = times(6, 200), 0
    kills = dict.fromkeys(("first", "refresh", "narrow"), 0)
    while sum(kills.values()) < wanted:
        assert tries < 3 * wanted, "most were killed too late"
        tries += 1
        kind, draw, folder = list(kills)[tries % 3], random.Random(tries), tmp_path / f"try {tries}"
        if kind == "refresh":
            shutil.copytree(tmp_path / "old", folder)
        narrow = kind == "narrow"
        most = {"first": 42, "refresh": 12, "narrow": 40}[kind]
        kills[kind] += run_until_killed(api, folder, draw, most, **(JANUARY if narrow else {}))
        nectar = join(cache_dir=folder)  # a CacheWarning would be an error from here on
        if narrow:
            pd.testing.assert_frame_equal(nectar.usage(**JANUARY), january, obj=f"after kill {tries}")
            assert staged_pages(folder) == 0
        for name, frame in nectar.portfolio():
            pd.testing.assert_frame_equal(frame, getattr(whole, name), obj=f"{name} after kill {tries} of a {kind}")
        assert staged_pages(folder) == 0
        shutil.rmtree(folder)
    told = ", ".join(f"{number:,} of a {kind} fetch" for kind, number in kills.items())
    print(f"soak: cache: {sum(kills.values()):,} kills at random points ({told}), no row lost or doubled")


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


@pytest.mark.fault
def test_two_processes_that_ask_at_once_fetch_once(api, tmp_path) -> None:
    grow(api, 2000)
    api.before_answer = lambda number, path: PAUSE(0.02)
    children = [start(api, tmp_path / "cache") for _ in range(2)]
    answers = [child.communicate(timeout=60)[0].strip() for child in children]
    assert answers == ["2000", "2000"]
    pages = pages_of(api.take_log(), "usage")
    assert len(pages) == len(set(pages)) + pages.count("/v2.2/usage/company/c1?page=1") - 1
    assert sum("page=7" in path for path in pages) == 1


@pytest.mark.fault
def test_a_wire_that_breaks_for_good_carries_what_was_finished_and_resumes(api, join) -> None:
    grow(api, 1500)
    api.state["usage"]["c1"][3]["datasourceType"] = "GAS"
    down = {"on": True}
    original = api.answer

    def answer(handler):
        if down["on"] and "/usage/company/" in handler.path and "page=9" in handler.path:
            return 500, {"detail": "made up"}
        return original(handler)

    api.answer = answer
    nectar = join()
    with pytest.raises(InterruptedWalkError, match="The walk over usage ended after 14 of 15 pages") as caught:
        nectar.usage(commodity="ELECTRICITY")
    error = caught.value
    assert 0 < error.finished_pages < 15
    assert len(error.rows) == error.finished_pages * 100
    down["on"] = False
    api.take_log()
    frame = error.resume()
    assert len(pages_of(api.take_log(), "usage")) <= 15 - error.finished_pages + 2
    assert len(frame) == 1499, "what was asked for"
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


def run_on_full_disk(api: HandWrittenApi, folder: Path, room: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FULL_DISK, api.url, str(folder), KEY, str(room)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.fault
@pytest.mark.parametrize("room", [0, 20_000, 60_000, 120_000, 400_000])
def test_a_full_disk_gives_right_rows_or_a_clear_error_and_harms_nothing(api, join, tmp_path, room: int) -> None:
    grow(api, 1500)
    run = run_on_full_disk(api, tmp_path / "cache", room)
    assert "Traceback" not in run.stderr
    if run.stdout.startswith("ConfigurationError"):
        assert "cannot be used" in run.stdout
        assert "cache_dir" in run.stdout
    else:
        assert run.stdout == "1500\n"
        assert "could not be kept" in run.stderr
    assert_complete(join(), 1500)


@pytest.mark.fault
@pytest.mark.parametrize("room", [0, 60_000, 120_000])
def test_a_disk_that_fills_up_later_keeps_what_was_there(api, join, tmp_path, room: int) -> None:
    grow(api, 1500)
    changed_since(api, join, tmp_path / "cache")
    run = run_on_full_disk(api, tmp_path / "cache", room)
    assert "Traceback" not in run.stderr
    if run.stdout.startswith("ConfigurationError"):
        assert "cannot be used" in run.stdout
    else:
        assert run.stdout == f"{len(api.state['usage']['c1'])}\n"
        assert "could not be kept" in run.stderr
    whole = join(cache_dir=tmp_path / "whole").portfolio()
    for name, frame in join().portfolio():
        pd.testing.assert_frame_equal(frame, getattr(whole, name), obj=name)

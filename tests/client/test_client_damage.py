"""Unfinished walks that are interrupted, damaged or old, and folders that two notebooks share: never wrong rows."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from client.hand_written_api import HandWrittenApi
from client.walks import PAUSE, assert_complete, grow, pages_of, staged_pages, start

from nectar_notebooks import CacheWarning, Nectar
from nectar_notebooks.errors import ContractError, InterruptedWalkError


def break_at_page(api: HandWrittenApi, nectar: Nectar, page: int) -> int:
    """Let a walk over usage end at a page, and return how many were finished."""
    original = api.answer

    def answer(handler: Any) -> tuple[int, Any]:
        broken = "/usage/company/" in handler.path and handler.path.endswith(f"page={page}")
        return (500, {"detail": "made up"}) if broken else original(handler)

    api.answer = answer
    with pytest.raises(InterruptedWalkError) as caught:
        nectar.usage()
    api.answer = original
    api.take_log()
    return caught.value.finished_pages


@pytest.mark.fault
def test_an_interrupt_of_the_keyboard_leaves_a_resumable_walk(api, join, tmp_path) -> None:
    grow(api, 3000)
    child: list[subprocess.Popen[str]] = []

    def interrupt(number: int, path: str) -> None:
        PAUSE(0.01)
        if "/usage/company/" in path and path.endswith("page=25"):
            PAUSE(0.5)  # what was answered before is on the disk by now
            os.kill(child[0].pid, signal.SIGINT)

    api.before_answer = interrupt
    child.append(start(api, tmp_path / "cache"))
    assert child[0].communicate(timeout=60)[0] == ""
    assert child[0].returncode != 0
    api.before_answer = lambda number, path: None
    staged = staged_pages(tmp_path / "cache")
    assert staged >= 10
    PAUSE(0.1)
    api.take_log()
    assert_complete(join(), 3000)
    assert len(pages_of(api.take_log(), "usage")) == 30 - staged


@pytest.mark.fault
@pytest.mark.parametrize("damage", ["UPDATE pages SET body=x'00'", "UPDATE pages SET body=zeroblob(length(body))"])
def test_damaged_pages_of_an_unfinished_walk_are_asked_for_again(api, join, tmp_path, damage) -> None:
    grow(api, 1500)
    finished = break_at_page(api, join(), 9)
    assert finished > 3
    connection = sqlite3.connect(tmp_path / "cache" / "v1" / "manifest.sqlite3", isolation_level=None)
    connection.execute(f"{damage} WHERE page=2")
    connection.close()
    assert_complete(join(), 1500)
    assert len(pages_of(api.take_log(), "usage")) == 15 - finished + 1
    assert_complete(join(offline=True), 1500)


def test_pages_of_the_day_before_yesterday_are_not_mixed_with_todays(api, join, clock) -> None:
    grow(api, 1500)
    assert break_at_page(api, join(), 9) > 3
    api.state["usage"]["c1"][150]["usage"] = "7"  # and no date tells
    clock.advance(days=2)
    frame = join().usage().set_index("usage_id")
    assert frame.loc["v00150", "usage"] == 7.0
    assert len(pages_of(api.take_log(), "usage")) == 15


@pytest.mark.fault
def test_a_list_that_never_fits_what_changed_is_an_error_and_no_rows(api, join) -> None:
    """After each walk a row changes, and another goes without a trace: neither merging nor three walks make it fit."""
    documents, before = api.state["documents"]["c1"], [""]

    def change(number: int, path: str) -> None:
        if "/document/company/c1" in path:
            if "UPDATED_DATE" in path:
                documents[0]["updated"] = "2026-01-15T09:00:10Z"
            elif "UPDATED_DATE" in before[0] and len(documents) > 100:
                del documents[-1]  # before its rows are counted
            before[0] = path

    api.before_answer = change
    nectar = join()
    with pytest.raises(InterruptedWalkError, match="changed during each of 3 walks"):
        nectar.bills()
    assert len(documents) == 117
    api.before_answer = lambda number, path: None
    del api.state["usage"]["c1"][117:]
    assert len(nectar.bills()) == 117


@pytest.mark.fault
def test_a_list_that_lacks_what_it_names_as_changed_contradicts_itself(api, join) -> None:
    """One bill is in every list of changes and in no whole list, and nothing else moves."""
    documents = api.state["documents"]["c1"]
    ghost = documents[-1] | {"id": "b999", "updated": "2026-01-15T09:00:10Z"}

    def change(number: int, path: str) -> None:
        if "/document/company/c1" in path:
            documents[:] = [one for one in documents if one is not ghost]
            if "UPDATED_DATE" in path:
                documents.append(ghost)

    api.before_answer = change
    nectar = join()
    with pytest.raises(
        ContractError, match=r"contradicts itself about the bills .* 120 were announced and 121 came"
    ) as one:
        nectar.bills()
    assert not one.value.retryable
    assert "resume()" not in str(one.value)
    assert "Nothing changed" not in str(one.value)
    api.before_answer = lambda number, path: None
    documents[:] = [one for one in documents if one is not ghost]
    assert len(nectar.bills()) == 120


def test_what_is_kept_is_parquet_and_one_database(join, tmp_path) -> None:
    join().portfolio()
    root = tmp_path / "cache" / "v1"
    kinds = {path.suffix for path in root.rglob("*") if path.is_file() and path.parent.name != "locks"}
    assert kinds <= {".parquet", ".json", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm"}
    connection = sqlite3.connect(root / "manifest.sqlite3")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    connection.close()
    assert tables == {"snapshots", "readers", "walks", "pages", "statuses"}


@pytest.mark.fault
def test_a_manifest_that_breaks_under_two_open_notebooks(api, join, clock, tmp_path) -> None:
    first, second = join(), join()
    for nectar in (first, second):
        nectar.portfolio()
    manifest: Path = tmp_path / "cache" / "v1" / "manifest.sqlite3"
    for suffix in ("-wal", "-shm"):
        manifest.with_name(manifest.name + suffix).unlink(missing_ok=True)
    manifest.write_bytes(b"no database" * 400)
    api.state["documents"]["c1"][5].update(totalCharges="77.00", updated="2026-01-16T08:00:00Z")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        for days in (0, 1, 1):
            clock.advance(days=days)
            for nectar in (join(), first, second, join()):
                nectar.refresh("c1")
        whole = join(cache_dir=tmp_path / "whole").portfolio()
        for nectar in (first, second, join()):
            for name, frame in nectar.portfolio():
                pd.testing.assert_frame_equal(frame, getattr(whole, name), obj=name)

"""What lies in a cache folder, and making it smaller without touching anybody else's files."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from nectar_notebooks.cache import Details, Realm, SnapshotKey, Store, housekeeping
from nectar_notebooks.cache.manifest import Staging, record_statuses, status_history
from nectar_notebooks.clock import FrozenClock, SystemClock

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
REALM = Realm("api.example", "v2.2", "production")


def publish(store: Store, company: str, fetched: datetime) -> None:
    frame = pd.DataFrame({"line_item_id": ["l1", "l2"], "account_id": ["a", "b"]}, dtype="str")
    store.publish(
        SnapshotKey(REALM, "documents", f"company/{company}"),
        {"line_item_accounts": frame},
        fingerprint="f1",
        fetched=fetched,
        details=Details(began=""),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    publish(store, "old", NOW - timedelta(days=40))
    publish(store, "new", NOW)
    Staging(store.manifest, "an old walk", NOW - timedelta(days=40)).keep(1, b"{}" * 100_000)
    store.close()
    (tmp_path / "notes.txt").write_text("mine")
    return tmp_path


def test_contents_lists_each_snapshot_with_rows_and_bytes(folder: Path) -> None:
    listed = housekeeping.contents(folder)
    assert listed["scope"].tolist() == ["company/new", "company/old"]
    assert listed["rows"].tolist() == [2, 2]
    assert (listed["bytes"] > 0).all()
    assert listed["fetched"].iloc[0] == pd.Timestamp(NOW)


def test_a_folder_that_was_never_used_is_empty_and_stays_so(tmp_path: Path) -> None:
    assert len(housekeeping.contents(tmp_path / "none")) == 0
    assert housekeeping.size(tmp_path / "none") == 0
    assert housekeeping.clear(tmp_path / "none") == 0
    assert housekeeping.prune(tmp_path / "none", older_than=timedelta(0), clock=FrozenClock(NOW)) == 0
    assert not (tmp_path / "none").exists()


def test_prune_drops_what_is_old_and_frees_the_space(folder: Path) -> None:
    before = housekeeping.size(folder)
    freed = housekeeping.prune(folder, older_than=timedelta(days=30), clock=FrozenClock(NOW))
    assert freed > 0
    assert housekeeping.size(folder) == before - freed
    assert housekeeping.contents(folder)["scope"].tolist() == ["company/new"]
    store = Store(folder)
    assert list(Staging(store.manifest, "an old walk", NOW - timedelta(days=40)).pages()) == []


def test_prune_removes_the_rests_of_dead_writers_and_leaves_the_living(folder: Path) -> None:
    [home] = folder.rglob("company/new/documents")
    now = SystemClock().now().timestamp()
    for name, age in ((".dead", 7200), (".living", 60)):
        (home / name).mkdir()
        (home / name / "usage.parquet").write_bytes(b"half")
        os.utime(home / name, (now - age, now - age))
    housekeeping.prune(folder, older_than=timedelta(days=10**5), clock=SystemClock())
    assert not (home / ".dead").exists()
    assert (home / ".living").exists()


def test_clear_deletes_ours_and_nothing_else(folder: Path) -> None:
    assert housekeeping.clear(folder) > 0
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_history_keeps_changes_only(tmp_path: Path) -> None:
    store = Store(tmp_path)
    columns = ["connection_id", "status", "status_since", "status_error"]
    since = pd.Timestamp("2026-01-01", tz="UTC")
    healthy = pd.DataFrame([("k1", "CONNECTED", since, None), ("k2", None, pd.NaT, None)], columns=columns)
    broken = healthy.assign(status=["PASSWORD_INCORRECT", None], status_error=["refused", None])
    for day, frame in enumerate((healthy, healthy, broken, broken, healthy)):
        record_statuses(store.manifest, REALM, "company/c1", frame, NOW + timedelta(days=day))
    told = status_history(store.manifest, REALM, "company/c1")
    assert told["status"].tolist() == ["CONNECTED", "PASSWORD_INCORRECT", "CONNECTED"]
    assert told["seen"].dt.day.tolist() == [15, 17, 19]
    assert told["error"].tolist()[1] == "refused"
    assert len(status_history(store.manifest, REALM, "company/c2")) == 0

"""What a store promises: whole generations, damage noticed, the others kept, nobody else's rows."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from nectar_notebooks.cache import CacheWarning, DamagedSnapshotError, Details, Realm, SnapshotKey, Store

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
REALM = Realm("api.example", "v2.2", "production")
ACCOUNTS = SnapshotKey(REALM, "accounts", "company/c-1")
OTHER = SnapshotKey(REALM, "accounts", "company/c-2")


def relation(*lines: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"line_item_id": list(lines), "account_id": [f"a-{line}" for line in lines]},
        dtype=pd.StringDtype(na_value=float("nan")),
    )


def publish(store: Store, key: SnapshotKey, *lines: str, fingerprint: str = "f1") -> None:
    store.publish(
        key,
        {"line_item_accounts": relation(*lines)},
        fingerprint=fingerprint,
        fetched=NOW,
        details=Details(began=NOW.isoformat()),
    )


def lines_of(store: Store, key: SnapshotKey, fingerprint: str = "f1") -> list[str] | None:
    snapshot = store.find(key, fingerprint)
    return None if snapshot is None else store.read(snapshot)["line_item_accounts"]["line_item_id"].tolist()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def files(store: Store, key: SnapshotKey) -> list[Path]:
    return sorted((store.root / key.folder).rglob("*.parquet"))


def test_rows_come_back_with_their_dtypes(store: Store) -> None:
    publish(store, ACCOUNTS, "l1", "l2")
    snapshot = store.find(ACCOUNTS, "f1")
    assert snapshot is not None
    pd.testing.assert_frame_equal(store.read(snapshot)["line_item_accounts"], relation("l1", "l2"))


def test_a_new_generation_replaces_the_old_and_its_files(store: Store) -> None:
    publish(store, ACCOUNTS, "old")
    publish(store, ACCOUNTS, "new")
    assert lines_of(store, ACCOUNTS) == ["new"]
    assert len(files(store, ACCOUNTS)) == 1


def test_files_are_parquet_that_any_tool_reads(store: Store) -> None:
    publish(store, ACCOUNTS, "l1")
    [file] = files(store, ACCOUNTS)
    assert pd.read_parquet(file)["account_id"].tolist() == ["a-l1"]


@pytest.mark.fault
def test_only_the_owner_may_read_the_folder(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "cache")
        publish(store, ACCOUNTS, "l1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.root / "manifest.sqlite3").stat().st_mode) == 0o600


def test_another_key_sees_nothing_until_it_is_admitted(store: Store) -> None:
    publish(store, ACCOUNTS, "l1", fingerprint="f1")
    assert store.find(ACCOUNTS, "f2") is None
    store.admit(REALM, "company/c-1", "f2")
    assert lines_of(store, ACCOUNTS, "f2") == ["l1"]
    assert store.find(OTHER, "f2") is None


def test_realms_never_meet(store: Store) -> None:
    publish(store, ACCOUNTS, "l1")
    for realm in (
        Realm("other.example", "v2.2", "production"),
        Realm("api.example", "v2.1", "production"),
        Realm("api.example", "v2.2", "sandbox"),
    ):
        assert store.find(SnapshotKey(realm, "accounts", "company/c-1"), "f1") is None


@pytest.mark.fault
@pytest.mark.parametrize("scope", ["company/../../../etc", "company/.", "company/" + "x" * 400, "company/a\0b"])
def test_an_id_from_the_api_never_leaves_the_folder(store: Store, scope: str) -> None:
    key = SnapshotKey(REALM, "accounts", scope)
    publish(store, key, "l1")
    [file] = store.root.rglob("*.parquet")
    assert file.resolve().is_relative_to(store.root.resolve())
    assert lines_of(store, key) == ["l1"]


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def flip_one_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)


def delete(file: Path) -> None:
    file.unlink()


@pytest.mark.fault
@pytest.mark.parametrize("damage", [truncate, flip_one_bit, delete])
def test_a_damaged_file_is_dropped_with_one_sentence_and_the_others_stay(store: Store, damage) -> None:
    publish(store, ACCOUNTS, *[f"l{number}" for number in range(200)])
    publish(store, OTHER, "kept")
    damage(files(store, ACCOUNTS)[0])
    snapshot = store.find(ACCOUNTS, "f1")
    assert snapshot is not None
    sentence = "accounts of company c-1 was dropped"
    with pytest.warns(CacheWarning, match=sentence) as said, pytest.raises(DamagedSnapshotError):
        store.read(snapshot)
    assert len(said) == 1
    assert store.find(ACCOUNTS, "f1") is None
    assert lines_of(store, OTHER) == ["kept"]


def test_the_file_of_another_generation_is_not_taken_for_this_one(store: Store, tmp_path: Path) -> None:
    publish(store, ACCOUNTS, "l1")
    old = files(store, ACCOUNTS)[0].read_bytes()
    publish(store, ACCOUNTS, "l2")
    files(store, ACCOUNTS)[0].write_bytes(old)  # the same size: only what it says of itself differs
    snapshot = store.find(ACCOUNTS, "f1")
    assert snapshot is not None
    with pytest.warns(CacheWarning), pytest.raises(DamagedSnapshotError):
        store.read(snapshot)


@pytest.mark.fault
def test_a_corrupt_manifest_is_set_aside_and_no_snapshot_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    publish(store, ACCOUNTS, "l1")
    publish(store, OTHER, "l2")
    store.close()
    manifest = store.root / "manifest.sqlite3"
    manifest.write_bytes(b"this is no database" * 500)
    again = Store(tmp_path / "cache")
    with pytest.warns(CacheWarning, match=r"set aside as manifest\.sqlite3\.damaged-1 .* from 2 snapshots") as said:
        assert lines_of(again, ACCOUNTS) == ["l1"]
    assert len(said) == 1
    assert lines_of(again, OTHER) == ["l2"]
    assert again.find(ACCOUNTS, "f2") is None, "whoever could not read before cannot now"


def test_a_manifest_of_another_layout_is_set_aside_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    publish(store, ACCOUNTS, "l1")
    store.close()
    with sqlite3.connect(store.root / "manifest.sqlite3") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.warns(CacheWarning, match="layout 99"):
        assert lines_of(Store(tmp_path / "cache"), ACCOUNTS) == ["l1"]


def test_a_dropped_snapshot_does_not_come_back_with_a_rebuilt_manifest(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    publish(store, ACCOUNTS, "l1")
    store.drop(ACCOUNTS)
    store.close()
    (store.root / "manifest.sqlite3").write_bytes(b"no database" * 500)
    with pytest.warns(CacheWarning):
        assert Store(tmp_path / "cache").find(ACCOUNTS, "f1") is None


def test_a_snapshot_with_columns_of_another_release_is_fetched_again(store: Store, monkeypatch) -> None:
    publish(store, ACCOUNTS, "l1")
    monkeypatch.setattr("nectar_notebooks.cache.snapshots.columns_digest", lambda table: "another release's")
    with pytest.warns(CacheWarning, match="another release"):
        assert store.find(ACCOUNTS, "f1") is None


def test_an_unreadable_entry_is_dropped(store: Store) -> None:
    publish(store, ACCOUNTS, "l1")
    publish(store, OTHER, "kept")
    with store.manifest.change() as connection:
        connection.execute("UPDATE snapshots SET details='{' WHERE scope='company/c-1'")
    with pytest.warns(CacheWarning, match="cannot be read"):
        assert store.find(ACCOUNTS, "f1") is None
    assert lines_of(store, OTHER) == ["kept"]


@pytest.mark.fault
def test_what_cannot_be_written_leaves_the_old_generation(store: Store) -> None:
    publish(store, ACCOUNTS, "old")
    home = store.root / ACCOUNTS.folder
    bad = {"line_item_accounts": relation("new").assign(account_id=[object()])}
    with pytest.raises(Exception, match="object"):
        store.publish(ACCOUNTS, bad, fingerprint="f1", fetched=NOW, details=Details(began=""))
    assert lines_of(store, ACCOUNTS) == ["old"]
    assert len(list(home.iterdir())) == 1, "the draft is gone"


def _publish_many(root: str, name: str) -> None:
    store = Store(Path(root))
    for number in range(15):
        with store.lock(ACCOUNTS):
            publish(store, ACCOUNTS, *[f"{name}-{number}"] * 50)


@pytest.mark.fault
def test_two_processes_writing_at_once_leave_one_whole_generation(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_publish_many, args=(str(tmp_path), name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = Store(tmp_path)
    lines = lines_of(store, ACCOUNTS)
    assert lines is not None
    assert len(lines) == 50
    assert len(set(lines)) == 1
    assert len(files(store, ACCOUNTS)) == 1

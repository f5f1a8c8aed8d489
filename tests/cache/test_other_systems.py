"""What Windows, macOS and whoever puts links into the folder do to a cache: by simulation, and by real links."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from threading import Event, Thread

import pandas as pd
import pyarrow.parquet as pq
import pytest

import nectar_notebooks as nn
from nectar_notebooks import CacheWarning
from nectar_notebooks.cache import Details, Realm, SnapshotKey, Store, housekeeping
from nectar_notebooks.client.files import file_name

pytestmark = pytest.mark.fault

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
REALM = Realm("api.example", "v2.2", "production")
KEY = SnapshotKey(REALM, "accounts", "company/c-1")


def relation(*lines: str) -> pd.DataFrame:
    return pd.DataFrame({"line_item_id": list(lines), "account_id": list(lines)}, dtype="str")


def publish(store: Store, *lines: str, key: SnapshotKey = KEY) -> None:
    frames = {"line_item_accounts": relation(*lines)}
    store.publish(key, frames, fingerprint="f1", fetched=NOW, details=Details(began=NOW.isoformat()))


def lines_of(store: Store, key: SnapshotKey = KEY) -> list[str] | None:
    snapshot = store.find(key, "f1")
    return None if snapshot is None else store.read(snapshot)["line_item_accounts"]["line_item_id"].tolist()


# -------------------------------------------------------------------------------------------------------- links


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder outside the cache that looks like a generation and must stay as it is."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name in ("snapshot.json", "line_item_accounts.parquet", "manifest.sqlite3", "notes.txt"):
        (folder / name).write_text("theirs")
    return folder


def untouched(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} == {
        "snapshot.json", "line_item_accounts.parquet", "manifest.sqlite3", "notes.txt",
    } and all(path.read_text() == "theirs" for path in folder.iterdir())  # fmt: skip


def put_link(place: Path, theirs: Path) -> None:
    if place.is_dir():
        place.rename(place.with_name(f"{place.name} of before"))
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(theirs)


@pytest.mark.parametrize("part", range(6))
def test_a_link_in_place_of_any_folder_is_not_followed(tmp_path: Path, theirs: Path, part: int) -> None:
    """The root of ours, host, version, profile, company, resource: nothing is written, read or deleted behind it."""
    cache = tmp_path / "cache"
    put_link(cache.joinpath("v1", *KEY.folder.parts[:part]), theirs)
    store = Store(cache)
    with pytest.warns(CacheWarning, match="symbolic link") as said:
        publish(store, "new")
    assert len(said) == 1
    assert lines_of(store) == ["new"], "from memory"
    store.drop(KEY)
    assert lines_of(store) is None
    housekeeping.clear(cache)
    assert untouched(theirs)


def test_links_in_place_of_generations_files_and_locks(tmp_path: Path, theirs: Path) -> None:
    cache = tmp_path / "cache"
    store = Store(cache)
    publish(store, "one")
    home = store.root / KEY.folder
    put_link(home / "a generation", theirs)
    put_link(store.root / "locks", theirs)
    with store.lock(KEY):
        publish(store, "two")
    assert lines_of(store) == ["two"]
    assert not (home / "a generation").is_symlink(), "the link alone went"
    [file] = home.rglob("*.parquet")
    put_link(file, theirs / "line_item_accounts.parquet")
    with pytest.warns(CacheWarning, match="no file of its own"), pytest.raises(Exception, match="no file"):
        lines_of(store)
    publish(store, "three")
    put_link(store.root / "aside", theirs)
    housekeeping.prune(cache, older_than=pd.Timedelta(0).to_pytimedelta(), clock=nn.FrozenClock("2026-02-01T00:00:00Z"))
    assert housekeeping.size(cache) >= 0
    assert untouched(theirs)


@pytest.mark.parametrize("name", ["manifest.sqlite3", "manifest.sqlite3-wal", "manifest.sqlite3-shm"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_in_place_of_the_manifest(tmp_path: Path, theirs: Path, name: str, dangling: bool) -> None:
    cache = tmp_path / "cache"
    store = Store(cache)
    publish(store, "kept")
    store.close()
    target = theirs / ("nowhere" if dangling else "manifest.sqlite3")
    put_link(store.root / name, target)
    again = Store(cache)
    with pytest.warns(CacheWarning, match="is a symbolic link"):
        assert lines_of(again) == ["kept"], "the folders say what they hold"
    assert untouched(theirs)


# ------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "text", ["CON", "nul", "Aux.x", "com1", "LPT9.txt", "a.", "a ", "...", "x" * 300, "é" * 90, "\ud800"]
)
def test_folders_have_names_that_every_system_takes(text: str) -> None:
    for part in SnapshotKey(Realm(text, "v2.2", "production"), text, f"company/{text}").folder.parts:
        stem = part.partition(".")[0].upper()
        assert stem not in {"CON", "NUL", "AUX", "COM1", "LPT9"}
        assert part[-1] not in ". "
        assert part.isascii()
        assert not set(part) & set('<>:"/\\|?*')


def test_ids_that_differ_by_case_alone_have_folders_of_their_own(tmp_path: Path) -> None:
    """Where Windows and macOS see one folder, one company's refresh would sweep away the other's."""
    store = Store(tmp_path)
    keys = [SnapshotKey(REALM, "accounts", f"company/{name}") for name in ("Harbor", "harbor", "HARBOR")]
    for key in keys:
        publish(store, key.scope, key=key)
    assert len({str(key.folder).lower() for key in keys}) == 3
    assert [lines_of(store, key) for key in keys] == [[key.scope] for key in keys]


def test_paths_stay_within_what_windows_takes() -> None:
    """260 characters: the user's cache folder, ours in it, a draft and the file of the longest name."""
    root = PurePosixPath("C:/Users/a.very.long.user.name/AppData/Local/nectar_notebooks/v1")
    for length in (1, 36, 79, 80, 300):
        key = SnapshotKey(
            Realm("external.nectarclimate.com", "v2.2", "production"), "b" * length, "question/" + "a" * length
        )
        assert len(str(root / key.folder / f".{'f' * 32}" / "invitation_connections.parquet")) < 260


@pytest.mark.parametrize("called", ["CON", "con.pdf", "AUX.tar.gz", "Lpt1.PDF", "com¹.pdf", "nul .pdf"])
def test_a_downloaded_file_has_the_name_of_no_device(called: str) -> None:
    assert file_name(called, "b1") == f"_{called}"
    assert file_name("confirmation.pdf", "b1") == "confirmation.pdf"


# ------------------------------------------------------------------------------- files that are open, and locks


@pytest.fixture
def open_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to delete or rename what is open in this process, as Windows does, and folders that hold such files."""

    def refusing(function):
        def guarded(path, *more, **named):
            within = named.get("dir_fd")
            full = Path(f"/proc/self/fd/{within}").readlink() / path if within else Path(path)
            opened = []
            for descriptor in Path("/proc/self/fd").iterdir():
                with suppress(OSError):
                    opened.append(descriptor.readlink())
            if any(one.is_file() and one.is_relative_to(full.absolute()) for one in opened):
                raise PermissionError(
                    13, "The process cannot access the file because it is being used by another process"
                )
            return function(path, *more, **named)

        return guarded

    for name in ("replace", "rename", "unlink", "remove", "rmdir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))


def test_a_generation_that_somebody_reads_is_replaced_all_the_same(tmp_path: Path, open_files_stay) -> None:
    store = Store(tmp_path)
    publish(store, "one")
    [file] = store.root.rglob("*.parquet")
    with pq.ParquetFile(file):
        publish(store, "two")
        assert lines_of(store) == ["two"]
        assert file.exists(), "it could not go while it was open"
    publish(store, "three")
    assert lines_of(store) == ["three"]
    assert not file.exists()


def test_a_manifest_that_breaks_while_another_notebook_has_it_open(tmp_path: Path, open_files_stay) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    publish(one, "kept")
    assert lines_of(other) == ["kept"]
    one.manifest.close()
    manifest = one.root / "manifest.sqlite3"
    manifest.write_bytes(b"no database" * 400)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        for store in (one, other, one):
            assert lines_of(store) == ["kept"]
        publish(one, "new")
        assert lines_of(one) == ["new"]


HOLDER = """
import sys
from pathlib import Path
from nectar_notebooks.cache import Realm, SnapshotKey, Store
with Store(Path(sys.argv[1])).lock(SnapshotKey(Realm("api.example", "v2.2", "production"), "accounts", "company/c-1")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["released", "killed"])
def test_a_writer_waits_for_another_process_and_for_none_that_died(tmp_path: Path, end: str) -> None:
    got = Event()

    def write() -> None:
        store = Store(tmp_path)
        with store.lock(KEY):
            got.set()
            publish(store, "after")

    writer = Thread(target=write)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        writer.start()
        assert not got.wait(0.3), "the other process holds it"
        if end == "killed":
            holder.kill()
        else:
            holder.stdin.close()
        writer.join(60)
    assert got.is_set()
    assert lines_of(Store(tmp_path)) == ["after"]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_that_cannot_lock_is_worked_on_without(monkeypatch, tmp_path: Path, code: int) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", flock)
    store = Store(tmp_path)
    with store.lock(KEY):
        publish(store, "written")
    assert lines_of(store) == ["written"]

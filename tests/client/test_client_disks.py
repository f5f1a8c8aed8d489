"""Cache folders on disks that are full, read-only or limited: kept rows are read, new ones right, all is said once."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from client.hand_written_api import KEY, HandWrittenApi
from client.walks import grow

from nectar_notebooks import CacheWarning, Nectar, NectarError

pytestmark = pytest.mark.fault

FETCH = """
import os, signal, sys, warnings
from nectar_notebooks import FrozenClock, connect
warnings.simplefilter("always")
nectar = connect("production", base_url=sys.argv[1], cache_dir=sys.argv[2], key=sys.argv[3],
                 clock=FrozenClock("2026-01-15T09:00:00Z"))
portfolio = nectar.portfolio()
before = nectar.last_fetch["requests"]
nectar.usage()
print(len(portfolio.usage), before, nectar.last_fetch["requests"], flush=True)
if len(sys.argv) > 4:
    os.kill(os.getpid(), signal.SIGKILL)
"""
#: How a process that filled a cache ended: what it wrote last may still stand in the manifest's log.
ENDS = ([], ["killed"])


def fetch(api: HandWrittenApi, folder: Path, *words: str, limit: str = "") -> tuple[str, str]:
    """Fetch in another process, under a limit of the shell; return what it printed, and its warnings."""
    command = [sys.executable, "-c", FETCH, api.url, str(folder), KEY, *words]
    if limit:
        command = ["bash", "-c", f'{limit}; exec "$@"', "bash", *command]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in run.stderr, run.stderr
    return run.stdout.strip(), run.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount small file systems in memory."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / f"disk {len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "nectar-tests", str(place)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            pytest.skip(f"nothing can be mounted here: {run.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def make_read_only(place: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)


def fill_up(place: Path) -> None:
    """Leave no byte free."""
    for size in (1 << 16, 1 << 12, 1):
        try:
            with (place / f"ballast {size}").open("wb", buffering=0) as file:
                while file.write(b"x" * size):
                    pass
        except OSError:
            continue


def assert_same(one: Nectar, other: Nectar) -> None:
    told = other.portfolio()
    for name, frame in one.portfolio():
        pd.testing.assert_frame_equal(frame, getattr(told, name), obj=name)
    pd.testing.assert_frame_equal(one.status_history(), other.status_history())


@pytest.mark.parametrize("end", ENDS, ids=["ended", "killed"])
@pytest.mark.parametrize("spoil", [make_read_only, fill_up])
def test_warm_rows_are_read_from_a_disk_that_cannot_be_written(api, join, tmp_path, clock, disk, end, spoil) -> None:
    grow(api, 400)
    place = disk("8m")
    fetch(api, place / "cache", *end)
    spoil(place)
    api.take_log()
    nectar = join(cache_dir=place / "cache")  # a warning would be an error
    for question in (nectar.portfolio, nectar.usage, nectar.status_history, nectar.companies):
        question()
    assert api.take_log() == []
    assert_same(nectar, join(cache_dir=tmp_path / "elsewhere"))
    assert len(join(cache_dir=place / "cache", offline=True).usage()) == 400


@pytest.mark.parametrize("spoil", [make_read_only, fill_up])
def test_what_is_old_there_is_refreshed_by_changes_with_one_warning(api, join, tmp_path, clock, disk, spoil) -> None:
    grow(api, 400)
    place = disk("8m")
    fetch(api, place / "cache")
    shutil.copytree(place / "cache", tmp_path / "twin")
    spoil(place)
    clock.advance(days=2)
    api.state["documents"]["c1"][5].update(totalCharges="77.00", updated="2026-01-16T08:00:00Z")
    nectar = join(cache_dir=place / "cache")
    api.take_log()
    with pytest.warns(CacheWarning, match="could not be kept") as said:
        bills = nectar.bills()
    assert len(said) == 1
    asked = sorted(api.take_log())
    join(cache_dir=tmp_path / "twin").bills()
    assert asked == sorted(api.take_log()), "no more than where everything is kept"
    assert 77.0 in set(bills["total_charges"])
    assert_same(nectar, join(cache_dir=tmp_path / "twin"))


@pytest.mark.parametrize("size", ["4k", "40k", "160k", "read-only"])
def test_a_cold_walk_returns_its_rows_from_memory_with_one_warning(api, join, tmp_path, disk, size) -> None:
    grow(api, 400)
    place = disk("8m" if size == "read-only" else size)
    if size == "read-only":
        make_read_only(place)
    nectar = join(cache_dir=place / "a folder" / "in it")
    api.take_log()
    with pytest.warns(CacheWarning, match="could not be kept.*held in memory.*cache_dir=") as said:
        nectar.portfolio()
    assert len(said) == 1
    spent = api.take_log()
    assert len(spent) == len(set(spent)), "nothing is asked for twice"
    nectar.usage(), nectar.bills(), nectar.portfolio()
    assert api.take_log() == [], "they are held in memory"
    assert_same(nectar, join(cache_dir=tmp_path / "elsewhere"))


@pytest.mark.parametrize("blocks", [0, 1, 8, 40])
def test_a_limit_on_files_harms_no_row(api, tmp_path, join, blocks: int) -> None:
    grow(api, 400)
    printed, said = fetch(api, tmp_path / "cold", limit=f"ulimit -f {blocks}")
    assert printed.split()[::2] == ["400", "0"], said
    assert said.count("CacheWarning: Rows could not be kept") == 1, said
    fetch(api, tmp_path / "warm")
    printed, said = fetch(api, tmp_path / "warm", limit=f"ulimit -f {blocks}")
    assert printed == "400 0 0", said
    assert said == ""
    api.take_log()
    assert_same(join(cache_dir=tmp_path / "warm"), join(cache_dir=tmp_path / "warm", offline=True))
    assert api.take_log() == []


def test_verbs_and_drops_work_where_nothing_can_be_written(api, join, disk) -> None:
    """A forgotten snapshot stays forgotten, in memory."""
    grow(api, 400)
    place = disk("8m")
    fetch(api, place / "cache")
    make_read_only(place)
    nectar = join(cache_dir=place / "cache")
    nectar.portfolio()
    api.take_log()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        nectar.refresh()
        assert any("UPDATED_DATE" in path for path in api.take_log())
        nectar.portfolio()
    assert api.take_log() == []


@pytest.mark.parametrize("name", ["no\0folder", "~nobody-at-all/x", "x" * 5000, "\udcff\ud800", "\udcff", "d/" * 1500])
def test_a_name_that_no_folder_has_is_said(join, name: str) -> None:
    with pytest.raises(NectarError, match="cache folder") as caught:
        join(cache_dir=name).companies()
    assert "cache_dir" in str(caught.value)


@pytest.mark.parametrize("given", [7, b"folder", object(), ["folder"]])
def test_what_is_no_path_is_said(join, given: object) -> None:
    with pytest.raises(NectarError, match="must be a path"):
        join(cache_dir=given)


def test_a_damaged_portfolio_is_put_together_again_and_no_request_is_spent(api, join, tmp_path) -> None:
    nectar = join()
    nectar.portfolio()
    [folder] = (tmp_path / "cache").rglob("portfolio")
    next(folder.rglob("bills.parquet")).unlink()
    api.take_log()
    with pytest.warns(CacheWarning) as said:
        bills = join().bills()
    assert api.take_log() == []
    assert bills.attrs["nectar"]["source"] == "cache"
    [one] = said
    assert "put together again" in str(one.message)
    assert "fetched again" not in str(one.message)

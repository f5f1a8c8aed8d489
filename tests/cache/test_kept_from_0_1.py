"""Caches and ledgers that 0.1 wrote are used, or their rows are fetched again: never an exception, never a wrong row.

The files in `kept_from_0_1` were made by 0.1 itself; `make.py` beside them says how.
"""

from __future__ import annotations

import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from waitress.server import create_server

import nectar_notebooks as nn
from nectar_notebooks import CacheWarning
from nectar_notebooks.cache import housekeeping
from nectar_notebooks.errors import OfflineError
from nectar_notebooks.webhooks import Event, Ledger, Receiver

KEPT = Path(__file__).with_name("kept_from_0_1")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: The address at which 0.1 fetched the rows; it is part of their place in the cache.
PORT = 18731
WHOLE, PART = "Tamarack Resorts", "Meridian Outfitters"
NOUNS = ("connections", "accounts", "sites", "meters", "bills", "line_items", "usage", "demand", "time_of_use")


@pytest.fixture
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=31, sites=4, months=12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache folder of 0.1."""
    with zipfile.ZipFile(KEPT / "cache.zip") as packed:
        packed.extractall(tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def join(sandbox: nn.Sandbox) -> Callable[..., nn.Nectar]:
    clock = nn.FrozenClock(sandbox.clock.now() + timedelta(hours=1))

    def connected(cache_dir: Path, **settings: object) -> nn.Nectar:
        address = f"http://127.0.0.1:{PORT}"
        return nn.connect("production", base_url=address, key=sandbox.key, cache_dir=cache_dir, clock=clock, **settings)

    return connected


@pytest.fixture
def served(sandbox: nn.Sandbox) -> Iterator[None]:
    """The sandbox at the address of 0.1, without the header that tells it from the real API."""

    def as_the_real_api(environ, start_response):
        def start(status, headers, *more):
            return start_response(status, [one for one in headers if one[0] != "Nectar-Embedded-Sandbox"], *more)

        return sandbox.app.wsgi_app(environ, start)

    server = create_server(as_the_real_api, host="127.0.0.1", port=PORT, threads=12)
    thread = Thread(target=server.run)
    thread.start()
    yield
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(10)


def frames_of(nectar: nn.Nectar, company: str) -> dict[str, pd.DataFrame]:
    return {noun: getattr(nectar, noun)(company) for noun in NOUNS}


def without_marks(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs.clear()
    return frame


@pytest.mark.served
def test_every_row_is_as_a_client_without_that_cache_gets_it(folder: Path, join, served, tmp_path: Path) -> None:
    truth = join(tmp_path / "fresh")
    nectar = join(folder)
    part = {"start": "2025-11", "end": "2025-11"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)  # which says what is fetched again, and why
        pd.testing.assert_frame_equal(
            without_marks(nectar.usage(PART, **part)), without_marks(truth.usage(PART, **part))
        )
        for company in (WHOLE, PART):
            told, true = frames_of(nectar, company), frames_of(truth, company)
            for noun in NOUNS:
                pd.testing.assert_frame_equal(without_marks(told[noun]), without_marks(true[noun]), obj=noun)
        assert set(nectar.status_history(WHOLE)["connection_id"]) == set(truth.status_history(WHOLE)["connection_id"])
        assert nectar.status_history(WHOLE)["seen"].min() < truth.status_history(WHOLE)["seen"].min(), "kept from 0.1"
        nectar.refresh()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = join(folder)
        again.usage(WHOLE)
        assert again.last_fetch["requests"] == 0, "what this release kept is its own"


@pytest.mark.served
def test_a_walk_that_0_1_began_is_finished(folder: Path, join, served, tmp_path: Path) -> None:
    nectar = join(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        told = nectar.usage(PART)
    pd.testing.assert_frame_equal(without_marks(told), without_marks(join(tmp_path / "fresh").usage(PART)))


@pytest.mark.parametrize("company", [WHOLE, PART])
def test_offline_it_answers_or_says_what_is_missing(folder: Path, join, company: str) -> None:
    nectar = join(folder, offline=True)
    assert company in set(nectar.companies()["name"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        assert len(nectar.connections(company))
        for noun in ("bills", "usage", "line_items"):
            with suppress(OfflineError):  # which says what was never fetched; nothing else may happen
                getattr(nectar, noun)(company)
        assert len(nectar.status_history(company))


def test_a_lost_manifest_of_0_1_is_made_anew_from_its_folders(folder: Path, join) -> None:
    (folder / "v1" / "manifest.sqlite3").write_bytes(b"no database" * 400)
    nectar = join(folder, offline=True)
    with pytest.warns(CacheWarning, match="made anew"):
        assert len(nectar.connections(WHOLE)) == 4


def test_the_cache_command_lists_prunes_and_clears_it(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)
        assert set(housekeeping.contents(folder)["resource"]) >= {"companies", "company", "connections", "usage"}
        assert housekeeping.size(folder) > 0
        assert housekeeping.prune(folder, older_than=timedelta(0), clock=nn.FrozenClock("2026-03-01T00:00:00Z")) > 0
        assert len(housekeeping.contents(folder)) == 0
    housekeeping.clear(folder)
    assert list(folder.iterdir()) == []


def test_a_ledger_of_0_1_is_read_and_its_events_are_handled(tmp_path: Path) -> None:
    shutil.copy(KEPT / "ledger.db", tmp_path / "ledger.db")
    ledger = Ledger(tmp_path / "ledger.db", clock=nn.FrozenClock("2026-02-01T00:00:00Z"))
    assert ledger.counts() == {"received": 1, "handling": 0, "failed": 1, "done": 4, "dead": 1}
    [dead] = ledger.list(state="dead")
    entry, body = ledger.show(dead.id)
    assert entry.error == "the handler raised ValueError"
    assert body["eventType"] == entry.type
    ledger.replay(dead.id)
    handled: list[Event] = []
    receiver = Receiver(SECRET, ledger, handled.append)
    receiver.start()
    assert receiver.drain(60)
    receiver.close()
    assert ledger.counts()["done"] == 7
    assert dead.id in {event.id for event in handled}
    assert ledger.prune(days=0) >= 4
    ledger.close()

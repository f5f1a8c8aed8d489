"""The hand-written API, and a client of it with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.hand_written_api import KEY, HandWrittenApi

from nectar_notebooks import FrozenClock, Nectar, connect


@pytest.fixture
def api() -> Iterator[HandWrittenApi]:
    server = HandWrittenApi()
    yield server
    server.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock("2026-01-15T09:00:00Z")


@pytest.fixture
def join(api: HandWrittenApi, clock: FrozenClock, tmp_path: Path) -> Callable[..., Nectar]:
    """Connect to the hand-written API; every connection shares one cache folder."""

    def connected(**settings: object) -> Nectar:
        place = {"base_url": api.url, "cache_dir": tmp_path / "cache", "key": KEY, "clock": clock}
        return connect("production", **{**place, **settings})

    return connected

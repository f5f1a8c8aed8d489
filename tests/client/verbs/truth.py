"""Where the sandbox is reached, and whether what a client keeps is what the API holds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from nectar_notebooks import Nectar, Sandbox, connect

_numbers = count()

#: Both transports, and the older versions over the one that proves more.
everywhere = pytest.mark.parametrize(
    ("place", "version"),
    [
        ("in process", "v2.2"),
        *(pytest.param("served", version, marks=pytest.mark.served) for version in ("v2.2", "v2.1", "v2.0")),
    ],
    indirect=["place"],
)


@dataclass
class Place:
    """A sandbox and how it is reached: in process, or at an address."""

    sandbox: Sandbox
    folder: Path
    url: str = ""

    def connect(self, *, version: str = "v2.2", cache: str = "cache", **more: object) -> Nectar:
        """Connect; clients with one `cache` share it."""
        where: dict[str, object] = {"sandbox": self.sandbox}
        if self.url:
            where = {"base_url": self.url, "key": self.sandbox.key, "clock": self.sandbox.clock}
        return connect("local", version=version, cache_dir=self.folder / cache, **{**where, **more})

    def fresh(self, version: str = "v2.2") -> Nectar:
        """Connect with nothing kept."""
        return self.connect(version=version, cache=f"fresh-{next(_numbers)}")

    def assert_true(self, nectar: Nectar, *companies: str, version: str = "v2.2") -> None:
        """Compare every table that a client answers with, kept or not, with what one that kept nothing is told."""
        cache = f"fresh-{next(_numbers)}"
        asked = self.connect(version=version, cache=cache)
        pd.testing.assert_frame_equal(nectar.companies(), asked.companies())
        for company in companies or asked.companies()["company_id"].iloc[:1]:
            kept, told = nectar.portfolio(company), asked.portfolio(company)
            for name, frame in told:
                pd.testing.assert_frame_equal(getattr(kept, name), frame, obj=name)
        shutil.rmtree(self.folder / cache)

    def spent(self) -> int:
        """Return how many requests the sandbox has seen."""
        return len(self.sandbox.journal)

    def writes(self, route: str = "") -> list[str]:
        """Return the methods of the requests that change something, in order."""
        return [row["method"] for row in self.sandbox.journal if row["method"] != "GET" and route in row["route"]]


def same_row(row: pd.DataFrame, noun: pd.DataFrame) -> None:
    """Compare what a verb returned with the noun's row of the same key."""
    key = row.columns[0]
    assert list(row.columns) == list(noun.columns)
    found = noun[noun[key] == row[key].iloc[0]].reset_index(drop=True)
    pd.testing.assert_frame_equal(row, found)

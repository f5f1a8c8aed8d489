"""An embedded sandbox to examine, and a machine on which no key stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nectar_notebooks as nn


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("NECTAR_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # no .env of a developer


@pytest.fixture(scope="module")
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=3, sites=6, months=14)

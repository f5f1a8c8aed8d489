"""An embedded sandbox to examine, and a machine on which no key stands."""

from __future__ import annotations

import pytest

import nectar_notebooks as nn


@pytest.fixture(autouse=True)
def _no_settings(no_settings: None) -> None:
    pass


@pytest.fixture(scope="module")
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=3, sites=6, months=14)

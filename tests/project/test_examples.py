"""The examples in the docstrings of the command and the pictures run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from nectar_notebooks import cli, plots

MODULES = [
    f"{package.__name__}.{module.name}" for package in (cli, plots) for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", [cli.__name__, *MODULES])
def test_the_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NECTAR_SANDBOX_SEED", raising=False)
    assert doctest.testmod(importlib.import_module(name)).failed == 0

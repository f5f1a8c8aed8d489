"""The package's face: every name is there, nothing heavy comes before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import nectar_notebooks as nn


@pytest.mark.parametrize("name", nn.__all__)
def test_every_public_name_is_there_and_is_what_it_says(name: str) -> None:
    value = getattr(nn, name)
    modules = {"errors", "exports", "invitations", "plots", "statuses", "webhooks"}
    assert isinstance(value, ModuleType) == (name in modules)
    assert value.__doc__


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(nn.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [alias.asname or alias.name for node in block.body for alias in node.names]
    assert sorted(seen) == sorted(nn.__all__) == sorted(dir(nn))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'conect'"):
        _ = nn.conect


@pytest.mark.parametrize(
    ("code", "not_loaded"),
    [
        ("import nectar_notebooks", ["pandas", "requests", "flask", "matplotlib", "ipywidgets", "pyarrow"]),
        ("import nectar_notebooks as nn; nn.connect", ["flask", "matplotlib", "ipywidgets", "pyarrow", "pandas"]),
        ("import nectar_notebooks as nn; nn.Nectar", ["flask", "matplotlib", "ipywidgets"]),
    ],
)
def test_heavy_packages_come_on_use(code: str, not_loaded: list[str]) -> None:
    shown = f"{code}; import sys; print([name for name in {not_loaded} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

"""Sandboxes over the small world, in process and served; `ask` is the same for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_asker import Asker
from small_world import small_world

from nectar_notebooks.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(world=small_world())
    yield sandbox
    sandbox.close()


@pytest.fixture(params=["in process", "served"])
def ask(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Asker]:
    if request.param == "in process":
        yield Asker(sandbox)
    else:
        with sandbox.serve() as served:
            yield Asker(sandbox, served.url)


@pytest.fixture
def make() -> Iterator[Callable[..., Asker]]:
    """Return a function that makes a sandbox with given arguments and an asker for it, in process."""
    made: list[Sandbox] = []

    def make_one(**arguments: Any) -> Asker:
        sandbox = Sandbox(**({"world": small_world()} | arguments))
        made.append(sandbox)
        return Asker(sandbox)

    yield make_one
    for sandbox in made:
        sandbox.close()

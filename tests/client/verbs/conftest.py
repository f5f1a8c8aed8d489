"""An embedded sandbox, in process or served, a client whose cache is warm, and one that asks everything anew.

In process every change of the sandbox is seen by the next noun anyhow; that a verb drops what it changed is shown over
a real socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.verbs.truth import Place
from sandbox_app.small_world import ACME, small_world

from nectar_notebooks import Nectar, Sandbox

BOTH = ["in process", pytest.param("served", marks=pytest.mark.served)]


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Return a sandbox of the small world; a parameter positions its switches."""
    world = small_world()
    for bill in world.documents:
        bill["url"] = bill["url"].replace("files.example", "files.nectarclimate.example/bills")
    sandbox = Sandbox(world=world, switches=getattr(request, "param", None))
    yield sandbox
    sandbox.close()


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Iterator[Place]:
    if request.param == "in process":
        yield Place(sandbox, tmp_path)
    else:
        with sandbox.serve() as served:
            yield Place(sandbox, tmp_path, served.url)


@pytest.fixture
def served(sandbox: Sandbox, tmp_path: Path) -> Iterator[Place]:
    with sandbox.serve() as address:
        yield Place(sandbox, tmp_path, address.url)


@pytest.fixture
def company() -> str:
    return ACME


@pytest.fixture
def warm(place: Place, company: str) -> Callable[..., Nectar]:
    """Return a client that has read all of the company, in a version."""

    def connected(version: str = "v2.2") -> Nectar:
        nectar = place.connect(version=version)
        nectar.portfolio(company)
        return nectar

    return connected

"""The pytest plugin: fixtures that lead the code under test to a seeded embedded sandbox.

pytest finds it by the package's entry point; nothing of ours is imported before a test asks for a fixture. How
connections are led stands in `connecting`, what a sandbox does in `sandbox`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from nectar_notebooks.client import Nectar
    from nectar_notebooks.sandbox import Sandbox

_SEED: Final = "nectar_seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the seed as a setting of the project under test."""
    parser.addini(_SEED, "seed of the embedded sandbox that nectar_sandbox and nectar use (default: 1)", default="1")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", f"{_SEED}(seed): this test's seed of the embedded sandbox")


@pytest.fixture(scope="session")
def _nectar_sandboxes() -> Iterator[dict[int, Sandbox]]:
    """Keep the sandboxes of this session, one a seed: their bills are made once."""
    made: dict[int, Sandbox] = {}
    yield made
    for sandbox in made.values():
        sandbox.close()


@pytest.fixture
def nectar_sandbox(request: pytest.FixtureRequest, _nectar_sandboxes: dict[int, Sandbox]) -> Iterator[Sandbox]:
    """Lead ``nn.connect()`` to an embedded sandbox, which is the same at the start of each test, and return it.

    Whatever environment, key and address the code under test names: see `nectar_notebooks.connecting.rehearsal`.
    Processes that the test starts are led to a sandbox of their own, of the same seed.
    """
    from nectar_notebooks.connecting import rehearsal
    from nectar_notebooks.sandbox import Sandbox

    seed = _seed(request)
    if seed not in _nectar_sandboxes:
        _nectar_sandboxes[seed] = Sandbox(seed=seed)
        _nectar_sandboxes[seed].prepare()
    sandbox = _nectar_sandboxes[seed]
    with rehearsal(sandbox), pytest.MonkeyPatch.context() as patch:
        patch.setenv("NECTAR_REHEARSAL", "1")
        patch.setenv("NECTAR_SANDBOX_SEED", str(seed))
        yield sandbox
    try:
        sandbox.reset()
    except sqlite3.ProgrammingError:  # the test closed it: the next one gets another
        del _nectar_sandboxes[seed]


@pytest.fixture
def nectar(nectar_sandbox: Sandbox) -> Nectar:
    """Return a client of the test's embedded sandbox."""
    from nectar_notebooks.connecting import connect

    return connect(sandbox=nectar_sandbox)


def _seed(request: pytest.FixtureRequest) -> int:
    """Return the seed that the test's marker names, else the project's."""
    marker = request.node.get_closest_marker(_SEED)
    if marker is None:
        given = request.config.getini(_SEED)
    elif len(marker.args) == 1 and not marker.kwargs:
        given = marker.args[0]
    else:
        given = None
    try:
        return int(given)
    except (TypeError, ValueError):
        pytest.fail(
            f"{_SEED} takes one whole number: @pytest.mark.{_SEED}(2), or {_SEED} = 2 in the settings of pytest.",
            pytrace=False,
        )

"""The pytest plugin: fixtures that connect the code under test to a seeded embedded sandbox.

pytest finds it through the package's entry point; the package is imported only when a test uses a fixture. `connecting`
redirects the connections.
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
    """Add the ini option for the seed."""
    parser.addini(_SEED, "seed of the embedded sandbox that nectar_sandbox and nectar use (default: 1)", default="1")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{_SEED}(seed): this test's seed of the embedded sandbox")


@pytest.fixture(scope="session")
def _nectar_sandboxes() -> Iterator[dict[int, Sandbox]]:
    """Keep one sandbox per seed for the session, so that its bills are generated once."""
    made: dict[int, Sandbox] = {}
    yield made
    for sandbox in made.values():
        sandbox.close()


@pytest.fixture
def nectar_sandbox(request: pytest.FixtureRequest, _nectar_sandboxes: dict[int, Sandbox]) -> Iterator[Sandbox]:
    """Redirect ``nn.connect()`` to an embedded sandbox, in the same state at the start of each test, and return it.

    Applies to whatever environment, key and address the code under test names, see
    `nectar_notebooks.connecting.rehearsal`. Processes started by the test get their own sandbox with the same seed.
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
    except sqlite3.ProgrammingError:  # the test closed it: the next test gets a new one
        del _nectar_sandboxes[seed]


@pytest.fixture
def nectar(nectar_sandbox: Sandbox) -> Nectar:
    """Return a client of the test's embedded sandbox."""
    from nectar_notebooks.connecting import connect

    return connect(sandbox=nectar_sandbox)


def _seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of the test's marker, else the project's."""
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
            f"{_SEED} takes one integer: @pytest.mark.{_SEED}(2), or {_SEED} = 2 in the pytest settings.",
            pytrace=False,
        )

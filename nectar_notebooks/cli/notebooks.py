"""`nectar notebooks check`: run a folder of notebooks under strict nbval, on a seeded embedded sandbox.

nbval runs and compares the notebooks, in a separate pytest process isolated from the caller's settings. `config` makes
every `connect` in a notebook end at the embedded sandbox.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

#: pytest's exit code when it collected no tests.
_NOTHING: Final = 5


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the family and its command."""
    family = commands.add_parser("notebooks", help="check your notebooks", description="Check your own notebooks.")
    parser = family.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser(
        "check",
        help="run notebooks on the embedded sandbox and compare every output with the saved one",
        description="Run the notebooks in a folder on a seeded embedded sandbox, whatever environment and key they "
        "name, and compare every output with the saved one (nbval, strict). The exit code is 0 if all are equal.",
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="a folder of notebooks, or one notebook")
    parser.add_argument("--seed", type=int, default=1, help="seed of the embedded sandbox (default 1)")
    parser.add_argument(
        "--sanitize", type=Path, metavar="FILE", help="nbval patterns of what may differ (docs/nbval-sanitize.cfg)"
    )
    parser.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("nbval") is None:
        raise ConfigurationError(
            "nbval, which runs and compares notebooks, is not installed.",
            advice="Install it with: pip install 'nectar-notebooks[lab]'.",
        )
    notebooks = _notebooks(arguments.dir)
    if arguments.sanitize is not None and not arguments.sanitize.is_file():
        raise ConfigurationError(f"There is no file {arguments.sanitize}.", advice="Check the path of --sanitize.")
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "pytest.ini")
        settings.write_text("[pytest]\n")  # the caller's pytest settings must not apply
        ended = subprocess.run(  # noqa: S603  our own interpreter, paths as arguments
            [
                *(sys.executable, "-m", "pytest", "-p", "nbval.plugin", "--nbval", "--nbval-current-env", "--tb=short"),
                *(() if sys.stdout.isatty() else ("--color", "no")),  # nbval colors its output unless told not to
                *("-p", "no:cacheprovider", "-c", str(settings), "--rootdir", str(_folder(arguments.dir))),
                *(() if arguments.sanitize is None else ("--nbval-sanitize-with", str(arguments.sanitize))),
                *(str(path) for path in notebooks),
            ],
            env=_environment(arguments.seed),
            check=False,
        )
    if ended.returncode == _NOTHING:
        raise ConfigurationError(f"No notebook in {arguments.dir} has a code cell to run.", advice="Check the path.")
    some = f"{len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}"
    if ended.returncode == 0:
        print_lines(f"Seed {arguments.seed}: every output of {some} matches the saved one.")
    else:
        print_lines(
            f"Seed {arguments.seed}: {some} checked; some outputs differ from the saved ones, see the cells above."
        )
    if unkept := sum(map(_never_run, notebooks)):
        print_lines(f"{unkept} cells have no saved output and were not compared: run them and save the notebooks.")
    return 1 if ended.returncode else 0


def _notebooks(given: Path) -> list[Path]:
    """Return the notebooks of a folder, except those in hidden folders (checkpoints, environments)."""
    if not given.exists():
        raise ConfigurationError(f"There is no folder {given}.", advice="Check the path.")
    if given.is_file():
        found = [given] if given.suffix == ".ipynb" else []
    else:
        found = sorted(
            path
            for path in given.rglob("*.ipynb")
            if not any(part.startswith(".") for part in path.relative_to(given).parts)
        )
    if not found:
        raise ConfigurationError(
            f"There are no notebooks in {given}.", advice="Name a folder that contains *.ipynb files."
        )
    return [path.resolve() for path in found]


def _never_run(path: Path) -> int:
    """Return how many code cells were never run: nbval has nothing to compare them with and passes them."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return sum(
            cell["cell_type"] == "code" and bool(cell["source"]) and cell["execution_count"] is None for cell in cells
        )
    except (ValueError, LookupError, TypeError):  # not a valid notebook: nbval reports that
        return 0


def _folder(given: Path) -> Path:
    return (given.parent if given.is_file() else given).resolve()


def _environment(seed: int) -> dict[str, str]:
    """Return this environment without NECTAR_* and PYTEST_* variables, directed to the embedded sandbox."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NECTAR_", "PYTEST_"))}
    rehearsal = {"NECTAR_REHEARSAL": "1", "NECTAR_SANDBOX_SEED": str(seed)}
    # Other plugins may interfere with nbval: one that blocks sockets would cut off the kernel.
    return kept | rehearsal | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

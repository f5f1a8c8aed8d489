"""`nectar notebooks check`: a folder of notebooks under strict nbval, on a seeded embedded sandbox.

Running and comparing are nbval's work, in a pytest of its own that knows nothing of the caller's settings; that every
`connect` in a notebook ends at the sandbox is decided in `config`.
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

#: What pytest answers when it found nothing to run.
_NOTHING: Final = 5


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the family and its command."""
    family = commands.add_parser("notebooks", help="check your notebooks", description="Your own notebooks.")
    parser = family.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser(
        "check",
        help="run them on the embedded sandbox and compare every output with the kept one",
        description="Run the notebooks of a folder on a seeded embedded sandbox, whatever environment and key they "
        "name, and compare every output with the one they keep (nbval, strict). The exit code is 0 when all are equal.",
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="a folder of notebooks, or one notebook")
    parser.add_argument("--seed", type=int, default=1, help="seed of the embedded sandbox (default 1)")
    parser.add_argument(
        "--sanitize", type=Path, metavar="FILE", help="what may differ, as nbval's patterns (docs/nbval-sanitize.cfg)"
    )
    parser.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("nbval") is None:
        raise ConfigurationError(
            "nbval, which runs and compares notebooks, is not installed.",
            advice="Install the extra that brings it: pip install 'nectar-notebooks[lab]'.",
        )
    notebooks = _notebooks(arguments.dir)
    if arguments.sanitize is not None and not arguments.sanitize.is_file():
        raise ConfigurationError(f"There is no file {arguments.sanitize}.", advice="Check the path of --sanitize.")
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "pytest.ini")
        settings.write_text("[pytest]\n")  # the caller's settings of pytest are for their tests
        ended = subprocess.run(  # noqa: S603  our own interpreter, paths as arguments
            [
                *(sys.executable, "-m", "pytest", "-p", "nbval.plugin", "--nbval", "--nbval-current-env", "--tb=short"),
                *(() if sys.stdout.isatty() else ("--color", "no")),  # nbval paints unless told
                *("-p", "no:cacheprovider", "-c", str(settings), "--rootdir", str(_folder(arguments.dir))),
                *(() if arguments.sanitize is None else ("--nbval-sanitize-with", str(arguments.sanitize))),
                *(str(path) for path in notebooks),
            ],
            env=_environment(arguments.seed),
            check=False,
        )
    if ended.returncode == _NOTHING:
        raise ConfigurationError(f"No notebook in {arguments.dir} has a cell to run.", advice="Check the path.")
    some = f"{len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}"
    if ended.returncode == 0:
        print_lines(f"Seed {arguments.seed}: every output of {some} is as it was kept.")
    else:
        print_lines(
            f"Seed {arguments.seed}: {some} checked, and not every output is as it was kept; the cells stand above."
        )
    if unkept := sum(map(_never_run, notebooks)):
        print_lines(f"Nothing was compared in {unkept} cells: the notebooks were saved before those were run.")
    return 1 if ended.returncode else 0


def _notebooks(given: Path) -> list[Path]:
    """Return the notebooks of a folder, those in hidden folders (check points, environments) left out."""
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
            f"There are no notebooks in {given}.", advice="Name a folder that holds *.ipynb files."
        )
    return [path.resolve() for path in found]


def _never_run(path: Path) -> int:
    """Return how many cells of a notebook keep nothing to compare with: nbval runs these and lets them pass."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return sum(
            cell["cell_type"] == "code" and bool(cell["source"]) and cell["execution_count"] is None for cell in cells
        )
    except (ValueError, LookupError, TypeError):  # no notebook at all: nbval says so
        return 0


def _folder(given: Path) -> Path:
    return (given.parent if given.is_file() else given).resolve()


def _environment(seed: int) -> dict[str, str]:
    """Return this process's environment without what is set for Nectar and for pytest, led to the sandbox."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NECTAR_", "PYTEST_"))}
    led = {"NECTAR_REHEARSAL": "1", "NECTAR_SANDBOX_SEED": str(seed)}
    return kept | led | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins are for tests: one may block sockets

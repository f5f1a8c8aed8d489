"""`nectar doctor`: say what is wrong with the connection and what to check first.

What is looked at stands in `diagnosis`. The exit code is 1 when something is wrong; there is never a traceback.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import ENVIRONMENTS, VERSIONS
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "doctor",
        help="say what is wrong with the connection, and what to check first",
        description="Say whether a key is found and where, whether it is accepted, and what it sees; where something "
        "is wrong, what to check first. The key is never printed.",
    )
    parser.add_argument(
        "environment", nargs="?", choices=ENVIRONMENTS, help=f"which environment to ask; {WITHOUT_ENVIRONMENT}"
    )
    parser.add_argument("--api-version", choices=VERSIONS, help="which version to ask")
    parser.add_argument("--id", metavar="ID", help="an id that was refused: say what it belongs to")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.doctor import diagnose

    found = diagnose(arguments.environment, version=arguments.api_version, object_id=arguments.id)
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.ok else 1

"""`nectar versions`: what a migration to another version of the API changes, by the bills of a company.

What is compared stands in `diagnosis`, what a version lacks in `schema.versions`. The exit code is 1 where the versions
differ in more than that.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nectar_notebooks.cli.companies import only
from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import ENVIRONMENTS, VERSIONS
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "versions",
        help="compare what two versions of the API say of the same bills",
        description="Fetch a company's bills in two versions of the API, compare them row by row, and list what a "
        "migration changes: columns that a version lacks, and what is written differently on the wire.",
    )
    parser.add_argument(
        "environment", nargs="?", choices=ENVIRONMENTS, help=f"which environment to ask; {WITHOUT_ENVIRONMENT}"
    )
    parser.add_argument("--from", dest="old", choices=VERSIONS, default="v2.1", help="the old version (default: v2.1)")
    parser.add_argument("--to", dest="new", choices=VERSIONS, default=VERSIONS[0], help="the new one (default: v2.2)")
    parser.add_argument("--company", help="an id, an external id or a name; may be left out where there is one")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    nectar = connect(arguments.environment)
    company = arguments.company or only(nectar.companies())
    found = nectar.compare_versions(company, old=arguments.old, new=arguments.new)
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.expected else 1

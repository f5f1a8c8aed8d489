"""`nectar keys compare`: say whether the old key of a rotation can go.

Keys come from where they are kept, or are typed without being shown; never from the command line, which the shell
writes down. What is compared stands in `diagnosis`.
"""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS
from getpass import getpass
from typing import TYPE_CHECKING

from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import ENVIRONMENTS, VERSIONS
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the family and its commands."""
    family = commands.add_parser("keys", help="API keys and their rotation", description="API keys and their rotation.")
    parser = family.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser(
        "compare",
        help="say whether the old key of a rotation can go",
        description="Ping with a new and an old key, compare what they see, and say whether the old one can go. Both "
        'stand, as "new,old", where the key is kept (NECTAR_PRODUCTION_API_KEY and its like, .env, keyring), or are '
        "asked for. They are never printed.",
    )
    parser.add_argument(
        "environment",
        nargs="?",
        metavar=f"{{{','.join(ENVIRONMENTS)}}}",
        help=f"which environment to ask; {WITHOUT_ENVIRONMENT}",
    )
    parser.add_argument("--api-version", choices=VERSIONS, help="which version to ask")
    parser.add_argument(
        "--prompt",
        action="store_true",
        help="ask for both keys, without showing them; they may also be piped in, a line each, the new one first",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    # Whoever gives a key as an argument is told so, without the key being repeated.
    parser.add_argument("--key", "--new", "--old", dest="given", action="append", nargs="*", help=SUPPRESS)
    parser.set_defaults(run=_compare, refuse=parser.error)


def _compare(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    if arguments.given is not None or arguments.environment not in (None, *ENVIRONMENTS):
        arguments.refuse(
            f"the one argument is an environment ({', '.join(ENVIRONMENTS)}). A key is none: the shell writes "
            "arguments into its history. If you gave one, delete it and make another; use --prompt."
        )
    key = (_ask("New key: "), _ask("Old key: ")) if arguments.prompt else None
    nectar = connect(arguments.environment, key=key, version=arguments.api_version)
    try:
        found = nectar.compare_keys()
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, advice='Put "new,old" where the key is kept, or call with --prompt.'
        ) from None
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.old_can_go else 1


def _ask(question: str) -> str:
    if sys.stdin.isatty():
        return getpass(question)
    return sys.stdin.readline()

"""`nectar ping`, `doctor`, `keys compare` and `versions`: short questions about the connection, the keys and the API.

The answers are the work of `diagnosis`; this module parses arguments and prints. Keys come from where they are stored,
or from a prompt that does not echo them; never from the command line, which the shell records in its history.
`doctor`, `keys compare` and `versions` exit with 1 when they find a problem.
"""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS
from getpass import getpass
from typing import TYPE_CHECKING

from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import ENVIRONMENTS, VERSIONS
from nectar_notebooks.errors import ConfigurationError, InvalidRequestError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

    import pandas as pd

__all__ = ["add", "add_environment", "only"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands and their arguments."""
    _add_ping(commands)
    _add_doctor(commands)
    _add_keys(commands)
    _add_versions(commands)


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the environment to ask."""
    parser.add_argument(
        "environment", nargs="?", choices=ENVIRONMENTS, help=f"which environment to ask; {WITHOUT_ENVIRONMENT}"
    )


def only(companies: pd.DataFrame) -> str:
    """Return the id of the only company, for a command that was not told which.

    Raises
    ------
    InvalidRequestError
        There are several, or none.
    """
    if len(companies) == 1:
        return str(companies["company_id"].iloc[0])
    names = ", ".join(companies["name"].dropna()) or "none"
    raise InvalidRequestError(f"There are {len(companies)} companies: {names}.", advice="Name one with --company.")


def _add_ping(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "ping",
        help="check whether the key is accepted",
        description="Check whether the key is accepted. The key comes from NECTAR_API_KEY, NECTAR_SANDBOX_API_KEY, "
        "NECTAR_PRODUCTION_API_KEY, a .env file or the keyring; it is never printed.",
    )
    add_environment(parser)
    parser.add_argument("--api-version", choices=VERSIONS, help="API version")
    parser.set_defaults(run=_ping)


def _ping(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    nectar = connect(arguments.environment, version=arguments.api_version)
    nectar.ping()
    print_lines(f"The key is accepted: {nectar!r}")
    return 0


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="find out what is wrong with the connection, and what to check first",
        description="Report whether a key is found and where, whether it is accepted, what it can see, and, if "
        "something is wrong, what to check first. The key is never printed.",
    )
    add_environment(parser)
    parser.add_argument("--api-version", choices=VERSIONS, help="API version")
    parser.add_argument("--id", metavar="ID", help="an id that was refused: find out what kind of object it is")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.doctor import diagnose

    found = diagnose(arguments.environment, version=arguments.api_version, object_id=arguments.id)
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.ok else 1


def _add_keys(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    family = commands.add_parser("keys", help="API keys and their rotation", description="API keys and their rotation.")
    parser = family.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser(
        "compare",
        help="check whether the old key of a rotation can be deleted",
        description="Ping with a new and an old key, compare what they see, and say whether the old one can be "
        'deleted. Both are read, as "new,old", from where the key is stored (NECTAR_PRODUCTION_API_KEY and the like, '
        ".env, keyring), or prompted for. They are never printed.",
    )
    parser.add_argument(
        "environment",
        nargs="?",
        metavar=f"{{{','.join(ENVIRONMENTS)}}}",
        help=f"which environment to ask; {WITHOUT_ENVIRONMENT}",
    )
    parser.add_argument("--api-version", choices=VERSIONS, help="API version")
    parser.add_argument(
        "--prompt",
        action="store_true",
        help="prompt for both keys without echo; they may also be piped in, one per line, the new one first",
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    # Catches a key given as an argument, so that the refusal can explain why without repeating the key.
    parser.add_argument("--key", "--new", "--old", dest="given", action="append", nargs="*", help=SUPPRESS)
    parser.set_defaults(run=_compare_keys, refuse=parser.error)


def _compare_keys(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    if arguments.given is not None or arguments.environment not in (None, *ENVIRONMENTS):
        arguments.refuse(
            f"the only argument is an environment ({', '.join(ENVIRONMENTS)}). Keys are not accepted here: the shell "
            "records arguments in its history. If you gave a key, delete it and create another; use --prompt."
        )
    key = (_prompt("New key: "), _prompt("Old key: ")) if arguments.prompt else None
    nectar = connect(arguments.environment, key=key, version=arguments.api_version)
    try:
        found = nectar.compare_keys()
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message, advice='Put "new,old" where the key is stored, or call with --prompt.'
        ) from None
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.old_can_go else 1


def _prompt(question: str) -> str:
    if sys.stdin.isatty():
        return getpass(question)
    return sys.stdin.readline()


def _add_versions(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "versions",
        help="compare two versions of the API on the same bills",
        description="Fetch a company's bills in two versions of the API, compare them row by row, and list what a "
        "migration changes: columns that a version lacks, and what is written differently on the wire.",
    )
    add_environment(parser)
    parser.add_argument("--from", dest="old", choices=VERSIONS, default="v2.1", help="old version (default: v2.1)")
    parser.add_argument("--to", dest="new", choices=VERSIONS, default=VERSIONS[0], help="new version (default: v2.2)")
    parser.add_argument("--company", help="an id, an external id or a name; optional if there is only one")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.set_defaults(run=_compare_versions)


def _compare_versions(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    nectar = connect(arguments.environment)
    company = arguments.company or only(nectar.companies())
    found = nectar.compare_versions(company, old=arguments.old, new=arguments.new)
    print_lines(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0 if found.expected else 1

"""`nectar ping`: ask whether the key is accepted, and say of what."""

from __future__ import annotations

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
        "ping",
        help="ask whether the key is accepted",
        description="Ask whether the key is accepted. The key comes from NECTAR_API_KEY, NECTAR_SANDBOX_API_KEY, "
        "NECTAR_PRODUCTION_API_KEY, a .env file or the keyring; it is never printed.",
    )
    parser.add_argument(
        "environment",
        nargs="?",
        choices=ENVIRONMENTS,
        help=f"which environment to ask; {WITHOUT_ENVIRONMENT}",
    )
    parser.add_argument("--api-version", choices=VERSIONS, help="which version to ask")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.connecting import connect

    nectar = connect(arguments.environment, version=arguments.api_version)
    nectar.ping()
    print_lines(f"The key is accepted: {nectar!r}")
    return 0

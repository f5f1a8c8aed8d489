"""`nectar sandbox`: serve the embedded sandbox on a port of this machine, write its contract as OpenAPI documents.

The sandbox serves itself and reads bills files; this module parses arguments and prints.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.config import VERSIONS
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "add_bills"]

_PORT: Final = 8765


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the family and its commands."""
    family = commands.add_parser("sandbox", help="the embedded sandbox", description="The embedded sandbox.")
    named = family.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_openapi(named)
    parser = named.add_parser(
        "serve",
        help="serve it on this machine until interrupted",
        description="Serve the embedded sandbox on 127.0.0.1 until Ctrl-C or SIGTERM. It answers requests for "
        "localhost, 127.0.0.1 and [::1] only, refuses writes from web pages of other origins, and has a new random "
        "key each time.",
    )
    parser.add_argument("--port", type=int, default=_PORT, help=f"port, 0 for a free one (default {_PORT})")
    parser.add_argument("--seed", type=int, help="determines ids, names and bills (default: 1)")
    parser.add_argument(
        "--fixed-key",
        action="store_true",
        help="use a key derived from the seed, the same in every run, instead of a random one: "
        "anyone who knows the seed knows the key",
    )
    parser.add_argument("--db", type=Path, metavar="FILE", help="keep the state in this file")
    parser.add_argument(
        "--documented-only",
        action="store_true",
        help="serve only what Nectar documents: no assumed paths and fields",
    )
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=POSITION",
        help="set an unsettled point of the API, such as decimals=number (see docs/fidelity.md); may be repeated",
    )
    add_bills(parser)
    parser.set_defaults(run=_serve)


def _add_openapi(named: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = named.add_parser(
        "openapi",
        help="write the API's contract as an OpenAPI document",
        description="Write the contract that the embedded sandbox answers by as an OpenAPI 3.1 document, for readers "
        "and for generators of clients. The same documents lie in docs/openapi/.",
    )
    parser.add_argument(
        "--version", dest="document", choices=VERSIONS, default=VERSIONS[0], help=f"(default: {VERSIONS[0]})"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of printing it")
    parser.set_defaults(run=_openapi)


def add_bills(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for a file of your own bills."""
    parser.add_argument("--bills", type=Path, metavar="FILE.csv", help="line items exported from a billing system")
    parser.add_argument(
        "--columns",
        type=Path,
        metavar="MAP.toml",
        help="maps the columns of that file; without it they are guessed",
    )


def _serve(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.sandbox import Sandbox

    seed = {} if arguments.seed is None else {"seed": arguments.seed}
    switches = dict(_switch(text) for text in arguments.switch)
    sandbox = Sandbox(**seed, db=arguments.db, documented_only=arguments.documented_only, switches=switches)
    if arguments.bills is not None:
        print_lines(sandbox.load_bills(arguments.bills, columns=arguments.columns))
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queued request is not worth a warning
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with sandbox.serve(arguments.port, fixed_key=arguments.fixed_key) as served:
        print_lines(_welcome(served.url, served.key, "fixed" if arguments.fixed_key else "random"))
        while not stop.wait(timeout=0.5):
            pass
    sandbox.close()
    print_lines("The embedded sandbox has stopped.", error=True)
    return 0


def _openapi(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.sandbox.contract import published

    text = json.dumps(published(arguments.document), indent=1, ensure_ascii=False)
    if arguments.out is None:
        print_lines(text)
        return 0
    try:
        arguments.out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{arguments.out} cannot be written: {(error.strerror or str(error)).lower()}.",
            advice="Name a file in a folder that exists and that you may write to.",
        ) from None
    return 0


def _switch(text: str) -> tuple[str, str]:
    name, equals, position = text.partition("=")
    if not equals:
        raise ConfigurationError(f"--switch takes NAME=POSITION, not {text!r}.", advice="Such as decimals=number.")
    return name, position


_KEYS: Final = {
    "random": "random, valid for this run only, and nowhere else; for the same key in every run: --fixed-key",
    "fixed": "derived from the seed, so anyone who knows the seed knows it; valid nowhere else",
}


def _welcome(url: str, key: str, kind: str) -> str:
    return f"""\
The embedded sandbox is running; press Ctrl-C to stop.

  base URL  {url}/{VERSIONS[0]}
  key       {key}
            ({_KEYS[kind]})
  contract  {url}/docs

  curl -H 'X-API-Key: {key}' {url}/{VERSIONS[0]}/company
  python: nn.connect("local", base_url="{url}", key="{key}")
"""

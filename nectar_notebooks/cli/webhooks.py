"""`nectar webhooks`: listen for deliveries, and manage the ledger of those received.

The receiver verifies, records and handles them. The signing secrets come from NECTAR_WEBHOOK_SECRET, in the environment
or a `.env` file; during a rotation there are two, separated by a comma. They are never an argument and never printed.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cli.terminal import table
from nectar_notebooks.clock import stopwatch
from nectar_notebooks.config import ENVIRONMENTS
from nectar_notebooks.errors import ConfigurationError, NotFoundError
from nectar_notebooks.printing import print_lines, printable

if TYPE_CHECKING:
    import argparse

    from nectar_notebooks.webhooks import Event, Ledger

__all__ = ["add"]

_VARIABLE: Final = "NECTAR_WEBHOOK_SECRET"
_PORT: Final = 8766
_LEDGER: Final = Path("nectar-webhooks.db")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the family and its commands."""
    family = commands.add_parser("webhooks", help="receive events", description="Receive Nectar's webhooks.")
    parsers = family.add_subparsers(title="commands", required=True, metavar="COMMAND")

    listen = _command(parsers, "listen", "verify, record and handle deliveries until interrupted")
    listen.add_argument("--port", type=int, default=_PORT, help=f"port, 0 for a free one (default {_PORT})")
    listen.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    listen.add_argument("--sync", choices=ENVIRONMENTS, help="also keep the cached rows of this environment up to date")
    listen.add_argument(
        "--metrics",
        type=float,
        default=60,
        metavar="SECONDS",
        help="interval between printed lines of counts (default 60)",
    )
    listen.set_defaults(run=_listen)

    listing = _command(parsers, "list", "list the latest deliveries")
    listing.add_argument("--state", help="only those in this state: received, handling, failed, done or dead")
    listing.add_argument("--most", type=int, default=20, help="how many (default 20)")
    listing.set_defaults(run=_list)

    show = _command(parsers, "show", "show one delivery and its payload")
    show.add_argument("id", metavar="ID", help="id of the delivery, as `nectar webhooks list` prints it")
    show.set_defaults(run=_show)

    replay = _command(parsers, "replay", "queue a delivery to be handled again")
    replay.add_argument("id", metavar="ID", help="id of the delivery, as `nectar webhooks list` prints it")
    replay.set_defaults(run=_replay)

    prune = _command(parsers, "prune", "delete deliveries that were handled long ago")
    prune.add_argument("--days", type=float, default=30, help="keep those handled in the last DAYS days (default 30)")
    prune.set_defaults(run=_prune)


def _command(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str
) -> argparse.ArgumentParser:
    parser = parsers.add_parser(name, help=what, description=f"{what.capitalize()}.")
    parser.add_argument("--ledger", type=Path, default=_LEDGER, metavar="FILE", help=f"the ledger (default {_LEDGER})")
    return parser


def _secrets() -> list[str]:
    value = os.environ.get(_VARIABLE, "")
    if not value and Path(".env").is_file():
        from dotenv import dotenv_values

        try:
            with Path(".env").open(encoding="utf-8") as stream:
                value = dotenv_values(stream=stream, interpolate=False).get(_VARIABLE) or ""
        except UnicodeDecodeError:  # not chained: the decode error holds the whole file
            raise ConfigurationError(".env cannot be read.", advice="It must be a text file in UTF-8.") from None
    secrets = [part.strip() for part in value.split(",") if part.strip()]
    if not secrets:
        raise ConfigurationError(
            "There is no webhook secret.",
            advice=f"Set {_VARIABLE}, in the environment or a .env file, to the signing secret (whsec_...) "
            "from the webhook portal.",
        )
    return secrets


def _listen(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.loopback import is_loopback
    from nectar_notebooks.webhooks import Receiver, Syncing
    from nectar_notebooks.webhooks.listener import bound, listen

    secrets = _secrets()
    handler = _print
    if arguments.sync is not None:
        from nectar_notebooks.connecting import connect

        handler = Syncing(connect(arguments.sync), then=_print)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    where = bound(arguments.host, arguments.port)  # fail before creating a ledger
    receiver = Receiver(secrets, arguments.ledger, handler)
    printed = stopwatch()

    def listening(address: str) -> None:
        receiver.start()
        print_lines(f"Listening on {address} until Ctrl-C.")
        if not is_loopback(address.removeprefix("http://")):
            print_lines("Other machines can reach this address: put TLS in front.", error=True)

    def turn() -> None:
        nonlocal printed
        if stopwatch() - printed >= arguments.metrics:
            print_lines(receiver.metrics_line(), error=True)
            printed = stopwatch()

    try:
        listen(receiver, where, until=stop.is_set, listening=listening, turn=turn)
        print_lines(receiver.metrics_line(), error=True)
    finally:
        receiver.close()
    return 0


def _print(event: Event) -> None:
    line = f"{event.timestamp:%Y-%m-%dT%H:%M:%SZ}  {event.id}  {event.type[:80] or '(no type)'}"
    print_lines(printable(line))  # keeps it one line, whatever the sender wrote


def _ledger(arguments: argparse.Namespace) -> Ledger:
    from nectar_notebooks.webhooks import Ledger

    if not arguments.ledger.is_file():
        raise NotFoundError(
            f"There is no ledger {arguments.ledger}.",
            advice="With --ledger, name the file that `nectar webhooks listen` used.",
        )
    return Ledger(arguments.ledger)


def _list(arguments: argparse.Namespace) -> int:
    entries = _ledger(arguments).list(state=arguments.state, most=arguments.most)
    rows = [
        (
            one.id,
            one.type,
            one.state,
            str(one.attempts),
            f"{one.received:%Y-%m-%d %H:%M}",
            one.error or "",
        )
        for one in entries
    ]
    print_lines(table(("id", "type", "state", "tries", "received", "error"), rows, "ffllrf"))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    entry, payload = _ledger(arguments).show(arguments.id)
    facts = (("id", entry.id), ("type", printable(entry.type)), ("state", entry.state), ("tries", str(entry.attempts)))
    for name, value in (*facts, ("error", printable(entry.error or "-"))):
        print_lines(f"{name:<6} {value}")
    print_lines(json.dumps(payload, indent=2))
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    _ledger(arguments).replay(arguments.id)
    print_lines(f"{arguments.id} is queued: the receiver running on this ledger, or the next one, will handle it.")
    return 0


def _prune(arguments: argparse.Namespace) -> int:
    removed = _ledger(arguments).prune(days=arguments.days)
    print_lines(f"Deleted {removed}; open and dead deliveries are kept.")
    return 0

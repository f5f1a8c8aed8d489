"""The `nectar` command: its parser and its exit codes.

Each module here adds its commands and arguments with `add`, and imports what they need when they run. An expected error
(a :class:`NectarError`) ends as one sentence on stderr and an exit code, never as a traceback:

==== ===============================================================
0    done
1    an error, with what to do about it; or the command found a problem (such as `status`: a connection needs action)
2    the command line could not be parsed
130  interrupted
==== ===============================================================
"""

from __future__ import annotations

import argparse
import io
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from nectar_notebooks.cli import (
    ask,
    cache,
    dashboard,
    demo,
    export,
    notebooks,
    sandbox,
    status,
    webhooks,
)
from nectar_notebooks.cli.terminal import without_keys
from nectar_notebooks.errors import NectarError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Examples
    --------
    >>> main(["ping", "local"])  # doctest: +ELLIPSIS
    The key is accepted: Nectar(local, embedded sandbox, v2.2; key ...)
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # do not fail on a name the terminal cannot show
    arguments = _parser(sys.argv[1:] if argv is None else argv).parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except NectarError as error:
        return _failed(str(error))
    except BrokenPipeError:
        sys.stderr.close()  # the other end of the pipe is closed: nobody would read a message
        return 1
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return _failed(f"{what}. Check the path, the free space and the permissions, then call again.")
    except KeyboardInterrupt:
        return 130
    return code


def _failed(sentence: str) -> int:
    print_lines(f"nectar: {sentence}", error=True)
    return 1


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    class Parser(argparse.ArgumentParser):  # argparse uses this class for the subcommands too
        def error(self, message: str) -> NoReturn:
            super().error(without_keys(message, words))

    parser = Parser(
        prog="nectar",
        description="Nectar's utility-bill API in tables you can trust, with an embedded sandbox in the box.",
        epilog="Without a key, everything runs on the embedded sandbox. Start with: nectar demo",
    )
    parser.add_argument("--version", action="version", version=f"nectar_notebooks {version('nectar-notebooks')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for family in (demo, dashboard, sandbox, ask, status, cache, export, webhooks, notebooks):
        family.add(commands)
    return parser

"""The `nectar` command: what it is called with, and how it ends.

Each family of commands has its module here (`demo`, `sandbox`, `ping`, `status`), which adds its arguments with
`add` and imports what it needs on use. Whatever goes wrong on purpose (a :class:`NectarError`) ends as one sentence on
stderr and an exit code, never as a traceback:

==== ===============================================================
0    done
1    an error of the package or of the system; the sentence says what to do (`status`: or something needs action)
2    the command line itself cannot be understood
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
    cache,
    dashboard,
    demo,
    doctor,
    export,
    keys,
    notebooks,
    ping,
    sandbox,
    status,
    versions,
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
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    arguments = _parser(sys.argv[1:] if argv is None else argv).parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except NectarError as error:
        return _failed(str(error))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the pipe has gone: there is nobody to tell
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
    class Parser(argparse.ArgumentParser):  # and with it those of the commands
        def error(self, message: str) -> NoReturn:
            super().error(without_keys(message, words))

    parser = Parser(
        prog="nectar",
        description="Nectar's utility-bill API in tables you can trust, with an embedded sandbox in the box.",
        epilog="Without a key everything asks the embedded sandbox. Begin with: nectar demo",
    )
    parser.add_argument("--version", action="version", version=f"nectar_notebooks {version('nectar-notebooks')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for family in (demo, dashboard, sandbox, ping, status, doctor, keys, versions, cache, export, webhooks, notebooks):
        family.add(commands)
    return parser

"""`nectar dashboard`: the dashboards as a page of this machine, for people without Jupyter, served by Voilà.

The page is a notebook of two lines whose source is not sent; the key stays in the process that calls the API. The
server listens on loopback alone, answers to no other name, and wants the token of the address that is printed; the page
loads nothing from elsewhere.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.cli.dashboard_page import DASHBOARDS, SOURCE, VARIABLE, given
from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import EMBEDDED_URL, ENVIRONMENTS
from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

_PORT: Final = 8767
_HOST: Final = "127.0.0.1"
#: The template of the page names style sheets of other hosts: they are not asked, and learn nothing.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
}
_CELL: Final[dict[str, object]] = {
    "cell_type": "code", "id": "dashboard", "metadata": {}, "execution_count": None, "outputs": [], "source": SOURCE,
}  # fmt: skip
_NOTEBOOK: Final = {
    "cells": [_CELL],
    "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "dashboard",
        help="serve a dashboard to this machine's browser until interrupted",
        description="Serve a dashboard on 127.0.0.1 until Ctrl-C or SIGTERM. Needs Voilà: the extra lab.",
    )
    parser.add_argument(
        "which", nargs="?", choices=tuple(DASHBOARDS), default="connections", help="which one (default: connections)"
    )
    parser.add_argument(
        "--environment",
        choices=ENVIRONMENTS,
        help=f"which environment to ask; {WITHOUT_ENVIRONMENT}",
    )
    parser.add_argument("--company", help="only this company: an id, an external id or a name")
    parser.add_argument("--port", type=int, default=_PORT, help=f"port, 0 for a free one (default {_PORT})")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.config import resolve
    from nectar_notebooks.connecting import connect

    if find_spec("voila") is None:
        raise ConfigurationError(
            "A dashboard outside Jupyter is served by Voilà, which is not installed.",
            advice="Install it with: pip install 'nectar-notebooks[lab]'.",
        )
    settings = resolve(arguments.environment)
    # Asked before anything is served: a wrong key or company is one sentence here, not on every page.
    nectar = connect(settings.environment)
    nectar.companies()
    if arguments.company is not None:
        nectar.connections(arguments.company)
    port, token = _free(arguments.port), secrets.token_urlsafe(24)
    from voila.app import Voila

    os.environ[VARIABLE] = given(arguments.which, settings.environment, arguments.company, str(Path.cwd()))
    with tempfile.TemporaryDirectory(prefix="nectar-dashboard-") as folder:
        page = Path(folder) / f"{arguments.which.capitalize()}.ipynb"  # its name is the title of the page
        page.write_text(json.dumps(_NOTEBOOK), encoding="utf-8")
        application = Voila(
            notebook_path=str(page),
            ip=_HOST,
            port=port,
            port_retries=0,
            open_browser=False,
            token=token,
            config_file_paths=[],  # nothing of the user's own Voilà may turn the promises above off
            tornado_settings={"allow_remote_access": False, "headers": _HEADERS, "ws_ping_timeout": 30_000},
            log_level=logging.ERROR,
        )
        application.initialize(argv=[])
        if settings.base_url == EMBEDDED_URL:
            print_lines("The data is invented: it comes from the embedded sandbox, a new one for every page.")
        print_lines(f"Open http://{_HOST}:{port}/?token={token} in a browser of this machine; Ctrl-C ends it.")
        application.start()
    print_lines("The dashboard has stopped.", error=True)
    return 0


def _free(port: int) -> int:
    """Return the port, or for 0 a free one."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"Nothing can listen on port {port}: {getattr(error, 'strerror', None) or error}.",
                advice="Name another with --port, or 0 for a free one.",
            ) from error
        return int(one.getsockname()[1])

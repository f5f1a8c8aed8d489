"""`nectar dashboard`: a dashboard as a local web page, for people without Jupyter, served by Voilà.

The page is a two-line notebook whose source is not sent; the key stays in the process that calls the API. The server
listens on loopback only, rejects other host names, and requires the token in the printed URL; the page loads nothing
from elsewhere. The second half of this module (`open_page`) runs in the kernel behind the page.
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

from nectar_notebooks.cli.terminal import WITHOUT_ENVIRONMENT
from nectar_notebooks.config import EMBEDDED_URL, ENVIRONMENTS
from nectar_notebooks.errors import ConfigurationError, NectarError
from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse

    from nectar_notebooks.dashboards.shell import Shell

__all__ = ["DASHBOARDS", "SOURCE", "VARIABLE", "Refusal", "add", "given", "open_page"]

#: The classes by the name the command takes.
DASHBOARDS: Final = {
    "connections": "ConnectionDashboard",
    "coverage": "CoverageDashboard",
    "bills": "BillExplorer",
}
#: The environment variable that tells the kernel what to show. It carries no key: the client finds that as usual.
VARIABLE: Final = "NECTAR_DASHBOARD"
#: All the code behind the page.
SOURCE: Final = f"from {__name__} import open_page\nopen_page()"
_PORT: Final = 8767
_HOST: Final = "127.0.0.1"
#: Voilà's template links style sheets on other hosts: the browser must not request them.
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
        help="serve a dashboard to a browser on this machine until interrupted",
        description="Serve a dashboard on 127.0.0.1 until Ctrl-C or SIGTERM. Needs Voilà (the extra lab).",
    )
    parser.add_argument(
        "which",
        nargs="?",
        choices=tuple(DASHBOARDS),
        default="connections",
        help="which dashboard (default: connections)",
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
    # Before serving: a wrong key or company is one error here, not one on every page.
    nectar = connect(settings.environment)
    nectar.companies()
    if arguments.company is not None:
        nectar.connections(arguments.company)
    port, token = _free(arguments.port), secrets.token_urlsafe(24)
    from voila.app import Voila

    os.environ[VARIABLE] = given(arguments.which, settings.environment, arguments.company, str(Path.cwd()))
    with tempfile.TemporaryDirectory(prefix="nectar-dashboard-") as folder:
        page = Path(folder) / f"{arguments.which.capitalize()}.ipynb"  # the file name becomes the page title
        page.write_text(json.dumps(_NOTEBOOK), encoding="utf-8")
        application = Voila(
            notebook_path=str(page),
            ip=_HOST,
            port=port,
            port_retries=0,
            open_browser=False,
            token=token,
            config_file_paths=[],  # the user's own Voilà settings must not weaken the restrictions above
            tornado_settings={"allow_remote_access": False, "headers": _HEADERS, "ws_ping_timeout": 30_000},
            log_level=logging.ERROR,
        )
        application.initialize(argv=[])
        if settings.base_url == EMBEDDED_URL:
            print_lines("The data is made up: each page has its own embedded sandbox.")
        print_lines(f"Open http://{_HOST}:{port}/?token={token} in a browser on this machine; press Ctrl-C to stop.")
        application.start()
    print_lines("The dashboard has stopped.", error=True)
    return 0


def _free(port: int) -> int:
    """Return the port, or a free one for 0."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise ConfigurationError(
                f"Cannot listen on port {port}: {getattr(error, 'strerror', None) or error}.",
                advice="Choose another with --port, or 0 for a free one.",
            ) from error
        return int(one.getsockname()[1])


class Refusal:
    """An expected error, shown on the page in place of the dashboard."""

    def __init__(self, error: NectarError) -> None:
        self._error = error

    def _repr_html_(self) -> str:
        from nectar_notebooks.dashboards.html import element, notice

        return str(element("div", notice(str(self._error)), role="alert", style="font-family:system-ui,sans-serif"))

    def __repr__(self) -> str:
        return str(self._error)


def given(which: str, environment: str, company: str | None, folder: str) -> str:
    """Return the value of `VARIABLE`."""
    return json.dumps({"which": which, "environment": environment, "company": company, "folder": folder})


def open_page() -> Shell | Refusal:
    """Return the dashboard that `VARIABLE` describes, or the error that prevents it."""
    import nectar_notebooks as nn

    asked = json.loads(os.environ[VARIABLE])
    os.chdir(asked["folder"])  # where the command was called: its .env file applies
    try:
        nectar = nn.connect(asked["environment"])
        made: Shell = getattr(nn, DASHBOARDS[asked["which"]])(nectar, asked["company"])
    except NectarError as error:
        return Refusal(error)
    return made

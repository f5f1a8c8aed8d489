"""A real browser, and notebooks served to it by Voilà and JupyterLab: what every browser test shares."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from commands import clean_environment

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

CHROMIUM = os.environ.get("NECTAR_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
MARKS = [
    pytest.mark.browser,
    pytest.mark.served,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium was found on this machine: install one, or name it in NECTAR_CHROMIUM"
    ),
]


@contextmanager
def browser_page(width: int = 1400, height: int = 2400, *, scripts: bool = True) -> Iterator[Any]:
    """Open a page in the browser that is installed, with scripts or without."""
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        one = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=scripts)
        one.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)  # a kernel takes its time to start
        yield one
        browser.close()


def serious(page: Any) -> list[str]:
    """Return the faults of the page that axe calls serious or worse, each with the first place."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state("load")  # a click may still be on its way to the next page
    page.wait_for_selector("body")
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


def write_notebook(path: Path, sources: Sequence[str]) -> None:
    """Write a notebook of code cells that has not been run."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


@contextmanager
def served_notebook(notebook: Path, application: str) -> Iterator[str]:
    """Serve a notebook by ``"voila"`` or ``"lab"`` and yield the address of its page."""
    folder, port = notebook.parent, _free_port()
    commands = {
        "voila": ["voila", notebook.name, "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"],
        "lab": [
            "jupyterlab", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--allow-root",
            "--IdentityProvider.token=", "--ServerApp.password=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
    }  # fmt: skip
    pages = {"voila": "/", "lab": f"/lab/tree/{notebook.name}"}
    environment = clean_environment()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        environment[name] = str(folder / name.lower())
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *commands[application]], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            for _ in range(120):
                if process.poll() is not None:
                    pytest.fail(f"{application} ended: {(folder / 'server.log').read_text()[-2000:]}")
                try:
                    requests.get(f"http://127.0.0.1:{port}/static/favicon.ico", timeout=1)
                    break
                except requests.ConnectionError:
                    time.sleep(0.5)  # noqa: TID251  # another process, which knows no clock of ours
            yield f"http://127.0.0.1:{port}{pages[application]}"
        finally:
            process.terminate()
            process.wait(20)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

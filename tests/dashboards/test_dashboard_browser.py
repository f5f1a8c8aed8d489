"""The dashboards in a real browser, in Voilà and JupyterLab: what a person sees, presses and types.

The kernel talks to an embedded sandbox that this process serves, so that the test sees what a press did.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import nectar_notebooks as nn

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    os.environ.get("NECTAR_CHROMIUM"),
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.served,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found on this machine: install one"),
]

CODE = """
import sys
sys.path.insert(0, {tests!r})
import nectar_notebooks as nn
from posting_client import PostingClient
clock = nn.FrozenClock("2026-01-15T09:00:00Z")
own = nn.connect("local", base_url={url!r}, key={key!r}, cache_dir={cache!r}, clock=clock)
nectar = PostingClient(own, {url!r}, {key!r})
dashboard = nn.ConnectionDashboard(nectar)
dashboard
"""
GRID = "coverage = nn.CoverageDashboard(nectar)\ncoverage"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def served_notebook(folder: Path, application: str) -> Iterator[str]:
    """Serve the notebook in `folder` and yield the address of its page."""
    port = _free_port()
    commands = {
        "voila": ["voila", "dashboards.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"],
        "lab": [
            "jupyterlab", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--allow-root",
            "--IdentityProvider.token=", "--ServerApp.password=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
    }  # fmt: skip
    pages = {"voila": "/", "lab": "/lab/tree/dashboards.ipynb"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
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


@pytest.fixture
def sandbox() -> Iterator[tuple[nn.Sandbox, str]]:
    one = nn.Sandbox(seed=1, sites=6, months=12)
    with one.serve(0) as served:
        yield one, served.url


@pytest.fixture
def folder(tmp_path: Path, sandbox: tuple[nn.Sandbox, str]) -> Path:
    one, url = sandbox
    code = CODE.format(tests=str(Path(__file__).parent), url=url, key=one.key, cache=str(tmp_path / "cache"))
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate((code, GRID))
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "dashboards.ipynb").write_text(json.dumps(notebook))
    return tmp_path


@pytest.fixture
def page() -> Iterator[object]:
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        one = browser.new_page(viewport={"width": 1400, "height": 2400})
        one.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)  # a kernel takes its time to start
        yield one
        browser.close()


def invitations(sandbox: nn.Sandbox, url: str, company: str, connection: str) -> list[dict[str, object]]:
    """Return what the API says was made."""
    answer = requests.get(
        f"{url}/v2.2/invitation/company/{company}", headers={"X-API-Key": sandbox.key}, timeout=10
    ).json()
    rows = answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))
    return [one for one in rows if one.get("connectionId") == connection]


def test_voila_filter_select_invite_and_see_it_connected(
    sandbox: tuple[nn.Sandbox, str], folder: Path, page: object
) -> None:
    one, url = sandbox
    nectar = nn.connect(sandbox=one)
    connections = nn.ConnectionDashboard(nectar)
    connections.filters = {"needs_customer": True}
    broken, waiting = connections.frame.iloc[0], len(connections.frame)
    connections.close()
    with served_notebook(folder, "voila") as address:
        page.goto(address)
        first = page.get_by_role("button", name=broken["provider"], exact=True)
        expect(first).to_be_visible()
        source = page.content()
        assert one.key not in source
        assert "import nectar_notebooks" not in source

        page.get_by_label("Needs the customer").check()
        expect(page.get_by_text(f"Page 1 of 1, {waiting} in all")).to_be_visible()
        page.get_by_label("Find").first.fill(broken["provider"].lower()[:10])
        expect(page.get_by_text("Page 1 of 1, 1 in all")).to_be_visible()

        first.focus()
        page.keyboard.press("Enter")  # by keyboard
        expect(page.get_by_role("heading", name=broken["provider"])).to_be_visible()
        expect(page.get_by_text("Send a reconnect invitation to the owner of the login.")).to_be_visible()
        expect(page.get_by_role("img", name="Months with bills:").first).to_be_visible()

        before = len(invitations(one, url, broken["company_id"], broken["connection_id"]))
        page.get_by_label("E-mails").fill("owner@customer.example")
        page.get_by_role("button", name="Make a link").dblclick()
        expect(page.get_by_text("The invitation is made.")).to_be_visible()
        made = invitations(one, url, broken["company_id"], broken["connection_id"])[before:]
        assert [invitation["allowedEmails"] for invitation in made] == [["owner@customer.example"]]
        expect(page.get_by_text(str(made[0]["invitationUrl"]))).to_be_visible()

        one.advance(days=1)
        one.scenario("recovered", connection=broken["connection_id"])
        page.get_by_role("button", name="Refresh").first.click()
        expect(page.get_by_text("Page 1 of 1, 1 in all")).not_to_be_visible()  # it does not wait any more
        expect(page.locator("td span", has_text="Connected").first).to_be_visible()

        page.get_by_role("button", name="!", exact=True).first.click()
        expect(page.get_by_text("Missing since").first).to_be_visible()


def test_lab_shows_the_dashboards_in_the_dark(sandbox: tuple[nn.Sandbox, str], folder: Path, page: object) -> None:
    settings = folder / "jupyter_config_dir" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    with served_notebook(folder, "lab") as address:
        page.goto(address)
        page.get_by_text("import nectar_notebooks as nn").first.wait_for()
        page.get_by_role("menuitem", name="Run").click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        expect(page.get_by_label("Needs the customer")).to_be_visible()
        page.get_by_label("Needs the customer").check()
        expect(page.get_by_text("Page 1 of 1, 2 in all")).to_be_visible()
        if os.environ.get("NECTAR_SCREENSHOT"):
            page.screenshot(path=os.environ["NECTAR_SCREENSHOT"])

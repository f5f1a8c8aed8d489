"""The dashboards in a real browser, in Voilà and JupyterLab: what a person sees, presses and types.

The kernel talks to an embedded sandbox that this process serves, so that the test sees what a press did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from browsing import MARKS, browser_page, expect, served_notebook, write_notebook

import nectar_notebooks as nn

pytestmark = MARKS

CODE = """
import nectar_notebooks as nn
clock = nn.FrozenClock("2026-01-15T09:00:00Z")
nectar = nn.connect("local", base_url={url!r}, key={key!r}, cache_dir={cache!r}, clock=clock)
dashboard = nn.ConnectionDashboard(nectar)
dashboard
"""
GRID = "coverage = nn.CoverageDashboard(nectar)\ncoverage"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#: A receiver of webhooks in the kernel, on a port that it writes down.
LISTEN = """
import pathlib, threading, waitress
from nectar_notebooks.webhooks import Receiver, Syncing
receiver = Receiver({secret!r}, {folder!r} + "/ledger.db", Syncing(nectar), clock=clock)
server = waitress.create_server(receiver, host="127.0.0.1", port=0)
threading.Thread(target=server.run, daemon=True).start()
pathlib.Path({folder!r}, "port").write_text(str(server.effective_port))
"""


@pytest.fixture
def sandbox() -> Iterator[tuple[nn.Sandbox, str]]:
    one = nn.Sandbox(seed=1, sites=6, months=12)
    with one.serve(0) as served:
        yield one, served.url


@pytest.fixture
def notebook(tmp_path: Path, sandbox: tuple[nn.Sandbox, str]) -> Path:
    one, url = sandbox
    path = tmp_path / "dashboards.ipynb"
    code = CODE.format(url=url, key=one.key, cache=str(tmp_path / "cache"))
    write_notebook(path, [code, GRID, LISTEN.format(secret=SECRET, folder=str(tmp_path))])
    return path


@pytest.fixture
def page() -> Iterator[object]:
    with browser_page() as one:
        yield one


def invitations(sandbox: nn.Sandbox, url: str, company: str, connection: str) -> list[dict[str, object]]:
    """Return what the API says was made."""
    answer = requests.get(
        f"{url}/v2.2/invitation/company/{company}", headers={"X-API-Key": sandbox.key}, timeout=10
    ).json()
    rows = answer if isinstance(answer, list) else next(value for value in answer.values() if isinstance(value, list))
    return [one for one in rows if one.get("connectionId") == connection]


def test_voila_filter_select_invite_and_see_it_connected(
    sandbox: tuple[nn.Sandbox, str], notebook: Path, page: object
) -> None:
    one, url = sandbox
    nectar = nn.connect(sandbox=one)
    connections = nn.ConnectionDashboard(nectar)
    connections.filters = {"needs_customer": True}
    broken, waiting = connections.frame.iloc[0], len(connections.frame)
    connections.close()
    with served_notebook(notebook, "voila") as address:
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
        expect(page.get_by_text("No bill for", exact=True).first).to_be_visible()

        # It breaks again, and a webhook says so: nobody presses Refresh.
        receiver = f"http://127.0.0.1:{(notebook.parent / 'port').read_text()}/"
        one.webhooks.register(receiver, secret=SECRET, clock=nn.FrozenClock("2026-01-15T09:00:00Z"))
        one.scenario("mfa_required", connection=broken["connection_id"])
        expect(page.get_by_text("Page 1 of 1, 1 in all")).to_be_visible()
        expect(page.locator("td span", has_text="MFA token expired").first).to_be_visible()
        assert {attempt["status"] for attempt in one.webhooks.attempts} == {204}


def test_lab_shows_the_dashboards_in_the_dark(sandbox: tuple[nn.Sandbox, str], notebook: Path, page: object) -> None:
    settings = notebook.parent / "jupyter_config_dir" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    with served_notebook(notebook, "lab") as address:
        page.goto(address)
        page.get_by_text("import nectar_notebooks as nn").first.wait_for()
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()  # cells run before that are lost
        page.get_by_role("menuitem", name="Run").click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        expect(page.get_by_label("Needs the customer")).to_be_visible()
        page.get_by_label("Needs the customer").check()
        expect(page.get_by_text("Page 1 of 1, 2 in all")).to_be_visible()
        if os.environ.get("NECTAR_SCREENSHOT"):
            page.screenshot(path=os.environ["NECTAR_SCREENSHOT"])

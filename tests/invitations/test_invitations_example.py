"""The web application to copy: run as it stands, asked by hand and by a browser."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from browsing import MARKS, browser_page, expect
from places import PROJECT
from werkzeug.serving import make_server

import nectar_notebooks as nn

pytestmark = pytest.mark.served


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=1, sites=3, months=2)
    with one.serve(0):
        yield one
    one.close()


@pytest.fixture
def example(sandbox: nn.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    company = nn.connect(sandbox=sandbox).companies()["company_id"].iloc[0]
    for name, value in {
        "NECTAR_ENVIRONMENT": "local", "NECTAR_BASE_URL": str(sandbox.served_at), "NECTAR_API_KEY": sandbox.key,
        "NECTAR_CACHE_DIR": str(tmp_path), "NECTAR_COMPANY": company, "APP_SECRET_KEY": "made up for the test",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    path = PROJECT / "docs" / "examples" / "invitations_flask.py"
    spec = importlib.util.spec_from_file_location("invitations_flask", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "invitations_flask", module)
    spec.loader.exec_module(module)
    return module


def test_the_server_makes_it_and_says_how_it_stands(sandbox: nn.Sandbox, example: ModuleType) -> None:
    browser, other = example.app.test_client(), example.app.test_client()
    page = browser.get("/connect")
    assert page.status_code == 200
    assert sandbox.key not in page.text
    assert browser.get("/connect/link").status_code == 404
    assert browser.post("/connect/link").status_code == 403  # as a form of another site would
    assert nn.connect(sandbox=sandbox).invitations(example.company_of_user()).empty

    first = browser.post("/connect/link", headers={"X-Connect": "1"}).json["url"]
    assert first.startswith(f"{sandbox.served_at}/p/i/")
    assert browser.get("/connect/link").json == {"standing": "open"}
    assert other.get("/connect/link").status_code == 404  # it is the other's
    sandbox.advance(days=1)
    assert browser.get("/connect/link").json == {"standing": "expired"}
    assert browser.post("/connect/link", headers={"X-Connect": "1"}).json["url"] != first
    nectar = nn.connect(sandbox=sandbox)
    latest = nectar.invitations(example.company_of_user()).iloc[-1]
    site = nectar.sites(example.company_of_user())["site_id"].iloc[0]
    sandbox.use_invitation(latest["invitation_id"], "ann", "x", url="https://power.example", sites=[site])
    assert browser.get("/connect/link").json == {"standing": "used_up"}
    sandbox.revoke_key(sandbox.key)  # whatever goes wrong, the browser learns no details
    failed = browser.get("/connect/link")
    assert (failed.status_code, failed.json) == (503, {"standing": "unknown"})


class TestInABrowser:
    pytestmark = MARKS

    def test_the_page_embeds_it_and_asks_for_a_fresh_one(self, sandbox: nn.Sandbox, example: ModuleType) -> None:
        server = make_server("127.0.0.1", 0, example.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with browser_page(1100, 1000) as page:
                page.set_default_timeout(20_000)
                page.goto(f"http://127.0.0.1:{server.port}/connect")
                inside = page.frame_locator("iframe")
                expect(inside.get_by_role("heading", name="Choose the provider")).to_be_visible()
                first = page.locator("iframe").get_attribute("src")
                sandbox.advance(days=1)
                expect(page.locator("iframe")).not_to_have_attribute("src", str(first))
                inside.get_by_label("Address of the provider's website").fill("https://power.example")
                inside.get_by_role("checkbox").first.check()
                inside.get_by_role("button", name="Continue").click()
                inside.get_by_label("User name").fill("ann")
                inside.get_by_label("Password").fill("x")
                inside.get_by_role("button", name="Connect").click()
                expect(page.get_by_text("Thank you, we have your login.")).to_be_visible()
                expect(inside.get_by_role("heading", name="It will be checked")).to_be_visible()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

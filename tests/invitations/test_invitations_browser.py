"""The invited person's page in a real browser, by itself without scripts, and in the frame of a notebook.

Set NECTAR_SCREENSHOTS to a folder to look at every page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import MARKS, browser_page, expect, serious, served_notebook, write_notebook

import nectar_notebooks as nn

pytestmark = MARKS

CELLS = [
    """
import nectar_notebooks as nn
clock = nn.FrozenClock("2026-01-15T09:00:00Z")
nectar = nn.connect("local", base_url={url!r}, key={key!r}, cache_dir={cache!r}, clock=clock)
company = nectar.companies().iloc[0]
dashboard = nn.ConnectionDashboard(nectar, company)
dashboard.filters = {{"text": "mfa power"}}
frame = nn.ConnectFrame(nectar, company, emails=["ann@acme.example"], watch=1.0)
frame
""",
    "dashboard",
]


@pytest.fixture
def sandbox() -> Iterator[tuple[nn.Sandbox, str]]:
    one = nn.Sandbox(seed=1, sites=6, months=6)
    with one.serve(0) as served:
        yield one, served.url
    one.close()


def look(page: Any, name: str) -> None:
    if folder := os.environ.get("NECTAR_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_somebody_walks_through_the_page_by_keyboard_without_scripts(
    sandbox: tuple[nn.Sandbox, str], tmp_path: Path
) -> None:
    one, url = sandbox
    nectar = nn.connect("local", base_url=url, key=one.key, cache_dir=tmp_path, clock=one.clock)
    company = nectar.companies().iloc[0]
    before = set(nectar.connections(company)["connection_id"])
    made = nectar.invite(company, emails=["ann@acme.example"], expires_in=3600, max_uses=1).iloc[0]
    with browser_page(900, 900, scripts=False) as page:
        page.set_default_timeout(10_000)
        page.goto(made["url"])
        expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
        expect(page.get_by_label("Your e-mail address")).to_be_focused()
        look(page, "1-email")
        page.keyboard.type("eve@acme.example")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not for this address")
        look(page, "1-email-refused")
        page.get_by_label("Your e-mail address").fill("ann@acme.example")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="Choose the provider")).to_be_visible()
        page.get_by_label("Address of the provider's website").fill("https://mfa.power.example")
        page.get_by_role("checkbox").first.focus()
        page.keyboard.press("Space")
        look(page, "2-provider")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="Enter the login")).to_be_visible()
        page.keyboard.type("ann")
        page.keyboard.press("Tab")
        page.keyboard.type("secret")
        look(page, "3-login")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="Type the code")).to_be_visible()
        expect(page.locator("[aria-current=step]")).to_have_text("Code")
        page.keyboard.type("246810")
        look(page, "4-code")
        assert set(nectar.connections(company)["connection_id"]) == before
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="It is connected")).to_be_visible()
        look(page, "5-result")
        nectar.refresh(company)
        there = nectar.connections(company).set_index("connection_id")
        [added] = set(there.index) - before
        assert there.loc[added, ["status", "username"]].tolist() == ["CONNECTED", "ann"]
        assert nectar.invitation_events(made["invitation_id"])["event"].tolist() == ["VIEWED", "EMAIL_VERIFIED", "USED"]

        page.goto(made["url"])
        expect(page.get_by_role("heading", name="This invitation is used up")).to_be_visible()
        look(page, "6-used-up")
        spare = [nectar.invite(company, expires_in=seconds).iloc[0] for seconds in (60, 7200)]
        nectar.revoke(spare[1])
        page.goto(spare[1]["url"])
        expect(page.get_by_role("heading", name="This invitation was revoked")).to_be_visible()
        look(page, "6-revoked")
        one.advance(days=1)
        page.goto(spare[0]["url"])
        expect(page.get_by_role("heading", name="This invitation has expired")).to_be_visible()
        look(page, "6-expired")


def test_axe_finds_no_serious_fault_on_any_page(sandbox: tuple[nn.Sandbox, str], tmp_path: Path) -> None:
    one, url = sandbox
    nectar = nn.connect("local", base_url=url, key=one.key, cache_dir=tmp_path, clock=one.clock)
    company = nectar.companies().iloc[0]
    made = nectar.invite(company, emails=["ann@acme.example"], expires_in=3600, max_uses=1).iloc[0]
    with browser_page(900, 900) as page:
        page.set_default_timeout(10_000)
        seen = {}

        def examine() -> None:
            seen[page.locator("h1").inner_text()] = serious(page)

        page.goto(made["url"])
        for typed in (
            {"Your e-mail address": "eve@acme.example"}, {"Your e-mail address": "ann@acme.example"},
            {"Country": "Utopia"}, {"Address of the provider's website": "https://nectarclimate.com", "Country": "US"},
            {"User name": "ann", "Password": "wrong"}, {},
            {"User name": "ann", "Password": ""}, {"User name": "ann", "Password": "wrong again"},
        ):  # fmt: skip
            examine()
            for label, text in typed.items():
                page.get_by_label(label).fill(text)
            for box in page.get_by_role("checkbox").all()[:1]:
                box.check()
            page.evaluate("document.querySelector('form').noValidate = true")
            page.get_by_role("button").first.click()
        examine()
        page.goto(made["url"])
        examine()
        mfa = nectar.reconnect(one.scenario("mfa_required"), company).iloc[0]
        page.goto(mfa["url"])
        page.get_by_label("User name").fill("ann")
        page.get_by_label("Password").fill("x")
        page.get_by_role("button", name="Connect").click()
        examine()
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
        assert [fault.partition(":")[0] for fault in serious(page)] == ["button-name"], "axe does look"
    assert set(seen) == {
        "Who are you?", "Choose the provider", "Enter the login", "The login did not work", "Type the code",
        "This invitation is used up",
    }  # fmt: skip
    assert {heading: faults for heading, faults in seen.items() if faults} == {}


def test_in_voila_a_login_is_added_in_the_frame_and_the_dashboard_shows_it(
    sandbox: tuple[nn.Sandbox, str], tmp_path: Path
) -> None:
    one, url = sandbox
    notebook = tmp_path / "connect.ipynb"
    write_notebook(notebook, [cell.format(url=url, key=one.key, cache=str(tmp_path / "cache")) for cell in CELLS])
    with browser_page(1300, 2000) as page, served_notebook(notebook, "voila") as address:
        page.goto(address)
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("heading", name="Who are you?")).to_be_visible()
        look(page, "7-frame")
        assert serious(page) == []
        first = page.locator("iframe").get_attribute("src")
        one.advance(days=1)  # nobody comes for a day: the link has expired, and a fresh one stands there by itself
        expect(page.get_by_text("The invitation had expired: a fresh one was asked for.")).to_be_visible()
        assert page.locator("iframe").get_attribute("src") != first
        expect(page.get_by_text("Nothing fits, 0 in all")).to_be_visible()

        inside.get_by_label("Your e-mail address").fill("ann@acme.example")
        inside.get_by_role("button", name="Continue").click()
        inside.get_by_label("Address of the provider's website").fill("https://mfa.power.example")
        inside.get_by_role("checkbox").first.check()
        inside.get_by_role("button", name="Continue").click()
        inside.get_by_label("User name").fill("ann")
        inside.get_by_label("Password").fill("secret")
        inside.get_by_role("button", name="Connect").click()
        inside.get_by_label("Code").fill("246810")
        inside.get_by_role("button", name="Confirm").click()
        expect(inside.get_by_role("heading", name="It is connected")).to_be_visible()

        expect(page.get_by_text("A login was entered.")).to_be_visible()
        expect(page.get_by_text("Page 1 of 1, 1 in all")).to_be_visible()
        look(page, "8-frame-done")
        expect(page.get_by_role("button", name="Mfa Power")).to_be_visible()
        expect(page.get_by_text("Connected", exact=True).locator("visible=true").first).to_be_visible()
        expect(inside.get_by_role("heading", name="It is connected")).to_be_visible()  # not torn away
        assert one.key not in page.content()

"""What `nectar dashboard` shows, in a browser: axe finds no serious fault, and no other host is asked for anything."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import MARKS, browser_page, expect, serious
from commands import NECTAR_AS_INSTALLED, clean_environment

pytestmark = MARKS

COMPANY = "Bluestem Logistics"


@contextmanager
def page_of(which: str, folder: Path) -> Iterator[tuple[Any, str]]:
    """Serve a dashboard by the command; yield a page of the browser and the address."""
    process = subprocess.Popen(
        [*NECTAR_AS_INSTALLED, "dashboard", which, "--company", COMPANY, "--port", "0"],
        cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = None
        while address is None:
            line = process.stdout.readline()
            assert line, "the command ended before it said where it serves"
            address = re.search(r"http://\S+", line)
        with browser_page(1400, 1600) as page:
            yield page, address.group()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def a_login(page: Any) -> None:
    page.get_by_role("button", name="Piedmont Ridge Natural Gas").click()
    expect(page.get_by_role("heading", name="Statuses over time")).to_be_visible()


def a_hole(page: Any) -> None:
    page.get_by_role("button", name="!", exact=True).first.click()
    expect(page.get_by_text("No bill for", exact=True)).to_be_visible()


def a_bill(page: Any) -> None:
    page.get_by_role("button", name="Longleaf Electric Membership").first.click()
    expect(page.get_by_role("heading", level=3).first).to_be_visible()


@pytest.mark.parametrize(("which", "open_detail"), [("connections", a_login), ("coverage", a_hole), ("bills", a_bill)])
def test_axe_finds_no_serious_fault(which: str, open_detail: Callable[[Any], None], tmp_path: Path) -> None:
    hosts = set()
    with page_of(which, tmp_path) as (page, address):
        page.on("requestfinished", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.goto(address)
        expect(page.get_by_role("button", name="Refresh").first).to_be_visible()
        assert serious(page) == []
        open_detail(page)
        assert serious(page) == []
        if os.environ.get("NECTAR_SCREENSHOT"):
            page.screenshot(path=f"{os.environ['NECTAR_SCREENSHOT']}-{which}.png", full_page=True)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<button></button>')")
        assert [fault.partition(":")[0] for fault in serious(page)] == ["button-name"], "axe does look"
    assert hosts - {None, ""} == {"127.0.0.1"}

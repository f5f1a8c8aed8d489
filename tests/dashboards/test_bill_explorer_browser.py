"""The explorer of bills in a real browser: a bill found, read, counted in another way and saved, by keyboard too."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from browsing import MARKS, browser_page, expect, serious, served_notebook, write_notebook

import nectar_notebooks as nn

pytestmark = MARKS

CODE = """
import nectar_notebooks as nn
nn.BillExplorer(nn.connect(sandbox=nn.Sandbox(seed=1, sites=6, months=12)))
"""


def test_voila_find_a_bill_read_it_and_count_it_in_another_way(tmp_path: Path) -> None:
    nectar = nn.connect(sandbox=nn.Sandbox(seed=1, sites=6, months=12))
    own = nn.BillExplorer(nectar)
    site = nectar.sites(own.company)["name"].iloc[0]
    own.site = site
    bill = own.bills[own.bills["counts"] & own.bills["start_date"].lt(own.bills["end_date"])].iloc[1]
    own.bill = bill
    lines, invoice = len(own.line_items), bill["invoice_id"]
    own.convention = "exclusive"
    moved = own.moved.query("quantity == 'usage'")["difference"].max()
    own.close()

    write_notebook(tmp_path / "bills.ipynb", [CODE])
    with browser_page() as page, served_notebook(tmp_path / "bills.ipynb", "voila") as address:
        page.goto(address)
        picker = page.get_by_label("Site", exact=True)
        expect(picker).to_be_visible()
        picker.fill(site)
        picker.press("Enter")
        expect(page.get_by_text(f"{len(own.bills)} shown")).to_be_visible()
        find = page.get_by_label("Find")
        find.fill(invoice)
        find.press("Enter")
        expect(page.get_by_text("Page 1 of 1, 1 in all")).to_be_visible()
        expect(page.get_by_text("Who pays: the amounts of a line item add up to it")).to_be_visible()
        expect(page.get_by_role("cell", name="energy charge: by share of usage").first).to_be_visible()

        months = page.get_by_role("button", name="Months", exact=True)
        months.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("img", name="This bill over the calendar")).to_be_visible()
        assert serious(page) == []
        if os.environ.get("NECTAR_SCREENSHOT"):
            page.screenshot(path=os.environ["NECTAR_SCREENSHOT"])

        page.get_by_label("Days", exact=True).select_option("start to the day before the end")
        page.get_by_role("button", name="What moves").click()
        expect(page.get_by_role("cell", name=f"+{moved:,.4f}".rstrip("0").rstrip(".")).first).to_be_visible()
        assert serious(page) == []

        page.get_by_role("button", name="Line items", exact=True).click()
        page.get_by_role("button", name="Save these rows").click()
        link = page.get_by_role("link", name=f"Save {lines} rows as CSV")
        with page.expect_download() as download:
            link.click()
        rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
        assert len(rows) == lines
        assert {row["bill_id"] for row in rows} == {bill["bill_id"]}

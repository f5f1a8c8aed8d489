"""A bill's PDF: the page says what the bill says, and reading it back gives the bill."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from fpdf import FPDF
from pypdf import PdfReader

from nectar_notebooks.sandbox.model import Record
from nectar_notebooks.sandbox.sources.demo import demo
from nectar_notebooks.sandbox.sources.pdf import page_count, read_pdf, write_pdf


@pytest.fixture(scope="module")
def bills() -> list[Record]:
    """Return one bill of each commodity and of the account with several meters."""
    world = demo(1, date(2026, 1, 15), months=3)
    found: dict[tuple[str, int], Record] = {}
    for bill in world.documents:
        usage = [row for row in world.usage if row["document"] == bill["id"]]
        if usage:
            found[usage[0]["datasourceType"], len(usage)] = bill | {"usageData": usage}
    return list(found.values())


def test_a_bill_comes_back_whole(bills: list[Record]) -> None:
    assert len(bills) >= 7
    for bill in bills:
        content = write_pdf(bill)
        assert read_pdf(content) == bill
        assert page_count(content) == 1
        assert write_pdf(bill) == content


def test_the_page_shows_what_the_bill_says(bills: list[Record]) -> None:
    bill = max(bills, key=lambda bill: len(bill["lineItems"]))
    page = PdfReader(BytesIO(write_pdf(bill))).pages[0].extract_text()
    shown = "".join(page.split())
    for item in bill["lineItems"]:
        assert "".join(item["description"].split()) in shown
        assert item["totalCharge"] in shown
    for row in bill["usageData"]:
        assert row["usage"] in shown
        assert row["startDate"] in shown
    assert f"Totaldue:{bill['totalCharges']}" in shown
    assert "nothingisowed" in shown


def test_a_long_bill_has_more_pages_and_foreign_letters_do_no_harm(bills: list[Record]) -> None:
    document: Record = {**bills[0], "utilityCompany": "Łódź Światło"}
    document["lineItems"] = [dict(document["lineItems"][0]) for _ in range(90)]
    content = write_pdf(document)
    assert page_count(content) > 1
    assert read_pdf(content) == document


def test_another_pdf_is_no_bill() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.embed_file(bytes=b"not json", basename="nectar-sandbox-bill.json")
    assert read_pdf(bytes(pdf.output())) is None
    plain = FPDF()
    plain.add_page()
    assert read_pdf(bytes(plain.output())) is None


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256))])
def test_what_is_no_pdf_is_no_bill(content: bytes) -> None:
    assert read_pdf(content) is None
    assert page_count(content) == 1


def test_a_cut_pdf_is_no_bill_or_the_whole_one(bills: list[Record]) -> None:
    content = write_pdf(bills[0])
    assert all(read_pdf(content[:end]) in (None, bills[0]) for end in range(10, len(content), 499))

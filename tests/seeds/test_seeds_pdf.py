"""A bill's PDF: the page says what the bill says, and reading it back gives the bill."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from fpdf import FPDF
from pypdf import PdfReader

from nectar_notebooks.sandbox.model import Record
from nectar_notebooks.sandbox.sources.demo import demo
from nectar_notebooks.sandbox.sources.pdf import PdfBill, page_count, read_pdf, write_pdf


@pytest.fixture(scope="module")
def bills() -> list[PdfBill]:
    """Return one bill of each commodity and of the account with several meters."""
    world = demo(1, date(2026, 1, 15), months=3)
    found: dict[tuple[str, int], PdfBill] = {}
    for bill in world.documents:
        usage = [row for row in world.usage if row["document"] == bill["id"]]
        if usage:
            found[usage[0]["datasourceType"], len(usage)] = PdfBill(bill, usage)
    return list(found.values())


def test_a_bill_comes_back_whole(bills: list[PdfBill]) -> None:
    assert len(bills) >= 7
    for bill in bills:
        content = write_pdf(bill.document, bill.usage)
        assert read_pdf(content) == bill
        assert page_count(content) == 1
        assert write_pdf(bill.document, bill.usage) == content


def test_the_page_shows_what_the_bill_says(bills: list[PdfBill]) -> None:
    bill = max(bills, key=lambda bill: len(bill.document["lineItems"]))
    page = PdfReader(BytesIO(write_pdf(bill.document, bill.usage))).pages[0].extract_text()
    shown = "".join(page.split())
    for item in bill.document["lineItems"]:
        assert "".join(item["description"].split()) in shown
        assert item["totalCharge"] in shown
    for row in bill.usage:
        assert row["usage"] in shown
        assert row["startDate"] in shown
    assert f"Totaldue:{bill.document['totalCharges']}" in shown
    assert "nothingisowed" in shown


def test_a_long_bill_has_more_pages_and_foreign_letters_do_no_harm(bills: list[PdfBill]) -> None:
    document: Record = {**bills[0].document, "utilityCompany": "Łódź Światło"}
    document["lineItems"] = [dict(document["lineItems"][0]) for _ in range(90)]
    content = write_pdf(document, bills[0].usage)
    assert page_count(content) > 1
    assert read_pdf(content) == PdfBill(document, bills[0].usage)


def test_another_pdf_is_no_bill() -> None:
    pdf = FPDF()
    pdf.add_page()
    pdf.embed_file(bytes=b"not json", basename="nectar-sandbox-bill.json")
    assert read_pdf(bytes(pdf.output())) is None
    plain = FPDF()
    plain.add_page()
    assert read_pdf(bytes(plain.output())) is None


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(range(256))])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="PDF"):
        read_pdf(content)
    with pytest.raises(ValueError, match="PDF"):
        page_count(content)


def test_a_cut_pdf_is_refused_or_no_bill(bills: list[PdfBill]) -> None:
    content = write_pdf(bills[0].document, bills[0].usage)
    found = []
    for end in range(10, len(content), 499):
        try:
            found.append(read_pdf(content[:end]))
        except ValueError:
            found.append(None)
    assert set(map(type, found)) <= {type(None), PdfBill}
    assert all(bill in (None, bills[0]) for bill in found)

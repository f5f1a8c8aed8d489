"""A bill as a PDF, for people and for machines, and back.

The page shows what a provider prints: periods and readings, charges, what is due. The same bill lies in the file
as a JSON attachment, as electronic invoices carry theirs, so that reading one back is exact and no guess at a
layout. A PDF without that attachment is no bill of the embedded sandbox. Limits on uploads, duplicates and ids
are the application's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from fpdf import FPDF
    from pypdf import PdfReader

    from nectar_notebooks.sandbox.model import Record

__all__ = ["ATTACHMENT", "PdfBill", "page_count", "read_pdf", "write_pdf"]

T = TypeVar("T")
#: Name of the attachment that carries the bill.
ATTACHMENT: Final = "nectar-sandbox-bill.json"
_SUMS: Final = (
    ("Previous balance", "previousCloseBalance"),
    ("Payments received", "afterPreviousTotalPayment"),
    ("Current charges", "currentCharges"),
    ("Total due", "totalCharges"),
)


@dataclass(frozen=True, slots=True)
class PdfBill:
    """What a bill's PDF carries: the document with its children in place, and its usage records."""

    document: Record
    usage: list[Record]


def write_pdf(document: Record, usage: list[Record]) -> bytes:
    """Return the PDF of a bill; the same bill gives the same bytes.

    Parameters
    ----------
    document : Record
        A bill as it stands in a world.
    usage : list of Record
        Its usage records.
    """
    from fpdf import FPDF

    pdf = FPDF(format="letter")
    created = datetime.fromisoformat(document["created"]).replace(tzinfo=UTC)
    pdf.set_creation_date(created)
    pdf.set_title(f"Bill {document['invoiceId'] or document['id']}")
    pdf.add_page()
    _heading(pdf, document)
    if usage:
        _table(
            pdf,
            ("Meter", "From", "To", "Previous", "Current", "Usage"),
            [
                (_meter(row), row["startDate"], row["endDate"], row.get("previousReading"), row.get("currentReading"),
                 f"{row['usage']} {row['usageUnits']}{' (estimated)' if row['isEstimated'] else ''}")
                for row in usage
            ],
            (30, 24, 24, 30, 30, 58),
        )  # fmt: skip
    for reading in document["demandMeters"]:
        _line(pdf, f"{reading['description']}: {reading['demandUsage']} {reading['demandUsageUnits']}")
    _table(
        pdf,
        ("Charge", "Quantity", "Rate", document["chargesUnits"]),
        [
            (item["description"], " ".join(filter(None, (item["quantity"], item["quantityUnits"]))), item["rate"],
             item["totalCharge"])
            for item in document["lineItems"]
        ],
        (92, 46, 28, 30),
    )  # fmt: skip
    for label, field in _SUMS:
        if document[field] is not None:
            _line(pdf, f"{label}: {document[field]} {document['chargesUnits']}")
    content = json.dumps({"document": document, "usage": usage}, ensure_ascii=True, sort_keys=True).encode()
    pdf.embed_file(bytes=content, basename=ATTACHMENT, modification_date=created)
    return bytes(pdf.output())


def read_pdf(content: bytes) -> PdfBill | None:
    """Return the bill that a PDF of ours carries, or None for any other PDF.

    Raises
    ------
    ValueError
        Not a PDF, or one that cannot be read.
    """
    texts = _asked(content, lambda reader: list(reader.attachments.get(ATTACHMENT, [])))
    for text in texts:
        bill = _bill(text)
        if bill is not None:
            return bill
    return None


def page_count(content: bytes) -> int:
    """Return the number of pages of a PDF.

    Raises
    ------
    ValueError
        Not a PDF, or one that cannot be read.
    """
    return _asked(content, lambda reader: len(reader.pages))


def _asked(content: bytes, question: Callable[[PdfReader], T]) -> T:
    """Return what a PDF answers to a question about it."""
    from pypdf import PdfReader

    if not content.startswith(b"%PDF-"):
        raise ValueError("This is not a PDF.")
    try:
        return question(PdfReader(BytesIO(content)))
    except Exception as problem:  # a parser of foreign bytes fails in more ways than it names
        raise ValueError("The PDF cannot be read.") from problem


def _bill(text: bytes) -> PdfBill | None:
    try:
        carried = json.loads(text)
    except ValueError:
        return None
    if not isinstance(carried, dict):
        return None
    document, usage = carried.get("document"), carried.get("usage")
    if not isinstance(document, dict) or not isinstance(usage, list):
        return None
    return PdfBill(document, usage)


def _heading(pdf: FPDF, document: Record) -> None:
    pdf.set_font("Helvetica", "B", 16)
    _line(pdf, document["utilityCompany"], height=9)
    pdf.set_font("Helvetica", size=9)
    _line(pdf, "A bill of the embedded sandbox: invented, nothing is owed.")
    _line(pdf, f"Invoice {document['invoiceId'] or '-'}   Bill date {document['billDate']}   Due {document['dueDate']}")
    pdf.ln(3)


def _meter(row: Record) -> str:
    identifiers = row.get("identifiers") or []
    return str(identifiers[0]["value"]) if identifiers else "account"


def _line(pdf: FPDF, text: str, height: float = 5) -> None:
    pdf.cell(0, height, _latin(text), new_x="LMARGIN", new_y="NEXT")


def _table(pdf: FPDF, head: tuple[str, ...], rows: list[tuple[Any, ...]], widths: tuple[int, ...]) -> None:
    pdf.set_font("Helvetica", size=9)
    with pdf.table(col_widths=widths, line_height=5, text_align=("LEFT", *("RIGHT",) * (len(head) - 1))) as table:
        for cells in (head, *rows):
            table.row([_latin("" if cell is None else str(cell)) for cell in cells])
    pdf.ln(3)


def _latin(text: str) -> str:
    """Return text that the PDF's own fonts can show."""
    return text.encode("latin-1", "replace").decode("latin-1")

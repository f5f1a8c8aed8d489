"""Bills as PDF files, for people and for machines, and back; and what an uploaded file is.

The page shows what a provider prints: periods and readings, charges, what is due. The same bill lies in the file as a
JSON attachment with a checksum, as electronic invoices carry theirs, so that reading one back is exact and no guess at
a layout: any embedded sandbox can read the PDFs of any other. A PDF without it is no bill of an embedded sandbox.
Limits on uploads, duplicates and ids are the handler's.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nectar_notebooks.sandbox.model import Record, dumps

if TYPE_CHECKING:
    from collections.abc import Callable

    from fpdf import FPDF
    from pypdf import PdfReader

__all__ = ["ATTACHMENT", "kind_of", "page_count", "read_pdf", "write_pdf"]

T = TypeVar("T")

#: Name of the attachment that carries the bill.
ATTACHMENT: Final = "nectar-sandbox-bill.json"

_SUMS: Final = (
    ("Previous balance", "previousCloseBalance"),
    ("Payments received", "afterPreviousTotalPayment"),
    ("Current charges", "currentCharges"),
    ("Total due", "totalCharges"),
)
_SIGNATURES: Final = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
}


def kind_of(name: str, content: bytes) -> str | None:
    """Return the suffix of an uploaded file if its content is what it says, else None."""
    suffix = "." + name.rpartition(".")[2].lower()
    signature = _SIGNATURES.get(suffix)
    return suffix if signature is not None and content.startswith(signature) else None


def write_pdf(bill: Record) -> bytes:
    """Return the PDF of a bill as it is answered, with its usage; the same bill gives the same bytes."""
    from fpdf import FPDF

    usage, currency = bill["usageData"], bill["chargesUnits"]
    pdf = FPDF(format="letter")
    created = datetime.fromisoformat(bill["created"]).replace(tzinfo=UTC)
    pdf.set_creation_date(created)
    pdf.set_title(f"Bill {bill['invoiceId'] or bill['id']}")
    pdf.add_page()
    _heading(pdf, bill)
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
    for reading in bill["demandMeters"]:
        _line(pdf, f"{reading['description']}: {reading['demandUsage']} {reading['demandUsageUnits']}")
    _table(
        pdf,
        ("Charge", "Quantity", "Rate", currency),
        [
            (item["description"], " ".join(filter(None, (item["quantity"], item["quantityUnits"]))), item["rate"],
             item["totalCharge"])
            for item in bill["lineItems"]
        ],
        (92, 46, 28, 30),
    )  # fmt: skip
    for label, field in _SUMS:
        if bill[field] is not None:
            _line(pdf, f"{label}: {bill[field]} {currency}")
    carried = dumps({"bill": bill, "checksum": _checksum(bill)})
    pdf.embed_file(bytes=carried, basename=ATTACHMENT, modification_date=created)
    return bytes(pdf.output())


def read_pdf(content: bytes) -> Record | None:
    """Return the bill that a file carries; None where it is no bill of an embedded sandbox, or was changed."""
    texts = _asked(content, lambda reader: list(reader.attachments.get(ATTACHMENT, []))) or []
    return next((bill for bill in map(_bill, texts) if bill is not None), None)


def page_count(content: bytes) -> int:
    """Return the number of pages of a PDF; of one that cannot be read, 1."""
    return _asked(content, lambda reader: len(reader.pages)) or 1


def _asked(content: bytes, question: Callable[[PdfReader], T]) -> T | None:
    """Return what a PDF answers to a question about it; None where it cannot be read."""
    from pypdf import PdfReader

    if not content.startswith(_SIGNATURES[".pdf"]):
        return None
    try:
        return question(PdfReader(BytesIO(content)))
    except Exception:  # a parser of foreign bytes fails in more ways than it names
        return None


def _bill(text: bytes) -> Record | None:
    try:
        carried = json.loads(text)
    except ValueError:
        return None
    bill = carried.get("bill") if isinstance(carried, dict) else None
    return bill if isinstance(bill, dict) and carried.get("checksum") == _checksum(bill) else None


def _checksum(bill: Record) -> str:
    return hashlib.sha256(b"nectar embedded sandbox bill " + dumps(bill)).hexdigest()


def _heading(pdf: FPDF, bill: Record) -> None:
    pdf.set_font("Helvetica", "B", 16)
    _line(pdf, bill["utilityCompany"] or "Utility", height=9)
    pdf.set_font("Helvetica", size=9)
    _line(pdf, "A bill of the embedded sandbox: invented, nothing is owed.")
    _line(pdf, f"Invoice {bill['invoiceId'] or '-'}   Bill date {bill['billDate']}   Due {bill['dueDate']}")
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

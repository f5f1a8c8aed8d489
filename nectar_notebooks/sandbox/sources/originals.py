"""The original files of bills: a small PDF for each, and how an uploaded one is read again.

Every bill's PDF is made when it is asked for. It shows the bill's main facts to a person and carries the bill itself,
with a checksum, for the sandbox that it is uploaded to: any embedded sandbox can read the PDFs of any other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Final

from nectar_notebooks.sandbox.model import dumps

__all__ = ["FILES", "kind_of", "pdf_of", "pdf_pages", "read_bill"]

#: Where the seeds say that originals lie; a served sandbox answers with its own address instead.
FILES: Final = "https://files.nectarclimate.example"
_MARK: Final = b"%nectar-embedded-sandbox-bill "
_PAGE: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
_COUNT: Final = re.compile(rb"/Count\s+(\d{1,7})")
_SIGNATURES: Final = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
}


def pdf_of(bill: dict[str, Any]) -> bytes:
    """Return the original of a bill (with its usage) as a PDF of one page."""
    payload = base64.b64encode(dumps(bill))
    lines = [
        str(bill["utilityCompany"] or "Utility"),
        f"Invoice {bill['invoiceId'] or bill['id']}    Bill date {bill['billDate']}",
        *(f"{row['startDate']} to {row['endDate']}    {row['usage']} {row['usageUnits']}" for row in bill["usageData"]),
        *(f"{line['description']}    {line['totalCharge']} {bill['chargesUnits']}" for line in bill["lineItems"]),
        f"Total charges    {bill['totalCharges']} {bill['chargesUnits']}",
    ]
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    content = f"BT /F1 11 Tf 14 TL 50 740 Td {shown} ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    text = b"%PDF-1.4\n" + _MARK + _checksum(payload) + b" " + payload + b"\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(text))
    return text + head + table + tail


def read_bill(content: bytes) -> dict[str, Any] | None:
    """Return the bill that an uploaded file carries; None where it is no bill of an embedded sandbox."""
    start = content.find(_MARK)
    if start < 0:
        return None
    checksum, _, payload = content[start + len(_MARK) :].partition(b"\n")[0].partition(b" ")
    if checksum != _checksum(payload):
        return None
    bill: dict[str, Any] = json.loads(base64.b64decode(payload))
    return bill


def kind_of(name: str, content: bytes) -> str | None:
    """Return the suffix of an uploaded file if its content is what it says, else None."""
    suffix = "." + name.rpartition(".")[2].lower()
    signature = _SIGNATURES.get(suffix)
    return suffix if signature is not None and content.startswith(signature) else None


def pdf_pages(content: bytes) -> int:
    """Return how many pages a PDF has, as its page objects and page trees say."""
    counts = [int(count) for count in _COUNT.findall(content)]
    return max(len(_PAGE.findall(content)), *counts, 1)


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(b"nectar embedded sandbox bill " + payload).hexdigest().encode()


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")

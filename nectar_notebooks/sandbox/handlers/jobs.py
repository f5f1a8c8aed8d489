"""Uploading bills: jobs, their limits, duplicates, and bills that come of them.

A file is read when it arrives; a job is answered as pending when it is made, and as done whenever it is asked for
afterwards. No address is ever fetched: of a bulk upload, the sandbox knows its own bills' addresses.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from nectar_notebooks.sandbox.handlers.lists import stored_page
from nectar_notebooks.sandbox.handlers.request import Answer, Call, Row
from nectar_notebooks.sandbox.model import ProblemError, World, bad_field, stored
from nectar_notebooks.sandbox.presentation import events
from nectar_notebooks.sandbox.sources.pdf import kind_of, page_count, read_pdf, write_pdf
from nectar_notebooks.sandbox.store import queries

__all__ = ["job", "jobs", "original", "upload_bill", "upload_bills"]

_LARGEST: Final = 25 * 1024 * 1024
_MOST_PAGES: Final = 150
_ADDRESS: Final = re.compile(r"/bills/([0-9a-f-]{36})\.pdf")


def upload_bill(call: Call, company_id: str) -> Answer:
    """Take one file: a PDF, PNG or JPG within the limits."""
    company = _company(call, company_id)
    upload = call.body.files.get("document")
    if upload is None:
        raise bad_field("document", "must be an uploaded file, sent as multipart.")
    kind = kind_of(upload.name, upload.content)
    if kind is None:
        raise bad_field("document", "must be a PDF, PNG or JPG, and be named so.")
    if len(upload.content) > _LARGEST:
        raise bad_field("document", "may have at most 25 MB.")
    if kind == ".pdf" and page_count(upload.content) > _MOST_PAGES:
        raise bad_field("document", f"may have at most {_MOST_PAGES} pages.")
    return _job(call, company, company_id, [upload.content])


def upload_bills(call: Call, company_id: str) -> Answer:
    """Take several files by their addresses."""
    company = _company(call, company_id)
    addresses: list[str] = call.body.fields["documents"]
    return _job(call, company, company_id, [_at(call, address) for address in addresses])


def job(call: Call, job_id: str) -> Answer:
    """Answer how far an upload is."""
    return call.answer("jobs", call.record("jobs", call.find("jobs", job_id).seq))


def jobs(call: Call, company_id: str) -> Answer:
    """List a company's uploads."""
    company = call.find("companies", company_id).seq
    return stored_page(call, "jobs", "company = ?", [company], lambda _, record: record)


def original(call: Call, document_id: str) -> bytes:
    """Return the original file of a bill."""
    seq = call.find("documents", document_id).seq
    return write_pdf(json.loads(queries.document_text(call.db, seq, call.switches)))


def _company(call: Call, company_id: str) -> Row:
    """Return the company that takes an upload, or refuse: it is not active, or the site is not its own."""
    row = call.find("companies", company_id)
    if call.state.is_inactive(row.seq):
        raise ProblemError(400, "This company is not active: it takes no uploads.")
    site = (call.body.fields or {}).get("siteId")
    if site:
        known = call.db.execute("SELECT 1 FROM sites WHERE id = ? AND company = ?", (site, row.seq)).fetchone()
        if known is None:
            raise bad_field("siteId", f"{site[:80]!r} is no site of this company.")
    return row


def _job(call: Call, company: Row, company_id: str, files: Iterable[bytes]) -> Answer:
    """Read the files, store what came of them, and answer the job as it is before."""
    id_, site = call.state.new_id("job"), (call.body.fields or {}).get("siteId") or None
    parsed: list[str] = []
    again: list[str] = []
    others: list[str] = []
    for content in files:
        digest = hashlib.sha256(content).hexdigest()
        known = call.db.execute(
            "SELECT document FROM uploads WHERE company = ? AND digest = ?", (company.seq, digest)
        ).fetchone()
        bill = read_pdf(content)
        if known is not None:
            again.append(known[0])
        elif bill is None:
            others.append(call.state.new_id("file"))
        else:
            parsed.append(_add(call, company.seq, company_id, site, id_, bill))
            call.db.execute("INSERT INTO uploads VALUES (?, ?, ?)", (company.seq, digest, parsed[-1]))
    pending = {
        "id": id_,
        "status": "PENDING",
        "parsedDocumentIds": [],
        "duplicates": 0,
        "duplicateDocumentIds": [],
        "nonUtilityDocumentIds": [],
        "terminationReason": None,
    }
    done = pending | {
        "status": "COMPLETED",
        "parsedDocumentIds": parsed,
        "duplicates": len(again),
        "duplicateDocumentIds": again,
        "nonUtilityDocumentIds": others,
    }
    call.db.execute(
        "INSERT INTO jobs (id, company, created, record) VALUES (?, ?, ?, ?)",
        (id_, company.seq, call.now, stored(done)),
    )
    return call.answer("jobs", pending, 201)


def _add(call: Call, company: int, company_id: str, site: str | None, job_id: str, bill: dict[str, Any]) -> str:
    """Store a bill that was read from a file, and return its id; its meters are kept where they are this company's."""
    call.state.ready(company)
    id_ = call.state.new_id("document")
    made = {"created": call.now, "updated": call.now, "company": company_id, "connection": None}
    own = {meter for (meter,) in call.db.execute("SELECT id FROM meters WHERE company = ?", (company,))}
    sites = {found for (found,) in call.db.execute("SELECT id FROM sites WHERE company = ?", (company,))}
    usage, renamed = [], {}
    for row in bill["usageData"]:
        renamed[row["id"]] = call.state.new_id("usage")
        stands = (row["site"] or {}).get("id")
        usage.append(
            row
            | made
            | {
                "id": renamed[row["id"]],
                "document": id_,
                "meter": row["meter"] if row["meter"] in own else None,
                "site": site or (stands if stands in sites else None),
            }
        )
    document = {name: value for name, value in bill.items() if name != "usageData"} | made
    document |= {
        "id": id_,
        "jobId": job_id,
        "url": f"{document['url'].rpartition('/')[0]}/{id_}.pdf",
        "revisedDocumentId": None,
        "lineItems": [_bare(line) for line in bill["lineItems"]],
        "demandMeters": [
            reading | {"usageDataIds": [renamed[old] for old in reading["usageDataIds"] if old in renamed]}
            for reading in bill["demandMeters"]
        ],
    }
    (last,) = call.db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()
    call.state.add_bills([World(documents=[document], usage=usage)])
    events.bills_after(call.context, last)
    return id_


def _at(call: Call, address: str) -> bytes:
    """Return the file at an address, where it is one of the sandbox's own bills; else nothing is there to read."""
    found = _ADDRESS.fullmatch(urlsplit(address).path)
    if found is not None:
        call.state.ready()
        if call.db.execute("SELECT 1 FROM documents WHERE id = ? AND deleted = 0", (found[1],)).fetchone():
            return original(call, found[1])
    return address.encode()


def _bare(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line item without the accounts and the meter that it has in another company."""
    return {name: value for name, value in line.items() if name != "meter"} | {"accountIds": []}

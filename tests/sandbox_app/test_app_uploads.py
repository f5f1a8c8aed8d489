"""Uploads: the sandbox's own bill PDFs, duplicates, files that are no bills, limits."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import requests
from fpdf import FPDF
from pypdf import PdfReader
from sandbox_asker import Asker
from small_world import ACME, ANNEX, BETA, BETA_SITE, DELETED_BILL, JANUARY_BILL, NOBODY, POWER_METER

from nectar_notebooks.sandbox import Sandbox

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


def upload(sandbox: Sandbox, name: str, content: bytes, company: str = ACME, **fields: str) -> tuple[int, Any]:
    """Post a file as a browser would, in process."""
    form = requests.Request("POST", "http://localhost", files={"document": (name, content)}, data=fields).prepare()
    answer = sandbox.app.test_client().post(
        f"/v2.2/job/company/{company}",
        data=form.body,
        headers={"X-API-Key": sandbox.key},
        content_type=form.headers["Content-Type"],
    )
    return answer.status_code, answer.json


def original(sandbox: Sandbox, bill: str = JANUARY_BILL) -> bytes:
    answer = sandbox.app.test_client().get(f"/bills/{bill}.pdf")
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    return answer.data


def test_a_bill_s_own_pdf_is_read_into_a_bill(sandbox: Sandbox) -> None:
    ask = Asker(sandbox)
    status, made = upload(sandbox, "bill.pdf", original(sandbox))
    assert status == 201
    assert (made["status"], made["parsedDocumentIds"]) == ("PENDING", [])
    status, job = ask(f"/job/{made['id']}")
    assert (status, job["status"], job["duplicates"]) == (200, "COMPLETED", 0)
    [bill_id] = job["parsedDocumentIds"]
    before, bill = ask(f"/document/{JANUARY_BILL}")[1], ask(f"/document/{bill_id}")[1]
    assert bill["jobId"] == made["id"]
    assert (bill["totalCharges"], bill["billDate"]) == (before["totalCharges"], before["billDate"])
    assert [line["totalCharge"] for line in bill["lineItems"]] == ["20.50", "10.00"]
    [usage] = bill["usageData"]
    assert (usage["usage"], usage["meter"]) == ("150.75", POWER_METER)
    assert usage["id"] != before["usageData"][0]["id"]
    assert bill["demandMeters"][0]["usageDataIds"] == [usage["id"]]
    assert ask(f"/job/company/{ACME}")[1]["jobs"] == [job]


def test_the_same_file_again_is_a_duplicate(sandbox: Sandbox) -> None:
    ask, content = Asker(sandbox), original(sandbox)
    first = ask(f"/job/{upload(sandbox, 'bill.pdf', content)[1]['id']}")[1]
    again = ask(f"/job/{upload(sandbox, 'again.pdf', content)[1]['id']}")[1]
    assert again["parsedDocumentIds"] == []
    assert again["duplicates"] == 1
    assert again["duplicateDocumentIds"] == first["parsedDocumentIds"]
    other = ask(f"/job/{upload(sandbox, 'bill.pdf', content, BETA, siteId=BETA_SITE)[1]['id']}")[1]
    [bill] = other["parsedDocumentIds"]
    usage = ask(f"/document/{bill}")[1]["usageData"][0]
    assert (usage["site"]["id"], usage["meter"]) == (BETA_SITE, None)


@pytest.mark.parametrize(
    ("name", "content"), [("letter.pdf", b"%PDF-1.4\nDear reader"), ("photo.PNG", PNG), ("p.jpeg", b"\xff\xd8\xff\xe0")]
)
def test_a_file_that_is_no_bill_is_a_non_utility_document(sandbox: Sandbox, name: str, content: bytes) -> None:
    job = Asker(sandbox)(f"/job/{upload(sandbox, name, content)[1]['id']}")[1]
    assert job["status"] == "COMPLETED"
    assert job["parsedDocumentIds"] == []
    assert len(job["nonUtilityDocumentIds"]) == 1


def test_a_tampered_bill_is_no_bill(sandbox: Sandbox) -> None:
    [carried] = PdfReader(BytesIO(original(sandbox))).attachments["nectar-sandbox-bill.json"]
    assert b"20.50" in carried
    pdf = FPDF()
    pdf.add_page()
    pdf.embed_file(bytes=carried.replace(b"20.50", b"99.50"), basename="nectar-sandbox-bill.json")
    job = Asker(sandbox)(f"/job/{upload(sandbox, 'bill.pdf', bytes(pdf.output()))[1]['id']}")[1]
    assert len(job["nonUtilityDocumentIds"]) == 1


def pages(count: int) -> bytes:
    pdf = FPDF()
    for _ in range(count):
        pdf.add_page()
    return bytes(pdf.output())


def test_a_file_of_150_pages_is_taken(sandbox: Sandbox) -> None:
    assert upload(sandbox, "bill.pdf", pages(150))[0] == 201


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("bill.docx", b"PK\x03\x04", "document"), ("bill.pdf", b"not a PDF", "document"),
        ("bill.png", b"%PDF-1.4", "document"),
        ("bill", b"%PDF-1.4", "document"), ("bill.pdf", b"", "document"),
        ("bill.pdf", b"%PDF-" + b"0" * (25 * 1024 * 1024), "25 MB"),
        ("bill.pdf", pages(151), "150 pages"),
    ],
)  # fmt: skip
def test_a_file_beyond_the_limits_is_refused(sandbox: Sandbox, name: str, content: bytes, field: str) -> None:
    status, body = upload(sandbox, name, content)
    assert status == 400
    assert "document" in body["detail"]
    assert field in body["detail"]
    assert Asker(sandbox)(f"/job/company/{ACME}")[1]["totalJobs"] == 0


def test_an_upload_without_a_file_or_for_a_foreign_site_is_refused(ask: Asker) -> None:
    status, body = ask(f"/job/company/{ACME}", method="POST", body={"document": "a text"})
    assert (status, "document" in body["detail"]) == (400, True)
    status, body = upload(ask.sandbox, "bill.pdf", original(ask.sandbox), siteId=BETA_SITE)
    assert (status, "siteId" in body["detail"]) == (400, True)
    assert ask(f"/job/{NOBODY}")[0] == 404


def test_a_body_beyond_any_limit_is_refused_by_name(sandbox: Sandbox) -> None:
    status, body = upload(sandbox, "bill.pdf", b"%PDF-" + b"0" * (65 * 1024 * 1024))
    assert (status, body["document"]) == (400, ["is too large."])
    answer = sandbox.app.test_client().post(
        f"/v2.2/site/company/{ACME}",
        data=b"name=" + b"x" * (65 * 1024 * 1024),
        headers={"X-API-Key": sandbox.key},
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json["body"]) == (400, ["is too large."])


def test_two_files_in_one_upload_are_refused(sandbox: Sandbox) -> None:
    files = [("document", ("one.png", PNG)), ("document", ("two.png", PNG))]
    form = requests.Request("POST", "http://localhost", files=files).prepare()
    answer = sandbox.app.test_client().post(
        f"/v2.2/job/company/{ACME}",
        data=form.body,
        headers={"X-API-Key": sandbox.key},
        content_type=form.headers["Content-Type"],
    )
    assert (answer.status_code, answer.json["document"]) == (400, ["may be one file, not several."])
    assert Asker(sandbox)(f"/job/company/{ACME}")[1]["totalJobs"] == 0


def test_an_inactive_company_takes_no_uploads(ask: Asker) -> None:
    ask.sandbox.scenario("company_inactive", company=ACME)
    status, body = upload(ask.sandbox, "photo.png", PNG)
    assert (status, "active" in body["detail"]) == (400, True)


def test_several_files_by_their_addresses(ask: Asker) -> None:
    addresses = [ask(f"/document/{JANUARY_BILL}")[1]["url"], "https://elsewhere.example/letter.pdf"]
    addresses[0] = f"https://files.nectarclimate.example/bills/{JANUARY_BILL}.pdf"
    status, made = ask(f"/job/company/{ACME}/bulk", method="POST", body={"documents": addresses, "siteId": ANNEX})
    assert status == 201
    job = ask(f"/job/{made['id']}")[1]
    assert (len(job["parsedDocumentIds"]), len(job["nonUtilityDocumentIds"])) == (1, 1)
    bill = ask(f"/document/{job['parsedDocumentIds'][0]}")[1]
    assert bill["usageData"][0]["site"]["id"] == ANNEX
    for wrong in ([], ["http://plain.example/a.pdf"], "https://a.example/a.pdf"):
        status, body = ask(f"/job/company/{ACME}/bulk", method="POST", body={"documents": wrong})
        assert wrong == [] or (status, "documents" in body["detail"]) == (400, True)


def test_originals_of_deleted_and_unknown_bills_are_not_there(sandbox: Sandbox) -> None:
    for bill in (DELETED_BILL, NOBODY):
        assert sandbox.app.test_client().get(f"/bills/{bill}.pdf").status_code == 404


def test_a_served_bill_says_where_its_original_lies() -> None:
    sandbox = Sandbox(seed=3, sites=2, months=2)
    with sandbox.serve() as served:
        headers = {"X-API-Key": sandbox.key}
        company = requests.get(f"{served.url}/v2.2/company", headers=headers, timeout=5).json()[0]["id"]
        bills = requests.get(f"{served.url}/v2.2/document/company/{company}", headers=headers, timeout=5).json()
        url = bills["documents"][0]["url"]
        assert url.startswith(served.url)
        assert requests.get(url, timeout=5).content.startswith(b"%PDF-")
    sandbox.close()


@pytest.mark.parametrize(("body", "status"), [("--cut\r\n[]--cut--\r\n", 400), ("--cut--\r\n", 200), ("", 200)])
def test_a_form_that_is_none_is_refused_and_an_empty_one_is_not(sandbox: Sandbox, body: str, status: int) -> None:
    answer = sandbox.app.test_client().patch(
        "/v2.2/team",
        data=body.encode(),
        headers={"X-API-Key": sandbox.key},
        content_type="multipart/form-data; boundary=cut",
    )
    assert answer.status_code == status
    assert ("detail" in answer.json) == (status == 400)


@pytest.mark.parametrize("path", [f"/v2.2/job/company/{ACME}", "/v2.2/company"])
@pytest.mark.parametrize("head", ['form-data; filename="bill.pdf"', "form-data"])
def test_a_part_without_a_name_is_refused(sandbox: Sandbox, path: str, head: str) -> None:
    answer = sandbox.app.test_client().post(
        path,
        data=f"--cut\r\nContent-Disposition: {head}\r\n\r\n%PDF\r\n--cut--\r\n".encode(),
        headers={"X-API-Key": sandbox.key},
        content_type="multipart/form-data; boundary=cut",
    )
    assert answer.status_code == 400
    assert answer.json == {"detail": "The body cannot be read: a part of it has no name."}

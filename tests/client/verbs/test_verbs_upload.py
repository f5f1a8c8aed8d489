"""Uploading bills: a file or addresses, waiting until they are read, refusals before and after the wire."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from api.wire import Reply, Request, Wire, serve
from client.verbs.truth import Place, everywhere
from sandbox_app.small_world import ANNEX, BETA_SITE, JANUARY_BILL, MAIN_SITE, NOBODY, WATER_BILL

from nectar_notebooks import FrozenClock, Nectar, connect
from nectar_notebooks.errors import (
    InvalidRequestError,
    NectarError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Pages /Kids [] /Count 1 >>\nendobj\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
Warm = Callable[..., Nectar]


def original(place: Place, bill: str = JANUARY_BILL) -> bytes:
    return place.sandbox.app.test_client().get(f"/bills/{bill}.pdf").data


@everywhere
def test_a_bill_is_read_and_its_rows_are_there(
    warm: Warm, place: Place, company: str, tmp_path: Path, version: str
) -> None:
    nectar = warm(version)
    before = set(nectar.bills(company)["bill_id"])
    file = tmp_path / 'Rechnung März "1".PDF'
    file.write_bytes(original(place))
    job = nectar.upload(file, company, site="Main")
    assert list(job.columns) == list(nectar.jobs(company).columns)
    assert job.iloc[0][["company_id", "status", "duplicates"]].tolist() == [company, "COMPLETED", 0]
    came = nectar.job_bills(job=job)
    assert came["outcome"].tolist() == ["parsed"]
    new = nectar.bills(company)
    assert set(new["bill_id"]) - before == set(came["bill_id"])
    assert new.set_index("bill_id").loc[came["bill_id"].iloc[0], "job_id"] == job["job_id"].iloc[0]
    usage = nectar.usage(company)
    assert usage[usage["bill_id"] == came["bill_id"].iloc[0]]["site_id"].tolist() == [MAIN_SITE]
    place.assert_true(nectar, company, version=version)
    again = nectar.job_bills(job=nectar.upload(str(file), company)["job_id"].iloc[0])
    assert again[["bill_id", "outcome"]].values.tolist() == [[came["bill_id"].iloc[0], "duplicate"]]


def test_several_by_their_addresses_and_a_picture_that_is_no_bill(
    warm: Warm, place: Place, company: str, tmp_path: Path
) -> None:
    nectar = warm()
    addresses = [f"https://files.example/bills/{one}.pdf" for one in (JANUARY_BILL, WATER_BILL, NOBODY)]
    job = nectar.upload(addresses, site=nectar.sites(company).iloc[1])  # a site says whose it is
    assert nectar.job_bills(job=job)["outcome"].tolist() == ["parsed", "parsed", "not_utility"]
    assert (nectar.bills(company)["job_id"] == job["job_id"].iloc[0]).sum() == 2
    (tmp_path / "photo.png").write_bytes(PNG)
    assert nectar.job_bills(job=nectar.upload(tmp_path / "photo.png", company))["outcome"].tolist() == ["not_utility"]
    assert ANNEX in set(nectar.usage(company)["site_id"])
    place.assert_true(nectar, company)


@pytest.mark.served
def test_without_waiting_the_upload_is_pending_and_a_refresh_brings_it(
    served: Place, company: str, tmp_path: Path
) -> None:
    nectar = served.connect()
    bills = len(nectar.bills(company))
    (tmp_path / "bill.pdf").write_bytes(original(served))
    job = nectar.upload(tmp_path / "bill.pdf", company, wait=False)
    assert job["status"].tolist() == ["PENDING"]
    assert len(nectar.bills(company)) == bills
    assert nectar.jobs(job=job)["status"].tolist() == ["COMPLETED"]
    nectar.refresh(company)
    assert len(nectar.bills(company)) == bills + 1


def test_what_cannot_be_a_bill_is_refused_before_anything_is_sent(served: Place, company: str, tmp_path: Path) -> None:
    nectar = served.connect()
    long = PDF.replace(b"/Count 1 ", b"/Count 151 ")
    files = {
        "bill.txt": b"x", "bill": PDF, "empty.pdf": b"", "page.pdf": b"<html>", "photo.jpg": PNG,
        "large.png": PNG + bytes(25 * 1024 * 1024), "long.pdf": long,
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    said = {
        "bill.txt": "no PDF, PNG or JPG", "bill": "no PDF, PNG or JPG", "empty.pdf": "is empty",
        "page.pdf": "no PDF, whatever its name says", "photo.jpg": "no JPG", "large.png": "25.0 MB; the API takes 25",
        "long.pdf": "151 pages; the API takes 150", "gone.pdf": "cannot be read: No such file", "": "no PDF",
    }  # fmt: skip
    for name, sentence in said.items():
        with pytest.raises(InvalidRequestError, match=sentence):
            nectar.upload(tmp_path / name, company)
    for given, sentence in (
        ([], "list of addresses is empty"),
        ("http://files.example/a.pdf", "no https address, and"),
        (["https://files.example/a.pdf", "ftp://files.example/b.pdf"], "ftp://files.example/b.pdf"),
        (["https://"], "no https address"),
        ([str(tmp_path / "long.pdf")], "Files are uploaded one after the other"),
        ([tmp_path / "long.pdf"], "Files are uploaded one after the other"),
        (7, "type int cannot be uploaded"),
        (PDF, "type bytes cannot be uploaded"),
    ):
        with pytest.raises(InvalidRequestError, match=sentence):
            nectar.upload(given, company)  # type: ignore[arg-type]  # wrong on purpose
    for place in ({"site": BETA_SITE, "company": company}, {"company": NOBODY}):
        with pytest.raises(NotFoundError):
            nectar.upload("https://files.example/a.pdf", **place)
    assert served.writes() == []


def test_pages_are_counted_as_the_newest_tree_says(served: Place, company: str, tmp_path: Path) -> None:
    longer = b"1 0 obj\n<< /Type/Pages /Count 400 >>\nendobj\n4 0 obj << /Type /Outlines /Count 900 >> endobj\n"
    (tmp_path / "edited.pdf").write_bytes(PDF[:9] + longer + PDF[9:])  # pages were taken away by a later edit
    (tmp_path / "packed.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)))  # its objects cannot be seen
    nectar = served.connect()
    with pytest.raises(InvalidRequestError, match=r"\(400\).*at most 150 pages"):
        nectar.upload(tmp_path / "edited.pdf", company)  # the sandbox counts otherwise, and it is the API's to say
    assert nectar.upload(tmp_path / "packed.pdf", company)["status"].tolist() == ["COMPLETED"]
    assert served.writes() == ["POST", "POST"]


def test_a_company_that_is_not_active_takes_none(served: Place, company: str, tmp_path: Path) -> None:
    served.sandbox.scenario("company_inactive", company=company)
    (tmp_path / "bill.pdf").write_bytes(PDF)
    nectar = served.connect()
    for what in (tmp_path / "bill.pdf", "https://files.example/a.pdf"):
        with pytest.raises(InvalidRequestError, match=r"\(400\).*not active"):
            nectar.upload(what, company)
    with pytest.raises((NotFoundError, PermissionDeniedError), match=NOBODY):
        nectar.upload(tmp_path / "bill.pdf", {"company_id": NOBODY})


# --- waiting, on an API written by hand


def job(status: str, **more: object) -> dict[str, object]:
    return {
        "id": "j1", "status": status, "parsedDocumentIds": [], "duplicates": 0, "duplicateDocumentIds": [],
        "nonUtilityDocumentIds": [], "terminationReason": None, **more,
    }  # fmt: skip


def answering(*asked: Reply) -> Callable[[Request], Reply]:
    """Take an upload, and answer those replies when it is asked for, the last one again and again."""
    left = list(asked)

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return Reply(job("PENDING"), 201)
        if "/job/" in request.path:
            return left.pop(0) if len(left) > 1 else left[0]
        return Reply([{"id": "c1", "name": "Harbor Foods"}])

    return answer


def to(wire: Wire, folder: Path) -> tuple[Nectar, FrozenClock]:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    return connect("production", base_url=wire.url, key="k" * 20, cache_dir=folder / "cache", clock=clock), clock


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    (tmp_path / "bill.pdf").write_bytes(PDF)
    return tmp_path / "bill.pdf"


def test_it_is_asked_for_ever_more_rarely_until_it_is_done(bill: Path, tmp_path: Path) -> None:
    pending = [Reply(job(status)) for status in ("PENDING", "PENDING", "READING", "PENDING", "PENDING")]
    failed = Reply(job("FAILED", terminationReason="Nobody can read it."))
    with serve(answering(*pending, failed)) as wire:
        nectar, clock = to(wire, tmp_path)
        row = nectar.upload(bill).iloc[0]
        assert clock.pauses == [1, 2, 4, 8, 10]
        assert row[["status", "termination_reason"]].tolist() == ["FAILED", "Nobody can read it."]
        assert nectar.last_fetch["requests"] == len(wire.requests)
        [posted] = [one for one in wire.requests if one.method == "POST"]
    assert posted.path == "/v2.2/job/company/c1"
    assert posted.headers["content-type"].startswith("multipart/form-data")
    assert PDF in posted.body
    assert b'name="document"; filename="bill.pdf"' in posted.body
    assert b"siteId" not in posted.body


def test_one_that_takes_too_long_is_named_and_goes_on(bill: Path, tmp_path: Path) -> None:
    with serve(answering(Reply(job("PENDING")))) as wire:
        nectar, clock = to(wire, tmp_path)
        with pytest.raises(
            NectarError, match=r"j1 is still PENDING after 15 seconds\. It goes on, do not repeat"
        ) as said:
            nectar.upload(bill, timeout=12)
        assert not said.value.retryable
        assert sum(clock.pauses) == 15
        assert [one.method for one in wire.requests].count("POST") == 1


def test_interrupted_while_it_waits_it_is_named(bill: Path, tmp_path: Path) -> None:
    answer = answering(Reply(job("PENDING")))

    def interrupting(request: Request) -> Reply:
        if "/job/" in request.path and request.method == "GET":
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
        return answer(request)

    with serve(interrupting) as wire:
        nectar, _ = to(wire, tmp_path)
        with pytest.raises(
            KeyboardInterrupt, match=r"upload j1 .* It goes on, do not repeat it: nectar\.jobs\(job='j1'\)"
        ):
            nectar.upload(bill)
        assert [one.method for one in wire.requests].count("POST") == 1


def test_where_asking_fails_the_upload_is_named(bill: Path, tmp_path: Path) -> None:
    with serve(answering(Reply(job("PENDING")), Reply({"detail": "Down."}, 503))) as wire:
        nectar, _ = to(wire, tmp_path)
        with pytest.raises(ServerError, match=r"The upload was carried out \(job j1\).*Do not repeat it"):
            nectar.upload(bill)
        assert [one.method for one in wire.requests].count("POST") == 1


def test_an_upload_without_an_answer_is_not_sent_again(bill: Path, tmp_path: Path) -> None:
    def answer(request: Request) -> Reply:
        return Reply(fault="reset") if request.method == "POST" else Reply([{"id": "c1", "name": "Harbor Foods"}])

    with serve(answer) as wire:
        nectar, _ = to(wire, tmp_path)
        with pytest.raises(NetworkError, match="not sent again"):
            nectar.upload(bill)
        assert [one.method for one in wire.requests].count("POST") == 1


def test_whoever_watches_sees_how_long_it_takes(bill: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("CI", "PYTEST_VERSION", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    with serve(answering(Reply(job("PENDING"), delay=1.05), Reply(job("COMPLETED")))) as wire:
        nectar, _ = to(wire, tmp_path)
        screen = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", screen)
            nectar.upload(bill)
    assert "upload j1: PENDING, 0 s" in screen.getvalue()
    assert screen.getvalue().endswith("\r")  # and the line is gone at the end

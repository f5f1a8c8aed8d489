"""A bill's original file: where it goes, and what is said when it does not come."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from client.hand_written_api import KEY, HandWrittenApi
from client.verbs.truth import Place, everywhere
from sandbox_app.small_world import JANUARY_BILL, NOBODY

from nectar_notebooks import FrozenClock, Nectar, connect
from nectar_notebooks.errors import (
    ContractError,
    InvalidRequestError,
    NectarError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)

Warm = Callable[..., Nectar]


@everywhere
def test_the_original_is_put_where_it_is_wanted(
    place: Place, company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    nectar = place.connect(version=version)
    content = place.sandbox.app.test_client().get(f"/bills/{JANUARY_BILL}.pdf").data
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    name = f"{JANUARY_BILL}.pdf"
    bill = nectar.bills(company).set_index("bill_id", drop=False).loc[JANUARY_BILL]
    for given, to, found in (
        (JANUARY_BILL, None, Path(name)),
        (bill, there, there / name),
        (bill.to_frame().T, str(there / "january.pdf"), there / "january.pdf"),
    ):
        assert nectar.download(given, to, company) == found
        assert found.read_bytes() == content
    umask = os.umask(0)
    os.umask(umask)
    assert (there / name).stat().st_mode & 0o777 == 0o666 & ~umask
    assert sorted(one.name for one in there.iterdir()) == sorted([name, "january.pdf"])


def test_nothing_is_overwritten_in_silence(warm: Warm, place: Place, company: str, tmp_path: Path) -> None:
    nectar = warm()
    (tmp_path / "bill.pdf").write_text("mine")
    spent = place.spent()
    with pytest.raises(InvalidRequestError, match=r"bill\.pdf is there already.*overwrite=True"):
        nectar.download(JANUARY_BILL, tmp_path / "bill.pdf", company)
    with pytest.raises(InvalidRequestError, match="There is no folder"):
        nectar.download(JANUARY_BILL, tmp_path / "nowhere" / "bill.pdf", company)
    assert place.spent() == spent
    assert (tmp_path / "bill.pdf").read_text() == "mine"
    nectar.download(JANUARY_BILL, tmp_path / "bill.pdf", company, overwrite=True)
    assert (tmp_path / "bill.pdf").read_bytes().startswith(b"%PDF")


def test_a_bill_that_is_not_there(warm: Warm, place: Place, company: str, tmp_path: Path) -> None:
    nectar = warm()
    with pytest.raises(NotFoundError, match=f"has no bill {NOBODY}"):
        nectar.download(NOBODY, tmp_path, company)
    with pytest.raises(InvalidRequestError, match="sees 2 companies"):
        nectar.download(JANUARY_BILL, tmp_path)
    with pytest.raises(InvalidRequestError, match="one after the other"):
        nectar.download(nectar.bills(company), tmp_path)
    place.sandbox.scenario("bill_deleted", document=JANUARY_BILL)
    with pytest.raises(NotFoundError):
        nectar.download(JANUARY_BILL, tmp_path, company)
    assert not list(tmp_path.glob("*.p*"))


# --- on an API written by hand, whose links and names are as bad as they may be


class FilesApi(HandWrittenApi):
    """The small API with files: what each path of them answers, and the headers they were asked for with."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, bytes]] = {}
        self.longer = 0
        self.asked: list[dict[str, str]] = []
        super().__init__()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        if not handler.path.startswith("/files/"):
            super().handle(handler)
            return
        self.asked.append({name.lower(): value for name, value in handler.headers.items()})
        status, content = self.files.get(handler.path, (404, b""))
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) + self.longer))
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    def bill(self, **fields: object) -> str:
        """Change what the newest bill says, and return its id."""
        self.state["documents"]["c1"][-1].update(fields)
        return str(self.state["documents"]["c1"][-1]["id"])


@pytest.fixture
def api() -> Iterator[FilesApi]:
    api = FilesApi()
    yield api
    api.close()


@pytest.fixture
def nectar(api: FilesApi, tmp_path: Path) -> Nectar:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    return connect("production", base_url=api.url, key=KEY, cache_dir=tmp_path / "cache", clock=clock)


def test_a_link_that_expired_is_asked_for_anew(api: FilesApi, nectar: Nectar, tmp_path: Path) -> None:
    bill = api.bill(url=f"{api.url}/files/old")
    api.files = {"/files/old": (403, b"<Error>Request has expired</Error>"), "/files/new": (200, b"%PDF-1.4")}
    nectar.bills()
    with pytest.raises(PermissionDeniedError, match="not any more"):
        nectar.download(bill, tmp_path / "bill.pdf")
    api.bill(url=f"{api.url}/files/new")
    before = len(api.log)
    assert nectar.download(bill, tmp_path / "bill.pdf").read_bytes() == b"%PDF-1.4"
    assert len(api.log) == before + 1  # one list of one day, which is documented
    assert api.asked
    assert all("x-api-key" not in headers and "authorization" not in headers for headers in api.asked)


@pytest.mark.fault
@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("../../evil.pdf", "evil.pdf"),
        ("C:\\bills\\evil.pdf", "evil.pdf"),
        ("..", "b119.pdf"),
        ("", "b119.pdf"),
        (None, "b119.pdf"),
        ("a\nb\x00:c?.pdf", "a_b__c_.pdf"),
        (".hidden.pdf", "hidden.pdf"),
        ("x" * 300 + ".pdf", "x" * 112 + ".pdf"),
    ],
)
def test_what_the_api_calls_a_file_is_never_a_path(
    api: FilesApi, nectar: Nectar, tmp_path: Path, called: str | None, name: str
) -> None:
    bill = api.bill(url=f"{api.url}/files/a", fileName=called)
    api.files = {"/files/a": (200, b"%PDF-1.4")}
    folder = tmp_path / "deep" / "bills"
    folder.mkdir(parents=True)
    assert nectar.download(bill, folder) == folder / name
    assert sorted(one.name for one in tmp_path.rglob("*.pdf")) == [name]


@pytest.mark.fault
@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        (None, InvalidRequestError, "has no original file"),
        ("http://files.example/a.pdf", ContractError, "not https"),
        ("file:///etc/hostname", ContractError, "not https"),
        ("https://[", ContractError, "not https"),
        ("https://files.example:port/a.pdf", ContractError, "not https"),
    ],
)
def test_an_address_that_is_none(
    api: FilesApi, nectar: Nectar, tmp_path: Path, url: str | None, kind: type[NectarError], said: str
) -> None:
    bill = api.bill(url=url)
    with pytest.raises(kind, match=said):
        nectar.download(bill, tmp_path / "bill.pdf")
    assert not (tmp_path / "bill.pdf").exists()


@pytest.mark.fault
@pytest.mark.parametrize(
    ("status", "content", "kind", "said"),
    [
        (403, b"", PermissionDeniedError, "is not valid, or not any more"),
        (410, b"", PermissionDeniedError, "is not valid, or not any more"),
        (404, b"<Error/>", NotFoundError, "There is no file at"),
        (500, b'{"detail": "Down."}', ServerError, r"The file at .* \(500\)\. Down"),
        (200, b"  <!DOCTYPE html><title>Log in</title>", ContractError, "a web page instead of a bill"),
        (200, b"", ContractError, "is empty instead of a bill"),
    ],
)
def test_a_file_that_does_not_come_replaces_nothing(
    api: FilesApi, nectar: Nectar, tmp_path: Path, status: int, content: bytes, kind: type[NectarError], said: str
) -> None:
    bill = api.bill(url=f"{api.url}/files/a")
    api.files = {"/files/a": (status, content)}
    (tmp_path / "bill.pdf").write_text("mine")
    with pytest.raises(kind, match=said):
        nectar.download(bill, tmp_path / "bill.pdf", overwrite=True)
    assert (tmp_path / "bill.pdf").read_text() == "mine"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.fault
def test_a_file_that_comes_in_part_is_no_file(api: FilesApi, nectar: Nectar, tmp_path: Path) -> None:
    bill = api.bill(url=f"{api.url}/files/a")
    api.files = {"/files/a": (200, b"%PDF" + bytes(1_000_000))}
    api.longer = 10
    with pytest.raises(NetworkError, match="cut off"):
        nectar.download(bill, tmp_path / "bill.pdf")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["cache"]
    api.longer = 0
    assert nectar.download(bill, tmp_path / "bill.pdf").stat().st_size == 1_000_004

"""The transport into a WSGI application of this process."""

import hashlib
import threading

import pytest
import requests
from flask import Flask, Response, jsonify, request

from nectar_notebooks.api import EMBEDDED_URL, Session, WSGIAdapter
from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.config import Secret
from nectar_notebooks.errors import NetworkError, PermissionDeniedError


@pytest.fixture
def app() -> Flask:
    flask_app = Flask("test")

    @flask_app.get("/v2.2/ping")
    def ping():
        return jsonify(key=request.headers.get("X-API-Key"), host=request.host, secure=request.is_secure)

    @flask_app.get("/v2.2/company/<path:company_id>")
    def company(company_id: str):
        return jsonify(id=company_id)

    @flask_app.get("/v2.2/document/company/<company_id>")
    def documents(company_id: str):
        return jsonify(args=request.args.to_dict(flat=False))

    @flask_app.post("/v2.2/job/company/<company_id>")
    def upload(company_id: str):
        file = request.files["document"]
        content = file.read()
        return jsonify(
            name=file.filename,
            kind=file.mimetype,
            size=len(content),
            digest=hashlib.sha256(content).hexdigest(),
            site=request.form["siteId"],
        ), 201

    @flask_app.post("/v2.2/site/company/<company_id>")
    def site(company_id: str):
        return jsonify(request.get_json()), 201

    @flask_app.get("/v2.2/meter/<meter_id>")
    def meter(meter_id: str):
        return jsonify(detail="Not yours."), 403

    @flask_app.get("/file")
    def file():
        return Response((bytes([number]) * 100_000 for number in range(5)), mimetype="application/pdf")

    return flask_app


@pytest.fixture
def session(app: Flask) -> Session:
    return Session(
        EMBEDDED_URL,
        [Secret("made-up")],
        clock=FrozenClock("2026-01-15T09:00:00Z"),
        adapter=WSGIAdapter(app),
    )


def test_a_request_and_its_key_arrive(session: Session) -> None:
    assert session.call("ping").json() == {
        "key": "made-up",
        "host": "embedded-sandbox.invalid",
        "secure": True,
    }


def test_parameters_and_quoted_ids_arrive(session: Session) -> None:
    assert session.call("company.get", company_id="ä b/ü").json() == {"id": "ä b/ü"}
    answer = session.call(
        "documents.company", company_id="c", params={"datasourceType": ["GAS", "WATER"], "identifier": "Zähler 1"}
    )
    assert answer.json() == {"args": {"datasourceType": ["GAS", "WATER"], "identifier": ["Zähler 1"]}}


def test_multipart_upload(session: Session) -> None:
    content = bytes(range(256)) * 5000
    answer = session.call(
        "job.upload",
        company_id="c",
        data={"siteId": "s-1"},
        files={"document": ("bill.pdf", content, "application/pdf")},
    )
    assert answer.json() == {
        "name": "bill.pdf",
        "kind": "application/pdf",
        "size": len(content),
        "digest": hashlib.sha256(content).hexdigest(),
        "site": "s-1",
    }


def test_json_body_and_status(session: Session) -> None:
    answer = session.call("site.create", company_id="c", json={"name": "Depot", "path": ["US", "AK"]})
    assert (answer.status, answer.json()) == (201, {"name": "Depot", "path": ["US", "AK"]})
    with pytest.raises(PermissionDeniedError, match="Not yours"):
        session.call("meter.get", meter_id="m")


def test_a_streamed_file(session: Session) -> None:
    expected = b"".join(bytes([number]) * 100_000 for number in range(5))
    assert b"".join(session.download(f"{EMBEDDED_URL}/file")) == expected


def test_pieces_are_asked_for_as_they_are_read() -> None:
    asked: list[int] = []

    def app(environ, start_response):
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"first,")

        def pieces():
            for number in range(3):
                asked.append(number)
                yield b"x" * 100_000
            asked.append(-1)

        return pieces()

    http = requests.Session()
    http.mount(EMBEDDED_URL, WSGIAdapter(app))
    with http.get(EMBEDDED_URL + "/", stream=True) as response:
        assert response.raw.read(6) == b"first,"
        assert asked in ([], [0])
        assert len(response.raw.read()) == 300_000
    assert asked == [0, 1, 2, -1]


def test_an_iterable_is_closed() -> None:
    closed = threading.Event()

    class Pieces:
        def __iter__(self):
            return iter([b"{}"])

        def close(self) -> None:
            closed.set()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return Pieces()

    assert Session(EMBEDDED_URL, adapter=WSGIAdapter(app)).call("ping").json() == {}
    assert closed.is_set()


def test_an_unmounted_embedded_address_goes_nowhere() -> None:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    with pytest.raises(NetworkError, match=r"embedded-sandbox\.invalid"):
        Session(EMBEDDED_URL, clock=clock).call("ping")


def test_many_threads_at_once(session: Session) -> None:
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda n=number: answers.append(session.call("company.get", company_id=f"c{n}").json()))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer["id"] for answer in answers) == sorted(f"c{number}" for number in range(40))

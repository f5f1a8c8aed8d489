"""The examples to copy, each run as it stands and sent what the official library signs."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from places import PROJECT
from svix.webhooks import Webhook as Svix

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"eventType":  "document.created.v2", "id": "bill-1", "utilityCompany": "Énergie"}'


@contextmanager
def example(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("NECTAR_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("NECTAR_WEBHOOK_LEDGER", str(folder / "ledger.db"))
    path = PROJECT / "docs" / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    try:
        yield module
    finally:
        module.receiver.close()


def signed() -> dict[str, str]:
    now = datetime.now(UTC)  # noqa: TID251  # the examples run on the system's clock
    return {
        "svix-id": "msg_1",
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": Svix(SECRET).sign("msg_1", now, BODY),
    }


def wsgi(app: Callable[..., Any], method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
    statuses: list[int] = []
    raw = body.encode()
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": io.BytesIO(raw), "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr, "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw)),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }  # fmt: skip
    answer = app(environ, lambda line, _, __=None: statuses.append(int(line[:3])))
    text = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return statuses[-1], text


@pytest.mark.parametrize(("name", "called"), [("webhooks_flask", "app"), ("webhooks_django", "application")])
def test_flask_and_django(
    name: str, called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("django", reason="django is not installed: pip install -e '.[dev]'")
    with example(name, tmp_path, monkeypatch) as module:
        app = getattr(module, called)
        assert wsgi(app, "POST", "/webhooks", BODY, **signed())[0] == 204
        assert wsgi(app, "POST", "/webhooks", BODY.replace("bill-1", "bill-2"), **signed())[0] == 401
        assert wsgi(app, "GET", "/webhooks")[0] == 405
        assert module.receiver.drain()
        status, text = wsgi(app, "GET", "/health")
        assert status == 200
        assert b'"accepted"' in text
        assert wsgi(app, "GET", "/elsewhere")[0] == 404
    assert capsys.readouterr().out == "document.created.v2 msg_1\n"


@pytest.mark.enable_socket  # the event loop of the test client wants a socket pair
def test_fastapi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("a2wsgi", reason="a2wsgi is not installed: pip install -e '.[dev]'")
    testclient = pytest.importorskip("fastapi.testclient", reason="fastapi is not installed")
    kind = {"Content-Type": "application/json"}
    with example("webhooks_fastapi", tmp_path, monkeypatch) as module, testclient.TestClient(module.app) as client:
        assert client.post("/webhooks/", content=BODY.encode(), headers=signed() | kind).status_code == 204
        assert client.post("/webhooks/", content=b"{}", headers=signed() | kind).status_code == 401
        assert client.get("/webhooks/").status_code == 405
        assert module.receiver.drain()
        assert client.get("/health").json()["accepted"] == 1
    assert capsys.readouterr().out == "document.created.v2 msg_1\n"

"""The receiver as a WSGI application under whatever may come, some of it truly signed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from svix.webhooks import Webhook as Svix

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.webhooks import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
KNOWN = ("204", "400", "401", "405", "409", "411", "413", "415")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
kinds = st.sampled_from(["document.created.v2", "connection.updated.v2", "document.deleted", ""]) | st.text(max_size=12)
events = st.fixed_dictionaries({}, optional={"eventType": kinds | json_values, "id": st.text(max_size=5) | json_values})
texts = st.text(alphabet=st.characters(max_codepoint=255), max_size=30)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    folder: Path = tmp_path_factory.mktemp("ledger")
    made = Receiver(SECRET, folder / "ledger.db", lambda event: None, clock=FrozenClock(NOW))
    yield made
    made.close()


def call(receiver: Receiver, environ: dict[str, Any], body: bytes) -> tuple[str, dict[str, str]]:
    answers: list[tuple[str, dict[str, str]]] = []
    rest = receiver(
        {"wsgi.input": io.BytesIO(body), **environ}, lambda line, headers: answers.append((line, dict(headers)))
    )
    assert list(rest) == []
    [answer] = answers
    return answer


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["POST", "POST", "GET", "PUT", "DELETE", "post", ""]),
    kind=st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", ""]) | texts,
    length=st.none() | st.integers(-2, 3_000_000).map(str) | texts,
    headers=st.dictionaries(
        st.sampled_from([f"HTTP_{p}_{n}" for p in ("SVIX", "WEBHOOK") for n in ("ID", "TIMESTAMP", "SIGNATURE", "X")]),
        texts | st.just(str(int(NOW.timestamp()))),
        max_size=6,
    ),
    body=st.binary(max_size=200),
)
def test_junk_gets_a_status_and_is_not_written(
    receiver: Receiver, method: str, kind: str, length: str | None, headers: dict[str, str], body: bytes
) -> None:
    before = sum(receiver.ledger.counts().values())
    environ = {"REQUEST_METHOD": method, "CONTENT_TYPE": kind, **headers}
    environ["CONTENT_LENGTH"] = str(len(body)) if length is None else length
    line, shown = call(receiver, environ, body)
    assert line[:3] in KNOWN
    assert line[:3] != "204"
    assert shown["Content-Length"] == "0"
    assert sum(receiver.ledger.counts().values()) == before


@settings(max_examples=100, deadline=None)
@given(payload=events | json_values, number=st.integers(1, 10**9), spelling=st.sampled_from(["SVIX", "WEBHOOK"]))
def test_what_is_truly_signed_is_taken_if_it_is_an_event_and_never_breaks_anything(
    receiver: Receiver, payload: object, number: int, spelling: str
) -> None:
    body, id_ = json.dumps(payload), f"msg_{number}"
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        f"HTTP_{spelling}_ID": id_,
        f"HTTP_{spelling}_TIMESTAMP": str(int(NOW.timestamp())),
        f"HTTP_{spelling}_SIGNATURE": Svix(SECRET).sign(id_, NOW, body),
    }
    line, _ = call(receiver, environ, body.encode())
    assert line[:3] in ({"204", "400", "409"} if isinstance(payload, dict) else {"400"})
    again, _ = call(receiver, environ, body.encode())
    assert again == line
    if line[:3] == "204":
        cut, _ = call(receiver, environ | {"CONTENT_LENGTH": str(len(body) - 1)}, body.encode()[:-1])
        assert cut[:3] == "401"

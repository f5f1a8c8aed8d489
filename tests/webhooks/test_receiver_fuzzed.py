"""The receiver as a WSGI application under whatever may come, some of it truly signed; its ledger stays readable."""

from __future__ import annotations

import io
import json
import math
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


@pytest.mark.fault
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


def signed(id_: str, body: bytes, **more: str) -> dict[str, str]:
    return {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_SVIX_ID": id_,
        "HTTP_SVIX_TIMESTAMP": str(int(NOW.timestamp())),
        "HTTP_SVIX_SIGNATURE": Svix(SECRET).sign(id_, NOW, body.decode(errors="ignore")),
        **more,
    }


def nested(depth: int, kind: str) -> bytes:
    start, end = {"list": ("[", "]"), "object": ('{"a":', "}")}[kind]
    return f'{{"eventType":"document.created.v2","id":"b","deep":{start * depth}1{end * depth}}}'.encode()


#: JSON as a hostile sender who has the secret may write it; what stands in the ledger afterwards must be readable.
ABSURD = {
    "half a pair in the type": b'{"eventType": "\\ud800", "id": "b"}',
    "half a pair in the id": b'{"eventType": "document.created.v2", "id": "\\udfff"}',
    "half a pair in a key": b'{"eventType": "connection.updated.v2", "id": "c", "\\ud800": "\\ud800"}',
    "NUL": b'{"eventType": "a\\u0000b", "id": "\\u0000"}',
    "escape sequences": b'{"eventType": "\\u001b[2J\\u202e", "id": "b"}',
    "a huge integer": b'{"eventType": "document.created.v2", "id": ' + b"9" * 5000 + b"}",
    "a huge float": b'{"eventType": "document.created.v2", "id": "b", "amount": 1e999}',
    "NaN": b'{"eventType": "document.created.v2", "id": "b", "amount": NaN}',
    "-Infinity": b'{"eventType": "document.created.v2", "id": -Infinity}',
    "twice the same key": b'{"eventType": "document.created.v2", "id": "b", "id": "c", "eventType": "x"}',
    "no text": b'{"eventType": "\xff\xfe", "id": "b"}',
    "half a pair in UTF-8": b'{"eventType": "\xed\xa0\x80", "id": "b"}',
    "UTF-16": '{"eventType": "document.created.v2", "id": "b"}'.encode("utf-16-le"),
    "a mark of order": b'\xef\xbb\xbf{"eventType": "document.created.v2", "id": "b"}',
    "nothing": b"",
    "a NUL alone": b"\x00",
    "a true": b"true",
    "lists 60 deep": nested(60, "list"),
    "lists 900 deep": nested(900, "list"),
    "lists 100,000 deep": nested(100_000, "list"),
    "objects 900 deep": nested(900, "object"),
    "a long type": json.dumps({"eventType": "x" * 500_000, "id": "b"}).encode(),
    "ids of another kind": b'{"eventType": "document.created.v2", "id": [{}]}',
}


def readable(receiver: Receiver) -> None:
    for entry in receiver.ledger.list(most=10):
        found, payload = receiver.ledger.show(entry.id)
        assert (found.id, found.type) == (entry.id, entry.type)
        assert isinstance(json.dumps(payload, indent=2), str)  # as `nectar webhooks show` prints it
        entry.type.encode()


@pytest.mark.fault
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in ABSURD.items()])
def test_absurd_json_is_refused_or_kept_and_handled(tmp_path: Path, body: bytes) -> None:
    seen: list[str] = []
    with_it = Receiver(SECRET, tmp_path / "ledger.db", lambda event: seen.append(event.id), clock=FrozenClock(NOW))
    line, _ = call(with_it, signed("msg_absurd", body), body)
    assert line[0] in "24"
    good = b'{"eventType": "document.created.v2", "id": "b"}'
    assert call(with_it, signed("msg_good", good), good)[0][:3] == "204"
    assert with_it.drain()
    assert set(seen) == {"msg_good"} | ({"msg_absurd"} if line[0] == "2" else set())
    readable(with_it)
    with_it.close()


@pytest.mark.fault
def test_whatever_an_error_of_a_handler_says_the_next_event_is_handled(tmp_path: Path) -> None:
    class SpeechlessError(Exception):
        def __str__(self) -> str:
            raise ValueError

    errors = [
        ValueError("\ud800"),
        ValueError("\x00\x1b[2J"),
        SpeechlessError(),
        KeyError("\udfff"),
        ValueError("x" * 10**6),
    ]
    seen: list[str] = []

    def handle(event: object) -> None:
        if errors:
            raise errors.pop()
        seen.append("handled")

    one = Receiver(SECRET, tmp_path / "ledger.db", handle, clock=FrozenClock(NOW), workers=1)
    for number in range(6):
        body = b'{"eventType": "document.created.v2", "id": "b"}'
        assert call(one, signed(f"msg_{number}", body), body)[0][:3] == "204"
    assert one.drain()
    assert seen == ["handled"]
    assert one.ledger.counts()["failed"] == 5
    readable(one)
    one.close()


wild = st.text(alphabet=st.characters(codec=None), max_size=20)
wild_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | wild | st.sampled_from([10**400, math.inf, math.nan])
)
wild_values = wild_leaves | st.lists(wild_leaves, max_size=3) | st.dictionaries(wild, st.lists(wild_leaves), max_size=3)
wild_events = st.fixed_dictionaries(
    {}, optional={"eventType": kinds | wild, "id": wild_values, "company": wild_values, "old": wild_values}
)


@pytest.mark.fault
@settings(max_examples=150, deadline=None)
@given(
    payload=wild_events,
    id_=st.text(min_size=1, max_size=10) | st.integers(0, 10**9).map("msg_{}".format),
    stamp=st.sampled_from(["", "now", "1e9", "-1", "0", "9" * 12, "9" * 500, "１", "1768467600.0"]) | st.none(),
    signature=st.none() | wild,
    broken=st.none() | st.binary(max_size=20),
)
def test_whatever_is_sent_the_answer_is_2xx_or_4xx_and_the_ledger_readable(
    receiver: Receiver,
    payload: dict[str, Any],
    id_: str,
    stamp: str | None,
    signature: str | None,
    broken: bytes | None,
) -> None:
    body = json.dumps(payload).encode() + (broken or b"")
    environ = signed("msg", body) if id_ == "" else signed(id_, body)
    if stamp is not None:
        environ["HTTP_SVIX_TIMESTAMP"] = stamp
    if signature is not None:
        environ["HTTP_SVIX_SIGNATURE"] += f" v1,{signature}"
    line, _ = call(receiver, environ, body)
    assert line[0] in "24", line
    readable(receiver)


@pytest.mark.fault
@pytest.mark.parametrize(
    "length", ["0" * 5000, "0" * 30 + "9" * 30, "9" * 5000, "²", "١", "+1", "1_0", " 1", "1.0", "-0"]
)
def test_a_length_that_is_none_is_refused(receiver: Receiver, length: str) -> None:
    body = b"{}"
    assert call(receiver, signed("msg_length", body, CONTENT_LENGTH=length), body)[0][0] == "4"

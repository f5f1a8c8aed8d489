"""Absurd values of every argument and of every field of an answer end in rows or in a `NectarError`, never in another.

The API is written by hand and answers with whatever rows it is given: it looks into none of them.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from client.hand_written_api import KEY, account, document, usage
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as some

from nectar_notebooks import FrozenClock, Nectar, connect
from nectar_notebooks.errors import NectarError

pytestmark = pytest.mark.fault

DAY = "2026-01-10T08:00:00Z"
EXAMPLES = 1500 if os.environ.get("NECTAR_TESTS_SOAK") else 20
RUN = settings(
    phases=(Phase.explicit, Phase.generate),
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def nested(levels: int) -> object:
    value: object = None
    for level in range(levels):
        value = [value] if level % 2 else {"d": value}
    return value


METER = {"id": "m1", "site": "s1", "account": "a1", "identifiers": [{"name": "METER", "value": "00", "rawName": "M"}]}
INTERVAL = {"id": "i1", "startTime": DAY, "endTime": DAY, "usage": "1.5", "usageUnits": "kWh", "identifiers": []}
JOB = {"id": "j1", "status": "COMPLETED", "created": DAY, "documents": [{"id": "b1"}], "errorMessage": None}
INVITATION = {"id": "v1", "status": "ACTIVE", "created": DAY, "expires": DAY, "useCount": 0, "maxUses": 1}
CONNECTION = {
    "id": "k1", "created": DAY, "updated": DAY, "company": {"id": "c1"}, "url": "https://city.example",
    "datasource": {"name": "City Light", "url": "https://city.example"}, "status": "CONNECTED",
    "statusFirstSeenTime": DAY, "username": "ops", "accounts": [account("a1", ["m1"])],
}  # fmt: skip
STATE: dict[str, dict[str, Any]] = {
    "companies": {"id": "c1", "name": "Harbor Foods", "externalId": "HF", "dataCollectionStartDate": "2020-01-01"},
    "sites": {"id": "s1", "name": "Pier 1", "externalId": None, "address": "1 Pier", "path": ["US"]},
    "connections": CONNECTION,
    "documents": document("b1", "2026-01-05", "a1", "10.25", ["u1"]) | {"additionalFields": {"a": 1}},
    "usageData": usage("u1", "b1", "m1", "s1", "2025-12-01", "2025-12-31", "100.5"),
    "meters": METER,
    "intervals": INTERVAL,
    "jobs": JOB,
    "invitations": INVITATION,
}
#: Nouns that read each resource.
NOUNS: dict[str, Callable[[Nectar], object]] = {
    "companies": lambda nectar: nectar.companies(),
    "sites": lambda nectar: nectar.sites("c1"),
    "connections": lambda nectar: (nectar.connections("c1"), nectar.accounts("c1"), nectar.status_history("c1")),
    "documents": lambda nectar: nectar.portfolio("c1"),
    "usageData": lambda nectar: nectar.portfolio("c1"),
    "meters": lambda nectar: nectar.meters("c1"),
    "intervals": lambda nectar: nectar.intervals("k1", "c1"),
    "jobs": lambda nectar: (nectar.jobs("c1"), nectar.job_bills("c1")),
    "invitations": lambda nectar: (nectar.invitations("c1"), nectar.invitation_connections("c1")),
}


class CannedApi:
    """Answers with the rows it has, and with an envelope and headers that may be absurd too."""

    def __init__(self) -> None:
        self.rows = copy.deepcopy(STATE)
        self.envelope: dict[str, object] = {}
        self.headers: dict[str, str] = {}
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                content = json.dumps(outer.answer(self.path)).encode()
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"] or 0))
                self.do_GET()

            def do_PATCH(self) -> None:
                self.do_POST()

            def do_DELETE(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # the client hung up

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        self.rows, self.envelope, self.headers, self.status = copy.deepcopy(STATE), {}, {}, 200

    def answer(self, target: str) -> object:
        path, _, query = target.partition("?")
        noun, *scope = path.split("/")[2:]
        if noun == "company":
            company = self.rows["companies"]
            return {**company, "sites": [self.rows["sites"]]} if scope else [company]
        key = {"document": "documents", "usage": "usageData"}.get(noun, f"{noun}s")
        row = self.rows.get(key, {"id": "x"})
        if not scope or scope[0] not in ("company", "connection", "site", "document"):
            return row
        rows = [] if "UPDATED_DATE" in query else [row]
        total = f"total{key[0].upper()}{key[1:]}"
        return {key: rows, total: len(rows), "totalPages": 1, "currentPage": 1} | {
            total if name == "total" else key if name == "rows" else name: value
            for name, value in self.envelope.items()
        }


@pytest.fixture
def tried(request: pytest.FixtureRequest, times: Callable[[int, int], int]) -> Iterator[list[object]]:
    """Return where a test notes what it tried, of which the long form tells the number."""
    tried: list[object] = []
    yield tried
    what = request.node.name.removeprefix("test_").replace("_", " ")
    print(f"\nsoak: client: {len(tried):,} {what}: rows or a NectarError each time")


@pytest.fixture(scope="module")
def api() -> Iterator[CannedApi]:
    api = CannedApi()
    yield api
    api.close()


def client_of(api: CannedApi, folder: str, **more: object) -> Nectar:
    place = {"key": KEY, "base_url": api.url, "cache_dir": folder, "clock": FrozenClock("2026-01-15T09:00:00Z")}
    return connect("production", **{**place, **more})


def rows_or_error(ask: Callable[[], object]) -> None:
    """Ask; whatever is raised must be ours and printable. A warning that something was not kept is fine."""
    said = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask()
    except NectarError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 6000


#: What JSON can say, and no field expects.
ODD_TEXTS = some.sampled_from(
    [
        "",
        " ",
        "x\x00y",
        "�",
        "\x1b[2J\u202e",
        "9" * 500,
        "-0",
        "1e999",
        "NaN",
        "Infinity",
        "0001-01-01",
        "-2024-01-01",
        "9999-12-31T23:59:59.999999999Z",
        "10000-01-01",
        "2024-02-30",
        "2024-01-01T25:00:00Z",
        "300000-01-01T00:00:00Z",
        "٣",
        "1,5",
        "1_000",
        "0x10",
        "x" * 100000,
        "2024-01-01T00:00:00+99:99",
        "true",
        "\ufeff1",
    ]
)
ODD_NUMBERS = some.sampled_from([0, -1, 1.5, 10**30, -(10**400), 2**63, 1e308, float("nan"), float("inf"), True])
ODD_SHAPES = some.sampled_from(
    [
        None,
        [],
        [[]],
        [None],
        [1],
        ["a"],
        {},
        {"id": None},
        {"id": {"id": "x"}},
        [{"id": []}],
        [{}],
        ["x"] * 1000,
        nested(100),
        nested(600),
        nested(900),
        [{"id": "x"}, {"id": "x"}],
        {"": ""},
        [True],
    ]
)
ODD = ODD_TEXTS | ODD_NUMBERS | ODD_SHAPES


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the way to every field of a row, nested ones too, and one that nobody knows."""
    if isinstance(value, dict):
        yield (*path, "surprise")
        for name, inner in value.items():
            yield (*path, name)
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield (*path, place)
            yield from places(inner, (*path, place))


FIELDS = [(noun, path) for noun, row in STATE.items() for path in places(row)]


@RUN
@given(some.sampled_from(FIELDS), ODD)
@example(("documents", ("additionalFields",)), nested(900))
@example(("usageData", ("id",)), True)
def test_absurd_fields(api: CannedApi, tried: list[object], field: tuple[str, tuple[Any, ...]], value: object) -> None:
    tried.append(field)
    noun, path = field
    api.reset()
    inner: Any = api.rows[noun]
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    folder = tempfile.mkdtemp()
    try:
        rows_or_error(lambda: NOUNS[noun](client_of(api, folder)))
        rows_or_error(lambda: NOUNS[noun](client_of(api, folder, offline=True)))  # what was kept can be read
    finally:
        shutil.rmtree(folder)


@RUN
@given(some.sampled_from(list(NOUNS)), some.sampled_from(["rows", "total", "totalPages", "currentPage"]), ODD)
def test_absurd_envelopes(api: CannedApi, tried: list[object], noun: str, name: str, value: object) -> None:
    tried.append(name)
    api.reset()
    api.envelope = {name: value}
    with tempfile.TemporaryDirectory() as folder:
        rows_or_error(lambda: NOUNS[noun](client_of(api, folder)))


HEADERS = (
    "Retry-After",
    "Location",
    "Content-Type",
    "Content-Encoding",
    "Date",
    "Set-Cookie",
    "Link",
    "Transfer-Encoding",
)


@RUN
@given(
    some.sampled_from(HEADERS),
    some.text(some.characters(min_codepoint=32, max_codepoint=255), max_size=60) | ODD_TEXTS.filter(str.isascii),
    some.sampled_from([200, 204, 206, 302, 401, 404, 429, 500, 503, 599, 999]),
)
def test_absurd_headers_and_statuses(api: CannedApi, tried: list[object], name: str, value: str, status: int) -> None:
    tried.append(name)
    api.reset()
    api.headers, api.status = {name: value.replace("\r", "").replace("\n", "").replace("\0", "")}, status
    with tempfile.TemporaryDirectory() as folder:
        rows_or_error(lambda: client_of(api, folder, limits={"deadline": 2}).companies())


class Odd:
    def __repr__(self) -> str:
        return "\x1b[2J"


ARGUMENTS = some.sampled_from(
    [
        0,
        -1,
        1.5,
        float("nan"),
        float("inf"),
        10**400,
        True,
        b"bytes",
        "",
        " ",
        "\x00",
        "a\x00b",
        "�",
        "\u202e",
        None,
        "x" * 5000,
        "あ" * 118,
        "\x1b[2J",
        "9999-12-31",
        "0000-00-00",
        "9999-12",
        "2024-13",
        "https://[",
        "http://x:99999",
        "~nobody_has_this_name",
        "/dev/zero",
        "/",
        "None",
        [],
        [None],
        {},
        {"a": 1},
        (),
        set(),
        Odd(),
        object(),
        1j,
        type,
        pd.NA,
        pd.NaT,
        pd.DataFrame(),
        pd.Series(dtype=object),
        pd.DataFrame({"company_id": [None]}),
        date(1, 1, 1),
        pd.Timestamp.max,
        Decimal("sNaN"),
        nested(900),
        range(3),
        np.array([1, 2]),
        np.float64("nan"),
        ["https://\x00"],
        {"company_id": "c1"},
        {"bill_id": 5},
        {"company_id": "�"},
        pd.DataFrame({"site_id": ["s1", "s1"]}),
    ]
)
NOT_ASKED = {"on_change"}  # it takes a callable and calls it
METHODS = [name for name, _ in inspect.getmembers(Nectar, inspect.isfunction) if not name.startswith("_")]
SENSIBLE = {
    "company": "c1", "connection": "k1", "site": "s1", "bill": "b1", "company_id": "c1", "noun": "bills", "usage": "u1",
    "documents": "/nowhere/bill.pdf", "old": "v2.1", "since": "2026-01-14", "invitation": "v1", "invitation_id": "v1",
    "job": "j1", "accounts": "a1", "account": "a1", "url": "https://city.example", "username": "ops", "name": "Mill",
}  # fmt: skip


def parameters() -> list[tuple[str, str]]:
    return [
        (method, parameter.name)
        for method in METHODS
        if method not in NOT_ASKED
        for parameter in list(inspect.signature(getattr(Nectar, method)).parameters.values())[1:]
        if parameter.kind is not parameter.VAR_POSITIONAL
    ]


def call(nectar: Nectar, method: str, name: str, value: object) -> object:
    """Call a method with sensible arguments but for one."""
    bound = getattr(nectar, method)
    positional, named = [], {}
    for parameter in inspect.signature(bound).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            if parameter.name == name:
                named |= {"start" if name == "days" else "name": value}
        elif parameter.name == name or parameter.default is parameter.empty:
            chosen = value if parameter.name == name else SENSIBLE.get(parameter.name, "x")
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(chosen)
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                named[parameter.name] = chosen
    return bound(*positional, **named)


@pytest.fixture(scope="module")
def nectar(api: CannedApi, tmp_path_factory: pytest.TempPathFactory) -> Nectar:
    api.reset()
    nectar = client_of(api, str(tmp_path_factory.mktemp("cache")))
    nectar.portfolio("c1")
    return nectar


@RUN
@given(some.sampled_from(parameters()), ARGUMENTS)
def test_absurd_arguments_of_nouns_and_verbs(
    api: CannedApi, nectar: Nectar, tried: list[object], parameter: tuple[str, str], value: object
) -> None:
    tried.append(parameter)
    api.reset()
    rows_or_error(lambda: call(nectar, *parameter, value))


@RUN
@given(some.sampled_from(list(inspect.signature(connect).parameters)), ARGUMENTS)
@example("key", b"nk_made_up_bytes")
@example("key", 123)
@example("key", ("nk_new_made_up", b"nk_old"))
@example("cache_dir", "a\0b")
def test_absurd_arguments_of_connect(api: CannedApi, tried: list[object], name: str, value: object) -> None:
    tried.append(name)
    folder = Path(tempfile.mkdtemp())
    kept = Path.cwd()
    os.chdir(folder)  # a text that names a folder makes it here
    try:
        rows_or_error(lambda: client_of(api, str(folder / "cache"), **({name: value} if name != "environment" else {})))
        rows_or_error(lambda: connect(**{"environment": "local", name: value}))
    finally:
        os.chdir(kept)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    "given", [b"nk_secret_made_up", 123_456_789, ["nk_secret_a", "nk_secret_b", "nk_secret_c"], ("a", b"nk_secret")]
)
def test_a_key_of_another_kind_is_refused_and_never_repeated(given: Any) -> None:
    with pytest.raises(NectarError) as caught:
        connect("production", key=given)
    assert "secret" not in str(caught.value)
    assert "123" not in str(caught.value)

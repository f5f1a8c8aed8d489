"""The session over real sockets: where the key goes, what failures become, what is tried again."""

import io
import logging
import threading
import time
import traceback

import pytest
from api.wire import Reply, Request, serve

from nectar_notebooks.api import RetryPolicy, Session
from nectar_notebooks.clock import FrozenClock, SystemClock
from nectar_notebooks.config import Secret
from nectar_notebooks.errors import (
    AuthenticationError,
    ConfigurationError,
    ContractError,
    InvalidRequestError,
    NectarError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)
from nectar_notebooks.limits import Limits

KEY = "nk_made_up_0123456789"
OLD = "nk_older_9876543210"
HTML = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"


def session_to(url: str, *keys: str, clock=None, **options) -> Session:
    return Session(
        url, [Secret(key) for key in keys or (KEY,)], clock=clock or FrozenClock("2026-01-15T09:00:00Z"), **options
    )


def script(*replies: Reply):
    """Answer with the replies in order, the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def handler(request: Request) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return handler


def whole_text(error: BaseException) -> str:
    """Everything that a report of an error can show, chained errors and their requests included."""
    text = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        text += repr(vars(link))
        request = getattr(link, "request", None)
        text += repr(getattr(request, "headers", ""))
        link = link.__cause__ or link.__context__
    return text


# --- where the key goes


def test_the_key_travels_in_its_header_only() -> None:
    with serve(script(Reply({"status": "ok"}))) as wire, session_to(wire.url) as session:
        answer = session.call("ping")
        assert answer.json() == {"status": "ok"}
    [request] = wire.requests
    assert request.headers["x-api-key"] == KEY
    assert request.headers["user-agent"].startswith("nectar-notebooks/0.")
    assert KEY not in request.path + repr(request.query)
    assert "authorization" not in request.headers


@pytest.mark.fault
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_the_other_host_gets_nothing(status: int) -> None:
    with serve(script(Reply())) as other:
        goal = f"{other.url}/v2.2/ping?token=abc"
        with (
            serve(script(Reply(status=status, headers={"Location": goal}))) as wire,
            session_to(wire.url) as session,
            pytest.raises(ContractError, match=r"redirected to 127\.0\.0\.1") as caught,
        ):
            session.call("ping")
        assert other.requests == []
    assert "token" not in str(caught.value)
    assert len(wire.requests) == 1


def test_netrc_and_cookies_stay_out(tmp_path, monkeypatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(script(Reply(headers={"Set-Cookie": "sessionid=1; Path=/"}))) as wire, session_to(wire.url) as session:
        session.call("ping")
        session.call("ping")
    for request in wire.requests:
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers


def test_a_proxy_of_the_environment_does_not_see_loopback(monkeypatch) -> None:
    with serve(script(Reply())) as proxy, serve(script(Reply())) as wire:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        with session_to(wire.url) as session:
            session.call("ping")
        assert proxy.requests == []


@pytest.mark.fault
def test_no_key_over_plain_http() -> None:
    with pytest.raises(ConfigurationError, match="without https"):
        session_to("http://api.example")


@pytest.mark.fault
@pytest.mark.parametrize(
    "reply",
    [
        Reply({"detail": f"The key {KEY} is not active."}, 401),
        Reply({"detail": KEY}, 500),
        Reply({"field": [KEY]}, 400),
        Reply(HTML + KEY.encode(), 200),
        Reply(fault="reset"),
        Reply({"a": "b" * 1000}, fault="cut"),
        Reply(status=302, headers={"Location": f"https://other.example/?k={KEY}"}),
    ],
    ids=["401", "500", "400", "html", "reset", "cut", "redirect"],
)
def test_no_error_and_no_log_shows_the_key(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(script(reply)) as wire, session_to(wire.url) as session, pytest.raises(NectarError) as caught:
        session.call("ping").json()
    assert KEY not in whole_text(caught.value) + caplog.text + repr(session)


def test_two_keys_carry_a_rotation() -> None:
    def handler(request: Request) -> Reply:
        accepted = request.headers["x-api-key"] == OLD
        return Reply({"ok": True}) if accepted else Reply({"detail": "Unknown key."}, 401)

    with serve(handler) as wire, session_to(wire.url, KEY, OLD) as session:
        first = session.fingerprint
        assert session.call("ping").requests == 2
        assert session.call("ping").requests == 1
        assert session.fingerprint == Secret(OLD).fingerprint() != first
        assert session.requests_sent == 3
    assert [request.headers["x-api-key"] for request in wire.requests] == [KEY, OLD, OLD]


def test_two_keys_that_are_both_refused() -> None:
    with serve(script(Reply({"detail": "No."}, 401))) as wire, session_to(wire.url, KEY, OLD) as session:
        with pytest.raises(AuthenticationError):
            session.call("ping")
        assert session.fingerprint == Secret(KEY).fingerprint()
    assert len(wire.requests) == 2


# --- statuses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (413, InvalidRequestError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
    ],
)
def test_statuses(status: int, kind: type[NectarError]) -> None:
    with (
        serve(script(Reply({"detail": "So it is."}, status))) as wire,
        session_to(wire.url) as session,
        pytest.raises(kind, match="So it is") as caught,
    ):
        session.call("company.get", company_id="c-1")
    assert caught.value.status_code == status
    assert "GET /v2.2/company/c-1" in caught.value.message
    assert caught.value.retryable is (status >= 429)


def test_messages_per_field_are_read() -> None:
    body = {
        "detail": "Invalid input.",
        "name": ["This field is required."],
        "sites": [{"path": ["Too long."]}],
        "note": "",
    }
    with (
        serve(script(Reply(body, 400))) as wire,
        session_to(wire.url) as session,
        pytest.raises(InvalidRequestError) as caught,
    ):
        session.call("company.create", json={})
    for part in ("Invalid input.", "name: This field is required.", "sites[0].path: Too long."):
        assert part in str(caught.value)


@pytest.mark.fault
@pytest.mark.parametrize("body", [b"", HTML, b"\xff\xfe", b'"text"', b"[1, 2]", b"null", b'{"detail": {"a": [[]]}}'])
@pytest.mark.parametrize("status", [404, 503])
def test_any_body_of_a_failure_is_survived(body: bytes, status: int) -> None:
    with (
        serve(script(Reply(body, status))) as wire,
        session_to(wire.url) as session,
        pytest.raises((NotFoundError, ServerError)) as caught,
    ):
        session.call("ping")
    assert caught.value.status_code == status


@pytest.mark.fault
@pytest.mark.parametrize("body", [HTML, b"", b'{"a": NaN}', b"{", b"\xff"])
def test_a_success_that_is_no_json(body: bytes) -> None:
    with (
        serve(script(Reply(body))) as wire,
        session_to(wire.url) as session,
        pytest.raises(ContractError, match=r"GET /v2\.2/ping answered with"),
    ):
        session.call("ping").json()


def test_no_content() -> None:
    with serve(script(Reply(b"", 204))) as wire, session_to(wire.url) as session:
        assert session.call("company.delete", company_id="c").json() is None


# --- trying again


def test_server_errors_are_tried_again_with_growing_pauses() -> None:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    replies = [Reply(status=503), Reply(HTML, 502), Reply(status=500), Reply({"ok": 1})]
    with serve(script(*replies)) as wire, session_to(wire.url, clock=clock) as session:
        answer = session.call("ping")
    assert answer.requests == session.requests_sent == 4
    for pause, ceiling in zip(clock.pauses, (0.5, 1.0, 2.0), strict=True):
        assert ceiling / 2 <= pause <= ceiling


@pytest.mark.parametrize("fault", ["reset", "cut"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_broken_connection_is_tried_again(fault: str, chunked: bool) -> None:
    body = {"rows": list(range(5000))}
    with (
        serve(script(Reply(body, fault=fault, chunked=chunked), Reply(body, chunked=chunked))) as wire,
        session_to(wire.url) as session,
    ):
        assert session.call("ping").json() == body
    assert len(wire.requests) == 2


def test_a_creation_is_not_sent_twice() -> None:
    for reply in (Reply(status=500), Reply(fault="reset"), Reply({}, 201, fault="cut")):
        with (
            serve(script(reply)) as wire,
            session_to(wire.url) as session,
            pytest.raises((ServerError, NetworkError), match="may have been carried out"),
        ):
            session.call("site.create", company_id="c", json={"name": "Depot"})
        assert len(wire.requests) == 1


def test_a_creation_that_was_refused_by_429_is_sent_again_whole() -> None:
    replies = script(Reply(status=429, headers={"Retry-After": "1"}), Reply({"id": "j"}, 201))
    with serve(replies) as wire, session_to(wire.url) as session:
        file = ("bill.pdf", io.BytesIO(b"%PDF-1.7 made up"), "application/pdf")
        assert session.call("job.upload", company_id="c", files={"document": file}).status == 201
    assert len(wire.requests) == 2
    assert all(b"%PDF-1.7 made up" in request.body for request in wire.requests)


def test_a_deletion_whose_answer_was_lost_is_done() -> None:
    with serve(script(Reply(fault="reset"), Reply(status=404))) as wire, session_to(wire.url) as session:
        assert session.call("company.delete", company_id="c").status == 204
    with serve(script(Reply(status=404))) as wire, session_to(wire.url) as session, pytest.raises(NotFoundError):
        session.call("company.delete", company_id="c")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", None), ("Thu, 15 Jan 2026 09:00:20 GMT", 20), ("Thu, 15 Jan 2026 08:00:00 GMT", None)],
)
def test_retry_after_is_honoured(header: str, seconds: float | None) -> None:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    replies = script(Reply(status=429, headers={"Retry-After": header}), Reply({"ok": 1}))
    with serve(replies) as wire, session_to(wire.url, clock=clock) as session:
        session.call("ping")
    assert clock.pauses == ([] if seconds is None else [seconds])


def test_a_retry_after_nobody_can_read_falls_back_to_backing_off() -> None:
    clock = FrozenClock("2026-01-15T09:00:00Z")
    replies = script(Reply(status=429, headers={"Retry-After": "soon"}), Reply({"ok": 1}))
    with serve(replies) as wire, session_to(wire.url, clock=clock) as session:
        session.call("ping")
    assert len(clock.pauses) == 1
    assert 0.2 < clock.pauses[0] <= 0.5


def test_a_longer_wait_than_allowed_is_an_error_that_names_it() -> None:
    with (
        serve(script(Reply(status=429, headers={"Retry-After": "3600"}))) as wire,
        session_to(wire.url) as session,
        pytest.raises(RateLimitError, match="3600 seconds") as caught,
    ):
        session.call("ping")
    assert caught.value.retry_after == 3600
    assert len(wire.requests) == 1


def test_it_gives_up_after_the_attempts_allowed() -> None:
    with (
        serve(script(Reply(status=429))) as wire,
        session_to(wire.url, retry=RetryPolicy(attempts=3)) as session,
        pytest.raises(RateLimitError, match="sent 3 times"),
    ):
        session.call("ping")
    assert len(wire.requests) == 3


# --- time


@pytest.mark.fault
def test_silence_times_out() -> None:
    with (
        serve(script(Reply(fault="silence"))) as wire,
        session_to(wire.url, timeout=(1.0, 0.2), retry=RetryPolicy(attempts=1)) as session,
        pytest.raises(NetworkError, match="did not answer within"),
    ):
        session.call("ping")


@pytest.mark.fault
def test_a_drip_ends() -> None:
    reply = Reply({"rows": "x" * 400}, fault="drip")  # 20 s in all, a byte every 50 ms
    with (
        serve(script(reply)) as wire,
        session_to(wire.url, clock=SystemClock(), limits=Limits(deadline=1.0)) as session,
    ):
        started = time.monotonic()  # noqa: TID251 - real time is what is tested
        with pytest.raises(NetworkError, match=r"did not answer in full within 1 seconds.*NECTAR_LIMIT_DEADLINE"):
            session.call("ping")
        assert time.monotonic() - started < 5  # noqa: TID251


@pytest.mark.fault
def test_nobody_there() -> None:
    with serve(script(Reply())) as wire:
        url = wire.url
    with session_to(url, retry=RetryPolicy(attempts=2)) as session, pytest.raises(NetworkError, match=r"127\.0\.0\.1"):
        session.call("ping")


# --- limits


def ask_many(sessions: list[Session], times: int) -> None:
    threads = [
        threading.Thread(target=lambda s=session: [s.call("ping") for _ in range(times)]) for session in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_ten_at_once_per_key_however_many_sessions_ask() -> None:
    with serve(lambda request: Reply(delay=0.02)) as wire:
        ask_many([session_to(wire.url) for _ in range(30)], 3)
        assert len(wire.requests) == 90
        assert wire.most_in_flight == 10


def test_one_429_pauses_everyone() -> None:
    moments: list[tuple[float, int]] = []
    lock = threading.Lock()

    def handler(request: Request) -> Reply:
        with lock:
            status = 429 if len(moments) == 0 else 200
            moments.append((time.monotonic(), status))  # noqa: TID251 - real time is what is tested
        if status == 200 and len(moments) < 20:
            time.sleep(0.05)  # noqa: TID251
        return Reply({}, status, {"Retry-After": "0.6"} if status == 429 else {})

    with serve(handler) as wire:
        ask_many([session_to(wire.url, clock=SystemClock()) for _ in range(8)], 5)
    refused = moments[0][0]
    quiet = [moment for moment, _ in moments if refused + 0.15 < moment < refused + 0.55]
    assert len(moments) == 41
    assert quiet == []


# --- arguments


def test_arguments_that_cannot_be_understood() -> None:
    session = session_to("https://api.invalid")
    with pytest.raises(InvalidRequestError, match="no endpoint"):
        session.call("bills")
    with pytest.raises(InvalidRequestError, match="takes company_id, not none"):
        session.call("company.get")
    for bad in ("", ".", "..", None, 7):
        with pytest.raises(InvalidRequestError, match="must be an id"):
            session.call("company.get", company_id=bad)
    with pytest.raises(InvalidRequestError, match="no parameter 'limit'"):
        session.call("documents.company", company_id="c", params={"limit": 5})


def test_ids_and_parameters_are_quoted() -> None:
    with serve(script(Reply())) as wire, session_to(wire.url, version="v2.0") as session:
        session.call(
            "documents.company",
            company_id="a/../b?x=1#y",
            params={"datasourceType": ["GAS", "WATER"], "isDeleted": True, "page": 2, "identifier": None},
        )
    [request] = wire.requests
    assert request.path == "/v2/document/company/a%2F..%2Fb%3Fx%3D1%23y"
    assert request.query == {"datasourceType": ["GAS", "WATER"], "isDeleted": ["true"], "page": ["2"]}


# --- files


def test_download_goes_without_the_key_and_follows_redirects_of_its_own_host() -> None:
    def handler(request: Request) -> Reply:
        if request.path == "/file":
            return Reply(status=302, headers={"Location": "/real"})
        return Reply(b"%PDF" * 1000, headers={"Content-Type": "application/pdf"})

    with serve(handler) as wire, session_to(wire.url) as session:
        assert b"".join(session.download(f"{wire.url}/file")) == b"%PDF" * 1000
    assert [request.path for request in wire.requests] == ["/file", "/real"]
    assert all("x-api-key" not in request.headers for request in wire.requests)


def test_download_refuses_what_is_not_https() -> None:
    with serve(script(Reply(status=302, headers={"Location": "http://files.example/x"}))) as wire:
        session = session_to(wire.url)
        for url in (f"{wire.url}/file", "ftp://files.example/x", "file:///etc/hostname", "nothing"):
            with pytest.raises(ContractError, match="not https"):
                list(session.download(url))
    with serve(script(Reply({"detail": "Gone."}, 404))) as wire, pytest.raises(NotFoundError, match="no file"):
        list(session_to(wire.url).download(f"{wire.url}/file"))

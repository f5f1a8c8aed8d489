"""One session with the API: the key goes to its own host alone, failures become errors that help.

Requests are sent with `requests`; how often is decided by `retry`, how many at once by `limits`, what a
failure means by `failures`. Pauses go through the clock. Walks over pages are left to `walk`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version as installed_version
from random import SystemRandom
from typing import TYPE_CHECKING, Final

import requests
import urllib3

from nectar_notebooks.api.answers import AnswerTime, Dating, decode, read_date, refuse_dense
from nectar_notebooks.api.download import download
from nectar_notebooks.api.endpoints import endpoint_named
from nectar_notebooks.api.failures import NO_ADDRESS, error_for_status, network_failure
from nectar_notebooks.api.outgoing import (
    Files,
    KeyHeader,
    Params,
    PreparedCall,
    in_memory,
    origin_of,
    query_pairs,
)
from nectar_notebooks.api.retry import MAX_IN_FLIGHT, RetryPolicy, gate_for, parse_retry_after
from nectar_notebooks.api.transport import Deadline, Http, WireAdapter, pieces_of
from nectar_notebooks.clock import Clock, SystemClock
from nectar_notebooks.errors import ConfigurationError, ContractError, NetworkError
from nectar_notebooks.limits import MB, VALUES_PER_MB, Limits, how_to_raise
from nectar_notebooks.loopback import THIS_MACHINE

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from nectar_notebooks.config import Secret

__all__ = ["Answer", "Params", "Session"]

#: An embedded sandbox says in this header of every answer which it is, and answers at this path without a key.
_IDENTITY: Final = "Nectar-Embedded-Sandbox"
_WHO: Final = "/_sandbox/identity"
_WHO_TIMEOUT: Final = (2.0, 5.0)
#: So much of an answer that is no success is read: an error message is short.
_LONGEST_REFUSAL: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes
    ----------
    status, headers, content
        As they came; `content` is undecoded.
    what : str
        The request in words: method and path.
    requests : int
        How many requests it took, retries included.
    given : AnswerTime, optional
        When it was given; None where no answer told it.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    what: str
    requests: int = 1
    given: AnswerTime | None = None

    def json(self) -> object:
        """Decode the body, None where there is none (204); one that is no JSON raises ``ContractError``."""
        if self.status == 204 and not self.content:
            return None
        kind, packing = (self.headers.get(name, "") for name in ("Content-Type", "Content-Encoding"))
        return decode(self.content, self.what, kind, packing)


@dataclass(frozen=True, slots=True)
class _Tried:
    """One attempt: a status with its body, or `failure` in words."""

    status: int | None
    headers: Mapping[str, str]
    content: bytes
    failure: str = ""


class Session:
    """Calls endpoints of one base URL in one version; thread-safe.

    Parameters
    ----------
    base_url : str
        Scheme, host and port; the version's prefix is added per endpoint. ``config.resolve`` has checked it.
    keys : Sequence[Secret]
        One key, or two (new, old) during a rotation: the old one is tried when the new one is not accepted,
        and remembered. None: no key is sent.
    version : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.
    clock : Clock, optional
        Where pauses go; the system's.
    retry : RetryPolicy, optional
    timeout : tuple[float, float]
        Seconds to connect, and between two pieces of an answer.
    limits : Limits, optional
        How long a request may take altogether, and how large an answer and a file may be.
    adapter : BaseAdapter, optional
        A requests transport for the base URL, such as :class:`WSGIAdapter`.
    files : str, optional
        Where else the adapter answers: the address below which the original files of bills lie.

    Attributes
    ----------
    requests_sent : int
        Requests spent so far, retries included.
    identity : str or None
        Which embedded sandbox sent the latest answer, such as ``"3f2a9c41d07e 2"``; empty where it was none; None
        before any answer.
    turns : int
        How often another one answered than before.

    Examples
    --------
    >>> from nectar_notebooks.config import NECTAR_URL
    >>> Session(NECTAR_URL, version="v2.1")
    Session('https://external.nectarclimate.com', 'v2.1', no key)
    """

    def __init__(
        self,
        base_url: str,
        keys: Sequence[Secret] = (),
        *,
        version: str = "v2.2",
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        limits: Limits | None = None,
        adapter: BaseAdapter | None = None,
        files: str = "",
    ) -> None:
        scheme, host, _ = origin_of(base_url)
        if keys and scheme != "https" and host not in THIS_MACHINE:
            raise ConfigurationError(f"A key is not sent to {host} without https.", advice="Use https.")
        self.base_url = base_url.rstrip("/")
        self.version = version
        self.clock: Clock = SystemClock() if clock is None else clock
        self.retry = RetryPolicy() if retry is None else retry
        self.requests_sent = 0
        self.identity: str | None = None
        self.turns = 0
        self._keys = tuple(keys)
        self._current = 0
        self._lock = threading.Lock()
        self._dating: list[Dating] = []
        self._timeout = timeout
        self.limits = Limits() if limits is None else limits
        self._random = SystemRandom()
        self._host = host or ""
        self._gates = [gate_for(self.base_url, key.fingerprint()) for key in self._keys] or [
            gate_for(self.base_url, "")
        ]
        self._adapter = adapter
        self._http = Http(f"nectar-notebooks/{installed_version('nectar-notebooks')}")
        own = adapter or WireAdapter(pool_connections=1, pool_maxsize=MAX_IN_FLIGHT)
        self._http.mount(f"{self.base_url}/", own)
        if adapter is not None and files:
            self._http.mount(f"{files}/", adapter)

    @property
    def fingerprint(self) -> str:
        """Of the key in use (after a 401 the second may have taken over); empty without a key."""
        return self._keys[self._current].fingerprint() if self._keys else ""

    @property
    def key_count(self) -> int:
        """None, one, or two during a rotation."""
        return len(self._keys)

    def call(
        self,
        endpoint: str,
        *,
        params: Params | None = None,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        files: Files | None = None,
        **ids: str,
    ) -> Answer:
        """Send a request to the endpoint of that name; it is repeated as the policy allows.

        Parameters
        ----------
        endpoint : str
            A name in ``ENDPOINTS``, such as ``"documents.company"``.
        params : Mapping, optional
            Query parameters by the API's names; None is left out, a sequence is repeated, True is ``true``.
        json, data, files : optional
            The body: JSON, or form fields and files as ``{"document": (name, content, media type)}``.
        **ids : str
            The ids in the path, such as ``company_id="c1"``.

        Returns
        -------
        Answer

        Raises
        ------
        NectarError
            The error of the status, ``NetworkError`` without an answer, ``ContractError`` for a redirect.
        """
        return self.request(endpoint, ids, params=params, json=json, data=data, files=files)

    def request(
        self,
        endpoint: str,
        ids: Mapping[str, str],
        *,
        params: Params | None = None,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        files: Files | None = None,
    ) -> Answer:
        """Do what :meth:`call` does, with the ids as one mapping."""
        spec = endpoint_named(endpoint)
        path = spec.path_for(self.version, **ids)
        what = f"{spec.method} {path}"
        request = PreparedCall(spec, path, query_pairs(spec, params), json, data, in_memory(files))
        deadline = Deadline(self.limits.deadline)
        attempt = 0
        spent = 0
        while True:
            attempt += 1
            tried, sent = self._try_keys(request, deadline)
            spent += sent
            if tried.status is not None and tried.status < 500:  # a refusal is an answer too
                given = self._dated(tried.headers)
                if 200 <= tried.status < 300:
                    return Answer(tried.status, tried.headers, tried.content, what, spent, given)
            if attempt > 1 and tried.status == 404 and spec.method == "DELETE":
                return Answer(204, {}, b"", what, spent)  # an attempt without an answer had deleted it
            if tried.status is None and deadline.left() <= 0:
                raise NetworkError(
                    f"{what}: {self._host} did not answer in full within {self.limits.deadline:g} seconds.",
                    advice=f"{NetworkError.default_advice} {how_to_raise('deadline')}",
                )
            retry_after = parse_retry_after(tried.headers.get("Retry-After"), self.clock.now())
            decision = self.retry.decide(
                attempt,
                idempotent=spec.idempotent,
                status=tried.status,
                retry_after=retry_after,
                jitter=self._random.random(),
            )
            if decision.wait is None:
                if tried.status is None:
                    raise NetworkError(f"{what}: {tried.failure}. {decision.reason}".rstrip())
                raise error_for_status(
                    tried.status,
                    tried.content,
                    what=what,
                    location=tried.headers.get("Location"),
                    retry_after=retry_after,
                    note=decision.reason,
                    redact=self._redact,
                )
            if decision.everyone:
                self._gates[self._current].pause(decision.wait, self.clock)
            else:
                self.clock.sleep(decision.wait)

    def sibling(
        self,
        *,
        version: str | None = None,
        key: int | None = None,
        retry: RetryPolicy | None = None,
        timeout: tuple[float, float] | None = None,
        deadline: float | None = None,
    ) -> Session:
        """Return a session of the same place: in another version, with one of its keys alone (0: the new one)."""
        return Session(
            self.base_url,
            self._keys if key is None else self._keys[key : key + 1],
            version=version or self.version,
            clock=self.clock,
            retry=retry or self.retry,
            timeout=timeout or self._timeout,
            limits=self.limits if deadline is None else replace(self.limits, deadline=deadline),
            adapter=self._adapter,
        )

    def ask_identity(self) -> str | None:
        """Ask which embedded sandbox answers here; empty where it is none, None without an answer.

        It spends no request of the API: only a client that knows of an embedded sandbox asks.
        """
        try:
            with Deadline(sum(_WHO_TIMEOUT)).running():
                answer = self._http.get(
                    self.base_url + _WHO,
                    auth=KeyHeader(None, self.base_url),
                    timeout=_WHO_TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
            return None
        with answer:
            self.heard(answer.headers.get(_IDENTITY, ""))
        return self.identity

    def heard(self, said: str) -> None:
        """Note which embedded sandbox is there; empty where it is none."""
        with self._lock:
            if self.identity is not None and self.identity.partition(" ")[0] != said.partition(" ")[0]:
                self.turns += 1
            self.identity = said

    @contextmanager
    def dating(self) -> Iterator[Dating]:
        """Note when the answers that come meanwhile were given, whichever thread asks for them."""
        dating = Dating()
        with self._lock:
            self._dating.append(dating)
        try:
            yield dating
        finally:
            with self._lock:
                self._dating.remove(dating)

    def _dated(self, headers: Mapping[str, str]) -> AnswerTime:
        given = read_date(headers.get("Date"), self.clock.now())
        with self._lock:
            for dating in self._dating:
                dating.note(given)
        return given

    def download(self, url: str) -> Iterator[bytes]:
        """Yield the bytes of a file at an address that an answer gave, without the key; see `download`."""
        return download(self._http, url, own_origin=self.base_url, timeout=self._timeout, limits=self.limits)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        keys = {0: "no key", 1: "one key", 2: "two keys"}[len(self._keys)]
        return f"Session({self.base_url!r}, {self.version!r}, {keys})"

    def _try_keys(self, request: PreparedCall, deadline: Deadline) -> tuple[_Tried, int]:
        """Send once; where the first of two keys is not accepted, once more with the second."""
        used = self._current
        tried = self._send(used, request, deadline)
        if tried.status != 401 or used != 0 or len(self._keys) < 2:
            return tried, 1
        second = self._send(1, request, deadline)
        if second.status is not None and 200 <= second.status < 300:
            self._current = 1
        return second, 2

    def _send(self, key: int, request: PreparedCall, deadline: Deadline) -> _Tried:
        with self._gates[key].passing(self.clock), deadline.running(again=request.endpoint.idempotent):
            with self._lock:
                self.requests_sent += 1
            try:
                with self._http.request(
                    request.endpoint.method,
                    self.base_url + request.path,
                    params=request.query,
                    json=request.json,
                    data=request.data,
                    files=request.files,
                    auth=KeyHeader(self._keys[key] if self._keys else None, self.base_url),
                    timeout=(deadline.cut(self._timeout[0]), deadline.cut(self._timeout[1])),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.ok:
                        self.heard(response.headers.get(_IDENTITY, ""))
                    return _Tried(response.status_code, response.headers, self._read(response, request))
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                failure = network_failure(error, self._host, self._timeout[1])
                in_vain = isinstance(error, NO_ADDRESS)
        if in_vain:
            raise ConfigurationError(
                f"{request.endpoint.method} {request.path}: {failure}.",
                advice="Check the base URL, and HTTPS_PROXY and HTTP_PROXY; a SOCKS proxy needs PySocks installed.",
            )
        return _Tried(None, {}, b"", failure)  # the library's error, which holds the request, ends here

    def _read(self, response: requests.Response, request: PreparedCall) -> bytes:
        success = 200 <= response.status_code < 300
        most = self.limits.answer_mb * MB if success else _LONGEST_REFUSAL
        pieces: list[bytes] = []
        size = 0
        for piece in pieces_of(response):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                if not success:
                    break
                raise ContractError(
                    f"{request.endpoint.method} {request.path}: the answer has more than {self.limits.answer_mb:g} MB, "
                    "unpacked; the rest was not read.",
                    advice=how_to_raise("answer_mb"),
                    status_code=response.status_code,
                )
        content = b"".join(pieces)
        if success:
            what = f"{request.endpoint.method} {request.path}"
            refuse_dense(content, self.limits.answer_mb * VALUES_PER_MB, what)
        return content

    def _redact(self, text: str) -> str:
        for key in self._keys:
            text = text.replace(key.reveal(), str(key))
        return text

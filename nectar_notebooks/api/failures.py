"""An answer that is no success, or none at all, becomes the error of its kind, in words that help.

The status decides the class, the body's `detail` and per-field messages the text, the developer FAQ the
advice. Whether to try again is decided in `retry`. Keys are taken out of what a server says by the session.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

import orjson
import requests
import urllib3

from nectar_notebooks.api.answers import looks_like_html
from nectar_notebooks.errors import (
    AuthenticationError,
    ContractError,
    InvalidRequestError,
    NectarError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
)

__all__ = ["NO_ADDRESS", "error_for_status", "network_failure"]

#: What the libraries raise where nothing can be sent, however often: the host or the proxy is no address.
NO_ADDRESS: Final = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.LocationParseError,
)

_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")
_LONGEST: Final = 600
#: What is nested deeper in an error's body, or comes after so many messages, is not told.
_DEEPEST: Final = 20
_MOST_MESSAGES: Final = 50

_BY_STATUS: Final[dict[int, tuple[type[NectarError], str]]] = {
    101: (ContractError, "another protocol was offered in place of an answer"),
    401: (AuthenticationError, "the key was not accepted"),
    403: (PermissionDeniedError, "the key may not see this"),
    404: (NotFoundError, "there is no such object, or the key cannot see it"),
    429: (RateLimitError, "too many requests"),
}


def error_for_status(
    status: int,
    content: bytes,
    *,
    what: str,
    location: str | None = None,
    retry_after: float | None = None,
    note: str = "",
    redact: Callable[[str], str] = str,
) -> NectarError:
    """Return the error of a status other than 2xx.

    Parameters
    ----------
    status, content : int, bytes
        Of the answer.
    what : str
        The request in words: method and path.
    location, retry_after
        Of the answer's headers.
    note : str
        Why it was not tried again, as a sentence.
    redact : callable
        Takes keys out of what the server said.
    """
    if 300 <= status < 400:
        return _redirected(status, what, location)
    said = redact(_what_it_said(content))
    if status >= 500:
        kind: type[NectarError] = ServerError
        meaning = "the API failed"
    else:
        kind, meaning = _BY_STATUS.get(status, (InvalidRequestError, "the API refused the request"))
    message = " ".join(filter(None, [f"{what}: {meaning} ({status}).", said, note]))
    # What the API answers with a 403 and with a 404 is read alike; a name that fits nothing is advised otherwise.
    advice = PermissionDeniedError.default_advice if kind is NotFoundError else None
    return kind(message, advice=advice, status_code=status, retry_after=retry_after)


def network_failure(error: Exception, host: str, seconds: float) -> str:
    """Say in words why there was no answer; never quotes the library, whose texts carry whole requests."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"{host} did not take the connection in time"
    if isinstance(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return f"{host} did not answer within {seconds:g} seconds"
    if isinstance(error, (requests.exceptions.SSLError, urllib3.exceptions.SSLError)):
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
            own = "an authority of your own is named by REQUESTS_CA_BUNDLE"
            return f"the certificate of {host} could not be verified ({own})"
        return (
            f"no TLS could be agreed on with {host}: something else answers there or before it, or REQUESTS_CA_BUNDLE "
            "names a file without certificates"
        )
    if isinstance(error, NO_ADDRESS):
        return f"{host}, or the proxy that the environment names for it, is no address that can be used"
    if isinstance(error, requests.exceptions.ProxyError):
        return _refused_by_proxy(error, host)
    if isinstance(error, (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError)):
        return f"the answer of {host} was compressed and could not be unpacked"
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)):
        return f"the answer of {host} was cut off"
    if _is_no_http(error):
        return f"what came from {host} is no answer in HTTP"
    return f"{host} could not be reached, or closed the connection before it answered"


def _refused_by_proxy(error: Exception, host: str) -> str:
    """Say what the proxy answered instead of leading on; http.client tells the status in its text alone."""
    found = next(filter(None, (_TUNNEL.match(str(cause)) for cause in _causes(error))), None)
    if found is None:
        return f"the proxy before {host} could not be reached"
    if found[1] == "407":
        return f"the proxy before {host} wants a user and a password (407), as in HTTPS_PROXY=http://user:password@..."
    return f"the proxy before {host} refused ({found[1]})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made of: the libraries hand them on as arguments."""
    yield error
    reason = getattr(error, "reason", None)
    for inner in (reason, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


def _is_no_http(error: Exception) -> bool:
    """Say whether something answered that does not speak HTTP as it should; `requests` wraps what says so."""
    if isinstance(error, requests.exceptions.InvalidHeader):
        return True
    cause = error.args[0] if error.args else None
    inner = cause.args[-1] if isinstance(cause, urllib3.exceptions.ProtocolError) and cause.args else None
    return isinstance(inner, http.client.HTTPException) and not isinstance(inner, http.client.RemoteDisconnected)


def _redirected(status: int, what: str, location: str | None) -> NectarError:
    try:
        host = urlsplit(location or "").hostname
    except ValueError:
        host = None
    goal = f"to {host}" if host else "elsewhere on the same host" if location else "but not told where"
    return ContractError(
        f"{what} was redirected {goal} ({status}). Redirects are not followed, so that the key stays home.",
        advice="Check the base URL; the API itself does not redirect.",
        status_code=status,
    )


def _what_it_said(content: bytes) -> str:
    if not content.strip():
        return ""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        page = "a web page" if looks_like_html(content) else "no JSON"
        return f"The body is {page}: perhaps not the API answered."
    if not isinstance(body, (dict, list)):
        return _sentence(str(body))
    detail = body.get("detail") if isinstance(body, dict) else None
    rest = {name: value for name, value in body.items() if name != "detail"} if isinstance(body, dict) else body
    parts = list(islice(_messages("", detail), _MOST_MESSAGES))
    known = " ".join(parts)
    others = islice(_messages("", rest), _MOST_MESSAGES)
    parts += [one for one in others if one not in known]  # a detail often names the fields itself
    text = "; ".join(dict.fromkeys(parts))
    return _sentence(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _messages(field: str, value: object, depth: int = 0) -> Iterator[str]:
    """Yield ``field: message`` of nested messages, as Django REST gives them."""
    if depth > _DEEPEST:
        yield f"{field}: …"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _messages(f"{field}.{name}" if field else str(name), inner, depth + 1)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            nested = isinstance(inner, (dict, list))
            yield from _messages(f"{field}[{position}]" if nested else field, inner, depth + 1)
    elif value not in (None, ""):
        text = str(value).strip()
        yield f"{field}: {text}" if field else text


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."

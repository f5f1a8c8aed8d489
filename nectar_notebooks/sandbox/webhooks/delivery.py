"""One attempt to deliver a webhook: signed as published, to this machine alone, no redirect followed.

An address is checked when it is registered and again before each attempt. No name is looked up: ``localhost`` means
127.0.0.1. When attempts are made is decided in `dispatcher`.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.loopback import THIS_MACHINE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["attempt", "checked_target", "new_secret", "signer"]

#: As published: an answer that takes longer is a failure.
_SECONDS: Final = 15


def checked_target(target: str | WSGIApplication) -> str | WSGIApplication:
    """Return a target to which deliveries may go, or refuse it."""
    if isinstance(target, str):
        _checked(target)
    elif not callable(target):
        raise ConfigurationError("A webhook endpoint is an address on this machine or a WSGI application.")
    return target


def new_secret(name: str) -> str:
    """Return the signing secret that belongs to a name: the same name gives the same."""
    digest = hashlib.sha256(f"nectar embedded sandbox webhook secret {name}".encode()).digest()
    return "whsec_" + base64.b64encode(digest[:24]).decode()


def signer(secret: str) -> Webhook:
    """Return what signs with a secret, or refuse it without repeating it."""
    if secret.startswith("whsec_"):
        try:
            return Webhook(secret)
        except (ValueError, EmptyWebhookSecretError):
            pass
    raise ConfigurationError("The webhook secret is not a signing secret.", advice="It begins with whsec_.")


def attempt(target: str | WSGIApplication, message_id: str, now: datetime, body: bytes, secrets: Iterable[str]) -> int:
    """Deliver once and return the answer's status; 0 where there was none."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "nectar-embedded-sandbox",
        "svix-id": message_id,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": " ".join(signer(secret).sign(message_id, now, body.decode()) for secret in secrets),
    }
    return _post(target, headers, body) if isinstance(target, str) else _call(target, headers, body)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = parts.scheme == "http" and "@" not in parts.netloc and url.isascii() and url.isprintable()
    if not plain or " " in url or parts.hostname not in THIS_MACHINE or port == 0:
        raise ConfigurationError(
            "The embedded sandbox sends webhooks to this machine only.",
            advice="Give an address such as http://127.0.0.1:8080/webhooks.",
        )
    return parts


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    parts = _checked(url)
    connection = http.client.HTTPConnection(THIS_MACHINE[parts.hostname or ""], parts.port or 80, timeout=_SECONDS)
    try:
        connection.request("POST", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def _call(app: WSGIApplication, headers: dict[str, str], body: bytes) -> int:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": headers["Content-Type"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    del environ["HTTP_CONTENT_TYPE"]
    statuses: list[int] = []

    def start(line: str, _: list[tuple[str, str]], exc_info: object = None) -> Any:
        statuses.append(int(line[:3]))
        return io.BytesIO().write

    try:
        answer = app(environ, start)
        try:
            for _ in answer:
                pass
        finally:
            if hasattr(answer, "close"):
                answer.close()
    except Exception:  # somebody's application: whatever it raises is a failed attempt
        return 0
    return statuses[-1] if statuses else 0

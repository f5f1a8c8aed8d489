"""Loopback host names, and which requests a local server accepts, by host name and origin.

Any open web page can make the browser send requests to this machine: under a host name of its own that resolves to
127.0.0.1 (DNS rebinding), or directly, with a form (CSRF). The first have a foreign host, the second a foreign origin.
Authentication (a key, a token, a signature) is left to each server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

__all__ = ["THIS_MACHINE", "foreign_host", "foreign_page", "is_loopback", "refusal"]

#: The host names of this machine, and the address to connect to for each, without a DNS lookup.
THIS_MACHINE: Final = MappingProxyType({"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"})
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+?)\.?)(?::([0-9]{0,5}))?", re.ASCII)
#: A request target that is an absolute URL, and its host.
_WHOLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)", re.ASCII)
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_PORTS: Final = {"http": "80", "https": "443"}
_READING: Final = ("GET", "HEAD")


@lru_cache(maxsize=128)
def is_loopback(host: str) -> bool:
    """Return True when the value of a ``Host`` header names this machine.

    Examples
    --------
    >>> [is_loopback(host) for host in ("localhost:8765", "LOCALHOST.", "127.0.0.9", "[::1]:80", "localhost.evil.example")]
    [True, True, True, True, False]
    """  # noqa: E501 - a shown example
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    six, name, _ = found.groups()
    try:
        if six is not None:
            return IPv6Address(six).is_loopback
        return name.lower() == "localhost" or IPv4Address(name) in _LOOPBACK
    except ValueError:
        return False


def foreign_host(environ: WSGIEnvironment) -> bool:
    """Return True when a request is for another host than this machine, or has no host.

    An absolute URL as the request target (``REQUEST_URI``, as sent to proxies) names a host, too.
    """
    target = _WHOLE.match(environ.get("REQUEST_URI") or "/")
    named = [environ.get("HTTP_HOST", ""), *(target.groups() if target else ())]
    return not all(map(is_loopback, named))


def foreign_page(environ: WSGIEnvironment) -> bool:
    """Return True when a request comes from a web page of another origin, according to the browser.

    Without an ``Origin`` header, ``Sec-Fetch-Site`` decides; without both, the request is not from a browser.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return environ.get("HTTP_SEC_FETCH_SITE", "none").lower() not in ("none", "same-origin")
    scheme, colon, host = origin.partition("://")
    if not colon or scheme.lower() != environ.get("wsgi.url_scheme", "http"):
        return True
    own, named = (_normal(one, scheme.lower()) for one in (environ.get("HTTP_HOST", ""), host))
    return own is None or own != named


def refusal(environ: WSGIEnvironment) -> str | None:
    """Return why a server for this machine only refuses a request (403); None if it accepts it.

    Requests for a foreign host are always refused. A foreign page may link here, but browsers do not let it read the
    answer; so its requests are refused only if they may write: all methods but GET and HEAD.
    """
    if foreign_host(environ):
        return "Only requests for localhost, 127.0.0.1 or [::1] are answered."
    if environ.get("REQUEST_METHOD") not in _READING and foreign_page(environ):
        return "Nothing is written for a page of another origin."
    return None


def _normal(host: str, scheme: str) -> tuple[str, str] | None:
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    six, name, port = found.groups()
    return (six or name).lower(), port or _PORTS[scheme]

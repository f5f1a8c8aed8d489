"""What this machine is called, and which requests a server on it believes: by their host name, and by their page.

A browser sends what any open page wants sent, to this machine too: under a name of the page's own that was pointed at
127.0.0.1, or straight to it, with a form. The first kind names a foreign host, the second a foreign origin. Who may
enter besides (a key, a token, a signature) is for each server to say.
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

#: The hosts of an address that leads to this machine, and what each is connected to: no name is looked up.
THIS_MACHINE: Final = MappingProxyType({"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"})
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]+?)\.?)(?::([0-9]{0,5}))?", re.ASCII)
#: A request's target that is a whole address, and its host.
_WHOLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)", re.ASCII)
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_PORTS: Final = {"http": "80", "https": "443"}
_READING: Final = ("GET", "HEAD")


@lru_cache(maxsize=128)
def is_loopback(host: str) -> bool:
    """Return whether the value of a ``Host`` header names this machine.

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
    """Return whether a request asks for a host other than this machine, or names none.

    A whole address in place of a path (as proxies are asked, with ``REQUEST_URI`` as it came) names a host, too.
    """
    target = _WHOLE.match(environ.get("REQUEST_URI") or "/")
    named = [environ.get("HTTP_HOST", ""), *(target.groups() if target else ())]
    return not all(map(is_loopback, named))


def foreign_page(environ: WSGIEnvironment) -> bool:
    """Return whether a request comes from a page of another origin, as the browser says.

    Without an ``Origin``, ``Sec-Fetch-Site`` decides; without both it is no browser's.
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
    """Return why a request to a server that is for this machine alone is not answered (a 403); None where it is.

    A foreign host is refused whatever it asks. A foreign page may lead here by a link, but reads nothing, as browsers
    keep the answer from it; so it is refused where the request writes: all but GET and HEAD.
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

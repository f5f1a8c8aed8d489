"""A file at an address that an answer gave, such as a bill's original: fetched without the key.

Redirects are followed here, https to https, because no key travels. A status is told as a file host means it, not
as the API does: there is no key that could be wrong. Where the file goes is left to others.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final
from urllib.parse import urljoin

import requests
import urllib3

from nectar_notebooks.api.answers import looks_like_html
from nectar_notebooks.api.failures import error_for_status, network_failure
from nectar_notebooks.api.outgoing import origin_of
from nectar_notebooks.api.transport import Deadline, pieces_of
from nectar_notebooks.errors import ContractError, NectarError, NetworkError, NotFoundError, PermissionDeniedError
from nectar_notebooks.limits import MB, Limits, how_to_raise
from nectar_notebooks.loopback import THIS_MACHINE

__all__ = ["download"]

_MOST_REDIRECTS: Final = 5
#: The bytes that tell what a file is.
_TELLING: Final = 1024


def download(
    http: requests.Session, url: str, *, own_origin: str, timeout: tuple[float, float], limits: Limits
) -> Iterator[bytes]:
    """Yield the bytes at `url`.

    Parameters
    ----------
    http : requests.Session
        Whose transports are used; no key is put on.
    url : str
        An https address; a plain one where both it and the API are on this machine.
    own_origin : str
        Scheme, host and port of the API.
    timeout : tuple[float, float]
        Seconds to connect, and between two pieces.
    limits : Limits
        How large the file may be, and how long it may take for its size.

    Raises
    ------
    ContractError
        The address, or one it leads to, is not https; a web page or nothing came instead of a file; the file is too
        large.
    PermissionDeniedError
        The link is not valid, or not any more.
    NotFoundError
        There is no file.
    NectarError
        As for any request.
    """
    host = ""
    deadline = Deadline(limits.deadline, growing=True)
    for _ in range(_MOST_REDIRECTS + 1):
        host = _checked_host(url, own_origin)
        failure = ""
        try:
            with (
                deadline.running(),
                http.get(
                    url,
                    auth=_no_credentials,
                    timeout=(deadline.cut(timeout[0]), deadline.cut(timeout[1])),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                location = response.headers.get("Location")
                if response.is_redirect and location:
                    url = _joined(url, location)
                    continue
                if response.status_code != 200:
                    raise _refused(response.status_code, next(pieces_of(response), b""), host)
                yield from _whole_file(pieces_of(response), host, limits)
                return
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = network_failure(error, host, timeout[1])
        if deadline.left() <= 0:
            raise NetworkError(
                f"The file at {host} did not come within {limits.deadline:g} seconds and those that its size allows.",
                advice=f"{NetworkError.default_advice} {how_to_raise('deadline')}",
            )
        raise NetworkError(f"The file at {host}: {failure}.")
    raise ContractError(f"The file at {host} is redirected more than {_MOST_REDIRECTS} times.")


def _refused(status: int, content: bytes, host: str) -> NectarError:
    if status in (401, 403, 410):
        return PermissionDeniedError(
            f"The link to the file at {host} is not valid, or not any more ({status}).",
            advice="Ask for the bill again: its answer carries a link that works.",
            status_code=status,
        )
    if status == 404:
        return NotFoundError(
            f"There is no file at {host} ({status}).",
            advice="Ask for the bill again; if it stays, ask Nectar's support about this bill.",
            status_code=status,
        )
    if status < 300:
        return ContractError(
            f"The file at {host} did not come: the answer is {status}, and a whole file comes with 200.",
            advice="Ask for the bill again; if it stays, ask Nectar's support about this bill.",
            status_code=status,
        )
    return error_for_status(status, content, what=f"The file at {host}")


def _whole_file(pieces: Iterator[bytes], host: str, limits: Limits) -> Iterator[bytes]:
    """Yield the pieces of a file, the first with enough of its start to tell what it is."""
    start = b""
    while len(start) < _TELLING and (piece := next(pieces, b"")):
        start += piece
    if not start or looks_like_html(start):
        raise ContractError(
            f"The file at {host} is {'a web page' if start else 'empty'} instead of a bill.",
            advice="Perhaps a proxy or a login page answered: open the bill's url in a browser.",
        )
    size = 0
    for piece in chain([start], pieces):
        size += len(piece)
        if size > limits.download_mb * MB:
            raise ContractError(
                f"The file at {host} has more than {limits.download_mb:g} MB, unpacked; it was not kept.",
                advice=how_to_raise("download_mb"),
            )
        yield piece


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        return location  # no address: refused by the check that follows


def _checked_host(url: str, own_origin: str) -> str:
    try:
        scheme, host, _ = origin_of(url)
    except ValueError:
        scheme, host = "", None
    local = host in THIS_MACHINE and origin_of(own_origin)[1] in THIS_MACHINE
    if not host or not (scheme == "https" or (scheme == "http" and local)):
        raise ContractError(
            f"The file's address is not https ({scheme or 'no scheme'}, {host or 'no host'}).",
            advice="It is not fetched; ask Nectar's support about this bill.",
        )
    return host


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request  # keeps .netrc out

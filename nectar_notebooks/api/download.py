"""A file at an address that an answer gave, such as a bill's original: fetched without the key.

Redirects are followed here, https to https, because no key travels. Where the file goes is left to others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from nectar_notebooks.api.failures import error_for_status, network_failure
from nectar_notebooks.errors import ContractError, NetworkError

__all__ = ["download"]

_MOST_REDIRECTS: Final = 5
_PIECE: Final = 1 << 18


def download(http: requests.Session, url: str, *, own_origin: str, timeout: tuple[float, float]) -> Iterator[bytes]:
    """Yield the bytes at `url`.

    Parameters
    ----------
    http : requests.Session
        Whose transports are used; no key is put on.
    url : str
        An https address, or one of `own_origin`.
    own_origin : str
        Scheme, host and port of the API, which may be plain on loopback.
    timeout : tuple[float, float]
        Seconds to connect, and between two pieces.

    Raises
    ------
    ContractError
        The address, or one it leads to, is not https.
    NectarError
        As for any request.
    """
    for _ in range(_MOST_REDIRECTS + 1):
        host = _checked_host(url, own_origin)
        failure = ""
        try:
            with http.get(url, auth=_no_credentials, timeout=timeout, allow_redirects=False, stream=True) as response:
                location = response.headers.get("Location")
                if response.is_redirect and location:
                    url = urljoin(url, location)
                    continue
                if response.status_code != 200:
                    content = response.raw.read(_PIECE, decode_content=True)
                    raise error_for_status(response.status_code, content, what=f"The file at {host}")
                yield from response.iter_content(_PIECE)
                return
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = network_failure(error, host, timeout[1])
        raise NetworkError(f"The file at {host}: {failure}.")
    raise ContractError(f"The file at {urlsplit(url).hostname} is redirected more than {_MOST_REDIRECTS} times.")


def _checked_host(url: str, own_origin: str) -> str:
    parts = urlsplit(url)
    own = f"{parts.scheme}://{parts.netloc}" == own_origin
    if not parts.hostname or not (parts.scheme == "https" or own):
        raise ContractError(
            f"The file's address is not https ({parts.scheme or 'no scheme'}, {parts.hostname or 'no host'}).",
            advice="It is not fetched; ask Nectar's support about this bill.",
        )
    return parts.hostname


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request  # keeps .netrc out

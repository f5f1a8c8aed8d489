"""One session with the API: the key goes to its own host alone, failures become errors that help.

Requests are sent with `requests`; waiting goes through the clock; how often is decided by `retry`, how many at
once by `limits`. Walks over pages are left to `walk`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nectar_notebooks.api.retry import RetryPolicy
from nectar_notebooks.clock import Clock
from nectar_notebooks.config import Secret

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

__all__ = ["Answer", "Session"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: `status`, `headers`, the undecoded `content`."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> object:
        """Decode the body; a body that is no JSON raises ``ContractError``. 204 gives None."""
        raise NotImplementedError


class Session:
    """Calls endpoints of one base URL in one version; thread-safe.

    Parameters
    ----------
    base_url : str
        Scheme, host and port; the version's prefix is added per endpoint.
    keys : Sequence[Secret]
        One key, or two (new, old) during a rotation. None: no key is sent.
    version : str
        ``"v2.2"``, ``"v2.1"`` or ``"v2.0"``.
    clock, retry, timeout, adapter
        `adapter` (a requests transport) is mounted for the base URL, such as :class:`WSGIAdapter`.

    Attributes
    ----------
    requests_sent : int
        Requests spent so far, retries included (for ``df.attrs``).
    fingerprint : str
        Of the key in use (after a 401 the second may have taken over); empty without a key.
    """

    requests_sent: int
    fingerprint: str
    base_url: str
    version: str

    def __init__(
        self,
        base_url: str,
        keys: Sequence[Secret] = (),
        *,
        version: str = "v2.2",
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        adapter: BaseAdapter | None = None,
    ) -> None:
        raise NotImplementedError

    def call(
        self,
        endpoint: str,
        *,
        params: Mapping[str, str | int | bool | Sequence[str] | None] | None = None,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, IO[bytes] | bytes, str]] | None = None,
        **ids: str,
    ) -> Answer:
        """Send one request to the endpoint of that name; retried as the policy allows.

        ``session.call("documents.company", company_id="c1", params={"page": 2})``. A status other than 2xx,
        no answer, or a redirect raises the error of its kind.
        """
        raise NotImplementedError

    def download(self, url: str) -> Iterable[bytes]:
        """Yield the bytes of a file at a foreign https address, without the key."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
        raise NotImplementedError

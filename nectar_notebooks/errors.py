"""All errors raised by the package, under one base class.

Each has what a program needs to decide (`status_code`, `retry_after`, `retryable`) and what a person should check first
(`advice`, in the order of the developer FAQ). Messages name the object concerned and never contain a key; text from the
API in them is made printable here. `api` maps HTTP statuses to these classes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nectar_notebooks.printing import printable

__all__ = [
    "AuthenticationError",
    "BillsFileError",
    "ConfigurationError",
    "ContractError",
    "DataError",
    "InterruptedWalkError",
    "InvalidRequestError",
    "NectarError",
    "NetworkError",
    "NotFoundError",
    "OfflineError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "SignatureError",
]


class NectarError(Exception):
    """The base class: catch this to catch everything the package raises on purpose.

    Parameters
    ----------
    message : str
        What happened and to which object.
    advice : str, optional
        What to check first. Each class has a default.
    status_code : int, optional
        HTTP status of the response, if there was one.
    retry_after : float, optional
        Seconds the server asked to wait.
    """

    default_advice: ClassVar[str] = ""
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        status_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = printable(message)
        self.advice = printable(self.default_advice if advice is None else advice)
        self.status_code = status_code
        self.retry_after = retry_after
        super().__init__(f"{self.message} {self.advice}".rstrip())


class ConfigurationError(NectarError):
    """Unusable settings: no key, an unknown environment or version, a base URL that may not receive a key."""


class AuthenticationError(NectarError):
    """401: the key is missing, wrong, inactive or for the other environment."""

    default_advice = (
        "Check first that the key is copied whole, is active under Settings > Organization > API Keys, "
        "and belongs to the environment you connect to."
    )


class PermissionDeniedError(NectarError):
    """403: outside the key's scope, not visible to it, or a wrong id."""

    default_advice = (
        "Check first that the key's scope takes this in, then that its company is visible to the key, then that the id "
        "is right; nectar.diagnose(id) looks it up."
    )


class NotFoundError(NectarError):
    """404: no such object, or not visible to this key; also a name that matches nothing."""

    default_advice = "Check first that the id is right, then that the key's organization can see this object."


class InvalidRequestError(NectarError):
    """400: the API rejected the input; also an invalid argument of a function of this package."""


class RateLimitError(NectarError):
    """429: too many requests, and the retries were not enough."""

    default_advice = "Wait as long as the answer says, then call again: finished pages are kept."
    retryable = True


class ServerError(NectarError):
    """5xx: the API failed, and the retries were not enough."""

    default_advice = "Call again later; if it stays, ask Nectar's support with the time of the request."
    retryable = True


class NetworkError(NectarError):
    """No response: connection refused or reset, a timeout, a name that does not resolve, a TLS failure."""

    default_advice = "Check the connection, the base URL and a proxy between you and the API, then call again."
    retryable = True


class ContractError(NectarError):
    """The response is not what the API documents: not JSON, no envelope, a total that does not match."""

    default_advice = "Call again; if it stays, the API changed: report what the message says."


class InterruptedWalkError(NectarError):
    """A paginated fetch was interrupted.

    `rows` has the rows fetched so far, `finished_pages` and `total_pages` say how far it got, and `resume()` continues
    from there. The cause is in ``__cause__``; if it would recur (a refusal, not JSON), `retryable` is False and
    `advice` says what to check first.
    """

    default_advice = "Call resume() on this error, or the same noun again: finished pages are not asked twice."
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        rows: list[dict[str, Any]],
        finished_pages: int,
        total_pages: int | None,
        resume: Any,
        advice: str | None = None,
        retryable: bool = True,
        status_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, advice=advice, status_code=status_code, retry_after=retry_after)
        self.retryable = retryable
        self.rows = rows
        self.finished_pages = finished_pages
        self.total_pages = total_pages
        self.resume = resume


class OfflineError(NectarError):
    """The connection is offline and the cache does not have the answer."""

    default_advice = "Fetch it once while online, or call without offline=True."


class SignatureError(NectarError):
    """A webhook delivery whose signature, timestamp or id is not valid."""


class DataError(NectarError):
    """A frame that a computation cannot use: a missing column, a wrong dtype, a cycle of revisions."""


class BillsFileError(NectarError):
    """A bills file that cannot be read at all: not found, not text, no usable header."""


def __dir__() -> list[str]:
    return sorted(__all__)

"""What the API answers when it refuses: a status, a `detail`, and a message per field where a field is wrong.

The wording is ours; the statuses are the documentation's. Which call is refused for what reason is decided
where the call is answered.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ProblemError", "bad_field", "bad_fields", "forbidden", "not_found", "unauthorized"]


class ProblemError(Exception):
    """An answer that is not 2xx: raised anywhere below a route, rendered once by the application."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body: `detail`, and beside it a list of messages per field."""
        return {"detail": self.detail, **{name: [message] for name, message in self.fields.items()}}


def bad_field(name: str, message: str) -> ProblemError:
    """Return a 400 whose `detail` names the field."""
    return bad_fields({name: message})


def bad_fields(messages: Mapping[str, str]) -> ProblemError:
    """Return a 400 whose `detail` names every field that is wrong."""
    detail = " ".join(f"{name}: {message}" for name, message in messages.items())
    return ProblemError(400, detail, fields=messages)


def unauthorized(reason: str) -> ProblemError:
    """Return a 401; `reason` says what is wrong with the key and never contains it."""
    return ProblemError(401, reason, headers={"WWW-Authenticate": "X-API-Key"})


def forbidden(what: str) -> ProblemError:
    """Return a 403 for an object that this key may not see."""
    return ProblemError(403, f"This API key has no access to this {what}.")


def not_found(what: str, status: int = 404) -> ProblemError:
    """Return the answer to an id that fits nothing: a 404, or a 403 where only what is documented counts."""
    if status == 403:
        return forbidden(what)
    return ProblemError(404, f"No {what} with this id.")

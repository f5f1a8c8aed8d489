"""What goes out: the key, put on for its own host alone; parameters; bodies at hand for a second attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TypeAlias
from urllib.parse import urlsplit

import requests

from nectar_notebooks.api.endpoints import Endpoint
from nectar_notebooks.config import Secret
from nectar_notebooks.errors import InvalidRequestError

__all__ = ["Files", "KeyHeader", "Params", "PreparedCall", "in_memory", "origin_of", "query_pairs"]

Params: TypeAlias = Mapping[str, str | int | bool | Sequence[str] | None]
Files: TypeAlias = Mapping[str, tuple[str, IO[bytes] | bytes, str]]


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """What is sent, ready to be sent again."""

    endpoint: Endpoint
    path: str
    query: list[tuple[str, str]]
    json: object | None
    data: Mapping[str, str] | None
    files: dict[str, tuple[str, bytes, str]] | None


class KeyHeader(requests.auth.AuthBase):
    """Puts the key on a request to its own scheme, host and port, and keeps .netrc out of every one."""

    def __init__(self, key: Secret | None, home: str) -> None:
        self._key = key
        self._home = origin_of(home)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the key on, where the request goes home."""
        if self._key is not None and origin_of(request.url or "") == self._home:
            request.headers["X-API-Key"] = self._key.reveal()
        return request


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address, the scheme's own port where none is named."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def query_pairs(endpoint: Endpoint, params: Params | None) -> list[tuple[str, str]]:
    """Return the query's pairs; a parameter that the endpoint does not take is an ``InvalidRequestError``."""
    query: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        if name not in endpoint.params:
            raise InvalidRequestError(
                f"{endpoint.name} takes no parameter {name!r}.",
                advice=f"It takes {', '.join(endpoint.params) or 'none'}.",
            )
        if value is None:
            continue
        if isinstance(value, bool):
            query.append((name, "true" if value else "false"))
        elif isinstance(value, (str, int)):
            query.append((name, str(value)))
        else:
            query.extend((name, item) for item in value)
    return query


def in_memory(files: Files | None) -> dict[str, tuple[str, bytes, str]] | None:
    """Have the files at hand for a second attempt: a stream could be read once only."""
    if not files:
        return None
    return {
        field: (name, content if isinstance(content, bytes) else content.read(), media_type)
        for field, (name, content, media_type) in files.items()
    }

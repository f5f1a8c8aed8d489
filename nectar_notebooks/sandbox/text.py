"""JSON texts and the comparable forms of what records say: identifiers, moments.

One place decides how JSON is written (compact, ASCII, keys in field order), so that the same record always
gives the same bytes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, Final

__all__ = ["dumps", "moment", "normalized", "stored", "value_text"]

_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_SEPARATORS: Final = re.compile(r"[-\s_,/]")


def dumps(value: Any) -> bytes:
    """Return `value` as compact JSON in ASCII, as it is answered."""
    return _ENCODE(value).encode("ascii")


def stored(value: Any) -> str:
    """Return `value` as compact JSON in ASCII, as it is stored."""
    return _ENCODE(value)


def value_text(value: Any) -> str:
    """Return what :func:`stored` does, sooner for the values that are most frequent."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    return "null" if value is None else _ENCODE(value)


def moment(time: datetime) -> str:
    """Return a time as answers spell it.

    Examples
    --------
    >>> from datetime import UTC
    >>> moment(datetime(2026, 1, 15, 9, tzinfo=UTC))
    '2026-01-15T09:00:00Z'
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=65536)
def normalized(identifier: str) -> str:
    """Return an identifier as the API compares it.

    Dashes, spaces, underscores, commas and slashes go, then leading zeros; letters are capitals.

    Examples
    --------
    >>> normalized("013-774-6423") == normalized("137746423") == normalized("0137746423")
    True
    """
    return _SEPARATORS.sub("", identifier).lstrip("0").upper()

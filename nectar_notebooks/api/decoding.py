"""JSON text to Python objects, with the fastest decoder that was measured.

orjson reads a page of 100 usage rows in about half the time of the standard library (see
``benchmarks/bench_tables.py``). It reads an integer beyond 64 bits as a float, which no longer tells neighbours apart:
where one stands, the standard library reads the text. What the objects mean is left to `walk` and `tables`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final

import orjson

from nectar_notebooks.errors import ContractError

__all__ = ["decode"]


#: Every digit as 0, so that a run of digits is found at the speed of copying; an integer beyond 64 bits has twenty.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG: Final = b"0" * 20


def decode(content: bytes, what: str, content_type: str = "") -> object:
    """Return the JSON value in `content`, its integers exact; what is none raises ``ContractError`` naming `what`."""
    with suppress(orjson.JSONDecodeError):  # that error holds the whole body: none of ours is chained to it
        value: object = orjson.loads(content)
        return json.loads(content) if _LONG in content.translate(_DIGITS) else value
    kind = "HTML" if looks_like_html(content) else content_type.partition(";")[0].strip() or "nothing known"
    raise ContractError(
        f"{what} answered with {len(content):,} bytes that are no JSON (they look like {kind}).",
        advice="Check first that the base URL is the API's and that no proxy answers in its place.",
    )


def looks_like_html(content: bytes) -> bool:
    """Say whether a body starts like a web page."""
    return content.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))

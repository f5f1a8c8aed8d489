"""What an answer says: its JSON as Python objects, and when it was given.

orjson reads a page of 100 usage rows in about half the time of the standard library (see
``benchmarks/bench_tables.py``). It reads an integer beyond 64 bits as a float, so that neighbours become equal: if an
answer has one, the standard library reads it. What the objects mean is left to `walk` and `tables`.

Days are counted to the time of the answer, by its `Date` header, not to that of the machine that asks: the two may be
far apart, as on a served embedded sandbox. If the header is missing or implausible, the client's clock is taken, and
that is noted.
"""

from __future__ import annotations

import email.utils
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from nectar_notebooks.api.transport import UNPACKED
from nectar_notebooks.errors import ContractError
from nectar_notebooks.limits import MB, how_to_raise

__all__ = ["AnswerTime", "Dating", "decode", "looks_like_html", "oldest", "read_date", "refuse_dense"]

#: How bytes begin that JSON does not.
_MARKS: Final = (
    (b"\xef\xbb\xbf", "they begin with a byte order mark, which JSON does not have"),
    (b"\xff\xfe\x00\x00", "they are UTF-32, and JSON is UTF-8"),
    (b"\x00\x00\xfe\xff", "they are UTF-32, and JSON is UTF-8"),
    (b"\xff\xfe", "they are UTF-16, and JSON is UTF-8"),
    (b"\xfe\xff", "they are UTF-16, and JSON is UTF-8"),
    (b"\x1f\x8b", "they are packed as gzip, and the answer's head does not say so"),
)
_NO_NUMBER: Final = re.compile(r"[+-]?(nan|inf(inity)?)\b", re.IGNORECASE)
#: What the decoder's reason means: a word of it, and ours.
_REASONS: Final = (
    ("depth", "they are nested more deeply than 1,024 levels"),
    ("recursion", "they are nested more deeply than 1,024 levels"),
    ("surrogate", "a text holds half a character (a lone surrogate)"),
    ("double", "a number is too large to be held"),
    ("end of data", "they end in the middle: the answer was cut off"),
    ("after document", "something follows the value"),
)


#: Every digit as 0, so that a run of digits is found at the speed of copying; an integer beyond 64 bits has twenty.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG: Final = b"0" * 20
_ALWAYS_DECODED: Final = MB
#: A Date of another year is of a server whose clock was never set.
_YEARS: Final = range(2000, 2100)


def decode(content: bytes, what: str, content_type: str = "", packing: str = "") -> object:
    """Return the JSON value in `content`, integers exact; what is none raises ``ContractError`` with `what` and why."""
    try:
        value: object = orjson.loads(content)
        if _LONG in content.translate(_DIGITS):
            del value  # two of them would be twice as dear
            value = json.loads(content)
    except orjson.JSONDecodeError as error:  # it holds the whole body: none of ours is chained to it
        why = _why_not(content, content_type, packing, error.msg, error.pos)
    except (RecursionError, ValueError):  # of the standard library's decoder, which alone keeps long integers
        why = "an integer of more than 20 digits stands too deep, or is too long, to be read exactly"
    else:
        return value
    raise ContractError(
        f"{what} answered with {len(content):,} bytes that are no JSON: {why}.",
        advice="Check first that the base URL is the API's and that no proxy answers in its place.",
    )


def refuse_dense(content: bytes, most: float, what: str) -> None:
    """Raise ``ContractError`` where so many values stand in `content` that they would take memory beyond measure.

    Text that is nothing but brackets takes seventy times its size as objects. What may begin a value (a comma, a
    bracket) is counted, at the speed of reading; commas in texts are, too.
    """
    if len(content) <= _ALWAYS_DECODED:
        return
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > most:
        raise ContractError(
            f"{what}: the answer has {values:,} values in {len(content) / MB:.1f} MB, more than the {most:,.0f} that "
            "are decoded; rows have fewer.",
            advice=how_to_raise("answer_mb"),
            status_code=200,
        )


def looks_like_html(content: bytes) -> bool:
    """Say whether a body starts like a web page."""
    return content.lstrip()[:200].lower().startswith((b"<!doctype", b"<html", b"<head", b"<body"))


def _why_not(content: bytes, content_type: str, packing: str, problem: str, position: int) -> str:
    if not content.strip():
        return "there is nothing in them"
    if looks_like_html(content):
        return "they look like HTML"
    foreign = [one.strip() for one in packing.split(",") if one.strip().lower() not in UNPACKED]
    if foreign:
        return f"they are packed as {foreign[0][:20]}, which was not asked for"
    for mark, why in _MARKS:
        if content.startswith(mark):
            return why
    if b"\0" in content[:2]:
        return "they are UTF-16 or UTF-32, and JSON is UTF-8"
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return f"they are not UTF-8 from byte {error.start:,} on"
    for start in (position, max(position - 1, 0)):
        if token := _NO_NUMBER.match(text, start):
            return f"{token[0]} stands at character {start:,}, and JSON has no such number"
    known = next((why for word, why in _REASONS if word in problem.lower()), "")
    kind = content_type.partition(";")[0].strip()
    if known or kind == "application/json":
        return known or f"they cannot be read from character {position:,} on"
    return f"they look like {kind or 'nothing known'}"


# ------------------------------------------------------------------------------------------ when an answer was given


@dataclass(frozen=True, slots=True)
class AnswerTime:
    """When an answer was given (aware, UTC), by the API's `Date`, else by the client's clock."""

    at: datetime
    by_api: bool


def oldest(*answers: AnswerTime | None) -> AnswerTime | None:
    """Return the oldest known time; it is by the API only if all are."""
    known = [answer for answer in answers if answer is not None]
    if not known:
        return None
    return AnswerTime(min(answer.at for answer in known), all(answer.by_api for answer in known))


class Dating:
    """Notes the oldest answer while it is open (see :meth:`Session.dating`); None before the first."""

    def __init__(self) -> None:
        self.oldest: AnswerTime | None = None

    def note(self, answer: AnswerTime) -> None:
        """Note an answer."""
        self.oldest = oldest(self.oldest, answer)


def read_date(header: str | None, now: datetime) -> AnswerTime:
    """Return the time of a Date header, or `now` if it is missing or implausible.

    Examples
    --------
    >>> read_date("Fri, 16 Jan 2026 09:00:00 GMT", datetime(2026, 11, 24, tzinfo=UTC)).at.date()
    datetime.date(2026, 1, 16)
    >>> read_date("Thu, 01 Jan 1970 00:00:00 GMT", datetime(2026, 11, 24, tzinfo=UTC))
    AnswerTime(at=datetime.datetime(2026, 11, 24, 0, 0, tzinfo=datetime.timezone.utc), by_api=False)
    """
    try:
        moment = email.utils.parsedate_to_datetime(header or "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return AnswerTime(now, by_api=False)
    return AnswerTime(moment, by_api=True) if moment.year in _YEARS else AnswerTime(now, by_api=False)

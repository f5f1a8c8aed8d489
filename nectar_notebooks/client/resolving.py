"""Which object a person means: by id, external id, name, or a row of its table.

An id wins over a name. What fits two objects is an error that lists both; what fits none names what is near.
Where the tables come from is the caller's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Protocol, TypeAlias

import pandas as pd

from nectar_notebooks.client.shown import is_text, shown
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

__all__ = ["COMPANY", "CONNECTION", "SITE", "Given", "Kind", "listed", "one"]


class _NamedTuple(Protocol):
    """A row of ``DataFrame.itertuples()``."""

    def _asdict(self) -> dict[str, object]: ...


#: An id, an external id, a name, or a row: Series, one-row frame, namedtuple, mapping.
Given: TypeAlias = "str | pd.Series | pd.DataFrame | _NamedTuple | Mapping[str, object]"

_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that can be named: its key, the columns it may be called by, and the keys of finer rows.

    A row of something finer names its company or connection too, but whoever gives it means the finer thing.
    """

    word: str
    plural: str
    key: str
    called: tuple[str, ...]
    finer: tuple[tuple[str, str], ...] = ()


#: The finest first: the key of a row, and what such a row is.
_RECORDS: Final = (
    ("line_item_id", "a line item"), ("usage_id", "a usage record"), ("bill_id", "a bill"), ("meter_id", "a meter"),
)  # fmt: skip
_ACCOUNT: Final = ("account_id", "an account")
COMPANY: Final = Kind(
    "company",
    "companies",
    "company_id",
    ("external_id", "name"),
    finer=(
        *_RECORDS,
        _ACCOUNT,
        ("invitation_id", "an invitation"),
        ("job_id", "an upload"),
        ("connection_id", "a connection"),
        ("site_id", "a site"),
    ),
)
SITE: Final = Kind("site", "sites", "site_id", ("external_id", "name"), finer=_RECORDS)
CONNECTION: Final = Kind(
    "connection",
    "connections",
    "connection_id",
    ("external_id", "username", "provider"),
    finer=(*_RECORDS, _ACCOUNT),
)


def row_of(given: Given, kind: Kind) -> Mapping[Any, object] | None:
    """Return the row that was given as a mapping, or None for a text.

    Raises
    ------
    InvalidRequestError
        It is neither, has no key of this kind, is a row of something finer, or several rows.
    """
    if isinstance(given, str):
        if not is_text(given):
            raise InvalidRequestError(f"{kind.word}={shown(given)} is no text: it holds half a character.")
        return None
    row: Mapping[Any, object]
    if isinstance(given, pd.DataFrame):
        if len(given) != 1:
            raise InvalidRequestError(
                f"{kind.word} was given as a frame of {len(given)} rows: choose one, such as frame.iloc[0]."
            )
        row = given.iloc[0].to_dict()
    elif isinstance(given, pd.Series):
        row = given.to_dict()
    elif isinstance(given, Mapping):
        row = given
    elif hasattr(given, "_asdict"):
        row = given._asdict()
    else:
        raise InvalidRequestError(
            f"{kind.word}={shown(given)} cannot be understood: give an id, an external id, a name, or a row of"
            f" nectar.{kind.plural}()."
        )
    for key, word in kind.finer:
        if key in row:
            instead = f"if its {kind.word} is meant, give its {kind.key}"
            if key in {SITE.key, CONNECTION.key}:
                instead = f"pass it as {key.removesuffix('_id')}="
            raise InvalidRequestError(f"This row is {word}, not a {kind.word}: {instead}.")
    if not is_text(row.get(kind.key)):
        raise InvalidRequestError(
            f"The row given as {kind.word} has no {kind.key}: give a row of nectar.{kind.plural}()."
        )
    return row


def one(given: str, kind: Kind, frame: pd.DataFrame) -> pd.Series:
    """Return the one row of `frame` that `given` means.

    Raises
    ------
    NotFoundError
        None fits; the message names what is near.
    InvalidRequestError
        Several fit; the message lists them.
    """
    for columns in ((kind.key,), kind.called):
        fits = frame[(frame[list(columns)] == given).any(axis=1)]
        if len(fits) == 1:
            row: pd.Series = fits.iloc[0]
            return row
        if len(fits) > 1:
            raise InvalidRequestError(
                f"{given!r} fits {len(fits)} {kind.plural}: {listed(kind, fits)}. Say which by its id."
            )
    raise NotFoundError(f"No {kind.word} is called {given!r}. {_near(given, kind, frame)}".rstrip())


def listed(kind: Kind, frame: pd.DataFrame) -> str:
    """Return the objects in `frame` in words: name and id of the first few."""
    label = kind.called[-1]
    shown = [f"{row[label]} ({row[kind.key]})" for _, row in frame.head(_LISTED).iterrows()]
    more = len(frame) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _near(given: str, kind: Kind, frame: pd.DataFrame) -> str:
    words: dict[str, list[object]] = {}
    for column in (*kind.called, kind.key):
        for index, value in frame[column].dropna().items():
            words.setdefault(str(value).casefold(), []).append(index)
    wanted = given.casefold()
    near = get_close_matches(wanted, words, n=5, cutoff=0.6)
    near += [word for word in words if len(wanted) > 2 and wanted in word and word not in near]
    indexes = list(dict.fromkeys(index for word in near for index in words[word]))
    if indexes:
        return f"Near it: {listed(kind, frame.loc[indexes])}."
    return f"There are: {listed(kind, frame)}." if len(frame) else f"There are no {kind.plural} here."

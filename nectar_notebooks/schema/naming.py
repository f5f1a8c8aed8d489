"""Which object is meant: by its id, by what people call it, or by a row of its table.

One rule for the portfolio, the methodology, the client and the dashboards. An id wins over a name. What fits several
objects is an error that lists them; what fits none names what is near. No message prints a row or a frame. Where the
tables come from, and when they are asked for anew, is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError, InvalidRequestError, NotFoundError
from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES

__all__ = [
    "ACCOUNT", "BILL", "COMPANY", "CONNECTION", "INVITATION", "JOB", "METER", "SITE", "USAGE", "Given", "Kind", "Named",
    "Several", "any_id", "find", "is_text", "listed", "named", "one", "row_of",
    "several", "shown",
]  # fmt: skip


class _NamedTuple(Protocol):
    """A row of ``DataFrame.itertuples()``."""

    def _asdict(self) -> dict[str, object]: ...


#: An id, an external id, a name, or a row: Series, one-row frame, namedtuple, mapping.
Given: TypeAlias = "str | pd.Series | pd.DataFrame | _NamedTuple | Mapping[str, object]"
#: One object or several: as `Given`, a frame of several rows, or any iterable of those.
Several: TypeAlias = "Given | Iterable[Given]"

_LISTED: Final = 8
_LONGEST: Final = 80
_COMPARED: Final = 5_000  # more words than this are not compared letter by letter
_TABLES: Final = {frozenset(table.names): name for name, table in (TABLES | OTHER_TABLES).items()}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its key, what people call it by, and the keys of rows that are something finer.

    A row of something finer names its company or account too, but whoever gives it means the finer thing.
    """

    word: str
    plural: str
    key: str
    called: tuple[str, ...] = ()
    finer: tuple[tuple[str, str], ...] = ()

    @property
    def article(self) -> str:
        """Which article its word takes."""
        return "an" if self.word.startswith(("a", "i", "o", "up")) else "a"

    @property
    def ways(self) -> str:
        """What can be given, in words."""
        words = [one.replace("_", " ") for one in (*self.called, "id")]
        return f"its {', '.join(words[:-1])} or id" if self.called else "its id"


#: The finest first: the key of a row, and what such a row is.
_OF_A_BILL: Final = (
    ("line_item_id", "a line item"), ("demand_id", "a demand reading"), ("usage_id", "a usage record"),
)  # fmt: skip
_BILL: Final = (*_OF_A_BILL, ("bill_id", "a bill"))
_METER: Final = (*_BILL, ("meter_id", "a meter"))
_ACCOUNT: Final = (*_METER, ("account_id", "an account"))
_ALL: Final = (
    *_ACCOUNT,
    ("invitation_id", "an invitation"),
    ("job_id", "an upload"),
    ("connection_id", "a connection"),
    ("site_id", "a site"),
)
COMPANY: Final = Kind("company", "companies", "company_id", ("external_id", "name"), _ALL)
SITE: Final = Kind("site", "sites", "site_id", ("external_id", "name"), _METER)
CONNECTION: Final = Kind(
    "connection", "connections", "connection_id", ("external_id", "username", "provider"), _ACCOUNT
)
ACCOUNT: Final = Kind("account", "accounts", "account_id", ("account_number",), _METER)
METER: Final = Kind("meter", "meters", "meter_id", ("primary_identifier",), _BILL)
BILL: Final = Kind("bill", "bills", "bill_id", ("invoice_id",), _OF_A_BILL)
USAGE: Final = Kind("usage record", "usage", "usage_id", (), _OF_A_BILL[:2])
INVITATION: Final = Kind("invitation", "invitations", "invitation_id")
JOB: Final = Kind("upload", "jobs", "job_id")


@dataclass(frozen=True, slots=True)
class Named:
    """What was given for one object: a text, or the id of a row (`by_id`) and the company that the row names."""

    text: str
    by_id: bool = False
    company_id: str | None = None


def named(given: object, kind: Kind) -> Named:
    """Return what was given for one object; nothing is looked up.

    Raises
    ------
    InvalidRequestError
        It is neither a text nor a row, has no key of this kind, is a row of something finer, or several rows.
    """
    if isinstance(given, str):
        if not is_text(given):
            raise InvalidRequestError(f"{kind.word}={shown(given)} is no text: it holds half a character.")
        return Named(given)
    row = row_of(given, kind)
    found = row.get(kind.key)
    if isinstance(found, (int, np.integer)) and not isinstance(found, bool):
        found = str(found)  # a table that was read by hand
    if not is_text(found) or not found:
        raise InvalidRequestError(
            f"The row given as {kind.word} has no {kind.key}: give a row with {kind.key}, as those of {kind.plural}."
        )
    for key, word in kind.finer:
        if key in row:
            instead = f"if its {kind.word} is meant, give its {kind.key}"
            if kind.key == "company_id" and key in {SITE.key, CONNECTION.key}:
                instead = f"pass it as {key.removesuffix('_id')}="
            raise InvalidRequestError(f"This row is {word}, not {kind.article} {kind.word}: {instead}.")
    owner = row.get("company_id")
    return Named(str(found), by_id=True, company_id=owner if isinstance(owner, str) else None)


def several(given: object, kind: Kind) -> list[Named]:
    """Return what was given for one object or several, in order: a frame stands for its rows.

    Raises
    ------
    NotFoundError
        None was given.
    InvalidRequestError
        As :func:`named`, for any of them.
    """
    things: list[object]
    if isinstance(given, pd.DataFrame):
        things = [row for _, row in _with_key(given, kind).iterrows()]
    elif isinstance(given, pd.Series) and not _is_row(given):
        things = list(given)
    elif not isinstance(given, Iterable) or isinstance(given, (str, bytes, Mapping, pd.Series)) or _is_tuple(given):
        things = [given]
    else:
        things = list(given)
    if not things:
        raise NotFoundError(f"No {kind.word} was named.", advice="The list or frame is empty: look at what chose it.")
    return [named(thing, kind) for thing in things]


def find(given: object, kind: Kind, frame: pd.DataFrame, *, where: str = "") -> str:
    """Return the id of the one object of `frame` that is meant.

    Parameters
    ----------
    given : str or row
        An id, a name or a row.
    kind : Kind
    frame : DataFrame
        The table of that kind; columns it lacks are not looked in.
    where : str, optional
        Where the table is from, for the message, such as ``"here"``.

    Raises
    ------
    NotFoundError
        None fits; the message names what is near.
    InvalidRequestError
        Several fit, and are listed; or as :func:`named`.

    Examples
    --------
    >>> sites = pd.DataFrame({"site_id": ["s1", "s2"], "name": ["Mill", "Depot"]})
    >>> find("Depot", SITE, sites), find(sites.iloc[0], SITE, sites)
    ('s2', 's1')
    """
    place = _place(named(given, kind), kind, frame, where)
    found = frame[kind.key].iloc[place]
    return f"{found:.0f}" if isinstance(found, (float, np.floating)) else str(found)


def one(wanted: Named, kind: Kind, frame: pd.DataFrame, *, where: str = "") -> pd.Series:
    """Return the one row of `frame` that was named; errors as :func:`find`."""
    row: pd.Series = frame.iloc[_place(wanted, kind, frame, where)]
    return row


def _place(wanted: Named, kind: Kind, frame: pd.DataFrame, where: str) -> int:
    if kind.key not in frame.columns:
        raise DataError(
            f"The table of {kind.plural} lacks the column {kind.key}.",
            advice=f"It has: {', '.join(map(str, frame.columns))}.",
        )
    text = wanted.text
    for columns in ((kind.key,), () if wanted.by_id else kind.called):
        fits = np.zeros(len(frame), dtype=bool)
        for name in columns:
            if name in frame.columns:
                fits |= _equal(frame[name], text)
        if fits.sum() == 1:
            return int(np.flatnonzero(fits)[0])
        if fits.any():
            found = frame.iloc[np.flatnonzero(fits)]
            raise InvalidRequestError(
                f"{shown(text)} fits {len(found)} {kind.plural}: {listed(kind, found)}. Say which by its id."
            )
    place = f" {where}" if where else ""
    raise NotFoundError(
        f"No {kind.word}{place} is called {shown(text)}. {_near(text, kind, frame)}".rstrip(),
        advice="Check how it is written, or give its id." if where else None,
    )


def any_id(given: object) -> str:
    """Return the id that was given, or that of a row, whatever the row is of."""
    if isinstance(given, str):
        return named(given, COMPANY).text
    names = set(given.columns if isinstance(given, pd.DataFrame) else row_of(given, Kind("object", "a table", "id")))
    key = next((key for key, _ in (*_ALL, ("company_id", "")) if key in names), "id")
    return named(given, Kind("object", "a table", key)).text


def listed(kind: Kind, frame: pd.DataFrame) -> str:
    """Return the objects in `frame` in words: name and id of the first few."""
    label = next((name for name in reversed(kind.called) if name in frame.columns), None)
    head = frame.head(_LISTED)
    ids = head[kind.key].astype(object).tolist()
    labels = [None] * len(ids) if label is None else head[label].astype(object).tolist()
    words = [
        str(id_) if name is None or pd.isna(name) else f"{name} ({id_})" for name, id_ in zip(labels, ids, strict=True)
    ]
    more = len(frame) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def is_text(value: object) -> bool:
    """Say whether a value is a text that can be kept and sent: no lone surrogate in it."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """Return how `value` is called in an error message: whole where it is short, by what it is where it is not.

    Examples
    --------
    >>> shown("Mill"), shown(7)
    ("'Mill'", '7')
    >>> shown(pd.DataFrame({"a": range(900)}))
    'a frame of 900 rows'
    """
    if isinstance(value, pd.DataFrame):
        name = _table(value.columns)
        return f"a frame of {len(value)} {name or 'rows'}" if len(value) != 1 else _a_row(name)
    if isinstance(value, pd.Series):
        return _a_row(name) if (name := _table(value.index)) else f"a Series of {len(value)} values"
    if hasattr(value, "_asdict"):
        return _a_row(_table(getattr(value, "_fields", ())))
    if isinstance(value, Mapping):
        return _a_row(name) if (name := _table(value)) else "a mapping"
    text = repr(value)
    if isinstance(value, str):
        return text if len(text) <= _LONGEST else f"{value[:_LONGEST]!r}..."
    return text if len(text) <= _LONGEST and "\n" not in text else f"a {type(value).__name__}"


def row_of(given: object, kind: Kind) -> Mapping[Any, object]:
    """Return the row that was given, in whatever form of pandas, as a mapping; anything else is an error."""
    if isinstance(given, pd.DataFrame):
        if len(given) != 1:
            which = f": {listed(kind, given)}" if len(given) and kind.key in given.columns else ""
            raise InvalidRequestError(
                f"{kind.word} was given as a frame of {len(given)} rows{which}: choose one, such as frame.iloc[0], and"
                " do one after the other."
            )
        frame = _with_key(given, kind)
        return {name: frame[name].iloc[0] for name in frame.columns.unique() if frame[name].ndim == 1}
    if isinstance(given, pd.Series):
        if given.name == kind.key and len(given) == 1 and kind.key not in given.index:
            return {kind.key: given.iloc[0]}  # the column of a frame of one row
        return given.to_dict()
    if isinstance(given, Mapping):
        return given
    as_dict = getattr(given, "_asdict", None)
    if as_dict is not None:
        found: Mapping[Any, object] = as_dict()
        return found
    what = shown(given)
    one_by_one = "Do one after the other; give" if isinstance(given, Iterable) else "Give"
    raise InvalidRequestError(
        f"{kind.word}={what} cannot be understood: {what} is no {kind.word}. {one_by_one} {kind.ways}, or a row of"
        f" {kind.plural}."
    )


def _with_key(frame: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return a frame with its key as a column, where it is the index."""
    return frame.reset_index() if frame.index.name == kind.key and kind.key not in frame.columns else frame


def _is_tuple(given: object) -> bool:
    return hasattr(given, "_asdict")


def _is_row(series: pd.Series) -> bool:
    """Say whether a Series is a row, by the names of columns in its index; else it is a column of values."""
    return series.index.name is None and any(isinstance(name, str) for name in series.index)


def _equal(column: pd.Series, text: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say where a column of whatever type holds `text`."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        column = column.convert_dtypes().astype("string")  # a table that was read by hand
    return np.asarray(column.eq(text).fillna(False).to_numpy(dtype=bool))


def _near(text: str, kind: Kind, frame: pd.DataFrame) -> str:
    wanted = text.casefold()
    words: dict[str, list[int]] = {}
    for column in (*kind.called, kind.key):
        if column in frame.columns:
            for place, value in enumerate(frame[column].astype(object).tolist()):
                if not pd.isna(value):
                    words.setdefault(str(value).casefold(), []).append(place)
    near = get_close_matches(wanted, words, n=5, cutoff=0.6) if len(words) <= _COMPARED else []
    near += [word for word in words if len(wanted) > 2 and wanted in word and word not in near]
    places = list(dict.fromkeys(place for word in near for place in words[word]))
    if places:
        return f"Near it: {listed(kind, frame.iloc[places])}."
    return f"There are: {listed(kind, frame)}." if len(frame) else f"There are no {kind.plural} here."


def _a_row(table: str) -> str:
    return f"a row of {table}" if table else "a row"


def _table(names: Iterable[object]) -> str:
    """Return the table whose columns these are; ``Index`` is what ``itertuples`` puts before them."""
    return _TABLES.get(frozenset(str(name) for name in names if name != "Index"), "")

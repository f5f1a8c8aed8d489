"""Which objects a person means where several may be given: ids, rows, a frame of rows, or any iterable of those.

Nothing is looked up here; names are resolved in `scope`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import pandas as pd

from nectar_notebooks.client.shown import is_text
from nectar_notebooks.errors import InvalidRequestError, NotFoundError

__all__ = ["Several", "ids_of"]

#: One object or several: an id, a row, a frame, or any iterable of ids and rows.
Several: TypeAlias = "str | pd.Series | pd.DataFrame | Mapping[str, object] | Iterable[object]"


def ids_of(given: object, key: str, word: str) -> tuple[list[str], str | None]:
    """Return the ids that were named, each once, and their company where rows say it."""
    alone = (
        isinstance(given, (str, Mapping))
        or hasattr(given, "_asdict")
        or (isinstance(given, pd.Series) and key in given)
    )
    if isinstance(given, pd.DataFrame):
        things: list[object] = [row for _, row in given.iterrows()]
    elif alone or not isinstance(given, Iterable):
        things = [given]
    else:
        things = list(given)
    ids: list[str] = []
    owners: set[str] = set()
    for thing in things:
        thing = thing._asdict() if hasattr(thing, "_asdict") else thing
        row = thing if isinstance(thing, (pd.Series, Mapping)) else {key: thing}
        if {"account_id", "meter_id"} <= set(row.keys()) and key == "account_id":
            # One meter's row does not speak for all meters of its account.
            raise InvalidRequestError(
                "This row is a meter, not an account: if its account is meant, give its account_id."
            )
        found = row.get(key)
        if not is_text(found) or not found:
            shown = repr(thing) if isinstance(thing, (str, int, float)) else f"A {type(thing).__name__} without {key}"
            raise InvalidRequestError(f"{shown} is no {word}: give its id, or a row with {key}.")
        ids.append(str(found))
        owner = row.get("company_id")
        owners |= {owner} if isinstance(owner, str) else set()
    if not ids:
        raise NotFoundError(f"No {word} was named.", advice="The list or frame is empty: look at what chose it.")
    if len(owners) > 1:
        raise InvalidRequestError(f"These rows are of {len(owners)} companies: do one company after the other.")
    return list(dict.fromkeys(ids)), next(iter(owners), None)

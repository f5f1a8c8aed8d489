"""Docstrings of nouns, written from the schema: columns with units, filters, errors, an example.

The sentence at the beginning of a noun is its own; what all nouns share stands here once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from textwrap import fill
from typing import Any, Final, TypeVar

from nectar_notebooks.schema.tables import OTHER_TABLES, TABLES, Column

__all__ = ["noun"]

Method = TypeVar("Method", bound=Callable[..., Any])

_OBJECT: Final = "an id, an external id, a name, or a row (Series, frame of one row, namedtuple, mapping)"
_PARAMETERS: Final = {
    "company": f"Whose: {_OBJECT}. May be left out where one is visible, or with a site or connection.",
    "site": f"One site or several: {_OBJECT}; a list of those, or a frame of rows.",
    "connection": f"One connection: {_OBJECT}; its user name or provider is a name.",
    "invitation": "One invitation: an id or a row of ``invitations``.",
    "start": "First day, counted: a day (``'2025-01-31'``), or the first of a month (``'2025-01'``), quarter"
    " (``'2025-Q1'``) or year (``'2025'``); text, date, timestamp or period.",
    "end": "Last day, counted: a day, or the last of a month, quarter or year.",
    "by": "What the days are compared with: ``service_period`` (any day of service inside), ``bill_date``, ``created``"
    " or ``updated`` (UTC days).",
    "commodity": "One commodity or several, in any case: ``'gas'``, ``['ELECTRICITY', 'WATER']``.",
    "days": "``start``, ``end`` and ``by`` are refused by name: such objects have no service period.",
}
_ERRORS: Final = {
    "NotFoundError": "Nothing is called so; the message names what is near.",
    "InvalidRequestError": "A name that fits several objects, which are listed; a filter that cannot be understood.",
    "OfflineError": "Offline, and what was asked for was never fetched.",
    "InterruptedWalkError": "The fetch broke in the middle; ``resume()`` goes on.",
}
_GIVEN: Final = {"company": '"Bluestem Logistics"', "start": '"2025-01"', "commodity": '"electricity"'}
_WIDTH: Final = 100


def noun(method: Method) -> Method:
    """Complete the docstring of a noun with what the schema knows of its table."""
    every = TABLES | OTHER_TABLES
    table = every.get(method.__name__) or every[f"{method.__name__}s"]
    text = (inspect.getdoc(method) or "").strip()
    parameters = [name for name in inspect.signature(method).parameters if name != "self"]
    parts = [text]
    if parameters and "Parameters\n" not in text:
        parts.append("Parameters\n----------\n" + "\n".join(_entry(name) for name in parameters))
    columns = "\n".join(_column(column) for column in table.columns)
    meaning = fill(f"One row each: {table.meaning} Columns:", _WIDTH, initial_indent="    ", subsequent_indent="    ")
    parts.append(f"Returns\n-------\nDataFrame\n{meaning}\n\n{columns}")
    if "Raises\n" not in text:
        parts.append("Raises\n------\n" + "\n".join(f"{name}\n    {words}" for name, words in _ERRORS.items()))
    if set(parameters) <= set(_PARAMETERS) and "Examples\n" not in text:
        parts.append(_example(method.__name__, parameters, table.names[:2]))
    method.__doc__ = "\n\n".join(parts) + "\n"
    return method


def _entry(name: str) -> str:
    words = fill(_PARAMETERS.get(name, ""), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{'**' if name == 'days' else ''}{name}{'' if name == 'days' else ' : optional'}\n{words}"


def _column(column: Column) -> str:
    kind = f"{column.kind}, {column.unit}" if column.unit else column.kind
    return fill(
        f"- ``{column.name}`` ({kind}): {column.meaning}", _WIDTH, initial_indent="    ", subsequent_indent="      "
    )


def _example(name: str, parameters: list[str], first: tuple[str, ...]) -> str:
    given = {one: value for one, value in _GIVEN.items() if one in parameters}
    if name == "intervals":
        given = {"connection": 'nectar.connections("Bluestem Logistics").iloc[0]'}
    if name.startswith("invitation"):
        given = {"company": '"Bluestem Logistics"'} if "company" in parameters else {}
    words = [value if one in ("company", "connection") else f"{one}={value}" for one, value in given.items()]
    lines = [">>> import nectar_notebooks as nn", '>>> nectar = nn.connect("local")']
    if "invitation" in parameters and "company" not in parameters:
        lines.append('>>> made = nectar.invite("Bluestem Logistics")')
        words = ["made"]
    lines += [f">>> list(nectar.{name}({', '.join(words)}).columns[:2])", str(list(first))]
    return "Examples\n--------\n" + "\n".join(lines)

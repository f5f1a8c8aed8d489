"""Tables and headings for a terminal of 100 columns. Knows nothing about bills; `printing` does the printing."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from nectar_notebooks.printing import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["WIDTH", "WITHOUT_ENVIRONMENT", "amount", "heading", "paragraph", "table", "without_keys"]

WIDTH: Final = 100
#: Help text: which environment a command asks if none is named.
WITHOUT_ENVIRONMENT: Final = "default: NECTAR_ENVIRONMENT, else the one whose key is set, else the embedded sandbox"
_GAP: Final = "  "
_MISSING: Final = "-"
_LEAST: Final = 8
#: A longer word may be a key in the wrong place, and is not repeated.
_LONGEST_WORD: Final = 12


def heading(title: str, note: str = "") -> str:
    """Return a section's heading, preceded by an empty line."""
    return f"\n{printable(title.upper())}" + (f"  {printable(note)}" if note else "")


def paragraph(text: str) -> str:
    """Return `text` wrapped, and indented like a table."""
    return textwrap.fill(printable(text), WIDTH, initial_indent=_GAP, subsequent_indent=_GAP)


def amount(value: float, decimals: int = 0) -> str:
    """Return a number with thousands separators; a missing one is a dash, never 0.

    Examples
    --------
    >>> amount(1234.5, 2), amount(float("nan"))
    ('1,234.50', '-')
    """
    return _MISSING if value != value else f"{value:,.{decimals}f}"


def without_keys(message: str, words: Sequence[str]) -> str:
    """Return a command-line error message with words that may be keys blanked out.

    Examples
    --------
    >>> without_keys("invalid choice: 'prod'", ["ping", "prod"])
    "invalid choice: 'prod'"
    """
    hidden = message
    for word in words:
        typed = word.partition("=")[2] if word.startswith("-") else word
        if len(typed) > _LONGEST_WORD:
            hidden = hidden.replace(typed, "...")
    if hidden == message:
        return message
    return (
        f"{hidden}\nLong words are not repeated here: one may be a key, and the shell records it in its history. "
        "If you gave a key, delete it and create another."
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], align: str, total: bool = False) -> str:
    """Return a text table, each column as wide as its widest cell.

    Parameters
    ----------
    headers, rows : sequence of str
        The text of each cell.
    align : str
        One letter per column: ``l`` left, ``r`` right, ``f`` left and truncated if the line would be wider than the
        terminal.
    total : bool
        Whether the last row is a total, to be set off by a line.

    Examples
    --------
    >>> print(table(["site", "USD"], [["Mill", "5.00"], ["Yard", "12.50"]], "lr"))
      site    USD
      Mill   5.00
      Yard  12.50
    """
    lines = [[printable(cell) for cell in line] for line in (headers, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headers))]
    over = len(_GAP) + sum(widths) + len(_GAP) * (len(widths) - 1) - WIDTH
    flexible = [place for place, letter in enumerate(align) if letter == "f"]
    for _ in range(over if flexible else 0):
        widest = max(flexible, key=lambda place: widths[place])
        widths[widest] = max(_LEAST, widths[widest] - 1)
    printed = [
        _GAP + _GAP.join(_cell(*parts) for parts in zip(line, widths, align, strict=True)).rstrip() for line in lines
    ]
    if total:
        printed.insert(-1, _GAP + _GAP.join("-" * width for width in widths))
    return "\n".join(printed)


def _cell(text: str, width: int, letter: str) -> str:
    if len(text) > width:
        text = f"{text[: width - 1]}…"
    return text.rjust(width) if letter == "r" else text.ljust(width)

"""Text on its way to a terminal: nothing in it moves the cursor, and lines of two threads never mix.

What an API, a file or a sender wrote is data. Escape sequences, control characters and marks that turn the direction of
a line are written out where a message is made: :class:`~nectar_notebooks.errors.NectarError` and every report call
:func:`printable`, every command prints by :func:`print_lines`. Markup for notebooks is escaped by its own makers.
"""

from __future__ import annotations

import sys
import threading

__all__ = ["print_lines", "print_status", "printable"]

_lock = threading.Lock()
_status_width = 0


def printable(text: str) -> str:
    r"""Return `text` as one line without anything that a terminal would obey.

    White space becomes a space; whatever else cannot be seen (control characters, escape sequences, marks of
    direction, surrogates) is written as its escape.

    Examples
    --------
    >>> print(printable("Mill\n\x1b[2Jpaid \u202efdp.exe"))
    Mill \x1b[2Jpaid \u202efdp.exe
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else _escaped(one) for one in text)


def print_lines(text: object, *, error: bool = False) -> None:
    """Print lines in one piece, on the error stream where `error`; a status line that stands there goes first."""
    whole = "".join(f"{printable(line)}\n" for line in str(text).split("\n"))
    with _lock:
        _show("")
        stream = sys.stderr if error else sys.stdout
        stream.write(whole)
        stream.flush()


def print_status(text: str) -> None:
    """Show a line on the error stream in place of the last one; an empty one takes it away."""
    with _lock:
        _show(printable(text))


def _show(line: str) -> None:
    global _status_width
    if not line and not _status_width:
        return
    sys.stderr.write("\r" + line.ljust(_status_width) + ("" if line else "\r"))
    sys.stderr.flush()
    _status_width = len(line)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")

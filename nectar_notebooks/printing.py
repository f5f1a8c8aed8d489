"""Safe text output to terminals: no control sequences, and lines from different threads never mix.

Text from an API, a file or a sender is untrusted. Escape sequences, control characters and marks that change the text
direction are escaped where messages are built: :class:`~nectar_notebooks.errors.NectarError` and every report call
:func:`printable`, and every command prints with :func:`print_lines`. HTML for notebooks is escaped where it is built.
"""

from __future__ import annotations

import sys
import threading

__all__ = ["print_lines", "print_status", "printable"]

_lock = threading.Lock()
_status_width = 0


def printable(text: str) -> str:
    r"""Return `text` as one line that cannot control a terminal.

    White space becomes a space; other unprintable characters (control characters, escape sequences, direction marks,
    surrogates) are escaped.

    Examples
    --------
    >>> print(printable("Mill\n\x1b[2Jpaid \u202efdp.exe"))
    Mill \x1b[2Jpaid \u202efdp.exe
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one.isspace() else _escaped(one) for one in text)


def print_lines(text: object, *, error: bool = False) -> None:
    """Print lines in one write, to stderr if `error`, after removing the status line."""
    whole = "".join(f"{printable(line)}\n" for line in str(text).split("\n"))
    with _lock:
        _show("")
        stream = sys.stderr if error else sys.stdout
        stream.write(whole)
        stream.flush()


def print_status(text: str) -> None:
    """Replace the status line on stderr; an empty `text` removes it."""
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

"""Limits on input: how much is accepted from others, the defaults, and how to raise each.

Without limits, a single response, page count or file chosen by someone else could fill memory or disk, or never end.
Each limit is far beyond what real data needs. Code that reads input enforces its limit and raises an error that states
the limit and :func:`how_to_raise` it; `config` finds the configured values.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

from nectar_notebooks.errors import ConfigurationError

__all__ = ["MB", "VALUES_PER_MB", "Limits", "how_to_raise", "path_of", "read_regular_file", "variable_of"]

MB: Final = 1024 * 1024
#: So many values an answer may hold for each MB that it may have; a value may take 200 bytes of memory.
VALUES_PER_MB: Final = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a connection, named as in ``nn.connect(limits={"answer_mb": 64})``.

    Attributes
    ----------
    deadline : float, seconds
        How long a request may take on the wire, over all its attempts; a download gets one more second for every 16 kB
        received. Pauses between attempts are not counted.
    answer_mb : float
        A response, unpacked. It may have 65,536 values per MB of this limit, two million by default; real rows have
        fewer. So even the worst response takes less than 20 times the limit in memory, 640 MB by default.
    pages : float
        Pages of one list.
    download_mb : float
        The original file of a bill, unpacked.
    bills_mb : float
        A file of your own bills; set by environment variable only.

    Examples
    --------
    >>> Limits().with_changes({"pages": 250_000}).pages
    250000
    """

    deadline: float = 180.0
    answer_mb: float = 32
    pages: float = 100_000
    download_mb: float = 250
    bills_mb: float = 250

    def with_changes(self, given: Mapping[str, object]) -> Limits:
        """Return these limits with some of them replaced; an unknown name or an invalid number raises."""
        names = [field.name for field in fields(self)]
        for name, value in given.items():
            if name not in names:
                raise ConfigurationError(f"There is no limit {name!r}.", advice=f"Use one of {', '.join(names)}.")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:  # type: ignore[operator]
                raise ConfigurationError(f"The limit {name} must be a number above 0, not {str(value)[:20]!r}.")
        return replace(self, **given)  # type: ignore[arg-type]

    def found_in(self, get: Callable[[str], str | None]) -> Limits:
        """Return these limits updated from environment variables; `get` returns the value of one, or None."""
        given: dict[str, object] = {}
        for field in fields(self):
            text = get(variable_of(field.name))
            if text:
                try:
                    given[field.name] = float(text)
                except ValueError:
                    given[field.name] = text  # with_changes rejects it
        return self.with_changes(given)


def variable_of(name: str) -> str:
    """Return the environment variable of a limit.

    Examples
    --------
    >>> variable_of("answer_mb")
    'NECTAR_LIMIT_ANSWER_MB'
    """
    return f"NECTAR_LIMIT_{name.upper()}"


def how_to_raise(name: str) -> str:
    """Return a sentence that says how to raise a limit."""
    variable = f"set {variable_of(name)} to a higher number"
    if name == "bills_mb":
        return f"If that is meant, {variable}."
    return f"If that is meant, {variable}, or say nn.connect(limits={{{name!r}: ...}})."


def path_of(given: object) -> Path:
    """Return the given path, whether or not it exists.

    Raises
    ------
    OSError
        It cannot be a path: wrong type, contains a NUL, too long, or in the home of an unknown user; `strerror` says
        which.
    """
    try:
        path = Path(given).expanduser()  # type: ignore[arg-type]
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except OSError as error:
        raise OSError(None, error.strerror) from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise OSError(None, str(error)) from error
    return path


def read_regular_file(path: Path, most: float) -> bytes:
    """Return up to `most` + 1 bytes of a file, so that the caller can detect a larger one; opens regular files only.

    Raises
    ------
    OSError
        As for any file; if it is not a regular file, `strerror` says what it is.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kinds = (
                (stat.S_ISDIR, "a folder"),
                (stat.S_ISFIFO, "a named pipe"),
                (stat.S_ISSOCK, "a socket"),
                (stat.S_ISCHR, "a device"),
                (stat.S_ISBLK, "a device"),
            )
            kind = next((name for is_one, name in kinds if is_one(mode)), "no file")
            raise OSError(None, f"it is {kind}, and only regular files are read")
        with open(path, "rb", opener=_without_waiting) as file:
            return file.read(int(most) + 1)
    except ValueError:  # a NUL in its name
        raise OSError(None, "no file has such a name") from None


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # in case the file was replaced by a pipe meanwhile

"""How much is taken in from others: the ceilings, their defaults, and how to raise each.

Without a ceiling one answer, page count or file of another's choosing fills the memory or the disk, or never ends. Each
is far beyond what honest data needs. Whoever takes something in holds it to its ceiling and ends with an error that
says the number and :func:`how_to_raise` it; `config` says where the numbers were found.
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
    """The ceilings of a connection; each is named as in ``nn.connect(limits={"answer_mb": 64})``.

    Attributes
    ----------
    deadline : float, seconds
        How long a request may take on the wire, its attempts together; a download has a second more for every 16 kB
        that came. Pauses between attempts are not counted.
    answer_mb : float
        An answer, unpacked. It may hold 65,536 values for each MB of this, two million by default: rows hold fewer,
        while brackets alone would take 70 times their size as memory. So the dearest answer takes less than 20 times
        the ceiling, 640 MB by default.
    pages : float
        Pages of one list.
    download_mb : float
        An original file of a bill, unpacked.
    bills_mb : float
        A file of own bills; read from the environment alone.

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
        """Return these limits with others in place of some; a name or a number that is none raises."""
        names = [field.name for field in fields(self)]
        for name, value in given.items():
            if name not in names:
                raise ConfigurationError(f"There is no limit {name!r}.", advice=f"Say one of {', '.join(names)}.")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:  # type: ignore[operator]
                raise ConfigurationError(f"The limit {name} must be a number above 0, not {str(value)[:20]!r}.")
        return replace(self, **given)  # type: ignore[arg-type]

    def found_in(self, get: Callable[[str], str | None]) -> Limits:
        """Return these limits with what variables say; `get` returns the value of one, or None."""
        given: dict[str, object] = {}
        for field in fields(self):
            text = get(variable_of(field.name))
            if text:
                try:
                    given[field.name] = float(text)
                except ValueError:
                    given[field.name] = text  # refused by its name
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
    """Return the sentence that says where a limit is set."""
    variable = f"set {variable_of(name)} to a higher number"
    if name == "bills_mb":
        return f"If that is meant, {variable}."
    return f"If that is meant, {variable}, or say nn.connect(limits={{{name!r}: ...}})."


def path_of(given: object) -> Path:
    """Return the path that was given, whether or not anything is there.

    Raises
    ------
    OSError
        It can be no path: not of that kind, a NUL in it, too long, in the home of nobody; `strerror` says which.
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
    """Return the first `most` bytes of a file and one more, if there are; what is no regular file is not opened.

    Raises
    ------
    OSError
        As for any file; `strerror` says what is there in place of a file.
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
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # should a pipe have taken the file's place

"""`nectar cache`: list, measure, prune and clear cached rows on disk. Needs no key and no network.

The work is done by `cache.housekeeping`; this module parses arguments and prints.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nectar_notebooks.printing import print_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add"]

_KILO: Final = 1000


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands and their arguments."""
    family = commands.add_parser(
        "cache",
        help="list, measure, prune or clear cached rows",
        description="Manage the rows cached on disk. Needs no key and no network.",
    )
    parsers = family.add_subparsers(title="commands", required=True, metavar="COMMAND")
    verbs: tuple[tuple[str, Callable[[argparse.Namespace], int], str], ...] = (
        ("list", _list, "list the snapshots, with their rows, size and age"),
        ("size", _size, "print the total size, unfinished fetches included"),
        ("prune", _prune, "delete snapshots older than some days, and files left behind by killed processes"),
        ("clear", _clear, "delete everything the package keeps there, and nothing else"),
    )
    for name, run, says in verbs:
        parser = parsers.add_parser(name, help=says, description=f"{says[0].upper()}{says[1:]}.")
        parser.add_argument(
            "--cache-dir", type=Path, help="cache folder (default: NECTAR_CACHE_DIR, else the user's cache folder)"
        )
        if name == "prune":
            parser.add_argument(
                "--older-than", type=_days, default=_days("30"), metavar="DAYS", help="days to keep (default: 30)"
            )
        parser.set_defaults(run=run)


def _days(text: str) -> timedelta:
    days = float(text)
    if not 0 <= days < timedelta.max.days:
        raise ValueError(text)
    return timedelta(days=days)


def _folder(arguments: argparse.Namespace) -> Path:
    from nectar_notebooks.config import resolve

    return resolve("local", cache_dir=arguments.cache_dir).cache_dir


def _list(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.cache.housekeeping import contents

    folder = _folder(arguments)
    frame = contents(folder)
    if frame.empty:
        print_lines(f"Nothing is cached in {folder}.")
        return 0
    shown = frame.assign(
        bytes=frame["bytes"].map(_in_words), fetched=frame["fetched"].dt.strftime("%Y-%m-%d %H:%M UTC")
    )
    print_lines(shown.to_string(index=False))
    return 0


def _size(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.cache.housekeeping import size

    folder = _folder(arguments)
    print_lines(f"{_in_words(size(folder))} in {folder}")
    return 0


def _prune(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.cache.housekeeping import prune
    from nectar_notebooks.clock import SystemClock

    freed = prune(_folder(arguments), older_than=arguments.older_than, clock=SystemClock())
    print_lines(f"{_in_words(max(freed, 0))} freed.")
    return 0


def _clear(arguments: argparse.Namespace) -> int:
    from nectar_notebooks.cache.housekeeping import clear

    print_lines(f"{_in_words(clear(_folder(arguments)))} freed.")
    return 0


def _in_words(count: int) -> str:
    """Return a number of bytes in readable form.

    Examples
    --------
    >>> _in_words(999), _in_words(1_250_000)
    ('999 B', '1.2 MB')
    """
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if size < _KILO or unit == "GB":
            break
        size /= _KILO
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"

"""Both cores where it pays: large columns of text are hashed and copied outside Python's lock.

Nothing else is run in threads, and results do not depend on it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["both", "map_columns", "together"]

T = TypeVar("T")
R = TypeVar("R")

#: Below this many rows starting threads costs more than it saves.
_MANY: Final = 100_000
_WORKERS: Final = 2


def map_columns(call: Callable[[T], R], columns: Iterable[T], rows: int) -> list[R]:
    """Return ``call(column)`` for each column, two at a time where there are many rows."""
    columns = list(columns)
    if rows < _MANY or len(columns) < 2:
        return [call(column) for column in columns]
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(call, columns))


def both(first: Callable[[], T], second: Callable[[], R], rows: int) -> tuple[T, R]:
    """Return what two calls return, at the same time where there are many rows."""
    if rows < _MANY:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        return first(), other.result()


def together(calls: Iterable[Callable[[], T]], rows: int) -> list[T]:
    """Return what calls return, two at a time where there are many rows; those that take longest stand first."""
    return map_columns(lambda call: call(), calls, rows)

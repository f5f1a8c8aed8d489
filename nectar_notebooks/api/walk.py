"""Walk a paged list: first page, the rest in parallel, each row once, complete or an error.

Finished pages are shown to a hook as they come, so that `cache` can stage them; pages it already has are not
asked for. Staging, the closing request and merging changes are left to `cache`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nectar_notebooks.api.session import Session

__all__ = ["Page", "Row", "Walked", "fetch", "walk"]

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One finished page: its `number`, decoded `rows`, the body as it came (`raw`), what it announced."""

    number: int
    rows: list[Row]
    raw: bytes
    total: int
    total_pages: int


@dataclass(frozen=True, slots=True)
class Walked:
    """A complete walk: unique `rows` in page order, the `total`, `pages`, `requests` spent, how often repeated."""

    rows: list[Row]
    total: int
    pages: int
    requests: int
    repeats: int


def walk(
    session: Session,
    endpoint: str,
    *,
    params: Mapping[str, str | int | bool | Sequence[str] | None] | None = None,
    on_page: Callable[[Page], None] | None = None,
    on_restart: Callable[[], None] | None = None,
    have: Mapping[int, Sequence[str]] | None = None,
    keep_rows: bool = True,
    **ids: str,
) -> Walked:
    """Return every row of a list, each id once.

    `on_page` is called in the calling thread, once per page, in order of arrival; `on_restart` when the pages
    did not fit together and the walk begins anew (drop what was staged). `have` names pages finished earlier
    with the ids of their rows: they are not asked for again and their rows are not in the result.
    ``keep_rows=False`` returns no rows (the hook keeps them), so that memory stays flat.

    Raises
    ------
    InterruptedWalkError
        With the finished rows and ``resume()``.
    """
    raise NotImplementedError


def fetch(session: Session, endpoint: str, **ids: str) -> Row:
    """Return the one object of a details endpoint; ``ContractError`` if it is none."""
    raise NotImplementedError

"""What a sandbox starts with: the demo portfolio, seeded on one day, or a world that was given.

The demo portfolio's bills come on need; what arrives later, while the clock moves, comes from the same seeds. Notes in
the state say what was seeded, so that a state file can be taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial
from typing import TYPE_CHECKING

from nectar_notebooks.sandbox.model import World

if TYPE_CHECKING:
    from nectar_notebooks.sandbox.sources.demo import Demo
    from nectar_notebooks.sandbox.store.state import State

__all__ = ["arrivals", "seed_demo"]

_NOTE = "planted"


def seed_demo(state: State, seed: int, day: date, sites: int | None, months: int) -> None:
    """Load the demo portfolio as it stands on a day."""
    state.note(_NOTE, {"day": day.isoformat(), "sites": sites, "months": months})
    demo = _demo(state, seed)
    head = demo.head()
    later: dict[str, Callable[[], Iterable[World]]] = {
        company["id"]: partial(demo.bills, company["id"]) for company in head.companies
    }
    state.load(replace(head, later=later))


def arrivals(state: State, seed: int, now: datetime) -> Iterable[World]:
    """Return the demo portfolio's bills that arrived since it was seeded; none where a world was given."""
    seeded = state.meta(_NOTE)
    if seeded is None:
        return ()
    start = datetime.combine(date.fromisoformat(seeded["day"]), time.min, UTC)
    return _demo(state, seed).arrivals(start, now)


def _demo(state: State, seed: int) -> Demo:
    from nectar_notebooks.sandbox.sources.demo import Demo

    seeded = state.meta(_NOTE)
    return Demo(seed, date.fromisoformat(seeded["day"]), seeded["sites"], seeded["months"])

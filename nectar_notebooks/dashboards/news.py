"""News for a dashboard: what events brought, gathered on any thread and handed over on the dashboard's own.

Controls are changed by one thread alone, the one that made the dashboard. A change comes on the thread that fetched it
(a receiver's): it is noted, and the event loop of the kernel hands it over a moment later, many as one. Without a
loop, and while a cell runs, whoever reads the dashboard takes it up. What a change means is the dashboard's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Final
from weakref import WeakMethod, finalize

if TYPE_CHECKING:
    from collections.abc import Callable

    from nectar_notebooks.client.refreshing import Change
    from nectar_notebooks.dashboards.reading import Reader

__all__ = ["News"]

#: Seconds in which further changes are waited for, so that fifty events of one delivery are drawn once.
_GATHER: Final = 0.1


class News:
    """Changes that wait for the dashboard to take them up; it is not kept alive by them.

    Parameters
    ----------
    nectar : Nectar
        Tells of changes.
    take_up : bound method
        Given the changes, on the thread that made this; held weakly.
    """

    def __init__(self, nectar: Reader, take_up: Callable[[list[Change]], None]) -> None:
        self._take_up = WeakMethod(take_up)
        self._lock = Lock()
        self._waiting: dict[Change, None] = {}
        self._called = self._busy = False
        self._thread = get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        # Called once: when it is closed, or when the dashboard has gone without.
        self.close = finalize(take_up.__self__, nectar.on_change(self._note))  # type: ignore[attr-defined]  # a method
        self.close.atexit = False

    def _note(self, change: Change) -> None:
        with self._lock:
            self._waiting[change] = None
            called, self._called = self._called, True
        if self._loop is not None and not called:
            with suppress(RuntimeError):  # the loop has ended: a read takes it up
                self._loop.call_soon_threadsafe(self._loop.call_later, _GATHER, self.hand_over)

    def hand_over(self) -> None:
        """Have what waits taken up, if this is the dashboard's thread and it is not at it already."""
        if get_ident() != self._thread or self._busy:
            return
        with self._lock:
            changes, self._waiting = list(self._waiting), {}
            self._called = False
        take_up = self._take_up()
        if not changes or take_up is None:
            return
        self._busy = True
        try:
            take_up(changes)
        finally:
            self._busy = False

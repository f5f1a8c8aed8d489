"""Answers to narrow questions, as they are kept: each by itself, until it is old or the whole is there.

Never refreshed by changes, and no more than a few at a time: who asks again and again is better served by the whole.
How one is fetched stands in `narrow`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nectar_notebooks.cache.keys import SnapshotKey
from nectar_notebooks.cache.library import Held
from nectar_notebooks.cache.spans import Span
from nectar_notebooks.cache.store import DamagedSnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nectar_notebooks.cache.keys import Realm
    from nectar_notebooks.cache.library import Library

__all__ = ["OneOffs"]

#: After so many, the next narrow question fetches the whole.
_MOST: Final = 3


class OneOffs:
    """The kept answers of one company.

    Parameters
    ----------
    library : Library
    realm : Realm
    company_id : str
    """

    def __init__(self, library: Library, realm: Realm, company_id: str) -> None:
        self._library = library
        self._realm = realm
        self._scope = f"question/{company_id}"

    def key(self, span: Span) -> SnapshotKey:
        """Return the key of the answer that is as wide as `span`."""
        return SnapshotKey(self._realm, span.text(), self._scope)

    def find(self, needs: Span, wanted: Iterable[str]) -> Held | None:
        """Return tables of a kept answer that holds all of a span, young enough; no network."""
        for key in self._kept():
            snapshot = self._library.fresh(key)
            if snapshot is not None and Span.read(key.resource).covers(needs):
                try:
                    frames = self._library.store.read(snapshot, wanted)
                except DamagedSnapshotError:
                    continue
                return Held(frames, snapshot.fetched, snapshot.generation, snapshot.details)
        return None

    def are_many(self) -> bool:
        """Drop what is too old, and say whether so many are left that the whole is due."""
        old = [key for key in self._kept() if self._library.fresh(key) is None]
        for key in old:
            self._library.forget(key)
        return len(self._kept()) >= _MOST

    def forget(self) -> int:
        """Drop them all: the whole is there, or something changed; return how many."""
        kept = self._kept()
        for key in kept:
            self._library.forget(key)
        return len(kept)

    def _kept(self) -> list[SnapshotKey]:
        return self._library.keys_within(self._realm, self._scope)

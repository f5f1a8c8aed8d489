"""Cached pagination: staged pages, snapshots of whole resources, refreshes by changes, offline.

The :class:`Library` is its door: rows of one API key, from the cache where they are fresh, else from the wire.
It returns tables; questions (dates, commodities, sites) are answered from them by `client`.
"""

from nectar_notebooks.cache.asked import Asked
from nectar_notebooks.cache.company import Company
from nectar_notebooks.cache.keys import Realm, SnapshotKey
from nectar_notebooks.cache.library import Held, Library
from nectar_notebooks.cache.narrow import NarrowQuestion
from nectar_notebooks.cache.questions import Questions
from nectar_notebooks.cache.spans import Span
from nectar_notebooks.cache.store import CacheWarning, Store

__all__ = [
    "Asked", "CacheWarning", "Company", "Held", "Library", "NarrowQuestion", "Questions", "Realm", "SnapshotKey",
    "Span", "Store",
]  # fmt: skip

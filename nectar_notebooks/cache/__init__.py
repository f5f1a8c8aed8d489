"""Cached pagination: staged pages, snapshots of whole resources, refreshes by changes, offline.

Entered by :class:`Library` (what one API key may read), :class:`Company` (its resources and portfolio) and
:class:`Narrow` (a part of its bills). They return tables; filters are applied to them by `client`.
"""

from nectar_notebooks.cache.assembling import within
from nectar_notebooks.cache.company import Company
from nectar_notebooks.cache.library import Held, Library
from nectar_notebooks.cache.narrow import Narrow, NarrowQuestion, Span
from nectar_notebooks.cache.snapshots import Details, Realm, SnapshotKey
from nectar_notebooks.cache.store import CacheWarning, DamagedSnapshotError, Store

__all__ = [
    "CacheWarning", "Company", "DamagedSnapshotError", "Details", "Held", "Library", "Narrow",
    "NarrowQuestion", "Realm", "SnapshotKey", "Span", "Store", "within",
]  # fmt: skip

"""Put changed records into the tables that are held: by id, in the order a full fetch would give.

Parents are ordered by their creation, then their id, as the API orders its lists; children follow their
parent. Nothing here asks the API; what changed, and whether the result is complete, is the caller's question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.cache.texts import within

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["FAMILIES", "Family", "merge", "ordered"]


@dataclass(frozen=True, slots=True)
class Family:
    """The tables that one record of a list fills.

    `children` name their parent's key; `grandchildren` name (the child table, its key); `shared` tables hold
    things that many records mention, one row per key: the latest mention wins.
    """

    parent: str
    key: str
    children: tuple[str, ...] = ()
    grandchildren: tuple[tuple[str, str, str], ...] = ()
    shared: tuple[tuple[str, str], ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of all of them."""
        return (
            self.parent,
            *self.children,
            *(name for name, _, _ in self.grandchildren),
            *(name for name, _ in self.shared),
        )


#: By resource.
FAMILIES: Final = {
    "connections": Family(
        "connections",
        "connection_id",
        children=("accounts",),
        grandchildren=(("account_meters", "accounts", "account_id"),),
    ),
    "documents": Family(
        "bills",
        "bill_id",
        children=("line_items", "demand", "bill_usage"),
        grandchildren=(
            ("line_item_accounts", "line_items", "line_item_id"),
            ("demand_usage", "demand", "demand_id"),
        ),
    ),
    "usage": Family(
        "usage",
        "usage_id",
        children=("time_of_use",),
        shared=(("meters", "meter_id"), ("identifiers", "meter_id")),
    ),
}

Frames = dict[str, pd.DataFrame]


def merge(family: Family, old: Mapping[str, pd.DataFrame], new: Mapping[str, pd.DataFrame],
          deleted: Collection[str] = ()) -> Frames:  # fmt: skip
    """Return `old` with the records of `new` in place of theirs, and without those `deleted`.

    Parameters
    ----------
    family : Family
    old, new : mapping of str to DataFrame
        Every table of the family.
    deleted : collection of str
        Ids of parents that are gone.
    """
    gone = list({*new[family.parent][family.key], *deleted})
    merged = dict(old)
    for grandchild, child, key in family.grandchildren:
        dropped = old[child].loc[within(old[child][family.key], gone), key]
        merged[grandchild] = _join(old[grandchild][~within(old[grandchild][key], dropped)], new[grandchild])
    for table in (family.parent, *family.children):
        merged[table] = _join(old[table][~within(old[table][family.key], gone)], new[table])
    for table, key in family.shared:
        merged[table] = _join(old[table][~within(old[table][key], new[table][key])], new[table])
    return ordered(family, merged)


def ordered(family: Family, frames: Mapping[str, pd.DataFrame]) -> Frames:
    """Return the frames in the order of the API's lists, whatever order their pages came in.

    Children must stand in the order of their parents, as they do when both were built from the same rows.
    """
    result = dict(frames)
    parents = frames[family.parent]
    if not _in_order(parents["created"], parents[family.key]):
        parents = parents.sort_values(["created", family.key], kind="stable", ignore_index=True)
        result[family.parent] = parents
        for child in family.children:
            result[child] = _follow(frames[child], parents, family.key)
        for grandchild, child, key in family.grandchildren:
            result[grandchild] = _follow(frames[grandchild], result[child], key)
    for table, key in family.shared:
        mentioned = frames[table][within(frames[table][key], parents[key])]
        result[table] = mentioned.sort_values(key, kind="stable", ignore_index=True)
    return result


def _in_order(created: pd.Series, key: pd.Series) -> bool:
    """Say whether rows are sorted by creation, then key; looking is much cheaper than sorting texts."""
    times, keys = created.array, key.array
    later = times[:-1] < times[1:]
    same = (times[:-1] == times[1:]) & (keys[:-1] < keys[1:])
    return bool((later | same).all())


def _follow(frame: pd.DataFrame, parents: pd.DataFrame, key: str) -> pd.DataFrame:
    place = pd.Index(parents[key]).get_indexer(frame[key])
    followed: pd.DataFrame = frame.iloc[place.argsort(kind="stable")]
    return followed.reset_index(drop=True)


def _join(kept: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    parts = [part for part in (kept, added) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else added

"""One company's tables from its walks: changes merged in by id, walks checked against each other, relations filled.

Pure functions over frames. Which walks are made, and what follows if they do not match, is decided by `company`,
`narrow` and `listing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nectar_notebooks.api import AnswerTime

__all__ = [
    "FAMILIES", "INPUTS", "Family", "Frames", "account_counts", "assemble", "dangling", "gone_usage", "merge",
    "misplaced", "ordered", "strayed", "unplaced", "within",
]  # fmt: skip

Frames = dict[str, pd.DataFrame]

#: The walks that a company's portfolio is made of, in the order in which they are made. Bills come before their usage:
#: a bill that arrives in between is then noticed as usage without its bill.
INPUTS: Final = ("company", "connections", "documents", "usage", "meters")


def within(column: pd.Series, ids: pd.Series | Collection[str]) -> pd.Series:
    """Return which strings of `column` are among `ids`; a missing one never is.

    Asked of Arrow directly: pandas would make a Python object of each value first.

    Examples
    --------
    >>> within(pd.Series(["a", None, "b"], dtype="str"), ["b", "c"]).tolist()
    [False, False, True]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    values = ids if isinstance(ids, pd.Series) else list(ids)
    wanted = pa.array(values, type=text, from_pandas=True)
    found = pc.is_in(pa.array(column, type=text, from_pandas=True), value_set=wanted, skip_nulls=True)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=column.index)


# --------------------------------------------------------------------------------------- merging changes into a list


@dataclass(frozen=True, slots=True)
class Family:
    """The tables that one record of a list fills.

    `children` have the key of their parent; `grandchildren` are (table, its child table, its key); `shared` tables
    hold objects that many records mention, one row per key: the latest mention wins.
    """

    parent: str
    key: str
    children: tuple[str, ...] = ()
    grandchildren: tuple[tuple[str, str, str], ...] = ()
    shared: tuple[tuple[str, str], ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of all these tables."""
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


def merge(family: Family, old: Mapping[str, pd.DataFrame], new: Mapping[str, pd.DataFrame],
          deleted: Collection[str] = ()) -> Frames:  # fmt: skip
    """Return `old` with its records replaced by those of `new`, and without those `deleted`.

    Parents are in the order of the API's lists (creation, then id), children in the order of their parents.

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
    """Return the frames in the order of the API's lists, whatever the order of their pages.

    Children must be in the order of their parents already, as they are when both were built from the same rows.
    """
    result = dict(frames)
    parents = frames[family.parent]
    if not _is_ordered(parents["created"], parents[family.key]):
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


def _is_ordered(created: pd.Series, key: pd.Series) -> bool:
    """Return whether rows are sorted by creation, then key: much cheaper than sorting strings."""
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


# ---------------------------------------------------------------------------------- checking walks against each other


def dangling(parts: Mapping[str, Mapping[str, pd.DataFrame]]) -> set[str]:
    """Return the resources to fetch again: another one references ids that they do not contain.

    Parameters
    ----------
    parts : mapping of str to tables
        By the names of ``INPUTS``.
    """
    usage, bills = parts["usage"]["usage"], parts["documents"]["bills"]
    old = set()
    if not within(usage["bill_id"].dropna(), bills["bill_id"]).all():
        old.add("documents")
    if not within(parts["documents"]["bill_usage"]["usage_id"], usage["usage_id"]).all():
        old |= {"documents", "usage"}  # newer usage, or a bill deleted meanwhile
    sites = parts["company"]["sites"]["site_id"]
    if not within(usage["site_id"].dropna(), sites).all():
        old.add("company")
    accounts = parts["connections"]["accounts"]["account_id"]
    named = parts["documents"]["line_item_accounts"]["account_id"]
    if not within(named.dropna(), accounts).all():
        old.add("connections")
    return old


def strayed(parts: Mapping[str, Mapping[str, pd.DataFrame]]) -> bool:
    """Return whether usage references a bill that is missing."""
    named = parts["usage"]["usage"]["bill_id"].dropna()
    return not within(named, parts["documents"]["bills"]["bill_id"]).all()


def misplaced(meters: Mapping[str, pd.DataFrame], usage: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the ids of meters whose site differs from the site of some of their usage.

    Moving a meter moves all of its past usage: a row with another site was read before the move.
    """
    rows = usage["usage"]
    site = rows["meter_id"].map(meters["meters"].set_index("meter_id")["site_id"])
    differs = rows["site_id"].notna() & site.notna() & (rows["site_id"] != site)
    return set(rows.loc[differs, "meter_id"])


def gone_usage(usage: pd.DataFrame, documents: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the ids of usage rows whose bill was deleted, or now has other usage rows instead."""
    relation = documents["bill_usage"]
    lost = usage["bill_id"].notna() & ~within(usage["bill_id"], documents["bills"]["bill_id"])
    listed = within(usage["bill_id"], relation["bill_id"])
    replaced = listed & ~within(usage["usage_id"], relation["usage_id"])
    return set(usage.loc[lost | replaced, "usage_id"])


# ------------------------------------------------------------------------------------------------- public tables


def account_counts(frames: Mapping[str, pd.DataFrame]) -> Frames:
    """Return the frames of the connections walk with `counts` of the accounts filled in."""
    bare = {name: tables.empty(name) for name in TABLES} | dict(frames)
    return {**frames, "accounts": tables.fill_counts(bare)["accounts"]}


def assemble(
    parts: Mapping[str, Mapping[str, pd.DataFrame]],
    walked: pd.DataFrame | None = None,
    *,
    given: AnswerTime | None = None,
) -> Frames:
    """Return every public table of the company.

    Parameters
    ----------
    parts : mapping of str to tables
        By the names of ``INPUTS``.
    walked : DataFrame, optional
        connection_id and bill_id of bills that were found in the connections' own lists.
    given : AnswerTime, optional
        When the API answered: periods after that day are implausible. Default: the system's day.
    """
    frames = {name: frame for part in INPUTS for name, frame in parts[part].items() if name in TABLES}
    for name in ("demand", "demand_usage"):
        # Before v2.2 demand is listed with the usage; in v2.2 on the bill.
        frames[name] = _stack(parts["documents"][name], parts["usage"].get(name))
    frames["usage"] = _with_bills(frames["usage"], parts["documents"]["bill_usage"])
    frames["usage"] = _with_tracking(frames["usage"], frames["meters"])
    frames["meters"] = _by_site(frames["meters"], frames["sites"])
    frames["bill_accounts"] = tables.resolve_bill_accounts(
        frames["bills"],
        frames["line_items"],
        frames["line_item_accounts"],
        frames["usage"],
        frames["meters"],
        frames["accounts"],
        walked,
    )
    today = None if given is None else given.at.date()
    frames = {**frames, **tables.fill_counts(frames, today=today)}
    return {name: frames[name] for name in TABLES}


def unplaced(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the bills without a known account or connection, except uploads, which have none."""
    missing = frames["bill_accounts"].loc[frames["bill_accounts"]["via"].isna(), "bill_id"]
    bills = frames["bills"]
    return bills[within(bills["bill_id"], missing) & bills["job_id"].isna()]


def _stack(one: pd.DataFrame, other: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of both; demand that the bill lists is not taken from the usage list again."""
    if other is not None:
        other = other[~within(other["demand_id"], one["demand_id"])]
    parts = [frame for frame in (one, other) if frame is not None and len(frame)]
    return pd.concat(parts, ignore_index=True) if parts else one


def _with_bills(usage: pd.DataFrame, relation: pd.DataFrame) -> pd.DataFrame:
    """Fill in the bill of usage rows without one, from the bills that list them."""
    if usage["bill_id"].notna().all():
        return usage
    bill = usage["usage_id"].map(relation.drop_duplicates("usage_id").set_index("usage_id")["bill_id"])
    return usage.assign(bill_id=usage["bill_id"].fillna(bill.astype(usage["bill_id"].dtype)))


def _with_tracking(usage: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    """Take `meter_tracked` from the meters, which may be newer than the usage."""
    tracked = usage["meter_id"].map(meters.set_index("meter_id")["tracked"]).astype("boolean")
    return usage.assign(meter_tracked=tracked.fillna(usage["meter_tracked"]))


def _by_site(meters: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Order meters by site, commodity and identifier."""
    rank = meters["site_id"].map(pd.Series(np.arange(len(sites)), index=pd.Index(sites["site_id"])))
    return (
        meters.assign(_rank=rank.astype("float64"))
        .sort_values(["_rank", "commodity", "primary_identifier", "meter_id"], ignore_index=True)
        .drop(columns="_rank")
    )

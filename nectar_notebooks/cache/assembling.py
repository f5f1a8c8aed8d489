"""One company's tables from its walks: relations filled, counts filled, in one order.

Pure functions over frames; which walks were made, and whether they belong together, is decided by the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks import tables
from nectar_notebooks.cache.texts import within
from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_notebooks.api import AnswerTime

__all__ = ["INPUTS", "account_counts", "assemble", "dangling", "gone_usage", "misplaced", "strayed", "unplaced"]

Frames = dict[str, pd.DataFrame]

#: The walks a company's portfolio is made of, in the order in which they are made: bills before their usage,
#: so that a bill that arrives in between is seen as usage without its bill, and looked for.
INPUTS: Final = ("company", "connections", "documents", "usage", "meters")


def dangling(parts: Mapping[str, Mapping[str, pd.DataFrame]]) -> set[str]:
    """Return the walks that lack something another walk names: they are older, or something came between.

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
        old |= {"documents", "usage"}  # the usage came later, or the bill is gone meanwhile
    sites = parts["company"]["sites"]["site_id"]
    if not within(usage["site_id"].dropna(), sites).all():
        old.add("company")
    accounts = parts["connections"]["accounts"]["account_id"]
    named = parts["documents"]["line_item_accounts"]["account_id"]
    if not within(named.dropna(), accounts).all():
        old.add("connections")
    return old


def strayed(parts: Mapping[str, Mapping[str, pd.DataFrame]]) -> bool:
    """Say whether usage names a bill that is not there."""
    named = parts["usage"]["usage"]["bill_id"].dropna()
    return not within(named, parts["documents"]["bills"]["bill_id"]).all()


def misplaced(meters: Mapping[str, pd.DataFrame], usage: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the ids of meters that stand on another site than some of their usage says.

    Moving a meter moves all of its past usage: one row that says otherwise was read before.
    """
    rows = usage["usage"]
    site = rows["meter_id"].map(meters["meters"].set_index("meter_id")["site_id"])
    differs = rows["site_id"].notna() & site.notna() & (rows["site_id"] != site)
    return set(rows.loc[differs, "meter_id"])


def account_counts(frames: Mapping[str, pd.DataFrame]) -> Frames:
    """Return the frames of a connections walk with the counts of its accounts, which need no bill."""
    bare = {name: tables.empty(name) for name in TABLES} | dict(frames)
    return {**frames, "accounts": tables.fill_counts(bare)["accounts"]}


def gone_usage(usage: pd.DataFrame, documents: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return ids of usage rows that no bill has any more: it was deleted, or read again into other rows."""
    relation = documents["bill_usage"]
    lost = usage["bill_id"].notna() & ~within(usage["bill_id"], documents["bills"]["bill_id"])
    listed = within(usage["bill_id"], relation["bill_id"])
    replaced = listed & ~within(usage["usage_id"], relation["usage_id"])
    return set(usage.loc[lost | replaced, "usage_id"])


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
        connection_id and bill_id of bills that only a connection's own list could place.
    given : AnswerTime, optional
        When the API answered; it decides which periods can be. Default: the system's day.
    """
    frames = {
        name: frame
        for part in ("company", "connections", "documents", "usage", "meters")
        for name, frame in parts[part].items()
        if name in TABLES
    }
    for name in ("demand", "demand_usage"):
        # Before v2.2 demand stood among the usage rows; in v2.2 on the bill.
        frames[name] = _stack(parts["documents"][name], parts["usage"].get(name))
    frames["usage"] = _with_bills(frames["usage"], parts["documents"]["bill_usage"])
    frames["usage"] = _with_tracking(frames["usage"], frames["meters"])
    frames["meters"] = _in_order(frames["meters"], frames["sites"])
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
    """Return the bills that no account or connection is known for, except uploads, which have none."""
    missing = frames["bill_accounts"].loc[frames["bill_accounts"]["via"].isna(), "bill_id"]
    bills = frames["bills"]
    return bills[within(bills["bill_id"], missing) & bills["job_id"].isna()]


def _stack(one: pd.DataFrame, other: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of both; a reading that the bill tells already is not told again by the usage list."""
    if other is not None:
        other = other[~within(other["demand_id"], one["demand_id"])]
    parts = [frame for frame in (one, other) if frame is not None and len(frame)]
    return pd.concat(parts, ignore_index=True) if parts else one


def _with_bills(usage: pd.DataFrame, relation: pd.DataFrame) -> pd.DataFrame:
    """Fill the bill of usage rows that do not name it, from the bills that name them."""
    if usage["bill_id"].notna().all():
        return usage
    bill = usage["usage_id"].map(relation.drop_duplicates("usage_id").set_index("usage_id")["bill_id"])
    return usage.assign(bill_id=usage["bill_id"].fillna(bill.astype(usage["bill_id"].dtype)))


def _with_tracking(usage: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    """Say of each usage row whether its meter is tracked, as the meter says it now: a row may be older than that."""
    tracked = usage["meter_id"].map(meters.set_index("meter_id")["tracked"]).astype("boolean")
    return usage.assign(meter_tracked=tracked.fillna(usage["meter_tracked"]))


def _in_order(meters: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """Order meters as a reader looks for them: by site, commodity and the number people quote."""
    rank = meters["site_id"].map(pd.Series(np.arange(len(sites)), index=pd.Index(sites["site_id"])))
    return (
        meters.assign(_rank=rank.astype("float64"))
        .sort_values(["_rank", "commodity", "primary_identifier", "meter_id"], ignore_index=True)
        .drop(columns="_rank")
    )

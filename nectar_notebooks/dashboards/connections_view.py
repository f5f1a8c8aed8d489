"""Connections as an operations person looks at them: one row each, counted by family.

Pure functions from frames to frames and HTML. Which rows are shown and in what order stands in `filters`, what a
single connection looks like in `connection_detail`.

The last day of service and the missing bills come from bills (`closer`), which a first look does not read: until then
they are missing here, and the pages say that bills are not read yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.coverage import missing_in_words
from nectar_notebooks.dashboards.html import (
    FAMILIES,
    NONE,
    Markup,
    chip,
    count,
    day,
    element,
    join,
    missing,
    table,
    text,
    tile,
)
from nectar_notebooks.schema.statuses import describe
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.reading import Look

__all__ = [
    "COLUMNS",
    "UNREAD",
    "connection_frame",
    "counts_by_family",
    "family_changes",
    "headline",
    "tiles",
]

#: The columns of `dashboard.frame`.
COLUMNS: Final = (
    "connection_id", "company", "provider", "status", "family", "needs_customer", "status_since", "days_in_status",
    "status_checked", "status_error", "next_step", "username", "owner_email", "accounts", "accounts_tracked",
    "last_service", "days_without_bill", "missing_bills", "active", "external_id", "url", "company_id",
)  # fmt: skip

#: Of them, what a connection brings itself.
_KEPT: Final = (
    "connection_id", "provider", "status", "status_since", "status_checked", "status_error", "username",
    "owner_email", "active", "external_id", "url", "company_id",
)  # fmt: skip
#: What stands in place of a number that needs bills, before they are read.
UNREAD: Final = "not read yet"
_NO_DAYS: Final = pd.Series(dtype="datetime64[us]")


def connection_frame(look: Look, closer: Closer | None = None) -> pd.DataFrame:
    """Return one row for each connection, with `COLUMNS`.

    Notes
    -----
    ``days_in_status`` and ``days_without_bill`` are whole days up to the day of the look; ``last_service`` is the
    latest day that a bill of any of its accounts covers; ``missing_bills`` is the sum of ``bills_expected`` of the
    :func:`~nectar_notebooks.holes` of its accounts. The last three are missing where nothing is known: no meter behind
    the connection, or bills were not read (no `closer`).
    """
    rows = look.connections
    frame = rows[list(_KEPT)].copy()
    today = pd.Timestamp(look.today)
    known = {status: describe(status) for status in rows["status"].dropna().unique()}
    frame["family"] = _mapped(rows["status"], {status: found.family for status, found in known.items()}, "unknown")
    frame["next_step"] = _mapped(
        rows["status"], {status: found.next_step for status, found in known.items()}, "Ask Nectar's support."
    )
    frame["needs_customer"] = frame["family"].eq("customer").astype("boolean")
    names = look.companies.set_index("company_id")["name"]
    frame["company"] = rows["company_id"].map(names).astype(TEXT)
    frame["days_in_status"] = _days(today, _civil(frame["status_since"]))
    accounts = look.accounts["account_id"]
    by = look.accounts.assign(
        _tracked=look.accounts["tracking"].ne("DISABLED"),
        _missing=np.nan if closer is None else _looked_up(closer.missing, accounts).astype("float64"),
        _service=_looked_up(_NO_DAYS if closer is None else closer.last_service, accounts),
    ).groupby("connection_id")
    ids = rows["connection_id"]
    frame["accounts"] = _looked_up(by.size(), ids).fillna(0).astype("int64")
    frame["accounts_tracked"] = _looked_up(by["_tracked"].sum(), ids).fillna(0).astype("int64")
    frame["last_service"] = _looked_up(by["_service"].max(), ids).astype("datetime64[us]")
    frame["days_without_bill"] = _days(today, frame["last_service"])
    frame["missing_bills"] = _looked_up(by["_missing"].sum(min_count=1), ids).astype("Int64")
    return frame[list(COLUMNS)]


def _looked_up(values: pd.Series, ids: pd.Series) -> pd.Series:
    return values.reindex(ids).set_axis(ids.index)


def _mapped(values: pd.Series, known: Mapping[Any, str], otherwise: str) -> pd.Series:
    return values.map(known).fillna(otherwise).astype(TEXT)


def _civil(moments: pd.Series) -> pd.Series:
    return pd.to_datetime(moments, utc=True).dt.tz_localize(None).dt.normalize()


def _days(today: pd.Timestamp, since: pd.Series) -> pd.Series:
    return (today - pd.to_datetime(since)).dt.days.clip(lower=0).astype("Float64").astype("Int64")


def counts_by_family(families: pd.Series) -> dict[str, int]:
    """Return how many connections each family has, in the order in which families are shown."""
    found = families.fillna("unknown").value_counts()
    return {name: int(found.get(name, 0)) for name in FAMILIES}


def family_changes(look: Look) -> dict[str, int] | None:
    """Return by how much each family grew since the look before this one; None where there was none.

    The look before is what the kept history says of the time before these rows were fetched.
    """
    before = look.history[look.history["seen"] < pd.Timestamp(look.fetched)]
    if not len(before):
        return None
    latest = before.sort_values("seen", kind="stable").drop_duplicates("connection_id", keep="last")["status"]
    then = counts_by_family(latest.map(lambda status: describe(status).family))
    now = counts_by_family(look.connections["status"].map(lambda s: describe(s).family if isinstance(s, str) else None))
    return {name: now[name] - then[name] for name in FAMILIES}


def tiles(families: Mapping[str, int], changes: Mapping[str, int] | None) -> Markup:
    """Return a tile for each family; families that nobody knows are shown only where there are some."""
    shown = [
        tile(name, number, None if changes is None else changes[name])
        for name, number in families.items()
        if number or name != "unknown"
    ]
    return element("div", join(shown), role="group", aria_label="Connections by family of status")


def headline(frame: pd.DataFrame, closer: Closer | None = None) -> str:
    """Return the state of all connections in one line, with what is missing where bills were read."""
    if not len(frame):
        return "no connections"
    parts = [count(len(frame), "connection")]
    waiting = int(frame["needs_customer"].fillna(False).sum())
    if waiting:
        parts.append(f"{waiting:,} {'needs' if waiting == 1 else 'need'} the customer")
    if closer is not None:
        parts.append(missing_in_words(closer.coverage.holes))
        apart = int(closer.coverage.holes["bills_expected"].sum()) - int(frame["missing_bills"].fillna(0).sum())
        if apart:
            parts.append(f"{apart:,} of them behind no login that is listed")
    return ", ".join(parts)


def name_of(row: pd.Series) -> str:
    """Return what a connection is called: its provider, else its address, else that it has no name."""
    for column in ("provider", "url"):
        if isinstance(row[column], str) and row[column].strip():
            return str(row[column])
    return "No provider named"


def of_bills(row: pd.Series, *, read: bool) -> tuple[str, str]:
    """Return the last day of service and the number of missing bills as text, or that bills are not read yet."""
    if not read:
        return UNREAD, UNREAD
    number = row["missing_bills"]
    return day(row["last_service"]), NONE if missing(number) else f"{int(number):,}"


def page_table(rows: pd.DataFrame, *, with_company: bool, read: bool, caption: str) -> Markup:
    """Return some rows as a static table: the snapshot of the dashboard."""
    columns = ["Provider", "Status", "Since", "Last service", "Missing bills", "Accounts", "Owner"]
    if with_company:
        columns.insert(1, "Company")
    lines = []
    for _, row in rows.iterrows():
        line: list[object] = [
            text(name_of(row), 48),
            chip(row["status"], row["family"]),
            day(row["status_since"]),
            *of_bills(row, read=read),
            f"{row['accounts_tracked']:,} of {row['accounts']:,}",
            text(row["owner_email"], 40),
        ]
        if with_company:
            line.insert(1, text(row["company"], 32))
        lines.append(line)
    return table(
        columns,
        lines,
        caption=caption,
        numbers=frozenset({"Missing bills", "Accounts"}),
        empty="No connection fits these filters.",
    )

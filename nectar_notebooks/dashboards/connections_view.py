"""Connections as an operations person looks at them: one row each, filtered, sorted and paged, and counted by family.

Pure functions from frames to frames and HTML. What a single connection looks like stands in `connection_detail`.

How many bills are missing is an estimate: one bill a month is expected of every account that counts and is tracked,
from the month after its last day of service to the last month that is over. A hole between two bills shows in the
coverage, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

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
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.statuses import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nectar_notebooks.dashboards.reading import Look

__all__ = [
    "COLUMNS",
    "SORTS",
    "Filters",
    "connection_frame",
    "counts_by_family",
    "filtered",
    "family_changes",
    "headline",
    "in_order",
    "search_texts",
    "tiles",
]

#: The columns of `dashboard.frame`.
COLUMNS: Final = (
    "connection_id", "company", "provider", "status", "family", "needs_customer", "status_since", "days_in_status",
    "status_checked", "status_error", "next_step", "username", "owner_email", "accounts", "accounts_tracked",
    "last_service", "days_without_bill", "missing_bills", "active", "external_id", "url", "company_id",
)  # fmt: skip

#: Sort orders by name: columns and whether the smallest comes first.
SORTS: Final[dict[str, tuple[list[str], list[bool]]]] = {
    "what needs somebody": (["_family", "missing_bills", "status_since"], [True, False, True]),
    "provider": (["_provider", "status_since"], [True, True]),
    "company": (["_company", "_family", "_provider"], [True, True, True]),
    "status": (["status", "status_since"], [True, True]),
    "since": (["status_since"], [True]),
    "last check": (["status_checked"], [True]),
    "last service": (["last_service"], [True]),
    "missing bills": (["missing_bills", "_family"], [False, True]),
    "accounts": (["accounts"], [False]),
}
_ORDER: Final = {name: place for place, name in enumerate(FAMILIES)}
_TEXT: Final = pd.StringDtype(na_value=np.nan)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a connection must be to be shown; None leaves a question open.

    Parameters
    ----------
    company, site : str, optional
        An id or a name.
    family, status, provider, owner : str, optional
        As the table has them; `owner` is the e-mail address.
    text : str, optional
        Somewhere in names, numbers of accounts, addresses, errors and ids; capitals do not matter.
    needs_customer : bool
        Only what waits for the customer.
    no_bill_for : int, optional
        Only what had no day of service for this many days, or never had one.
    """

    company: str | None = None
    family: str | None = None
    status: str | None = None
    provider: str | None = None
    site: str | None = None
    owner: str | None = None
    text: str | None = None
    needs_customer: bool = False
    no_bill_for: int | None = None

    @classmethod
    def of(cls, given: Filters | Mapping[str, Any] | None) -> Filters:
        """Return filters from a mapping; an unknown name is an error that lists the known ones."""
        if isinstance(given, Filters):
            return given
        known = [field.name for field in fields(cls)]
        strange = sorted(set(given or {}) - set(known))
        if strange:
            raise InvalidRequestError(f"There is no filter {strange[0]!r}: there are {', '.join(known)}.")
        made = cls(**{name: value if value != "" else None for name, value in (given or {}).items()})
        days = made.no_bill_for
        if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 0):
            raise InvalidRequestError(f"no_bill_for={days!r} is no number of days: say 45, for example.")
        return replace(made, needs_customer=bool(made.needs_customer))

    @property
    def active(self) -> dict[str, Any]:
        """Return the filters that are set."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) not in (None, False)}

    def __repr__(self) -> str:
        return f"Filters({', '.join(f'{name}={value!r}' for name, value in self.active.items())})"


def connection_frame(look: Look) -> pd.DataFrame:
    """Return one row for each connection, with `COLUMNS`.

    Notes
    -----
    ``days_in_status`` and ``days_without_bill`` are whole days up to the day of the look; ``last_service`` is the
    last day of service of any account; ``missing_bills`` is an estimate and missing where nothing is known.
    """
    rows = look.connections
    frame = rows[
        ["connection_id", "provider", "status", "status_since", "status_checked", "status_error"]
        + ["username", "owner_email", "active", "external_id", "url", "company_id"]
    ].copy()
    today = pd.Timestamp(look.today)
    known = {status: describe(status) for status in rows["status"].dropna().unique()}
    frame["family"] = _mapped(rows["status"], {status: found.family for status, found in known.items()}, "unknown")
    frame["next_step"] = _mapped(
        rows["status"], {status: found.next_step for status, found in known.items()}, "Ask Nectar's support."
    )
    frame["needs_customer"] = frame["family"].eq("customer").astype("boolean")
    names = look.companies.set_index("company_id")["name"]
    frame["company"] = rows["company_id"].map(names).astype(_TEXT)
    frame["days_in_status"] = _days(today, _civil(frame["status_since"]))
    by = look.accounts.assign(
        _tracked=look.accounts["tracking"].ne("DISABLED"), _missing=_missing_bills(look.accounts, today)
    ).groupby("connection_id")
    ids = rows["connection_id"]
    frame["accounts"] = ids.map(by.size()).fillna(0).astype("int64")
    frame["accounts_tracked"] = ids.map(by["_tracked"].sum()).fillna(0).astype("int64")
    frame["last_service"] = pd.to_datetime(ids.map(by["last_service_date"].max())).astype("datetime64[us]")
    frame["days_without_bill"] = _days(today, frame["last_service"])
    frame["missing_bills"] = ids.map(by["_missing"].sum(min_count=1)).astype("Float64").astype("Int64")
    return frame[list(COLUMNS)]


def _missing_bills(accounts: pd.DataFrame, today: pd.Timestamp) -> pd.Series:
    """Return how many whole months lie between each account's last day of service and today."""
    last = pd.to_datetime(accounts["last_service_date"])
    months = (today.year * 12 + today.month - 1) - (last.dt.year * 12 + last.dt.month) + 0.0
    expected = accounts["tracking"].ne("DISABLED") & accounts["counts"].fillna(True).astype(bool)
    return months.clip(lower=0).where(expected)


def _mapped(values: pd.Series, known: Mapping[Any, str], otherwise: str) -> pd.Series:
    return values.map(known).fillna(otherwise).astype(_TEXT)


def _civil(moments: pd.Series) -> pd.Series:
    return pd.to_datetime(moments, utc=True).dt.tz_localize(None).dt.normalize()


def _days(today: pd.Timestamp, since: pd.Series) -> pd.Series:
    return (today - pd.to_datetime(since)).dt.days.clip(lower=0).astype("Float64").astype("Int64")


def search_texts(frame: pd.DataFrame, accounts: pd.DataFrame) -> pd.Series:
    """Return what free text is looked for in, one text for each row of `frame`, without capitals."""
    numbers = accounts.dropna(subset=["account_number"]).groupby("connection_id")["account_number"].agg(" ".join)
    parts = [
        frame[name]
        for name in (
            "provider", "company", "status", "status_error", "username", "owner_email", "url", "external_id",
            "connection_id",
        )
    ]  # fmt: skip
    parts.append(frame["connection_id"].map(numbers))
    filled = [part.astype("object").where(part.notna(), "").astype(str).to_numpy(dtype=object) for part in parts]
    return pd.Series(
        ["\n".join(row).casefold() for row in zip(*filled, strict=True)], index=frame.index, dtype="object"
    )


def filtered(
    frame: pd.DataFrame, filters: Filters, texts: pd.Series, at_site: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return the rows of `frame` that the filters let through.

    Parameters
    ----------
    frame : DataFrame
        What :func:`connection_frame` returned.
    filters : Filters
    texts : Series
        What :func:`search_texts` returned.
    at_site : iterable of str, optional
        Ids of the connections behind the site that `filters` names.
    """
    keep = np.ones(len(frame), dtype=bool)
    if filters.company is not None:
        keep &= (frame["company_id"].eq(filters.company) | frame["company"].eq(filters.company)).to_numpy(dtype=bool)
    for column, wanted in (
        ("family", filters.family),
        ("status", filters.status),
        ("provider", filters.provider),
        ("owner_email", filters.owner),
    ):
        if wanted is not None:
            keep &= frame[column].eq(wanted).to_numpy(dtype=bool)
    if filters.needs_customer:
        keep &= frame["needs_customer"].fillna(False).to_numpy(dtype=bool)
    if filters.no_bill_for is not None:
        keep &= (
            (frame["days_without_bill"].isna() | frame["days_without_bill"].ge(filters.no_bill_for))
            .fillna(True)
            .to_numpy(dtype=bool)
        )
    if filters.site is not None:
        keep &= frame["connection_id"].isin(set(at_site or ())).to_numpy(dtype=bool)
    if filters.text:
        wanted_text = filters.text.casefold()
        keep &= np.fromiter((wanted_text in one for one in texts), dtype=bool, count=len(texts))
    return frame[keep]


def in_order(frame: pd.DataFrame, order: str, *, reverse: bool = False) -> pd.Index:
    """Return the index of `frame` in one of the orders of `SORTS`; what is missing comes last, equals by id."""
    if order not in SORTS:
        raise InvalidRequestError(f"There is no order {order!r}: there are {', '.join(SORTS)}.")
    columns, ascending = SORTS[order]
    keys = pd.DataFrame({name: _key(frame, name) for name in (*columns, "connection_id")})
    ways = [way != reverse for way in ascending]
    return keys.sort_values(list(keys.columns), ascending=[*ways, True], na_position="last", kind="stable").index


def _key(frame: pd.DataFrame, name: str) -> pd.Series:
    if name == "_family":
        return frame["family"].map(_ORDER).fillna(_ORDER["unknown"]).astype("int64")
    return frame[name[1:]].str.casefold() if name.startswith("_") else frame[name]


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


def headline(frame: pd.DataFrame) -> str:
    """Return the state of all connections in one line."""
    if not len(frame):
        return "no connections"
    parts = [count(len(frame), "connection")]
    waiting = int(frame["needs_customer"].fillna(False).sum())
    if waiting:
        parts.append(f"{waiting:,} {'needs' if waiting == 1 else 'need'} the customer")
    lacking = frame["missing_bills"].fillna(0)
    if int(lacking.sum()):
        parts.append(f"about {count(int(lacking.sum()), 'bill')} missing behind {int((lacking > 0).sum()):,} of them")
    return ", ".join(parts)


def name_of(row: pd.Series) -> str:
    """Return what a connection is called: its provider, else its address, else that it has no name."""
    for column in ("provider", "url"):
        if isinstance(row[column], str) and row[column].strip():
            return str(row[column])
    return "No provider named"


def missing_in_words(value: object) -> str:
    """Return an estimate of missing bills as text."""
    return NONE if missing(value) else f"{int(str(value)):,}"


def page_table(rows: pd.DataFrame, *, with_company: bool, caption: str) -> Markup:
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
            day(row["last_service"]),
            missing_in_words(row["missing_bills"]),
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

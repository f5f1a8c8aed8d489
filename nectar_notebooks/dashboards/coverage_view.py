"""Coverage as a grid: sites or accounts down, months across, and what a hole in it means.

Pure functions from a :class:`~nectar_notebooks.dashboards.coverage.Coverage` to frames and HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.connections_view import name_of
from nectar_notebooks.dashboards.coverage import COMPLETE, MISSING, PART, STATES, Coverage, runs
from nectar_notebooks.dashboards.html import (
    Markup,
    chip,
    count,
    day,
    element,
    join,
    missing,
    status_words,
    table,
    text,
    title,
)
from nectar_notebooks.plots.style import words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.reading import Look

__all__ = ["By", "Grid", "Hole", "gaps", "grid", "grid_frame", "hole_detail", "static_grid"]

By = Literal["site", "account"]
_KEYS: Final = {"site": "site_id", "account": "account_id"}
_TEXT: Final = pd.StringDtype(na_value=np.nan)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows (ids and labels) by months, as codes; rows with the most holes come first."""

    by: By
    ids: list[str]
    labels: list[str]
    months: pd.DatetimeIndex
    codes: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Hole:
    """A run of months in which bills are missing, of one row of the grid."""

    id: str
    label: str
    month: pd.Timestamp
    last: pd.Timestamp
    months: int
    code: int


def grid(coverage: Coverage, by: By, look: Look) -> Grid:
    """Return the grid of sites or of accounts."""
    ids, codes = coverage.by(coverage.meters[_KEYS[by]])
    labels = _site_labels(look) if by == "site" else _account_labels(look)
    names = [labels.get(one, "No name") for one in ids]
    holes = ((codes == MISSING) | (codes == PART)).sum(axis=1)
    order = sorted(range(len(ids)), key=lambda row: (-int(holes[row]), names[row].casefold(), ids[row]))
    return Grid(by, [ids[row] for row in order], [names[row] for row in order], coverage.months, codes[order])


def _site_labels(look: Look) -> dict[str, str]:
    named = look.sites.dropna(subset=["name"])
    return dict(zip(named["site_id"], named["name"], strict=True))


def _account_labels(look: Look) -> dict[str, str]:
    providers = look.connections.set_index("connection_id")["provider"]
    provider = look.accounts["connection_id"].map(providers)
    labels = {}
    for account_id, number, name in zip(
        look.accounts["account_id"], look.accounts["account_number"], provider, strict=True
    ):
        parts = [str(one) for one in (name, number) if not missing(one)]
        labels[account_id] = " · ".join(parts) or "No number"
    return labels


def grid_frame(drawn: Grid) -> pd.DataFrame:
    """Return the grid as a frame: ``<by>_id``, ``name``, ``month``, ``state``; one row for each cell."""
    wide = len(drawn.months)
    return pd.DataFrame(
        {
            f"{drawn.by}_id": pd.array(np.repeat(np.asarray(drawn.ids, dtype=object), wide), dtype=_TEXT),
            "name": pd.array(np.repeat(np.asarray(drawn.labels, dtype=object), wide), dtype=_TEXT),
            "month": np.tile(drawn.months.to_numpy().astype("datetime64[us]"), len(drawn.ids)),
            "state": pd.array(np.asarray(STATES, dtype=object)[drawn.codes.ravel()], dtype=_TEXT),
        }
    )


def gaps(drawn: Grid, row: int) -> list[Hole]:
    """Return the holes of one row, each a run of months of one state."""
    return [
        Hole(
            drawn.ids[row],
            drawn.labels[row],
            drawn.months[start],
            drawn.months[start + length - 1],
            length,
            code,
        )
        for code, start, length in runs(drawn.codes[row])
        if code in (MISSING, PART)
    ]


def hole_at(drawn: Grid, row_id: str, month: pd.Timestamp) -> Hole | None:
    """Return the hole of a row that contains a month, if there is one."""
    if row_id not in drawn.ids:
        return None
    holes = gaps(drawn, drawn.ids.index(row_id))
    return next((hole for hole in holes if hole.month <= month <= hole.last), None)


def summary(drawn: Grid) -> str:
    """Return the grid in one line."""
    things = f"{drawn.by}s"
    if not drawn.ids:
        return f"no {things} with meters"
    lacking = int(((drawn.codes == MISSING) | (drawn.codes == PART)).any(axis=1).sum())
    cells = int(((drawn.codes == MISSING) | (drawn.codes == PART)).sum())
    whole = f"{count(len(drawn.ids), drawn.by)}, {drawn.months[0]:%b %Y} to {drawn.months[-1]:%b %Y}"
    if not lacking:
        return f"{whole}, nothing missing"
    return f"{whole}, {lacking:,} with bills missing in {count(cells, 'month')}"


def static_grid(drawn: Grid, rows: range, caption: str) -> Markup:
    """Return some rows of the grid as a table of marks: the snapshot of the dashboard."""
    marks = {COMPLETE: "■", MISSING: "×", PART: "!", 3: "…", 0: "·"}
    inks = {COMPLETE: "#2f9e62", MISSING: "#c8371f", PART: "#b07d00", 3: "inherit", 0: "inherit"}
    head = [element("th", _by_word(drawn.by), scope="col", style="text-align:left;padding:2px 12px 2px 0")]
    head += [
        element(
            "th",
            f"{month:%b}"[0] if month.month != 1 else f"{month:%y}",
            scope="col",
            title=f"{month:%b %Y}",
            style="font-weight:400;padding:2px;text-align:center;min-width:16px",
        )
        for month in drawn.months
    ]
    body = []
    for row in rows:
        cells = [
            element(
                "td",
                marks[code],
                title=f"{month:%b %Y}: {STATES[code]}",
                style=f"padding:0 2px;text-align:center;color:{inks[code]};font-weight:600",
            )
            for code, month in zip(drawn.codes[row].tolist(), drawn.months, strict=True)
        ]
        name = element(
            "th",
            text(drawn.labels[row], 44),
            scope="row",
            style="text-align:left;font-weight:400;padding:1px 12px 1px 0;white-space:nowrap",
        )
        body.append(element("tr", name, join(cells)))
    if not body:
        return element("p", "No meter is known, so no month can be judged.", style="font-size:13px")
    return join(
        [
            element(
                "table",
                element("caption", caption, style="text-align:left;font-size:12px;opacity:.8"),
                element("thead", element("tr", join(head))),
                element("tbody", join(body)),
                style="border-collapse:collapse;font-size:13px",
            ),
            element(
                "p",
                "■ complete, ! missing in part, × missing, · not required, … not over yet",
                style="font-size:12px;opacity:.8;margin:2px 0",
            ),
        ]
    )


def _by_word(by: By) -> str:
    return "Site" if by == "site" else "Account"


def hole_frame(hole: Hole, by: By, closer: Closer, look: Look) -> pd.DataFrame:
    """Return which bills a hole stands for: one row for each meter that misses one of its months.

    Returns
    -------
    DataFrame
        meter_id, meter (its number), commodity, account_id, account, last_bill, connection_id, provider, status,
        family, status_since, status_error, first_missing, months_missing, cause (in words).
    """
    coverage = closer.coverage
    meters = coverage.meters
    inside = (coverage.months >= hole.month) & (coverage.months <= hole.last)
    lacking = (coverage.codes[:, inside] == MISSING).any(axis=1) & meters[_KEYS[by]].eq(hole.id).to_numpy(dtype=bool)
    chosen = meters[lacking]
    lost = coverage.codes[lacking][:, inside] == MISSING
    accounts = look.accounts.set_index("account_id")
    connections = look.connections.set_index("connection_id")
    numbers = closer.meters.set_index("meter_id")["primary_identifier"]
    lines: list[dict[str, Any]] = []
    for place, (meter_id, account_id, commodity) in enumerate(
        chosen[["meter_id", "account_id", "commodity"]].itertuples(index=False)
    ):
        account = accounts.loc[account_id] if account_id in accounts.index else None
        connection_id = None if account is None else account["connection_id"]
        connection = connections.loc[connection_id] if connection_id in connections.index else None
        first = coverage.months[inside][int(lost[place].argmax())]
        lines.append(
            {
                "meter_id": meter_id,
                "meter": numbers.get(meter_id),
                "commodity": commodity,
                "account_id": account_id,
                "account": None if account is None else account["account_number"],
                "last_bill": closer.last_bills["bill_date"].get(account_id, pd.NaT),
                "connection_id": connection_id,
                "provider": None if connection is None else name_of(connection),
                "status": None if connection is None else connection["status"],
                "family": None if connection is None else connection["family"],
                "status_since": pd.NaT if connection is None else connection["status_since"],
                "status_error": None if connection is None else connection["status_error"],
                "first_missing": first,
                "months_missing": int(lost[place].sum()),
                "cause": _cause(connection, first, hole.last),
            }
        )
    columns = (
        "meter_id", "meter", "commodity", "account_id", "account", "last_bill", "connection_id", "provider", "status",
        "family", "status_since", "status_error", "first_missing", "months_missing", "cause",
    )  # fmt: skip
    return pd.DataFrame(lines, columns=list(columns))


def _cause(connection: pd.Series | None, first: pd.Timestamp, last: pd.Timestamp) -> str:
    if connection is None:
        return "No connection is known for this meter: its bills were uploaded, or its login is gone."
    status = status_words(connection["status"])
    # Within a sentence; what is written in capitals stays so.
    status = status if status[:2].isupper() else status[:1].lower() + status[1:]
    if connection["family"] == "healthy":
        return f"The login works ({status}): the provider issued no bill, or it was not found."
    since = connection["status_since"]
    if missing(since):
        return f"The login does not work ({status}); since when is not known."
    began = pd.Timestamp(since).tz_convert("UTC").tz_localize(None)
    # A bill comes up to a month after the service it is for.
    if began <= last + pd.offsets.MonthEnd(1) + pd.Timedelta(days=31):
        return f"The login does not work since {day(began)} ({status})."
    return f"The hole is older than what the login has now ({status} since {day(began)})."


def hole_detail(hole: Hole, by: By, found: pd.DataFrame) -> Markup:
    """Return which bill is missing, since when, and because of which connection."""
    until = "" if hole.months == 1 else f" to {hole.last:%b %Y}"
    lines = [
        [
            row["meter"] if not missing(row["meter"]) else "No number",
            "" if missing(row["commodity"]) else words(row["commodity"]),
            row["account"],
            f"{row['first_missing']:%b %Y} ({count(int(row['months_missing']), 'month')})",
            day(row["last_bill"]),
            text(row["provider"], 40),
            chip(row["status"], row["family"]) if not missing(row["provider"]) else "",
            text(row["cause"]),
        ]
        for _, row in found.iterrows()
    ]
    return join(
        [
            title(f"{hole.label}: {hole.month:%b %Y}{until}"),
            table(
                ["Meter", "Commodity", "Account", "Missing since", "Last bill", "Provider", "Status", "Why"],
                lines,
                caption=f"{count(len(found), 'meter')} without bills in this {'month' if hole.months == 1 else 'span'}",
            ),
        ]
    )

"""Coverage as a grid: sites or accounts down, months across, and what a hole in it means.

Pure functions from a :class:`~nectar_notebooks.dashboards.coverage.Coverage` to frames and HTML. What is missing is
told by its table of holes alone: a month that is billed in part because it is not over is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.connections_view import name_of
from nectar_notebooks.dashboards.coverage import (
    COMPLETE,
    FUTURE,
    MISSING,
    NOT_REQUIRED,
    PART,
    SHOWN,
    STATES,
    Coverage,
    missing_in_words,
    runs,
)
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
from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nectar_notebooks.dashboards.closer import Closer
    from nectar_notebooks.dashboards.reading import Look

__all__ = ["By", "Grid", "Hole", "gaps", "grid", "grid_frame", "hole_detail", "holes_of", "static_grid"]

By = Literal["site", "account"]
_KEYS: Final = {"site": "site_id", "account": "account_id"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows (ids and labels) by months, as codes; rows with the most months with holes come first.

    `lacking` says which cells a hole reaches into, `holes` holds those that are counted.
    """

    by: By
    ids: list[str]
    labels: list[str]
    months: pd.DatetimeIndex
    codes: NDArray[np.int8]
    lacking: NDArray[np.bool_]
    holes: pd.DataFrame

    def only(self, places: list[int], holes: pd.DataFrame) -> Grid:
        """Return some rows, by position, with the holes that are counted."""
        rows = np.asarray(places, dtype=int)
        ids, labels = [self.ids[place] for place in places], [self.labels[place] for place in places]
        return Grid(self.by, ids, labels, self.months, self.codes[rows], self.lacking[rows], holes)


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
    lacking = coverage.lacking(_KEYS[by], list(ids)) & ((codes == MISSING) | (codes == PART))
    months = lacking.sum(axis=1)
    order = sorted(range(len(ids)), key=lambda row: (-int(months[row]), names[row].casefold(), ids[row]))
    return Grid(by, list(ids), names, coverage.months, codes, lacking, coverage.holes).only(order, coverage.holes)


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
            f"{drawn.by}_id": pd.array(np.repeat(np.asarray(drawn.ids, dtype=object), wide), dtype=TEXT),
            "name": pd.array(np.repeat(np.asarray(drawn.labels, dtype=object), wide), dtype=TEXT),
            "month": np.tile(drawn.months.to_numpy().astype("datetime64[us]"), len(drawn.ids)),
            "state": pd.array(np.asarray(STATES, dtype=object)[drawn.codes.ravel()], dtype=TEXT),
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
        for code, start, length in runs(np.where(drawn.lacking[row], drawn.codes[row], NOT_REQUIRED))
        if code in (MISSING, PART)
    ]


def holes_of(drawn: Grid) -> pd.DataFrame:
    """Return the holes of the rows of a grid."""
    return drawn.holes[drawn.holes[_KEYS[drawn.by]].isin(drawn.ids)]


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
    whole = f"{count(len(drawn.ids), drawn.by)}, {drawn.months[0]:%b %Y} to {drawn.months[-1]:%b %Y}"
    return f"{whole}, {missing_in_words(drawn.holes, drawn.months[0])}"


def static_grid(drawn: Grid, rows: range, caption: str) -> Markup:
    """Return some rows of the grid as a table of marks: the snapshot of the dashboard."""
    marks = {COMPLETE: "■", MISSING: "×", PART: "!", FUTURE: "…", NOT_REQUIRED: "·"}
    inks = {COMPLETE: "#2f9e62", MISSING: "#c8371f", PART: "#b07d00", FUTURE: "inherit", NOT_REQUIRED: "inherit"}
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
                title=f"{month:%b %Y}: {SHOWN[code]}",
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
                "■ complete, ! partly billed, × missing, · not required, … future",
                style="font-size:12px;opacity:.8;margin:2px 0",
            ),
        ]
    )


def _by_word(by: By) -> str:
    return "Site" if by == "site" else "Account"


def hole_frame(hole: Hole, by: By, closer: Closer, look: Look) -> pd.DataFrame:
    """Return which bills a hole stands for: one row for each hole of a meter that reaches into its months.

    Returns
    -------
    DataFrame
        meter_id, meter (its number), commodity, account_id, account, first_day, last_day, days, bills_expected (of the
        whole hole of the meter, as :func:`~nectar_notebooks.holes` says), last_bill, connection_id, provider, status,
        family, status_since, status_error, cause (in words).
    """
    every = closer.coverage.holes
    reaches = (every["first_day"] <= hole.last + pd.offsets.MonthEnd(1)) & (every["last_day"] >= hole.month)
    chosen = every[every[_KEYS[by]].eq(hole.id).fillna(False).astype(bool) & reaches]
    accounts = look.accounts.set_index("account_id")
    connections = look.connections.set_index("connection_id")
    numbers = closer.meters.set_index("meter_id")["primary_identifier"]
    lines: list[dict[str, Any]] = []
    for row in chosen.to_dict("records"):
        account = accounts.loc[row["account_id"]] if row["account_id"] in accounts.index else None
        connection_id = None if account is None else account["connection_id"]
        connection = connections.loc[connection_id] if connection_id in connections.index else None
        lines.append(
            {
                **{str(name): value for name, value in row.items()},
                "meter": numbers.get(row["meter_id"]),
                "account": None if account is None else account["account_number"],
                "last_bill": closer.last_bills["bill_date"].get(row["account_id"], pd.NaT),
                "connection_id": connection_id,
                "provider": None if connection is None else name_of(connection),
                "status": None if connection is None else connection["status"],
                "family": None if connection is None else connection["family"],
                "status_since": pd.NaT if connection is None else connection["status_since"],
                "status_error": None if connection is None else connection["status_error"],
                "cause": _cause(connection, row["first_day"], row["last_day"]),
            }
        )
    columns = (
        "meter_id", "meter", "commodity", "account_id", "account", "first_day", "last_day", "days", "bills_expected",
        "last_bill", "connection_id", "provider", "status", "family", "status_since", "status_error", "cause",
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
    if began <= last + pd.Timedelta(days=31):
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
            f"{day(row['first_day'])} to {day(row['last_day'])}",
            f"{row['bills_expected']:,}",
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
                ["Meter", "Commodity", "Account", "No bill for", "Bills", "Last bill", "Provider", "Status", "Why"],
                lines,
                caption=f"About {count(int(found['bills_expected'].sum()), 'bill')} missing in "
                f"{count(len(found), 'hole')} that {'reaches' if len(found) == 1 else 'reach'} into "
                f"{'this month' if hole.months == 1 else 'these months'}",
                numbers=frozenset({"Bills"}),
            ),
        ]
    )

"""One connection in detail: its status in words, what to do next, its accounts, bills by month and past statuses.

Pure functions from frames to frames and HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.connections_view import UNREAD, name_of
from nectar_notebooks.dashboards.html import (
    NONE,
    Markup,
    chip,
    count,
    day,
    definitions,
    element,
    join,
    missing,
    status_words,
    table,
    text,
    title,
)
from nectar_notebooks.dashboards.svg import family_legend, legend, months_in_words, strip, timeline
from nectar_notebooks.plots.style import words
from nectar_notebooks.schema.statuses import describe

if TYPE_CHECKING:
    from datetime import date

    from nectar_notebooks.dashboards.closer import Closer

__all__ = ["account_table", "bills_by_month", "changes_lately", "facts", "past_statuses", "status_timeline"]

_LATELY: Final = 90
_MOST: Final = 25


def past_statuses(history: pd.DataFrame, connection: pd.Series) -> pd.DataFrame:
    """Return the statuses of one connection as spans.

    Parameters
    ----------
    history : DataFrame
        connection_id, seen, status, since, error: its lines of what the client keeps.
    connection : Series
        Its row, for a connection that the history does not know.

    Returns
    -------
    DataFrame
        status, family, start, end (both days; end missing while it lasts), error.
    """
    rows = history.sort_values("seen", kind="stable")
    spans: list[dict[str, Any]] = []
    for status, seen, since, error in rows[["status", "seen", "since", "error"]].itertuples(index=False):
        if spans and spans[-1]["status"] == status:
            spans[-1]["error"] = error
            continue
        start = _civil(since if not missing(since) and since <= seen else seen)
        if spans:
            start = max(start, spans[-1]["start"])
            spans[-1]["end"] = start
        spans.append(_span(status, start, error))
    if not spans and isinstance(connection["status"], str) and not missing(connection["status_since"]):
        spans.append(_span(connection["status"], _civil(connection["status_since"]), connection["status_error"]))
    frame = pd.DataFrame(spans, columns=["status", "family", "start", "end", "error"])
    return frame.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


def _span(status: str, start: pd.Timestamp, error: object) -> dict[str, Any]:
    return {"status": status, "family": describe(status).family, "start": start, "end": pd.NaT, "error": error}


def _civil(moment: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_convert("UTC").tz_localize(None).normalize()


def changes_lately(spans: pd.DataFrame, today: date) -> int:
    """Return how often the status changed within the last ninety days, as far as it was seen."""
    return int((spans["start"].iloc[1:] >= pd.Timestamp(today) - pd.Timedelta(days=_LATELY)).sum())


def facts(
    connection: pd.Series, closer: Closer | None, accounts: pd.DataFrame, spans: pd.DataFrame, today: date
) -> Markup:
    """Return what is known of a connection, and the documented next step."""
    known = describe(str(connection["status"])) if isinstance(connection["status"], str) else None
    flips = changes_lately(spans, today)
    told: dict[str, object] = {
        "Status": join([chip(connection["status"], connection["family"]), _lasting(connection)], " "),
        "Meaning": known.meaning if known else "The API names no status.",
        "Next step": element("b", connection["next_step"]),
        "Last check": _moment(connection["status_checked"]),
        "What the site said": connection["status_error"],
        "Login": connection["username"],
        "Owner": connection["owner_email"],
        "Company": connection["company"],
        "Address": connection["url"],
        "Last day of service": UNREAD if closer is None else _last_service(connection),
        "Last bill": _last_bill(closer, accounts),
        "Missing bills": UNREAD if closer is None else _missing(connection, closer, accounts),
    }
    if flips > 1:
        told["Restless"] = f"The status changed {flips} times within {_LATELY} days."
    if missing(connection["active"]) is False and not connection["active"]:
        told["Collection"] = "Nectar does not collect from it."
    return definitions(told)


def heading(connection: pd.Series) -> Markup:
    """Return the connection's name as a heading."""
    return title(name_of(connection))


def _lasting(connection: pd.Series) -> Markup:
    days = connection["days_in_status"]
    if missing(days):
        return text("")
    return text(f"since {day(connection['status_since'])} ({count(int(days), 'day')})")


def _moment(moment: object) -> str:
    return NONE if not isinstance(moment, pd.Timestamp) else f"{day(moment)}, {moment:%H:%M} UTC"


def _last_service(connection: pd.Series) -> str:
    if missing(connection["days_without_bill"]):
        return NONE
    ago = f"{day(connection['last_service'])} ({count(int(connection['days_without_bill']), 'day')} ago)"
    number = int(connection["accounts"])
    return ago if number < 2 else f"{ago}, the latest of {number:,} accounts"


def _missing(connection: pd.Series, closer: Closer, accounts: pd.DataFrame) -> str:
    if missing(connection["missing_bills"]):
        return "Not known: no meter is known behind this login."
    holes = closer.coverage.holes[closer.coverage.holes["account_id"].isin(accounts["account_id"])]
    if not len(holes):
        return "None that should have come by now."
    return (
        f"About {int(connection['missing_bills']):,} in {count(len(holes), 'hole')} of"
        f" {count(holes['meter_id'].nunique(), 'meter')}, {day(holes['first_day'].min())} to"
        f" {day(holes['last_day'].max())}"
    )


def _last_bill(closer: Closer | None, accounts: pd.DataFrame) -> str:
    if closer is None:
        return NONE
    bills = closer.last_bills.loc[closer.last_bills.index.intersection(accounts["account_id"].tolist())]
    if not len(bills):
        return "No bill is known."
    latest = bills.sort_values("bill_date", kind="stable").iloc[-1]
    return f"{day(latest['bill_date'])}, {_money(latest)}"


def _money(bill: pd.Series) -> str:
    if missing(bill["total_charges"]):
        return "amount not known"
    return f"{bill['total_charges']:,.2f} {'' if missing(bill['currency']) else bill['currency']}".rstrip()


def account_table(accounts: pd.DataFrame, closer: Closer | None) -> Markup:
    """Return the accounts of a connection: tracking, commodities, meters, last service and missing bills."""
    lines = []
    meters = None if closer is None else closer.meters_at
    for _, row in accounts.head(_MOST).iterrows():
        bill = (
            closer.last_bills.loc[row["account_id"]]
            if closer and row["account_id"] in closer.last_bills.index
            else None
        )
        lines.append(
            [
                row["account_number"],
                _tracking(row["tracking"]),
                NONE
                if missing(row["commodities"])
                else " / ".join(words(one) for one in row["commodities"].split(" / ")),
                NONE if meters is None else f"{len(meters.get(row['account_id'], ())):,}",
                UNREAD if closer is None else day(closer.last_service.get(row["account_id"])),
                UNREAD
                if closer is None
                else f"{lacking:,}"
                if (lacking := closer.missing.get(row["account_id"])) is not None
                else NONE,
                NONE if bill is None else f"{day(bill['bill_date'])}, {_money(bill)}",
                row["counts_reason"],
            ]
        )
    more = len(accounts) - len(lines)
    return join(
        [
            table(
                [
                    "Account",
                    "Tracking",
                    "Commodities",
                    "Meters",
                    "Last service",
                    "Missing bills",
                    "Last bill",
                    "Not counted because",
                ],
                lines,
                caption="Accounts behind this login" + (f" ({more:,} more are not shown)" if more > 0 else ""),
                numbers=frozenset({"Meters", "Missing bills"}),
                empty="No account was found behind this login yet.",
            )
        ]
    )


def _tracking(value: object) -> str:
    known = {"ENABLED": "tracked", "DISABLED": "not tracked", "UNSET": "undecided"}
    return NONE if missing(value) else known.get(str(value), str(value))


def meter_table(accounts: pd.DataFrame, closer: Closer) -> Markup:
    """Return the meters behind a connection."""
    places = [place for account_id in accounts["account_id"] for place in closer.meters_at.get(account_id, ())]
    meters = closer.meters.take(places)
    numbers = accounts.set_index("account_id")["account_number"]
    lines = [
        [
            row["primary_identifier"],
            NONE if missing(row["commodity"]) else words(row["commodity"]),
            numbers.get(row["account_id"]),
            NONE if missing(row["tracked"]) else "tracked" if row["tracked"] else "not tracked",
        ]
        for _, row in meters.head(_MOST).iterrows()
    ]
    more = len(meters) - len(lines)
    return table(
        ["Meter", "Commodity", "Account", "Tracking"],
        lines,
        caption="Meters of these accounts" + (f" ({more:,} more are not shown)" if more > 0 else ""),
        empty="No meter is known behind this login.",
    )


def bills_by_month(connection: pd.Series, accounts: pd.DataFrame, closer: Closer) -> Markup:
    """Return the strip of months with bills, and the same in a sentence."""
    coverage = closer.coverage
    rows = [place for account_id in accounts["account_id"] for place in closer.covered_at.get(account_id, ())]
    if not rows:
        return element("p", "No meter is known behind this login, so no month can be judged.", style="font-size:13px")
    codes = coverage.of(np.asarray(rows))
    return join(
        [
            title("Months with bills", 4),
            strip(codes, coverage.months, name_of(connection)),
            element("p", months_in_words(codes, coverage.months), style="font-size:13px;margin:2px 0"),
            legend(),
        ]
    )


def status_timeline(connection: pd.Series, spans: pd.DataFrame, months: pd.DatetimeIndex, today: date) -> Markup:
    """Return the past statuses as a timeline and as a list, the newest first."""
    if not len(spans):
        return element("p", "No earlier status was seen.", style="font-size:13px")
    lines = [
        [
            status_words(row["status"]),
            day(row["start"]),
            "now" if pd.isna(row["end"]) else day(row["end"]),
            row["error"],
        ]
        for _, row in spans.iloc[::-1].head(_MOST).iterrows()
    ]
    return join(
        [
            title("Statuses over time", 4),
            timeline(spans, months, pd.Timestamp(today), name_of(connection)),
            family_legend(),
            table(
                ["Status", "From", "To", "What the site said"],
                lines,
                caption="As they were seen at each look; what happened between two looks is not known",
            ),
        ]
    )

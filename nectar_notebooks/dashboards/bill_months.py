"""The months of a bill as tables: what falls into each, and what another way of counting moves.

Pure functions from frames to HTML; the picture of the same stands in `bill_band`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.dashboards.bill_words import (
    CONVENTIONS,
    MOST,
    NOBODY,
    OCCUPANCIES,
    figure,
    meter,
    of,
    rows_of,
)
from nectar_notebooks.dashboards.html import NONE, Markup, element, missing
from nectar_notebooks.dashboards.ledger import USUAL

if TYPE_CHECKING:
    from nectar_notebooks.dashboards.ledger import Ways

__all__ = ["months_table", "moved_sums", "moved_table"]

#: What rounding may leave of a difference.
_NOTHING: Final = 1e-6


def months_table(months: pd.DataFrame, ways: Ways) -> Markup:
    """Return usage and charges of a bill by month and meter; `months` are its pieces, with their words."""
    keys = ["month", "site", "named", "commodity", "subtype", "unit"]
    nobody = months["kind"].map(NOBODY).fillna(months["kind"])
    sums = months.assign(
        named=months["meter"].fillna(months["meter_id"]).fillna(nobody),
        days=months["days"].where(months["quantity"].eq("usage")),
    )
    grouped = sums.groupby([*keys, "quantity"], dropna=False, sort=True)
    flat = grouped.agg(value=("value", "sum"), known=("value", "count"), days=("days", "max")).reset_index()
    rows = [
        [
            NONE if missing(row["month"]) else f"{row['month']:%b %Y}",
            row["site"],
            row["named"],
            of(row["commodity"], row["subtype"]),
            row["quantity"],
            figure(row["days"]),
            figure(row["value"] if row["known"] else None, 0 if row["quantity"] == "usage" else 2),
            row["unit"],
        ]
        for _, row in flat.head(MOST).iterrows()
    ]
    return rows_of(
        ["Month", "Site", "Meter", "What", "Quantity", "Days", "In the month", "Unit"],
        rows,
        len(flat),
        f"Spread evenly over its days, {CONVENTIONS[ways.convention]}; together {_together(flat)}",
        "Nothing of this bill falls into a month.",
        ("Days", "In the month"),
    )


def _together(flat: pd.DataFrame) -> str:
    """Return what the months of a bill add up to, each quantity, kind and unit by itself."""
    keys = ["quantity", "commodity", "subtype", "unit"]
    spent = flat["quantity"].ne("usage")
    alike = flat.assign(commodity=flat["commodity"].mask(spent), subtype=flat["subtype"].mask(spent))
    sums = alike[alike["known"].gt(0)].groupby(keys, dropna=False)["value"].sum().reset_index()
    said = []
    for _, row in sums.iterrows():
        what = row["quantity"] if row["quantity"] != "usage" else of(row["commodity"], row["subtype"])
        unit = "" if missing(row["unit"]) else f" {row['unit']}"
        said.append(f"{what} {figure(round(row['value'], 6), 0 if row['quantity'] == 'usage' else 2)}{unit}")
    return ", ".join(said) or "nothing that is known"


def moved_table(moved: pd.DataFrame, ways: Ways, whose: str) -> Markup:
    """Return what moves against the usual way; `whose` months they are."""
    if ways == USUAL:
        return element(
            "p",
            "Nothing moves yet: choose another convention or use of occupancy, and see what it changes against"
            " the usual way.",
            style="font-size:13px",
        )
    rows = [
        [
            NONE if missing(row["month"]) else f"{row['month']:%b %Y}",
            row["site"],
            meter(row),
            of(row["commodity"], row["subtype"]),
            row["quantity"],
            *(figure(row[name], 0 if row["quantity"] == "usage" else 2) for name in ("before", "after")),
            _signed(row["difference"], 0 if row["quantity"] == "usage" else 2),
            row["unit"],
        ]
        for _, row in moved.sort_values(["quantity", "site", "meter", "month"], kind="stable").head(MOST).iterrows()
    ]
    return rows_of(
        ["Month", "Site", "Meter", "What", "Quantity", "Before", "Now", "Difference", "Unit"],
        rows,
        len(moved),
        f"{whose}: before, days count {CONVENTIONS[USUAL.convention]} and occupancy is {OCCUPANCIES[USUAL.occupancy]}",
        f"{whose}: nothing moves.",
        ("Before", "Now", "Difference"),
    )


def moved_sums(moved: pd.DataFrame, months: pd.Series, whose: str) -> Markup:
    """Return what moves of many bills together in some months, for each commodity, kind, unit and currency."""
    keys = ["quantity", "month", "commodity", "subtype", "unit"]
    inside = moved[moved["month"].isin(months)]
    sums = inside.groupby(keys, dropna=False)[["before", "after", "difference"]].sum(min_count=1).round(6).reset_index()
    sums = sums[sums["difference"].abs() > _NOTHING]
    rows = [
        [
            NONE if missing(row["month"]) else f"{row['month']:%b %Y}",
            of(row["commodity"], row["subtype"]),
            row["quantity"],
            _signed(row["difference"], 0 if row["quantity"] == "usage" else 2),
            row["unit"],
        ]
        for _, row in sums.iterrows()
    ]
    return rows_of(
        ["Month", "What", "Quantity", "Difference", "Unit"],
        rows,
        len(sums),
        f"{whose}: what moves in the same months, as nn.monthly sums them",
        f"{whose}: nothing moves in the same months.",
        ("Difference",),
    )


def _signed(value: object, least: int) -> str:
    said = figure(value, least)
    return f"+{said}" if not missing(value) and float(str(value)) > 0 else said

"""One bill as tables: its line in the list, what it says, who pays each charge and why, what its meters say.

Pure functions from frames to HTML; the numbers come from a :class:`~nectar_notebooks.dashboards.ledger.Ledger`.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from nectar_notebooks.dashboards.bill_list import NO_ACCOUNT
from nectar_notebooks.dashboards.bill_words import MOST, NOBODY, figure, meter, money, of, period, rows_of, word
from nectar_notebooks.dashboards.html import (
    NONE,
    Markup,
    count,
    day,
    definitions,
    join,
    missing,
    notice,
    text,
    title,
)

__all__ = ["COLUMNS", "cells", "facts", "heading", "line_item_table", "meter_table", "who_pays_table"]

#: Heads and widths of the list of bills.
COLUMNS: Final = [
    ("Bill date", "92px"), ("Service period", "196px"), ("Current charges", "minmax(116px,.6fr)"),
    ("Site", "minmax(180px,1.2fr)"), ("Account", "minmax(100px,.7fr)"), ("In totals", "minmax(110px,.7fr)"),
]  # fmt: skip


def cells(bill: pd.Series) -> tuple[Markup, ...]:
    """Return the cells of a bill's line in the list."""
    silent = not missing(bill["counts"]) and not bill["counts"]
    return (
        text(day(bill["bill_date"])),
        text(period(bill["start_date"], bill["end_date"])),
        text(money(bill["current_charges"], bill["currency"])),
        text(bill["site"], 44),
        text(NO_ACCOUNT if missing(bill["accounts"]) else bill["accounts"], 24),
        text(f"no: {'' if missing(bill['counts_reason']) else bill['counts_reason']}" if silent else "yes"),
    )


def heading(bill: pd.Series) -> Markup:
    """Return what a bill is called, as a heading."""
    utility = "Unknown utility" if missing(bill["utility"]) else str(bill["utility"])
    return title(utility if missing(bill["bill_date"]) else f"{utility}, {day(bill['bill_date'])}")


def facts(bill: pd.Series, attribution: pd.DataFrame, superseded_by: object = None) -> Markup:
    """Return what is known of a bill: its row in the list, and what its charges add up to."""
    said = []
    if not missing(bill["counts"]) and not bill["counts"]:
        why = "for a reason that is not told" if missing(bill["counts_reason"]) else str(bill["counts_reason"])
        by = "" if missing(superseded_by) else f" by bill {superseded_by}"
        said.append(notice(f"This bill is in no total: {why}{by}. Its charges and usage are shown as the bill says."))
    paid = attribution[~attribution["method"].isin(list(NOBODY))]
    told: dict[str, object] = {
        "Service period": period(bill["start_date"], bill["end_date"]),
        "Current charges": money(bill["current_charges"], bill["currency"]),
        "Total to pay": money(bill["total_charges"], bill["currency"]),
        "Meters pay": _totals(paid),
    }
    for method, label in (
        ("finance", "Finance"),
        ("unattributed", "Unattributed"),
        ("residual", "Residual"),
        ("left out", "In no total"),
    ):
        rows = attribution[attribution["method"].eq(method)]
        if len(rows):
            told[label] = _totals(rows)
    told |= {
        "Sites": bill["site"],
        "Account": "none is known: the bill was uploaded, or names none" if missing(bill["accounts"]) else
        bill["accounts"],
        "Invoice": bill["invoice_id"],
        "Id": bill["bill_id"],
    }  # fmt: skip
    if not missing(bill["flagged"]) and bill["flagged"]:
        told["Open issue"] = "The bill is flagged for review."
    return join([*said, definitions(told)])


def _totals(rows: pd.DataFrame) -> str:
    """Return amounts added up, each currency by itself."""
    if rows.empty:
        return NONE
    sums = rows.groupby(rows["currency"].fillna("").astype(object))["amount"].sum(min_count=1).round(6)
    return ", ".join(money(amount, currency or None) for currency, amount in sums.items())


def line_item_table(items: pd.DataFrame) -> Markup:
    """Return the line items as the bill has them."""
    rows = [
        [
            item["description"],
            word(item["charge_type"]),
            figure(item["quantity"]),
            item["quantity_unit"],
            NONE if missing(item["rate"]) else f"{item['rate']:,.10g}",
            figure(item["amount"], 2),
            item["currency"],
        ]
        for _, item in items.head(MOST).iterrows()
    ]
    return rows_of(
        ["Line item", "Charge", "Quantity", "Unit", "Rate", "Amount", "Currency"],
        rows,
        len(items),
        f"{count(len(items), 'line item')}, together {_totals(items)}",
        "The API gives no line items for this bill.",
        ("Quantity", "Rate", "Amount"),
    )


def who_pays_table(attribution: pd.DataFrame) -> Markup:
    """Return who pays each line item, by which method and why; what no meter pays has rows of its own."""
    rows = []
    before: object = None
    for _, row in attribution.head(MOST).iterrows():
        line = row["line_item_id"]
        again = not missing(line) and line == before
        before = line
        item = row["line_item"]
        if missing(item):
            item = "Difference to the bill's current charges" if row["method"] == "residual" else None
        nobody = missing(row["meter_id"])
        rows.append(
            [
                "" if again else item,
                word(row["charge_type"]),
                NOBODY.get(str(row["method"]), NONE) if nobody else meter(row),
                "" if nobody else row["site"],
                figure(row["amount"] if row["method"] != "left out" else row["line_amount"], 2),
                row["currency"],
                NONE if missing(row["share"]) else f"{row['share']:.2%}",
                row["method"],
                text(row["reason"]),
            ]
        )
    return rows_of(
        ["Line item", "Charge", "Meter", "Site", "Amount", "Currency", "Share", "Method", "Why"],
        rows,
        len(attribution),
        "Who pays: the amounts of a line item add up to it, and all of them to the bill",
        "There is no charge to share out.",
        ("Amount", "Share"),
    )


def meter_table(usage: pd.DataFrame, adjusted: pd.DataFrame) -> Markup:
    """Return the usage records of a bill; `adjusted` are the same records as they count."""
    counted = adjusted.set_index("usage_id")[["adjusted_usage", "adjustment"]]
    counted = counted[~counted.index.duplicated()]
    rows = []
    for _, one in usage.head(MOST).iterrows():
        known = one["usage_id"] in counted.index
        remarks = [
            said
            for asked, said in (("estimated", "estimated"), ("implied", "implied"), ("exclusion", "exclusion"))
            if not missing(one[asked]) and one[asked]
        ]
        change = counted.at[one["usage_id"], "adjustment"] if known else None
        why = one["counts_reason"] if not missing(one["counts"]) and not one["counts"] else None
        remarks += [
            str(said) for said in (change, None if missing(why) else f"not counted: {why}") if not missing(said)
        ]
        rows.append(
            [
                meter(one),
                one["site"],
                of(one["commodity"], one["subtype"]),
                period(one["start_date"], one["end_date"]),
                figure(one["usage"]),
                figure(counted.at[one["usage_id"], "adjusted_usage"]) if known else NONE,
                one["unit"],
                "; ".join(remarks),
            ]
        )
    return rows_of(
        ["Meter", "Site", "What", "Service period", "Usage", "Counts as", "Unit", "Remarks"],
        rows,
        len(usage),
        count(len(usage), "usage record"),
        "No usage stands on this bill.",
        ("Usage", "Counts as"),
    )

"""Select what to export: a table or the monthly result. Bills with an open issue are left out, and listed.

The methodology decides which rows count; this module selects them, adds readable names, and joins the user's own table
of sites. `files` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Unpack

import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.exports.files import csv_bytes, excel_bytes, free, save, written
from nectar_notebooks.methodology.counting import count_bills
from nectar_notebooks.methodology.frames import TEXT, counted, flags, text
from nectar_notebooks.methodology.monthly import prepare, sum_by_month
from nectar_notebooks.methodology.options import Options, Spread, options_of, short_form
from nectar_notebooks.methodology.sites import join_sites
from nectar_notebooks.schema.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    from nectar_notebooks.methodology.monthly import Prepared
    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = ["NOTES", "Export", "monthly", "notes_of", "table", "uncounted"]

#: The columns of an export's notes.
NOTES: Final = ("table", "id", "site_id", "meter_id", "start_date", "end_date", "exported", "reason")

_KEYS: Final = {"bills": "bill_id", "usage": "usage_id", "line_items": "line_item_id"}
#: Tables that refer to a bill through another table: that table, and the key.
_PARENTS: Final = {
    "line_item_accounts": ("line_items", "line_item_id"),
    "demand_usage": ("demand", "demand_id"),
    "time_of_use": ("usage", "usage_id"),
}


@dataclass(frozen=True, eq=False)
class Export:
    """Frames ready to be saved, with notes on what was left out.

    Attributes
    ----------
    sheets : mapping of DataFrame
        The exported frames by sheet name.
    notes : DataFrame
        What was left out (`exported` is false) or needs checking (`exported` is true), one row each: ``table, id,
        site_id, meter_id, start_date, end_date, exported, reason``.
    """

    sheets: Mapping[str, pd.DataFrame]
    notes: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """The exported frame; several are concatenated."""
        frames = list(self.sheets.values())
        filled = [frame for frame in frames if len(frame)]
        return frames[0] if len(frames) == 1 else pd.concat(filled or frames[:1], ignore_index=True)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Save the export in the format of its suffix, with the notes in a CSV file beside it; return the paths.

        Excel gets one sheet per frame. CSV and Parquet get one file per frame, named after the sheet if there are
        several. Without notes, there is no file of notes.

        Raises
        ------
        InvalidRequestError
            A suffix other than .csv, .xlsx or .parquet; or one of the files exists and `overwrite` is not set: then
            nothing is written.
        """
        target = free(path, overwrite=overwrite)
        one_file = target.suffix.lower() == ".xlsx" or len(self.sheets) == 1
        targets = {
            name: target if one_file else target.with_stem(f"{target.stem}-{name.lower().replace(' ', '-')}")
            for name in self.sheets
        }
        notes = target.with_name(f"{target.stem}-notes.csv")
        for each in {*targets.values(), *([notes] if len(self.notes) else [])}:
            free(each, overwrite=overwrite)
        if target.suffix.lower() == ".xlsx":
            paths = [written(target, excel_bytes(self.sheets))]
        else:
            paths = [save(frame, targets[name], overwrite=True) for name, frame in self.sheets.items()]
        return [*paths, written(notes, csv_bytes(self.notes))] if len(self.notes) else paths

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(frame):,} rows of {name}" for name, frame in self.sheets.items())
        return f"Export of {rows}; {int((~self.notes['exported']).sum()):,} left out"


def table(portfolio: Portfolio, name: str, *, flagged: bool = False, sites: pd.DataFrame | None = None) -> Export:
    """Select the rows of a portfolio's table for an export.

    Parameters
    ----------
    portfolio : Portfolio
        A company's tables.
    name : str
        Name of the table: ``usage``, ``line_items``, ``bills``, ...
    flagged : bool
        Whether to include bills with an open issue and their rows. They are listed in the notes in any case.
    sites : DataFrame, optional
        Your table of sites (``site_id`` or ``external_id``; ``area``, ``area_unit``, ``use``, ``cost_centre``),
        joined if the table has sites.

    Returns
    -------
    Export
        One sheet, named after the table, with its columns preceded by readable names (``site``, ``meter``,
        ``line_item``). Rows that do not count are kept, with ``counts`` and ``counts_reason``.

    Raises
    ------
    InvalidRequestError
        There is no such table.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> nectar = nn.connect()
    >>> portfolio = nectar.portfolio(nectar.companies()["company_id"].iloc[0])
    >>> list(table(portfolio, "usage").sheets)
    ['usage']
    """
    if name not in TABLES:
        raise InvalidRequestError(f"There is no table {name!r}.", advice=f"Use one of {', '.join(TABLES)}.")
    frame: pd.DataFrame = getattr(portfolio, name)
    held = _flagged(portfolio)
    if "bill_id" not in frame and name not in _PARENTS:
        held = held.iloc[:0]  # the rows of this table belong to no bill
    elif not flagged and len(held):
        frame = frame[~_on(portfolio, name, frame).isin(held["bill_id"]).to_numpy(dtype=bool)]
    return Export({name: _joined(portfolio, frame.reset_index(drop=True), sites)}, _issue_notes(held, flagged))


@short_form
def monthly(
    portfolio: Portfolio,
    *,
    flagged: bool = False,
    sites: pd.DataFrame | None = None,
    options: Options | None = None,
    **words: Unpack[Spread],
) -> Export:
    """Select usage and cost per site, meter, commodity and month for an export.

    Parameters
    ----------
    portfolio : Portfolio
        A company's tables.
    flagged, sites
        As for :func:`table`.
    options : Options, optional
        As for ``nn.monthly``; `flagged` is said here.
    **words
        The fields of ``nn.Options`` as keywords: ``convention``, ``occupancy``, ...

    Returns
    -------
    Export
        One sheet, ``monthly``, with the columns of ``nn.monthly``, preceded by the names of sites and meters and
        followed by the columns of `sites`; usage in ``unit``, money in ``currency``. The notes list every bill, usage
        record and line item that is in no sum, with the reason.
    """
    how = options_of(options, {**words, "flagged": flagged})
    ready = prepare(portfolio, how)
    result = sum_by_month(ready, how)
    return Export({"monthly": _joined(portfolio, result, sites)}, uncounted(portfolio, ready, flagged=flagged))


def uncounted(portfolio: Portfolio, ready: Prepared, *, flagged: bool) -> pd.DataFrame:
    """List every bill, usage record and line item that is in no sum, and all bills with an open issue.

    `ready` is the portfolio as prepared for the sums.
    """
    held = _flagged(portfolio)
    on_held = set(held["bill_id"]) if not flagged else set()
    parts = [_issue_notes(held, flagged)]
    for name, frame in (("bills", ready.bills), ("usage", ready.usage), ("line_items", ready.line_items)):
        out = frame[~counted(frame, name)]
        parts.append(notes_of(name, out[~text(out, "bill_id").isin(on_held).to_numpy(dtype=bool)]))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def notes_of(
    name: str, rows: pd.DataFrame, reason: str | pd.Series | None = None, *, exported: bool = False
) -> pd.DataFrame:
    """List rows of a table with a reason, by default their `counts_reason`."""
    why = text(rows, "counts_reason") if reason is None else reason
    notes = pd.DataFrame({"table": pd.Series(name, rows.index, dtype=TEXT)})
    notes["id"] = text(rows, _KEYS[name])
    for column in ("site_id", "meter_id"):
        notes[column] = text(rows, column)
    for column in ("start_date", "end_date"):
        notes[column] = rows[column] if column in rows else pd.Series(pd.NaT, rows.index, dtype="datetime64[us]")
    notes["exported"] = exported
    notes["reason"] = pd.Series(why, rows.index, dtype=TEXT) if isinstance(why, str) else why.astype(TEXT)
    return notes[list(NOTES)].reset_index(drop=True)


def _flagged(portfolio: Portfolio) -> pd.DataFrame:
    """Return the bills that count and have an open issue."""
    bills = count_bills(portfolio.bills)
    held: pd.DataFrame = bills[counted(bills, "bills") & flags(bills, "flagged", "bills", missing=False)]
    return held


def _issue_notes(held: pd.DataFrame, exported: bool) -> pd.DataFrame:
    what = text(held, "flagged_status")
    return notes_of("bills", held, ("open issue: " + what).fillna("open issue"), exported=exported)


def _on(portfolio: Portfolio, name: str, frame: pd.DataFrame) -> pd.Series:
    """Return the bill of each row, missing if it has none."""
    if name in _PARENTS:
        parent, key = _PARENTS[name]
        known: pd.DataFrame = getattr(portfolio, parent)
        return frame[key].map(known.drop_duplicates(key).set_index(key)["bill_id"]).astype(TEXT)
    return text(frame, "bill_id")


def _joined(portfolio: Portfolio, frame: pd.DataFrame, sites: pd.DataFrame | None) -> pd.DataFrame:
    named = portfolio.named(frame) if "site_id" in frame or "meter_id" in frame else frame
    if sites is None or "site_id" not in named:
        return named
    return join_sites(named, sites, portfolio.sites)

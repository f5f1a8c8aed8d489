"""Coverage: one row per site, account or meter, one column per month, darker where bills cover more of its days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nectar_notebooks.plots.payers import looked_up
from nectar_notebooks.plots.picture import Picture, empty, house_style, require
from nectar_notebooks.plots.style import INK, QUIET, TEXT, month_ticks, plural, told_apart, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["coverage"]

#: Separates an entity's label from its ids.
_APART = "\x1e"

_SOURCE = "the result of nn.completeness"
_MOST_ROWS: Final = 60
_MOST_MONTHS: Final = 84
_PALE, _FULL = "#dcebf7", "#1d5f93"
#: Markers that tell cells apart without color.
_MARKS: Final = {"missing": "x", "not_required": ".", "future": "|"}
#: Statuses whose cells are filled.
_FILLED: Final = ("complete", "partly_billed")
#: The parts of a row's label, from left to right, and the maximum length of some.
_ORDER: Final = ("site_id", "account_id", "commodity", "meter_id", "utility")
_WIDTHS: Final = {"utility": 24}
_WORDS: Final = {
    "missing": "missing: no bill, and there should be one",
    "not_required": "not required",
    "future": "not due yet",
}


def coverage(
    completeness: pd.DataFrame,
    *,
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    title: str = "Which months have bills",
) -> Picture:
    """Draw what share of its days bills cover, for every entity and month.

    The more of the expected days are covered, the darker the cell. On white, a cross marks a missing month, a dot one
    that needs no bill, a stroke one whose bills are not due yet. If there are too many entities to show, those with the
    most missing months are drawn, and the picture says so.

    Parameters
    ----------
    completeness : pandas.DataFrame
        Rows of `nn.completeness`, by meter, account or site: `month`, `status` and the ids of its entities; optional
        `share_covered`. A complete month without a share (hauled commodities) counts as covered.
    meters, accounts, sites : pandas.DataFrame, optional
        Tables that give ids a name: `primary_identifier`, `account_number`, `name`.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per entity and one column per month: the share covered (0 to 1), 0 for a missing month,
        NaN where no bill is required.

    Raises
    ------
    DataError
        If a column is missing.
    """
    require(completeness, ("month", "status"), "A picture of coverage", _SOURCE)
    rows = completeness.loc[completeness["month"].notna() & completeness["status"].notna()]
    rows, common = _entities(rows, meters, accounts, sites)
    if rows.empty:
        return empty(pd.DataFrame(), title, "No coverage to draw: the frame has no row with a month and a status.")
    status, share = _cells(rows)
    frame = share.where(status.isin((*_FILLED, "missing")))
    frame.index = frame.index.str.partition(_APART).get_level_values(0).rename("entity")  # drop the ids
    missing = (status == "missing").sum(axis=1)
    order = missing.sort_values(ascending=False, kind="stable").index[:_MOST_ROWS]
    shown = status.index[status.index.isin(order)]
    months = pd.DatetimeIndex(status.columns)[-_MOST_MONTHS:]
    left_out = []
    if len(shown) < len(status):
        left_out.append(f"{len(shown)} of {len(status):,}, those with the most missing months")
    if len(months) < status.shape[1]:
        left_out.append(f"the last {len(months)} months")
    span = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
    description = f"{plural(len(status), 'row')} from {span}, {plural(int(missing.sum()), 'missing month')}."
    with house_style():
        height = 1.5 + 0.21 * max(len(shown), 2)
        picture = Picture(frame, title, description, (max(6.4, 3.6 + 0.16 * len(months)), height))
        axis = picture.subplots()
        _draw(axis, status.loc[shown, months], share.loc[shown, months])
        used = [name for name in _MARKS if (status.loc[shown, months] == name).any(axis=None)]
        keys = [
            Patch(facecolor=_FULL, edgecolor=INK, linewidth=0.4, label="every day covered"),
            Patch(facecolor=_PALE, edgecolor=INK, linewidth=0.4, label="some days"),
            *(Line2D([], [], marker=_MARKS[name], color=INK, linestyle="", label=_WORDS[name]) for name in used),
        ]
        picture.legend(handles=keys, loc="outside lower left", ncols=3, fontsize=8, labelcolor=QUIET)
        if left_out:
            common = [*common, f"shown: {'; '.join(left_out)}"]
        axis.set_title("; ".join(common), loc="left", fontsize=8.5, color=QUIET)
    return picture


def _entities(
    rows: pd.DataFrame, meters: pd.DataFrame | None, accounts: pd.DataFrame | None, sites: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[str]]:
    """Label each row's entity; return the rows and the label parts that all of them share."""
    tables = {
        "site_id": (sites, "name"),
        "account_id": (accounts, "account_number"),
        "meter_id": (meters, "primary_identifier"),
    }
    keys = [key for key in tables if key in rows]
    if "meter_id" in keys and "account_id" in keys:
        keys.remove("account_id")  # the meter identifies it
    parts = {key: looked_up(rows[key], tables[key][0], key, tables[key][1]) for key in keys}
    parts |= {name: rows[name].astype(TEXT) for name in ("commodity", "utility") if name in rows}
    if "commodity" in parts:
        parts["commodity"] = parts["commodity"].map(words, na_action="ignore").astype(TEXT)
    common = []
    for name in ("commodity", "utility"):
        if name in parts and parts[name].nunique(dropna=False) == 1 and len(parts) > 1:
            common += parts.pop(name).iloc[:1].dropna().tolist()
    label = pd.Series("", rows.index, dtype=TEXT)
    for name, part in sorted(parts.items(), key=lambda item: _ORDER.index(item[0])):
        short = part.map(told_apart(part.dropna().unique().tolist(), _WIDTHS.get(name, 30))).astype(TEXT)
        label = label + ("  ·  " + short).fillna("")
    which = pd.Series("", rows.index, dtype=TEXT)
    for key in keys:
        which = which + "\x1f" + rows[key].astype(TEXT).fillna("")
    entity = label.str.removeprefix("  ·  ") + _APART + which  # keeps two entities with one name apart
    return rows.assign(entity=entity), common


def _cells(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return status and share covered, one row per entity and one column for each month from first to last."""
    share = rows["share_covered"] if "share_covered" in rows else pd.Series(np.nan, rows.index)
    share = share.astype("float64").where(share.notna(), rows["status"].eq("complete").astype("float64"))
    rows = rows.assign(share=share.mask(rows["status"].eq("missing"), 0.0))
    cells = rows.drop_duplicates(["entity", "month"]).set_index(["entity", "month"])[["status", "share"]]
    months = pd.date_range(rows["month"].min(), rows["month"].max(), freq="MS")
    status, covered = (
        cells[name].unstack("month").sort_index().reindex(columns=months) for name in ("status", "share")
    )
    return status, covered.astype("float64")


def _draw(axis: Axes, status: pd.DataFrame, share: pd.DataFrame) -> None:
    """Fill the cells from top to bottom and mark those that are not filled."""
    shades = LinearSegmentedColormap.from_list("coverage", [_PALE, _FULL])
    filled = share.where(status.isin(_FILLED)).to_numpy(dtype="float64")
    axis.pcolormesh(
        np.ma.masked_invalid(filled), cmap=shades, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=0.8, zorder=1
    )
    for name, mark in _MARKS.items():
        down, across = np.nonzero((status == name).to_numpy(dtype=bool))
        size, colour = (18, INK) if name == "missing" else (6, QUIET)
        axis.scatter(across + 0.5, down + 0.5, marker=mark, s=size, color=colour, linewidths=1.0, zorder=2)
    axis.set_ylim(max(len(status), 2), 0)  # keeps few cells small
    axis.set_xlim(0, max(status.shape[1], 12))
    axis.set_yticks(np.arange(len(status)) + 0.5, [name.split(_APART)[0] for name in status.index], fontsize=7.5)
    positions, labels = month_ticks(pd.DatetimeIndex(status.columns))
    axis.set_xticks(np.array(positions) + 0.5, labels, fontsize=8)
    axis.tick_params(length=2)
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)

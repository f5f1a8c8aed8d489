"""Intensity: sites from highest to lowest, one panel per commodity and unit, so that no axis has two units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.payers import looked_up
from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style, require
from nectar_notebooks.plots.style import COMMODITIES, INK, QUIET, TEXT, fill_of, plural, series_label, told_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["intensity"]

_NEEDED = ("site_id", "commodity", "intensity", "intensity_unit")
_SOURCE = "the result of nn.intensity"
_MOST_SITES: Final = 40
_MOST_PANELS: Final = 12


def intensity(
    intensities: pd.DataFrame, *, sites: pd.DataFrame | None = None, title: str = "Usage for each unit of floor area"
) -> Picture:
    """Draw the intensity of sites as ranked bars, with each panel's median as a line.

    Sites without an intensity are not drawn; the picture says how many there are, and `nn.intensity` says why.

    Parameters
    ----------
    intensities : pandas.DataFrame
        Rows of `nn.intensity`: `site_id`, `commodity`, `intensity`, `intensity_unit`; optional `subtype`,
        `first_month`, `last_month`.
    sites : pandas.DataFrame, optional
        Table with the `name` of each site.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per bar (series, site, intensity, unit), the highest of each series first. The picture
        shows at most 12 panels, and 40 sites per panel.

    Raises
    ------
    DataError
        If a column is missing.
    """
    require(intensities, _NEEDED, "A picture of intensity", _SOURCE)
    frame = _ranked(intensities, sites)
    silent = intensities.loc[~intensities["site_id"].isin(_drawn(intensities)["site_id"]), "site_id"].nunique()
    if frame.empty:
        why = f" {plural(silent, 'site')} without a floor area or usage." if silent else ""
        return empty(frame, title, f"No intensity to draw: no row has one.{why}")
    panels = list(dict.fromkeys(frame["series"]))
    heights = [min(len(frame[frame["series"] == name]), _MOST_SITES) for name in panels[:_MOST_PANELS]]
    notes = [f"{plural(silent, 'site')} without an intensity"] if silent else []
    if len(panels) > _MOST_PANELS:
        notes.append(f"{len(panels) - _MOST_PANELS} more commodities")
    description = f"{'; '.join(panels)}: {plural(frame['site'].nunique(), 'site')}, the highest first."
    with house_style():
        size = (8.6, 0.9 + sum(0.55 + 0.21 * max(height, 2) for height in heights))
        picture = Picture(frame.drop(columns="commodity"), title + _span(intensities), description, size)
        axes = picture.subplots(
            len(heights), 1, squeeze=False, height_ratios=[max(h, 2) + 1.5 for h in heights]
        ).ravel()
        for axis, name in zip(axes, panels, strict=False):
            _panel(axis, frame[frame["series"] == name], name)
        if notes:
            picture.supxlabel(f"Not shown: {'; '.join(notes)}.", x=0.01, ha="left", fontsize=8.5, color=QUIET)
    return picture


def _drawn(intensities: pd.DataFrame) -> pd.DataFrame:
    return intensities[intensities["intensity"].notna() & intensities["intensity_unit"].notna()]


def _span(intensities: pd.DataFrame) -> str:
    """Return the months the numbers are for, if the frame has them."""
    if not {"first_month", "last_month"} <= set(intensities) or intensities["first_month"].isna().all():
        return ""
    return f", {intensities['first_month'].min():%Y-%m} to {intensities['last_month'].max():%Y-%m}"


def _ranked(intensities: pd.DataFrame, sites: pd.DataFrame | None) -> pd.DataFrame:
    """Return the bars in drawing order."""
    rows = _drawn(intensities)
    kinds = rows["subtype"] if "subtype" in rows else pd.Series(None, rows.index, dtype="object")
    labels = [
        f"{series_label(str(commodity), kind if isinstance(kind, str) else None)}, {unit}"
        for commodity, kind, unit in zip(rows["commodity"], kinds, rows["intensity_unit"], strict=True)
    ]
    order = {name: place for place, name in enumerate(COMMODITIES)}
    frame = pd.DataFrame(
        {
            "series": pd.Series(labels, rows.index, dtype=TEXT),
            "commodity": rows["commodity"].astype(TEXT),
            "site": looked_up(rows["site_id"], sites, "site_id", "name").fillna("no site"),
            "intensity": rows["intensity"].astype("float64"),
            "unit": rows["intensity_unit"].astype(TEXT),
            "place": rows["commodity"].map(order).fillna(len(order)),
        }
    )
    frame = frame.sort_values(
        ["place", "series", "intensity", "site"], ascending=[True, True, False, True], kind="stable", ignore_index=True
    )
    return frame.drop(columns="place")


def _panel(axis: Axes, rows: pd.DataFrame, name: str) -> None:
    """Draw one series from the highest down."""
    shown = rows.head(_MOST_SITES)
    commodity = str(rows["commodity"].iloc[0])
    fill = fill_of(commodity, COMMODITIES, [commodity])
    values, places = shown["intensity"].tolist(), range(len(shown))
    axis.barh(places, values, height=0.74, color=fill.colour, hatch=fill.hatch, edgecolor=INK, linewidth=0.5)
    for place, value in zip(places, values, strict=True):
        axis.annotate(f"{value:,.4g}", (max(value, 0.0), place), (4, 0), textcoords="offset points", va="center",
                      fontsize=7.5, zorder=4, bbox={"facecolor": "white", "pad": 0.6, "linewidth": 0})  # fmt: skip
    words = name if len(rows) == len(shown) else f"{name}  (the highest {len(shown)} of {len(rows):,})"
    axis.set_title(words, loc="left", fontsize=9.5)
    if len(rows) > 2:
        median = float(rows["intensity"].median())
        axis.axvline(median, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=3)
        axis.set_title(f"- - -  median {median:,.4g}", loc="right", fontsize=8, color=QUIET)
    short = told_apart(shown["site"].tolist(), 36)
    axis.set_yticks(list(places), [short[site] for site in shown["site"]], fontsize=8)
    axis.set_ylim(max(len(shown), 2) - 0.5, -0.6)
    low, high = min(0.0, *values), max(0.0, *values)
    axis.set_xlim(low * 1.08, high * 1.12 if high else 1.0)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(grouped_digits())
    axis.tick_params(length=3, axis="x", labelsize=8)
    axis.tick_params(length=0, axis="y")
    axis.grid(axis="x", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)

"""Anomalies, marked on their series: one panel per series, with the baseline each was measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.payers import looked_up
from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style, require
from nectar_notebooks.plots.style import (
    INK,
    QUIET,
    TEXT,
    month_ticks,
    months_span,
    plural,
    series_label,
    shortened,
    told_apart,
)
from nectar_notebooks.plots.wholeness import COVERED, open_bar
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["anomalies"]

_MONTHLY = ("month", "site_id", "commodity", "unit", "usage")
_FOUND = ("kind", "site_id", "month", "value", "baseline", "change")
_MOST_PANELS: Final = 12
_MARKED: Final = ["series", "month", "kind", "value", "baseline", "change", "unit", "partly_billed"]
#: The marker of each kind: shapes differ, so that color is not needed.
_SPIKE: Final = ("^", "#b5452c", "spike (Nectar's rule)")
_REGIME: Final = ("D", "#7a4a2b", "new level that held")
_KINDS: Final = {
    "usage_spike": _SPIKE,
    "cost_spike": _SPIKE,
    "usage_regime": _REGIME,
    "cost_regime": _REGIME,
    "zero_read": ("X", "#8a1f5c", "zero read"),
    "collapsed_read": ("v", "#1f5f8a", "collapsed read"),
    "catch_up": ("P", "#3c7a3c", "catch-up after low reads"),
}
_BASELINE: Final = "#5b6770"
#: For each quantity: the columns that identify its series, and the column of its unit.
_QUANTITIES: Final = {
    "usage": (("site_id", "meter_id", "commodity", "subtype", "unit"), "unit"),
    "cost": (("site_id", "currency"), "currency"),
}


class _Series(NamedTuple):
    """A series and its anomalies."""

    label: str
    unit: str
    values: pd.Series
    partly: pd.Series
    points: pd.DataFrame


def anomalies(
    monthly: pd.DataFrame,
    found: pd.DataFrame,
    *,
    meters: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    title: str = "What stands out",
) -> Picture:
    """Draw each series that has an anomaly, with the anomalous months and their baselines marked.

    Usage spikes are marked on the site's usage of that kind, low reads and their catch-up on the meter's, cost spikes
    on the site's cost. Partly billed months are drawn as open bars. Late fees and demand charges belong to a bill, not
    to a series: the picture only counts them.

    Parameters
    ----------
    monthly : pandas.DataFrame
        The rows that were examined, from `nn.monthly`, with `month`, `site_id`, `commodity`, `unit`, `usage`; optional
        `meter_id`, `subtype`, `cost`, `currency`, and `days_covered` with `days_in_month`.
    found : pandas.DataFrame
        Rows of `nn.anomalies`: `kind`, `site_id`, `month`, `value`, `baseline`, `change`, and the keys of the series.
    meters, sites : pandas.DataFrame, optional
        Tables that give ids a name: `primary_identifier`, `name`.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per marked month: series, month, kind, value, baseline, change, unit and partly_billed.
        At most 12 series are drawn, those with the largest changes.

    Raises
    ------
    DataError
        If a column is missing.
    """
    require(monthly, _MONTHLY, "A picture of anomalies", "the result of nn.monthly")
    require(found, _FOUND, "A picture of anomalies", "the result of nn.anomalies as well")
    marked, panels = _panels(monthly, found, meters, sites)
    others = len(found) - len(marked)
    if not panels:
        return empty(marked, title, "Nothing stands out" + (f" but {plural(others, 'bill')}." if others else "."))
    notes = [f"{plural(others, 'finding')} on bills"] if others else []
    if len(panels) > _MOST_PANELS:
        notes.append(f"{len(panels) - _MOST_PANELS:,} more series")
    columns = 1 if len(panels) == 1 else 2
    rows = -(-min(len(panels), _MOST_PANELS) // columns)
    description = f"{plural(len(marked), 'month')} marked on {len(panels):,} series."
    with house_style():
        width = 4.9 * columns if columns > 1 else 7.6
        picture = Picture(marked, title, description, (width, 0.9 + 1.85 * rows))
        axes = picture.subplots(rows, columns, squeeze=False).ravel()
        for axis, panel in zip(axes, panels, strict=False):
            _panel(axis, panel)
        for axis in axes[len(panels) :]:
            axis.remove()
        looks = dict.fromkeys(look for kind, look in _KINDS.items() if (marked["kind"] == kind).any())
        keys: list[Artist] = [_key(look) for look in looks]
        keys.append(Line2D([], [], color=_BASELINE, linestyle=(0, (3, 2)), label="baseline: expected for the season"))
        if any(panel.partly.any() for panel in panels[:_MOST_PANELS]):
            keys.append(open_bar())
        if notes:
            keys.append(Line2D([], [], linestyle="", label=f"not drawn: {'; '.join(notes)}"))
        picture.legend(handles=keys, loc="outside lower left", ncols=3, fontsize=8, labelcolor=QUIET)
    return picture


def _panels(
    monthly: pd.DataFrame, found: pd.DataFrame, meters: pd.DataFrame | None, sites: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[_Series]]:
    """Return the marked months and their series, those with the largest changes first."""
    panels: list[_Series] = []
    names_of = {
        "site_id": _names(found, sites, "site_id", "name"),
        "meter_id": _names(found, meters, "meter_id", "primary_identifier"),
    }
    for quantity, (names, unit_name) in _QUANTITIES.items():
        kinds = [kind for kind in _KINDS if kind.startswith("cost") == (quantity == "cost")]
        rows = found[found["kind"].isin(kinds) & found["month"].notna()]
        keys = [name for name in names if name in rows and name in monthly and rows[name].notna().any()]
        if rows.empty or not keys or quantity not in monthly:
            continue
        if "meter_id" in keys:
            rows = _with_lone_meters(rows, monthly, [name for name in keys if name != "meter_id"])
            names_of["meter_id"] = _names(rows, meters, "meter_id", "primary_identifier")
        for key, points in rows.groupby(keys, dropna=False):
            own = pd.Series(True, monthly.index)
            for name, value in zip(keys, key, strict=True):
                if isinstance(value, str):
                    own &= monthly[name] == value
                elif name != "meter_id":  # a series over all meters of a site has no meter
                    own &= monthly[name].isna()
            of_series = monthly[own & monthly["month"].notna() & monthly[quantity].notna()]
            series = of_series.groupby("month")[quantity].sum(min_count=1)
            label = _label(dict(zip(keys, key, strict=True)), quantity, names_of)
            unit = points[unit_name].dropna() if unit_name in points else pd.Series(dtype=TEXT)
            partly = _partly(of_series)
            panels.append(_Series(label, str(unit.iloc[0]) if len(unit) else "", series, partly, points))
    panels.sort(key=lambda panel: (-float(panel.points["change"].abs().max()), panel.label, panel.unit))
    parts = [
        panel.points.reindex(columns=["month", "kind", "value", "baseline", "change", "partly_billed"]).assign(
            series=panel.label, unit=panel.unit
        )
        for panel in panels
    ]
    marked = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_MARKED)
    return marked.reindex(columns=_MARKED), panels


def _with_lone_meters(rows: pd.DataFrame, monthly: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Fill in the meter of a site's series if it has only one, so that all its marks share a panel."""
    meters = monthly.dropna(subset=["meter_id"]).groupby(keys, dropna=False)["meter_id"].agg(["nunique", "first"])
    lone = meters.loc[meters["nunique"] == 1, "first"].rename("lone").reset_index()
    known = rows[keys].merge(lone, on=keys, how="left")["lone"].set_axis(rows.index)
    return rows.assign(meter_id=rows["meter_id"].fillna(known))


def _partly(rows: pd.DataFrame) -> pd.Series:
    """Return which months of a series are partly billed: none if the days are unknown or the commodity is hauled."""
    if not set(COVERED) <= set(rows.columns) or rows.get("commodity", pd.Series(dtype=TEXT)).isin(HAULED).all():
        return pd.Series(False, index=rows["month"].drop_duplicates())
    told = rows.loc[rows["days_covered"] > 0, ["month", *COVERED]]
    days = told.groupby("month")[list(COVERED)].sum().astype("float64")
    return days["days_covered"] < WHOLE * days["days_in_month"]


def _names(found: pd.DataFrame, table: pd.DataFrame | None, key: str, name: str) -> dict[object, str]:
    """Return short, distinct names of the sites or meters that have anomalies."""
    ids = found[key].dropna().drop_duplicates() if key in found else pd.Series(dtype=TEXT)
    called = looked_up(ids, table, key, name).tolist()
    short = told_apart(called, 34)
    return dict(zip(ids.tolist(), (short[text] for text in called), strict=True))


def _label(key: dict[str, object], quantity: str, names: dict[str, dict[object, str]]) -> str:
    words = [names[name][key[name]] for name in names if isinstance(key.get(name), str)]
    commodity, subtype = key.get("commodity"), key.get("subtype")
    if isinstance(commodity, str):
        words.append(shortened(series_label(commodity, subtype if isinstance(subtype, str) else None), 30))
    return "  ·  ".join([*words, *(["cost"] if quantity == "cost" else [])])


def _panel(axis: Axes, panel: _Series) -> None:
    """Draw one series as pale bars with its anomalies on top."""
    months = pd.date_range(panel.values.index.min(), panel.values.index.max(), freq="MS")
    values = panel.values.reindex(months)
    partly = panel.partly.reindex(months, fill_value=False)
    faces = ["white" if open_ else "#dcebf7" for open_ in partly]
    axis.bar(range(len(months)), values.tolist(), width=0.8, color=faces, edgecolor="#8a96a3", linewidth=0.5)
    top = float(values.max())
    for row in panel.points.to_dict("records"):
        place, value = int(months.searchsorted(row["month"])), float(row["value"])
        marker, colour, _ = _KINDS[str(row["kind"])]
        if pd.notna(row["baseline"]):
            axis.plot([place - 0.75, place + 0.75], [row["baseline"]] * 2, color=_BASELINE, linewidth=1.4,
                      linestyle=(0, (3, 2)))  # fmt: skip
        face = "white" if partly.iloc[place] else colour
        axis.bar(place, value, width=0.8, color=face, alpha=0.55, edgecolor=INK, linewidth=0.6, hatch="//")
        axis.plot(place, value + 0.05 * top, marker=marker, color=colour, markeredgecolor=INK, markersize=6)
        if pd.notna(row["change"]):
            axis.annotate(f"{row['change']:+.0%}", (place, value + 0.05 * top), (0, 5), textcoords="offset points",
                          ha="center", fontsize=7.5, zorder=5,
                          bbox={"facecolor": "white", "pad": 0.4, "linewidth": 0})  # fmt: skip
    axis.set_title(panel.label, loc="left", fontsize=8.5)
    axis.set_ylabel(panel.unit, fontsize=8)
    axis.set_ylim(min(0.0, float(values.min())), top * 1.28 if top > 0 else None)
    axis.axhline(0, color=INK, linewidth=0.6)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(grouped_digits())
    axis.tick_params(labelsize=8, length=3)
    axis.set_xlim(months_span(len(months)))
    axis.set_xticks(*month_ticks(months))
    axis.grid(axis="y", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)


def _key(look: tuple[str, str, str]) -> Line2D:
    marker, colour, words = look
    return Line2D([], [], marker=marker, color=colour, markeredgecolor=INK, linestyle="", label=words)

"""Monthly usage: one panel per commodity, subtype and unit, so that no axis has two units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style, require
from nectar_notebooks.plots.style import (
    COMMODITIES,
    INK,
    fill_of,
    month_ticks,
    months_span,
    series_label,
    shortened,
)
from nectar_notebooks.plots.wholeness import COVERED, add_key
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["monthly_usage"]

_SOURCE = "the result of nn.monthly or nn.calendarize"
_SERIES = ["commodity", "subtype", "unit"]


def monthly_usage(monthly: pd.DataFrame, *, title: str = "Monthly usage by commodity") -> Picture:
    """Draw usage per month, summed over the meters of each panel.

    Nothing is added across commodities, subtypes or units: water is not sewer, and kWh are not MWh. A month in which
    bills cover less than 97 % of the days is drawn as an open bar, except for what is delivered or hauled on a single
    day (fuel, waste). A month without data has no bar.

    Parameters
    ----------
    monthly : pandas.DataFrame
        One row per meter and month, as returned by `nn.monthly`: `month`, `commodity`, `unit`, `usage`; optional
        `subtype`, and `days_covered` with `days_in_month`.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per month and one column per panel, in the panel's unit.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"month": pd.to_datetime(["2025-01-01", "2025-02-01"]), "commodity": "GAS",
    ...                      "unit": "CCF", "usage": [310.0, 280.0]})
    >>> monthly_usage(rows).frame["Gas, CCF"].tolist()
    [310.0, 280.0]
    """
    require(monthly, ("month", "commodity", "unit", "usage"), "A picture of monthly usage", _SOURCE)
    frame, whole, commodities = _per_month(monthly)
    if frame.empty:
        return empty(frame, title, "No usage to draw: the frame has no row with a month and a usage.")
    columns = 1 if len(frame.columns) == 1 else 2
    rows = -(-len(frame.columns) // columns)
    with house_style():
        picture = Picture(frame, title, _describe(frame), (4.9 * columns if columns > 1 else 7.2, 0.6 + 2.0 * rows))
        axes = picture.subplots(rows, columns, squeeze=False).ravel()
        for axis, label, commodity in zip(axes, frame.columns, commodities, strict=False):
            _panel(axis, frame[label], whole[label], commodity)
        for axis in axes[len(frame.columns) :]:
            axis.remove()
        add_key(picture, frame, whole)
    return picture


def _per_month(monthly: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Return usage and whether it is whole, per month and panel, and each panel's commodity."""
    rows = monthly.loc[monthly["month"].notna() & monthly["usage"].notna()].copy()
    for column in _SERIES:
        rows[column] = rows[column].astype("object").where(rows[column].notna(), "") if column in rows else ""
    covered = set(COVERED) <= set(rows.columns)
    values = ["usage", *(COVERED if covered else [])]
    sums = rows.groupby(["month", *_SERIES])[values].sum().astype("float64")
    order = {name: place for place, name in enumerate(COMMODITIES)}
    series = sorted(
        {key[1:] for key in sums.index},
        key=lambda item: (order.get(item[0], len(order)), item[0], item[1], item[2]),
    )
    usage = sums["usage"].unstack(_SERIES)
    share = (sums["days_covered"] / sums["days_in_month"]).unstack(_SERIES) if covered else usage.notna().astype(float)
    if len(usage):
        months = pd.date_range(usage.index.min(), usage.index.max(), freq="MS", name="month")
        usage, share = usage.reindex(months), share.reindex(months)
    labels = [f"{series_label(commodity, subtype)}, {unit or 'no unit'}" for commodity, subtype, unit in series]
    usage, share = usage[series].set_axis(labels, axis=1), share[series].set_axis(labels, axis=1)
    spot = [commodity in HAULED for commodity, _, _ in series]
    return usage, (share >= WHOLE) | spot, [commodity for commodity, _, _ in series]


def _panel(axis: Axes, usage: pd.Series, whole: pd.Series, commodity: str) -> None:
    """Draw one series as bars."""
    fill = fill_of(commodity, COMMODITIES, [commodity])
    places = range(len(usage))
    faces = [fill.colour if full else "white" for full in whole]
    hatches = [fill.hatch if full else "" for full in whole]
    axis.bar(places, usage.to_numpy(), width=0.8, color=faces, edgecolor=INK, linewidth=0.5, hatch=hatches)
    axis.set_title(shortened(str(usage.name), 52), loc="left", fontsize=9.5)
    axis.axhline(0, color=INK, linewidth=0.6)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(grouped_digits())
    axis.tick_params(labelsize=8, length=3)
    axis.set_xlim(months_span(len(usage)))
    positions, labels = month_ticks(pd.DatetimeIndex(usage.index))
    axis.set_xticks(positions, labels)
    axis.grid(axis="y", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)


def _describe(frame: pd.DataFrame) -> str:
    first, last = frame.index[0], frame.index[-1]
    return f"{'; '.join(frame.columns)}: one bar a month from {first:%Y-%m} to {last:%Y-%m}."

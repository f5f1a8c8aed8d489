"""Monthly cost: bars stacked by commodity, one panel per currency, since currencies are never added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style, require
from nectar_notebooks.plots.style import COMMODITIES, INK, TEXT, fill_of, in_order, month_ticks, months_span, words
from nectar_notebooks.plots.wholeness import COVERED, add_key
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["monthly_cost"]

#: The commodity of charges that no meter could be found for.
_NO_METER = "no meter"
_SOURCE = "the result of nn.monthly, or of nn.calendarize with costs"


def monthly_cost(monthly: pd.DataFrame, *, title: str = "Monthly cost by commodity") -> Picture:
    """Draw cost per month, stacked by commodity.

    A month in which bills cover less than 97 % of the days is drawn as an open bar in the color of its commodity: more
    bills are to come, so it is not a fall in cost. This does not apply to what is delivered or hauled on a single day
    (fuel, waste).

    Parameters
    ----------
    monthly : pandas.DataFrame
        One row per meter and month, as returned by `nn.monthly`: `month`, `commodity`, `currency`, `cost`; optional
        `days_covered` with `days_in_month`.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per month and one column per commodity and currency. A month without a known cost is
        NaN, not 0.

    Raises
    ------
    DataError
        If a column is missing.
    """
    require(monthly, ("month", "commodity", "currency", "cost"), "A picture of monthly cost", _SOURCE)
    rows = monthly.loc[monthly["month"].notna() & monthly["cost"].notna()]
    rows = rows.assign(
        commodity=rows["commodity"].astype(TEXT).fillna(_NO_METER),
        currency=rows["currency"].astype(TEXT).fillna("no currency"),
    )
    parts = {str(currency): part for currency, part in rows.groupby("currency")}
    stacks = {currency: _per_month(part) for currency, part in parts.items()}
    labels = {name: [f"{words(commodity)}, {name}" for commodity in stack.columns] for name, stack in stacks.items()}
    frame = pd.concat(
        [stack.set_axis(labels[name], axis=1) for name, stack in stacks.items()] or [pd.DataFrame()], axis=1
    )
    if frame.empty:
        return empty(frame, title, "No cost to draw: the frame has no row with a month and a cost.")
    months = pd.date_range(frame.index.min(), frame.index.max(), freq="MS", name="month")
    frame = frame.reindex(months)
    wholes = {name: _whole(parts[name], stack.reindex(months)) for name, stack in stacks.items()}
    span = f"one bar a month from {months[0]:%Y-%m} to {months[-1]:%Y-%m}"
    with house_style():
        description = f"Cost in {', '.join(stacks)}, {span}."
        picture = Picture(frame, title, description, (8.6, 0.7 + 2.5 * len(stacks)))
        axes = picture.subplots(len(stacks), 1, squeeze=False).ravel()
        for axis, (currency, stack) in zip(axes, stacks.items(), strict=True):
            _stack(axis, stack.reindex(months), wholes[currency], currency)
        add_key(picture, frame, pd.concat([wholes[name].set_axis(labels[name], axis=1) for name in stacks], axis=1))
    return picture


def _per_month(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one currency's cost per month and commodity."""
    costs = rows.groupby(["month", "commodity"])["cost"].sum().unstack("commodity").round(6)
    return costs[in_order(costs.columns, COMMODITIES)]


def _whole(rows: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """Return whether each cost's month is whole. A cost that covers no day has no usage, and counts as whole."""
    whole = pd.DataFrame(True, costs.index, costs.columns)
    if not set(COVERED) <= set(rows.columns):
        return whole
    days = rows.loc[rows["days_covered"] > 0].groupby(["month", "commodity"])[list(COVERED)].sum().astype("float64")
    share = (days["days_covered"] / days["days_in_month"]).unstack("commodity").reindex_like(costs)
    return (share >= WHOLE) | share.isna() | costs.columns.isin(HAULED)


def _stack(axis: Axes, costs: pd.DataFrame, whole: pd.DataFrame, currency: str) -> None:
    """Stack one currency's commodities: charges up, credits down."""
    places = range(len(costs))
    up, down = pd.Series(0.0, costs.index), pd.Series(0.0, costs.index)
    unknown = [name for name in costs.columns if name not in COMMODITIES]
    keys: list[Patch] = []
    for commodity in costs.columns:
        amounts = costs[commodity].fillna(0.0)  # drawn with no height; the frame keeps it missing
        fill = fill_of(commodity, COMMODITIES, unknown)
        bottom = up.where(amounts >= 0, down)
        full = whole[commodity].tolist()
        axis.bar(
            places, amounts, bottom=bottom, width=0.8,
            color=[fill.colour if one else "white" for one in full], hatch=[fill.hatch if one else "" for one in full],
            edgecolor=[INK if one else fill.colour for one in full], linewidth=[0.5 if one else 1.2 for one in full],
        )  # fmt: skip
        keys.append(
            Patch(facecolor=fill.colour, hatch=fill.hatch, edgecolor=INK, linewidth=0.5, label=words(commodity))
        )
        up, down = up + amounts.clip(lower=0), down + amounts.clip(upper=0)
    axis.axhline(0, color=INK, linewidth=0.6)
    axis.set_ylabel(f"{currency} per month")
    axis.yaxis.set_major_locator(MaxNLocator(5))
    axis.yaxis.set_major_formatter(grouped_digits())
    axis.tick_params(labelsize=8, length=3)
    axis.set_xlim(months_span(len(costs)))
    axis.set_xticks(*month_ticks(pd.DatetimeIndex(costs.index)))
    axis.grid(axis="y", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.legend(
        handles=keys, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5, reverse=True, handleheight=1.3
    )

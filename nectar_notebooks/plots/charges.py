"""A bill's charges by meter: who pays, and for what. The methodology does the attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.payers import KEYS, bar_labels, folded, one_currency, payers
from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style
from nectar_notebooks.plots.style import CHARGES, INK, QUIET, fill_of, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bill_charges"]


def bill_charges(
    attributed: pd.DataFrame,
    *,
    meters: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    title: str = "Where the bill's money went",
) -> Picture:
    """Draw the charges of a bill as one bar per meter, stacked by kind of charge and grouped by site.

    What no meter pays (late fees, unattributed charges, the residual) has its own bars below the meters, so that the
    bars add up to the bill. Credits extend to the left of zero.

    Parameters
    ----------
    attributed : pandas.DataFrame
        Rows from `nn.attribute`: `meter_id`, `site_id`, `commodity`, `charge_type`, `amount`, `currency`;
        optional `subtype` and `method`.
    meters, sites : pandas.DataFrame, optional
        Tables that give ids a name: `primary_identifier` of meters, `name` of sites.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per bar (site, meter, commodity), one column per kind of charge, and the total.

    Raises
    ------
    DataError
        If a column is missing or the rows are in more than one currency.
    """
    currency = one_currency(attributed, "A picture of a bill's charges")
    frame = payers(attributed, meters, sites)
    if frame.empty:
        return empty(frame, title, "No charges to draw: no row carries an amount.")
    total = frame["total"].sum()
    description = f"{len(frame)} bars that add up to {total:,.2f} {currency}".rstrip() + "."
    shown = folded(frame)
    with house_style():
        picture = Picture(frame, title, description, (9.6, max(2.9, 1.5 + 0.34 * len(shown))))
        axis = picture.subplots()
        _bars(axis, shown, currency)
        picture.supxlabel(
            f"The bars add up to {total:,.2f} {currency}".rstrip(), x=0.01, ha="left", fontsize=9, color=QUIET
        )
    return picture


def _bars(axis: Axes, frame: pd.DataFrame, currency: str) -> None:
    """Draw the bars from top to bottom, each labeled with its total."""
    places = range(len(frame))
    right, left = pd.Series(0.0, frame.index), pd.Series(0.0, frame.index)
    kinds = [column for column in frame.columns if column not in {*KEYS, "total"}]
    unknown = [kind for kind in kinds if kind not in CHARGES]
    for kind in kinds:
        amounts = frame[kind].fillna(0.0)  # drawn with no width; the frame keeps it missing
        fill = fill_of(kind, CHARGES, unknown)
        axis.barh(
            places, amounts, left=right.where(amounts >= 0, left), height=0.72, color=fill.colour,
            hatch=fill.hatch, edgecolor=INK, linewidth=0.5, label=words(kind),
        )  # fmt: skip
        right, left = right + amounts.clip(lower=0), left + amounts.clip(upper=0)
    for place, end, total in zip(places, right, frame["total"], strict=True):
        axis.annotate(f"{total:,.2f}", (end, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(list(places), bar_labels(frame), fontsize=8.5)
    spare = max(0.0, (3 - len(frame)) / 2)  # keeps a single bar slim
    axis.set_ylim(len(frame) - 0.4 + spare, -0.6 - spare)
    reach = max(right.max() - left.min(), 1e-9)
    axis.set_xlim(left.min() - 0.02 * reach * bool(left.min()), right.max() + 0.14 * reach)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_xlabel(currency)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(grouped_digits())
    axis.tick_params(length=3)
    axis.grid(axis="x", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5, handleheight=1.3)

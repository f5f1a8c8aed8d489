"""A bill as a waterfall: from its total down to sites and their meters, and to what no meter pays."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import pandas as pd
from matplotlib.ticker import MaxNLocator

from nectar_notebooks.plots.payers import NO_METER, bar_labels, folded, one_currency, payers
from nectar_notebooks.plots.picture import Picture, empty, grouped_digits, house_style
from nectar_notebooks.plots.style import INK, QUIET, Fill, plural, told_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bill_waterfall"]

#: Sites alternate between these, so that neighbors differ in grayscale too.
_SITES: Final = (Fill("#2f6f9f"), Fill("#9cc7e4", "//"))
_NOBODY: Final = Fill("#d9dde2", "xx")
_TOTAL: Final = Fill("#3d4a57")
_BAR = 0.74


def bill_waterfall(
    attributed: pd.DataFrame,
    *,
    meters: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    title: str = "From the bill to its meters",
) -> Picture:
    """Draw how a bill's total is split among meters, site by site: each bar begins where the one above ends.

    The first bar is the bill; the bars below break it down to zero. What no meter pays (late fees, unattributed
    charges, the residual) comes last. A credit extends back to the right.

    Parameters
    ----------
    attributed : pandas.DataFrame
        Rows of one bill from `nn.attribute`: `meter_id`, `site_id`, `commodity`, `charge_type`, `amount`,
        `currency`; optional `subtype` and `method`.
    meters, sites : pandas.DataFrame, optional
        Tables that give ids a name: `primary_identifier` of meters, `name` of sites.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per bar (site, meter, commodity) with its `amount` and position (`begins`, `ends`); the
        last bar ends at 0.

    Raises
    ------
    DataError
        If a column is missing or the rows are in more than one currency.
    """
    currency = one_currency(attributed, "A waterfall of a bill")
    table = payers(attributed, meters, sites)
    frame = _falling(table)
    if frame.empty:
        return empty(frame, title, "No charges to draw: no row carries an amount.")
    total = round(float(frame["amount"].sum()), 6)
    in_sites = frame.loc[frame["site"].ne(NO_METER), "site"].nunique()
    into = f" into {plural(len(frame), 'bar')}, of {plural(in_sites, 'site')}."
    description = f"{total:,.2f} {currency}".rstrip() + into
    shown = _falling(folded(table))
    with house_style():
        picture = Picture(frame, title, description, (9.6, max(2.7, 1.5 + 0.31 * (len(shown) + 1))))
        axis = picture.subplots()
        _bars(axis, shown, total, currency)
        picture.supxlabel(
            "Each bar begins where the one above it ends; together they add up to the bill.",
            x=0.01,
            ha="left",
            fontsize=8.5,
            color=QUIET,
        )
    return picture


def _falling(table: pd.DataFrame) -> pd.DataFrame:
    """Return each bar with its amount, start and end, counting down from the total."""
    frame = table[["site", "meter", "commodity"]].assign(amount=table["total"])
    ends = (frame["amount"].sum() - frame["amount"].cumsum()).round(6)
    return frame.assign(begins=(ends + frame["amount"]).round(6), ends=ends)


def _bars(axis: Axes, frame: pd.DataFrame, total: float, currency: str) -> None:
    """Draw the bill and its breakdown, from top to bottom."""
    axis.barh(0, total, height=_BAR, color=_TOTAL.colour, edgecolor=INK, linewidth=0.5)
    spans = zip(frame["begins"].tolist(), frame["ends"].tolist(), strict=True)
    for place, (fill, (begins, ends)) in enumerate(zip(_fills(frame), spans, strict=True), start=1):
        axis.barh(
            place, ends - begins, left=begins, height=_BAR, color=fill.colour, hatch=fill.hatch, edgecolor=INK,
            linewidth=0.5,
        )  # fmt: skip
        axis.plot([begins] * 2, [place - 1 + _BAR / 2, place - _BAR / 2], color=INK, linewidth=0.7)
    amounts = [total, *frame["amount"].tolist()]
    right = [max(total, 0.0), *frame[["begins", "ends"]].max(axis=1).tolist()]
    for place, (amount, end) in enumerate(zip(amounts, right, strict=True)):
        axis.annotate(f"{amount:,.2f}", (end, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(range(len(frame) + 1), ["The bill", *bar_labels(frame)], fontsize=8.5)
    axis.get_yticklabels()[0].set_fontweight("bold")
    axis.set_ylim(len(frame) + 0.6, -0.6)
    low, high = min(0.0, total, *frame["ends"].tolist()), max(0.0, *right)
    reach = max(high - low, 1e-9)
    axis.set_xlim(low - 0.02 * reach * (low < 0), high + 0.15 * reach)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_xlabel(currency)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(grouped_digits())
    axis.tick_params(length=3)
    axis.grid(axis="x", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)
    _site_sums(axis, frame)


def _fills(frame: pd.DataFrame) -> list[Fill]:
    """Return the fill of each bar: sites alternate, what no meter pays has its own."""
    fills, turn = [], 0
    for site, bars in groupby(frame["site"]):
        fill = _NOBODY if site == NO_METER else _SITES[turn % len(_SITES)]
        turn += site != NO_METER
        fills += [fill] * len(list(bars))
    return fills


def _site_sums(axis: Axes, frame: pd.DataFrame) -> None:
    """Bracket the meters of each site that has several, with their sum, on the right."""
    short = told_apart(frame["site"].unique().tolist(), 24)
    place = 1
    for site, bars in groupby(zip(frame["site"], frame["amount"].tolist(), strict=True), key=itemgetter(0)):
        amounts = [amount for _, amount in bars]
        if len(amounts) > 1 and site != NO_METER:
            top, low = place - _BAR / 2, place + len(amounts) - 1 + _BAR / 2
            across = axis.get_yaxis_transform()
            axis.plot([1.005, 1.012, 1.012, 1.005], [top, top, low, low], transform=across, color=INK, linewidth=0.8,
                      clip_on=False)  # fmt: skip
            axis.text(
                1.02, (top + low) / 2, f"{short[site]}\n{sum(amounts):,.2f}", transform=across, va="center",
                fontsize=8, linespacing=1.15,
            )  # fmt: skip
        place += len(amounts)

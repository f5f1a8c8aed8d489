"""A bill's charges by meter: who pays, and for what. The attribution itself is the methodology's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nectar_notebooks.errors import DataError
from nectar_notebooks.plots.picture import Picture, empty, house_style, require
from nectar_notebooks.plots.style import (
    CHARGES,
    INK,
    QUIET,
    TEXT,
    fill_of,
    in_order,
    series_label,
    shortened,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bill_charges"]

_COLUMNS = ("meter_id", "site_id", "commodity", "charge_type", "amount", "currency")
_SOURCE = "the rows of one bill from nn.attribute"
_MOST_BARS = 60
_KEYS = ["site", "meter", "commodity"]
_NO_METER = "no meter"


def bill_charges(
    attributed: pd.DataFrame,
    *,
    meters: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    title: str = "Where the bill's money went",
) -> Picture:
    """Draw the charges of a bill as one bar per meter, stacked by kind of charge and gathered by site.

    What no meter pays (late fees, unattributed charges, the residual) has bars of its own below the meters,
    so that the bars add up to the bill. Credits reach to the left of zero.

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
        Its `frame` has a row per bar (site, meter, commodity), a column per kind of charge, and the total.

    Raises
    ------
    DataError
        If a column is missing or the rows are in more than one currency.
    """
    require(attributed, _COLUMNS, "A picture of a bill's charges", _SOURCE)
    currencies = sorted(attributed["currency"].dropna().unique())
    if len(currencies) > 1:
        raise DataError(
            f"These charges are in {' and '.join(currencies)}, which are never added.",
            advice="Draw one currency at a time.",
        )
    currency = str(currencies[0]) if currencies else ""
    frame = _per_bar(_named(attributed, meters, sites))
    if frame.empty:
        return empty(frame, title, "No charges to draw: no row carries an amount.")
    total = frame["total"].sum()
    description = f"{len(frame)} bars that add up to {total:,.2f} {currency}".rstrip() + "."
    shown = frame if len(frame) <= _MOST_BARS else _folded(frame)
    with house_style():
        picture = Picture(frame, title, description, (9.6, max(2.9, 1.5 + 0.34 * len(shown))))
        axis = picture.subplots()
        _bars(axis, shown, currency)
        picture.supxlabel(
            f"The bars add up to {total:,.2f} {currency}".rstrip(), x=0.01, ha="left", fontsize=9, color=QUIET
        )
    return picture


def _named(attributed: pd.DataFrame, meters: pd.DataFrame | None, sites: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows with an amount, each with the words its bar is called by."""
    rows = attributed.loc[attributed["amount"].notna()].copy()
    nameless = rows["meter_id"].isna()
    rows["meter"] = _looked_up(rows["meter_id"], meters, "meter_id", "primary_identifier")
    rows["site"] = _looked_up(rows["site_id"], sites, "site_id", "name").fillna("no site")
    kinds = rows["subtype"] if "subtype" in rows else pd.Series(None, rows.index, dtype="object")
    rows["commodity"] = [
        series_label(commodity, None if pd.isna(kind) else kind) if isinstance(commodity, str) else ""
        for commodity, kind in zip(rows["commodity"], kinds, strict=True)
    ]
    methods = rows["method"].astype(TEXT) if "method" in rows else pd.Series(_NO_METER, rows.index, dtype=TEXT)
    rows["meter"] = rows["meter"].mask(nameless, methods.fillna(_NO_METER).map(_method_words).astype(TEXT))
    rows.loc[nameless, "site"] = _NO_METER
    rows.loc[nameless, "commodity"] = ""
    return rows.assign(charge_type=rows["charge_type"].astype(TEXT).fillna("OTHER"))


def _method_words(method: str) -> str:
    return method[:1].upper() + method[1:]


def _looked_up(ids: pd.Series, table: pd.DataFrame | None, key: str, name: str) -> pd.Series:
    """Return the name of each id, or the id where the table has none."""
    ids = ids.astype(TEXT)
    if table is None:
        return ids
    return ids.map(table.dropna(subset=[key]).set_index(key)[name].dropna().to_dict()).astype(TEXT).fillna(ids)


def _per_bar(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per bar and a column per kind of charge; meters first, sites with the most first."""
    frame = rows.groupby([*_KEYS, "charge_type"])["amount"].sum().unstack("charge_type")
    frame = frame[in_order(frame.columns, CHARGES)].rename_axis(None, axis=1)
    frame = frame.round(6).assign(total=frame.sum(axis=1).round(6)).reset_index()
    frame["last"] = frame["site"].eq(_NO_METER)
    frame["of_site"] = frame.groupby("site")["total"].transform("sum")
    frame = frame.sort_values(["last", "of_site", "site", "total", "meter"], ascending=[True, False, True, False, True])
    return frame.drop(columns=["last", "of_site"]).reset_index(drop=True)


def _folded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the largest bars and one that adds up the rest, which the picture cannot show one by one."""
    head, rest = frame.iloc[: _MOST_BARS - 1], frame.iloc[_MOST_BARS - 1 :]
    row = {
        "site": "further sites",
        "meter": f"{len(rest)} more",
        "commodity": "",
        **rest.drop(columns=_KEYS).sum(min_count=1),
    }
    return pd.concat([head, pd.DataFrame([row])], ignore_index=True)


def _bars(axis: Axes, frame: pd.DataFrame, currency: str) -> None:
    """Draw the bars from top to bottom, each with its total at the end."""
    places = range(len(frame))
    right, left = pd.Series(0.0, frame.index), pd.Series(0.0, frame.index)
    kinds = [column for column in frame.columns if column not in {*_KEYS, "total"}]
    strangers = [kind for kind in kinds if kind not in CHARGES]
    for kind in kinds:
        amounts = frame[kind].fillna(0.0)  # a kind a meter does not pay has no width; the frame keeps it missing
        fill = fill_of(kind, CHARGES, strangers)
        axis.barh(
            places, amounts, left=right.where(amounts >= 0, left), height=0.72, color=fill.colour,
            hatch=fill.hatch, edgecolor=INK, linewidth=0.5, label=words(kind),
        )  # fmt: skip
        right, left = right + amounts.clip(lower=0), left + amounts.clip(upper=0)
    for place, end, total in zip(places, right, frame["total"], strict=True):
        axis.annotate(f"{total:,.2f}", (end, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(list(places), _bar_labels(frame), fontsize=8.5)
    spare = max(0.0, (3 - len(frame)) / 2)  # one bar alone stays slim
    axis.set_ylim(len(frame) - 0.4 + spare, -0.6 - spare)
    reach = max(right.max() - left.min(), 1e-9)
    axis.set_xlim(left.min() - 0.02 * reach * bool(left.min()), right.max() + 0.14 * reach)
    axis.axvline(0, color=INK, linewidth=0.6)
    axis.set_xlabel(currency)
    axis.xaxis.set_major_locator(MaxNLocator(6))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.tick_params(length=3)
    axis.grid(axis="x", color="#e4e8ec", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5, handleheight=1.3)


def _bar_labels(frame: pd.DataFrame) -> list[str]:
    """Return the words left of each bar, shortened where a name would push the picture aside."""
    labels = []
    for site, meter, commodity in zip(frame["site"], frame["meter"], frame["commodity"], strict=True):
        what = f"{meter} ({commodity.lower()})" if commodity else meter
        labels.append(what if site == _NO_METER else f"{shortened(site, 32)}  ·  {shortened(what, 36)}")
    return labels

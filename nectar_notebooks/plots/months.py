"""One bill over the calendar: its service period as a band, and below it the part that falls in each month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.plots.payers import looked_up
from nectar_notebooks.plots.picture import Picture, empty, house_style, require
from nectar_notebooks.plots.style import INK, MONTHS, QUIET, TEXT, plural, series_label, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bill_months"]

_NEEDED = ("meter_id", "month", "usage", "unit", "first_day", "last_day")
_SOURCE = "the rows of nn.calendarize for the usage of one bill"
_MOST_LANES: Final = 12
_LANE: Final = ["meter_id", "commodity", "subtype", "unit"]
#: Months alternate between these, which differ in lightness.
_SHADES: Final = ("#9cc7e4", "#dcebf7")
_WHOLE: Final = "#3d4a57"
#: Minimum widths, as shares of the picture's width, for the text in a band, and for all text or any text in a piece.
_BAND, _NARROW, _TINY = 0.4, 0.09, 0.045


def bill_months(
    calendarized: pd.DataFrame, *, meters: pd.DataFrame | None = None, title: str = "One bill, month by month"
) -> Picture:
    """Draw how a bill's usage is split into calendar months, one lane per meter.

    The dark band is the service period with its total usage; below it are the months, each with its days and its part
    of the usage. Each part is as wide as its days, and the parts add up to the total.

    Parameters
    ----------
    calendarized : pandas.DataFrame
        Rows of `nn.calendarize` for the usage of one bill: `meter_id`, `month`, `usage`, `unit`, `first_day`,
        `last_day`; optional `commodity`, `subtype`, `days_covered`, `cost` with `currency`.
    meters : pandas.DataFrame, optional
        Table with a name for each meter: `primary_identifier`.
    title : str
        Title of the picture.

    Returns
    -------
    Picture
        Its `frame` has one row per piece: meter, month, first and last day, days, usage and unit; cost and currency if
        given.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import nectar_notebooks as nn
    >>> bill = {"meter_id": "m1", "start_date": "2024-01-15", "end_date": "2024-02-14", "usage": 3100, "unit": "kWh"}
    >>> bill_months(nn.calendarize(pd.DataFrame([bill]))).frame["usage"].tolist()
    [1700.0, 1400.0]
    """
    require(calendarized, _NEEDED, "A picture of a bill's months", _SOURCE)
    frame = _pieces(calendarized, meters)
    if frame.empty:
        return empty(frame, title, "No months to draw: the frame has no row with a month, its days and a usage.")
    lanes = list(dict.fromkeys(frame["lane"]))
    shown = frame[frame["lane"].isin(lanes[:_MOST_LANES])]
    first, last = shown["first_day"].min(), shown["last_day"].max()
    description = f"{plural(len(lanes), 'meter')} from {first:%Y-%m-%d} to {last:%Y-%m-%d}, both counted."
    with house_style():
        height = 1.1 + 1.15 * shown["lane"].nunique()
        picture = Picture(frame.drop(columns="lane"), title, description, (9.6, height))
        axis = picture.subplots()
        for place, lane in enumerate(lanes[:_MOST_LANES]):
            _lane(axis, shown[shown["lane"] == lane], place, first, last)
        _calendar(axis, first, last)
        axis.set_yticks(range(len(lanes[:_MOST_LANES])), [_lane_words(frame, lane) for lane in lanes[:_MOST_LANES]])
        axis.tick_params(axis="y", length=0, labelsize=8.5)
        axis.set_ylim(len(lanes[:_MOST_LANES]) - 0.5, -0.5)
        if len(lanes) > _MOST_LANES:
            left = f"{_MOST_LANES} of {len(lanes):,} meters are shown"
            axis.set_title(left, loc="left", fontsize=8.5, color=QUIET)
    return picture


def _pieces(calendarized: pd.DataFrame, meters: pd.DataFrame | None) -> pd.DataFrame:
    """Return the pieces that have a month, with their lanes, in drawing order."""
    known = calendarized[["month", "usage", "first_day", "last_day"]].notna().all(axis=1)
    rows = calendarized[known].reset_index(drop=True)
    keys = [name for name in _LANE if name in rows]
    lane = pd.Series("", rows.index, dtype=TEXT)
    for name in keys:
        lane = lane + rows[name].astype(TEXT).fillna("") + "\x1f"
    days = rows["days_covered"] if "days_covered" in rows else (rows["last_day"] - rows["first_day"]).dt.days + 1.0
    rows = rows.assign(
        lane=lane,
        days=days.astype("float64"),
        meter=looked_up(rows["meter_id"], meters, "meter_id", "primary_identifier"),
    )
    rows = rows.sort_values(["lane", "month", "first_day"], kind="stable", ignore_index=True)
    names = ["lane", "meter", "commodity", "subtype", "month", "first_day", "last_day", "days", "usage", "unit"]
    paid = ["cost", "currency"] if {"cost", "currency"} <= set(rows) and rows["cost"].notna().any() else []
    return rows[[name for name in [*names, *paid] if name in rows]]


def _lane_words(frame: pd.DataFrame, lane: str) -> str:
    row = frame[frame["lane"] == lane].iloc[0]
    commodity, subtype = row.get("commodity"), row.get("subtype")
    words = [shortened(str(row["meter"]) if isinstance(row["meter"], str) else "no meter", 26)]
    if isinstance(commodity, str):
        words.append(shortened(series_label(commodity, subtype if isinstance(subtype, str) else None), 26))
    return "\n".join(words)


def _lane(axis: Axes, pieces: pd.DataFrame, place: int, first_of_all: pd.Timestamp, last_of_all: pd.Timestamp) -> None:
    """Draw one meter: the band of the bill on top, its months below."""
    width, middle = _days(first_of_all, last_of_all), _middle(first_of_all, last_of_all)
    begin, stop = pieces["first_day"].min(), pieces["last_day"].max()
    whole = f"{pieces['usage'].sum():,.10g} {pieces['unit'].iloc[0]}"
    if "cost" in pieces and pieces["cost"].notna().any():
        whole += f",  {pieces['cost'].sum():,.2f} {pieces['currency'].dropna().iloc[0]}"
    _box(axis, begin, stop, place - 0.4, 0.2, _WHOLE)
    _say(axis, begin, stop, place - 0.3, f"{begin:%Y-%m-%d} to {stop:%Y-%m-%d}:  {whole}",
         inside=_days(begin, stop) >= _BAND * width, colour="white", before=_middle(begin, stop) > middle)  # fmt: skip
    for turn, row in enumerate(pieces.to_dict("records")):
        first, last = row["first_day"], row["last_day"]
        _box(axis, first, last, place - 0.16, 0.54, _SHADES[turn % len(_SHADES)])
        month = MONTHS[first.month - 1]
        words = [f"{month} {first.year}", _day_words(row["days"]), f"{row['usage']:,.6g} {row['unit']}"]
        if "cost" in row and pd.notna(row["cost"]):
            words.append(f"{row['cost']:,.2f} {row['currency']}")
        if _days(first, last) < _NARROW * width:
            words = [month, f"{row['usage']:,.4g}"]
        inside = _days(first, last) >= _TINY * width
        before = turn == 0 and len(pieces) > 1
        _say(axis, first, last, place + 0.11, "\n".join(words), inside=inside, before=before)


def _say(
    axis: Axes, first: pd.Timestamp, last: pd.Timestamp, height: float, words: str, *, inside: bool, before: bool,
    colour: str = INK,
) -> None:  # fmt: skip
    """Write text into a band, or next to it if it does not fit."""
    place = _middle(first, last) if inside else _number(first) if before else _number(last) + 1
    axis.annotate(
        words, (place, height), (0 if inside else -4 if before else 4, 0), textcoords="offset points", va="center",
        ha="center" if inside else "right" if before else "left", fontsize=7.5, linespacing=1.2,
        color=colour if inside else INK,
    )  # fmt: skip


def _day_words(days: float) -> str:
    return f"{days:g} {'day' if days == 1 else 'days'}"


def _days(first: pd.Timestamp, last: pd.Timestamp) -> int:
    return int((last - first).days) + 1


def _number(day: pd.Timestamp) -> float:
    return float((day - pd.Timestamp(1970, 1, 1)) / pd.Timedelta(days=1))


def _middle(first: pd.Timestamp, last: pd.Timestamp) -> float:
    return (_number(first) + _number(last) + 1) / 2


def _box(axis: Axes, first: pd.Timestamp, last: pd.Timestamp, top: float, height: float, colour: str) -> None:
    """Fill the days from `first` to `last`, inclusive."""
    axis.barh(top, _number(last) + 1 - _number(first), left=_number(first), height=height, align="edge", color=colour,
              edgecolor=INK, linewidth=0.6)  # fmt: skip


def _calendar(axis: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    """Draw and label month boundaries behind the bands."""
    months = pd.date_range(first.to_period("M").start_time, last, freq="MS")
    spare = max(1.0, 0.045 * _days(first, last))
    axis.set_xlim(_number(first) - spare, _number(last) + 1 + spare)
    step = int(np.ceil(len(months) / 14))
    inside = [month for month in months if month > first - pd.Timedelta(days=spare)]
    for month in inside:
        axis.axvline(_number(month), color="#8a96a3", linewidth=0.9, linestyle=(0, (3, 2)), zorder=0)
    ticks = inside[::step]
    axis.set_xticks([_number(month) for month in ticks], [f"1 {MONTHS[m.month - 1]}\n{m.year}" for m in ticks])
    axis.tick_params(axis="x", labelsize=8, length=3)
    axis.spines["left"].set_visible(False)

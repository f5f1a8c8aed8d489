"""A bill drawn over the calendar: a band from its first day to its last, cut where a month ends.

A pure function from the pieces of a bill to inline SVG, which looks the same in every theme and describes itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.dashboards.html import Markup, count, element, join
from nectar_notebooks.dashboards.svg import letter, picture

if TYPE_CHECKING:
    from nectar_notebooks.methodology.time.calendar import Convention

__all__ = ["band"]

_WIDTH: Final = 760
_HEIGHT, _STEP, _TOP = 24, 32, 22
_FILLS: Final = (("#1f6f8b", "#ffffff"), ("#9fd0de", "#12303a"))
#: Bands of one picture: bills of more periods show the first.
_MOST: Final = 8


def band(pieces: pd.DataFrame, convention: Convention, name: str) -> Markup:
    """Return the service periods of a bill as bands over the months they fall into.

    Parameters
    ----------
    pieces : DataFrame
        The bill's pieces, as :func:`nectar_notebooks.explain` gives them for months: `month`, `quantity`,
        `start_date`, `end_date`, `days`.
    convention : {"inclusive", "exclusive", "midday"}
        Decides where on its first day a band begins.
    name : str
        What the bill is called.
    """
    dated = pieces[pieces["month"].notna()]
    used = dated[dated["quantity"].eq("usage")]
    shown = (used if len(used) else dated).drop_duplicates(["start_date", "end_date", "month"])
    if shown.empty:
        return element("p", "No piece of this bill has a date, so there is no band to draw.", style="font-size:13px")
    months = pd.date_range(shown["month"].min(), shown["month"].max(), freq="MS")
    stop = months[-1] + pd.offsets.MonthBegin(1)
    scale = _WIDTH / (stop - months[0]).days
    periods = list(shown.groupby(["start_date", "end_date"], sort=True, dropna=False))
    height = _TOP + min(len(periods), _MOST) * _STEP
    parts, said = _axis(months, stop, scale, height), []
    for line, (_, rows) in enumerate(periods[:_MOST]):
        start, end = rows["start_date"].iloc[0], rows["end_date"].iloc[0]
        top = _TOP + line * _STEP
        place = (start - months[0]).days + (0.5 if convention == "midday" and pd.notna(end) and end != start else 0.0)
        for number, (month, length, whole) in enumerate(
            rows.sort_values("month")[["month", "days", "of_days"]].itertuples(index=False)
        ):
            parts += _piece(place * scale, length * scale, top, number, f"{month:%b %Y}", length, whole)
            said.append(f"{_days(length)} of {whole:g} in {month:%b %Y}")
            place += length
    left = len(periods) - _MOST
    if left > 0:
        said.append(f"{count(left, 'further period')} not drawn")
    return picture(join(parts), _WIDTH, height, f"{name} over the calendar", "; ".join(said) + ".")


def _axis(months: pd.DatetimeIndex, stop: pd.Timestamp, scale: float, height: int) -> list[Markup]:
    """Return a line at the beginning of each month, with its name where there is room."""
    parts = []
    for month in [*months, stop]:
        x = f"{(month - months[0]).days * scale:.1f}"
        parts.append(
            element("line", x1=x, x2=x, y1="16", y2=f"{height}", stroke="rgba(127,127,127,.5)", stroke_width="1")
        )
    wide = scale * 30
    for month in months:
        label = f"{month:%b %Y}" if wide >= 62 else f"{month:%b}"[0] if month.month != 1 else f"{month:%y}"
        parts.append(
            letter(
                label, ((month - months[0]).days + month.days_in_month / 2) * scale, 12, "currentColor", "middle", 12
            )
        )
    return parts


def _piece(left: float, wide: float, top: int, number: int, month: str, length: float, whole: float) -> list[Markup]:
    fill, ink = _FILLS[number % len(_FILLS)]
    box = element(
        "rect", element("title", f"{month}: {_days(length)} of {whole:g}"), x=f"{left:.1f}", y=f"{top}",
        width=f"{max(wide - 1, 1):.1f}", height=f"{_HEIGHT}", rx="3", fill=fill, stroke="#12303a", stroke_width="0.6",
    )  # fmt: skip
    label = _days(length) if wide >= 58 else f"{length:g}" if wide >= 16 else ""
    return [box, letter(label, left + wide / 2, top + 16, ink, "middle", 12)] if label else [box]


def _days(length: float) -> str:
    return f"{length:g} day" if length == 1 else f"{length:g} days"

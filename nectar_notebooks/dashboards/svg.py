"""Inline pictures of months: a strip of what has bills, and a timeline of statuses on the same axis.

Each has a title and a description for who cannot see it, fixed sizes and no ids; missing months carry a mark of
their own beside the colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.dashboards.coverage import COMPLETE, FUTURE, MISSING, NOT_REQUIRED, PART, SHOWN, runs
from nectar_notebooks.dashboards.html import FAMILIES, Markup, count, day, element, family_of, join, status_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "LOOKS",
    "family_legend",
    "legend",
    "letter",
    "months_axis",
    "months_in_words",
    "picture",
    "strip",
    "strip_cells",
    "timeline",
]

#: Fill and ink of each state of a month.
LOOKS: Final = {
    COMPLETE: ("#2f9e62", "#ffffff"),
    MISSING: ("#c8371f", "#ffffff"),
    PART: ("#e2a400", "#3d2b00"),
    FUTURE: ("rgba(127,127,127,.12)", "currentColor"),
    NOT_REQUIRED: ("rgba(127,127,127,.25)", "currentColor"),
}
_MARKS: Final = {COMPLETE: "", MISSING: "×", PART: "!", FUTURE: "…", NOT_REQUIRED: ""}

_CELL, _GAP, _HEIGHT = 22, 2, 20


def months_in_words(codes: NDArray[np.int8], months: pd.DatetimeIndex) -> str:
    """Return what a strip shows in a sentence.

    Examples
    --------
    >>> import numpy as np
    >>> months_in_words(np.array([1, 2], dtype=np.int8), pd.DatetimeIndex(["2025-11-01", "2025-12-01"]))
    '1 of 2 months complete; missing: Dec 2025.'
    """
    asked = int(((codes == COMPLETE) | (codes == MISSING) | (codes == PART)).sum())
    if not asked:
        return "No month is expected to have bills."
    said = [f"{int((codes == COMPLETE).sum())} of {count(asked, 'month')} complete"]
    for code in (MISSING, PART):
        spans = [_span(months, start, length) for one, start, length in runs(codes) if one == code]
        if spans:
            said.append(f"{SHOWN[code]}: {', '.join(spans)}")
    return "; ".join(said) + "."


def _span(months: pd.DatetimeIndex, start: int, length: int) -> str:
    first, last = months[start], months[start + length - 1]
    return f"{first:%b %Y}" if length == 1 else f"{first:%b %Y} to {last:%b %Y}"


def strip(codes: NDArray[np.int8], months: pd.DatetimeIndex, name: str) -> Markup:
    """Return a strip of months: one cell each, with the year above each January and the month's letter below."""
    inside = join([*_cells(codes, months, _CELL + _GAP, 16), *_axis(months, _CELL + _GAP, 12, 50)])
    return picture(inside, _width(months), 56, f"Months with bills: {name}", months_in_words(codes, months))


def strip_cells(codes: NDArray[np.int8], months: pd.DatetimeIndex, name: str, step: int) -> Markup:
    """Return a bare strip, for a grid of which each column is `step` pixels wide."""
    inside = join(_cells(codes, months, step, 1))
    return picture(inside, len(months) * step, 22, f"Months with bills: {name}", months_in_words(codes, months))


def months_axis(months: pd.DatetimeIndex, step: int) -> Markup:
    """Return years and months' letters, to stand above strips of the same step."""
    spanned = f"{months[0]:%b %Y} to {months[-1]:%b %Y}"
    return picture(join(_axis(months, step, 12, 28)), len(months) * step, 32, "Months", spanned)


def _cells(codes: NDArray[np.int8], months: pd.DatetimeIndex, step: int, top: int) -> list[Markup]:
    cells = []
    for place, (code, month) in enumerate(zip(codes.tolist(), months, strict=True)):
        fill, ink = LOOKS[code]
        left = place * step + _GAP / 2
        inside = element("title", f"{month:%b %Y}: {SHOWN[code]}")
        cells.append(
            element(
                "rect",
                inside,
                x=f"{left:g}",
                y=f"{top}",
                width=f"{step - _GAP}",
                height=f"{_HEIGHT}",
                rx="3",
                fill=fill,
            )
        )
        if _MARKS[code]:
            cells.append(letter(_MARKS[code], left + (step - _GAP) / 2, top + 14, ink, "middle", 13))
    return cells


def timeline(history: pd.DataFrame, months: pd.DatetimeIndex, today: pd.Timestamp, name: str) -> Markup:
    """Return a timeline of statuses from `history` (columns ``status``, ``family``, ``start``, ``end``)."""
    first, last = months[0], months[-1] + pd.offsets.MonthEnd(1) + pd.Timedelta(days=1)
    width = _width(months)
    scale = width / (last - first).days

    def place(moment: pd.Timestamp) -> float:
        return round(min(max((moment - first).total_seconds() / 86400 * scale, 0.0), float(width)), 1)

    parts = [element("rect", x="0", y="4", width=f"{width}", height="14", rx="3", fill="rgba(127,127,127,.15)")]
    said: list[str] = []
    for status, family, start, end in history[["status", "family", "start", "end"]].itertuples(index=False):
        look = family_of(family)
        until = today if pd.isna(end) else end
        left, right = place(start), place(until)
        label = f"{status_words(status)}, from {day(start)}" + ("" if pd.isna(end) else f" to {day(end)}")
        said.append(label)
        if until > first:
            parts.append(
                element(
                    "rect",
                    element("title", label),
                    x=f"{left}",
                    y="4",
                    width=f"{max(right - left, 3.0):.1f}",
                    height="14",
                    rx="2",
                    fill=look.strong,
                    stroke=look.ink,
                    stroke_width="0.5",
                )
            )
    return picture(join(parts), width, 22, f"Statuses over time: {name}", "; ".join(said) + ".")


def legend(codes: Sequence[int] = (COMPLETE, PART, MISSING, NOT_REQUIRED, FUTURE)) -> Markup:
    """Return what the colours and marks of a strip mean."""
    parts = []
    for code in codes:
        fill, ink = LOOKS[code]
        swatch = element(
            "span",
            _MARKS[code] or Markup("&nbsp;"),
            aria_hidden="true",
            style=f"display:inline-block;width:16px;height:14px;line-height:14px;border-radius:3px;text-align:center;"
            f"font-size:11px;margin-right:5px;background:{fill};color:{ink}",
        )
        parts.append(element("span", swatch, SHOWN[code], style="margin-right:14px;white-space:nowrap"))
    return element("div", join(parts), style="font-size:12px;line-height:20px;margin:2px 0 6px 0")


def family_legend() -> Markup:
    """Return what the colours of a timeline mean."""
    parts = [
        element(
            "span",
            element(
                "span",
                Markup("&nbsp;"),
                aria_hidden="true",
                style=f"display:inline-block;width:16px;height:10px;border-radius:2px;margin-right:5px;"
                f"background:{look.strong}",
            ),
            look.label,
            style="margin-right:14px;white-space:nowrap",
        )
        for look in FAMILIES.values()
    ]
    return element("div", join(parts), style="font-size:12px;line-height:20px;margin:2px 0 6px 0")


def _width(months: pd.DatetimeIndex) -> int:
    return len(months) * (_CELL + _GAP)


def _axis(months: pd.DatetimeIndex, step: int, years_at: int, months_at: int) -> list[Markup]:
    marks = []
    for place, month in enumerate(months):
        left = place * step
        marks.append(letter(f"{month:%b}"[0], left + step / 2, months_at, "currentColor", "middle", 10))
        if month.month == 1 or (place == 0 and month.month < 11):  # two years beside each other would overlap
            marks.append(letter(f"{month.year}", left + _GAP / 2, years_at, "currentColor", "start", 11))
    return marks


def letter(word: str, x: float, y: float, ink: str, anchor: str, size: int) -> Markup:
    """Return a word or a letter in a picture; the picture's description says what it says."""
    return element(
        "text", word, x=f"{x:g}", y=f"{y:g}", fill=ink, text_anchor=anchor, font_size=f"{size}",
        font_family="system-ui, sans-serif", aria_hidden="true",
    )  # fmt: skip


def picture(inside: Markup, width: int, height: int, name: str, description: str) -> Markup:
    """Return a picture with a title and a description."""
    return element(
        "svg",
        element("title", name),
        element("desc", description),
        inside,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=f"{width}",
        height=f"{height}",
        role="img",
        aria_label=f"{name}. {description}",
        style="max-width:100%;display:block;overflow:visible",
    )

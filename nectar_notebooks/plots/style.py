"""How pictures look: colors with hatches, and labels of values, months and money. Draws nothing.

Every color is paired with a hatch, and the pairs differ in lightness, so that they can be told apart in black and
white. Labels name commodities and charges as a person would, not as the API spells them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from nectar_notebooks.schema.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


__all__ = [
    "CHARGES",
    "COMMODITIES",
    "HOUSE",
    "INK",
    "MONTHS",
    "QUIET",
    "TEXT",
    "Fill",
    "fill_of",
    "in_order",
    "month_ticks",
    "months_span",
    "plural",
    "series_label",
    "shortened",
    "told_apart",
    "words",
]

INK: Final = "#1f2933"
QUIET: Final = "#6b7785"


#: Settings of every picture, whatever the user's own matplotlib settings are.
HOUSE: Final[dict[Any, Any]] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is not math
    "axes.edgecolor": "#b8c1cc",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "white",
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "nectar_notebooks",
}


@dataclass(frozen=True, slots=True)
class Fill:
    """A color, and a hatch to tell it apart in black and white."""

    colour: str
    hatch: str = ""


#: In drawing order.
COMMODITIES: Final[dict[str, Fill]] = {
    "ELECTRICITY": Fill("#f2b134"),
    "SOLAR": Fill("#f7d98b", "oo"),
    "GAS": Fill("#b5452c", "//"),
    "FUEL": Fill("#7a4a2b", "xx"),
    "DISTRICT": Fill("#8e4162", "\\\\"),
    "WATER": Fill("#7fbbe3", ".."),
    "WASTE": Fill("#7d8f5a", "++"),
    "REFRIGERANT": Fill("#9fd3c7", "--"),
    "TELECOM": Fill("#b6a6d8", "||"),
    "MISC": Fill("#c5ccd3", "**"),
}

#: Kinds of charges in stacking order.
CHARGES: Final[dict[str, Fill]] = {
    "SUPPLY": Fill("#1f4e79"),
    "DELIVERY": Fill("#4a90c2", "//"),
    "DEMAND": Fill("#f2b134", "\\\\"),
    "CUSTOMER": Fill("#a8cbe6", ".."),
    "FEE": Fill("#c5ccd3", "--"),
    "TAX": Fill("#7d8f5a", "||"),
    "OTHER": Fill("#9aa5b1", "++"),
    "CREDIT": Fill("#dfe8d2", "xx"),
    "LATE_FEE": Fill("#c8553d", "**"),
    "RESIDUAL": Fill("#ffffff", "oo"),
}

_UNKNOWN: Final = (
    Fill("#8e4162", "//"),
    Fill("#b6a6d8", "\\\\"),
    Fill("#e5b3a6", ".."),
    Fill("#5b6770", "xx"),
)

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def fill_of(name: str, known: Mapping[str, Fill], others: Sequence[str] = ()) -> Fill:
    """Return the fill of `name`; unknown names take spare fills by their position in `others`."""
    if name in known:
        return known[name]
    return _UNKNOWN[others.index(name) % len(_UNKNOWN)] if name in others else _UNKNOWN[0]


def shortened(text: str, most: int) -> str:
    """Return `text`, its middle cut out if it is longer than `most`: names usually differ at their ends.

    Examples
    --------
    >>> shortened("Distribution Center Number 39", 15)
    'Distrib…mber 39'
    """
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[len(text) - (most - head - 1) :]}"


def told_apart(names: Iterable[str], most: int) -> dict[str, str]:
    """Return each name shortened to `most`, cut so that different names stay different.

    Examples
    --------
    >>> list(told_apart(["Distribution Center 1 of the North", "Distribution Center 2 of the North"], 22).values())
    ['Distribution Center 1…', 'Distribution Center 2…']
    """
    short = {name: shortened(name, most) for name in names}
    for cut in (lambda name: f"{name[: most - 1]}…", lambda name: f"…{name[1 - most :]}", lambda name: name):
        seen = list(short.values())
        alike = [name for name, text in short.items() if len(name) > most and seen.count(text) > 1]
        if not alike:
            break
        short |= {name: cut(name) for name in alike}
    return short


def months_span(count: int) -> tuple[float, float]:
    """Return the limits of an axis of `count` bars; a few bars are centered and stay slim."""
    spare = max(0.0, (6 - count) / 2)
    return -0.7 - spare, count - 0.3 + spare


def in_order(names: Iterable[object], known: Iterable[str]) -> list[str]:
    """Return `names` in the order of `known`, then unknown ones alphabetically."""
    order = {name: place for place, name in enumerate(known)}
    return sorted(map(str, names), key=lambda name: (order.get(name, len(order)), name))


def words(value: str) -> str:
    """Return an API value in readable form.

    Examples
    --------
    >>> words("POTABLE_WATER")
    'Potable water'
    """
    text = value.replace("_", " ").strip()
    return text[:1].upper() + text[1:].lower() if text.isupper() else text


def plural(number: int, noun: str) -> str:
    """Return a number with its noun, singular or plural.

    Examples
    --------
    >>> plural(1, "site"), plural(1200, "site")
    ('1 site', '1,200 sites')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def series_label(commodity: str, subtype: str | None) -> str:
    """Return the label of a series: the commodity, and its subtype if that adds information.

    Examples
    --------
    >>> series_label("WATER", "WASTEWATER")
    'Water: wastewater'
    >>> series_label("ELECTRICITY", None)
    'Electricity'
    """
    if not subtype or subtype == "USAGE":  # the ordinary subtype of electricity: adds nothing
        return words(commodity)
    return f"{words(commodity)}: {words(subtype).lower() if subtype.isupper() or '_' in subtype else subtype}"


def month_ticks(months: pd.DatetimeIndex) -> tuple[list[int], list[str]]:
    """Return positions and labels for an axis of consecutive months, few enough to read."""
    count = len(months)
    step = next(step for step in (1, 3, 6, 12, 24, 60, 120) if count / step <= 12 or step == 120)
    first = 0 if count <= 12 else next(i for i, month in enumerate(months) if (month.month - 1) % min(step, 12) == 0)
    positions = list(range(first, count, step))
    labels = []
    for place, position in enumerate(positions):
        month = months[position]
        name = MONTHS[month.month - 1]
        labels.append(f"{name}\n{month.year}" if place == 0 or month.month <= min(step, 12) else name)
    return positions, labels

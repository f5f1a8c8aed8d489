"""How much is used on which day: climates, the seasons of each kind of use, and the weather's luck.

A *shape* gives each day of a climate a weight of about 1; sums over a billing period are differences of a
running total, so that a bill costs two look-ups. The luck of a month is the climate's: neighbours freeze
together.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import accumulate

from nectar_notebooks.sandbox.sources.demo.basics import chance

__all__ = ["CLIMATES", "weight"]

#: (heating, cooling): how strong each season is.
CLIMATES = {"cold": (1.0, 0.7), "mild": (0.8, 0.45), "hot": (0.75, 1.0)}

# Mid-month values, January to December.
_HEATING = (1.0, 0.95, 0.72, 0.38, 0.30, 0.27, 0.26, 0.26, 0.30, 0.50, 0.76, 0.93)
_COOLING = (0.0, 0.0, 0.05, 0.10, 0.25, 0.65, 0.95, 0.90, 0.55, 0.12, 0.0, 0.0)
_DAYLIGHT = (0.62, 0.74, 0.92, 1.00, 1.12, 1.18, 1.20, 1.14, 1.04, 0.92, 0.72, 0.58)
_PEOPLE = (0.97, 0.98, 1.0, 1.0, 1.0, 1.03, 1.05, 1.05, 1.02, 1.0, 0.98, 0.97)
_GARDEN = (0.12, 0.12, 0.12, 0.75, 0.9, 1.05, 1.15, 1.1, 0.85, 0.12, 0.12, 0.12)
_FLAT = (1.0,) * 12


def _months(shape: str, climate: str) -> tuple[float, ...]:
    heating, cooling = CLIMATES[climate]
    if shape == "heating":  # the summer's rest is hot water and kitchens
        return tuple(0.26 + (value - 0.26) * (0.9 + 0.1 * heating) for value in _HEATING)
    if shape == "cooling":
        return tuple(1.0 + 0.75 * cooling * value for value in _COOLING)
    if shape == "chilled":
        return tuple(1.1 + 0.9 * cooling * value for value in _COOLING)
    if shape == "electric_heat":
        return tuple(
            0.8 + 0.35 * heating * value + 0.5 * cooling * c for value, c in zip(_HEATING, _COOLING, strict=True)
        )
    return {"daylight": _DAYLIGHT, "people": _PEOPLE, "garden": _GARDEN, "flat": _FLAT}[shape]


#: How far the luck of a month moves a shape.
_LUCK = {
    "heating": 0.05,
    "cooling": 0.03,
    "chilled": 0.04,
    "electric_heat": 0.03,
    "daylight": 0.05,
    "garden": 0.05,
}


@lru_cache(maxsize=256)
def _running(seed: int | str, climate: str, shape: str, first: int, last: int) -> list[float]:
    """Return the running total of daily weights over years `first` to `last`."""
    months = _months(shape, climate)
    luck = _LUCK.get(shape, 0.0)
    days: list[float] = []
    for year in range(first, last + 1):
        for month in range(1, 13):
            start = date(year, month, 1)
            end = date(year + month // 12, month % 12 + 1, 1)
            value = months[month - 1]
            if luck:
                value *= 1 + luck * chance(seed, "weather", climate, year, month).uniform(-1, 1)
            days.extend([value] * (end - start).days)
    return [0.0, *accumulate(days)]


def weight(seed: int | str, climate: str, shape: str, start: date, end: date, years: tuple[int, int]) -> float:
    """Return the summed daily weights from `start` to `end`, both counted; `years` bounds the table."""
    running = _running(seed, climate, shape, *years)
    origin = date(years[0], 1, 1).toordinal()
    return running[end.toordinal() - origin + 1] - running[start.toordinal() - origin]

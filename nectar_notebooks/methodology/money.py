"""Amounts that are exact to the cent: integers of the finest decimal in use, split by largest remainder.

At the face an amount is the float64 nearest to the API's decimal. Inside, every sum and every split that is
promised to the cent runs through here, in int64 units of ten to the minus `places`. What is split by which
weights is decided by `calendarize` and `attribution`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

__all__ = ["FINEST", "apportion", "finer", "finest", "from_units", "minor_places", "places_needed", "to_units"]

#: The finest decimal an amount is kept in: ten to the minus four.
FINEST: Final = 4

#: ISO 4217 currencies without a minor unit, and those with one of three places.
_NO_MINOR: Final = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
        *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
_THREE_PLACES: Final = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
#: Above this a float64 no longer tells neighbouring integers apart.
_EXACT: Final = 2.0**53
_INT64: Final = 2.0**62
_PAIR: Final = 2


def minor_places(currencies: Iterable[object]) -> npt.NDArray[np.int64]:
    """Return the decimal places of each currency's minor unit (ISO 4217): 0, 2 or 3; unknown codes have 2."""
    column = currencies if isinstance(currencies, pd.Series) else pd.Series(list(currencies), dtype=object)
    codes, names = pd.factorize(column)
    places = [0 if name in _NO_MINOR else 3 if name in _THREE_PLACES else 2 for name in names]
    return np.array([*places, 2], dtype=np.int64)[codes]


def places_needed(values: npt.NDArray[np.float64], least: npt.NDArray[np.int64] | int = 0) -> npt.NDArray[np.int64]:
    """Return how many decimals each value is written with, from `least` to `FINEST`; missing needs `least`.

    Binary noise (0.1 + 0.2) is not a decimal: what lies within a millionth of the last place counts as on it.
    """
    places = np.broadcast_to(np.asarray(least, dtype=np.int64), values.shape).copy()
    open_rows = np.flatnonzero(~np.isnan(values))
    while len(open_rows):
        here = places[open_rows]
        off = _off(values[open_rows] * 10.0**here)
        open_rows = open_rows[off & (here < FINEST)]
        places[open_rows] += 1
    return places


def _off(scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    # the float nearest to a decimal lies off it by its own rounding
    return np.asarray(np.abs(scaled - np.rint(scaled)) > 1e-6 + 4e-16 * np.abs(scaled))


def finer(values: npt.NDArray[np.float64]) -> int:
    """Return how many amounts have decimals beyond `FINEST`: these are rounded, which whoever sums them reports.

    Examples
    --------
    >>> finer(np.array([0.1 + 0.2, 12.3456, 0.00005, np.nan]))
    1
    """
    return int(_off(values * 10.0**FINEST).sum())


def finest(places: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.int64]:
    """Return for each of `number` groups the finest places among its rows (-1 for a group without rows)."""
    out = np.full(number, -1, dtype=np.int64)
    np.maximum.at(out, groups, places)
    return out


def to_units(values: npt.NDArray[np.float64], places: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64]:
    """Return values as integers of ten to the minus `places`; missing becomes 0: keep your own mask.

    Raises
    ------
    DataError
        An amount too large to be told apart from its neighbours at that decimal.
    """
    scaled = np.rint(np.nan_to_num(values) * 10.0 ** np.asarray(places, dtype=np.int64))
    if scaled.size and np.abs(scaled).max() >= _EXACT:
        raise DataError(
            f"An amount of {np.abs(values[~np.isnan(values)]).max():.3g} is too large to be kept exactly.",
            advice="Check the amounts for a wrong unit or a doubled decimal point.",
        )
    return scaled.astype(np.int64)


def from_units(
    units: npt.NDArray[np.int64] | npt.NDArray[np.float64], places: npt.NDArray[np.int64] | int
) -> npt.NDArray[np.float64]:
    """Return the float64 nearest to each integer of ten to the minus `places`."""
    return np.asarray(units / 10.0 ** np.asarray(places, dtype=np.int64), dtype=np.float64)


def apportion(
    totals: npt.NDArray[np.int64], weights: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Split each total by its weights, so that the parts are integers and sum to it (largest remainder).

    Parameters
    ----------
    totals : array of int64
        What to split; a negative total is split by its absolute value.
    weights : array of int64
        The weights of all totals, one total after the other; none negative, not all zero within one total.
        Their order decides ties: the earlier part gets the unit.
    sizes : array of int64
        How many weights belong to each total, at least 1.

    Returns
    -------
    array of int64
        The parts, in the order of `weights`.

    Examples
    --------
    >>> apportion(np.array([100, -5]), np.array([1, 1, 1, 6, 4]), np.array([3, 2]))
    array([34, 33, 33, -3, -2])
    """
    parts = np.empty(len(weights), dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    for size in np.flatnonzero(np.bincount(sizes)).tolist():
        chosen = np.flatnonzero(sizes == size)
        if size == 1:
            parts[starts[chosen]] = totals[chosen]
        elif size == _PAIR:
            at = starts[chosen]
            first = _first_of_two(totals[chosen], weights[at], weights[at + 1])
            parts[at], parts[at + 1] = first, totals[chosen] - first
        else:
            places = starts[chosen, None] + np.arange(size)
            parts[places] = _split(totals[chosen], weights[places])
    return parts


def _first_of_two(
    totals: npt.NDArray[np.int64], first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Split totals in two and return the first parts: the half that decides is rounded up."""
    amount, whole = np.abs(totals), first + second
    quotient, rest = np.divmod(amount, whole)
    largest = np.minimum(whole, amount).astype(np.float64) * first
    base, remainder = np.divmod(rest * first, whole)
    base += quotient * first + (remainder >= whole - remainder)
    for row in np.flatnonzero(largest >= _INT64).tolist():
        base[row] = _split_large(int(amount[row]), [int(first[row]), int(second[row])])[0]
    return np.where(totals < 0, -base, base)


def _split(totals: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Split totals over the rows of a matrix of weights."""
    amount, whole = np.abs(totals), weights.sum(axis=1)
    quotient, rest = np.divmod(amount, whole)
    largest = np.minimum(whole, amount).astype(np.float64) * weights.max(axis=1)
    product = rest[:, None] * weights  # may overflow in rows that are split again below
    base, remainder = np.divmod(product, whole[:, None])
    base += quotient[:, None] * weights
    left = amount - base.sum(axis=1)
    size = weights.shape[1]
    if (weights == weights[:, :1]).all():
        base += np.arange(size) < left[:, None]
    else:
        order = np.argsort(-remainder, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.broadcast_to(np.arange(size), order.shape), axis=1)
        base += rank < left[:, None]
    for row in np.flatnonzero(largest >= _INT64).tolist():
        base[row] = _split_large(int(amount[row]), [int(weight) for weight in weights[row]])
    return base * np.sign(totals)[:, None]


def _split_large(amount: int, weights: list[int]) -> list[int]:
    """Split one total whose products leave int64."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts

"""Which months have bills, and what is missing: a small matrix of meters and months, and the one table of holes.

What makes a month complete and what a hole is are decided in `methodology.quality`; here its rows are folded into
codes, so that twenty thousand meters of two years take half a megabyte and a question about some of them no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.dashboards.html import count
from nectar_notebooks.methodology.quality.completeness import months_and_holes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from nectar_notebooks.schema.portfolio import Portfolio

__all__ = [
    "COMPLETE",
    "FUTURE",
    "MISSING",
    "MONTHS",
    "NOT_REQUIRED",
    "PART",
    "SHOWN",
    "STATES",
    "Coverage",
    "covered",
    "joined",
    "missing_in_words",
    "runs",
]

#: How many months are looked at: two years, and the month that is not over.
MONTHS: Final = 24

NOT_REQUIRED, COMPLETE, MISSING, FUTURE, PART = range(5)

#: What each code is called by `completeness`, and on screen.
STATES: Final = ("not_required", "complete", "missing", "future", "partly_billed")
SHOWN: Final = tuple(state.replace("_", " ") for state in STATES)

_KEYS: Final = ["meter_id", "account_id", "site_id", "commodity", "utility"]
_CODES: Final = {state: code for code, state in enumerate(STATES)}
_HOLES: Final = ["site_id", "account_id", "meter_id", "commodity", "first_day", "last_day", "days", "bills_expected"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Codes of meters (rows) in months (columns).

    Attributes
    ----------
    meters : DataFrame
        meter_id, account_id, site_id, commodity, utility: one row for each row of `codes`.
    months : DatetimeIndex
        First days of the months.
    codes : array
        Codes of `STATES`.
    holes : DataFrame
        What :func:`~nectar_notebooks.holes` says of these meters, older holes than `months` too.
    """

    meters: pd.DataFrame
    months: pd.DatetimeIndex
    codes: NDArray[np.int8]
    holes: pd.DataFrame

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.int8]:
        """Return the codes of some meters, by position, together: one for each month.

        As `completeness` judges an account: complete where each of its meters is, partly billed where some of it is
        there, missing where a meter misses the month and none has it.
        """
        return _judged(*((self.codes[rows] == code).any(axis=0) for code in _TOLD))

    def by(self, labels: pd.Series) -> tuple[pd.Index, NDArray[np.int8]]:
        """Return the codes of meters that share a label, and the labels; meters without one are left out."""
        places, names = pd.factorize(labels, sort=False)
        known = places >= 0
        told = []
        for code in _TOLD:
            found = np.zeros((len(names), self.codes.shape[1]), dtype=bool)
            np.logical_or.at(found, places[known], self.codes[known] == code)
            told.append(found)
        return pd.Index(names), _judged(*told)

    def lacking(self, key: str, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return which months of which site or account (a row of `ids`) a hole reaches into."""
        place = pd.Index(ids).get_indexer(pd.Index(self.holes[key]))
        first, last = (_months_since(self.holes[name], self.months[0]) for name in ("first_day", "last_day"))
        wide = len(self.months)
        seen = (place >= 0) & (last >= 0) & (first < wide)
        edges = np.zeros((len(ids), wide + 1), dtype=np.int64)
        np.add.at(edges, (place[seen], np.maximum(first[seen], 0)), 1)
        np.add.at(edges, (place[seen], np.minimum(last[seen], wide - 1) + 1), -1)
        return edges.cumsum(axis=1)[:, :wide] > 0


_TOLD: Final = (COMPLETE, PART, MISSING, FUTURE)


def _judged(
    complete: NDArray[np.bool_], part: NDArray[np.bool_], missing: NDArray[np.bool_], future: NDArray[np.bool_]
) -> NDArray[np.int8]:
    some, lacking = complete | part, part | missing | future
    found = np.select([some & lacking, some, missing, future], [PART, COMPLETE, MISSING, FUTURE], NOT_REQUIRED)
    return found.astype(np.int8)


def _months_since(days: pd.Series, first: pd.Timestamp) -> NDArray[np.int64]:
    return np.asarray((days.dt.year - first.year) * 12 + days.dt.month - first.month, dtype=np.int64)


def missing_in_words(holes: pd.DataFrame, since: pd.Timestamp | None = None) -> str:
    """Return how many bills are missing and at how many sites; of those before `since` apart.

    Examples
    --------
    >>> missing_in_words(pd.DataFrame({"site_id": ["s1", "s2"], "bills_expected": [2, 1]}))
    'about 3 bills missing at 2 sites'
    """
    bills = int(holes["bills_expected"].sum())
    if not bills:
        return "nothing missing"
    sites = int(holes["site_id"].nunique())
    said = f"about {count(bills, 'bill')} missing" + (f" at {count(sites, 'site')}" if sites else "")
    before = 0 if since is None else int(holes.loc[holes["last_day"] < since, "bills_expected"].sum())
    if not before or since is None:
        return said
    return f"{said}, {'all' if before == bills else f'{before:,} of them'} before {since:%b %Y}"


def covered(
    portfolio: Portfolio,
    *,
    today: date,
    until: date,
    months: int = MONTHS,
    expected: str | Mapping[str, str] | None = None,
) -> Coverage:
    """Return which of the last `months` months, and that of `until`, each meter has bills for, and all holes.

    Parameters
    ----------
    portfolio : Portfolio
        Of one company.
    today : date
        The day that bills are counted to.
    until : date
        A day of the last month shown.
    expected : str or mapping, optional
        As :func:`completeness` takes it.
    """
    span = _span(until, months)
    if not len(portfolio.meters) and not len(portfolio.usage):
        return joined([], until, months)
    # Records before the window still say when a meter was first seen, and so what is required within it.
    rows, missing = months_and_holes(
        portfolio, start=f"{span[0]:%Y-%m}", end=f"{span[-1]:%Y-%m}", today=today, expected=expected
    )
    codes = np.asarray(rows["status"].map(_CODES), dtype=np.int8).reshape(-1, len(span))
    meters = rows[_KEYS].iloc[:: len(span)].reset_index(drop=True)
    return Coverage(meters, span, codes, missing[_HOLES])


def joined(coverages: Sequence[Coverage], until: date, months: int = MONTHS) -> Coverage:
    """Return several coverages of the same months as one; of none, one without meters."""
    filled = [one for one in coverages if len(one.codes)]
    if len(filled) == 1:
        return filled[0]
    span = _span(until, months)
    if not filled:
        bare = pd.DataFrame(columns=_HOLES).astype({"first_day": "datetime64[us]", "last_day": "datetime64[us]"})
        meters = pd.DataFrame(columns=_KEYS, dtype="object")
        return Coverage(meters, span, np.zeros((0, len(span)), dtype=np.int8), bare.astype({"bills_expected": "int64"}))
    meters = pd.concat([one.meters for one in filled], ignore_index=True)
    lacking = [one.holes for one in filled if len(one.holes)] or [filled[0].holes]
    codes = np.concatenate([one.codes for one in filled])
    return Coverage(meters, span, codes, pd.concat(lacking, ignore_index=True))


def _span(until: date, months: int) -> pd.DatetimeIndex:
    last = pd.Timestamp(until).to_period("M")
    return pd.period_range(last - months, last, freq="M").to_timestamp()


def runs(codes: NDArray[np.int8]) -> list[tuple[int, int, int]]:
    """Return where codes stay the same: code, first position, length.

    Examples
    --------
    >>> runs(np.array([1, 1, 2, 1], dtype=np.int8))
    [(1, 0, 2), (2, 2, 1), (1, 3, 1)]
    """
    if not len(codes):
        return []
    edges = np.flatnonzero(np.diff(codes)) + 1
    starts = [0, *map(int, edges)]
    ends = [*map(int, edges), len(codes)]
    return [(int(codes[start]), start, end - start) for start, end in zip(starts, ends, strict=True)]

"""Which months have bills: a small matrix of meters and months, summed to accounts, connections and sites.

What makes a month complete is decided in `methodology.completeness`; here its rows are folded into codes, so that
twenty thousand meters of two years take half a megabyte and a question about some of them no time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.completeness import completeness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

__all__ = [
    "COMPLETE",
    "EXPECTED",
    "FUTURE",
    "MISSING",
    "MONTHS",
    "NOT_REQUIRED",
    "PART",
    "STATES",
    "Coverage",
    "covered",
    "joined",
    "runs",
]

#: How many months are looked at: two years, and the month that is not over.
MONTHS: Final = 24

#: How often records are expected where nobody says: fuel comes by the lorry a few times a year, heating oil not in
#: summer, so that a month or a quarter without a delivery is no missing bill.
EXPECTED: Final[Mapping[str, str]] = {"FUEL": "yearly"}

NOT_REQUIRED, COMPLETE, MISSING, FUTURE, PART = range(5)

#: What each code is called.
STATES: Final = ("not required", "complete", "missing", "not over yet", "missing in part")

_KEYS: Final = ["meter_id", "account_id", "site_id", "commodity", "utility"]
_CODES: Final = {
    "complete": COMPLETE, "partly_billed": PART, "missing": MISSING, "not_required": NOT_REQUIRED, "future": FUTURE,
}  # fmt: skip


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
    """

    meters: pd.DataFrame
    months: pd.DatetimeIndex
    codes: NDArray[np.int8]

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.int8]:
        """Return the codes of some meters, by position, together: one for each month.

        Missing where a meter misses the month and none has it, missing in part where others have it.
        """
        return _folded(self.codes[rows])

    def by(self, labels: pd.Series) -> tuple[pd.Index, NDArray[np.int8]]:
        """Return the codes of meters that share a label, and the labels; meters without one are left out."""
        places, names = pd.factorize(labels, sort=False)
        known = places >= 0
        has = {}
        for code in (COMPLETE, MISSING, FUTURE):
            has[code] = np.zeros((len(names), self.codes.shape[1]), dtype=bool)
            np.logical_or.at(has[code], places[known], self.codes[known] == code)
        return pd.Index(names), _judged(has[COMPLETE], has[MISSING], has[FUTURE])


def _folded(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    return _judged(*((codes == code).any(axis=0) for code in (COMPLETE, MISSING, FUTURE)))


def _judged(complete: NDArray[np.bool_], missing: NDArray[np.bool_], future: NDArray[np.bool_]) -> NDArray[np.int8]:
    found = np.select([missing & complete, missing, complete, future], [PART, MISSING, COMPLETE, FUTURE], NOT_REQUIRED)
    return found.astype(np.int8)


def covered(
    usage: pd.DataFrame,
    *,
    meters: pd.DataFrame,
    accounts: pd.DataFrame,
    sites: pd.DataFrame,
    today: date,
    months: int = MONTHS,
    expected: str | Mapping[str, str] = EXPECTED,
) -> Coverage:
    """Return which of the last `months` months, and the present one, each meter has data for.

    Parameters
    ----------
    usage, meters, accounts, sites : DataFrame
        Tables of that name.
    today : date
        The day of the look: a month that is not over is not missing.
    expected : str or mapping
        As :func:`completeness` takes it.
    """
    span = _span(today, months)
    if not len(meters) and not len(usage):
        return joined([], today, months)
    # Records before the window still say when a meter was first seen, and so what is required within it.
    rows = completeness(
        usage,
        by="meter",
        meters=meters,
        accounts=accounts,
        sites=sites,
        start=f"{span[0]:%Y-%m}",
        end=f"{span[-1]:%Y-%m}",
        today=today,
        expected=expected,
    )
    codes = np.asarray(rows["status"].map(_CODES), dtype=np.int8).reshape(-1, len(span))
    keys = [name for name in _KEYS if name in rows]
    return Coverage(rows[keys].iloc[:: len(span)].reset_index(drop=True), span, codes)


def joined(coverages: Sequence[Coverage], today: date, months: int = MONTHS) -> Coverage:
    """Return several coverages of the same months as one; of none, one without meters."""
    filled = [one for one in coverages if len(one.codes)]
    if len(filled) == 1:
        return filled[0]
    span = _span(today, months)
    if not filled:
        return Coverage(pd.DataFrame(columns=_KEYS, dtype="object"), span, np.zeros((0, len(span)), dtype=np.int8))
    meters = pd.concat([one.meters for one in filled], ignore_index=True)
    return Coverage(meters, span, np.concatenate([one.codes for one in filled]))


def _span(today: date, months: int) -> pd.DatetimeIndex:
    last = pd.Timestamp(today).to_period("M")
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

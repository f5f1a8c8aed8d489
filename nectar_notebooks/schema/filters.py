"""What a question asks for, once: from the words of the caller to one object that every later step reads.

The client fills in the ids, the cache asks the API by it and knows what an answer holds, and the rows of the tables are
chosen by it. How a day is written stands in `schema.dates`, which object is meant in `schema.naming`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.schema.dates import Day, days_of
from nectar_notebooks.schema.naming import shown
from nectar_notebooks.schema.values import COMMODITIES, GUIDE_ONLY_COMMODITIES

__all__ = ["BY", "By", "Commodity", "Filters"]

By = Literal["service_period", "bill_date", "created", "updated"]
BY: Final = get_args(By)
#: One commodity or several, in any case.
Commodity: TypeAlias = str | Iterable[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows of a company are asked for; what is left out leaves nothing out.

    Parameters
    ----------
    start, end : date, optional
        First and last day.
    by : {"service_period", "bill_date", "created", "updated"}
        What the days are compared with.
    commodities, site_ids : tuple of str
        One of them is enough.
    connection_id : str, optional

    Examples
    --------
    >>> Filters.of("2024-Q1", commodity=["gas", "WATER"])
    Filters(start=datetime.date(2024, 1, 1), end=None, by='service_period', commodities=('GAS', 'WATER'), site_ids=(),
            connection_id=None)
    """

    start: date | None = None
    end: date | None = None
    by: By = "service_period"
    commodities: tuple[str, ...] = ()
    site_ids: tuple[str, ...] = ()
    connection_id: str | None = None

    @classmethod
    def of(
        cls,
        start: Day | None = None,
        end: Day | None = None,
        by: By = "service_period",
        commodity: Commodity | None = None,
    ) -> Filters:
        """Read what was given in words.

        Raises
        ------
        InvalidRequestError
            A day that cannot be read, an end before the start, an unknown `by` or commodity.
        """
        first = None if start is None else _date(days_of(start, "start")[0])
        last = None if end is None else _date(days_of(end, "end")[1])
        if first is not None and last is not None and last < first:
            raise InvalidRequestError(f"end={end!r} lies before start={start!r}: exchange them.")
        if not isinstance(by, str) or by not in BY:
            raise InvalidRequestError(f"by={shown(by)} is not known: say one of {', '.join(BY)}.")
        return cls(first, last, by, _commodities(commodity))

    @property
    def any_day(self) -> bool:
        """True when neither start nor end is set."""
        return self.start is None and self.end is None

    @property
    def everything(self) -> bool:
        """True when nothing is left out."""
        return self.any_day and not (self.commodities or self.site_ids or self.connection_id)

    def overlaps(self, first: pd.Series, last: pd.Series) -> pd.Series:
        """Return which periods share a day with the days asked for; a missing end is the start."""
        last = last.fillna(first)
        inside = first.notna()
        if self.start is not None:
            inside &= last >= _moment(self.start)
        if self.end is not None:
            inside &= first <= _moment(self.end)
        return inside

    def contains(self, moments: pd.Series) -> pd.Series:
        """Return which days, or moments in UTC, lie inside; `end` means all of its day."""
        zone = getattr(moments.dtype, "tz", None)
        inside = moments.notna()
        if self.start is not None:
            inside &= moments >= _moment(self.start).tz_localize(zone)
        if self.end is not None:
            inside &= moments < (_moment(self.end) + pd.Timedelta(days=1)).tz_localize(zone)
        return inside


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def _moment(day: date) -> pd.Timestamp:
    return pd.Timestamp(np.datetime64(day, "D"))  # any year, on pandas 2 too


def _commodities(given: Commodity | None) -> tuple[str, ...]:
    """Return commodities in capitals, each once; one that the API does not know is an error."""
    if given is None:
        return ()
    if isinstance(given, (str, pd.DataFrame)) or hasattr(given, "_asdict") or not isinstance(given, Iterable):
        each: list[object] = [given]
    elif isinstance(given, pd.Series) and any(isinstance(name, str) for name in given.index):
        each = [given]  # a row
    else:
        each = list(given)
    if not each:
        raise InvalidRequestError(
            "No commodity was named: the list is empty.", advice="Leave commodity out to take all of them."
        )
    found: dict[str, None] = {}
    for one in each:
        name = one.strip().upper() if isinstance(one, str) else ""
        if name not in COMMODITIES + GUIDE_ONLY_COMMODITIES:
            raise InvalidRequestError(f"commodity={shown(one)} is not known: say one of {', '.join(COMMODITIES)}.")
        found[name] = None
    return tuple(found)

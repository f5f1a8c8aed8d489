"""Bills' usage and cost, spread evenly over their days and summed by calendar month, or by day.

`calendarize` and `daily` take usage records (with a `cost` or without) and the rows that `attribute` makes.
What counts, what is adjusted and which meter pays is decided before, elsewhere; what a convention means on
the calendar stands in `periods`, cents in `money`. A month covered in part is never scaled up: see `fill`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from nectar_notebooks.methodology import money
from nectar_notebooks.methodology.frames import choose, report, stack
from nectar_notebooks.methodology.keys import together
from nectar_notebooks.methodology.net_metering import NET_METERING
from nectar_notebooks.methodology.time.calendar import CONVENTIONS, SHARED_DAY, Convention, SharedDay
from nectar_notebooks.methodology.time.records import KEYS, Records, read
from nectar_notebooks.methodology.time.spreading import Cells
from nectar_notebooks.schema.values import HAULED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Any, TypeAlias

    import numpy.typing as npt
    from pandas.api.extensions import ExtensionArray

    from nectar_notebooks.methodology.net_metering import NetMetering
    from nectar_notebooks.schema.periods import Plausible

    Columns: TypeAlias = Mapping[str, ExtensionArray | npt.NDArray[Any]]

__all__ = ["calendarize", "daily"]

_MONTHLY: Final = (
    *KEYS, "month", "usage", "cost", "days_covered", "days_in_month", "days_overlapped", "estimated_share", "bills",
    "first_day", "last_day",
)  # fmt: skip
_DAILY: Final = (*KEYS, "day", "usage", "cost", "days_covered", "estimated_share", "bills")
#: What else there is where the records say which way energy flows.
_BESIDE: Final = ("generated", "exported")

_NOT_DATED: Final = (
    "days_covered",
    "days_overlapped",
    "estimated_share",
    "days_in_month",
    "first_day",
    "last_day",
)


def calendarize(
    usage: pd.DataFrame,
    convention: Convention = "inclusive",
    *,
    shared_day: SharedDay = "keep",
    spot: Collection[str] = HAULED,
    net_metering: NetMetering = "net",
    plausible: Plausible | None = None,
) -> pd.DataFrame:
    """Spread each bill's usage and cost evenly over its days and sum them by calendar month.

    Parameters
    ----------
    usage : DataFrame
        Usage records: `meter_id`, `start_date`, `end_date`, `usage`, `unit` are required; `site_id`,
        `commodity`, `subtype`, `currency`, `cost`, `estimated`, `bill_id`, `counts`, `counts_reason` are used
        where they are. Or rows of :func:`attribute`: `amount` and `currency` instead of `usage` and `unit`.
        A missing end is the start. Rows whose `counts` is false are left out and reported.
    convention : {"inclusive", "exclusive", "midday"}
        Which days of a bill count: start to end, both counted (Nectar, ENERGY STAR); start to the day before
        the end (EnergyCAP, Green Button); noon of the start to noon of the end. One day is a day.
    shared_day : {"keep", "later"}
        A day on which one bill ends and the next begins: both keep it, so that no bill loses a day, and it
        shows in `days_overlapped`; or it belongs to the later bill alone (ENERGY STAR). Only the inclusive
        convention shares days.
    spot : collection of str
        Commodities whose records belong wholly to their first day.
    net_metering : {"net", "as_is"}
        Where the records have a column `net_metering`: exported energy subtracted from what is drawn, or as it
        stands. Records that :func:`adjust` has subtracted before are not subtracted again.
    plausible : tuple of two days or months, optional
        The first and the last day that a period may have, either of them None for the default: 1990-01-01, and the end
        of the year after the system's day (a frame does not say when it was answered). Rows with a day outside are
        left out and reported, and so are those whose period ends before it starts.

    Returns
    -------
    DataFrame
        One row per meter, subtype, unit, currency and month, in that order: `meter_id`, `site_id`,
        `commodity`, `subtype`, `unit`, `currency`, `month` (its first day), `usage` (in `unit`), `cost` (in
        `currency`), `days_covered` (distinct days that a known usage, or amount, covers; halves under
        midday), `days_in_month`, `days_overlapped` (distinct days counted more than once), `estimated_share`
        (of the days whose records say whether they are estimated; missing where none does), `bills` (distinct
        bills, or records where they name no bill), `first_day`, `last_day` (covered). Where the records have
        `net_metering`, there are also `generated` and `exported` (in `unit`, positive energy, missing where
        there is none): `usage` is import less export, and generation is beside it, never in it; that of a
        meter of its own, commodity SOLAR, stands in both columns. A missing usage stays
        missing, is never 0, and covers no day. Records without a start date stand in a row without a month.
        ``attrs["nectar"]`` says how many rows were left out and why, and as ``amounts_rounded`` how many costs were
        finer than 0.0001, where any was.

    Raises
    ------
    DataError
        A required column is missing, or a value cannot be read.

    Notes
    -----
    The rule is Nectar's: the introductory table of its documentation contradicts it and is not followed. The
    pieces of a bill sum to the bill: usage within 1e-9, cost exactly, in integers of the finest decimal on
    the bill (at least the currency's minor unit) by largest remainder, ties to the earlier month.

    Examples
    --------
    >>> bill = {"meter_id": "m1", "start_date": "2024-01-15", "end_date": "2024-02-14"}
    >>> calendarize(pd.DataFrame([bill | {"usage": 3100, "unit": "kWh"}]))[["month", "usage", "days_covered"]]
           month   usage  days_covered
    0 2024-01-01  1700.0          17.0
    1 2024-02-01  1400.0          14.0
    """
    return _spread(usage, convention, shared_day, spot, net_metering, plausible, "calendarize", _months)


def daily(
    usage: pd.DataFrame,
    convention: Convention = "inclusive",
    *,
    shared_day: SharedDay = "keep",
    spot: Collection[str] = HAULED,
    net_metering: NetMetering = "net",
    plausible: Plausible | None = None,
) -> pd.DataFrame:
    """Spread each bill's usage and cost evenly over its days: one row per meter and day.

    Parameters
    ----------
    usage, convention, shared_day, spot, net_metering, plausible
        As for :func:`calendarize`.

    Returns
    -------
    DataFrame
        `meter_id`, `site_id`, `commodity`, `subtype`, `unit`, `currency` (categorical: a row a day repeats
        them), `day`, `usage` (in `unit`), `cost` (in `currency`, exact in sum: the earlier days of a bill
        carry the cents that do not divide), `days_covered` (1, or 0.5 at the noon end of a bill under
        midday), `estimated_share`, `bills` (2 on a day that two bills share); `generated` and `exported` as
        for :func:`calendarize`.

    Raises
    ------
    DataError
        As :func:`calendarize`.

    Examples
    --------
    >>> bill = {"meter_id": "m1", "start_date": "2024-01-30", "end_date": "2024-02-01"}
    >>> daily(pd.DataFrame([bill | {"usage": 30, "unit": "kWh"}]))["usage"].tolist()
    [10.0, 10.0, 10.0]
    """
    return _spread(usage, convention, shared_day, spot, net_metering, plausible, "daily", _days)


def _spread(
    usage: pd.DataFrame,
    convention: Convention,
    shared_day: SharedDay,
    spot: Collection[str],
    net_metering: NetMetering,
    plausible: Plausible | None,
    what: str,
    build: Callable[[Records], pd.DataFrame],
) -> pd.DataFrame:
    choose("convention", convention, CONVENTIONS)
    choose("shared_day", shared_day, SHARED_DAY)
    choose("net_metering", net_metering, NET_METERING)
    records, undated, out = read(usage, convention, shared_day, spot, what, net_metering, plausible)
    result = build(records)
    if undated is not None:
        rest = build(undated)  # they stand on one day of the engine's own, which is taken away here
        for name in (result.columns[6], *_NOT_DATED):
            if name in rest.columns:
                rest[name] = pd.Series(pd.NA if name == "days_in_month" else None, rest.index, rest[name].dtype)
        result = stack([result, rest])
    rounded = sum(money.finer(part.cost) for part in (records, undated) if part is not None)
    return report(
        result,
        what,
        out,
        convention=convention,
        shared_day=shared_day,
        rows=len(records.group),
        rows_without_value=int((~records.known).sum()),
        rows_without_date=0 if undated is None else len(undated.group),
        **({"amounts_rounded": rounded} if rounded else {}),
    )


def _months(records: Records) -> pd.DataFrame:
    cells = Cells(records, "M")

    def covered() -> Columns:
        once, twice = cells.cover()
        return {"days_covered": once, "days_overlapped": twice}

    def span() -> Columns:
        first, last = cells.span()
        return {"first_day": first, "last_day": last}

    def bins() -> Columns:
        return {"month": cells.bin_start(), "days_in_month": pd.array(cells.bin_length(), dtype="Int64")}

    parts = (covered, lambda: {"cost": cells.cost()}, span, cells.keys, lambda: _quantities(cells), bins)
    return _frame(_MONTHLY, parts, records)


def _days(records: Records) -> pd.DataFrame:
    cells = Cells(records, "D")
    parts = (
        lambda: _quantities(cells),
        lambda: {"cost": cells.cost()},
        lambda: {"days_covered": cells.cover()[0]},
        lambda: cells.keys(categorical=True) | {"day": cells.bin_start()},
    )
    return _frame(_DAILY, parts, records)


def _quantities(cells: Cells) -> Columns:
    return {
        "estimated_share": cells.estimated_share(),
        "usage": cells.usage(),
        **cells.beside(),
        "bills": pd.array(cells.bills(), dtype="Int64"),
    }


def _frame(names: Sequence[str], parts: Sequence[Callable[[], Columns]], records: Records) -> pd.DataFrame:
    columns: dict[str, ExtensionArray | npt.NDArray[Any]] = {}
    for part in together(parts, len(records.group)):
        columns |= part
    # The arrays are ours: a copy of each would cost a quarter of the time.
    beside = () if records.flows is None else _BESIDE
    return pd.DataFrame({name: columns[name] for name in (*names, *beside)}, copy=False)

"""Completeness and holes: which months have their bills, and which runs of days have none though they should.

What is expected, and which of its days are covered, is decided in `expectation`; here it is shown by month and as
one table of holes, which everything that counts missing bills reads. Why a bill is missing (a broken login, a
closed account) is for the dashboards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.frames import PORTFOLIO, TEXT, choose, report, require
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.quality.expectation import (
    EVER,
    EXPECTED,
    ONE_MISSING,
    PART,
    REASONS,
    SEASONAL,
    SUMMER,
    Outlook,
    check_expected,
    deliveries,
    outlook,
    refuse_names,
    unknown_names,
    usual_days,
)
from nectar_notebooks.methodology.quality.register import Tables, with_accounts
from nectar_notebooks.methodology.time.spans import (
    day_of_month,
    days_in_months,
    month_of,
    records_in_months,
    show_days,
)
from nectar_notebooks.methodology.time.window import day_number, today_number
from nectar_notebooks.schema.periods import WHOLE
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Whole

__all__ = [
    "STATUSES",
    "check_expected",
    "completeness",
    "holes",
    "months_and_holes",
    "refuse_names",
    "unknown_names",
]

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "meter": ("meter_id", "account_id", "site_id", "commodity", "utility"),
    "account": ("account_id",),
    "site": ("site_id", "commodity", "utility"),
}
_WORDS: Final = {months: word for word, months in EXPECTED.items()}
#: What a month can be.
STATUSES: Final = ("complete", "partly_billed", "missing", "not_required", "future")
_COMPLETE, _PARTLY, _MISSING, _NOT_REQUIRED, _FUTURE = range(5)
_OF_HOLE: Final = ("site_id", "account_id", "meter_id", "commodity", "utility")
#: The tables beside usage: since when and until when bills are expected, and of which account.
_BESIDE: Final = ("meters", "accounts", "sites", "connections", "companies", "bill_accounts")
_LARGEST: Final = 50_000_000
#: Days after the end of a month from which on a bill of it is due.
_GRACE: Final = 45


def completeness(
    usage: pd.DataFrame | Portfolio,
    *,
    by: Literal["meter", "site", "account"] = "meter",
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    connections: pd.DataFrame | None = None,
    companies: pd.DataFrame | None = None,
    bill_accounts: pd.DataFrame | None = None,
    expected: str | Mapping[str, str] | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    today: str | date | None = None,
    least_share: float = WHOLE,
    grace: int = _GRACE,
) -> pd.DataFrame:
    """Say for every month of every entity whether its bills are there.

    Parameters
    ----------
    usage : DataFrame or Portfolio
        Usage records: ``meter_id``, ``start_date``, ``end_date``; used where they stand: ``site_id``,
        ``account_id``, ``commodity``, ``subtype``, ``utility``, ``usage``, ``counts``. A portfolio brings all tables
        at once. Records that do not count, and records without a usage, cover nothing.
    by : {"meter", "account", "site"}
        The entity: a meter, an account, or a site, commodity and utility. Where a meter of it is missing, an entity is
        not complete.
    meters, accounts, sites, connections, companies : DataFrame, optional
        The tables of that name. They list meters without any record, and say since when and until when bills are
        expected: what stands in one that is not given is not known, and a meter without any record is expected from
        the start of its connection, else its company, alone.
    bill_accounts : DataFrame, optional
        The table of that name: it gives the account of usage that names neither a meter nor an account. Frames say
        the same as their portfolio where all six tables are given.
    expected : str or mapping, optional
        ``"monthly"``, ``"quarterly"``, ``"yearly"`` or ``"seasonal"``, or one for each utility or commodity by name,
        in upper or lower case; a utility's word goes before its commodity's. What is not named is monthly, and
        delivered fuel seasonal: one delivery from October to March. It says when a bill is due, and in which time
        a delivery is expected.
    start, end : day or month, optional
        The window, whole months, both counted. Default: from the first day that is expected or covered to the month
        of `today`.
    today : day, optional
        Default: the day on which a portfolio was answered, else the system's day. Records before 1990, or beyond the
        end of the year after it, cover nothing.
    least_share : float, default 0.97
        Least share of the expected days that must be covered. 0 is Nectar's way: presence is enough. Hauled
        commodities (waste, delivered fuel) are complete with one pickup or delivery whatever it is.
    grace : int, default 45
        How many days after the end of a month (quarter, year) its bills may still come.

    Returns
    -------
    DataFrame
        One row for each entity and month: the entity's ids, ``month`` (its first day), ``status``, ``reason`` (why
        nothing is required, or what is not enough), ``expected``, ``records``, ``days_covered`` (distinct),
        ``days_expected``, ``days_in_month``, ``share_covered`` (covered of the expected days, 0..1; missing for
        hauled commodities and where no day is expected), ``days_missing`` (how many of its days lie in `holes`),
        ``meters`` and ``meters_missing`` (how many of the entity's meters miss that month). Days of an account or
        site are the days of its meters, summed. The status is:

        ``complete`` (at least `least_share` of the expected days), ``partly_billed`` (some of them), ``missing``
        (none, and `grace` days have passed), ``future`` (none yet), ``not_required``.

    Raises
    ------
    DataError
        A missing column, or a date that is none.
    InvalidRequestError
        An argument that is not known, a day before 1800 or after 2200, a start after the end, a name in `expected`
        that is no commodity and no utility of the records, or a window too large to be meant.

    See Also
    --------
    holes : The days that no bill covers, and how many bills are missing there.

    Notes
    -----
    Source: Nectar's completeness page (presence). Ours: the share of days, the grace, and what is expected: from the
    account's collection start, else the meter's first record (a meter without any: its connection's start, else its
    company's), to the day its site is archived; the last record of a meter that is not tracked or was replaced (within
    35 days another meter of its account, commodity and subtype begins), or of an old account. One day that no bill
    covers, at a bill's edge, counts as covered.

    Examples
    --------
    >>> usage = pd.DataFrame({"meter_id": ["M1", "M1"], "start_date": ["2024-01-01", "2024-03-01"],
    ...                       "end_date": ["2024-01-31", "2024-03-15"], "usage": [310.0, 90.0]})
    >>> completeness(usage, today="2024-04-20")[["month", "status", "days_covered"]]
           month         status  days_covered
    0 2024-01-01       complete            31
    1 2024-02-01        missing             0
    2 2024-03-01  partly_billed            15
    3 2024-04-01         future             0
    """
    choose("by", by, tuple(_KEYS))
    if not 0 <= least_share <= 1:
        raise InvalidRequestError(f"least_share={least_share!r} is no share: give a number from 0 to 1.")
    tables = _tables(meters, accounts, sites, connections, companies, bill_accounts)
    view, now = _look("completeness", usage, tables, expected, today, grace)
    return _months(view, now, _window(view, start, end, now), by, least_share)


def _months(view: Outlook, now: int, window: Whole, by: str, least_share: float) -> pd.DataFrame:
    """Return what `completeness` shows of these months."""
    table = _by_meter(view, window, now, least_share)
    meters_of = np.arange(len(view.register))
    keys = view.register
    if by != "meter":
        meters_of, keys = group_keys(view.register, _KEYS[by])
        table = _summed(table, meters_of, len(keys), least_share)
    result = _lay_out(keys, _KEYS[by], window, table)
    result["meters"] = np.repeat(np.bincount(meters_of, minlength=len(keys)), len(window))
    result["meters_missing"] = table["meters_missing"].ravel()
    return report(result, "completeness", view.left_out, by=by)


def holes(
    usage: pd.DataFrame | Portfolio,
    *,
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    connections: pd.DataFrame | None = None,
    companies: pd.DataFrame | None = None,
    bill_accounts: pd.DataFrame | None = None,
    expected: str | Mapping[str, str] | None = None,
    start: str | date | None = None,
    end: str | date | None = None,
    today: str | date | None = None,
    grace: int = _GRACE,
) -> pd.DataFrame:
    """List the days that no bill covers though one should, run by run, and how many bills are missing there.

    Parameters
    ----------
    usage, meters, accounts, sites, connections, companies, bill_accounts, expected, start, end, today, grace
        As `completeness` takes them.

    Returns
    -------
    DataFrame
        One row a hole, sorted by meter and first day: ``site_id, account_id, meter_id, commodity, utility``,
        ``first_day``, ``last_day`` (both counted), ``days``, ``bills_expected`` and ``expected``. A hole is a run of
        expected days without a bill, as far as bills are due; of a hauled commodity, a run of periods without a
        delivery. Bills expected are its days by the usual length of the meter's own bills, at least one.

    Raises
    ------
    DataError, InvalidRequestError
        As `completeness` does.

    Notes
    -----
    Whoever counts missing bills sums ``bills_expected``. Where the bills of the data end on the day on which the next
    begin, as a rule, a hole begins on the last day of the bill before it.

    Examples
    --------
    >>> usage = pd.DataFrame({"meter_id": ["M1", "M1"], "start_date": ["2024-01-01", "2024-04-01"],
    ...                       "end_date": ["2024-01-31", "2024-04-30"], "usage": [310.0, 300.0]})
    >>> holes(usage, today="2024-06-01")[["first_day", "last_day", "days", "bills_expected"]]
       first_day   last_day  days  bills_expected
    0 2024-02-01 2024-03-31    60               2
    """
    tables = _tables(meters, accounts, sites, connections, companies, bill_accounts)
    view, now = _look("holes", usage, tables, expected, today, grace)
    return _hole_table(view, _window(view, start, end, now))


def months_and_holes(
    portfolio: Portfolio,
    *,
    start: str | date,
    end: str | date,
    expected: str | Mapping[str, str] | None = None,
    today: str | date | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `completeness` of some months and all `holes`, for the price of one look at the bills."""
    view, now = _look("completeness", portfolio, {}, expected, today, _GRACE)
    months = _months(view, now, _window(view, start, end, now), "meter", WHOLE)
    return months, _hole_table(view, _window(view, None, None, now))


def _hole_table(view: Outlook, window: Whole) -> pd.DataFrame:
    """Return what `holes` shows of these months."""
    low, high = (int(day) for day in day_of_month(np.append(window[:1], window[-1:] + 1))) if len(window) else (0, 0)
    meter, first, last = _clipped(*_runs(view), low, high - 1)
    usual = usual_days(view.records, view.every, meter)
    bills = np.maximum(1, np.round((last - first + 1) / usual)).astype(np.int64)
    runs = (meter, first, last, bills)
    meter, first, last, bills = map(np.concatenate, zip(runs, _missed_deliveries(view, window), strict=True))
    table = {name: view.register[name].array.take(meter) for name in _OF_HOLE}
    table |= {"first_day": show_days(first), "last_day": show_days(last), "days": last - first + 1}
    table |= {"bills_expected": bills, "expected": _words(view.every[meter])}
    result = pd.DataFrame(table).sort_values(
        ["meter_id", "site_id", "account_id", "commodity", "first_day"], kind="stable", ignore_index=True
    )
    return report(result, "holes", view.left_out)


def _tables(*given: pd.DataFrame | None) -> Tables:
    return dict(zip(_BESIDE, given, strict=True))


def _look(
    what: str,
    usage: pd.DataFrame | Portfolio,
    tables: Tables,
    expected: str | Mapping[str, str] | None,
    today: str | date | None,
    grace: int,
) -> tuple[Outlook, int]:
    """Return what is expected and covered, and today."""
    if grace < 0:
        raise InvalidRequestError(f"grace={grace!r} is no number of days: give 0 or more.")
    now = today_number(today, usage)
    if isinstance(usage, Portfolio):
        own = {name: getattr(usage, name) for name in _BESIDE}
        said = {name: table for name, table in tables.items() if table is not None}
        # a table without columns says nothing
        tables = {name: table for name, table in own.items() if len(table.columns)} | said
        usage = usage.usage
    require(usage, ("meter_id", "start_date", "end_date"), f"The frame given to {what}", instead=PORTFOLIO)
    usage = with_accounts(usage, tables.get("bill_accounts"))
    return outlook(usage, tables, expected, now, grace), now


def _window(view: Outlook, start: str | date | None, end: str | date | None, now: int) -> Whole:
    """Return the months that are looked at."""
    last_month = int(month_of(np.asarray([now if end is None else day_number(end, "end")]))[0])
    if start is not None:
        first_day = day_number(start, "start")
    else:
        if not len(view.register):
            return np.empty(0, dtype=np.int64)
        asked = view.begin[(view.begin < EVER) & (view.stop >= view.begin)]
        first_day = min(int(view.records[1].min(initial=now)), int(asked.min(initial=now)))
    first_month = int(month_of(np.asarray([first_day]))[0])
    if start is not None and first_month > last_month:
        until = "the month of today" if end is None else f"end={end!r}"
        raise InvalidRequestError(f"start={start!r} lies after {until}: exchange them, or give a later end.")
    window = np.arange(first_month, last_month + 1, dtype=np.int64)
    if len(view.register) * len(window) > _LARGEST:
        raise InvalidRequestError(
            f"{len(view.register):,} meters in {len(window):,} months are too many to be meant.",
            advice="Check the earliest and the latest date of the records, or give start= and end=.",
        )
    return window


def _by_meter(view: Outlook, window: Whole, now: int, least_share: float) -> dict[str, Whole]:
    """Return status, reason and days of every meter (row) and month (column)."""
    shape = (len(view.register), len(window))
    base = int(window[0]) if len(window) else 0
    starts, ends = day_of_month(window), day_of_month(window + 1) - 1
    begin, stop = view.begin[:, None], view.stop[:, None]
    asked = np.maximum(np.minimum(ends, stop) - np.maximum(starts, begin) + 1, 0)
    there = days_in_months(*view.inside, shape, base)
    covered = np.maximum(there, days_in_months(*view.pieces, shape, base)) if view.beyond else there.copy()
    records = records_in_months(*view.records, shape, base)
    enough = records > 0 if least_share == 0 else there >= least_share * asked
    due = ends <= view.due[:, None]
    status = np.where(due, _MISSING, _FUTURE)
    status = np.where(there > 0, _PARTLY, status)
    status = np.where(enough, _COMPLETE, status)
    status = np.where(asked == 0, np.where(records > 0, _COMPLETE, _NOT_REQUIRED), status)
    over = (ends > stop) | ((starts >= begin) & (stop < EVER))
    reason = np.where(over, view.why_stop[:, None], view.why_begin[:, None])
    rows = np.flatnonzero(view.hauled)
    if len(rows) and len(window):
        wanted, present, whole = deliveries(view, rows, window)
        touched, mine = records[rows] > 0, due[rows]
        of_hauled = np.where(whole, np.where(mine, _MISSING, _FUTURE), _NOT_REQUIRED)
        of_hauled = np.where(present, np.where(starts <= now, _COMPLETE, _FUTURE), of_hauled)
        of_hauled = np.where(wanted, of_hauled, _NOT_REQUIRED)
        status[rows] = np.where(touched, _COMPLETE, of_hauled)
        summer = (asked[rows] > 0) & ~wanted
        reason[rows] = np.where(summer, SUMMER, reason[rows])
        asked[rows], there[rows] = 0, 0
    reason = np.where(status == _NOT_REQUIRED, reason, np.where(status == _PARTLY, PART, 0))
    lacking = days_in_months(*_runs(view), shape, base)
    lacking[rows] = np.where(status[rows] == _MISSING, ends - starts + 1, 0)
    return {
        "status": status, "reason": reason, "records": records, "days_covered": covered, "days_expected": asked,
        "days_missing": lacking,
        "there": there, "meters_missing": (status == _MISSING).astype(np.int64),
        "every": view.every, "hauled": view.hauled,
    }  # fmt: skip


def _summed(table: dict[str, Whole], group: Whole, size: int, least_share: float) -> dict[str, Whole]:
    """Return the same of groups of meters: their days are added, and a group that misses a meter is not complete."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(size))

    def fold(join: np.ufunc, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(join.reduceat(values[order], starts, axis=0)) if size else values

    status, hauled = table["status"], table["hauled"][:, None]
    some = fold(np.logical_or, status <= _PARTLY)
    added = ("records", "days_covered", "days_expected", "days_missing", "there")
    result = {name: fold(np.add, table[name]) for name in added}
    missing = fold(np.add, table["meters_missing"])
    awaited = (status == _PARTLY) | (status == _MISSING) | (status == _FUTURE)
    lacking = fold(np.logical_or, awaited & (hauled | (least_share == 0)))
    lacking |= (missing > 0) | (result["there"] < least_share * result["days_expected"])
    wanted = np.where(missing > 0, _MISSING, np.where(fold(np.logical_or, awaited), _FUTURE, _NOT_REQUIRED))
    result["status"] = np.where(some, np.where(lacking, _PARTLY, _COMPLETE), wanted)
    why = fold(np.minimum, np.where(table["reason"] > 0, table["reason"], len(REASONS)))
    partly = np.where(missing > 0, ONE_MISSING, PART)
    result["reason"] = np.select(
        [result["status"] == _PARTLY, result["status"] == _NOT_REQUIRED], [partly, why], default=0
    )
    of_hauled = fold(np.logical_and, table["hauled"])
    often = np.where(table["every"] == SEASONAL, 6, table["every"])
    every = fold(np.minimum, often)
    return result | {"meters_missing": missing, "every": np.where(every == 6, SEASONAL, every), "hauled": of_hauled}


def _words(every: Whole) -> pd.api.extensions.ExtensionArray:
    return pd.Series(every).map(_WORDS).astype(TEXT).array


def _lay_out(entities: pd.DataFrame, keys: tuple[str, ...], window: Whole, table: dict[str, Whole]) -> pd.DataFrame:
    asked = table["days_expected"].ravel()
    share = np.full(len(asked), np.nan)
    np.divide(table["there"].ravel(), asked, out=share, where=asked > 0)
    length = day_of_month(window + 1) - day_of_month(window)
    return pd.DataFrame(
        {
            **{name: entities[name].array.repeat(len(window)) for name in keys},
            "month": np.tile(show_days(day_of_month(window)), len(entities)),
            "status": pd.array(STATUSES, dtype=TEXT).take(table["status"].ravel()),
            "reason": pd.array(REASONS, dtype=TEXT).take(table["reason"].ravel()),
            "expected": _words(table["every"]).repeat(len(window)),
            "records": table["records"].ravel(),
            "days_covered": table["days_covered"].ravel(),
            "days_expected": asked,
            "days_in_month": np.tile(length, len(entities)),
            "share_covered": share,
            "days_missing": table["days_missing"].ravel(),
        }
    )


def _runs(view: Outlook) -> tuple[Whole, Whole, Whole]:
    """Return meter, first and last day of each run of due, expected days that no record covers; not of deliveries."""
    code, first, last = view.inside
    until = np.minimum(view.stop, view.due)
    head = np.ones(len(code), dtype=bool)
    head[1:] = code[1:] != code[:-1]
    before = np.where(head, view.begin[code], np.append(0, last + 1)[: len(code)])
    tail = np.append(head[1:], True)[: len(code)]
    silent = np.setdiff1d(np.arange(len(view.register)), code)
    meter = np.concatenate([code, code[tail], silent])
    begins = np.concatenate([before, last[tail] + 1, view.begin[silent]])
    ends = np.concatenate([first - 1, until[code[tail]], until[silent]])
    ends = np.minimum(ends, until[meter])
    kept = (begins <= ends) & ~view.hauled[meter]
    if view.shared:  # the last day of the bill before is the first of the one that is missing
        after = np.concatenate([~head, np.ones(int(tail.sum()), dtype=bool), np.zeros(len(silent), dtype=bool)])
        begins = np.maximum(begins - after, view.begin[meter])
    return meter[kept], begins[kept], ends[kept]


def _clipped(meter: Whole, first: Whole, last: Whole, low: int, high: int) -> tuple[Whole, Whole, Whole]:
    first, last = np.maximum(first, low), np.minimum(last, high)
    kept = first <= last
    return meter[kept], first[kept], last[kept]


def _missed_deliveries(view: Outlook, window: Whole) -> tuple[Whole, Whole, Whole, Whole]:
    """Return meter, first and last day, and number of periods, of each run of due periods without a delivery."""
    rows = np.flatnonzero(view.hauled)
    if not len(rows) or not len(window):
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    wanted, present, whole = deliveries(view, rows, window)
    missed = wanted & whole & ~present & (day_of_month(window + 1) - 1 <= view.due[rows][:, None])
    steps = np.diff(missed.astype(np.int8), axis=1, prepend=0, append=0)
    meter, head = np.nonzero(steps == 1)
    _, tail = np.nonzero(steps == -1)
    often = view.every[rows][meter]
    periods = -((head - tail) // np.where(often == SEASONAL, 6, often))
    return rows[meter], day_of_month(window[head]), day_of_month(window[tail - 1] + 1) - 1, periods

"""Completeness: which months of which site, account or meter have data, and which should have.

Nectar counts presence: a month is complete once a record touches it. A bill that is missing between two
others hides behind that, so every month also carries the share of its days that is covered. This module looks
at usage records only; why one is missing (a broken login, a closed account) is for the dashboards.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.clock import SystemClock
from nectar_notebooks.errors import InvalidRequestError
from nectar_notebooks.methodology.checks import PORTFOLIO, TEXT, choose, counted, left_out, numbers, report, require
from nectar_notebooks.methodology.counting import count_periods
from nectar_notebooks.methodology.keys import group_keys
from nectar_notebooks.methodology.register import meter_register
from nectar_notebooks.methodology.spans import (
    HAULED,
    MISSING_DAY,
    cover,
    day_of_month,
    month_of,
    service_days,
    show_days,
)
from nectar_notebooks.methodology.window import day_number
from nectar_notebooks.schema.periods import Span
from nectar_notebooks.schema.portfolio import Portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nectar_notebooks.methodology.spans import Coverage, Whole

__all__ = ["check_expected", "completeness"]

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "meter": ("meter_id", "account_id", "site_id", "commodity", "utility"),
    "account": ("account_id",),
    "site": ("site_id", "commodity", "utility"),
}
_MONTHS: Final = {"monthly": 1, "quarterly": 3, "yearly": 12}
_STATUS: Final = ("complete", "missing", "not required", "future")
_COMPLETE, _MISSING, _NOT_REQUIRED, _FUTURE = range(4)
_REASONS: Final = (
    None,
    "before collection starts",
    "before the first record",
    "the site is archived",
    "the account does not count",
    "the meter is not tracked",
    "covered in too small a part",
)
_EARLY, _UNSEEN, _ARCHIVED, _NOT_COUNTED, _UNTRACKED, _THIN = range(1, 7)
_LARGEST: Final = 50_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
_EVER: Final = int(np.iinfo(np.int64).max)


def completeness(
    usage: pd.DataFrame | Portfolio,
    *,
    by: str = "meter",
    meters: pd.DataFrame | None = None,
    accounts: pd.DataFrame | None = None,
    sites: pd.DataFrame | None = None,
    expected: str | Mapping[str, str] = "monthly",
    start: str | date | None = None,
    end: str | date | None = None,
    today: str | date | None = None,
    least_share: float = 0.0,
) -> pd.DataFrame:
    """Say for every month of every entity whether its data is there.

    Parameters
    ----------
    usage : DataFrame or Portfolio
        Usage records: ``meter_id``, ``start_date``, ``end_date``; used where they stand: ``site_id``,
        ``account_id``, ``commodity``, ``utility``, ``usage``, ``counts``. A portfolio brings all tables at
        once. Records that do not count, and records without a usage, make no month complete.
    by : {"meter", "account", "site"}
        The entity: a meter, an account, or a site, commodity and utility.
    meters, accounts, sites : DataFrame, optional
        The tables of that name. With them, meters without any record are listed; collection starts, archived
        sites, accounts that do not count and untracked meters make months *not required*.
    expected : str or mapping, default "monthly"
        ``"monthly"``, ``"quarterly"`` or ``"yearly"``, or one for each utility or commodity by name; what is
        not named is monthly. A quarter (a year) is complete in all its months with one record in it.
    start, end : day or month, optional
        The window, both counted. Default: from the first record to the month of `today`.
    today : day, optional
        Default: the system's day. A month (quarter, year) that is not over is *future* unless it has data.
    least_share : float, default 0
        Least share of a month's days that must be covered. 0 is Nectar's way: presence is enough. Hauled
        commodities (waste, delivered fuel) are complete with one pickup or delivery whatever it is.

    Returns
    -------
    DataFrame
        One row for each entity and month: the entity's ids, ``month`` (its first day), ``status`` (complete,
        missing, not required, future), ``reason`` (why not required, or why its records are not enough),
        ``expected``, ``records``, ``days_covered`` (distinct), ``days_in_month``, ``share_covered`` (0..1;
        missing for hauled commodities), ``meters`` and ``meters_missing`` (how many of the entity's meters
        miss that month).

    Raises
    ------
    DataError
        A missing column, or a date that is none.
    InvalidRequestError
        An argument that is not known, or a window too large to be meant.

    Notes
    -----
    Source: Nectar's completeness page (presence, four states). Ours: the share of days, "not over yet" as
    future, and the account's collection start, else the meter's first record, as first month required.

    Examples
    --------
    >>> usage = pd.DataFrame({"meter_id": ["M1", "M1"], "start_date": ["2024-01-01", "2024-03-01"],
    ...                       "end_date": ["2024-01-31", "2024-03-15"], "usage": [310.0, 90.0]})
    >>> completeness(usage, today="2024-04-20")[["month", "status", "days_covered"]]
           month    status  days_covered
    0 2024-01-01  complete            31
    1 2024-02-01   missing             0
    2 2024-03-01  complete            15
    3 2024-04-01    future             0
    """
    choose("by", by, tuple(_KEYS))
    if isinstance(usage, Portfolio):
        meters = usage.meters if meters is None else meters
        accounts = usage.accounts if accounts is None else accounts
        sites = usage.sites if sites is None else sites
        usage = usage.usage
    require(usage, ("meter_id", "start_date", "end_date"), "The frame given to completeness", instead=PORTFOLIO)
    first, last = service_days(usage, "usage")
    now = day_number(SystemClock().today() if today is None else today, "today")
    usage = count_periods(usage, Span.of(today=date.fromordinal(now + _EPOCH)))
    rows, out = _present(usage, first)
    code, register = meter_register(usage, rows, first, last, meters=meters, accounts=accounts, sites=sites)
    register["every"] = _every(expected, register)
    window = _window(first[rows], register, start, end, now)
    wide = np.arange(window[0] // 12 * 12, window[-1] // 12 * 12 + 12) if len(window) else window
    if len(register) * len(wide) > _LARGEST:
        raise InvalidRequestError(
            f"{len(register):,} meters in {len(wide):,} months are too many to be meant.",
            advice="Check the earliest and the latest date of the records, or give start= and end=.",
        )
    base = int(wide[0]) if len(wide) else 0
    single = cover(code, first[rows], last[rows], (len(register), len(wide)), base)
    status, reason = _judge(single, register, wide, now, least_share)
    if by == "meter":
        group, whole, missing = np.arange(len(register)), single, (status == _MISSING).astype("int64")
        merged = register
    else:
        group, keys = group_keys(register, _KEYS[by])
        merged = _merge(register, group, keys)
        whole = cover(group[code], first[rows], last[rows], (len(merged), len(wide)), base)
        missing = np.zeros(whole.days.shape, dtype="int64")
        np.add.at(missing, group, status == _MISSING)
        status, reason = _judge(whole, merged, wide, now, least_share)
    inside = slice(int(window[0]) - base, int(window[-1]) - base + 1) if len(window) else slice(0)
    result = _lay_out(merged, _KEYS[by], window, inside, whole, status, reason)
    result["meters"] = np.repeat(np.bincount(group, minlength=len(merged)), len(window))
    result["meters_missing"] = missing[:, inside].ravel()
    return report(result, "completeness", out, by=by)


def _present(usage: pd.DataFrame, first: Whole) -> tuple[Whole, dict[str, int]]:
    """Return the rows that can make a month complete, and how many cannot, by reason."""
    kept = counted(usage, "usage")
    out = left_out(usage, kept, "does not count")
    bare = {"start_date is missing": first == MISSING_DAY}
    if "usage" in usage.columns:
        bare["usage is missing"] = np.isnan(numbers(usage, "usage", "usage"))
    for reason, rows in bare.items():
        number = int((kept & rows).sum())
        if number:
            out[reason] = number
        kept = kept & ~rows
    return np.flatnonzero(kept), out


def _window(first: Whole, register: pd.DataFrame, start: str | date | None, end: str | date | None, now: int) -> Whole:
    last_month = int(month_of(np.asarray([now if end is None else day_number(end, "end")]))[0])
    if start is not None:
        first_day = day_number(start, "start")
    else:
        starts = register["starts"].to_numpy()
        known = first if len(first) else starts[starts != MISSING_DAY]
        if not len(register):
            return np.empty(0, dtype=np.int64)
        first_day = int(known.min()) if len(known) else now
    first_month = int(month_of(np.asarray([first_day]))[0])
    return np.arange(first_month, last_month + 1, dtype=np.int64)


def check_expected(expected: str | Mapping[str, str]) -> None:
    """Raise `InvalidRequestError` where `expected` of `completeness` names something else than months."""
    for name, word in [("expected", expected)] if isinstance(expected, str) else expected.items():
        choose(name if word is expected else f"expected[{name!r}]", word, tuple(_MONTHS))


def _every(expected: str | Mapping[str, str], register: pd.DataFrame) -> Whole:
    """Return after how many months each meter's next record is expected."""
    check_expected(expected)
    if isinstance(expected, str):
        return np.full(len(register), _MONTHS[expected])
    words = register["utility"].map(expected).astype(TEXT)
    words = words.fillna(register["commodity"].map(expected).astype(TEXT)).fillna("monthly")
    return np.asarray(words.map(_MONTHS), dtype=np.int64)


def _merge(register: pd.DataFrame, group: Whole, keys: pd.DataFrame) -> pd.DataFrame:
    """Give a group of meters the bounds of its members: required as long as one of them is."""
    merged = keys.copy()
    required = _required(register)
    by = pd.DataFrame({**required, "group": group, "every": register["every"]}).groupby("group")
    merged["from"], merged["to"] = by["from"].min(), by["to"].max()
    merged["why_from"] = by["why_from"].min()
    merged["never"], merged["every"] = by["never"].min(), by["every"].min()
    merged["hauled"] = by["hauled"].all()
    return merged


def _required(register: pd.DataFrame) -> pd.DataFrame:
    """Return the first and last month in which each meter should report, and why not before or at all."""
    if "from" in register:
        return register
    starts, seen, ends = (register[name].to_numpy() for name in ("starts", "seen", "ends"))
    known = np.where(starts != MISSING_DAY, starts, seen)
    unknown = known == MISSING_DAY
    never = np.where(register["tracked"], 0, _UNTRACKED)
    return pd.DataFrame(
        {
            "from": np.where(unknown, -_EVER, month_of(np.where(unknown, 0, known))),
            "why_from": np.where(starts != MISSING_DAY, _EARLY, _UNSEEN),
            "to": np.where(ends == MISSING_DAY, _EVER, month_of(np.where(ends == MISSING_DAY, 0, ends))),
            "never": np.where(register["counts"], never, _NOT_COUNTED),
            "every": register["every"],
            "hauled": register["commodity"].isin(HAULED),
        }
    )


def _judge(grid: Coverage, register: pd.DataFrame, months: Whole, now: int, least_share: float) -> tuple[Whole, Whole]:
    """Return status and reason of every entity (row) and month (column)."""
    required = _required(register)
    length = day_of_month(months + 1) - day_of_month(months)
    hauled = required["hauled"].to_numpy()[:, None]
    touched = grid.days > 0
    present = touched & (hauled | (grid.days >= least_share * length))
    every = required["every"].to_numpy()
    over = np.zeros(present.shape, dtype=bool)
    for span in np.unique(every):
        members = every == span
        last = months // span * span + span
        over[members] = day_of_month(last) <= now
        if span > 1:
            # The window is whole years, so that periods do not straddle its edges.
            blocks = present[members].reshape(int(members.sum()), -1, span).any(axis=2)
            present[members] = np.repeat(blocks, span, axis=1)
    early = months < required["from"].to_numpy()[:, None]
    late = months > required["to"].to_numpy()[:, None]
    never = required["never"].to_numpy()[:, None]
    status = np.where(over, _MISSING, _FUTURE)
    status = np.where(early | late | (never > 0), _NOT_REQUIRED, status)
    reason = np.where(early, required["why_from"].to_numpy()[:, None], np.where(late, _ARCHIVED, 0))
    reason = np.where(never > 0, never, reason)
    reason = np.where((status == _MISSING) & touched, _THIN, reason)
    return np.where(present, _COMPLETE, status), np.where(present, 0, reason)


def _lay_out(
    merged: pd.DataFrame,
    keys: tuple[str, ...],
    window: Whole,
    inside: slice,
    grid: Coverage,
    status: Whole,
    reason: Whole,
) -> pd.DataFrame:
    every = {span: word for word, span in _MONTHS.items()}
    table = {name: merged[name].array.repeat(len(window)) for name in keys}
    covered = grid.days[:, inside].ravel()
    length = np.tile(day_of_month(window + 1) - day_of_month(window), len(merged))
    hauled = np.repeat(_required(merged)["hauled"].to_numpy(dtype=bool), len(window))
    return pd.DataFrame(
        {
            **table,
            "month": np.tile(show_days(day_of_month(window)), len(merged)),
            "status": pd.array(_STATUS, dtype=TEXT).take(status[:, inside].ravel()),
            "reason": pd.array(_REASONS, dtype=TEXT).take(reason[:, inside].ravel()),
            "expected": merged["every"].map(every).astype(TEXT).array.repeat(len(window)),
            "records": grid.records[:, inside].ravel(),
            "days_covered": covered,
            "days_in_month": length,
            "share_covered": np.where(hauled, np.nan, covered / length),
        }
    )

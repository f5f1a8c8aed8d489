"""What the checks of a portfolio look at: rows as numbers, joined once, and how a finding is written down.

Every family of checks takes an :class:`Evidence` and returns frames made by :meth:`Evidence.found`. Nothing is
judged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from nectar_notebooks.methodology.counting import count_periods, counted_but_for_period
from nectar_notebooks.methodology.frames import PORTFOLIO, TEXT, counted, days, factorize, require, text
from nectar_notebooks.methodology.quality.issues.kinds import KINDS
from nectar_notebooks.methodology.time.spans import MISSING_DAY, service_days, show_days
from nectar_notebooks.schema.periods import Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    import numpy.typing as npt

    from nectar_notebooks.methodology.time.spans import Truth, Whole

    #: One value for each finding: ids as text, days as numbers.
    Fact: TypeAlias = Sequence[object] | npt.NDArray[np.generic] | pd.Series[str] | None

__all__ = ["COLUMNS", "Evidence", "day_text", "lenient_numbers"]

_EPOCH: Final = date(1970, 1, 1).toordinal()
_IDS: Final = ("site_id", "account_id", "meter_id", "bill_id", "other_bill_id", "usage_id")
COLUMNS: Final = ("kind", "level", *_IDS, "start_date", "end_date", "found", "to_do")


def lenient_numbers(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Return a column as float64, infinities kept: here they are a finding, elsewhere an error."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if not (isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"):
        column = pd.to_numeric(column, errors="coerce")
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def day_text(day: int | np.int64) -> str:
    """Return a day as it is written: 2024-01-31."""
    return "an unknown day" if day == MISSING_DAY else str(np.datetime64(int(day), "D"))


@dataclass(frozen=True, eq=False)
class Evidence:
    """The tables of a portfolio, those that are not given None and their checks not made; and its holes."""

    usage: pd.DataFrame
    bills: pd.DataFrame | None
    line_items: pd.DataFrame | None
    bill_accounts: pd.DataFrame | None
    meters: pd.DataFrame | None
    today: int
    holes: pd.DataFrame

    def __post_init__(self) -> None:
        needed = ("usage_id", "meter_id", "start_date", "end_date", "usage")
        require(self.usage, needed, "The frame given to issues", instead=PORTFOLIO)
        needs = {"bills": "bill_id", "line_items": "bill_id", "bill_accounts": "bill_id", "meters": "meter_id"}
        for name, key in needs.items():
            table = getattr(self, name)
            if table is not None:
                require(table, (key,), name)

    @cached_property
    def _codes(self) -> tuple[dict[str, Whole], pd.Series[str]]:
        """Number all bill ids of all tables alike, whatever the order of their rows."""
        tables = {"usage": self.usage, "bills": self.bills, "line_items": self.line_items}
        tables["bill_accounts"] = self.bill_accounts
        given = {name: text(table, "bill_id") for name, table in tables.items() if table is not None}
        codes, names = pd.factorize(pd.concat(list(given.values()), ignore_index=True))
        ends = np.cumsum([len(column) for column in given.values()])[:-1]
        parts = np.split(codes.astype(np.int64), ends)
        return dict(zip(given, parts, strict=True)), pd.Series(names, dtype=TEXT)

    def bill_code(self, table: str) -> Whole:
        """Return the number of each row's bill (-1 where it names none)."""
        return self._codes[0][table]

    @property
    def bill_names(self) -> pd.Series[str]:
        """Return the bill ids by number."""
        return self._codes[1]

    @cached_property
    def bill_row(self) -> Whole:
        """Return the row of each bill number in the bills table (-1 for none; the first of doubled ones)."""
        row = np.full(len(self.bill_names), -1, dtype=np.int64)
        if self.bills is not None:
            codes = self.bill_code("bills")
            known = np.flatnonzero(codes >= 0)[::-1]
            row[codes[known]] = known
        return row

    @cached_property
    def superseded(self) -> Truth:
        """Say of each bill number whether another bill replaces it."""
        out = np.zeros(len(self.bill_names), dtype=bool)
        if self.bills is not None and "superseded_by" in self.bills:
            out[self.bill_code("bills")[self.bills["superseded_by"].notna().to_numpy()]] = True
        return out

    @cached_property
    def bill_counts(self) -> Truth:
        """Say of each bill number whether sums should take it."""
        out = ~self.superseded
        if self.bills is not None:
            out[self.bill_code("bills")[~counted(self.bills, "bills")]] = False
        return out

    @cached_property
    def repeated(self) -> Truth:
        """Say of each usage row whether its id stood on an earlier row."""
        return np.asarray(self.usage["usage_id"].duplicated() & self.usage["usage_id"].notna(), dtype=bool)

    @cached_property
    def live(self) -> Truth:
        """Say of each usage row whether sums should take it: it counts, and no bill replaces its bill."""
        code = self.bill_code("usage")
        of_bill: Truth = np.append(self.bill_counts, True)[code]
        return counted(count_periods(self.usage, self.span), "usage") & of_bill & ~self.repeated

    @cached_property
    def dated(self) -> Truth:
        """Say of each usage row whether sums should take it, but for its period, which may be what is wrong."""
        of_bill: Truth = np.append(self.bill_counts, True)[self.bill_code("usage")]
        return counted_but_for_period(self.usage, "usage") & of_bill & ~self.repeated

    @cached_property
    def span(self) -> Span:
        """Return the days that periods may have."""
        return Span.of(today=date.fromordinal(self.today + _EPOCH))

    @cached_property
    def period(self) -> tuple[Whole, Whole]:
        """Return first and last day of every usage row."""
        return service_days(self.usage, "usage")

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """Return the usage of every row, infinities kept."""
        return lenient_numbers(self.usage, "usage")

    @cached_property
    def account_of_bill(self) -> pd.Series[str]:
        """Return one account of each bill number (the first in the alphabet), missing where none is known."""
        if self.bill_accounts is None or "account_id" not in self.bill_accounts:
            return pd.Series(np.nan, index=range(len(self.bill_names))).astype(TEXT)
        account, names = factorize(self.bill_accounts, "account_id")
        code = self.bill_code("bill_accounts")
        rows = (account >= 0) & (code >= 0)
        first = np.full(len(self.bill_names), len(names))
        np.minimum.at(first, code[rows], account[rows])
        first = np.where(first == len(names), -1, first)
        return pd.Series(names.array.take(first, allow_fill=True), dtype=TEXT)

    @cached_property
    def charges(self) -> npt.NDArray[np.float64]:
        """Return what each bill number charges: current charges, else the total; NaN where neither is known."""
        if self.bills is None:
            return np.full(len(self.bill_names), np.nan)
        current, total = (lenient_numbers(self.bills, name) for name in ("current_charges", "total_charges"))
        return np.append(np.where(np.isnan(current), total, current), np.nan)[self.bill_row]

    def of_bill(self, name: str) -> pd.Series[str]:
        """Return a text column of the bills table, by bill number."""
        if self.bills is None:
            return pd.Series(np.nan, index=range(len(self.bill_names))).astype(TEXT)
        return pd.Series(text(self.bills, name).array.take(self.bill_row, allow_fill=True), dtype=TEXT)

    def bill_days(self, name: str) -> Whole:
        """Return a date column of the bills table, by bill number."""
        if self.bills is None:
            return np.full(len(self.bill_names), MISSING_DAY)
        return np.append(days(self.bills, name, "bills").astype(np.int64), MISSING_DAY)[self.bill_row]

    def of_usage(self, kind: str, rows: Whole, found: Sequence[str], **other: Fact) -> pd.DataFrame:
        """Return findings about usage rows: ids and periods are theirs unless `other` says otherwise."""
        if not len(found):
            return self._nothing
        taken = self.usage.iloc[rows]
        start, end = (days[rows] for days in self.period)
        ids = {name: text(taken, name).to_numpy() for name in ("site_id", "meter_id", "bill_id", "usage_id")}
        accounts = self.account_of_bill.reindex(self.bill_code("usage")[rows]).to_numpy(dtype=object)
        if self.meters is not None and "account_id" in self.meters:
            by_meter = text(self.meters, "account_id").set_axis(text(self.meters, "meter_id").to_numpy())
            own = by_meter[~by_meter.index.duplicated()].reindex(ids["meter_id"]).to_numpy(dtype=object)
            accounts = np.where(pd.isna(own), accounts, own)
        facts = {**ids, "account_id": accounts, "start_date": start, "end_date": end, **other}
        return self.found(kind, found, **facts)

    def of_bills(self, kind: str, codes: Whole, found: Sequence[str], **other: Fact) -> pd.DataFrame:
        """Return findings about bills; the period is the bill's own start and date unless `other` says."""
        if not len(found):
            return self._nothing
        facts = {
            "bill_id": self.bill_names.iloc[codes].to_numpy(),
            "account_id": self.account_of_bill.iloc[codes].to_numpy(),
            "start_date": self.bill_days("start_date")[codes],
            "end_date": self.bill_days("bill_date")[codes],
            **other,
        }
        return self.found(kind, found, **facts)

    @cached_property
    def _nothing(self) -> pd.DataFrame:
        return self.found("gap", [])

    def found(self, kind: str, found: Sequence[str], **facts: Fact) -> pd.DataFrame:
        """Return findings of one kind, one for each sentence of `found`; ids that are not given are missing."""
        known = KINDS[kind]
        size = len(found)
        table: dict[str, Fact] = {
            "kind": pd.Series([kind] * size, dtype=TEXT),
            "level": pd.Series([known.level] * size, dtype=TEXT),
        }
        for name in _IDS:
            given = facts.get(name)
            values = np.full(size, np.nan, dtype=object) if given is None else np.asarray(given, dtype=object)
            table[name] = pd.Series(values, dtype=TEXT)
        for name in ("start_date", "end_date"):
            given = facts.get(name)
            when = np.full(size, MISSING_DAY) if given is None else np.asarray(given, dtype=np.int64)
            table[name] = show_days(when)
        table["found"] = pd.Series(list(found), dtype=TEXT)
        table["to_do"] = pd.Series([known.to_do] * size, dtype=TEXT)
        return pd.DataFrame(table)

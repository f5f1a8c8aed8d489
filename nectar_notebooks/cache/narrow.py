"""Narrow questions: a site or some days of a company's bills, asked for alone instead of walking whole lists.

- :class:`Span` says what a question is about, how the API is asked for it, and which other questions the answer covers.
- :class:`Narrow` decides where a question is answered from: the whole lists if any of them is kept, a kept answer that
  covers it, or the API.
- :class:`_Reading` asks the API for one span. Its rows are those the whole lists would give, or it is refused and the
  lists are walked: bills and usage are fetched separately and must reference each other, so that a filter which works
  differently than documented is noticed.

A kept answer is never refreshed by changes. After a few of them the next narrow question walks the whole lists: someone
who asks again and again is better served by them. Which rows of the tables a question selects is the client's decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks import tables
from nectar_notebooks.api import ENDPOINTS, oldest, walk
from nectar_notebooks.cache.assembling import FAMILIES, INPUTS, assemble, dangling, merge, unplaced, within
from nectar_notebooks.cache.library import Held
from nectar_notebooks.cache.listing import SKEW, Listing
from nectar_notebooks.cache.meters import MeterReader
from nectar_notebooks.cache.snapshots import SnapshotKey
from nectar_notebooks.cache.store import DamagedSnapshotError
from nectar_notebooks.errors import InterruptedWalkError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from nectar_notebooks.api import AnswerTime, Page
    from nectar_notebooks.cache.assembling import Frames
    from nectar_notebooks.cache.company import Company
    from nectar_notebooks.cache.library import Library
    from nectar_notebooks.cache.listing import Pulled

__all__ = ["Narrow", "NarrowQuestion", "Span"]

#: The tables of a narrow answer.
_BILL_TABLES: Final = (
    "bills", "bill_accounts", "line_items", "line_item_accounts", "usage", "time_of_use", "demand", "demand_usage",
)  # fmt: skip
#: Before v2.2 a filtered list cannot be converted correctly: demand and time-of-use rows are mixed in.
_VERSION: Final = "v2.2"
#: After this many kept answers, the next narrow question walks the whole lists.
_MOST: Final = 3
_DATE_TYPES: Final = {
    "service_period": "USAGE_PERIOD",
    "bill_date": "BILL_DATE",
    "created": "CREATED_DATE",
    "updated": "UPDATED_DATE",
}
#: Filters by UTC day. It is undocumented whether rows of the last day are returned: one more day is asked for.
_CUT_AT_MIDNIGHT: Final = ("created", "updated")
#: Earlier than any bill.
_BEGINNING: Final = "1900-01-01"
#: Columns of usage that must agree between a bill and the list of usage.
_ALIKE: Final = ["bill_id", "meter_id", "site_id", "start_date", "end_date", "usage"]


class _NotNarrowError(Exception):
    """The API's answers do not show that they are complete; `requests` were spent. Never raised outside the cache."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.requests = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a company's bills and usage.

    Parameters
    ----------
    by : str
        What the days select by: ``service_period``, ``bill_date``, ``created`` or ``updated``.
    start, end : date, optional
        First and last day; default all days.
    site_id : str, optional
        Only bills with usage at this site.
    bills : bool
        Whether bills without usage are included; else only those that its usage references.

    Examples
    --------
    >>> year = Span("bill_date", date(2025, 1, 1), date(2025, 12, 31))
    >>> year.covers(Span("bill_date", date(2025, 3, 1), date(2025, 3, 31), "s1"))
    True
    """

    by: str
    start: date | None = None
    end: date | None = None
    site_id: str | None = None
    bills: bool = True

    @property
    def open(self) -> bool:
        """True when neither start nor end is set."""
        return self.start is None and self.end is None

    def covers(self, other: Span) -> bool:
        """Return whether every row of `other` is in this span."""
        return (
            self.site_id in (None, other.site_id)
            and (self.bills or not other.bills)
            and (self.open or (self.by == other.by and self._holds(other)))
        )

    def _holds(self, other: Span) -> bool:
        from_then = self.start is None or (other.start is not None and self.start <= other.start)
        until_then = self.end is None or (other.end is not None and other.end <= self.end)
        return from_then and until_then

    def asked(self) -> Span:
        """Return the span to ask the API for: the smallest whose rows show that the answer is complete."""
        if self.site_id is not None and self.by in _CUT_AT_MIDNIGHT:
            # Only usage tells which bills are a site's, whenever it was created or updated.
            return Span("service_period", site_id=self.site_id)
        return Span(
            "service_period" if self.open else self.by,
            self.start,
            self.end,
            self.site_id,
            self.bills or self.site_id is not None or self.by != "service_period",
        )

    def question(self) -> dict[str, str]:
        """Return the filters of the API that select its usage, and the bills of that usage."""
        if self.open:
            return {}
        asked = {"dateType": _DATE_TYPES[self.by]}
        if self.start is not None:
            asked["startDate"] = self.start.isoformat()
        if self.end is not None:
            last = self.end + timedelta(days=1) if self.by in _CUT_AT_MIDNIGHT else self.end
            asked["endDate"] = last.isoformat()
        return asked

    def text(self) -> str:
        """Return the span as a string for :meth:`read`, the same for equal spans."""
        days = [None if day is None else day.isoformat() for day in (self.start, self.end)]
        return "question " + json.dumps([self.by, *days, self.site_id, self.bills])

    @classmethod
    def read(cls, text: str) -> Span:
        """Return the span of a string made by :meth:`text`.

        Examples
        --------
        >>> Span.read(Span("bill_date", site_id="s1").text()).site_id
        's1'
        """
        by, start, end, site_id, bills = json.loads(text.removeprefix("question "))
        first, last = (None if day is None else date.fromisoformat(day) for day in (start, end))
        return cls(by, first, last, site_id, bills)


@dataclass(frozen=True, slots=True)
class NarrowQuestion:
    """A question: the span it `needs`, the span that `asks` the API, and a function `takes` for rows of the latter.

    `takes` returns which usage rows of given tables are in the span that is asked for.
    """

    needs: Span
    asks: Span
    takes: Callable[[Mapping[str, pd.DataFrame]], pd.Series]


class Narrow:
    """Answers narrow questions about one company.

    Parameters
    ----------
    library : Library
    company : Company
    """

    def __init__(self, library: Library, company: Company) -> None:
        self._library = library
        self._company = company

    def answer(self, question: NarrowQuestion, wanted: Collection[str]) -> Held:
        """Return the tables `wanted`, with all rows that the question needs, and perhaps more."""
        company, offline = self._company, self._library.offline
        if offline:
            whole = all(company.held(name) for name in INPUTS)
        else:
            whole = company.held("documents") or company.held("usage")
        if not whole:
            kept = self._find(question.needs, wanted)
            if kept is not None:
                return kept
        if whole or offline or self._library.place.version != _VERSION or self._are_many():
            return company.portfolio(wanted)
        try:
            held = self._narrowly(question)
        except _NotNarrowError as refusal:
            held = company.portfolio(wanted)
            return replace(held, requests=held.requests + refusal.requests)
        return replace(held, frames={name: held.frames[name] for name in wanted})

    def _find(self, needs: Span, wanted: Iterable[str]) -> Held | None:
        """Return tables of a kept answer that covers a span and is fresh, without asking the API."""
        for key in self._company.kept_answers():
            snapshot = self._library.fresh(key)
            if snapshot is not None:
                try:
                    if not Span.read(key.resource).covers(needs):
                        continue
                    frames = self._library.store.read(snapshot, wanted)
                except (DamagedSnapshotError, ValueError, TypeError):  # ValueError, TypeError: another release's span
                    continue
                return Held(frames, snapshot.fetched, snapshot.generation, snapshot.details)
        return None

    def _are_many(self) -> bool:
        """Drop kept answers that are too old; return whether too many are left to ask for another."""
        for key in self._company.kept_answers():
            if self._library.fresh(key) is None:
                self._library.forget(key)
        return len(self._company.kept_answers()) >= _MOST

    def _narrowly(self, question: NarrowQuestion) -> Held:
        key = SnapshotKey(self._company.realm, question.asks.text(), self._company.questions)

        def pull(_: Held | None) -> Pulled:
            began = self._library.clock.now()
            reading = _Reading(self._library, self._company.id, key, question)
            try:
                parts = reading.read()
            except _NotNarrowError as refusal:
                refusal.requests = reading.requests
                raise
            frames, requests, given = self._put_together(parts)
            pulled = self._library.pulled(frames, len(frames["bills"]), reading.requests + requests)
            return replace(pulled, began=began, given=oldest(reading.given, given))

        return self._library.held(key, pull)

    def _put_together(
        self, parts: Mapping[str, Mapping[str, pd.DataFrame]]
    ) -> tuple[dict[str, pd.DataFrame], int, AnswerTime | None]:
        """Return the tables of these bills, the requests spent on the others, and when the oldest was answered."""
        readers: dict[str, Callable[..., Held]] = {
            "company": self._company.company,
            "connections": self._company.connections,
        }
        held = {name: read() for name, read in readers.items()}
        spent = sum(one.requests for one in held.values())
        for name in dangling({**parts, **{name: one.frames for name, one in held.items()}}) & set(held):
            if not held[name].requests:  # fetched just now: asking again would not help
                held[name] = readers[name](renew=True)
                spent += held[name].requests
        meters, requests = self._meters(parts["usage"], held["connections"].frames)
        spent += requests
        every = {**parts, **{name: one.frames for name, one in held.items()}, "meters": meters}
        given = oldest(*(one.given for one in held.values()))
        frames = assemble(every, given=given)
        lost = unplaced(frames)
        if len(lost):
            walked, requests = self._company.connection_lists(lost, frames["connections"])
            frames = assemble(every, walked, given=given)
            spent += requests
        return {name: frames[name] for name in _BILL_TABLES}, spent, given

    def _meters(
        self, usage: Mapping[str, pd.DataFrame], connections: Mapping[str, pd.DataFrame]
    ) -> tuple[dict[str, pd.DataFrame], int]:
        """Return the meters of these usage rows and the requests spent; their accounts decide which rows count."""
        named = connections["account_meters"]
        named = named[within(named["meter_id"], usage["meters"]["meter_id"])]
        reader = MeterReader(self._library.session, self._company.id, usage, {"account_meters": named})
        meters, requests, _ = reader.read(None)
        return meters, requests


class _Reading:
    """Fetches the bills and usage of a span of a company.

    Parameters
    ----------
    library : Library
    company_id : str
    key : SnapshotKey
        Of the answer; the names of its staged pages begin with it.
    question : NarrowQuestion
    """

    def __init__(self, library: Library, company_id: str, key: SnapshotKey, question: NarrowQuestion) -> None:
        self._library = library
        self._company_id = company_id
        self._key = key
        self._span = question.asks
        self._takes = question.takes
        self._many = False
        self._began = library.clock.now()
        self.requests = 0
        #: When the oldest page staged by an earlier attempt was answered.
        self.given: AnswerTime | None = None

    def read(self) -> dict[str, Frames]:
        """Return the tables of the resources ``documents`` and ``usage`` in the span.

        Raises
        ------
        _NotNarrowError
            The answers do not show that they are complete.
        """
        try:
            documents = self._documents()
            listed = self._built("usage", self._scoped("usage"))
            documents = self._with_named(documents, listed)
            frames = self._fitted(self._built("documents", documents), listed)
            self._refuse_changed()
        except (NotFoundError, PermissionDeniedError) as error:
            raise _NotNarrowError(error.message) from error
        return frames

    def _documents(self) -> dict[str, Any]:
        """Return the bills by id."""
        span = self._span
        if span.site_id is not None or span.open or span.by != "service_period" or not span.bills:
            return self._scoped("documents")
        # Whether USAGE_PERIOD finds bills without usage is undocumented. A bill is not dated before its service period:
        # all bills dated from the first day on include them, if every bill has a date.
        if span.start is None:
            return self._rows("documents.company", {}, company_id=self._company_id)
        listing = self._listing("documents")
        dated = listing.count({"dateType": "BILL_DATE", "startDate": _BEGINNING})
        self.requests += 2
        if listing.count() != dated:
            raise _NotNarrowError("some bills have no date")
        since = {"dateType": "BILL_DATE", "startDate": span.start.isoformat()}
        return self._rows("documents.company", since, company_id=self._company_id)

    def _with_named(self, documents: dict[str, Any], listed: Frames) -> dict[str, Any]:
        """Add the bills of the usage that the filter by bill date left out."""
        if self._span.by == "service_period" and self._span.bills and self._span.site_id is None:
            named = listed["usage"]["bill_id"].dropna()
            if not within(named, list(documents)).all():
                return self._scoped("documents") | documents
        return documents

    def _scoped(self, resource: str) -> dict[str, Any]:
        question = self._span.question()
        if self._span.site_id is not None:
            return self._rows(f"{resource}.site", question, site_id=self._span.site_id)
        return self._rows(f"{resource}.company", question, company_id=self._company_id)

    def _rows(self, endpoint: str, question: Mapping[str, str], **ids: str) -> dict[str, Any]:
        """Walk a list, continuing from staged pages; return its rows by id."""
        name = f"{self._key.resource} {endpoint} {sorted(question.items())}"
        staging = self._library.staging(SnapshotKey(self._key.realm, name, self._key.scope))
        rows_key = str(ENDPOINTS[endpoint].rows)
        pages = {number: body[rows_key] for number, body in staging.pages()}
        self.given = oldest(self.given, staging.given)
        self._began = min(self._began, staging.began)
        resumed = bool(pages)

        def keep(page: Page) -> None:
            staging.keep(page.number, page.raw, page.given)
            pages[page.number] = page.rows

        def restart() -> None:
            pages.clear()
            staging.restart(self._library.clock.now())

        have = {number: [str(row["id"]) for row in rows] for number, rows in pages.items()}
        try:
            walked = walk(
                self._library.session,
                endpoint,
                params=dict(question),
                on_page=keep,
                on_restart=restart,
                have=have,
                keep_rows=False,
                **ids,
            )
        except InterruptedWalkError as error:
            error.rows = [row for number in sorted(pages) for row in pages[number]]
            raise
        staging.finish()
        self.requests += walked.requests
        self._many |= resumed or walked.pages > 1
        return {str(row["id"]): row for number in sorted(pages) for row in pages[number]}

    def _built(self, resource: str, rows: Mapping[str, Any]) -> Frames:
        return tables.build(resource, list(rows.values()), company_id=self._company_id)

    def _fitted(self, documents: Frames, listed: Frames) -> dict[str, Frames]:
        """Join bills and usage, or refuse: each must reference every row of the other in the span."""
        if len(listed["demand"]):
            raise _NotNarrowError("demand is listed with the usage")
        told = {name: documents.pop(name) for name in FAMILIES["usage"].tables}
        relation = told["usage"][["bill_id", "usage_id"]]
        usage = listed["usage"]
        bill = usage["usage_id"].map(relation.drop_duplicates("usage_id").set_index("usage_id")["bill_id"])
        usage = usage.assign(bill_id=usage["bill_id"].fillna(bill.astype(usage["bill_id"].dtype)))
        if not within(usage["bill_id"], documents["bills"]["bill_id"]).all():
            raise _NotNarrowError("usage references a bill that the list of bills lacks")
        if not within(usage["usage_id"], relation["usage_id"]).all():
            raise _NotNarrowError("a bill does not list its usage")
        rest = told["usage"][~within(told["usage"]["usage_id"], usage["usage_id"])]
        if self._takes({"usage": rest, "bills": documents["bills"]}).any():
            raise _NotNarrowError("a bill lists usage that the list of usage lacks")
        aside = self._aside(documents["bills"]["bill_id"], relation, usage)
        rest = rest[~within(rest["bill_id"], aside)]
        if rest["start_date"].isna().any():
            raise _NotNarrowError("bills reference usage without its values")
        both = told["usage"][told["usage"]["start_date"].notna() & within(told["usage"]["usage_id"], usage["usage_id"])]
        if not _sorted(both).equals(_sorted(usage[within(usage["usage_id"], both["usage_id"])])):
            raise _NotNarrowError("bills and the list of usage differ in their usage")
        documents["bill_usage"] = relation
        gone = relation.loc[within(relation["bill_id"], aside), "usage_id"]
        return {
            "documents": merge(FAMILIES["documents"], documents, _no_rows(documents), aside),
            "usage": merge(FAMILIES["usage"], told, {**listed, "usage": usage}, gone),
        }

    def _aside(self, bills: pd.Series, relation: pd.DataFrame, usage: pd.DataFrame) -> pd.Series:
        """Return the bills to leave out: bills with usage, none of which is in the span."""
        if self._span.by != "service_period":
            return bills[:0]
        return bills[within(bills, relation["bill_id"]) & ~within(bills, usage["bill_id"])]

    def _refuse_changed(self) -> None:
        """Raise if data changed during a multi-page fetch: rows may have moved between pages."""
        if not self._many:
            return
        since = self._began - SKEW
        for resource, parent in (("documents", "bills"), ("usage", "usage")):
            changes = self._listing(resource).changes(since)
            self.requests += changes.requests
            if any(_touched(frames[parent], since) for frames in (changes.frames, changes.gone)):
                raise _NotNarrowError(f"{resource} changed meanwhile")

    def _listing(self, resource: str) -> Listing:
        return Listing(self._library.session, self._library.clock, resource, self._company_id, quiet=True)


def _sorted(usage: pd.DataFrame) -> pd.DataFrame:
    return usage.sort_values("usage_id", ignore_index=True)[_ALIKE]


def _no_rows(frames: Frames) -> Frames:
    return {name: frame.iloc[:0] for name, frame in frames.items()}


def _touched(frame: pd.DataFrame, since: datetime) -> bool:
    return bool((frame["updated"].isna() | (frame["updated"] >= since)).any())

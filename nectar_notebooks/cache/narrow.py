"""A narrow question, asked on the wire as it is: a few pages of bills and usage instead of whole lists.

What comes is exactly what the whole lists would give, or it is refused and they are walked: bills and usage are asked
for separately and must name each other, so that a filter which means something else than documented is noticed. What
is kept of it, and when this way is taken, is decided in `questions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks import tables
from nectar_notebooks.api import ENDPOINTS, oldest, walk
from nectar_notebooks.cache.keys import SnapshotKey
from nectar_notebooks.cache.merging import FAMILIES, merge
from nectar_notebooks.cache.texts import within
from nectar_notebooks.cache.walks import SKEW, Listing
from nectar_notebooks.errors import InterruptedWalkError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from nectar_notebooks.api import AnswerTime, Page
    from nectar_notebooks.cache.library import Library
    from nectar_notebooks.cache.spans import Span

__all__ = ["BILL_TABLES", "Narrow", "NarrowQuestion", "NotNarrowError"]

Frames = dict[str, "pd.DataFrame"]

#: What a narrow question can be about.
BILL_TABLES: Final = (
    "bills", "bill_accounts", "line_items", "line_item_accounts", "usage", "time_of_use", "demand", "demand_usage",
)  # fmt: skip
#: Before any bill.
_BEGINNING: Final = "1900-01-01"
#: What a usage record says alike on its bill and in the list.
_ALIKE: Final = ["bill_id", "meter_id", "site_id", "start_date", "end_date", "usage"]


class NotNarrowError(Exception):
    """The lists cannot answer a narrow question for sure; `requests` were spent. It never leaves the cache."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.requests = 0


@dataclass(frozen=True, slots=True)
class NarrowQuestion:
    """What is needed, what is asked for, and which usage rows of given tables are in what is asked for."""

    needs: Span
    asks: Span
    takes: Callable[[Mapping[str, pd.DataFrame]], pd.Series]


class Narrow:
    """The bills and usage of a span of a company.

    Parameters
    ----------
    library : Library
    company_id : str
    key : SnapshotKey
        Under which its rows will be kept; its pages are staged beside it.
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
        #: When the oldest page that was staged earlier was answered.
        self.given: AnswerTime | None = None

    def read(self) -> dict[str, Frames]:
        """Return the tables of resources ``documents`` and ``usage``, as far as the span goes.

        Raises
        ------
        NotNarrowError
            It cannot be seen that this is all of it.
        """
        try:
            documents = self._documents()
            listed = self._built("usage", self._scoped("usage"))
            documents = self._with_named(documents, listed)
            frames = self._fitted(self._built("documents", documents), listed)
            self._refuse_changed()
        except (NotFoundError, PermissionDeniedError) as error:
            raise NotNarrowError(error.message) from error
        return frames

    def _documents(self) -> dict[str, Any]:
        """Return the documents by id."""
        span = self._span
        if span.site_id is not None or span.open or span.by != "service_period" or not span.bills:
            return self._scoped("documents")
        # Which period a bill without usage has on the wire is not documented. Its bill date does not lie before its
        # period, so that all from the first day on hold it, if every bill has a date to be found by.
        if span.start is None:
            return self._rows("documents.company", {}, company_id=self._company_id)
        listing = self._listing("documents")
        dated = listing.count({"dateType": "BILL_DATE", "startDate": _BEGINNING})
        self.requests += 2
        if listing.count() != dated:
            raise NotNarrowError("some bills have no date")
        since = {"dateType": "BILL_DATE", "startDate": span.start.isoformat()}
        return self._rows("documents.company", since, company_id=self._company_id)

    def _with_named(self, documents: dict[str, Any], listed: Frames) -> dict[str, Any]:
        """Add bills of the usage that another date kept out."""
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
        """Walk a list, going on with the pages that are staged; return its rows by id."""
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
        """Put bills and usage together, or refuse: each must name all of the other that is in the span."""
        if len(listed["demand"]):
            raise NotNarrowError("demand stands among the usage")
        told = {name: documents.pop(name) for name in FAMILIES["usage"].tables}
        relation = told["usage"][["bill_id", "usage_id"]]
        usage = listed["usage"]
        bill = usage["usage_id"].map(relation.drop_duplicates("usage_id").set_index("usage_id")["bill_id"])
        usage = usage.assign(bill_id=usage["bill_id"].fillna(bill.astype(usage["bill_id"].dtype)))
        if not within(usage["bill_id"], documents["bills"]["bill_id"]).all():
            raise NotNarrowError("usage names a bill that the list of bills lacks")
        if not within(usage["usage_id"], relation["usage_id"]).all():
            raise NotNarrowError("a bill does not name its usage")
        rest = told["usage"][~within(told["usage"]["usage_id"], usage["usage_id"])]
        if self._takes({"usage": rest, "bills": documents["bills"]}).any():
            raise NotNarrowError("a bill tells of usage that the list of usage lacks")
        aside = self._aside(documents["bills"]["bill_id"], relation, usage)
        rest = rest[~within(rest["bill_id"], aside)]
        if rest["start_date"].isna().any():
            raise NotNarrowError("bills name usage without telling it")
        both = told["usage"][told["usage"]["start_date"].notna() & within(told["usage"]["usage_id"], usage["usage_id"])]
        if not _sorted(both).equals(_sorted(usage[within(usage["usage_id"], both["usage_id"])])):
            raise NotNarrowError("bills and the list of usage tell of different usage")
        documents["bill_usage"] = relation
        gone = relation.loc[within(relation["bill_id"], aside), "usage_id"]
        return {
            "documents": merge(FAMILIES["documents"], documents, _no_rows(documents), aside),
            "usage": merge(FAMILIES["usage"], told, {**listed, "usage": usage}, gone),
        }

    def _aside(self, bills: pd.Series, relation: pd.DataFrame, usage: pd.DataFrame) -> pd.Series:
        """Return the bills that came along: chosen by their usage, and none of it is chosen."""
        if self._span.by != "service_period":
            return bills[:0]
        return bills[within(bills, relation["bill_id"]) & ~within(bills, usage["bill_id"])]

    def _refuse_changed(self) -> None:
        """Refuse what took more than one page while something changed: rows may have moved between two of them."""
        if not self._many:
            return
        since = self._began - SKEW
        for resource, parent in (("documents", "bills"), ("usage", "usage")):
            changes = self._listing(resource).changes(since)
            self.requests += changes.requests
            if any(_touched(frames[parent], since) for frames in (changes.frames, changes.gone)):
                raise NotNarrowError(f"{resource} changed meanwhile")

    def _listing(self, resource: str) -> Listing:
        return Listing(self._library.session, self._library.clock, resource, self._company_id, quiet=True)


def _sorted(usage: pd.DataFrame) -> pd.DataFrame:
    return usage.sort_values("usage_id", ignore_index=True)[_ALIKE]


def _no_rows(frames: Frames) -> Frames:
    return {name: frame.iloc[:0] for name, frame in frames.items()}


def _touched(frame: pd.DataFrame, since: datetime) -> bool:
    return bool((frame["updated"].isna() | (frame["updated"] >= since)).any())

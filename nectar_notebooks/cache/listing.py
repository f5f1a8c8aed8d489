"""A list of the API, walked until it is complete: resumable, checked for changes meanwhile, refreshed by changes.

At the end of a walk the API is asked for what it may have missed: records updated since the day it began, and deleted
bills. If the total does not match afterwards, the walk is repeated, twice at most. Limits of this method are in
docs/caching.md. Where the frames are kept, and when a walk is due, is decided elsewhere.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from nectar_notebooks import tables
from nectar_notebooks.api import ENDPOINTS, walk
from nectar_notebooks.cache.assembling import FAMILIES, merge, ordered
from nectar_notebooks.cache.progress import Progress
from nectar_notebooks.errors import ContractError, InterruptedWalkError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from nectar_notebooks.api import AnswerTime, Page, Session
    from nectar_notebooks.cache.manifest import Staging
    from nectar_notebooks.clock import Clock

__all__ = ["SKEW", "Changes", "Listing", "Pulled"]

_REPEATS: Final = 2
#: Clocks may differ: changes "since" a moment are asked for from this much earlier.
SKEW: Final = timedelta(hours=1)
#: The number of pages that may wait for an earlier one; more would cost memory.
_OUT_OF_ORDER: Final = 32
#: Lists that can be filtered by update, and those that show deleted records.
_DATED: Final = ("documents", "usage")
_DELETABLE: Final = ("documents",)


@dataclass(frozen=True, slots=True)
class Pulled:
    """Frames that were right at `fetched`, from a walk that `began`, with the number of requests.

    `walked` is when the last walk of the whole list began; `whole` is True if this is that walk. If rows were answered
    before the walk (staged pages, rows from the cache), `given` is when the oldest was.
    """

    frames: dict[str, pd.DataFrame]
    began: datetime
    fetched: datetime
    walked: str
    total: int
    requests: int
    unchanged: bool = False
    whole: bool = True
    given: AnswerTime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The records updated since a day, as frames, and those deleted (`gone`)."""

    frames: dict[str, pd.DataFrame]
    gone: dict[str, pd.DataFrame]
    requests: int
    deleted: frozenset[str]
    nothing: bool
    rows: Sequence[dict[str, Any]]


class Listing:
    """One list of the API as frames: of a resource, within a company.

    Parameters
    ----------
    session : Session
    clock : Clock
    resource : str
        ``connections``, ``documents``, ``usage`` or ``meters``.
    company_id : str
        Whose list.
    quiet : bool
        Never show progress.
    """

    def __init__(self, session: Session, clock: Clock, resource: str, company_id: str, *, quiet: bool) -> None:
        self._quiet = quiet
        self._session = session
        self._clock = clock
        self._resource = resource
        self._company_id = company_id
        self._endpoint = f"{resource}.company"
        self._rows_key = str(ENDPOINTS[self._endpoint].rows)
        self._family = FAMILIES.get(resource)

    def pull(self, staging: Staging) -> Pulled:
        """Walk the whole list, continuing from the pages in `staging`.

        Raises
        ------
        InterruptedWalkError
            The walk failed, or the list kept changing; finished pages are staged.
        ContractError
            The API announces another number of rows than it returns, in the same way each time.
        """
        spent = 0
        misfits: list[tuple[int, int]] = []
        for _ in range(1 + _REPEATS):
            gathered, total, requests = self._walk(staging)
            spent += requests
            if self._resource not in _DATED or self._family is None:
                return self._pulled(self._ordered(gathered.finish()), staging, total, spent)
            with ThreadPoolExecutor(1, thread_name_prefix="nectar-closing") as beside:
                closing = beside.submit(self.changes, staging.began - SKEW)
                frames = self._ordered(gathered.finish())  # while the request for changes is on its way
                changes = closing.result()
            spent += changes.requests
            if changes.nothing:
                return self._pulled(frames, staging, total, spent)
            folded = self._folds or total != len(frames[self._family.parent])
            total = self.count()
            spent += 1
            if folded:
                frames, came = self._overlaid(staging, changes.rows)
            else:
                frames = merge(self._family, frames, changes.frames, changes.deleted)
                came = len(frames[self._family.parent])
            if total == came:
                return self._pulled(frames, staging, total, spent)
            misfits.append((total, came))
            staging.restart(self._clock.now())
        if len(set(misfits)) == 1:
            rows = f"{FAMILIES[self._resource].parent} of company {self._company_id}"
            raise ContractError(
                f"The API contradicts itself about the {rows}: {total:,} were announced and {came:,} came with those "
                f"updated meanwhile, and the same in each of {1 + _REPEATS} walks.",
                advice="Asking again does not help: report it to Nectar's support.",
            )
        raise InterruptedWalkError(
            f"The {self._resource} of company {self._company_id} changed during each of {1 + _REPEATS} walks.",
            rows=[],
            finished_pages=0,
            total_pages=None,
            resume=None,
        )

    @property
    def _folds(self) -> bool:
        """Whether several rows of the list become one row of the frame, so that frames cannot be merged by id."""
        return self._resource == "usage" and self._session.version != "v2.2"

    def _overlaid(self, staging: Staging, changed: Sequence[dict[str, Any]]) -> tuple[dict[str, pd.DataFrame], int]:
        """Return frames of the staged rows, replaced by the changed ones, and the number of rows."""
        rows = {row["id"]: row for _, body in staging.pages() for row in body[self._rows_key]}
        rows |= {row["id"]: row for row in changed}
        in_order = sorted(rows.values(), key=lambda row: (str(row.get("created")), str(row["id"])))
        return self._framed(in_order), len(rows)

    def _pulled(self, frames: dict[str, pd.DataFrame], staging: Staging, total: int, requests: int) -> Pulled:
        began = staging.began
        return Pulled(frames, began, self._clock.now(), began.isoformat(), total, requests, given=staging.given)

    def _walk(self, staging: Staging) -> tuple[_Gathered, int, int]:
        gathered = _Gathered(self._resource, self._company_id)
        have: dict[int, Sequence[str]] = {}
        for number, body in staging.pages():
            rows = body[self._rows_key]
            have[number] = [str(row["id"]) for row in rows]
            gathered.page(number, rows)

        progress = None if self._quiet else Progress(self._resource)

        def on_page(page: Page) -> None:
            if progress is not None:
                progress.page(page)
            staging.keep(page.number, page.raw, page.given)
            gathered.page(page.number, page.rows)

        def on_restart() -> None:
            staging.restart(self._clock.now())
            gathered.restart()

        try:
            walked = walk(
                self._session,
                self._endpoint,
                on_page=on_page,
                on_restart=on_restart,
                have=have,
                keep_rows=False,
                company_id=self._company_id,
            )
        except InterruptedWalkError as error:
            error.rows = [row for _, body in staging.pages() for row in body[self._rows_key]]
            raise
        finally:
            if progress is not None:
                progress.done()
        return gathered, walked.total, walked.requests

    def _ordered(self, frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        return frames if self._family is None else ordered(self._family, frames)

    def count(self, question: Mapping[str, str] | None = None) -> int:
        """Ask for the number of rows the list has now, all or of a question."""
        endpoint = ENDPOINTS[self._endpoint]
        params: dict[str, str | int | bool | Sequence[str] | None] = {**(question or {}), "page": 1}
        answer = self._session.call(self._endpoint, company_id=self._company_id, params=params).json()
        total = answer.get(endpoint.total) if isinstance(answer, dict) else None
        if not isinstance(total, int):
            raise ContractError(f"{endpoint.path} did not say how many rows it has.")
        return total

    def changes(self, since: datetime) -> Changes:
        """Ask which records were updated on or after the UTC day of `since`, and which were deleted."""
        question: dict[str, str | int | bool | Sequence[str] | None] = {
            "dateType": "UPDATED_DATE",
            "startDate": since.date().isoformat(),
        }
        with_deleted: list[dict[str, Any]] = []
        requests = 0
        if self._resource in _DELETABLE:
            # Asked first, so that a bill created between the two requests does not look deleted. Whether isDeleted
            # adds deleted bills or returns them alone: they are the ones that the second answer lacks.
            with_deleted, requests = self._ask({**question, "isDeleted": True})
        rows, spent = self._ask(question)
        there = {str(row["id"]) for row in rows}
        gone = [row for row in with_deleted if str(row["id"]) not in there]
        deleted = frozenset(str(row["id"]) for row in gone)
        nothing = not (rows or gone)
        return Changes(self._framed(rows), self._framed(gone), requests + spent, deleted, nothing, rows)

    def _framed(self, rows: Sequence[dict[str, Any]]) -> dict[str, pd.DataFrame]:
        if not rows:
            return _no_rows(self._resource)
        gathered = _Gathered(self._resource, self._company_id)
        gathered.add(rows)
        return self._ordered(gathered.finish())

    def _ask(self, question: Mapping[str, str | int | bool | Sequence[str] | None]) -> tuple[list[dict[str, Any]], int]:
        walked = walk(self._session, self._endpoint, params=question, company_id=self._company_id)
        return walked.rows, walked.requests

    def refresh(
        self,
        old: Mapping[str, pd.DataFrame],
        began: datetime,
        walked: str,
        gone: Collection[str] = (),
    ) -> Pulled | None:
        """Bring `old` up to date by asking for changes, or return None if the whole list must be walked.

        Parameters
        ----------
        old : mapping of str to DataFrame
            Every table of the resource.
        began : datetime
            When the last walk or refresh began.
        walked : str
            When the last walk of the whole list began.
        gone : collection of str
            Ids of records to remove for another reason, such as usage of a deleted bill.
        """
        if self._resource not in _DATED or self._family is None:
            return None
        now = self._clock.now()
        changes = self.changes(began - timedelta(days=1))  # whole UTC days: overlap by one
        frames = dict(old)
        if not changes.nothing or gone:
            frames = merge(self._family, old, changes.frames, {*changes.deleted, *gone})
        total = self.count()
        if total != len(frames[self._family.parent]):
            return None
        unchanged = changes.nothing and not gone
        return Pulled(frames, now, self._clock.now(), walked, total, changes.requests + 1, unchanged, whole=False)


@cache
def _no_rows(resource: str) -> dict[str, pd.DataFrame]:
    return _Gathered(resource, "").finish()


class _Gathered:
    """Collects the rows of a walk into frames, each id once."""

    def __init__(self, resource: str, company_id: str) -> None:
        self._resource = resource
        self._company_id = company_id
        self.restart()

    def restart(self) -> None:
        self._waiting: dict[int, Sequence[dict[str, Any]]] = {}
        self._next = 1
        self._builder = tables.Builder(self._resource, company_id=self._company_id)
        self._seen: set[str] = set()

    def page(self, number: int, rows: Sequence[dict[str, Any]]) -> None:
        """Add a page, in the order of the list as far as possible: rows in order need no sorting later."""
        self._waiting[number] = rows
        while self._next in self._waiting or len(self._waiting) > _OUT_OF_ORDER:
            first = self._next if self._next in self._waiting else min(self._waiting)
            self.add(self._waiting.pop(first))
            self._next = first + 1

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        fresh = []
        for row in rows:
            if row["id"] not in self._seen:
                self._seen.add(row["id"])
                fresh.append(row)
        self._builder.add(fresh)

    def finish(self) -> dict[str, pd.DataFrame]:
        for number in sorted(self._waiting):
            self.add(self._waiting.pop(number))
        frames = self._builder.finish()
        if self._resource == "documents":
            # Usage has its own list; from the copy on the bill only the relation is kept.
            relation = frames.pop("usage")[["bill_id", "usage_id"]]
            frames["bill_usage"] = relation
            for copy in ("time_of_use", "meters", "identifiers"):
                frames.pop(copy)
        return frames

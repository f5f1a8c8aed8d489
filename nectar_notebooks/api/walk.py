"""Walk a paged list: first page, the rest in parallel, each row once, complete or an error.

Finished pages are shown to a hook as they come, so that `cache` can stage them; pages it already has are not
asked for. Staging, the closing request and merging changes are left to `cache`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, Final, TypeAlias

from nectar_notebooks.api.answers import AnswerTime
from nectar_notebooks.api.endpoints import LARGEST_PAGE, Endpoint, endpoint_named
from nectar_notebooks.api.retry import MAX_IN_FLIGHT
from nectar_notebooks.api.session import Answer, Params, Session
from nectar_notebooks.errors import ContractError, InterruptedWalkError, InvalidRequestError, NectarError
from nectar_notebooks.limits import how_to_raise

__all__ = ["Page", "Row", "Walked", "fetch", "walk"]

Row: TypeAlias = dict[str, Any]  # JSON: its shape is `tables`' business

#: A walk whose pages do not fit together is begun anew this often.
_MOST_REPEATS: Final = 2
#: What people call the rows that the wire calls otherwise.
_HOUSE_NAMES: Final = {"documents": "bills", "usageData": "usage"}


@dataclass(frozen=True, slots=True)
class Page:
    """One finished page.

    Attributes
    ----------
    number : int
        From 1.
    rows : list of dict
        Decoded; not de-duplicated against other pages.
    raw : bytes
        The body as it came.
    total, total_pages : int
        What the page announced for the whole list.
    given : AnswerTime or None
        When it was answered.
    """

    number: int
    rows: list[Row]
    raw: bytes
    total: int
    total_pages: int
    given: AnswerTime | None = None

    @property
    def row_ids(self) -> list[str]:
        """Return the ids of the rows, as `have` wants them."""
        return [str(row["id"]) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Walked:
    """A complete walk.

    Attributes
    ----------
    rows : list of dict
        Each once, in page order; without those of pages in `have`.
    total, pages : int
        Of the whole list.
    requests : int
        Requests spent, retries and repeated walks included.
    repeats : int
        How often it was begun anew.
    """

    rows: list[Row]
    total: int
    pages: int
    requests: int
    repeats: int


class _DoesNotFitError(Exception):
    """The pages of one walk contradict each other: the list changed meanwhile, or what it says is wrong.

    `evidence` is the same in every walk where nothing changes.
    """

    def __init__(self, reason: str, *evidence: object) -> None:
        super().__init__(reason)
        self.evidence = evidence


def walk(
    session: Session,
    endpoint: str,
    *,
    params: Params | None = None,
    on_page: Callable[[Page], None] | None = None,
    on_restart: Callable[[], None] | None = None,
    have: Mapping[int, Sequence[str]] | None = None,
    keep_rows: bool = True,
    **ids: str,
) -> Walked:
    """Return every row of a list, each id once.

    The walk is complete only if every page announced the same total and that total is the number of unique ids.
    Where it does not fit, because rows came or went meanwhile, it is begun anew, at most twice. Where it does not
    fit in the same way each time, nothing changed: the API contradicts itself.

    Parameters
    ----------
    session, endpoint, params, **ids
        As for :meth:`Session.call`; `page` is the walk's own.
    on_page : callable, optional
        Called in the calling thread, once per page, in order of arrival.
    on_restart : callable, optional
        Called when the walk begins anew: drop what was staged.
    have : Mapping[int, Sequence[str]], optional
        Pages finished earlier with the ids of their rows. They are not asked for again, and their rows are not
        in the result; an empty mapping after a restart.
    keep_rows : bool
        False returns no rows (the hook keeps them), so that memory stays flat.

    Returns
    -------
    Walked

    Raises
    ------
    InterruptedWalkError
        It ended after at least one page was finished; carries the finished rows and ``resume()``.
    ContractError
        The first page announces more pages than can be, or than the limit.
    NectarError
        The first request failed: nothing was finished.
    """
    spec = endpoint_named(endpoint)
    if spec.rows is None:
        raise InvalidRequestError(f"{endpoint} is not a list.")
    return _Walk(
        session, spec, dict(params or {}), ids, on_page, on_restart, keep_rows, _Finished(dict(have or {}))
    ).run()


def fetch(session: Session, endpoint: str, **ids: str) -> Row:
    """Return the one object of a details endpoint; ``ContractError`` if the answer is none."""
    answer = session.request(endpoint, ids)
    value = answer.json()
    if not isinstance(value, dict):
        raise ContractError(f"{answer.what} answered with {_kind(value)} instead of an object.")
    return value


@dataclass(slots=True)
class _Finished:
    """What a walk has so far: the ids of each finished page, and its rows where they are kept."""

    ids: dict[int, Sequence[str]]
    rows: dict[int, list[Row]] = field(default_factory=dict)
    total: int | None = None
    total_pages: int = 0

    def missing(self) -> Iterator[int]:
        """Yield the numbers of the pages still to ask for, as far as is known: no list, as there may be many."""
        return (number for number in range(1, self.total_pages + 1) if number not in self.ids)

    def unique_rows(self) -> list[Row]:
        unique: dict[str, Row] = {}
        for number in sorted(self.rows):
            unique.update((str(row["id"]), row) for row in self.rows[number])
        return list(unique.values())


@dataclass(slots=True)
class _Walk:
    session: Session
    spec: Endpoint
    params: dict[str, str | int | bool | Sequence[str] | None]
    path_ids: dict[str, str]
    on_page: Callable[[Page], None] | None
    on_restart: Callable[[], None] | None
    keep_rows: bool
    finished: _Finished
    requests: int = 0

    def run(self) -> Walked:
        """Walk from where `finished` stands to the end."""
        misfits: list[_DoesNotFitError] = []
        for repeats in range(_MOST_REPEATS + 1):
            if repeats:
                self.finished = _Finished({})
                if self.on_restart is not None:
                    self.on_restart()
            try:
                self._walk_once()
            except _DoesNotFitError as misfit:
                misfits.append(misfit)
                continue
            except NectarError as error:
                if not self.finished.ids:
                    raise
                raise self._interrupted(error.message, error) from error
            done = self.finished
            return Walked(done.unique_rows(), done.total or 0, done.total_pages, self.requests, repeats)
        reason = str(misfits[-1])
        if any(misfit.evidence != misfits[0].evidence for misfit in misfits):
            raise self._interrupted(f"The list changed during each of {_MOST_REPEATS + 1} walks: {reason}.", None)
        breach = ContractError(
            f"The API contradicts itself: {reason}, and the same in each of {_MOST_REPEATS + 1} walks.",
            advice="Nothing changed meanwhile, so asking again does not help: report it to Nectar's support.",
        )
        raise self._interrupted(breach.message, breach) from breach

    def _walk_once(self) -> None:
        done = self.finished
        done.total = None  # what an earlier, interrupted call was told may have changed
        first = next(number for number in count(1) if number not in done.ids)
        try:
            page = self._read(self._fetch(first))
        except ContractError as error:
            if not _worth_asking_again(error):
                raise
            page = self._read(self._fetch(first))
        self._take(first, page)
        if any(number > done.total_pages for number in done.ids):
            raise _DoesNotFitError("there are fewer pages than were finished earlier", object())
        self._take_in_parallel(done.missing(), done.total_pages - len(done.ids))
        unique = len(set().union(*done.ids.values()))
        came = sum(map(len, done.ids.values()))
        if not unique == came == done.total:
            doubled = f", {came - unique:,} of them twice" if came > unique else ""
            seen = {number: list(ids) for number, ids in done.ids.items()}
            raise _DoesNotFitError(f"{done.total:,} rows were announced and {came:,} came{doubled}", done.total, seen)

    def _take_in_parallel(self, waiting: Iterator[int], many: int) -> None:
        if many < 1:
            return
        workers = min(MAX_IN_FLIGHT, many)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="nectar-walk")
        running: dict[Future[Answer], int] = {}
        asked_again: set[int] = set()
        problem: Exception | None = None
        try:
            while True:
                if problem is None:  # twice the workers, so that none waits for the hook, and none runs far ahead
                    for number in islice(waiting, 2 * workers - len(running)):
                        running[pool.submit(self._fetch, number)] = number
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    number = running.pop(future)
                    try:  # decoded here, so that the worker is free to ask for its next page
                        page = self._read(future.result())
                    except NectarError as error:
                        if problem is None and _worth_asking_again(error) and number not in asked_again:
                            asked_again.add(number)
                            running[pool.submit(self._fetch, number)] = number
                        else:
                            problem = problem or error
                        continue
                    problem = self._settle(number, page, problem)
                if problem is not None:
                    for future in [future for future in running if future.cancel()]:
                        del running[future]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if problem is not None:
            raise problem

    def _settle(self, number: int, page: Page, problem: Exception | None) -> Exception | None:
        """Take a page that came; what comes beside a problem is still finished work."""
        try:
            self._take(number, page)
        except (NectarError, _DoesNotFitError) as error:
            return problem or error
        return problem

    def _take(self, number: int, page: Page) -> None:
        done = self.finished
        if done.total is None:
            done.total, done.total_pages = page.total, page.total_pages
        elif (page.total, page.total_pages) != (done.total, done.total_pages):
            reason = f"the total went from {done.total:,} to {page.total:,} rows"
            if page.total == done.total:
                reason = f"the number of pages went from {done.total_pages:,} to {page.total_pages:,}"
            raise _DoesNotFitError(reason, "total", done.total, done.total_pages)
        if page.number != number:
            if number > page.total_pages:
                return  # a page past the end answers with the last one: it tells the total and is no data
            raise _DoesNotFitError(f"page {number} answered as page {page.number}", "number", done.total)
        if self.on_page is not None:
            self.on_page(page)
        done.ids[number] = page.row_ids
        if self.keep_rows:
            done.rows[number] = page.rows

    def _fetch(self, number: int) -> Answer:
        params = self.params if self.spec.rows == "" else {**self.params, "page": number}
        if "limit" in self.spec.params:
            params = {"limit": LARGEST_PAGE, **params}
        return self.session.request(self.spec.name, self.path_ids, params=params)

    def _read(self, answer: Answer) -> Page:
        self.requests += answer.requests
        return _read_page(self.spec, answer, self.session.limits.pages)

    def _interrupted(self, message: str, cause: NectarError | None) -> InterruptedWalkError:
        done = self.finished
        pages = f" of {done.total_pages:,}" if done.total_pages else ""
        return InterruptedWalkError(
            f"The walk over {_rows_of(self.spec)} ended after {len(done.ids):,}{pages} pages. {message}",
            rows=done.unique_rows(),
            finished_pages=len(done.ids),
            total_pages=done.total_pages or None,
            resume=self.run,
            advice=_advice_after(cause),
            retryable=cause is None or cause.retryable,
            status_code=cause.status_code if cause else None,
            retry_after=cause.retry_after if cause else None,
        )


def _rows_of(spec: Endpoint) -> str:
    """Return what a list holds by its house name."""
    return _HOUSE_NAMES.get(spec.rows or "", spec.rows or spec.name.partition(".")[0])


def _advice_after(cause: NectarError | None) -> str | None:
    """Return what to check first after a fault that will come again; None where going on may do."""
    if cause is None or cause.retryable:
        return None
    return f"{cause.advice} Finished pages are kept: once that is mended, the same call goes on from there.".lstrip()


def _worth_asking_again(error: Exception) -> bool:
    """Say whether a body broke the contract, as a proxy's passing error page does; a redirect would come again."""
    return isinstance(error, ContractError) and error.status_code is None


def _read_page(spec: Endpoint, answer: Answer, most_pages: float) -> Page:
    value = answer.json()
    if spec.rows == "":
        rows = _checked_rows(value, answer.what, "the answer")
        return Page(1, rows, answer.content, len(rows), 1, answer.given)
    if not isinstance(value, dict):
        raise ContractError(f"{answer.what} answered with {_kind(value)} instead of a page of {_rows_of(spec)}.")
    rows = _checked_rows(value.get(spec.rows or ""), answer.what, f"{spec.rows!r}")
    total, pages, current = (
        _checked_count(value, name, answer.what) for name in (spec.total or "", "totalPages", "currentPage")
    )
    _check_pages(answer, _rows_of(spec), total, pages, len(rows) if current < pages else 0, most_pages)
    return Page(current, rows, answer.content, total, max(pages, 1), answer.given)


def _check_pages(answer: Answer, rows: str, total: int, pages: int, per_page: int, most: float) -> None:
    """Refuse a number of pages that cannot be, by the total and the rows of a page that is not the last."""
    needed = -(-total // per_page) if per_page else total
    if pages > max(total, 1) or pages > 2 * needed + 1:  # a page may be short while rows come and go
        on_each = f" and {per_page:,} on this page" if per_page else ""
        raise ContractError(
            f"{answer.what}: the API contradicts itself: {total:,} {rows}{on_each} make no {pages:,} pages.",
            advice="Asking again does not help: report it to Nectar's support.",
            status_code=answer.status,
        )
    if pages > most:
        raise ContractError(
            f"{answer.what}: {pages:,} pages are announced, more than the {most:,.0f} that are fetched.",
            advice=how_to_raise("pages"),
            status_code=answer.status,
        )


def _checked_rows(value: object, what: str, where: str) -> list[Row]:
    if not isinstance(value, list):
        raise ContractError(f"{what}: {where} is {_kind(value)} instead of a list.")
    for position, row in enumerate(value):
        if type(row) is not dict or not isinstance(row.get("id"), (str, int)):
            raise ContractError(f"{what}: row {position} of {where} is no object with an id.")
    return value


def _checked_count(envelope: Mapping[str, object], name: str, what: str) -> int:
    value = envelope.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        shown = str(value)[:20] if type(value) in (int, float) else _kind(value)
        raise ContractError(f"{what}: {name!r} is {shown} instead of a number of rows or pages.")
    return value


def _kind(value: object) -> str:
    names: Iterable[tuple[type, str]] = ((dict, "an object"), (list, "a list"), (str, "a text"), (bool, "a flag"))
    if value is None:
        return "missing or null"
    return next((name for kind, name in names if isinstance(value, kind)), "a number")

"""Walks over real sockets: every row once, or an error that carries what was finished."""

import threading
from collections.abc import Callable

import pytest
from api.wire import Reply, Request, serve

from nectar_notebooks.api import Page, RetryPolicy, Session, fetch, walk
from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import (
    AuthenticationError,
    ContractError,
    InterruptedWalkError,
    NetworkError,
    NotFoundError,
    RateLimitError,
    ServerError,
)

PER_PAGE = 10


class Listing:
    """A list of rows that answers as the API does: a page past the end answers with the last page."""

    def __init__(self, count: int) -> None:
        self.rows = [{"id": f"u{number:05d}", "usage": "1.5"} for number in range(count)]
        self.lock = threading.Lock()
        self.asked: list[int] = []
        #: Called with this listing and the page asked for, before the answer is made; may return a reply.
        self.before: Callable[[Listing, int], Reply | None] = lambda listing, page: None

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            self.asked.append(request.page)
            reply = self.before(self, request.page)
            return reply or self.page(request.page)

    def page(self, number: int) -> Reply:
        pages = max(1, -(-len(self.rows) // PER_PAGE))
        current = min(number, pages)
        return Reply(
            {
                "totalUsageData": len(self.rows),
                "perPage": PER_PAGE,
                "totalPages": pages,
                "currentPage": current,
                "hasNext": current < pages,
                "hasPrevious": current > 1,
                "usageData": self.rows[(current - 1) * PER_PAGE : current * PER_PAGE],
            }
        )

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows]


def session_to(url: str, **options) -> Session:
    return Session(url, clock=FrozenClock("2026-01-15T09:00:00Z"), **options)


def walked(listing: Listing, **options):
    with serve(listing) as wire:
        return walk(session_to(wire.url), "usage.company", company_id="c", **options)


def ids_of(rows) -> list[str]:
    return [row["id"] for row in rows]


def once(page: int, reply: Reply) -> Callable[[Listing, int], Reply | None]:
    done: list[int] = []

    def before(listing: Listing, asked: int) -> Reply | None:
        if asked == page and not done:
            done.append(asked)
            return reply
        return None

    return before


# --- complete walks


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 257])
def test_every_row_once_in_order(count: int) -> None:
    listing = Listing(count)
    pages: list[Page] = []
    result = walked(listing, on_page=pages.append)
    assert ids_of(result.rows) == listing.ids
    assert (result.total, result.pages, result.repeats) == (count, max(1, -(-count // PER_PAGE)), 0)
    assert result.requests == len(listing.asked) == result.pages
    assert sorted(page.number for page in pages) == list(range(1, result.pages + 1))
    assert all(b"usageData" in page.raw for page in pages)


def test_parameters_go_with_every_page() -> None:
    listing = Listing(35)
    with serve(listing) as wire:
        walk(session_to(wire.url), "usage.company", company_id="c", params={"datasourceType": ["GAS", "WATER"]})
        assert all(request.query["datasourceType"] == ["GAS", "WATER"] for request in wire.requests)
    assert sorted(listing.asked) == [1, 2, 3, 4]


def test_ten_pages_at_once_and_the_hook_in_the_callers_thread() -> None:
    listing = Listing(400)
    threads: set[threading.Thread] = set()

    def slow(request: Request) -> Reply:
        reply = listing(request)
        reply.delay = 0.03
        return reply

    with serve(slow) as wire:
        walk(
            session_to(wire.url),
            "usage.company",
            company_id="c",
            on_page=lambda page: threads.add(threading.current_thread()),
        )
        assert wire.most_in_flight == 10
    assert threads == {threading.current_thread()}


def test_rows_need_not_be_kept() -> None:
    seen: list[str] = []
    result = walked(Listing(95), keep_rows=False, on_page=lambda page: seen.extend(page.row_ids))
    assert (result.rows, result.total) == ([], 95)
    assert sorted(seen) == Listing(95).ids


def test_a_bare_array_is_one_page() -> None:
    with serve(lambda request: Reply([{"id": 7}, {"id": "b"}])) as wire:
        result = walk(session_to(wire.url), "companies.list")
        assert [row["id"] for row in result.rows] == [7, "b"]
        assert wire.requests[0].query == {}


# --- pages already at hand


def test_pages_at_hand_are_not_asked_for() -> None:
    listing = Listing(95)
    have = {number: listing.ids[(number - 1) * 10 : number * 10] for number in (1, 2, 5)}
    result = walked(listing, have=have)
    assert sorted(listing.asked) == [3, 4, 6, 7, 8, 9, 10]
    assert ids_of(result.rows) == [
        row_id for n in (3, 4, 6, 7, 8, 9, 10) for row_id in listing.ids[(n - 1) * 10 : n * 10]
    ]


def test_all_pages_at_hand_cost_one_request() -> None:
    listing = Listing(30)
    result = walked(listing, have={number: listing.ids[(number - 1) * 10 : number * 10] for number in (1, 2, 3)})
    assert (result.rows, result.total, result.requests) == ([], 30, 1)


def test_pages_at_hand_that_no_longer_fit_are_dropped() -> None:
    listing = Listing(30)
    restarts: list[bool] = []
    stale = {1: [f"gone{number}" for number in range(9)], 2: listing.ids[10:20]}
    result = walked(listing, have=stale, on_restart=lambda: restarts.append(True))
    assert ids_of(result.rows) == listing.ids
    assert restarts == [True]
    listing = Listing(5)
    assert ids_of(walked(listing, have={1: listing.ids, 2: ["x"]}).rows) == listing.ids


# --- lists that change


def test_a_row_removed_between_two_pages() -> None:
    listing = Listing(95)

    def before(listing: Listing, page: int) -> None:
        if len(listing.asked) == 3:
            del listing.rows[0]

    listing.before = before
    result = walked(listing)
    assert ids_of(result.rows) == listing.ids
    assert (result.total, result.repeats) == (94, 1)


def test_a_row_inserted_between_two_pages() -> None:
    listing = Listing(95)

    def before(listing: Listing, page: int) -> None:
        if len(listing.asked) == 3:
            listing.rows.insert(0, {"id": "new"})

    listing.before = before
    result = walked(listing)
    assert ids_of(result.rows) == listing.ids
    assert result.repeats == 1


def test_a_list_that_shrinks_by_pages_never_doubles_its_last_page() -> None:
    listing = Listing(95)

    def before(listing: Listing, page: int) -> None:
        if len(listing.asked) == 2:
            del listing.rows[12:]

    listing.before = before
    result = walked(listing)
    assert ids_of(result.rows) == listing.ids
    assert len(result.rows) == 12


def test_a_list_that_never_holds_still_is_an_error_with_what_came() -> None:
    listing = Listing(95)

    def before(listing: Listing, page: int) -> None:
        if len(listing.asked) > 200:
            return
        listing.rows.insert(0, {"id": f"new{len(listing.asked)}"})

    listing.before = before
    restarts: list[bool] = []
    with serve(listing) as wire:
        with pytest.raises(InterruptedWalkError, match="changed during each of 3 walks") as caught:
            walk(session_to(wire.url), "usage.company", company_id="c", on_restart=lambda: restarts.append(True))
        assert len(restarts) == 2
        listing.asked = list(range(300))
        assert ids_of(caught.value.resume().rows) == listing.ids


@pytest.mark.parametrize(("wire", "total", "endpoint", "house"), [
    ("documents", "totalDocuments", "documents.company", "bills"),
    ("usageData", "totalUsageData", "usage.company", "usage"),
])  # fmt: skip
def test_an_interrupted_walk_names_its_rows_as_people_do(wire: str, total: str, endpoint: str, house: str) -> None:
    def one_page(request: Request) -> Reply:
        if request.page == 2:
            return Reply(status=503)
        return Reply({wire: [{"id": "a"}], total: 2, "totalPages": 2, "currentPage": 1})

    with serve(one_page) as address, pytest.raises(InterruptedWalkError) as caught:
        walk(session_to(address.url, retry=RetryPolicy(attempts=1)), endpoint, company_id="c")
    assert str(caught.value).startswith(f"The walk over {house} ended after 1 of 2 pages. ")


def test_a_total_that_lies_is_an_error() -> None:
    listing = Listing(95)

    def lie(request: Request) -> Reply:
        reply = listing(request)
        reply.body["totalUsageData"] = 96
        return reply

    with serve(lie) as wire, pytest.raises(InterruptedWalkError, match="96 rows were announced and 95 came"):
        walk(session_to(wire.url), "usage.company", company_id="c")


def test_a_row_on_two_pages_is_not_taken_twice() -> None:
    listing = Listing(40)
    listing.rows[20] = dict(listing.rows[19])
    with pytest.raises(InterruptedWalkError) as caught:
        walked(listing)
    assert ids_of(caught.value.rows) == sorted(set(listing.ids))


# --- faults on the wire


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=503),
        Reply(b"<html>Bad gateway</html>", 502),
        Reply(status=429, headers={"Retry-After": "2"}),
        Reply(fault="reset"),
        Reply({"x": "y" * 5000}, fault="cut"),
        Reply(b"<!doctype html><html>Maintenance</html>", 200),
        Reply({"usageData": "no list"}, 200),
    ],
    ids=["503", "502 html", "429", "reset", "cut", "200 html", "drift"],
)
@pytest.mark.parametrize("page", [1, 4])
def test_one_fault_is_survived(reply: Reply, page: int) -> None:
    listing = Listing(95)
    listing.before = once(page, reply)
    result = walked(listing)
    assert ids_of(result.rows) == listing.ids
    assert result.repeats == 0


def failing(page: int, reply: Reply) -> Callable[[Listing, int], Reply | None]:
    return lambda listing, asked: reply if asked == page else None


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=503), ServerError),
        (Reply(fault="reset"), NetworkError),
        (Reply(status=401), AuthenticationError),
        (Reply(status=429, headers={"Retry-After": "900"}), RateLimitError),
        (Reply(b"<html></html>"), ContractError),
    ],
)
def test_a_walk_that_ends_in_the_middle_carries_its_rows_and_resumes(reply: Reply, cause: type[Exception]) -> None:
    listing = Listing(95)
    listing.before = failing(7, reply)
    staged: list[int] = []
    with serve(listing) as wire:
        with pytest.raises(InterruptedWalkError) as caught:
            walk(
                session_to(wire.url, retry=RetryPolicy(attempts=2)),
                "usage.company",
                company_id="c",
                on_page=lambda page: staged.append(page.number),
            )
        error = caught.value
        assert isinstance(error.__cause__, cause)
        assert error.retryable is cause.retryable
        assert ("resume()" in str(error)) is cause.retryable
        assert error.total_pages == 10
        assert error.finished_pages == len(staged) == len(set(staged)) >= 1
        expected = [row_id for n in sorted(staged) for row_id in listing.ids[(n - 1) * 10 : n * 10]]
        assert ids_of(error.rows) == expected
        assert error.status_code == error.__cause__.status_code
        before = len(staged)
        listing.before = lambda listing, page: None
        listing.asked.clear()
        result = error.resume()
        assert ids_of(result.rows) == listing.ids
        assert len(staged) == 10
        assert len(listing.asked) == 10 - before


def test_resuming_twice() -> None:
    listing = Listing(95)
    listing.before = failing(7, Reply(status=401))
    with serve(listing) as wire:
        with pytest.raises(InterruptedWalkError) as first:
            walk(session_to(wire.url), "usage.company", company_id="c")
        with pytest.raises(InterruptedWalkError) as second:
            first.value.resume()
        listing.before = lambda listing, page: None
        assert ids_of(second.value.resume().rows) == listing.ids


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(Reply(status=404), NotFoundError), (Reply(status=401), AuthenticationError), (Reply([1]), ContractError)],
)
def test_a_first_request_that_fails_raises_its_own_error(reply: Reply, kind: type[Exception]) -> None:
    listing = Listing(95)
    listing.before = failing(1, reply)
    with pytest.raises(kind):
        walked(listing)


@pytest.mark.parametrize(
    "body",
    [
        {"usageData": []},
        {"usageData": {}, "totalUsageData": 0, "totalPages": 1, "currentPage": 1},
        {"usageData": [{"usage": 1}], "totalUsageData": 1, "totalPages": 1, "currentPage": 1},
        {"usageData": ["u1"], "totalUsageData": 1, "totalPages": 1, "currentPage": 1},
        {"usageData": [], "totalUsageData": "0", "totalPages": 1, "currentPage": 1},
        {"usageData": [], "totalUsageData": 0, "totalPages": True, "currentPage": 1},
        {"documents": [], "totalDocuments": 0, "totalPages": 1, "currentPage": 1},
        None,
        "text",
    ],
)
def test_an_envelope_of_another_shape(body: object) -> None:
    with serve(lambda request: Reply(body)) as wire, pytest.raises(ContractError, match="usage/company/c"):
        walk(session_to(wire.url), "usage.company", company_id="c")


def test_an_interrupt_of_the_keyboard_ends_the_walk_and_leaves_what_was_staged() -> None:
    listing = Listing(400)
    staged: list[int] = []

    def on_page(page: Page) -> None:
        staged.append(page.number)
        if len(staged) == 5:
            raise KeyboardInterrupt

    with serve(listing) as wire:
        session = session_to(wire.url)
        with pytest.raises(KeyboardInterrupt):
            walk(session, "usage.company", company_id="c", on_page=on_page)
        have = {number: listing.ids[(number - 1) * 10 : number * 10] for number in staged}
        result = walk(session, "usage.company", company_id="c", have=have)
    assert len(result.rows) == 400 - 50


def test_a_hook_that_fails_is_not_called_again_for_the_same_page() -> None:
    listing = Listing(95)
    seen: list[int] = []

    def on_page(page: Page) -> None:
        seen.append(page.number)
        if page.number == 4:
            raise ContractError("usage row u30: usage is 'x'.")

    with serve(listing) as wire, pytest.raises(InterruptedWalkError, match="usage row u30") as caught:
        walk(session_to(wire.url), "usage.company", company_id="c", on_page=on_page)
    assert len(seen) == len(set(seen))
    assert "u00030" not in ids_of(caught.value.rows)


# --- one object


def test_fetch() -> None:
    with serve(lambda request: Reply({"id": "c", "name": "Made up"})) as wire:
        assert fetch(session_to(wire.url), "company.get", company_id="c")["name"] == "Made up"
    with serve(lambda request: Reply([])) as wire, pytest.raises(ContractError, match="a list instead of an object"):
        fetch(session_to(wire.url), "company.get", company_id="c")


def test_pages_go_out_in_parallel() -> None:
    listing = Listing(300)

    def slow(request: Request) -> Reply:
        reply = listing(request)
        reply.delay = 0.05
        return reply

    with serve(slow) as wire:
        walk(session_to(wire.url), "usage.company", company_id="c")
        assert wire.most_in_flight == 10


def test_connections_come_in_the_largest_pages_that_the_api_has() -> None:
    asked: list[str] = []

    def listing(request: Request) -> Reply:
        asked.append(request.query["limit"][0])
        page = {"currentPage": 1, "totalPages": 1, "totalConnections": 1, "connections": [{"id": "co-1"}]}
        return Reply(page)

    with serve(listing) as wire:
        found = walk(session_to(wire.url), "connections.company", company_id="c")
        fewer = walk(session_to(wire.url), "connections.company", company_id="c", params={"limit": 7})
    assert ids_of(found.rows) == ids_of(fewer.rows) == ["co-1"]
    assert asked == ["500", "7"]

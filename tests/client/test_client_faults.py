"""Every fault of the sandbox's plan, over a real socket: survived, or reported; no row lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nectar_notebooks import FrozenClock, Nectar, Sandbox, connect
from nectar_notebooks.api import Session
from nectar_notebooks.clock import stopwatch
from nectar_notebooks.config import Secret
from nectar_notebooks.errors import InterruptedWalkError, NectarError
from nectar_notebooks.limits import Limits
from nectar_notebooks.sandbox.wire import Wire

pytestmark = pytest.mark.served

LISTS = ("usage/company", "document/company")


class HastyClock(FrozenClock):
    """Stands where the sandbox stands and goes on from there, so that a drip ends; a pause is not waited for."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._began = stopwatch()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=stopwatch() - self._began)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(seed=3, sites=6, months=8)
    yield sandbox
    sandbox.close()


@pytest.fixture
def wire(sandbox: Sandbox) -> Iterator[Wire]:
    with sandbox.serve() as served:
        wire = Wire(served.url)
        yield wire
        wire.close()


@pytest.fixture
def join(sandbox: Sandbox, wire: Wire, tmp_path: Path) -> Callable[[], Nectar]:
    """Connect through the wire, with a patience that suits a test; a pause is noted and not waited for."""

    def connected() -> Nectar:
        nectar = connect(
            "local", base_url=wire.url, key=sandbox.key, cache_dir=tmp_path, clock=HastyClock(sandbox.clock.now())
        )
        library = nectar._library
        library.session = Session(
            wire.url,
            (Secret(sandbox.key),),
            version="v2.2",
            clock=library.clock,
            timeout=(2.0, 0.5),
            limits=Limits(deadline=10.0),
        )
        return nectar

    return connected


def company(sandbox: Sandbox) -> str:
    """Return the company with the most usage."""
    with sandbox.state.reading() as db:
        sandbox.state.ready()
        return str(
            db.execute(
                "SELECT c.id FROM companies c JOIN usage u ON u.company = c.seq GROUP BY c.seq"
                " ORDER BY count(*) DESC LIMIT 1"
            ).fetchone()[0]
        )


def truth(sandbox: Sandbox, company_id: str) -> dict[str, set[str]]:
    """Return the ids of a company's bills and usage as the application itself lists them, page by page."""
    client, headers, found = sandbox.app.test_client(), {"X-API-Key": sandbox.key}, {}
    for path, rows in (("document", "documents"), ("usage", "usageData")):
        ids: list[str] = []
        page = {"hasNext": True, "currentPage": 0}
        while page["hasNext"]:
            address = f"/v2.2/{path}/company/{company_id}?page={page['currentPage'] + 1}"
            page = client.get(address, headers=headers).json
            ids += [row["id"] for row in page[rows]]
        assert len(ids) == len(set(ids))
        found[path] = set(ids)
    return found


def assert_whole(ask: Callable[[], Nectar], sandbox: Sandbox, company_id: str, before: dict[str, set[str]]) -> None:
    """Hold the frames to one moment: rows as they were before all, or as they are now; no mixture of the two."""
    nectar = ask()
    bills, usage = nectar.bills(company_id)["bill_id"], nectar.usage(company_id)["usage_id"]
    sandbox.faults.clear()
    assert bills.is_unique
    assert usage.is_unique
    assert {"document": set(bills), "usage": set(usage)} in (before, truth(sandbox, company_id))


@pytest.mark.fault
@pytest.mark.parametrize("route", LISTS)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 2},
        {"status": 429},
        {"status": 500},
        {"status": 503, "retry_after": 1, "times": 2},
        {"html": True},
        {"html": True, "status": 502},
    ],
    ids=str,
)
def test_a_fault_of_the_application_is_survived(join, sandbox, route, fault) -> None:
    one = company(sandbox)
    before = truth(sandbox, one)
    sandbox.faults.add(route, at=1 if route == LISTS[0] else 2, **fault)
    assert_whole(join, sandbox, one, before)


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["timeout", "reset", "cut", "drip"])
def test_a_fault_of_the_wire_is_survived(join, sandbox, wire, kind) -> None:
    one = company(sandbox)
    before = truth(sandbox, one)
    wire.add(kind, "usage/company", at=2)
    assert_whole(join, sandbox, one, before)


@pytest.mark.fault
@pytest.mark.parametrize("route", LISTS)
@pytest.mark.parametrize("drift", ["insert", "remove", "swap"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_rows_that_move_between_two_pages_are_noticed(join, sandbox, route, drift, at) -> None:
    one = company(sandbox)
    before = truth(sandbox, one)
    sandbox.faults.add(route, at=at, drift=drift)
    assert_whole(join, sandbox, one, before)


@pytest.mark.fault
@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 3600}, {"status": 503}, {"html": True}], ids=str)
def test_what_does_not_end_is_reported_and_gone_on_with(join, sandbox, fault) -> None:
    one = company(sandbox)
    sandbox.faults.add("usage/company", at=2, times=10_000, **fault)
    nectar = join()
    with pytest.raises(NectarError) as caught:
        nectar.usage(one)
    assert isinstance(caught.value, InterruptedWalkError)
    assert caught.value.finished_pages == 1
    sandbox.faults.clear()
    sandbox.journal.clear()
    assert len(caught.value.resume()) == len(truth(sandbox, one)["usage"])


@pytest.mark.fault
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_reported_at_once(join, sandbox, status) -> None:
    one = company(sandbox)
    sandbox.faults.add("usage/company", status=status)
    with pytest.raises(NectarError) as caught:
        join().usage(one)
    assert caught.value.status_code == status
    assert caught.value.advice

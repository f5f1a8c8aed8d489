"""Open dashboards follow webhooks: what an event brought is shown by itself, on one thread, and keeps nothing alive."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import ipywidgets as widgets
import pandas as pd
import pytest
from controls import place
from dashboards.small_office import SmallOffice

import nectar_notebooks as nn
from nectar_notebooks import ConnectionDashboard, CoverageDashboard
from nectar_notebooks.client.refreshing import Change
from nectar_notebooks.errors import ServerError
from nectar_notebooks.webhooks import Receiver, Syncing

#: Each change is shown so many times in a row.
TRIES = 3
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Opened = Callable[..., "ConnectionDashboard | CoverageDashboard"]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening(receiver: Receiver) -> Iterator[str]:
    """Serve a receiver on a socket of this machine and yield its address."""
    with make_server("127.0.0.1", 0, receiver, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks"
        server.shutdown()
        thread.join(10)
    receiver.close()


@pytest.fixture
def sandbox() -> Iterator[nn.Sandbox]:
    one = nn.Sandbox(seed=5, sites=2, months=12)
    yield one
    one.close()


@pytest.fixture
def nectar(sandbox: nn.Sandbox, tmp_path: Path) -> Iterator[nn.Nectar]:
    """Yield a client whose cache a receiver keeps up to date, both over real sockets."""
    with sandbox.serve(0) as served:
        client = nn.connect(
            "local",
            base_url=served.url,
            key=sandbox.key,
            cache_dir=tmp_path / "cache",
            clock=sandbox.clock,
            max_age=None,
        )
        with listening(Receiver(SECRET, tmp_path / "ledger.db", Syncing(client), clock=sandbox.clock)) as address:
            sandbox.webhooks.register(address, secret=SECRET, clock=sandbox.clock)
            yield client


async def shown_after(act: Callable[[], object], there: widgets.HTML) -> set[int]:
    """Do something, leave the loop to itself until a place shows something else, and say which threads changed it.

    Nobody reads the dashboard meanwhile. How long it takes is measured in benchmarks/bench_live.py.
    """
    shown, threads = asyncio.Event(), set()

    def note(_: object) -> None:
        threads.add(threading.get_ident())
        shown.set()

    there.observe(note, "value")
    act()
    await asyncio.wait_for(shown.wait(), 20)
    return threads


def test_a_status_that_changes_is_shown_without_a_full_refresh(
    sandbox: nn.Sandbox, nectar: nn.Nectar, opened: Opened
) -> None:
    async def kernel() -> None:
        dashboard = opened(ConnectionDashboard, nectar)
        tiles = place(dashboard, "Connections by family of status")
        dashboard.filters = {"needs_customer": True}
        before.extend(dashboard.frame["connection_id"])
        asked.append(len(sandbox.journal))
        for _ in range(TRIES):
            threads = await shown_after(lambda: broken.append(sandbox.scenario("mfa_required")), tiles)
            assert threads == {threading.get_ident()}

    before: list[str] = []
    asked: list[int] = []
    broken: list[str] = []
    asyncio.run(kernel())
    # One status fires two events; each asks for the connections of the company, and nothing asks for bills.
    routes = {entry["route"] for entry in sandbox.journal.rows()[asked[0] :]}
    assert routes == {"/connection/company/{company_id}"}
    fresh = opened(ConnectionDashboard, nectar)
    fresh.filters = {"needs_customer": True}
    assert set(fresh.frame["connection_id"]) == {*before, *broken}


@pytest.mark.parametrize("by", ["site", "account"])
def test_a_bill_that_goes_makes_its_hole_in_the_grid(
    sandbox: nn.Sandbox, nectar: nn.Nectar, opened: Opened, by: str
) -> None:
    async def kernel() -> None:
        dashboard = opened(CoverageDashboard, nectar, by=by)
        frames.append(dashboard.frame)
        usage = nectar.usage(nectar.companies().iloc[0])
        billed = usage[usage["counts"] & usage["start_date"].between("2025-02-01", "2025-11-30")]
        one = billed[billed["meter_id"] == billed["meter_id"].iloc[0]].sort_values("start_date")
        for gone in one["bill_id"].iloc[::3].head(TRIES):  # months apart: each makes a hole of its own
            delete = partial(sandbox.scenario, "bill_deleted", document=gone)
            await shown_after(delete, place(dashboard, "</h2>"))
        frames.append(dashboard.frame)

    frames: list[pd.DataFrame] = []
    asyncio.run(kernel())
    lacking = [int(frame["state"].isin(["missing", "partly_billed"]).sum()) for frame in frames]
    assert lacking[1] > lacking[0]
    fresh = opened(CoverageDashboard, nectar, by=by)
    pd.testing.assert_frame_equal(frames[1], fresh.frame)


def test_without_a_loop_whoever_reads_takes_it_up(sandbox: nn.Sandbox, nectar: nn.Nectar, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, nectar)
    told = threading.Event()
    nectar.on_change(lambda _: told.set())
    connection = sandbox.scenario("mfa_required")
    assert told.wait(10)
    row = dashboard.frame.set_index("connection_id").loc[connection]
    assert (row["status"], row["family"]) == ("MFA_TOKEN_EXPIRED", "customer")
    assert "MFA" in dashboard.snapshot()


def test_only_the_company_that_changed_is_read_again(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.selected = "k2"
    office.tables["connections"].loc[0, ["status", "family"]] = ["WEBSITE_DOWN", "website"]  # k1, of Acme
    office.tables["connections"].loc[5, ["status", "family"]] = ["WEBSITE_DOWN", "website"]  # k6, of Beta
    office.asked.clear()
    tell(office, Change("c1", "connections"))
    assert dashboard.frame.set_index("connection_id")["status"].loc[["k1", "k6"]].tolist() == [
        "WEBSITE_DOWN",
        "PENDING",
    ]
    assert sorted(office.asked) == ["accounts", "connections", "sites", "status_history"]
    assert dashboard.selected == "k2"
    office.asked.clear()
    tell(office, Change("c1", "bills"))
    assert len(dashboard.frame) == 7
    assert sorted(office.asked) == ["bill_accounts", "bills", "meters", "usage"]
    office.asked.clear()
    tell(office, Change("another company", "connections"))
    assert len(dashboard.frame) == 7
    assert office.asked == []


def test_the_change_since_the_last_look_stays_when_more_comes(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    dashboard.refresh()
    office.tables["connections"].loc[0, ["status", "family"]] = ["NEW_PASSWORD_NEEDED", "customer"]
    tell(office, Change("c1", "connections"))
    once = dashboard.snapshot()
    assert "1 more" in once
    tell(office, Change("c1", "bills"))
    assert dashboard.snapshot() == once
    dashboard.refresh()
    assert "1 more" not in dashboard.snapshot()


def test_many_changes_at_once_are_drawn_once(office: SmallOffice, opened: Opened) -> None:
    async def kernel() -> None:
        opened(ConnectionDashboard, office)
        office.asked.clear()
        senders = [threading.Thread(target=tell, args=(office, Change("c1", "connections"))) for _ in range(50)]
        for one in senders:
            one.start()
        for one in senders:
            one.join()
        await asyncio.sleep(0.5)

    asyncio.run(kernel())
    assert office.asked.count("connections") == 1


def test_another_thread_that_reads_changes_nothing(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    office.tables["connections"].loc[0, "status"] = "WEBSITE_DOWN"
    tell(office, Change("c1", "connections"))
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(dashboard.frame["status"]))
    reader.start()
    reader.join()
    assert "CONNECTED" in seen
    assert "CONNECTED" not in dashboard.frame["status"].tolist()


def test_what_cannot_be_read_leaves_what_was_shown(office: SmallOffice, opened: Opened) -> None:
    dashboard = opened(ConnectionDashboard, office)
    rows = dashboard.frame
    office.fault = ServerError("The API answered 500.")
    tell(office, Change("c1", "connections"))
    pd.testing.assert_frame_equal(dashboard.frame, rows)
    assert "Something changed, and could not be read: The API answered 500." in dashboard.message
    assert "3 hours old" in dashboard.message


def test_a_closed_dashboard_follows_nothing(office: SmallOffice) -> None:
    dashboard = ConnectionDashboard(office)
    assert len(office.watchers) == 1
    dashboard.close()
    assert office.watchers == []
    dashboard.close()  # twice is as once


@pytest.mark.parametrize("kind", [ConnectionDashboard, CoverageDashboard])
def test_following_keeps_no_dashboard_alive(office: SmallOffice, kind: type) -> None:
    one = kind(office)
    alive = weakref.ref(one)
    callback = office.watchers[0]
    del one
    widgets.Widget.close_all()  # nobody closed the dashboard: its controls went, as at the end of a kernel's page
    gc.collect()
    assert alive() is None
    assert office.watchers == []
    callback(Change("c1", "connections"))  # one that was under way meanwhile


def tell(office: SmallOffice, change: Change) -> None:
    """Tell everyone who watches, as an event does."""
    for callback in list(office.watchers):
        callback(change)

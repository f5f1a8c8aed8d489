"""Events and missed events end in the same frames, against the embedded sandbox over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nectar_notebooks as nn
from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.sandbox import Sandbox
from nectar_notebooks.webhooks import BillEvent, Event, Receiver, Syncing

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TABLES = ("bills", "usage", "line_items", "connections", "accounts", "meters", "bill_accounts", "demand", "time_of_use")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(seed=5, sites=2, months=4)
    yield made
    made.close()


@pytest.fixture
def served(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.serve() as at:
        yield at.url


def client(url: str, sandbox: Sandbox, folder: Path) -> nn.Nectar:
    return nn.connect("local", base_url=url, key=sandbox.key, cache_dir=folder, clock=sandbox.clock, max_age=None)


def frames(nectar: nn.Nectar) -> dict[str, pd.DataFrame]:
    portfolio = nectar.portfolio(nectar.companies().iloc[0])
    return {name: getattr(portfolio, name) for name in TABLES}


@pytest.mark.parametrize("change", ["arrives", "revised", "deleted", "corrected", "bad_login"])
def test_events_and_missed_events_end_in_the_same_frames(
    sandbox: Sandbox, served: str, tmp_path: Path, change: str
) -> None:
    told, missed, fresh = (client(served, sandbox, tmp_path / name) for name in ("told", "missed", "fresh"))
    before = frames(told)
    frames(missed)
    syncing = Syncing(told)
    receiver = Receiver(SECRET, tmp_path / "ledger.db", syncing, clock=sandbox.clock)
    sandbox.webhooks.register(receiver, secret=SECRET)
    _let_happen(sandbox, change, before)
    assert receiver.drain()
    receiver.close()
    assert receiver.ledger.counts()["done"] == len(sandbox.webhooks.messages) > 0
    requests = len(sandbox.journal)
    after = frames(told)
    assert len(sandbox.journal) == requests, "what the event brought is answered from the cache"
    missed.refresh(missed.companies().iloc[0])
    for name, frame in frames(fresh).items():
        pd.testing.assert_frame_equal(after[name], frame)
        pd.testing.assert_frame_equal(frames(missed)[name], frame)
    assert any(not after[name].equals(before[name]) for name in TABLES)


def _let_happen(sandbox: Sandbox, change: str, before: dict[str, pd.DataFrame]) -> None:
    if change == "arrives":
        sandbox.advance(days=35)
    elif change == "corrected":
        usage = before["usage"]["usage_id"].iloc[0]
        answer = sandbox.app.test_client().patch(
            f"/v2.2/usage/{usage}", json={"tariff": "X-1", "isEstimated": True}, headers={"X-API-Key": sandbox.key}
        )
        assert answer.status_code == 200
    else:
        sandbox.scenario({"revised": "bill_revised", "deleted": "bill_deleted"}.get(change, change))


def test_whoever_watches_sees_it_and_the_history_has_it(sandbox: Sandbox, served: str, tmp_path: Path) -> None:
    nectar = client(served, sandbox, tmp_path / "cache")
    company = nectar.companies().iloc[0]
    nectar.connections(company)
    seen: list[tuple[str, dict[str, str]]] = []

    def show(change: Any) -> None:
        table = nectar.connections(change.company_id)
        seen.append((change.noun, dict(zip(table.connection_id, table.status, strict=True))))

    end = nectar.on_change(show)
    receiver = Receiver(SECRET, tmp_path / "ledger.db", Syncing(nectar), clock=sandbox.clock)
    sandbox.webhooks.register(receiver, secret=SECRET)
    receiver.start()
    asked = len(sandbox.journal)
    connection = sandbox.scenario("mfa_required")
    assert receiver.drain()
    noun, statuses = seen[0]
    assert (noun, statuses[connection]) == ("connections", "MFA_TOKEN_EXPIRED")
    assert {entry["route"] for entry in sandbox.journal.rows()[asked:]} == {"/connection/company/{company_id}"}
    history = nectar.status_history(company)
    assert history[history.connection_id == connection].status.tolist()[-1] == "MFA_TOKEN_EXPIRED"
    end()
    count = len(seen)
    sandbox.scenario("recovered", connection=connection)
    assert receiver.drain()
    receiver.close()
    assert len(seen) == count


def test_one_refresh_brings_the_bills_of_many_events(sandbox: Sandbox, tmp_path: Path) -> None:
    nectar = nn.connect(sandbox=sandbox)
    nectar.portfolio(nectar.companies().iloc[0])
    inbox: list[Event] = []
    receiver = Receiver(SECRET, tmp_path / "ledger.db", inbox.append, clock=sandbox.clock)
    sandbox.webhooks.register(receiver, ["document.created.v2"], secret=SECRET)
    sandbox.advance(days=35)
    assert receiver.drain()
    receiver.close()
    assert len(inbox) > 3
    syncing = Syncing(nectar)
    for event in inbox:
        syncing(event)
    companies = {event.company_id for event in inbox}
    assert syncing.refreshes <= len(companies)


def test_a_payload_is_not_believed(sandbox: Sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0].company_id
    before = nectar.bills(company)
    now = FrozenClock("2026-01-15").now()
    syncing = Syncing(nectar)
    syncing(BillEvent("m1", "document.created.v2", now, {"id": "made-up", "company": company, "totalCharges": "1"}))
    syncing(BillEvent("m2", "document.deleted.v2", now, {"id": before.bill_id.iloc[0], "company": company}))
    syncing(BillEvent("m3", "document.updated.v2", now, {"id": before.bill_id.iloc[0], "totalCharges": "1"}))
    pd.testing.assert_frame_equal(nectar.bills(company), before)


def test_nothing_kept_nothing_asked(sandbox: Sandbox) -> None:
    nectar = nn.connect(sandbox=sandbox)
    company = nectar.companies().iloc[0].company_id
    asked = len(sandbox.journal)
    now = FrozenClock("2026-01-15").now()
    Syncing(nectar)(BillEvent("m1", "document.created.v2", now, {"id": "x", "company": company}))
    Syncing(nectar)(Event("m2", "connection.updated", now, {"id": "x"}))
    assert len(sandbox.journal) == asked

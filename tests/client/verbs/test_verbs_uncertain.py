"""Writes whose answer never comes, on a real socket: sent once or repeated as is safe; the cache is true after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from client.verbs.truth import Place
from sandbox_app.small_world import FEBRUARY_USAGE, POWER_ACCOUNT

from nectar_notebooks import Nectar, Sandbox
from nectar_notebooks.api import Session
from nectar_notebooks.config import Secret
from nectar_notebooks.errors import NetworkError, ServerError
from nectar_notebooks.sandbox.wire import Wire

pytestmark = pytest.mark.served


@pytest.fixture
def wire(sandbox: Sandbox) -> Iterator[Wire]:
    with sandbox.serve() as served, Wire(served.url) as wire:
        yield wire


@pytest.fixture
def nectar(sandbox: Sandbox, wire: Wire, place: Place, company: str) -> Nectar:
    """Connect through the wire with a patience that suits a test, and read all of the company."""
    nectar = place.connect()
    library = nectar._library
    library.session = Session(wire.url, (Secret(sandbox.key),), clock=library.clock, timeout=(2.0, 0.5))
    nectar.portfolio(company)
    return nectar


@pytest.fixture
def place(sandbox: Sandbox, wire: Wire, tmp_path) -> Place:  # type: ignore[no-untyped-def]  # pytest's own
    return Place(sandbox, tmp_path, wire.url)


@pytest.mark.fault
@pytest.mark.parametrize("kind", ["timeout", "reset", "cut"])
def test_a_creation_is_sent_once_and_what_it_made_is_seen(
    nectar: Nectar, wire: Wire, place: Place, company: str, kind: str
) -> None:
    wire.add(kind, f"/site/company/{company}", times=9)  # type: ignore[arg-type]  # one of its kinds
    with pytest.raises(NetworkError, match="not sent again, because it may have been carried out"):
        nectar.create_site("Mill", company)
    assert wire._plan[0].seen == 1
    made = place.writes("/site/company")
    assert made == (["POST"] if kind == "cut" else [])  # a cut answer: the site is there, and nobody was told
    assert ("Mill" in set(nectar.sites(company)["name"])) == bool(made)
    place.assert_true(nectar, company)


def test_a_creation_after_which_the_api_failed_is_sent_once(nectar: Nectar, place: Place, company: str) -> None:
    place.sandbox.faults.add("/company", status=502, times=9)
    with pytest.raises(ServerError, match="not sent again"):
        nectar.create_company("Mill")
    place.sandbox.faults.clear()
    assert [row["status"] for row in place.sandbox.journal if row["method"] == "POST"] == [502]
    place.assert_true(nectar, company)


def test_a_creation_that_was_told_to_wait_is_sent_again(nectar: Nectar, place: Place) -> None:
    place.sandbox.faults.add("/company", status=429, retry_after=2)
    nectar.create_company("Mill")
    assert [row["status"] for row in place.sandbox.journal if row["method"] == "POST"] == [429, 201]
    assert nectar.companies()["name"].tolist().count("Mill") == 1


CHANGES: dict[str, Callable[[Nectar, str], object]] = {
    "/company/": lambda nectar, company: nectar.update_company(company, name="Other"),
    "/account/": lambda nectar, company: nectar.untrack(POWER_ACCOUNT, company),
    "/usage/0": lambda nectar, company: nectar.update_usage(FEBRUARY_USAGE, tariff="T"),
}


@pytest.mark.fault
@pytest.mark.parametrize("route", CHANGES)
def test_a_change_is_repeated_because_twice_is_once(
    nectar: Nectar, wire: Wire, place: Place, company: str, route: str
) -> None:
    reads = {"/usage/0": 2}  # a usage record is asked whose it is before it is changed
    wire.add("cut", route, at=reads.get(route, 1))
    CHANGES[route](nectar, company)
    assert place.writes() == ["PATCH", "PATCH"]
    place.assert_true(nectar, company)


def test_a_change_that_never_got_an_answer_leaves_the_cache_true(
    nectar: Nectar, wire: Wire, place: Place, company: str
) -> None:
    wire.add("cut", "/account/", times=99)
    with pytest.raises(NetworkError, match="cut off"):
        nectar.untrack(POWER_ACCOUNT, company)
    tracking = nectar.accounts(company).set_index("account_id")["tracking"]
    assert tracking[POWER_ACCOUNT] == "DISABLED"  # it was carried out, though nobody said so
    place.assert_true(nectar, company)


@pytest.mark.fault
def test_a_deletion_whose_answer_was_lost_is_a_deletion(nectar: Nectar, wire: Wire, place: Place, company: str) -> None:
    connection = nectar.connections(company).iloc[0]
    wire.add("reset", "/connection/")
    wire.add("timeout", "/connection/", at=2)
    assert len(nectar.delete_connection(connection)) == 1
    assert connection["connection_id"] not in set(nectar.connections(company)["connection_id"])
    place.assert_true(nectar, company)


def test_what_was_made_is_named_where_it_cannot_be_read_afterwards(
    nectar: Nectar, wire: Wire, place: Place, company: str
) -> None:
    wire.add("cut", "/connection/company/", times=99)
    with pytest.raises(NetworkError, match=r"PATCH .* was carried out \(untracked\).*Do not repeat it"):
        nectar.untrack(POWER_ACCOUNT, company)
    assert place.writes() == ["PATCH"]


def test_pages_of_a_broken_walk_from_before_a_write_are_not_gone_on_with(
    nectar: Nectar, place: Place, company: str
) -> None:
    nectar.update_usage(FEBRUARY_USAGE, tariff="T")
    place.sandbox.faults.add(f"/usage/company/{company}", at=2, status=500, times=6)  # the page comes, its close fails
    with pytest.raises(ServerError):
        nectar.usage(company)
    place.sandbox.faults.clear()
    nectar.untrack(POWER_ACCOUNT, company)  # which moves no date of the usage it changes
    assert not nectar.usage(company).set_index("usage_id").loc[FEBRUARY_USAGE, "meter_tracked"]
    place.assert_true(nectar, company)

"""Pages and filters of the lists."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sandbox_asker import Asker
from small_world import (
    ACME,
    ANNEX,
    BETA,
    DELETED_BILL,
    FEBRUARY_BILL,
    FEBRUARY_USAGE,
    JANUARY_BILL,
    JANUARY_USAGE,
    MAIN_SITE,
    POWER_LOGIN,
    SEWER_USAGE,
    UPLOADED_BILL,
    WATER_BILL,
    WATER_LOGIN,
    WATER_USAGE,
    many_bills,
)

BILLS = f"/document/company/{ACME}"
USAGE = f"/usage/company/{ACME}"


def bills(ask: Asker, query: str) -> set[str]:
    status, body = ask(f"{BILLS}?{query}")
    assert status == 200, body
    assert body["totalDocuments"] == len(body["documents"])
    return {row["id"] for row in body["documents"]}


def usage(ask: Asker, query: str) -> set[str]:
    status, body = ask(f"{USAGE}?{query}")
    assert status == 200, body
    assert body["totalUsageData"] == len(body["usageData"])
    return {row["id"] for row in body["usageData"]}


@pytest.mark.parametrize(
    ("query", "page", "rows"),
    [
        ("", 1, 100), ("?page=1", 1, 100), ("?page=2", 2, 100), ("?page=3", 3, 50), ("?page=4", 3, 50),
        ("?page=99999999999999999999", 3, 50), ("?page=0", 3, 50), ("?page=-5", 3, 50), ("?page=two", 1, 100),
        ("?page=", 1, 100), ("?limit=5", 1, 100), ("?perPage=5", 1, 100),
    ],
)  # fmt: skip
@pytest.mark.parametrize("things", ["documents", "usageData"])
def test_pages(make: Callable[..., Asker], things: str, query: str, page: int, rows: int) -> None:
    ask = make(world=many_bills(250))
    noun = {"documents": "document", "usageData": "usage"}[things]
    status, body = ask(f"/{noun}/company/{BETA}{query}")
    assert status == 200
    assert list(body) == [
        f"total{things[0].upper()}{things[1:]}", "perPage", "totalPages", "currentPage", "hasNext", "hasPrevious",
        things,
    ]  # fmt: skip
    assert (body["perPage"], body["totalPages"], body["currentPage"]) == (100, 3, page)
    assert (body["hasNext"], body["hasPrevious"]) == (page < 3, page > 1)
    assert len(body[things]) == rows


def test_a_walk_sees_every_row_once_in_order_of_creation(make: Callable[..., Asker]) -> None:
    ask = make(world=many_bills(250))
    rows = [row for page in (1, 2, 3) for row in ask(f"/document/company/{BETA}?page={page}")[1]["documents"]]
    assert [row["id"][-3:] for row in rows] == [f"{number:03d}" for number in range(1, 251)]


def test_limit_is_for_connections_alone(ask: Asker) -> None:
    status, body = ask(f"/connection/company/{ACME}?limit=1&page=2")
    assert status == 200
    assert (body["perPage"], body["totalPages"], body["currentPage"]) == (1, 2, 2)
    assert [row["id"] for row in body["connections"]] == [POWER_LOGIN]
    for wrong in ("0", "501", "ten", "-1", "1.5"):
        status, body = ask(f"/connection/company/{ACME}?limit={wrong}")
        assert status == 400
        assert "limit" in body["detail"]


@pytest.mark.parametrize(
    ("path", "name", "good", "bad"),
    [
        (BILLS, "dateType", "CREATED_DATE", "NOPE"), (BILLS, "startDate", "2025-03-03", "bad"),
        (BILLS, "isDeleted", "true", "maybe"), (USAGE, "endDate", "2025-02-20", "bad"),
        (f"/connection/company/{ACME}", "limit", "1", "x"), (f"/connection/company/{ACME}", "limit", "1", "0"),
        (f"/connection/company/{ACME}", "status", "CONNECTED", "NOPE"),
        (f"/interval/connection/{POWER_LOGIN}", "startDate", "2025-01-01", "bad"),
    ],
)  # fmt: skip
def test_a_name_given_twice_is_refused_by_its_name(ask: Asker, path: str, name: str, good: str, bad: str) -> None:
    for query in (f"{name}={good}&{name}={bad}", f"{name}={good}&{name}={good}"):
        assert ask(f"{path}?{query}") == (400, {"detail": f"{name}: may be given once.", name: ["may be given once."]})
    assert ask(f"{path}?{name}={good}")[0] == 200


def test_a_site_that_is_no_id_is_refused_by_its_name(ask: Asker) -> None:
    for sites in ("", "201573", f"{MAIN_SITE}&sites=Main"):
        status, body = ask(f"/connection/company/{ACME}?sites={sites}")
        assert status == 400
        assert "sites" in body["detail"]


def test_two_pages_are_refused_by_their_name(ask: Asker) -> None:
    status, body = ask(f"/connection/company/{ACME}?limit=1&page=1&page=2")
    assert status == 400
    assert "page" in body["detail"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=CONNECTED", [POWER_LOGIN]),
        ("status=WEBSITE_DOWN", []),
        ("connectionOwnerEmail=bob@acme.example", [WATER_LOGIN]),
        ("connectionOwnerEmail=BOB@acme.example", []),
        (f"sites={MAIN_SITE}", [POWER_LOGIN]),
        (f"sites={ANNEX}", [WATER_LOGIN]),
        (f"sites={MAIN_SITE}&sites={ANNEX}", [WATER_LOGIN, POWER_LOGIN]),
        (f"sites={ANNEX}&status=CONNECTED", []),
    ],
)
def test_filters_of_connections(ask: Asker, query: str, expected: list[str]) -> None:
    status, body = ask(f"/connection/company/{ACME}?{query}")
    assert status == 200
    assert [row["id"] for row in body["connections"]] == expected
    assert body["totalConnections"] == len(expected)


def test_bill_date_is_the_default_and_each_bound_stands_alone(ask: Asker) -> None:
    assert bills(ask, "startDate=2025-03-03") == {FEBRUARY_BILL, UPLOADED_BILL}
    assert bills(ask, "endDate=2025-02-20") == {JANUARY_BILL, WATER_BILL}
    assert bills(ask, "startDate=2025-02-20&endDate=2025-03-03&dateType=BILL_DATE") == {WATER_BILL, FEBRUARY_BILL}
    assert usage(ask, "startDate=2025-03-03") == {FEBRUARY_USAGE}
    assert usage(ask, "startDate=2025-03-03&endDate=2025-03-01") == set()


def test_usage_period_takes_what_overlaps_by_a_day(ask: Asker) -> None:
    assert bills(ask, "dateType=USAGE_PERIOD&startDate=2025-01-31&endDate=2025-01-31") == {JANUARY_BILL, WATER_BILL}
    assert bills(ask, "dateType=USAGE_PERIOD&startDate=2025-02-28") == {FEBRUARY_BILL, UPLOADED_BILL}
    assert bills(ask, "dateType=USAGE_PERIOD&endDate=2025-01-14") == {JANUARY_BILL}
    assert usage(ask, "dateType=USAGE_PERIOD&startDate=2025-02-14") == {FEBRUARY_USAGE, WATER_USAGE}
    # A record without an end is a day long.
    assert usage(ask, "dateType=USAGE_PERIOD&startDate=2025-01-15&endDate=2025-01-15") == {
        JANUARY_USAGE, WATER_USAGE, SEWER_USAGE,
    }  # fmt: skip


def test_created_and_updated_end_before_the_end_day(ask: Asker) -> None:
    for kind in ("CREATED_DATE", "UPDATED_DATE"):
        assert bills(ask, f"dateType={kind}&endDate=2025-03-05") == {JANUARY_BILL, WATER_BILL}
        assert bills(ask, f"dateType={kind}&startDate=2025-03-05") == {FEBRUARY_BILL, UPLOADED_BILL}
        assert bills(ask, f"dateType={kind}&startDate=2025-03-05&endDate=2025-03-05") == set()
        assert usage(ask, f"dateType={kind}&endDate=2025-02-05") == set()
        assert len(usage(ask, f"dateType={kind}&endDate=2025-02-06")) == 4


def test_commodities_repeat(ask: Asker) -> None:
    assert bills(ask, "datasourceType=WATER") == {WATER_BILL}
    assert bills(ask, "datasourceType=WATER&datasourceType=ELECTRICITY") == {JANUARY_BILL, FEBRUARY_BILL, WATER_BILL}
    assert usage(ask, "datasourceType=ELECTRICITY") == {JANUARY_USAGE, FEBRUARY_USAGE}
    assert usage(ask, "datasourceType=GAS") == set()
    assert usage(ask, "datasourceType=SEWER") == set()


@pytest.mark.parametrize("spelling", ["013-774-6423", "137746423", "0137746423", "0137 746_42,3", "13/7746423"])
def test_identifiers_are_normalised(ask: Asker, spelling: str) -> None:
    assert usage(ask, f"identifier={spelling}") == {JANUARY_USAGE, FEBRUARY_USAGE}
    assert bills(ask, f"identifier={spelling}") == {JANUARY_BILL, FEBRUARY_BILL}


def test_identifiers_in_capitals_and_as_a_whole(ask: Asker) -> None:
    assert usage(ask, "identifier=w1") == {WATER_USAGE}
    assert usage(ask, "identifier=w1s") == {SEWER_USAGE}
    assert usage(ask, "identifier=w") == set()


def test_deleted_bills_show_only_when_asked_for(ask: Asker) -> None:
    shown = bills(ask, "")
    assert DELETED_BILL not in shown
    assert bills(ask, "isDeleted=false") == shown
    assert bills(ask, "isDeleted=true") == shown | {DELETED_BILL}
    assert ask(f"/document/{DELETED_BILL}")[0] == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("startDate=2025-1-1", "startDate"), ("startDate=yesterday", "startDate"), ("endDate=2025-02-30", "endDate"),
        ("endDate=2025-01-01T00:00:00Z", "endDate"), ("dateType=PAID_DATE", "dateType"),
        ("datasourceType=HEAT", "datasourceType"), ("datasourceType=WATER&datasourceType=x", "datasourceType"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [BILLS, USAGE])
def test_a_wrong_filter_is_a_400_that_names_it(ask: Asker, path: str, query: str, field: str) -> None:
    status, body = ask(f"{path}?{query}")
    assert status == 400
    assert field in body["detail"]
    assert isinstance(body[field], list)


def test_a_wrong_status_and_a_wrong_flag(ask: Asker) -> None:
    status, body = ask(f"/connection/company/{ACME}?status=FINE")
    assert (status, "status" in body["detail"]) == (400, True)
    status, body = ask(f"{BILLS}?isDeleted=perhaps")
    assert (status, "isDeleted" in body["detail"]) == (400, True)

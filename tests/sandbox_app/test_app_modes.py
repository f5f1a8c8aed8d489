"""Switches, both ways, and the sandbox that keeps to the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_asker import Asker
from small_world import (
    ACME,
    DELETED_BILL,
    FEBRUARY_BILL,
    JANUARY_BILL,
    JANUARY_USAGE,
    MAIN_SITE,
    NOBODY,
    POWER_ACCOUNT,
    POWER_LOGIN,
    POWER_METER,
    SEWER_METER,
    SEWER_USAGE,
    UPLOADED_BILL,
    WATER_BILL,
)

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import Sandbox

BILLS = f"/document/company/{ACME}"
Make = Callable[..., Asker]


def keys(value: Any) -> Iterator[str]:
    """Yield every field name anywhere in a body."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def ids(ask: Asker, query: str) -> set[str]:
    return {row["id"] for row in ask(f"{BILLS}?{query}")[1]["documents"]}


def test_is_deleted_includes_or_is_alone(make: Make) -> None:
    included = ids(make(), "isDeleted=true")
    alone = ids(make(switches={"is_deleted": "only"}), "isDeleted=true")
    assert included > alone == {DELETED_BILL}


def test_bill_date_is_the_invoice_s_or_the_end_of_the_period(make: Make) -> None:
    ask = make(switches={"bill_date": "period_end"})
    assert make()(f"/document/{JANUARY_BILL}")[1]["billDate"] == "2025-02-03"
    assert ask(f"/document/{JANUARY_BILL}")[1]["billDate"] == "2025-01-31"
    assert ask(f"/usage/{JANUARY_USAGE}")[1]["document"]["billDate"] == "2025-01-31"
    assert ids(ask, "startDate=2025-01-31&endDate=2025-02-14") == {JANUARY_BILL, WATER_BILL}
    assert ids(make(), "startDate=2025-01-31&endDate=2025-02-14") == {JANUARY_BILL}
    assert ask(f"/usage/company/{ACME}?endDate=2025-01-31")[1]["totalUsageData"] == 1
    # A bill without usage keeps the date it has.
    assert ask(f"/document/{UPLOADED_BILL}")[1]["billDate"] == "2025-03-04"


def test_the_commodity_filter_of_bills_has_one_of_two_names(make: Make) -> None:
    ask = make(switches={"document_commodity_filter": "datasourceTypes"})
    assert ids(ask, "datasourceTypes=WATER") == {WATER_BILL}
    assert len(ids(ask, "datasourceType=WATER")) == 4
    assert len(ids(make(), "datasourceTypes=WATER")) == 4


def test_the_end_day_of_created_and_updated(make: Make) -> None:
    query = "dateType=UPDATED_DATE&startDate=2025-03-05&endDate=2025-03-05"
    assert ids(make(), query) == set()
    assert ids(make(switches={"updated_end_day": "included"}), query) == {FEBRUARY_BILL}


def test_decimals_are_strings_or_numbers(make: Make) -> None:
    strings, numbers = make(), make(switches={"decimals": "number"})
    assert strings(f"/document/{JANUARY_BILL}")[1]["totalCharges"] == "30.50"
    bill = numbers(f"/document/{JANUARY_BILL}")[1]
    assert (bill["totalCharges"], bill["lineItems"][0]["totalCharge"], bill["lineItems"][0]["rate"]) == (
        30.5,
        20.5,
        None,
    )
    assert (bill["demandMeters"][0]["demandUsage"], bill["usageData"][0]["usage"]) == (12.5, 150.75)
    assert bill["usageData"][0]["timeOfUseBreakdown"][0]["usage"] == 50.25
    assert bill["usageData"][0]["site"]["occupancyPercent"] == 60
    assert numbers("/company")[1][0]["impliedMeteringFraction"] == 1.0
    assert bill["invoiceId"] == "INV-f1"


def test_last_service_date_is_the_latest_bill_s_or_the_day_the_account_was_closed(make: Make) -> None:
    def told(ask: Asker) -> list[tuple[str, str | None]]:
        [connections] = (ask(f"/connection/company/{ACME}")[1]["connections"],)
        rows = [account for one in connections for account in one["accounts"]]
        listed = {row["id"]: row["lastServiceDate"] for row in ask(f"/account/company/{ACME}")[1]["accounts"]}
        assert {row["id"]: row["lastServiceDate"] for row in rows}.items() <= listed.items()
        return [(row["status"], row["lastServiceDate"]) for row in rows]

    served, closed = told(make()), told(make(switches={"last_service_date": "closed"}))
    assert any(day for status, day in served if status != "OLD_ACCOUNT")
    assert [day for status, day in closed if status != "OLD_ACCOUNT" and day] == []
    assert [one for one in closed if one[0] == "OLD_ACCOUNT"] == [one for one in served if one[0] == "OLD_ACCOUNT"]


def test_a_wrong_id_is_a_404_or_a_403(make: Make) -> None:
    assert make()(f"/company/{NOBODY}")[0] == 404
    status, body = make(switches={"wrong_id": "403"})(f"/company/{NOBODY}")
    assert (status, list(body)) == (403, ["detail"])


@pytest.mark.parametrize(
    ("switches", "what"), [({"decimal": "number"}, "decimals"), ({"decimals": "text"}, "string, number")]
)
def test_an_unknown_switch_or_position_says_what_there_is(switches: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        Sandbox(switches=switches)


@pytest.mark.parametrize(
    "path",
    [
        f"/site/company/{ACME}", f"/company/{ACME}/site", f"/account/company/{ACME}", f"/account/{POWER_ACCOUNT}",
        f"/meter/company/{ACME}", f"/document/{JANUARY_BILL}",
    ],
)  # fmt: skip
def test_documented_only_knows_no_assumed_path(make: Make, path: str) -> None:
    assert make()(path)[0] == 200
    status, body = make(documented_only=True)(path)
    assert (status, list(body)) == (404, ["detail"])


def test_documented_only_leaves_out_assumed_fields_and_values(make: Make) -> None:
    ask = make(documented_only=True)
    balances = {
        "previousCloseBalance", "afterPreviousTotalPayment", "afterPreviousCharges", "afterPreviousCredits",
        "currentOpenBalance",
    }  # fmt: skip
    assumed = {"lineItems", "isFlagged", "invoiceId", *balances}
    for path in (BILLS, f"/usage/company/{ACME}", f"/usage/{JANUARY_USAGE}", f"/document/connection/{POWER_LOGIN}"):
        status, body = ask(path)
        assert status == 200
        assert not assumed & set(keys(body))
        assert assumed - {"lineItems"} <= set(keys(make()(path)[1]))
    account = ask(f"/connection/{POWER_LOGIN}/details")[1]["accounts"][0]
    assert account["status"] is None  # how its state is spelled is assumed
    assert account["accountNumber"] == "P 100"
    assert "electricityType" not in ask(f"/meter/{POWER_METER}")[1]
    assert ask(f"/meter/{SEWER_METER}")[1]["waterType"] is None
    assert ask(f"/usage/{SEWER_USAGE}")[1]["waterType"] is None
    assert ask(f"/company/{ACME}")[1]["sites"][0]["name"] == "Main"
    assert ask("/ping") == (200, {"version": "v2.2"})
    assert ask(f"/company/{NOBODY}")[0] == 403


def test_documented_only_takes_no_assumed_parameter_and_no_assumed_body(make: Make) -> None:
    ask = make(documented_only=True)
    login = {
        "url": "https://nectarclimate.com", "username": "nectar-sandbox-username", "country": "US",
        "password": "nectar-sandbox-password", "sites": [MAIN_SITE],
    }  # fmt: skip
    made = ask(f"/connection/company/{ACME}", method="POST", body=login)[1]["id"]
    everything = ask(f"/interval/connection/{made}")
    assert everything[1]["totalIntervals"] > 0
    assert ask(f"/interval/connection/{made}?startDate=2030-01-01") == everything
    assert ask(f"/interval/connection/{made}?endDate=2000-01-01")[1]["totalIntervals"] == 0
    assert ask(f"/connection/company/{ACME}/link", method="POST", body={"sites": [NOBODY]})[0] == 201


def test_documented_only_still_answers_wrong_methods_and_keys(make: Make) -> None:
    ask = make(documented_only=True)
    assert ask("/ping", method="DELETE")[0] == 405
    assert ask(f"/document/{JANUARY_BILL}", key="wrong")[0] == 401

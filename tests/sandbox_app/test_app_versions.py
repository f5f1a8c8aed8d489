"""v2.1 and v2.0: usage and bills in their shapes, written out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sandbox_asker import Asker
from small_world import (
    ACME,
    JANUARY_BILL,
    JANUARY_USAGE,
    MAIN_SITE,
    POWER_LOGIN,
    POWER_METER,
    WATER_BILL,
    small_world,
)

from nectar_notebooks.sandbox.model import World

USAGE = f"/usage/company/{ACME}"


def rows(ask: Asker, version: str, query: str = "") -> list[dict[str, Any]]:
    status, body = ask(f"{USAGE}{query}", version=version)
    assert status == 200
    assert body["totalUsageData"] == len(body["usageData"])
    found: list[dict[str, Any]] = body["usageData"]
    return found


def said(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["timeOfUse"], row["electricityType"], row["usage"], row["usageUnits"]


def test_each_version_says_its_name(ask: Asker) -> None:
    for mount, version in (("v2.2", "v2.2"), ("v2.1", "v2.1"), ("v2", "v2.0")):
        assert ask("/ping", version=mount) == (200, {"status": "ok", "version": version})


def test_v21_has_a_row_for_each_period_and_demand_among_them(ask: Asker) -> None:
    found = {said(row) for row in rows(ask, "v2.1", "?startDate=2025-02-03&endDate=2025-02-03")}
    assert found == {
        ("PEAK", "USAGE", "50.25", "kWh"),
        ("OFF_PEAK", "USAGE", "100.5", "kWh"),
        (None, "DEMAND", "12.5", "kW"),
    }
    assert len(rows(ask, "v2.1")) == 6


def test_v20_has_no_demand(ask: Asker) -> None:
    found = rows(ask, "v2")
    assert len(found) == 5
    assert {row["electricityType"] for row in found} == {"USAGE", None}


def test_older_rows_have_no_breakdown_and_keep_the_record_s_id_once(ask: Asker) -> None:
    for version in ("v2.1", "v2"):
        found = rows(ask, version)
        assert not any("timeOfUseBreakdown" in row for row in found)
        assert all("timeOfUse" in row for row in found)
        ids = [row["id"] for row in found]
        assert len(set(ids)) == len(ids)
        assert ids.count(JANUARY_USAGE) == 1
        for row in found:
            assert ask(f"/usage/{row['id']}", version=version) == (200, row)
    assert ask(f"/usage/{found[0]['id']}")[0] in {200, 404}


def test_a_demand_row_names_its_meter_and_site(ask: Asker) -> None:
    [demand] = [row for row in rows(ask, "v2.1") if row["electricityType"] == "DEMAND"]
    assert (demand["meter"], demand["site"]["id"], demand["document"]["id"]) == (POWER_METER, MAIN_SITE, JANUARY_BILL)
    assert (demand["startDate"], demand["endDate"]) == ("2025-01-01", "2025-01-31")
    status, body = ask(f"/usage/{demand['id']}", method="PATCH", version="v2.1", body={"tariff": "x"})
    assert (status, "demand" in body["detail"]) == (400, True)


@pytest.mark.parametrize(("version", "expected"), [("v2.1", 3), ("v2", 2)])
def test_older_bills_carry_their_usage_in_that_shape(ask: Asker, version: str, expected: int) -> None:
    status, bill = ask(f"/document/{JANUARY_BILL}", version=version)
    assert status == 200
    assert "demandMeters" not in bill
    assert len(bill["usageData"]) == expected
    listed = {row["id"]: {**row, "document": None} for row in rows(ask, version)}
    for row in bill["usageData"]:
        assert {**row, "document": None} == listed[row["id"]]
    bills = ask(f"/document/company/{ACME}", version=version)[1]
    assert bills["totalDocuments"] == 4
    assert bills["documents"][0] == bill


def test_older_lists_are_filtered_and_paged_by_their_own_rows(ask: Asker) -> None:
    assert len(rows(ask, "v2.1", "?datasourceType=ELECTRICITY")) == 4
    assert len(rows(ask, "v2.1", "?identifier=137746423")) == 4
    assert len(rows(ask, "v2.1", "?dateType=USAGE_PERIOD&endDate=2025-01-14")) == 3
    for path in (f"/usage/site/{MAIN_SITE}", f"/usage/connection/{POWER_LOGIN}"):
        assert ask(path, version="v2.1")[1]["totalUsageData"] == 4
    assert ask(f"/usage/document/{JANUARY_BILL}", version="v2.1")[1]["totalUsageData"] == 3


def test_only_v20_reads_a_bill_s_usage_by_its_period(ask: Asker) -> None:
    query = f"/usage/document/{WATER_BILL}?startDate=2025-02-15"
    assert ask(query, version="v2")[1]["totalUsageData"] == 0
    assert ask(query, version="v2.1")[1]["totalUsageData"] == 2
    assert ask(query)[1]["totalUsageData"] == 2


def test_the_guide_s_reading_of_v22_is_a_switch(make: Callable[..., Asker]) -> None:
    ask = make(switches={"usage_shape": "guide"})
    found = rows(ask, "v2.2")
    assert len(found) == 5
    assert {row["timeOfUse"] for row in found} == {"PEAK", "OFF_PEAK", None}
    bill = ask(f"/document/{JANUARY_BILL}")[1]
    assert [row["timeOfUse"] for row in bill["usageData"]] == ["PEAK", "OFF_PEAK"]
    assert len(bill["demandMeters"]) == 1


def test_older_rows_follow_what_changes(ask: Asker) -> None:
    assert len(rows(ask, "v2.1")) == 6
    ask(f"/usage/{JANUARY_USAGE}", method="PATCH", version="v2.1", body={"tariff": "R-9"})
    assert [row["tariff"] for row in rows(ask, "v2.1")].count("R-9") == 3
    ask.sandbox.scenario("bill_deleted", document=JANUARY_BILL)
    assert len(rows(ask, "v2.1")) == 3
    assert ask(f"/usage/{JANUARY_USAGE}", version="v2.1")[0] == 404


QUALITY = ("apparentEnergy", "apparentEnergyUnits", "reactiveEnergy", "reactiveEnergyUnits", "powerFactor")


def with_power_factor(factor: str, **change: Any) -> World:
    world = small_world()
    for row in world.usage:
        if row["datasourceType"] == "ELECTRICITY":
            row |= {"powerFactor": factor} | change
    return world


def test_only_v21_tells_apparent_and_reactive_energy_of_normal_electricity_meters(make: Callable[..., Asker]) -> None:
    ask = make(world=with_power_factor("0.6"))
    told = {said(row): tuple(row[name] for name in QUALITY) for row in rows(ask, "v2.1")}
    assert told == {
        ("PEAK", "USAGE", "50.25", "kWh"): ("83.75", "kVAh", "67.00", "kVArh", "0.6"),  # 50.25 / 0.6, times 0.8
        ("OFF_PEAK", "USAGE", "100.5", "kWh"): ("167.50", "kVAh", "134.00", "kVArh", "0.6"),
        (None, "USAGE", "140", "kWh"): ("233.33", "kVAh", "186.67", "kVArh", "0.6"),
        (None, "DEMAND", "12.5", "kW"): (None,) * 5,
        (None, None, "5", "CCF"): (None,) * 5,
    }
    for version in ("v2.2", "v2"):
        assert not any(set(QUALITY) & set(row) for row in rows(ask, version))


def test_a_bill_of_v21_tells_them_as_its_list_does(make: Callable[..., Asker]) -> None:
    ask = make(world=with_power_factor("0.8"))
    listed = {row["id"]: {**row, "document": None} for row in rows(ask, "v2.1")}
    for bill in (
        ask(f"/document/{JANUARY_BILL}", version="v2.1")[1],
        ask(f"/document/company/{ACME}", version="v2.1")[1]["documents"][0],
    ):
        assert [{**row, "document": None} == listed[row["id"]] for row in bill["usageData"]] == [True] * 3
    assert not set(QUALITY) & set(ask(f"/document/{JANUARY_BILL}")[1]["usageData"][0])


def test_a_unit_without_its_like_and_a_bill_that_says_nothing_have_none(make: Callable[..., Asker]) -> None:
    [megawatts] = {
        tuple(row[name] for name in QUALITY)
        for row in rows(
            make(world=with_power_factor("0.8", usage="4", usageUnits="MWh", timeOfUseBreakdown=[])), "v2.1"
        )
        if row["usageUnits"] == "MWh"
    }
    assert megawatts == ("5.00", "MVAh", "3.00", "MVArh", "0.8")
    for world in (small_world(), with_power_factor("0.8", usageUnits="GJ", timeOfUseBreakdown=[])):
        found = rows(make(world=world), "v2.1")
        assert {row[name] for row in found for name in QUALITY} == {None}


def test_their_names_are_assumed(make: Callable[..., Asker]) -> None:
    ask = make(world=with_power_factor("0.8"), documented_only=True)
    bill = ask(f"/document/company/{ACME}", version="v2.1")[1]["documents"][0]
    assert not any(set(QUALITY) & set(row) for row in [*rows(ask, "v2.1"), *bill["usageData"]])


def test_documented_only_says_no_demand_type(make: Callable[..., Asker]) -> None:
    found = rows(make(documented_only=True), "v2.1")
    assert {row["electricityType"] for row in found} == {"USAGE", None}
    assert [row["usageUnits"] for row in found].count("kW") == 1


def test_parts_and_readings_are_listed_in_the_order_in_which_they_stand_on_the_bill(
    make: Callable[..., Asker],
) -> None:
    """Rows are listed by created, then id: once the ids of parts were drawn by lot, and so was their order."""
    world = small_world()
    [january] = [row for row in world.usage if row["id"] == JANUARY_USAGE]
    kinds = ["PEAK", "OFF_PEAK", "PEAK", "OFF_PEAK", "OFF_PEAK", "PEAK"]
    january["timeOfUseBreakdown"] = [
        {"timeOfUse": kind, "usage": str(place), "usageUnits": "kWh"} for place, kind in enumerate(kinds)
    ]
    [bill] = [record for record in world.documents if record["id"] == JANUARY_BILL]
    bill["demandMeters"] = [{**bill["demandMeters"][0], "demandUsage": str(100 + place)} for place in range(6)]
    listed = [row for row in rows(make(world=world), "v2.1") if row["document"]["id"] == JANUARY_BILL]
    parts = [(row["timeOfUse"], row["usage"]) for row in listed if row["timeOfUse"]]
    assert parts == [(kind, str(place)) for place, kind in enumerate(kinds)]
    assert [row["usage"] for row in listed if row["electricityType"] == "DEMAND"] == [str(100 + n) for n in range(6)]

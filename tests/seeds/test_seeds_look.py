"""The demo portfolio held to its look: what an energy analyst would expect of a real one, on several seeds."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TypeAlias

import pytest

from nectar_notebooks.sandbox.model import Record, World
from nectar_notebooks.sandbox.sources.demo import defects, demo
from nectar_notebooks.schema.statuses import STATUSES
from nectar_notebooks.schema.values import COMMODITIES, DEMAND_UNITS, IDENTIFIER_TYPES, USAGE_UNITS, WATER_TYPES

TODAY = date(2026, 1, 15)
SEEDS = (0, 1, 7, "a word")
CENT = Decimal("0.01")

#: meter, commodity and water type → whole months
Months: TypeAlias = dict[tuple[str, str, str | None], dict[tuple[int, int], Decimal]]


@pytest.fixture(scope="module", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int | str:
    return request.param


@pytest.fixture(scope="module")
def world(seed: int | str) -> World:
    return demo(seed, TODAY)


@pytest.fixture(scope="module")
def planted(seed: int | str) -> dict[str, set[str]]:
    return {kind: set(ids) for kind, ids in defects(seed, TODAY).items()}


def day(text: str) -> date:
    return date.fromisoformat(text)


def counted(world: World) -> list[Record]:
    """Return the usage of bills that stand."""
    out = {bill["id"] for bill in world.documents if bill["revisedDocumentId"] or bill["isDeleted"]}
    return [row for row in world.usage if row["document"] not in out]


def by_meter(rows: list[Record]) -> dict[str, list[Record]]:
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for row in rows:
        if row["meter"] is not None:
            found[row["meter"]].append(row)
    return {meter: sorted(rows, key=lambda row: (row["startDate"], row["endDate"])) for meter, rows in found.items()}


def test_it_is_as_large_as_a_real_one(world: World) -> None:
    assert 4 <= len(world.companies) <= 5
    assert 20 <= len(world.sites) <= 25
    assert 60 <= len(world.meters) <= 80
    assert {connection["status"] for connection in world.connections} == set(STATUSES)
    kinds = {(m["datasourceType"], m["waterType"], m["districtMediumType"]) for m in world.meters}
    assert {
        ("ELECTRICITY", None, None),
        ("GAS", None, None),
        ("WATER", "POTABLE_WATER", None),
        ("WATER", "WASTEWATER", None),
        ("WATER", "IRRIGATION", None),
        ("WASTE", None, None),
        ("DISTRICT", None, "STEAM"),
        ("DISTRICT", None, "CHILLED_WATER"),
        ("FUEL", None, None),
        ("SOLAR", None, None),
    } == kinds
    assert {m["netMeteringType"] for m in world.meters} == {None, "IMPORT", "EXPORT"}
    sites_of_account: defaultdict[str, set[str]] = defaultdict(set)
    for meter in world.meters:
        if meter["account"]:
            sites_of_account[meter["account"]].add(meter["site"])
    assert sum(len(sites) > 1 for sites in sites_of_account.values()) >= 2


def test_values_are_those_of_the_api(world: World) -> None:
    for meter in world.meters:
        assert meter["datasourceType"] in COMMODITIES
        assert meter["waterType"] in (None, *WATER_TYPES)
        assert {entry["name"] for entry in meter["identifiers"]} <= set(IDENTIFIER_TYPES)
    assert {row["usageUnits"] for row in world.usage} <= set(USAGE_UNITS)
    readings = [reading for bill in world.documents for reading in bill["demandMeters"]]
    assert {reading["demandUsageUnits"] for reading in readings} <= set(DEMAND_UNITS)
    assert {reading["demandType"] for reading in readings} == {"PEAK", "CONTRACT"}


def test_names_and_ids_are_one_each(world: World) -> None:
    for kind in ("companies", "sites"):
        names = [record["name"] for record in getattr(world, kind)]
        assert len(names) == len(set(names))
    ids = [
        record["id"]
        for kind in ("companies", "sites", "connections", "accounts", "meters", "documents", "usage")
        for record in getattr(world, kind)
    ]
    assert len(ids) == len(set(ids))
    logins = [(c["company"], c["url"], c["username"]) for c in world.connections]
    assert len(logins) == len(set(logins))


def test_every_key_leads_somewhere(world: World) -> None:
    keys = {
        kind: {record["id"] for record in getattr(world, kind)}
        for kind in ("companies", "sites", "connections", "accounts", "meters", "documents", "usage")
    }
    for record in world.sites + world.connections + world.accounts + world.meters + world.documents + world.usage:
        assert record["company"] in keys["companies"]
    for meter in world.meters:
        assert meter["site"] in keys["sites"]
        assert meter["account"] in keys["accounts"] | {None}
    for account in world.accounts:
        assert account["connection"] in keys["connections"]
    usage = {row["id"]: row for row in world.usage}
    for bill in world.documents:
        assert bill["connection"] in keys["connections"] | {None}
        assert bill["revisedDocumentId"] in keys["documents"] | {None}
        for line in bill["lineItems"]:
            assert set(line["accountIds"]) <= keys["accounts"]
            assert bool(line["accountIds"]) == (bill["connection"] is not None)
        for reading in bill["demandMeters"]:
            assert {usage[id_]["document"] for id_ in reading["usageDataIds"]} == {bill["id"]}
    for row in world.usage:
        assert row["document"] in keys["documents"]
        assert row["site"] in keys["sites"] | {None}
        assert row["meter"] in keys["meters"] | {None}


def test_every_line_is_rate_times_quantity(world: World) -> None:
    rated = 0
    for bill in world.documents:
        for line in bill["lineItems"]:
            if line["rate"] is not None:
                rated += 1
                exact = Decimal(line["rate"]) * Decimal(line["quantity"])
                assert exact.quantize(CENT, ROUND_HALF_UP) == Decimal(line["totalCharge"]), (bill["id"], line)
    assert rated > 8_000


def test_every_bill_adds_up(world: World) -> None:
    for bill in world.documents:
        sums = {"CURRENT": Decimal(0), "PREVIOUS": Decimal(0)}
        for line in bill["lineItems"]:
            sums[line["billingPeriod"]] += Decimal(line["totalCharge"])
        assert sums["CURRENT"] == Decimal(bill["currentCharges"])
        assert sums["CURRENT"] + sums["PREVIOUS"] == Decimal(bill["totalCharges"])
        taxes = sum(Decimal(line["totalCharge"]) for line in bill["lineItems"] if line["chargeType"] == "TAX")
        assert taxes == Decimal(bill["taxCharges"])
        if bill["previousCloseBalance"] is not None:
            open_ = Decimal(bill["previousCloseBalance"]) - Decimal(bill["afterPreviousTotalPayment"])
            assert open_ == sums["PREVIOUS"]


def test_lines_charge_what_the_meters_say(world: World, planted: dict[str, set[str]]) -> None:
    """Supply lines in a usage unit, summed over tiers and times of use, are the bill's own usage."""
    usage: defaultdict[str, Decimal] = defaultdict(Decimal)
    excluded = planted["exclusion"]
    for row in world.usage:
        if (
            row["netMeteringType"] != "EXPORT"
            and row["waterType"] in (None, "POTABLE_WATER")
            and row["meter"] not in excluded
        ):
            usage[row["document"]] += Decimal(row["usage"])
    checked = 0
    for bill in world.documents:
        supplied = [
            Decimal(line["quantity"])
            for line in bill["lineItems"]
            if line["chargeType"] == "SUPPLY" and line["quantityUnits"]
        ]
        if supplied and not bill["isDeleted"] and bill["id"] in usage:
            assert sum(supplied) == usage[bill["id"]], bill["id"]
            checked += 1
    assert checked > 1_000


def test_time_of_use_is_a_breakdown_of_the_total(world: World) -> None:
    split = [row for row in world.usage if row["timeOfUseBreakdown"]]
    assert len(split) > 100
    for row in split:
        assert sum(Decimal(part["usage"]) for part in row["timeOfUseBreakdown"]) == Decimal(row["usage"])


def test_readings_follow_each_other(world: World, planted: dict[str, set[str]]) -> None:
    checked = 0
    for meter, rows in by_meter(counted(world)).items():
        for row in rows:
            if row["currentReading"] is not None:
                turned = Decimal(row["currentReading"]) - Decimal(row["previousReading"])
                assert turned * Decimal(row["multiplier"]) == Decimal(row["usage"])
        if meter in planted["gap"]:
            continue
        for before, after in pairwise(rows):
            if before["currentReading"] is not None:
                assert before["currentReading"] == after["previousReading"]
                checked += 1
    assert checked > 1_000


def test_periods_abut_but_where_a_defect_is_planted(world: World, planted: dict[str, set[str]]) -> None:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for meter, rows in by_meter(counted(world)).items():
        for before, after in pairwise(rows):
            step = (day(after["startDate"]) - day(before["endDate"])).days
            if before["datasourceType"] in ("WASTE", "FUEL"):
                assert before["startDate"] == before["endDate"]
                assert step > 0
            elif step > 1:
                found["gap"].add(meter)
            elif step == 0:
                found["shared_days"].add(meter)
            elif step < 0:
                found["overlap"].add(after["id"])
    assert found["gap"] == planted["gap"]
    assert found["shared_days"] == planted["shared_days"]
    assert found["overlap"] == planted["overlap"]
    for row in world.usage:
        assert day(row["startDate"]) <= day(row["endDate"])


def test_every_defect_is_planted_and_nothing_else(world: World, planted: dict[str, set[str]]) -> None:
    def bills(wanted) -> set[str]:
        return {bill["id"] for bill in world.documents if wanted(bill)}

    def charged(kind: str) -> set[str]:
        """Return the bills that have a line of a kind, an exported kilowatt-hour apart."""
        return bills(
            lambda bill: any(line["chargeType"] == kind and line["rate"] is None for line in bill["lineItems"])
        )

    assert bills(lambda bill: bill["revisedDocumentId"]) == planted["revised"]
    assert charged("LATE_FEE") == planted["late_fee"]
    assert charged("CREDIT") == planted["credit"] | planted["zero_cost"]
    assert bills(lambda b: any(i["billingPeriod"] == "PREVIOUS" for i in b["lineItems"])) == planted["previous_balance"]
    assert bills(lambda bill: Decimal(bill["currentCharges"]) <= 0) == planted["zero_cost"]
    assert bills(lambda bill: bill["isFlagged"]) == planted["flagged"]
    assert bills(lambda bill: bill["flaggedStatus"]) == planted["flagged"]
    assert bills(lambda bill: bill["isDeleted"]) == planted["deleted"]
    assert bills(lambda bill: bill["connection"] is None) == planted["uploaded"]
    assert bills(lambda bill: bill["jobId"]) == planted["uploaded"]
    currency = {company["id"]: defaultdict(set) for company in world.companies}
    for bill in world.documents:
        currency[bill["company"]][bill["chargesUnits"]].add(bill["id"])
    (mixed,) = (found for found in currency.values() if len(found) > 1)
    assert mixed["USD"] == planted["second_currency"]
    assert len(mixed["CAD"]) > len(mixed["USD"])
    assert {row["id"] for row in world.usage if row["isEstimated"]} == planted["estimated_run"]
    assert {row["id"] for row in world.usage if row["meter"] is None} == planted["account_level_usage"]
    assert {row["meter"] for row in world.usage if row["exclusion"]} == planted["exclusion"]
    for kind, wanted in (
        ("account_detected", lambda a: a["status"] == "DETECTED"),
        ("account_customer_not_tracked", lambda a: a["status"] == "CUSTOMER_NOT_TRACKED"),
        ("duplicate_account", lambda a: a["isDuplicated"] != "false"),
        ("account_disabled", lambda a: a["trackingStatus"] == "DISABLED" and a["status"] != "CUSTOMER_NOT_TRACKED"),
    ):
        assert {account["id"] for account in world.accounts if wanted(account)} == planted[kind], kind


def test_a_bill_without_usage_is_a_deleted_one(world: World) -> None:
    with_usage = {row["document"] for row in world.usage}
    assert {bill["id"] for bill in world.documents} - with_usage == {
        bill["id"] for bill in world.documents if bill["isDeleted"]
    }


def test_a_superseded_bill_was_higher_and_is_of_the_same_period(world: World, planted: dict[str, set[str]]) -> None:
    bills = {bill["id"]: bill for bill in world.documents}
    periods = {row["document"]: (row["startDate"], row["endDate"], Decimal(row["usage"])) for row in world.usage}
    for old in planted["revised"]:
        new = bills[old]["revisedDocumentId"]
        assert periods[old][:2] == periods[new][:2]
        assert periods[old][2] > periods[new][2]
        assert bills[old]["created"] < bills[new]["created"]


def monthly(world: World) -> Months:
    """Spread usage over days, both ends counted: meter, commodity, water type → whole months."""
    days: defaultdict[tuple[str, str, str | None], dict[date, Decimal]] = defaultdict(dict)
    for row in counted(world):
        if row["meter"] is None:
            continue
        start, end = day(row["startDate"]), day(row["endDate"])
        length = (end - start).days + 1
        of = days[row["meter"], row["datasourceType"], row["waterType"]]
        for n in range(length):
            on = start + timedelta(days=n)
            of[on] = of.get(on, Decimal(0)) + Decimal(row["usage"]) / length
    months: Months = {}
    for key, of in days.items():
        whole: defaultdict[tuple[int, int], list[Decimal]] = defaultdict(list)
        for on, value in of.items():
            whole[on.year, on.month].append(value)
        spot = key[1] in ("WASTE", "FUEL")
        months[key] = {month: sum(v, Decimal(0)) for month, v in whole.items() if spot or len(v) >= 28}
    return months


@pytest.fixture(scope="module")
def months(world: World) -> Months:
    return monthly(world)


def test_seasons(months: Months) -> None:
    for (_, commodity, water), of in months.items():
        january = [value for (_, month), value in of.items() if month == 1]
        july = [value for (_, month), value in of.items() if month == 7]
        if not january or not july:
            continue
        if commodity == "GAS":
            assert min(january) >= 3 * max(july)
        elif water == "IRRIGATION":
            assert min(july) > 5 * max(january)
        elif commodity == "SOLAR":
            assert min(july) > Decimal("1.5") * max(january)
    cooled = [of for (meter, commodity, _), of in months.items() if commodity == "ELECTRICITY" and rises(of)]
    assert len(cooled) >= 8


def rises(of: dict[tuple[int, int], Decimal]) -> bool:
    summer = [value for (_, month), value in of.items() if month in (7, 8)]
    winter = [value for (_, month), value in of.items() if month in (1, 2)]
    return bool(summer and winter) and min(summer) > Decimal("1.15") * max(winter)


def test_no_month_spikes_but_where_a_leak_is_planted(
    world: World, months: Months, planted: dict[str, set[str]]
) -> None:
    """No month is half above the mean of its season's earlier months, of at most two years."""
    leak = {row["meter"] for row in world.usage if row["id"] in planted["usage_spike"]}
    spiked = set()
    for (meter, _, _), of in months.items():
        for (year, month), value in of.items():
            heating = month >= 10 or month <= 3
            base = [
                other
                for (y, m), other in of.items()
                if (m >= 10 or m <= 3) == heating and 0 < (year - y) * 12 + month - m <= 24
            ]
            if len(base) >= 3 and value > Decimal("1.5") * sum(base) / len(base):
                spiked.add(meter)
    assert spiked == leak
    assert len(leak) == 1


def test_no_two_meters_share_a_series(world: World, planted: dict[str, set[str]]) -> None:
    twin = {meter["id"] for meter in world.meters if meter["account"] in planted["duplicate_account"]}
    series = [
        tuple(row["usage"] for row in rows) for meter, rows in by_meter(counted(world)).items() if meter not in twin
    ]
    assert len(series) == len(set(series))
    long = [values for values in series if len(values) > 20]
    for place, values in enumerate(long):
        assert not any(
            sum(a == b for a, b in zip(values, other, strict=False)) > 10
            for other in long[:place]
            if len(set(values)) > 12
        )


def test_meters_of_one_bill_have_a_life_of_their_own(world: World) -> None:
    bills: defaultdict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in counted(world):
        if row["meter"] and row["waterType"] in (None, "POTABLE_WATER") and row["netMeteringType"] is None:
            bills[row["document"], row["datasourceType"]].append((row["meter"], float(row["usage"])))
    ratios: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for rows in bills.values():
        for (first, one), (second, other) in pairwise(sorted(rows)):
            if first != second:
                ratios[first, second].append(one / other)
    long = [values for values in ratios.values() if len(values) > 12]
    assert len(long) >= 3
    for values in long:
        assert max(values) > 1.03 * min(values)


def test_an_account_found_twice_has_the_same_bills_again(world: World, planted: dict[str, set[str]]) -> None:
    (twin,) = (account for account in world.accounts if account["id"] in planted["duplicate_account"])
    (model,) = (
        account
        for account in world.accounts
        if account["accountNumber"] == twin["accountNumber"] and account["id"] != twin["id"]
    )

    def lines(account: Record) -> list[tuple[str, str, str]]:
        return [
            (bill["startDate"], line["description"], line["totalCharge"])
            for bill in sorted(world.documents, key=lambda bill: bill["startDate"])
            for line in bill["lineItems"]
            if line["accountIds"] == [account["id"]]
        ]

    assert lines(twin)
    assert set(lines(twin)) < set(lines(model))


def test_bills_arrive_after_their_period_and_before_today(world: World) -> None:
    created = {connection["id"]: connection["created"] for connection in world.connections}
    ends: defaultdict[str, str] = defaultdict(str)
    for row in world.usage:
        ends[row["document"]] = max(ends[row["document"]], row["endDate"])
    recent = 0
    for bill in world.documents:
        assert bill["created"] < TODAY.isoformat()
        assert bill["created"] <= bill["updated"]
        assert bill["startDate"] < bill["billDate"] < bill["dueDate"] or bill["startDate"] == bill["billDate"]
        if bill["connection"]:
            assert bill["created"] > created[bill["connection"]]
        if bill["id"] in ends:
            assert ends[bill["id"]] < bill["created"]
            assert ends[bill["id"]] <= bill["billDate"]
        recent += day(bill["created"][:10]) >= TODAY - timedelta(days=7)
    assert recent >= 5


def test_collection_stops_where_a_login_broke(world: World) -> None:
    newest: defaultdict[str, str] = defaultdict(str)
    for bill in world.documents:
        newest[bill["connection"]] = max(newest[bill["connection"]], bill["created"])
    for connection in world.connections:
        if STATUSES[connection["status"]].family != "healthy":
            assert newest[connection["id"]] < connection["statusFirstSeenTime"]
            assert connection["statusErrorDetail"]
        assert connection["created"] <= connection["statusFirstSeenTime"] <= connection["statusLastUpdateTime"]
        assert connection["statusLastUpdateTime"] < TODAY.isoformat()


def test_three_years_of_bills(world: World) -> None:
    rows = by_meter(counted(world))
    full = [
        meter
        for meter in world.meters
        if meter["datasourceType"] == "ELECTRICITY" and len(rows.get(meter["id"], ())) >= 35
    ]
    assert len(full) >= 15
    first = min(row["startDate"] for row in world.usage)
    assert TODAY - timedelta(days=38 * 31) < day(first) < TODAY - timedelta(days=35 * 30)

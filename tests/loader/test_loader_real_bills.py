"""The loader on the real bills: every fact is counted from the file where it lies, by hand, with plain csv."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from nectar_notebooks.sandbox.loader import Loaded, load

COLUMNS = Path(__file__).with_name("columns.toml")


@pytest.fixture(scope="module")
def rows(real_bills: Path) -> list[dict[str, str]]:
    with real_bills.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def loaded(real_bills: Path) -> Loaded:
    return load(real_bills)


def day(text: str) -> str:
    month, of_month, year = map(int, text.split("/"))
    return date(year, month, of_month).isoformat()


def number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def test_the_totals_that_the_readme_states(loaded: Loaded) -> None:
    world = loaded.world
    assert loaded.totals == {"USD": Decimal("756958.10")}
    assert sum(Decimal(bill["totalCharges"]) for bill in world.documents) == Decimal("756958.10")
    assert (len(world.companies), len(world.sites), len(world.accounts)) == (1, 1, 3)
    assert (len(world.documents), loaded.lines) == (235, 1310)
    assert loaded.unplaced == loaded.remarks == ()
    usage: defaultdict[tuple[str | None, ...], Decimal] = defaultdict(Decimal)
    for row in world.usage:
        usage[row["datasourceType"], row.get("waterType"), row["usageUnits"]] += Decimal(row["usage"])
    assert usage == {
        ("ELECTRICITY", None, "kWh"): 1_204_440,
        ("GAS", None, "CCF"): 199_820,
        ("WATER", "POTABLE_WATER", "gal (US)"): 2_777_653,
        ("WATER", "WASTEWATER", "gal (US)"): 2_777_653,
    }


def test_each_line_is_there_exactly_once(loaded: Loaded, rows: list[dict[str, str]]) -> None:
    """Identical lines are as many as in the file."""
    wanted = Counter(
        (r["Vendor Name"], day(r["Bill Date"]), r["Item Description"], Decimal(r["Cost"]), number(r["Usage"]))
        for r in rows
    )
    found = Counter(
        (
            bill["utilityCompany"],
            bill["billDate"],
            item["description"],
            Decimal(item["totalCharge"]),
            number(item["quantity"] or ""),
        )
        for bill in loaded.world.documents
        for item in bill["lineItems"]
    )
    assert found == wanted
    assert sum(count - 1 for count in Counter(tuple(r.values()) for r in rows).values()) == 9


def test_one_electricity_meter_though_half_of_its_lines_carry_no_number(
    loaded: Loaded, rows: list[dict[str, str]]
) -> None:
    numbers = {r["Meter Number"] for r in rows if r["Meter Number"]}
    silent = [r for r in rows if r["Units"] == "kWh" and not r["Meter Number"]]
    assert (len(numbers), len(silent)) == (1, 40)
    electric = [meter for meter in loaded.world.meters if meter["datasourceType"] == "ELECTRICITY"]
    assert [[(i["name"], i["value"]) for i in meter["identifiers"]] for meter in electric] == [[("METER", *numbers)]]
    kwh = [row for row in loaded.world.usage if row["usageUnits"] == "kWh"]
    assert len(kwh) == 78
    assert {row["meter"] for row in kwh} == {electric[0]["id"]}


def test_water_and_sewer_are_two_meters_of_one_account(loaded: Loaded) -> None:
    water = [meter for meter in loaded.world.meters if meter["datasourceType"] == "WATER"]
    assert {meter["waterType"] for meter in water} == {"POTABLE_WATER", "WASTEWATER"}
    assert len(water) == 2
    assert len({meter["account"] for meter in water}) == 1


def test_kilowatts_are_demand_and_never_usage(loaded: Loaded, rows: list[dict[str, str]]) -> None:
    read = [Decimal(r["Usage"]) for r in rows if r["Units"] == "kW"]
    readings = [reading for bill in loaded.world.documents for reading in bill["demandMeters"]]
    assert sorted(Decimal(reading["demandUsage"]) for reading in readings) == sorted(read)
    assert {row["usageUnits"] for row in loaded.world.usage} == {"kWh", "CCF", "gal (US)"}
    usage = {row["id"]: row["document"] for row in loaded.world.usage}
    for bill in loaded.world.documents:
        for reading in bill["demandMeters"]:
            assert [usage[id_] for id_ in reading["usageDataIds"]] == [bill["id"]]


def test_periods_are_those_of_the_file_with_its_gaps_and_shared_days(
    loaded: Loaded, rows: list[dict[str, str]]
) -> None:
    wanted = {(r["Service Name"], day(r["From"]), day(r["Thru"])) for r in rows}
    names = {None: {"ELECTRICITY": "Electricity", "GAS": "Natural Gas"}, "POTABLE_WATER": {}, "WASTEWATER": {}}
    names["POTABLE_WATER"]["WATER"], names["WASTEWATER"]["WATER"] = "Water", "Sewer"
    found = {
        (names[row.get("waterType")][row["datasourceType"]], row["startDate"], row["endDate"])
        for row in loaded.world.usage
    }
    assert found == wanted
    steps: list[int] = []
    for meter in loaded.world.meters:
        periods = sorted((r["startDate"], r["endDate"]) for r in loaded.world.usage if r["meter"] == meter["id"])
        steps += [
            (date.fromisoformat(later[0]) - date.fromisoformat(earlier[1])).days for earlier, later in pairwise(periods)
        ]
    assert (len(steps), steps.count(0)) == (310, 304)
    assert all(29 <= step <= 31 for step in steps if step)


def test_bills_add_up_and_name_their_dates(loaded: Loaded, rows: list[dict[str, str]]) -> None:
    dates = {(r["Vendor Name"], day(r["Bill Date"]), day(r["Due Date"])) for r in rows}
    assert {(b["utilityCompany"], b["billDate"], b["dueDate"]) for b in loaded.world.documents} == dates
    for bill in loaded.world.documents:
        assert sum(Decimal(item["totalCharge"]) for item in bill["lineItems"]) == Decimal(bill["currentCharges"])
        assert {account for item in bill["lineItems"] for account in item["accountIds"]} <= {
            account["id"] for account in loaded.world.accounts
        }


def test_the_service_address_is_no_part_of_the_account_number(loaded: Loaded, rows: list[dict[str, str]]) -> None:
    wanted = {r["Account Number"].split("(")[0].strip() for r in rows}
    assert {account["accountNumber"] for account in loaded.world.accounts} == wanted


def test_the_written_map_gives_the_same_world(loaded: Loaded, real_bills: Path) -> None:
    assert asdict(load(real_bills, COLUMNS)) == asdict(loaded)


def test_the_same_file_elsewhere_gives_the_same_ids(loaded: Loaded, real_bills: Path, tmp_path: Path) -> None:
    copy = tmp_path / "another name.csv"
    copy.write_bytes(real_bills.read_bytes())
    again = load(copy)
    assert json.dumps(asdict(again.world), default=str) == json.dumps(asdict(loaded.world), default=str)


def test_a_cut_file_loads_nothing(real_bills: Path, tmp_path: Path) -> None:
    from nectar_notebooks.errors import BillsFileError

    data = real_bills.read_bytes()
    cut = tmp_path / "cut.csv"
    cut.write_bytes(data[: data.index(b",Electricity,", len(data) // 2)])
    with pytest.raises(BillsFileError, match=r"ends in the middle of line \d+"):
        load(cut)

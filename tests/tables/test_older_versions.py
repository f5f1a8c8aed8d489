"""Usage as v2.0 and v2.1 write it gives the tables that v2.2 gives."""

import json

import pandas as pd
import pytest
from tables.wire_rows import DOCUMENT, USAGE

from nectar_notebooks.tables import build, empty

OLDER = {key: value for key, value in USAGE.items() if key != "timeOfUseBreakdown"}
PEAK = OLDER | {
    "id": "us-1",
    "usage": "50.25",
    "timeOfUse": "PEAK",
    "description": "On peak",
    "startDate": "2025-12-01",
}
OFF_PEAK = OLDER | {"id": "us-2", "usage": "100.5", "timeOfUse": "OFF_PEAK"}
DEMAND = OLDER | {
    "id": "us-3",
    "usage": "12.4",
    "usageUnits": "kW",
    "electricityType": "DEMAND",
    "timeOfUse": None,
    "description": "Peak demand",
    "demandType": "PEAK",
}


def one(frame: pd.DataFrame) -> pd.Series:
    assert len(frame) == 1
    return frame.iloc[0]


def test_rows_per_time_of_use_become_one_record_with_the_sum() -> None:
    newer = USAGE | {"timeOfUseBreakdown": [{**part, "startDate": None} for part in USAGE["timeOfUseBreakdown"]]}
    old, new = build("usage", [PEAK, OFF_PEAK]), build("usage", [newer])
    pd.testing.assert_frame_equal(old["usage"], new["usage"])
    lacking = ["start_date", "end_date"]  # the older rows have the record's own days, the newer parts may have none
    pd.testing.assert_frame_equal(old["time_of_use"].drop(columns=lacking), new["time_of_use"].drop(columns=lacking))
    pd.testing.assert_frame_equal(old["meters"], new["meters"])


def test_a_row_without_a_period_that_has_the_sum_is_the_record() -> None:
    whole = OLDER | {"id": "us-9", "timeOfUse": None}
    frames = build("usage", [PEAK, whole, OFF_PEAK])
    assert one(frames["usage"])["usage_id"] == "us-9"
    assert one(frames["usage"])["usage"] == 150.75
    assert frames["time_of_use"]["usage_id"].tolist() == ["us-9", "us-9"]


def test_a_row_without_a_period_and_another_usage_stays_beside() -> None:
    other = OLDER | {"id": "us-9", "timeOfUse": None, "usage": "7"}
    usage = build("usage", [PEAK, other, OFF_PEAK])["usage"].set_index("usage_id")["usage"]
    assert usage.to_dict() == {"us-9": 7.0, "us-1": 150.75}


def test_records_are_kept_apart_by_meter_period_unit_bill_and_direction() -> None:
    changes = [
        {"meter": "me-2"},
        {"endDate": "2025-12-30"},
        {"usageUnits": "MWh"},
        {"document": "do-2"},
        {"netMeteringType": "EXPORT"},
    ]
    for change in changes:
        rows = [PEAK, OFF_PEAK, PEAK | {"id": "us-4"} | change, OFF_PEAK | {"id": "us-5"} | change]
        frames = build("usage", rows)
        assert frames["usage"]["usage_id"].tolist() == ["us-1", "us-4"], change
        assert frames["time_of_use"]["usage_id"].tolist() == ["us-1", "us-1", "us-4", "us-4"]
        assert frames["time_of_use"]["position"].tolist() == [0, 1, 0, 1]


def test_the_sum_is_the_decimal_one_and_missing_where_a_part_is() -> None:
    rows = [PEAK | {"usage": "0.1"}, OFF_PEAK | {"usage": "0.2"}]
    assert one(build("usage", rows)["usage"])["usage"] == 0.3
    rows = [PEAK | {"usage": None}, OFF_PEAK]
    frames = build("usage", rows)
    assert pd.isna(one(frames["usage"])["usage"])
    assert len(frames["time_of_use"]) == 2


def test_what_parts_do_not_share_is_missing_of_the_record() -> None:
    rows = [
        PEAK | {"currentReading": "5", "isEstimated": True},
        OFF_PEAK | {"currentReading": "6", "isEstimated": None},
    ]
    usage = one(build("usage", rows)["usage"])
    assert pd.isna(usage["current_reading"])
    assert usage["previous_reading"] == 1000.0
    assert bool(usage["estimated"]) is True
    assert usage["updated"] == pd.Timestamp("2026-01-13T10:11:12.5Z")


def test_unknown_fields_of_parts_are_told_once_or_part_by_part() -> None:
    rows = [
        PEAK | {"apparentEnergy": "62.5", "powerFactor": "0.8"},
        OFF_PEAK | {"apparentEnergy": "125.5", "powerFactor": "0.8", "note": 0},
        PEAK | {"id": "us-4", "meter": "me-2"},
        OFF_PEAK | {"id": "us-5", "meter": "me-2"},
        PEAK | {"id": "us-6", "meter": "me-3", "powerFactor": "0.9"},
        OFF_PEAK | {"id": "us-7", "meter": "me-3", "powerFactor": "0.9"},
    ]
    first, second, third = build("usage", rows)["usage"]["extra"]
    assert json.loads(first) == {"apparentEnergy": ["62.5", "125.5"], "note": [None, 0], "powerFactor": "0.8"}
    assert pd.isna(second)
    assert json.loads(third) == {"powerFactor": "0.9"}


def test_parts_on_two_pages_are_folded() -> None:
    filler = [OLDER | {"id": f"x{n}", "meter": f"m{n}", "timeOfUse": None} for n in range(4000)]
    frames = build("usage", [PEAK, *filler, OFF_PEAK])
    assert len(frames["usage"]) == 4001
    assert len(frames["time_of_use"]) == 2


@pytest.mark.parametrize("change", [{}, {"electricityType": "USAGE"}, {"usageUnits": "kWh"}, {"usageUnits": "kVA"}])
def test_demand_leaves_usage(change: dict) -> None:
    frames = build("usage", [PEAK, OFF_PEAK, DEMAND | change])
    assert one(frames["meters"])["subtype"] == "USAGE"
    assert frames["usage"]["usage_id"].tolist() == ["us-1"]
    demand = one(frames["demand"])
    assert demand["demand_id"] == "do-1:d0"
    assert demand["bill_id"] == "do-1"
    assert demand["demand"] == 12.4
    assert demand["demand_type"] == "PEAK"
    assert demand["description"] == "Peak demand"
    assert frames["demand_usage"].to_numpy().tolist() == [["do-1:d0", "us-1"]]
    for name in ("usage", "time_of_use", "demand", "demand_usage"):
        assert frames[name].dtypes.to_dict() == empty(name).dtypes.to_dict()


def test_apparent_and_reactive_energy_stay_usage() -> None:
    rows = [OLDER | {"id": "a", "usageUnits": "kVAh"}, OLDER | {"id": "b", "usageUnits": "kVArh"}]
    assert build("usage", rows)["usage"]["usage_id"].tolist() == ["a", "b"]


def test_a_power_unit_of_another_commodity_is_no_demand() -> None:
    assert len(build("usage", [DEMAND | {"datasourceType": "GAS", "electricityType": None}])["usage"]) == 1


def test_a_document_of_an_older_version_gives_the_tables_of_the_newer() -> None:
    rows = [{key: value for key, value in row.items() if key != "document"} for row in (PEAK, DEMAND, OFF_PEAK)]
    old = build(
        "documents", [{key: value for key, value in DOCUMENT.items() if key != "demandMeters"} | {"usageData": rows}]
    )
    new = build("documents", [DOCUMENT])
    for name in (
        "bills",
        "line_items",
        "line_item_accounts",
        "demand",
        "demand_usage",
        "usage",
        "meters",
        "identifiers",
    ):
        pd.testing.assert_frame_equal(old[name], new[name])


def test_either_spelling_is_read_beside_the_other() -> None:
    frames = build("usage", [USAGE | {"id": "us-8", "meter": "me-8"}, PEAK, OFF_PEAK])
    assert frames["usage"]["usage_id"].tolist() == ["us-8", "us-1"]
    assert frames["time_of_use"]["usage_id"].tolist() == ["us-8", "us-8", "us-1", "us-1"]

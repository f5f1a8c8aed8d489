"""Rows of the API, in every spelling it is known to use, against the columns a user sees."""

import copy
import json
import math

import numpy as np
import pandas as pd
import pytest
from tables.wire_rows import COMPANY, CONNECTION, DOCUMENT, METER, USAGE

from nectar_notebooks import tables
from nectar_notebooks.errors import ContractError, InvalidRequestError
from nectar_notebooks.tables import Builder, build, empty

TEXT = pd.StringDtype(na_value=np.nan)

#: Copied by hand from the list of nouns in the design.
DESIGNED = {
    "companies": "company_id name external_id data_collection_start",
    "sites": "site_id company_id name external_id address path occupancy_percent archived_on",
    "connections": "connection_id company_id provider url status family needs_customer status_since status_checked "
    "status_error username owner_email country active created updated",
    "accounts": "account_id connection_id company_id account_number tracking status duplicate last_service_date counts "
    "counts_reason",
    "meters": "meter_id site_id account_id commodity subtype primary_identifier address tracked net_metering",
    "bills": "bill_id company_id utility bill_date start_date due_date currency total_charges current_charges status "
    "flagged superseded_by invoice_id updated counts counts_reason",
    "usage": "usage_id bill_id meter_id site_id commodity subtype start_date end_date usage unit estimated implied "
    "exclusion net_metering counts counts_reason",
    "line_items": "line_item_id bill_id description amount currency charge_type is_demand quantity quantity_unit rate "
    "counts counts_reason",
    "demand": "demand_id bill_id start_date end_date demand unit demand_type description estimated",
    "time_of_use": "usage_id period usage unit description",
}


def without(row: dict, *names: str) -> dict:
    return {name: value for name, value in row.items() if name not in names}


def one(frame: pd.DataFrame) -> pd.Series:
    assert len(frame) == 1
    return frame.iloc[0]


def same_shape(frame: pd.DataFrame, name: str) -> None:
    wanted = empty(name)
    assert list(frame.columns) == list(wanted.columns)
    assert frame.dtypes.astype(str).to_dict() == wanted.dtypes.astype(str).to_dict()
    assert isinstance(frame.index, pd.RangeIndex)


# --- columns and dtypes


@pytest.mark.parametrize("name", DESIGNED)
def test_the_designed_columns_come_in_their_order_and_dtype_when_empty(name: str) -> None:
    frame = empty(name)
    columns = list(frame.columns)
    designed = DESIGNED[name].split()
    assert [column for column in columns if column in designed] == designed
    assert len(frame) == 0
    dtypes = frame.dtypes
    assert dtypes[columns[0]] == TEXT
    for column in columns:
        if column in ("usage", "amount", "rate", "quantity", "total_charges", "occupancy_percent"):
            assert dtypes[column] == np.dtype("float64")
        if column.endswith("_date") and name != "x":
            assert dtypes[column] == np.dtype("datetime64[us]")
        if column in ("created", "updated", "status_since"):
            assert dtypes[column] == pd.DatetimeTZDtype("us", "UTC")
        if column in ("estimated", "counts", "flagged", "is_demand", "active"):
            assert dtypes[column] == pd.BooleanDtype()
    assert "period" not in columns or dtypes["position"] == pd.Int64Dtype()


@pytest.mark.parametrize("resource", tables.RESOURCES)
def test_no_rows_and_one_bare_row_give_the_same_columns(resource: str) -> None:
    for rows in ([], [{"id": "x"}]):
        frames = build(resource, rows)
        assert tuple(frames) == tables.RESOURCES[resource]
        for name, frame in frames.items():
            same_shape(frame, name)


def test_a_bare_row_invents_nothing() -> None:
    for resource in tables.RESOURCES:
        name = tables.RESOURCES[resource][0]
        row = one(build(resource, [{"id": "x"}])[name])
        assert row.notna().sum() == 1, name


def test_unknown_names() -> None:
    with pytest.raises(InvalidRequestError, match="no table"):
        empty("invoices")
    with pytest.raises(InvalidRequestError, match="no resource"):
        build("bills", [])


# --- usage


def test_usage_of_v2_2() -> None:
    frames = build("usage", [USAGE])
    usage = one(frames["usage"])
    expected = {
        "usage_id": "us-1", "bill_id": "do-1", "meter_id": "me-1", "site_id": "si-1", "commodity": "ELECTRICITY",
        "subtype": "USAGE", "start_date": pd.Timestamp("2025-12-01"), "end_date": pd.Timestamp("2025-12-31"),
        "usage": 150.75, "unit": "kWh", "estimated": False, "implied": False, "exclusion": False,
        "current_reading": 1150.75, "previous_reading": 1000.0, "multiplier": 1.0, "fraction_renewable": 0.25,
        "tariff": "GS-2", "supplier": "Harbor Supply", "utility": "Harbor Electric", "country": "US",
        "meter_tracked": True, "meter_address": "1 Harbor Road", "service_address": "1 Harbor Rd",
        "created": pd.Timestamp("2026-01-12T09:00:00Z"), "updated": pd.Timestamp("2026-01-13T10:11:12.5Z"),
    }  # fmt: skip
    assert usage.dropna().to_dict() == expected
    parts = frames["time_of_use"]
    assert parts["usage_id"].tolist() == ["us-1", "us-1"]
    assert parts["position"].tolist() == [0, 1]
    assert parts["period"].tolist() == ["PEAK", "OFF_PEAK"]
    assert parts["usage"].tolist() == [50.25, 100.5]
    assert parts["description"].tolist()[0] == "On peak"
    assert pd.isna(parts["description"][1])
    assert parts["start_date"].tolist() == [pd.NaT, pd.Timestamp("2025-12-02")]
    meter = one(frames["meters"])
    assert meter.dropna().to_dict() == {
        "meter_id": "me-1", "site_id": "si-1", "commodity": "ELECTRICITY", "subtype": "USAGE",
        "primary_identifier": "013-774-6423", "address": "1 Harbor Road", "tracked": True,
    }  # fmt: skip
    assert frames["identifiers"]["normalized"].tolist() == ["100200", "137746423"]
    assert len(frames["demand"]) == 0


def test_ids_come_as_text_or_within_objects() -> None:
    rows = [
        USAGE,
        USAGE | {"id": "us-2", "meter": {"id": "me-1", "account": {"id": "ac-9"}}, "site": "si-1", "document": "do-1"},
        USAGE | {"id": "us-3", "meter": {"id": "me-1", "account": "ac-9"}},
        USAGE | {"id": 4, "meter": 17, "site": None, "document": None},
    ]
    for selected in (rows, rows[1:3], rows[1:2], rows[2:3], rows[3:]):
        frames = build("usage", selected)
        wanted = [str(row["id"]) for row in selected]
        assert frames["usage"]["usage_id"].tolist() == wanted
        for name in ("meter_id", "site_id", "bill_id"):
            known = frames["usage"].set_index("usage_id")[name].reindex(["us-1", "us-2", "us-3"]).dropna()
            assert set(known) <= {"me-1", "si-1", "do-1"}
            assert len(known) == len(selected) - (4 in [row["id"] for row in selected])
    last = frames["usage"].iloc[-1]
    assert last["meter_id"] == "17"
    assert pd.isna(last["site_id"])
    assert pd.isna(last["bill_id"])


@pytest.mark.parametrize(
    ("wire", "expected"),
    [("150.75", 150.75), (150.75, 150.75), (150, 150.0), ("-3", -3.0), ("0", 0.0), ("0.00", 0.0), (0, 0.0),
     ("1E+3", 1000.0), (" 12 ", 12.0), (2**60 + 1, float(2**60)), ("0.1", 0.1)],
)  # fmt: skip
def test_decimals_come_as_texts_or_numbers(wire: object, expected: float) -> None:
    assert one(build("usage", [USAGE | {"usage": wire}])["usage"])["usage"] == expected


@pytest.mark.parametrize("wire", [None, "", "NaN"])
def test_a_missing_decimal_is_missing_and_never_0(wire: object) -> None:
    assert math.isnan(one(build("usage", [USAGE | {"usage": wire}])["usage"])["usage"])
    assert math.isnan(one(build("usage", [without(USAGE, "usage")])["usage"])["usage"])


def test_texts_and_numbers_mixed_over_rows_and_pieces() -> None:
    values = ["1.5", 2, 2.5, None, "3"] * 1000
    builder = Builder("usage")
    for number, value in enumerate(values):
        builder.add([{"id": f"u{number}", "usage": value}])
    got = builder.finish()["usage"]["usage"]
    assert got.tolist()[:3] == [1.5, 2.0, 2.5]
    assert got.sum() == (1.5 + 2 + 2.5 + 3) * 1000
    assert got.isna().sum() == 1000
    first = [{"id": f"a{number}", "usage": "0.1"} for number in range(2000)]
    second = [{"id": f"b{number}", "usage": 0.1} for number in range(2000)]
    assert set(build("usage", first + second)["usage"]["usage"]) == {0.1}


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("2026-01-13T10:11:12Z", "2026-01-13T10:11:12Z"),
        ("2026-01-13T10:11:12.123456Z", "2026-01-13T10:11:12.123456Z"),
        ("2026-01-13T10:11:12.123456789", "2026-01-13T10:11:12.123456Z"),
        ("2026-01-13T10:11:12", "2026-01-13T10:11:12Z"),
        ("2026-01-13T10:11:12.123456789Z", "2026-01-13T10:11:12.123456Z"),
        ("2026-01-13T10:11:12+02:00", "2026-01-13T08:11:12Z"),
        ("2026-01-13T10:11:12.1234567-05:00", "2026-01-13T15:11:12.123456Z"),
        ("2026-01-13", "2026-01-13T00:00:00Z"),
    ],
)
def test_timestamps(wire: str, expected: str) -> None:
    rows = [USAGE | {"updated": wire}, USAGE | {"id": "us-2", "updated": "2026-01-01T00:00:00.5"}]
    updated = build("usage", rows)["usage"]["updated"]
    assert updated[0] == pd.Timestamp(expected)
    assert updated[1] == pd.Timestamp("2026-01-01T00:00:00.5Z")


def test_dates_are_civil_and_a_missing_end_is_the_start() -> None:
    rows = [
        USAGE | {"startDate": "2025-12-01T23:30:00-09:00", "endDate": None},
        USAGE | {"id": "us-2", "startDate": "2025-03-30", "endDate": ""},
        USAGE | {"id": "us-3", "startDate": None, "endDate": "2025-03-31"},
    ]
    usage = build("usage", rows)["usage"]
    assert usage["start_date"].tolist() == [pd.Timestamp("2025-12-01"), pd.Timestamp("2025-03-30"), pd.NaT]
    assert usage["end_date"].tolist() == [pd.Timestamp(day) for day in ("2025-12-01", "2025-03-30", "2025-03-31")]


@pytest.mark.parametrize(
    ("wire", "expected"), [(True, True), (False, False), ("true", True), ("False", False), ("0", False), (1, True)]
)
def test_flags(wire: object, expected: bool) -> None:
    assert build("usage", [USAGE | {"isEstimated": wire}])["usage"]["estimated"].tolist() == [expected]


def test_a_missing_flag_is_missing() -> None:
    for row in (USAGE | {"isEstimated": None}, without(USAGE, "isEstimated")):
        assert one(build("usage", [row])["usage"])["estimated"] is pd.NA


def test_unknown_fields_stand_in_extra_and_unknown_values_pass() -> None:
    new = {"carbon": {"kg": 1.5, "scope": [1, 2]}, "grade": 0, "isNew": False, "nothing": None, "list": [], "text": ""}
    frames = build("usage", [USAGE, USAGE | {"id": "us-2", "datasourceType": "TELEPATHY", "waterType": "TEA"} | new])
    usage = frames["usage"]
    assert pd.isna(usage["extra"][0])
    assert json.loads(usage["extra"][1]) == {"carbon": {"kg": 1.5, "scope": [1, 2]}, "grade": 0, "isNew": False}
    assert usage["commodity"][1] == "TELEPATHY"
    assert pd.isna(usage["subtype"][1])
    assert json.loads(one(build("usage", [USAGE | {"multiplierDescription": "CT ratio"}])["usage"])["extra"]) == {
        "multiplierDescription": "CT ratio"
    }


def test_subtypes() -> None:
    rows = [
        {"id": "1", "datasourceType": "WATER", "waterType": "WASTEWATER", "electricityType": "USAGE"},
        {"id": "2", "datasourceType": "DISTRICT", "districtType": "HEATING", "districtMediumType": "HOT_WATER"},
        {"id": "3", "datasourceType": "DISTRICT", "districtType": "COOLING", "districtMediumType": None},
        {"id": "4", "datasourceType": "WASTE", "wasteType": None, "wasteStream": "Landfill"},
        {"id": "5", "datasourceType": "GAS", "gasType": ""},
        {"id": "6", "datasourceType": "MISC"},
        {"id": "7", "gasType": "NATURAL_GAS"},
    ]
    got = build("usage", rows)["usage"]["subtype"].tolist()
    assert got[:4] == ["WASTEWATER", "HEATING / HOT_WATER", "COOLING", "Landfill"]
    assert all(pd.isna(value) for value in got[4:])


def test_usage_of_the_account_has_no_meter() -> None:
    frames = build("usage", [USAGE | {"meter": None}])
    assert pd.isna(one(frames["usage"])["meter_id"])
    assert len(frames["meters"]) == len(frames["identifiers"]) == 0


def test_the_last_row_speaks_for_a_meter_and_identifiers_add_up() -> None:
    moved = USAGE | {
        "id": "us-2",
        "site": {"id": "si-2"},
        "identifiers": [{"name": "POD", "value": "P1", "rawName": None}],
    }
    frames = build("usage", [USAGE, moved, USAGE | {"id": "us-3", "meter": "me-0"}])
    assert frames["meters"]["meter_id"].tolist() == ["me-1", "me-0"]
    assert frames["meters"]["site_id"].tolist() == ["si-2", "si-1"]
    mine = frames["identifiers"][frames["identifiers"]["meter_id"] == "me-1"]
    assert mine["value"].tolist() == ["100-200", "013-774-6423", "P1"]


# --- what breaks the contract


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"usage": ["1"]}, ("usage row us-7", "usage is a list instead of a value")),
        ({"usage": {"value": 1}}, ("usage row us-7", "usage is an object")),
        ({"usage": "many"}, ("usage row us-7", "usage is 'many' instead of a finite number")),
        ({"usage": "Infinity"}, ("usage row us-7", "instead of a finite number")),
        ({"usage": "1_000"}, ("usage row us-7", "'1_000'")),
        ({"usage": True}, ("usage row us-7", "'true' instead of a finite number")),
        ({"startDate": "12/01/2025"}, ("usage row us-7", "startDate", "instead of a day")),
        ({"startDate": "2025-02-30"}, ("usage row us-7", "startDate")),
        ({"updated": "yesterday"}, ("usage row us-7", "updated", "instead of a timestamp")),
        ({"isEstimated": "perhaps"}, ("usage row us-7", "isEstimated", "instead of true or false")),
        ({"site": [{"id": "si-1"}]}, ("usage row us-7", "site is a list")),
        ({"identifiers": {"name": "METER"}}, ("usage row us-7", "identifiers is an object instead of a list")),
        ({"identifiers": ["x"]}, ("usage row us-7", "identifiers[] is a text instead of an object")),
        ({"timeOfUseBreakdown": "PEAK"}, ("usage row us-7", "timeOfUseBreakdown is a text instead of a list")),
        ({"timeOfUseBreakdown": [{"usage": "x"}]}, ("time_of_use row us-7", "usage is 'x'")),
        ({"timeOfUseBreakdown": [{"usage": []}]}, ("time_of_use row us-7", "usage is a list")),
    ],
)
def test_a_wrong_shape_names_table_field_and_row(change: dict, parts: tuple[str, ...]) -> None:
    rows = [USAGE, USAGE | {"id": "us-7"} | change, USAGE | {"id": "us-8"}]
    with pytest.raises(ContractError) as caught:
        build("usage", rows)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("resource", tables.RESOURCES)
def test_rows_that_are_none(resource: str) -> None:
    for rows in ([["id", "x"]], ["x"], [None], [{"id": "a"}, 7]):
        with pytest.raises(ContractError, match="instead of an object"):
            build(resource, rows)
    if resource != "magic_links":  # of which none has an id
        with pytest.raises(ContractError, match="has no id"):
            build(resource, [{"id": "a"}, {"name": "without"}])


def test_rows_are_not_changed() -> None:
    for resource, row in (
        ("usage", USAGE),
        ("documents", DOCUMENT),
        ("connections", CONNECTION),
        ("companies", COMPANY),
    ):
        before = copy.deepcopy(row)
        build(resource, [row])
        assert row == before


# --- documents


def test_documents() -> None:
    frames = build("documents", [DOCUMENT], company_id="other")
    bill = one(frames["bills"])
    assert bill.dropna().to_dict() == {
        "bill_id": "do-1", "company_id": "co-1", "utility": "Harbor Electric", "bill_date": pd.Timestamp("2026-01-10"),
        "due_date": pd.Timestamp("2026-02-01"), "currency": "USD", "total_charges": 61.2, "current_charges": 56.2,
        "previous_balance": 5.0, "payments": 0.0, "tax_charges": 1.2, "status": "PROCESSED", "flagged": False,
        "invoice_id": "INV-9", "source_type": "INVOICE", "file_name": "do-1.pdf",
        "url": "https://files.example/do-1.pdf", "created": pd.Timestamp("2026-01-12T09:00:00Z"),
        "updated": pd.Timestamp("2026-01-12T09:00:00.000001Z"),
    }  # fmt: skip
    items = frames["line_items"]
    assert items["line_item_id"].tolist() == ["do-1:0", "do-1:1", "do-1:2"]
    assert items["bill_id"].tolist() == ["do-1"] * 3
    assert items["amount"].tolist() == [45.0, 10.0, 1.2]
    assert items["currency"].tolist() == ["USD"] * 3
    assert items["is_demand"].tolist() == [False, True, pd.NA]
    assert items["charge_type"].fillna("-").tolist() == ["SUPPLY", "-", "TAX"]
    assert items.loc[0, ["quantity", "quantity_unit", "rate"]].tolist() == [150.75, "kWh", 0.2985]
    assert frames["line_item_accounts"].to_numpy().tolist() == [
        ["do-1:0", "ac-1"],
        ["do-1:1", "ac-1"],
        ["do-1:1", "ac-2"],
    ]
    demand = one(frames["demand"])
    assert demand.dropna().to_dict() == {
        "demand_id": "do-1:d0", "bill_id": "do-1", "start_date": pd.Timestamp("2025-12-01"),
        "end_date": pd.Timestamp("2025-12-31"), "demand": 12.4, "unit": "kW", "demand_type": "PEAK",
        "description": "Peak demand", "estimated": False,
    }  # fmt: skip
    assert frames["demand_usage"].to_numpy().tolist() == [["do-1:d0", "us-1"]]
    assert one(frames["usage"])["bill_id"] == "do-1"
    assert frames["time_of_use"]["usage"].tolist() == [50.25, 100.5]
    assert one(frames["meters"])["meter_id"] == "me-1"
    for name, frame in frames.items():
        same_shape(frame, name)


def test_usage_within_a_document_is_the_usage_of_the_list() -> None:
    within, listed = build("documents", [DOCUMENT]), build("usage", [USAGE])
    for name in ("usage", "time_of_use", "meters", "identifiers"):
        pd.testing.assert_frame_equal(within[name], listed[name])


def test_positions_start_anew_on_each_bill() -> None:
    second = DOCUMENT | {"id": "do-2", "chargesUnits": "CAD", "company": None, "lineItems": DOCUMENT["lineItems"][:2]}
    frames = build("documents", [DOCUMENT, DOCUMENT | {"id": "do-0", "lineItems": None}, second], company_id="co-9")
    assert frames["line_items"]["line_item_id"].tolist() == ["do-1:0", "do-1:1", "do-1:2", "do-2:0", "do-2:1"]
    assert frames["line_items"]["currency"].tolist() == ["USD"] * 3 + ["CAD"] * 2
    assert frames["bills"]["company_id"].tolist() == ["co-1", "co-1", "co-9"]


def test_a_line_item_that_names_its_meter() -> None:
    items = [
        {"totalCharge": "1", "meter": {"id": "me-1"}},
        {"totalCharge": "1", "meter": "me-2"},
        {"totalCharge": "1", "meterId": "me-3"},
    ]
    frames = build("documents", [DOCUMENT | {"lineItems": items}])
    assert frames["line_items"]["meter_id"].tolist() == ["me-1", "me-2", "me-3"]


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"lineItems": {"a": 1}}, ("bills row do-1", "lineItems is an object instead of a list")),
        ({"lineItems": [{"totalCharge": "ten"}]}, ("line_items row do-1:0", "totalCharge is 'ten'")),
        (
            {"lineItems": [{"totalCharge": "1"}, {"totalCharge": {}}]},
            ("line_items row do-1:1", "totalCharge is an object"),
        ),
        ({"lineItems": [{"accountIds": "ac-1"}]}, ("line_items", "accountIds is a text instead of a list")),
        ({"demandMeters": [{"demandUsage": "x"}]}, ("demand row do-1:d0", "demandUsage is 'x'")),
        ({"totalCharges": [1]}, ("bills row do-1", "totalCharges is a list")),
        ({"company": ["co-1"]}, ("bills row do-1", "company is a list")),
    ],
)
def test_a_wrong_shape_within_a_document(change: dict, parts: tuple[str, ...]) -> None:
    with pytest.raises(ContractError) as caught:
        build("documents", [DOCUMENT | change])
    for part in parts:
        assert part in str(caught.value)


# --- companies, connections, meters


def test_companies_and_their_sites() -> None:
    frames = build("companies", [COMPANY])
    company = one(frames["companies"])
    assert company.drop("extra").dropna().to_dict() == {
        "company_id": "co-1", "name": "Harbor Schools", "external_id": "HS-77",
        "data_collection_start": pd.Timestamp("2025-01-01"), "demand_enabled": True, "implied_metering_enabled": False,
        "implied_metering_fraction": 1.0,
    }  # fmt: skip
    assert json.loads(company["extra"])["users"] == ["owner@example.com"]
    sites = frames["sites"]
    assert sites["company_id"].tolist() == ["co-1", "co-1"]
    assert sites["path"][0] == "US / Alaska / Springfield"
    assert pd.isna(sites["path"][1])
    assert pd.isna(sites["address"][1])
    assert sites["occupancy_percent"].tolist() == [60.0, 40.0]
    assert sites["archived_on"].tolist() == [pd.NaT, pd.Timestamp("2025-06-30")]


def test_sites_that_are_only_ids_are_left_to_the_details() -> None:
    frames = build("companies", [COMPANY | {"sites": ["si-1", "si-2"]}])
    assert len(frames["sites"]) == 0
    listed = build("sites", COMPANY["sites"], company_id="co-1")["sites"]
    pd.testing.assert_frame_equal(listed, build("companies", [COMPANY])["sites"])


def test_connections_and_accounts() -> None:
    frames = build(
        "connections",
        [CONNECTION, CONNECTION | {"id": "cn-2", "accounts": [], "company": None, "status": None}],
        company_id="co-7",
    )
    first, second = frames["connections"].iloc[0], frames["connections"].iloc[1]
    assert first["provider"] == "Harbor Electric"
    assert first["url"] == "https://login.harbor-electric.example"
    assert (first["family"], bool(first["needs_customer"])) == ("customer", True)
    assert first["created"] == pd.Timestamp("2025-01-05T10:00:00.123456Z")
    assert pd.isna(first["status_error"])
    assert "do-not-keep-me" not in frames["connections"].to_csv()
    assert second["company_id"] == "co-7"
    assert second["needs_customer"] is pd.NA
    assert pd.isna(second["family"])
    accounts = frames["accounts"]
    assert accounts["connection_id"].tolist() == ["cn-1", "cn-1"]
    assert accounts["account_number"].tolist() == ["100-200", "300400"]
    assert accounts["tracking"].tolist() == ["ENABLED", "DISABLED"]
    assert accounts["duplicate"].tolist() == [pd.NA, True]
    assert accounts["commodities"][0] == "ELECTRICITY / GAS"
    assert frames["account_meters"].to_numpy().tolist() == [["ac-1", "me-1"], ["ac-1", "me-2"]]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"isTracked": True}, None),
        ({"isTracked": False}, "DISABLED"),
        ({"trackingStatus": "UNSET", "isTracked": True}, "UNSET"),
    ],
)
def test_the_older_flag_tells_only_what_is_not_tracked(row: dict, expected: str | None) -> None:
    tracking = one(build("accounts", [{"id": "a", **row}])["accounts"])["tracking"]
    assert pd.isna(tracking) if expected is None else tracking == expected


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ("", None), (None, None), ("false", False), ("False", False), ("0", False), ("true", True), ("ac-7", True),
        ("yes", True), (True, True), (False, False),
    ],
)  # fmt: skip
def test_duplicates_are_told_by_any_text_but_three(wire: object, expected: bool | None) -> None:
    value = one(build("accounts", [{"id": "a", "isDuplicated": wire}])["accounts"])["duplicate"]
    assert value is pd.NA if expected is None else bool(value) is expected


def test_meters() -> None:
    frames = build(
        "meters", [METER, METER | {"id": "me-2", "site": {"id": "si-9"}, "account": None, "identifiers": []}]
    )
    first, second = frames["meters"].iloc[0], frames["meters"].iloc[1]
    assert first.dropna().to_dict() == {
        "meter_id": "me-1", "site_id": "si-1", "account_id": "ac-1", "commodity": "WATER", "subtype": "WASTEWATER",
        "primary_identifier": "00 POD/77,x",
    }  # fmt: skip
    assert second["site_id"] == "si-9"
    assert pd.isna(second["primary_identifier"])
    assert frames["identifiers"]["normalized"].tolist() == ["100200", "POD77X", "Z"]


def test_meters_of_several_sources_are_put_together() -> None:
    of_usage = build("usage", [USAGE])
    of_list = build("meters", [{"id": "me-1", "site": "si-5", "identifiers": [{"name": "POD", "value": "P"}]}])
    relation = build("connections", [CONNECTION])["account_meters"]
    meters, identifiers = tables.combine_meters(
        [(of_list["meters"], of_list["identifiers"]), (of_usage["meters"], of_usage["identifiers"])], relation
    )
    same_shape(meters, "meters")
    assert meters["meter_id"].tolist() == ["me-1", "me-2"]
    assert meters["account_id"].tolist() == ["ac-1", "ac-1"]
    assert meters.loc[0, ["site_id", "commodity", "primary_identifier"]].tolist() == [
        "si-5",
        "ELECTRICITY",
        "013-774-6423",
    ]
    assert identifiers["type"].tolist() == ["POD", "ACCOUNT", "METER"]
    nothing, none = tables.combine_meters([], empty("account_meters"))
    same_shape(nothing, "meters")
    same_shape(none, "identifiers")


# --- pieces


def test_pieces_give_what_the_whole_gives() -> None:
    rows = [
        DOCUMENT | {"id": f"do-{n}", "usageData": [USAGE | {"id": f"us-{n}", "meter": f"me-{n % 7}", "document": None}]}
        for n in range(4501)
    ]
    whole = build("documents", rows)
    builder = Builder("documents")
    for start in range(0, len(rows), 100):
        builder.add(rows[start : start + 100])
    for name, frame in builder.finish().items():
        pd.testing.assert_frame_equal(frame, whole[name])
    assert whole["usage"]["bill_id"].tolist() == [f"do-{n}" for n in range(4501)]
    assert len(whole["line_items"]) == 3 * 4501

"""What each reading path answers, field by field against the documentation's field lists."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_asker import Asker
from small_world import (
    ACME,
    ANNEX,
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
    WATER_LOGIN,
    WATER_METER,
    WATER_USAGE,
)

# The field lists of the documentation, spelled out here a second time on purpose.
COMPANY = """id name externalId sites users dataCollectionStartDate isDemandEnabled isImpliedMeteringEnabled
    impliedMeteringFraction isBasicIdentifierMappingEnabled isLowAccuracyModeEnabled"""
SITE = "id name externalId address path occupancyPercent dataCollectionStopDate"
CONNECTION = """id created updated externalId company datasource url status statusFirstSeenTime
    statusLastUpdateTime statusErrorDetail accounts country initialSites initialDatasourceTypes username
    workflowOwnerEmail dataCollectionStartDate multiplyByOccupancy isActive publicCompanyId
    connectionMagicLinkSecret"""
ACCOUNT = """id accountNumber meters trackingStatus isTracked isDuplicated dataCollectionStartDate
    isCollectingInvoiceData isCollectingSmartMeterData datasourceTypes lastServiceDate status"""
METER = """id site account identifiers datasourceType address isTracked timeOfUse electricityType netMeteringType
    waterType meterHighLow gasType fuelType districtType districtMediumType wasteDescription wasteType wasteStream
    refrigerantType"""
BRIEF = """id created updated company url auditTrailUrl fileName email jobId notes sourceType invoiceId
    utilityCompany billDate startDate dueDate chargesUnits totalCharges currentCharges previousCloseBalance
    afterPreviousTotalPayment afterPreviousCharges afterPreviousCredits currentOpenBalance credits taxCharges
    interestCharges status isFlagged flaggedStatus revisedDocumentId"""
USAGE = """id created updated startDate endDate usage usageUnits meter meterAddress serviceAddress meterIsTracked
    site identifiers datasourceType isEstimated isImplied exclusion currentReading previousReading multiplier
    multiplierDescription multiplier2 multiplier2Description fractionRenewable netMeteringGeneratedKwh
    netMeteringGridImportKwh netMeteringGridExportKwh tariff billedDemand supplierName utilityName country
    timeOfUseBreakdown electricityType netMeteringType waterType meterHighLow gasType fuelType districtType
    districtMediumType wasteDescription wasteType wasteStream refrigerantType additionalFields"""


def names(text: str, *more: str) -> set[str]:
    return {*text.split(), *more}


def test_ping_says_the_version(ask: Asker) -> None:
    assert ask("/ping") == (200, {"status": "ok", "version": "v2.2"})


def test_companies_are_a_bare_array(ask: Asker) -> None:
    status, companies = ask("/company")
    assert status == 200
    assert [company["name"] for company in companies] == ["Acme", "Beta"]
    assert set(companies[0]) == names(COMPANY)
    assert companies[0]["impliedMeteringFraction"] == "1.0"


def test_company_details_bring_the_sites(ask: Asker) -> None:
    status, company = ask(f"/company/{ACME}")
    assert status == 200
    assert [site["name"] for site in company["sites"]] == ["Main", "Annex"]
    main = company["sites"][0]
    assert set(main) == names(SITE)
    assert main["path"] == ["US", "Ohio"]
    assert main["occupancyPercent"] == "60"
    assert company["users"] == ["ada@acme.example"]


def test_a_site_and_the_list_of_sites(ask: Asker) -> None:
    assert ask(f"/site/{ANNEX}")[1]["dataCollectionStopDate"] == "2025-06-30"
    status, listed = ask(f"/site/company/{ACME}")
    assert status == 200
    assert listed == {
        "totalSites": 2, "perPage": 100, "totalPages": 1, "currentPage": 1, "hasNext": False, "hasPrevious": False,
        "sites": [ask(f"/site/{MAIN_SITE}")[1], ask(f"/site/{ANNEX}")[1]],
    }  # fmt: skip


def test_connections_come_by_creation_with_their_accounts_and_no_password(ask: Asker) -> None:
    status, listed = ask(f"/connection/company/{ACME}")
    assert status == 200
    assert listed["totalConnections"] == 2
    assert [row["id"] for row in listed["connections"]] == [WATER_LOGIN, POWER_LOGIN]
    water, power = listed["connections"]
    assert set(power) == names(CONNECTION)
    assert power["company"] == {"id": ACME, "name": "Acme", "externalId": "A-1"}
    assert power["datasource"] == {"name": "Ohio Power", "url": "https://power.example"}
    assert set(power["accounts"][0]) == names(ACCOUNT)
    assert power["accounts"][0]["meters"] == [POWER_METER]
    assert water["accounts"][0]["isTracked"] is False
    assert "not to be seen" not in str(listed)
    assert ask(f"/connection/{POWER_LOGIN}/details") == (200, power)


def test_accounts(ask: Asker) -> None:
    status, listed = ask(f"/account/company/{ACME}")
    assert status == 200
    assert listed["totalAccounts"] == 2
    account = ask(f"/account/{POWER_ACCOUNT}")[1]
    assert account == listed["accounts"][0]
    assert account["accountNumber"] == "P 100"
    assert account["isTracked"] is True
    assert account["isDuplicated"] == "false"


def test_meters_of_a_company_of_a_site_and_one(ask: Asker) -> None:
    assert [row["id"] for row in ask(f"/meter/company/{ACME}")[1]["meters"]] == [POWER_METER, WATER_METER, SEWER_METER]
    status, listed = ask(f"/meter/site/{MAIN_SITE}")
    assert (status, listed["totalMeters"]) == (200, 1)
    meter = ask(f"/meter/{POWER_METER}")[1]
    assert meter == listed["meters"][0]
    assert set(meter) == names(METER)
    assert (meter["site"], meter["account"]) == (MAIN_SITE, POWER_ACCOUNT)
    assert meter["identifiers"] == [{"name": "METER", "value": "013-774-6423", "rawName": "Meter no."}]


def test_a_bill_with_its_lines_demand_and_usage(ask: Asker) -> None:
    status, bill = ask(f"/document/{JANUARY_BILL}")
    assert status == 200
    assert set(bill) == names(BRIEF, "lineItems", "demandMeters", "usageData")
    assert bill["company"] == ACME
    assert bill["totalCharges"] == "30.50"
    assert [line["totalCharge"] for line in bill["lineItems"]] == ["20.50", "10.00"]
    assert bill["demandMeters"][0]["usageDataIds"] == [JANUARY_USAGE]
    [usage] = bill["usageData"]
    assert set(usage) == names(USAGE)
    assert usage["site"]["id"] == MAIN_SITE


def test_a_bill_without_usage_has_an_empty_list(ask: Asker) -> None:
    assert ask(f"/document/{UPLOADED_BILL}")[1]["usageData"] == []


def test_bills_of_a_company_a_site_and_a_connection(ask: Asker) -> None:
    def ids(path: str) -> list[str]:
        status, listed = ask(path)
        assert status == 200
        assert listed["totalDocuments"] == len(listed["documents"])
        return [row["id"] for row in listed["documents"]]

    assert ids(f"/document/company/{ACME}") == [JANUARY_BILL, WATER_BILL, FEBRUARY_BILL, UPLOADED_BILL]
    assert ids(f"/document/site/{ANNEX}") == [WATER_BILL]
    assert ids(f"/document/connection/{POWER_LOGIN}") == [JANUARY_BILL, FEBRUARY_BILL]
    assert ask(f"/document/company/{ACME}")[1]["documents"][0] == ask(f"/document/{JANUARY_BILL}")[1]


def test_a_usage_record_with_its_bill(ask: Asker) -> None:
    status, usage = ask(f"/usage/{JANUARY_USAGE}")
    assert status == 200
    assert set(usage) == names(USAGE, "document")
    assert set(usage["document"]) == names(BRIEF)
    assert usage["document"]["id"] == JANUARY_BILL
    assert usage["meter"] == POWER_METER
    assert usage["usage"] == "150.75"
    assert [(part["timeOfUse"], part["usage"]) for part in usage["timeOfUseBreakdown"]] == [
        ("PEAK", "50.25"),
        ("OFF_PEAK", "100.5"),
    ]
    assert "timeOfUse" not in usage


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/usage/site/{ANNEX}", [WATER_USAGE, SEWER_USAGE]),
        (f"/usage/connection/{WATER_LOGIN}", [WATER_USAGE, SEWER_USAGE]),
        (f"/usage/document/{WATER_BILL}", [WATER_USAGE, SEWER_USAGE]),
        (f"/usage/document/{JANUARY_BILL}", [JANUARY_USAGE]),
    ],
)
def test_usage_by_scope(ask: Asker, path: str, expected: list[str]) -> None:
    status, listed = ask(path)
    assert status == 200
    assert [row["id"] for row in listed["usageData"]] == expected
    assert listed["totalUsageData"] == len(expected)


@pytest.mark.parametrize("noun", ["site", "connection", "account", "meter", "document", "usage"])
def test_the_nested_spelling_is_an_alias(ask: Asker, noun: str) -> None:
    assert ask(f"/company/{ACME}/{noun}") == ask(f"/{noun}/company/{ACME}")


def test_the_list_of_a_site_without_bills_is_empty(ask: Asker) -> None:
    status, listed = ask(f"/usage/document/{UPLOADED_BILL}")
    assert status == 200
    assert listed == {
        "totalUsageData": 0, "perPage": 100, "totalPages": 1, "currentPage": 1, "hasNext": False,
        "hasPrevious": False, "usageData": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/company/{}", "/site/{}", "/site/company/{}", "/connection/company/{}", "/connection/{}/details",
        "/account/{}", "/meter/{}", "/meter/site/{}", "/document/{}", "/document/company/{}", "/document/site/{}",
        "/document/connection/{}", "/usage/{}", "/usage/company/{}", "/usage/site/{}", "/usage/document/{}",
    ],
)  # fmt: skip
def test_an_id_that_fits_nothing_is_a_404_with_detail(ask: Asker, path: str) -> None:
    for nothing in (NOBODY, "no-uuid", FEBRUARY_BILL.upper()):
        status, body = ask(path.format(nothing))
        assert status == 404
        assert isinstance(body["detail"], str)
        assert body["detail"]


def test_a_path_and_a_method_that_are_not_there(ask: Asker) -> None:
    status, body = ask("/nothing/here")
    assert (status, list(body)) == (404, ["detail"])
    assert ask("/ping", version="v9")[0] == 404
    status, body = ask("/ping", method="DELETE")
    assert (status, list(body)) == (405, ["detail"])


def test_bills_and_usage_say_the_same(ask: Asker) -> None:
    bills: list[dict[str, Any]] = ask(f"/document/company/{ACME}")[1]["documents"]
    usage = {row["id"]: row for row in ask(f"/usage/company/{ACME}")[1]["usageData"]}
    inside = {row["id"]: row | {"document": None} for bill in bills for row in bill["usageData"]}
    assert inside == {id_: row | {"document": None} for id_, row in usage.items()}

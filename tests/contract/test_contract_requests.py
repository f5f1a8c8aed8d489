"""Requests that do not fit are named by field, in words; those that fit pass; reading costs nothing."""

import json
import subprocess
import sys

import pytest

from nectar_notebooks.sandbox.contract import MOUNTS, check_request, document, read_form

SITES = "/site/company/{company_id}"
BILLS = "/document/company/{company_id}"


def post(path, body, version="v2.2"):
    return check_request(version, "POST", path, None, body)


def get(path, **query):
    return check_request(
        "v2.2", "GET", path, {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    )


FITTING = [
    ("POST", "/company", {"name": "City"}),
    ("POST", "/company", {"name": "C" * 200, "users": ["ann@example.com"], "impliedMeteringFraction": "0.85"}),
    ("POST", "/company", {"name": "City", "impliedMeteringFraction": 1, "externalId": None, "unknown": 1}),
    ("PATCH", "/company/{company_id}", {}),
    ("PATCH", "/company/{company_id}", {"users": []}),
    ("POST", SITES, {"name": "S" * 255, "address": "A" * 255, "path": ["x" * 100] * 10, "occupancyPercent": "100.00"}),
    ("PATCH", "/site/{site_id}", {"occupancyPercent": None}),
    (
        "POST",
        "/connection/company/{company_id}",
        {"url": "https://nectarclimate.com", "username": "u", "password": "p", "sites": ["1"], "country": "us"},
    ),
    ("PATCH", "/connection/{connection_id}", {"password": "p"}),
    ("PATCH", "/account/{account_id}", {"isTracked": True, "updateMeters": False}),
    ("PATCH", "/account/company/{company_id}", {"accountIds": ["1", "2"], "isTracked": False}),
    ("PATCH", "/usage/{usage_data_id}", {"usageUnits": "gal (US)", "tariff": None, "endDate": "2024-02-29"}),
    ("POST", "/invitation/company/{company_id}", None),
    ("POST", "/invitation/company/{company_id}", {"prefill": {"initialSites": ["1"], "country": "US"}, "maxUses": 1}),
    ("POST", "/invitation/connection/{connection_id}", {"expiresInSeconds": 60, "allowedEmails": []}),
    ("POST", "/connection/company/{company_id}/link", {"sites": ["1"], "prefill": {}}),
    ("POST", "/connection/{connection_id}", {"anything": 1}),
    ("POST", "/job/company/{company_id}/bulk", {"documents": ["https://example.com/a.pdf"], "siteId": None}),
    ("POST", "/job/company/{company_id}", {"document": "bill.pdf", "siteId": "1"}),
    ("PATCH", "/team", {"users": ["ann@example.com"]}),
]


@pytest.mark.parametrize("version", MOUNTS)
@pytest.mark.parametrize(("method", "path", "body"), FITTING)
def test_a_body_that_fits_passes(version, method, path, body):
    assert check_request(version, method, path, None, body) == {}


BROKEN = [
    ("POST", "/company", None, {"name": "is required."}),
    ("POST", "/company", {}, {"name": "is required."}),
    ("PATCH", "/team", None, {"body": "is required."}),
    ("PATCH", "/account/{account_id}", None, {"isTracked": "is required."}),
    ("POST", "/company", [], {"body": "must be an object."}),
    ("POST", "/company", "x", {"body": "must be an object."}),
    ("POST", "/company", {"name": ""}, {"name": "may not be empty."}),
    ("POST", "/company", {"name": None}, {"name": "must be a text."}),
    ("POST", "/company", {"name": "C" * 201}, {"name": "may have at most 200 characters."}),
    ("POST", "/company", {"name": "C", "users": ["ann"]}, {"users.0": "must be an e-mail address."}),
    ("POST", "/company", {"name": "C", "users": "ann@example.com"}, {"users": "must be a list."}),
    ("POST", "/company", {"name": "C", "isDemandEnabled": "yes"}, {"isDemandEnabled": "must be true or false."}),
    *(
        (
            "POST",
            "/company",
            {"name": "C", "impliedMeteringFraction": value},
            {"impliedMeteringFraction": "must be a decimal from 0 to 1."},
        )
        for value in ("1.01", 1.01, "-0.1", "x", "", [], True)
    ),
    (
        "POST",
        "/company",
        {"name": "C", "dataCollectionStartDate": "2025-02-30"},
        {"dataCollectionStartDate": "must be a date, YYYY-MM-DD."},
    ),
    (
        "POST",
        "/company",
        {"name": "C", "dataCollectionStartDate": "0000-01-01"},
        {"dataCollectionStartDate": "must be a date, YYYY-MM-DD."},
    ),
    ("POST", SITES, {"name": "S", "path": ["x"] * 11}, {"path": "may have at most 10 entries."}),
    ("POST", SITES, {"name": "S", "path": ["x" * 101]}, {"path.0": "may have at most 100 characters."}),
    ("POST", SITES, {"name": "S", "address": "A" * 256}, {"address": "may have at most 255 characters."}),
    (
        "PATCH",
        "/site/{site_id}",
        {"occupancyPercent": "100.1"},
        {"occupancyPercent": "must be a decimal from 0 to 100."},
    ),
    ("PATCH", "/site/{site_id}", {"name": 5}, {"name": "must be a text."}),
    ("PATCH", "/site/{site_id}", {"externalId": 5}, {"externalId": "must be a text or null."}),
    (
        "POST",
        "/connection/company/{company_id}",
        {"url": "ftp://x", "username": "u", "password": "", "sites": [1], "country": "USA"},
        {
            "url": "must be a web address.",
            "password": "may not be empty.",
            "sites.0": "must be a text.",
            "country": "must be a country code of two letters.",
        },
    ),
    (
        "POST",
        "/connection/company/{company_id}",
        {
            "url": "https://x.com",
            "username": "u",
            "password": "p",
            "sites": [],
            "country": "US",
            "securityQuestions": [{}],
        },
        {"securityQuestions.0.key": "is required.", "securityQuestions.0.value": "is required."},
    ),
    ("PATCH", "/account/{account_id}", {}, {"isTracked": "is required."}),
    (
        "PATCH",
        "/account/{account_id}",
        {"isTracked": True, "accountNumber": "1"},
        {"accountNumber": "is not a field that can be set."},
    ),
    ("PATCH", "/account/company/{company_id}", {"isTracked": True}, {"accountIds": "is required."}),
    (
        "PATCH",
        "/usage/{usage_data_id}",
        {"usageUnits": "stones"},
        {"usageUnits": "must be one of 68 values, such as J."},
    ),
    (
        "POST",
        "/invitation/company/{company_id}",
        {"expiresInSeconds": 59, "maxUses": 0, "sendEmail": 1},
        {
            "expiresInSeconds": "must be at least 60.",
            "maxUses": "must be at least 1.",
            "sendEmail": "must be true or false.",
        },
    ),
    (
        "POST",
        "/invitation/company/{company_id}",
        {"prefill": {"url": "nowhere", "initialSites": [1]}},
        {"prefill.url": "must be a web address.", "prefill.initialSites.0": "must be a text."},
    ),
    ("POST", "/invitation/company/{company_id}", {"prefill": 3}, {"prefill": "must be an object or null."}),
    (
        "POST",
        "/job/company/{company_id}/bulk",
        {"documents": ["http://example.com/a.pdf"]},
        {"documents.0": "must be an https address."},
    ),
    ("POST", "/job/company/{company_id}", {"siteId": "1"}, {"document": "is required."}),
]


@pytest.mark.parametrize("version", MOUNTS)
@pytest.mark.parametrize(("method", "path", "body", "problems"), BROKEN)
def test_what_is_wrong_is_said_by_field(version, method, path, body, problems):
    assert check_request(version, method, path, None, body) == problems


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf")])
def test_what_json_cannot_carry_is_refused_not_stored(value):
    assert post(SITES, {"name": "S", "occupancyPercent": value}).keys() == {"body"}


def test_a_secret_is_never_repeated():
    secret = ["hunter2"]
    problems = post("/connection/company/{company_id}", {"password": secret, "username": {"hunter2": 1}})

    assert "hunter2" not in json.dumps(problems)


QUERIES = [
    ({"startDate": "2025-01-01", "endDate": "2025-12-31", "dateType": "UPDATED_DATE"}, {}),
    ({"page": "x"}, {}),
    ({"page": "-1", "isDeleted": "true"}, {}),
    ({"datasourceType": ["GAS", "SEWER"], "identifier": ""}, {}),
    ({"datasourceTypes": ["GAS"], "unknown": "1"}, {}),
    ({"startDate": "2025-13-01"}, {"startDate": "must be a date, YYYY-MM-DD."}),
    ({"endDate": "01.02.2025"}, {"endDate": "must be a date, YYYY-MM-DD."}),
    ({"endDate": ""}, {"endDate": "must be a date, YYYY-MM-DD."}),
    ({"isDeleted": "perhaps"}, {"isDeleted": "must be true or false."}),
    (
        {"dateType": "bill_date"},
        {"dateType": "must be one of BILL_DATE, USAGE_PERIOD, CREATED_DATE, UPDATED_DATE."},
    ),
]


@pytest.mark.parametrize(("query", "problems"), QUERIES)
def test_filters_of_bills(query, problems):
    assert get(BILLS, **query) == problems
    assert get("/company/{company_id}/document", **query) == problems


def test_a_foreign_commodity_is_named_with_what_there_is():
    (field, message), *rest = get(BILLS, datasourceType=["GAS", "MILK"]).items()

    assert field == "datasourceType"
    assert message.startswith("must be one of ELECTRICITY, GAS")
    assert rest == []


@pytest.mark.parametrize(("limit", "fits"), [("1", True), ("500", True), ("0", False), ("501", False), ("x", False)])
def test_the_page_size_of_connections(limit, fits):
    assert (get("/connection/company/{company_id}", limit=limit) == {}) is fits


@pytest.mark.parametrize(
    ("moment", "fits"),
    [
        ("2025-01-01T00:00:00Z", True),
        ("2025-01-01T00:00:00.5+02:00", True),
        ("2025-01-01", True),
        ("2025-01-01T25:00:00Z", False),
        ("yesterday", False),
    ],
)
def test_the_moments_of_intervals(moment, fits):
    problems = get("/interval/connection/{connection_id}", startDate=moment)

    assert (problems == {}) is fits
    assert fits or "2025-01-31T09:30:00Z" in problems["startDate"]


def test_an_endpoint_that_is_none_is_a_mistake_of_the_caller():
    with pytest.raises(KeyError):
        check_request("v2.2", "PUT", "/company", None, {})


# --- forms -------------------------------------------------------------------------------------------


def test_a_form_reads_as_json_would():
    form = {
        "name": ["City"],
        "users": ["ann@example.com", "bob@example.com"],
        "isDemandEnabled": ["True"],
        "isLowAccuracyModeEnabled": ["false"],
        "impliedMeteringFraction": ["0.50"],
        "dataCollectionStartDate": ["2025-01-01"],
        "unknown": ["x"],
    }

    assert read_form("POST", "/company", form) == {
        "name": "City",
        "users": ["ann@example.com", "bob@example.com"],
        "isDemandEnabled": True,
        "isLowAccuracyModeEnabled": False,
        "impliedMeteringFraction": "0.50",
        "dataCollectionStartDate": "2025-01-01",
        "unknown": "x",
    }


def test_a_form_value_that_does_not_read_is_named():
    body = read_form("POST", "/company", {"name": ["City"], "isDemandEnabled": ["perhaps"]})

    assert post("/company", body) == {"isDemandEnabled": "must be true or false."}


def test_a_form_says_no_null():
    body = read_form("PATCH", "/site/{site_id}", {"occupancyPercent": [""], "externalId": [""]})

    assert body == {"occupancyPercent": "", "externalId": ""}
    assert check_request("v2.2", "PATCH", "/site/{site_id}", None, body) == {
        "occupancyPercent": "must be a decimal from 0 to 100."
    }
    assert check_request("v2.2", "PATCH", "/site/{site_id}", None, {"occupancyPercent": None}) == {}


def test_json_in_a_form_is_told_apart_from_a_text():
    body = read_form("PATCH", "/site/{site_id}", {"path": ['["North", "Yard"]']})

    assert check_request("v2.2", "PATCH", "/site/{site_id}", None, body) == {"path.0": "must be a text, not JSON."}
    assert check_request("v2.2", "PATCH", "/site/{site_id}", None, {"path": ["[North]"]}) == {}


@pytest.mark.parametrize("text", ["", "[old] Library", "Library {1}", "a]"])
def test_brackets_in_a_text_are_fine(text):
    body = read_form("PATCH", "/site/{site_id}", {"address": [text], "path": [text]})

    assert check_request("v2.2", "PATCH", "/site/{site_id}", None, body) == {}


def test_digits_are_no_truth_values():
    body = read_form("PATCH", "/account/{account_id}", {"isTracked": ["1"]})

    assert check_request("v2.2", "PATCH", "/account/{account_id}", None, body) == {
        "isTracked": "must be true or false."
    }
    assert get(BILLS, isDeleted="1") == {"isDeleted": "must be true or false."}


# --- what it costs -----------------------------------------------------------------------------------


def loaded_after(statement):
    code = f"import sys, nectar_notebooks.sandbox.contract as c; {statement}; print([m for m in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_reading_without_filters_loads_neither_the_validators_nor_the_document():
    loaded = loaded_after("c.check_request('v2.2', 'GET', '/usage/company/{company_id}', {'page': ['2']})")

    assert "jsonschema_rs" not in loaded
    assert "contract.openapi" not in loaded


def test_a_write_does_load_the_validators():
    assert "jsonschema_rs" in loaded_after("c.check_request('v2.2', 'POST', '/company', None, {})")


def test_a_body_is_checked_in_a_fraction_of_a_request():
    import timeit

    body = {"name": "Yard", "address": "1 Main Street", "path": ["North"], "occupancyPercent": "50.5"}
    post(SITES, body)

    assert min(timeit.repeat(lambda: post(SITES, body), number=200, repeat=5)) / 200 < 200e-6


def test_the_contract_names_the_reasons_for_refusing_what_fits():
    operation = document("v2.2")["paths"]["/connection/company/{company_id}"]["post"]

    assert "the same provider and user name twice in a company" in operation["x-nectar-refuses"]

"""Answers written by hand fit the contracts, and broken ones do not, as openapi-core and our helper see it."""

import json

import pytest
from contract.answers import Contract, MismatchError
from contract.examples import BILL, DEMAND, DOCUMENT, FULL, LEAST, LINE_ITEM, USAGE, page, without
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from nectar_notebooks.sandbox import contract

VERSIONS = ["v2.2", "v2.1", "v2.0"]
OLDER_USAGE = without(USAGE, "timeOfUseBreakdown") | {"timeOfUse": "PEAK"}
POWER = {
    "apparentEnergy": "160.5",
    "apparentEnergyUnits": "kVAh",
    "reactiveEnergy": 12.5,
    "reactiveEnergyUnits": "kVArh",
    "powerFactor": "0.94",
}
OLDER_DOCUMENT = without(DOCUMENT, "demandMeters") | {"usageData": [OLDER_USAGE]}
OLDER = {
    ("get", "/document/company/{company_id}", 200): page("documents", OLDER_DOCUMENT),
    ("get", "/usage/company/{company_id}", 200): page("usageData", OLDER_USAGE | {"document": BILL}),
}
EXAMPLES = {
    "v2.2": {**FULL},
    "v2.1": FULL
    | OLDER
    | {
        ("get", "/ping", 200): {"status": "ok", "version": "v2.1"},
        ("get", "/document/{document_id}", 200): OLDER_DOCUMENT,
        ("get", "/usage/{usage_data_id}", 200): OLDER_USAGE
        | POWER
        | {"electricityType": "DEMAND", "usageUnits": "kVA", "document": BILL},
    },
    "v2.0": FULL
    | OLDER
    | {
        ("get", "/document/{document_id}", 200): OLDER_DOCUMENT,
        ("get", "/usage/{usage_data_id}", 200): OLDER_USAGE | {"document": BILL},
    },
}
LEAST_OLDER = LEAST | {
    ("get", "/document/{document_id}", 200): without(LEAST["get", "/document/{document_id}", 200], "demandMeters")
}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def openapi(version):
    return OpenAPI.from_dict(json.loads(json.dumps(contract.document(version))))


@pytest.fixture(scope="module")
def closed(version):
    return Contract(version)


def filled(path):
    return path.replace("{", "").replace("}", "")


def validate(openapi, version, method, path, status, body):
    request = MockRequest(
        "https://external.nectarclimate.com",
        method,
        contract.MOUNTS[version] + filled(path),
        headers={"X-API-Key": "k"},
    )
    response = MockResponse(json.dumps(body).encode(), status_code=status, content_type="application/json")
    openapi.validate_response(request, response)


def test_full_answers_fit(openapi, closed, version):
    for (method, path, status), body in EXAMPLES[version].items():
        validate(openapi, version, method, path, status, body)
        closed.check(method.upper(), closed.mount + filled(path), status, "application/json", json.dumps(body).encode())


def test_the_least_answers_fit(openapi, closed, version):
    for (method, path, status), body in (LEAST if version == "v2.2" else LEAST_OLDER).items():
        validate(openapi, version, method, path, status, body)
        closed.check(method.upper(), closed.mount + filled(path), status, "application/json", json.dumps(body).encode())


def test_every_object_has_an_example(version):
    document = contract.document(version)
    shown = set()

    def follow(schema):
        for name, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
            if name == "$ref" and "schemas" in part and (target := part.rpartition("/")[2]) not in shown:
                shown.add(target)
                follow(document["components"]["schemas"][target])
            elif isinstance(part, dict | list):
                follow(part)

    for method, path, status in EXAMPLES[version]:
        answer = document["paths"][path][method]["responses"][str(status)]
        follow(document["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer)

    inputs = {"AccountTracking", "AccountsTracking", "BillUpload", "BillAddresses", "MagicLinkInput"} | {
        name for name in document["components"]["schemas"] if name.endswith(("Input", "Update", "Form"))
    }
    pages = {"AccountPage", "MeterPage", "JobPage"}
    assert document["components"]["schemas"].keys() - shown - inputs - pages == set()


def test_unknown_fields_and_values_pass_an_open_reader(openapi, version):
    site = {"id": "1", "name": "x", "address": "", "path": [], "floorArea": 5}
    bill = EXAMPLES[version]["get", "/document/{document_id}", 200] | {"status": "NEVER_SEEN", "sourceType": "FAX"}
    validate(openapi, version, "get", "/site/{site_id}", 200, site)
    validate(openapi, version, "get", "/document/{document_id}", 200, bill)


def test_unknown_fields_are_a_mismatch_of_our_own_answers(closed):
    site = {"id": "1", "name": "x", "address": "", "path": [], "floorArea": 5}

    with pytest.raises(MismatchError, match="floorArea"):
        closed.check("GET", f"{closed.mount}/site/1", 200, "application/json", json.dumps(site).encode())


FULL_PAGE = page("documents", DOCUMENT)
BROKEN = {
    "an error without detail": ("get", "/company/{company_id}", 404, {"message": "no"}),
    "a message that is no list": ("post", "/company", 400, {"detail": "x", "name": "is required"}),
    "a list instead of a page": ("get", "/document/company/{company_id}", 200, []),
    "a page instead of a list": ("get", "/company", 200, page("companies")),
    "a page without its total": ("get", "/document/company/{company_id}", 200, without(FULL_PAGE, "totalDocuments")),
    "a total of another list": (
        "get",
        "/meter/company/{company_id}",
        200,
        without(page("meters"), "totalMeters") | {"totalDocuments": 0},
    ),
    "a date with a time": ("get", "/document/{document_id}", 200, DOCUMENT | {"billDate": "2025-01-31T00:00:00Z"}),
    "a day that is none": ("get", "/document/{document_id}", 200, DOCUMENT | {"billDate": "2025-02-30"}),
    "a moment without a time": ("get", "/document/{document_id}", 200, DOCUMENT | {"created": "2025-01-31"}),
    "a decimal with a comma": ("get", "/document/{document_id}", 200, DOCUMENT | {"totalCharges": "1,5"}),
    "an id that is null": ("get", "/site/{site_id}", 200, {"id": None, "name": "x", "address": "", "path": []}),
    "usage without a number": ("get", "/usage/{usage_data_id}", 200, USAGE | {"usage": None, "document": BILL}),
    "usage without its bill": ("get", "/usage/{usage_data_id}", 200, USAGE),
    "a flag that is a text": ("get", "/usage/{usage_data_id}", 200, USAGE | {"isEstimated": "no", "document": BILL}),
    "a line item without a charge": (
        "get",
        "/document/{document_id}",
        200,
        DOCUMENT | {"lineItems": [without(LINE_ITEM, "totalCharge")]},
    ),
    "a status that is not in the contract": ("get", "/ping", 204, {}),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_a_broken_answer_does_not_fit(openapi, closed, version, case):
    method, path, status, body = BROKEN[case]

    with pytest.raises(OpenAPIError):
        validate(openapi, version, method, path, status, body)
    assert closed.problems(
        method.upper(), closed.mount + filled(path), status, "application/json", json.dumps(body).encode()
    )


def test_demand_is_on_bills_in_v2_2_alone():
    with_demand = without(DOCUMENT, "usageData") | {"usageData": [], "demandMeters": [DEMAND]}
    body = json.dumps(with_demand).encode()

    assert Contract("v2.2").problems("GET", "/v2.2/document/1", 200, "application/json", body) == []
    assert "demandMeters" in Contract("v2.1").problems("GET", "/v2.1/document/1", 200, "application/json", body)[0]


def test_an_answer_of_a_sandbox_without_assumptions_must_not_carry_one():
    strict = Contract("v2.2", documented_only=True)
    body = json.dumps(DOCUMENT).encode()

    assert strict.problems("GET", "/v2.2/document/company/1", 200, "application/json", json.dumps(FULL_PAGE).encode())
    assert "not in the contract" in strict.problems("GET", "/v2.2/document/1", 200, "application/json", body)[0]


def test_html_in_place_of_json_is_a_mismatch(closed):
    assert closed.problems("GET", f"{closed.mount}/company", 200, "text/html", b"<html>")
    assert closed.problems("GET", f"{closed.mount}/company", 200, "application/json", b"<html>")

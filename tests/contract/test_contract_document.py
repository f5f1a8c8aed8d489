"""The contracts are valid OpenAPI 3.1, name every endpoint, and mark every assumption."""

import json
from itertools import chain

import pytest
from contract.endpoint_table import ENDPOINTS, MARKED, NESTED
from openapi_spec_validator import OpenAPIV31SpecValidator

from nectar_notebooks.sandbox import contract

VERSIONS = ["v2.2", "v2.1", "v2.0"]


def operations(document):
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def properties(version, component):
    return contract.document(version)["components"]["schemas"][component]["properties"]


@pytest.mark.parametrize("documented_only", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_valid_openapi(version, documented_only):
    served = json.loads(json.dumps(contract.document(version, documented_only=documented_only)))

    assert served["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_paths_are_those_of_the_endpoint_table(version):
    found = operations(contract.document(version))
    of_the_reference = {key for key, operation in found.items() if "x-nectar-alias-of" not in operation}

    assert of_the_reference == {(method, path) for method, path, _ in ENDPOINTS}
    assert set(NESTED) <= found.keys() - of_the_reference


@pytest.mark.parametrize("version", VERSIONS)
def test_a_nested_spelling_is_the_same_operation(version):
    found = operations(contract.document(version))
    aliases = {key: operation for key, operation in found.items() if "x-nectar-alias-of" in operation}

    assert len(aliases) > len(NESTED)
    for (method, _), operation in aliases.items():
        original = found[method, operation["x-nectar-alias-of"]]
        for part in ("parameters", "requestBody", "security", "deprecated", "x-nectar-assumed"):
            assert operation.get(part) == original.get(part)
        assert operation["responses"].keys() == original["responses"].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_assumed_endpoints_are_marked_and_no_others(version):
    found = operations(contract.document(version))

    marked = {(method, path) for method, path, _ in ENDPOINTS if found[method, path].get("x-nectar-assumed")}

    assert marked == {(method, path) for method, path, assumed in ENDPOINTS if assumed}


def test_every_assumption_of_the_documentation_is_marked():
    places = set(chain.from_iterable(found.where for found in contract.assumptions()))

    assert set(MARKED) <= places


def test_an_assumption_says_why_and_where():
    for found in contract.assumptions():
        assert found.why.endswith(".")
        assert found.where
        assert set(found.versions) <= set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_documented_only_leaves_no_assumed_endpoint_field_parameter_or_value(version):
    document = contract.document(version, documented_only=True)
    found = operations(document)
    schemas = document["components"]["schemas"]

    assert {key for key in found if "x-nectar-alias-of" not in found[key]} == {
        (method, path) for method, path, assumed in ENDPOINTS if not assumed
    }
    assert 'x-nectar-assumed"' not in json.dumps(document)
    assert "lineItems" not in schemas["Document"]["properties"]
    assert schemas["LineItem"]["properties"]["chargeType"]["examples"] == ["TAX"]
    assert "WASTEWATER" not in json.dumps(document)
    names = [part["name"] for part in found["GET", "/interval/connection/{connection_id}"]["parameters"]]
    assert "startDate" not in names
    assert "endDate" in names


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_takes_the_key_and_says_what_its_errors_are(version):
    document = contract.document(version)

    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"]["name"] == "X-API-Key"
    for (_, path), operation in operations(document).items():
        assert {"401", "429"} <= operation["responses"].keys()
        assert ("404" in operation["responses"]) == ("{" in path)
        assert ("400" in operation["responses"]) or not operation.get("requestBody")
    for answer in document["components"]["responses"].values():
        assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert document["components"]["schemas"]["Error"]["required"] == ["detail"]


@pytest.mark.parametrize("version", VERSIONS)
def test_operation_ids_are_unique_and_links_lead_somewhere(version):
    found = operations(contract.document(version))
    ids = [operation["operationId"] for operation in found.values()]
    links = {
        (operation["operationId"], link["operationId"]): link
        for operation in found.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }

    assert len(ids) == len(set(ids))
    assert {target for _, target in links} <= set(ids)
    assert {
        ("createCompany", "createSite"),
        ("createSite", "createConnection"),
        ("createConnection", "deleteConnection"),
        ("createConnection", "inviteToReconnect"),
        ("invite", "revokeInvitation"),
        ("uploadBill", "getJob"),
        ("listCompanies", "listBillsOfCompany"),
        ("listBillsOfCompany", "listUsageOfBill"),
        ("listUsageOfCompany", "updateUsage"),
        ("createCompany", "deleteCompany"),
    } <= links.keys()
    assert links["createSite", "createConnection"]["requestBody"]["sites"] == ["$response.body#/id"]


def test_deprecated_is_what_the_documentation_calls_so():
    document = contract.document("v2.2")
    found = {key for key, operation in operations(document).items() if operation.get("deprecated")}

    assert {key for key in found if key[1].startswith("/connection")} == {
        ("GET", "/connection/company/{company_id}/link"),
        ("POST", "/connection/company/{company_id}/link"),
        ("GET", "/connection/{connection_id}"),
        ("POST", "/connection/{connection_id}"),
    }
    assert properties("v2.2", "Account")["isTracked"]["deprecated"] is True
    assert properties("v2.2", "Connection")["publicCompanyId"]["deprecated"] is True


def test_what_the_versions_say_differently():
    assert "demandMeters" in properties("v2.2", "Document")
    assert "timeOfUseBreakdown" in properties("v2.2", "UsageData")
    assert "apparentEnergy" not in properties("v2.2", "UsageData")
    for older in ("v2.1", "v2.0"):
        assert "demandMeters" not in properties(older, "Document")
        assert "timeOfUseBreakdown" not in properties(older, "UsageData")
        assert "x-nectar-assumed" not in properties(older, "UsageData")["timeOfUse"]
        assert "DemandMeter" not in contract.document(older)["components"]["schemas"]
    assert "powerFactor" in properties("v2.1", "UsageData")
    assert "powerFactor" not in properties("v2.0", "UsageData")


@pytest.mark.parametrize(
    ("version", "default"), [("v2.2", "BILL_DATE"), ("v2.1", "BILL_DATE"), ("v2.0", "USAGE_PERIOD")]
)
def test_the_usage_of_a_bill_selects_by_service_period_in_v2_0(version, default):
    found = operations(contract.document(version))
    for path in ("/usage/document/{document_id}", "/document/{document_id}/usage"):
        parameters = {part["name"]: part for part in found["GET", path]["parameters"]}
        assert parameters["dateType"]["schema"]["default"] == default
    elsewhere = {part["name"]: part for part in found["GET", "/usage/company/{company_id}"]["parameters"]}
    assert elsewhere["dateType"]["schema"]["default"] == "BILL_DATE"


@pytest.mark.parametrize(("version", "base"), [("v2.2", "/v2.2"), ("v2.1", "/v2.1"), ("v2.0", "/v2")])
def test_each_version_has_its_base(version, base):
    servers = [server["url"] for server in contract.document(version)["servers"]]

    assert servers == [base, f"https://external.nectarclimate.com{base}"]
    assert contract.MOUNTS[version] == base


def test_a_document_is_the_callers_own():
    mine = contract.document("v2.2")
    mine["paths"].clear()
    mine["components"]["schemas"]["Site"]["properties"].clear()

    assert "/ping" in contract.document("v2.2")["paths"]
    assert "name" in contract.document("v2.2")["components"]["schemas"]["Site"]["properties"]


def test_refusals_are_listed_for_writes_alone():
    refusals = contract.refusals()

    assert refusals["POST /company"] == ("an e-mail address that is no user's",)
    assert all(not key.startswith("GET ") for key in refusals)
    for key, reasons in refusals.items():
        method, path = key.split()
        assert operations(contract.document("v2.2"))[method, path]["x-nectar-refuses"] == list(reasons)


# --- the page ----------------------------------------------------------------------------------------


class Page:
    """What a browser would find: text, links, and whatever would be loaded or run."""

    def __init__(self, html):
        from html.parser import HTMLParser

        self.tags, self.attributes, self.ids, self.text = [], [], set(), ""
        page = self

        class Parser(HTMLParser):
            def handle_starttag(self, tag, attrs):
                page.tags.append(tag)
                page.attributes += [(tag, *pair) for pair in attrs]
                page.ids |= {value for name, value in attrs if name == "id"}

            def handle_data(self, data):
                page.text += data

        Parser().feed(html)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_names_every_endpoint_object_and_assumption_and_loads_nothing(version):
    document = contract.document(version)
    page = Page(contract.reference_page(version))

    for operation in operations(document).values():
        assert operation["summary"] in page.text
        assert operation.get("x-nectar-alias-of") or operation["operationId"] in page.ids
    assert {f"object-{name}" for name in document["components"]["schemas"]} <= page.ids
    for _, path in operations(document):
        assert path in page.text
    for found in contract.assumptions():
        if version in found.versions and found.kind in ("endpoint", "general"):
            assert found.why.replace("`", "") in page.text
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert not [item for item in page.attributes if item[1] in ("src", "style") or item[1].startswith("on")]
    targets = {value for _, name, value in page.attributes if name == "href"}
    assert {target.removeprefix("#") for target in targets} <= page.ids


def test_the_page_escapes_what_a_document_says():
    from nectar_notebooks.sandbox.contract.page import page as render

    document = contract.document("v2.2")
    document["info"]["description"] = "<script>alert(1)</script>"
    document["paths"]["/ping"]["get"]["summary"] = "<b onclick=x>"
    document["components"]["schemas"]["Site"]["properties"]["<i>"] = {"type": "<u>", "description": "`<s>`"}

    page = Page(render(document))

    assert not {"script", "b", "i", "u", "s"} & set(page.tags)
    assert "<script>alert(1)</script>" in page.text

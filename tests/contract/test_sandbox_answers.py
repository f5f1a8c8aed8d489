"""The embedded sandbox and the contract were written apart from each other; here they meet."""

from io import BytesIO

import pytest
from contract.answers import MOUNTS, CheckedApp
from contract.endpoint_table import ENDPOINTS
from contract.walking import walk
from werkzeug.test import Client

from nectar_notebooks.sandbox import Sandbox, contract
from nectar_notebooks.sandbox.http.router import ROUTES, VERSIONS

SERVED = [version for version, mount in MOUNTS.items() if VERSIONS.get(mount.strip("/")) == version]


@pytest.fixture(scope="module")
def sandbox():
    with_demo = Sandbox()
    _use(with_demo)
    yield with_demo
    with_demo.close()


def _use(sandbox):
    """Make what a fresh sandbox has none of: an invitation of each kind and an upload."""
    client, headers = sandbox.app.test_client(), {"X-API-Key": sandbox.key}
    company = client.get("/v2.2/company", headers=headers).json[0]["id"]
    connection = client.get(f"/v2.2/connection/company/{company}", headers=headers).json["connections"][0]["id"]
    for path, sent in (
        (f"/invitation/company/{company}", {"json": {"maxUses": 1, "prefill": {"country": "US"}}}),
        (f"/invitation/connection/{connection}", {"json": {"allowedEmails": ["ann@example.com"]}}),
        (f"/job/company/{company}", {"data": {"document": (BytesIO(b"%PDF-1.4\n%%EOF\n"), "letter.pdf")}}),
    ):
        answer = client.post(f"/v2.2{path}", headers=headers, **sent)
        assert answer.status_code == 201, answer.json


def test_the_sandbox_answers_the_endpoints_of_the_contract():
    served = {(route.method, route.path) for route in ROUTES}
    listed = {(method, path) for method, path, _ in ENDPOINTS}

    assert served == listed


def test_the_sandbox_assumes_the_endpoints_that_the_contract_assumes():
    assumed = {(route.method, route.path) for route in ROUTES if route.assumed}
    served = {(route.method, route.path) for route in ROUTES}

    assert assumed == {(method, path) for method, path, marked in ENDPOINTS if marked} & served


def test_the_nested_spellings_are_the_same():
    paths = contract.document("v2.2")["paths"]
    nested = {
        (method.upper(), operation["x-nectar-alias-of"]): path
        for path, item in paths.items()
        for method, operation in item.items()
        if "x-nectar-alias-of" in operation
    }

    assert {(route.method, route.path): route.alias for route in ROUTES if route.alias} == {
        key: path for key, path in nested.items() if key in {(route.method, route.path) for route in ROUTES}
    }


@pytest.mark.parametrize("version", SERVED)
def test_every_answer_of_the_demo_portfolio_fits(sandbox, version):
    checked = walk(sandbox, version)

    answered = {(method, path) for method, path, status in checked.seen if status == 200}
    expected = {(route.method, route.path) for route in ROUTES if route.method == "GET"}
    assert sorted(set(checked.mismatches)) == []
    assert expected <= answered


@pytest.mark.parametrize("version", SERVED)
def test_a_sandbox_without_assumptions_answers_by_the_contract_without_assumptions(version):
    sandbox = Sandbox(documented_only=True)
    checked = walk(sandbox, version)
    sandbox.close()

    assert sorted(set(checked.mismatches)) == []
    assert ("GET", "/document/company/{company_id}", 200) in checked.seen


@pytest.mark.parametrize(
    "switches",
    [
        {"decimals": "number"},
        {"bill_date": "period_end"},
        {"is_deleted": "only"},
        {"wrong_id": "403"},
        {"last_service_date": "closed"},
    ],
    ids=lambda switches: "-".join(switches),
)
def test_either_position_of_a_switch_fits(switches):
    sandbox = Sandbox(sites=4, months=6, switches=switches)
    checked = walk(sandbox, "v2.2")
    sandbox.close()

    assert sorted(set(checked.mismatches)) == []


@pytest.mark.parametrize("version", SERVED)
@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/document/company/{}", {"startDate": "yesterday"}, 400),
        ("/document/company/{}", {"startDate": "2025-02-30"}, 400),
        ("/document/company/{}", {"dateType": "SOME_DATE"}, 400),
        ("/document/company/{}", {"isDeleted": "perhaps"}, 400),
        ("/usage/company/{}", {"datasourceType": "MILK"}, 400),
        ("/connection/company/{}", {"limit": "501"}, 400),
        ("/connection/company/{}", {"status": "TIRED"}, 400),
        ("/connection/company/{}", {"limit": "500", "status": "CONNECTED"}, 200),
        ("/usage/company/{}", {"page": "x"}, 200),
        ("/usage/company/{}", {"page": "-7"}, 200),
        ("/usage/company/{}", {"page": "999999999999999999999"}, 200),
        ("/document/company/{}", {"unknown": "1", "dateType": "USAGE_PERIOD", "endDate": "2025-01-01"}, 200),
    ],
)
def test_the_sandbox_refuses_what_the_contract_refuses(sandbox, version, path, query, status):
    company = sandbox.app.test_client().get("/v2.2/company", headers={"X-API-Key": sandbox.key}).json[0]["id"]
    checked = CheckedApp(sandbox.app)

    answer = Client(checked).get(
        MOUNTS[version] + path.format(company), headers={"X-API-Key": sandbox.key}, query_string=query
    )

    problems = contract.check_request(
        version, "GET", path.format("{company_id}"), {name: [value] for name, value in query.items()}
    )
    assert answer.status_code == status
    assert sorted(set(checked.mismatches)) == []
    assert set(problems) == set(answer.json) - {"detail"} if status == 400 else problems == {}


@pytest.mark.parametrize("version", SERVED)
@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_a_missing_or_wrong_key_is_answered_as_the_contract_says(sandbox, version, key):
    checked = CheckedApp(sandbox.app)
    headers = {} if key is None else {"X-API-Key": key}

    answer = Client(checked).get(f"{MOUNTS[version]}/company", headers=headers)

    assert answer.status_code == 401
    assert sorted(set(checked.mismatches)) == []


@pytest.mark.parametrize("documented_only", [False, True])
@pytest.mark.parametrize("version", SERVED)
def test_the_contract_is_served_beside_its_version(version, documented_only):
    sandbox = Sandbox(sites=1, months=1, documented_only=documented_only)
    client = sandbox.app.test_client()

    served = client.get(f"{MOUNTS[version]}/openapi.json")
    page = client.get(f"{MOUNTS[version]}/docs")
    sandbox.close()

    assert served.json == contract.document(version, documented_only=documented_only)
    assert page.text == contract.reference_page(version, documented_only=documented_only)
    assert page.content_type.startswith("text/html")

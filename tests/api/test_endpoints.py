"""The table of endpoints against the paths of the API's documentation, copied here by hand."""

import pytest

from nectar_notebooks.api import ENDPOINTS

DOCUMENTED = [
    "GET /ping",
    "GET /company",
    "POST /company",
    "GET /team",
    "GET /company/{}",
    "PATCH /company/{}",
    "POST /site/company/{}",
    "GET /site/{}",
    "PATCH /site/{}",
    "GET /connection/company/{}",
    "POST /connection/company/{}",
    "GET /connection/{}/details",
    "GET /connection/company/{}/link",
    "POST /connection/company/{}/link",
    "GET /connection/{}",
    "POST /connection/{}",
    "POST /invitation/company/{}",
    "GET /invitation/company/{}",
    "POST /invitation/connection/{}",
    "GET /invitation/{}",
    "POST /invitation/{}/revoke",
    "PATCH /account/{}",
    "GET /meter/{}",
    "GET /document/company/{}",
    "GET /document/site/{}",
    "GET /document/connection/{}",
    "GET /usage/company/{}",
    "GET /usage/site/{}",
    "GET /usage/connection/{}",
    "GET /usage/document/{}",
    "GET /usage/{}",
    "GET /interval/connection/{}",
    "POST /job/company/{}",
    "POST /job/company/{}/bulk",
    "GET /job/{}",
]

ASSUMED = [
    "PATCH /team",
    "DELETE /company/{}",
    "GET /site/company/{}",
    "PATCH /connection/{}",
    "DELETE /connection/{}",
    "GET /account/company/{}",
    "GET /account/{}",
    "PATCH /account/company/{}",
    "GET /meter/company/{}",
    "GET /meter/site/{}",
    "GET /document/{}",
    "PATCH /usage/{}",
    "GET /job/company/{}",
    "POST /webhook",
]

ENVELOPES = {
    "documents.company": ("documents", "totalDocuments"),
    "usage.site": ("usageData", "totalUsageData"),
    "meters.company": ("meters", "totalMeters"),
    "connections.company": ("connections", "totalConnections"),
    "intervals.connection": ("intervals", "totalIntervals"),
}


def listed(documented: bool) -> set[str]:
    found = set()
    for endpoint in ENDPOINTS.values():
        if endpoint.documented is documented:
            path = endpoint.path_for("v2.2", **dict.fromkeys(endpoint.ids, "x")).removeprefix("/v2.2")
            found.add(f"{endpoint.method} {path}".replace("/x", "/{}"))
    return found


def test_every_endpoint_is_there_and_says_whether_it_is_documented() -> None:
    assert listed(True) == set(DOCUMENTED)
    assert listed(False) == set(ASSUMED)
    assert len(ENDPOINTS) == len(DOCUMENTED) + len(ASSUMED)


@pytest.mark.parametrize(("name", "envelope"), ENVELOPES.items())
def test_envelopes(name: str, envelope: tuple[str, str]) -> None:
    assert (ENDPOINTS[name].rows, ENDPOINTS[name].total) == envelope


def test_only_connections_take_a_limit() -> None:
    assert [name for name, endpoint in ENDPOINTS.items() if "limit" in endpoint.params] == ["connections.company"]


@pytest.mark.parametrize(("version", "prefix"), [("v2.2", "/v2.2"), ("v2.1", "/v2.1"), ("v2.0", "/v2")])
def test_prefix_of_each_version(version: str, prefix: str) -> None:
    assert ENDPOINTS["ping"].path_for(version) == f"{prefix}/ping"


def test_no_creation_counts_as_idempotent() -> None:
    posts = [endpoint for endpoint in ENDPOINTS.values() if endpoint.method == "POST"]
    assert [endpoint.name for endpoint in posts if endpoint.idempotent] == ["invitation.revoke"]

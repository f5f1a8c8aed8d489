"""schemathesis makes requests out of the contracts: valid, invalid, odd, and walks along the links.

A sample in the suite, 500 examples of every operation in both spellings of its path under `make soak`.
"""

import pytest
from contract.endpoint_table import ENDPOINTS
from contract.fuzzing import fuzz
from contract.gate import KEY, Gate

from nectar_notebooks.sandbox import Sandbox, contract

#: Everything schemathesis checks of an answer; none is switched off.
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "negative_data_rejection",
    "not_a_server_error",
    "positive_data_acceptance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
}
PHASES = {"examples", "coverage", "fuzzing", "stateful"}
REFERENCE = {(method, path) for method, path, _ in ENDPOINTS}


def asked(times):
    """The endpoints to ask: in the sample those of the reference, in the long form the nested spellings too."""
    return REFERENCE if times(1, 0) else None


def test_the_request_checks_stand_up_to_it(times):
    version = "v2.2"

    found = fuzz(Gate(version), KEY, version, examples=times(2, 20), only=asked(times))

    assert found.told() == ""
    assert found.checks >= CHECKS
    assert {phase: found.phases[phase] for phase in PHASES} == dict.fromkeys(PHASES, "success")
    assert found.succeeded >= {f"{method} {path}" for method, path in REFERENCE} - {"POST /job/company/{company_id}"}


@pytest.mark.parametrize("version", contract.MOUNTS)
def test_the_sandbox_passes_it(version, times):
    sandbox = Sandbox(sites=6, months=6)

    found = fuzz(sandbox.app, sandbox.key, version, examples=times(2, 500), only=asked(times))
    sandbox.close()

    print(f"soak: contract: schemathesis, {version}: {found.asked:,} requests, all checks, no failure")
    assert found.told() == ""
    assert found.checks >= CHECKS
    assert found.phases.keys() >= PHASES
    assert found.succeeded >= {
        "POST /company",
        "POST /site/company/{company_id}",
        "POST /connection/company/{company_id}",
        "POST /invitation/company/{company_id}",
        "PATCH /account/{account_id}",
        "PATCH /usage/{usage_data_id}",
        "DELETE /company/{company_id}",
        "GET /document/company/{company_id}",
    }

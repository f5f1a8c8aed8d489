"""Let schemathesis make requests out of a contract and send them to an application of this process, over a socket.

All of its checks are on, in all its phases: examples, coverage, fuzzing and stateful walks along the links. The one
allowance comes from the contract itself: a write that lists reasons under ``x-nectar-refuses`` may answer 400 to a
body that fits its schema. (Not through schemathesis' WSGI client: that one writes some forms otherwise than it says.)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from contract.answers import MOUNTS
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from nectar_notebooks.sandbox import contract
from nectar_notebooks.sandbox.http.serving import Served

ACCEPTED = ["2xx", "401", "403", "404", "409", "429"]


@dataclass
class Findings:
    """What a run found: failures by operation, what was asked, which checks ran, which operations answered 2xx."""

    errors: list[str] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    phases: dict[str, str] = field(default_factory=dict)
    checks: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)

    def told(self) -> str:
        """Return what failed, each kind of failure of an operation once, with an example."""
        failed = [f"{where}: {said}" for where, said in sorted(self.examples.items())]
        return "\n".join([*self.errors, *failed])


def fuzz(
    app: Any,
    key: str,
    version: str,
    *,
    examples: int,
    seed: int = 1,
    only: Collection[tuple[str, str]] | None = None,
) -> Findings:
    """Run schemathesis on `app`.

    Parameters
    ----------
    app
        A WSGI application; the contract is put before it at ``<mount>/openapi.json``.
    examples
        Most requests of an operation in the fuzzing phase, and walks in the stateful one.
    only
        The operations to ask, as (method, path); all without it.
    """
    document = contract.document(version)
    if only is not None:
        _keep(document, only)
    served = Served(_with_document(app, version, json.dumps(document).encode()), 0, "127.0.0.1", key)
    try:
        schema = schemathesis.openapi.from_url(
            f"{served.url}{MOUNTS[version]}/openapi.json", config=_config(key, document, examples, seed)
        )
        return _collect(from_schema(schema).execute())
    finally:
        served.close()


def _keep(document: dict[str, Any], only: Collection[tuple[str, str]]) -> None:
    """Take every operation out of `document` that is not in `only`, and the links to it."""
    paths = {
        path: {method: operation for method, operation in item.items() if (method.upper(), path) in only}
        for path, item in document["paths"].items()
    }
    document["paths"] = {path: item for path, item in paths.items() if item}
    kept = [operation for item in paths.values() for operation in item.values()]
    ids = {operation["operationId"] for operation in kept}
    for operation in kept:
        for answer in operation["responses"].values():
            links = answer.pop("links", {})
            answer["links"] = {name: link for name, link in links.items() if link["operationId"] in ids}


def _config(key: str, document: dict[str, Any], examples: int, seed: int) -> SchemathesisConfig:
    operations = [
        {
            "include-operation-id": operation["operationId"],
            "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "400"]}},
        }
        for item in document["paths"].values()
        for operation in item.values()
        if "x-nectar-refuses" in operation
    ]
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "headers": {"X-API-Key": key},
            "continue-on-failure": True,
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "operations": operations,
        }
    )


def _with_document(app: Any, version: str, served: bytes) -> Any:
    def both(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == f"{MOUNTS[version]}/openapi.json":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [served]
        return app(environ, start_response)

    return both


def _collect(stream: Iterable[Any]) -> Findings:
    findings = Findings()
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            _note(findings, event.recorder)
        elif isinstance(event, events.NonFatalError):
            findings.errors.append(f"{event.label}: {event.info.message}")
        elif isinstance(event, events.FatalError):
            findings.errors.append(str(event.exception))
        elif isinstance(event, events.PhaseFinished):
            findings.phases[event.phase.name.value] = event.status.value
    return findings


def _note(findings: Findings, recorder: Any) -> None:
    findings.asked += len(recorder.interactions)
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None and interaction.response.status_code < 300 and case_id in recorder.cases:
            findings.succeeded.add(recorder.cases[case_id].value.operation.label)
    for case_id, checks in recorder.checks.items():
        for check in checks:
            findings.checks.add(check.name)
            if check.failure_info is None:
                continue
            case = recorder.cases[case_id].value
            where = f"{case.operation.label}"
            said = f"{where}: {check.name}"
            if said not in findings.examples:
                failure = check.failure_info.failure
                interaction = recorder.interactions.get(case_id)
                request = interaction.request if interaction else None
                body = (request.body or b"") if request else b""
                answer = interaction.response if interaction else None
                status = f"{answer.status_code} {answer.content[:300]!r}" if answer else None
                findings.examples[said] = (
                    f"{failure.title}: {failure.message}\n    {request and request.method} {request and request.uri} "
                    f"{request and request.headers.get('Content-Type')} {body!r} -> {status}"
                )

"""`docs/openapi/` and `nectar sandbox openapi`: lean documents, held to the contract and to what is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from contract.answers import Contract
from contract.endpoint_table import ENDPOINTS
from openapi_spec_validator import validate

from nectar_notebooks.cli import main
from nectar_notebooks.sandbox import Sandbox, contract

VERSIONS = tuple(contract.MOUNTS)
FOLDER = Path(__file__).parents[2] / "docs" / "openapi"


def published(version: str) -> Any:
    return json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [(method.upper(), path, one) for path, item in document["paths"].items() for method, one in item.items()]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_published_document_is_the_contract_s(version: str) -> None:
    assert published(version) == contract.published(version), (
        f"write it anew: nectar sandbox openapi --version {version} --out docs/openapi/{version}.json"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_command_writes_it(version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "openapi", "--version", version]) == 0
    assert json.loads(capsys.readouterr().out) == published(version)
    assert main(["sandbox", "openapi", "--version", version, "--out", str(tmp_path / "api.json")]) == 0
    assert (tmp_path / "api.json").read_bytes() == (FOLDER / f"{version}.json").read_bytes()


def test_the_command_says_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "openapi", "--out", str(tmp_path / "nowhere" / "api.json")]) != 0
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_valid_and_names_each_endpoint_once(version: str) -> None:
    document = published(version)
    validate(document)
    assert {(method, path) for method, path, _ in operations(document)} == {one[:2] for one in ENDPOINTS}
    assert all(one["description"] for _, _, one in operations(document))


@pytest.mark.parametrize("version", VERSIONS)
def test_bodies_are_json_but_for_files(version: str) -> None:
    media = {
        (path, name)
        for _, path, one in operations(published(version))
        for name in one.get("requestBody", {}).get("content", {})
    }
    assert {path for path, name in media if name != "application/json"} == {"/job/company/{company_id}"}
    assert len({path for path, _ in media}) == len(media)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_and_body_has_an_example_that_fits(version: str) -> None:
    document = published(version)
    components = document["components"]

    def problems(schema: Any, example: Any) -> list[str]:
        checked = jsonschema_rs.Draft202012Validator({"components": components, **schema}, validate_formats=True)
        return [error.message for error in checked.iter_errors(example)]

    for name, schema in components["schemas"].items():
        [example] = schema["examples"]
        assert problems(schema, example) == [], name
    for _, path, one in operations(document):
        for content in one.get("requestBody", {}).get("content", {}).values():
            assert problems(content["schema"], content["example"]) == [], path


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_demo_portfolio_answers_has_the_published_formats(version: str) -> None:
    document = published(version)
    bill = document["components"]["schemas"]["Document"]["properties"]
    assert (bill["id"]["format"], bill["created"]["format"], bill["billDate"]["format"]) == (
        "uuid",
        "date-time",
        "date",
    )
    held = Contract(version, document=document)
    sandbox = Sandbox(3, sites=4, months=2)
    client, key = sandbox.app.test_client(), {"X-API-Key": sandbox.key}

    def get(path: str) -> Any:
        answer = client.get(held.mount + path, headers=key)
        assert held.problems("GET", held.mount + path, answer.status_code, answer.content_type, answer.data) == []
        return answer.json

    get("/ping"), get("/team")
    for company in get("/company"):
        for noun in ("site", "connection", "account", "meter", "document", "usage", "invitation", "job"):
            rows = next(rows for rows in get(f"/{noun}/company/{company['id']}").values() if isinstance(rows, list))
            for row in rows[:3]:
                get(f"/{noun}/{row['id']}{'/details' if noun == 'connection' else ''}")
                if noun == "connection":
                    get(f"/interval/connection/{row['id']}")
    sandbox.close()

"""`nectar status` as cron meets it: a process of its own, an exit code, a table for people and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.wire import Reply, Request, serve
from commands import assert_one_sentence, nectar

import nectar_notebooks as nn


@pytest.fixture
def sandbox() -> Iterator[tuple[nn.Sandbox, dict[str, str]]]:
    one = nn.Sandbox(seed=5, sites=3, months=2)
    with one.serve(0) as served:
        yield one, {"NECTAR_BASE_URL": served.url, "NECTAR_API_KEY": one.key, "NECTAR_ENVIRONMENT": "local"}
    one.close()


def everything_works(sandbox: nn.Sandbox) -> None:
    connections = [nn.connect(sandbox=sandbox).connections(one) for one in nn.connect(sandbox=sandbox).companies().iloc]
    for table in connections:
        for connection, status in zip(table["connection_id"], table["status"], strict=True):
            if status not in ("CONNECTED", "PENDING"):
                sandbox.scenario("recovered", connection=connection)


def test_exit_code_and_table_follow_what_happens_without_waiting_a_day(
    sandbox: tuple[nn.Sandbox, dict[str, str]], tmp_path: Path
) -> None:
    one, environment = sandbox
    environment |= {"NECTAR_CACHE_DIR": str(tmp_path / "cache")}
    everything_works(one)
    fine = nectar(tmp_path, "status", **environment)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert "Nothing needs action." in fine.stdout
    one.scenario("website_down")
    one.clock.advance(seconds=120)
    waits = nectar(tmp_path, "status", **environment)
    assert waits.returncode == 0, "a site that is down is tried again by itself"
    broken = one.scenario("mfa_required")
    asked = nectar(tmp_path, "status", "--json", **environment)
    told = json.loads(asked.stdout)
    assert (asked.returncode, asked.stderr) == (1, "")
    assert [row["connection_id"] for row in told["needs_action"]] == [broken]
    row = told["needs_action"][0]
    assert (row["status"], row["family"], row["needs_customer"]) == ("MFA_TOKEN_EXPIRED", "customer", True)
    assert row["next_step"] == "Send a reconnect invitation to the owner of the login."
    assert told["families"]["customer"] == 1
    assert sum(told["families"].values()) == told["connections"]
    shown = nectar(tmp_path, "status", "--company", row["company"], **environment)
    assert shown.returncode == 1
    assert "MFA_TOKEN_EXPIRED: Send a reconnect invitation to the owner of the login." in shown.stdout
    assert all(len(line) <= 100 for line in shown.stdout.splitlines())


def test_what_cannot_be_asked_is_one_sentence_and_no_half_answer(
    sandbox: tuple[nn.Sandbox, dict[str, str]], tmp_path: Path
) -> None:
    _, environment = sandbox
    environment |= {"NECTAR_CACHE_DIR": str(tmp_path / "cache")}
    refused = nectar(tmp_path, "status", "--json", **environment | {"NECTAR_API_KEY": "nectar_local_wrong"})
    assert_one_sentence(refused, "key")
    assert refused.stdout == ""
    unknown = nectar(tmp_path, "status", "--company", "Nobody Ltd", **environment)
    assert_one_sentence(unknown, "Nobody Ltd")


def test_a_name_with_control_marks_moves_no_cursor(tmp_path: Path) -> None:
    login = {"id": "k1", "status": "MFA_TOKEN_EXPIRED", "datasource": {"name": "\x1b[2JEvil\nPower"}}

    def api(request: Request) -> Reply:
        if "/connection/" in request.path:
            return Reply({"connections": [login], "totalConnections": 1, "totalPages": 1, "currentPage": 1})
        if request.path.endswith("/company/c1"):
            return Reply({"id": "c1", "name": "Acme", "sites": []})
        return Reply([{"id": "c1", "name": "Acme"}])

    with serve(api) as wire:
        place = {"NECTAR_BASE_URL": wire.url, "NECTAR_PRODUCTION_API_KEY": "a-made-up-key", "NECTAR_CACHE_DIR": "cache"}
        shown = nectar(tmp_path, "status", "production", **place)
    assert shown.returncode == 1, shown.stderr
    assert r"\x1b[2JEvil Power" in shown.stdout
    assert "\x1b" not in shown.stdout

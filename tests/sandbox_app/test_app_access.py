"""Keys: missing, wrong, expired, deleted, limited; and that none is ever shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import pytest
from sandbox_asker import Asker
from small_world import ACME, BETA, BETA_SITE, NOBODY, POWER_METER

from nectar_notebooks.errors import ConfigurationError
from nectar_notebooks.sandbox import Sandbox


@pytest.mark.parametrize("path", ["/ping", "/company", f"/company/{ACME}", f"/company/{NOBODY}"])
def test_without_a_good_key_everything_is_a_401(ask: Asker, path: str) -> None:
    for key in (None, "nectar_local_wrong", ask.sandbox.key[:-1], ask.sandbox.key.upper()):
        status, body = ask(path, key=key)
        assert status == 401
        assert list(body) == ["detail"]
        assert "key" in body["detail"]
        assert key is None or key not in body["detail"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PURGE"])
def test_a_method_that_a_path_does_not_have_is_told_which_it_has(sandbox: Sandbox, method: str) -> None:
    answer = sandbox.app.test_client().open(
        f"/v2.2/site/{BETA_SITE}", method=method, headers={"X-API-Key": sandbox.key}
    )
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, PATCH")
    assert method in answer.json["detail"]


def test_a_key_in_the_address_is_no_key(ask: Asker) -> None:
    assert ask(f"/ping?X-API-Key={ask.sandbox.key}", key=None)[0] == 401


def test_several_keys_are_good_at_once_and_each_goes_alone(ask: Asker) -> None:
    sandbox = ask.sandbox
    old, new = sandbox.create_key("production"), sandbox.create_key("sandbox")
    assert len({old, new, sandbox.key}) == 3
    assert (ask("/ping", key=old)[0], ask("/ping", key=new)[0]) == (200, 200)
    sandbox.revoke_key(old)
    assert (ask("/ping", key=old)[0], ask("/ping", key=new)[0]) == (401, 200)
    assert "deleted" in ask("/ping", key=old)[1]["detail"]


def test_a_key_expires_when_the_clock_says_so(ask: Asker) -> None:
    key = ask.sandbox.create_key("production", expires=datetime(2026, 1, 20))  # noqa: DTZ001 - read as UTC
    assert ask("/ping", key=key)[0] == 200
    ask.sandbox.advance(days=5)
    status, body = ask("/ping", key=key)
    assert status == 401
    assert "expired" in body["detail"]
    assert ask("/ping")[0] == 200


def test_a_limited_key_sees_its_companies_alone(ask: Asker) -> None:
    key = ask.sandbox.create_key("production", companies=[ACME])
    assert [company["id"] for company in ask("/company", key=key)[1]] == [ACME]
    assert ask(f"/meter/{POWER_METER}", key=key)[0] == 200
    for path in (f"/company/{BETA}", f"/site/{BETA_SITE}", f"/document/company/{BETA}", f"/usage/site/{BETA_SITE}"):
        status, body = ask(path, key=key)
        assert status == 403
        assert isinstance(body["detail"], str)


def test_an_environment_is_one_of_two(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="sandbox, production"):
        sandbox.create_key("staging")


def test_no_key_is_shown_or_kept(ask: Asker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = ask.sandbox
    ask("/ping")
    ask("/ping", key="nectar_local_wrong")
    shown = repr(sandbox) + repr(sandbox.journal) + repr(sandbox.journal.rows()) + caplog.text
    shown += "\n".join(sandbox.state.db.iterdump())
    assert sandbox.key not in shown
    assert "nectar_local_wrong" not in shown


def test_a_key_of_the_other_environment_is_a_401_where_the_switch_says_so(make: Callable[..., Asker]) -> None:
    for ask, status in ((make(), 200), (make(switches={"other_environment": "refused"}), 401)):
        assert ask("/ping", key=ask.sandbox.create_key("production"))[0] == 200
        found, body = ask("/ping", key=ask.sandbox.create_key("sandbox"))
        assert found == status
        assert status == 200 or "sandbox environment" in body["detail"]
        assert ask("/ping")[0] == 200


def test_what_is_documented_alone_refuses_a_key_of_the_other_environment(make: Callable[..., Asker]) -> None:
    ask = make(documented_only=True)
    assert ask("/ping", key=ask.sandbox.create_key("sandbox"))[0] == 401
    ask = make(documented_only=True, switches={"other_environment": "accepted"})
    assert ask("/ping", key=ask.sandbox.create_key("sandbox"))[0] == 200

"""Whether the old key of a rotation can go, rehearsed on an embedded sandbox; no key is ever shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from api.wire import Reply, Request, serve

import nectar_notebooks as nn
from nectar_notebooks.diagnosis import KeyComparison
from nectar_notebooks.errors import ConfigurationError, OfflineError

NEW, OLD = "made-up-new-key-0123456789", "made-up-old-key-0123456789"


@pytest.fixture
def compared() -> Callable[..., KeyComparison]:
    """Compare two keys of a fresh sandbox: each is limited to companies, expired or deleted as asked."""

    def compare(new: str = "good", old: str = "good", *, new_sees: int | None = None, old_sees: int | None = None):
        sandbox = nn.Sandbox(seed=3, sites=6, months=1)
        ids = nn.connect(sandbox=sandbox).companies()["company_id"].tolist()
        keys = []
        for state, sees in ((new, new_sees), (old, old_sees)):
            expires = datetime(2026, 1, 16, tzinfo=UTC) if state == "expired" else None
            keys.append(sandbox.create_key("production", expires, None if sees is None else ids[:sees]))
            if state == "deleted":
                sandbox.revoke_key(keys[-1])
        sandbox.advance(days=2)
        found = nn.connect(sandbox=sandbox, key=tuple(keys)).compare_keys()
        text = "\n".join([repr(found), found._repr_html_(), json.dumps(found.to_dict()), found.frame.to_string()])
        assert not any(key in text for key in keys)
        return found

    return compare


def test_the_same_companies(compared: Callable[..., KeyComparison]) -> None:
    found = compared()
    assert found.old_can_go
    assert "sees the same companies" in found.verdict
    assert "every service" in found.verdict
    assert found.frame["key"].tolist() == ["new", "old"]
    assert found.frame["accepted"].tolist() == [True, True]
    assert found.frame["companies"].nunique() == 1
    assert found.frame["fingerprint"].nunique() == 2


def test_a_new_key_that_sees_more(compared: Callable[..., KeyComparison]) -> None:
    found = compared(old_sees=1)
    assert found.old_can_go
    assert "as much, and" in found.verdict


def test_a_new_key_that_sees_less(compared: Callable[..., KeyComparison]) -> None:
    found = compared(new_sees=1)
    assert not found.old_can_go
    assert len(found.lost) == found.frame["companies"][1] - 1
    assert found.lost[0] in found.verdict


@pytest.mark.parametrize("state", ["expired", "deleted"])
def test_an_old_key_that_is_over(compared: Callable[..., KeyComparison], state: str) -> None:
    found = compared(old=state)
    assert found.old_can_go
    assert "no longer accepted" in found.verdict
    assert state in found.frame["said"][1]
    assert found.frame["companies"].isna().tolist() == [False, True]


def test_a_new_key_that_is_not_accepted(compared: Callable[..., KeyComparison]) -> None:
    found = compared(new="deleted")
    assert not found.old_can_go
    assert "new one is not accepted" in found.verdict
    assert "Neither" not in found.verdict
    assert "Neither" in compared(new="deleted", old="expired").verdict


def test_where_nobody_answers_nothing_is_said_of_the_keys() -> None:
    def handler(request: Request) -> Reply:
        return (
            Reply(fault="reset") if request.headers["x-api-key"] == OLD else Reply([] if "comp" in request.path else {})
        )

    with serve(handler) as wire:
        found = nn.connect("production", key=(NEW, OLD), base_url=wire.url).compare_keys()
    assert not found.old_can_go
    assert "try again" in found.verdict
    assert found.frame["accepted"].isna().tolist() == [False, True]


def test_each_key_is_asked_alone() -> None:
    """The new one's 401 is never answered by the old one."""
    asked = []

    def handler(request: Request) -> Reply:
        key = request.headers["x-api-key"]
        asked.append((key, request.path))
        if key == NEW:
            return Reply({"detail": "No."}, 401)
        return Reply([{"id": "c1", "name": "Acme"}] if request.path.endswith("company") else {})

    with serve(handler) as wire:
        found = nn.connect("production", key=(NEW, OLD), base_url=wire.url).compare_keys()
    assert not found.old_can_go
    assert asked == [(NEW, "/v2.2/ping"), (OLD, "/v2.2/ping"), (OLD, "/v2.2/company")]


@pytest.mark.parametrize("key", [None, NEW, (NEW, NEW)])
def test_two_keys_are_needed(sandbox: nn.Sandbox, key: str | tuple[str, ...] | None) -> None:
    with pytest.raises(ConfigurationError, match="there is 1") as failed:
        nn.connect(sandbox=sandbox, key=key).compare_keys()
    assert "new,old" in failed.value.advice


def test_offline_only_the_api_can_tell(sandbox: nn.Sandbox) -> None:
    with pytest.raises(OfflineError, match="Offline"):
        nn.connect(sandbox=sandbox, key=(NEW, OLD), offline=True).compare_keys()

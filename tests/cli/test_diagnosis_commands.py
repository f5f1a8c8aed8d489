"""`nectar doctor`, `keys compare` and `versions` as a user meets them: a process, an exit code, no key shown."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from commands import NECTAR, assert_one_sentence, clean_environment, nectar

import nectar_notebooks as nn


@pytest.fixture(scope="module")
def sandbox() -> nn.Sandbox:
    return nn.Sandbox(seed=3, sites=6, months=14)


@pytest.fixture(scope="module")
def served(sandbox: nn.Sandbox) -> Iterator[str]:
    with sandbox.serve() as serving:
        yield serving.url


def test_the_doctor_finds_nothing(tmp_path: Path, sandbox: nn.Sandbox, served: str) -> None:
    place = {"NECTAR_BASE_URL": served, "NECTAR_API_KEY": sandbox.key}
    ended = nectar(tmp_path, "doctor", "local", **place)
    assert ended.returncode == 0
    assert ended.stdout.startswith("Nothing is wrong.\n")
    assert "environment variable NECTAR_API_KEY" in ended.stdout
    site = nn.connect(sandbox=sandbox).sites(nn.connect(sandbox=sandbox).companies().iloc[0])["site_id"][0]
    ended = nectar(tmp_path, "doctor", "local", "--json", "--id", site, "--api-version", "v2.0", **place)
    found = json.loads(ended.stdout)
    assert found["ok"] is True
    assert "id of a site" in found["checks"][-1]["finding"]


def test_the_doctor_ends_with_1_where_something_is_wrong(tmp_path: Path, served: str) -> None:
    ended = nectar(tmp_path, "doctor", "production")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "1. Make one under Settings" in ended.stdout
    ended = nectar(tmp_path, "doctor", "local", NECTAR_BASE_URL=served, NECTAR_API_KEY="made-up-key")
    assert ended.returncode == 1
    assert "Something is wrong: ping." in ended.stdout
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    ended = nectar(
        tmp_path, "doctor", "production", "--json", NECTAR_BASE_URL=nobody, NECTAR_PRODUCTION_API_KEY="made-up-key"
    )
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["ok"] is False


def test_keys_are_compared_from_where_they_are_kept(tmp_path: Path, sandbox: nn.Sandbox, served: str) -> None:
    ids = nn.connect(sandbox=sandbox).companies()["company_id"]
    wide, narrow = sandbox.create_key("production"), sandbox.create_key("production", companies=ids[:1])
    ended = nectar(tmp_path, "keys", "compare", "local", NECTAR_BASE_URL=served, NECTAR_API_KEY=f"{wide},{narrow}")
    assert ended.returncode == 0
    assert ended.stdout.startswith("The old key can go")
    (tmp_path / ".env").write_text(f"NECTAR_API_KEY={narrow},{wide}\n")
    ended = nectar(tmp_path, "keys", "compare", "local", "--json", NECTAR_BASE_URL=served)
    assert ended.returncode == 1
    found = json.loads(ended.stdout)
    assert found["old_can_go"] is False
    assert len(found["lost"]) == len(ids) - 1
    assert narrow not in ended.stdout
    assert wide not in ended.stdout


def test_keys_may_be_typed_or_piped_and_are_no_arguments(tmp_path: Path, sandbox: nn.Sandbox, served: str) -> None:
    new, old = sandbox.create_key("production"), sandbox.create_key("production")
    ended = nectar(tmp_path, "keys", "compare", "local", "--prompt", typed=f"{new}\n{old}\n", NECTAR_BASE_URL=served)
    assert ended.returncode == 0
    assert new not in ended.stdout + ended.stderr
    assert old not in ended.stdout + ended.stderr
    for words in (["local", "--new", "made-up"], ["--key=made-up"], ["made-up"], ["local", "--old", "a", "made-up"]):
        ended = nectar(tmp_path, "keys", "compare", *words, NECTAR_BASE_URL=served)
        assert ended.returncode == 2
        assert "history" in ended.stderr
        assert "made-up" not in ended.stdout + ended.stderr


def test_keys_typed_at_a_terminal_are_not_shown(tmp_path: Path, sandbox: nn.Sandbox, served: str) -> None:
    pty = pytest.importorskip("pty", reason="there are no such terminals here")
    new, old = sandbox.create_key("production"), sandbox.create_key("production")
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [*NECTAR, "keys", "compare", "local", "--prompt"],
        cwd=tmp_path, stdin=end, stdout=end, stderr=end, start_new_session=True,
        env=clean_environment(NECTAR_BASE_URL=served),
    )  # fmt: skip
    os.close(end)
    screen = b""
    for question, key in ((b"New key: ", new), (b"Old key: ", old)):
        while question not in screen:
            screen += os.read(terminal, 1024)
        os.write(terminal, f"{key}\n".encode())
    with suppress(OSError):  # the other end was closed
        while piece := os.read(terminal, 1024):
            screen += piece
    os.close(terminal)
    assert process.wait(timeout=30) == 0
    assert b"The old key can go" in screen
    assert new.encode() not in screen
    assert old.encode() not in screen


@pytest.mark.parametrize(("typed", "says"), [("", "empty"), ("same\nsame\n", "there is 1")])
def test_too_few_keys_are_one_sentence(tmp_path: Path, served: str, typed: str, says: str) -> None:
    ended = nectar(tmp_path, "keys", "compare", "local", "--prompt", typed=typed, NECTAR_BASE_URL=served)
    assert_one_sentence(ended, says)


def test_versions_are_compared(tmp_path: Path, sandbox: nn.Sandbox, served: str) -> None:
    company = nn.connect(sandbox=sandbox).companies().iloc[-1]
    place = {"NECTAR_BASE_URL": served, "NECTAR_API_KEY": sandbox.key, "NECTAR_CACHE_DIR": str(tmp_path / "cache")}
    ended = nectar(tmp_path, "versions", "local", "--company", company["name"], "--json", **place)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["old"], found["new"], found["expected"]) == ("v2.1", "v2.2", True)
    assert {"table": "time_of_use", "column": "description", "lacking_in": "v2.1", "different": 0} in found["columns"]
    ended = nectar(tmp_path, "versions", "local", "--from", "v2.0", "--company", company["company_id"], **place)
    assert ended.returncode == 0
    assert "v2.0: ends in /v2\n" in ended.stdout
    ended = nectar(tmp_path, "versions", "local", "--from", "v2.2", "--company", company["company_id"], **place)
    assert ended.returncode == 1
    assert "itself" in ended.stderr
    ended = nectar(tmp_path, "versions", "local", **place)
    assert ended.returncode == 1
    assert "Name one with --company." in ended.stderr
